/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which ways lead from a call to a function by jumps. The graph of functions
 * that end in jumps is made as it is walked, and kept.
 */
#include <string.h>

#include "inspect/impl.h"
#include "inspect/tail.h"
#include "inspect/tailsites.h"

#define ANSWERS 512u            /* a power of two */
#define STEPS_MAX 4096u         /* jumps that are tried for one answer */

struct answer {
	uint64_t ret, entry;
	struct tail_calls calls;
};
struct tails {
	struct answer *answers[ANSWERS];
};

/* ---- the walk ---------------------------------------------------------------- */
/** A way: jumps, outermost first, and which of its function's each one is. */
struct way {
	uint64_t pc[TAIL_CALLS_MAX];
	uint64_t to[TAIL_CALLS_MAX];
	const struct tail_function *from[TAIL_CALLS_MAX];
	size_t nth[TAIL_CALLS_MAX], n;
};

/** What all ways have in common: their first and their last jumps. */
struct common {
	uint64_t pc[TAIL_CALLS_MAX];    /* of the first way */
	size_t n, callers, callees;
	bool any, ambiguous;
};

static void
common_add(struct common *c, const struct way *w)
{
	size_t callers = 0, callees = 0;

	if (!c->any) {
		memcpy(c->pc, w->pc, w->n * sizeof(w->pc[0]));
		c->n = c->callers = c->callees = w->n;
		c->any = true;
		return;
	}
	while (callers < c->callers && callers < w->n
	       && c->pc[callers] == w->pc[callers])
		callers++;
	while (callees < c->callees && callees < w->n
	       && c->pc[c->n - 1 - callees] == w->pc[w->n - 1 - callees])
		callees++;
	c->callers = callers;
	c->callees = callees;
	c->ambiguous = !callers && !callees;
}

static bool
way_has(const struct way *w, uint64_t pc)
{
	for (size_t k = 0; k < w->n; k++)
		if (w->pc[k] == pc)
			return true;
	return false;
}

/* The @nth jump of @f or one behind it that the way does not have yet. */
static bool
way_push(struct way *w, const struct tail_function *f, size_t nth)
{
	for (; nth < f->n; nth++) {
		if (way_has(w, f->sites[nth].pc))
			continue;
		w->pc[w->n] = f->sites[nth].pc;
		w->to[w->n] = f->sites[nth].target;
		w->from[w->n] = f;
		w->nth[w->n++] = nth;
		return true;
	}
	return false;
}

/* Another jump in the place of the last one, or of one before it. */
static bool
way_next(struct way *w)
{
	while (w->n) {
		w->n--;
		if (way_push(w, w->from[w->n], w->nth[w->n] + 1))
			return true;
	}
	return false;
}

/* One function more at the end of the way; false: not all are known. */
static bool
way_extend(struct insp *i, struct way *w, uint64_t at, bool *went)
{
	const struct tail_function *f = tail_function(i, at);

	*went = false;
	if (!f || (f->n && w->n == TAIL_CALLS_MAX))
		return false;
	*went = way_push(w, f, 0);
	return true;
}

/* All ways from the function at @from to the one at @to. */
static bool
ways_find(struct insp *i, uint64_t from, uint64_t to, struct common *c)
{
	struct way w = { .n = 0 };
	uint64_t at = from;

	for (size_t steps = 0; steps < STEPS_MAX; steps++) {
		bool went = false;

		if (!at)
			return false;
		if (at == to)
			common_add(c, &w);
		else if (!way_extend(i, &w, at, &went))
			return false;
		if (c->ambiguous)
			return false;
		if (!went && !way_next(&w))
			return c->any;
		at = w.to[w.n - 1];
	}
	return false;
}

/* ---- answers ----------------------------------------------------------------- */
/* The last ones are behind the first ones, unless they are the same. */
static void
common_tell(const struct common *c, struct tail_calls *out)
{
	for (size_t k = 0; k < c->callees; k++)
		out->pc[out->n++] = c->pc[c->n - 1 - k];
	if (c->callees == c->n)
		return;
	for (size_t k = c->callers; k-- > 0 && out->n < TAIL_CALLS_MAX;)
		out->pc[out->n++] = c->pc[k];
}

static void
tail_answer(struct insp *i, struct answer *a)
{
	struct common c = { .n = 0 };
	uint64_t target = tail_called(i, a->ret, a->entry);

	if (target && target != a->entry
	    && ways_find(i, target, a->entry, &c))
		common_tell(&c, &a->calls);
}

static struct answer *
tail_slot(struct insp *i, uint64_t ret, uint64_t entry)
{
	uint64_t hash = (ret ^ entry << 1) * 0x9e3779b97f4a7c15ull;

	if (!i->tails)
		i->tails = arena_alloc(i->arena, sizeof(*i->tails));
	if (!i->tails)
		return NULL;
	struct answer **slot = &i->tails->answers[hash >> 32 & (ANSWERS - 1)];
	if (!*slot)
		*slot = arena_alloc(i->arena, sizeof(**slot));
	return *slot;
}

void
insp_tail_calls(struct insp *i, uint64_t ret, uint64_t pc,
		struct tail_calls *out)
{
	uint64_t entry = tail_entry(i, pc);
	struct answer *a = entry ? tail_slot(i, ret, entry) : NULL;

	out->n = 0;
	if (!a)
		return;
	if (a->ret != ret || a->entry != entry) {
		*a = (struct answer){ .ret = ret, .entry = entry };
		tail_answer(i, a);
	}
	*out = a->calls;
}

bool
insp_calls(struct insp *i, uint64_t ret, uint64_t entry)
{
	return entry && tail_called(i, ret, entry) == entry;
}

bool
insp_reenters(struct insp *i, uint64_t pc)
{
	uint64_t entry = tail_entry(i, pc);
	uint64_t seen[STEPS_MAX / 16];
	size_t n = 0;

	seen[n++] = entry;
	for (size_t k = 0; k < n; k++) {
		const struct tail_function *f = tail_function(i, seen[k]);

		for (size_t s = 0; f && s < f->n; s++) {
			uint64_t to = f->sites[s].target;
			size_t known = 1;

			if (!to || to == entry || n == countof(seen))
				return true;
			while (known < n && seen[known] != to)
				known++;
			if (known == n)
				seen[n++] = to;
		}
		if (!f)
			return true;
	}
	return false;
}
