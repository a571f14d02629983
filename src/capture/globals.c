/* SPDX-License-Identifier: Apache-2.0 */
/*
 * globals.c: variables by name or glob, through the modules' symbol tables.
 */
#include "base/cut.h"
#include "capture/globals.h"
#include "capture/keeping.h"

#include <fnmatch.h>
#include <string.h>

/* A glob that means everything is a mistake, or somebody's malice. */
#define GLOBALS_MAX 65536u

struct search {
	struct saver *saver;
	size_t module;
	bool *found;                    /* of each name of the options */
	bool limited;
};

/* ---- names ---- */

/* "counter.0" is what compilers call a variable of a function. */
static bool
is_numbered(const char *name, const char *plain)
{
	size_t n = strlen(plain);

	return strncmp(name, plain, n) == 0 && name[n] == '.' && name[n + 1]
	       && strspn(name + n + 1, "0123456789") == strlen(name + n + 1);
}

static bool
name_matches(const char *pattern, const struct variable *v)
{
	return fnmatch(pattern, v->linkage, 0) == 0
	       || fnmatch(pattern, v->name, 0) == 0
	       || is_numbered(v->linkage, pattern);
}

static bool
is_asked(struct search *x, const struct variable *v)
{
	const struct capture_options *o = x->saver->options;
	bool any = false;

	for (size_t k = 0; k < o->n_globals; k++)
		if (name_matches(o->globals[k], v))
			any = x->found[k] = true;
	return any;
}

/* ---- places ---- */

static struct err *
global_add(struct search *x, const struct variable *v, uint64_t address,
	   uint64_t tid)
{
	struct saver *s = x->saver;
	const struct global *all = s->globals.data;

	/* Two names of one variable are two, the same one twice is not. */
	for (size_t k = 0; k < s->globals.n; k++)
		if (all[k].address == address && all[k].tid == tid
		    && strcmp(all[k].name, v->name) == 0)
			return NULL;
	x->limited = s->globals.n >= GLOBALS_MAX;
	if (x->limited)
		return NULL;
	struct global *g = vec_add(&s->globals, s->arena, sizeof(*g));
	if (!g)
		return err_nomem();
	g->name = arena_strdup(s->arena, v->name);
	g->address = address;
	g->size = v->size;
	g->tid = tid;
	g->module = x->module;
	return g->name ? NULL : err_nomem();
}

/* A thread that never used it has none. */
static struct err *
global_of_threads(struct search *x, const struct variable *v)
{
	struct saver *s = x->saver;
	const struct snap_module *modules;
	struct err *err = NULL;
	size_t n;

	modules = insp_modules(s->insp, &n);
	for (size_t k = 0; k < s->target->n_threads && !err; k++) {
		uint64_t address;
		_err_ struct err *none = insp_tls(
			s->insp, k, modules[x->module].link_map, v->address,
			&address);

		if (!none)
			err = global_add(x, v, address,
					 s->target->threads[k].tid);
	}
	return err;
}

static struct err *
global_met(void *arg, const struct variable *v)
{
	struct search *x = arg;

	if (x->limited || !is_asked(x, v))
		return NULL;
	return v->thread_local_ ? global_of_threads(x, v)
				: global_add(x, v, v->address, 0);
}

/* ---- what is said ---- */

static struct err *
tell_unfound(struct saver *s, const struct search *x)
{
	const struct capture_options *o = s->options;
	struct err *err = NULL;

	for (size_t k = 0; k < o->n_globals && !err; k++)
		if (!x->found[k])
			err = save_trouble(s, "no symbol table has a variable "
					   "\"%s\"", o->globals[k]);
	if (!err && x->limited)
		err = save_trouble(s, "more than %u variables were asked for "
				   "by name: the others are treated as all "
				   "memory", GLOBALS_MAX);
	return err;
}

static bool
is_captured(struct saver *s, const struct global *g)
{
	struct space *space = insp_space(s->insp);
	uint64_t at = g->address, end;

	if (!u64_add(at, g->size ? g->size : 1, &end))
		return false;
	while (at < end) {
		struct region r;

		space_region(space, at, &r);
		if (!r.captured || r.end <= at)
			return false;
		at = r.end;
	}
	return true;
}

static struct err *
global_note(struct saver *s, const struct global *g)
{
	size_t n;
	const char *path = insp_modules(s->insp, &n)[g->module].path;
	const char *file = path ? cut_base(path) : "?";
	struct snap_note note = {
		.severity = SNAP_INFO, .tid = g->tid, .depth = UINT32_MAX,
		.address = g->address,
		.key = arena_printf(s->arena, "global.%s", g->name),
	};
	const unsigned long long size = g->size, at = g->address, tid = g->tid;

	if (tid)
		note.text = arena_printf(s->arena, "%llu bytes at 0x%llx, of "
					 "thread %llu in %s", size, at, tid,
					 file);
	else
		note.text = arena_printf(s->arena, "%llu bytes at 0x%llx in %s",
					 size, at, file);
	return note.key && note.text ? snap_put_note(s->writer, &note)
				     : err_nomem();
}

/* ---- their types and values ---- */

static bool
thread_of(const struct saver *s, uint64_t tid, size_t *out)
{
	const struct target *t = s->target;

	for (*out = 0; *out < t->n_threads; ++*out)
		if (t->threads[*out].tid == tid)
			return true;
	return false;
}

static struct err *
global_keep(struct keeping *k, const struct global *g)
{
	const struct snap_variable as = {
		.tid = g->tid, .depth = UINT32_MAX, .name = g->name,
		.kind = SNAP_VAR_GLOBAL,
	};
	struct global_place place = {
		.name = g->name, .address = g->address, .module = g->module,
		.is_thread = g->tid,
	};
	const struct value *value;
	const struct var *var;

	if (g->tid && !thread_of(k->saver, g->tid, &place.thread))
		return NULL;
	struct err *err = values_global(k->values, &place, k->arena, &var);
	if (err_kind(err) == ERR_NOTFOUND) {
		err_free(err);
		return NULL;
	}
	if (!err)
		err = var_value(var, k->arena, &value);
	return err ? err : keep_value(k, as, var, value);
}

struct err *
globals_keep(struct keeping *k)
{
	const struct global *all = k->saver->globals.data;
	struct err *err = NULL;

	for (size_t n = 0; n < k->saver->globals.n && !err
	     && !keep_is_full(k); n++)
		err = global_keep(k, &all[n]);
	return err;
}

/* ---- all of it ---- */

struct err *
globals_find(struct saver *s)
{
	const struct capture_options *o = s->options;
	struct search x = { .saver = s };
	struct err *err = NULL;
	size_t n;

	if (!o->n_globals)
		return NULL;
	x.found = arena_array(s->arena, o->n_globals, sizeof(*x.found));
	if (!x.found)
		return err_nomem();
	insp_modules(s->insp, &n);
	for (; x.module < n && !err; x.module++)
		err = insp_variables(s->insp, x.module, global_met, &x);
	if (!err)
		err = tell_unfound(s, &x);
	const struct global *all = s->globals.data;
	for (size_t k = 0; k < s->globals.n && !err; k++)
		if (!is_captured(s, &all[k]))
			err = save_trouble(s, "the bytes of variable %s were "
					   "not captured", all[k].name);
	return err;
}

struct err *
globals_note(struct saver *s)
{
	const struct global *all = s->globals.data;
	struct err *err = NULL;

	for (size_t k = 0; k < s->globals.n && !err; k++)
		err = global_note(s, &all[k]);
	return err;
}
