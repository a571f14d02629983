/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy.c: process_vm_readv(2) in batches, each with one end here. A batch
 * stops short at the first page that cannot be read, which is noted and passed
 * by.
 */
#include "capture/copy.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "capture/impl.h"
#include "capture/tracees.h"

/* So much is copied between two looks at the clock. */
#define SLICE (1u << 20)
#define LARGE (2ull << 20)      /* bytes of a large page */
/* Some of them. */
#define FILL_PART (4u << 20)
/* Less memory than this is there before a thread is. */
#define HELP_FROM (4u << 20)
/* So many unreadable pages in a row, and the rest of a piece is given up. */
#define BAD_RUN_MAX 64u
/* Less is copied sooner than another thread is told of it. */
#define LANE_FROM (256u << 10)
/* What a process may grow by until it stands still, beside a tenth. */
#define RESERVE_MIN (1ull << 20)
#define RESERVE_MAX (16ull << 20)
/* Address space, not memory: for more growth than that. */
#define ROOM (64ull << 20)
/* Bytes in a nanosecond at the most, where they are found by following. */
#define FOLLOW_SPEED 4u
/* Pieces that are copied in parts, and pages that nobody expected. */
#define TAKEN_SPARE 8192u
/* Pages that may be copied one by one, because something points to them. */
#define TAKEN_PAGES (1u << 18)

/* Of Linux 5.14, under a name of our own for older headers. */
#define POPULATE_WRITE 23

/* ---- room -------------------------------------------------------------- */
struct filler {
	uint8_t *at;
	size_t n;
	atomic_size_t next;     /* part that nobody has taken yet */
};

static void
populate_part(uint8_t *at, size_t n)
{
	if (madvise(at, n, POPULATE_WRITE) == 0)
		return;
	for (size_t k = 0; k < n; k += PAGE)
		((volatile uint8_t *)at)[k] = 0;
}

static void *
populate_run(void *arg)
{
	struct filler *f = arg;
	size_t at;

	while ((at = atomic_fetch_add(&f->next, FILL_PART)) < f->n)
		populate_part(f->at + at, f->n - at < FILL_PART
					  ? f->n - at : FILL_PART);
	return NULL;
}

/* The kernel clears each page: much of it, by two threads. */
static void
populate(uint8_t *at, size_t n)
{
	struct filler f = { .at = at, .n = n };
	pthread_t helper;
	bool helped;

	/* Large pages where they are allowed: fewer faults, faster copies. */
	(void)madvise(at, n, MADV_HUGEPAGE);
	helped = n > HELP_FROM
		 && pthread_create(&helper, NULL, populate_run, &f) == 0;
	populate_run(&f);
	if (helped)
		pthread_join(helper, NULL);
}

