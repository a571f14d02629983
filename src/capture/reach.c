/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reach.c: breadth-first through pointers.
 *
 * A page is kept when the first object on it is found, not when that is
 * looked into: the order is the same, and once the budget is spent nothing
 * that is found later can add a page, so the search ends there. The queue
 * thereby never holds more objects than fit into the budget.
 */
#include "capture/reach.h"

#include <stdlib.h>
#include <string.h>

#include "capture/jemalloc.h"
#include "capture/reach_pages.h"

enum { KEPT = 1, WHOLE = 2 };           /* of a page: kept; all followed */
enum { GRAIN = 16, GRAINS = REACH_PAGE / GRAIN };
/* Addresses whose memory is being fetched while others are looked into. */
enum { RING = 16 };
/* Of one object no more than a part of the budget is kept at first, and the
 * rest when all that is smaller was found. */
#define OBJECT_PART 256u
#define OBJECT_MIN (16u << 10)
/* An object that is not recognised is thought to be as large. */
#define UNKNOWN_SIZE 256u
/* What groups get in turns, and together before the first goes deep. */
#define TURN (64u << 10)
#define SHARE_PART 4u
#define SHARE_MIN (16u << 10)

/** What is to be looked into. */
struct item {
	uint32_t grain;                 /* page * GRAINS + grain on it */
	uint32_t grains;
};
/** Of an object what is still to be kept. */
struct rest {
	uint64_t at, end;
};
struct group {
	struct rest *rests;
	size_t n_rests, cap_rests;
	struct item *items;
	size_t n, cap, next, n_roots;
	uint64_t at, end;               /* of the item being looked into */
	bool cut;
};

struct reach {
	struct reach_pages pages;
	uint8_t *flags;                 /* of each page */
	uint8_t *marks;                 /* a bit per grain: an object */
	struct group *groups;
	size_t n_groups;
	uint64_t budget, kept, object_max;
	uint64_t allowed;               /* @kept at which to stop for now */
	bool full;                      /* a page did not fit any more */
	bool nomem;
	uint64_t ring[RING];
	size_t ring_n, ring_at;
	struct group *filling;          /* whose addresses are in the ring */
	struct jemalloc *jemalloc;      /* NULL: none was recognised */
};

/* ---- life ---- */

struct err *
reach_new(const struct reach_region *regions, size_t n, uint64_t budget,
	  struct reach **out)
{
	_reach_ struct reach *r = calloc(1, sizeof(*r));

	if (!r)
		return err_nomem();
	struct err *err = reach_pages_init(&r->pages, regions, n);
	if (err)
		return err;
	r->flags = calloc(r->pages.n + 1, 1);
	r->marks = calloc((size_t)r->pages.n + 1, GRAINS / 8);
	if (!r->flags || !r->marks)
		return err_nomem();
	r->budget = budget;
	r->object_max = budget / OBJECT_PART;
	if (r->object_max < OBJECT_MIN)
		r->object_max = OBJECT_MIN;
	*out = take(r);
	return NULL;
}

void
reach_free(struct reach *r)
{
	if (!r)
		return;
	for (size_t k = 0; k < r->n_groups; k++) {
		free(r->groups[k].items);
		free(r->groups[k].rests);
	}
	free(r->groups);
	free(r->jemalloc);
	free(r->flags);
	free(r->marks);
	reach_pages_fini(&r->pages);
	free(r);
}

void
reach_freep(struct reach **r)
{
	reach_free(*r);
}

static const uint8_t *
page_of(void *arg, uint64_t addr)
{
	const struct reach *r = arg;
	uint32_t page = reach_page(&r->pages, addr);

	return page != NO_PAGE ? reach_page_bytes(&r->pages, page) : NULL;
}

struct err *
reach_jemalloc(struct reach *r, const struct jemalloc_area *areas, size_t n)
{
	_free_ struct jemalloc *j = calloc(1, sizeof(*j));

	if (!j)
		return err_nomem();
	if (jemalloc_find(j, page_of, r, areas, n))
		r->jemalloc = take(j);
	return NULL;
}

