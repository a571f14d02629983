/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ELF core while it is being opened: shared by target_core.c (segments)
 * and core_notes.c (notes), and by nobody else.
 */
#ifndef INSPECT_CORE_H
#define INSPECT_CORE_H

#include "inspect/impl.h"

/** A thread while its notes come in. */
struct core_thread {
	struct snap_thread record;
	struct snap_regset sets[SNAP_REGSETS_MAX];
};

/** One entry of the NT_FILE note. */
struct core_file {
	uint64_t start, end, offset;
	const char *path;
};

struct core {
	struct target target;           /* first: what callers hold */
	struct source *source;          /* borrowed */
	const uint64_t *offsets;        /* file offset of each memory range */
	struct vec threads;             /* struct core_thread */
	struct vec files;               /* struct core_file, sorted */
	struct vec gaps;                /* const char * */
	struct vec memory;              /* struct core_range */
	bool foreign;                   /* notes of another system were seen */
};

/** A sentence on what is missing in the core. */
struct err *core_gap(struct core *c, const char *fmt, ...)
	_printf_(2, 3) _must_check_;

/** Take in one PT_NOTE segment's bytes, which live as long as the core. */
struct err *core_notes(struct core *c, struct span bytes) _must_check_;
/** After the last note: threads in order, the cause of death. */
struct err *core_notes_end(struct core *c) _must_check_;

#endif
