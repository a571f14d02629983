/* SPDX-License-Identifier: Apache-2.0 */
/* Maps and sets of libstdc++: red-black trees and chains of hash tables. */
#include "values/printers.h"

/* A node of a tree: colour, parent, left, right, then what it holds. */
enum { PARENT = 8, LEFT = 16, RIGHT = 24, HELD = 32 };
#define CLIMB_MAX 64u

static struct err *
leftmost(struct values *vs, uint64_t node, uint64_t *out)
{
	for (unsigned n = 0; n < CLIMB_MAX; n++) {
		uint64_t left;
		struct err *err = space_u64(vs->space, node + LEFT, &left);

		if (err)
			return err;
		if (!left)
			break;
		node = left;
	}
	*out = node;
	return NULL;
}

/** The node that comes next in order. */
static struct err *
tree_next(struct values *vs, uint64_t node, uint64_t *out)
{
	uint64_t right, parent;
	struct err *err = space_u64(vs->space, node + RIGHT, &right);

	if (err)
		return err;
	if (right)
		return leftmost(vs, right, out);
	for (unsigned n = 0; n < CLIMB_MAX; n++) {
		err = space_u64(vs->space, node + PARENT, &parent);
		if (!err)
			err = space_u64(vs->space, parent + RIGHT, &right);
		if (err)
			return err;
		if (right != node)
			break;
		node = parent;
	}
	*out = parent;
	return NULL;
}

static const char *
counted(const struct value *v, uint64_t n, struct arena *a)
{
	return arena_printf(a, "%s with %llu element%s", template_name(v, a),
			    (unsigned long long)n, n == 1 ? "" : "s");
}

static uint64_t
aligned(uint64_t n, const struct type *t)
{
	uint64_t align = type_alignment(t);

	return (n + align - 1) / align * align;
}

/* std::pair<const K, V>: the second where its alignment allows. */
static void
set_types(const struct value *v, bool map, struct nodes *nodes)
{
	nodes->element = type_argument(v->type, 0);
	if (!map)
		return;
	nodes->mapped = type_argument(v->type, 1);
	nodes->key_size = aligned(type_size(nodes->element), nodes->mapped);
}

static uint64_t
pair_start(uint64_t links, const struct nodes *nodes)
{
	uint64_t first = aligned(links, nodes->element);
	uint64_t second = nodes->mapped ? aligned(links, nodes->mapped) : 0;

	return first > second ? first : second;
}

static struct err *
tree_display(const struct value *v, bool map, struct arena *a,
	     struct display *out)
{
	struct nodes nodes = { .next = tree_next };
	uint64_t n;
	struct err *err = member_u64(v, "_M_t._M_impl._M_node_count", a, &n);

	if (!err)
		err = member_u64(v, "_M_t._M_impl._M_header._M_left", a,
				 &nodes.first);
	if (err)
		return err;
	set_types(v, map, &nodes);
	nodes.skip = pair_start(HELD, &nodes);
	return nodes_display(&nodes, n, counted(v, n, a), a, out);
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
	struct err *err = member_u64(v, "_M_h._M_element_count", a, &n);

	if (!err)
		err = member_u64(v, "_M_h._M_before_begin._M_nxt", a,
				 &nodes.first);
	if (err)
		return err;
	set_types(v, map, &nodes);
	nodes.skip = pair_start(8, &nodes);
	return nodes_display(&nodes, n, counted(v, n, a), a, out);
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

const struct printer LIBSTDCXX_MAPS[] = {
	{ "std::map", map_display, nodes_child },
	{ "std::multimap", map_display, nodes_child },
	{ "std::set", set_display, nodes_child },
	{ "std::multiset", set_display, nodes_child },
	{ "std::unordered_map", hash_map_display, nodes_child },
	{ "std::unordered_multimap", hash_map_display, nodes_child },
	{ "std::unordered_set", hash_set_display, nodes_child },
	{ "std::unordered_multiset", hash_set_display, nodes_child },
	{ NULL, NULL, NULL },
};
