/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.c: writes recordings.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "serve/record.h"

/* Longer lines are cut: editors and diff should like them. */
#define LINE_MAX_BYTES 4096u
/* No verb is as long; of what is longer nothing is kept. */
#define HELD_MAX 4096u

/* ---- lines ---- */

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct err *
record_begin(struct recorder *r, int fd, uint64_t limit, const char *protocol)
{
	char first[32];

	*r = (struct recorder){
		.fd = fd, .left = limit ? limit : RECORD_LIMIT,
		.began_ns = now_ns(), .plain = strcmp(protocol, "rsp") != 0,
	};
	snprintf(first, sizeof(first), "inquest-%s 2\n", protocol);
	return fd < 0 ? NULL : io_write(fd, first, strlen(first));
}

static void
record_line(struct buf *b, const struct recorder *r, char direction,
	    unsigned connection, struct span bytes)
{
	const uint8_t *data = bytes.data;

	buf_printf(b, "%c %u %" PRIu64 " ", direction, connection,
		   (now_ns() - r->began_ns) / 1000);
	for (size_t k = 0; k < bytes.n; k++) {
		if (data[k] == '\\')
			buf_puts(b, "\\\\");
		else if (data[k] < 0x20 || data[k] > 0x7e)
			buf_printf(b, "\\x%02x", data[k]);
		else
			buf_putc(b, (char)data[k]);
	}
	buf_putc(b, '\n');
}

/* The session goes on without. */
static struct err *
record_stop(struct recorder *r)
{
	static const char last[] = "! the recording has reached its limit, and "
				   "ends; the session went on\n";

	r->full = true;
	return io_write(r->fd, last, sizeof(last) - 1);
}

static struct err *
record_bytes(struct recorder *r, enum record_direction direction,
	     unsigned connection, struct span bytes)
{
	const char *data = bytes.data;
	_buf_ struct buf b = { 0 };

	for (size_t at = 0; at < bytes.n && !r->full; at += LINE_MAX_BYTES) {
		size_t left = bytes.n - at;
		size_t n = left < LINE_MAX_BYTES ? left : LINE_MAX_BYTES;

		buf_reset(&b);
		record_line(&b, r, (char)direction, connection,
			    (struct span){ data + at, n });
		struct err *err = buf_err(&b);
		if (!err)
			err = b.len > r->left ? record_stop(r)
					      : io_write(r->fd, b.data, b.len);
		if (err)
			return err;
		r->left -= b.len > r->left ? r->left : b.len;
	}
	return NULL;
}

struct err *
record_sent(struct recorder *r, unsigned connection, struct span bytes)
{
	if (r->fd < 0 || r->full)
		return NULL;
	return record_bytes(r, RECORD_TO_CLIENT, connection, bytes);
}

/* ---- tokens ---- */

enum {
	MASK_OUTSIDE,           /* of a packet */
	MASK_NAME,              /* of one, as far as it is MONITOR */
	MASK_OTHER,             /* in one that is of no interest */
	MASK_HELD,              /* in the digits of a monitor command */
	MASK_TOO_LONG,
	MASK_SUM_HIGH, MASK_SUM_LOW,    /* behind one: its sum is replaced */
};
static const char MONITOR[] = "qRcmd,";

static void
mask_put(struct record_mask *m, struct buf *out, const char *text)
{
	for (const char *p = text; *p; p++)
		m->sum = (uint8_t)(m->sum + (uint8_t)*p);
	buf_puts(out, text);
}

/* Where what is secret begins in the digits of a command; their end if nothing
 * is. A verb that only looks like `auth` is a slip of the pen. */
static size_t
secret_from(const struct buf *held)
{
	static const char auth[] = "au";
	const size_t verb = 2 * (sizeof("auth ") - 1);
	size_t matched = 0, k = 0;

	for (; k + 2 <= held->len && matched < sizeof(auth) - 1; k += 2) {
		char c;

		if (!hex_bytes(held->data + k, 1, &c))
			return held->len;
		if (!matched && isspace((unsigned char)c))
			continue;
		if (tolower((unsigned char)c) != auth[matched++])
			return held->len;
	}
	if (matched < sizeof(auth) - 1)
		return held->len;
	k += verb - 2 * matched;
	return k < held->len ? k : held->len;
}

