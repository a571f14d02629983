/* SPDX-License-Identifier: Apache-2.0 */
/* Values: a type over bytes that are somewhere, read when they are asked for. */
#include "values/impl.h"

#include <string.h>

enum value_state
state_of(const struct err *err)
{
	static const uint8_t states[ERR_KINDS] = {
		[ERR_NOTFOUND] = VALUE_OPTIMISED_OUT,
		[ERR_UNMAPPED] = VALUE_UNMAPPED,
		[ERR_ABSENT] = VALUE_NOT_CAPTURED,
	};

	if (!err)
		return VALUE_KNOWN;
	return states[err_kind(err)] ? states[err_kind(err)] : VALUE_UNKNOWN;
}

/* ---- making --------------------------------------------------------------- */
struct value *
value_alloc(struct values *vs, const struct type *t, struct arena *a)
{
	struct value *v = arena_alloc(a, sizeof(*v));

	if (v)
		*v = (struct value){ .vs = vs, .type = t, .arena = a };
	return v;
}

static struct err *
finished(struct value *v, const struct value **out)
{
	if (!v)
		return err_nomem();
	struct err *err = value_settle(v);
	if (!err)
		*out = v;
	return err;
}

struct err *
value_in_memory(struct values *vs, const struct type *t, uint64_t addr,
		const struct context *c, struct arena *a,
		const struct value **out)
{
	struct value *v = value_alloc(vs, t, a);

	if (v) {
		v->place = PLACE_MEMORY;
		v->address = addr;
		v->c = c;
	}
	return finished(v, out);
}

struct err *
values_at(struct values *vs, const struct type *t, uint64_t addr,
	  struct arena *a, const struct value **out)
{
	return value_in_memory(vs, t, addr, NULL, a, out);
}

struct err *
value_of_bytes(struct values *vs, const struct type *t, const void *bytes,
	       size_t n, struct arena *a, const struct value **out)
{
	struct value *v = value_alloc(vs, t, a);
	uint8_t *copy = n ? arena_dup(a, bytes, n) : arena_alloc(a, 1);

	if (!v || !copy)
		return err_nomem();
	v->place = PLACE_BYTES;
	v->bytes = copy;
	v->n_bytes = n;
	*out = v;
	return NULL;
}

struct err *
value_of_u64(struct values *vs, const struct type *t, uint64_t number,
	     struct arena *a, const struct value **out)
{
	uint8_t bytes[16] = { 0 };
	uint64_t size = type_size(t);

	memcpy(bytes, &number, 8);
	if (type_is_signed(type_plain(t)) && (int64_t)number < 0)
		memset(bytes + 8, 0xff, 8);
	return value_of_bytes(vs, t, bytes, size && size <= 16 ? size : 8, a,
			      out);
}

struct err *
value_nowhere(struct values *vs, const struct type *t, struct err *err,
	      struct arena *a, const struct value **out)
{
	_err_ struct err *why = err;
	struct value *v = value_alloc(vs, t, a);

	if (v)
		v->why = arena_strdup(a, err_text(why));
	if (!v || !v->why || err_kind(why) == ERR_NOMEM)
		return err_nomem();
	v->place = PLACE_NOWHERE;
	v->state = (uint8_t)state_of(why);
	*out = v;
	return NULL;
}

struct err *
value_of_loc(struct values *vs, const struct type *t, const struct loc *loc,
	     const struct context *c, struct arena *a,
	     const struct value **out)
{
	const struct loc_piece *p = loc->pieces;
	bool whole = loc->n == 1 && p->bits == 0;

	if (whole && p->kind == LOC_MEMORY)
		return value_in_memory(vs, t, p->value, c, a, out);
	if (whole && p->kind == LOC_NOWHERE)
		return value_nowhere(vs, t, err_new(
			ERR_NOTFOUND, "it has no place at this pc"), a, out);
	struct value *v = value_alloc(vs, t, a);
	struct loc *copy = arena_dup(a, loc, sizeof(*loc));
	if (!v || !copy)
		return err_nomem();
	v->place = PLACE_LOC;
	v->loc = copy;
	v->c = c;
	return finished(v, out);
}

