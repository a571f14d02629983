/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report: what a report says, gathered once, then written as text or JSON.
 */
#ifndef CMD_REPORT_H
#define CMD_REPORT_H

#include "cmd/code.h"
#include "cmd/reason.h"
#include "inspect/inspect.h"

struct report_thread {
	const struct snap_thread *record;
	struct view view;
	uint64_t hash;          /* of the stack */
	size_t group;
};
/** Threads whose stacks are the same, pc by pc. */
struct report_group {
	size_t first;           /* thread that stands for all */
	size_t n;
};
/** Memory that was mapped but not captured, for one reason. */
struct report_absent {
	uint64_t bytes;
	uint64_t from_file;     /* of these, read from modules' files */
};
/** What names are missing for the frames in a module. */
struct report_module {
	size_t frames;          /* how many frames are in it */
	size_t nameless;        /* without a function */
	size_t lineless;        /* with a function but without a line */
};

struct report {
	struct insp *insp;
	const struct target *target;
	struct arena *arena;
	const char *path;       /* SNAP as it was typed */
	const char *program;    /* path of the executable, or NULL */
	bool all_threads, colour;
	struct reason reason;
	const struct disasm_entry *code;        /* that failed, or NULL */
	struct report_thread *threads;
	struct report_group *groups;
	struct report_module *modules;
	size_t n_threads, n_groups, n_modules;
	struct report_absent absent[SNAP_REASONS];
	const char *const *gaps;
	size_t n_gaps;
};

/** Fills what follows @path and @colour from @r->insp. */
struct err *report_gather(struct report *r) _must_check_;
void report_text(const struct report *r, struct buf *out);
struct err *report_json(const struct report *r, struct buf *out) _must_check_;

/** The part of a path after its last slash; "?" for NULL. */
const char *report_base(const char *path);
/** UTC, "2026-01-31 23:59:59"; with @iso as ISO 8601 has it. */
void report_time(struct buf *b, uint64_t ns, bool iso);

#endif
