/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AArch64, by capstone; a few names that version 4 does not have are ours.
 *
 * It is loaded when it is needed: its tables would be a third of what the
 * program needs to start.
 */
#include <capstone/capstone.h>
#include <dlfcn.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disasm/impl.h"

#define WORD 4u                 /* every instruction is one */
#define DWARF_SP 31u
/* Linux lets programs keep a tag in the highest byte of addresses of data. */
#define TAGGED 56

#define TEXT_OF(x) #x
#define CAPSTONE_NAME_OF(major) "libcapstone.so." TEXT_OF(major)
#define CAPSTONE_NAME CAPSTONE_NAME_OF(CS_API_MAJOR)

static struct {
	void *library;
	__typeof__(cs_open) *open;
	__typeof__(cs_close) *close;
	__typeof__(cs_option) *option;
	__typeof__(cs_malloc) *malloc;
	__typeof__(cs_free) *free;
	__typeof__(cs_disasm_iter) *disasm_iter;
	__typeof__(cs_reg_name) *reg_name;
} capstone;

static struct err *
capstone_load(void)
{
	const struct {
		void *to;
		const char *name;
	} functions[] = {
		{ &capstone.open, "cs_open" },
		{ &capstone.close, "cs_close" },
		{ &capstone.option, "cs_option" },
		{ &capstone.malloc, "cs_malloc" },
		{ &capstone.free, "cs_free" },
		{ &capstone.disasm_iter, "cs_disasm_iter" },
		{ &capstone.reg_name, "cs_reg_name" },
	};
	void *library = capstone.library ? capstone.library
					 : dlopen(CAPSTONE_NAME, RTLD_NOW);

	for (size_t k = 0; library && k < countof(functions); k++) {
		void *f = dlsym(library, functions[k].name);
		if (!f)
			return err_new(ERR_UNSUPPORTED, CAPSTONE_NAME
				       " has no %s", functions[k].name);
		memcpy(functions[k].to, &f, sizeof(f));
	}
	capstone.library = library;
	return library ? NULL
		       : err_new(ERR_UNSUPPORTED, "cannot load " CAPSTONE_NAME
				 ": %s", dlerror());
}

void
disasm_prepare(void)
{
	err_free(capstone_load());
}

bool
disasm_prepared(uint16_t machine)
{
	return machine != EM_AARCH64 || capstone.library;
}

struct arm64 {
	csh handle;
	cs_insn *insn;
	bool open;
};

static void
arm64_end(struct disasm *d)
{
	struct arm64 *x = d->state;

	if (x && x->insn)
		capstone.free(x->insn, 1);
	if (x && x->open)
		capstone.close(&x->handle);
	free(x);
}

static struct err *
arm64_begin(struct disasm *d)
{
	struct arm64 *x = d->state = calloc(1, sizeof(*x));

	if (!x)
		return err_nomem();
	struct err *err = capstone_load();
	if (err)
		return err;
	x->open = capstone.open(CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, &x->handle)
		  == CS_ERR_OK;
	if (!x->open || capstone.option(x->handle, CS_OPT_DETAIL, CS_OPT_ON)
			!= CS_ERR_OK)
		return err_new(ERR_FAILED, "capstone does not start");
	x->insn = capstone.malloc(x->handle);
	return x->insn ? NULL : err_nomem();
}

static uint32_t
arm64_word(struct span bytes)
{
	struct rd r = rd_of(bytes.data, bytes.n);

	return rd_u32(&r);
}

/* Permanently undefined, 0x0000….: an instruction (Arm ARM, C6.2 UDF). */
static bool
arm64_is_udf(struct span bytes)
{
	return arm64_word(bytes) >> 16 == 0;
}

static bool
arm64_read(struct arm64 *x, uint64_t at, struct span bytes)
{
	const uint8_t *code = bytes.data;
	size_t n = WORD;

	return capstone.disasm_iter(x->handle, &code, &n, &at, x->insn);
}