/* ---- reading pieces ------------------------------------------------------- */
/* Of a long double the ten bytes that count may be all there is. */
/* Of a long double's 16 bytes compilers tell the 10 that it uses. */
static struct err *
implicit_read(struct span from, uint64_t off, size_t n, uint8_t *out)
{
	if (!from.data)
		return err_new(ERR_DAMAGED, "a constant without bytes");
	if (off == 0 && from.n >= 10 && n > from.n && n <= 16) {
		memset(out, 0, n);
		memcpy(out, from.data, from.n);
		return NULL;
	}
	if (off > from.n || n > from.n - off)
		return err_new(ERR_DAMAGED, "a constant is not as large");
	memcpy(out, (const uint8_t *)from.data + off, n);
	return NULL;
}

/** [off, off+n) of the bytes that one piece stands for. */
static struct err *
piece_read(const struct value *v, const struct loc_piece *p, uint64_t off,
	   size_t n, uint8_t *out)
{
	uint8_t bytes[REG_BYTES_MAX] = { 0 };
	struct err *err = NULL;

	switch (p->kind) {
	case LOC_MEMORY:
		return space_read(v->vs->space, p->value + off, n, out);
	case LOC_REGISTER:
		if (off > sizeof(bytes) || n > sizeof(bytes) - off || !v->c)
			return err_new(ERR_DAMAGED, "no register is as large");
		err = frame_reg(v->c, p->value, off + n, bytes);
		break;
	case LOC_VALUE:
		if (off > 16 || n > 16 - off)
			return err_new(ERR_DAMAGED, "a computed value is not "
				       "as large");
		cell_store(&p->cell, bytes);
		break;
	case LOC_IMPLICIT:
		return implicit_read(p->bytes, off, n, out);
	case LOC_POINTER:
		return err_new(ERR_NOTFOUND, "it points to a variable that "
			       "has no address");
	default:
		return err_new(ERR_NOTFOUND, "the compiler kept no such part "
			       "of it");
	}
	if (!err)
		memcpy(out, bytes + off, n);
	return err;
}

static bool
bit_of(const uint8_t *bytes, uint64_t bit)
{
	return bytes[bit / 8] >> bit % 8 & 1;
}

/** @n bits of a piece from @from on, to bit @to of @out. */
static struct err *
piece_bits(const struct value *v, const struct loc_piece *p, uint64_t from,
	   uint64_t n, uint8_t *out, uint64_t to)
{
	uint64_t first = (from + p->skip) / 8;
	uint64_t last = (from + p->skip + n - 1) / 8;
	_free_ uint8_t *bytes = NULL;
	_buf_ struct buf b = { 0 };

	char *space = buf_extend(&b, last - first + 1);
	if (!space)
		return err_nomem();
	struct err *err = piece_read(v, p, first, last - first + 1,
				     (uint8_t *)space);
	if (err)
		return err;
	for (uint64_t k = 0; k < n; k++) {
		uint64_t at = from + p->skip + k - 8 * first;

		if (bit_of((const uint8_t *)space, at))
			out[(to + k) / 8] |= (uint8_t)(1u << (to + k) % 8);
	}
	return NULL;
}

#define PIECES_READ_MAX 65536u

/** Bits [from, end) of the object, into @out, which is zero. */
static struct err *
loc_bits(const struct value *v, uint64_t from, uint64_t end, uint8_t *out)
{
	const struct loc *l = v->loc;
	uint64_t at = 0;

	for (size_t k = 0; k < l->n && at < end; k++) {
		const struct loc_piece *p = &l->pieces[k];
		uint64_t stop = !p->bits || at + p->bits < at ? UINT64_MAX
				: at + p->bits;

		if (stop > from) {
			uint64_t low = from > at ? from : at;
			uint64_t high = stop < end ? stop : end;
			struct err *err = piece_bits(v, p, low - at,
						     high - low, out,
						     low - from);
			if (err)
				return err;
		}
		at = stop;
	}
	return at < end ? err_new(ERR_NOTFOUND, "the compiler kept no such "
				  "part of it") : NULL;
}

