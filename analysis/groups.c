/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads whose stacks are the same.
 */
#include "analysis/analysis.h"

#include <string.h>

/* Of one thread; more are compared by these. */
#define FRAMES_MAX 4096u
#define FRAMES_MIN 64u
#define ALL_FRAMES_MAX (1u << 20)

struct group_stack {
	uint64_t hash;
	const uint64_t *pcs;
	size_t n;
	enum stack_end end;
};

struct err *
groups_init(struct groups *g, size_t threads, struct arena *a)
{
	size_t slots = 2;

	if (threads > UINT32_MAX / 4)
		return err_nomem();
	while (slots < 2 * threads)
		slots *= 2;
	*g = (struct groups){ .mask = slots - 1, .arena = a };
	g->list = arena_array(a, threads + 1, sizeof(*g->list));
	g->of = arena_array(a, threads + 1, sizeof(*g->of));
	g->stacks = arena_array(a, threads + 1, sizeof(*g->stacks));
	g->table = arena_array(a, slots, sizeof(*g->table));
	return g->list && g->of && g->stacks && g->table ? NULL : err_nomem();
}

/* FNV-1a over the pcs: what was inlined is a function of these. */
static uint64_t
hash_of(const uint64_t *pcs, size_t n)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t k = 0; k < n; k++)
		hash = (hash ^ pcs[k]) * 0x100000001b3u;
	return hash;
}

static bool
same_stack(const struct group_stack *a, const struct group_stack *b)
{
	return a->hash == b->hash && a->n == b->n && a->end == b->end
	       && (!a->n
		   || memcmp(a->pcs, b->pcs, a->n * sizeof(*a->pcs)) == 0);
}

/* Where its group stands in the table, or will. */
static uint32_t *
find_slot(const struct groups *g, const struct group_stack *s)
{
	size_t at = (size_t)(s->hash ^ s->hash >> 32) & g->mask;

	while (g->table[at] && !same_stack(&g->stacks[g->table[at] - 1], s))
		at = (at + 1) & g->mask;
	return &g->table[at];
}

struct err *
groups_add(struct groups *g, const uint64_t *pcs, size_t n, enum stack_end end)
{
	struct group_stack s = {
		.hash = hash_of(pcs, n), .pcs = pcs, .n = n, .end = end,
	};
	uint32_t *slot = find_slot(g, &s);

	if (!*slot) {
		s.pcs = arena_dup(g->arena, pcs, n * sizeof(*pcs));
		if (n && !s.pcs)
			return err_nomem();
		g->stacks[g->n] = s;
		g->list[g->n].first = g->threads;
		*slot = (uint32_t)++g->n;
	}
	g->list[*slot - 1].n++;
	g->of[g->threads++] = *slot - 1;
	return NULL;
}

struct err *
groups_add_view(struct groups *g, const struct view *v)
{
	_buf_ struct buf pcs = { 0 };

	for (size_t k = 0; k < v->n; k++)
		buf_put(&pcs, &v->frames[k].pc, sizeof(v->frames[k].pc));
	struct err *err = buf_err(&pcs);
	return err ? err : groups_add(g, (const uint64_t *)(void *)pcs.data,
				      v->n, v->end);
}

/* ---- as they are unwound -------------------------------------------------------- */
static size_t
frames_max(const struct insp *i)
{
	size_t share = ALL_FRAMES_MAX / insp_target(i)->n_threads;

	if (share < FRAMES_MIN)
		return FRAMES_MIN;
	return share < FRAMES_MAX ? share : FRAMES_MAX;
}

/* Where unwinding does not get to the end, the snapshot may know more. */
struct err *
groups_add_next(struct groups *g, struct insp *i)
{
	_arena_ struct arena *a = arena_new(0);
	const size_t thread = g->threads, max = frames_max(i);
	_buf_ struct buf pcs = { 0 };
	struct stack s;
	struct view v;

	if (!a)
		return err_nomem();
	struct err *err = insp_stack(i, thread, max, false, a, &s);
	if (err)
		return err;
	if (s.end == STACK_TRUNCATED) {
		err = insp_view(i, thread, max, a, &v);
		return err ? err : groups_add_view(g, &v);
	}
	for (size_t k = 0; k < s.n; k++)
		buf_put(&pcs, &s.frames[k].pc, sizeof(s.frames[k].pc));
	err = buf_err(&pcs);
	return err ? err : groups_add(g, (const uint64_t *)(void *)pcs.data,
				      s.n, s.end);
}
