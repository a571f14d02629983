/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of a stack that come again, as in recursion.
 */
#include "analysis/analysis.h"

#include <string.h>

/* Frames that come again: how long a cycle is looked for, how often it must. */
#define CYCLE_MAX 8u
#define CYCLE_REPEATS 4u

/* Functions that were inlined at one place have one pc. */
static bool
same_frame(const struct snap_frame *a, const struct snap_frame *b)
{
	if (a->pc != b->pc || a->how != b->how)
		return false;
	return a->how != SNAP_FRAME_INLINE
	       || (a->function && b->function
		   && strcmp(a->function, b->function) == 0
		   && a->line == b->line);
}

/* How many frames from @at on repeat a cycle of @period frames. */
static size_t
cycle_run(const struct view *v, size_t at, size_t period)
{
	size_t k = at + period;

	while (k < v->n && same_frame(&v->frames[k], &v->frames[k - period]))
		k++;
	return k - at;
}

bool
fold_at(const struct view *v, size_t at, struct fold *out)
{
	for (size_t period = 1; period <= CYCLE_MAX; period++) {
		size_t run = cycle_run(v, at, period);

		if (run / period < CYCLE_REPEATS)
			continue;
		*out = (struct fold){
			.first = at, .period = period, .n = run - run % period,
		};
		return true;
	}
	return false;
}
