/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers of libc++, by the names of its members, which newer versions
 * write otherwise: the first path that is there counts.
 */
#include "values/printers.h"

#include <string.h>

#define PATHS 3u
#define LEAVES_MAX 64u

static struct err *
member_of(const struct value *v, const char *const paths[PATHS],
	  struct arena *a, const struct value **out)
{
	struct err *err = err_new(ERR_NOTFOUND, "no such member");

	for (unsigned n = 0; n < PATHS && paths[n] && err; n++) {
		err_free(err);
		err = value_member(v, paths[n], a, out);
	}
	return err;
}

static struct err *
number_of(const struct value *v, const char *const paths[PATHS],
	  struct arena *a, uint64_t *out)
{
	const struct value *m;
	struct err *err = member_of(v, paths, a, &m);

	return err ? err : value_u64(m, out);
}

#define AT(...) ((const char *const[PATHS]){ __VA_ARGS__ })

/** "std::vector": nobody writes the namespace between. */
static const char *
plain_name(const struct value *v, struct arena *a)
{
	const char *name = template_name(v, a);
	const char *at = strstr(name, "::__1::");

	return at ? arena_printf(a, "%.*s%s", (int)(at - name), name, at + 5)
	       : name;
}

static const char *
of_length(const struct value *v, uint64_t n, struct arena *a)
{
	return arena_printf(a, "%s of length %llu", plain_name(v, a),
			    (unsigned long long)n);
}

static const char *
with_elements(const struct value *v, uint64_t n, struct arena *a)
{
	return arena_printf(a, "%s with %llu element%s", plain_name(v, a),
			    (unsigned long long)n, n == 1 ? "" : "s");
}

static uint64_t
aligned(uint64_t n, const struct type *t)
{
	uint64_t align = type_alignment(t);

	return (n + align - 1) / align * align;
}

static struct err *
nonsense(void)
{
	return err_new(ERR_FAILED, "its members make no sense");
}

/* ---- sequences ------------------------------------------------------------ */
static struct err *
vector_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct value *first;
	uint64_t from, to, end;
	struct err *err = value_member(v, "__begin_", a, &first);

	if (!err)
		err = value_u64(first, &from);
	if (!err)
		err = member_u64(v, "__end_", a, &to);
	if (!err)
		err = number_of(v, AT("__end_cap_.__value_", "__end_cap_",
				      "__cap_"), a, &end);
	if (err)
		return err;
	uint64_t size = type_size(type_target(type_plain(first->type)));
	if (!size || to < from || end < to)
		return nonsense();
	return row_display(first, (to - from) / size, arena_printf(
		a, "%s of length %llu, capacity %llu", plain_name(v, a),
		(unsigned long long)((to - from) / size),
		(unsigned long long)((end - from) / size)), a, out);
}

static struct err *
counted_row(const struct value *v, const struct value *first, uint64_t n,
	    struct arena *a, struct display *out)
{
	return row_display(first, n, of_length(v, n, a), a, out);
}

static struct err *
span_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct type *p = type_plain(v->type);
	const struct value *first;
	uint64_t n = 0;
	struct err *err = member_of(v, AT("__data_", "__data", "__begin_"), a,
				    &first);
	_err_ struct err *fixed = err ? NULL : number_of(
		v, AT("__size_", "__size"), a, &n);

	if (fixed && p->sym->n_arguments > 1)
		n = p->sym->arguments[1].value;
	return err ? err : counted_row(v, first, n, a, out);
}

static struct err *
deque_display(const struct value *v, struct arena *a, struct display *out)
{
	struct pieces *d = arena_alloc(a, sizeof(*d));
	uint64_t n = 0;
	struct err *err = d ? member_u64(v, "__map_.__begin_", a, &d->map)
			  : err_nomem();

	if (!err)
		err = member_u64(v, "__start_", a, &d->before);
	if (!err)
		err = number_of(v, AT("__size_.__value_", "__size_"), a, &n);
	if (err)
		return err;
	d->element = type_argument(v->type, 0);
	d->size = type_size(d->element);
	if (!d->size)
		return nonsense();
	d->per_piece = d->size < 256 ? 4096 / d->size : 16;
	*out = (struct display){ .summary = with_elements(v, n, a),
				 .hint = DISPLAY_ARRAY, .n_children = n,
				 .state = d };
	return out->summary ? NULL : err_nomem();
}

