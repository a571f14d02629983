/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which functions stand at an address: the tree of what was inlined, flattened
 * into steps that one search finds.
 */
#include <stdlib.h>

#include "base/search.h"
#include "symbols/index.h"
#include "symbols/lines.h"
#include "symbols/tree.h"

#define PAGE 1024u              /* trees of a page */

struct node {                   /* two of them to a line of a cache */
	uint32_t parent;                /* a node; of the first, itself */
	uint32_t name, prefix, linkage;
	uint32_t file, line, column;    /* of the call */
	uint32_t inlined;
};
/** Steps: from @base + starts[k] on, the innermost is node nodes_at[k]. */
struct index_tree {
	uint32_t n_nodes, n_steps, unit;
	uint64_t base;
	struct node *nodes;
	uint32_t *starts, *nodes_at;    /* one allocation */
};

/* ---- steps --------------------------------------------------------------------- */
struct range {
	uint64_t start, end;
	uint32_t node;
};

static int
range_order(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node);
}

static void
put_step(struct index_tree *t, uint64_t start, uint32_t node)
{
	uint64_t from = start - t->base;

	/* Parts of a function are not that far from one another. */
	if (from > UINT32_MAX)
		return;
	if (t->n_steps && t->starts[t->n_steps - 1] >= from)
		t->n_steps--;
	t->starts[t->n_steps] = (uint32_t)from;
	t->nodes_at[t->n_steps++] = node;
}

/* Ranges nest: what began last is the innermost until it ends. Where none is,
 * the function is, node 0. */
static bool
make_steps(struct index_tree *t, struct range *r, size_t n)
{
	_free_ struct range *stack = malloc((n + 1) * sizeof(*stack));
	size_t depth = 0;

	t->starts = malloc((4 * n + 2) * sizeof(*t->starts));
	if (!stack || !t->starts)
		return false;
	t->nodes_at = t->starts + 2 * n + 1;
	if (n)
		qsort(r, n, sizeof(*r), range_order);
	t->base = n ? r[0].start : 0;
	for (size_t k = 0; k <= n; k++) {
		while (depth && (k == n || stack[depth - 1].end <= r[k].start)) {
			uint64_t end = stack[--depth].end;

			put_step(t, end, depth ? stack[depth - 1].node : 0);
		}
		if (k < n) {
			put_step(t, r[k].start, r[k].node);
			stack[depth++] = r[k];
		}
	}
	return true;
}

/* ---- reading --------------------------------------------------------------------- */
static bool
read_node(struct symidx *ix, struct cur *c, unsigned bits, struct node *to)
{
	struct tree_names names;

	tree_read_names(ix, c, &names);
	*to = (struct node){
		.name = names.name, .prefix = names.prefix,
		.linkage = names.linkage, .file = SYM_NONE,
		.inlined = bits & BLOCK_CALLED,
	};
	if (bits & BLOCK_CALLED) {
		to->file = read_string(ix, c);
		to->line = (uint32_t)cur_uleb(c);
		to->column = (uint32_t)cur_uleb(c);
	}
	return !c->failed;
}

/* A lexical block is whose it is in; all that begin in the tree get a node. */
static bool
read_blocks(struct symidx *ix, struct cur *c, struct index_tree *t,
	    const struct tree_head *head, struct buf *ranges)
{
	_free_ uint32_t *node_of = malloc(head->n_blocks * sizeof(*node_of));
	uint64_t last = head->low;

	if (!node_of)
		return false;
	for (uint32_t k = 0; k < head->n_blocks; k++) {
		unsigned bits = cur_u8(c);
		uint64_t up = cur_uleb(c);

		if (c->failed || (k ? !up || up > k : up)
		    || (!k && !(bits & BLOCK_NAMED)))
			return false;
		uint32_t parent = k ? node_of[k - up] : 0;
		node_of[k] = parent;
		if (bits & BLOCK_NAMED) {
			node_of[k] = t->n_nodes;
			if (!read_node(ix, c, bits, &t->nodes[t->n_nodes]))
				return false;
			t->nodes[t->n_nodes++].parent = parent;
		}
		for (uint64_t n = cur_uleb(c); n && !c->failed; n--) {
			struct range r = { .node = node_of[k] };

			tree_read_range(c, &last, &r.start, &r.end);
			if (bits & BLOCK_NAMED)
				buf_put(ranges, &r, sizeof(r));
		}
	}
	return !c->failed && !ranges->failed;
}