static size_t
arm64_length(struct disasm *d, uint64_t at, struct span bytes, bool *cut)
{
	*cut = bytes.n < WORD;
	if (*cut)
		return 0;
	return arm64_is_udf(bytes) || arm64_is_atomic(arm64_word(bytes))
	       || arm64_read(d->state, at, bytes) ? WORD : 0;
}

/* ---- text --------------------------------------------------------------- */
/* Of the hint space: Arm ARM, C6.2 HINT. */
static const struct {
	uint8_t number;
	const char *name;
} HINTS[] = {
	{ 7, "xpaclri" }, { 8, "pacia1716" }, { 10, "pacib1716" },
	{ 12, "autia1716" }, { 14, "autib1716" }, { 16, "esb" },
	{ 17, "psb csync" }, { 18, "tsb csync" }, { 20, "csdb" },
	{ 24, "paciaz" }, { 25, "paciasp" }, { 26, "pacibz" },
	{ 27, "pacibsp" }, { 28, "autiaz" }, { 29, "autiasp" },
	{ 30, "autibz" }, { 31, "autibsp" }, { 32, "bti" },
	{ 34, "bti c" }, { 36, "bti j" }, { 38, "bti jc" },
};

static const char *
arm64_hint(const cs_insn *insn)
{
	if (insn->id != ARM64_INS_HINT)
		return NULL;
	for (size_t k = 0; k < countof(HINTS); k++)
		if (HINTS[k].number == insn->detail->arm64.operands[0].imm)
			return HINTS[k].name;
	return NULL;
}

/* How it is written where nothing is shifted (Arm ARM, C6.2 MOV). */
static const char *
arm64_name(const cs_insn *insn)
{
	return insn->id == ARM64_INS_MOVZ && !strstr(insn->op_str, "lsl")
	       ? "mov" : insn->mnemonic;
}

/* "#0x401000" is an immediate; an address is written without the #. */
static void
arm64_text(const cs_insn *insn, bool address, struct decoded *out)
{
	const char *hint = arm64_hint(insn), *mark, *rest = insn->op_str;

	if (hint) {
		snprintf(out->text, sizeof(out->text), "%s", hint);
		return;
	}
	mark = address ? strrchr(rest, '#') : NULL;
	int head = mark ? (int)(mark - rest) : (int)strlen(rest);
	snprintf(out->text, sizeof(out->text), "%s%s%.*s%s", arm64_name(insn),
		 *rest ? " " : "", head, rest, mark ? mark + 1 : "");
}

/* ---- operands ----------------------------------------------------------- */
struct width {
	const char *suffix;
	uint16_t size;
};

/* What the mnemonic says of the size; else the first register does. */
static const struct width WIDTHS[] = {
	{ "rsw", 4 }, { "ursw", 4 }, { "trsw", 4 }, { "psw", 4 },
	{ "b", 1 }, { "h", 2 },
};

static uint16_t
arm64_reg_size(csh handle, unsigned reg)
{
	static const struct { char first; uint16_t size; } sizes[] = {
		{ 'w', 4 }, { 'x', 8 }, { 'b', 1 }, { 'h', 2 }, { 's', 4 },
		{ 'd', 8 }, { 'q', 16 },
	};
	const char *name = capstone.reg_name(handle, reg);

	for (size_t k = 0; name && k < countof(sizes); k++)
		if (sizes[k].first == name[0])
			return sizes[k].size;
	return 0;
}

/* ldp and stp, ldxp and the like move two registers. */
static bool
arm64_is_pair(const char *mnemonic)
{
	return strcmp(mnemonic, "ldpsw") == 0
	       || mnemonic[strlen(mnemonic) - 1] == 'p';
}

