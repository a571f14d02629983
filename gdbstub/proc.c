/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of /proc/PID: the texts that were captured, else written again from
 * the records, with the fields that are known and no others (proc(5)).
 */
#include "gdbstub/impl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/** @thread is INSP_NONE for a file of the process. */
typedef struct err *proc_fn(const struct inferior *f, size_t thread,
			    struct buf *out);

/* A record without a name never held the process's ids either. */
static bool
has_ids(const struct snap_process *p)
{
	return p->name && p->name[0];
}

static const char *
name_of(const struct inferior *f, size_t thread)
{
	const struct target *t = insp_target(f->insp);

	return thread == INSP_NONE ? t->process.name : t->threads[thread].name;
}

/* The state of a process is that of its first thread. */
static char
state_of(const struct inferior *f, size_t thread)
{
	static const char letters[] = "?RSDTZI";
	const struct target *t = insp_target(f->insp);

	if (thread == INSP_NONE)
		thread = insp_find_thread(f->insp, t->process.pid);
	if (thread == INSP_NONE
	    || t->threads[thread].state >= sizeof(letters) - 1)
		return '?';
	return letters[t->threads[thread].state];
}

static uint64_t
id_of(const struct inferior *f, size_t thread)
{
	return thread == INSP_NONE ? f->own_pid : f->tids[thread];
}

/* ---- files ------------------------------------------------------------- */
/* gdb prints words apart by blanks, as they are here already. */
static struct err *
proc_cmdline(const struct inferior *f, size_t thread, struct buf *out)
{
	const char *line = insp_target(f->insp)->process.arguments;
	size_t n = line ? strlen(line) : 0;

	(void)thread;
	while (n && line[n - 1] == ' ')
		n--;
	if (n == 0)
		return err_new(ERR_NOTFOUND, "the arguments are not known");
	buf_put(out, line, n);
	buf_putc(out, '\0');
	return NULL;
}

static struct err *
proc_comm(const struct inferior *f, size_t thread, struct buf *out)
{
	const char *name = name_of(f, thread);

	if (!name)
		return err_new(ERR_NOTFOUND, "the name is not known");
	buf_printf(out, "%s\n", name);
	return NULL;
}

/* Ends where knowledge ends, without a newline: gdb would read a missing
 * number before it as 0. */
static struct err *
proc_stat(const struct inferior *f, size_t thread, struct buf *out)
{
	const struct snap_process *p = &insp_target(f->insp)->process;
	const char *name = name_of(f, thread);

	buf_printf(out, "%" PRIu64 " (%s) %c", id_of(f, thread),
		   name ? name : "", state_of(f, thread));
	if (has_ids(p))
		buf_printf(out, " %" PRIu64, p->ppid);
	return NULL;
}

static struct err *
proc_status(const struct inferior *f, size_t thread, struct buf *out)
{
	const struct snap_process *p = &insp_target(f->insp)->process;
	const char *name = name_of(f, thread);
	char state = state_of(f, thread);

	if (name)
		buf_printf(out, "Name:\t%s\n", name);
	if (state != '?')
		buf_printf(out, "State:\t%c\n", state);
	buf_printf(out, "Tgid:\t%" PRIu64 "\nPid:\t%" PRIu64 "\n",
		   f->own_pid, id_of(f, thread));
	if (has_ids(p))
		buf_printf(out, "PPid:\t%" PRIu64 "\nUid:\t%" PRIu64
			   "\nGid:\t%" PRIu64 "\n", p->ppid, p->uid, p->gid);
	buf_printf(out, "Threads:\t%zu\n", f->n_threads);
	return NULL;
}

static struct err *
proc_maps(const struct inferior *f, size_t thread, struct buf *out)
{
	(void)thread;
	return maps_render(f, out);
}

static struct err *
proc_smaps(const struct inferior *f, size_t thread, struct buf *out)
{
	(void)thread;
	return maps_render_smaps(f, out);
}

static struct err *
proc_auxv(const struct inferior *f, size_t thread, struct buf *out)
{
	const struct span *auxv = &insp_target(f->insp)->auxv;

	(void)thread;
	if (auxv->n == 0)
		return err_new(ERR_NOTFOUND, "no auxv was captured");
	buf_put(out, auxv->data, auxv->n);
	return NULL;
}

static const struct proc_row {
	const char *name;
	proc_fn *render;
	bool shared;            /* the same in /proc/PID/task/TID */
} ROWS[] = {
	{ "maps", proc_maps, true },
	{ "smaps", proc_smaps, true },
	{ "cmdline", proc_cmdline, true },
	{ "comm", proc_comm, false },
	{ "stat", proc_stat, false },
	{ "status", proc_status, false },
	{ "auxv", proc_auxv, true },
};