/* ---- pages ---- */

/* False: there is no room any more. */
static bool
page_keep(struct reach *r, uint32_t page, uint64_t limit)
{
	if (r->flags[page] & KEPT)
		return true;
	if (r->kept + REACH_PAGE > limit)
		return false;
	r->flags[page] |= KEPT;
	r->kept += REACH_PAGE;
	return true;
}

/*
 * The first page that is there at or behind the one of *@addr, which is moved
 * to it; NO_PAGE if none begins below @end. Between regions it jumps.
 */
static uint32_t
page_from(const struct reach *r, uint64_t *addr, uint64_t end)
{
	const struct reach_region *regions = r->pages.regions;
	uint32_t page = reach_page(&r->pages, *addr);
	uint32_t low = 0, high = r->pages.n;

	if (*addr >= end || page != NO_PAGE)
		return *addr < end ? page : NO_PAGE;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (reach_page_address(&r->pages, mid) < *addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!regions || low == r->pages.n
	    || reach_page_address(&r->pages, low) >= end)
		return NO_PAGE;
	*addr = reach_page_address(&r->pages, low);
	return low;
}

static uint64_t
page_after(uint64_t addr)
{
	uint64_t last = addr | (REACH_PAGE - 1);

	return last < UINT64_MAX ? last + 1 : last;
}

uint64_t
reach_keep_within(struct reach *r, uint64_t start, uint64_t end,
		  uint64_t limit)
{
	uint64_t most;
	uint32_t page;

	if (!u64_add(r->kept, limit, &most))
		most = UINT64_MAX;
	for (; (page = page_from(r, &start, end)) != NO_PAGE;
	     start = page_after(start))
		if (!page_keep(r, page, most))
			return start;
	return end;
}

void
reach_keep(struct reach *r, uint64_t start, uint64_t end)
{
	reach_keep_within(r, start, end, UINT64_MAX);
}

bool
reach_left_out(const struct reach *r, uint64_t addr)
{
	uint32_t page = reach_page(&r->pages, addr);

	return page != NO_PAGE && !(r->flags[page] & KEPT);
}

uint64_t
reach_kept_bytes(const struct reach *r)
{
	return r->kept;
}

/* ---- the queue ---- */

static void
queue_grow(struct reach *r, struct group *g)
{
	size_t done = g->next > g->n_roots ? g->next : 0;

	if (done && done >= g->n / 2) {
		memmove(g->items, g->items + done,
			(g->n - done) * sizeof(*g->items));
		g->n -= done;
		g->next = g->n_roots = 0;
		return;
	}
	size_t cap = g->cap ? 2 * g->cap : 64;
	void *more = reallocarray(g->items, cap, sizeof(*g->items));
	if (!more) {
		r->nomem = true;
		return;
	}
	g->items = more;
	g->cap = cap;
}

/* [start, end) lies in one page, or in pages that follow one another. */
static void
queue_put(struct reach *r, struct group *g, uint32_t page, uint64_t start,
	  uint64_t end)
{
	if (g->n == g->cap)
		queue_grow(r, g);
	if (r->nomem)
		return;
	start &= ~(uint64_t)(GRAIN - 1);
	g->items[g->n++] = (struct item){
		page * GRAINS + (uint32_t)(start % REACH_PAGE / GRAIN),
		(uint32_t)((end - start + GRAIN - 1) / GRAIN),
	};
}

static bool
queue_take(struct reach *r, struct group *g)
{
	if (g->next == g->n)
		return false;
	const struct item *i = &g->items[g->next++];
	g->at = reach_page_address(&r->pages, i->grain / GRAINS)
		+ i->grain % GRAINS * GRAIN;
	g->end = g->at + (uint64_t)i->grains * GRAIN;
	return true;
}

/* ---- objects ---- */

