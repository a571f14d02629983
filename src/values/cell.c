/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed values of the DWARF stack machine: arithmetic on integers of 1 to 16
 * bytes, which wraps, and on floating point numbers.
 */
#include "values/loc.h"

#include <string.h>

#include "values/dw.h"

/* The generic type is as wide as an address; what counts with it as with a
 * signed number says so in its row. */
const struct cell_type CELL_GENERIC = { 0, CELL_UNSIGNED, 8 };

typedef unsigned __int128 wide;
typedef __int128 swide;

struct cell_op {
	wide (*integer)(wide a, wide b);     /* unsigned */
	wide (*is_signed)(swide a, swide b); /* where that differs */
	long double (*real)(long double a, long double b);
	bool (*compare)(long double a, long double b);
	bool generic_signed; /* so the generic type counts */
	bool divides, is_comparison, bits_only;
};

static wide
and_(wide a, wide b)
{
	return a & b;
}

static wide
or_(wide a, wide b)
{
	return a | b;
}

static wide
xor_(wide a, wide b)
{
	return a ^ b;
}

static wide
plus(wide a, wide b)
{
	return a + b;
}

static wide
minus(wide a, wide b)
{
	return a - b;
}

static wide
mul(wide a, wide b)
{
	return a * b;
}

static wide
div_(wide a, wide b)
{
	return a / b;
}

static wide
mod(wide a, wide b)
{
	return a % b;
}

static wide
shl(wide a, wide b)
{
	return b < 128 ? a << b : 0;
}

static wide
shr(wide a, wide b)
{
	return b < 128 ? a >> b : 0;
}

static wide
eq(wide a, wide b)
{
	return a == b;
}

static wide
ne(wide a, wide b)
{
	return a != b;
}

static wide
ge(wide a, wide b)
{
	return a >= b;
}

static wide
gt(wide a, wide b)
{
	return a > b;
}

static wide
le(wide a, wide b)
{
	return a <= b;
}

static wide
lt(wide a, wide b)
{
	return a < b;
}

/* The lowest number by -1 wraps. */
static wide
div_signed(swide a, swide b)
{
	return b == -1 ? 0 - (wide)a : (wide)(a / b);
}

static wide
mod_signed(swide a, swide b)
{
	return b == -1 ? 0 : (wide)(a % b);
}

static wide
shra(swide a, swide b)
{
	return (wide)(a >> (b < 0 || b > 127 ? 127 : b));
}

static wide
ge_signed(swide a, swide b)
{
	return a >= b;
}

static wide
gt_signed(swide a, swide b)
{
	return a > b;
}

static wide
le_signed(swide a, swide b)
{
	return a <= b;
}

static wide
lt_signed(swide a, swide b)
{
	return a < b;
}

static long double
plus_real(long double a, long double b)
{
	return a + b;
}

static long double
minus_real(long double a, long double b)
{
	return a - b;
}

static long double
mul_real(long double a, long double b)
{
	return a * b;
}

static long double
div_real(long double a, long double b)
{
	return a / b;
}

static bool
eq_real(long double a, long double b)
{
	return a == b;
}

static bool
ne_real(long double a, long double b)
{
	return a != b;
}

static bool
ge_real(long double a, long double b)
{
	return a >= b;
}

static bool
gt_real(long double a, long double b)
{
	return a > b;
}

static bool
le_real(long double a, long double b)
{
	return a <= b;
}

static bool
lt_real(long double a, long double b)
{
	return a < b;
}

