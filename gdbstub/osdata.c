/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qXfer:osdata, gdb's "info os": tables on what is served, as captured - never
 * on the machine that serves it.
 */
#include "gdbstub/tables.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

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

void
osdata_put_time(struct buf *out, const char *column, uint64_t ns)
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
	osdata_put_time(out, "captured", p->captured_ns);
	osdata_put_text(out, "snapshot", f->title);
	buf_puts(out, "</item>\n");
}

/* Where its threads ran last, each processor once. */
static void
put_cores(const struct inferior *f, struct buf *out)
{
	const struct target *t = insp_target(f->insp);
	bool seen[256] = { false };
	const char *before = "";
	struct span wchan;
	uint64_t cpu;

	buf_puts(out, "<column name=\"cores\">");
	for (size_t k = 0; k < t->n_threads; k++) {
		if (!tables_thread(f, t->threads[k].tid, &cpu, &wchan)
		    || cpu >= countof(seen) || seen[cpu])
			continue;
		seen[cpu] = true;
		buf_printf(out, "%s%" PRIu64, before, cpu);
		before = ",";
	}
	buf_puts(out, "</column>");
}

static void
process_row(const struct inferior *f, struct buf *out)
{
	const struct snap_process *p = &insp_target(f->insp)->process;

	buf_puts(out, "<item>");
	osdata_put_number(out, "pid", f->pid);
	osdata_put_number(out, "user", p->uid);
	osdata_put_text(out, "command", p->arguments ? p->arguments : p->name);
	put_cores(f, out);
	buf_puts(out, "</item>\n");
}

static void
put_span(struct buf *out, const char *column, struct span text)
{
	buf_printf(out, "<column name=\"%s\">", column);
	buf_xml(out, text.data, text.n);
	buf_puts(out, "</column>");
}

static void
thread_rows(const struct inferior *f, struct buf *out)
{
	const struct target *t = insp_target(f->insp);

	for (size_t k = 0; k < t->n_threads; k++) {
		struct span wchan = { "", 0 };
		_buf_ struct buf text = { 0 };
		uint64_t cpu;

		threads_text(f, k, &text);
		bool known = tables_thread(f, t->threads[k].tid, &cpu, &wchan);
		buf_puts(out, "<item>");
		osdata_put_number(out, "pid", f->pid);
		osdata_put_text(out, "command", t->process.name);
		osdata_put_number(out, "tid", f->tids[k]);
		if (known)
			osdata_put_number(out, "core", cpu);
		else
			osdata_put_text(out, "core", NULL);
		osdata_put_text(out, "name", t->threads[k].name);
		osdata_put_text(out, "state", text.data);
		put_span(out, "in the kernel", wchan);
		buf_puts(out, "</item>\n");
		out->failed |= text.failed;
	}
}

static const struct osdata_kind {
	const char *name, *description;
	tables_fn *put;
} KINDS[] = {
	{ "cpus", "Processors of the captured machines", tables_cpus },
	{ "files", "Open files of the captured processes", tables_files },
	{ "modules", "Kernel modules of the captured machines",
	  tables_modules },
	{ "msg", "System V message queues", tables_msg },
	{ "processes", "Captured processes", process_row },
	{ "procgroups", "Process groups of the captured processes",
	  tables_procgroups },
	{ "semaphores", "System V semaphores", tables_semaphores },
	{ "shm", "System V shared memory", tables_shm },
	{ "snapshots", "Snapshots served here", snapshot_row },
	{ "sockets", "Sockets of the captured processes", tables_sockets },
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
