/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is missing of a target, and why.
 */
#include "analysis/analysis.h"

struct err *
missing_init(struct missing *m, struct insp *i, struct arena *a)
{
	*m = (struct missing){ .n_gaps = 0 };
	(void)insp_modules(i, &m->n_modules);
	m->modules = arena_array(a, m->n_modules + 1, sizeof(*m->modules));
	return m->modules ? NULL : err_nomem();
}

void
missing_add(struct missing *m, const struct view *v)
{
	for (size_t k = 0; k < v->n; k++) {
		const struct snap_frame *f = &v->frames[k];
		if (f->module >= m->n_modules)
			continue;
		struct namelessness *n = &m->modules[f->module];
		n->frames++;
		n->nameless += !f->function;
		n->lineless += f->function && !f->file;
	}
}

static void
add_range(struct missing *m, struct insp *i, const struct snap_memory *range)
{
	struct absence *a = &m->absent[range->reason];
	uint64_t at = range->start, end = range->start + range->length;
	struct region region;

	a->bytes += range->length;
	while (at < end) {
		space_region(insp_space(i), at, &region);
		if (region.end > end || region.end <= at)
			region.end = end;
		if (region.from_file)
			a->from_file += region.end - at;
		at = region.end;
	}
}

void
missing_finish(struct missing *m, struct insp *i)
{
	const struct target *t = insp_target(i);

	for (size_t k = 0; k < t->n_memory; k++) {
		const struct snap_memory *range = &t->memory[k];
		if (range->kind == SNAP_MEM_ABSENT
		    && range->reason < SNAP_REASONS)
			add_range(m, i, range);
	}
	m->gaps = insp_gaps(i, &m->n_gaps);
}

bool
missing_functions(const struct namelessness *m)
{
	return m->nameless;
}

bool
missing_lines(const struct namelessness *m)
{
	return m->lineless && m->lineless + m->nameless == m->frames;
}
