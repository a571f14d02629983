/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variables and stacks of two snapshots of a process.
 */
#include "analysis/analysis.h"

#include <stdlib.h>
#include <string.h>

#define FRAMES_MAX 32u          /* of a thread, from the outermost */
#define STACK_MAX 512u
#define VALUE_LENGTH 160u
#define VALUE_ELEMENTS 16u

/** One thread of one side. */
struct side {
	struct insp *insp;
	struct values *values;
	size_t thread;
	struct stack stack;
};

/* *@whole: there is a stack, and it goes to its end. */
static struct err *
side_unwind(struct side *s, size_t thread, struct arena *a, bool *whole)
{
	_err_ struct err *err = insp_stack(s->insp, thread, STACK_MAX, false, a,
					   &s->stack);

	s->thread = thread;
	*whole = !err && s->stack.n && s->stack.end == STACK_COMPLETE;
	return err_kind(err) == ERR_NOMEM ? take(err) : NULL;
}

static int
var_order(const struct var *a, const struct var *b)
{
	int order = strcmp(a->name, b->name);

	return order ? order : (a->line > b->line) - (a->line < b->line);
}

/* Those of one name and line as they stand: in one array. */
static int
by_name(const void *x, const void *y)
{
	const struct var *a = *(const struct var *const *)x;
	const struct var *b = *(const struct var *const *)y;
	int order = var_order(a, b);

	return order ? order : (a > b) - (a < b);
}

static struct err *
sort_vars(const struct var *vars, size_t n, struct arena *a,
	  const struct var ***out)
{
	const struct var **list = arena_array(a, n + 1, sizeof(*list));

	if (!list)
		return err_nomem();
	for (size_t k = 0; k < n; k++)
		list[k] = &vars[k];
	qsort(list, n, sizeof(*list), by_name);
	*out = list;
	return NULL;
}

/** Variables of a scope of the first and of the second. */
struct var_lists {
	const struct var *list[2];
	size_t n[2];
};

/*
 * For each variable of the second that of the first, or NULL. A macro makes
 * more than one of a name on one line: the first is the first.
 */
static struct err *
match_vars(const struct var_lists *v, struct arena *a,
	   const struct var ***out)
{
	const struct var **before, **after;
	const struct var **found = arena_array(a, v->n[1] + 1, sizeof(*found));

	struct err *err = found ? sort_vars(v->list[0], v->n[0], a, &before)
			  : err_nomem();
	if (!err)
		err = sort_vars(v->list[1], v->n[1], a, &after);
	for (size_t x = 0, y = 0; !err && x < v->n[0] && y < v->n[1];) {
		int order = var_order(before[x], after[y]);

		if (!order)
			found[after[y] - v->list[1]] = before[x];
		x += order <= 0;
		y += order >= 0;
	}
	*out = found;
	return err;
}

static struct err *
text_of(const struct var *v, struct arena *a, struct buf *out)
{
	struct value_style style = VALUE_STYLE;
	const struct value *value;

	style.elements = VALUE_ELEMENTS;
	style.length = VALUE_LENGTH;
	style.depth = 2;
	struct err *err = var_value(v, a, &value);
	if (!err)
		err = value_text(value, &style, out);
	buf_putc(out, '\0');
	return err ? err : buf_err(out);
}

struct pairing {
	struct side side[2];
	struct arena *arena;    /* of one thread */
	difference_fn *fn;
	void *arg;
};

static struct err *
pair_variable(const struct pairing *p, const struct scope *s, uint32_t depth,
	      const struct var *a, const struct var *b)
{
	_buf_ struct buf before = { 0 }, after = { 0 };
	const struct insp *i = p->side[1].insp;

	struct err *err = text_of(a, p->arena, &before);
	if (!err)
		err = text_of(b, p->arena, &after);
	if (err || strcmp(before.data, after.data) == 0)
		return err;
	const struct difference v = {
		.tid = insp_target(i)->threads[p->side[1].thread].tid,
		.depth = depth, .function = s->function, .name = b->name,
		.before = before.data, .after = after.data,
	};
	return p->fn(p->arg, &v);
}

static struct err *
pair_scopes(const struct pairing *p, const struct scope *x,
	    const struct scope *y, uint32_t depth)
{
	struct var_lists v = { .n = { 0, 0 } };
	const struct var **before = NULL;

	struct err *err = scope_vars(x, p->arena, &v.list[0], &v.n[0]);
	if (!err)
		err = scope_vars(y, p->arena, &v.list[1], &v.n[1]);
	if (!err)
		err = match_vars(&v, p->arena, &before);
	for (size_t k = 0; k < v.n[1] && !err; k++)
		if (before[k])
			err = pair_variable(p, y, depth, before[k],
					    &v.list[1][k]);
	return err;
}

