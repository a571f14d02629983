/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qXfer:osdata, gdb's "info os": tables on what is served, as captured - never
 * on the machine that serves it.
 */
#include "gdbstub/impl.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

/** One row of a table for inferior @f, or for one thread of it. */
typedef void put_row_fn(const struct inferior *f, struct buf *out);

void
osdata_put_text(struct buf *out, const char *column, const char *text)
{
	buf_printf(out, "<column name=\"%s\">", column);
	if (text)
		buf_xml(out, text, strlen(text));
	buf_puts(out, "</column>");
}

void
osdata_put_number(struct buf *out, const char *column, uint64_t number)
{
	buf_printf(out, "<column name=\"%s\">%" PRIu64 "</column>", column,
		   number);
}

static void
put_time(struct buf *out, const char *column, uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000u);
	char text[32] = "";
	struct tm tm;

	if (ns && gmtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	osdata_put_text(out, column, text);
}

static void
snapshot_row(const struct inferior *f, struct buf *out)
{
	const struct target *t = insp_target(f->insp);
	const struct snap_process *p = &t->process;

	buf_puts(out, "<item>");
	osdata_put_number(out, "pid", f->pid);
	osdata_put_text(out, "program", p->name);
	osdata_put_text(out, "signal", signals_name(p->os, p->signal));
	osdata_put_number(out, "threads", t->n_threads);
	put_time(out, "captured", p->captured_ns);
	osdata_put_text(out, "snapshot", f->title);
	buf_puts(out, "</item>\n");
}

static void
process_row(const struct inferior *f, struct buf *out)
{
	const struct snap_process *p = &insp_target(f->insp)->process;

	buf_puts(out, "<item>");
	osdata_put_number(out, "pid", f->pid);
	osdata_put_number(out, "uid", p->uid);
	osdata_put_text(out, "command", p->arguments ? p->arguments : p->name);
	buf_puts(out, "</item>\n");
}

static void
thread_rows(const struct inferior *f, struct buf *out)
{
	const struct target *t = insp_target(f->insp);

	for (size_t k = 0; k < t->n_threads; k++) {
		_buf_ struct buf text = { 0 };

		threads_text(f, k, &text);
		buf_puts(out, "<item>");
		osdata_put_number(out, "pid", f->pid);
		osdata_put_text(out, "command", t->process.name);
		osdata_put_number(out, "tid", f->tids[k]);
		osdata_put_text(out, "name", t->threads[k].name);
		osdata_put_text(out, "state", text.data);
		buf_puts(out, "</item>\n");
		out->failed |= text.failed;
	}
}

static const struct osdata_kind {
	const char *name, *description;
	put_row_fn *put;
} KINDS[] = {
	{ "processes", "Captured processes", process_row },
	{ "snapshots", "Snapshots served here", snapshot_row },
	{ "threads", "Threads of the captured processes", thread_rows },
};

/* gdb's MI takes a table's heading from the last column. */
static void
put_kinds(struct buf *out)
{
	for (size_t k = 0; k < countof(KINDS); k++) {
		buf_puts(out, "<item>");
		osdata_put_text(out, "Type", KINDS[k].name);
		osdata_put_text(out, "Description", KINDS[k].description);
		osdata_put_text(out, "Title", KINDS[k].description);
		buf_puts(out, "</item>\n");
	}
}

static const struct osdata_kind *
find_kind(struct span name)
{
	for (size_t k = 0; k < countof(KINDS); k++)
		if (span_is(name, KINDS[k].name))
			return &KINDS[k];
	return NULL;
}

static struct err *
put_rows(struct stub *s, const struct osdata_kind *kind, struct buf *out)
{
	if (s->options.host && kind->put == snapshot_row)
		return host_put_offers(s, out);
	for (size_t k = 0; k < s->n_inferiors; k++)
		kind->put(&s->inferiors[k], out);
	return NULL;
}

struct err *
osdata_render(struct stub *s, struct span name, struct buf *out)
{
	const struct osdata_kind *kind = find_kind(name);

	if (name.n && !kind)
		return err_new(ERR_NOTFOUND, "there is no such table");
	buf_printf(out, "<?xml version=\"1.0\"?>\n<osdata type=\"%s\">\n",
		   kind ? kind->name : "types");
	if (!kind)
		put_kinds(out);
	struct err *err = kind ? put_rows(s, kind, out) : NULL;
	buf_puts(out, "</osdata>\n");
	return err;
}
