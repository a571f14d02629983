/* SPDX-License-Identifier: Apache-2.0 */
/*
 * constants.c: windows of a module that are as its file and the dynamic linker
 * make them, and were packed once for all who have that file loaded.
 */
#include "capture/constants.h"
#include "capture/reach.h"
#include "capture/redact.h"

#include <sys/mman.h>

#define PASSED_STEP 64u         /* windows: 1 MiB */

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

void
constants_passed(struct constants_at *c, size_t k)
{
	uintptr_t at = (uintptr_t)c->windows.bytes;
	const uintptr_t page = ~(uintptr_t)(PAGE - 1);
	uintptr_t from = (at + c->passed * SNAP_CHUNK + PAGE - 1) & page;
	uintptr_t to = (at + k * SNAP_CHUNK) & page;

	if (k < c->passed + PASSED_STEP)
		return;
	c->passed = k;
	(void)madvise((void *)from, to - from, MADV_DONTNEED);
}

uint64_t
constants_place(const struct constants_at *c, size_t k)
{
	return c->base + c->windows.first + k * SNAP_CHUNK;
}

bool
constants_next(const struct saver *s, const struct constants_at *c,
	       const struct constants_span *all, uint64_t from, size_t *k)
{
	uint64_t first = constants_place(c, 0);
	uint64_t skip = from > first ? from - first : 0;

	for (*k = (size_t)((skip + SNAP_CHUNK - 1) / SNAP_CHUNK);
	     *k < c->windows.n; ++*k) {
		uint64_t at = constants_place(c, *k);

		/* Below: a bias that is none, which runs over the end. */
		if (at < from || at >= all->end || all->end - at < SNAP_CHUNK)
			return false;
		if (snap_moved_same(&c->windows, *k,
				    all->bytes + (at - all->start), c->base)
		    && is_kept_whole(s, at))
			return true;
	}
	return false;
}
