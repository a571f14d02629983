/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "monitor diff": two snapshots held against each other, as captured. Lists
 * are bounded: whoever wants all of it asks for a smaller part.
 */
#include "gdbstub/impl.h"
#include "inspect/differ.h"

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
row_begin(struct rows *r, const char *mark)
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

/* "threads: 3 and 4", and a line for each that differs. */
static struct err *
row_tell(void *arg, const struct differ_row *row)
{
	struct rows *r = arg;
	struct buf *out = row_begin(r, row->mark);

	if (!out)
		return NULL;
	put_escaped(out, row->what);
	if (row->before || row->after)
		buf_puts(out, ": ");
	put_escaped(out, row->before);
	if (row->before && row->after)
		buf_puts(out, " -> ");
	put_escaped(out, row->after);
	buf_putc(out, '\n');
	return NULL;
}

static struct err *
diff_list(struct insp *a, struct insp *b, enum differ_list list,
	  struct buf *out)
{
	static const char *const names[] = {
		[DIFFER_THREADS] = "threads", [DIFFER_MODULES] = "modules",
		[DIFFER_ATTRIBUTES] = "attributes",
	};
	struct rows r = { .out = out };
	size_t n[2];

	insp_diff_count(a, b, list, n);
	buf_printf(out, "%s: %zu and %zu\n", names[list], n[0], n[1]);
	struct err *err = insp_diff(a, b, list, row_tell, &r);
	rows_end(&r);
	return err;
}

/* ---- memory ------------------------------------------------------------- */
static void
put_kib(struct buf *out, uint64_t bytes, const char *words)
{
	if (bytes)
		buf_printf(out, "  %" PRIu64 " KiB %s\n", (bytes + 1023) >> 10,
			   words);
}

static void
diff_memory(struct insp *a, struct insp *b, struct buf *out)
{
	struct differ_memory m;

	insp_diff_memory(a, b, &m);
	buf_printf(out, "memory: %" PRIu64 " pages differ\n", m.pages);
	for (size_t k = 0; k < m.n_runs; k++) {
		buf_printf(out, "  0x%" PRIx64 "-0x%" PRIx64 " ",
			   m.runs[k].start, m.runs[k].end);
		put_escaped(out, m.runs[k].path);
		buf_putc(out, '\n');
	}
	if (m.more_runs)
		buf_printf(out, "  and %zu ranges more\n", m.more_runs);
	put_kib(out, m.equal, "are equal");
	put_kib(out, m.only[0], "are mapped in the first only");
	put_kib(out, m.only[1], "are mapped in the second only");
	put_kib(out, m.absent[0], "were not captured in the first");
	put_kib(out, m.absent[1], "were not captured in the second");
	put_kib(out, m.unread, "more differ by their hashes: too many to tell "
		"their pages");
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
	struct err *err = NULL;
	for (unsigned k = 0; k < DIFFER_LISTS && !err; k++)
		err = diff_list(a->insp, b->insp, k, out);
	if (!err)
		diff_memory(a->insp, b->insp, out);
	overlay_lay(s);
	return err ? err : buf_err(out);
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
