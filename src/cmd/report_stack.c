/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_stack.c: stacks of a report on a page, with variables and source.
 */
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/report.h"

#define CHAIN_FRAMES 8u         /* of a stack on one line */

/* Of what a page shows; --json and a debugger show all. */
#define VARIABLES_MAX 24u       /* of a frame */
#define VALUE_ELEMENTS 64u
#define VALUE_DEPTH 3u
#define VALUE_LENGTH 200u
#define SOURCE_AROUND 4u        /* lines before and after */
#define SOURCE_WIDTH 110u

#define BOLD "1"
#define YELLOW "33"

/* Foreign text: escaped. */
void
report_put(struct buf *b, const char *s)
{
	if (s)
		buf_escape(b, s, strlen(s));
	else
		buf_putc(b, '?');
}

void
report_paint(const struct report *r, struct buf *b, const char *paint,
	    const char *text)
{
	if (r->colour)
		buf_printf(b, "\033[%sm%s\033[0m", paint, text);
	else
		buf_puts(b, text);
}

/* ---- frames ---- */

static const struct {
	uint8_t how;
	const char *mark;
} how_marks[] = {
	{ SNAP_FRAME_FP, "[by frame pointer]" },
	{ SNAP_FRAME_SCAN, "[guessed]" },
	{ SNAP_FRAME_INLINE, "[inlined]" },
	{ SNAP_FRAME_TAIL, "[tail call]" },
};

static void
put_marks(const struct report *r, struct buf *b, const struct snap_frame *f)
{
	for (size_t k = 0; k < countof(how_marks); k++) {
		if (how_marks[k].how == f->how) {
			buf_puts(b, "  ");
			report_paint(r, b, YELLOW, how_marks[k].mark);
		}
	}
	if (f->flags & SNAP_FRAME_SUSPECT) {
		buf_puts(b, "  ");
		report_paint(r, b, YELLOW, "[suspect]");
	}
}

static void
put_function(struct buf *b, const struct snap_frame *f)
{
	if (f->flags & SNAP_FRAME_SIGNAL) {
		buf_puts(b, "<signal handler called>");
		return;
	}
	if (!f->function) {
		buf_puts(b, "??");
		return;
	}
	report_put(b, f->function);
	if (f->how != SNAP_FRAME_INLINE)
		buf_printf(b, "+0x%llx", (unsigned long long)f->function_offset);
}

static void
put_frame(const struct report *r, struct buf *b, const struct snap_frame *f)
{
	const struct snap_module *modules;
	size_t n;

	modules = insp_modules(r->insp, &n);
	buf_printf(b, "  #%-3u 0x%016llx  ", f->depth,
		   (unsigned long long)f->pc);
	put_function(b, f);
	if (f->file) {
		buf_puts(b, " at ");
		report_put(b, f->file);
		buf_printf(b, ":%u", f->line);
	}
	if (f->module < n) {
		buf_puts(b, " in ");
		report_put(b, report_base(modules[f->module].path));
	}
	put_marks(r, b, f);
	buf_putc(b, '\n');
}

/* ---- what is in a frame ---- */

static void
put_why(const struct report *r, struct buf *b, const char *why)
{
	if (!why)
		return;
	buf_puts(b, "  ");
	report_paint(r, b, YELLOW, "[");
	report_put(b, why);
	report_paint(r, b, YELLOW, "]");
}

bool
report_perhaps(struct buf *b, const struct value *value,
	       const struct value_style *style)
{
	_arena_ struct arena *a = arena_new(0);
	const struct value *guess = NULL;

	_err_ struct err *none = a ? value_perhaps(value, a, &guess) : NULL;
	_err_ struct err *no_text = guess ? value_text(guess, style, b) : NULL;
	return guess && !no_text;
}

void
report_value(const struct report *r, struct buf *b, const struct value *value)
{
	struct value_style style = VALUE_STYLE;
	_buf_ struct buf text = { 0 };
	const char *why = NULL;

	style.elements = VALUE_ELEMENTS;
	style.depth = VALUE_DEPTH;
	style.length = VALUE_LENGTH;
	style.typed = false;
	enum value_state state = value_state(value, &why);
	_err_ struct err *none = value_text(value, &style, &text);
	/* A value's text is escaped already, as in its language. */
	buf_puts(b, none || !text.data ? "?" : text.data);
	put_why(r, b, state != VALUE_KNOWN ? why : NULL);
}

void
report_stored(const struct report *r, struct buf *b,
	      const struct snap_variable *v)
{
	/* Escaped when it was made; whoever wrote the file need not have. */
	for (const char *p = v->value ? v->value : "?"; *p;) {
		size_t n = strcspn(p, "\\");

		buf_escape(b, p, n);
		p += n;
		if (*p)
			buf_putc(b, *p++);
	}
	put_why(r, b, v->state != SNAP_VALUE_KNOWN ? v->why : NULL);
}

static void
put_variable(const struct report *r, struct buf *b, const struct var *var,
	     const struct value *value)
{
	buf_puts(b, "         ");
	report_put(b, var->name);
	if ((var->flags & VAR_SHADOWED) && !(var->flags & VAR_ENTRY))
		buf_printf(b, " (line %u)", var->line);
	buf_puts(b, " = ");
	report_value(r, b, value);
	buf_putc(b, '\n');
}

static void
put_stored(const struct report *r, struct buf *b,
	   const struct snap_variable *v)
{
	buf_puts(b, "         ");
	report_put(b, v->name);
	buf_puts(b, " = ");
	report_stored(r, b, v);
	buf_putc(b, '\n');
}

