/* SPDX-License-Identifier: Apache-2.0 */
/*
 * about.c: what /proc says of a process as a whole: its texts as they are,
 * and the record of the process.
 */
#include "capture/around.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The picture holds them as the kernel wrote them, cut at these sizes. */
static const struct {
	const char *name;
	size_t max;
} files[] = {
	{ "status", 64u << 10 },
	{ "stat", 4u << 10 },
	{ "statm", 4u << 10 },
	{ "comm", 4u << 10 },
	{ "cmdline", 256u << 10 },
	{ "environ", 256u << 10 },
	{ "limits", 64u << 10 },
	{ "cgroup", 64u << 10 },
	{ "io", 4u << 10 },
	{ "mountinfo", 256u << 10 },
	{ "oom_score", 4u << 10 },
	{ "oom_score_adj", 64 },
	{ "coredump_filter", 4u << 10 },
	{ "sched", 16u << 10 },
	{ "schedstat", 4u << 10 },
	{ "uid_map", 4u << 10 },
	{ "gid_map", 4u << 10 },
	{ "loginuid", 64 },
	{ "attr/current", 4u << 10 },
};

struct err *
around_text(struct shot *s, const char *name, const void *bytes, size_t n)
{
	if (!n)
		return NULL;
	struct snap_blob *slot = vec_add(&s->texts, s->arena, sizeof(*slot));
	if (!slot)
		return err_nomem();
	slot->name = name;
	slot->bytes.n = n;
	slot->bytes.data = arena_dup(s->arena, bytes, n);
	return slot->bytes.data ? NULL : err_nomem();
}

/* A file that is not there, or not for us, is not in the picture. */
static struct err *
read_text(struct shot *s, const char *name, size_t max)
{
	_buf_ struct buf b = { 0 };

	_err_ struct err *none = proc_read(&s->proc, name, max, &b);
	if (none)
		return err_kind(none) == ERR_NOMEM ? take(none) : NULL;
	return around_text(s, name, b.data, b.len);
}

struct span
around_find(const struct shot *s, const char *name)
{
	const struct snap_blob *all = s->texts.data;

	for (size_t k = 0; k < s->texts.n; k++)
		if (strcmp(all[k].name, name) == 0)
			return all[k].bytes;
	return (struct span){ "", 0 };
}

static uint64_t
number(const struct shot *s, const char *field)
{
	uint64_t v;

	return text_status_number(around_find(s, "status"), field, 10, &v) ? v
									 : 0;
}

/* One line, words apart by blanks, as the note of a core has it. */
static const char *
arguments(const struct shot *s)
{
	struct span text = around_find(s, "cmdline");
	const char *from = text.data;

	while (text.n && from[text.n - 1] == '\0')
		text.n--;
	char *line = arena_strndup(s->arena, "", 0);
	if (text.n)
		line = arena_alloc(s->arena, text.n + 1);
	for (size_t k = 0; line && k < text.n; k++)
		line[k] = from[k] ? from[k] : ' ';
	return line;
}

static struct err *
describe(struct shot *s)
{
	struct snap_process *p = &s->picture->target.process;

	p->pid = (uint64_t)s->proc.pid;
	p->ppid = s->before.ppid;
	p->uid = number(s, "Uid");
	p->gid = number(s, "Gid");
	p->name = s->before.name.data;
	p->arguments = arguments(s);
	p->exe = proc_read_link(&s->proc, "exe", s->arena);
	p->cwd = proc_read_link(&s->proc, "cwd", s->arena);
	return p->name && p->arguments ? NULL : err_nomem();
}

/* ---- links ------------------------------------------------------------- */
static const char *const namespaces[] = {
	"cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time",
	"time_for_children", "user", "uts",
};

/* A line each: its name and where it leads, "net:[4026531840]". */
static struct err *
read_namespaces(struct shot *s)
{
	_buf_ struct buf out = { 0 };
	char name[32], to[64];

	for (size_t k = 0; k < countof(namespaces); k++) {
		snprintf(name, sizeof(name), "ns/%s", namespaces[k]);
		ssize_t n = readlinkat(s->proc.dir, name, to, sizeof(to));
		if (n > 0)
			buf_printf(&out, "%s %.*s\n", namespaces[k], (int)n,
				   to);
	}
	struct err *err = buf_err(&out);
	return err ? err : around_text(s, "ns", out.data, out.len);
}

static struct err *
read_root(struct shot *s)
{
	const char *root = proc_read_link(&s->proc, "root", s->arena);

	return root ? around_text(s, "root", root, strlen(root)) : NULL;
}

/* ---- all of it --------------------------------------------------------- */
struct err *
shot_read_texts(struct shot *s)
{
	static struct err *(*const parts[])(struct shot *) = {
		describe, read_root, read_namespaces, around_descriptors,
		around_threads, around_system, around_facts,
	};
	struct err *err = NULL;

	for (size_t k = 0; k < countof(files) && !err; k++)
		err = read_text(s, files[k].name, files[k].max);
	for (size_t k = 0; k < countof(parts) && !err; k++)
		err = parts[k](s);
	return err;
}
