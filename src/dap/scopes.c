/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What scopes contain: variables of a frame, registers, what is global.
 */
#include "dap/refs.h"

#include <string.h>

/* ---- arguments and locals -------------------------------------------------------- */
static bool
in_scope(uint8_t kind, enum scope_kind scope)
{
	return (kind == VAR_ARGUMENT) == (scope == SCOPE_ARGUMENTS);
}

/* One that is hidden by another one of its name carries its line. */
static struct err *
var_name(struct arena *a, const struct var *v, struct item *out)
{
	out->name = v->name;
	if (v->flags & VAR_SHADOWED) {
		out->name = arena_printf(a, "%s@%u", v->name, v->line);
	} else if (!(v->flags & VAR_ENTRY)) {
		out->expr = v->prefix && *v->prefix
			    ? arena_printf(a, "%s::%s", v->prefix, v->name)
			    : v->name;
	}
	if (v->kind <= VAR_STATIC && out->expr)
		out->expr = v->name;
	return out->name ? NULL : err_nomem();
}

static struct err *
list_vars(struct container *c, const struct var *vars, size_t n,
	  bool (*wanted)(const struct container *c, const struct var *v))
{
	struct err *err = NULL;

	c->items = arena_array(c->arena, n + 1, sizeof(*c->items));
	if (!c->items)
		return err_nomem();
	for (size_t k = 0; k < n && !err; k++) {
		struct item *item = &c->items[c->n];

		if (!wanted(c, &vars[k]))
			continue;
		item->nth = k;
		err = var_name(c->arena, &vars[k], item);
		if (!err)
			err = var_value(&vars[k], c->arena, &item->value);
		c->n++;
	}
	return err;
}

static bool
of_frame(const struct container *c, const struct var *v)
{
	return in_scope(v->kind, (enum scope_kind)c->ref.nth);
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

	c->items = arena_array(c->arena, n + 1, sizeof(*c->items));
	if (!c->items)
		return err_nomem();
	for (size_t k = 0; k < n; k++) {
		if (!in_scope(v[k].kind == SNAP_VAR_ARGUMENT ? VAR_ARGUMENT
			      : VAR_LOCAL, (enum scope_kind)c->ref.nth))
			continue;
		c->items[c->n++] = (struct item){
			.name = v[k].name ? v[k].name : "?", .nth = k,
			.stored = &v[k],
		};
	}
	return NULL;
}

static struct err *
list_frame(struct container *c)
{
	const struct scope *s = stack_scope(c->d, c->ref.at);
	const struct var *vars = NULL;
	size_t n = 0;

	struct err *err = s ? scope_vars(s, c->arena, &vars, &n) : NULL;
	if (err)
		return err;
	return n ? list_vars(c, vars, n, of_frame) : list_stored(c);
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
};

struct err *
scopes_list(struct container *c)
{
	return scope_rows[c->ref.nth].list(c);
}

static struct json *
scope_object(const struct dap *d, struct place at, enum scope_kind kind)
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
		if (scope_rows[k].list)
			json_add(*out, scope_object(d, at, (enum scope_kind)k));
	return NULL;
}
