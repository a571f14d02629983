/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DWARF stack machine over typed values, with its location descriptions.
 */
#include "values/loc.h"

#include <string.h>

#include "values/dw.h"

struct machine {
	const struct loc_env *env;
	struct rd r;            /* the expression */
	struct arena *arena;    /* NULL: a number is asked for, no location */
	struct cell stack[LOC_STACK_MAX];
	size_t depth;
	struct loc_piece last;  /* the simple location that was begun */
	bool ended;             /* @last is one: only a piece may follow */
	struct vec pieces;      /* of struct loc_piece */
	uint8_t op;
};

/** How an operator is run: on so many entries, leaving so many. */
struct operator {
	struct err *(*run)(struct machine *m);
	uint8_t pops, pushes;
	bool any;               /* may follow what ends a location */
};

static struct cell
pop(struct machine *m)
{
	return m->stack[--m->depth];
}

static void
push(struct machine *m, struct cell c)
{
	m->stack[m->depth++] = c;
}

static struct err *
push_u64(struct machine *m, uint64_t v)
{
	push(m, cell_generic(v));
	return NULL;
}

/* ---- constants ----------------------------------------------------------- */
static struct err *
run_addr(struct machine *m)
{
	return push_u64(m, rd_u64(&m->r) + m->env->bias);
}

static uint64_t
fixed(struct rd *r, uint8_t op)
{
	switch (op) {
	case OP_CONST1U: return rd_u8(r);
	case OP_CONST1S: return (uint64_t)(int8_t)rd_u8(r);
	case OP_CONST2U: return rd_u16(r);
	case OP_CONST2S: return (uint64_t)(int16_t)rd_u16(r);
	case OP_CONST4U: return rd_u32(r);
	case OP_CONST4S: return (uint64_t)(int32_t)rd_u32(r);
	case OP_CONSTU: return leb_u(r);
	case OP_CONSTS: return (uint64_t)leb_s(r);
	default: return rd_u64(r);
	}
}

static struct err *
run_const(struct machine *m)
{
	return push_u64(m, fixed(&m->r, m->op));
}

static struct err *
run_lit(struct machine *m)
{
	return push_u64(m, m->op - OP_LIT0);
}

static struct err *
type_of(struct machine *m, uint64_t coded, struct cell_type *out)
{
	if (coded == 0) {
		*out = CELL_GENERIC;
		return NULL;
	}
	if (coded > UINT32_MAX || !m->env->ops->type)
		return err_new(ERR_DAMAGED, "a value has no such type");
	return m->env->ops->type(m->env->arg, (uint32_t)(coded - 1), out);
}

static struct err *
run_const_type(struct machine *m)
{
	struct cell_type t;
	struct err *err = type_of(m, leb_u(&m->r), &t);

	if (err)
		return err;
	uint8_t size = rd_u8(&m->r);
	const void *bytes = rd_bytes(&m->r, size);
	if (!bytes || size != t.size)
		return err_new(ERR_DAMAGED, "a constant has %u bytes and its "
			       "type %u", size, t.size);
	push(m, cell_load(t, bytes));
	return NULL;
}

/* ---- registers and frames ------------------------------------------------ */
static struct err *
reg_read(struct machine *m, uint64_t number, struct cell_type t,
	 struct cell *out)
{
	uint8_t bytes[16] = { 0 };
	struct err *err = m->env->ops->reg(m->env->arg, number, t.size, bytes);

	if (err)
		return err;
	*out = cell_load(t, bytes);
	return NULL;
}

static struct err *
push_reg(struct machine *m, uint64_t number, int64_t offset)
{
	struct cell c;
	struct err *err = reg_read(m, number, CELL_GENERIC, &c);

	return err ? err : push_u64(m, (uint64_t)c.u + (uint64_t)offset);
}

static struct err *
run_breg(struct machine *m)
{
	return push_reg(m, m->op - OP_BREG0, leb_s(&m->r));
}

static struct err *
run_bregx(struct machine *m)
{
	uint64_t number = leb_u(&m->r);

	return push_reg(m, number, leb_s(&m->r));
}

static struct err *
run_regval_type(struct machine *m)
{
	uint64_t number = leb_u(&m->r);
	struct cell_type t;
	struct cell c;
	struct err *err = type_of(m, leb_u(&m->r), &t);

	if (!err)
		err = reg_read(m, number, t, &c);
	if (err)
		return err;
	push(m, c);
	return NULL;
}

