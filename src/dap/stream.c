/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The framing of byte streams: "Content-Length: N", an empty line, N bytes
 * (specification, Base protocol).
 */
#include "dap/impl.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define HEADER_MAX 4096u
#define LINE_END "\r\n"
#define KEPT_MAX (64u << 10)    /* room that is kept for the next message */

/* ---- out ------------------------------------------------------------------- */
static struct err *
stream_put(void *arg, struct span json)
{
	struct buf *out = arg;

	buf_printf(out, "Content-Length: %zu" LINE_END LINE_END, json.n);
	buf_put(out, json.data, json.n);
	return buf_err(out);
}

struct dap_sink
dap_stream_sink(struct buf *out)
{
	return (struct dap_sink){ .message = stream_put, .arg = out };
}

/* ---- in -------------------------------------------------------------------- */
static void
stream_end(struct dap_stream *s, const char *why)
{
	s->over = true;
	s->why = why;
}

static bool
stream_number(const char *text, size_t n, size_t *out)
{
	size_t v = 0;

	if (!n)
		return false;
	for (size_t k = 0; k < n; k++) {
		if (text[k] < '0' || text[k] > '9' || v > DAP_MESSAGE_MAX)
			return false;
		v = v * 10 + (size_t)(text[k] - '0');
	}
	*out = v;
	return true;
}

/* A line of the header. One of HTTP, say, is none of ours. */
static void
stream_line(struct dap_stream *s, const char *line, size_t n)
{
	static const char length[] = "Content-Length:", type[] = "Content-Type:";
	size_t at = sizeof(length) - 1;

	if (n >= sizeof(type) - 1
	    && strncasecmp(line, type, sizeof(type) - 1) == 0)
		return;
	if (n < at || strncasecmp(line, length, at) != 0) {
		stream_end(s, "a header line other than Content-Length");
		return;
	}
	while (at < n && line[at] == ' ')
		at++;
	while (n > at && line[n - 1] == ' ')
		n--;
	if (!stream_number(line + at, n - at, &s->body))
		stream_end(s, "a Content-Length that is no number");
	else if (s->body > DAP_MESSAGE_MAX || !s->body)
		stream_end(s, "a message of no bytes, or of more than 16 MiB");
}

/* Header lines, up to the empty one; false: it is not whole yet. */
static bool
stream_header(struct dap_stream *s)
{
	size_t at = 0;

	for (;;) {
		const char *line = s->in.data + at;
		const char *end = memmem(line, s->in.len - at, LINE_END, 2);

		if (!end || at > HEADER_MAX) {
			if (s->in.len > HEADER_MAX)
				stream_end(s, "a header that does not end");
			return false;
		}
		at += (size_t)(end - line) + 2;
		if (end == line)
			break;
		stream_line(s, line, (size_t)(end - line));
		if (s->over)
			return false;
	}
	if (!s->body)
		stream_end(s, "a header without Content-Length");
	s->header = at;
	return !s->over;
}

/* The first message, if it is whole; *@got false: it is not. */
static struct err *
stream_next(struct dap_stream *s, struct dap *d, const struct dap_sink *sink,
	    bool *got)
{
	*got = false;
	if (!s->header && !stream_header(s))
		return NULL;
	if (s->in.len - s->header < s->body)
		return NULL;
	struct err *err = dap_message(d, (struct span){
			s->in.data + s->header, s->body }, sink);
	size_t used = s->header + s->body;
	memmove(s->in.data, s->in.data + used, s->in.len - used);
	s->in.len -= used;
	s->header = s->body = 0;
	*got = s->in.len > 0;
	return err;
}

struct err *
dap_stream_feed(struct dap_stream *s, struct dap *d, const void *data, size_t n,
		struct buf *out)
{
	const struct dap_sink sink = dap_stream_sink(out);
	bool more = true;

	if (s->over || dap_done(d))
		return NULL;
	buf_put(&s->in, data, n);
	struct err *err = buf_err(&s->in);
	while (!err && more && !s->over && !dap_done(d))
		err = stream_next(s, d, &sink, &more);
	if (!s->in.len && s->in.cap > KEPT_MAX)
		buf_fini(&s->in);
	return err;
}

void
dap_stream_fini(struct dap_stream *s)
{
	buf_fini(&s->in);
}
