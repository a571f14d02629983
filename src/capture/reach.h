/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What registers, stacks and variables lead to, within a budget of bytes.
 *
 * Objects are followed breadth-first and kept as the pages they lie on. An
 * object is a block of jemalloc's, or a chunk of the GNU C library's heap,
 * where one is recognised, else the page that is pointed to. Roots belong to
 * groups (a thread, the modules): one may go first and take what it wants, the
 * others share what is left.
 * Equal memory and roots yield equal pages. Addresses found in memory are
 * looked up only: no content makes it read elsewhere, or for long.
 */
#ifndef CAPTURE_REACH_H
#define CAPTURE_REACH_H

#include "base/base.h"

/** Bytes of memory in whole pages of 4096. */
struct reach_region {
	uint64_t start, length;
	const uint8_t *bytes;
	uint32_t area;          /* objects do not run from one into another */
	bool heap;              /* brk(2)'s: the C library's first heap */
};

struct reach;
/**
 * Over @regions, which are sorted and disjoint and are borrowed until
 * reach_free(); they hold the bytes of little-endian words of 64 bits.
 * @budget counts bytes of pages that are kept. ERR_LIMIT over 64 GiB.
 */
struct err *reach_new(const struct reach_region *regions, size_t n,
		      uint64_t budget, struct reach **out) _must_check_;
void reach_free(struct reach *r);
void reach_freep(struct reach **r);
#define _reach_ _cleanup_(reach_freep)

/** Recognise jemalloc's heap in @areas, if there is one: jemalloc_find(). */
struct jemalloc_area;
struct err *reach_jemalloc(struct reach *r, const struct jemalloc_area *areas,
			   size_t n) _must_check_;

/** Keep what there is of [start, end) whatever the budget, which it uses. */
void reach_keep(struct reach *r, uint64_t start, uint64_t end);
/** Keep of it, from its beginning, what takes no more than @limit bytes of the
 * budget: up to the address that is returned. */
uint64_t reach_keep_within(struct reach *r, uint64_t start, uint64_t end,
			   uint64_t limit);

/** A new group of roots, by its number from 0. */
struct err *reach_group(struct reach *r, size_t *group) _must_check_;
/** Follow every pointer in [start, end); keeps none of it. */
struct err *reach_root(struct reach *r, size_t group, uint64_t start,
		       uint64_t end) _must_check_;
/** Follow @value, if it points anywhere. Keeps what it points to. */
struct err *reach_value(struct reach *r, size_t group, uint64_t value)
	_must_check_;

#define REACH_NONE SIZE_MAX
/**
 * Keep what the roots lead to: first of each group what its roots point to,
 * within a share; then all that group @first (or REACH_NONE) leads to; then
 * in turns what the others lead to; until the budget is spent.
 */
struct err *reach_run(struct reach *r, size_t first) _must_check_;

/** Is the page at @addr one of the regions', and not kept? */
bool reach_left_out(const struct reach *r, uint64_t addr);
uint64_t reach_kept_bytes(const struct reach *r);
/** Was the budget spent before all was followed? */
bool reach_spent(const struct reach *r);
/** The same of what @group leads to. */
bool reach_cut(const struct reach *r, size_t group);

#endif
