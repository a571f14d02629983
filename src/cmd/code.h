/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code: instructions of a SNAP: where to look, and what is said of one.
 */
#ifndef CMD_CODE_H
#define CMD_CODE_H

#include "disasm/disasm.h"

/** What was typed; NULL and UINT64_MAX where nothing was. */
struct code_options {
	const char *place;              /* address or symbol */
	uint64_t tid, frame, count, before;
	bool intel, json, colour;
	const char *exe;
};
/** Instructions, and whose registers they were read with. */
struct code {
	struct insp *insp;
	struct arena *arena;
	const char *path;               /* SNAP as it was typed */
	const struct code_options *options;
	size_t thread;                  /* INSP_NONE: there is none */
	bool has_frame;
	uint64_t frame, caller;         /* their numbers, as report has them */
	struct frame frame_regs;
	struct disasm_list list;
	struct line *lines;             /* of each; @file NULL = not known */
	bool absent;                    /* the current one is not captured */
};

void code_text(const struct code *c, struct buf *out);
struct err *code_json(const struct code *c, struct buf *out) _must_check_;

/** An entry as JSON; @current: it is where the thread stands. @line or NULL. */
struct json *code_json_entry(const struct disasm_entry *e, bool current,
			     const struct line *line);

#endif
