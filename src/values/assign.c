/* SPDX-License-Identifier: Apache-2.0 */
/* Values that are written, over the target: into what a session lays on it. */
#include "inspect/overlay.h"
#include "values/ast.h"
#include "values/shown.h"

#include <string.h>

#define ASSIGN_MAX 65536u       /* bytes of a structure, or of an array */

static bool
is_number(const struct type *p)
{
	return type_is_integral(p) || type_is_float(p) || type_is_pointer(p);
}

/** The register of the innermost frame that is all of @v; NULL: none is. */
static const struct loc_piece *
register_of(const struct value *v)
{
	const struct loc_piece *p = v->place == PLACE_LOC ? v->loc->pieces
							  : NULL;

	if (!p || v->loc->n != 1 || p->bits || p->kind != LOC_REGISTER
	    || v->address || v->bits || !v->c || v->c->scope.frame
	    || v->c->tails)
		return NULL;
	return p;
}

bool
value_can_be_written(const struct value *v)
{
	const struct type *p = type_plain(v->type);
	bool reference = type_is_reference(p);

	if (v->place != PLACE_MEMORY && !register_of(v) && !reference)
		return false;
	if (reference)
		p = type_plain(type_target(p));
	return is_number(p) || type_is_class(p);
}

bool
value_is_in_register(const struct value *v)
{
	return register_of(v);
}

/* ---- what is written ---------------------------------------------------------- */
/** The same kind of bytes, of which @to has room for as many. */
static bool
is_alike(const struct value *to, const struct value *from)
{
	const struct type *t = type_plain(to->type);
	const struct type *f = type_plain(from->type);

	if (type_is_class(t))
		return t == f;
	if (type_kind(t) != SYM_TYPE_ARRAY || type_kind(f) != SYM_TYPE_ARRAY
	    || value_size(from) > value_size(to))
		return false;
	/* "char" of a literal is another type than the program's. */
	const struct type *into = type_plain(type_element(t));
	const struct type *of = type_plain(type_element(f));
	return into == of || (type_is_text(into) && type_is_text(of)
			      && type_size(into) == type_size(of));
}

static void
turn_around(uint8_t *bytes, size_t n)
{
	for (size_t k = 0; k < n / 2; k++) {
		uint8_t b = bytes[k];

		bytes[k] = bytes[n - 1 - k];
		bytes[n - 1 - k] = b;
	}
}

struct err *
value_bytes_for(const struct value *to, const struct value *from,
		struct arena *a, struct span *out)
{
	struct parser p = { .vs = to->vs, .arena = a };
	const struct type *t = type_plain(to->type);
	uint64_t n = value_size(to);

	struct err *err = value_plain(from, a, &from);
	if (err)
		return err;
	if (is_number(t)) {
		err = arith_cast(&p, from, to->type, &from);
	} else if (is_alike(to, from)) {
		n = value_size(from);
	} else {
		err = err_new(ERR_USAGE, "only numbers, pointers, and "
			      "structures of one type can be written");
	}
	if (!err && (n == 0 || n > ASSIGN_MAX))
		err = err_new(ERR_LIMIT, "at most %u bytes are written at "
			      "once", ASSIGN_MAX);
	if (err)
		return err;
	uint8_t *bytes = arena_alloc(a, n);
	if (!bytes)
		return err_nomem();
	err = value_read(from, 0, n, bytes);
	if (!err && is_number(t) && t->sym->flags & SYM_TYPE_BIG_ENDIAN)
		turn_around(bytes, n);
	*out = (struct span){ bytes, n };
	return err;
}

struct err *
value_converted(const struct value *to, const struct value *from,
		struct arena *a, const struct value **out)
{
	struct span bytes = { "", 0 };
	struct err *err = value_bytes_for(to, from, a, &bytes);

	return err ? err : value_of_bytes(to->vs, to->type, bytes.data,
					  bytes.n, a, out);
}

/* ---- where it goes -------------------------------------------------------------- */
static struct err *
write_bits(const struct value *to, struct span from,
	   struct value_written *out)
{
	uint64_t first = to->bit_at / 8, skip = to->bit_at % 8;
	size_t n = (skip + to->bits + 7) / 8;
	uint8_t bytes[24] = { 0 };

	if (n > sizeof(bytes) || (to->bits + 7u) / 8 > from.n)
		return err_new(ERR_UNSUPPORTED, "a bit-field of %u bits is not "
			       "written", to->bits);
	struct err *err = space_read(to->vs->space, to->address + first, n,
				     bytes);
	if (err)
		return err;
	for (unsigned k = 0; k < to->bits; k++) {
		const uint8_t *b = from.data;
		uint8_t bit = (uint8_t)(1u << (skip + k) % 8);

		bytes[(skip + k) / 8] &= (uint8_t)~bit;
		if (b[k / 8] >> k % 8 & 1)
			bytes[(skip + k) / 8] |= bit;
	}
	*out = (struct value_written){ to->address + first, n, false };
	return space_write(to->vs->space, out->addr, n, bytes);
}

struct err *
values_write_register(struct values *vs, size_t thread, size_t reg,
		      struct span bytes)
{
	uint8_t whole[REG_BYTES_MAX] = { 0 };
	size_t n;
	const struct reg *regs = insp_regs(vs->insp, &n);
	bool known = false;

	if (reg >= n || bytes.n > regs[reg].bits / 8u)
		return err_new(ERR_USAGE, "the register is not as large");
	/* What is behind a small one stays. */
	struct err *err = insp_reg_read(vs->insp, thread, reg, whole, &known);
	if (err)
		return err;
	memcpy(whole, bytes.data, bytes.n);
	return insp_reg_write(vs->insp, thread, reg, whole);
}

static struct err *
write_register(const struct value *to, uint64_t number, struct span from)
{
	size_t n;
	const struct reg *regs = insp_regs(to->vs->insp, &n);

	for (size_t k = 0; k < n; k++)
		if (regs[k].dwarf >= 0 && (uint64_t)regs[k].dwarf == number)
			return values_write_register(to->vs, to->c->thread, k,
						     from);
	return err_new(ERR_UNSUPPORTED, "the register that it is in is not "
		       "written");
}

struct err *
value_write(const struct value *to, const struct value *from, struct arena *a,
	    struct value_written *out)
{
	const struct loc_piece *reg;
	struct span bytes = { "", 0 };

	*out = (struct value_written){ 0 };
	struct err *err = value_plain(to, a, &to);
	if (err)
		return err;
	reg = register_of(to);
	if (to->place != PLACE_MEMORY && !reg)
		return err_new(ERR_USAGE, "it is in no place that can be "
			       "written: only what is in memory, or in a "
			       "register of the innermost frame");
	err = value_bytes_for(to, from, a, &bytes);
	if (err)
		return err;
	if (to->bits)
		return write_bits(to, bytes, out);
	*out = (struct value_written){ reg ? 0 : to->address, bytes.n, reg };
	return reg ? write_register(to, reg->value, bytes)
	       : space_write(to->vs->space, to->address, bytes.n, bytes.data);
}
