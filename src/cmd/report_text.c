/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_text.c: a report on one page, for a person; as Markdown too.
 */
#include <inttypes.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/report.h"

#define THREADS_NAMED 6u        /* of a group, by id and name */
#define MODULES_NAMED 8u
#define NEXT_WIDTH 40           /* of a command, before what it is for */

#define WIDTH 78
#define RED "1;31"
#define BOLD "1"

/* ---- threads ---- */

static void
put_thread_name(struct buf *b, const struct snap_thread *t)
{
	buf_printf(b, "%llu", (unsigned long long)t->tid);
	if (t->name && *t->name) {
		buf_puts(b, " \"");
		report_put(b, t->name);
		buf_putc(b, '"');
	}
}

static bool
head_faulting(const struct report *r, struct buf *b)
{
	if (!r->n_threads)
		return false;
	const struct report_thread *t = &r->threads[0];

	buf_puts(b, "Thread ");
	put_thread_name(b, t->record);
	if (r->n_threads > 1)
		buf_printf(b, ", %s of %zu",
			   t->record->faulting ? "the one that died" : "one",
			   r->n_threads);
	return true;
}

static void
put_faulting(const struct report *r, struct buf *b)
{
	report_stack(r, b, &r->threads[0]);
}

static void
put_group(const struct report *r, struct buf *b, size_t group, size_t n)
{
	size_t named = 0;

	buf_printf(b, n > 1 ? "  %zu threads: " : "  ", n);
	for (size_t k = 1; k < r->n_threads && named < THREADS_NAMED; k++) {
		if (r->groups.of[k] != group)
			continue;
		buf_puts(b, named++ ? ", " : "");
		put_thread_name(b, r->threads[k].record);
	}
	if (n > named)
		buf_printf(b, " and %zu more", n - named);
	buf_putc(b, '\n');
}

static bool
head_others(const struct report *r, struct buf *b)
{
	size_t stacks = r->groups.n;

	if (r->n_threads < 2)
		return false;
	/* The first thread stands above, with its own group's stack. */
	stacks -= r->groups.list[r->groups.of[0]].n == 1;
	buf_printf(b, "%zu other thread%s, %zu different stack%s",
		   r->n_threads - 1, r->n_threads == 2 ? "" : "s", stacks,
		   stacks == 1 ? "" : "s");
	return true;
}

static void
put_others(const struct report *r, struct buf *b)
{
	size_t own = r->groups.of[0];

	for (size_t g = 0; g < r->groups.n; g++) {
		const struct report_thread *t = &r->threads[r->groups.list[g].first];
		size_t n = r->groups.list[g].n - (g == own);
		if (!n)
			continue;
		put_group(r, b, g, n);
		if (r->all_threads)
			report_stack(r, b, t);
		else
			report_chain(r, b, &t->view);
	}
}

/* ---- head ---- */

static void
put_reason(const struct report *r, struct buf *b)
{
	const struct cause *why = &r->cause;
	_buf_ struct buf head = { 0 };

	if (why->signal)
		buf_puts(&head, why->signal);
	else if (why->number)
		buf_printf(&head, "Signal %d", why->number);
	if (why->code_name)
		buf_printf(&head, " (%s)", why->code_name);
	if (head.len)
		buf_puts(&head, ": ");
	report_paint(r, b, RED, head.data ? head.data : "");
	buf_puts(b, why->text);
}

/* What the thread was about to do, and with which registers. */
static void
put_code(const struct report *r, struct buf *b)
{
	const struct disasm_entry *e = r->cause.instruction;

	if (!e)
		return;
	buf_puts(b, "At       ");
	disasm_put(e, b);
	if (e->n_memory + e->n_regs) {
		buf_puts(b, ", which ");
		effect_put(e, b);
	}
	buf_putc(b, '\n');
}

