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
};
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

/* Is a chunk of @size before @next, by what the next one's header says? */
static bool
next_agrees(const struct reach_pages *p, uint64_t next, uint64_t size,
	    uint32_t area)
{
	uint32_t page = reach_page(p, next + 8);
	uint64_t own, before;

	if (page == NO_PAGE || reach_region(p, page)->area != area)
		return false;
	memcpy(&own, reach_page_bytes(p, page) + (next + 8) % REACH_PAGE, 8);
	if ((own & (ALIGN - 1)) > FLAGS || (own & ~(uint64_t)FLAGS) < ALIGN
	    || own > SIZE_MAX_SANE)
		return false;
	if (own & PREV_IN_USE)
		return true;
	return word_at(p, next, &before) && before == size;
}

/* The chunk whose header is at @at, if it is one and holds @addr. */
static bool
chunk_at(const struct reach_pages *p, uint64_t at, uint64_t word,
	 uint64_t addr, uint64_t *end)
{
	uint64_t size = word & ~(uint64_t)FLAGS;
	uint32_t page = reach_page(p, at);

	if ((word & (ALIGN - 1)) > FLAGS || size < SIZE_MIN
	    || size > SIZE_MAX_SANE || at + size + 8 <= addr
	    || page == NO_PAGE)
		return false;
	if (word & OWN_MAPPING) {
		*end = at + size;
		return (at | size) % REACH_PAGE == 0 && size >= REACH_PAGE
		       && at + size > addr;
	}
	/* It may use the next one's first word. */
	*end = at + size + 8;
	return next_agrees(p, at + size, size, reach_region(p, page)->area);
}

bool
reach_chunk(const struct reach_pages *p, uint64_t addr, uint32_t page,
	    uint64_t *start, uint64_t *end)
{
	uint64_t at = addr & ~(uint64_t)(ALIGN - 1), words = at & ~4095ull;
	const uint8_t *bytes = reach_page_bytes(p, page);
	uint64_t last = at > BACK_MAX ? at - BACK_MAX : 0, word;

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
