/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DWARF stack machine: DWARF 5, section 2.5, over 64-bit generic values.
 */
#include <dwarf.h>

#include "inspect/unwind.h"

struct machine {
	const struct expr_env *env;
	const Dwarf_Op *ops;
	size_t n, next;         /* operations; the one that comes next */
	uint64_t stack[EXPR_STACK_MAX];
	size_t depth;
	enum expr_kind kind;
	bool ended;             /* no operation may follow */
};

/** Either runs, or computes a value from one or two operands. */
struct operator {
	struct err *(*run)(struct machine *m, const Dwarf_Op *op);
	uint64_t (*compute)(uint64_t a, uint64_t b);
	uint8_t pops, pushes;
	bool divides;
	/** What follows the operator: U unsigned LEB128, S signed, a digit
	 * that many bytes, + before a digit: signed. */
	char operands[4];
};

static uint64_t
pop(struct machine *m)
{
	return m->stack[--m->depth];
}

static void
push(struct machine *m, uint64_t v)
{
	m->stack[m->depth++] = v;
}

/* ---- arithmetic and logic (2.5.1.4): @b is the top of the stack, or the
 * operand of an operator that takes one value ------------------------------- */
static uint64_t
and_(uint64_t a, uint64_t b)
{
	return a & b;
}

static uint64_t
or_(uint64_t a, uint64_t b)
{
	return a | b;
}

static uint64_t
xor_(uint64_t a, uint64_t b)
{
	return a ^ b;
}

static uint64_t
plus(uint64_t a, uint64_t b)
{
	return a + b;
}

static uint64_t
minus(uint64_t a, uint64_t b)
{
	return a - b;
}

static uint64_t
mul(uint64_t a, uint64_t b)
{
	return a * b;
}

static uint64_t
shl(uint64_t a, uint64_t b)
{
	return b < 64 ? a << b : 0;
}

static uint64_t
shr(uint64_t a, uint64_t b)
{
	return b < 64 ? a >> b : 0;
}

static uint64_t
shra(uint64_t a, uint64_t b)
{
	uint64_t sign = a >> 63 ? UINT64_MAX : 0;

	if (b == 0)
		return a;
	return b < 64 ? a >> b | sign << (64 - b) : sign;
}

/* Division by zero is refused before; INT64_MIN / -1 wraps. */
static uint64_t
div_(uint64_t a, uint64_t b)
{
	return b == UINT64_MAX ? 0 - a : (uint64_t)((int64_t)a / (int64_t)b);
}

static uint64_t
mod(uint64_t a, uint64_t b)
{
	return a % b;
}

static uint64_t
eq(uint64_t a, uint64_t b)
{
	return a == b;
}

static uint64_t
ne(uint64_t a, uint64_t b)
{
	return a != b;
}

static uint64_t
ge(uint64_t a, uint64_t b)
{
	return (int64_t)a >= (int64_t)b;
}

static uint64_t
gt(uint64_t a, uint64_t b)
{
	return (int64_t)a > (int64_t)b;
}

static uint64_t
le(uint64_t a, uint64_t b)
{
	return (int64_t)a <= (int64_t)b;
}

static uint64_t
lt(uint64_t a, uint64_t b)
{
	return (int64_t)a < (int64_t)b;
}

static uint64_t
abs_(uint64_t a, uint64_t b)
{
	(void)b;
	return (int64_t)a < 0 ? 0 - a : a;
}

static uint64_t
neg(uint64_t a, uint64_t b)
{
	(void)b;
	return 0 - a;
}

static uint64_t
not_(uint64_t a, uint64_t b)
{
	(void)b;
	return ~a;
}

/* ---- the other operators ------------------------------------------------ */
static struct err *
run_const(struct machine *m, const Dwarf_Op *op)
{
	push(m, op->number);
	return NULL;
}

static struct err *
run_addr(struct machine *m, const Dwarf_Op *op)
{
	push(m, op->number + m->env->bias);
	return NULL;
}

static struct err *
run_lit(struct machine *m, const Dwarf_Op *op)
{
	push(m, op->atom - DW_OP_lit0);
	return NULL;
}

static struct err *
push_reg(struct machine *m, uint64_t number, uint64_t offset)
{
	uint64_t v;
	struct err *err = m->env->reg(m->env->arg, number, &v);

	if (err)
		return err;
	push(m, v + offset);
	return NULL;
}

static struct err *
run_breg(struct machine *m, const Dwarf_Op *op)
{
	return push_reg(m, op->atom - DW_OP_breg0, op->number);
}

