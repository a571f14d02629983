/* SPDX-License-Identifier: Apache-2.0 */
/* Variables that a snapshot has as text: where no index knows them better. */
#include "values/shown.h"

#include <string.h>

/* The frame of the snapshot that is this one; NULL. */
static const struct snap_frame *
stored_frame(const struct target *t, const struct snap_frame *f)
{
	for (size_t k = 0; k < t->n_frames; k++) {
		const struct snap_frame *s = &t->frames[k];

		if (s->tid == f->tid && s->pc == f->pc && s->cfa == f->cfa
		    && s->function && f->function
		    && strcmp(s->function, f->function) == 0)
			return s;
	}
	return NULL;
}

/* They stand together. */
const struct snap_variable *
values_stored(const struct target *t, const struct snap_frame *f, size_t *n)
{
	const struct snap_frame *s = t->n_variables ? stored_frame(t, f)
						    : NULL;
	const struct snap_variable *first = NULL;

	*n = 0;
	for (size_t k = 0; s && k < t->n_variables; k++) {
		const struct snap_variable *v = &t->variables[k];

		if (v->tid != s->tid || v->depth != s->depth)
			continue;
		if (!*n)
			first = v;
		++*n;
	}
	return first;
}
