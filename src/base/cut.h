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

/** What is behind the last slash of a path, all of it where that is nothing;
 * NULL of NULL. */
static inline const char *
cut_base(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash && slash[1] ? slash + 1 : path;
}

#endif
