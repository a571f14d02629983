/* SPDX-License-Identifier: Apache-2.0 */
/*
 * differ: in what two targets differ, as captured: what sessions wrote over
 * one of them is the caller's to lift before.
 */
#ifndef INSPECT_DIFFER_H
#define INSPECT_DIFFER_H

#include "inspect/inspect.h"

enum differ_list { DIFFER_THREADS, DIFFER_MODULES, DIFFER_ATTRIBUTES,
		   DIFFER_LISTS };
/** Borrowed for the call. Foreign text, not escaped. */
struct differ_row {
	const char *mark;       /* "gone", "new", "moved", "other" */
	const char *what;       /* a thread, a module, a key */
	const char *before, *after;     /* NULL: nothing is told of it */
};
typedef struct err *differ_fn(void *arg, const struct differ_row *row);
/** How many either side has, and a row for each that differs. */
void insp_diff_count(struct insp *a, struct insp *b, enum differ_list list,
		     size_t n[2]);
struct err *insp_diff(struct insp *a, struct insp *b, enum differ_list list,
		      differ_fn *fn, void *arg) _must_check_;

/** Pages that differ, one behind the other. */
#define DIFFER_RUNS_MAX 40u
struct differ_run {
	uint64_t start, end;
	const char *path;       /* of the mapping in the second, or NULL */
};
struct differ_memory {
	uint64_t pages;                         /* that differ */
	uint64_t equal, only[2], absent[2];     /* bytes */
	uint64_t unread;        /* bytes that differ by their hashes: too many
				   to tell their pages */
	struct differ_run runs[DIFFER_RUNS_MAX];
	size_t n_runs, more_runs;
};
/**
 * Chunks are held against each other by their keys, and only what differs by
 * them is read, to tell which pages those are.
 */
void insp_diff_memory(struct insp *a, struct insp *b,
		      struct differ_memory *out);

/** An attribute's value as text. */
void insp_attr_text(const struct snap_attr *a, struct buf *out);

#endif