static void
tree_free(struct index_tree *t)
{
	if (!t)
		return;
	free(t->nodes);
	free(t->starts);
	free(t);
}

static struct index_tree *
read_tree(struct symidx *ix, uint32_t function)
{
	_buf_ struct buf ranges = { 0 };
	struct tree_head head;
	struct cur c;
	_err_ struct err *err = index_record(ix, STREAM_TREES, function, &c);
	struct index_tree *t = err || !tree_read_head(ix, &c, &head) ? NULL
			       : calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->unit = head.unit;
	t->nodes = aligned_alloc(sizeof(*t->nodes),
				 head.n_blocks * sizeof(*t->nodes));
	if (!t->nodes || !read_blocks(ix, &c, t, &head, &ranges)
	    || !make_steps(t, (struct range *)(void *)ranges.data,
			   ranges.len / sizeof(struct range))) {
		tree_free(t);
		return NULL;
	}
	ix->kept += sizeof(*t) + head.n_blocks * sizeof(*t->nodes)
		    + ranges.len / sizeof(struct range) * 4 * sizeof(uint32_t);
	return t;
}

static const struct index_tree *
tree_of(struct symidx *ix, uint32_t function)
{
	struct index_tree ***page = &ix->trees[function / PAGE];

	if (!*page)
		*page = calloc(PAGE, sizeof(struct index_tree *));
	if (!*page)
		return NULL;
	struct index_tree **slot = &(*page)[function % PAGE];
	if (!*slot)
		*slot = read_tree(ix, function);
	return *slot;
}

void
trees_forget(struct symidx *ix)
{
	for (uint32_t p = 0; ix->trees && p <= ix->head.n_functions / PAGE;
	     p++) {
		for (uint32_t k = 0; ix->trees[p] && k < PAGE; k++)
			tree_free(ix->trees[p][k]);
		free(ix->trees[p]);
		ix->trees[p] = NULL;
	}
}

/* ---- questions ---------------------------------------------------------------------- */
uint32_t
symidx_function_at(struct symidx *ix, uint64_t addr)
{
	const struct format_span *all = ix->spans;
	size_t k = search_above(all, ix->n_spans, sizeof(*all),
				offsetof(struct format_span, start), addr);

	if (!k || addr - all[k - 1].start >= all[k - 1].size
	    || all[k - 1].function >= ix->head.n_functions)
		return SYM_NONE;
	return all[k - 1].function;
}

static const struct node *
node_at(const struct index_tree *t, uint64_t addr)
{
	uint32_t k = addr < t->base ? 0
		     : index_search(t->starts, t->n_steps, addr - t->base);

	return &t->nodes[k ? t->nodes_at[k - 1] : 0];
}

size_t
symidx_frames(struct symidx *ix, uint64_t addr, struct sym_frame *out,
	      size_t max)
{
	uint32_t function = symidx_function_at(ix, addr);
	const struct index_tree *t;
	struct sym_line at = { .file = SYM_NONE };
	size_t n = 0;

	index_trim(ix);
	t = function != SYM_NONE ? tree_of(ix, function) : NULL;
	if (!t)
		return 0;
	if (!lines_find(ix, addr, &at))
		at = (struct sym_line){ .file = SYM_NONE };
	for (const struct node *node = node_at(t, addr);; node =
	     &t->nodes[node->parent]) {
		if (n < max)
			out[n] = (struct sym_frame){
				node->name, node->prefix, node->linkage,
				at.file, at.line, at.column, t->unit,
				node->inlined,
			};
		n++;
		if (node == t->nodes)
			return n;
		at.file = node->file;
		at.line = node->line;
		at.column = node->column;
	}
}