static void
put_process(const struct report *r, struct buf *b)
{
	const struct snap_process *p = &r->target->process;

	buf_puts(b, "Program  ");
	report_put(b, r->program ? r->program : p->name);
	if (p->arguments && *p->arguments) {
		buf_puts(b, "\nCommand  ");
		report_put(b, p->arguments);
	}
	buf_printf(b, "\nProcess  %llu", (unsigned long long)p->pid);
	if (p->name) {
		buf_puts(b, " \"");
		report_put(b, p->name);
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

	report_put(b, a->key);
	buf_putc(b, '=');
	memcpy(&d, &a->number, sizeof(d));
	if (a->type == SNAP_ATTR_STRING)
		report_put(b, a->string);
	else if (a->type == SNAP_ATTR_F64)
		buf_printf(b, "%g", d);
	else if (a->type == SNAP_ATTR_I64)
		buf_printf(b, "%lld", (long long)a->number);
	else
		buf_printf(b, "%llu", (unsigned long long)a->number);
}

static bool
head_attrs(const struct report *r, struct buf *b)
{
	buf_puts(b, "Attributes");
	return r->target->n_attrs;
}

/* As many on a line as there is room for. */
static void
put_attrs(const struct report *r, struct buf *b)
{
	const struct target *t = r->target;

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

static bool
head_files(const struct report *r, struct buf *b)
{
	buf_puts(b, "Attached files");
	return r->target->n_files;
}

static void
put_files(const struct report *r, struct buf *b)
{
	const struct target *t = r->target;

	for (size_t k = 0; k < t->n_files; k++) {
		buf_puts(b, "  ");
		report_put(b, t->files[k].name);
		buf_puts(b, ", ");
		buf_size(b, t->files[k].bytes.n);
		buf_putc(b, '\n');
	}
}

/* What is missing, and what was asked for, has a place of its own. */
static bool
note_is_shown(const struct snap_note *n)
{
	return !n->key || (strcmp(n->key, "missing") != 0
			   && !values_is_asked(n));
}

static bool
head_globals(const struct report *r, struct buf *b)
{
	buf_puts(b, "Globals");
	return r->n_globals;
}

static void
put_globals(const struct report *r, struct buf *b)
{
	for (size_t k = 0; k < r->n_globals; k++) {
		const struct values_asked *g = &r->globals[k];
		const bool known = g->value || g->stored;

		buf_puts(b, "  ");
		report_put(b, g->name);
		if (known && g->note->tid)
			buf_printf(b, " (thread %" PRIu64 ")", g->note->tid);
		buf_puts(b, known ? " = " : ": ");
		if (g->value)
			report_value(r, b, g->value);
		else if (g->stored)
			report_stored(r, b, g->stored);
		else
			report_put(b, g->note->text);
		buf_putc(b, '\n');
	}
}

static bool
head_notes(const struct report *r, struct buf *b)
{
	const struct target *t = r->target;
	size_t shown = 0;

	for (size_t k = 0; k < t->n_notes; k++)
		shown += note_is_shown(&t->notes[k]);
	buf_puts(b, "Notes");
	return shown;
}

static void
put_notes(const struct report *r, struct buf *b)
{
	const struct target *t = r->target;

	for (size_t k = 0; k < t->n_notes; k++) {
		const struct snap_note *n = &t->notes[k];
		if (!note_is_shown(n))
			continue;
		buf_puts(b, "  ");
		if (n->tid)
			buf_printf(b, "thread %llu: ",
				   (unsigned long long)n->tid);
		report_put(b, n->key);
		buf_puts(b, ": ");
		report_put(b, n->text);
		buf_putc(b, '\n');
	}
}

/* ---- what is missing ---- */

static void
put_absent(struct buf *b, const struct absence *a, unsigned reason)
{
	buf_puts(b, "  ");
	buf_size(b, a->bytes);
	buf_printf(b, " of memory: %s", say_reason(reason));
	if (a->from_file == a->bytes)
		buf_puts(b, "; all of it is read from the modules' files");
	else if (a->from_file) {
		buf_puts(b, "; ");
		buf_size(b, a->from_file);
		buf_puts(b, " of it are read from the modules' files");
	}
	buf_putc(b, '\n');
}

/* One line with the modules that @lacks something. */
static void
put_modules(const struct report *r, struct buf *b, const char *what,
	    bool (*lacks)(const struct namelessness *))
{
	const struct snap_module *modules;
	size_t n, named = 0;

	modules = insp_modules(r->insp, &n);
	for (size_t k = 0; k < r->missing.n_modules && k < n; k++) {
		if (!lacks(&r->missing.modules[k]))
			continue;
		if (named < MODULES_NAMED) {
			buf_printf(b, "%s%s", named ? ", " : "  ",
				   named ? "" : what);
			report_put(b, report_base(modules[k].path));
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
head_missing(const struct report *r, struct buf *b)
{
	(void)r;
	buf_puts(b, "Missing");
	return true;
}

/* Where nothing of it is found: a name that is no whole path. */
static void
put_relative(const struct report *r, struct buf *b)
{
	const struct view *v = r->n_threads ? &r->threads[0].view : NULL;

	for (size_t k = 0; v && k < v->n && !r->source.n; k++) {
		const struct snap_frame *f = &v->frames[k];

		if (!f->file || !f->line)
			continue;
		if (f->file[0] == '/')
			return;
		buf_puts(b, "  source of ");
		report_put(b, f->file);
		buf_puts(b, ", a name relative to where it was built: say "
			 "where sources are with --source-map .=DIR\n");
		return;
	}
}

static void
put_missing(const struct report *r, struct buf *b)
{
	size_t before = b->len;

	for (size_t k = 0; k < r->missing.n_gaps; k++) {
		buf_puts(b, "  ");
		report_put(b, r->missing.gaps[k]);
		buf_putc(b, '\n');
	}
	for (unsigned k = 0; k < SNAP_REASONS; k++) {
		if (r->missing.absent[k].bytes)
			put_absent(b, &r->missing.absent[k], k);
	}
	put_modules(r, b, "function names in ", missing_functions);
	put_modules(r, b, "line numbers (no debug file) in ", missing_lines);
	put_relative(r, b);
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
	report_put(&shown, command.data);
	buf_printf(b, "  %-*s  %s\n", NEXT_WIDTH, shown.data ? shown.data : "",
		   what);
}

static bool
head_next(const struct report *r, struct buf *b)
{
	(void)r;
	buf_puts(b, "Next");
	return true;
}

static void
put_next(const struct report *r, struct buf *b)
{
	put_next_command(r, b, "gdb", "look around in stock gdb");
	if (r->cause.instruction)
		put_next_command(r, b, "disasm", "the code around it");
	if (r->n_threads > 1 && !r->all_threads)
		put_next_command(r, b, "report --all-threads",
				 "every stack in full");
	if (strcmp(r->target->ops->kind, "snapshot") != 0)
		put_next_command(r, b, "import",
				 "keep it as one file that needs no other");
}

/* ---- all of it ---- */

static const struct section {
	/** Its heading; false: there is nothing to say. */
	bool (*head)(const struct report *r, struct buf *b);
	void (*body)(const struct report *r, struct buf *b);
} sections[] = {
	/* The first is written before the others are known. */
	{ head_faulting, put_faulting },
	{ head_others, put_others },
	{ head_globals, put_globals },
	{ head_notes, put_notes },
	{ head_missing, put_missing },
	{ head_files, put_files },
	{ head_attrs, put_attrs },
	{ head_next, put_next },
};

static void
put_plain_section(const struct report *r, const struct section *s,
		  struct buf *out)
{
	_buf_ struct buf head = { 0 };

	if (!s->head(r, &head))
		return;
	buf_putc(out, '\n');
	report_paint(r, out, BOLD, head.data ? head.data : "");
	buf_putc(out, '\n');
	s->body(r, out);
}

void
report_text_begin(const struct report *r, struct buf *out)
{
	put_reason(r, out);
	buf_puts(out, "\n\n");
	put_process(r, out);
	put_plain_section(r, &sections[0], out);
}

void
report_text_rest(const struct report *r, struct buf *out)
{
	for (size_t k = 1; k < countof(sections); k++)
		put_plain_section(r, &sections[k], out);
}

/* ---- as Markdown ---- */

/* Everything that is foreign stands between fences that are longer than any
 * run of backticks in it. */
static void
put_fenced(struct buf *out, const struct buf *body)
{
	size_t longest = 2, run = 0;

	for (size_t k = 0; k < body->len; k++) {
		run = body->data[k] == '`' ? run + 1 : 0;
		if (run > longest)
			longest = run;
	}
	for (size_t k = 0; k <= longest; k++)
		buf_putc(out, '`');
	buf_puts(out, "text\n");
	buf_put(out, body->data, body->len);
	for (size_t k = 0; k <= longest; k++)
		buf_putc(out, '`');
	buf_puts(out, "\n");
}

/* Of one line: whatever could mean something to a reader of Markdown or HTML
 * is escaped (CommonMark 0.30, 2.4). */
static void
put_heading(struct buf *out, const char *mark, const struct buf *head)
{
	buf_puts(out, mark);
	for (size_t k = 0; k < head->len; k++) {
		if (strchr("\\`*_{}[]<>()#+!|~&@", head->data[k]))
			buf_putc(out, '\\');
		buf_putc(out, head->data[k]);
	}
	buf_puts(out, "\n\n");
}

static void
put_section(const struct report *r, const struct section *s, struct buf *out)
{
	_buf_ struct buf head = { 0 }, body = { 0 };

	if (!s->head(r, &head))
		return;
	s->body(r, &body);
	buf_putc(out, '\n');
	put_heading(out, "### ", &head);
	put_fenced(out, &body);
}

void
report_markdown(const struct report *r, struct buf *out)
{
	_buf_ struct buf head = { 0 }, process = { 0 };

	put_reason(r, &head);
	put_heading(out, "## ", &head);
	put_process(r, &process);
	put_fenced(out, &process);
	for (size_t k = 0; k < countof(sections); k++)
		put_section(r, &sections[k], out);
}