static bool
same_function(const struct scope *a, const struct scope *b)
{
	return a->function && b->function && a->inlined == b->inlined
	       && strcmp(a->function, b->function) == 0;
}

/* Frame @x of the first and @y of the second; *@same: is it one call? */
static struct err *
pair_frames(const struct pairing *p, size_t x, size_t y, bool *same)
{
	struct scopes a = { .n = 0 }, b = { .n = 0 };

	struct err *err = values_scopes(p->side[0].values, p->side[0].thread,
					&p->side[0].stack, x, p->arena, &a);
	if (!err)
		err = values_scopes(p->side[1].values, p->side[1].thread,
				    &p->side[1].stack, y, p->arena, &b);
	*same = !err && p->side[0].stack.frames[x].cfa
			== p->side[1].stack.frames[y].cfa;
	for (size_t k = 1; k <= a.n && k <= b.n && !err && *same; k++) {
		const struct scope *before = a.list[a.n - k];
		const struct scope *after = b.list[b.n - k];

		if (same_function(before, after))
			err = pair_scopes(p, before, after, (uint32_t)y);
		else
			*same = false;
	}
	return err;
}

/* From the outermost frame inwards, for as long as they are the same calls. */
static struct err *
pair_thread(const struct pairing *p)
{
	size_t x = p->side[0].stack.n, y = p->side[1].stack.n;
	struct err *err = NULL;
	bool same = true;

	for (size_t k = 0; k < FRAMES_MAX && x && y && same && !err; k++)
		err = pair_frames(p, --x, --y, &same);
	return err;
}

/* @x of the first and @y of the second are one thread. */
static struct err *
pair_stacks(struct pairing *p, size_t x, size_t y)
{
	_arena_ struct arena *a = arena_new(0);
	bool whole[2] = { false, false };

	if (!a)
		return err_nomem();
	p->arena = a;
	struct err *err = side_unwind(&p->side[0], x, a, &whole[0]);
	if (!err)
		err = side_unwind(&p->side[1], y, a, &whole[1]);
	return !err && whole[0] && whole[1] ? pair_thread(p) : err;
}

struct err *
differ_variables(const struct differing *d, size_t thread, difference_fn *fn,
		 void *arg)
{
	const uint64_t tid = insp_target(d->insp[1])->threads[thread].tid;
	size_t other = insp_find_thread(d->insp[0], tid);
	struct pairing p = {
		.side = { { .insp = d->insp[0], .values = d->values[0] },
			  { .insp = d->insp[1], .values = d->values[1] } },
		.fn = fn, .arg = arg,
	};

	return other == INSP_NONE ? NULL : pair_stacks(&p, other, thread);
}

/* ---- stacks ------------------------------------------------------------- */
#define VIEW_MAX 256u

static bool
same_call(const struct snap_frame *a, const struct snap_frame *b)
{
	return a->pc == b->pc && a->cfa == b->cfa && a->how == b->how;
}

/* Where both go to their ends, what they have in common is outermost. */
static void
find_common(struct stack_difference *d)
{
	const struct view *a = &d->view[0], *b = &d->view[1];
	size_t n = a->n < b->n ? a->n : b->n;

	d->common = 0;
	if (a->end != STACK_COMPLETE || b->end != STACK_COMPLETE)
		return;
	while (d->common < n
	       && same_call(&a->frames[a->n - d->common - 1],
			    &b->frames[b->n - d->common - 1]))
		d->common++;
}

static bool
same_frames(const struct view *a, const struct view *b)
{
	if (a->n != b->n || a->end != b->end)
		return false;
	for (size_t k = 0; k < a->n; k++)
		if (!same_call(&a->frames[k], &b->frames[k]))
			return false;
	return true;
}

struct err *
differ_stacks(const struct differing *d, size_t thread, struct arena *a,
	      struct stack_difference *out)
{
	const uint64_t tid = insp_target(d->insp[1])->threads[thread].tid;
	size_t other = insp_find_thread(d->insp[0], tid);

	*out = (struct stack_difference){ .differs = false };
	if (other == INSP_NONE)
		return NULL;
	struct err *err = insp_view(d->insp[0], other, VIEW_MAX, a,
				    &out->view[0]);
	if (!err)
		err = insp_view(d->insp[1], thread, VIEW_MAX, a,
				&out->view[1]);
	if (err)
		return err;
	out->differs = !same_frames(&out->view[0], &out->view[1]);
	find_common(out);
	return NULL;
}
