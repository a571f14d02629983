/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page: help screens, manual pages and completion, all from the verb table.
 *
 * The text of a verb is paragraphs divided by one empty line. A paragraph
 * whose lines begin with a tab is shown as it stands; one that begins with
 * "term: " after a "- " is an item of a list.
 */
#ifndef CMD_PAGE_H
#define CMD_PAGE_H

#include "cmd/cmd.h"

/** How one kind of page looks; texts are given as they stand in the rows. */
struct page_style {
	void (*title)(struct buf *b, const char *name, const char *summary);
	void (*heading)(struct buf *b, const char *text);
	void (*subheading)(struct buf *b, const char *text);
	void (*paragraph)(struct buf *b, const char *text, size_t n);
	void (*literal)(struct buf *b, const char *text, size_t n);
	void (*item)(struct buf *b, const char *term, const char *text);
};
extern const struct page_style page_roff, page_plain;

/** The screen of `inquest --help`. */
void page_verbs(struct buf *b);
/** The line of `inquest --version`. */
void page_version(struct buf *b);
/** The screen of `inquest VERB --help`. */
void page_screen(struct buf *b, const struct verb *v);
/** The manual page of one verb. */
void page_verb(struct buf *b, const struct page_style *style,
	       const struct verb *v);
/** The manual page of the program, all verbs in it. */
void page_program(struct buf *b, const struct page_style *style);
/** "-o, --output FILE" of an option's row. */
void page_option(struct buf *b, const struct opt *o);

/** Completion for a shell; false if it is none that is known. */
bool complete_shell(struct buf *b, const char *shell);

#endif
