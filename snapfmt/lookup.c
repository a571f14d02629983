/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a hash to the numbers that have it: open addressing, never shrinking.
 * Serves interned strings, equal chunks and equal skeletons.
 */
#include <stdlib.h>

#include "snapfmt/layout.h"

#define LOOKUP_FIRST 64u        /* slots at first; a power of two */

static size_t
lookup_next(const struct lookup *l, size_t i)
{
	return (i + 1) & (l->cap - 1);
}

bool
lookup_find(const struct lookup *l, uint64_t hash, lookup_same_fn *same,
	    const void *arg, uint32_t *id)
{
	if (!l->cap)
		return false;
	for (size_t i = hash & (l->cap - 1); l->slot[i].id_plus_1;
	     i = lookup_next(l, i)) {
		const struct lookup_slot *s = &l->slot[i];

		if (s->hash == hash && same(arg, s->id_plus_1 - 1)) {
			*id = s->id_plus_1 - 1;
			return true;
		}
	}
	return false;
}

static void
lookup_place(struct lookup *l, struct lookup_slot entry)
{
	size_t i = entry.hash & (l->cap - 1);

	while (l->slot[i].id_plus_1)
		i = lookup_next(l, i);
	l->slot[i] = entry;
	l->n++;
}

static bool
lookup_grow(struct lookup *l)
{
	struct lookup bigger = { .cap = l->cap ? l->cap * 2 : LOOKUP_FIRST };

	bigger.slot = calloc(bigger.cap, sizeof(*bigger.slot));
	if (!bigger.slot)
		return false;
	for (size_t i = 0; i < l->cap; i++)
		if (l->slot[i].id_plus_1)
			lookup_place(&bigger, l->slot[i]);
	free(l->slot);
	*l = bigger;
	return true;
}

bool
lookup_add(struct lookup *l, uint64_t hash, uint32_t id)
{
	/* Half full at most, so that a search always meets a free slot. */
	if (l->n >= l->cap / 2 && !lookup_grow(l))
		return false;
	lookup_place(l, (struct lookup_slot){ hash, id + 1 });
	return true;
}

void
lookup_fini(struct lookup *l)
{
	free(l->slot);
	*l = (struct lookup){ 0 };
}

uint64_t
lookup_hash(const uint8_t xxh[XXH128_SIZE])
{
	struct rd r = rd_of(xxh, XXH128_SIZE);

	return rd_u64(&r);
}
