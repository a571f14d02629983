/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads whose stacks are the same.
 */
#include "analysis/analysis.h"

struct err *
groups_init(struct groups *g, size_t threads, struct arena *a)
{
	size_t slots = 2;

	while (slots < 2 * threads)
		slots *= 2;
	*g = (struct groups){ .mask = slots - 1 };
	if (threads > UINT32_MAX / 4)
		return err_nomem();
	g->list = arena_array(a, threads + 1, sizeof(*g->list));
	g->of = arena_array(a, threads + 1, sizeof(*g->of));
	g->views = arena_array(a, threads + 1, sizeof(struct view *));
	g->hashes = arena_array(a, threads + 1, sizeof(*g->hashes));
	g->table = arena_array(a, slots, sizeof(*g->table));
	return g->list && g->of && g->views && g->hashes && g->table
	       ? NULL : err_nomem();
}

/* FNV-1a over the pcs: what was inlined is a function of these. */
static uint64_t
hash_of(const struct view *v)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t k = 0; k < v->n; k++)
		hash = (hash ^ v->frames[k].pc) * 0x100000001b3u;
	return hash;
}

static bool
same_stack(const struct view *a, const struct view *b)
{
	if (a->n != b->n || a->end != b->end)
		return false;
	for (size_t k = 0; k < a->n; k++) {
		if (a->frames[k].pc != b->frames[k].pc)
			return false;
	}
	return true;
}

/* Where its group stands in the table, or will. */
static uint32_t *
find_slot(const struct groups *g, const struct view *v, uint64_t hash)
{
	size_t at = (size_t)(hash ^ hash >> 32) & g->mask;

	while (g->table[at]) {
		uint32_t group = g->table[at] - 1;

		if (g->hashes[group] == hash && same_stack(g->views[group], v))
			break;
		at = (at + 1) & g->mask;
	}
	return &g->table[at];
}

void
groups_add(struct groups *g, const struct view *v)
{
	const uint64_t hash = hash_of(v);
	uint32_t *slot = find_slot(g, v, hash);

	if (!*slot) {
		g->views[g->n] = v;
		g->hashes[g->n] = hash;
		g->list[g->n].first = g->threads;
		*slot = (uint32_t)++g->n;
	}
	g->list[*slot - 1].n++;
	g->of[g->threads++] = *slot - 1;
}