/* clang-format off */
static const struct cell_op OPS[256] = {
	[OP_AND] = { .integer = and_, .bits_only = true },
	[OP_OR] = { .integer = or_, .bits_only = true },
	[OP_XOR] = { .integer = xor_, .bits_only = true },
	[OP_SHL] = { .integer = shl, .bits_only = true },
	[OP_SHR] = { .integer = shr, .bits_only = true },
	[OP_SHRA] = { .integer = shr, .is_signed = shra, .bits_only = true,
		      .generic_signed = true },
	[OP_PLUS] = { .integer = plus, .real = plus_real },
	[OP_MINUS] = { .integer = minus, .real = minus_real },
	[OP_MUL] = { .integer = mul, .real = mul_real },
	[OP_DIV] = { .integer = div_, .is_signed = div_signed,
		     .real = div_real, .divides = true,
		     .generic_signed = true },
	[OP_MOD] = { .integer = mod, .is_signed = mod_signed, .divides = true,
		     .bits_only = true },
	[OP_EQ] = { .integer = eq, .compare = eq_real, .is_comparison = true },
	[OP_NE] = { .integer = ne, .compare = ne_real, .is_comparison = true },
	[OP_GE] = { .integer = ge, .is_signed = ge_signed, .compare = ge_real,
		    .is_comparison = true, .generic_signed = true },
	[OP_GT] = { .integer = gt, .is_signed = gt_signed, .compare = gt_real,
		    .is_comparison = true, .generic_signed = true },
	[OP_LE] = { .integer = le, .is_signed = le_signed, .compare = le_real,
		    .is_comparison = true, .generic_signed = true },
	[OP_LT] = { .integer = lt, .is_signed = lt_signed, .compare = lt_real,
		    .is_comparison = true, .generic_signed = true },
};
/* clang-format on */

static wide
truncated(wide v, unsigned size)
{
	return size >= 16 ? v : v & (((wide)1 << 8 * size) - 1);
}

static swide
extended(wide v, unsigned size)
{
	unsigned up = 128 - 8 * size;

	return (swide)(v << up) >> up;
}

static long double
rounded(long double f, unsigned size)
{
	if (size == 4)
		return (float)f;
	return size == 8 ? (double)f : f;
}

struct cell
cell_generic(uint64_t v)
{
	return (struct cell){ .type = CELL_GENERIC, .u = v };
}

uint64_t
cell_u64(const struct cell *c)
{
	if (c->type.kind == CELL_FLOAT)
		return cell_u64(&(struct cell){
		    CELL_GENERIC, { cell_convert(c, CELL_GENERIC).u } });
	if (c->type.kind == CELL_SIGNED)
		return (uint64_t)extended(c->u, c->type.size);
	return (uint64_t)c->u;
}

bool
cell_is_true(const struct cell *c)
{
	return c->type.kind == CELL_FLOAT ? c->f != 0 : c->u != 0;
}

static struct err *
binary_real(const struct cell_op *o, const struct cell *a, const struct cell *b,
	    struct cell *out)
{
	if (o->bits_only)
		return err_new(ERR_DAMAGED, "a floating point number is "
					    "treated as bits");
	if (o->is_comparison)
		*out = cell_generic(o->compare(a->f, b->f));
	else
		*out = (struct cell){ a->type, .f = rounded(o->real(a->f, b->f),
							    a->type.size) };
	return NULL;
}

static wide
compute(const struct cell_op *o, const struct cell *a, const struct cell *b)
{
	bool counts_signed = a->type.kind == CELL_SIGNED ||
			     (a->type.ref == 0 && o->generic_signed);
	unsigned size = a->type.size;

	if (o->is_signed && counts_signed)
		return o->is_signed(extended(a->u, size),
				    extended(b->u, b->type.size));
	return o->integer(a->u, b->u);
}

/* Shifts may count in another type (2.5.1.4 says nothing of it). */
static bool
is_shift(uint8_t op)
{
	return op == OP_SHL || op == OP_SHR || op == OP_SHRA;
}

struct err *
cell_binary(uint8_t op, const struct cell *a, const struct cell *b,
	    struct cell *out)
{
	const struct cell_op *o = &OPS[op];

	if ((a->type.kind != b->type.kind || a->type.size != b->type.size) &&
	    !(is_shift(op) && b->type.kind != CELL_FLOAT))
		return err_new(ERR_DAMAGED,
			       "operator 0x%x has operands of "
			       "two types",
			       op);
	if (a->type.kind == CELL_FLOAT)
		return binary_real(o, a, b, out);
	if (o->divides && b->u == 0)
		return err_new(ERR_DAMAGED, "a value is divided by zero");
	wide v = compute(o, a, b);
	*out = o->is_comparison
		   ? cell_generic((uint64_t)v)
		   : (struct cell){ a->type, { truncated(v, a->type.size) } };
	return NULL;
}

