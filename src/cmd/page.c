/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page.c: what stands on help screens and manual pages, in which order.
 */
#include <string.h>

#include "cmd/page.h"

static const struct opt page_help_option = {
	.name = "help", .letter = 'h', .help = "show this verb's help screen"
};

static const char page_about[] =
	"A program crashed, or runs and is a riddle. inquest takes a picture of "
	"it, opens what is left of it, an ELF core or a snapshot, says what "
	"happened, and serves it to stock gdb as if the process were still "
	"there.\n\n"
	"SNAP is one of these; a file of that name comes first:\n\n"
	"- a file: a snapshot that inquest wrote, or an ELF core\n\n"
	"- an object of the store: the first digits of its content hash (12 "
	"are printed; at least 4 that no other object's begin with), "
	"PROJECT/NUMBER, PROJECT/@latest, or @latest\n\n"
	"- a URL: http://HOST:PORT/p/PROJECT/ID of a server that has it. The "
	"token is that of the URL (?token=), else $INQUEST_TOKEN, else, for a "
	"server on this machine, one's own\n\n"
	"Whatever is inside is parsed in a child process that can open "
	"nothing, reach no network and change no file; modules and their debug "
	"files are handed to it by build-id and recorded path, as read-only "
	"descriptors.\n\n"
	"Results go to standard output, everything else to standard error. "
	"Control characters in strings that came from a crashed program are "
	"shown escaped.";

static const struct exit_row page_exits[] = {
	{ 0, "done" },
	{ 1, "failed, or found something, or the input is no snapshot or "
	     "core at all" },
	{ 2, "usage: the words on the command line are off" },
	{ 3, "not found" },
	{ 4, "not allowed" },
	{ 5, "network" },
	{ 6, "damaged or truncated input; what could be read of it was "
	     "shown, with what is missing" },
	{ 130, "interrupted" },
	{ 0, NULL }
};

static const struct {
	const char *name, *text;
} page_environment[] = {
	{ "INQUEST_CACHE", "the directory of what capture keeps of executables "
			   "and libraries; none when empty; "
			   "$XDG_CACHE_HOME/inquest when unset, or "
			   "~/.cache/inquest" },
	{ "INQUEST_CACHE_SIZE", "the bytes that may be there; 134217728" },
	{ "INQUEST_STORE", "the directory of the store; $XDG_DATA_HOME/inquest "
			   "when unset, or ~/.local/share/inquest" },
	{ "INQUEST_TOKEN", "the token for a server whose URL has none" },
	{ "NO_COLOR", "when set and not empty, nothing is coloured; colour is "
		      "used on terminals only" },
	{ "TMPDIR", "where unnamed temporary files are kept: what is fetched, "
		    "large objects, snapshots on their way into the store; "
		    "/tmp when unset" },
};

void
page_option(struct buf *b, const struct opt *o)
{
	if (o->letter)
		buf_printf(b, "-%c, ", o->letter);
	buf_printf(b, "--%s", o->name);
	if (o->arg)
		buf_printf(b, " %s", o->arg);
}

static void
page_usage(struct buf *b, const struct verb *v)
{
	buf_printf(b, PROGRAM " %s", v->name);
	if (v->options)
		buf_puts(b, " [OPTION...]");
	if (*v->operands)
		buf_printf(b, " %s", v->operands);
}

/* ---- screens ---- */

void
page_version(struct buf *b)
{
	buf_puts(b, PROGRAM " " PACKAGE_VERSION "\n");
}

void
page_verbs(struct buf *b)
{
	buf_puts(b, "Usage: " PROGRAM " VERB [OPTION...] [SNAP], to see what "
		 "happened in a program.\n"
		 "SNAP: a snapshot, an ELF core, an object of the store, or "
		 "its URL.\n");
	for (size_t i = 0; verbs[i]; i++)
		if (!verbs[i]->seldom)
			buf_printf(b, "  %-8s %s\n", verbs[i]->name,
				   verbs[i]->summary);
	buf_puts(b, "Seldom:");
	for (size_t i = 0; verbs[i]; i++)
		if (verbs[i]->seldom)
			buf_printf(b, " %s", verbs[i]->name);
	buf_puts(b, "\n" PROGRAM " VERB --help: options and examples; "
		 PROGRAM " help VERB: its manual.\n"
		 "To begin with: " PROGRAM " report CORE; " PROGRAM
		 " --version: the version.\n");
}

static void
page_screen_option(struct buf *b, const struct opt *o)
{
	_buf_ struct buf term = { 0 };

	page_option(&term, o);
	buf_printf(b, "  %-24s %s\n", term.data, o->help);
}

void
page_screen(struct buf *b, const struct verb *v)
{
	bool more = false;

	buf_puts(b, "Usage: ");
	page_usage(b, v);
	buf_printf(b, "\n%s.\n\n", v->summary);
	for (const struct opt *o = v->options; o && o->name; o++) {
		bool rare = o->type & OPT_RARE;

		more = more || rare;
		if (!rare)
			page_screen_option(b, o);
	}
	page_screen_option(b, &page_help_option);
	buf_putc(b, '\n');
	for (const struct example *e = v->examples; e && e->command; e++)
		buf_printf(b, "  %-38s %s\n", e->command, e->text);
	buf_printf(b, "\nManual%s: " PROGRAM " help %s\n",
		   more ? ", and more options" : "", v->name);
}

