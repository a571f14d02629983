/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_text.c: a report on one page, for a person.
 */
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/report.h"

/* Frames that come again: how long a cycle is looked for, how often it must. */
#define CYCLE_MAX 8u
#define CYCLE_REPEATS 4u

#define THREADS_NAMED 6u        /* of a group, by id and name */
#define CHAIN_FRAMES 8u         /* of a stack on one line */
#define MODULES_NAMED 8u
#define NEXT_WIDTH 40           /* of a command, before what it is for */

#define WIDTH 78
#define RED "1;31"
#define BOLD "1"
#define YELLOW "33"

/* Foreign text: escaped. */
static void
put_text(struct buf *b, const char *s)
{
	if (s)
		buf_escape(b, s, strlen(s));
	else
		buf_putc(b, '?');
}

static void
put_painted(const struct report *r, struct buf *b, const char *paint,
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
};

static void
put_marks(const struct report *r, struct buf *b, const struct snap_frame *f)
{
	for (size_t k = 0; k < countof(how_marks); k++) {
		if (how_marks[k].how == f->how) {
			buf_puts(b, "  ");
			put_painted(r, b, YELLOW, how_marks[k].mark);
		}
	}
	if (f->flags & SNAP_FRAME_SUSPECT) {
		buf_puts(b, "  ");
		put_painted(r, b, YELLOW, "[suspect]");
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
	put_text(b, f->function);
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
		put_text(b, f->file);
		buf_printf(b, ":%u", f->line);
	}
	if (f->module < n) {
		buf_puts(b, " in ");
		put_text(b, report_base(modules[f->module].path));
	}
	put_marks(r, b, f);
	buf_putc(b, '\n');
}

/* How many frames from @at on repeat a cycle of @period frames. */
static size_t
cycle_run(const struct view *v, size_t at, size_t period)
{
	size_t k = at + period;

	while (k < v->n && v->frames[k].pc == v->frames[k - period].pc)
		k++;
	return k - at;
}

/* The shortest cycle that is worth folding at @at; 0 if there is none. */
static size_t
cycle_at(const struct view *v, size_t at, size_t *run)
{
	for (size_t period = 1; period <= CYCLE_MAX; period++) {
		*run = cycle_run(v, at, period);
		*run -= *run % period;
		if (*run / period >= CYCLE_REPEATS)
			return period;
	}
	return 0;
}

static void
put_folded(struct buf *b, const struct view *v, size_t at, size_t period,
	   size_t run)
{
	buf_printf(b, "  #%u to #%u: ", v->frames[at + period].depth,
		   v->frames[at + run - 1].depth);
	if (period == 1)
		buf_printf(b, "the same frame %zu more times\n", run - 1);
	else
		buf_printf(b, "the same %zu frames %zu more times\n", period,
			   run / period - 1);
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
	put_text(b, v->why);
	buf_puts(b, ")\n");
}

static void
put_stack(const struct report *r, struct buf *b, const struct view *v)
{
	size_t at = 0, run;

	while (at < v->n) {
		size_t period = cycle_at(v, at, &run);
		size_t shown = period ? period : 1;
		for (size_t k = 0; k < shown; k++)
			put_frame(r, b, &v->frames[at + k]);
		if (period)
			put_folded(b, v, at, period, run);
		at += period ? run : 1;
	}
	put_stack_end(b, v);
}

