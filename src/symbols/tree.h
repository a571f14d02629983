/* SPDX-License-Identifier: Apache-2.0 */
/* tree: the parts of a function's record that two readers have in common. */
#ifndef SYMBOLS_TREE_H
#define SYMBOLS_TREE_H

#include "symbols/index.h"

struct tree_head {
	uint32_t unit, n_blocks;
	uint64_t low;
};
struct tree_names {
	uint32_t name, prefix, linkage, type, file, line;
};

/* Each block takes three bytes or more. */
static inline bool
tree_read_head(struct symidx *ix, struct cur *c, struct tree_head *out)
{
	out->unit = read_unit(ix, c);
	out->low = cur_uleb(c);
	uint64_t n = cur_uleb(c);
	out->n_blocks = (uint32_t)n;
	return !c->failed && n && n <= cur_left(c) / 3;
}

static inline void
tree_read_names(struct symidx *ix, struct cur *c, struct tree_names *out)
{
	out->name = read_string(ix, c);
	out->prefix = read_string(ix, c);
	out->linkage = read_string(ix, c);
	out->type = read_type(ix, c);
	out->file = read_string(ix, c);
	out->line = (uint32_t)cur_uleb(c);
}

static inline void
tree_read_range(struct cur *c, uint64_t *last, uint64_t *start, uint64_t *end)
{
	*start = *last + (uint64_t)cur_sleb(c);
	*end = *start + cur_uleb(c);
	*last = *end;
}

#endif
