/* SPDX-License-Identifier: Apache-2.0 */
/* Values that outlive the arena they were made in. */
#include "values/impl.h"
#include "values/shown.h"

#include <string.h>

/* Bytes of a value that has no place, or SIZE_MAX where nothing tells. */
static size_t
bytes_needed(const struct value *v)
{
	uint64_t size = value_size(v), bits = (uint64_t)v->bit_at + v->bits;

	if (v->bits)
		size = bits / 8 + 1;
	return size ? size : SIZE_MAX;
}

static struct err *
keep_bytes(struct value *v, struct arena *a)
{
	size_t needed = bytes_needed(v);

	if (v->place != PLACE_BYTES || !v->bytes) {
		/* A copy of what is in memory, or in registers: read anew. */
		v->bytes = NULL;
		v->n_bytes = 0;
		return NULL;
	}
	if (v->n_bytes > needed)
		v->n_bytes = needed;
	v->bytes = arena_dup(a, v->bytes, v->n_bytes);
	return v->bytes ? NULL : err_nomem();
}

static struct err *
keep_loc(struct value *v, struct arena *a)
{
	struct loc *loc;
	struct loc_piece *pieces;

	if (!v->loc)
		return NULL;
	loc = arena_dup(a, v->loc, sizeof(*loc));
	pieces = arena_dup(a, v->loc->pieces, v->loc->n * sizeof(*pieces));
	if (!loc || !pieces)
		return err_nomem();
	for (size_t k = 0; k < loc->n; k++) {
		struct span *s = &pieces[k].bytes;

		if (s->n)
			s->data = arena_dup(a, s->data, s->n);
		if (s->n && !s->data)
			return err_nomem();
	}
	loc->pieces = pieces;
	v->loc = loc;
	return NULL;
}

struct err *
value_keep(const struct value *v, struct arena *a, const struct value **out)
{
	struct value *copy = arena_dup(a, v, sizeof(*v));

	if (!copy)
		return err_nomem();
	copy->arena = a;
	if (v->shape)
		copy->shape = arena_dup(a, v->shape, sizeof(*v->shape));
	if (v->why)
		copy->why = arena_strdup(a, v->why);
	if ((v->shape && !copy->shape) || (v->why && !copy->why))
		return err_nomem();
	struct err *err = keep_bytes(copy, a);
	if (!err)
		err = keep_loc(copy, a);
	if (!err)
		*out = copy;
	return err;
}

/* ---- the same one ---------------------------------------------------------- */
static bool
same_loc(const struct loc *a, const struct loc *b)
{
	if (!a || !b || a->n != b->n)
		return a == b;
	for (size_t k = 0; k < a->n; k++) {
		const struct loc_piece *x = &a->pieces[k], *y = &b->pieces[k];

		if (x->kind != y->kind || x->value != y->value
		    || x->offset != y->offset || x->bits != y->bits
		    || x->skip != y->skip || x->bytes.n != y->bytes.n
		    || cell_u64(&x->cell) != cell_u64(&y->cell))
			return false;
		if (x->bytes.n && memcmp(x->bytes.data, y->bytes.data,
					 x->bytes.n) != 0)
			return false;
	}
	return true;
}

static bool
same_shape(const struct shape *a, const struct shape *b)
{
	if (!a || !b || a->n != b->n)
		return a == b;
	for (uint32_t k = 0; k < a->n; k++)
		if (a->dim[k].lower != b->dim[k].lower
		    || a->dim[k].count != b->dim[k].count
		    || a->dim[k].stride != b->dim[k].stride
		    || a->dim[k].open != b->dim[k].open)
			return false;
	return true;
}

/* Each file of a program may have a record of its own of one type. */
static bool
same_type(const struct type *a, const struct type *b)
{
	_buf_ struct buf x = { 0 }, y = { 0 };

	if (a == b || !a || !b)
		return a == b;
	if (type_kind(type_plain(a)) != type_kind(type_plain(b))
	    || type_size(a) != type_size(b))
		return false;
	_err_ struct err *one = type_name(a, &x);
	_err_ struct err *two = type_name(b, &y);
	return !one && !two && x.len == y.len && x.data
	       && memcmp(x.data, y.data, x.len) == 0;
}

bool
value_is_same(const struct value *a, const struct value *b)
{
	size_t n = bytes_needed(a);

	if (a->place != b->place || !same_type(a->type, b->type)
	    || (a->place == PLACE_LOC && a->c != b->c)
	    || a->bits != b->bits || a->bit_at != b->bit_at
	    || (a->place != PLACE_BYTES && a->address != b->address)
	    || !same_loc(a->loc, b->loc) || !same_shape(a->shape, b->shape))
		return false;
	if (a->place != PLACE_BYTES)
		return true;
	n = n < a->n_bytes ? n : a->n_bytes;
	return n <= b->n_bytes && memcmp(a->bytes, b->bytes, n) == 0;
}

/* ---- the way to it ----------------------------------------------------------- */
struct err *
value_put_absolute(const struct value *v, struct buf *out)
{
	uint64_t addr;

	if (!value_address(v, &addr) || !v->type)
		return NULL;
	const struct type *t = type_pointer_to(v->vs, v->type);
	if (!t)
		return types_spent(v->vs);
	buf_puts(out, "*(");
	struct err *err = type_name(t, out);
	buf_printf(out, ")0x%llx", (unsigned long long)addr);
	return err ? err : buf_err(out);
}
