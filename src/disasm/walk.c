/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk.c: entry after entry towards higher addresses, and by that what stands
 * before an address.
 */
#include <stdlib.h>

#include "disasm/impl.h"

/* From farther away code is not read only to find where it arrives. */
#define BACK_MAX (4u << 20)

/* ---- forward ------------------------------------------------------------ */
/* An instruction that ends in a hole is part of it. */
static void
walk_cut(struct walk *w, size_t n, struct disasm_entry *out)
{
	uint64_t at = w->at;

	if (at + n < at) {
		*out = (struct disasm_entry){
			.address = at, .length = n, .kind = DISASM_BAD,
			.why = "the address space ends within it",
		};
		return;
	}
	code_hole(&w->code, at + n, out);
	out->address = at;
	out->length += n;
}

static void
walk_code(struct walk *w, struct disasm_entry *out)
{
	const struct machine *m = w->d->machine;
	struct span bytes = code_at(&w->code, w->at, m->longest);
	bool cut = false;
	size_t n = bytes.n ? m->length(w->d, w->at, bytes, &cut) : 0;

	if (!bytes.n || cut) {
		walk_cut(w, bytes.n, out);
		return;
	}
	*out = (struct disasm_entry){ .address = w->at, .length = n };
	if (n)
		return;
	out->kind = DISASM_BAD;
	out->length = m->step < bytes.n ? m->step : bytes.n;
	out->why = m->bad;
}

/*
 * Behind a hole nobody knows where an instruction begins, unless all have one
 * length, or until the function that the hole is in ends.
 */
static bool
walk_lost(struct walk *w, struct disasm_entry *out)
{
	struct bounds b;
	struct region r;

	if (!w->lost || w->d->machine->step > 1
	    || !code_at(&w->code, w->at, 1).n)
		return false;
	w->lost = false;
	bool known = starts_at(w->i, w->at, &b);
	if (known && b.start == w->at)
		return false;
	space_region(w->code.space, w->at, &r);
	uint64_t end = known && b.end < r.end ? b.end : r.end;
	*out = (struct disasm_entry){
		.address = w->at, .length = end > w->at ? end - w->at : 1,
		.kind = DISASM_UNKNOWN,
		.why = "where code begins after what is not there",
	};
	return true;
}

void
walk_next(struct walk *w, struct disasm_entry *out)
{
	if (w->ended) {
		*out = (struct disasm_entry){
			.address = UINT64_MAX, .kind = DISASM_OUTSIDE,
			.why = "the address space ends here",
		};
		return;
	}
	if (!walk_lost(w, out))
		walk_code(w, out);
	w->lost = out->kind == DISASM_ABSENT || out->kind == DISASM_UNMAPPED;
	w->ended = w->at + out->length <= w->at;
	w->at += out->length;
}

/* ---- back --------------------------------------------------------------- */
/** The last @n of any number of entries. */
struct ring {
	struct disasm_entry *slots;
	size_t n, added;
};

static void
ring_add(struct ring *r, const struct disasm_entry *e)
{
	r->slots[r->added++ % r->n] = *e;
}

/* Where to begin below @top; false if that is not known. */
static bool
back_start(struct walk *w, uint64_t top, size_t n, uint64_t *start)
{
	unsigned step = w->d->machine->step;
	struct bounds b;

	if (step > 1 && top % step == 0) {
		*start = top / step > n ? top - step * n : 0;
		return true;
	}
	if (!starts_near(w->i, top - 1, &b) || b.start >= top
	    || top - b.start > BACK_MAX)
		return false;
	*start = b.start;
	return true;
}

/* An entry that goes on behind @top is no instruction that was run. Where all
 * have one length a hole is as many entries as instructions. */
static void
back_clip(struct walk *w, struct disasm_entry *e, uint64_t top)
{
	const unsigned step = w->d->machine->step;

	if (step > 1 && e->length > step) {
		e->length = step;
		w->at = e->address + step;
		w->ended = false;
	}
	if (e->length <= top - e->address)
		return;
	e->length = top - e->address;
	if (e->kind != DISASM_CODE && e->kind != DISASM_BAD)
		return;
	e->kind = DISASM_UNKNOWN;
	e->why = "read as an instruction it would go on into the next line";
}

/* From @start to @top; the last entries are at the end of @out. */
static size_t
back_pass(struct walk *w, uint64_t start, uint64_t top, struct ring *ring)
{
	struct disasm_entry e;

	ring->added = 0;
	w->at = start;
	w->lost = w->ended = false;
	while (!w->ended && w->at < top) {
		walk_next(w, &e);
		back_clip(w, &e, top);
		ring_add(ring, &e);
	}
	return ring->added < ring->n ? ring->added : ring->n;
}

/* @n entries below @top of which nobody knows anything. */
static void
back_pad(const struct walk *w, uint64_t top, size_t n,
	 struct disasm_entry *out)
{
	unsigned step = w->d->machine->step;

	while (n--) {
		bool none = top < step;

		top -= none ? top : step;
		out[n] = (struct disasm_entry){
			.address = top, .length = none ? 0 : step,
			.kind = none ? DISASM_OUTSIDE : DISASM_UNKNOWN,
			.why = none ? "the address space begins here"
				    : "no function is known to begin before it",
		};
	}
}

/** The part of walk_back() with room for @ring. */
static void
back_read(struct walk *w, uint64_t addr, size_t n, struct ring *ring,
	  struct disasm_entry *out)
{
	uint64_t top = addr, start;

	while (n && top && back_start(w, top, n, &start) && start < top) {
		ring->n = n;
		size_t got = back_pass(w, start, top, ring);
		size_t first = ring->added - got;

		for (size_t k = 0; k < got; k++)
			out[n - got + k] = ring->slots[(first + k) % n];
		n -= got;
		top = start;
	}
	back_pad(w, top, n, out);
}

struct err *
walk_back(struct walk *w, uint64_t addr, size_t n, struct disasm_entry *out)
{
	_free_ struct disasm_entry *slots = calloc(n ? n : 1, sizeof(*slots));
	struct ring ring = { .slots = slots };

	if (!slots)
		return err_nomem();
	back_read(w, addr, n, &ring, out);
	return NULL;
}
