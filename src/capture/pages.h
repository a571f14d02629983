/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which pages of a process hold something of their own: PAGEMAP_SCAN of Linux
 * 6.7 and later, else the entries of /proc/PID/pagemap, else all of them.
 */
#ifndef CAPTURE_PAGES_H
#define CAPTURE_PAGES_H

#include "capture/proc.h"

/** Populated pages [start, end) in a row. */
struct page_run {
	uint64_t start, end;
	bool file;              /* as in the mapped file, not a private copy */
	bool guess;             /* the kernel does not say: all of it */
};
enum { PAGES_BATCH = 1024 };
struct pages {
	int fd;                 /* pagemap; -1: every page counts as populated */
	bool scan;              /* PAGEMAP_SCAN works */
	uint64_t entries;       /* of pagemap that may still be read */
	uint64_t from, to;      /* [from, to) is what @runs tells of */
	struct page_run runs[PAGES_BATCH];
	size_t n, next;
	uint64_t raw[3 * PAGES_BATCH];
};
void pages_open(struct pages *p, const struct proc *proc);
void pages_fini(struct pages *p);
/** Begin anew: memory has changed. */
void pages_again(struct pages *p);
/**
 * The first run at or behind @at, cut at @end; false if there is none. Asking
 * goes upwards. What lies between two runs was never written to, or is away
 * with its file; where that is not known, runs cover it.
 */
bool pages_next(struct pages *p, uint64_t at, uint64_t end,
		struct page_run *out) _must_check_;

/**
 * Can that be told of [start, end) at a bounded cost? False: the kernel has
 * nothing but an entry for each page, and enough of them were read.
 */
bool pages_tell(const struct pages *p, uint64_t start, uint64_t end);

#endif
