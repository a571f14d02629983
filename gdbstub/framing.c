/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Framing of the remote protocol ("Overview" of appendix "GDB Remote Serial
 * Protocol" of the GDB manual): a push parser, and the encoder of replies.
 */
#include "gdbstub/framing.h"

#include <endian.h>
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

/* Bytes that are looked at in one step; any processor has such registers. */
#define WIDE 16u
typedef uint8_t wide __attribute__((vector_size(WIDE)));

static wide
load(const char *p)
{
	wide bytes;

	memcpy(&bytes, p, sizeof(bytes));
	return bytes;
}

/** The first byte of @marks that is not 0; WIDE: all are. */
static unsigned
first_mark(wide marks)
{
	uint64_t half[2];

	memcpy(half, &marks, sizeof(half));
	if (half[0])
		return (unsigned)__builtin_ctzll(le64toh(half[0])) / 8;
	if (half[1])
		return 8 + (unsigned)__builtin_ctzll(le64toh(half[1])) / 8;
	return WIDE;
}

/* Where the next run of RUN_MIN begins, or @n. */
static size_t
run_find(const char *p, size_t i, size_t n)
{
	for (; i + WIDE + RUN_MIN <= n; i += WIDE) {
		wide here = load(p + i);
		unsigned at = first_mark((wide)(here == load(p + i + 1))
					 & (wide)(here == load(p + i + 2))
					 & (wide)(here == load(p + i + 3)));

		if (at < WIDE)
			return i + at;
	}
	for (; i + RUN_MIN <= n; i++)
		if (p[i] == p[i + 1] && p[i] == p[i + 2] && p[i] == p[i + 3])
			return i;
	return n;
}

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
	size_t run = RUN_MIN, max = left < RUN_MAX ? left : RUN_MAX;

	while (run < max && p[run] == p[0])
		run++;
	return run;
}

static void
framing_put_runs(struct buf *out, const char *p, size_t n)
{
	size_t i = 0;

	while (i < n) {
		size_t at = run_find(p, i, n);

		buf_put(out, p + i, at - i);
		if (at == n)
			return;
		size_t run = run_code(run_length(p + at, n - at));
		const char code[] = { p[at], '*', (char)(run - 1 + 29) };
		buf_put(out, code, sizeof(code));
		i = at + run;
	}
}

/* Each lane for itself: what is carried out of a byte does not count. */
static uint8_t
framing_sum_of(const char *p, size_t n)
{
	wide lanes = { 0 };
	uint8_t sum = 0;

	for (; n >= WIDE; p += WIDE, n -= WIDE)
		lanes += load(p);
	for (unsigned k = 0; k < WIDE; k++)
		sum = (uint8_t)(sum + lanes[k]);
	for (; n; p++, n--)
		sum = (uint8_t)(sum + (uint8_t)*p);
	return sum;
}

void
framing_put(struct buf *out, const void *payload, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	buf_putc(out, '$');
	size_t from = out->len;
	if (n)
		framing_put_runs(out, payload, n);
	if (out->failed)
		return;
	uint8_t sum = framing_sum_of(out->data + from, out->len - from);
	const char end[] = { '#', digits[sum >> 4], digits[sum & 15] };
	buf_put(out, end, sizeof(end));
}

/* ---- binary data ------------------------------------------------------- */
#define ESCAPE '}'

static bool
is_special(char c)
{
	return c == '#' || c == '$' || c == '*' || c == ESCAPE;
}

/** Where to read, where to write, and where both end. */
struct escaping {
	const char *p, *end;
	char *to, *full;
};

/* As long as there is room for all of a step, up to its first special byte. */
static void
escape_wide(struct escaping *e)
{
	while (e->end - e->p >= (ptrdiff_t)WIDE
	       && e->full - e->to >= (ptrdiff_t)WIDE + 2) {
		wide bytes = load(e->p);
		unsigned plain = first_mark((wide)(bytes == '#')
					    | (wide)(bytes == '$')
					    | (wide)(bytes == '*')
					    | (wide)(bytes == ESCAPE));

		memcpy(e->to, &bytes, WIDE);
		e->p += plain;
		e->to += plain;
		if (plain == WIDE)
			continue;
		*e->to++ = ESCAPE;
		*e->to++ = (char)(*e->p++ ^ 0x20);
	}
}

static void
escape_bytes(struct escaping *e)
{
	for (; e->p < e->end && e->to < e->full; e->p++) {
		bool plain = !is_special(*e->p);

		if (!plain && e->full - e->to < 2)
			return;
		if (!plain)
			*e->to++ = ESCAPE;
		*e->to++ = (char)(plain ? *e->p : *e->p ^ 0x20);
	}
}

size_t
framing_put_binary(struct buf *b, const void *data, size_t n, size_t limit)
{
	size_t from = b->len, room = limit > from ? limit - from : 0;
	size_t most = n < room / 2 ? 2 * n : room;
	char *to = buf_extend(b, most);

	if (!to || !n)
		return n;
	struct escaping e = { data, (const char *)data + n, to, to + most };
	escape_wide(&e);
	escape_bytes(&e);
	b->len = from + (size_t)(e.to - to);
	b->data[b->len] = '\0';
	return n - (size_t)(e.end - e.p);
}

size_t
framing_escaped(const void *data, size_t n)
{
	const char *p = data;
	size_t length = n;

	for (size_t k = 0; k < n; k++)
		length += is_special(p[k]);
	return length;
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
