/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Characters and strings: quoted, escaped, equal ones in a row told once, and
 * an end to all of it.
 */
#include "values/show.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK 64u               /* bytes read at once of a string */

/* ---- one character -------------------------------------------------------- */
/** A character of the string, as decoded. */
struct glyph {
	const uint8_t *at;      /* its bytes */
	size_t size;
	uint32_t code;
	bool plain;             /* may be shown as it is */
};

static size_t
encode(uint32_t code, char out[4])
{
	if (code < 0x80)
		return out[0] = (char)code, 1;
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | (code >> 18 & 7));
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* What a terminal may be shown is decided in one place, buf_escape(). */
static bool
is_plain(const char *utf8, size_t n)
{
	_buf_ struct buf b = { 0 };

	if (n == 1)
		return (uint8_t)utf8[0] >= 0x20 && (uint8_t)utf8[0] < 0x7f;
	buf_escape(&b, utf8, n);
	return b.len == n && memcmp(b.data, utf8, n) == 0;
}

static size_t
sequence_length(uint8_t first)
{
	if (first < 0xc2)
		return 1;
	if (first < 0xe0)
		return 2;
	return first < 0xf0 ? 3 : first < 0xf5 ? 4 : 1;
}

static uint32_t
code_at(const uint8_t *at, unsigned width)
{
	uint32_t code = 0;

	for (unsigned n = 0; n < width; n++)
		code |= (uint32_t)at[n] << 8 * n;
	return code;
}

/* Two halves of a character beyond U+FFFF (Unicode 15, 3.9, UTF-16). */
static void
join_pair(struct glyph *g)
{
	uint32_t low = code_at(g->at + 2, 2);

	if (g->code < 0xd800 || g->code > 0xdbff || low < 0xdc00
	    || low > 0xdfff)
		return;
	g->code = 0x10000 + ((g->code - 0xd800) << 10) + (low - 0xdc00);
	g->size = 4;
}

static struct glyph
glyph_at(const struct chars *c, size_t n)
{
	const uint8_t *at = c->data + n * c->width;
	struct glyph g = { .at = at, .size = c->width,
			   .code = code_at(at, c->width) };
	char utf8[4] = { 0 };

	if (c->width == 1 && g.code >= 0x80) {
		size_t length = sequence_length(at[0]);

		if (length > 1 && length <= c->n - n
		    && is_plain((const char *)at, length)) {
			g.size = length;
			g.plain = true;
		}
	} else {
		if (c->width == 2 && c->n - n > 1)
			join_pair(&g);
		g.plain = g.code < 0x110000
			  && is_plain(utf8, encode(g.code, utf8));
	}
	return g;
}

