/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x86-64, by Zydis.
 */
#include <Zydis/Zydis.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "disasm/att.h"
#include "disasm/impl.h"

struct x86 {
	ZydisDecoder decoder;
	ZydisFormatter formatter;
	struct att att;
};

/* DWARF numbers by encoding: System V ABI for AMD64, figure 3.36. */
static const uint8_t dwarf_of[16] = {
	0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15
};

static const struct term fs_base = {
	.kind = BASE_NAMED, .name = "fs_base", .scale = 1, .bits = 64
};
static const struct term gs_base = {
	.kind = BASE_NAMED, .name = "gs_base", .scale = 1, .bits = 64
};

static const struct {
	ZydisFormatterProperty property;
	ZyanUPointer value;
} LOOKS[] = {
	{ ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE },
	{ ZYDIS_FORMATTER_PROP_FORCE_RELATIVE_RIPREL, ZYAN_TRUE },
	{ ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE, ZYDIS_PADDING_DISABLED },
	{ ZYDIS_FORMATTER_PROP_ADDR_PADDING_RELATIVE, ZYDIS_PADDING_DISABLED },
	{ ZYDIS_FORMATTER_PROP_DISP_PADDING, ZYDIS_PADDING_DISABLED },
	{ ZYDIS_FORMATTER_PROP_IMM_PADDING, ZYDIS_PADDING_DISABLED },
	{ ZYDIS_FORMATTER_PROP_IMM_SIGNEDNESS, ZYDIS_SIGNEDNESS_UNSIGNED },
};

static void
x86_end(struct disasm *d)
{
	free(d->state);
}

static struct err *
x86_begin(struct disasm *d)
{
	struct x86 *x = d->state = calloc(1, sizeof(*x));
	ZydisFormatterStyle style = d->syntax == DISASM_INTEL
				    ? ZYDIS_FORMATTER_STYLE_INTEL
				    : ZYDIS_FORMATTER_STYLE_ATT;

	if (!x)
		return err_nomem();
	if (ZYAN_FAILED(ZydisDecoderInit(&x->decoder,
					 ZYDIS_MACHINE_MODE_LONG_64,
					 ZYDIS_STACK_WIDTH_64))
	    || ZYAN_FAILED(ZydisFormatterInit(&x->formatter, style)))
		return err_new(ERR_FAILED, "Zydis does not start");
	for (size_t k = 0; k < countof(LOOKS); k++)
		if (ZYAN_FAILED(ZydisFormatterSetProperty(
				&x->formatter, LOOKS[k].property,
				LOOKS[k].value)))
			return err_new(ERR_FAILED, "Zydis does not know how "
				       "to write");
	if (d->syntax == DISASM_ATT && !att_begin(&x->formatter, &x->att))
		return err_new(ERR_FAILED, "Zydis takes no hooks");
	return NULL;
}

static size_t
x86_length(struct disasm *d, uint64_t at, struct span bytes, bool *cut)
{
	struct x86 *x = d->state;
	ZydisDecodedInstruction insn;

	(void)at;
	ZyanStatus s = ZydisDecoderDecodeInstruction(
		&x->decoder, NULL, bytes.data, bytes.n, &insn);
	*cut = s == ZYDIS_STATUS_NO_MORE_DATA;
	return ZYAN_SUCCESS(s) ? insn.length : 0;
}

/* ---- operands ----------------------------------------------------------- */
static bool
x86_term(ZydisRegister reg, uint8_t scale, struct term *out)
{
	ZydisRegisterClass class = ZydisRegisterGetClass(reg);
	ZyanI8 id = ZydisRegisterGetId(reg);

	if ((class != ZYDIS_REGCLASS_GPR64 && class != ZYDIS_REGCLASS_GPR32)
	    || id < 0 || id >= (ZyanI8)countof(dwarf_of))
		return false;
	*out = (struct term){
		.kind = BASE_FRAME, .reg = dwarf_of[id], .scale = scale,
		.bits = class == ZYDIS_REGCLASS_GPR64 ? 64 : 32,
	};
	return true;
}

