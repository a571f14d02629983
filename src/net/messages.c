/* SPDX-License-Identifier: Apache-2.0 */
/*
 * messages.c: text messages of a websocket, and a byte stream of the same: each
 * behind "Content-Length: N" and an empty line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/impl.h"

#define HEADER_MAX 4096u
#define LINE_END "\r\n"
static const char length_name[] = "Content-Length:";

/* ---- from the websocket ---- */

/* One that its sender framed as for a stream. */
static bool
message_has_header(const struct buf *b)
{
	size_t n = sizeof(length_name) - 1;

	return b->len >= n && strncasecmp(b->data, length_name, n) == 0;
}

/** All bytes that wait for the rest of their message, of all clients. */
static bool
message_is_too_much(const struct net_client *c, size_t n)
{
	size_t joined = c->net->joined;

	return joined > NET_JOINED_MAX || n > NET_JOINED_MAX - joined;
}

enum message_verdict
message_join(struct net_client *c, const struct piece *p)
{
	if (message_is_too_much(c, p->n))
		return MESSAGE_TOO_MUCH;
	size_t before = c->joined.len;
	buf_put(&c->joined, p->data, p->n);
	/* As many as message_forget() takes away again. */
	c->net->joined += c->joined.len - before;
	if (c->joined.failed)
		return MESSAGE_TOO_MUCH;
	if (!p->message_ends)
		return MESSAGE_GOES_ON;
	return message_has_header(&c->joined) ? MESSAGE_FRAMED
	       : c->joined.len ? MESSAGE_WHOLE : MESSAGE_GOES_ON;
}

void
message_forget(struct net_client *c)
{
	c->net->joined -= c->joined.len;
	c->joining = 0;
	buf_fini(&c->joined);
	memset(&c->joined, 0, sizeof(c->joined));
}

void
message_frame(struct span text, struct buf *out)
{
	buf_printf(out, "%s %zu" LINE_END LINE_END, length_name, text.n);
	buf_put(out, text.data, text.n);
}

/* ---- from the stream ---- */

/* False: not a line of such a header. */
static bool
header_line(const char *line, size_t n, uint64_t *length)
{
	static const char type[] = "Content-Type:";
	size_t at = sizeof(length_name) - 1;

	if (n >= sizeof(type) - 1
	    && strncasecmp(line, type, sizeof(type) - 1) == 0)
		return true;
	if (n <= at || n > at + 20 || strncasecmp(line, length_name, at) != 0)
		return false;
	*length = 0;
	for (at += line[at] == ' '; at < n; at++) {
		if (line[at] < '0' || line[at] > '9')
			return false;
		*length = *length * 10 + (uint64_t)(line[at] - '0');
	}
	return *length && *length <= NET_REPLY_MAX;
}

/* The header at the start of the piece: false: it is none. */
static bool
message_header(struct net_client *c)
{
	const char *data = c->piece.data;
	size_t at = 0, n = c->piece.len;
	uint64_t length = 0;

	for (;;) {
		const char *end = memmem(data + at, n - at, LINE_END, 2);
		size_t line = end ? (size_t)(end - data) - at : 0;

		if (!end)
			return n - at <= HEADER_MAX && at <= HEADER_MAX;
		if (!line)
			break;
		if (!header_line(data + at, line, &length))
			return false;
		at += line + 2;
	}
	if (!length)
		return false;
	c->out_left = length;
	c->out_begun = false;
	c->out_at = at + 2;
	return true;
}

bool
message_next(struct net_client *c, struct fragment *out)
{
	*out = (struct fragment){ 0 };
	if (!c->out_left && c->piece.len && !message_header(c))
		return false;
	size_t n = c->piece.len - c->out_at;
	if (!c->out_left || !n)
		return true;
	if (n > c->out_left)
		n = (size_t)c->out_left;
	if (n > NET_FRAGMENT_MAX)
		n = NET_FRAGMENT_MAX;
	*out = (struct fragment){
		.data = c->piece.data + c->out_at, .n = n,
		.first = !c->out_begun, .last = n == c->out_left,
	};
	return true;
}

void
message_sent(struct net_client *c, const struct fragment *f)
{
	c->out_left -= f->n;
	c->out_at += f->n;
	c->out_begun = true;
	c->messages_sent += f->last;
	if (c->out_at < c->piece.len && !f->last)
		return;
	memmove(c->piece.data, c->piece.data + c->out_at,
		c->piece.len - c->out_at);
	c->piece.len -= c->out_at;
	c->out_at = 0;
}