static const struct proc_row *
find_row(const char *name)
{
	for (size_t k = 0; k < countof(ROWS); k++)
		if (strcmp(ROWS[k].name, name) == 0)
			return &ROWS[k];
	return NULL;
}

/* ---- captured texts ---------------------------------------------------- */
/*
 * A debugger prints these files as they are, so a line with control bytes in
 * it is shown escaped. buf_escape() doubles backslashes too; a line with
 * nothing but those stays, for the kernel's own \012 in names.
 */
static void
escape_line(struct buf *out, const char *line, size_t n)
{
	_buf_ struct buf shown = { 0 };
	size_t doubled = 0;

	for (size_t k = 0; k < n; k++)
		doubled += line[k] == '\\';
	buf_escape(&shown, line, n);
	if (shown.len == n + doubled)
		buf_put(out, line, n);
	else
		buf_put(out, shown.data, shown.len);
	out->failed |= shown.failed;
}

static void
escape_text(struct buf *out, const char *text, size_t n)
{
	size_t from = 0;

	for (size_t k = 0; k < n; k++) {
		if (text[k] && text[k] != '\n' && text[k] != '\t')
			continue;
		escape_line(out, text + from, k - from);
		buf_putc(out, text[k]);
		from = k + 1;
	}
	escape_line(out, text + from, n - from);
}

static bool
put_captured(const struct inferior *f, const char *name, struct buf *out)
{
	const struct target *t = insp_target(f->insp);

	for (size_t k = 0; k < t->n_texts; k++) {
		if (strcmp(t->texts[k].name, name) != 0)
			continue;
		buf_put(out, t->texts[k].bytes.data, t->texts[k].bytes.n);
		return true;
	}
	return false;
}

/* ---- asking ------------------------------------------------------------ */
/**
 * On Linux the first thread is called as its process, and gdb asks for it by
 * that name, also where the name of the process is one that was made up.
 */
static size_t
find_task(const struct inferior *f, uint64_t tid)
{
	size_t thread = inferior_find_thread(f, tid);
	uint64_t pid = insp_target(f->insp)->process.pid;

	return thread == INSP_NONE && tid == f->pid
	       ? inferior_find_thread(f, pid) : thread;
}

/** "task/TID/rest": the thread and the rest; INSP_NONE for other names. */
static size_t
split_task(const struct inferior *f, const char **name)
{
	const char prefix[] = "task/";
	const char *p = *name + sizeof(prefix) - 1;
	char *end;

	if (strncmp(*name, prefix, sizeof(prefix) - 1) != 0 || *p < '1'
	    || *p > '9')
		return INSP_NONE;
	uint64_t tid = strtoull(p, &end, 10);
	if (*end != '/')
		return INSP_NONE;
	size_t thread = find_task(f, tid);
	const struct proc_row *row = find_row(end + 1);
	/* gdb asks for it where the first thread has ended, too. */
	if (thread != INSP_NONE || (tid == f->pid && row && row->shared))
		*name = end + 1;
	return thread;
}

static struct err *
proc_raw(const struct inferior *f, const char *name, struct buf *out)
{
	const char *rest = name;

	if (put_captured(f, name, out))
		return NULL;
	size_t thread = split_task(f, &rest);
	const struct proc_row *row = find_row(rest);
	if (!row)
		return err_new(ERR_NOTFOUND, "%s was not captured", name);
	if (rest != name && row->shared && put_captured(f, rest, out))
		return NULL;
	return row->render(f, thread, out);
}

struct err *
proc_text(const struct inferior *f, const char *name, struct buf *out)
{
	_buf_ struct buf raw = { 0 };
	const char *last = strrchr(name, '/');

	struct err *err = proc_raw(f, name, &raw);
	if (!err)
		err = buf_err(&raw);
	if (err || raw.len == 0)
		return err;
	if (strcmp(last ? last + 1 : name, "auxv") == 0)
		buf_put(out, raw.data, raw.len);
	else
		escape_text(out, raw.data, raw.len);
	return NULL;
}

struct err *
proc_link(const struct inferior *f, const char *name, struct buf *out)
{
	const struct snap_process *p = &insp_target(f->insp)->process;
	const struct { const char *name, *to; } links[] = {
		{ "exe", f->exe.data }, { "cwd", p->cwd }, { "root", "/" },
	};

	for (size_t k = 0; k < countof(links); k++) {
		const char *to = links[k].to;

		if (strcmp(links[k].name, name) != 0 || !to)
			continue;
		escape_line(out, to, strlen(to));
		return NULL;
	}
	return err_new(ERR_NOTFOUND, "%s is not known", name);
}