static uint16_t
arm64_size(const struct arm64 *x, const cs_insn *insn)
{
	const cs_arm64 *ops = &insn->detail->arm64;
	const char *name = insn->mnemonic;
	size_t n = strlen(name);
	/* stxr w0, x1, [x2]: the first one is a status. */
	unsigned moved = strncmp(name, "stx", 3) == 0
			 || strncmp(name, "stlx", 4) == 0;

	if (moved >= ops->op_count || ops->operands[moved].type != ARM64_OP_REG
	    || ops->operands[moved].vas != ARM64_VAS_INVALID || n < 3)
		return 0;
	uint16_t size = arm64_reg_size(x->handle, ops->operands[moved].reg);
	for (size_t k = 0; k < countof(WIDTHS); k++) {
		size_t m = strlen(WIDTHS[k].suffix);
		if (n > m && strcmp(name + n - m, WIDTHS[k].suffix) == 0) {
			size = WIDTHS[k].size;
			break;
		}
	}
	return arm64_is_pair(name) ? 2 * size : size;
}

static bool
arm64_term(unsigned reg, struct term *out)
{
	*out = (struct term){ .kind = BASE_FRAME, .scale = 1, .bits = 64 };
	if (reg >= ARM64_REG_X0 && reg <= ARM64_REG_X28)
		out->reg = (uint8_t)(reg - ARM64_REG_X0);
	else if (reg == ARM64_REG_X29 || reg == ARM64_REG_X30)
		out->reg = (uint8_t)(29 + (reg - ARM64_REG_X29));
	else if (reg == ARM64_REG_SP)
		out->reg = DWARF_SP;
	else if (reg >= ARM64_REG_W0 && reg <= ARM64_REG_W30)
		*out = (struct term){ .kind = BASE_FRAME, .scale = 1,
				      .bits = 32,
				      .reg = (uint8_t)(reg - ARM64_REG_W0) };
	else
		return false;
	return true;
}

static void
arm64_memory(const struct arm64 *x, const cs_insn *insn, const cs_arm64_op *op,
	     struct operand *o)
{
	struct term *index = &o->terms[1];

	*o = (struct operand){
		.disp = (uint64_t)(int64_t)op->mem.disp, .bits = TAGGED,
		.size = arm64_size(x, insn),
		.reads = strncmp(insn->mnemonic, "ld", 2) == 0,
		.writes = strncmp(insn->mnemonic, "st", 2) == 0,
	};
	o->vague = !arm64_term(op->mem.base, &o->terms[0]);
	o->n_terms = 1;
	if (op->mem.index == ARM64_REG_INVALID || o->vague)
		return;
	if (op->mem.index == ARM64_REG_XZR || op->mem.index == ARM64_REG_WZR)
		return;
	o->vague = !arm64_term(op->mem.index, index) || op->shift.value > 4
		   || (op->shift.type != ARM64_SFT_INVALID
		       && op->shift.type != ARM64_SFT_LSL);
	index->scale = (uint8_t)(1u << (op->shift.value & 7));
	index->is_signed = op->ext == ARM64_EXT_SXTW;
	o->n_terms = 2;
}

/* ldr x0, ADDRESS: what is read stands beside the code. */
static void
arm64_literal(const struct arm64 *x, const cs_insn *insn, uint64_t address,
	      struct operand *o)
{
	*o = (struct operand){
		.disp = address, .bits = 64, .size = arm64_size(x, insn),
		.reads = strncmp(insn->mnemonic, "ld", 2) == 0,
	};
}

/* ---- flow --------------------------------------------------------------- */
static const struct {
	unsigned id;
	uint8_t flow;
} FLOWS[] = {
	{ ARM64_INS_BL, DISASM_CALL }, { ARM64_INS_BLR, DISASM_CALL },
	{ ARM64_INS_BR, DISASM_JUMP }, { ARM64_INS_RET, DISASM_RETURN },
	{ ARM64_INS_CBZ, DISASM_BRANCH }, { ARM64_INS_CBNZ, DISASM_BRANCH },
	{ ARM64_INS_TBZ, DISASM_BRANCH }, { ARM64_INS_TBNZ, DISASM_BRANCH },
};

