/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a reference contains: the parts of a value by pages, all that a scope
 * has at once, or the rest of either.
 */
#include "dap/refs.h"
#include "symbols/symbols.h"

#include <stdlib.h>
#include <string.h>

#define LISTED_MAX 10000u       /* members of a structure that are told at once */
#define FOUND_MAX 100000u       /* looked through for a name */
#define EXPR_MAX 1024u          /* longer ones are not told */

/* ---- what is inside of a value ------------------------------------------------ */
static bool
is_class(const struct type *t)
{
	uint8_t kind = type_kind(type_plain(t));

	return kind == SYM_TYPE_STRUCT || kind == SYM_TYPE_CLASS
	       || kind == SYM_TYPE_UNION;
}

static bool
leads_to_parts(const struct value *v)
{
	const struct type *p = type_plain(value_type(v));
	const struct type *t = type_target(p);

	switch (type_kind(p)) {
	case SYM_TYPE_POINTER:
		return is_class(t);
	case SYM_TYPE_REFERENCE:
	case SYM_TYPE_RVALUE_REFERENCE:
		return is_class(t)
		       || type_kind(type_plain(t)) == SYM_TYPE_ARRAY;
	default:
		return false;
	}
}

static bool
has_no_parts(const struct value *v)
{
	uint8_t kind = type_kind(type_plain(value_type(v)));

	return kind == SYM_TYPE_BASE || kind == SYM_TYPE_ENUM || kind == 0;
}

struct err *
inside_open(const struct value *v, const struct value_style *style,
	    struct arena *a, struct opened *out)
{
	struct opened o = { 0 };
	struct err *err;

	*out = o;
	if (has_no_parts(v))
		return NULL;
	err = value_look_inside(v, style, &o.in);
	if (err || !o.in.n)
		return err;
	o.inner = v;
	if (!o.in.printed && leads_to_parts(v)) {
		err = value_target(v, 0, a, &o.inner);
		if (!err && style->object)
			err = value_dynamic(o.inner, a, &o.inner);
		if (!err)
			err = value_look_inside(o.inner, style, &o.in);
		o.through = true;
	}
	if (!err && o.in.n)
		*out = o;
	return err;
}

/* ---- expressions ---------------------------------------------------------------- */
static bool
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
	       || (c >= '0' && c <= '9') || c == '_';
}

static bool
is_name(const char *s)
{
	if (!*s || (*s >= '0' && *s <= '9'))
		return false;
	while (is_name_char(*s))
		s++;
	return !*s;
}

/* A name, or one with "." and "[]" behind it, needs no parentheses. */
static bool
is_postfix(const char *s)
{
	return s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
			   "XYZ0123456789_:.[]$")] == '\0'
	       && (*s < '0' || *s > '9');
}

/* What stands around a child's name, so that the whole yields the child. */
static struct err *
container_express(struct container *c, const struct opened *o)
{
	const char *e = c->ref.expr;
	bool array = type_kind(type_plain(value_type(o->inner)))
		     == SYM_TYPE_ARRAY;

	if (!e || o->in.printed || strlen(e) > EXPR_MAX)
		return NULL;
	const char *left = is_postfix(e) || *e == '(' ? "" : "(";
	const char *right = *left ? ")" : "";
	if (is_class(value_type(o->inner)))
		c->before = arena_printf(c->arena, "%s%s%s%s", left, e, right,
					 o->through && type_kind(type_plain(
						value_type(c->ref.value)))
					 == SYM_TYPE_POINTER ? "->" : ".");
	else if (array)
		c->before = arena_printf(c->arena, "%s%s%s", left, e, right);
	else
		c->before = arena_printf(c->arena, "*%s%s%s", left, e, right);
	return c->before ? NULL : err_nomem();
}

static const char *
joined(struct arena *a, const char *x, const char *y)
{
	size_t n = strlen(x), m = strlen(y);
	char *text = arena_alloc(a, n + m + 1);

	if (text) {
		memcpy(text, x, n);
		memcpy(text + n, y, m);
	}
	return text;
}