typedef struct err *ask_fn(void *arg, uint64_t *out);

/** Push what @ask tells, and @offset bytes further. */
static struct err *
push_asked(struct machine *m, ask_fn *ask, int64_t offset)
{
	uint64_t v;

	if (!ask)
		return err_new(ERR_DAMAGED, "the frame's address is used "
			       "where there is no frame");
	struct err *err = ask(m->env->arg, &v);
	return err ? err : push_u64(m, v + (uint64_t)offset);
}

static struct err *
run_fbreg(struct machine *m)
{
	return push_asked(m, m->env->ops->frame_base, leb_s(&m->r));
}

static struct err *
run_cfa(struct machine *m)
{
	return push_asked(m, m->env->ops->cfa, 0);
}

static struct err *
run_object_address(struct machine *m)
{
	if (!m->env->has_object)
		return err_new(ERR_DAMAGED, "an object's address is used "
			       "where there is no object");
	return push_u64(m, m->env->object);
}

static struct err *
run_tls(struct machine *m)
{
	uint64_t addr;
	struct cell offset = pop(m);

	if (!m->env->ops->tls)
		return err_new(ERR_DAMAGED, "thread-local storage is used "
			       "where there is no thread");
	struct err *err = m->env->ops->tls(m->env->arg, cell_u64(&offset),
					   &addr);
	return err ? err : push_u64(m, addr);
}

typedef struct err *cell_fn(void *arg, uint64_t nth, struct cell *out);

static struct err *
push_cell(struct machine *m, cell_fn *ask)
{
	uint64_t nth = leb_u(&m->r);
	struct cell c;

	if (!ask)
		return err_new(ERR_UNSUPPORTED, "operator 0x%x makes no sense "
			       "here", m->op);
	struct err *err = ask(m->env->arg, nth, &c);
	if (err)
		return err;
	push(m, c);
	return NULL;
}

static struct err *
run_parameter_ref(struct machine *m)
{
	return push_cell(m, m->env->ops->parameter);
}

static struct err *
run_variable_value(struct machine *m)
{
	return push_cell(m, m->env->ops->variable);
}

static struct err *
run_entry_value(struct machine *m)
{
	uint64_t n = leb_u(&m->r);
	struct cell c;
	const void *bytes = n <= rd_left(&m->r) ? rd_bytes(&m->r, n) : NULL;

	if (!bytes)
		return err_new(ERR_DAMAGED, "an entry value is cut short");
	if (!m->env->ops->entry)
		return err_new(ERR_NOTFOUND, "what it was when the function "
			       "was entered is not known");
	struct err *err = m->env->ops->entry(
		m->env->arg, (struct span){ bytes, n }, &c);
	if (err)
		return err;
	push(m, c);
	return NULL;
}

/* ---- memory -------------------------------------------------------------- */
static struct err *
deref(struct machine *m, size_t size, struct cell_type t)
{
	uint8_t bytes[16] = { 0 };
	struct cell at = pop(m);

	if (size == 0 || size > t.size)
		return err_new(ERR_DAMAGED, "%zu bytes are to be read as one "
			       "value", size);
	struct err *err = m->env->ops->read(m->env->arg, cell_u64(&at), size,
					    bytes);
	if (err)
		return err;
	push(m, cell_load(t, bytes));
	return NULL;
}

static struct err *
run_deref(struct machine *m)
{
	return deref(m, 8, CELL_GENERIC);
}

static struct err *
run_deref_size(struct machine *m)
{
	return deref(m, rd_u8(&m->r), CELL_GENERIC);
}

static struct err *
run_deref_type(struct machine *m)
{
	struct cell_type t;
	uint8_t size = rd_u8(&m->r);
	struct err *err = type_of(m, leb_u(&m->r), &t);

	return err ? err : deref(m, size, t);
}

/* ---- the stack ----------------------------------------------------------- */
static struct err *
run_dup(struct machine *m)
{
	push(m, m->stack[m->depth - 1]);
	return NULL;
}

static struct err *
run_drop(struct machine *m)
{
	m->depth--;
	return NULL;
}

