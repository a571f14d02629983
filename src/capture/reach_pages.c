/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reach_pages.c: a hash table of blocks of 64 pages, a bit for each page. It
 * is small enough for a processor's cache: 128 KiB for 1 GiB in a row.
 */
#include "capture/reach_pages.h"

#include <stdlib.h>

enum { BLOCK_SHIFT = 18, PAGE_SHIFT = 12 };
/* What struct reach's queue and marks can number: 64 GiB. */
#define PAGES_MAX (1u << 24)

static size_t
block_slot(const struct reach_pages *p, uint64_t number)
{
	size_t k = (size_t)((number * 0x9e3779b97f4a7c15ull) >> 32);

	for (k &= p->mask; p->blocks[k].there; k = (k + 1) & p->mask)
		if (p->blocks[k].number == number)
			break;
	return k;
}

uint32_t
reach_page(const struct reach_pages *p, uint64_t addr)
{
	if (addr - p->min >= p->span)
		return NO_PAGE;
	const struct reach_block *b = &p->blocks[block_slot(
		p, addr >> BLOCK_SHIFT)];
	uint64_t bit = 1ull << (addr >> PAGE_SHIFT & 63);
	if (!(b->there & bit))
		return NO_PAGE;
	return b->first + (uint32_t)__builtin_popcountll(b->there & (bit - 1));
}

/* ---- made ---- */

static struct err *
check_regions(const struct reach_region *r, size_t n, uint64_t *pages,
	      uint64_t *blocks)
{
	uint64_t end = 0;

	*pages = *blocks = 0;
	for (size_t k = 0; k < n; k++) {
		uint64_t next;

		if (!r[k].length || r[k].start % REACH_PAGE
		    || r[k].length % REACH_PAGE || r[k].start < end
		    || !u64_add(r[k].start, r[k].length, &next))
			return err_new(ERR_FAILED, "memory at 0x%llx is not in "
				       "order", (unsigned long long)r[k].start);
		end = next;
		*pages += r[k].length >> PAGE_SHIFT;
		*blocks += ((end - 1) >> BLOCK_SHIFT)
			   - (r[k].start >> BLOCK_SHIFT) + 1;
	}
	return *pages <= PAGES_MAX ? NULL
	       : err_new(ERR_LIMIT, "more than 64 GiB of memory are too much "
			 "to find out what is reachable");
}

static void
add_region(struct reach_pages *p, uint32_t k)
{
	const struct reach_region *r = &p->regions[k];

	p->first[k] = p->n;
	for (uint64_t at = 0; at < r->length; at += REACH_PAGE) {
		uint64_t addr = r->start + at;
		struct reach_block *b = &p->blocks[block_slot(
			p, addr >> BLOCK_SHIFT)];

		if (!b->there) {
			b->number = addr >> BLOCK_SHIFT;
			b->first = p->n;
		}
		b->there |= 1ull << (addr >> PAGE_SHIFT & 63);
		p->region[p->n++] = k;
	}
}

struct err *
reach_pages_init(struct reach_pages *p, const struct reach_region *regions,
		 size_t n)
{
	uint64_t pages, blocks;
	size_t slots = 16;

	struct err *err = check_regions(regions, n, &pages, &blocks);
	if (err)
		return err;
	while (slots < 2 * blocks)
		slots *= 2;
	p->regions = regions;
	p->mask = slots - 1;
	p->blocks = calloc(slots, sizeof(*p->blocks));
	p->region = calloc(pages + 1, sizeof(*p->region));
	p->first = calloc(n + 1, sizeof(*p->first));
	if (!p->blocks || !p->region || !p->first)
		return err_nomem();
	if (n) {
		p->min = regions[0].start;
		p->span = regions[n - 1].start + regions[n - 1].length - p->min;
	}
	for (size_t k = 0; k < n; k++)
		add_region(p, (uint32_t)k);
	return NULL;
}

void
reach_pages_fini(struct reach_pages *p)
{
	free(p->blocks);
	free(p->region);
	free(p->first);
}