/* A structure without a name has no part in the expression. */
static const char *
outer_expression(const struct container *c)
{
	size_t n = strlen(c->before);

	if (n > 2 && strcmp(c->before + n - 2, "->") == 0)
		return arena_printf(c->arena, "(*%.*s)", (int)(n - 2),
				    c->before);
	return arena_strndup(c->arena, c->before, n - 1);
}

static struct err *
item_express(const struct container *c, const struct child *child,
	     struct item *out)
{
	const char *expr = NULL;

	if (!c->before)
		return NULL;
	switch (child->kind) {
	case CHILD_MEMBER:
	case CHILD_STATIC:
		out->expr_is_outer = !is_name(child->name);
		expr = out->expr_is_outer ? outer_expression(c)
		       : joined(c->arena, c->before, child->name);
		break;
	case CHILD_BASE:
		out->expr_is_outer = true;
		expr = outer_expression(c);
		break;
	case CHILD_ELEMENT:
		expr = joined(c->arena, c->before, child->name);
		break;
	case CHILD_TARGET:
		expr = c->before;
		break;
	default:
		return NULL;
	}
	out->expr = expr;
	return expr ? NULL : err_nomem();
}

/* ---- pages of a value ---------------------------------------------------------- */
static const char *
item_name(const struct container *c, const struct child *child)
{
	const char *e = c->ref.expr;

	if (child->kind != CHILD_TARGET)
		return child->name;
	return e && strlen(e) <= EXPR_MAX && is_postfix(e)
	       ? arena_printf(c->arena, "*%s", e) : child->name;
}

static struct err *
value_items(struct container *c, uint64_t start, size_t count,
	    struct item **out, size_t *n)
{
	struct children list;
	struct item *items;

	struct err *err = value_children(c->inner, &c->style, start, count,
					 c->arena, &list);
	if (err)
		return err;
	items = arena_array(c->arena, list.n + 1, sizeof(*items));
	if (!items)
		return err_nomem();
	for (size_t k = 0; k < list.n && !err; k++) {
		const struct child *child = &list.list[k];

		items[k].expr_is_doubtful = c->ref.is_outer;
		items[k].name = item_name(c, child);
		items[k].nth = start + k;
		items[k].value = child->value;
		items[k].child = child->kind;
		err = items[k].name ? item_express(c, child, &items[k])
		      : err_nomem();
	}
	*out = items;
	*n = list.n;
	return err;
}

/* ---- names are unique ------------------------------------------------------------ */
static int
by_name(const void *a, const void *b)
{
	const struct item *x = *(const struct item *const *)a;
	const struct item *y = *(const struct item *const *)b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->nth > y->nth) - (x->nth < y->nth);
}

static struct err *
unique_names(struct arena *a, struct item *items, size_t n)
{
	struct item **sorted = arena_array(a, n + 1, sizeof(*sorted));
	const char *last = NULL;
	unsigned same = 1;

	if (!sorted)
		return err_nomem();
	for (size_t k = 0; k < n; k++)
		sorted[k] = &items[k];
	qsort(sorted, n, sizeof(*sorted), by_name);
	for (size_t k = 0; k < n; k++) {
		struct item *item = sorted[k];

		if (!last || strcmp(item->name, last) != 0) {
			last = item->name;
			same = 1;
			continue;
		}
		item->name = arena_printf(a, "%s#%u", last, ++same);
		if (!item->name)
			return err_nomem();
	}
	return NULL;
}

/* ---- opening ---------------------------------------------------------------------- */
static struct err *
open_value(struct container *c)
{
	struct opened o;
	const struct value *v;
	size_t n;

	struct err *err = value_keep(c->ref.value, c->arena, &v);
	if (err)
		return err;
	c->ref.value = v;
	err = inside_open(v, &c->style, c->arena, &o);
	if (err || !o.inner)
		return err;
	c->inner = o.inner;
	c->n = o.in.n;
	c->indexed = o.in.indexed;
	err = container_express(c, &o);
	if (err || c->indexed || c->n > LISTED_MAX)
		return err;
	err = value_items(c, 0, c->n, &c->items, &n);
	c->n = n;
	return err ? err : unique_names(c->arena, c->items, n);
}

static struct err *
open_listed(struct container *c)
{
	struct err *err = scopes_list(c);

	return err ? err : unique_names(c->arena, c->items, c->n);
}

