/* SPDX-License-Identifier: Apache-2.0 */
/* Operators of C on values: promotions, pointers, casts. */
#include "values/ast.h"

#include <string.h>

/* ---- numbers as the stack machine has them -------------------------------- */
static struct err *
cell_of(const struct value *v, struct cell *out)
{
	const struct type *p = type_plain(v->type);
	unsigned __int128 wide;
	struct cell_type t;
	uint64_t size = type_size(p);
	uint8_t encoding = type_is_float(p) ? ATE_FLOAT
			   : type_is_signed(p) ? ATE_SIGNED : ATE_UNSIGNED;

	if (!type_is_float(p) && !type_is_integral(p) && !type_is_pointer(p)
	    && type_kind(p) != SYM_TYPE_UNSPECIFIED)
		return err_new(ERR_USAGE, "it is not a number");
	if (!cell_type_of(encoding, size, 1, &t))
		return err_new(ERR_UNSUPPORTED, "a number of %llu bytes is "
			       "not counted with", (unsigned long long)size);
	struct err *err = value_wide(v, &wide);
	if (err)
		return err;
	*out = cell_load(t, &wide);
	return NULL;
}

static struct err *
value_of_cell(struct parser *p, const struct cell *c, const struct type *t,
	      const struct value **out)
{
	uint8_t bytes[16];

	if (!t)
		return err_nomem();
	cell_store(c, bytes);
	uint64_t size = type_size(t);
	return value_of_bytes(p->vs, t, bytes, size <= 16 ? size : 16,
			      p->arena, out);
}

const struct type *
arith_int(struct values *vs, bool is_unsigned, bool is_long)
{
	static const char *const names[2][2] = {
		{ "int", "long" }, { "unsigned int", "unsigned long" },
	};

	return type_basic(vs, names[is_unsigned][is_long],
			  is_unsigned ? ATE_UNSIGNED : ATE_SIGNED,
			  is_long ? 8 : 4);
}

static const struct type *
wide_type(struct values *vs, bool is_unsigned)
{
	return type_basic(vs, is_unsigned ? "unsigned __int128" : "__int128",
			  is_unsigned ? ATE_UNSIGNED : ATE_SIGNED, 16);
}

static const struct type *
real_type(struct values *vs, unsigned size)
{
	if (size <= 4)
		return type_basic(vs, "float", ATE_FLOAT, 4);
	if (size <= 8)
		return type_basic(vs, "double", ATE_FLOAT, 8);
	return type_basic(vs, "long double", ATE_FLOAT, 16);
}

/** The type that two numbers are counted in (C17, 6.3.1.8). */
static const struct type *
common_type(struct values *vs, const struct cell *a, const struct cell *b)
{
	unsigned size = a->type.size > b->type.size ? a->type.size
			: b->type.size;

	if (a->type.kind == CELL_FLOAT || b->type.kind == CELL_FLOAT) {
		unsigned x = a->type.kind == CELL_FLOAT ? a->type.size : 0;
		unsigned y = b->type.kind == CELL_FLOAT ? b->type.size : 0;

		return real_type(vs, x > y ? x : y);
	}
	bool is_unsigned = size >= 4
		&& ((a->type.size == size && a->type.kind == CELL_UNSIGNED)
		    || (b->type.size == size
			&& b->type.kind == CELL_UNSIGNED));
	if (size > 8)
		return wide_type(vs, is_unsigned);
	return arith_int(vs, is_unsigned, size > 4);
}

static struct cell
in_type(const struct cell *c, const struct type *t)
{
	const struct type *p = type_plain(t);
	struct cell_type to = CELL_GENERIC;

	cell_type_of(type_is_float(p) ? ATE_FLOAT : type_is_signed(p) ?
		     ATE_SIGNED : ATE_UNSIGNED, type_size(p), 1, &to);
	return cell_convert(c, to);
}

/* ---- truth ---------------------------------------------------------------- */
struct err *
arith_bool(struct parser *p, bool v, const struct value **out)
{
	const struct type *t = names_is_cxx(p) ?
		type_basic(p->vs, "bool", ATE_BOOLEAN, 1) :
		arith_int(p->vs, false, false);

	return t ? value_of_u64(p->vs, t, v, p->arena, out) : err_nomem();
}