/* Its pages, and where what is kept of it ends; false: none is. */
static bool
object_keep(struct reach *r, uint64_t start, uint64_t *end)
{
	uint64_t at = start;
	uint32_t page;

	for (; (page = page_from(r, &at, *end)) != NO_PAGE;
	     at = page_after(at)) {
		if (page_keep(r, page, r->budget))
			continue;
		r->full = true;
		*end = at;
		break;
	}
	return *end > start;
}

static void
rest_add(struct reach *r, struct group *g, uint64_t at, uint64_t end)
{
	if (g->n_rests == g->cap_rests) {
		size_t cap = g->cap_rests ? 2 * g->cap_rests : 16;
		void *more = reallocarray(g->rests, cap, sizeof(*g->rests));
		if (!more) {
			r->nomem = true;
			return;
		}
		g->rests = more;
		g->cap_rests = cap;
	}
	g->rests[g->n_rests++] = (struct rest){ at, end };
}

/* As much of it as one object gets, of which the rest comes later. */
static void
object_put(struct reach *r, struct group *g, uint64_t start, uint64_t end)
{
	uint64_t stop = end;

	if (end - start > r->object_max)
		stop = start + r->object_max;
	if (!object_keep(r, start, &stop))
		return;
	uint32_t page = page_from(r, &start, stop);
	if (page != NO_PAGE)
		queue_put(r, g, page, start, stop);
	if (stop < end)
		rest_add(r, g, stop, end);
}

/* More of each that is not whole; false: they all are. */
static bool
rests_put(struct reach *r, struct group *g)
{
	size_t n = g->n_rests, left;

	for (size_t k = 0; k < n && !r->full && !r->nomem; k++) {
		struct rest rest = g->rests[k];

		g->rests[k].at = rest.end;
		object_put(r, g, rest.at, rest.end);
	}
	left = 0;
	for (size_t k = 0; k < g->n_rests; k++)
		if (g->rests[k].at < g->rests[k].end)
			g->rests[left++] = g->rests[k];
	g->n_rests = left;
	return n > 0;
}

/* No object is known there: the page as a whole. */
static void
page_found(struct reach *r, struct group *g, uint32_t page)
{
	uint64_t start = reach_page_address(&r->pages, page);

	if (r->flags[page] & WHOLE)
		return;
	if (!page_keep(r, page, r->budget)) {
		r->full = true;
		return;
	}
	r->flags[page] |= WHOLE;
	queue_put(r, g, page, start, start + REACH_PAGE);
}

/* And the next one, where an object near the end of a page goes on. */
static void
pages_found(struct reach *r, struct group *g, uint32_t page, uint64_t addr)
{
	uint32_t next = reach_page(&r->pages, addr + UNKNOWN_SIZE);

	page_found(r, g, page);
	if (next != NO_PAGE && next != page && !r->full
	    && reach_region(&r->pages, next)->area
	       == reach_region(&r->pages, page)->area)
		page_found(r, g, next);
}

static bool
mark_set(struct reach *r, uint32_t page, uint64_t addr)
{
	size_t grain = (size_t)page * GRAINS + addr % REACH_PAGE / GRAIN;
	uint8_t bit = (uint8_t)(1u << (grain & 7));

	if (r->marks[grain / 8] & bit)
		return false;
	r->marks[grain / 8] |= bit;
	return true;
}

/* Is nothing new behind pointers to the page? A block of which it is only a
 * part may be. */
static bool
is_done(const struct reach *r, uint32_t page)
{
	return (r->flags[page] & WHOLE) && !r->jemalloc;
}

/* Kept, not followed: it leads to all that is allocated. */
static void
books_found(struct reach *r, uint32_t page)
{
	if (page_keep(r, page, r->budget))
		r->flags[page] |= WHOLE;
	else
		r->full = true;
}