static const char *
named_escape(uint32_t code)
{
	static const char *const names[] = {
		['\a'] = "\\a", ['\b'] = "\\b", ['\f'] = "\\f",
		['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t",
		['\v'] = "\\v",
	};

	return code < countof(names) ? names[code] : NULL;
}

/* Three octal digits have an end; hexadecimal ones are ended by what is none:
 * then a digit that follows is to be told as a number too. */
static bool
put_numeric(struct buf *out, const struct glyph *g, unsigned width)
{
	bool open = false;

	for (size_t n = 0; n < g->size; n += width) {
		uint32_t code = code_at(g->at + n, width);

		open = code > 0777;
		buf_printf(out, open ? "\\x%x" : "\\%.3o", code);
	}
	return open;
}

/** @escaped: the one before was told as a number, so a digit is too. */
static void
put_glyph(struct buf *out, const struct glyph *g, unsigned width, char quote,
	  bool *escaped)
{
	char utf8[4];
	bool digit = g->code >= '0' && g->code <= '9' && g->size == width;

	if (g->plain && !(*escaped && digit)) {
		if (g->code == (uint32_t)quote || g->code == '\\')
			buf_putc(out, '\\');
		if (width == 1)
			buf_put(out, g->at, g->size);
		else
			buf_put(out, utf8, encode(g->code, utf8));
		*escaped = false;
	} else if (named_escape(g->code)) {
		buf_puts(out, named_escape(g->code));
		*escaped = false;
	} else {
		*escaped = put_numeric(out, g, width);
	}
}

void
chars_put_one(struct buf *out, uint32_t code, unsigned width,
	      const char *prefix)
{
	uint8_t bytes[4] = { (uint8_t)code, (uint8_t)(code >> 8),
			     (uint8_t)(code >> 16), (uint8_t)(code >> 24) };
	struct chars c = { .data = bytes, .n = 1, .width = width };
	struct glyph g = glyph_at(&c, 0);
	bool escaped = false;

	buf_puts(out, prefix);
	buf_putc(out, '\'');
	put_glyph(out, &g, width, '\'', &escaped);
	buf_putc(out, '\'');
}

/* ---- strings -------------------------------------------------------------- */
static bool
same_glyph(const struct glyph *a, const struct glyph *b)
{
	return a->size == b->size && memcmp(a->at, b->at, a->size) == 0;
}

/** So many glyphs equal to the one at @n stand there; *@end is behind them. */
static size_t
run_length(const struct chars *c, size_t n, const struct glyph *g,
	   size_t *end)
{
	size_t count = 0, step = g->size / c->width;

	while (n < c->n) {
		struct glyph next = glyph_at(c, n);

		if (!same_glyph(g, &next))
			break;
		n += step;
		count++;
	}
	*end = n;
	return count;
}

struct string_writer {
	struct buf *out;
	unsigned width;
	char quote;
	bool open, any, escaped;
};

static void
put_run(struct string_writer *w, const struct glyph *g, size_t count,
	uint32_t threshold)
{
	bool escaped = false;
	bool many = count > threshold;

	if (w->any && (many || !w->open)) {
		if (w->open)
			buf_putc(w->out, w->quote);
		buf_puts(w->out, ", ");
		w->open = false;
	}
	w->any = true;
	if (many) {
		buf_putc(w->out, '\'');
		put_glyph(w->out, g, w->width, '\'', &escaped);
		buf_printf(w->out, "' <repeats %zu times>", count);
		return;
	}
	if (!w->open) {
		buf_putc(w->out, w->quote);
		w->open = true;
		w->escaped = false;
	}
	for (size_t k = 0; k < count; k++)
		put_glyph(w->out, g, w->width, w->quote, &w->escaped);
}

/** Bytes at the end that begin a character and do not end it. */
static size_t
incomplete(const struct chars *c)
{
	for (size_t n = 1; c->width == 1 && n < 4 && n <= c->n; n++) {
		uint8_t byte = c->data[c->n - n];

		if ((byte & 0xc0) != 0x80)
			return byte >= 0xc2 && sequence_length(byte) > n ? n
			       : 0;
	}
	return 0;
}

static void
put_incomplete(struct string_writer *w, const struct chars *c, size_t cut)
{
	buf_puts(w->out, w->any ? ", <incomplete sequence "
		 : "<incomplete sequence ");
	for (size_t k = 0; k < cut; k++)
		buf_printf(w->out, "\\%.3o", c->data[c->n + k]);
	buf_putc(w->out, '>');
}

void
chars_put_string(struct buf *out, const struct chars *c,
		 const struct value_style *style)
{
	struct chars s = *c;
	struct string_writer w = { .out = out, .width = s.width,
				   .quote = s.quote ? s.quote : '"' };
	size_t shown = 0, n = 0;

	if (!s.more && !s.keeps_null && s.n
	    && code_at(s.data + (s.n - 1) * s.width, s.width) == 0)
		s.n--;
	buf_puts(out, s.prefix ? s.prefix : "");
	if (!s.n) {
		buf_putc(out, w.quote);
		buf_putc(out, w.quote);
	}
	size_t cut = incomplete(&s);
	s.n -= cut;
	while (n < s.n && shown < style->elements) {
		struct glyph g = glyph_at(&s, n);
		size_t count = run_length(&s, n, &g, &n);

		if (count <= style->repeats && shown + count > style->elements)
			count = style->elements - shown, s.more = true;
		put_run(&w, &g, count, style->repeats);
		shown += count;
	}
	if (w.open)
		buf_putc(out, w.quote);
	if (cut && n == s.n)
		put_incomplete(&w, &s, cut);
	if (s.more || n < s.n)
		buf_puts(out, "...");
}

/* ---- strings in memory ---------------------------------------------------- */
const char *
chars_prefix(const struct type *t)
{
	static const struct {
		const char *name, *prefix;
	} rows[] = { { "wchar_t", "L" }, { "char16_t", "u" },
		     { "char32_t", "U" } };

	for (unsigned depth = 0; t && depth < TYPE_DEPTH_MAX; depth++) {
		t = type_unaliased(t);
		const char *name = type_plain_name(t);

		for (size_t n = 0; name && n < countof(rows); n++)
			if (strcmp(name, rows[n].name) == 0)
				return rows[n].prefix;
		if (type_kind(t) != SYM_TYPE_TYPEDEF)
			break;
		t = type_target(t);
	}
	return "";
}

/** Characters at @addr up to a NUL or @max into @b. */
static struct err *
read_string(struct values *vs, uint64_t addr, unsigned width, size_t max,
	    struct buf *b)
{
	while (b->len < max * width) {
		size_t want = CHUNK - addr % CHUNK, got = 0;
		uint8_t bytes[CHUNK];

		want -= want % width;
		if (want == 0)
			want = width;
		if (want > max * width - b->len)
			want = max * width - b->len;
		struct err *err = space_read_some(vs->space, addr, want,
						  bytes, &got);
		if (err)
			return err;
		if (got < width)
			return space_read(vs->space, addr, width, bytes);
		for (size_t n = 0; n + width <= got; n += width) {
			if (code_at(bytes + n, width) == 0)
				return NULL;
			buf_put(b, bytes + n, width);
		}
		addr += got - got % width;
	}
	return NULL;
}

void
chars_put_pointed(struct buf *out, struct values *vs, const struct type *t,
		  uint64_t addr, const struct value_style *style)
{
	unsigned width = (unsigned)type_size(t);
	_buf_ struct buf b = { 0 };

	if (width != 1 && width != 2 && width != 4)
		return;
	_err_ struct err *err = read_string(vs, addr, width,
					    (size_t)style->elements + 1, &b);
	struct chars c = { .data = (const uint8_t *)b.data,
			   .n = b.len / width, .width = width,
			   .prefix = chars_prefix(t), .keeps_null = true };
	if (c.n > style->elements) {
		c.n = style->elements;
		c.more = true;
	}
	if (!err || c.n)
		chars_put_string(out, &c, style);
	if (err && !c.more && err_kind(err) == ERR_UNMAPPED)
		scalar_put_unmapped(out, addr + b.len);
	else if (err && !c.more)
		scalar_put_absence(out, state_of(err), err_text(err));
}

void
chars_put_counted(struct buf *out, const struct value *first, uint64_t n,
		  const struct value_style *style)
{
	uint64_t width = type_size(first->type);
	uint64_t max = style->elements;
	bool more = n > max;

	if (width != 1 && width != 2 && width != 4)
		return;
	n = more ? max : n;
	_free_ uint8_t *bytes = malloc(n * width + 1);
	if (!bytes)
		return;
	_err_ struct err *err = value_read(first, 0, n * width, bytes);
	struct chars c = { .data = bytes, .n = n, .width = (unsigned)width,
			   .prefix = chars_prefix(first->type),
			   .more = more, .keeps_null = true };
	if (err)
		scalar_put_absence(out, state_of(err), err_text(err));
	else
		chars_put_string(out, &c, style);
}
