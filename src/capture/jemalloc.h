/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which object of a jemalloc heap an address lies in.
 *
 * No symbol is needed: jemalloc's map of its memory (an array among the
 * variables of a module, which leads to what is known of each page) is
 * recognised by what it says of several pages. Known are the layouts of 5.0 to
 * 5.3 for 64-bit processors with addresses of 48 bits and pages of 4 KiB, as
 * most are built. Of others nothing is recognised.
 *
 * The memory may be hostile: it is read through one function that says what is
 * there, and the work for all questions together is bounded.
 */
#ifndef CAPTURE_JEMALLOC_H
#define CAPTURE_JEMALLOC_H

#include "base/base.h"

/** Memory that is there, in whole pages. Variables of a module, which may hold
 * the array, lie within [@low, @high); else both are 0. */
struct jemalloc_area {
	uint64_t start, end;
	uint64_t low, high;
};

/** The 4096 bytes at @addr, a multiple of that, until the next call; NULL if
 * they are not there. */
typedef const uint8_t *jemalloc_page_fn(void *arg, uint64_t addr);

enum { JEMALLOC_SLOTS = 4096, JEMALLOC_BLOCKS = 1024 };     /* powers of two */

/** What is known of one page. */
struct jemalloc_extent {
	uint64_t page;                  /* its address, and 1; 0: not asked */
	uint64_t start, end;            /* of the objects; 0: there are none */
	uint64_t size;                  /* of each */
};
/** What is known of 2 MiB of addresses. */
struct jemalloc_block {
	uint64_t at;                    /* which, and 1; 0: not asked */
	uint64_t found;                 /* an address, or 0 */
};
struct jemalloc {
	jemalloc_page_fn *page;
	void *arg;
	uint64_t root;                  /* the array; 0: none is known */
	uint64_t leaf;                  /* one that it leads to */
	unsigned class_shift;           /* of a size class, by version */
	uint64_t steps;                 /* that may still be done */
	struct jemalloc_extent pages[JEMALLOC_SLOTS];
	struct jemalloc_block before[JEMALLOC_BLOCKS];  /* the last page that
				   something is said of before these */
	struct jemalloc_block books[JEMALLOC_BLOCKS];   /* where they end */
};

/**
 * Look for jemalloc's map in @areas, which are sorted and disjoint. @page and
 * @arg are borrowed as long as questions are asked. False: none was found, and
 * jemalloc_object() knows nothing.
 */
bool jemalloc_find(struct jemalloc *j, jemalloc_page_fn *page, void *arg,
		   const struct jemalloc_area *areas, size_t n);
/** Memory has changed: what was learnt of its pages is not true any more. */
void jemalloc_forget(struct jemalloc *j);

enum jemalloc_kind {
	JEMALLOC_UNKNOWN,
	JEMALLOC_OBJECT,                /* all that can be used of it */
	JEMALLOC_BOOKS,                 /* jemalloc's own, which leads to all */
};
/** Of JEMALLOC_OBJECT alone: [@start, @end) of it, which holds @addr. */
enum jemalloc_kind jemalloc_object(struct jemalloc *j, uint64_t addr,
				   uint64_t *start, uint64_t *end);

#endif
