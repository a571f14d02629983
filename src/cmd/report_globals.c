/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_globals.c: variables that were asked for when the snapshot was taken
 * (--global), each of which has a note.
 */
#include <string.h>

#include "cmd/report.h"

#define GLOBALS_MAX 4096u
#define KEY "global."

bool
report_is_global(const struct snap_note *n)
{
	return n->key && strncmp(n->key, KEY, sizeof(KEY) - 1) == 0;
}

static bool
thread_of(const struct target *t, uint64_t tid, size_t *out)
{
	for (*out = 0; *out < t->n_threads; ++*out)
		if (t->threads[*out].tid == tid)
			return true;
	return false;
}

/* A note ends in the file's name: a thread's own are not in the module. */
static size_t
module_of(const struct report *r, const struct snap_note *n)
{
	const char *in = n->text ? strstr(n->text, " in ") : NULL;
	const struct snap_module *modules;
	size_t n_modules;

	if (!n->tid)
		return insp_module_at(r->insp, n->address);
	modules = insp_modules(r->insp, &n_modules);
	for (size_t k = 0; in && k < n_modules; k++)
		if (strcmp(report_base(modules[k].path), in + 4) == 0)
			return k;
	return INSP_NONE;
}

/* As an index knows it now. */
static struct err *
global_fresh(const struct report *r, const struct snap_note *n,
	     struct report_global *g)
{
	struct global_place place = {
		.name = g->name, .address = n->address,
		.module = module_of(r, n), .is_thread = n->tid,
	};
	const struct var *var;

	if (place.module == INSP_NONE
	    || (n->tid && !thread_of(r->target, n->tid, &place.thread)))
		return NULL;
	struct err *err = values_global(r->values, &place, r->arena, &var);
	if (!err)
		err = var_value(var, r->arena, &g->value);
	if (err_kind(err) != ERR_NOTFOUND)
		return err;
	err_free(err);
	return NULL;
}

static const struct snap_variable *
global_stored(const struct vec *stored, const struct snap_note *n,
	      const char *name)
{
	const struct snap_variable *const *all = stored->data;

	for (size_t k = 0; k < stored->n; k++)
		if (all[k]->address == n->address && all[k]->tid == n->tid
		    && strcmp(all[k]->name, name) == 0)
			return all[k];
	return NULL;
}

static struct err *
gather_stored(const struct report *r, struct vec *out)
{
	const struct target *t = r->target;

	out->max = GLOBALS_MAX;
	for (size_t k = 0; k < t->n_variables && out->n < out->max; k++) {
		if (t->variables[k].kind != SNAP_VAR_GLOBAL)
			continue;
		const struct snap_variable **slot =
			vec_add(out, r->arena, sizeof(*slot));
		if (!slot)
			return err_nomem();
		*slot = &t->variables[k];
	}
	return NULL;
}

struct err *
report_globals(struct report *r)
{
	struct vec all = { .max = GLOBALS_MAX }, stored = { 0 };
	const struct target *t = r->target;
	struct err *err = gather_stored(r, &stored);

	for (size_t k = 0; k < t->n_notes && all.n < all.max && !err; k++) {
		const struct snap_note *n = &t->notes[k];
		struct report_global *g;

		if (!report_is_global(n))
			continue;
		g = vec_add(&all, r->arena, sizeof(*g));
		if (!g)
			return err_nomem();
		g->note = n;
		g->name = n->key + sizeof(KEY) - 1;
		g->stored = global_stored(&stored, n, g->name);
		err = global_fresh(r, n, g);
	}
	r->globals = all.data;
	r->n_globals = all.n;
	return err;
}
