/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of "info os" out of the texts that were captured, under the columns
 * that gdbserver has for them. Of a text that was not captured a row says so:
 * an empty table would be a lie.
 */
#include "gdbstub/tables.h"
#include "base/cut.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LOOKED_MAX (1u << 30)   /* bytes, of all threads together */

/* ---- cutting a text ---------------------------------------------------- */
static bool
take_cell(struct span *line, bool tabs, struct span *out)
{
	return tabs ? cut_until(line, '\t', out) : cut_word(line, out);
}

static void
put_cell(struct buf *out, const char *column, struct span cell)
{
	buf_printf(out, "<column name=\"%s\">", column);
	buf_xml(out, cell.data, cell.n);
	buf_puts(out, "</column>");
}

static bool
find_text(const struct inferior *f, const char *name, struct span *out)
{
	const struct target *t = insp_target(f->insp);

	for (size_t k = 0; k < t->n_texts; k++) {
		if (strcmp(t->texts[k].name, name) != 0)
			continue;
		*out = t->texts[k].bytes;
		return true;
	}
	return false;
}

static void
put_owner(struct buf *out, const struct inferior *f)
{
	osdata_put_number(out, "pid", f->pid);
	osdata_put_text(out, "command",
			insp_target(f->insp)->process.name);
}

static void
put_absent(const struct inferior *f, const char *what, struct buf *out)
{
	buf_puts(out, "<item>");
	put_owner(out, f);
	osdata_put_text(out, what, "not captured");
	buf_puts(out, "</item>\n");
}

/* ---- tables of columns ------------------------------------------------- */
struct columns {
	const char *what, *text;
	bool headed;            /* its first line names the columns */
	bool tabs;              /* between cells; else blanks */
	bool owned;             /* by the process; else the system's */
	const char *names[18];  /* further cells are left out */
};

static const struct columns
	FILES = { "files", "fd", true, true, true,
		{ "file descriptor", "flags", "position", "name",
		  "detail" } },
	SHM = { "shared memory", "system/sysvipc/shm", true, false, false,
		{ "key", "shmid", "permissions", "size", "creator pid",
		  "last op. pid", "num attached", "user", "group",
		  "creator user", "creator group", "last shmat() time",
		  "last shmdt() time", "last shmctl() time" } },
	SEMAPHORES = { "semaphores", "system/sysvipc/sem", true, false, false,
		{ "key", "semid", "permissions", "num semaphores", "user", "group",
		  "creator user", "creator group", "last semop() time",
		  "last semctl() time" } },
	MSG = { "message queues", "system/sysvipc/msg", true, false, false,
		{ "key", "msqid", "permissions", "num used bytes", "num messages",
		  "last msgsnd() pid", "last msgrcv() pid", "user", "group",
		  "creator user", "creator group", "last msgsnd() time",
		  "last msgrcv() time", "last msgctl() time" } },
	MODULES = { "kernel modules", "system/modules", false, false, false,
		{ "name", "size", "num uses", "dependencies", "status",
		  "address" } };

static bool
is_time(const char *column)
{
	const char end[] = " time";
	size_t n = strlen(column), e = sizeof(end) - 1;

	return n > e && strcmp(column + n - e, end) == 0;
}

static uint64_t
number_of(struct span digits)
{
	char text[24] = "";

	if (digits.n < sizeof(text))
		memcpy(text, digits.data, digits.n);
	return strtoull(text, NULL, 10);
}

static void
put_line(const struct inferior *f, const struct columns *c, struct span line,
	 struct buf *out)
{
	struct span cell;

	buf_puts(out, "<item>");
	if (c->owned)
		put_owner(out, f);
	for (size_t k = 0; k < countof(c->names) && c->names[k]; k++) {
		if (!take_cell(&line, c->tabs, &cell))
			cell = (struct span){ "", 0 };
		if (is_time(c->names[k]))
			osdata_put_time(out, c->names[k],
					number_of(cell) * 1000000000u);
		else
			put_cell(out, c->names[k], cell);
	}
	buf_puts(out, "</item>\n");
}

static void
put_columns(const struct inferior *f, const struct columns *c,
	    struct buf *out)
{
	struct span text, line;

	if (!find_text(f, c->text, &text)) {
		put_absent(f, c->what, out);
		return;
	}
	if (c->headed)
		(void)cut_until(&text, '\n', &line);
	while (cut_until(&text, '\n', &line) && !out->failed)
		if (line.n)
			put_line(f, c, line, out);
}

void
tables_files(const struct inferior *f, struct buf *out)
{
	put_columns(f, &FILES, out);
}

void
tables_shm(const struct inferior *f, struct buf *out)
{
	put_columns(f, &SHM, out);
}

void
tables_semaphores(const struct inferior *f, struct buf *out)
{
	put_columns(f, &SEMAPHORES, out);
}

void
tables_msg(const struct inferior *f, struct buf *out)
{
	put_columns(f, &MSG, out);
}

void
tables_modules(const struct inferior *f, struct buf *out)
{
	put_columns(f, &MODULES, out);
}

/* ---- sockets: those descriptors that are some -------------------------- */
/* "1.2.3.4:80" or "[::1]:80" */
static void
put_address(struct buf *out, const char *address, const char *port,
	    struct span text)
{
	const char *p = text.data;
	const char *colon = text.n ? memrchr(p, ':', text.n) : NULL;
	size_t n = colon ? (size_t)(colon - p) : text.n;

	if (n >= 2 && p[0] == '[' && p[n - 1] == ']')
		put_cell(out, address, (struct span){ p + 1, n - 2 });
	else
		put_cell(out, address, (struct span){ p, n });
	put_cell(out, port, colon ? (struct span){ colon + 1, text.n - n - 1 }
				  : (struct span){ "", 0 });
}

