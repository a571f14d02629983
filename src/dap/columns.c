/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns: line tables count bytes from 1, clients units of UTF-16. They differ
 * where a line has characters beyond ASCII, which only its text tells.
 */
#include "dap/impl.h"

#include <string.h>

#define TEXT_MAX (1u << 20)     /* larger ones are taken for ASCII */

enum { COLUMNS_UNKNOWN, COLUMNS_BYTES, COLUMNS_UNITS };

static bool
is_ascii(struct span text)
{
	const uint8_t *p = text.data;

	for (size_t k = 0; k < text.n; k++)
		if (p[k] & 0x80)
			return false;
	return true;
}

/* Of RFC 3629: what goes on within a character counts for nothing, and one of
 * four bytes is a pair of surrogates. */
static uint32_t
units_of(const uint8_t *p, size_t n)
{
	uint32_t units = 0;

	for (size_t k = 0; k < n; k++)
		units += (p[k] & 0xc0) != 0x80 ? 1 + (p[k] >= 0xf0) : 0;
	return units;
}

/* The line's own bytes; false: there is no such line. */
static bool
find_line(struct span text, uint32_t line, struct span *out)
{
	const char *p = text.data, *end = p + text.n, *next;

	while (--line) {
		next = memchr(p, '\n', (size_t)(end - p));
		if (!next)
			return false;
		p = next + 1;
	}
	next = memchr(p, '\n', (size_t)(end - p));
	*out = (struct span){ p, (size_t)((next ? next : end) - p) };
	return true;
}

static uint32_t
column_in(struct span text, uint32_t line, uint32_t column)
{
	struct span found;

	if (!text.n || !find_line(text, line, &found) || column - 1 > found.n)
		return column;
	return 1 + units_of(found.data, column - 1);
}

static uint32_t
column_of(struct source *text, uint8_t *how, uint32_t line, uint32_t column)
{
	_arena_ struct arena *a = arena_new(0);
	struct span bytes = { NULL, 0 };

	if (!a)
		return column;
	_err_ struct err *none = source_load(text, 0, source_size(text),
					     TEXT_MAX, a, &bytes);
	if (*how == COLUMNS_UNKNOWN)
		*how = none || is_ascii(bytes) ? COLUMNS_BYTES : COLUMNS_UNITS;
	return *how == COLUMNS_UNITS ? column_in(bytes, line, column) : column;
}

uint32_t
columns_units(struct source *text, uint8_t *how, uint32_t line,
	      uint32_t column)
{
	return *how == COLUMNS_BYTES || !line || column < 2
	       ? column : column_of(text, how, line, column);
}
