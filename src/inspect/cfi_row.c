/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the program of an entry of call frame information up to an address:
 * DWARF 5, 6.4.2. Only the registers of struct frame_regs have rules here;
 * a table may name others and costs nothing by it.
 */
#include <dwarf.h>
#include <string.h>

#include "inspect/unwind.h"

#define REMEMBERED_MAX 16
/* Not in every dwarf.h ("DWARF for the Arm 64-bit Architecture", 4.5.2). */
#define AARCH64_NEGATE_RA_STATE_WITH_PC 0x2c
#define AARCH64_NEGATE_RA_STATE 0x2d
#define OPERANDS_MAX 3          /* with the final NUL */
#define LIBUNWIND_REGS 17       /* of x86-64, which is all it is asked about */

struct state {
	const struct cfi_entry *entry;
	struct rd code;
	uint64_t pc, at;        /* wanted; where the program is */
	struct cfi_row row;
	struct cfi_row initial; /* after the CIE's part */
	struct cfi_row *remembered;     /* REMEMBERED_MAX of them */
	size_t n_remembered;
	bool strict;            /* for cfi_row_check() */
};
/** An instruction with its operands: numbers, and one expression. */
struct instruction {
	uint64_t a, b;
	struct span expression;
};
typedef struct err *run_fn(struct state *s, const struct instruction *in);

static struct err *
damaged(const char *what)
{
	return err_new(ERR_DAMAGED, "%s", what);
}

/* ---- rules -------------------------------------------------------------- */
static void
set_rule(struct state *s, uint64_t reg, uint8_t kind, uint64_t value)
{
	if (reg < FRAME_REGS)
		s->row.reg[reg] = (struct cfi_rule){ kind, value, { 0 } };
}

static uint64_t
factored(const struct state *s, uint64_t n)
{
	return n * (uint64_t)s->entry->data_align;
}

static struct err *
run_nothing(struct state *s, const struct instruction *in)
{
	(void)s, (void)in;
	return NULL;
}

static struct err *
run_set_loc(struct state *s, const struct instruction *in)
{
	s->at = in->a;
	return NULL;
}

static struct err *
run_advance(struct state *s, const struct instruction *in)
{
	s->at += in->a * s->entry->code_align;
	return NULL;
}

static struct err *
run_offset(struct state *s, const struct instruction *in)
{
	set_rule(s, in->a, CFI_OFFSET, factored(s, in->b));
	return NULL;
}

static struct err *
run_negative_offset(struct state *s, const struct instruction *in)
{
	set_rule(s, in->a, CFI_OFFSET, 0 - factored(s, in->b));
	return NULL;
}

static struct err *
run_val_offset(struct state *s, const struct instruction *in)
{
	set_rule(s, in->a, CFI_VAL_OFFSET, factored(s, in->b));
	return NULL;
}

static struct err *
run_restore(struct state *s, const struct instruction *in)
{
	if (in->a < FRAME_REGS)
		s->row.reg[in->a] = s->initial.reg[in->a];
	return NULL;
}

static struct err *
run_undefined(struct state *s, const struct instruction *in)
{
	set_rule(s, in->a, CFI_UNDEFINED, 0);
	return NULL;
}

static struct err *
run_same_value(struct state *s, const struct instruction *in)
{
	set_rule(s, in->a, CFI_SAME, 0);
	return NULL;
}

static struct err *
run_register(struct state *s, const struct instruction *in)
{
	if (s->strict && in->b >= LIBUNWIND_REGS)
		return err_new(ERR_UNSUPPORTED, "a rule names register %llu",
			       (unsigned long long)in->b);
	set_rule(s, in->a, CFI_REGISTER, in->b);
	return NULL;
}

static void
set_expression(struct state *s, const struct instruction *in, uint8_t kind)
{
	if (in->a < FRAME_REGS)
		s->row.reg[in->a] = (struct cfi_rule){
			.kind = kind, .expression = in->expression };
}

static struct err *
run_expression(struct state *s, const struct instruction *in)
{
	set_expression(s, in, CFI_EXPRESSION);
	return NULL;
}

static struct err *
run_val_expression(struct state *s, const struct instruction *in)
{
	set_expression(s, in, CFI_VAL_EXPRESSION);
	return NULL;
}