/* "TCP LOCAL -> REMOTE STATE", as descriptors.c of capture writes it. */
static bool
put_inet(struct span detail, struct buf *out)
{
	struct span protocol, local, arrow, remote, state;

	if (!cut_word(&detail, &protocol) || !cut_word(&detail, &local)
	    || !cut_word(&detail, &arrow) || !span_is(arrow, "->")
	    || !cut_word(&detail, &remote) || !cut_word(&detail, &state))
		return false;
	put_address(out, "local address", "local port", local);
	put_address(out, "remote address", "remote port", remote);
	put_cell(out, "state", state);
	osdata_put_text(out, "family",
			local.n && *(const char *)local.data == '['
			? "INET6" : "INET");
	put_cell(out, "protocol", protocol);
	return true;
}

/* "UNIX-STREAM stream listen PATH"; of other kinds only the first word. */
static void
put_other(struct span detail, struct buf *out)
{
	static const char *const empty[] = {
		"local port", "remote address", "remote port",
	};
	struct span family = { "", 0 }, type = { "", 0 }, state = { "", 0 };

	(void)cut_word(&detail, &family);
	(void)cut_word(&detail, &type);
	(void)cut_word(&detail, &state);
	put_cell(out, "local address", detail);
	for (size_t k = 0; k < countof(empty); k++)
		put_cell(out, empty[k], (struct span){ "", 0 });
	put_cell(out, "state", state);
	put_cell(out, "family", family);
	put_cell(out, "protocol", type);
}

static void
put_socket(const struct inferior *f, struct span line, struct buf *out)
{
	static const char prefix[] = "socket:";
	struct span fd, skipped, target, detail = { "", 0 };

	if (!cut_until(&line, '\t', &fd)
	    || !cut_until(&line, '\t', &skipped)
	    || !cut_until(&line, '\t', &skipped)
	    || !cut_until(&line, '\t', &target)
	    || target.n < sizeof(prefix) - 1
	    || memcmp(target.data, prefix, sizeof(prefix) - 1) != 0)
		return;
	(void)cut_until(&line, '\t', &detail);
	buf_puts(out, "<item>");
	put_owner(out, f);
	put_cell(out, "file descriptor", fd);
	if (!put_inet(detail, out))
		put_other(detail, out);
	buf_puts(out, "</item>\n");
}

void
tables_sockets(const struct inferior *f, struct buf *out)
{
	struct span text, line;

	if (!find_text(f, "fd", &text)) {
		put_absent(f, "sockets", out);
		return;
	}
	while (cut_until(&text, '\n', &line) && !out->failed)
		put_socket(f, line, out);
}

/* ---- processors -------------------------------------------------------- */
/* One stands for all: capture keeps no more of them. */
void
tables_cpus(const struct inferior *f, struct buf *out)
{
	const struct target *t = insp_target(f->insp);
	struct span text, line, key;

	if (!find_text(f, "system/cpuinfo", &text)) {
		put_absent(f, "cpus", out);
		return;
	}
	buf_puts(out, "<item>");
	for (size_t k = 0; k < t->n_attrs; k++)
		if (strcmp(t->attrs[k].key, "cpu.count") == 0)
			osdata_put_number(out, "one of", t->attrs[k].number);
	while (cut_until(&text, '\n', &line) && line.n && !out->failed) {
		(void)cut_until(&line, ':', &key);
		key = cut_trimmed(key);
		buf_puts(out, "<column name=\"");
		buf_xml(out, key.data, key.n);
		buf_puts(out, "\">");
		line = cut_trimmed(line);
		buf_xml(out, line.data, line.n);
		buf_puts(out, "</column>");
	}
	buf_puts(out, "</item>\n");
}

/* ---- the process and its threads --------------------------------------- */
enum { STAT_PGRP = 5 - 2 };     /* words behind the name, proc(5) */

void
tables_procgroups(const struct inferior *f, struct buf *out)
{
	const struct snap_process *p = &insp_target(f->insp)->process;
	struct span text, word = { "", 0 };
	bool led;

	if (!find_text(f, "stat", &text)) {
		put_absent(f, "process groups", out);
		return;
	}
	const char *end = text.n ? memrchr(text.data, ')', text.n) : NULL;
	if (!end)
		return;
	text.n -= (size_t)(end + 1 - (const char *)text.data);
	text.data = end + 1;
	for (size_t k = 0; k < STAT_PGRP; k++)
		(void)cut_word(&text, &word);
	led = number_of(word) == f->own_pid;
	buf_puts(out, "<item>");
	put_cell(out, "pgid", word);
	osdata_put_text(out, "leader command", led ? p->name : "");
	osdata_put_number(out, "pid", f->pid);
	osdata_put_text(out, "command line",
			p->arguments ? p->arguments : p->name);
	buf_puts(out, "</item>\n");
}

/* A thread's row in the text "threads": tid, state, times, cpu, wchan. */
bool
tables_thread(const struct inferior *f, uint64_t tid, uint64_t *cpu,
	      struct span *wchan)
{
	struct span text, line, cell;
	uint64_t work;

	/* Each thread looks through all of it. */
	if (!find_text(f, "threads", &text)
	    || __builtin_mul_overflow(text.n, f->n_threads, &work)
	    || work > LOOKED_MAX)
		return false;
	while (cut_until(&text, '\n', &line)) {
		if (!cut_until(&line, '\t', &cell) || number_of(cell) != tid)
			continue;
		for (size_t k = 0; k < 4; k++)
			(void)cut_until(&line, '\t', &cell);
		*cpu = number_of(cell);
		return cell.n && *(const char *)cell.data >= '0'
		       && *(const char *)cell.data <= '9'
		       && cut_until(&line, '\t', wchan);
	}
	return false;
}
