/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is global: variables of the frame's file, of each module, and those
 * that were asked for when the snapshot was taken.
 */
#include "base/cut.h"
#include "dap/refs.h"

#include <string.h>

#define VARS_MAX 100000u        /* of one module */

static bool
is_shared(const struct container *c, const struct var *v)
{
	(void)c;
	return !(v->flags & VAR_THREAD_LOCAL);
}

static bool
is_per_thread(const struct container *c, const struct var *v)
{
	return !is_shared(c, v);
}

static const char *
module_name(const struct container *c, size_t module)
{
	size_t n;
	const struct snap_module *m = insp_modules(c->d->shown.insp, &n);
	const char *path = cut_base(m[module].path);

	return path && *path ? path : "a module without a name";
}

static void
add_group(struct container *c, const char *name, enum ref_kind opens,
	  size_t nth)
{
	struct item *item = items_add(c);

	item->name = name;
	item->opens = (uint8_t)opens;
	item->nth = nth;
	item->text = "";
}

/* Those of the file first: they are what the code in sight names. */
struct err *
globals_list(struct container *c)
{
	const struct scope *s = container_scope(c);
	const struct target *t = insp_target(c->d->shown.insp);
	const struct var *vars = NULL;
	size_t n = 0, n_modules;
	bool asked = false;

	struct err *err = s ? scope_file_vars(s, c->arena, &vars, &n) : NULL;
	insp_modules(c->d->shown.insp, &n_modules);
	if (!err)
		err = items_reserve(c, n + n_modules + 1);
	if (!err)
		err = items_of_vars(c, vars, n, is_shared);
	for (size_t k = 0; k < t->n_notes && !asked; k++)
		asked = values_is_asked(&t->notes[k]);
	if (!err && asked)
		add_group(c, "asked for at capture", REF_ASKED, 0);
	for (size_t k = 0; k < n_modules && !err; k++)
		add_group(c, module_name(c, k), REF_MODULE, k);
	return err;
}

static struct err *
list_module(struct container *c, size_t module, var_wanted_fn *wanted)
{
	const struct var *vars;
	size_t n;
	struct err *err = values_module_vars(c->d->shown.values, module,
					     VARS_MAX, c->arena, &vars, &n);

	if (!err)
		err = items_reserve(c, n);
	return err ? err : items_of_vars(c, vars, n, wanted);
}

struct err *
globals_list_module(struct container *c)
{
	return list_module(c, c->ref.nth, is_shared);
}

struct err *
globals_list_per_thread(struct container *c)
{
	const struct scope *s = container_scope(c);

	if (!s || s->module == INSP_NONE)
		return items_reserve(c, 0);
	struct err *err = list_module(c, s->module, is_per_thread);
	for (size_t k = 0; k < c->n && !err; k++)
		c->items[k].per_thread = true;
	return err;
}

struct err *
globals_list_asked(struct container *c)
{
	const struct values_asked *asked;
	size_t n;
	struct err *err = values_asked(c->d->shown.values, c->arena, &asked,
				       &n);

	if (!err)
		err = items_reserve(c, n);
	for (size_t k = 0; k < n && !err; k++) {
		struct item *item;

		if (!asked[k].value && !asked[k].stored)
			continue;
		item = items_add(c);
		item->name = asked[k].name;
		if (asked[k].note->tid)
			item->name = arena_printf(
				c->arena, "%s [%llu]", asked[k].name,
				(unsigned long long)asked[k].note->tid);
		item->value = asked[k].value;
		item->stored = asked[k].stored;
		item->expr = asked[k].note->tid ? NULL : asked[k].name;
		item->expr_is_doubtful = true;
		err = item->name ? NULL : err_nomem();
	}
	return err;
}
