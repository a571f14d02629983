/* SPDX-License-Identifier: Apache-2.0 */
/*
 * consoles: the jailed gdbs of the workers that a process has started.
 */
#ifndef SERVE_CONSOLES_H
#define SERVE_CONSOLES_H

#include "serve/gdb.h"

#define CONSOLES_MAX 4u

struct consoles {
	struct {
		uint64_t number;        /* 0 = free */
		struct jail_child *child;
		int line;       /* kept open: gdb opens it late */
	} rows[CONSOLES_MAX];
	uint64_t last;
};
/** One more; what of @e is gdb's is taken. ERR_LIMIT. */
struct err *consoles_start(struct consoles *all, struct gdb_ends *e,
			   uint64_t *number) _must_check_;
void consoles_end(struct consoles *all, uint64_t number);
void consoles_fini(struct consoles *all);

#endif