/* ---- strings -------------------------------------------------------------- */
/** The characters within the object itself, as a pointer. */
static struct err *
short_text(const struct value *data, uint64_t n, struct arena *a,
	   struct display *out)
{
	const struct type *one = type_element(type_plain(data->type));
	const struct type *t = one ? type_pointer_to(data->vs, one) : NULL;
	const struct value *pointer;
	uint64_t addr;

	if (!t || !value_address(data, &addr))
		return nonsense();
	struct err *err = value_of_u64(data->vs, t, addr, a, &pointer);
	return err ? err : text_display(pointer, n, out);
}

static struct err *
string_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct value *rep, *data;
	uint64_t size, is_long;
	struct err *err = member_of(v, AT("__r_.__value_", "__rep_"), a, &rep);

	if (!err)
		err = member_u64(rep, "__s.__size_", a, &size);
	if (err)
		return err;
	_err_ struct err *mixed = member_u64(rep, "__s.__is_long_", a,
					     &is_long);
	if (mixed) {
		is_long = size & 1;
		size >>= 1;
	}
	err = value_member(rep, is_long ? "__l.__data_" : "__s.__data_", a,
			   &data);
	if (!err && is_long)
		err = member_u64(rep, "__l.__size_", a, &size);
	if (err)
		return err;
	return is_long ? text_display(data, size, out)
	       : short_text(data, size, a, out);
}

static struct err *
view_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct value *data;
	uint64_t n;
	struct err *err = member_of(v, AT("__data_", "__data"), a, &data);

	if (!err)
		err = number_of(v, AT("__size_", "__size"), a, &n);
	return err ? err : text_display(data, n, out);
}

/* ---- lists ---------------------------------------------------------------- */
static struct err *
second_link(struct values *vs, uint64_t node, uint64_t *out)
{
	return space_u64(vs->space, node + 8, out);
}

static struct err *
list_of(const struct value *v, uint64_t n, struct nodes *nodes,
	struct arena *a, struct display *out)
{
	const char *name = plain_name(v, a);

	return nodes_display(nodes, n, n ? name :
			     arena_printf(a, "empty %s", name), a, out);
}

static struct err *
list_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct type *t = type_argument(v->type, 0);
	struct nodes nodes = { .next = second_link, .element = t,
			       .skip = aligned(16, t) };
	uint64_t n;
	struct err *err = member_u64(v, "__end_.__next_", a, &nodes.first);

	if (!err)
		err = number_of(v, AT("__size_alloc_.__value_", "__size_"), a,
				&n);
	return err ? err : list_of(v, n, &nodes, a, out);
}

static struct err *
forward_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct type *t = type_argument(v->type, 0);
	struct nodes nodes = { .next = nodes_follow, .element = t,
			       .skip = aligned(8, t) };
	struct err *err = number_of(
		v, AT("__before_begin_.__value_.__next_",
		      "__before_begin_.__next_"), a, &nodes.first);

	return err ? err : list_of(v, nodes_count(v->vs, &nodes, 0), &nodes,
				   a, out);
}

/* ---- maps and sets -------------------------------------------------------- */
/* A node of a tree: left, right, parent, colour, then what it holds. */
enum { RIGHT = 8, PARENT = 16, HELD = 25, HASHED = 16, CLIMB_MAX = 64 };

static struct err *
leftmost(struct values *vs, uint64_t node, uint64_t *out)
{
	for (unsigned n = 0; n < CLIMB_MAX; n++) {
		uint64_t left;
		struct err *err = space_u64(vs->space, node, &left);

		if (err)
			return err;
		if (!left)
			break;
		node = left;
	}
	*out = node;
	return NULL;
}

static struct err *
tree_next(struct values *vs, uint64_t node, uint64_t *out)
{
	uint64_t right, parent = 0, left;
	struct err *err = space_u64(vs->space, node + RIGHT, &right);

	if (err)
		return err;
	if (right)
		return leftmost(vs, right, out);
	for (unsigned n = 0; n < CLIMB_MAX; n++) {
		err = space_u64(vs->space, node + PARENT, &parent);
		if (!err)
			err = space_u64(vs->space, parent, &left);
		if (err)
			return err;
		if (left == node)
			break;
		node = parent;
	}
	*out = parent;
	return NULL;
}