struct err *
cell_unary(uint8_t op, const struct cell *a, struct cell *out)
{
	bool real = a->type.kind == CELL_FLOAT;
	bool negative = real
			    ? a->f < 0
			    : extended(a->u, a->type.size) < 0 &&
				  (a->type.kind == CELL_SIGNED || !a->type.ref);

	if (op == OP_NOT && real)
		return err_new(ERR_DAMAGED, "a floating point number is "
					    "treated as bits");
	struct cell v = *a;
	if (op == OP_NOT)
		v.u = truncated(~v.u, v.type.size);
	else if (real && (op == OP_NEG || negative))
		v.f = -v.f;
	else if (op == OP_NEG || negative)
		v.u = truncated(0 - v.u, v.type.size);
	*out = v;
	return NULL;
}

bool
cell_is_binary(uint8_t op)
{
	return OPS[op].integer != NULL;
}

bool
cell_is_unary(uint8_t op)
{
	return op == OP_NOT || op == OP_NEG || op == OP_ABS;
}

/* What does not fit is C's undefined conversion: such yields the bound. */
static wide
whole_of(long double f)
{
	if (!(__builtin_fabsl(f) < 0x1p127L))
		return f > 0 ? ~(wide)0 >> 1 : (wide)1 << 127;
	return (wide)(swide)f;
}

struct cell
cell_convert(const struct cell *c, struct cell_type to)
{
	struct cell v = { .type = to };
	bool from_real = c->type.kind == CELL_FLOAT;

	if (to.kind == CELL_FLOAT && from_real)
		v.f = rounded(c->f, to.size);
	else if (to.kind == CELL_FLOAT)
		v.f = rounded(c->type.kind == CELL_SIGNED
				  ? (long double)extended(c->u, c->type.size)
				  : (long double)c->u,
			      to.size);
	else if (from_real)
		v.u = truncated(whole_of(c->f), to.size);
	else if (c->type.kind == CELL_SIGNED)
		v.u = truncated((wide)extended(c->u, c->type.size), to.size);
	else
		v.u = truncated(c->u, to.size);
	return v;
}

static long double
real_of(const void *bytes, unsigned size)
{
	float f;
	double d;
	long double l = 0;

	if (size == 4)
		return memcpy(&f, bytes, 4), f;
	if (size == 8)
		return memcpy(&d, bytes, 8), d;
	memcpy(&l, bytes, size < sizeof(l) ? size : sizeof(l));
	return l;
}

struct cell
cell_load(struct cell_type t, const void *bytes)
{
	struct cell c = { .type = t };

	if (t.kind == CELL_FLOAT)
		c.f = real_of(bytes, t.size);
	else
		memcpy(&c.u, bytes, t.size);
	return c;
}

void
cell_store(const struct cell *c, uint8_t out[16])
{
	float f = (float)(c->type.kind == CELL_FLOAT ? c->f : 0);
	double d = (double)(c->type.kind == CELL_FLOAT ? c->f : 0);

	memset(out, 0, 16);
	if (c->type.kind != CELL_FLOAT)
		memcpy(out, &c->u, 16);
	else if (c->type.size == 4)
		memcpy(out, &f, 4);
	else if (c->type.size == 8)
		memcpy(out, &d, 8);
	else
		memcpy(out, &c->f, 10);
}

bool
cell_type_of(uint8_t encoding, uint64_t size, uint32_t ref,
	     struct cell_type *out)
{
	static const uint8_t kinds[] = {
		[ATE_FLOAT] = CELL_FLOAT,
		[ATE_SIGNED] = CELL_SIGNED,
		[ATE_SIGNED_CHAR] = CELL_SIGNED,
		[ATE_UTF] = CELL_UNSIGNED,
	};

	if (size == 0 || size > 16 || encoding == ATE_COMPLEX_FLOAT ||
	    (encoding == ATE_FLOAT && size != 4 && size != 8 && size < 10))
		return false;
	*out = (struct cell_type){ ref,
				   encoding < countof(kinds) ? kinds[encoding]
							     : CELL_UNSIGNED,
				   (uint8_t)size };
	return true;
}
