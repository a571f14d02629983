/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of lists, and texts, in replies.
 */
#include "base/cut.h"
#include "dap/impl.h"

#include <string.h>

#define ROWS 1000
#define ROWS_MAX 10000
#define EXACT (UINT64_C(1) << 53)       /* JavaScript's numbers end there */
#define TEXT_MAX 65536u         /* bytes of one text */

struct err *
page_of(const struct json *arguments, size_t n, struct page *out)
{
	static const struct arg_bounds starts = { 0, INT32_MAX, 0 };
	static const struct arg_bounds counts = { 0, INT32_MAX, ROWS };
	int64_t start, count;

	struct err *err = arg_number(arguments, "start", &starts, &start);
	if (!err)
		err = arg_number(arguments, "count", &counts, &count);
	if (err)
		return err;
	if (count > ROWS_MAX)
		count = ROWS_MAX;
	out->start = (size_t)start < n ? (size_t)start : n;
	out->end = n - out->start < (size_t)count ? n
		   : out->start + (size_t)count;
	out->n = n;
	out->bytes = 0;
	return NULL;
}

struct json *
page_body(const char *name, struct json *list, const struct page *p)
{
	struct json *body = json_object();

	json_set(body, name, list);
	json_set(body, "total", json_u64(p->n));
	return body;
}

struct json *
json_of_span(struct span text)
{
	struct buf out = { 0 };

	json_put_string(&out, text.n ? text.data : "", text.n);
	return json_raw(&out);
}

struct json *
json_short(const char *text, size_t max)
{
	_buf_ struct buf cut = { 0 };

	if (strnlen(text, max + 1) <= max)
		return json_string(text);
	cut_put(&cut, text, max);
	return json_string(cut.failed ? NULL : cut.data);
}

struct json *
page_text(struct page *p, const char *text)
{
	p->bytes += strnlen(text, TEXT_MAX + 1);
	return json_short(text, TEXT_MAX);
}

/* ---- numbers and texts ------------------------------------------------- */
struct json *
json_integer(uint64_t magnitude, bool negative)
{
	_buf_ struct buf text = { 0 };

	buf_printf(&text, "%s%llu", negative ? "-" : "",
		   (unsigned long long)magnitude);
	if (magnitude > EXACT || text.failed)
		return json_string(text.failed ? NULL : text.data);
	return negative ? json_i64(-(int64_t)magnitude) : json_u64(magnitude);
}

/* A run of bytes within a string: without the quotes around it. */
static void
put_run(struct buf *out, const char *s, size_t n)
{
	_buf_ struct buf quoted = { 0 };

	json_put_string(&quoted, s, n);
	if (!quoted.failed)
		buf_put(out, quoted.data + 1, quoted.len - 2);
	out->failed = out->failed || quoted.failed;
}

/* ASCII is sent as it is, with what keeps lines and pages apart; what is not
 * UTF-8, and what would turn text around, is shown. */
struct json *
json_of_text(struct span text)
{
	const char *s = text.data;
	const size_t n = text.n;
	struct buf out = { 0 };
	size_t from = 0;

	buf_putc(&out, '"');
	for (size_t k = 0; k < n; k++) {
		if ((uint8_t)s[k] >= ' ' && s[k] != 0x7f)
			continue;
		put_run(&out, s + from, k - from);
		buf_printf(&out, "\\u%04x", (uint8_t)s[k]);
		from = k + 1;
	}
	if (n)
		put_run(&out, s + from, n - from);
	buf_putc(&out, '"');
	return json_raw(&out);
}

/* ---- URIs ---------------------------------------------------------------------------- */
static bool
is_plain_in_uri(char c, const char *plain)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
	       || (c >= '0' && c <= '9') || strchr(plain, c);
}

void
text_put_uri(struct buf *out, const char *text, const char *plain)
{
	for (; *text; text++)
		if (is_plain_in_uri(*text, plain))
			buf_putc(out, *text);
		else
			buf_printf(out, "%%%02X", (uint8_t)*text);
}