static struct err *
run_bregx(struct machine *m, const Dwarf_Op *op)
{
	return push_reg(m, op->number, op->number2);
}

/* A register as a location stands alone (2.6.1.1.3). */
static struct err *
end_in_register(struct machine *m, uint64_t number)
{
	if (m->depth)
		return err_new(ERR_DAMAGED, "a register location comes after "
			       "other operations");
	push(m, number);
	m->kind = EXPR_REGISTER;
	m->ended = true;
	return NULL;
}

static struct err *
run_reg(struct machine *m, const Dwarf_Op *op)
{
	return end_in_register(m, op->atom - DW_OP_reg0);
}

static struct err *
run_regx(struct machine *m, const Dwarf_Op *op)
{
	return end_in_register(m, op->number);
}

static struct err *
run_stack_value(struct machine *m, const Dwarf_Op *op)
{
	(void)op;
	m->kind = EXPR_VALUE;
	m->ended = true;
	return NULL;
}

static struct err *
run_call_frame_cfa(struct machine *m, const Dwarf_Op *op)
{
	(void)op;
	if (!m->env->has_cfa)
		return err_new(ERR_DAMAGED, "the frame's address is used "
			       "where it is not known");
	push(m, m->env->cfa);
	return NULL;
}

static struct err *
deref(struct machine *m, uint64_t size)
{
	uint8_t bytes[8] = { 0 };

	if (size == 0 || size > sizeof(bytes))
		return err_new(ERR_DAMAGED, "%llu bytes are to be read as one "
			       "value", (unsigned long long)size);
	struct err *err = m->env->read(m->env->arg, pop(m), size, bytes);
	if (err)
		return err;
	struct rd r = rd_of(bytes, sizeof(bytes));
	push(m, rd_u64(&r));
	return NULL;
}

static struct err *
run_deref(struct machine *m, const Dwarf_Op *op)
{
	(void)op;
	return deref(m, 8);
}

static struct err *
run_deref_size(struct machine *m, const Dwarf_Op *op)
{
	return deref(m, op->number);
}

static struct err *
run_dup(struct machine *m, const Dwarf_Op *op)
{
	(void)op;
	push(m, m->stack[m->depth - 1]);
	return NULL;
}

static struct err *
run_drop(struct machine *m, const Dwarf_Op *op)
{
	(void)op;
	m->depth--;
	return NULL;
}

static struct err *
run_over(struct machine *m, const Dwarf_Op *op)
{
	(void)op;
	push(m, m->stack[m->depth - 2]);
	return NULL;
}

static struct err *
run_pick(struct machine *m, const Dwarf_Op *op)
{
	if (op->number >= m->depth)
		return err_new(ERR_DAMAGED, "entry %llu of a stack of %zu is "
			       "picked", (unsigned long long)op->number,
			       m->depth);
	push(m, m->stack[m->depth - 1 - op->number]);
	return NULL;
}

static struct err *
run_swap(struct machine *m, const Dwarf_Op *op)
{
	(void)op;
	uint64_t b = pop(m), a = pop(m);

	push(m, b);
	push(m, a);
	return NULL;
}

/* The top becomes the third, the two below move up. */
static struct err *
run_rot(struct machine *m, const Dwarf_Op *op)
{
	(void)op;
	uint64_t c = pop(m), b = pop(m), a = pop(m);

	push(m, c);
	push(m, a);
	push(m, b);
	return NULL;
}

static struct err *
run_nop(struct machine *m, const Dwarf_Op *op)
{
	(void)m;
	(void)op;
	return NULL;
}

/*
 * The distance counts from the end of the branch, which is 3 bytes long. An
 * operation that libdw put before the expression has offset -1. A target
 * behind the last operation is the end.
 */
static struct err *
branch(struct machine *m, const Dwarf_Op *op)
{
	uint64_t target = op->offset + 3 + (uint64_t)(int16_t)op->number;
	size_t low = m->n && m->ops[0].offset == UINT64_MAX, high = m->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->ops[mid].offset < target)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < m->n && m->ops[low].offset != target)
		return err_new(ERR_DAMAGED, "a branch leads into the middle "
			       "of an operation");
	m->next = low;
	return NULL;
}

static struct err *
run_skip(struct machine *m, const Dwarf_Op *op)
{
	return branch(m, op);
}

static struct err *
run_bra(struct machine *m, const Dwarf_Op *op)
{
	return pop(m) ? branch(m, op) : NULL;
}

