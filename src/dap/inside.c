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
#define KEY_MAX 64u             /* bytes of a map's key in a name */

/* ---- what is inside of a value ------------------------------------------------ */
bool
inside_is_class(const struct type *t)
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
		return inside_is_class(t);
	case SYM_TYPE_REFERENCE:
	case SYM_TYPE_RVALUE_REFERENCE:
		return inside_is_class(t)
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

static struct err *
open_dynamic(struct opened *o, struct arena *a)
{
	const struct value *was = o->inner;
	struct err *err = value_dynamic(was, a, &o->inner);

	o->cast = !err && type_plain(value_type(was))
			  != type_plain(value_type(o->inner));
	return err;
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
	o.through = !o.in.printed && leads_to_parts(v);
	if (o.through)
		err = value_target(v, 0, a, &o.inner);
	if (!err && style->object && inside_is_class(value_type(o.inner)))
		err = open_dynamic(&o, a);
	if (!err && o.inner != v)
		err = value_look_inside(o.inner, style, &o.in);
	if (!err && o.in.n)
		*out = o;
	return err;
}

/* ---- pages of a value ---------------------------------------------------------- */
/* A base is not opened as what it is a part of. */
static struct value_style
inner_style(const struct container *c)
{
	struct value_style style = c->style;

	style.object = style.object && !c->ref.is_base;
	return style;
}

static struct err *
item_of_child(struct container *c, const struct child *child, uint64_t nth,
	      struct item *out)
{
	out->name = child->name;
	out->nth = nth;
	out->value = child->value;
	out->child = child->kind;
	return express_item(c, child, out);
}

static struct err *
text_of_key(const struct child *key, struct buf *out)
{
	struct value_style style = VALUE_STYLE;

	style.length = KEY_MAX;
	return value_text(key->value, &style, out);
}

/*
 * "[\"ann\"]" of a map has what belongs to the key. A long key, and one that is
 * as the key before it, have their place: not a number that depends on where a
 * page begins.
 */
static struct err *
item_of_pair(struct container *c, const struct child *pair, uint64_t nth,
	     struct buf *before, struct item *out)
{
	_buf_ struct buf text = { 0 };

	struct err *err = text_of_key(&pair[0], &text);
	if (!err)
		err = item_of_child(c, &pair[1], nth, out);
	if (err)
		return err;
	const char *key = text.data ? text.data : "";
	bool alone = text.len < KEY_MAX
		     && (!nth || !before->data || strcmp(key, before->data) != 0);
	out->name = alone ? arena_printf(c->arena, "[%s]", key)
		    : arena_printf(c->arena, "[%s]#%llu", key,
				   (unsigned long long)nth);
	buf_reset(before);
	buf_puts(before, key);
	return out->name && !before->failed ? NULL : err_nomem();
}

/* Of the pair before @start, if there is one. */
static struct err *
key_before(struct container *c, const struct value_style *style,
	   uint64_t start, struct buf *out)
{
	struct children list = { 0 };

	if (!c->pairs || !start)
		return NULL;
	struct err *err = value_children(c->inner, style, 2 * start - 2, 1,
					 c->arena, &list);
	return err || !list.n ? err : text_of_key(&list.list[0], out);
}

static struct err *
value_items(struct container *c, uint64_t start, size_t count,
	    struct item **out, size_t *n)
{
	struct value_style style = inner_style(c);
	size_t each = c->pairs ? 2 : 1;
	struct children list = { 0 };
	_buf_ struct buf before = { 0 };
	struct item *items;

	struct err *err = value_children(c->inner, &style, start * each,
					 count * each, c->arena, &list);
	if (!err)
		err = key_before(c, &style, start, &before);
	if (err)
		return err;
	items = arena_array(c->arena, list.n + 1, sizeof(*items));
	if (!items)
		return err_nomem();
	*n = list.n / each;
	for (size_t k = 0; k < *n && !err; k++)
		err = c->pairs ? item_of_pair(c, &list.list[2 * k], start + k,
					      &before, &items[k])
		      : item_of_child(c, &list.list[k], start + k, &items[k]);
	*out = items;
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

/* The first of a name keeps it; the others get their line, or a number. */
static struct err *
rename_others(struct arena *a, struct item **sorted, size_t n, bool by_line)
{
	const char *last = NULL;
	unsigned same = 1;

	for (size_t k = 0; k < n; k++) {
		struct item *item = sorted[k];

		if (!last || strcmp(item->name, last) != 0) {
			last = item->name;
			same = 1;
		} else if (!by_line) {
			item->name = arena_printf(a, "%s#%u", last, ++same);
		} else if (item->line) {
			item->name = arena_printf(a, "%s@%u", last,
						  item->line);
		}
		if (!item->name)
			return err_nomem();
	}
	return NULL;
}

static struct err *
unique_names(struct arena *a, struct item *items, size_t n)
{
	struct item **sorted = arena_array(a, n + 1, sizeof(*sorted));
	struct err *err = sorted ? NULL : err_nomem();
	bool lines = false;

	if (err)
		return err;
	for (size_t k = 0; k < n; k++) {
		sorted[k] = &items[k];
		lines = lines || items[k].line;
	}
	qsort(sorted, n, sizeof(*sorted), by_name);
	if (lines) {
		err = rename_others(a, sorted, n, true);
		qsort(sorted, n, sizeof(*sorted), by_name);
	}
	return err ? err : rename_others(a, sorted, n, false);
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
	struct value_style style = inner_style(c);
	err = inside_open(v, &style, c->arena, &o);
	if (err || !o.inner)
		return err;
	c->inner = o.inner;
	c->pairs = o.in.pairs;
	c->n = o.in.pairs ? o.in.n / 2 : o.in.n;
	c->indexed = o.in.indexed;
	err = express_container(c, &o);
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

static struct err *
item_settle(struct container *c, struct item *item)
{
	const struct scope *s = container_scope(c);
	struct err *err = NULL;

	if (item->var && !item->value)
		err = item->per_thread && s
		      ? var_value_in(item->var, s, c->arena, &item->value)
		      : var_value(item->var, c->arena, &item->value);
	return err || !item->value ? err : express_settle(c, item);
}

struct err *
container_page(struct container *c, uint64_t start, size_t count,
	       const struct item **out, size_t *n)
{
	uint64_t left;
	struct item *items = NULL;

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
		if (!err && (!c->indexed || c->pairs))
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
		size_t n = 0;

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