static void
set_types(const struct value *v, bool map, uint64_t links,
	  struct nodes *nodes)
{
	nodes->element = type_argument(v->type, 0);
	nodes->skip = aligned(links, nodes->element);
	if (!map)
		return;
	nodes->mapped = type_argument(v->type, 1);
	nodes->key_size = aligned(type_size(nodes->element), nodes->mapped);
	if (aligned(links, nodes->mapped) > nodes->skip)
		nodes->skip = aligned(links, nodes->mapped);
}

static struct err *
tree_display(const struct value *v, bool map, struct arena *a,
	     struct display *out)
{
	struct nodes nodes = { .next = tree_next };
	uint64_t n;
	struct err *err = member_u64(v, "__tree_.__begin_node_", a,
				     &nodes.first);

	if (!err)
		err = number_of(v, AT("__tree_.__pair3_.__value_",
				      "__tree_.__size_"), a, &n);
	if (err)
		return err;
	set_types(v, map, HELD, &nodes);
	return nodes_display(&nodes, n, with_elements(v, n, a), a, out);
}

static struct err *
map_display(const struct value *v, struct arena *a, struct display *out)
{
	return tree_display(v, true, a, out);
}

static struct err *
set_display(const struct value *v, struct arena *a, struct display *out)
{
	return tree_display(v, false, a, out);
}

static struct err *
table_display(const struct value *v, bool map, struct arena *a,
	      struct display *out)
{
	struct nodes nodes = { .next = nodes_follow };
	uint64_t n;
	struct err *err = number_of(
		v, AT("__table_.__p1_.__value_.__next_",
		      "__table_.__first_node_.__next_"), a, &nodes.first);

	if (!err)
		err = number_of(v, AT("__table_.__p2_.__value_",
				      "__table_.__size_"), a, &n);
	if (err)
		return err;
	set_types(v, map, HASHED, &nodes);
	return nodes_display(&nodes, n, with_elements(v, n, a), a, out);
}

static struct err *
hash_map_display(const struct value *v, struct arena *a, struct display *out)
{
	return table_display(v, true, a, out);
}

static struct err *
hash_set_display(const struct value *v, struct arena *a, struct display *out)
{
	return table_display(v, false, a, out);
}

/* ---- adaptors, owners ----------------------------------------------------- */
static struct err *
adaptor_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct value *inside;
	const char *before = arena_printf(a, "%s wrapping: ",
					  plain_name(v, a));
	struct err *err = value_member(v, "c", a, &inside);

	if (!err && !before)
		err = err_nomem();
	return err ? err : wrapped_display(inside, before, a, out);
}

static struct err *
unique_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct value *p;
	struct err *err = member_of(v, AT("__ptr_.__value_", "__ptr_"), a, &p);

	return err ? err : single_display(p, "get()", arena_printf(
		a, "%s<%s>", plain_name(v, a), argument_name(v, 0, a)), a,
		out);
}

/* Counts are kept less by one. */
static const char *
counts_of(const struct value *v, struct arena *a)
{
	uint64_t control = 0, uses = 0, weak = 0;
	_err_ struct err *err = member_u64(v, "__cntrl_", a, &control);

	if (err || !control)
		return "empty";
	_err_ struct err *no_uses = member_u64(
		v, "__cntrl_.__shared_owners_", a, &uses);
	_err_ struct err *no_weak = member_u64(
		v, "__cntrl_.__shared_weak_owners_", a, &weak);
	if (no_uses || no_weak)
		return "counts not known";
	if (uses + 1 == 0)
		return arena_printf(a, "expired, weak count %llu",
				    (unsigned long long)weak + 1);
	return arena_printf(a, "use count %llu, weak count %llu",
			    (unsigned long long)uses + 1,
			    (unsigned long long)weak);
}

static struct err *
shared_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct value *p;
	struct err *err = value_member(v, "__ptr_", a, &p);
	const char *counts = err ? NULL : counts_of(v, a);

	return err ? err : single_display(p, "get()", arena_printf(
		a, "%s<%s> (%s)", plain_name(v, a), argument_name(v, 0, a),
		counts ? counts : ""), a, out);
}

