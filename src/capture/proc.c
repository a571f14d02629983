/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc.c: reads the files of one process in /proc.
 */
#include "capture/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_PIECE 65536
#define LINK_MAX 4096
#define STATUS_MAX 65536u

struct err *
proc_open(pid_t pid, struct proc *out)
{
	char path[32];

	if (pid <= 0)
		return err_new(ERR_USAGE, "%d is not the number of a process",
			       (int)pid);
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 && (errno == ENOENT || errno == ESRCH))
		return err_new(ERR_NOTFOUND, "there is no process %d; "
			       "\"ps -e\" lists those that there are", (int)pid);
	if (dir < 0)
		return err_errno("%s", path);
	out->pid = out->through = pid;
	out->dir = dir;
	return NULL;
}

void
proc_fini(struct proc *p)
{
	base_close(&p->dir);
	p->dir = -1;
}

/* ---- past a first thread that has ended -------------------------------- */
static bool
is_thread_of(const struct proc *p, pid_t pid)
{
	_buf_ struct buf status = { 0 };
	uint64_t leader = 0;

	_err_ struct err *err = proc_read(p, "status", STATUS_MAX, &status);
	const struct span text = { status.data, status.len };
	return !err && text_status_number(text, "Tgid", 10, &leader)
	       && leader == (uint64_t)pid;
}

/* Its number may be another one's by now. */
static bool
look_through(struct proc *p, pid_t tid)
{
	struct proc other = { .dir = -1 };
	struct text_stat stat;
	char room[1024];

	_err_ struct err *err = proc_open(tid, &other);
	bool lives = !err && proc_stat(&other, 0, &stat, room)
		     && stat.state != 'Z' && stat.state != 'X'
		     && is_thread_of(&other, p->pid);
	if (lives) {
		base_close(&p->dir);
		p->dir = other.dir;
		other.dir = -1;
		p->through = tid;
	}
	proc_fini(&other);
	return lives;
}

bool
proc_look_through(struct proc *p)
{
	int fd = openat(p->dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	bool found = false;

	if (!dir)
		base_close(&fd);
	for (struct dirent *e; dir && !found && (e = readdir(dir)); )
		if (e->d_name[0] != '.')
			found = look_through(p, (pid_t)atoi(e->d_name));
	if (dir)
		closedir(dir);
	return found;
}

/* ---- its files --------------------------------------------------------- */
struct err *
proc_read(const struct proc *p, const char *name, size_t max, struct buf *out)
{
	_close_ int fd = openat(p->dir, name, O_RDONLY | O_CLOEXEC);
	_free_ char *piece = malloc(READ_PIECE);
	size_t total = 0;
	ssize_t got;

	if (!piece)
		return err_nomem();
	if (fd < 0)
		return err_errno("/proc/%d/%s", (int)p->pid, name);
	while (total < max) {
		size_t want = max - total < READ_PIECE ? max - total
						       : READ_PIECE;
		got = read(fd, piece, want);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno("/proc/%d/%s", (int)p->pid, name);
		if (got == 0)
			break;
		buf_put(out, piece, (size_t)got);
		total += (size_t)got;
	}
	return buf_err(out);
}

size_t
proc_read_some(const struct proc *p, const char *name, void *out, size_t size)
{
	_close_ int fd = openat(p->dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, out, size);

	return got < 0 ? 0 : (size_t)got;
}

const char *
proc_read_link(const struct proc *p, const char *name, struct arena *a)
{
	char to[LINK_MAX];
	ssize_t n = readlinkat(p->dir, name, to, sizeof(to));

	if (n <= 0 || (size_t)n == sizeof(to))
		return NULL;
	return arena_strndup(a, to, (size_t)n);
}

bool
proc_same_file(const struct proc *p, const char *name, const char *path)
{
	struct stat theirs, ours;

	if (fstatat(p->dir, name, &theirs, 0) < 0 || stat(path, &ours) < 0)
		return true;
	return theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

bool
proc_stat(const struct proc *p, pid_t tid, struct text_stat *out,
	  char room[static 1024])
{
	char name[32] = "stat";

	if (tid)
		snprintf(name, sizeof(name), "task/%d/stat", (int)tid);
	size_t n = proc_read_some(p, name, room, 1024);
	return text_stat((struct span){ room, n }, out);
}

/* ---- why not ----------------------------------------------------------- */
/* What TracerPid names may be a thread: of which process, and its name. */
static pid_t
describe(pid_t tid, struct buf *name)
{
	_buf_ struct buf status = { 0 };
	struct proc p = { .dir = -1 };
	struct span value = { "unknown", 7 };
	uint64_t leader = (uint64_t)tid;

	_err_ struct err *err = proc_open(tid, &p);
	if (!err)
		err = proc_read(&p, "status", STATUS_MAX, &status);
	const struct span text = { status.data, status.len };
	(void)!text_status(text, "Name", &value);
	(void)!text_status_number(text, "Tgid", 10, &leader);
	buf_put(name, value.data, value.n);
	proc_fini(&p);
	return (pid_t)leader;
}

static struct err *
denied_traced(const struct proc *p, pid_t tracer)
{
	_buf_ struct buf name = { 0 };
	pid_t pid = describe(tracer, &name);

	return err_new(ERR_DENIED, "process %d is traced already, by process "
		       "%d (%s), and the system allows one tracer: end that "
		       "one or let it detach, then try again", (int)p->pid,
		       (int)pid, name.data ? name.data : "");
}

/* Yama's setting (proc(5)); 0 where the kernel has none. */
static unsigned
ptrace_scope(void)
{
	_buf_ struct buf text = { .max = 64 };

	_err_ struct err *err =
		io_read_file("/proc/sys/kernel/yama/ptrace_scope", 64, &text);
	return err || !text.len ? 0 : (unsigned)(text.data[0] - '0');
}

static struct err *
denied_plainly(const struct proc *p, uint64_t uid)
{
	unsigned scope = ptrace_scope();

	if (geteuid() != 0 && uid != geteuid())
		return err_new(ERR_DENIED, "process %d belongs to user %llu: "
			       "try again as that user, or as root",
			       (int)p->pid, (unsigned long long)uid);
	if (scope > 0)
		return err_new(ERR_DENIED, "the system does not allow to trace "
			       "process %d (kernel.yama.ptrace_scope is %u): "
			       "try again as root, or run the program under "
			       "\"inquest capture --\"", (int)p->pid, scope);
	return err_new(ERR_DENIED, "the system does not allow to trace process "
		       "%d: it protects itself (prctl(2), PR_SET_DUMPABLE), or "
		       "has rights that we lack; try again as root with "
		       "CAP_SYS_PTRACE", (int)p->pid);
}

struct err *
proc_why_denied(const struct proc *p)
{
	_buf_ struct buf status = { 0 };
	uint64_t tracer, uid;

	struct err *err = proc_read(p, "status", STATUS_MAX, &status);
	if (err) {
		err_free(err);
		return err_new(ERR_NOTFOUND, "process %d has ended",
			       (int)p->pid);
	}
	const struct span text = { status.data, status.len };
	if (text_status_number(text, "TracerPid", 10, &tracer) && tracer)
		return denied_traced(p, (pid_t)tracer);
	if (!text_status_number(text, "Uid", 10, &uid))
		uid = geteuid();
	return denied_plainly(p, uid);
}
