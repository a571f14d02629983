/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parses the arguments of a packet by its schema.
 */
#include "gdbstub/args.h"

#include <string.h>

#include "gdbstub/framing.h"

/** What is left of the packet. */
struct text {
	char *p;
	size_t n;
};

static void
text_skip(struct text *t, size_t n)
{
	t->p += n;
	t->n -= n;
}

/** Bytes before @end, or all that is left when it does not occur. */
static size_t
text_until(const struct text *t, char end)
{
	const char *at = end ? memchr(t->p, end, t->n) : NULL;

	return at ? (size_t)(at - t->p) : t->n;
}

static size_t
count_digits(const struct text *t)
{
	size_t n = 0;
	uint64_t ignored;

	while (n < t->n && hex_u64(t->p + n, 1, &ignored))
		n++;
	return n;
}

static bool
parse_number(struct text *t, uint64_t *out)
{
	size_t n = count_digits(t);

	if (!hex_u64(t->p, n, out))
		return false;
	text_skip(t, n);
	return true;
}

/* gdb's ids are signed; ID_ALL is written "-1". */
static bool
parse_id(struct text *t, uint64_t *out)
{
	if (t->n >= 2 && t->p[0] == '-' && t->p[1] == '1') {
		text_skip(t, 2);
		*out = ID_ALL;
		return true;
	}
	return parse_number(t, out) && *out <= INT64_MAX;
}

/* "thread-id" in the manual's section "Packets". */
static bool
parse_thread(struct text *t, struct thread_id *out)
{
	*out = (struct thread_id){ ID_ANY, ID_ANY };
	if (t->n == 0 || t->p[0] != 'p')
		return parse_id(t, &out->tid);
	text_skip(t, 1);
	if (!parse_id(t, &out->pid))
		return false;
	if (t->n == 0 || t->p[0] != '.') {
		out->tid = ID_ALL;
		return true;
	}
	text_skip(t, 1);
	return parse_id(t, &out->tid);
}

static bool
parse_hex(struct text *t, size_t n, struct span *out)
{
	if (n % 2 || !hex_bytes(t->p, n / 2, t->p))
		return false;
	*out = (struct span){ t->p, n / 2 };
	text_skip(t, n);
	return true;
}

static bool
parse_binary(struct text *t, struct span *out)
{
	size_t n = t->n;

	if (!framing_unescape(t->p, &n))
		return false;
	*out = (struct span){ t->p, n };
	text_skip(t, t->n);
	return true;
}

/** A value of type @type that ends at @end. */
static bool
parse_arg(char type, char end, struct text *t, struct arg *out)
{
	switch (type) {
	case 'L':
		return parse_number(t, &out->number);
	case 'T':
		return parse_thread(t, &out->thread);
	case 'C':
		if (t->n == 0)
			return false;
		out->number = (uint8_t)t->p[0];
		text_skip(t, 1);
		return true;
	case 'S':
		out->bytes = (struct span){ t->p, text_until(t, end) };
		text_skip(t, out->bytes.n);
		return true;
	case 'H':
		return parse_hex(t, text_until(t, end), &out->bytes);
	default:
		return parse_binary(t, &out->bytes);
	}
}

static bool
is_type(char c)
{
	return strchr("LTCSHB", c) != NULL;
}

bool
args_parse(const char *schema, char *text, size_t n, struct args *out)
{
	struct text t = { text, n };

	out->n = 0;
	for (; *schema; schema++) {
		if (*schema == '?') {
			if (t.n == 0)
				return true;
		} else if (is_type(*schema)) {
			if (out->n == ARGS_MAX
			    || !parse_arg(*schema, schema[1], &t,
					  &out->v[out->n]))
				return false;
			out->n++;
		} else {
			if (t.n == 0 || t.p[0] != *schema)
				return false;
			text_skip(&t, 1);
		}
	}
	return t.n == 0;
}

bool
span_is(struct span s, const char *text)
{
	return s.n == strlen(text) && memcmp(s.data, text, s.n) == 0;
}