/* ---- the table ---------------------------------------------------------- */
/* clang-format off */
#define CONST(letters) { .run = run_const, .pushes = 1, .operands = letters }
static const struct operator OPERATORS[256] = {
	[DW_OP_addr] = { .operands = "8", .run = run_addr, .pushes = 1 },
	[DW_OP_deref] = { .run = run_deref, .pops = 1, .pushes = 1 },
	[DW_OP_const1u] = CONST("1"), [DW_OP_const1s] = CONST("+1"),
	[DW_OP_const2u] = CONST("2"), [DW_OP_const2s] = CONST("+2"),
	[DW_OP_const4u] = CONST("4"), [DW_OP_const4s] = CONST("+4"),
	[DW_OP_const8u] = CONST("8"), [DW_OP_const8s] = CONST("8"),
	[DW_OP_constu] = CONST("U"), [DW_OP_consts] = CONST("S"),
	[DW_OP_dup] = { .run = run_dup, .pops = 1, .pushes = 2 },
	[DW_OP_drop] = { .run = run_drop, .pops = 1 },
	[DW_OP_over] = { .run = run_over, .pops = 2, .pushes = 3 },
	[DW_OP_pick] = { .operands = "1", .run = run_pick, .pushes = 1 },
	[DW_OP_swap] = { .run = run_swap, .pops = 2, .pushes = 2 },
	[DW_OP_rot] = { .run = run_rot, .pops = 3, .pushes = 3 },
	[DW_OP_abs] = { .compute = abs_, .pops = 1, .pushes = 1 },
	[DW_OP_and] = { .compute = and_, .pops = 2, .pushes = 1 },
	[DW_OP_div] = { .compute = div_, .pops = 2, .pushes = 1,
			.divides = true },
	[DW_OP_minus] = { .compute = minus, .pops = 2, .pushes = 1 },
	[DW_OP_mod] = { .compute = mod, .pops = 2, .pushes = 1,
			.divides = true },
	[DW_OP_mul] = { .compute = mul, .pops = 2, .pushes = 1 },
	[DW_OP_neg] = { .compute = neg, .pops = 1, .pushes = 1 },
	[DW_OP_not] = { .compute = not_, .pops = 1, .pushes = 1 },
	[DW_OP_or] = { .compute = or_, .pops = 2, .pushes = 1 },
	[DW_OP_plus] = { .compute = plus, .pops = 2, .pushes = 1 },
	[DW_OP_plus_uconst] = { .operands = "U", .compute = plus, .pops = 1,
				.pushes = 1 },
	[DW_OP_shl] = { .compute = shl, .pops = 2, .pushes = 1 },
	[DW_OP_shr] = { .compute = shr, .pops = 2, .pushes = 1 },
	[DW_OP_shra] = { .compute = shra, .pops = 2, .pushes = 1 },
	[DW_OP_xor] = { .compute = xor_, .pops = 2, .pushes = 1 },
	[DW_OP_bra] = { .operands = "+2", .run = run_bra, .pops = 1 },
	[DW_OP_eq] = { .compute = eq, .pops = 2, .pushes = 1 },
	[DW_OP_ge] = { .compute = ge, .pops = 2, .pushes = 1 },
	[DW_OP_gt] = { .compute = gt, .pops = 2, .pushes = 1 },
	[DW_OP_le] = { .compute = le, .pops = 2, .pushes = 1 },
	[DW_OP_lt] = { .compute = lt, .pops = 2, .pushes = 1 },
	[DW_OP_ne] = { .compute = ne, .pops = 2, .pushes = 1 },
	[DW_OP_skip] = { .operands = "+2", .run = run_skip },
	[DW_OP_lit0 ... DW_OP_lit31] = { .run = run_lit, .pushes = 1 },
	[DW_OP_reg0 ... DW_OP_reg31] = { .run = run_reg, .pushes = 1 },
	[DW_OP_breg0 ... DW_OP_breg31] = { .operands = "S", .run = run_breg,
					   .pushes = 1 },
	[DW_OP_regx] = { .operands = "U", .run = run_regx, .pushes = 1 },
	[DW_OP_bregx] = { .operands = "US", .run = run_bregx, .pushes = 1 },
	[DW_OP_deref_size] = { .operands = "1", .run = run_deref_size,
			       .pops = 1, .pushes = 1 },
	[DW_OP_nop] = { .run = run_nop },
	[DW_OP_call_frame_cfa] = { .run = run_call_frame_cfa, .pushes = 1 },
	[DW_OP_stack_value] = { .run = run_stack_value, .pops = 1,
				.pushes = 1 },
};
/* clang-format on */