static struct err *
loc_read(const struct value *v, uint64_t off, size_t n, void *out)
{
	const struct loc *l = v->loc;
	_buf_ struct buf b = { 0 };

	if (l->n == 1 && !l->pieces[0].bits)
		return piece_read(v, &l->pieces[0], off, n, out);
	if (n > PIECES_READ_MAX || off > PIECES_READ_MAX)
		return err_new(ERR_LIMIT, "a value in pieces is too large");
	buf_zero(&b, n);
	if (b.failed)
		return err_nomem();
	struct err *err = loc_bits(v, 8 * off, 8 * (off + n),
				   (uint8_t *)b.data);
	if (!err)
		memcpy(out, b.data, n);
	return err;
}

static struct err *
nowhere_read(const struct value *v)
{
	static const uint8_t kinds[] = {
		[VALUE_KNOWN] = ERR_FAILED,
		[VALUE_OPTIMISED_OUT] = ERR_NOTFOUND,
		[VALUE_UNMAPPED] = ERR_UNMAPPED,
		[VALUE_NOT_CAPTURED] = ERR_ABSENT,
		[VALUE_UNKNOWN] = ERR_FAILED,
	};

	return err_new(kinds[v->state], "%s", v->why);
}

static struct err *
storage_read(const struct value *v, uint64_t off, size_t n, void *out)
{
	bool copied = v->bytes && off <= v->n_bytes && n <= v->n_bytes - off;

	if (copied) {
		memcpy(out, v->bytes + off, n);
		return NULL;
	}
	switch (v->place) {
	case PLACE_MEMORY:
		return space_read(v->vs->space, v->address + off, n, out);
	case PLACE_LOC:
		return loc_read(v, v->address + off, n, out);
	case PLACE_BYTES:
		return implicit_read((struct span){ v->bytes, v->n_bytes }, off,
				     n, out);
	default:
		return nowhere_read(v);
	}
}

/* ---- numbers -------------------------------------------------------------- */
static unsigned __int128
extend(unsigned __int128 v, unsigned bits, bool is_signed)
{
	unsigned up = 128 - bits;

	if (bits == 0 || bits >= 128)
		return v;
	return is_signed ? (unsigned __int128)((__int128)(v << up) >> up)
	       : v << up >> up;
}

static void
swap_bytes(uint8_t *bytes, size_t n)
{
	for (size_t k = 0; k < n / 2; k++) {
		uint8_t b = bytes[k];

		bytes[k] = bytes[n - 1 - k];
		bytes[n - 1 - k] = b;
	}
}

static struct err *
bits_read(const struct value *v, unsigned __int128 *out)
{
	uint8_t bytes[24] = { 0 };
	uint64_t first = v->bit_at / 8, skip = v->bit_at % 8;
	size_t n = (skip + v->bits + 7) / 8;
	unsigned __int128 low, high = 0;

	if (v->bits > 128)
		return err_new(ERR_DAMAGED, "a bit-field of %u bits", v->bits);
	if (v->place == PLACE_LOC && v->address < PIECES_READ_MAX) {
		uint64_t from = 8 * v->address + v->bit_at;

		*out = 0;
		return loc_bits(v, from, from + v->bits, (uint8_t *)out);
	}
	struct err *err = storage_read(v, first, n, bytes);
	if (err)
		return err;
	memcpy(&low, bytes, 16);
	memcpy(&high, bytes + 16, 8);
	*out = skip ? low >> skip | high << (128 - skip) : low;
	return NULL;
}

