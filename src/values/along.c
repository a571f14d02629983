/* SPDX-License-Identifier: Apache-2.0 */
/*
 * along.c: scopes beside the frames of a view, which were found another way.
 */
#include "values/impl.h"

/** Where in the view the frames of the stack have come to. */
struct along {
	const struct view *view;
	const struct scope **scopes;    /* one for each frame of it */
	size_t at;
};

/* From @at on: functions that jumped on or were inlined, and the one they
 * were called by or are in. */
static size_t
run_length(const struct along *l)
{
	size_t k = l->at;

	while (k < l->view->n && !snap_frame_has_stack(&l->view->frames[k]))
		k++;
	return k < l->view->n ? k + 1 - l->at : 0;
}

/* The outermost of both is the function that has the pc. */
static void
run_fill(struct along *l, size_t n, const struct scopes *s)
{
	for (size_t k = 1; k <= n && k <= s->n; k++)
		l->scopes[l->at + n - k] = s->list[s->n - k];
}

static struct err *
along_stack(struct values *vs, size_t thread, const struct stack *s,
	    struct along *l, struct arena *a)
{
	for (size_t k = 0; k < s->n; k++) {
		size_t n = run_length(l);
		struct scopes scopes;

		if (!n || l->view->frames[l->at + n - 1].pc != s->frames[k].pc)
			return NULL;
		struct err *err = values_scopes(vs, thread, s, k, a, &scopes);
		if (err)
			return err;
		run_fill(l, n, &scopes);
		l->at += n;
	}
	return NULL;
}

struct err *
values_along(struct values *vs, size_t thread, const struct view *v, size_t max,
	     struct arena *a, const struct scope *const **out)
{
	struct along l = { .view = v };
	/* Scopes read its registers for as long as they live. */
	struct stack *s = arena_alloc(a, sizeof(*s));

	l.scopes = arena_array(a, v->n ? v->n : 1, sizeof(*l.scopes));
	if (!s || !l.scopes)
		return err_nomem();
	*out = l.scopes;
	if (v->stored)
		return NULL;
	_err_ struct err *none = insp_stack(vs->insp, thread, max, false, a, s);
	if (none)
		return err_kind(none) == ERR_NOMEM ? take(none) : NULL;
	return along_stack(vs, thread, s, &l, a);
}
