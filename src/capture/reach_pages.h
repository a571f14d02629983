/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which pages a picture has the bytes of, and where: a pointer to one of them
 * is told from any other number in a few instructions.
 */
#ifndef CAPTURE_REACH_PAGES_H
#define CAPTURE_REACH_PAGES_H

#include "capture/reach.h"

#define REACH_PAGE 4096u
#define NO_PAGE UINT32_MAX

/** Pages of 256 KiB of address space. */
struct reach_block {
	uint64_t number;                /* address / 256 KiB */
	uint64_t there;                 /* bit n: page n is; 0: unused slot */
	uint32_t first;                 /* number of the first of them */
};
/** Pages are numbered from 0 in the order of their addresses. */
struct reach_pages {
	const struct reach_region *regions;     /* borrowed */
	uint32_t *region;               /* of each page */
	uint32_t *first;                /* page of each region */
	uint32_t n;
	struct reach_block *blocks;     /* a hash table */
	size_t mask;
	uint64_t min, span;             /* addresses in [min, min + span) */
	uint64_t asked;                 /* reach_chunk.c: of a heap, and 1 */
	bool answer;
};
/** ERR_LIMIT: more pages than are numbered; ERR_FAILED: not as reach_new()
 * wants its regions. */
struct err *reach_pages_init(struct reach_pages *p,
			     const struct reach_region *regions, size_t n)
	_must_check_;
void reach_pages_fini(struct reach_pages *p);

/** The page that @addr lies in, or NO_PAGE. */
uint32_t reach_page(const struct reach_pages *p, uint64_t addr);

static inline const struct reach_region *
reach_region(const struct reach_pages *p, uint32_t page)
{
	return &p->regions[p->region[page]];
}

static inline uint64_t
reach_page_offset(const struct reach_pages *p, uint32_t page)
{
	return (uint64_t)(page - p->first[p->region[page]]) * REACH_PAGE;
}

static inline const uint8_t *
reach_page_bytes(const struct reach_pages *p, uint32_t page)
{
	return reach_region(p, page)->bytes + reach_page_offset(p, page);
}

static inline uint64_t
reach_page_address(const struct reach_pages *p, uint32_t page)
{
	return reach_region(p, page)->start + reach_page_offset(p, page);
}

/**
 * reach_chunk.c: the object of a GNU C library heap that @addr points into,
 * by the headers before and behind it. False where nothing there looks so.
 */
bool reach_chunk(struct reach_pages *p, uint64_t addr, uint32_t page,
		 uint64_t *start, uint64_t *end);

#endif