/* ---- sums and tuples ------------------------------------------------------ */
static struct err *
optional_display(const struct value *v, struct arena *a, struct display *out)
{
	const char *name = arena_printf(a, "%s<%s>", plain_name(v, a),
					argument_name(v, 0, a));
	const struct value *inside;
	uint64_t engaged;
	struct err *err = member_u64(v, "__engaged_", a, &engaged);

	if (!err && !name)
		err = err_nomem();
	if (!err && !engaged) {
		out->summary = arena_printf(a, "%s [no contained value]",
					    name);
		return out->summary ? NULL : err_nomem();
	}
	if (!err)
		err = value_member(v, "__val_", a, &inside);
	return err ? err : single_display(inside, "[contained value]", name,
					  a, out);
}

static struct err *
variant_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct value *data, *inside;
	uint64_t index;
	struct err *err = number_of(v, AT("__impl.__index",
					  "__impl_.__index"), a, &index);

	if (!err)
		err = member_of(v, AT("__impl.__data", "__impl_.__data"), a,
				&data);
	if (err)
		return err;
	const struct type *t = type_argument(v->type, index);
	const char *name = short_name(type_plain(v->type), a);
	if (!t) {
		out->summary = arena_printf(a, "%s [no contained value]",
					    name);
		return out->summary ? NULL : err_nomem();
	}
	err = value_as(data, t, a, &inside);
	return err ? err : single_display(inside, NULL, arena_printf(
		a, "%s [index %llu]", name, (unsigned long long)index), a,
		out);
}

struct leaves {
	const struct value *leaf[LEAVES_MAX];
};

static struct err *
tuple_display(const struct value *v, struct arena *a, struct display *out)
{
	struct leaves *l = arena_alloc(a, sizeof(*l));
	const struct value *impl;
	size_t n = 0;
	_err_ struct err *none = value_member(v, "__base_", a, &impl);

	if (!l)
		return err_nomem();
	const struct type *p = none ? NULL : type_plain(impl->type);
	for (size_t k = 0; p && k < p->sym->n_members && n < LEAVES_MAX; k++) {
		const struct value *base;
		struct err *err = value_nth_member(impl, k, a, &base);

		if (err)
			return err;
		_err_ struct err *empty = value_member(base, "__value_", a,
						       &l->leaf[n]);
		if (empty)
			l->leaf[n] = base;
		n++;
	}
	*out = (struct display){
		.state = l, .n_children = n,
		.summary = n ? "std::tuple containing" : "empty std::tuple",
	};
	return NULL;
}

static struct err *
tuple_child(const struct value *v, const struct display *d, uint64_t n,
	    struct arena *a, struct child *out)
{
	const struct leaves *l = d->state;

	(void)v;
	*out = (struct child){ .name = child_index(a, n + 1),
			       .kind = CHILD_MEMBER, .value = l->leaf[n] };
	return NULL;
}

static struct err *
iterator_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct value *p;
	struct err *err = member_of(v, AT("__i_", "__i", "__ptr_"), a, &p);

	return err ? err : value_target(p, 0, a, &out->instead);
}

const struct printer LIBCXX[] = {
	{ "std::vector", vector_display, row_child },
	{ "std::span", span_display, row_child },
	{ "std::deque", deque_display, pieces_child },
	{ "std::basic_string", string_display, NULL },
	{ "std::basic_string_view", view_display, NULL },
	{ "std::list", list_display, nodes_child },
	{ "std::forward_list", forward_display, nodes_child },
	{ "std::map", map_display, nodes_child },
	{ "std::multimap", map_display, nodes_child },
	{ "std::set", set_display, nodes_child },
	{ "std::multiset", set_display, nodes_child },
	{ "std::unordered_map", hash_map_display, nodes_child },
	{ "std::unordered_multimap", hash_map_display, nodes_child },
	{ "std::unordered_set", hash_set_display, nodes_child },
	{ "std::unordered_multiset", hash_set_display, nodes_child },
	{ "std::stack", adaptor_display, wrapped_child },
	{ "std::queue", adaptor_display, wrapped_child },
	{ "std::priority_queue", adaptor_display, wrapped_child },
	{ "std::unique_ptr", unique_display, single_child },
	{ "std::shared_ptr", shared_display, single_child },
	{ "std::weak_ptr", shared_display, single_child },
	{ "std::optional", optional_display, single_child },
	{ "std::variant", variant_display, single_child },
	{ "std::tuple", tuple_display, tuple_child },
	{ "std::__wrap_iter", iterator_display, NULL },
	{ NULL, NULL, NULL },
};