static struct err *
pick(struct machine *m, size_t nth)
{
	if (nth >= m->depth)
		return err_new(ERR_DAMAGED, "entry %zu of a stack of %zu is "
			       "picked", nth, m->depth);
	push(m, m->stack[m->depth - 1 - nth]);
	return NULL;
}

static struct err *
run_over(struct machine *m)
{
	return pick(m, 1);
}

static struct err *
run_pick(struct machine *m)
{
	return pick(m, rd_u8(&m->r));
}

static struct err *
run_swap(struct machine *m)
{
	struct cell b = pop(m), a = pop(m);

	push(m, b);
	push(m, a);
	return NULL;
}

/* The top becomes the third, the two below move up. */
static struct err *
run_rot(struct machine *m)
{
	struct cell c = pop(m), b = pop(m), a = pop(m);

	push(m, c);
	push(m, a);
	push(m, b);
	return NULL;
}

static struct err *
run_nop(struct machine *m)
{
	(void)m;
	return NULL;
}

/* ---- arithmetic ---------------------------------------------------------- */
static struct err *
run_binary(struct machine *m)
{
	struct cell b = pop(m), a = pop(m), c;
	struct err *err = cell_binary(m->op, &a, &b, &c);

	if (err)
		return err;
	push(m, c);
	return NULL;
}

static struct err *
run_unary(struct machine *m)
{
	struct cell a = pop(m), c;
	struct err *err = cell_unary(m->op, &a, &c);

	if (err)
		return err;
	push(m, c);
	return NULL;
}

static struct err *
run_plus_uconst(struct machine *m)
{
	struct cell a = pop(m), c;
	struct cell b = cell_generic(leb_u(&m->r));

	b = cell_convert(&b, a.type);
	struct err *err = cell_binary(OP_PLUS, &a, &b, &c);
	if (err)
		return err;
	push(m, c);
	return NULL;
}

static struct err *
run_convert(struct machine *m)
{
	struct cell_type t;
	struct err *err = type_of(m, leb_u(&m->r), &t);

	if (err)
		return err;
	struct cell a = pop(m);
	push(m, cell_convert(&a, t));
	return NULL;
}

static struct err *
run_reinterpret(struct machine *m)
{
	struct cell_type t;
	uint8_t bytes[16];
	struct err *err = type_of(m, leb_u(&m->r), &t);

	if (err)
		return err;
	struct cell a = pop(m);
	if (a.type.size != t.size)
		return err_new(ERR_DAMAGED, "%u bytes are taken for a type of "
			       "%u", a.type.size, t.size);
	cell_store(&a, bytes);
	push(m, cell_load(t, bytes));
	return NULL;
}

/* ---- control ------------------------------------------------------------- */
static struct err *
branch(struct machine *m, int16_t distance)
{
	int64_t target = (int64_t)m->r.pos + distance;

	if (rd_failed(&m->r) || target < 0 || (uint64_t)target > m->r.len)
		return err_new(ERR_DAMAGED, "a branch leads out of the "
			       "expression");
	rd_seek(&m->r, (size_t)target);
	return NULL;
}

static struct err *
run_skip(struct machine *m)
{
	return branch(m, (int16_t)rd_u16(&m->r));
}

static struct err *
run_bra(struct machine *m)
{
	struct cell c = pop(m);
	int16_t distance = (int16_t)rd_u16(&m->r);

	return cell_is_true(&c) ? branch(m, distance) : NULL;
}

/* ---- what ends a location (2.6.1.1) -------------------------------------- */
static struct err *
end_with(struct machine *m, struct loc_piece last)
{
	if (!m->arena)
		return err_new(ERR_DAMAGED, "a place is told where a number "
			       "is asked for");
	m->last = last;
	m->ended = true;
	return NULL;
}

static struct err *
run_reg(struct machine *m)
{
	return end_with(m, (struct loc_piece){
		.kind = LOC_REGISTER, .value = m->op - OP_REG0 });
}

static struct err *
run_regx(struct machine *m)
{
	return end_with(m, (struct loc_piece){ .kind = LOC_REGISTER,
					       .value = leb_u(&m->r) });
}

static struct err *
run_stack_value(struct machine *m)
{
	struct cell c = pop(m);

	if (!m->arena) {
		push(m, c);
		return NULL;
	}
	return end_with(m, (struct loc_piece){ .kind = LOC_VALUE,
					       .cell = c });
}

