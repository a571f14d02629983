/* SPDX-License-Identifier: Apache-2.0 */
/* The bounds-checked reader: a cursor over borrowed bytes. */
#include <endian.h>
#include <string.h>

#include "base/base.h"

struct rd
rd_of(const void *data, size_t n)
{
	/* Never NULL, so that an empty read is told from a failed one. */
	return (struct rd){ .base = data ? data : "", .len = data ? n : 0 };
}

/** Sticky, and nothing is left: a loop over rd_left() ends too. */
static void
rd_fail(struct rd *r)
{
	r->failed = true;
	r->pos = r->len;
}

const void *
rd_bytes(struct rd *r, size_t n)
{
	const uint8_t *at = r->base + r->pos;

	if (r->failed || n > rd_left(r)) {
		rd_fail(r);
		return NULL;
	}
	r->pos += n;
	return at;
}

uint8_t
rd_u8(struct rd *r)
{
	const uint8_t *byte = rd_bytes(r, 1);

	return byte ? *byte : 0;
}

uint16_t
rd_u16(struct rd *r)
{
	const void *bytes = rd_bytes(r, sizeof(uint16_t));
	uint16_t v = 0;

	if (bytes)
		memcpy(&v, bytes, sizeof(v));
	return r->big ? be16toh(v) : le16toh(v);
}

uint32_t
rd_u32(struct rd *r)
{
	const void *bytes = rd_bytes(r, sizeof(uint32_t));
	uint32_t v = 0;

	if (bytes)
		memcpy(&v, bytes, sizeof(v));
	return r->big ? be32toh(v) : le32toh(v);
}

uint64_t
rd_u64(struct rd *r)
{
	const void *bytes = rd_bytes(r, sizeof(uint64_t));
	uint64_t v = 0;

	if (bytes)
		memcpy(&v, bytes, sizeof(v));
	return r->big ? be64toh(v) : le64toh(v);
}

const char *
rd_str(struct rd *r)
{
	const uint8_t *at = r->base + r->pos;
	const uint8_t *end = memchr(at, '\0', rd_left(r));

	if (!end) {
		rd_fail(r);
		return NULL;
	}
	return rd_bytes(r, end - at + 1);
}

void
rd_skip(struct rd *r, size_t n)
{
	rd_bytes(r, n);
}

void
rd_seek(struct rd *r, size_t pos)
{
	if (r->failed || pos > r->len)
		rd_fail(r);
	else
		r->pos = pos;
}

void
rd_align(struct rd *r, size_t align)
{
	/* Files say 0 or 1 for "not aligned" (gABI, p_align). */
	size_t over = align ? r->pos % align : 0;

	if (over)
		rd_skip(r, align - over);
}

size_t
rd_left(const struct rd *r)
{
	return r->len - r->pos;
}

bool
rd_failed(const struct rd *r)
{
	return r->failed;
}
