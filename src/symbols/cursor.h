/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cursor over borrowed bytes that also knows LEB128. Like struct rd it never
 * leaves its bytes and a failure is sticky; unlike it, it is all inline: a
 * large file has 50 million attributes, which are read three times.
 */
#ifndef SYMBOLS_CURSOR_H
#define SYMBOLS_CURSOR_H

#include <string.h>

#include "base/base.h"

struct cur {
	const uint8_t *p, *end;
	bool failed, big;
};

static inline struct cur
cur_of(const void *data, size_t n)
{
	static const uint8_t nothing[1];
	const uint8_t *p = n && data ? data : nothing;

	return (struct cur){ .p = p, .end = p + (data ? n : 0) };
}

static inline size_t
cur_left(const struct cur *c)
{
	return (size_t)(c->end - c->p);
}

static inline void
cur_fail(struct cur *c)
{
	c->failed = true;
	c->p = c->end;
}

/** @n bytes, or NULL. */
static inline const uint8_t *
cur_bytes(struct cur *c, uint64_t n)
{
	const uint8_t *at = c->p;

	if (n > cur_left(c)) {
		cur_fail(c);
		return NULL;
	}
	c->p += n;
	return at;
}

static inline uint8_t
cur_u8(struct cur *c)
{
	if (!c->p || c->p >= c->end) {
		cur_fail(c);
		return 0;
	}
	return *c->p++;
}

/** An integer of @n bytes, at most 8. */
static inline uint64_t
cur_uint(struct cur *c, unsigned n)
{
	const uint8_t *at = cur_bytes(c, n);
	uint64_t v = 0;

	for (unsigned k = 0; at && k < n; k++)
		v |= (uint64_t)at[c->big ? n - 1 - k : k] << 8 * k;
	return v;
}

static inline uint16_t
cur_u16(struct cur *c)
{
	return (uint16_t)cur_uint(c, 2);
}

static inline uint32_t
cur_u32(struct cur *c)
{
	return (uint32_t)cur_uint(c, 4);
}

static inline uint64_t
cur_uleb(struct cur *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; c->p < c->end; shift += 7) {
		uint8_t byte = *c->p++;

		if (shift < 64)
			v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	cur_fail(c);
	return 0;
}

static inline int64_t
cur_sleb(struct cur *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; c->p < c->end;) {
		uint8_t byte = *c->p++;

		if (shift < 64)
			v |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
		if (byte & 0x80)
			continue;
		if ((byte & 0x40) && shift < 64)
			v |= UINT64_MAX << shift;
		return (int64_t)v;
	}
	cur_fail(c);
	return 0;
}

/** A NUL-terminated string, or NULL. */
static inline const char *
cur_str(struct cur *c)
{
	const char *at = (const char *)c->p;
	const uint8_t *nul = c->p < c->end ? memchr(at, 0, cur_left(c)) : NULL;

	if (!nul) {
		cur_fail(c);
		return NULL;
	}
	c->p = nul + 1;
	return at;
}

/* ---- the same, written ----------------------------------------------------- */
static inline void
put_uleb(struct buf *b, uint64_t v)
{
	char bytes[10];
	size_t n = 0;

	do {
		bytes[n++] = (char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
		v >>= 7;
	} while (v);
	buf_put(b, bytes, n);
}

static inline void
put_sleb(struct buf *b, int64_t v)
{
	for (;;) {
		uint8_t byte = v & 0x7f;

		v = v < 0 ? ~(~v >> 7) : v >> 7;
		if ((v == 0 && !(byte & 0x40)) || (v == -1 && (byte & 0x40))) {
			buf_putc(b, (char)byte);
			return;
		}
		buf_putc(b, (char)(byte | 0x80));
	}
}

#endif