static enum jemalloc_kind
object_at(struct reach *r, uint64_t addr, uint32_t page, uint64_t *start,
	  uint64_t *end)
{
	enum jemalloc_kind kind = JEMALLOC_UNKNOWN;

	if (r->jemalloc)
		kind = jemalloc_object(r->jemalloc, addr, start, end);
	if (kind != JEMALLOC_UNKNOWN)
		return kind;
	return reach_chunk(&r->pages, addr, page, start, end)
	       ? JEMALLOC_OBJECT : JEMALLOC_UNKNOWN;
}

static void
object_found(struct reach *r, struct group *g, uint64_t addr)
{
	uint32_t page = reach_page(&r->pages, addr);
	uint64_t start, end;

	if (page == NO_PAGE || is_done(r, page))
		return;
	switch (object_at(r, addr, page, &start, &end)) {
	case JEMALLOC_UNKNOWN:
		pages_found(r, g, page, addr);
		return;
	case JEMALLOC_BOOKS:
		books_found(r, page);
		return;
	case JEMALLOC_OBJECT:
		break;
	}
	/* A large one is kept where it is pointed to, too. */
	if (addr >= start && addr - start >= r->object_max)
		pages_found(r, g, page, addr);
	page = page_from(r, &start, end);
	if (page == NO_PAGE || r->full || !mark_set(r, page, start))
		return;
	if (!(r->flags[page] & WHOLE) || end > page_after(start))
		object_put(r, g, start, end);
}

/* ---- the ring ---- */

static void
ring_flush(struct reach *r)
{
	for (; r->ring_n && !r->full; r->ring_n--) {
		object_found(r, r->filling, r->ring[r->ring_at]);
		r->ring_at = (r->ring_at + 1) % RING;
	}
}

/* @addr lies among the pages, or between them. */
static void
ring_put(struct reach *r, struct group *g, uint64_t addr)
{
	uint32_t page = reach_page(&r->pages, addr);
	size_t grain;

	if (page == NO_PAGE || is_done(r, page))
		return;
	grain = (size_t)page * GRAINS + addr % REACH_PAGE / GRAIN;
	if (r->marks[grain / 8] >> (grain & 7) & 1)
		return;
	const uint8_t *at = reach_page_bytes(&r->pages, page)
			    + addr % REACH_PAGE;
	__builtin_prefetch(at - GRAIN);
	__builtin_prefetch(at + 64);
	r->filling = g;
	if (r->ring_n == RING) {
		object_found(r, g, r->ring[r->ring_at]);
		r->ring_at = (r->ring_at + 1) % RING;
		r->ring_n--;
	}
	r->ring[(r->ring_at + r->ring_n++) % RING] = addr;
}

/* ---- roots ---- */

struct err *
reach_group(struct reach *r, size_t *group)
{
	struct group *more = reallocarray(r->groups, r->n_groups + 1,
					  sizeof(*more));

	if (!more)
		return err_nomem();
	r->groups = more;
	r->groups[r->n_groups] = (struct group){ 0 };
	*group = r->n_groups++;
	return NULL;
}

struct err *
reach_root(struct reach *r, size_t group, uint64_t start, uint64_t end)
{
	struct group *g = &r->groups[group];
	uint32_t page;

	start = (start + 7) & ~(uint64_t)7;
	for (; (page = page_from(r, &start, end)) != NO_PAGE;
	     start = page_after(start)) {
		uint64_t stop = page_after(start);
		bool all = start % REACH_PAGE == 0 && stop <= end;

		if (r->flags[page] & WHOLE)
			continue;
		if (all)
			r->flags[page] |= WHOLE;
		queue_put(r, g, page, start, stop < end ? stop : end);
		g->n_roots = g->n;
	}
	return r->nomem ? err_nomem() : NULL;
}

struct err *
reach_value(struct reach *r, size_t group, uint64_t value)
{
	object_found(r, &r->groups[group], value);
	r->groups[group].n_roots = r->groups[group].n;
	return r->nomem ? err_nomem() : NULL;
}

/* ---- the walk ---- */

/* The words of [g->at, g->end) that are on one page, both multiples of 8;
 * false: enough for now. */
