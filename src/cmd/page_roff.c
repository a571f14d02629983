/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page_roff.c: manual pages in the man(7) macros.
 */
#include <ctype.h>
#include <string.h>

#include "cmd/page.h"

/*
 * Characters that groff would set as typographic ones, which cannot be pasted
 * into a shell, or would take for its own (groff_char(7)).
 */
static const char *
roff_escape(char c)
{
	static const struct {
		char plain;
		const char *escape;
	} table[] = {
		{ '\\', "\\e" }, { '-', "\\-" }, { '`', "\\(ga" },
		{ '\'', "\\(aq" }, { '^', "\\(ha" }, { '~', "\\(ti" },
		{ '"', "\\(dq" },
	};

	for (size_t i = 0; i < countof(table); i++) {
		if (table[i].plain == c)
			return table[i].escape;
	}
	return NULL;
}

static void
roff_text(struct buf *b, const char *s, size_t n)
{
	bool fresh = true;

	for (size_t i = 0; i < n; i++) {
		const char *escape = roff_escape(s[i]);
		/* A dot that begins a line would be a request. */
		if (fresh && s[i] == '.')
			buf_puts(b, "\\&");
		fresh = s[i] == '\n';
		if (escape)
			buf_puts(b, escape);
		else
			buf_putc(b, s[i]);
	}
}

static void
roff_request(struct buf *b, const char *macro, const char *text)
{
	buf_printf(b, "%s \"", macro);
	roff_text(b, text, strlen(text));
	buf_puts(b, "\"\n");
}

static void
roff_title(struct buf *b, const char *name, const char *summary)
{
	buf_puts(b, ".TH \"");
	for (const char *p = name; *p; p++)
		buf_putc(b, *p == ' ' ? '-' : (char)toupper((unsigned char)*p));
	buf_puts(b, "\" \"1\" \"\" \"" PROGRAM " " PACKAGE_VERSION "\" \"\"\n"
		 ".SH NAME\n");
	roff_text(b, name, strlen(name));
	buf_puts(b, " \\- ");
	roff_text(b, summary, strlen(summary));
	buf_putc(b, '\n');
}

static void
roff_heading(struct buf *b, const char *text)
{
	roff_request(b, ".SH", text);
}

static void
roff_subheading(struct buf *b, const char *text)
{
	roff_request(b, ".SS", text);
}

static void
roff_paragraph(struct buf *b, const char *text, size_t n)
{
	buf_puts(b, ".PP\n");
	roff_text(b, text, n);
	buf_putc(b, '\n');
}

static void
roff_literal(struct buf *b, const char *text, size_t n)
{
	buf_puts(b, ".PP\n.nf\n");
	for (size_t i = 0; i < n;) {
		const char *end = memchr(text + i, '\n', n - i);
		size_t len = end ? (size_t)(end - text) - i : n - i;
		size_t tab = text[i] == '\t';
		buf_puts(b, "    ");
		roff_text(b, text + i + tab, len - tab);
		buf_putc(b, '\n');
		i += len + 1;
	}
	buf_puts(b, ".fi\n");
}

static void
roff_item(struct buf *b, const char *term, const char *text)
{
	buf_puts(b, ".TP\n");
	roff_request(b, ".B", term);
	roff_text(b, text, strlen(text));
	buf_putc(b, '\n');
}

const struct page_style page_roff = {
	.title = roff_title,
	.heading = roff_heading,
	.subheading = roff_subheading,
	.paragraph = roff_paragraph,
	.literal = roff_literal,
	.item = roff_item,
};
