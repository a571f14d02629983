/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "monitor diff": two snapshots held against each other, as captured. Lists
 * are bounded: whoever wants all of it asks for a smaller part.
 */
#include "gdbstub/impl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 60u

/* ---- rows --------------------------------------------------------------- */
/** Rows of one list; those above ROWS_MAX are counted only. */
struct rows {
	struct buf *out;
	size_t n;
};

/** Where to write the next row; NULL: there are enough of them. */
static struct buf *
row(struct rows *r, const char *mark)
{
	if (r->n++ >= ROWS_MAX)
		return NULL;
	buf_printf(r->out, "  %s ", mark);
	return r->out;
}

static void
rows_end(const struct rows *r)
{
	if (r->n > ROWS_MAX)
		buf_printf(r->out, "  and %zu more\n", r->n - ROWS_MAX);
	if (r->n == 0)
		buf_puts(r->out, "  no difference\n");
}

static void
put_escaped(struct buf *out, const char *text)
{
	if (text)
		buf_escape(out, text, strlen(text));
}

/* ---- threads ------------------------------------------------------------ */
static bool
where(struct insp *i, size_t thread, uint64_t *pc, uint64_t *sp)
{
	const struct arch *arch = insp_arch(i);
	struct frame_regs regs;
	_err_ struct err *err = insp_frame_regs(i, thread, &regs);

	if (err || !(regs.known >> arch->pc & regs.known >> arch->sp & 1))
		return false;
	*pc = regs.value[arch->pc];
	*sp = regs.value[arch->sp];
	return true;
}

static void
put_place(struct insp *i, uint64_t pc, struct buf *out)
{
	struct symbol symbol;
	_err_ struct err *err = insp_symbol(i, pc, &symbol);

	if (err || !symbol.name) {
		buf_printf(out, "0x%" PRIx64, pc);
		return;
	}
	put_escaped(out, symbol.name);
	buf_printf(out, "+0x%" PRIx64, pc - symbol.address);
}

static void
put_thread(struct buf *out, struct insp *i, size_t thread)
{
	const struct snap_thread *t = &insp_target(i)->threads[thread];

	buf_printf(out, "%" PRIu64 " ", t->tid);
	put_escaped(out, t->name);
}

static void
put_alone(struct rows *r, const char *mark, struct insp *i, size_t thread)
{
	struct buf *out = row(r, mark);
	uint64_t pc, sp;

	if (!out)
		return;
	put_thread(out, i, thread);
	if (where(i, thread, &pc, &sp)) {
		buf_puts(out, " in ");
		put_place(i, pc, out);
	}
	buf_putc(out, '\n');
}

static void
put_moved(struct rows *r, struct insp *a, size_t x, struct insp *b, size_t y)
{
	uint64_t pc[2], sp[2];
	struct buf *out;

	if (!where(a, x, &pc[0], &sp[0]) || !where(b, y, &pc[1], &sp[1])
	    || (pc[0] == pc[1] && sp[0] == sp[1]))
		return;
	out = row(r, "moved");
	if (!out)
		return;
	put_thread(out, b, y);
	buf_puts(out, ": ");
	put_place(a, pc[0], out);
	buf_puts(out, " -> ");
	put_place(b, pc[1], out);
	buf_puts(out, pc[0] == pc[1] ? ", another depth of stack\n" : "\n");
}

static void
put_gone(struct rows *r, const char *mark, struct insp *a, struct insp *b)
{
	const struct target *t = insp_target(a);

	for (size_t k = 0; k < t->n_threads; k++)
		if (insp_find_thread(b, t->threads[k].tid) == INSP_NONE)
			put_alone(r, mark, a, k);
}

static void
diff_threads(struct insp *a, struct insp *b, struct buf *out)
{
	const struct target *x = insp_target(a), *y = insp_target(b);
	struct rows r = { .out = out };

	buf_printf(out, "threads: %zu and %zu\n", x->n_threads, y->n_threads);
	put_gone(&r, "gone", a, b);
	put_gone(&r, "new", b, a);
	for (size_t k = 0; k < x->n_threads; k++) {
		size_t other = insp_find_thread(b, x->threads[k].tid);

		if (other != INSP_NONE)
			put_moved(&r, a, k, b, other);
	}
	rows_end(&r);
}

/* ---- modules ------------------------------------------------------------ */
static bool
has_module(const struct insp *i, const struct snap_module *m)
{
	size_t n;
	const struct snap_module *all = insp_modules(i, &n);

	for (size_t k = 0; k < n; k++)
		if (all[k].start == m->start && id_equal(&all[k].id, &m->id))
			return true;
	return false;
}

static void
put_modules(struct rows *r, const char *mark, struct insp *a, struct insp *b)
{
	size_t n;
	const struct snap_module *m = insp_modules(a, &n);
	struct buf *out;

	for (size_t k = 0; k < n; k++) {
		if (has_module(b, &m[k]))
			continue;
		out = row(r, mark);
		if (!out)
			continue;
		buf_printf(out, "0x%" PRIx64 " ", m[k].start);
		put_escaped(out, m[k].path);
		buf_putc(out, '\n');
	}
}