/* ---- manual pages ---- */

static void
page_item(struct buf *b, const struct page_style *style, const char *text,
	  size_t n)
{
	_buf_ struct buf copy = { 0 };

	buf_put(&copy, text, n);
	if (!copy.data)
		return;
	char *colon = strstr(copy.data, ": ");
	if (!colon) {
		style->paragraph(b, text, n);
		return;
	}
	*colon = '\0';
	style->item(b, copy.data, colon + 2);
}

static void
page_text(struct buf *b, const struct page_style *style, const char *text)
{
	while (*text) {
		const char *end = strstr(text, "\n\n");
		size_t n = end ? (size_t)(end - text) : strlen(text);
		if (*text == '\t')
			style->literal(b, text, n);
		else if (strncmp(text, "- ", 2) == 0)
			page_item(b, style, text + 2, n - 2);
		else
			style->paragraph(b, text, n);
		text += end ? n + 2 : n;
	}
}

static void
page_rows(struct buf *b, const struct page_style *style, const struct opt *rows)
{
	for (const struct opt *o = rows; o && o->name; o++) {
		_buf_ struct buf term = { 0 };
		page_option(&term, o);
		style->item(b, term.data, o->help);
	}
}

/* Options that are there for those who know them from elsewhere. */
static void
page_others(struct buf *b, const struct page_style *style, const struct verb *v)
{
	static const char about[] =
		"So that libraries and services which call a tracer of their "
		"own can call this one instead, its options are understood "
		"too. As all options they may stand before or behind the "
		"operands, with their value behind \"=\" or in the next word.";

	if (!v->others)
		return;
	style->heading(b, "OPTIONS OF OTHER TRACERS");
	style->paragraph(b, about, sizeof(about) - 1);
	page_rows(b, style, v->others);
}

static void
page_options(struct buf *b, const struct page_style *style,
	     const struct verb *v)
{
	page_rows(b, style, v->options);
	_buf_ struct buf term = { 0 };
	page_option(&term, &page_help_option);
	style->item(b, term.data, page_help_option.help);
}

static void
page_examples(struct buf *b, const struct page_style *style,
	      const struct verb *v)
{
	for (const struct example *e = v->examples; e && e->command; e++)
		style->item(b, e->command, e->text);
}

static void
page_exit_status(struct buf *b, const struct page_style *style,
		 const struct exit_row *rows)
{
	for (const struct exit_row *r = rows; r && r->text; r++) {
		_buf_ struct buf number = { 0 };
		buf_printf(&number, "%d", r->status);
		style->item(b, number.data, r->text);
	}
}

void
page_verb(struct buf *b, const struct page_style *style, const struct verb *v)
{
	_buf_ struct buf name = { 0 }, usage = { 0 };

	buf_printf(&name, PROGRAM " %s", v->name);
	page_usage(&usage, v);
	style->title(b, name.data, v->summary);
	style->heading(b, "SYNOPSIS");
	style->paragraph(b, usage.data, usage.len);
	style->heading(b, "DESCRIPTION");
	page_text(b, style, v->text);
	style->heading(b, "OPTIONS");
	page_options(b, style, v);
	page_others(b, style, v);
	style->heading(b, "EXAMPLES");
	page_examples(b, style, v);
	style->heading(b, "EXIT STATUS");
	page_exit_status(b, style, v->exits);
}

static void
page_program_verb(struct buf *b, const struct page_style *style,
		  const struct verb *v)
{
	_buf_ struct buf usage = { 0 };

	page_usage(&usage, v);
	style->subheading(b, usage.data);
	style->paragraph(b, v->summary, strlen(v->summary));
	page_text(b, style, v->text);
	page_options(b, style, v);
	page_examples(b, style, v);
}

void
page_program(struct buf *b, const struct page_style *style)
{
	static const char usage[] = PROGRAM " VERB [OPTION...] [SNAP]";

	style->title(b, PROGRAM, "says what happened in a crashed program");
	style->heading(b, "SYNOPSIS");
	style->paragraph(b, usage, sizeof(usage) - 1);
	style->heading(b, "DESCRIPTION");
	page_text(b, style, page_about);
	style->heading(b, "VERBS");
	for (size_t i = 0; verbs[i]; i++)
		page_program_verb(b, style, verbs[i]);
	style->heading(b, "EXIT STATUS");
	page_exit_status(b, style, page_exits);
	style->heading(b, "ENVIRONMENT");
	for (size_t i = 0; i < countof(page_environment); i++)
		style->item(b, page_environment[i].name,
			    page_environment[i].text);
	style->heading(b, "SEE ALSO");
	style->paragraph(b, "gdb(1), core(5), elf(5)", 23);
}