struct err *
value_wide(const struct value *v, unsigned __int128 *out)
{
	const struct type *p = type_plain(v->type);
	uint64_t size = type_size(p);
	unsigned __int128 raw = 0;
	struct err *err;

	if (v->bits) {
		err = bits_read(v, &raw);
	} else {
		if (!p || size == 0 || size > 16)
			return err_new(ERR_FAILED, "it is not a number");
		err = storage_read(v, 0, size, &raw);
		if (!err && p->sym->flags & SYM_TYPE_BIG_ENDIAN)
			swap_bytes((uint8_t *)&raw, size);
	}
	if (err)
		return err;
	*out = extend(raw, v->bits ? v->bits : 8 * (unsigned)size,
		      type_is_signed(p));
	return NULL;
}

struct err *
value_u64(const struct value *v, uint64_t *out)
{
	const struct type *p = type_plain(v->type);
	unsigned __int128 wide;

	if (!type_is_integral(p) && !type_is_pointer(p)
	    && !type_is_reference(p)
	    && type_kind(p) != SYM_TYPE_UNSPECIFIED
	    && type_kind(p) != SYM_TYPE_MEMBER_POINTER)
		return err_new(ERR_FAILED, "it is not an integer");
	struct err *err = value_wide(v, &wide);
	if (!err)
		*out = (uint64_t)wide;
	return err;
}

struct err *
value_read(const struct value *v, uint64_t off, size_t n, void *out)
{
	unsigned __int128 wide;

	if (!v->bits)
		return storage_read(v, off, n, out);
	if (off > sizeof(wide) || n > sizeof(wide) - off)
		return err_new(ERR_DAMAGED, "a bit-field is not as large");
	struct err *err = value_wide(v, &wide);
	if (!err)
		memcpy(out, (const uint8_t *)&wide + off, n);
	return err;
}

/* ---- questions ------------------------------------------------------------ */
#define STATE_BYTES 8u

/* What has no bytes cannot be lost, nor what is behind the end of it. */
bool
value_is_empty(const struct value *v)
{
	const struct type *p = type_plain(v->type);
	const struct sym_type *s = type_is_class(p) ? p->sym : NULL;

	if (v->place != PLACE_NOWHERE || v->state != VALUE_OPTIMISED_OUT)
		return false;
	if (type_is_unit(p))
		return true;
	if (!s || p->declared_only)
		return false;
	for (size_t n = 0; n < s->n_members; n++)
		if (!(s->members[n].flags & SYM_MEMBER_STATIC)
		    && type_size(type_beside(p, s->members[n].type))
		       > (s->members[n].flags & SYM_MEMBER_BASE))
			return false;
	return true;
}

/* A structure of which the compiler kept some members. */
static bool
is_partly_known(const struct value *v)
{
	const struct type *p = type_plain(v->type);


	if (v->place != PLACE_LOC || v->loc->n < 2
	    || (!type_is_class(p) && type_kind(p) != SYM_TYPE_ARRAY))
		return false;
	for (size_t n = 0; n < v->loc->n; n++)
		if (v->loc->pieces[n].kind != LOC_NOWHERE)
			return true;
	return false;
}

enum value_state
value_state(const struct value *v, const char **why)
{
	uint8_t bytes[STATE_BYTES];
	uint64_t size = value_size(v);

	*why = NULL;
	if (value_is_empty(v) || is_partly_known(v))
		return VALUE_KNOWN;
	if (v->place == PLACE_NOWHERE) {
		*why = v->why;
		return v->state;
	}
	_err_ struct err *err = value_read(
		v, 0, size < STATE_BYTES ? size : STATE_BYTES, bytes);
	if (err && !value_synthetic(v))
		*why = arena_strdup(v->arena, err_text(err));
	return value_synthetic(v) ? VALUE_KNOWN : state_of(err);
}

const struct type *
value_type(const struct value *v)
{
	return v->type;
}

bool
value_address(const struct value *v, uint64_t *out)
{
	if (v->place != PLACE_MEMORY || v->bits)
		return false;
	*out = v->address;
	return true;
}

