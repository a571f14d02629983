/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variables that were asked for by name when the snapshot was taken, each of
 * which has a note.
 */
#include "base/cut.h"
#include "values/impl.h"
#include "values/shown.h"

#include <string.h>

#define GLOBALS_MAX 4096u
#define KEY "global."

/** What is being gathered, and where. */
struct gathering {
	struct values *vs;
	const struct target *target;
	struct arena *arena;
};

bool
values_is_asked(const struct snap_note *n)
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
module_of(const struct gathering *g, const struct snap_note *n)
{
	const char *in = n->text ? strstr(n->text, " in ") : NULL;
	const struct snap_module *modules;
	size_t n_modules;

	if (!n->tid)
		return insp_module_at(g->vs->insp, n->address);
	modules = insp_modules(g->vs->insp, &n_modules);
	for (size_t k = 0; in && k < n_modules; k++) {
		const char *path = modules[k].path ? modules[k].path : "?";

		if (strcmp(cut_base(path), in + 4) == 0)
			return k;
	}
	return INSP_NONE;
}

/* As an index knows it now. */
static struct err *
global_fresh(const struct gathering *g, const struct snap_note *n,
	     struct values_asked *out)
{
	struct global_place place = {
		.name = out->name, .address = n->address,
		.module = module_of(g, n), .is_thread = n->tid,
	};
	const struct var *var;

	if (place.module == INSP_NONE
	    || (n->tid && !thread_of(g->target, n->tid, &place.thread)))
		return NULL;
	struct err *err = values_global(g->vs, &place, g->arena, &var);
	if (!err)
		err = var_value(var, g->arena, &out->value);
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
gather_stored(const struct gathering *g, struct vec *out)
{
	const struct target *t = g->target;

	out->max = GLOBALS_MAX;
	for (size_t k = 0; k < t->n_variables && out->n < out->max; k++) {
		if (t->variables[k].kind != SNAP_VAR_GLOBAL)
			continue;
		const struct snap_variable **slot =
			vec_add(out, g->arena, sizeof(*slot));
		if (!slot)
			return err_nomem();
		*slot = &t->variables[k];
	}
	return NULL;
}

struct err *
values_asked(struct values *vs, struct arena *a,
	     const struct values_asked **out, size_t *n)
{
	const struct target *t = insp_target(vs->insp);
	const struct gathering g = { vs, t, a };
	struct vec all = { .max = GLOBALS_MAX }, stored = { 0 };
	struct err *err = gather_stored(&g, &stored);

	for (size_t k = 0; k < t->n_notes && all.n < all.max && !err; k++) {
		const struct snap_note *note = &t->notes[k];
		struct values_asked *one;

		if (!values_is_asked(note))
			continue;
		one = vec_add(&all, a, sizeof(*one));
		if (!one)
			return err_nomem();
		one->note = note;
		one->name = note->key + sizeof(KEY) - 1;
		one->stored = global_stored(&stored, note, one->name);
		err = global_fresh(&g, note, one);
	}
	*out = all.data;
	*n = all.n;
	return err;
}
