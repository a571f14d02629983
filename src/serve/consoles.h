/* SPDX-License-Identifier: Apache-2.0 */
/*
 * consoles: the jailed gdbs of the workers that a process has started.
 */
#ifndef SERVE_CONSOLES_H
#define SERVE_CONSOLES_H

#include "serve/gdb.h"

#define CONSOLES_MAX 16u

struct consoles {
	struct {
		uint64_t number;        /* 0 = free */
		struct jail_child *child;
		int line;       /* kept open: gdb opens it late */
	} rows[CONSOLES_MAX];
};
/** One more, called @number, over gdb's ends, which are taken. ERR_LIMIT. */
struct err *consoles_start(struct consoles *all, uint64_t number,
			   struct gdb_ends *e) _must_check_;
/** End that one, if it is there. */
void consoles_end(struct consoles *all, uint64_t number);
/** End those from @first to @last. */
void consoles_end_from(struct consoles *all, uint64_t first, uint64_t last);
void consoles_fini(struct consoles *all);

#endif