static struct err *
run_implicit_value(struct machine *m)
{
	uint64_t n = leb_u(&m->r);
	const void *bytes = n <= rd_left(&m->r) ? rd_bytes(&m->r, n) : NULL;

	if (!bytes)
		return err_new(ERR_DAMAGED, "a value is cut short");
	return end_with(m, (struct loc_piece){ .kind = LOC_IMPLICIT,
					       .bytes = { bytes, n } });
}

static struct err *
run_implicit_pointer(struct machine *m)
{
	uint64_t variable = leb_u(&m->r);

	return end_with(m, (struct loc_piece){ .kind = LOC_POINTER,
					       .value = variable,
					       .offset = leb_s(&m->r) });
}

/** The simple location that stands there now. */
static struct loc_piece
location_now(struct machine *m)
{
	struct loc_piece p = m->last;

	if (!m->ended && m->depth) {
		struct cell c = pop(m);

		p = (struct loc_piece){ .kind = LOC_MEMORY,
					.value = cell_u64(&c) };
	}
	m->ended = false;
	m->last = (struct loc_piece){ 0 };
	return p;
}

static struct err *
add_piece(struct machine *m, uint64_t bits, uint64_t skip)
{
	struct loc_piece p = location_now(m);

	if (!m->arena || bits == 0 || skip > UINT32_MAX || rd_failed(&m->r))
		return err_new(ERR_DAMAGED, "there is an odd piece");
	m->pieces.max = LOC_PIECES_MAX;
	struct loc_piece *at = vec_add(&m->pieces, m->arena, sizeof(*at));
	if (!at)
		return err_new(ERR_LIMIT, "a value of more than %u pieces",
			       LOC_PIECES_MAX);
	p.bits = bits;
	p.skip = skip;
	*at = p;
	return NULL;
}

static struct err *
run_piece(struct machine *m)
{
	uint64_t bytes = leb_u(&m->r);

	if (bytes > UINT64_MAX / 8)
		return err_new(ERR_DAMAGED, "there is an odd piece");
	return add_piece(m, 8 * bytes, 0);
}

static struct err *
run_bit_piece(struct machine *m)
{
	uint64_t bits = leb_u(&m->r);

	return add_piece(m, bits, leb_u(&m->r));
}

