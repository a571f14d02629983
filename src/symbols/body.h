/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body: one function, gathered before it is written: which variable an
 * expression means is known only when all have been seen.
 */
#ifndef SYMBOLS_BODY_H
#define SYMBOLS_BODY_H

#include "symbols/make.h"

struct body_block {
	uint8_t kind;
	uint32_t parent, first_range, n_ranges, n_variables;
	uint64_t name, prefix, linkage, file, call_file;        /* strings */
	uint32_t type, line, call_line, call_column;
};
struct body_variable {
	struct dw_unit *unit;
	uint32_t offset;
	struct origin home;             /* the first that it refers to */
	uint32_t block;
	uint64_t name, prefix, linkage, file;
	uint32_t type, line, flags;
	struct dw_value location;       /* form 0: none */
	struct dw_value constant;
};
struct body_value {
	struct dw_value location, value, data_value;
	uint64_t name;
};
struct body_call {
	uint64_t pc, target;
	struct dw_value target_expr;
	bool tail;
	uint32_t first_value, n_values;
};
struct body {
	struct maker *m;
	struct dw_unit *unit;
	uint64_t low;
	struct dw_value frame_base, static_link;
	struct buf blocks, variables, ranges, calls, values;
	bool failed;
};
void body_fini(struct body *b);
/** All of the function at @offset; false where it is damaged. */
bool body_gather(struct body *b, struct dw_unit *u, uint32_t offset);
/** A variable entry, of @block. */
bool body_variable(struct body *b, const struct dw_die *die, uint32_t block);
/** The variable that the entry is, or how many there are. */
uint32_t body_find(void *body, struct dw_unit *u, uint32_t offset);

static inline struct body_block *
body_blocks(const struct body *b, size_t *n)
{
	*n = b->blocks.len / sizeof(struct body_block);
	return (struct body_block *)(void *)b->blocks.data;
}

static inline struct body_variable *
body_variables(const struct body *b, size_t *n)
{
	*n = b->variables.len / sizeof(struct body_variable);
	return (struct body_variable *)(void *)b->variables.data;
}

#endif
