/* SPDX-License-Identifier: Apache-2.0 */
/* Output buffers: growing bytes whose failure is told once, at the end. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"

#define BUF_FIRST 64

/** The capacity to grow to for @need bytes; @need itself near the top. */
static size_t
capacity_for(const struct buf *b, size_t need)
{
	size_t cap = b->cap ? b->cap : BUF_FIRST;

	while (cap < need)
		if (__builtin_mul_overflow(cap, 2, &cap))
			return need;
	return cap;
}

/** Room for @n bytes more and the NUL behind them. */
static bool
buf_reserve(struct buf *b, size_t n)
{
	size_t need, cap;
	char *data;

	if (b->failed)
		return false;
	b->limited = b->max && (b->len > b->max || n > b->max - b->len);
	b->failed = b->limited ||
		    __builtin_add_overflow(b->len, n, &need) ||
		    __builtin_add_overflow(need, 1, &need);
	if (b->failed)
		return false;
	if (need <= b->cap)
		return true;
	cap = capacity_for(b, need);
	data = realloc(b->data, cap);
	if (!data) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

static void
buf_advance(struct buf *b, size_t n)
{
	b->len += n;
	b->data[b->len] = '\0';
}

void
buf_fini(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = b->limited = false;
	if (b->data)
		b->data[0] = '\0';
}

void
buf_put(struct buf *b, const void *data, size_t n)
{
	if (!buf_reserve(b, n))
		return;
	if (n)
		memcpy(b->data + b->len, data, n);
	buf_advance(b, n);
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void
buf_putc(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

void
buf_zero(struct buf *b, size_t n)
{
	if (!buf_reserve(b, n))
		return;
	memset(b->data + b->len, 0, n);
	buf_advance(b, n);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		b->failed = true;
	if (b->failed || !buf_reserve(b, n))
		return;
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	buf_advance(b, n);
}

static void
put_little(struct buf *b, uint64_t v, size_t n)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < n; i++)
		bytes[i] = v >> 8 * i;
	buf_put(b, bytes, n);
}

void
buf_u16(struct buf *b, uint16_t v)
{
	put_little(b, v, 2);
}

void
buf_u32(struct buf *b, uint32_t v)
{
	put_little(b, v, 4);
}

void
buf_u64(struct buf *b, uint64_t v)
{
	put_little(b, v, 8);
}

char *
buf_extend(struct buf *b, size_t n)
{
	if (!buf_reserve(b, n))
		return NULL;
	char *at = b->data + b->len;
	buf_advance(b, n);
	return at;
}

/* A table of both digits of each byte: half of what a debugger is sent is
 * memory in this form. */
#define HEX_1(n) "0123456789abcdef"[(n) >> 4 & 15], "0123456789abcdef"[(n) & 15]
#define HEX_4(n) { HEX_1(n) }, { HEX_1((n) + 1) }, { HEX_1((n) + 2) }, \
		 { HEX_1((n) + 3) }
#define HEX_16(n) HEX_4(n), HEX_4((n) + 4), HEX_4((n) + 8), HEX_4((n) + 12)
#define HEX_64(n) HEX_16(n), HEX_16((n) + 16), HEX_16((n) + 32), \
		  HEX_16((n) + 48)

void
buf_hex(struct buf *b, const void *data, size_t n)
{
	static const char digits[256][2] = {
		HEX_64(0), HEX_64(64), HEX_64(128), HEX_64(192),
	};
	const uint8_t *bytes = data;

	if (n > SIZE_MAX / 2)
		b->failed = true;
	char *to = b->failed ? NULL : buf_extend(b, 2 * n);
	if (!to)
		return;
	for (size_t i = 0; i < n; i++)
		memcpy(to + 2 * i, digits[bytes[i]], 2);
}

static const char *
name_for_people(char c)
{
	return c == '\\' ? "\\\\" : NULL;
}

void
buf_escape(struct buf *b, const char *s, size_t n)
{
	escape_put(b, s, n, name_for_people);
}

static const char *
name_for_xml(char c)
{
	/* XML 1.0 section 4.6: the five predefined entities. */
	static const char *const names[128] = {
		['&'] = "&amp;",
		['<'] = "&lt;",
		['>'] = "&gt;",
		['"'] = "&quot;",
		['\''] = "&apos;",
		['\\'] = "\\\\",
	};

	return names[c & 127];
}

void
buf_xml(struct buf *b, const char *s, size_t n)
{
	escape_put(b, s, n, name_for_xml);
}

struct err *
buf_err(const struct buf *b)
{
	if (b->limited)
		return err_new(ERR_LIMIT, "more than %zu bytes of output",
			       b->max);
	return b->failed ? err_nomem() : NULL;
}

void
buf_size(struct buf *b, uint64_t bytes)
{
	static const char *const unit[] = { "bytes", "KiB", "MiB", "GiB",
					    "TiB", "PiB", "EiB" };
	uint64_t rest = 0;
	size_t u = 0;

	while (bytes >= 1024 && u + 1 < countof(unit)) {
		rest = bytes % 1024;
		bytes /= 1024;
		u++;
	}
	if (u == 0 || bytes >= 100)
		buf_printf(b, "%llu %s", (unsigned long long)bytes, unit[u]);
	else
		buf_printf(b, "%llu.%llu %s", (unsigned long long)bytes,
			   (unsigned long long)(rest * 10 / 1024), unit[u]);
}
