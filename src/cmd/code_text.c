/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_text.c: instructions as lines for a person.
 */
#include <string.h>

#include "analysis/analysis.h"
#include "cmd/cmd.h"
#include "cmd/code.h"

#define BOLD "\033[1m"
#define PLAIN "\033[0m"
#define COMMENT_COLUMN 58u      /* what operands point to begins there */
#define NEXT_WIDTH 40
#define HEAD_LONGEST 400u        /* of a hostile name */

static bool
is_current(const struct code *c, const struct disasm_entry *e)
{
	return c->has_frame && e->length && e->address == c->frame_regs.pc;
}

/* ---- one instruction ---------------------------------------------------- */
static void
put_column(struct buf *out, size_t line, size_t column)
{
	buf_puts(out, "  ");
	while (out->len - line < column)
		buf_putc(out, ' ');
}

static void
put_comment(const struct disasm_entry *e, size_t line, struct buf *out)
{
	bool any = false;

	for (size_t k = 0; k < e->n_memory; k++) {
		if (!e->memory[k].known)
			continue;
		if (any)
			buf_puts(out, ", ");
		else
			put_column(out, line, COMMENT_COLUMN);
		buf_puts(out, any ? "" : "# ");
		disasm_put_memory(&e->memory[k], out);
		any = true;
	}
	if (!e->has_target || !e->indirect)
		return;
	if (!any)
		put_column(out, line, COMMENT_COLUMN);
	buf_puts(out, any ? ", goes to " : "# goes to ");
	disasm_put_place(&e->target, out);
}

/* A hole is one line, however large. */
static void
put_extent(const struct disasm_entry *e, struct buf *out)
{
	if (e->kind == DISASM_CODE || e->length <= 1)
		return;
	buf_puts(out, " (");
	buf_size(out, e->length);
	buf_putc(out, ')');
}

static void
put_entry(const struct code *c, const struct disasm_entry *e, struct buf *out)
{
	bool current = is_current(c, e);
	size_t line = out->len;

	if (current && c->options->colour)
		buf_puts(out, BOLD);
	buf_puts(out, current ? "=> " : "   ");
	if (e->kind == DISASM_OUTSIDE)
		buf_printf(out, "%-18s", "-");
	else
		buf_printf(out, "0x%016llx", (unsigned long long)e->address);
	if (e->place.name)
		buf_printf(out, " <+%llu>",
			   (unsigned long long)e->place.offset);
	put_column(out, line, 30);
	disasm_put(e, out);
	put_extent(e, out);
	put_comment(e, line, out);
	if (current && c->options->colour)
		buf_puts(out, PLAIN);
	buf_putc(out, '\n');
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Function and source line of @k, where they are others than above. */
static void
put_function(const struct code *c, size_t k, struct buf *out)
{
	static const struct disasm_entry no_entry = { .place.name = NULL };
	static const struct line no_line = { .file = NULL };
	const struct line *line = &c->lines[k], *above = &no_line;
	const char *name = c->list.entries[k].place.name;
	const struct disasm_entry *e = &no_entry;

	if (k) {
		e = &c->list.entries[k - 1];
		above = &c->lines[k - 1];
	}
	if (!name || (same_text(name, e->place.name)
		      && (!line->file || (same_text(line->file, above->file)
					  && line->line == above->line))))
		return;
	buf_escape(out, name, strnlen(name, HEAD_LONGEST));
	if (line->file) {
		buf_puts(out, " at ");
		buf_escape(out, line->file, strnlen(line->file, HEAD_LONGEST));
		buf_printf(out, ":%u", line->line);
	}
	buf_puts(out, ":\n");
}

/* ---- what the current one does ------------------------------------------ */
static void
put_current(const struct disasm_entry *e, struct buf *out)
{
	if (e->kind != DISASM_CODE || !(e->n_memory + e->n_regs))
		return;
	buf_puts(out, "\nIt ");
	effect_put(e, out);
	buf_putc(out, '\n');
}

/* ---- all of it ---------------------------------------------------------- */
static void
put_head(const struct code *c, struct buf *out)
{
	const struct snap_thread *t;

	if (c->options->place || !c->has_frame)
		return;
	t = &insp_target(c->insp)->threads[c->thread];
	buf_printf(out, "Thread %llu", (unsigned long long)t->tid);
	if (t->name && *t->name) {
		buf_puts(out, " \"");
		buf_escape(out, t->name, strlen(t->name));
		buf_putc(out, '"');
	}
	buf_printf(out, ", frame %llu%s\n\n", (unsigned long long)c->frame,
		   c->frame == 0 && t->faulting ? ", where it died" : "");
}

static void
put_next(const struct code *c, const char *verb, const char *what,
	 struct buf *out)
{
	_buf_ struct buf command = { 0 }, shown = { 0 };

	buf_printf(&command, PROGRAM " %s ", verb);
	say_quoted(&command, c->path);
	buf_escape(&shown, command.data ? command.data : "", command.len);
	buf_printf(out, "  %-*s  %s\n", NEXT_WIDTH,
		   shown.data ? shown.data : "", what);
}

static void
put_nexts(const struct code *c, struct buf *out)
{
	_buf_ struct buf verb = { 0 };

	buf_puts(out, "\nNext\n");
	if (c->options->place || !c->has_frame) {
		put_next(c, "disasm", "where the process died", out);
		return;
	}
	if (c->absent)
		put_next(c, "disasm --exe PROGRAM", "with the program's file",
			 out);
	buf_printf(&verb, "disasm -f %llu", (unsigned long long)c->caller);
	if (c->options->tid != UINT64_MAX)
		buf_printf(&verb, " -t %llu",
			   (unsigned long long)c->options->tid);
	put_next(c, verb.data ? verb.data : "disasm", "its caller", out);
	put_next(c, "gdb", "look around in stock gdb", out);
}

void
code_text(const struct code *c, struct buf *out)
{
	const struct disasm_entry *e = c->list.entries;

	put_head(c, out);
	for (size_t k = 0; k < c->list.n; k++) {
		put_function(c, k, out);
		put_entry(c, &e[k], out);
	}
	for (size_t k = 0; k < c->list.n; k++)
		if (is_current(c, &e[k]))
			put_current(&e[k], out);
	put_nexts(c, out);
}
