/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page_plain.c: manual pages as text, for machines without man(1).
 */
#include <string.h>

#include "cmd/page.h"

#define PLAIN_WIDTH 78

/* Words of [s, s+n) filled into lines that begin with @indent spaces. */
static void
plain_fill(struct buf *b, const char *s, size_t n, unsigned indent)
{
	size_t column = 0, i = 0;

	while (i < n) {
		size_t word = 0;
		while (i + word < n && s[i + word] != ' ' && s[i + word] != '\n')
			word++;
		if (column && column + 1 + word > PLAIN_WIDTH) {
			buf_putc(b, '\n');
			column = 0;
		}
		buf_printf(b, "%*s%.*s", column ? 1 : (int)indent, "",
			   (int)word, s + i);
		column += (column ? 1 : indent) + word;
		i += word + 1;
	}
	buf_putc(b, '\n');
}

static void
plain_heading(struct buf *b, const char *text)
{
	bool parted = b->len > 1 && b->data[b->len - 2] == '\n';

	buf_printf(b, "%s%s\n", parted ? "" : "\n", text);
}

static void
plain_title(struct buf *b, const char *name, const char *summary)
{
	buf_printf(b, "NAME\n    %s - %s\n", name, summary);
}

static void
plain_subheading(struct buf *b, const char *text)
{
	buf_printf(b, "\n  %s\n", text);
}

static void
plain_paragraph(struct buf *b, const char *text, size_t n)
{
	plain_fill(b, text, n, 4);
	buf_putc(b, '\n');
}

static void
plain_literal(struct buf *b, const char *text, size_t n)
{
	buf_puts(b, "    ");
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\n')
			buf_puts(b, "\n    ");
		else if (text[i] == '\t')
			buf_puts(b, "    ");
		else
			buf_putc(b, text[i]);
	}
	buf_puts(b, "\n\n");
}

static void
plain_item(struct buf *b, const char *term, const char *text)
{
	buf_printf(b, "    %s\n", term);
	plain_fill(b, text, strlen(text), 8);
}

const struct page_style page_plain = {
	.title = plain_title,
	.heading = plain_heading,
	.subheading = plain_subheading,
	.paragraph = plain_paragraph,
	.literal = plain_literal,
	.item = plain_item,
};