uint64_t
value_size(const struct value *v)
{
	uint64_t size, count;

	if (v->shape && type_kind(type_plain(v->type)) == SYM_TYPE_STRING)
		return v->shape->dim[0].count;
	if (!v->shape || !value_count(v, &count))
		return type_size(v->type);
	const struct type *p = type_plain(v->type);
	size = type_size(type_target(p));
	for (uint32_t n = p->first; n < v->shape->n; n++)
		if (__builtin_mul_overflow(size, v->shape->dim[n].count,
					   &size))
			return UINT64_MAX;
	return size;
}

const struct loc_piece *
value_synthetic(const struct value *v)
{
	uint64_t at = 0;

	if (v->place != PLACE_LOC)
		return NULL;
	for (size_t k = 0; k < v->loc->n; k++) {
		const struct loc_piece *p = &v->loc->pieces[k];

		if (at == 8 * v->address && p->kind == LOC_POINTER)
			return p;
		at += p->bits;
	}
	return NULL;
}

/* ---- parts ---------------------------------------------------------------- */
static struct value *
copy_of(const struct value *v, const struct type *t, struct arena *a)
{
	struct value *part = arena_alloc(a, sizeof(*part));

	if (!part)
		return NULL;
	*part = *v;
	part->type = t;
	part->arena = a;
	part->shape = NULL;
	part->bits = 0;
	part->bit_at = 0;
	return part;
}

static void
move(struct value *v, uint64_t offset)
{
	if (v->place == PLACE_MEMORY || v->place == PLACE_LOC)
		v->address += offset;
	if (!v->bytes)
		return;
	if (offset > v->n_bytes)
		offset = v->n_bytes;
	v->bytes += offset;
	v->n_bytes -= offset;
}

struct err *
value_part(const struct value *v, const struct type *t, uint64_t offset,
	   struct arena *a, const struct value **out)
{
	struct value *part = copy_of(v, t, a);

	if (part)
		move(part, offset);
	return finished(part, out);
}

struct err *
value_as(const struct value *v, const struct type *t, struct arena *a,
	 const struct value **out)
{
	return value_part(v, t, 0, a, out);
}

static struct err *
static_member(const struct value *v, const struct type *p,
	      const struct sym_member *m, struct arena *a,
	      const struct value **out)
{
	const struct type *t = type_beside(p, m->type);
	const struct global_name g = {
		.near = p->module,
		.name = values_qualified(v->vs, type_qualified(p),
					 type_string(p, m->name)),
		.linkage = type_string(p, m->linkage),
	};

	if (m->has_value)
		return value_of_u64(v->vs, t, m->value, a, out);
	struct err *err = value_exported(v->vs, &g, t, v->c, a, out);
	if (err && err_kind(err) == ERR_NOTFOUND)
		return value_nowhere(v->vs, t, err, a, out);
	return err;
}

struct err *
member_address(const struct value *v, const struct sym_member *m,
	       uint64_t *out)
{
	const struct type *p = type_plain(v->type);
	struct frame_eval f = { .vs = v->vs, .c = v->c, .module = p->module };
	struct cell c;

	if (v->place != PLACE_MEMORY)
		return err_new(ERR_NOTFOUND, "the object has no address to "
			       "find its base from");
	struct err *err = frame_member(&f, m->expr, v->address, &c);
	if (!err)
		*out = cell_u64(&c);
	return err;
}

static struct err *
computed_member(const struct value *v, const struct type *t,
		const struct sym_member *m, struct arena *a,
		const struct value **out)
{
	uint64_t addr;
	struct err *err = member_address(v, m, &addr);

	if (err && err_kind(err) != ERR_NOMEM)
		return value_nowhere(v->vs, t, err, a, out);
	return err ? err : value_in_memory(v->vs, t, addr, v->c, a, out);
}

