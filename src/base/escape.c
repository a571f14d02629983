/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes made into text: valid UTF-8 without control characters. */
#include "base/escape.h"

#include <string.h>

/*
 * Well-formed sequences by their first byte (Unicode 15, table 3-7): the
 * bounds of the second byte exclude overlong forms, surrogates and what lies
 * beyond U+10FFFF.
 */
static const struct utf8_row {
	uint8_t first, last;    /* of the first byte */
	uint8_t low, high;      /* of the second */
	uint8_t len;
} utf8_rows[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

static const struct utf8_row *
utf8_row_of(uint8_t first)
{
	for (size_t i = 0; i < countof(utf8_rows); i++)
		if (first >= utf8_rows[i].first && first <= utf8_rows[i].last)
			return &utf8_rows[i];
	return NULL;
}

/*
 * C1 controls; what makes a line read otherwise than it is: marks, embeddings, overrides
 * and isolates of bidirectional text (Unicode Standard Annex 9, section 2),
 * line and paragraph separators. U+FFFE and U+FFFF are no characters, and XML
 * readers stop at them.
 */
static const struct odd_row {
	uint8_t first[3];
	uint8_t last;           /* of the byte that differs */
	uint8_t len;
} odd_rows[] = {
	{ { 0xc2, 0x80 }, 0x9f, 2 },            /* U+0080 to U+009F */
	{ { 0xd8, 0x9c }, 0x9c, 2 },            /* U+061C */
	{ { 0xe2, 0x80, 0x8e }, 0x8f, 3 },      /* U+200E, U+200F */
	{ { 0xe2, 0x80, 0xa8 }, 0xae, 3 },      /* U+2028 to U+202E */
	{ { 0xe2, 0x81, 0xa6 }, 0xa9, 3 },      /* U+2066 to U+2069 */
	{ { 0xef, 0xbf, 0xbe }, 0xbf, 3 },
};

static bool
is_odd(const uint8_t *s, size_t len)
{
	for (size_t i = 0; i < countof(odd_rows); i++) {
		const struct odd_row *row = &odd_rows[i];
		if (len == row->len
		    && memcmp(s, row->first, len - 1) == 0
		    && s[len - 1] >= row->first[len - 1]
		    && s[len - 1] <= row->last)
			return true;
	}
	return false;
}

/** Length of the multi-byte character at @s; 0 if there is none. */
static size_t
utf8_len(const uint8_t *s, size_t n)
{
	const struct utf8_row *row = utf8_row_of(s[0]);

	if (!row || n < row->len || s[1] < row->low || s[1] > row->high)
		return 0;
	for (size_t i = 2; i < row->len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return row->len;
}

size_t
escape_char_len(const char *s, size_t n)
{
	return (uint8_t)*s < 0x80 ? 1 : utf8_len((const uint8_t *)s, n);
}

static bool
is_printable_ascii(uint8_t c)
{
	return c >= 0x20 && c < 0x7f;
}

/** Length of what stands at @s and is shown as it is; 0 = it is not. */
static size_t
plain_len(const char *s, size_t n, escape_name_fn *name)
{
	if (is_printable_ascii((uint8_t)*s))
		return name(*s) ? 0 : 1;
	size_t len = utf8_len((const uint8_t *)s, n);
	return len && is_odd((const uint8_t *)s, len) ? 0 : len;
}

static void
put_special(struct buf *b, char c, escape_name_fn *name)
{
	const char *named = is_printable_ascii((uint8_t)c) ? name(c) : NULL;

	if (named)
		buf_puts(b, named);
	else
		buf_printf(b, "\\x%02x", (uint8_t)c);
}

/* Nearly all text is plain: whole runs of it are put at once. */
void
escape_put(struct buf *b, const char *s, size_t n, escape_name_fn *name)
{
	size_t start = 0, at = 0;

	buf_put(b, "", 0);
	while (at < n) {
		size_t len = plain_len(s + at, n - at, name);

		if (len) {
			at += len;
			continue;
		}
		buf_put(b, s + start, at - start);
		put_special(b, s[at++], name);
		start = at;
	}
	if (n)
		buf_put(b, s + start, at - start);
}
