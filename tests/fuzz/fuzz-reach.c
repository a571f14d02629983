/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes as memory that is gone through for pointers, heap chunks and
 * blocks of jemalloc. The first bytes: the budget in pages, which group is
 * first, how long the parts between regions are, and whether what follows is
 * words of the memory, or words and before each where it is put.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "capture/jemalloc.h"
#include "capture/reach.h"

enum { PAGE = 4096, REGIONS = 4, REGION_PAGES = 3, HEADER = 8,
       BASE = 0x200000 };

static uint8_t memory[REGIONS * REGION_PAGES * PAGE];

static void
fill(const uint8_t *data, size_t n)
{
	memset(memory, 0, sizeof(memory));
	/* Spread, so that a short input has words on each page. */
	for (size_t at = 0; at + 8 <= n; at += 8) {
		size_t word = at / 8 * 977 % (sizeof(memory) / 8);
		memcpy(memory + word * 8, data + at, 8);
	}
}

/* A place, of two bytes, before each word. */
static void
fill_places(const uint8_t *data, size_t n)
{
	memset(memory, 0, sizeof(memory));
	for (size_t at = 0; at + 10 <= n; at += 10) {
		size_t word = (data[at] | data[at + 1] << 8)
			      % (sizeof(memory) / 8);
		memcpy(memory + word * 8, data + at + 2, 8);
	}
}

static void
place(struct reach_region *regions, const uint8_t *gaps)
{
	uint64_t start = BASE;

	for (size_t k = 0; k < REGIONS; k++) {
		regions[k] = (struct reach_region){
			start, REGION_PAGES * PAGE,
			memory + k * REGION_PAGES * PAGE, (uint32_t)k / 2,
			k != 2,
		};
		start += REGION_PAGES * PAGE + (uint64_t)gaps[k] * PAGE;
	}
}

/* The last region may be variables, with room for jemalloc's array. */
static void
make_areas(const struct reach_region *regions, struct jemalloc_area *areas)
{
	for (size_t k = 0; k < REGIONS; k++)
		areas[k] = (struct jemalloc_area){
			.start = regions[k].start,
			.end = regions[k].start + regions[k].length,
		};
	areas[REGIONS - 1].low = areas[REGIONS - 1].start;
	areas[REGIONS - 1].high = areas[REGIONS - 1].start + (4 << 20);
}

static const uint8_t *
page_of(void *arg, uint64_t addr)
{
	const struct reach_region *regions = arg;

	if (addr % PAGE)
		abort();
	for (size_t k = 0; k < REGIONS; k++)
		if (addr - regions[k].start < regions[k].length)
			return regions[k].bytes + (addr - regions[k].start);
	return NULL;
}

/* Whatever is said, it is said of the address that was asked for. */
static void
ask(struct reach_region *regions, const struct jemalloc_area *areas)
{
	static struct jemalloc j;

	if (!jemalloc_find(&j, page_of, regions, areas, REGIONS))
		return;
	for (size_t k = 0; k < sizeof(memory) / 8; k++) {
		uint64_t addr = BASE + k * 40, start = 0, end = 0;

		if (jemalloc_object(&j, addr, &start, &end) == JEMALLOC_OBJECT
		    && (addr < start || addr >= end))
			abort();
		memcpy(&addr, memory + k * 8, 8);
		if (jemalloc_object(&j, addr, &start, &end) == JEMALLOC_OBJECT
		    && (addr < start || addr >= end))
			abort();
	}
}

static uint64_t
count_kept(const struct reach *r, const struct reach_region *regions)
{
	uint64_t kept = 0;

	for (size_t k = 0; k < REGIONS; k++)
		for (size_t p = 0; p < REGION_PAGES; p++)
			kept += reach_left_out(r, regions[k].start + p * PAGE)
				? 0 : PAGE;
	return kept;
}

static void
walk(struct reach *r, const struct reach_region *regions, size_t first,
     uint64_t budget)
{
	for (size_t k = 0; k < REGIONS; k++) {
		uint64_t word;
		size_t group;

		memcpy(&word, regions[k].bytes, sizeof(word));
		if (reach_group(r, &group) || group != k
		    || reach_value(r, group, word)
		    || reach_root(r, group, regions[k].start + 8 * k,
				  regions[k].start + PAGE + word % PAGE))
			abort();
	}
	if (reach_run(r, first < REGIONS ? first : REACH_NONE))
		abort();
	if (reach_kept_bytes(r) > budget
	    || count_kept(r, regions) != reach_kept_bytes(r))
		abort();
	for (size_t k = 0; k < REGIONS; k++)
		if (reach_cut(r, k) && !reach_spent(r))
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct reach_region regions[REGIONS];
	struct jemalloc_area areas[REGIONS];
	struct reach *r;

	if (n < HEADER)
		return 0;
	if (data[6] & 1)
		fill_places(data + HEADER, n - HEADER);
	else
		fill(data + HEADER, n - HEADER);
	place(regions, data + 2);
	make_areas(regions, areas);
	uint64_t budget = (uint64_t)(data[0] % 16) * PAGE;
	if (reach_new(regions, REGIONS, budget, &r))
		abort();
	if (reach_jemalloc(r, areas, REGIONS))
		abort();
	walk(r, regions, data[1] % 8, budget);
	reach_free(r);
	ask(regions, areas);
	return 0;
}
