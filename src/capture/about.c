/* SPDX-License-Identifier: Apache-2.0 */
/*
 * about.c: what /proc says of a process as a whole: its texts as they are,
 * and the record of the process.
 */
#include "capture/shot.h"

#include <string.h>

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
	{ "coredump_filter", 4u << 10 },
};

/* A file that is not there, or not for us, is not in the picture. */
static struct err *
read_text(struct shot *s, const char *name, size_t max)
{
	_buf_ struct buf b = { 0 };

	_err_ struct err *none = proc_read(&s->proc, name, max, &b);
	if (none || b.len == 0)
		return none && err_kind(none) == ERR_NOMEM ? take(none) : NULL;
	struct snap_blob *slot = vec_add(&s->texts, s->arena, sizeof(*slot));
	if (!slot)
		return err_nomem();
	slot->name = name;
	slot->bytes.n = b.len;
	slot->bytes.data = arena_dup(s->arena, b.data, b.len);
	return slot->bytes.data ? NULL : err_nomem();
}

static struct span
find_text(const struct shot *s, const char *name)
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

	return text_status_number(find_text(s, "status"), field, 10, &v) ? v
									 : 0;
}

/* One line, words apart by blanks, as the note of a core has it. */
static const char *
arguments(const struct shot *s)
{
	struct span text = find_text(s, "cmdline");
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

struct err *
shot_read_texts(struct shot *s)
{
	struct err *err = NULL;

	for (size_t k = 0; k < countof(files) && !err; k++)
		err = read_text(s, files[k].name, files[k].max);
	return err ? err : describe(s);
}
