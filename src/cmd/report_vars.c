/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_vars.c: arguments and locals of the frames of a report.
 */
#include <string.h>

#include "cmd/report.h"
#include "inspect/indexed.h"

/* Of the thread that died, and of any where all variables are asked for. */
#define FRAMES_MAX 64u
#define ALL_FRAMES_MAX 1024u

static struct symidx *
vars_index(void *arg, size_t module)
{
	return insp_index(arg, module);
}

static struct err *
vars_of_scope(const struct report *r, const struct scope *s,
	      struct report_frame *out)
{
	struct err *err = scope_vars(s, r->arena, &out->vars, &out->n);

	if (err || !out->n)
		return err;
	out->scope = s;
	out->values = arena_array(r->arena, out->n, sizeof(*out->values));
	if (!out->values)
		return err_nomem();
	for (size_t k = 0; k < out->n && !err; k++)
		err = var_value(&out->vars[k], r->arena, &out->values[k]);
	return err;
}

/*
 * Frame @at of the stack is frames [first, first+n) of the view: the same
 * function, and before it those that were inlined.
 */
static struct err *
vars_of_frame(const struct report *r, size_t thread, const struct stack *s,
	      size_t at, struct report_frame *out, size_t n)
{
	struct scopes scopes;
	struct err *err = values_scopes(r->values, thread, s, at, r->arena,
					&scopes);

	if (err)
		return err;
	/* The outermost of both is the function itself. */
	for (size_t k = 1; k <= n && k <= scopes.n && !err; k++)
		err = vars_of_scope(r, scopes.list[scopes.n - k], &out[n - k]);
	return err;
}

static size_t
vars_run(const struct view *v, size_t first)
{
	size_t k = first;

	while (k < v->n && v->frames[k].how == SNAP_FRAME_INLINE)
		k++;
	return k < v->n ? k + 1 - first : v->n - first;
}

static struct err *
vars_of_thread(const struct report *r, size_t thread, size_t max)
{
	struct report_thread *t = &r->threads[thread];
	const struct view *v = &t->view;
	/* Values are read when they are shown: from its registers. */
	struct stack *s = arena_alloc(r->arena, sizeof(*s));

	if (!s)
		return err_nomem();
	/* Stored frames have no registers. */
	if (v->stored || !v->n)
		return NULL;
	_err_ struct err *no_stack = insp_stack(r->insp, thread, max, false,
						r->arena, s);
	if (no_stack)
		return err_kind(no_stack) == ERR_NOMEM ? take(no_stack) : NULL;
	t->frames = arena_array(r->arena, v->n, sizeof(*t->frames));
	if (!t->frames)
		return err_nomem();
	for (size_t at = 0, first = 0; at < s->n && first < v->n; at++) {
		size_t n = vars_run(v, first);
		if (v->frames[first + n - 1].pc != s->frames[at].pc)
			break;
		struct err *err = vars_of_frame(r, thread, s, at,
						&t->frames[first], n);
		if (err)
			return err;
		first += n;
	}
	return NULL;
}

struct err *
report_vars(struct report *r)
{
	const struct values_indexes from = { vars_index, r->insp };
	struct err *err = values_new(r->insp, &from, &r->values);

	for (size_t k = 0; k < r->n_threads && !err; k++) {
		if (r->all_variables)
			err = vars_of_thread(r, k, ALL_FRAMES_MAX);
		else if (k == 0)
			err = vars_of_thread(r, k, FRAMES_MAX);
	}
	return err;
}
