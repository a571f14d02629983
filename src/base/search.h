/* SPDX-License-Identifier: Apache-2.0 */
/*
 * search: where an address belongs among elements that are sorted.
 */
#ifndef BASE_SEARCH_H
#define BASE_SEARCH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/**
 * Of @n elements of @size bytes that are sorted by the uint64_t at @offset in
 * each: the number of the first whose is above @value, or @n. In the header,
 * so that what is constant is known where it is called: often, in a stop.
 */
static inline size_t
search_above(const void *all, size_t n, size_t size, size_t offset,
	     uint64_t value)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		uint64_t at;

		memcpy(&at, (const char *)all + mid * size + offset,
		       sizeof(at));
		if (at <= value)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

#endif
