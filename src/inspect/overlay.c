/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session's writes: pieces of memory and registers, sorted, within a quota.
 */
#include "inspect/overlay.h"

#include <stdlib.h>
#include <string.h>

#define PIECES_MAX 65536u

struct overlay {
	struct overlay_piece *pieces;
	size_t n, cap;
	struct overlay_reg *regs;
	size_t n_regs, cap_regs;
	uint64_t bytes;         /* of these, in *@used */
	uint64_t *used, own;
	uint64_t changes;
	uint64_t changed_at, changed_n;         /* of the last one */
	struct overlay_look look;
};

/* ---- life ------------------------------------------------------------------ */
struct err *
overlay_new(uint64_t *used, struct overlay **out)
{
	struct overlay *o = calloc(1, sizeof(*o));

	if (!o)
		return err_nomem();
	o->used = used ? used : &o->own;
	*out = o;
	return NULL;
}

static void
overlay_changed(struct overlay *o, uint64_t addr, uint64_t n)
{
	o->changes++;
	o->changed_at = addr;
	o->changed_n = n;
}

uint64_t
overlay_changes(const struct overlay *o, uint64_t *addr, uint64_t *n)
{
	*addr = o->changed_at;
	*n = o->changed_n;
	return o->changes;
}

void
overlay_look_at(struct overlay *o, size_t thread, enum overlay_looker by)
{
	if (o->look.changes && o->look.thread == thread)
		return;
	o->look = (struct overlay_look){ o->look.changes + 1, thread, by };
}

const struct overlay_look *
overlay_look(const struct overlay *o)
{
	return &o->look;
}

void
overlay_discard(struct overlay *o)
{
	if (o->n || o->n_regs)
		overlay_changed(o, 0, 0);
	for (size_t k = 0; k < o->n; k++)
		free(o->pieces[k].bytes);
	free(o->pieces);
	free(o->regs);
	*o->used -= o->bytes;
	o->pieces = NULL;
	o->regs = NULL;
	o->n = o->cap = o->n_regs = o->cap_regs = 0;
	o->bytes = 0;
}

void
overlay_free(struct overlay *o)
{
	if (o)
		overlay_discard(o);
	free(o);
}

static void
overlay_count(struct overlay *o, uint64_t more, uint64_t less)
{
	o->bytes += more - less;
	*o->used += more - less;
}

static struct err *
overlay_allow(const struct overlay *o, size_t n)
{
	if (n <= OVERLAY_BYTES_MAX && *o->used <= OVERLAY_BYTES_MAX - n)
		return NULL;
	return err_new(ERR_LIMIT, "more than %u MiB were written in this "
		       "session", OVERLAY_BYTES_MAX >> 20);
}

/* ---- memory ---------------------------------------------------------------- */
const struct overlay_piece *
overlay_pieces(const struct overlay *o, size_t *n)
{
	*n = o->n;
	return o->pieces;
}

