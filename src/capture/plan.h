/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of an address space is to be copied, what is known without copying,
 * and what is left out and why. It is made while the process runs.
 */
#ifndef CAPTURE_PLAN_H
#define CAPTURE_PLAN_H

#include "capture/capture.h"
#include "capture/pages.h"
#include "capture/proc.h"

/** What is copied first where not all can be. */
enum piece_class {
	CLASS_HEADER,           /* without which no module is found */
	CLASS_CONST,            /* of mapped files what cannot be written to;
				   with CAPTURE_STACKS alone */
	CLASS_MODULE,           /* variables of mapped files, and behind them */
	CLASS_DATA,             /* anonymous memory */
	CLASS_TEXT,             /* pages of files that nobody can open */
	CLASSES,
	CLASS_LEFT = CLASSES,   /* not asked for; what is a stack is copied */
};
/** A piece of one mapping. SNAP_MEM_DATA: what is to be copied. */
struct piece {
	uint64_t start, end;
	uint64_t at;            /* of @start in the file */
	size_t page;            /* SNAP_MEM_DATA: which of all pages of such
				   pieces its first one is */
	uint8_t kind, reason;   /* of struct snap_memory */
	uint8_t class;
	bool ends_map;          /* the next one is of another mapping */
	bool of_file;           /* can be read in the file, and cannot change */
	bool claims;            /* that no page is the process's own: must be
				   looked at again when it stands still */
};
struct range {
	uint64_t start, end;
};

struct plan {
	const struct capture_limits *limits;    /* none of them 0 */
	struct arena *arena;
	struct vec maps;        /* struct snap_map */
	struct vec flags;       /* struct text_flags, as maps are sorted */
	struct vec pieces;      /* struct piece; they cover all of @maps */
	struct pages *pages;
	bool follow;            /* maybe more than can be copied: what stacks
				   point to comes first */
	bool follow_far;        /* surely more: and what that points to */
	uint64_t linker;        /* where the dynamic linker is, or 0 */
	const char *linker_path;
	bool files_reachable;   /* its paths lead where ours do */
	size_t next_flag;
	size_t n_pages;         /* of all pieces of SNAP_MEM_DATA */
	uint64_t bytes;         /* to copy, without CLASS_LEFT */
	uint64_t shared;        /* bytes: writable shared memory left out */
};

/** Anew from maps and pages. */
struct err *plan_make(struct plan *p) _must_check_;
/** The piece that holds @addr, or NULL. */
struct piece *plan_find(const struct plan *p, uint64_t addr);
/** The mapping that holds @addr, or NULL. */
const struct snap_map *plan_map_at(const struct plan *p, uint64_t addr);
/** Does @m hold the variables of a module that no file has (.bss)? */
bool map_is_bss(const struct plan *p, const struct snap_map *m);
/** Must it not be read, or kept where it was read? */
bool piece_is_forbidden(const struct piece *x);
/** Leave out what flags that came later forbid. */
void plan_forbid(struct plan *p);

#endif