static bool
is_nowhere(const struct value *value)
{
	const char *why;

	return value_state(value, &why) == VALUE_OPTIMISED_OUT;
}

/* Their names on one line: there is nothing else to say of them on a page. */
static void
put_nowhere(struct buf *b, const struct report_frame *f, size_t n)
{
	bool any = false;

	for (size_t k = 0; k < n; k++) {
		if (!is_nowhere(f->values[k]))
			continue;
		buf_puts(b, any ? ", " : "         optimised out: ");
		report_put(b, f->vars[k].name);
		any = true;
	}
	if (any)
		buf_putc(b, '\n');
}

static void
put_variables(const struct report *r, struct buf *b,
	      const struct report_frame *f)
{
	size_t n = f->n < VARIABLES_MAX ? f->n : VARIABLES_MAX;

	for (size_t k = 0; k < n; k++)
		if (!is_nowhere(f->values[k]))
			put_variable(r, b, &f->vars[k], f->values[k]);
	put_nowhere(b, f, n);
	for (size_t k = 0; k < f->n_stored && k < VARIABLES_MAX; k++)
		put_stored(r, b, &f->stored[k]);
	if (f->n > n)
		buf_printf(b, "         (%zu more variables)\n", f->n - n);
}

/* What called main() is of no interest to who wrote it. */
static bool
is_below_main(const struct report_thread *t, size_t k)
{
	while (k--)
		if (t->view.frames[k].function
		    && strcmp(t->view.frames[k].function, "main") == 0)
			return true;
	return false;
}

static void
put_source_line(const struct report *r, struct buf *b, uint32_t line,
		const char *text, size_t n, bool here)
{
	_buf_ struct buf shown = { 0 };

	buf_printf(&shown, "   %s %5u  ", here ? "=>" : "  ", line);
	for (size_t k = 0; k < n && k < SOURCE_WIDTH; k++) {
		if (text[k] == '\t')
			buf_puts(&shown, "    ");
		else
			buf_escape(&shown, text + k, 1);
	}
	report_paint(r, b, here ? BOLD : "2", shown.data ? shown.data : "");
	buf_putc(b, '\n');
}

/* The lines around the one that a frame is at, where its file is at hand. */
static void
put_source(const struct report *r, struct buf *b, const struct snap_frame *f)
{
	const char *at = r->source.data, *end = at + r->source.n;

	for (uint32_t line = 1; at < end; line++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((newline ? newline : end) - at);

		if (line + SOURCE_AROUND >= f->line
		    && line <= f->line + SOURCE_AROUND)
			put_source_line(r, b, line, at, n, line == f->line);
		if (!newline || line > f->line + SOURCE_AROUND)
			break;
		at = newline + 1;
	}
}

static void
put_frame_whole(const struct report *r, struct buf *b,
		const struct report_thread *t, size_t k)
{
	put_frame(r, b, &t->view.frames[k]);
	if (t == r->threads && k == r->source_frame && r->source.n)
		put_source(r, b, &t->view.frames[k]);
	if (t->frames && (t->frames[k].scope || t->frames[k].n_stored)
	    && !is_below_main(t, k))
		put_variables(r, b, &t->frames[k]);
}

/* ---- stacks ---- */

static void
put_folded(struct buf *b, const struct view *v, const struct fold *f)
{
	buf_printf(b, "  #%u to #%u: ", v->frames[f->first + f->period].depth,
		   v->frames[f->first + f->n - 1].depth);
	if (f->period == 1)
		buf_printf(b, "the same frame %zu more times\n", f->n - 1);
	else if (f->period)
		buf_printf(b, "the same %zu frames %zu more times\n",
			   f->period, f->n / f->period - 1);
}

static void
put_stack_end(struct buf *b, const struct view *v)
{
	if (v->end == STACK_LIMIT)
		buf_printf(b, "  (there are more than these %zu frames)\n",
			   v->n);
	if (v->end != STACK_TRUNCATED)
		return;
	buf_puts(b, v->stored ? "  (as stored in the snapshot; unwinding now "
				"ends earlier: "
			      : "  (cannot go on: ");
	report_put(b, v->why);
	buf_puts(b, ")\n");
}

void
report_stack(const struct report *r, struct buf *b,
	     const struct report_thread *t)
{
	const struct view *v = &t->view;
	struct fold fold;

	for (size_t at = 0; at < v->n;) {
		bool folded = fold_at(v, at, &fold);
		size_t shown = folded ? fold.period : 1;
		for (size_t k = 0; k < shown; k++)
			put_frame_whole(r, b, t, at + k);
		if (folded)
			put_folded(b, v, &fold);
		at += folded ? fold.n : 1;
	}
	put_stack_end(b, v);
}

/* A stack on one line, innermost first. */
void
report_chain(const struct report *r, struct buf *b, const struct view *v)
{
	const struct snap_module *modules;
	size_t n;

	modules = insp_modules(r->insp, &n);
	buf_puts(b, "    ");
	for (size_t k = 0; k < v->n && k < CHAIN_FRAMES; k++) {
		const struct snap_frame *f = &v->frames[k];
		buf_puts(b, k ? " < " : "");
		if (f->function)
			report_put(b, f->function);
		else
			buf_puts(b, "??");
		if (!f->function && f->module < n) {
			buf_puts(b, " in ");
			report_put(b, report_base(modules[f->module].path));
		}
	}
	if (v->n > CHAIN_FRAMES)
		buf_printf(b, " < (%zu more)", v->n - CHAIN_FRAMES);
	if (!v->n)
		buf_puts(b, "no stack");
	buf_putc(b, '\n');
	if (!v->n)
		put_stack_end(b, v);
}
