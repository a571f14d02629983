/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one loop that makes foreign bytes safe to show. Private to base: the
 * ways to use it are buf_escape(), buf_xml() and the strings of JSON.
 */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include "base/base.h"

/** How one character is to be written, or NULL: as it is. */
typedef const char *escape_name_fn(char c);

/**
 * @n bytes of @s into @b as valid UTF-8 without controls: C0, DEL, C1, those
 * of bidirectional text, U+2028, U+2029, U+FFFE, U+FFFF and all that is not
 * UTF-8 become \xNN, byte by byte; of the rest, ASCII is written as @name says.
 */
void escape_put(struct buf *b, const char *s, size_t n, escape_name_fn *name);

/** Length of the well-formed character of UTF-8, a control too, at @s, of which
 * there are @n bytes, at least one; 0 = there is none. */
size_t escape_char_len(const char *s, size_t n);

#endif