/* A stack on one line, innermost first. */
static void
put_chain(const struct report *r, struct buf *b, const struct view *v)
{
	const struct snap_module *modules;
	size_t n;

	modules = insp_modules(r->insp, &n);
	buf_puts(b, "    ");
	for (size_t k = 0; k < v->n && k < CHAIN_FRAMES; k++) {
		const struct snap_frame *f = &v->frames[k];
		buf_puts(b, k ? " < " : "");
		if (f->function)
			put_text(b, f->function);
		else
			buf_puts(b, "??");
		if (!f->function && f->module < n) {
			buf_puts(b, " in ");
			put_text(b, report_base(modules[f->module].path));
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

/* ---- threads ---- */

static void
put_thread_name(struct buf *b, const struct snap_thread *t)
{
	buf_printf(b, "%llu", (unsigned long long)t->tid);
	if (t->name && *t->name) {
		buf_puts(b, " \"");
		put_text(b, t->name);
		buf_putc(b, '"');
	}
}

static void
put_faulting(const struct report *r, struct buf *b)
{
	const struct report_thread *t = &r->threads[0];
	_buf_ struct buf head = { 0 };

	buf_puts(&head, "Thread ");
	put_thread_name(&head, t->record);
	if (r->n_threads > 1)
		buf_printf(&head, ", %s of %zu",
			   t->record->faulting ? "the one that died" : "one",
			   r->n_threads);
	buf_putc(b, '\n');
	put_painted(r, b, BOLD, head.data ? head.data : "");
	buf_putc(b, '\n');
	put_stack(r, b, &t->view);
}

static void
put_group(const struct report *r, struct buf *b, size_t group, size_t n)
{
	size_t named = 0;

	buf_printf(b, n > 1 ? "  %zu threads: " : "  ", n);
	for (size_t k = 1; k < r->n_threads && named < THREADS_NAMED; k++) {
		if (r->threads[k].group != group)
			continue;
		buf_puts(b, named++ ? ", " : "");
		put_thread_name(b, r->threads[k].record);
	}
	if (n > named)
		buf_printf(b, " and %zu more", n - named);
	buf_putc(b, '\n');
}

static void
put_others(const struct report *r, struct buf *b)
{
	_buf_ struct buf head = { 0 };
	size_t own = r->threads[0].group, stacks = r->n_groups;

	/* The first thread stands above, with its own group's stack. */
	stacks -= r->groups[own].n == 1;
	buf_printf(&head, "%zu other thread%s, %zu different stack%s",
		   r->n_threads - 1, r->n_threads == 2 ? "" : "s", stacks,
		   stacks == 1 ? "" : "s");
	buf_putc(b, '\n');
	put_painted(r, b, BOLD, head.data ? head.data : "");
	buf_putc(b, '\n');
	for (size_t g = 0; g < r->n_groups; g++) {
		const struct view *v = &r->threads[r->groups[g].first].view;
		size_t n = r->groups[g].n - (g == own);
		if (!n)
			continue;
		put_group(r, b, g, n);
		if (r->all_threads)
			put_stack(r, b, v);
		else
			put_chain(r, b, v);
	}
}

/* ---- head ---- */

static void
put_reason(const struct report *r, struct buf *b)
{
	const struct reason *why = &r->reason;
	_buf_ struct buf head = { 0 };

	if (why->signal)
		buf_puts(&head, why->signal);
	else if (why->number)
		buf_printf(&head, "Signal %d", why->number);
	if (why->code_name)
		buf_printf(&head, " (%s)", why->code_name);
	if (head.len)
		buf_puts(&head, ": ");
	put_painted(r, b, RED, head.data ? head.data : "");
	buf_puts(b, why->text);
	buf_putc(b, '\n');
}

/* What the thread was about to do, and with which registers. */
static void
put_code(const struct report *r, struct buf *b)
{
	if (!r->code)
		return;
	buf_puts(b, "At       ");
	disasm_put(r->code, b);
	if (r->code->n_memory + r->code->n_regs) {
		buf_puts(b, ", which ");
		code_put_effect(r->code, b);
	}
	buf_putc(b, '\n');
}

static void
put_process(const struct report *r, struct buf *b)
{
	const struct snap_process *p = &r->target->process;

	buf_puts(b, "\nProgram  ");
	put_text(b, r->program ? r->program : p->name);
	if (p->arguments && *p->arguments) {
		buf_puts(b, "\nCommand  ");
		put_text(b, p->arguments);
	}
	buf_printf(b, "\nProcess  %llu", (unsigned long long)p->pid);
	if (p->name) {
		buf_puts(b, " \"");
		put_text(b, p->name);
		buf_putc(b, '"');
	}
	buf_printf(b, ", %s, user %llu\n", insp_arch(r->insp)->name,
		   (unsigned long long)p->uid);
	if (p->captured_ns) {
		buf_puts(b, "Time     ");
		report_time(b, p->captured_ns, false);
		buf_putc(b, '\n');
	}
	put_code(r, b);
}

/* ---- attributes and notes ---- */

static void
put_attr(struct buf *b, const struct snap_attr *a)
{
	double d;

	put_text(b, a->key);
	buf_putc(b, '=');
	memcpy(&d, &a->number, sizeof(d));
	if (a->type == SNAP_ATTR_STRING)
		put_text(b, a->string);
	else if (a->type == SNAP_ATTR_F64)
		buf_printf(b, "%g", d);
	else if (a->type == SNAP_ATTR_I64)
		buf_printf(b, "%lld", (long long)a->number);
	else
		buf_printf(b, "%llu", (unsigned long long)a->number);
}

/* As many on a line as there is room for. */

static void
put_attrs(const struct report *r, struct buf *b)
{
	const struct target *t = r->target;

	if (!t->n_attrs)
		return;
	buf_putc(b, '\n');
	put_painted(r, b, BOLD, "Attributes");
	buf_putc(b, '\n');
	for (size_t k = 0, column = 0; k < t->n_attrs; k++) {
		_buf_ struct buf one = { 0 };
		put_attr(&one, &t->attrs[k]);
		if (column && column + 2 + one.len > WIDTH) {
			buf_putc(b, '\n');
			column = 0;
		}
		buf_puts(b, "  ");
		buf_put(b, one.data, one.len);
		column += 2 + one.len;
	}
	buf_putc(b, '\n');
}

static void
put_files(const struct report *r, struct buf *b)
{
	const struct target *t = r->target;

	if (!t->n_files)
		return;
	buf_putc(b, '\n');
	put_painted(r, b, BOLD, "Attached files");
	buf_putc(b, '\n');
	for (size_t k = 0; k < t->n_files; k++) {
		buf_puts(b, "  ");
		put_text(b, t->files[k].name);
		buf_puts(b, ", ");
		say_size(b, t->files[k].bytes.n);
		buf_putc(b, '\n');
	}
}

static void
put_notes(const struct report *r, struct buf *b)
{
	const struct target *t = r->target;
	bool any = false;

	for (size_t k = 0; k < t->n_notes; k++) {
		const struct snap_note *n = &t->notes[k];
		if (n->key && strcmp(n->key, "missing") == 0)
			continue;
		if (!any) {
			buf_putc(b, '\n');
			put_painted(r, b, BOLD, "Notes");
			buf_putc(b, '\n');
		}
		any = true;
		buf_puts(b, "  ");
		if (n->tid)
			buf_printf(b, "thread %llu: ",
				   (unsigned long long)n->tid);
		put_text(b, n->key);
		buf_puts(b, ": ");
		put_text(b, n->text);
		buf_putc(b, '\n');
	}
}

/* ---- what is missing ---- */

static void
put_absent(struct buf *b, const struct report_absent *a, unsigned reason)
{
	buf_puts(b, "  ");
	say_size(b, a->bytes);
	buf_printf(b, " of memory: %s", say_reason(reason));
	if (a->from_file == a->bytes)
		buf_puts(b, "; all of it is read from the modules' files");
	else if (a->from_file) {
		buf_puts(b, "; ");
		say_size(b, a->from_file);
		buf_puts(b, " of it are read from the modules' files");
	}
	buf_putc(b, '\n');
}

/* One line with the modules that @lacks something. */
static void
put_modules(const struct report *r, struct buf *b, const char *what,
	    bool (*lacks)(const struct report_module *))
{
	const struct snap_module *modules;
	size_t n, named = 0;

	modules = insp_modules(r->insp, &n);
	for (size_t k = 0; k < r->n_modules && k < n; k++) {
		if (!lacks(&r->modules[k]))
			continue;
		if (named < MODULES_NAMED) {
			buf_printf(b, "%s%s", named ? ", " : "  ",
				   named ? "" : what);
			put_text(b, report_base(modules[k].path));
			if (modules[k].id.kind == ID_NONE)
				buf_puts(b, " (has no build-id)");
		}
		named++;
	}
	if (named > MODULES_NAMED)
		buf_printf(b, " and %zu more", named - MODULES_NAMED);
	if (named)
		buf_putc(b, '\n');
}

static bool
module_nameless(const struct report_module *m)
{
	return m->nameless;
}

/* Code without a line here and there (_start) is no missing debug file. */
static bool
module_lineless(const struct report_module *m)
{
	return m->lineless && m->lineless + m->nameless == m->frames;
}

static void
put_missing(const struct report *r, struct buf *b)
{
	size_t before;

	buf_putc(b, '\n');
	put_painted(r, b, BOLD, "Missing");
	buf_putc(b, '\n');
	before = b->len;
	for (size_t k = 0; k < r->n_gaps; k++) {
		buf_puts(b, "  ");
		put_text(b, r->gaps[k]);
		buf_putc(b, '\n');
	}
	for (unsigned k = 0; k < SNAP_REASONS; k++) {
		if (r->absent[k].bytes)
			put_absent(b, &r->absent[k], k);
	}
	put_modules(r, b, "function names in ", module_nameless);
	put_modules(r, b, "line numbers (no debug file) in ", module_lineless);
	if (b->len == before)
		buf_puts(b, "  nothing\n");
}

static void
put_next_command(const struct report *r, struct buf *b, const char *verb,
		 const char *what)
{
	_buf_ struct buf command = { 0 };

	buf_printf(&command, PROGRAM " %s ", verb);
	say_quoted(&command, r->path);
	_buf_ struct buf shown = { 0 };
	put_text(&shown, command.data);
	buf_printf(b, "  %-*s  %s\n", NEXT_WIDTH, shown.data ? shown.data : "",
		   what);
}

static void
put_next(const struct report *r, struct buf *b)
{
	buf_putc(b, '\n');
	put_painted(r, b, BOLD, "Next");
	buf_putc(b, '\n');
	put_next_command(r, b, "gdb", "look around in stock gdb");
	if (r->code)
		put_next_command(r, b, "disasm", "the code around it");
	if (r->n_threads > 1 && !r->all_threads)
		put_next_command(r, b, "report --all-threads",
				 "every stack in full");
	if (strcmp(r->target->ops->kind, "snapshot") != 0)
		put_next_command(r, b, "import",
				 "keep it as one file that needs no other");
}

void
report_text(const struct report *r, struct buf *out)
{
	put_reason(r, out);
	put_process(r, out);
	if (r->n_threads)
		put_faulting(r, out);
	if (r->n_threads > 1)
		put_others(r, out);
	put_notes(r, out);
	put_missing(r, out);
	put_files(r, out);
	put_attrs(r, out);
	put_next(r, out);
}
