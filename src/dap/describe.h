/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files about an address share: describe.c finds the place, owner.c
 * the variable.
 */
#ifndef DAP_DESCRIBE_H
#define DAP_DESCRIBE_H

#include "dap/impl.h"
#include "inspect/maps.h"

struct description {
	struct dap *d;
	struct insp *insp;
	struct arena *arena;            /* of the request */
	uint64_t address;
	struct json *body;
	struct map_names names;
	const struct snap_map *map;     /* or NULL */
	size_t module;                  /* or INSP_NONE */
	bool has_symbol, has_thread, has_frame;
	struct symbol symbol;
	struct place at;                /* in whose stack it is */
	size_t first_row;               /* that is in the frame @at */
	uint64_t sp;
	const char *function;
	struct buf owner;               /* the variable, for a sentence */
};
/** "variable" of @x->body, where an index knows it. owner.c */
struct err *owner_put(struct description *x) _must_check_;

/** What is at an address, as the request tells it; "text" is one line. */
struct err *describe_address(struct dap *d, uint64_t address,
			     struct json **body) _must_check_;

#endif
