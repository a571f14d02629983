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

bool
value_is_same(const struct value *a, const struct value *b)
{
	size_t n = bytes_needed(a);

	if (a->type != b->type || a->place != b->place || a->c != b->c
	    || a->bits != b->bits || a->bit_at != b->bit_at
	    || (a->place != PLACE_BYTES && a->address != b->address)
	    || !same_loc(a->loc, b->loc))
		return false;
	if (a->shape != b->shape
	    && (!a->shape || !b->shape
		|| memcmp(a->shape, b->shape, sizeof(*a->shape)) != 0))
		return false;
	if (a->place != PLACE_BYTES)
		return true;
	n = n < a->n_bytes ? n : a->n_bytes;
	return n <= b->n_bytes && memcmp(a->bytes, b->bytes, n) == 0;
}