static size_t
piece_above(const struct overlay *o, uint64_t addr)
{
	size_t low = 0, high = o->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct overlay_piece *p = &o->pieces[mid];

		if (p->start + (p->n - 1) < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct overlay_piece *
overlay_above(const struct overlay *o, uint64_t addr)
{
	size_t k = piece_above(o, addr);

	return k < o->n ? &o->pieces[k] : NULL;
}

/* Pieces that touch [start, end): first and number. */
static size_t
piece_touching(const struct overlay *o, uint64_t start, uint64_t end, size_t *n)
{
	size_t first = piece_above(o, start);

	for (*n = 0; first + *n < o->n && o->pieces[first + *n].start < end;
	     ++*n)
		continue;
	return first;
}

static struct err *
piece_room(struct overlay *o)
{
	if (o->n < o->cap)
		return NULL;
	size_t cap = o->cap ? 2 * o->cap : 16;
	if (cap > PIECES_MAX)
		return err_new(ERR_LIMIT, "more than %u places were written to",
			       PIECES_MAX);
	void *p = reallocarray(o->pieces, cap, sizeof(*o->pieces));
	if (!p)
		return err_nomem();
	o->pieces = p;
	o->cap = cap;
	return NULL;
}

/* One piece that holds what was there, with the new bytes over it. */
static struct err *
piece_merge(const struct overlay_piece *old, size_t n_old,
	    const struct overlay_piece *put, struct overlay_piece *out)
{
	uint64_t start = put->start, end = put->start + put->n;

	if (n_old && old[0].start < start)
		start = old[0].start;
	if (n_old && old[n_old - 1].start + old[n_old - 1].n > end)
		end = old[n_old - 1].start + old[n_old - 1].n;
	out->start = start;
	out->n = (size_t)(end - start);
	out->bytes = malloc(out->n);
	if (!out->bytes)
		return err_nomem();
	for (size_t k = 0; k < n_old; k++)
		memcpy(out->bytes + (old[k].start - start), old[k].bytes,
		       old[k].n);
	memcpy(out->bytes + (put->start - start), put->bytes, put->n);
	return NULL;
}

static void
piece_replace(struct overlay *o, size_t first, size_t n_old,
	      const struct overlay_piece *merged)
{
	for (size_t k = first; k < first + n_old; k++) {
		overlay_count(o, 0, o->pieces[k].n);
		free(o->pieces[k].bytes);
	}
	memmove(&o->pieces[first + 1], &o->pieces[first + n_old],
		(o->n - first - n_old) * sizeof(*o->pieces));
	o->pieces[first] = *merged;
	o->n += 1 - n_old;
	overlay_count(o, merged->n, 0);
}

struct err *
overlay_write(struct overlay *o, uint64_t addr, size_t n, const void *data)
{
	struct overlay_piece put = { addr, n, (uint8_t *)data }, merged;
	size_t n_old;

	if (n == 0)
		return NULL;
	struct err *err = overlay_allow(o, n);
	if (!err)
		err = piece_room(o);
	if (err)
		return err;
	size_t first = piece_touching(o, addr, addr + n, &n_old);
	err = piece_merge(&o->pieces[first], n_old, &put, &merged);
	if (err)
		return err;
	piece_replace(o, first, n_old, &merged);
	overlay_changed(o, addr, n);
	return NULL;
}

/* A piece of its own with the bytes [from, from + n) of @p; n 0 = none. */
static struct err *
piece_part(const struct overlay_piece *p, uint64_t from, size_t n,
	   struct overlay_piece *out)
{
	*out = (struct overlay_piece){ from, n, NULL };
	if (n == 0)
		return NULL;
	out->bytes = malloc(n);
	if (!out->bytes)
		return err_nomem();
	memcpy(out->bytes, p->bytes + (from - p->start), n);
	return NULL;
}

/* Pieces [first, first + n_old) become those of @part that are not empty. */
static void
piece_cut(struct overlay *o, size_t first, size_t n_old,
	  const struct overlay_piece part[2])
{
	size_t n_new = (part[0].n != 0) + (part[1].n != 0);

	for (size_t k = first; k < first + n_old; k++) {
		overlay_count(o, 0, o->pieces[k].n);
		free(o->pieces[k].bytes);
	}
	memmove(&o->pieces[first + n_new], &o->pieces[first + n_old],
		(o->n - first - n_old) * sizeof(*o->pieces));
	for (size_t k = 0; k < 2; k++)
		if (part[k].n)
			o->pieces[first++] = part[k];
	o->n += n_new - n_old;
	overlay_count(o, part[0].n + part[1].n, 0);
}

struct err *
overlay_forget(struct overlay *o, uint64_t addr, size_t n)
{
	struct overlay_piece part[2];
	uint64_t end = addr + n, last_end;
	size_t n_old, first = piece_touching(o, addr, end, &n_old);

	if (n_old == 0)
		return NULL;
	const struct overlay_piece *from = &o->pieces[first];
	const struct overlay_piece *last = from + n_old - 1;
	last_end = last->start + last->n;
	struct err *err = piece_part(from, from->start, from->start < addr
				     ? (size_t)(addr - from->start) : 0,
				     &part[0]);
	if (err)
		return err;
	err = piece_part(last, end, last_end > end ? (size_t)(last_end - end)
						   : 0, &part[1]);
	if (!err)
		err = piece_room(o);
	if (err) {
		free(part[0].bytes);
		return err;
	}
	piece_cut(o, first, n_old, part);
	overlay_changed(o, addr, n);
	return NULL;
}

/* ---- registers --------------------------------------------------------------- */
const struct overlay_reg *
overlay_regs(const struct overlay *o, size_t *n)
{
	*n = o->n_regs;
	return o->regs;
}

/** Index of the first one that is not before (thread, reg). */
static size_t
reg_at(const struct overlay *o, size_t thread, size_t reg)
{
	size_t low = 0, high = o->n_regs;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct overlay_reg *r = &o->regs[mid];

		if (r->thread < thread
		    || (r->thread == thread && r->reg < reg))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool
reg_is(const struct overlay *o, size_t k, size_t thread, size_t reg)
{
	return k < o->n_regs && o->regs[k].thread == thread
	       && o->regs[k].reg == reg;
}

const uint8_t *
overlay_reg(const struct overlay *o, size_t thread, size_t reg)
{
	size_t k = reg_at(o, thread, reg);

	return reg_is(o, k, thread, reg) ? o->regs[k].bytes : NULL;
}

static struct err *
reg_room(struct overlay *o)
{
	struct err *err = overlay_allow(o, sizeof(*o->regs));

	if (err || o->n_regs < o->cap_regs)
		return err;
	size_t cap = o->cap_regs ? 2 * o->cap_regs : 16;
	void *p = reallocarray(o->regs, cap, sizeof(*o->regs));
	if (!p)
		return err_nomem();
	o->regs = p;
	o->cap_regs = cap;
	return NULL;
}

static struct err *
reg_insert(struct overlay *o, size_t k)
{
	struct err *err = reg_room(o);

	if (err)
		return err;
	memmove(&o->regs[k + 1], &o->regs[k],
		(o->n_regs - k) * sizeof(*o->regs));
	memset(&o->regs[k], 0, sizeof(*o->regs));
	o->n_regs++;
	overlay_count(o, sizeof(*o->regs), 0);
	return NULL;
}

void
overlay_forget_reg(struct overlay *o, size_t thread, size_t reg)
{
	size_t k = reg_at(o, thread, reg);

	if (!reg_is(o, k, thread, reg))
		return;
	memmove(&o->regs[k], &o->regs[k + 1],
		(--o->n_regs - k) * sizeof(*o->regs));
	overlay_count(o, 0, sizeof(*o->regs));
	overlay_changed(o, 0, 0);
}

struct err *
overlay_write_reg(struct overlay *o, size_t thread, size_t reg, size_t n,
		  const void *value)
{
	size_t k = reg_at(o, thread, reg);
	struct err *err = reg_is(o, k, thread, reg) ? NULL : reg_insert(o, k);

	if (err)
		return err;
	o->regs[k].thread = thread;
	o->regs[k].reg = reg;
	memcpy(o->regs[k].bytes, value, n);
	overlay_changed(o, 0, 0);
	return NULL;
}