struct err *
arith_truth(struct parser *p, const struct value *v, bool *out)
{
	struct cell c;
	struct err *err = arith_decay(p, v, &v);

	if (!err)
		err = cell_of(v, &c);
	if (!err)
		*out = cell_is_true(&c);
	return err;
}

struct err *
arith_i64(struct parser *p, const struct value *v, int64_t *out)
{
	struct cell c = cell_generic(0);
	struct err *err = value_plain(v, p->arena, &v);

	if (!err)
		err = cell_of(v, &c);
	if (!err && c.type.kind == CELL_FLOAT)
		err = err_new(ERR_USAGE, "a whole number is wanted");
	if (!err)
		*out = (int64_t)cell_u64(&c);
	return err;
}

/* ---- pointers ------------------------------------------------------------- */
struct err *
arith_decay(struct parser *p, const struct value *v, const struct value **out)
{
	struct err *err = value_plain(v, p->arena, &v);

	if (err)
		return err;
	const struct type *t = type_plain(v->type);
	uint64_t addr;
	bool array = type_kind(t) == SYM_TYPE_ARRAY
		     && !(t->sym->flags & SYM_TYPE_VECTOR);
	if ((array || type_kind(t) == SYM_TYPE_FUNCTION)
	    && value_address(v, &addr)) {
		const struct type *pointer = type_pointer_to(
			p->vs, array ? type_element(t) : t);

		return pointer ? value_of_u64(p->vs, pointer, addr, p->arena,
					      out) : err_nomem();
	}
	*out = v;
	return NULL;
}

/* gdb counts in bytes where the target has no size. */
static uint64_t
step_of(const struct type *pointer)
{
	uint64_t size = type_size(type_target(pointer));

	return size ? size : 1;
}

static struct err *
pointer_plus(struct parser *p, const struct value *pointer,
	     const struct value *number, bool minus, const struct value **out)
{
	const struct type *t = type_plain(pointer->type);
	int64_t n;
	uint64_t addr;
	struct err *err = arith_i64(p, number, &n);

	if (!err)
		err = value_u64(pointer, &addr);
	if (err)
		return err;
	uint64_t by = (uint64_t)n * step_of(t);
	return value_of_u64(p->vs, pointer->type, minus ? addr - by
			    : addr + by, p->arena, out);
}

static struct err *
pointer_minus(struct parser *p, const struct value *a, const struct value *b,
	      const struct value **out)
{
	const struct type *t = type_plain(a->type);
	const struct type *result = arith_int(p->vs, false, true);
	uint64_t x, y;
	struct err *err = value_u64(a, &x);

	if (!err)
		err = value_u64(b, &y);
	if (err)
		return err;
	if (step_of(t) != step_of(type_plain(b->type)))
		return err_new(ERR_USAGE, "the pointers lead to things of "
			       "different sizes");
	/* A step may be all that there are bytes for. */
	int64_t distance = (int64_t)((__int128)(int64_t)(x - y) / step_of(t));
	return result ? value_of_u64(p->vs, result, (uint64_t)distance,
				     p->arena, out) : err_nomem();
}

/** Does it concern pointers? Then *@err is what came of it. */
static bool
on_pointers(struct parser *p, uint16_t op, const struct value *a,
	    const struct value *b, const struct value **out, struct err **err)
{
	bool x = type_is_pointer(type_plain(a->type));
	bool y = type_is_pointer(type_plain(b->type));

	if (op == '-' && x && y)
		*err = pointer_minus(p, a, b, out);
	else if ((op == '+' || op == '-') && x && !y)
		*err = pointer_plus(p, a, b, op == '-', out);
	else if (op == '+' && y && !x)
		*err = pointer_plus(p, b, a, false, out);
	else
		return false;
	return true;
}

