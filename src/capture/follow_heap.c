/* SPDX-License-Identifier: Apache-2.0 */
/*
 * follow_heap.c: pages of jemalloc's books, read one by one, of which those
 * that were read last are at hand.
 */
#include "capture/follow_heap.h"

#include <string.h>

#include "capture/impl.h"

enum { SLOTS = 512 };                   /* a power of two */
/* Pages read between two looks at the clock. */
#define LOOK_EACH 64u
#define MISSING 2u                      /* of a slot: it cannot be read */

struct follow_heap {
	struct copier *c;
	bool still;                     /* the process; what is read is kept */
	unsigned reads;
	struct jemalloc jemalloc;
	uint64_t at[SLOTS];             /* address, and 1; 0: unused */
	uint8_t bytes[SLOTS][PAGE];
};

static bool
page_fetch(struct follow_heap *h, uint64_t addr, uint8_t *to)
{
	const struct iovec local = { to, PAGE };
	const struct iovec remote = { (void *)(uintptr_t)addr, PAGE };
	const struct piece *x = plan_find(h->c->plan, addr);

	/* What must not be read, or is not there, is not read for this. */
	if (!x || x->kind != SNAP_MEM_DATA
	    || process_vm_readv(h->c->tid, &local, 1, &remote, 1, 0) != PAGE)
		return false;
	if (h->still)
		copier_page(h->c, x, addr);
	return true;
}

static const uint8_t *
page_of(void *arg, uint64_t addr)
{
	struct follow_heap *h = arg;
	size_t k = (size_t)((addr / PAGE * 0x9e3779b97f4a7c15ull) >> 32)
		   % SLOTS;

	if ((h->at[k] & ~(uint64_t)MISSING) != (addr | 1)) {
		if (h->still && h->reads++ % LOOK_EACH == 0)
			copier_look(h->c);
		if (h->c->ended)
			return NULL;
		h->at[k] = addr | 1;
		if (!page_fetch(h, addr, h->bytes[k]))
			h->at[k] |= MISSING;
	}
	return h->at[k] & MISSING ? NULL : h->bytes[k];
}

/* ---- looked for ---- */

/* Variables end where what is anonymous behind a file's ends. */
static struct jemalloc_area
area_of(const struct plan *p, const struct piece *x)
{
	const struct snap_map *m = plan_map_at(p, x->start), *last = m;
	const struct snap_map *maps = p->maps.data;
	struct jemalloc_area a = { x->start, x->end, 0, 0 };

	if (!m || !(m->perm & SNAP_PERM_W))
		return a;
	if (map_is_bss(p, m))
		m--;
	else if (m + 1 < maps + p->maps.n && map_is_bss(p, m + 1))
		last = m + 1;
	if (!m->path || m->path[0] != '/')
		return a;
	a.low = m->start;
	a.high = last->end;
	return a;
}

static struct err *
find_areas(const struct plan *p, struct arena *a, struct vec *out)
{
	const struct piece *all = p->pieces.data;

	for (size_t k = 0; k < p->pieces.n; k++) {
		struct jemalloc_area *slot;

		if (all[k].kind != SNAP_MEM_DATA
		    || (all[k].class != CLASS_DATA
			&& all[k].class != CLASS_MODULE))
			continue;
		slot = vec_add(out, a, sizeof(*slot));
		if (!slot)
			return err_nomem();
		*slot = area_of(p, &all[k]);
	}
	return NULL;
}

struct err *
follow_heap_find(struct copier *c, struct arena *a)
{
	struct vec areas = { 0 };
	struct follow_heap *h;

	c->heap = NULL;
	if (!c->plan->follow)
		return NULL;
	_arena_ struct arena *local = arena_new(0);
	h = local ? arena_alloc(a, sizeof(*h)) : NULL;
	if (!h)
		return err_nomem();
	/* A fault later would be a pause. */
	memset(h, 0, sizeof(*h));
	h->c = c;
	struct err *err = find_areas(c->plan, local, &areas);
	if (!err && jemalloc_find(&h->jemalloc, page_of, h, areas.data,
				  areas.n))
		c->heap = h;
	return err;
}

/* ---- asked ---- */

void
follow_heap_begin(struct follow_heap *h)
{
	uint64_t start, end;

	memset(h->at, 0, sizeof(h->at));
	jemalloc_forget(&h->jemalloc);
	h->still = true;
	/* What it is recognised by later is not left to chance. */
	(void)jemalloc_object(&h->jemalloc, h->jemalloc.leaf, &start, &end);
}

enum jemalloc_kind
follow_heap_object(struct follow_heap *h, uint64_t addr, uint64_t *start,
		   uint64_t *end)
{
	return jemalloc_object(&h->jemalloc, addr, start, end);
}
