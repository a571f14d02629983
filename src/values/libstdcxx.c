/* SPDX-License-Identifier: Apache-2.0 */
/* Sequences and strings of libstdc++, by the names of its members. */
#include "values/printers.h"

#include <string.h>

#define DEQUE_BUFFER 512u       /* bytes of one piece of a deque */

static const char *
of_length(const struct value *v, const char *what, uint64_t n,
	  struct arena *a)
{
	return arena_printf(a, "%s%s%llu", template_name(v, a), what,
			    (unsigned long long)n);
}

static const char *
with_elements(const struct value *v, uint64_t n, struct arena *a)
{
	return arena_printf(a, "%s with %llu element%s", template_name(v, a),
			    (unsigned long long)n, n == 1 ? "" : "s");
}

static struct err *
nonsense(void)
{
	return err_new(ERR_FAILED, "its members make no sense");
}

/* ---- std::vector ---------------------------------------------------------- */
struct bits {
	uint64_t start, offset;
	const struct type *one;
};

static struct err *
bits_display(const struct value *v, struct arena *a, struct display *out)
{
	struct bits *b = arena_alloc(a, sizeof(*b));
	uint64_t end = 0, left = 0, storage = 0;
	struct err *err = b ? member_u64(v, "_M_impl._M_start._M_p", a,
					 &b->start) : err_nomem();

	if (!err)
		err = member_u64(v, "_M_impl._M_start._M_offset", a,
				 &b->offset);
	if (!err)
		err = member_u64(v, "_M_impl._M_finish._M_p", a, &end);
	if (!err)
		err = member_u64(v, "_M_impl._M_finish._M_offset", a, &left);
	if (!err)
		err = member_u64(v, "_M_impl._M_end_of_storage", a, &storage);
	if (err)
		return err;
	if (end < b->start || storage < b->start)
		return nonsense();
	uint64_t n = 8 * (end - b->start) + left - b->offset;
	uint64_t capacity = 8 * (storage - b->start);
	b->one = type_argument(v->type, 0);
	*out = (struct display){
		.hint = DISPLAY_ARRAY, .n_children = n, .state = b,
		.summary = arena_printf(
			a, "%s<bool> of length %llu, capacity %llu",
			template_name(v, a), (unsigned long long)n,
			(unsigned long long)capacity),
	};
	return NULL;
}

static bool
is_bits(const struct value *v)
{
	const struct type *t = type_plain(type_argument(v->type, 0));

	return type_kind(t) == SYM_TYPE_BASE
	       && t->sym->encoding == ATE_BOOLEAN;
}

static struct err *
bits_child(const struct value *v, const struct display *d, uint64_t n,
	   struct arena *a, struct child *out)
{
	const struct bits *b = d->state;
	uint64_t bit = b->offset + n;
	uint8_t byte;
	struct err *err = space_read(v->vs->space, b->start + bit / 8, 1,
				     &byte);

	if (err)
		return err;
	*out = (struct child){ .name = child_index(a, n),
			       .kind = CHILD_ELEMENT };
	return value_of_u64(v->vs, b->one, byte >> bit % 8 & 1, a,
			    &out->value);
}

static struct err *
vector_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct value *start;
	uint64_t from, to, end;
	struct err *err;

	if (is_bits(v))
		return bits_display(v, a, out);
	err = value_member(v, "_M_impl._M_start", a, &start);
	if (!err)
		err = value_u64(start, &from);
	if (!err)
		err = member_u64(v, "_M_impl._M_finish", a, &to);
	if (!err)
		err = member_u64(v, "_M_impl._M_end_of_storage", a, &end);
	if (err)
		return err;
	uint64_t size = type_size(type_target(type_plain(start->type)));
	if (!size || to < from || end < to)
		return nonsense();
	return row_display(start, (to - from) / size, arena_printf(
		a, "%s of length %llu, capacity %llu", template_name(v, a),
		(unsigned long long)((to - from) / size),
		(unsigned long long)((end - from) / size)), a, out);
}

static struct err *
vector_child(const struct value *v, const struct display *d, uint64_t n,
	     struct arena *a, struct child *out)
{
	return is_bits(v) ? bits_child(v, d, n, a, out)
	       : row_child(v, d, n, a, out);
}

/* ---- strings -------------------------------------------------------------- */
static struct err *
string_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct value *p;
	uint64_t n;
	struct err *err = value_member(v, "_M_dataplus._M_p", a, &p);

	if (!err)
		err = member_u64(v, "_M_string_length", a, &n);
	return err ? err : text_display(p, n, out);
}

static struct err *
view_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct value *p;
	uint64_t n;
	struct err *err = value_member(v, "_M_str", a, &p);

	if (!err)
		err = member_u64(v, "_M_len", a, &n);
	return err ? err : text_display(p, n, out);
}