static bool
look_into_page(struct reach *r, struct group *g, uint32_t page)
{
	const uint64_t min = r->pages.min, span = r->pages.span;
	uint64_t offset = g->at % REACH_PAGE, n = REACH_PAGE - offset;
	const uint8_t *bytes = reach_page_bytes(&r->pages, page) + offset;

	if (n > g->end - g->at)
		n = g->end - g->at;
	for (uint64_t at = 0; at < n; at += 8) {
		uint64_t word;

		memcpy(&word, bytes + at, 8);
		if (word - min >= span)
			continue;
		ring_put(r, g, word);
		if (r->full || r->kept >= r->allowed) {
			g->at += at + 8;
			return false;
		}
	}
	g->at += n;
	return true;
}

static bool
look_into(struct reach *r, struct group *g)
{
	uint32_t page;

	while ((page = page_from(r, &g->at, g->end)) != NO_PAGE)
		if (!look_into_page(r, g, page))
			return false;
	g->at = g->end;
	return true;
}

/* The item that comes a few steps later. */
static void
look_ahead(const struct reach *r, const struct group *g)
{
	size_t k = g->next + RING / 2;

	if (k >= g->n)
		return;
	const uint8_t *at = reach_page_bytes(&r->pages,
					     g->items[k].grain / GRAINS)
			    + (size_t)(g->items[k].grain % GRAINS) * GRAIN;
	__builtin_prefetch(at);
	__builtin_prefetch(at + 64);
}

/* What the queue holds, or its roots only; for about @bytes of new pages. */
static void
group_run(struct reach *r, struct group *g, bool roots_only, uint64_t bytes)
{
	if (!u64_add(r->kept, bytes, &r->allowed))
		r->allowed = UINT64_MAX;
	while (!r->full && !r->nomem && look_into(r, g)) {
		if (g->next == g->n || (roots_only && g->next >= g->n_roots))
			ring_flush(r);
		if (roots_only && g->next >= g->n_roots)
			break;
		if (!queue_take(r, g))
			break;
		look_ahead(r, g);
	}
	ring_flush(r);
	g->cut = g->cut || r->full;
}

static bool
group_idle(const struct group *g)
{
	return g->at == g->end && g->next == g->n;
}

/* What is small was found; now large objects grow. */
static bool
run_rests(struct reach *r)
{
	bool more = false;

	for (size_t k = 0; k < r->n_groups; k++)
		more |= rests_put(r, &r->groups[k]);
	return more;
}

static void
run_roots(struct reach *r)
{
	uint64_t left = r->budget > r->kept ? r->budget - r->kept : 0;
	uint64_t share = r->n_groups ? left / SHARE_PART / r->n_groups : 0;

	if (share < SHARE_MIN)
		share = SHARE_MIN;
	for (size_t k = 0; k < r->n_groups && !r->full; k++)
		group_run(r, &r->groups[k], true, share);
}

static void
run_turns(struct reach *r)
{
	bool more = true;

	while (more && !r->full && !r->nomem) {
		more = false;
		for (size_t k = 0; k < r->n_groups && !r->full; k++) {
			if (group_idle(&r->groups[k]))
				continue;
			group_run(r, &r->groups[k], false, TURN);
			more = true;
		}
		if (!more)
			more = run_rests(r);
	}
}

struct err *
reach_run(struct reach *r, size_t first)
{
	run_roots(r);
	if (first != REACH_NONE && !r->full)
		do
			group_run(r, &r->groups[first], false, UINT64_MAX);
		while (!r->full && !r->nomem
		       && rests_put(r, &r->groups[first]));
	run_turns(r);
	return r->nomem ? err_nomem() : NULL;
}

bool
reach_cut(const struct reach *r, size_t group)
{
	const struct group *g = &r->groups[group];

	return g->cut || !group_idle(g) || g->n_rests;
}

bool
reach_spent(const struct reach *r)
{
	return r->full;
}