/* ---- two operands --------------------------------------------------------- */
static const struct op_row {
	uint16_t token;
	uint8_t op;             /* of the stack machine */
	enum op_kind { COUNTS, WHOLE, COMPARES } kind;
} OPS[] = {
	{ '+', OP_PLUS, COUNTS }, { '-', OP_MINUS, COUNTS },
	{ '*', OP_MUL, COUNTS }, { '/', OP_DIV, COUNTS },
	{ '%', OP_MOD, WHOLE }, { '&', OP_AND, WHOLE },
	{ '|', OP_OR, WHOLE }, { '^', OP_XOR, WHOLE },
	{ OP_TOKEN_SHL, OP_SHL, WHOLE }, { OP_TOKEN_SHR, OP_SHR, WHOLE },
	{ '<', OP_LT, COMPARES }, { '>', OP_GT, COMPARES },
	{ OP_TOKEN_LE, OP_LE, COMPARES }, { OP_TOKEN_GE, OP_GE, COMPARES },
	{ OP_TOKEN_EQ, OP_EQ, COMPARES }, { OP_TOKEN_NE, OP_NE, COMPARES },
};

static const struct op_row *
row_of(uint16_t op)
{
	for (size_t n = 0; n < countof(OPS); n++)
		if (OPS[n].token == op)
			return &OPS[n];
	return NULL;
}

static struct err *
compute(struct parser *p, const struct op_row *row, const struct cell *a,
	const struct cell *b, const struct value **out)
{
	const struct type *t = common_type(p->vs, a, b);
	struct cell result;
	uint8_t op = row->op;

	if (!t)
		return err_nomem();
	struct cell x = in_type(a, t), y = in_type(b, t);
	if (row->kind == WHOLE && x.type.kind == CELL_FLOAT)
		return err_new(ERR_USAGE, "whole numbers are wanted");
	if ((op == OP_DIV || op == OP_MOD) && y.type.kind != CELL_FLOAT
	    && !cell_is_true(&y))
		return err_new(ERR_USAGE, "Division by zero");
	if (op == OP_SHR && x.type.kind == CELL_SIGNED)
		op = OP_SHRA;
	struct err *err = cell_binary(op, &x, &y, &result);
	if (err)
		return err;
	return row->kind == COMPARES ? arith_bool(p, cell_is_true(&result), out)
	       : value_of_cell(p, &result, t, out);
}

struct err *
arith_binary(struct parser *p, uint16_t op, const struct value *a,
	     const struct value *b, const struct value **out)
{
	const struct op_row *row = row_of(op);
	struct cell x, y;
	struct err *err = arith_decay(p, a, &a);

	if (!err)
		err = arith_decay(p, b, &b);
	if (err)
		return err;
	if (on_pointers(p, op, a, b, out, &err))
		return err;
	err = cell_of(a, &x);
	if (!err)
		err = cell_of(b, &y);
	return err ? err : compute(p, row, &x, &y, out);
}

/* ---- one operand ---------------------------------------------------------- */
static struct err *
address_of(struct parser *p, const struct value *v, const struct value **out)
{
	struct err *err = value_plain(v, p->arena, &v);
	uint64_t addr;

	if (err)
		return err;
	if (!value_address(v, &addr))
		return err_new(ERR_USAGE, v->bits ? "a bit-field has no "
			       "address" : "it is not in memory, so it has no "
			       "address");
	const struct type *t = type_pointer_to(p->vs, v->type);
	return t ? value_of_u64(p->vs, t, addr, p->arena, out)
	       : types_spent(p->vs);
}

static struct err *
dereference(struct parser *p, const struct value *v, const struct value **out)
{
	struct err *err = arith_decay(p, v, &v);
	const struct type *t = err ? NULL : type_plain(v->type);
	uint64_t addr;

	if (err)
		return err;
	if (type_is_pointer(t)) {
		if (!type_target(t))
			return err_new(ERR_USAGE, "a void pointer leads to "
				       "nothing that has a value");
		return value_target(v, 0, p->arena, out);
	}
	if (!type_is_integral(t))
		return err_new(ERR_USAGE, "only a pointer leads anywhere");
	err = value_u64(v, &addr);
	const struct type *as = arith_int(p->vs, false, true);
	if (err)
		return err;
	return as ? value_in_memory(p->vs, as, addr, p->c, p->arena, out)
	       : err_nomem();
}

