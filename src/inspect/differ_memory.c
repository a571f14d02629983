/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of two snapshots: chunks are held against each other by their keys,
 * and only what differs by them is read, to tell which pages those are.
 */
#include "inspect/differ.h"

#include <string.h>

#define PAGE 4096u
#define READ_MAX (256u << 20)   /* bytes of each that are looked at */

enum piece_kind { PIECE_NONE, PIECE_ABSENT, PIECE_KEYED, PIECE_ZERO, PIECE_FILE,
		  PIECE_BYTES };
struct piece {
	enum piece_kind kind;
	uint64_t start, end;
	const struct snap_memory *m;
	uint8_t key[SHA256_SIZE];
};
struct diff {
	struct insp *side[2];
	size_t at[2];           /* the range that a side has come to */
	uint64_t read, last_end;
	struct differ_memory *found;
};

/* ---- what one side has at an address ------------------------------------ */
static enum piece_kind
kind_of(const struct snap_memory *m)
{
	switch (m->kind) {
	case SNAP_MEM_DATA:
		return PIECE_BYTES;
	case SNAP_MEM_ZERO:
		return PIECE_ZERO;
	case SNAP_MEM_FILE:
		return PIECE_FILE;
	default:
		return PIECE_ABSENT;
	}
}

static uint64_t
end_of(const struct snap_memory *m)
{
	uint64_t end;

	return u64_add(m->start, m->length, &end) ? end : UINT64_MAX;
}

static void
piece_at(struct diff *d, unsigned side, uint64_t addr, struct piece *out)
{
	const struct target *t = insp_target(d->side[side]);
	size_t *k = &d->at[side];
	uint64_t left;

	while (*k < t->n_memory && end_of(&t->memory[*k]) <= addr)
		++*k;
	const struct snap_memory *m = *k < t->n_memory ? &t->memory[*k] : NULL;
	*out = (struct piece){ .start = addr, .m = m,
			       .end = m ? m->start : UINT64_MAX };
	if (!m || m->start > addr)
		return;
	out->kind = kind_of(m);
	out->end = end_of(m);
	if (out->kind == PIECE_BYTES && t->ops->key
	    && t->ops->key((struct target *)t, *k, addr - m->start, out->key,
			   &left)) {
		out->kind = PIECE_KEYED;
		out->end = addr + left;
	}
}

/* ---- are two the same? -------------------------------------------------- */
static bool
same_file(const struct diff *d, const struct piece *a, const struct piece *b)
{
	size_t n, m;
	const struct snap_module *x = insp_modules(d->side[0], &n);
	const struct snap_module *y = insp_modules(d->side[1], &m);

	return a->m->ref < n && b->m->ref < m
	       && x[a->m->ref].id.kind != ID_NONE
	       && id_equal(&x[a->m->ref].id, &y[b->m->ref].id)
	       && a->m->offset + (a->start - a->m->start)
		  == b->m->offset + (b->start - b->m->start);
}

static bool
surely_same(const struct diff *d, const struct piece *a, const struct piece *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == PIECE_KEYED)
		return a->end == b->end
		       && memcmp(a->key, b->key, sizeof(a->key)) == 0;
	return a->kind == PIECE_ZERO
	       || (a->kind == PIECE_FILE && same_file(d, a, b));
}

static void
add_page(struct diff *d, uint64_t start, uint64_t end)
{
	struct differ_memory *f = d->found;
	struct region r;

	f->pages++;
	if (start == d->last_end && f->n_runs && !f->more_runs) {
		f->runs[f->n_runs - 1].end = d->last_end = end;
		return;
	}
	if (f->n_runs == DIFFER_RUNS_MAX) {
		f->more_runs += start != d->last_end;
		d->last_end = end;
		return;
	}
	space_region(insp_space(d->side[1]), start, &r);
	f->runs[f->n_runs++] = (struct differ_run){
		start, end, r.map ? r.map->path : NULL
	};
	d->last_end = end;
}

static void
compare_page(struct diff *d, uint64_t start, size_t n)
{
	uint8_t a[PAGE], b[PAGE];

	_err_ struct err *x = space_read(insp_space(d->side[0]), start, n, a);
	_err_ struct err *y = space_read(insp_space(d->side[1]), start, n, b);
	d->read += n;
	if (x)
		d->found->absent[0] += n;
	if (y)
		d->found->absent[1] += n;
	if (x || y)
		return;
	if (memcmp(a, b, n) == 0)
		d->found->equal += n;
	else
		add_page(d, start, start + n);
}

static void
compare(struct diff *d, uint64_t start, uint64_t end)
{
	while (start < end && d->read < READ_MAX) {
		uint64_t stop = (start / PAGE + 1) * PAGE;

		if (stop > end)
			stop = end;
		compare_page(d, start, (size_t)(stop - start));
		start = stop;
	}
	d->found->unread += end - start;
}

static void
account(struct diff *d, const struct piece *a, const struct piece *b,
	uint64_t end)
{
	uint64_t n = end - a->start;

	if (a->kind == PIECE_NONE || b->kind == PIECE_NONE) {
		d->found->only[0] += b->kind == PIECE_NONE && a->kind != PIECE_NONE
			      ? n : 0;
		d->found->only[1] += a->kind == PIECE_NONE && b->kind != PIECE_NONE
			      ? n : 0;
	} else if (a->kind == PIECE_ABSENT || b->kind == PIECE_ABSENT) {
		d->found->absent[0] += a->kind == PIECE_ABSENT ? n : 0;
		d->found->absent[1] += b->kind == PIECE_ABSENT ? n : 0;
	} else if (surely_same(d, a, b)) {
		d->found->equal += n;
	} else {
		compare(d, a->start, end);
	}
}

static void
walk(struct diff *d)
{
	for (uint64_t addr = 0; addr != UINT64_MAX;) {
		struct piece a, b;

		piece_at(d, 0, addr, &a);
		piece_at(d, 1, addr, &b);
		uint64_t end = a.end < b.end ? a.end : b.end;
		account(d, &a, &b, end);
		addr = end;
	}
}

void
insp_diff_memory(struct insp *a, struct insp *b, struct differ_memory *out)
{
	struct diff d = { .side = { a, b }, .last_end = UINT64_MAX,
			  .found = out };

	*out = (struct differ_memory){ 0 };
	walk(&d);
}