struct err *
value_nth_member(const struct value *v, size_t n, struct arena *a,
		 const struct value **out)
{
	const struct type *p = type_plain(v->type);

	if (!type_is_class(p) || n >= p->sym->n_members)
		return err_new(ERR_NOTFOUND, "there is no member %zu", n);
	const struct sym_member *m = &p->sym->members[n];
	const struct type *t = type_beside(p, m->type);
	if (m->flags & SYM_MEMBER_STATIC)
		return static_member(v, p, m, a, out);
	if (m->expr.n)
		return computed_member(v, t, m, a, out);
	if (!m->bits)
		return value_part(v, t, m->offset / 8, a, out);
	struct value *part = copy_of(v, t, a);
	if (!part)
		return err_nomem();
	move(part, m->offset / 8);
	part->bit_at = m->offset % 8;
	part->bits = m->bits > 128 ? 128 : (uint16_t)m->bits;
	*out = part;
	return NULL;
}

/* ---- arrays --------------------------------------------------------------- */
bool
value_count(const struct value *v, uint64_t *out)
{
	const struct type *p = type_plain(v->type);

	if (type_kind(p) != SYM_TYPE_ARRAY)
		return false;
	if (v->shape && p->first < v->shape->n) {
		*out = v->shape->dim[p->first].count;
		return !v->shape->dim[p->first].open;
	}
	*out = type_count(p);
	return true;
}

int64_t
value_lower(const struct value *v)
{
	const struct type *p = type_plain(v->type);

	if (v->shape && p->first < v->shape->n)
		return v->shape->dim[p->first].lower;
	return 0;
}

/** Bytes from one element to the next; UINT64_MAX where that is too much. */
static uint64_t
stride_of(const struct value *v, const struct type *p, const struct type *t)
{
	uint64_t size = type_size(t);

	if (!v->shape || p->first >= v->shape->n)
		return size;
	if (v->shape->dim[p->first].stride)
		return (uint64_t)v->shape->dim[p->first].stride;
	size = type_size(type_target(p));
	for (uint32_t n = p->first + 1; n < v->shape->n; n++)
		if (__builtin_mul_overflow(size, v->shape->dim[n].count,
					   &size))
			return UINT64_MAX;
	return size;
}

struct err *
value_element(const struct value *v, uint64_t index, struct arena *a,
	      const struct value **out)
{
	const struct type *p = type_plain(v->type);
	const struct type *t = type_kind(p) == SYM_TYPE_ARRAY ?
			       type_element(p) : NULL;
	struct value *part = copy_of(v, t, a);

	if (!t)
		return err_new(ERR_FAILED, "it is not an array");
	if (!part)
		return err_nomem();
	move(part, index * stride_of(v, p, t));
	if (p->first + 1 < p->sym->n_dimensions) {
		part->shape = v->shape;
		*out = part;
		return NULL;
	}
	return finished(part, out);
}

/* ---- pointers ------------------------------------------------------------- */
static struct err *
synthetic_target(const struct value *v, const struct loc_piece *p,
		 const struct type *t, struct arena *a,
		 const struct value **out)
{
	const struct value *whole;

	if (!v->c)
		return err_new(ERR_NOTFOUND, "it points to a variable that "
			       "has no address");
	struct err *err = context_variable(v->c, p->value, a, &whole);
	return err ? err : value_part(whole, t, (uint64_t)p->offset, a, out);
}

struct err *
value_target(const struct value *v, int64_t index, struct arena *a,
	     const struct value **out)
{
	const struct type *p = type_plain(v->type);
	const struct loc_piece *synthetic = value_synthetic(v);
	uint64_t addr;

	if (!type_is_pointer(p) && !type_is_reference(p))
		return err_new(ERR_FAILED, "it is not a pointer");
	const struct type *t = type_target(p);
	if (synthetic)
		return synthetic_target(v, synthetic, t, a, out);
	struct err *err = value_u64(v, &addr);
	if (err)
		return err;
	return value_in_memory(v->vs, t, addr + (uint64_t)index * type_size(t),
			       v->c, a, out);
}

struct err *
value_plain(const struct value *v, struct arena *a, const struct value **out)
{
	if (type_is_reference(type_plain(v->type)))
		return value_target(v, 0, a, out);
	*out = v;
	return NULL;
}