static struct err *
sign(struct parser *p, uint16_t op, const struct value *v,
     const struct value **out)
{
	struct cell c, zero = cell_generic(0);
	struct err *err = arith_decay(p, v, &v);

	if (!err)
		err = cell_of(v, &c);
	if (err)
		return err;
	zero.type = (struct cell_type){ 1, CELL_SIGNED, 1 };
	const struct type *t = common_type(p->vs, &c, &zero);
	if (!t)
		return err_nomem();
	c = in_type(&c, t);
	if (op != '+')
		err = cell_unary(op == '-' ? OP_NEG : OP_NOT, &c, &c);
	return err ? err : value_of_cell(p, &c, t, out);
}

struct err *
arith_unary(struct parser *p, uint16_t op, const struct value *a,
	    const struct value **out)
{
	bool truth;
	struct err *err;

	switch (op) {
	case '*':
		return dereference(p, a, out);
	case '&':
		return address_of(p, a, out);
	case '!':
		err = arith_truth(p, a, &truth);
		return err ? err : arith_bool(p, !truth, out);
	default:
		return sign(p, op, a, out);
	}
}

/* ---- casts ---------------------------------------------------------------- */
static bool
is_scalar(const struct type *p)
{
	return type_is_integral(p) || type_is_float(p) || type_is_pointer(p);
}

/** Bytes from the start of class @p to its base @base; virtual ones have no
 * fixed place. */
static bool
base_offset(const struct type *p, const struct type *base, unsigned depth,
	    uint64_t *out)
{
	if (p == base) {
		*out = 0;
		return true;
	}
	for (size_t n = 0; type_is_class(p) && n < p->sym->n_members
	     && depth < MEMBER_DEPTH_MAX; n++) {
		const struct sym_member *m = &p->sym->members[n];
		uint64_t below;

		if (m->flags & SYM_MEMBER_BASE
		    && !(m->flags & SYM_MEMBER_VIRTUAL)
		    && base_offset(type_plain(type_beside(p, m->type)), base,
				   depth + 1, &below)) {
			*out = below + m->offset / 8;
			return true;
		}
	}
	return false;
}

/* From a class to its base and back the address moves. */
static uint64_t
moved(const struct value *v, const struct type *to, uint64_t addr)
{
	const struct type *from = type_plain(type_target(type_plain(v->type)));
	const struct type *into = type_plain(type_target(to));
	uint64_t by;

	if (!type_is_class(from) || !type_is_class(into) || !addr)
		return addr;
	if (base_offset(from, into, 0, &by))
		return addr + by;
	return base_offset(into, from, 0, &by) ? addr - by : addr;
}

static struct err *
cast_scalar(struct parser *p, const struct value *v, const struct type *to,
	    const struct value **out)
{
	const struct type *plain = type_plain(to);
	struct cell c;
	struct err *err = cell_of(v, &c);

	if (err)
		return err;
	if (type_is_pointer(plain) && type_is_pointer(type_plain(v->type)))
		return value_of_u64(p->vs, to, moved(v, plain, cell_u64(&c)),
				    p->arena, out);
	if (type_kind(plain) == SYM_TYPE_BASE
	    && plain->sym->encoding == ATE_BOOLEAN)
		return value_of_u64(p->vs, to, cell_is_true(&c), p->arena,
				    out);
	c = in_type(&c, plain);
	return value_of_cell(p, &c, to, out);
}

struct err *
arith_cast(struct parser *p, const struct value *v, const struct type *to,
	   const struct value **out)
{
	const struct type *plain = type_plain(to);
	uint64_t addr;

	if (!to) {
		*out = value_alloc(p->vs, NULL, p->arena);
		return *out ? NULL : err_nomem();
	}
	struct err *err = value_plain(v, p->arena, &v);
	if (err)
		return err;
	if (is_scalar(plain)) {
		err = arith_decay(p, v, &v);
		return err ? err : cast_scalar(p, v, to, out);
	}
	/* Another look at the same bytes, which have to be as many. */
	if (value_address(v, &addr)
	    && type_size(to) <= type_size(v->type))
		return value_as(v, to, p->arena, out);
	return err_new(ERR_USAGE, "it cannot be cast to that type");
}