static void
x86_add(struct operand *o, ZydisRegister reg, uint8_t scale)
{
	if (reg == ZYDIS_REGISTER_NONE)
		return;
	if (x86_term(reg, scale, &o->terms[o->n_terms]))
		o->n_terms++;
	else
		o->vague = true;
}

static const struct term *
x86_segment(const ZydisDecodedOperandMem *m)
{
	/* lea adds no segment. */
	if (m->type == ZYDIS_MEMOP_TYPE_AGEN)
		return NULL;
	if (m->segment == ZYDIS_REGISTER_FS)
		return &fs_base;
	return m->segment == ZYDIS_REGISTER_GS ? &gs_base : NULL;
}

/*
 * The stack pointer moves before push and call write below it, and after pop
 * has read; where pop puts it is found by the pointer that it leaves.
 */
static uint64_t
x86_moved(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *op)
{
	bool hidden = op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN;
	uint64_t size = op->size / 8;

	if (op->mem.base != ZYDIS_REGISTER_RSP)
		return 0;
	if (hidden && op->actions == ZYDIS_OPERAND_ACTION_WRITE)
		return 0 - size;
	return !hidden && insn->meta.category == ZYDIS_CATEGORY_POP ? size : 0;
}

/* Where more than the operand makes up the address: a bit that is counted from
 * it by a register, a table that is looked into. */
static bool
x86_is_elsewhere(const ZydisDecodedInstruction *insn,
		 const ZydisDecodedOperand *last)
{
	static const ZydisMnemonic bits[] = {
		ZYDIS_MNEMONIC_BT, ZYDIS_MNEMONIC_BTC, ZYDIS_MNEMONIC_BTR,
		ZYDIS_MNEMONIC_BTS,
	};

	if (insn->mnemonic == ZYDIS_MNEMONIC_XLAT)
		return true;
	for (size_t k = 0; k < countof(bits); k++)
		if (bits[k] == insn->mnemonic)
			return last->type == ZYDIS_OPERAND_TYPE_REGISTER;
	return false;
}

/* Under a mask only some of the elements are touched. */
static bool
x86_is_masked(const ZydisDecodedInstruction *insn)
{
	return insn->avx.mask.reg != ZYDIS_REGISTER_NONE
	       && insn->avx.mask.reg != ZYDIS_REGISTER_K0;
}

static void
x86_operand(const ZydisDecodedInstruction *insn, uint64_t at,
	    const ZydisDecodedOperand *op, struct operand *o)
{
	const ZydisDecodedOperandMem *m = &op->mem;
	bool touches = m->type == ZYDIS_MEMOP_TYPE_MEM;

	*o = (struct operand){
		.disp = m->disp.has_displacement ? (uint64_t)m->disp.value : 0,
		.bits = insn->address_width == 32 ? 32 : 64,
		.size = x86_is_masked(insn) ? 0 : (uint16_t)(op->size / 8),
		.reads = touches && (op->actions & ZYDIS_OPERAND_ACTION_MASK_READ),
		.writes = touches
			  && (op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE),
		.vague = m->type == ZYDIS_MEMOP_TYPE_VSIB
			 || m->type == ZYDIS_MEMOP_TYPE_MIB,
		.segment = x86_segment(m),
	};
	if (m->base == ZYDIS_REGISTER_RIP || m->base == ZYDIS_REGISTER_EIP)
		o->disp += at + insn->length;
	else
		x86_add(o, m->base, 1);
	if (!o->vague)
		x86_add(o, m->index, m->scale);
	o->disp += x86_moved(insn, op);
}

static const struct {
	ZydisInstructionCategory category;
	uint8_t flow;
} FLOWS[] = {
	{ ZYDIS_CATEGORY_CALL, DISASM_CALL },
	{ ZYDIS_CATEGORY_RET, DISASM_RETURN },
	{ ZYDIS_CATEGORY_COND_BR, DISASM_BRANCH },
	{ ZYDIS_CATEGORY_UNCOND_BR, DISASM_JUMP },
};

