/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diff_write.c: what differs, for a person and for a program.
 */
#include <inttypes.h>
#include <string.h>

#include "analysis/analysis.h"
#include "base/json.h"
#include "cmd/diff.h"
#include "cmd/report.h"
#include "inspect/differ.h"

#define ROWS_MAX 40u
#define BOLD "1"

static const char *const list_names[] = {
	[DIFFER_THREADS] = "threads", [DIFFER_MODULES] = "modules",
	[DIFFER_ATTRIBUTES] = "attributes",
};

static struct err *
all_variables(const struct diff_pair *p, difference_fn *fn, void *arg)
{
	const struct differing d = {
		.insp = { p->side[0].insp, p->side[1].insp },
		.values = { p->side[0].values, p->side[1].values },
	};
	size_t n = insp_target(p->side[1].insp)->n_threads;
	struct err *err = NULL;

	for (size_t k = 0; k < n && !err; k++)
		err = differ_variables(&d, k, fn, arg);
	return err;
}

/* ---- for a person --------------------------------------------------------- */
/** Rows of one list. */
struct rows {
	struct buf *out;
	size_t n, max;
};

static struct buf *
rows_next(struct rows *r)
{
	if (r->n++ >= r->max)
		return NULL;
	return r->out;
}

static void
rows_end(const struct rows *r)
{
	if (r->n > r->max)
		buf_printf(r->out, "  and %zu more (--all shows them)\n",
			   r->n - r->max);
	if (!r->n)
		buf_puts(r->out, "  no difference\n");
}

static struct rows
rows_begin(const struct diff_pair *p, struct buf *out)
{
	return (struct rows){
		.out = out, .max = p->options->all ? SIZE_MAX : ROWS_MAX,
	};
}

static void
put_change(struct buf *out, const char *before, const char *after)
{
	if (before)
		report_put(out, before);
	if (before && after)
		buf_puts(out, " -> ");
	if (after)
		report_put(out, after);
	buf_putc(out, '\n');
}

static struct err *
text_row(void *arg, const struct differ_row *row)
{
	struct buf *out = rows_next(arg);

	if (!out)
		return NULL;
	buf_printf(out, "  %-5s  ", row->mark);
	report_put(out, row->what);
	if (row->before || row->after)
		buf_puts(out, ": ");
	put_change(out, row->before, row->after);
	return NULL;
}

static struct err *
text_variable(void *arg, const struct difference *v)
{
	struct buf *out = rows_next(arg);

	if (!out)
		return NULL;
	buf_printf(out, "  thread %" PRIu64 ", #%u ", v->tid, v->depth);
	report_put(out, v->function);
	buf_puts(out, ": ");
	report_put(out, v->name);
	/* Their texts are escaped already. */
	buf_printf(out, ": %s -> %s\n", v->before, v->after);
	return NULL;
}

static void
text_heading(const struct diff_pair *p, struct buf *out, const char *text)
{
	const struct report r = { .colour = p->colour };

	buf_putc(out, '\n');
	report_paint(&r, out, BOLD, text);
	buf_putc(out, '\n');
}

static struct err *
text_list(const struct diff_pair *p, enum differ_list list, struct buf *out)
{
	struct rows rows = rows_begin(p, out);
	_buf_ struct buf head = { 0 };
	size_t n[2];

	insp_diff_count(p->side[0].insp, p->side[1].insp, list, n);
	buf_printf(&head, "%s: %zu and %zu", list_names[list], n[0], n[1]);
	text_heading(p, out, head.data ? head.data : "");
	struct err *err = insp_diff(p->side[0].insp, p->side[1].insp, list,
				    text_row, &rows);
	rows_end(&rows);
	return err;
}

static struct err *
text_variables(const struct diff_pair *p, struct buf *out)
{
	struct rows rows = rows_begin(p, out);

	text_heading(p, out, "variables");
	struct err *err = all_variables(p, text_variable, &rows);
	rows_end(&rows);
	return err;
}

static void
text_memory(const struct diff_pair *p, struct buf *out)
{
	static const struct { size_t at; const char *words; } sums[] = {
		{ offsetof(struct differ_memory, equal), "are equal" },
		{ offsetof(struct differ_memory, only[0]),
		  "are mapped in the first only" },
		{ offsetof(struct differ_memory, only[1]),
		  "are mapped in the second only" },
		{ offsetof(struct differ_memory, absent[0]),
		  "were not captured in the first" },
		{ offsetof(struct differ_memory, absent[1]),
		  "were not captured in the second" },
		{ offsetof(struct differ_memory, unread),
		  "more differ: too many to tell their pages" },
	};
	_buf_ struct buf head = { 0 };
	struct differ_memory m;

	insp_diff_memory(p->side[0].insp, p->side[1].insp, &m);
	buf_printf(&head, "memory: %" PRIu64 " pages differ", m.pages);
	text_heading(p, out, head.data ? head.data : "");
	for (size_t k = 0; k < m.n_runs; k++) {
		buf_printf(out, "  0x%" PRIx64 "-0x%" PRIx64, m.runs[k].start,
			   m.runs[k].end);
		if (m.runs[k].path) {
			buf_puts(out, "  ");
			report_put(out, m.runs[k].path);
		}
		buf_putc(out, '\n');
	}
	if (m.more_runs)
		buf_printf(out, "  and %zu ranges more\n", m.more_runs);
	for (size_t k = 0; k < countof(sums); k++) {
		uint64_t bytes;

		memcpy(&bytes, (const char *)&m + sums[k].at, sizeof(bytes));
		if (!bytes)
			continue;
		buf_puts(out, "  ");
		buf_size(out, bytes);
		buf_printf(out, " %s\n", sums[k].words);
	}
}

