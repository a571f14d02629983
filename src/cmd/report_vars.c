/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_vars.c: arguments and locals of the frames of a report.
 */
#include "cmd/report.h"

/* Of the thread that died, and of any where all variables are asked for. */
#define FRAMES_MAX 64u
#define ALL_FRAMES_MAX 1024u

static struct err *
vars_of_scope(const struct report *r, const struct scope *s,
	      struct report_frame *out)
{
	struct err *err = scope_vars(s, r->arena, &out->vars, &out->n);

	/* Debug information of its own names a language. */
	out->scope = out->n || s->language ? s : NULL;
	if (err || !out->n)
		return err;
	out->values = arena_array(r->arena, out->n, sizeof(*out->values));
	if (!out->values)
		return err_nomem();
	for (size_t k = 0; k < out->n && !err; k++)
		err = var_value(&out->vars[k], r->arena, &out->values[k]);
	return err;
}

static struct err *
vars_of_thread(const struct report *r, size_t thread, size_t max)
{
	struct report_thread *t = &r->threads[thread];
	const struct scope *const *scopes;

	struct err *err = values_along(r->values, thread, &t->view, max,
				       r->arena, &scopes);
	if (err || !t->view.n)
		return err;
	t->frames = arena_array(r->arena, t->view.n, sizeof(*t->frames));
	if (!t->frames)
		return err_nomem();
	for (size_t k = 0; k < t->view.n && !err; k++) {
		if (scopes[k])
			err = vars_of_scope(r, scopes[k], &t->frames[k]);
		if (!t->frames[k].n && k < max)
			t->frames[k].stored = values_stored(
				r->target, &t->view.frames[k],
				&t->frames[k].n_stored);
	}
	return err;
}

struct err *
report_vars(struct report *r, size_t from, size_t to)
{
	struct err *err = NULL;

	for (size_t k = from; k < to && !err; k++) {
		if (r->all_variables)
			err = vars_of_thread(r, k, ALL_FRAMES_MAX);
		else if (k == 0)
			err = vars_of_thread(r, k, FRAMES_MAX);
	}
	return err;
}
