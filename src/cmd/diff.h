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
		struct values *values;
		const char *path;
	} side[2];
	const struct diff_options *options;
	bool colour;
};
struct err *diff_text(const struct diff_pair *p, struct buf *out)
	_must_check_;
struct err *diff_json(const struct diff_pair *p, struct buf *out)
	_must_check_;

#endif