static uint8_t
x86_flow(const ZydisDecodedInstruction *insn)
{
	for (size_t k = 0; k < countof(FLOWS); k++)
		if (FLOWS[k].category == insn->meta.category)
			return FLOWS[k].flow;
	return DISASM_NEXT;
}

/* A nop's operand is there for its length. */
static bool
x86_tells(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *op)
{
	return op->type == ZYDIS_OPERAND_TYPE_MEMORY
	       && insn->meta.category != ZYDIS_CATEGORY_NOP
	       && insn->meta.category != ZYDIS_CATEGORY_WIDENOP;
}

/* The stack pointer, which calls and pushes read, is told by the address. */
static void
x86_read(const ZydisDecodedOperand *op, struct decoded *out)
{
	struct term t;

	if (op->type != ZYDIS_OPERAND_TYPE_REGISTER
	    || !(op->actions & ZYDIS_OPERAND_ACTION_MASK_READ))
		return;
	ZydisRegister all = ZydisRegisterGetLargestEnclosing(
		ZYDIS_MACHINE_MODE_LONG_64, op->reg.value);
	if (x86_term(all, 1, &t)
	    && (all != ZYDIS_REGISTER_RSP
		|| op->visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN))
		decoded_read(out, &t);
}

static void
x86_operands(const ZydisDecodedInstruction *insn, uint64_t at,
	     const ZydisDecodedOperand *ops, struct decoded *out)
{
	for (unsigned k = 0; k < insn->operand_count; k++) {
		x86_read(&ops[k], out);
		if (!x86_tells(insn, &ops[k])
		    || out->n_memory == DISASM_MEMORY_MAX)
			continue;
		if (out->flow == DISASM_RETURN
		    || (k == 0 && out->flow != DISASM_NEXT))
			out->target_memory = (uint8_t)out->n_memory;
		struct operand *o = &out->memory[out->n_memory++];
		x86_operand(insn, at, &ops[k], o);
		o->vague |= x86_is_elsewhere(insn, &ops[1]);
	}
}

static void
x86_target(const ZydisDecodedInstruction *insn, uint64_t at,
	   const ZydisDecodedOperand *op, struct decoded *out)
{
	ZyanU64 target;

	if (!insn->operand_count_visible)
		return;
	if (op->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && op->imm.is_relative) {
		out->has_target = ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(
			insn, op, at, &target));
		out->target = target;
	} else if (op->type == ZYDIS_OPERAND_TYPE_REGISTER) {
		out->has_target_reg = x86_term(op->reg.value, 1,
					       &out->target_reg);
	}
}

/* The second operand of a long nop stands in its code and for nothing. */
static void
x86_shorten(ZydisDecodedInstruction *insn)
{
	if (insn->mnemonic == ZYDIS_MNEMONIC_NOP
	    && insn->operand_count_visible > 1)
		insn->operand_count_visible = 1;
}

static bool
x86_decode(struct disasm *d, uint64_t at, struct span bytes,
	   struct decoded *out)
{
	struct x86 *x = d->state;
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];

	*out = (struct decoded){ .target_memory = NO_REG };
	if (ZYAN_FAILED(ZydisDecoderDecodeFull(&x->decoder, bytes.data,
					       bytes.n, &insn, ops)))
		return false;
	x86_shorten(&insn);
	if (ZYAN_FAILED(ZydisFormatterFormatInstruction(
			&x->formatter, &insn, ops, insn.operand_count_visible,
			out->text, sizeof(out->text), at, &x->att)))
		return false;
	out->length = insn.length;
	out->flow = x86_flow(&insn);
	if (out->flow != DISASM_NEXT)
		x86_target(&insn, at, &ops[0], out);
	x86_operands(&insn, at, ops, out);
	return true;
}

const struct machine machine_x86_64 = {
	.elf = EM_X86_64, .step = 1, .longest = ZYDIS_MAX_INSTRUCTION_LENGTH,
	.bad = "no instruction",
	.begin = x86_begin, .end = x86_end,
	.length = x86_length, .decode = x86_decode,
};
