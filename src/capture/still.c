/* SPDX-License-Identifier: Apache-2.0 */
/*
 * still.c: what is most wanted is copied first. The process waits for all that
 * happens here: no allocation, no text, no page that is looked at in vain.
 */
#include "capture/still.h"

#include <string.h>
#include <unistd.h>

#include "capture/follow.h"
#include "capture/impl.h"

/* Of each stack before all else. */
#define STACK_NEAR (16u << 10)
/* One question about two gaps so near each other costs less than two. */
#define GAPS_NEAR (64u * PAGE)

/* ---- stacks ------------------------------------------------------------ */
/* What is there of it; what was not there before may be by now. */
static void
copy_stack_part(struct copier *c, uint64_t start, uint64_t end)
{
	struct piece *last = (struct piece *)c->plan->pieces.data
			     + c->plan->pieces.n;
	struct piece *x = plan_find(c->plan, start);

	for (; x && x < last && x->start < end; x++) {
		uint64_t from = x->start > start ? x->start : start;
		uint64_t to = x->end < end ? x->end : end;

		if (x->kind == SNAP_MEM_DATA)
			copier_piece(c, x, from, to);
		else if (x->kind == SNAP_MEM_ZERO)
			copier_range(c, from, to);
	}
}

/* Bytes [from, to) of the stack as it goes up from its pointer. */
static void
copy_stack(struct copier *c, const struct tracee *t, uint64_t from,
	   uint64_t to)
{
	uint64_t sp = t->has_regs ? machine_sp(&t->regs) : 0;
	uint64_t start = (sp - RED_ZONE) & ~(uint64_t)(PAGE - 1);
	const struct snap_map *map = plan_map_at(c->plan, sp);

	if (!map || sp < RED_ZONE)
		return;
	if (start < map->start)
		start = map->start;
	if (from >= map->end - start)
		return;
	if (to > map->end - start)
		to = map->end - start;
	copy_stack_part(c, start + from, start + to);
}

static void
copy_stacks(struct copier *c, const struct tracees *s, struct range part)
{
	for (size_t k = 0; k < s->n && !c->ended; k++)
		copy_stack(c, &s->all[k], part.start, part.end);
	copier_flush(c);
}

/* Of each thread at most so much that none starves the others. */
static struct range
stack_far(const struct copier *c, const struct tracees *s)
{
	const struct capture_limits *l = c->plan->limits;
	uint64_t share = l->copy / (s->n ? s->n : 1) & ~(uint64_t)(PAGE - 1);

	return (struct range){ STACK_NEAR, share < l->stack ? share
							    : l->stack };
}

/* ---- pages that were not there ----------------------------------------- */
/* Nothing is known of what was not looked at again. */
static void
claims_give_up(struct piece *x, const struct piece *end, uint8_t reason)
{
	for (; x < end; x++) {
		if (!x->claims)
			continue;
		x->kind = SNAP_MEM_ABSENT;
		x->reason = reason;
		x->claims = false;
	}
}

/* The pieces from @x on that one question is asked about. */
static struct piece *
claims_window(struct piece *x, const struct piece *end)
{
	struct piece *last = x;

	for (x++; x < end && x->start - last->end <= GAPS_NEAR; x++)
		if (x->claims)
			last = x;
	return last + 1;
}

/* What of @run lies in gaps of [*x, end), which go upwards. */
static void
claims_copy(struct copier *c, struct piece **x, const struct piece *end,
	    const struct page_run *run)
{
	for (; *x < end && (*x)->start < run->end; (*x)++) {
		uint64_t from = run->start > (*x)->start ? run->start
							 : (*x)->start;
		uint64_t to = run->end < (*x)->end ? run->end : (*x)->end;

		if ((*x)->claims && from < to)
			copier_range(c, from, to);
		if (c->ended || (*x)->end > run->end)
			return;
	}
}

static void
claims_check_window(struct copier *c, struct piece *x, struct piece *end)
{
	struct pages *pages = c->plan->pages;
	uint64_t at = x->start, to = end[-1].end;
	struct piece *next = x;
	struct page_run run;

	while (!c->ended && pages_next(pages, at, to, &run)) {
		claims_copy(c, &next, end, &run);
		at = run.end;
	}
	if (c->n_from)
		copier_flush(c);
	if (c->ended)
		claims_give_up(x, end, c->ended);
}