static uint8_t
arm64_flow(const cs_insn *insn)
{
	if (insn->id == ARM64_INS_B)
		return insn->mnemonic[1] == '.' ? DISASM_BRANCH : DISASM_JUMP;
	for (size_t k = 0; k < countof(FLOWS); k++)
		if (FLOWS[k].id == insn->id)
			return FLOWS[k].flow;
	return DISASM_NEXT;
}

/* The operand that is an address known from the pc alone, or NULL. */
static const cs_arm64_op *
arm64_address(const cs_insn *insn, uint8_t flow)
{
	static const unsigned ids[] = {
		ARM64_INS_ADR, ARM64_INS_ADRP, ARM64_INS_LDR, ARM64_INS_LDRSW,
		ARM64_INS_PRFM,
	};
	const cs_arm64 *ops = &insn->detail->arm64;
	bool may = flow != DISASM_NEXT;

	for (size_t k = 0; k < countof(ids); k++)
		may |= ids[k] == insn->id;
	if (!may || !ops->op_count)
		return NULL;
	for (unsigned k = 0; k < ops->op_count; k++)
		if (ops->operands[k].type == ARM64_OP_MEM)
			return NULL;
	const cs_arm64_op *last = &ops->operands[ops->op_count - 1];
	return last->type == ARM64_OP_IMM ? last : NULL;
}

/* ret without an operand is ret x30. */
static unsigned
arm64_target(const cs_arm64 *ops)
{
	if (!ops->op_count)
		return ARM64_REG_X30;
	return ops->operands[0].type == ARM64_OP_REG ? ops->operands[0].reg
						     : ARM64_REG_INVALID;
}

static void
arm64_operands(const struct arm64 *x, const cs_arm64_op *address,
	       struct decoded *out)
{
	const cs_insn *insn = x->insn;
	const cs_arm64 *ops = &insn->detail->arm64;

	out->has_target = address && out->flow != DISASM_NEXT;
	if (out->has_target)
		out->target = (uint64_t)address->imm;
	else if (address)
		arm64_literal(x, insn, (uint64_t)address->imm,
			      &out->memory[out->n_memory++]);
	if (!address && out->flow != DISASM_NEXT)
		out->has_target_reg = arm64_term(arm64_target(ops),
						 &out->target_reg);
	for (unsigned k = 0; k < ops->op_count; k++) {
		const cs_arm64_op *op = &ops->operands[k];
		struct term t;

		if (op->type == ARM64_OP_MEM
		    && out->n_memory < DISASM_MEMORY_MAX)
			arm64_memory(x, insn, op,
				     &out->memory[out->n_memory++]);
		if (op->type == ARM64_OP_REG && (op->access & CS_AC_READ)
		    && arm64_term(op->reg, &t))
			decoded_read(out, &t);
	}
}

static bool
arm64_decode(struct disasm *d, uint64_t at, struct span bytes,
	     struct decoded *out)
{
	struct arm64 *x = d->state;

	*out = (struct decoded){ .length = WORD, .target_memory = NO_REG };
	if (bytes.n < WORD)
		return false;
	if (arm64_is_udf(bytes)) {
		snprintf(out->text, sizeof(out->text), "udf #%u",
			 arm64_word(bytes));
		return true;
	}
	if (arm64_is_atomic(arm64_word(bytes))) {
		arm64_atomic(arm64_word(bytes), out);
		return true;
	}
	if (!arm64_read(x, at, bytes))
		return false;
	out->flow = arm64_flow(x->insn);
	const cs_arm64_op *address = arm64_address(x->insn, out->flow);
	arm64_text(x->insn, address, out);
	arm64_operands(x, address, out);
	return true;
}

const struct machine machine_aarch64 = {
	.elf = EM_AARCH64, .step = WORD, .longest = WORD,
	.bad = "no instruction, or one of an extension that is not known",
	.begin = arm64_begin, .end = arm64_end,
	.length = arm64_length, .decode = arm64_decode,
};
