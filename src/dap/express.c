/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions that yield what is inside: by its name where the name leads there
 * and nowhere else, else by its address.
 */
#include "dap/refs.h"
#include "symbols/symbols.h"

#include <string.h>

#define EXPR_MAX 1024u          /* longer ones are not told */

/* ---- text ------------------------------------------------------------------------ */
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

/* A name, or one with members and elements behind it, needs no parentheses. */
static bool
is_postfix(const char *s)
{
	if (*s >= '0' && *s <= '9')
		return false;
	for (; *s; s++)
		if (!is_name_char(*s) && !strchr(":.[]$", *s)
		    && !(s[0] == '-' && s[1] == '>')
		    && !(s[0] == '>' && s[-1] == '-'))
			return false;
	return true;
}

/* "(*p)", but not "(*p) + (1)". */
static bool
is_enclosed(const char *s)
{
	unsigned depth = 0;

	if (*s != '(')
		return false;
	for (; *s; s++) {
		depth += *s == '(';
		if (*s == ')' && --depth == 0)
			return !s[1];
		/* What is in quotes may have any. */
		if (*s == '"' || *s == '\'')
			return false;
	}
	return false;
}

/** @expr as an operand: in parentheses where it needs them. */
static const char *
operand(struct arena *a, const char *expr)
{
	return is_postfix(expr) || is_enclosed(expr) ? expr
	       : arena_printf(a, "(%s)", expr);
}

static const char *
joined(struct arena *a, const char *x, const char *y)
{
	char *text = arena_alloc(a, strlen(x) + strlen(y) + 1);

	if (text)
		stpcpy(stpcpy(text, x), y);
	return text;
}

/** "((T *)&E)->" of an object, "((T *)E)->" of a pointer to it. */
static const char *
cast_of(struct container *c, const struct type *t, const char *e,
	bool pointer)
{
	_buf_ struct buf name = { 0 };
	_err_ struct err *err = type_name(t, &name);

	/* What has no name cannot be written. */
	if (err || !name.data || strchr(name.data, '{'))
		return NULL;
	return arena_printf(c->arena, "((%s *)%s%s)->", name.data,
			    pointer ? "" : "&", e);
}

/* ---- around what is inside ------------------------------------------------------------ */
static bool
is_pointer(const struct value *v)
{
	return type_kind(type_plain(value_type(v))) == SYM_TYPE_POINTER;
}

struct err *
express_container(struct container *c, const struct opened *o)
{
	const struct type *t = value_type(o->inner);
	bool pointer = o->through && is_pointer(c->ref.value);
	const char *e = c->ref.expr;

	if (!e || o->in.printed || strlen(e) > EXPR_MAX)
		return NULL;
	e = operand(c->arena, e);
	if (!e)
		return err_nomem();
	c->doubtful = c->ref.is_outer || o->cast;
	if (c->doubtful)
		c->cast = cast_of(c, t, e, pointer);
	if (o->cast && c->cast)
		c->before = c->cast;
	else if (inside_is_class(t))
		c->before = joined(c->arena, e, pointer ? "->" : ".");
	else if (type_kind(type_plain(t)) == SYM_TYPE_ARRAY)
		c->before = e;
	else
		c->before = joined(c->arena, "*", e);
	return c->before ? NULL : err_nomem();
}

/* A structure without a name, and a base, have no part in it. */
static const char *
outer_expression(const struct container *c)
{
	size_t n = strlen(c->before);

	if (n > 2 && strcmp(c->before + n - 2, "->") == 0)
		return arena_printf(c->arena, "(*%.*s)", (int)(n - 2),
				    c->before);
	return arena_strndup(c->arena, c->before, n - 1);
}

struct err *
express_item(const struct container *c, const struct child *child,
	     struct item *out)
{
	if (!c->before)
		return NULL;
	out->expr_is_doubtful = c->doubtful;
	switch (child->kind) {
	case CHILD_MEMBER:
	case CHILD_STATIC:
		out->expr_is_outer = !is_name(child->name);
		break;
	case CHILD_BASE:
		out->expr_is_outer = true;
		break;
	case CHILD_TARGET:
		out->expr = out->name = c->before;
		return NULL;
	case CHILD_ELEMENT:
		break;
	default:
		return NULL;
	}
	out->expr = out->expr_is_outer ? outer_expression(c)
		    : joined(c->arena, c->before, child->name);
	return out->expr ? NULL : err_nomem();
}

/* ---- is it true? ----------------------------------------------------------------------- */
static bool
is_true(const struct container *c, const char *expr, const struct value *is)
{
	struct value_style style = c->style;
	const struct value *v;
	_err_ struct err *err = values_eval(c->d->shown.values,
					    container_scope(c), expr, &style,
					    c->arena, &v);

	return !err && value_is_same(v, is);
}

/* By its address, where the name of its type can be read back: that is found
 * out once for each. */
static const char *
absolute(struct container *c, const struct value *v)
{
	const struct type *t = value_type(v);
	_buf_ struct buf text = { 0 };
	const char *expr;

	if (t == c->told.unreadable && t)
		return NULL;
	_err_ struct err *err = value_put_absolute(v, &text);
	if (err || !text.data)
		return NULL;
	expr = arena_strndup(c->arena, text.data, text.len);
	if (expr && t == c->told.readable)
		return expr;
	if (expr && is_true(c, expr, v)) {
		c->told.readable = t;
		return expr;
	}
	c->told.unreadable = t;
	return NULL;
}

/* Of a class that a name leads out of: as that class. */
static const char *
by_cast(struct container *c, const struct item *item)
{
	const char *expr = c->cast && item->child == CHILD_MEMBER
			   && is_name(item->name)
			   ? joined(c->arena, c->cast, item->name) : NULL;

	return expr && is_true(c, expr, item->value) ? expr : NULL;
}

/* A base of what the expression yields. */
static const char *
base_of(struct container *c, const struct item *item)
{
	_buf_ struct buf name = { 0 };
	_err_ struct err *err = type_name(value_type(item->value), &name);
	const char *expr = err || !item->expr ? NULL
			   : arena_printf(c->arena, "*(%s *)&%s", name.data,
					  item->expr);

	return expr && is_true(c, expr, item->value) ? expr
	       : absolute(c, item->value);
}

struct err *
express_settle(struct container *c, struct item *item)
{
	if (item->expr_is_outer) {
		item->told_expr = item->child == CHILD_BASE
				  ? base_of(c, item) : NULL;
		return NULL;
	}
	if (item->expr && item->expr_is_doubtful
	    && !is_true(c, item->expr, item->value))
		item->expr = by_cast(c, item);
	item->expr_is_doubtful = false;
	if (!item->expr)
		item->expr = absolute(c, item->value);
	item->told_expr = item->expr;
	return NULL;
}