static struct err *
unknown(uint8_t atom)
{
	return err_new(ERR_UNSUPPORTED, "operator 0x%x is not one of call "
		       "frame information", atom);
}

static struct err *
compute(struct machine *m, const struct operator *o, const Dwarf_Op *op)
{
	uint64_t b = o->pops == 2 ? pop(m) : op->number;

	if (o->divides && b == 0)
		return err_new(ERR_DAMAGED, "a value is divided by zero");
	push(m, o->compute(pop(m), b));
	return NULL;
}

static struct err *
step(struct machine *m)
{
	const Dwarf_Op *op = &m->ops[m->next++];
	const struct operator *o = &OPERATORS[op->atom];

	if (!o->run && !o->compute)
		return unknown(op->atom);
	if (m->ended)
		return err_new(ERR_DAMAGED, "operations follow the final one");
	if (m->depth < o->pops)
		return err_new(ERR_DAMAGED, "operator 0x%x wants %u values, "
			       "the stack has %zu", op->atom, o->pops,
			       m->depth);
	if (m->depth - o->pops + o->pushes > EXPR_STACK_MAX)
		return err_new(ERR_LIMIT, "more than %d values on the stack",
			       EXPR_STACK_MAX);
	return o->compute ? compute(m, o, op) : o->run(m, op);
}

struct err *
expr_eval(const struct expr_env *env, const Dwarf_Op *ops, size_t n,
	  struct expr_result *out)
{
	struct machine m = { .env = env, .ops = ops, .n = n };

	for (unsigned steps = 0; m.next < n; steps++) {
		if (steps == EXPR_STEPS_MAX)
			return err_new(ERR_LIMIT, "the expression does not "
				       "end within %u steps", EXPR_STEPS_MAX);
		struct err *err = step(&m);
		if (err)
			return err;
	}
	if (m.depth == 0)
		return err_new(ERR_DAMAGED, "the expression has no result");
	*out = (struct expr_result){ m.kind, m.stack[m.depth - 1] };
	return NULL;
}

/* ---- decoding (7.6, 7.7.1) ---------------------------------------------- */
uint64_t
expr_uleb(struct rd *r)
{
	uint64_t v = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = rd_u8(r);
		if (shift < 64)
			v |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80 && !rd_failed(r));
	return v;
}

int64_t
expr_sleb(struct rd *r)
{
	uint64_t v = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = rd_u8(r);
		if (shift < 64)
			v |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80 && !rd_failed(r));
	if (shift < 64 && byte & 0x40)
		v |= UINT64_MAX << shift;
	return (int64_t)v;
}

static uint64_t
read_fixed(struct rd *r, char size, bool is_signed)
{
	switch (size) {
	case '1':
		return is_signed ? (uint64_t)(int8_t)rd_u8(r) : rd_u8(r);
	case '2':
		return is_signed ? (uint64_t)(int16_t)rd_u16(r) : rd_u16(r);
	case '4':
		return is_signed ? (uint64_t)(int32_t)rd_u32(r) : rd_u32(r);
	default:
		return rd_u64(r);
	}
}

static void
read_operands(struct rd *r, const char *letters, Dwarf_Op *op)
{
	Dwarf_Word *into = &op->number;

	for (; *letters; letters++, into = &op->number2) {
		bool is_signed = *letters == '+';

		letters += is_signed;
		if (*letters == 'U')
			*into = expr_uleb(r);
		else if (*letters == 'S')
			*into = (uint64_t)expr_sleb(r);
		else
			*into = read_fixed(r, *letters, is_signed);
	}
}

struct err *
expr_decode(struct span bytes, Dwarf_Op *ops, size_t max, size_t *n)
{
	struct rd r = rd_of(bytes.data, bytes.n);
	size_t k = 0;

	for (; rd_left(&r); k++) {
		Dwarf_Op op = { .offset = r.pos };

		op.atom = rd_u8(&r);
		const struct operator *o = &OPERATORS[op.atom];

		if (!o->run && !o->compute)
			return unknown(op.atom);
		if (k == max)
			return err_new(ERR_LIMIT, "an expression of more than "
				       "%zu operations", max);
		read_operands(&r, o->operands, &op);
		if (rd_failed(&r))
			return err_new(ERR_DAMAGED, "the last operation is cut "
				       "short");
		ops[k] = op;
	}
	*n = k;
	return NULL;
}