/* ---- the table ----------------------------------------------------------- */
#define GNU_TOO(op, ...) \
	[OP_##op] = { __VA_ARGS__ }, [OP_GNU_##op] = { __VA_ARGS__ }
/* clang-format off */
static const struct operator OPERATORS[256] = {
	[OP_ADDR] = { run_addr, 0, 1 },
	[OP_DEREF] = { run_deref, 1, 1 },
	[OP_CONST1U ... OP_CONSTS] = { run_const, 0, 1 },
	[OP_DUP] = { run_dup, 1, 2 },
	[OP_DROP] = { run_drop, 1, 0 },
	[OP_OVER] = { run_over, 2, 3 },
	[OP_PICK] = { run_pick, 0, 1 },
	[OP_SWAP] = { run_swap, 2, 2 },
	[OP_ROT] = { run_rot, 3, 3 },
	[OP_ABS] = { run_unary, 1, 1 },
	[OP_AND ... OP_MUL] = { run_binary, 2, 1 },
	[OP_NEG ... OP_NOT] = { run_unary, 1, 1 },
	[OP_OR ... OP_PLUS] = { run_binary, 2, 1 },
	[OP_PLUS_UCONST] = { run_plus_uconst, 1, 1 },
	[OP_SHL ... OP_XOR] = { run_binary, 2, 1 },
	[OP_BRA] = { run_bra, 1, 0 },
	[OP_EQ ... OP_NE] = { run_binary, 2, 1 },
	[OP_SKIP] = { run_skip, 0, 0 },
	[OP_LIT0 ... OP_LIT31] = { run_lit, 0, 1 },
	[OP_REG0 ... OP_REG31] = { run_reg, 0, 0 },
	[OP_BREG0 ... OP_BREG31] = { run_breg, 0, 1 },
	[OP_REGX] = { run_regx, 0, 0 },
	[OP_FBREG] = { run_fbreg, 0, 1 },
	[OP_BREGX] = { run_bregx, 0, 1 },
	[OP_PIECE] = { run_piece, 0, 0, true },
	[OP_DEREF_SIZE] = { run_deref_size, 1, 1 },
	[OP_NOP] = { run_nop, 0, 0, true },
	[OP_PUSH_OBJECT_ADDRESS] = { run_object_address, 0, 1 },
	[OP_FORM_TLS_ADDRESS] = { run_tls, 1, 1 },
	[OP_GNU_PUSH_TLS] = { run_tls, 1, 1 },
	[OP_CALL_FRAME_CFA] = { run_cfa, 0, 1 },
	[OP_BIT_PIECE] = { run_bit_piece, 0, 0, true },
	[OP_IMPLICIT_VALUE] = { run_implicit_value, 0, 0 },
	[OP_STACK_VALUE] = { run_stack_value, 1, 1 },
	GNU_TOO(IMPLICIT_POINTER, run_implicit_pointer, 0, 0),
	GNU_TOO(ENTRY_VALUE, run_entry_value, 0, 1),
	GNU_TOO(CONST_TYPE, run_const_type, 0, 1),
	GNU_TOO(REGVAL_TYPE, run_regval_type, 0, 1),
	GNU_TOO(DEREF_TYPE, run_deref_type, 1, 1),
	GNU_TOO(CONVERT, run_convert, 1, 1),
	GNU_TOO(REINTERPRET, run_reinterpret, 1, 1),
	[OP_GNU_UNINIT] = { run_nop, 0, 0, true },
	[OP_GNU_PARAMETER_REF] = { run_parameter_ref, 0, 1 },
	[OP_GNU_VARIABLE_VALUE] = { run_variable_value, 0, 1 },
};
/* clang-format on */

static struct err *
step(struct machine *m)
{
	m->op = rd_u8(&m->r);
	const struct operator *o = &OPERATORS[m->op];

	if (!o->run)
		return err_new(ERR_UNSUPPORTED, "operator 0x%x of its place "
			       "is not known", m->op);
	if (m->ended && !o->any)
		return err_new(ERR_DAMAGED, "operations follow the final one");
	if (m->depth < o->pops)
		return err_new(ERR_DAMAGED, "operator 0x%x wants %u values, "
			       "the stack has %zu", m->op, o->pops, m->depth);
	if (m->depth - o->pops + o->pushes > LOC_STACK_MAX)
		return err_new(ERR_LIMIT, "more than %d values on the stack",
			       LOC_STACK_MAX);
	struct err *err = o->run(m);
	if (!err && rd_failed(&m->r))
		err = err_new(ERR_DAMAGED, "the last operation is cut short");
	return err;
}

static struct err *
run_all(struct machine *m)
{
	if (m->env->has_start)
		push(m, cell_generic(m->env->start));
	for (unsigned steps = 0; rd_left(&m->r); steps++) {
		if (steps == LOC_STEPS_MAX)
			return err_new(ERR_LIMIT, "the expression does not "
				       "end within %u steps", LOC_STEPS_MAX);
		struct err *err = step(m);
		if (err)
			return err;
	}
	return NULL;
}

struct err *
loc_eval(const struct loc_env *env, struct span expr, struct arena *a,
	 struct loc *out)
{
	struct machine m = { .env = env, .r = rd_of(expr.data, expr.n),
			     .arena = a };
	struct err *err = run_all(&m);

	if (err)
		return err;
	if (!m.pieces.n) {
		struct loc_piece *whole = vec_add(&m.pieces, a,
						  sizeof(*whole));
		if (!whole)
			return err_nomem();
		*whole = location_now(&m);
	} else if (m.ended) {
		return err_new(ERR_DAMAGED, "a place stands behind the last "
			       "piece");
	}
	*out = (struct loc){ m.pieces.data, m.pieces.n };
	return NULL;
}

struct err *
loc_number(const struct loc_env *env, struct span expr, struct cell *out)
{
	struct machine m = { .env = env, .r = rd_of(expr.data, expr.n) };
	struct err *err = run_all(&m);

	if (err)
		return err;
	if (!m.depth)
		return err_new(ERR_DAMAGED, "the expression has no result");
	*out = m.stack[m.depth - 1];
	return NULL;
}