static void
text_head(const struct diff_pair *p, struct buf *out)
{
	for (unsigned k = 0; k < 2; k++) {
		const struct snap_process *s =
			&insp_target(p->side[k].insp)->process;

		buf_puts(out, k ? "and " : "    ");
		report_put(out, p->side[k].path);
		buf_printf(out, ": process %" PRIu64, s->pid);
		if (s->name) {
			buf_puts(out, " \"");
			report_put(out, s->name);
			buf_putc(out, '"');
		}
		if (s->captured_ns) {
			buf_puts(out, ", ");
			report_time(out, s->captured_ns, false);
		}
		buf_putc(out, '\n');
	}
}

static void
text_next(const struct diff_pair *p, struct buf *out)
{
	text_heading(p, out, "Next");
	buf_puts(out, "  " PROGRAM " gdb ");
	for (unsigned k = 0; k < 2; k++) {
		_buf_ struct buf quoted = { 0 };

		say_quoted(&quoted, p->side[k].path);
		report_put(out, quoted.data);
		buf_putc(out, ' ');
	}
	buf_puts(out, "   look around in both\n");
}

struct err *
diff_text(const struct diff_pair *p, struct buf *out)
{
	struct err *err;

	text_head(p, out);
	err = text_list(p, DIFFER_THREADS, out);
	if (!err)
		err = text_variables(p, out);
	if (!err)
		err = text_list(p, DIFFER_MODULES, out);
	if (!err)
		err = text_list(p, DIFFER_ATTRIBUTES, out);
	if (err)
		return err;
	text_memory(p, out);
	text_next(p, out);
	return buf_err(out);
}

/* ---- for a program --------------------------------------------------------- */
static struct err *
json_row(void *arg, const struct differ_row *row)
{
	struct json *j = json_object();

	json_set(j, "mark", json_string(row->mark));
	json_set(j, "what", json_string(row->what));
	json_set(j, "before", json_string(row->before));
	json_set(j, "after", json_string(row->after));
	json_add(arg, j);
	return NULL;
}

static struct err *
json_variable(void *arg, const struct difference *v)
{
	struct json *j = json_object();

	json_set(j, "tid", json_u64(v->tid));
	json_set(j, "depth", json_u64(v->depth));
	json_set(j, "function", json_string(v->function));
	json_set(j, "name", json_string(v->name));
	json_set(j, "before", json_string(v->before));
	json_set(j, "after", json_string(v->after));
	json_add(arg, j);
	return NULL;
}

static struct json *
json_side(const struct diff_pair *p, unsigned side)
{
	const struct snap_process *s = &insp_target(p->side[side].insp)->process;
	struct json *j = json_object();
	_buf_ struct buf time = { 0 };

	json_set(j, "path", json_string(p->side[side].path));
	json_set(j, "pid", json_u64(s->pid));
	if (s->captured_ns) {
		report_time(&time, s->captured_ns, true);
		buf_putc(&time, '\0');
	}
	json_set(j, "captured", json_string(time.failed ? NULL : time.data));
	return j;
}

static struct json *
json_memory(const struct diff_pair *p)
{
	struct json *j = json_object(), *ranges = json_array();
	struct differ_memory m;

	insp_diff_memory(p->side[0].insp, p->side[1].insp, &m);
	json_set(j, "pages", json_u64(m.pages));
	for (size_t k = 0; k < m.n_runs; k++) {
		struct json *run = json_object();

		json_set(run, "start", json_addr(m.runs[k].start));
		json_set(run, "end", json_addr(m.runs[k].end));
		json_set(run, "path", json_string(m.runs[k].path));
		json_add(ranges, run);
	}
	json_set(j, "ranges", ranges);
	json_set(j, "more_ranges", json_u64(m.more_runs));
	json_set(j, "equal", json_u64(m.equal));
	json_set(j, "only_a", json_u64(m.only[0]));
	json_set(j, "only_b", json_u64(m.only[1]));
	json_set(j, "absent_a", json_u64(m.absent[0]));
	json_set(j, "absent_b", json_u64(m.absent[1]));
	json_set(j, "unread", json_u64(m.unread));
	return j;
}

static struct err *
json_list(const struct diff_pair *p, enum differ_list list, struct json *top)
{
	struct json *j = json_object(), *rows = json_array(),
		    *count = json_array();
	size_t n[2];

	insp_diff_count(p->side[0].insp, p->side[1].insp, list, n);
	json_add(count, json_u64(n[0]));
	json_add(count, json_u64(n[1]));
	json_set(j, "n", count);
	struct err *err = insp_diff(p->side[0].insp, p->side[1].insp, list,
				    json_row, rows);
	json_set(j, "rows", rows);
	json_set(top, list_names[list], j);
	return err;
}

struct err *
diff_json(const struct diff_pair *p, struct buf *out)
{
	struct json *top = say_json("diff"), *variables = json_array();
	struct err *err = NULL;

	json_set(top, "a", json_side(p, 0));
	json_set(top, "b", json_side(p, 1));
	for (unsigned k = 0; k < DIFFER_LISTS && !err; k++)
		err = json_list(p, k, top);
	if (!err)
		err = all_variables(p, json_variable, variables);
	json_set(top, "variables", variables);
	json_set(top, "memory", json_memory(p));
	if (!err)
		err = json_write(top, true, out);
	json_free(top);
	return err;
}
