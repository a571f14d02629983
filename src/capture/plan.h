/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of an address space is copied and into which place, what is known
 * without copying, and what is left out and why.
 */
#ifndef CAPTURE_PLAN_H
#define CAPTURE_PLAN_H

#include "capture/capture.h"
#include "capture/pages.h"
#include "capture/tracees.h"

/** What is copied first where not all can be. */
enum piece_class {
	CLASS_STACK,            /* near the threads' stack pointers */
	CLASS_MODULE,           /* headers and variables of mapped files */
	CLASS_DATA,             /* anonymous memory */
	CLASS_TEXT,             /* pages of files that nobody can open */
	CLASSES
};
/** A piece of one mapping. SNAP_MEM_DATA: what is to be copied. */
struct piece {
	uint64_t start, end;
	uint64_t copied;        /* bytes from @start on that are; the rest is
				   over the limit */
	uint64_t at;            /* of @start: in the buffer, or in the file */
	uint8_t kind, reason;   /* of struct snap_memory */
	uint8_t class;
	bool ends_map;          /* the next one is of another mapping */
};
struct range {
	uint64_t start, end;
};

struct plan {
	const struct capture_limits *limits;    /* none of them 0 */
	struct arena *arena;
	struct vec maps;        /* struct snap_map */
	struct vec flags;       /* struct text_flags, as maps are sorted */
	struct vec pieces;      /* struct piece */
	struct pages *pages;
	bool files_reachable;   /* its paths lead where ours do */
	struct range *stacks;   /* sorted, disjoint */
	size_t n_stacks, next_stack, next_flag;
	uint64_t shared;        /* bytes: writable shared memory left out */
	uint64_t over;          /* bytes over the limit */
};

/** Where the stacks of all stopped threads lie. */
struct err *plan_stacks(struct plan *p, const struct tracees *s) _must_check_;
/** Anew from maps, pages and stacks. *@bytes: how many there are to copy. */
struct err *plan_make(struct plan *p, uint64_t *bytes) _must_check_;
/** Give @size bytes of a buffer to the pieces, the most wanted first. */
void plan_place(struct plan *p, uint64_t size);
/** Leave out what flags that came later forbid; wipes it from @buffer. */
void plan_forbid(struct plan *p, uint8_t *buffer);

#endif