/* The CFA is remembered with the rest, as GCC means it. */
static struct err *
run_remember(struct state *s, const struct instruction *in)
{
	(void)in;
	if (s->n_remembered == REMEMBERED_MAX)
		return damaged("more states are remembered than any compiler "
			       "needs");
	s->remembered[s->n_remembered++] = s->row;
	return NULL;
}

static struct err *
run_recall(struct state *s, const struct instruction *in)
{
	(void)in;
	if (s->n_remembered == 0)
		return damaged("a state is restored that was never remembered");
	s->row = s->remembered[--s->n_remembered];
	return NULL;
}

/* AArch64: the return address is signed from here on, or no longer. */
static struct err *
run_negate_signed(struct state *s, const struct instruction *in)
{
	(void)in;
	if (s->strict)
		return err_new(ERR_UNSUPPORTED, "the return address is signed");
	s->row.ra_signed = !s->row.ra_signed;
	return NULL;
}

/* ---- the CFA ------------------------------------------------------------ */
static void
set_cfa(struct state *s, uint64_t reg, uint64_t offset)
{
	s->row.cfa = (struct cfi_rule){ CFI_VAL_OFFSET, offset, { 0 } };
	s->row.cfa_reg = reg;
}

static struct err *
run_cfa(struct state *s, const struct instruction *in)
{
	set_cfa(s, in->a, in->b);
	return NULL;
}

static struct err *
run_cfa_sf(struct state *s, const struct instruction *in)
{
	set_cfa(s, in->a, factored(s, in->b));
	return NULL;
}

static struct err *
run_cfa_register(struct state *s, const struct instruction *in)
{
	set_cfa(s, in->a, s->row.cfa.value);
	return NULL;
}

static struct err *
run_cfa_offset(struct state *s, const struct instruction *in)
{
	set_cfa(s, s->row.cfa_reg, in->a);
	return NULL;
}

static struct err *
run_cfa_offset_sf(struct state *s, const struct instruction *in)
{
	set_cfa(s, s->row.cfa_reg, factored(s, in->a));
	return NULL;
}

static struct err *
run_cfa_expression(struct state *s, const struct instruction *in)
{
	s->row.cfa = (struct cfi_rule){ .kind = CFI_VAL_EXPRESSION,
					.expression = in->expression };
	return NULL;
}

/* ---- the table (7.24) --------------------------------------------------- */
/** Operands: U unsigned LEB128, S signed, B a block, A an address in the
 * entry's encoding, a digit that many bytes. */
struct opcode {
	run_fn *run;
	char operands[OPERANDS_MAX];
};
/* clang-format off */
static const struct opcode OPCODES[0x40] = {
	[DW_CFA_nop] = { run_nothing, "" },
	[DW_CFA_set_loc] = { run_set_loc, "A" },
	[DW_CFA_advance_loc1] = { run_advance, "1" },
	[DW_CFA_advance_loc2] = { run_advance, "2" },
	[DW_CFA_advance_loc4] = { run_advance, "4" },
	[DW_CFA_offset_extended] = { run_offset, "UU" },
	[DW_CFA_restore_extended] = { run_restore, "U" },
	[DW_CFA_undefined] = { run_undefined, "U" },
	[DW_CFA_same_value] = { run_same_value, "U" },
	[DW_CFA_register] = { run_register, "UU" },
	[DW_CFA_remember_state] = { run_remember, "" },
	[DW_CFA_restore_state] = { run_recall, "" },
	[DW_CFA_def_cfa] = { run_cfa, "UU" },
	[DW_CFA_def_cfa_register] = { run_cfa_register, "U" },
	[DW_CFA_def_cfa_offset] = { run_cfa_offset, "U" },
	[DW_CFA_def_cfa_expression] = { run_cfa_expression, "B" },
	[DW_CFA_expression] = { run_expression, "UB" },
	[DW_CFA_offset_extended_sf] = { run_offset, "US" },
	[DW_CFA_def_cfa_sf] = { run_cfa_sf, "US" },
	[DW_CFA_def_cfa_offset_sf] = { run_cfa_offset_sf, "S" },
	[DW_CFA_val_offset] = { run_val_offset, "UU" },
	[DW_CFA_val_offset_sf] = { run_val_offset, "US" },
	[DW_CFA_val_expression] = { run_val_expression, "UB" },
	[AARCH64_NEGATE_RA_STATE_WITH_PC] = { run_negate_signed, "" },
	[AARCH64_NEGATE_RA_STATE] = { run_negate_signed, "" },
	[DW_CFA_GNU_args_size] = { run_nothing, "U" },
	[DW_CFA_GNU_negative_offset_extended] = { run_negative_offset, "UU" },
};
/* Those that have an operand in their own six bits. */
static const struct opcode PACKED[4] = {
	[DW_CFA_advance_loc >> 6] = { run_advance, "" },
	[DW_CFA_offset >> 6] = { run_offset, "U" },
	[DW_CFA_restore >> 6] = { run_restore, "" },
};
/* clang-format on */

