/* SPDX-License-Identifier: Apache-2.0 */
/* What is inside a value, page by page. */
#include "values/show.h"

#include <string.h>

#define AHEAD_MAX ((size_t)1 << 20)     /* bytes of an array read at once */

/** What is asked for, and where it goes. */
struct page {
	const struct value *v;
	const struct value_style *style;
	uint64_t offset;
	size_t count;
	struct arena *arena;
	struct child *list;
	size_t n;
};

static bool
add(struct page *g, const char *name, uint8_t kind, const struct value *v)
{
	if (g->n == g->count)
		return false;
	g->list[g->n++] = (struct child){ .name = name, .kind = kind,
					  .value = v };
	return true;
}

/* ---- printers ------------------------------------------------------------- */
static struct err *
printed_children(struct page *g, const struct printer *p,
		 const struct display *d)
{
	for (uint64_t n = g->offset; n < d->n_children && g->n < g->count;
	     n++) {
		struct child c = { 0 };
		struct err *err = p->child(g->v, d, n, g->arena, &c);

		if (err && err_kind(err) == ERR_NOMEM)
			return err;
		_err_ struct err *why = err;
		if (why)
			break;
		add(g, c.name, c.kind, c.value);
	}
	return NULL;
}

/* ---- arrays --------------------------------------------------------------- */
/* "[7]" without printf(): a page of a thousand is made of these. */
static const char *
index_name(struct arena *a, int64_t index)
{
	char text[24];
	size_t at = sizeof(text) - 1;
	uint64_t v = index < 0 ? 0 - (uint64_t)index : (uint64_t)index;

	text[at] = '\0';
	text[--at] = ']';
	do {
		text[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	if (index < 0)
		text[--at] = '-';
	text[--at] = '[';
	return arena_dup(a, text + at, sizeof(text) - at);
}

/** The array, with the bytes of the page read at once. */
static const struct value *
read_page(const struct page *g, uint64_t count)
{
	const struct value *first, *last;
	_err_ struct err *err = value_element(g->v, g->offset, g->arena,
					      &first);
	_err_ struct err *off = value_element(g->v, g->offset + count - 1,
					      g->arena, &last);
	size_t got = 0;

	if (err || off || first->place != PLACE_MEMORY || first->bytes
	    || last->address < first->address)
		return g->v;
	uint64_t n = last->address - first->address + value_size(last);
	if (n == 0 || n > AHEAD_MAX)
		return g->v;
	uint8_t *bytes = arena_alloc(g->arena, n);
	struct value *copy = arena_dup(g->arena, g->v, sizeof(*g->v));
	if (!bytes || !copy)
		return g->v;
	_err_ struct err *gone = space_read_some(g->v->vs->space,
						 first->address, n, bytes,
						 &got);
	if (gone)
		return g->v;
	copy->address = first->address;
	copy->bytes = bytes;
	copy->n_bytes = got;
	return copy;
}

static struct err *
array_children(struct page *g, uint64_t n)
{
	uint64_t count = g->offset < n ? n - g->offset : 0;
	int64_t lower = value_lower(g->v);

	count = count < g->count ? count : g->count;
	if (!count)
		return NULL;
	const struct value *page = read_page(g, count);
	uint64_t skipped = page == g->v ? g->offset : 0;
	for (uint64_t k = 0; k < count; k++) {
		const struct value *element;
		struct err *err = value_element(page, skipped + k, g->arena,
						&element);
		if (err)
			return err;
		const char *name = index_name(
			g->arena, (int64_t)((uint64_t)lower + g->offset + k));
		if (!name)
			return err_nomem();
		add(g, name, CHILD_ELEMENT, element);
	}
	return NULL;
}

/* ---- structures ----------------------------------------------------------- */
static uint8_t
member_kind(const struct sym_member *m)
{
	if (m->flags & SYM_MEMBER_BASE)
		return CHILD_BASE;
	return m->flags & SYM_MEMBER_STATIC ? CHILD_STATIC : CHILD_MEMBER;
}

static const char *
member_name(const struct type *p, const struct sym_member *m, struct arena *a)
{
	const char *name = m->flags & SYM_MEMBER_BASE ?
			   type_base_name(type_beside(p, m->type), a) :
			   type_string(p, m->name);

	return name && name[0] ? name : "<anonymous>";
}

static uint64_t
member_count(const struct value *v, const struct type *p)
{
	uint64_t n = 0;

	for (size_t k = 0; k < p->sym->n_members; k++)
		n += rust_is_there(v, &p->sym->members[k]);
	return n;
}

static struct err *
member_children(struct page *g, const struct type *p)
{
	uint64_t nth = 0;

	for (size_t k = 0; k < p->sym->n_members && g->n < g->count; k++) {
		const struct sym_member *m = &p->sym->members[k];
		const struct value *v;

		if (!rust_is_there(g->v, m) || nth++ < g->offset)
			continue;
		struct err *err = value_nth_member(g->v, k, g->arena, &v);
		if (err)
			return err;
		add(g, member_name(p, m, g->arena), member_kind(m), v);
	}
	return NULL;
}

/* ---- pointers ------------------------------------------------------------- */
/* What a pointer leads to is a child where it can have parts or a value. */
static bool
leads_on(const struct value *v, const struct type *p)
{
	const struct type *target = type_plain(type_target(p));
	uint64_t addr;

	if ((!type_is_pointer(p) && !type_is_reference(p)) || !target
	    || type_kind(target) == SYM_TYPE_FUNCTION)
		return false;
	if (target->sym->flags & SYM_TYPE_DECLARED)
		return false;
	if (value_synthetic(v))
		return true;
	_err_ struct err *err = value_u64(v, &addr);
	return !err && addr;
}

static struct err *
pointer_child(struct page *g)
{
	const struct value *target;

	if (g->offset || !g->count)
		return NULL;
	struct err *err = value_target(g->v, 0, g->arena, &target);
	if (!err && g->style->object)
		err = value_dynamic(target, g->arena, &target);
	if (err && err_kind(err) != ERR_NOMEM)
		err = value_nowhere(g->v->vs, type_target(type_plain(
			g->v->type)), err, g->arena, &target);
	if (!err)
		add(g, "*", CHILD_TARGET, target);
	return err;
}

/* ---- the edges ------------------------------------------------------------ */
static struct err *
object_of(const struct value **v, const struct value_style *style,
	  struct arena *a)
{
	return style->object ? value_dynamic(*v, a, v) : NULL;
}

static bool
has_members(const struct value *v)
{
	const struct type *p = type_plain(v->type);

	return type_is_class(p) && v->place != PLACE_NOWHERE;
}

/* Those of a set are shown as members are, and have numbers all the same. */
static bool
are_elements(const struct value *v, const struct printer *p,
	     const struct display *d, struct arena *a)
{
	struct child first = { 0 };

	if (d->hint != DISPLAY_MEMBERS || !d->n_children)
		return d->hint != DISPLAY_MEMBERS;
	_err_ struct err *err = p->child(v, d, 0, a, &first);
	return !err && first.name && strcmp(first.name, "[0]") == 0;
}

struct err *
value_look_inside(const struct value *v, const struct value_style *style,
		  struct value_inside *out)
{
	_arena_ struct arena *a = arena_new(0);
	struct value_inside in = { 0 };
	struct display d;

	if (!a)
		return err_nomem();
	struct err *err = object_of(&v, style, a);
	if (err)
		return err;
	const struct type *p = type_plain(v->type);
	const struct printer *printer = style->raw ? NULL :
					display_of(v, style, a, &d);
	if (printer)
		in = (struct value_inside){
			d.n_children, are_elements(v, printer, &d, a), true,
			d.hint == DISPLAY_MAP };
	else if (has_members(v))
		in.n = member_count(v, p);
	else if (v->place != PLACE_NOWHERE && value_count(v, &in.n))
		in.indexed = true;
	else
		in.n = leads_on(v, p);
	*out = in;
	return NULL;
}

struct err *
value_n_children(const struct value *v, const struct value_style *style,
		 uint64_t *out)
{
	struct value_inside in;
	struct err *err = value_look_inside(v, style, &in);

	if (!err)
		*out = in.n;
	return err;
}

struct err *
value_children(const struct value *v, const struct value_style *style,
	       uint64_t offset, size_t count, struct arena *a,
	       struct children *out)
{
	struct err *err = object_of(&v, style, a);
	struct page g = { .v = v, .style = style, .offset = offset,
			  .count = count, .arena = a };
	struct display d;
	uint64_t total;

	if (err)
		return err;
	g.list = arena_array(a, count + 1, sizeof(*g.list));
	if (!g.list)
		return err_nomem();
	const struct type *p = type_plain(v->type);
	const struct printer *printer = style->raw ? NULL :
					display_of(v, style, a, &d);
	if (printer)
		err = printed_children(&g, printer, &d);
	else if (has_members(v))
		err = member_children(&g, p);
	else if (v->place != PLACE_NOWHERE && value_count(v, &total))
		err = array_children(&g, total);
	else if (leads_on(v, p))
		err = pointer_child(&g);
	if (err)
		return err;
	*out = (struct children){ g.list, g.n };
	return NULL;
}
