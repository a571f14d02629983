/* SPDX-License-Identifier: Apache-2.0 */
/*
 * constants.c: windows of a module that are as its file and the dynamic linker
 * make them, and were packed once for all who have that file loaded.
 */
#include "capture/constants.h"
#include "capture/reach.h"
#include "capture/redact.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/pool.h"

#define PASSED_STEP 64u         /* windows: 1 MiB */
#define HALVES_FROM 128u        /* that make a second thread worth while */

void
constants_find(struct saver *s, uint64_t addr, struct constants_at *out)
{
	const struct capture_options *o = s->options;
	size_t k = insp_module_at(s->insp, addr), n;

	*out = (struct constants_at){ 0 };
	if (!o->constants || k == INSP_NONE)
		return;
	const struct snap_module *m = &insp_modules(s->insp, &n)[k];
	if (snap_moved_open(o->constants(o->skeleton_arg, m), &out->windows))
		out->base = m->bias;
}

static bool
is_kept_whole(const struct saver *s, uint64_t addr)
{
	size_t part;

	for (uint64_t at = addr; s->reach && at < addr + SNAP_CHUNK; at += PAGE)
		if (reach_left_out(s->reach, at))
			return false;
	return !redact_part(s->redactions, addr, SNAP_CHUNK, &part)
	       && part == SNAP_CHUNK;
}

uint64_t
constants_place(const struct constants_at *c, size_t k)
{
	return c->base + c->windows.first + k * SNAP_CHUNK;
}

/* ---- comparing ------------------------------------------------------------ */
/* Windows [from, to), beside others. */
struct comparing {
	const struct constants_at *c;
	const struct constants_span *all;
	size_t from, to;
};

/* Pages of windows [from, to) of a mapping that is much larger than what is to
 * be kept in memory. */
static void
comparing_passed(const struct constants_at *c, size_t from, size_t to)
{
	const uintptr_t at = (uintptr_t)c->windows.bytes;
	const uintptr_t page = ~(uintptr_t)(PAGE - 1);
	uintptr_t first = (at + from * SNAP_CHUNK + PAGE - 1) & page;
	uintptr_t last = (at + to * SNAP_CHUNK) & page;

	if (first < last)
		(void)madvise((void *)first, last - first, MADV_DONTNEED);
}

static void *
comparing_run(void *arg)
{
	const struct comparing *p = arg;
	const struct constants_at *c = p->c;
	size_t passed = p->from;

	for (size_t k = p->from; k < p->to; k++) {
		c->same[k] = snap_moved_same(
			&c->windows, k,
			p->all->bytes + (constants_place(c, k) - p->all->start),
			c->base);
		if (k + 1 - passed < PASSED_STEP && k + 1 < p->to)
			continue;
		comparing_passed(c, passed, k + 1);
		passed = k + 1;
	}
	return NULL;
}

static void
comparing_halves(const struct comparing *all)
{
	size_t mid = all->from + (all->to - all->from) / 2;
	struct comparing here = *all, there = *all;
	pthread_t thread;

	here.to = there.from = mid;
	if (all->to - all->from < HALVES_FROM || pool_processors() < 2
	    || pthread_create(&thread, NULL, comparing_run, &there) != 0) {
		comparing_run((void *)all);
		return;
	}
	comparing_run(&here);
	pthread_join(thread, NULL);
}

struct err *
constants_compare(struct constants_at *c, const struct constants_span *all)
{
	const uint64_t first = constants_place(c, 0);
	const uint64_t skip = all->start > first ? all->start - first : 0;
	struct comparing p = { .c = c, .all = all };

	c->same = calloc(c->windows.n, sizeof(*c->same));
	if (!c->same)
		return err_nomem();
	p.from = p.to = (size_t)((skip + SNAP_CHUNK - 1) / SNAP_CHUNK);
	/* Below: a bias that is none, which runs over the end. */
	while (p.to < c->windows.n && constants_place(c, p.to) >= all->start
	       && constants_place(c, p.to) < all->end
	       && all->end - constants_place(c, p.to) >= SNAP_CHUNK)
		p.to++;
	if (p.from < p.to)
		comparing_halves(&p);
	return NULL;
}

void
constants_fini(struct constants_at *c)
{
	free(c->same);
	c->same = NULL;
}

bool
constants_next(const struct saver *s, const struct constants_at *c,
	       uint64_t from, size_t *k)
{
	uint64_t first = constants_place(c, 0);
	uint64_t skip = from > first ? from - first : 0;

	for (*k = (size_t)((skip + SNAP_CHUNK - 1) / SNAP_CHUNK);
	     *k < c->windows.n; ++*k)
		if (c->same[*k] && is_kept_whole(s, constants_place(c, *k)))
			return true;
	return false;
}
