/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reach_chunk.c: objects of the GNU C library's malloc.
 *
 * A chunk is a header of 16 bytes (size of the one before, if that is free;
 * own size, with three flags in its low bits) and what malloc() returned
 * behind it; the next one follows. A chunk of its own mapping fills whole
 * pages, and nothing follows. See "struct malloc_chunk" of malloc/malloc.c.
 */
#include "capture/reach_pages.h"

#include <string.h>

enum {
	HEADER = 16, ALIGN = 16, SIZE_MIN = 32,
	PREV_IN_USE = 1, OWN_MAPPING = 2, FLAGS = 7,
	HOPS = 4,               /* chunks that must follow one another */
};
#define HEAP_MAX (64ull << 20)  /* HEAP_MAX_SIZE of malloc/arena.c */
#define SIZE_MAX_SANE (1ull << 36)
/* So far before an address its object's header is looked for. */
#define BACK_MAX REACH_PAGE

static bool
word_at(const struct reach_pages *p, uint64_t addr, uint64_t *out)
{
	uint32_t page = reach_page(p, addr);

	if (page == NO_PAGE)
		return false;
	memcpy(out, reach_page_bytes(p, page) + addr % REACH_PAGE, 8);
	return true;
}

/* ---- which memory is malloc's ---- */

/*
 * Heaps of threads begin at multiples of HEAP_MAX_SIZE with a struct heap_info
 * (malloc/arena.c): where its arena is, the heap before, two sizes in pages.
 */
static bool
arena_begins_at(const struct reach_pages *p, uint64_t base)
{
	uint64_t arena, before, size, usable;

	return word_at(p, base, &arena) && word_at(p, base + 8, &before)
	       && word_at(p, base + 16, &size) && word_at(p, base + 24, &usable)
	       && arena % ALIGN == 0 && reach_page(p, arena) != NO_PAGE
	       && before % HEAP_MAX == 0 && size % REACH_PAGE == 0 && size
	       && size <= HEAP_MAX && usable >= size && usable <= HEAP_MAX;
}

/* Numbers look like headers; so memory must be known to have some. */
static bool
is_heap(struct reach_pages *p, const struct reach_region *r, uint64_t addr)
{
	uint64_t base = addr & ~(HEAP_MAX - 1);

	if (r->heap)
		return true;
	if (p->asked != base + 1) {
		p->asked = base + 1;
		p->answer = arena_begins_at(p, base);
	}
	return p->answer;
}

/* ---- chunks ---- */

static bool
is_in_area(const struct reach_pages *p, uint64_t addr, uint32_t area)
{
	uint32_t page = reach_page(p, addr);

	return page != NO_PAGE && reach_region(p, page)->area == area;
}

/* The size of the chunk at @at, which has one before it; 0: it is none. */
static uint64_t
next_size(const struct reach_pages *p, uint64_t at, uint64_t size_before,
	  uint32_t area)
{
	uint64_t own, before;

	if (!is_in_area(p, at + 8, area) || !word_at(p, at + 8, &own))
		return 0;
	uint64_t size = own & ~(uint64_t)FLAGS;
	if ((own & (ALIGN - 1)) > FLAGS || (own & OWN_MAPPING) || size < ALIGN
	    || size > SIZE_MAX_SANE)
		return 0;
	if (!(own & PREV_IN_USE)
	    && (!word_at(p, at, &before) || before != size_before))
		return 0;
	return size;
}

/* The chunk whose header is at @at, if it is one and holds @addr. */
static bool
chunk_at(const struct reach_pages *p, uint64_t at, uint64_t word,
	 uint64_t addr, uint64_t *end)
{
	uint64_t size = word & ~(uint64_t)FLAGS, next = at + size;
	/* Who asks for its beginning is believed sooner. */
	unsigned hops = addr == at + HEADER ? 1 : HOPS;
	uint32_t page = reach_page(p, at);

	if ((word & (ALIGN - 1)) > FLAGS || (word & OWN_MAPPING)
	    || size < SIZE_MIN || size > SIZE_MAX_SANE || next + 8 <= addr
	    || page == NO_PAGE)
		return false;
	uint32_t area = reach_region(p, page)->area;
	/* It may use the next one's first word. */
	*end = next + 8;
	for (unsigned k = 0; k < hops; k++) {
		size = next_size(p, next, size, area);
		/* The last one, which all new ones are cut from, has none
		 * behind it. */
		if (!size)
			return k > 0 && !is_in_area(p, next + 8, area);
		next += size;
	}
	return true;
}

/* A large one has its own mapping. */
static bool
mapped_chunk(const struct reach_pages *p, uint64_t addr, uint64_t *end)
{
	uint64_t at = addr - HEADER, before, word;

	if (at % REACH_PAGE || !word_at(p, at, &before)
	    || !word_at(p, at + 8, &word))
		return false;
	uint64_t size = word & ~(uint64_t)FLAGS;
	*end = at + size;
	return before == 0 && (word & FLAGS) == OWN_MAPPING
	       && size % REACH_PAGE == 0 && size >= REACH_PAGE
	       && size <= SIZE_MAX_SANE && *end > addr;
}

bool
reach_chunk(struct reach_pages *p, uint64_t addr, uint32_t page,
	    uint64_t *start, uint64_t *end)
{
	uint64_t at = addr & ~(uint64_t)(ALIGN - 1), words = at & ~4095ull;
	const uint8_t *bytes = reach_page_bytes(p, page);
	uint64_t last = at > BACK_MAX ? at - BACK_MAX : 0, word;

	*start = addr;
	if (mapped_chunk(p, addr, end))
		return true;
	if (!is_heap(p, reach_region(p, page), addr))
		return false;
	while (at > last) {
		at -= HEADER;
		if (at + 8 < words) {
			page = reach_page(p, at);
			if (page == NO_PAGE)
				return false;
			words = at & ~4095ull;
			bytes = reach_page_bytes(p, page);
		}
		memcpy(&word, bytes + (at + 8 - words), 8);
		if (!chunk_at(p, at, word, addr, end))
			continue;
		*start = at + HEADER;
		return true;
	}
	return false;
}
