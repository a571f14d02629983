/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tasks.c: where each thread of a running process is, and for how long it ran.
 */
#include "capture/around.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The kernel's side of a thousand threads may wait; the process does not. */
#define KERNEL_NS 10000000u
#define TEXT_SIZE 8192u

struct listing {
	struct shot *shot;
	struct buf out;
	struct spell spell;
	size_t unread;                  /* threads after it */
	long ticks;                     /* of a second */
};

static uint64_t
milliseconds(const struct listing *l, uint64_t ticks)
{
	return l->ticks > 0 ? ticks * 1000u / (uint64_t)l->ticks : 0;
}

/* The first line of a thread's file, or '-'. */
static void
put_line(struct listing *l, unsigned long tid, const char *file)
{
	char name[48], text[256];
	struct span rest, line;

	snprintf(name, sizeof(name), "task/%lu/%s", tid, file);
	rest.data = text;
	rest.n = proc_read_some(&l->shot->proc, name, text, sizeof(text));
	buf_putc(&l->out, '\t');
	if (text_line(&rest, &line) && line.n)
		buf_escape(&l->out, line.data, line.n);
	else
		buf_putc(&l->out, '-');
}

static struct err *
keep_stack(struct listing *l, unsigned long tid)
{
	char name[48], text[TEXT_SIZE];
	struct shot *s = l->shot;

	snprintf(name, sizeof(name), "task/%lu/stack", tid);
	size_t n = proc_read_some(&s->proc, name, text, sizeof(text));
	if (!n)
		return NULL;
	struct task *t = vec_add(&s->tasks, s->arena, sizeof(*t));
	if (!t)
		return err_nomem();
	t->tid = tid;
	t->kernel_stack = arena_strndup(s->arena, text, strnlen(text, n));
	return t->kernel_stack ? NULL : err_nomem();
}

static struct err *
add(struct listing *l, unsigned long tid)
{
	struct err *err = NULL;
	struct text_stat stat;
	char room[1024];

	if (!proc_stat(&l->shot->proc, (pid_t)tid, &stat, room))
		return NULL;
	buf_printf(&l->out, "%lu\t%c\t%llu\t%llu\t%d", tid, stat.state,
		   (unsigned long long)milliseconds(l, stat.utime),
		   (unsigned long long)milliseconds(l, stat.stime), stat.cpu);
	if (!spell_is_over(&l->spell)) {
		put_line(l, tid, "wchan");
		put_line(l, tid, "syscall");
		err = keep_stack(l, tid);
	} else {
		buf_puts(&l->out, "\t-\t-");
		l->unread++;
	}
	buf_putc(&l->out, '\n');
	return err;
}

static struct err *
add_all(struct listing *l, DIR *dir)
{
	struct err *err = NULL;
	struct dirent *e;

	while (!err && (e = readdir(dir)))
		if (e->d_name[0] > '0' && e->d_name[0] <= '9')
			err = add(l, strtoul(e->d_name, NULL, 10));
	return err;
}

static struct err *
publish(struct listing *l)
{
	struct err *err = buf_err(&l->out);

	if (!err && l->unread)
		err = shot_gap(l->shot, "where in the kernel %zu threads are "
			       "was not read: it took too long", l->unread);
	return err ? err : around_text(l->shot, "threads", l->out.data,
				       l->out.len);
}

struct err *
around_threads(struct shot *s)
{
	struct listing l = { .shot = s, .ticks = sysconf(_SC_CLK_TCK),
			     .spell = spell_begin(KERNEL_NS) };
	int fd = openat(s->proc.dir, "task", O_RDONLY | O_DIRECTORY
					     | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		base_close(&fd);
		return NULL;
	}
	buf_puts(&l.out, "tid\tstate\tutime_ms\tstime_ms\tcpu\twchan\t"
			 "syscall\n");
	struct err *err = add_all(&l, dir);
	if (!err)
		err = publish(&l);
	buf_fini(&l.out);
	closedir(dir);
	return err;
}

/* ---- afterwards -------------------------------------------------------- */
static int
task_order(const void *a, const void *b)
{
	const struct task *x = a, *y = b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

struct err *
shot_read_after(struct shot *s)
{
	struct target *t = &s->picture->target;
	/* The picture is ours until it is handed out. */
	struct snap_thread *threads = (struct snap_thread *)t->threads;

	if (s->tasks.n)
		qsort(s->tasks.data, s->tasks.n, sizeof(struct task),
		      task_order);
	for (size_t k = 0; k < t->n_threads && s->tasks.n; k++) {
		const struct task key = { .tid = threads[k].tid };
		const struct task *found = bsearch(
			&key, s->tasks.data, s->tasks.n, sizeof(key),
			task_order);
		if (found && !threads[k].kernel_stack)
			threads[k].kernel_stack = found->kernel_stack;
	}
	return NULL;
}