static void
claims_check(struct copier *c)
{
	struct piece *x = c->plan->pieces.data, *end = x + c->plan->pieces.n;

	pages_again(c->plan->pages);
	while (x < end && !c->ended) {
		if (!x->claims) {
			x++;
			continue;
		}
		struct piece *next = claims_window(x, end);
		if (pages_tell(c->plan->pages, x->start, next[-1].end))
			claims_check_window(c, x, next);
		else
			claims_give_up(x, next, SNAP_ABSENT_UNKNOWN);
		copier_look(c);
		x = next;
	}
	claims_give_up(x, end, c->ended);
}

/* ---- all else ---------------------------------------------------------- */
static void
copy_class(struct copier *c, uint8_t class)
{
	const struct piece *all = c->plan->pieces.data;

	c->shared = true;
	for (size_t k = 0; k < c->plan->pieces.n && !c->ended; k++)
		if (all[k].kind == SNAP_MEM_DATA && all[k].class == class)
			copier_piece(c, &all[k], all[k].start, all[k].end);
	copier_settle(c);
	c->shared = false;
}

/* Which of what was taken are stacks; behind them is what may point on. */
struct near {
	const struct tracee *first;     /* the faulting thread, or NULL */
	size_t n_first, n;
};

/* The next part of each stack: too little to ask whether there is time. */
static struct near
copy_near(struct copier *c, const struct tracees *s, const struct tracee *first)
{
	struct near near = { .first = first };

	if (first)
		copy_stack(c, first, 0, STACK_NEAR);
	copier_flush(c);
	near.n_first = c->n;
	copy_stacks(c, s, (struct range){ 0, STACK_NEAR });
	near.n = c->n;
	copy_class(c, CLASS_HEADER);
	return near;
}

/* What of it something points to, while not all can be had. */
static void
copy_reached(struct copier *c, const struct tracees *s, const struct near *near)
{
	struct follow f;

	follow_begin(&f, c);
	if (near->first)
		follow_registers(&f, near->first);
	follow_stacks(&f, 0, near->n_first);
	for (size_t k = 0; k < s->n; k++)
		follow_registers(&f, &s->all[k]);
	follow_stacks(&f, near->n_first, near->n);
	if (c->plan->follow_far)
		follow_all(&f, near->n);
}

void
still_copy(struct copier *c, const struct tracees *s,
	   const struct tracee *first)
{
	uint64_t deadline = c->deadline;
	struct range far = stack_far(c, s);

	c->deadline = 0;
	struct near near = copy_near(c, s, first);
	c->deadline = deadline;
	copier_look(c);
	if (first)
		copy_stack(c, first, far.start, far.end);
	copy_stacks(c, s, far);
	claims_check(c);
	copy_class(c, CLASS_CONST);
	copy_class(c, CLASS_MODULE);
	if (c->plan->follow)
		copy_reached(c, s, &near);
	copy_class(c, CLASS_DATA);
	copy_class(c, CLASS_TEXT);
}

/* ---- before and after -------------------------------------------------- */
bool
still_early(struct copier *c)
{
	if (c->plan->bytes > c->size)
		return true;            /* stacks come first */
	copy_class(c, CLASS_CONST);
	c->early = c->n;
	for (size_t k = 0; k < c->n; k++)
		if (c->taken[k].at == TAKEN_UNREADABLE)
			return false;
	return !c->ended;
}

static bool
is_same(const struct copier *c, const struct taken *t, int mem)
{
	uint8_t now[16u << 10];

	for (uint64_t at = t->start; at < t->end; at += sizeof(now)) {
		size_t n = t->end - at < sizeof(now) ? t->end - at
						     : sizeof(now);
		if (pread(mem, now, n, (off_t)at) != (ssize_t)n
		    || memcmp(now, c->buffer + t->at + (at - t->start), n))
			return false;
	}
	return true;
}

void
still_verify(struct copier *c, int mem)
{
	for (size_t k = 0; k < c->early; k++)
		if (!is_same(c, &c->taken[k], mem))
			c->taken[k].at = TAKEN_UNKNOWN;
}

static void
doubt_piece(struct copier *c, const struct piece *x)
{
	struct page_run run;

	for (uint64_t at = x->start;
	     pages_next(c->plan->pages, at, x->end, &run) && !run.guess;
	     at = run.end)
		if (!run.file)
			copier_doubt(c, run.start, run.end);
}

void
still_doubt(struct copier *c)
{
	const struct piece *all = c->plan->pieces.data;

	pages_again(c->plan->pages);
	for (size_t k = 0; k < c->plan->pieces.n; k++)
		if (all[k].of_file)
			doubt_piece(c, &all[k]);
}