/* ---- std::deque ----------------------------------------------------------- */
static struct err *
deque_count(const struct value *v, struct pieces *d, struct arena *a,
	    uint64_t *out)
{
	uint64_t cur, first, last_node, last_cur, last_first;
	struct err *err = member_u64(v, "_M_impl._M_start._M_cur", a, &cur);

	if (!err)
		err = member_u64(v, "_M_impl._M_start._M_first", a,
				 &first);
	if (!err)
		err = member_u64(v, "_M_impl._M_start._M_node", a, &d->map);
	if (!err)
		err = member_u64(v, "_M_impl._M_finish._M_node", a,
				 &last_node);
	if (!err)
		err = member_u64(v, "_M_impl._M_finish._M_cur", a, &last_cur);
	if (!err)
		err = member_u64(v, "_M_impl._M_finish._M_first", a,
				 &last_first);
	if (err)
		return err;
	if (last_node < d->map || cur < first || last_cur < last_first)
		return nonsense();
	d->before = (cur - first) / d->size;
	*out = (last_node - d->map) / 8 * d->per_piece
	       + (last_cur - last_first) / d->size - d->before;
	return NULL;
}

static struct err *
deque_display(const struct value *v, struct arena *a, struct display *out)
{
	struct pieces *d = arena_alloc(a, sizeof(*d));
	const struct type *t = type_argument(v->type, 0);
	uint64_t n = 0;

	if (!d)
		return err_nomem();
	d->element = t;
	d->size = type_size(t);
	if (!d->size)
		return nonsense();
	d->per_piece = d->size < DEQUE_BUFFER ? DEQUE_BUFFER / d->size : 1;
	struct err *err = deque_count(v, d, a, &n);
	if (err)
		return err;
	*out = (struct display){ .summary = with_elements(v, n, a),
				 .hint = DISPLAY_ARRAY, .n_children = n,
				 .state = d };
	return out->summary ? NULL : err_nomem();
}

/* ---- lists ---------------------------------------------------------------- */
static uint64_t
after_links(uint64_t links, const struct type *t)
{
	uint64_t align = type_alignment(t);

	return (links + align - 1) / align * align;
}

static struct err *
list_of(const struct value *v, uint64_t n, struct nodes *nodes,
	struct arena *a, struct display *out)
{
	const char *name = template_name(v, a);

	return nodes_display(nodes, n, n ? name :
			     arena_printf(a, "empty %s", name), a, out);
}

static struct err *
list_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct type *t = type_argument(v->type, 0);
	struct nodes nodes = { .next = nodes_follow, .element = t,
			       .skip = after_links(16, t) };
	const struct value *head;
	uint64_t end = 0, n = 0;
	struct err *err = value_member(v, "_M_impl._M_node", a, &head);

	if (!err && !value_address(head, &end))
		err = nonsense();
	if (!err)
		err = space_u64(v->vs->space, end, &nodes.first);
	if (err)
		return err;
	/* Of the old ABI it has no count of its own. */
	_err_ struct err *uncounted = member_u64(head, "_M_size", a, &n);
	if (uncounted)
		n = nodes_count(v->vs, &nodes, end);
	return list_of(v, n, &nodes, a, out);
}

static struct err *
forward_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct type *t = type_argument(v->type, 0);
	struct nodes nodes = { .next = nodes_follow, .element = t,
			       .skip = after_links(8, t) };
	struct err *err = member_u64(v, "_M_impl._M_head._M_next", a,
				     &nodes.first);

	return err ? err : list_of(v, nodes_count(v->vs, &nodes, 0), &nodes,
				   a, out);
}

/* ---- adaptors ------------------------------------------------------------- */
static struct err *
adaptor_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct value *inside;
	const char *before = arena_printf(a, "%s wrapping: ",
					  template_name(v, a));
	struct err *err = value_member(v, "c", a, &inside);

	if (!err && !before)
		err = err_nomem();
	return err ? err : wrapped_display(inside, before, a, out);
}

/* ---- spans ---------------------------------------------------------------- */
static struct err *
span_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct type *p = type_plain(v->type);
	const struct value *first;
	uint64_t n = 0;
	struct err *err = value_member(v, "_M_ptr", a, &first);
	_err_ struct err *fixed = err ? NULL : member_u64(
		v, "_M_extent._M_extent_value", a, &n);

	if (fixed && p->sym->n_arguments > 1)
		n = p->sym->arguments[1].value;
	return err ? err : row_display(first, n, of_length(
		v, " of length ", n, a), a, out);
}

static struct err *
initializer_display(const struct value *v, struct arena *a,
		    struct display *out)
{
	const struct value *first;
	uint64_t n;
	struct err *err = value_member(v, "_M_array", a, &first);

	if (!err)
		err = member_u64(v, "_M_len", a, &n);
	return err ? err : row_display(first, n, of_length(
		v, " of length ", n, a), a, out);
}

const struct printer LIBSTDCXX_SEQUENCES[] = {
	{ "std::vector", vector_display, vector_child },
	{ "std::basic_string", string_display, NULL },
	{ "std::basic_string_view", view_display, NULL },
	{ "std::deque", deque_display, pieces_child },
	{ "std::list", list_display, nodes_child },
	{ "std::forward_list", forward_display, nodes_child },
	{ "std::stack", adaptor_display, wrapped_child },
	{ "std::queue", adaptor_display, wrapped_child },
	{ "std::priority_queue", adaptor_display, wrapped_child },
	{ "std::span", span_display, row_child },
	{ "std::initializer_list", initializer_display, row_child },
	{ NULL, NULL, NULL },
};
