/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diff: two snapshots held against each other, as text or JSON.
 */
#ifndef CMD_DIFF_H
#define CMD_DIFF_H

#include "cmd/cmd.h"
#include "inspect/inspect.h"

struct diff_options {
	bool all, json, no_index;
};
struct diff_pair {
	struct {
		struct insp *insp;
		const char *path;
	} side[2];
	const struct diff_options *options;
	bool colour;
};
struct err *diff_text(const struct diff_pair *p, struct buf *out)
	_must_check_;
struct err *diff_json(const struct diff_pair *p, struct buf *out)
	_must_check_;

/** A variable that has another value. Text as a debugger shows it. */
struct diff_variable {
	uint64_t tid;
	uint32_t depth;         /* of its frame in the second */
	const char *function, *name, *before, *after;
};
typedef struct err *diff_variable_fn(void *arg, const struct diff_variable *v);
/** diff_vars.c: of frames that are the same function in the same thread. */
struct err *diff_variables(const struct diff_pair *d, diff_variable_fn *fn,
			   void *arg) _must_check_;

#endif