static void
diff_modules(struct insp *a, struct insp *b, struct buf *out)
{
	struct rows r = { .out = out };
	size_t n, m;

	insp_modules(a, &n);
	insp_modules(b, &m);
	buf_printf(out, "modules: %zu and %zu\n", n, m);
	put_modules(&r, "gone", a, b);
	put_modules(&r, "new", b, a);
	rows_end(&r);
}

/* ---- attributes --------------------------------------------------------- */
static const struct snap_attr *
find_attr(const struct target *t, const char *key)
{
	for (size_t k = 0; k < t->n_attrs; k++)
		if (strcmp(t->attrs[k].key, key) == 0)
			return &t->attrs[k];
	return NULL;
}

static bool
same_attr(const struct snap_attr *a, const struct snap_attr *b)
{
	if (a->type != b->type)
		return false;
	return a->type == SNAP_ATTR_STRING ? strcmp(a->string, b->string) == 0
					   : a->number == b->number;
}

/* What is of the capture, and not of the process, differs always. */
static bool
is_told(const struct snap_attr *a)
{
	return strncmp(a->key, "capture.", 8) != 0
	       && strncmp(a->key, "series.", 7) != 0;
}

static void
put_attrs(struct rows *r, const char *mark, const struct target *a,
	  const struct target *b)
{
	struct buf *out;

	for (size_t k = 0; k < a->n_attrs; k++) {
		if (!is_told(&a->attrs[k]) || find_attr(b, a->attrs[k].key))
			continue;
		out = row(r, mark);
		if (out)
			monitor_put_attribute(out, &a->attrs[k]);
	}
}

static void
put_changed(struct rows *r, const struct snap_attr *a,
	    const struct snap_attr *b)
{
	struct buf *out = row(r, "other");

	if (!out)
		return;
	put_escaped(out, a->key);
	buf_puts(out, ": ");
	monitor_put_value(out, a);
	buf_puts(out, " -> ");
	monitor_put_value(out, b);
	buf_putc(out, '\n');
}

static void
diff_attrs(struct insp *i, struct insp *j, struct buf *out)
{
	const struct target *a = insp_target(i), *b = insp_target(j);
	struct rows r = { .out = out };

	buf_printf(out, "attributes: %zu and %zu\n", a->n_attrs, b->n_attrs);
	put_attrs(&r, "gone", a, b);
	put_attrs(&r, "new", b, a);
	for (size_t k = 0; k < a->n_attrs; k++) {
		const struct snap_attr *other = find_attr(b, a->attrs[k].key);

		if (other && is_told(other)
		    && !same_attr(&a->attrs[k], other))
			put_changed(&r, &a->attrs[k], other);
	}
	rows_end(&r);
}

/* ---- which ones --------------------------------------------------------- */
/* A number in the series of the chosen process; else one of "info os
 * snapshots", or an id there. */
static struct err *
open_word(struct stub *s, const char *word, size_t n, struct shown **out)
{
	const struct stub_host *host = s->options.host;
	_free_ char *text = strndup(word, n);
	uint64_t number;
	char *end;

	if (!text)
		return err_nomem();
	if (!host)
		return err_new(ERR_NOTFOUND, "one snapshot is open, and no "
			       "other is here to hold it against");
	number = strtoull(text, &end, 10);
	struct err *err = NULL;
	if (*end)
		err = host->find(host->arg, text, &number);
	else
		timeline_number(s, number, &number);
	return err ? err : shown_open(s, number, out);
}

static void
put_names(const struct shown *a, const struct shown *b, struct buf *out)
{
	put_escaped(out, a->title);
	buf_puts(out, " -> ");
	put_escaped(out, b->title);
	buf_putc(out, '\n');
}

static struct err *
diff(struct stub *s, const struct shown *a, const struct shown *b,
     struct buf *out)
{
	put_names(a, b, out);
	overlay_lift(s);
	diff_threads(a->insp, b->insp, out);
	diff_modules(a->insp, b->insp, out);
	diff_attrs(a->insp, b->insp, out);
	struct err *err = diff_memory(a->insp, b->insp, out);
	overlay_lay(s);
	return err;
}

struct err *
diff_verb(struct stub *s, const char *argument, struct buf *out)
{
	size_t n = strcspn(argument, " ");
	const char *second = argument + n + strspn(argument + n, " ");
	struct shown *a = NULL, *b = NULL;
	struct err *err = NULL;

	if (!argument[0])
		return err_new(ERR_USAGE, "monitor diff takes the number of a "
			       "snapshot, or two: see monitor snapshot, or "
			       "info os snapshots");
	if (second[0])
		err = open_word(s, argument, n, &a);
	else
		a = shown_again(stub_inferior(s)->shown);
	const char *last = second[0] ? second : argument;
	if (!err)
		err = open_word(s, last, strcspn(last, " "), &b);
	if (!err)
		err = diff(s, a, b, out);
	shown_close(s, a);
	shown_close(s, b);
	return err;
}
