/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What scopes contain: variables of a frame, registers, what is global.
 */
#include "dap/refs.h"

#include <string.h>

/* ---- lists ---------------------------------------------------------------------- */
struct err *
items_reserve(struct container *c, size_t n)
{
	c->items = arena_array(c->arena, n + 1, sizeof(*c->items));
	return c->items ? NULL : err_nomem();
}

struct item *
items_add(struct container *c)
{
	struct item *item = &c->items[c->n];

	item->nth = c->n++;
	return item;
}

/* One that is hidden by another one of its name carries its line. */
static struct err *
item_of_var(struct arena *a, const struct var *v, struct item *out)
{
	const char *name = v->name;

	out->var = v;
	out->expr_is_doubtful = v->kind > VAR_STATIC;
	if (v->kind > VAR_STATIC && v->prefix && *v->prefix)
		name = arena_printf(a, "%s::%s", v->prefix, v->name);
	out->name = name;
	if (v->flags & VAR_SHADOWED)
		out->name = arena_printf(a, "%s@%u", v->name, v->line);
	else if (!(v->flags & VAR_ENTRY))
		out->expr = name;
	return out->name ? NULL : err_nomem();
}

struct err *
items_of_vars(struct container *c, const struct var *vars, size_t n,
	      var_wanted_fn *wanted)
{
	struct err *err = NULL;

	for (size_t k = 0; k < n && !err; k++)
		if (wanted(c, &vars[k]))
			err = item_of_var(c->arena, &vars[k], items_add(c));
	return err;
}

/* ---- arguments and locals -------------------------------------------------------- */
static bool
in_scope(uint8_t kind, uint64_t scope)
{
	return (kind == VAR_ARGUMENT) == (scope == SCOPE_ARGUMENTS);
}

static bool
of_frame(const struct container *c, const struct var *v)
{
	return in_scope(v->kind, c->ref.nth);
}

/* What the snapshot has as text, where no index knows more. */
static struct err *
list_stored(struct container *c)
{
	const struct target *t = insp_target(c->d->shown.insp);
	const struct stack_shown *s = &c->d->stacks[c->ref.at.thread];
	size_t n;
	const struct snap_variable *v = values_stored(
		t, &s->view.frames[c->ref.at.frame], &n);

	struct err *err = items_reserve(c, n);
	for (size_t k = 0; k < n && !err; k++) {
		if (!in_scope(v[k].kind == SNAP_VAR_ARGUMENT ? VAR_ARGUMENT
			      : VAR_LOCAL, c->ref.nth))
			continue;
		struct item *item = items_add(c);

		item->name = v[k].name ? v[k].name : "?";
		item->stored = &v[k];
		item->line = v[k].line;
	}
	return err;
}

static struct err *
list_frame(struct container *c)
{
	const struct scope *s = stack_scope(c->d, c->ref.at);
	const struct var *vars = NULL;
	size_t n = 0;

	struct err *err = s ? scope_vars(s, c->arena, &vars, &n) : NULL;
	if (!err && !n)
		return list_stored(c);
	if (!err)
		err = items_reserve(c, n);
	return err ? err : items_of_vars(c, vars, n, of_frame);
}

/* ---- all of them ------------------------------------------------------------------- */
typedef struct err *list_fn(struct container *c);

static const struct scope_row {
	const char *name, *hint;
	list_fn *list;
	bool expensive;
} scope_rows[SCOPES] = {
	[SCOPE_ARGUMENTS] = { "Arguments", "arguments", list_frame, false },
	[SCOPE_LOCALS] = { "Locals", "locals", list_frame, false },
	[SCOPE_REGISTERS] = { "Registers", "registers", registers_list_groups,
			      false },
	[SCOPE_GLOBALS] = { "Globals", NULL, globals_list, true },
	[SCOPE_THREAD_LOCALS] = { "Thread-locals", NULL,
				  globals_list_per_thread, true },
};

static struct err *
list_scope(struct container *c)
{
	return scope_rows[c->ref.nth].list(c);
}

struct err *
scopes_list(struct container *c)
{
	static list_fn *const lists[] = {
		[REF_SCOPE] = list_scope, [REF_REGISTERS] = registers_list,
		[REF_MODULE] = globals_list_module,
		[REF_ASKED] = globals_list_asked, [REF_NOTE] = noted_list,
		[REF_NOTED] = noted_list_inside,
	};

	return lists[c->ref.kind](c);
}

struct json *
scopes_object(const struct dap *d, struct place at, enum scope_kind kind)
{
	const struct scope_row *row = &scope_rows[kind];
	struct json *j = json_object();

	json_set(j, "name", json_string(row->name));
	if (row->hint)
		json_set(j, "presentationHint", json_string(row->hint));
	json_set(j, "variablesReference", json_i64(refs_scope_id(d, at, kind)));
	json_set(j, "expensive", json_bool(row->expensive));
	return j;
}

struct err *
refs_scopes(struct dap *d, struct place at, struct json **out)
{
	*out = json_array();
	for (int k = 0; k < SCOPES; k++)
		json_add(*out, scopes_object(d, at, (enum scope_kind)k));
	return NULL;
}
