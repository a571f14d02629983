/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Framing of the remote protocol ("Overview" of appendix "GDB Remote Serial
 * Protocol" of the GDB manual): a push parser, and the encoder of replies.
 */
#include "gdbstub/framing.h"

#include <string.h>

/* ---- from the client --------------------------------------------------- */
static void
framing_begin(struct framing *f)
{
	f->state = FRAMING_DATA;
	f->len = 0;
	f->sum = 0;
	f->broken = false;
}

/*
 * '$' cannot occur inside a packet, not even escaped: a client that sends it
 * has given up on what it sent before.
 */
static void
framing_data(struct framing *f, uint8_t c)
{
	if (c == '$') {
		framing_begin(f);
	} else if (c == '#') {
		f->state = FRAMING_SUM_HIGH;
	} else {
		f->sum += c;
		if (f->len < f->max)
			f->data[f->len++] = (char)c;
		else
			f->len = f->max + 1;
	}
}

static enum framing_event
framing_end(struct framing *f)
{
	f->state = FRAMING_IDLE;
	if ((f->broken || f->claimed != f->sum) && !f->unchecked)
		return FRAMING_BAD;
	if (f->len > f->max)
		return FRAMING_OVERSIZE;
	f->data[f->len] = '\0';
	return FRAMING_PACKET;
}

static enum framing_event
framing_sum(struct framing *f, uint8_t c)
{
	const char digit = (char)c;
	uint64_t value = 0;

	if (c == '$') {
		framing_begin(f);
		return FRAMING_NONE;
	}
	if (!hex_u64(&digit, 1, &value))
		f->broken = true;
	f->claimed = (uint8_t)(f->claimed << 4 | value);
	if (f->state == FRAMING_SUM_LOW)
		return framing_end(f);
	f->state = FRAMING_SUM_LOW;
	return FRAMING_NONE;
}

/* Between packets. Ctrl-C (0x03) too falls through: nothing runs that could
 * be interrupted, and a second stop reply would confuse the client. */
static enum framing_event
framing_idle(struct framing *f, uint8_t c)
{
	switch (c) {
	case '$':
		framing_begin(f);
		return FRAMING_NONE;
	case '+':
		return FRAMING_ACK;
	case '-':
		return FRAMING_NACK;
	default:
		return FRAMING_NONE;
	}
}

enum framing_event
framing_push(struct framing *f, uint8_t c)
{
	switch (f->state) {
	case FRAMING_IDLE:
		return framing_idle(f, c);
	case FRAMING_DATA:
		framing_data(f, c);
		return FRAMING_NONE;
	default:
		return framing_sum(f, c);
	}
}

/* ---- to the client ----------------------------------------------------- */
#define RUN_MIN 4u              /* shorter ones cost as much as they save */
#define RUN_MAX 98u             /* the count must not pass '~' */

/* How many of @run equal bytes one run-length code may stand for. */
static size_t
run_code(size_t run)
{
	/* Counts that would read as a packet's own characters are not allowed
	 * ("Run-Length Encoding" in the manual's overview). */
	static const char forbidden[] = "#$+-";

	while (memchr(forbidden, (int)(run - 1 + 29), sizeof(forbidden) - 1))
		run--;
	return run;
}

static size_t
run_length(const char *p, size_t left)
{
	size_t run = 1, max = left < RUN_MAX ? left : RUN_MAX;

	while (run < max && p[run] == p[0])
		run++;
	return run;
}

static void
framing_put_runs(struct buf *out, const char *p, size_t n)
{
	size_t plain = 0, i = 0;        /* [plain, i) waits to be copied */

	while (i < n) {
		size_t run = run_length(p + i, n - i);

		if (run < RUN_MIN) {
			i += run;
			continue;
		}
		run = run_code(run);
		buf_put(out, p + plain, i - plain);
		buf_putc(out, p[i]);
		buf_putc(out, '*');
		buf_putc(out, (char)(run - 1 + 29));
		i += run;
		plain = i;
	}
	buf_put(out, p + plain, n - plain);
}

void
framing_put(struct buf *out, const void *payload, size_t n)
{
	uint8_t sum = 0;

	buf_putc(out, '$');
	size_t from = out->len;
	if (n)
		framing_put_runs(out, payload, n);
	for (size_t i = from; !out->failed && i < out->len; i++)
		sum += (uint8_t)out->data[i];
	buf_putc(out, '#');
	buf_hex(out, &sum, 1);
}

/* ---- binary data ------------------------------------------------------- */
#define ESCAPE '}'

static bool
is_special(uint8_t c)
{
	return c == '#' || c == '$' || c == '*' || c == ESCAPE;
}

size_t
framing_put_binary(struct buf *b, const void *data, size_t n, size_t limit)
{
	const uint8_t *p = data;
	size_t plain = 0, i = 0;
	size_t room = limit > b->len ? limit - b->len : 0;

	for (; i < n; i++) {
		size_t cost = is_special(p[i]) ? 2 : 1;

		if (cost > room)
			break;
		room -= cost;
		if (cost == 1)
			continue;
		buf_put(b, p + plain, i - plain);
		buf_putc(b, ESCAPE);
		buf_putc(b, (char)(p[i] ^ 0x20));
		plain = i + 1;
	}
	if (i > plain)
		buf_put(b, p + plain, i - plain);
	return i;
}

bool
framing_unescape(char *data, size_t *n)
{
	size_t out = 0;

	for (size_t i = 0; i < *n; i++) {
		char c = data[i];

		if (c == ESCAPE) {
			if (++i == *n)
				return false;
			c = (char)(data[i] ^ 0x20);
		}
		data[out++] = c;
	}
	*n = out;
	return true;
}
