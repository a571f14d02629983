/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowd.c: a sorted table of threads. New ones have the highest numbers, so
 * that little is moved.
 */
#include "capture/crowd.h"

#include <stdlib.h>
#include <string.h>

void
crowd_fini(struct crowd *c)
{
	free(c->all);
}

/* Where @tid is, or belongs. */
static size_t
place_of(const struct crowd *c, pid_t tid)
{
	size_t low = 0, high = c->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (c->all[mid].tid < tid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct member *
crowd_find(const struct crowd *c, pid_t tid)
{
	size_t k = place_of(c, tid);

	return k < c->n && c->all[k].tid == tid ? &c->all[k] : NULL;
}

struct member *
crowd_get(struct crowd *c, pid_t tid)
{
	size_t k = place_of(c, tid);

	if (k < c->n && c->all[k].tid == tid)
		return &c->all[k];
	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 64;
		void *all = realloc(c->all, cap * sizeof(*c->all));

		if (!all)
			return NULL;
		c->all = all;
		c->cap = cap;
	}
	memmove(&c->all[k + 1], &c->all[k], (c->n - k) * sizeof(*c->all));
	c->n++;
	c->all[k] = (struct member){ .tid = tid };
	return &c->all[k];
}

void
crowd_remove(struct crowd *c, pid_t tid)
{
	size_t k = place_of(c, tid);

	if (k == c->n || c->all[k].tid != tid)
		return;
	c->n--;
	memmove(&c->all[k], &c->all[k + 1], (c->n - k) * sizeof(*c->all));
}
