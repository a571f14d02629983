/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cut: a text into lines, words and cells, a path at its last slash.
 */
#ifndef BASE_CUT_H
#define BASE_CUT_H

#include "base/base.h"

#include <string.h>

/** What of @text is before the next @end, which is taken too; false at the end
 * of @text. */
static inline bool
cut_until(struct span *text, char end, struct span *out)
{
	if (text->n == 0)
		return false;
	const char *p = text->data, *at = memchr(p, end, text->n);
	size_t n = at ? (size_t)(at - p) : text->n;
	*out = (struct span){ p, n };
	*text = (struct span){ p + n + (at != NULL),
			       text->n - n - (at != NULL) };
	return true;
}

/** The next word between blanks. */
static inline bool
cut_word(struct span *line, struct span *out)
{
	do
		if (!cut_until(line, ' ', out))
			return false;
	while (out->n == 0);
	return true;
}

/** Without blanks and tabs at either end. */
static inline struct span
cut_trimmed(struct span s)
{
	const char *p = s.data;

	while (s.n && (p[s.n - 1] == '\t' || p[s.n - 1] == ' '))
		s.n--;
	for (; s.n && (*p == ' ' || *p == '\t'); p++)
		s.n--;
	return (struct span){ p, s.n };
}

/** Of @n bytes at @text as many as are within @max, and no part of a character
 * (UTF-8). */
static inline size_t
cut_chars(const char *text, size_t n, size_t max)
{
	size_t at = max;

	if (n <= max)
		return n;
	while (at && max - at < 3 && ((uint8_t)text[at] & 0xc0) == 0x80)
		at--;
	/* What is no UTF-8 has no characters. */
	return ((uint8_t)text[at] & 0xc0) == 0x80 ? max : at;
}

/** Appends @max bytes of @text at most, and "…" where that is not all. */
static inline void
cut_put(struct buf *out, const char *text, size_t max)
{
	size_t n = strnlen(text, max + 1), whole = cut_chars(text, n, max);

	buf_put(out, text, whole);
	if (whole < n)
		buf_puts(out, "…");
}

/** What is behind the last slash of a path, all of it where that is nothing;
 * NULL of NULL. */
static inline const char *
cut_base(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash && slash[1] ? slash + 1 : path;
}

#endif