static uint64_t
read_fixed(struct rd *r, unsigned size)
{
	switch (size) {
	case 1:
		return rd_u8(r);
	case 2:
		return rd_u16(r);
	case 4:
		return rd_u32(r);
	default:
		return rd_u64(r);
	}
}

static uint64_t
read_operand(struct state *s, char kind, struct span *expression)
{
	struct rd *r = &s->code;

	switch (kind) {
	case 'U':
		return expr_uleb(r);
	case 'S':
		return (uint64_t)expr_sleb(r);
	case 'A':               /* only .debug_frame, where it is absolute */
		return rd_u64(r);
	case 'B':
		expression->n = expr_uleb(r);
		expression->data = rd_bytes(r, expression->n);
		return 0;
	default:
		return read_fixed(r, (unsigned)(kind - '0'));
	}
}

static struct err *
check_expression(struct span bytes)
{
	Dwarf_Op ops[EXPR_OPS_MAX];
	size_t n;
	struct err *err = expr_decode(bytes, ops, EXPR_OPS_MAX, &n);

	for (size_t k = 0; !err && k < n; k++)
		if (ops[k].atom == DW_OP_div || ops[k].atom == DW_OP_addr)
			err = err_new(ERR_UNSUPPORTED, "an expression divides, "
				      "or holds an address");
	return err;
}

static struct err *
run_one(struct state *s)
{
	uint8_t byte = rd_u8(&s->code);
	const struct opcode *op = byte >> 6 ? &PACKED[byte >> 6]
					    : &OPCODES[byte];
	struct instruction in = { 0 };
	uint64_t *into = &in.a;

	if (!op->run)
		return err_new(ERR_UNSUPPORTED, "opcode 0x%x is not known",
			       byte);
	if (op->operands[0] == 'A' && s->entry->eh_frame)
		return err_new(ERR_UNSUPPORTED, "locations are set by address");
	if (byte >> 6) {
		in.a = byte & 0x3f;
		into = &in.b;
	}
	for (const char *o = op->operands; *o; o++, into = &in.b)
		*into = read_operand(s, *o, &in.expression);
	if (rd_failed(&s->code))
		return damaged("an instruction is cut short");
	struct err *err = s->strict && in.expression.n
			  ? check_expression(in.expression) : NULL;
	return err ? err : op->run(s, &in);
}

/* Each instruction takes a byte at least, so this ends. */
static struct err *
run_program(struct state *s, struct span program)
{
	struct err *err = NULL;

	s->code = rd_of(program.data, program.n);
	while (!err && s->at <= s->pc && rd_left(&s->code))
		err = run_one(s);
	return err;
}

struct err *
cfi_row_at(const struct cfi_entry *e, uint64_t pc, struct cfi_row *out)
{
	struct cfi_row remembered[REMEMBERED_MAX];
	struct state s = { .entry = e, .pc = UINT64_MAX,
			   .remembered = remembered };

	struct err *err = run_program(&s, e->initial);
	if (err)
		return err;
	s.initial = s.row;
	s.pc = pc;
	s.at = e->start;
	err = run_program(&s, e->program);
	if (err)
		return err;
	if (s.row.cfa.kind == CFI_NONE)
		return damaged("nothing tells the frame's address");
	*out = s.row;
	return NULL;
}

struct err *
cfi_row_check(const struct cfi_entry *e)
{
	struct cfi_row remembered[REMEMBERED_MAX];
	struct state s = { .entry = e, .pc = UINT64_MAX, .strict = true,
			   .remembered = remembered };
	struct err *err = run_program(&s, e->initial);

	if (err)
		return err;
	s.initial = s.row;
	s.at = 0;               /* a location that wraps is not the end */
	s.code = rd_of(e->program.data, e->program.n);
	while (!err && rd_left(&s.code))
		err = run_one(&s);
	return err;
}
