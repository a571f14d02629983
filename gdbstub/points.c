/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Breakpoints. Nothing runs into one, but they tell what a person wants: gdb's
 * finish, until and advance are a breakpoint at a return address, and a
 * request to continue. Such a one is set anew each time, and gdb 13 looks for
 * a trap instruction under each that it makes; one of a person stays from one
 * request to the next. So the latter do not keep a series where it is twice.
 */
#include "gdbstub/impl.h"

#include <stdlib.h>

#define POINTS_MAX 1024u
#define FRAMES_LOOKED_AT 4096u
#define ARENA_LIMIT (16u << 20)

static struct point *
find(struct stub *s, uint64_t addr)
{
	for (size_t k = 0; k < s->n_points; k++)
		if (s->points[k].addr == addr
		    && s->points[k].inferior == s->inferior)
			return &s->points[k];
	return NULL;
}

/* More than there is room for are accepted, and tell nothing. */
static struct point *
add(struct stub *s, uint64_t addr)
{
	if (s->n_points == POINTS_MAX)
		return NULL;
	if (!s->points)
		s->points = calloc(POINTS_MAX, sizeof(*s->points));
	if (!s->points)
		return NULL;
	s->points[s->n_points] = (struct point){ .addr = addr,
						 .inferior = s->inferior };
	return &s->points[s->n_points++];
}

static bool
stops_code(const struct args *a)
{
	return a->v[0].number == '0' || a->v[0].number == '1';
}

void
points_set(struct stub *s, const struct args *a)
{
	uint64_t addr = a->v[1].number;

	if (!stops_code(a))
		return;
	struct point *p = find(s, addr);
	if (!p)
		p = add(s, addr);
	if (p)
		p->set = true;
}

void
points_clear(struct stub *s, const struct args *a)
{
	struct point *p = stops_code(a) ? find(s, a->v[1].number) : NULL;

	if (p)
		p->set = false;
}

void
points_looked(struct stub *s, uint64_t addr)
{
	struct point *p = find(s, addr);

	if (p)
		p->known = false;
}

static bool
is_new(const struct stub *s, const struct point *p)
{
	return p->set && !p->known && p->inferior == s->inferior;
}

/** Is a new one where a frame of this thread is returned to? */
static bool
returns(const struct stub *s, const struct inferior *f, size_t thread)
{
	_arena_ struct arena *a = arena_new(ARENA_LIMIT);
	struct stack st = { 0 };

	if (!a || thread >= f->n_threads)
		return false;
	_err_ struct err *err = insp_stack(f->insp, thread, FRAMES_LOOKED_AT,
					   false, a, &st);
	for (size_t n = 0; !err && n < s->n_points; n++)
		for (size_t k = 1; is_new(s, &s->points[n]) && k < st.n; k++)
			if (st.frames[k].pc == s->points[n].addr)
				return true;
	return false;
}

/* All that stand now are known from here on; the others are gone. */
static void
settle(struct stub *s)
{
	size_t kept = 0;

	for (size_t k = 0; k < s->n_points; k++)
		if (s->points[k].set)
			s->points[kept++] = s->points[k];
	s->n_points = kept;
	for (size_t k = 0; k < kept; k++)
		s->points[k].known = true;
}

bool
points_return(struct stub *s, size_t looked_at)
{
	bool found = false, any = false;

	for (size_t k = 0; k < s->n_points; k++)
		any = any || is_new(s, &s->points[k]);
	if (any && s->n_inferiors) {
		const struct inferior *f = stub_inferior(s);

		found = returns(s, f, looked_at)
			|| (s->thread != looked_at
			    && returns(s, f, s->thread));
	}
	settle(s);
	return found;
}