struct err *
container_open(struct container *c, int64_t id)
{
	struct err *err = refs_find(c->d, id, &c->ref);

	if (!err && c->ref.kind == REF_MORE) {
		c->offset = c->ref.nth;
		err = refs_find(c->d, c->ref.parent, &c->ref);
	}
	if (err)
		return err;
	if (!c->style.format)
		c->style.format = c->ref.format;
	c->style.raw = c->style.raw || c->ref.raw;
	return c->ref.kind == REF_VALUE ? open_value(c) : open_listed(c);
}

/* ---- what is told of them --------------------------------------------------------- */
const struct scope *
container_scope(const struct container *c)
{
	return c->ref.has_place ? stack_scope(c->d, c->ref.at) : NULL;
}

/* Where another variable may have the name, the name is tried. */
static bool
expr_is_true(const struct container *c, const struct item *item)
{
	struct value_style style = c->style;
	const struct value *v;
	_err_ struct err *err = values_eval(c->d->shown.values,
					    container_scope(c), item->expr,
					    &style, c->arena, &v);

	return !err && value_is_same(v, item->value);
}

static struct err *
item_settle(const struct container *c, struct item *item)
{
	const struct scope *s = container_scope(c);
	struct err *err = NULL;

	if (item->var && !item->value)
		err = item->per_thread && s
		      ? var_value_in(item->var, s, c->arena, &item->value)
		      : var_value(item->var, c->arena, &item->value);
	if (!err && item->value && item->expr && item->expr_is_doubtful
	    && !expr_is_true(c, item))
		item->expr = NULL;
	item->expr_is_doubtful = false;
	return err;
}

struct err *
container_page(struct container *c, uint64_t start, size_t count,
	       const struct item **out, size_t *n)
{
	uint64_t left;
	struct item *items;

	*out = NULL;
	*n = 0;
	if (!u64_add(start, c->offset, &start) || start >= c->n)
		return NULL;
	left = c->n - start;
	if (count > left)
		count = (size_t)left;
	struct err *err = NULL;
	if (c->items) {
		items = c->items + start;
		*n = count;
	} else {
		err = value_items(c, start, count, &items, n);
		if (!err && !c->indexed)
			err = unique_names(c->arena, items, *n);
	}
	for (size_t k = 0; k < *n && !err; k++)
		err = item_settle(c, &items[k]);
	if (!err)
		*out = items;
	return err;
}

/* ---- by name --------------------------------------------------------------------- */
static bool
is_index(const char *name, int64_t *out)
{
	char *end;

	if (*name != '[' || (name[1] != '-' && (name[1] < '0' || name[1] > '9')))
		return false;
	*out = strtoll(name + 1, &end, 10);
	return strcmp(end, "]") == 0;
}

/* "[7]" is the eighth, or another one where counting begins elsewhere. */
static struct err *
find_element(struct container *c, const char *name, const struct item **out)
{
	const struct item *first, *it;
	int64_t want, lower;
	size_t n;

	*out = NULL;
	struct err *err = container_page(c, 0, 1, &first, &n);
	if (err || !n || !is_index(name, &want)
	    || !is_index(first->name, &lower) || want < lower)
		return err;
	err = container_page(c, (uint64_t)want - (uint64_t)lower, 1, &it, &n);
	if (!err && n && strcmp(it->name, name) == 0)
		*out = it;
	return err;
}

struct err *
container_find(struct container *c, const char *name, const struct item **out)
{
	uint64_t start = 0;

	c->offset = 0;
	*out = NULL;
	struct err *err = c->indexed ? find_element(c, name, out) : NULL;
	while (!err && !*out && start < c->n && start < FOUND_MAX) {
		const struct item *items;
		size_t n;

		err = container_page(c, start, LISTED_MAX, &items, &n);
		for (size_t k = 0; k < n && !err && !*out; k++)
			if (strcmp(items[k].name, name) == 0)
				*out = &items[k];
		start += LISTED_MAX;
	}
	if (!err && !*out)
		err = err_new(ERR_NOTFOUND, "there is nothing called \"%.128s\" "
			      "in it", name);
	return err;
}