static uint64_t
page_down(uint64_t n)
{
	return n & ~(uint64_t)(PAGE - 1);
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Where large pages begin: the first and the last one are such pages, too. */
static uint8_t *
buffer_map(size_t size)
{
	uint8_t *all = mmap(NULL, size + LARGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			    0);

	if (all == MAP_FAILED)
		return NULL;
	size_t before = -(uintptr_t)all & (LARGE - 1);
	uint8_t *at = all + before;
	if (before)
		munmap(all, before);
	munmap(at + size, LARGE - before);
	return at;
}

/* Address space for all that may be copied, memory for what is expected. */
static struct err *
buffer_reserve(struct copier *c, uint64_t bytes)
{
	uint64_t limit = page_down(c->plan->limits->copy + PAGE - 1);
	uint64_t ready = least(limit, bytes + least(RESERVE_MIN + bytes / 10,
						    RESERVE_MAX));
	uint64_t size = least(limit, bytes + bytes / 4 + ROOM);

	/* What time will end before is address space alone. */
	if (c->plan->follow_far && c->plan->limits->pause_ns)
		ready = least(ready, RESERVE_MIN + c->plan->limits->pause_ns
				     * FOLLOW_SPEED);
	ready = page_down(ready);
	size = page_down(size);
	c->used = 0;
	if (c->size >= size && c->ready >= ready)
		return NULL;
	if (c->size < size) {
		copier_fini(c);
		c->buffer = buffer_map(size);
		if (!c->buffer)
			return err_nomem();
		c->size = size;
	}
	populate(c->buffer + c->ready, ready - c->ready);
	c->ready = ready;
	return NULL;
}

/* Zeroed, and so there: its pages are not faulted in later. */
static void *
array_reserve(struct arena *a, void *old, size_t *cap, size_t n, size_t size)
{
	void *at = old;

	if (n > *cap) {
		at = arena_array(a, n, size);
		*cap = at ? n : *cap;
	}
	if (at)
		memset(at, 0, *cap * size);
	return at;
}

struct err *
copier_reserve(struct copier *c, struct arena *a, uint64_t extra)
{
	const struct plan *p = c->plan;
	uint64_t slices = (p->bytes + extra) / SLICE;
	size_t pages = least(TAKEN_PAGES,
			     least(p->n_pages, p->limits->copy / PAGE));

	c->n = c->n_from = c->want = c->early = 0;
	c->ended = 0;
	void *taken = array_reserve(a, c->taken, &c->cap,
				    2 * p->pieces.n + slices + pages
				    + TAKEN_SPARE, sizeof(*c->taken));
	void *done = array_reserve(a, c->done, &c->words, p->n_pages / 64 + 1,
				   sizeof(*c->done));
	if (!taken || !done)
		return err_nomem();
	c->taken = taken;
	c->done = done;
	return buffer_reserve(c, p->bytes + extra);
}

void
copier_fini(struct copier *c)
{
	if (c->buffer)
		munmap(c->buffer, c->size);
	c->buffer = NULL;
	c->size = c->ready = 0;
}

/* ---- batches ----------------------------------------------------------- */
static void
take_note(struct copier *c, uint64_t start, uint64_t n, uint64_t at)
{
	struct taken *last = c->n ? &c->taken[c->n - 1] : NULL;

	if (at == TAKEN_UNREADABLE && last && last->at == at
	    && last->end == start) {
		last->end += n;
		return;
	}
	/* Cannot be: each batch is held against the room before it begins. */
	if (c->taken && c->n < c->cap)
		c->taken[c->n++] = (struct taken){ start, start + n, at };
}

/* Parts of the process, and where in the buffer they go. */
struct batch {
	struct iovec *from;
	size_t n, want, at;
};

/* @got bytes of the batch, from its @first part on, have come. */
static void
batch_take(struct copier *c, struct batch *b, size_t got, size_t *first)
{
	while (got) {
		struct iovec *io = &b->from[*first];
		size_t step = got < io->iov_len ? got : io->iov_len;

		take_note(c, (uint64_t)(uintptr_t)io->iov_base, step, b->at);
		b->at += step;
		b->want -= step;
		got -= step;
		io->iov_base = (char *)io->iov_base + step;
		io->iov_len -= step;
		c->bad_run = 0;
		*first += io->iov_len == 0;
	}
}

static void
batch_skip(struct copier *c, struct batch *b, size_t *first)
{
	struct iovec *io = &b->from[*first];
	uint64_t addr = (uint64_t)(uintptr_t)io->iov_base;
	size_t page = PAGE - addr % PAGE;
	size_t n = ++c->bad_run > BAD_RUN_MAX || page > io->iov_len
		   ? io->iov_len : page;

	take_note(c, addr, n, TAKEN_UNREADABLE);
	b->want -= n;
	io->iov_base = (char *)io->iov_base + n;
	io->iov_len -= n;
	*first += io->iov_len == 0;
}

/* @got: what has come of it already. */
static void
batch_run(struct copier *c, struct batch *b, ssize_t got)
{
	size_t first = 0;

	for (;;) {
		batch_take(c, b, got > 0 ? (size_t)got : 0, &first);
		if (first == b->n)
			return;
		if (got >= 0)
			batch_skip(c, b, &first);
		if (first == b->n)
			return;
		const struct iovec to = { c->buffer + b->at, b->want };
		got = process_vm_readv(c->tid, &to, 1, &b->from[first],
				       b->n - first, 0);
		got = got < 0 ? 0 : got;
	}
}

void
copier_look(struct copier *c)
{
	if (!c->ended && c->deadline && tracees_now() >= c->deadline)
		c->ended = SNAP_ABSENT_TIME;
}

static void
flush_here(struct copier *c)
{
	struct batch b = { c->from, c->n_from, c->want, c->used };

	batch_run(c, &b, -1);
	c->used = b.at;
}

/* What the lane has copied; what it could not, or has not, is done here. */
static void
copier_collect(struct copier *c)
{
	struct lane *l = &c->lane;
	struct batch b = { l->from, l->n, l->to.iov_len,
			   (size_t)((uint8_t *)l->to.iov_base - c->buffer) };

	if (lane_wait(l)) {
		batch_run(c, &b, l->got < 0 ? 0 : l->got);
		l->n = l->to.iov_len = 0;
		atomic_store(&l->state, LANE_IDLE);
		return;
	}
	if (b.want > c->size - c->used) {
		c->ended = SNAP_ABSENT_BUDGET;
		return;
	}
	memcpy(c->from, l->from, l->n * sizeof(*c->from));
	c->n_from = b.n;
	c->want = b.want;
	flush_here(c);
	c->n_from = c->want = 0;
}

void
copier_settle(struct copier *c)
{
	copier_flush(c);
	if (c->lane.runs && !c->lane.given_up
	    && !lane_is(&c->lane, LANE_IDLE))
		copier_collect(c);
	copier_look(c);
}

/* Whoever has the lane does the next part at the same time. */
static void
flush_by_lane(struct copier *c)
{
	struct iovec to = { c->buffer + c->used, c->want };

	lane_give(&c->lane, c->tid, c->from, c->n_from, to);
	c->used += c->want;
}

void
copier_flush(struct copier *c)
{
	struct lane *l = &c->lane;

	if (lane_is(l, LANE_DONE))
		copier_collect(c);
	/* Each part may break into as many as it has pages that are bad. */
	size_t parts = c->n_from + l->n;
	size_t pages = (c->want + l->to.iov_len) / PAGE;
	if (c->cap - c->n < 2 * parts + 2 * pages)
		c->ended = SNAP_ABSENT_BUDGET;
	else if (c->shared && c->want >= LANE_FROM && lane_is(l, LANE_IDLE))
		flush_by_lane(c);
	else if (c->n_from)
		flush_here(c);
	c->n_from = c->want = 0;
	copier_look(c);
}

/* How much of @n bytes goes into the batch now; 0: no room is left. */
static size_t
batch_room(struct copier *c, uint64_t n)
{
	if (c->n_from == COPY_BATCH || c->want >= SLICE)
		copier_flush(c);
	if (c->ended)
		return 0;
	n = least(n, SLICE - c->want);
	if (n > c->size - c->used - c->want) {
		n = page_down(c->size - c->used - c->want);
		if (n == 0) {
			copier_flush(c);
			c->ended = SNAP_ABSENT_BUDGET;
		}
	}
	return n;
}

void
copier_range(struct copier *c, uint64_t start, uint64_t end)
{
	while (start < end) {
		size_t n = batch_room(c, end - start);

		if (n == 0)
			return;
		c->from[c->n_from++] = (struct iovec){
			(void *)(uintptr_t)start, n,
		};
		c->want += n;
		start += n;
	}
}

static bool
page_done(const struct copier *c, size_t page)
{
	return c->done[page / 64] >> page % 64 & 1;
}

void
copier_piece(struct copier *c, const struct piece *x, uint64_t start,
	     uint64_t end)
{
	size_t page = x->page + (start - x->start) / PAGE;
	uint64_t from = start, at = start;

	for (; at < end && !c->ended; at += PAGE, page++) {
		if (page_done(c, page)) {
			copier_range(c, from, at);
			from = at + PAGE;
		}
		c->done[page / 64] |= 1ull << page % 64;
		if (at + PAGE - from >= SLICE) {
			copier_range(c, from, at + PAGE);
			from = at + PAGE;
		}
	}
	copier_range(c, from, at);
}

void
copier_page(struct copier *c, const struct piece *x, uint64_t addr)
{
	uint64_t at = page_down(addr);
	size_t page = x->page + (at - x->start) / PAGE;

	if (page_done(c, page))
		return;
	c->done[page / 64] |= 1ull << page % 64;
	copier_range(c, at, at + PAGE);
}

/* ---- afterwards -------------------------------------------------------- */
void
copier_doubt(struct copier *c, uint64_t start, uint64_t end)
{
	take_note(c, start, end - start, TAKEN_UNKNOWN);
}

static int
taken_order(const void *a, const void *b)
{
	const struct taken *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

void
copier_sort(struct copier *c)
{
	if (c->n)
		qsort(c->taken, c->n, sizeof(*c->taken), taken_order);
}

void
copy_touch_modules(const struct plan *plan, pid_t pid)
{
	const struct piece *all = plan->pieces.data;
	char byte;

	for (size_t k = 0; k < plan->pieces.n; k++) {
		const struct iovec to = { &byte, 1 };
		const struct iovec from = {
			(void *)(uintptr_t)all[k].start, 1,
		};
		if (all[k].kind == SNAP_MEM_DATA
		    && all[k].class <= CLASS_MODULE)
			(void)!process_vm_readv(pid, &to, 1, &from, 1, 0);
	}
}