static void
mask_release(struct record_mask *m, struct buf *out)
{
	static const char stars[] = "2a2a2a2a";
	size_t n = secret_from(&m->held);

	m->secret = n < m->held.len;
	if (m->held.len) {
		m->held.data[n] = '\0';
		mask_put(m, out, m->held.data);
	}
	if (m->secret)
		mask_put(m, out, stars);
	if (m->held.data)
		explicit_bzero(m->held.data, m->held.cap);
	buf_reset(&m->held);
}

static void
mask_begin(struct record_mask *m)
{
	m->state = MASK_NAME;
	m->matched = 0;
	m->sum = 0;
}

static void
mask_name(struct record_mask *m, char c, struct buf *out)
{
	if (c == '#')
		m->state = MASK_OUTSIDE;
	else if (c != MONITOR[m->matched])
		m->state = MASK_OTHER;
	else if (++m->matched == sizeof(MONITOR) - 1)
		m->state = MASK_HELD;
	m->sum = (uint8_t)(m->sum + (uint8_t)c);
	buf_putc(out, c);
}

static void
mask_held(struct record_mask *m, char c, struct buf *out)
{
	if (c == '#') {
		mask_release(m, out);
		buf_putc(out, '#');
		m->state = MASK_SUM_HIGH;
	} else if (m->state == MASK_HELD && m->held.len < HELD_MAX && c) {
		buf_putc(&m->held, c);
	} else {
		m->state = MASK_TOO_LONG;
	}
}

static void
mask_sum(struct record_mask *m, char c, struct buf *out)
{
	static const char digits[] = "0123456789abcdef";
	bool high = m->state == MASK_SUM_HIGH;

	if (m->secret)
		c = digits[high ? m->sum >> 4 : m->sum & 15];
	buf_putc(out, c);
	m->state = high ? MASK_SUM_LOW : MASK_OUTSIDE;
}

static void
mask_byte(struct record_mask *m, char c, struct buf *out)
{
	if (c == '$') {
		mask_release(m, out);
		buf_putc(out, c);
		mask_begin(m);
		return;
	}
	switch (m->state) {
	case MASK_NAME:
		mask_name(m, c, out);
		break;
	case MASK_HELD:
	case MASK_TOO_LONG:
		mask_held(m, c, out);
		break;
	case MASK_SUM_HIGH:
	case MASK_SUM_LOW:
		mask_sum(m, c, out);
		break;
	default:
		if (c == '#')
			m->state = MASK_OUTSIDE;
		buf_putc(out, c);
	}
}

struct err *
record_said(struct recorder *r, struct record_mask *m, unsigned connection,
	    struct span bytes)
{
	const char *p = bytes.data;
	_buf_ struct buf shown = { 0 };

	if (r->fd < 0 || r->full)
		return NULL;
	if (r->plain)
		return record_bytes(r, RECORD_FROM_CLIENT, connection, bytes);
	for (size_t k = 0; k < bytes.n; k++)
		mask_byte(m, p[k], &shown);
	m->held.failed |= shown.failed;
	struct err *err = buf_err(&m->held);
	return err ? err : record_bytes(r, RECORD_FROM_CLIENT, connection,
				(struct span){ shown.data, shown.len });
}

struct err *
record_end(struct recorder *r, struct record_mask *m, unsigned connection)
{
	_buf_ struct buf shown = { 0 };

	mask_release(m, &shown);
	buf_fini(&m->held);
	*m = (struct record_mask){ 0 };
	if (r->fd < 0 || r->full)
		return NULL;
	return record_bytes(r, RECORD_FROM_CLIENT, connection,
			    (struct span){ shown.data, shown.len });
}
