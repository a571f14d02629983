/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail: starts jailed children, watches their time and says how they ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "jail/impl.h"

/* How often an end is looked for where there is no pidfd. */
#define LOOK_MS 10

struct jail_child {
	pid_t pid;              /* -1: none that would have to be reaped */
	int pidfd;
	struct jail_limits limits;
	int64_t deadline_ms;    /* CLOCK_MONOTONIC; -1 = none */
};

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct jail_child *
child_new(const struct jail_limits *limits)
{
	struct jail_child *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->pid = c->pidfd = -1;
	c->limits = limits_of(limits);
	c->deadline_ms = -1;
	if (c->limits.wall_seconds != JAIL_NO_LIMIT)
		c->deadline_ms = now_ms() +
				 (int64_t)c->limits.wall_seconds * 1000;
	return c;
}

/* Reap the child; the caller made sure that it ends. */
static pid_t
child_reap(struct jail_child *c, int *how, struct rusage *used)
{
	pid_t got;

	do
		got = wait4(c->pid, how, 0, used);
	while (got < 0 && errno == EINTR);
	c->pid = -1;
	return got;
}

static void
child_freep(struct jail_child **c)
{
	if (!*c)
		return;
	if ((*c)->pid > 0) {
		kill((*c)->pid, SIGKILL);
		child_reap(*c, NULL, NULL);
	}
	base_close(&(*c)->pidfd);
	free(*c);
	*c = NULL;
}
#define _child_ _cleanup_(child_freep)

/* What runs in the child: @report is kept for the case that it cannot. */
struct work {
	struct confine confine;
	int report;
	jail_fn *fn;
	void *arg;
};

static _Noreturn void
child_run(const struct work *w)
{
	struct err *err = confine_self(&w->confine);

	if (err) {
		const char *text = err_text(err);
		err_free(io_write(w->report, text, strlen(text)));
		_exit(1);
	}
	close(w->report);
	int status = w->fn ? w->fn(w->arg) : 1;
	fflush(NULL);
	_exit(status);
}

/* Until the child is confined or says why it is not. */
static struct err *
child_ready(int report)
{
	char text[512];
	size_t n = 0;

	while (n < sizeof(text) - 1) {
		ssize_t got = read(report, text + n, sizeof(text) - 1 - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	text[n] = '\0';
	return n ? err_new(ERR_FAILED, "cannot jail a child: %s", text) : NULL;
}

static struct err *
child_fork(struct jail_child *c, struct work *w)
{
	fflush(NULL);   /* else the child would write it a second time */
	w->confine.parent = getpid();
	c->pid = fork();
	if (c->pid < 0)
		return err_errno("cannot start a child");
	if (c->pid == 0)
		child_run(w);
	c->pidfd = pidfd_open(c->pid, 0);
	return NULL;
}

/* Takes nothing of @w; its descriptors to keep have room for one more. */
static struct err *
child_start(const struct jail_limits *limits, struct work *w, int *kept,
	    struct jail_child **out)
{
	int ends[2];

	_child_ struct jail_child *c = child_new(limits);
	if (!c)
		return err_nomem();
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno("cannot make a pipe to a jailed child");
	_close_ int here = ends[0];
	_close_ int there = ends[1];
	kept[w->confine.n_keep++] = there;
	w->confine.keep = kept;
	w->confine.limits = &c->limits;
	w->report = there;
	struct err *err = child_fork(c, w);
	if (err)
		return err;
	base_close(&there);
	there = -1;
	err = child_ready(here);
	if (err)
		return err;
	*out = take(c);
	return NULL;
}

struct err *
jail_spawn(const struct jail_limits *limits, const int *keep, size_t n_keep,
	   jail_fn *fn, void *arg, struct jail_child **out)
{
	struct work work = {
		.confine = { .n_keep = n_keep }, .fn = fn, .arg = arg,
	};
	int kept[JAIL_KEEP_MAX + 1];

	if (n_keep > JAIL_KEEP_MAX)
		return err_new(ERR_LIMIT, "a jailed child cannot keep %zu "
			       "descriptors, only %d", n_keep, JAIL_KEEP_MAX);
	if (n_keep)
		memcpy(kept, keep, n_keep * sizeof(*kept));
	return child_start(limits, &work, kept, out);
}

struct err *
jail_exec(const struct jail_limits *limits, const struct jail_program *p,
	  struct jail_child **out)
{
	struct work work = { .confine = { .program = p } };
	int kept[1];

	return child_start(limits, &work, kept, out);
}

int
jail_pidfd(const struct jail_child *c)
{
	return c->pidfd;
}

pid_t
jail_pid(const struct jail_child *c)
{
	return c->pid;
}

int
jail_left_ms(const struct jail_child *c)
{
	if (c->deadline_ms < 0)
		return -1;
	int64_t left = c->deadline_ms - now_ms();
	if (left <= 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

static bool
has_ended(const struct jail_child *c)
{
	siginfo_t info = { 0 };
	int rc = waitid(P_PID, (id_t)c->pid, &info,
			WEXITED | WNOHANG | WNOWAIT);

	return rc < 0 ? errno != EINTR : info.si_pid != 0;
}

/* Wait until the child has ended (true) or its time has (false). */
static bool
child_await(const struct jail_child *c)
{
	struct pollfd end = { .fd = c->pidfd, .events = POLLIN };

	while (!has_ended(c)) {
		int left = jail_left_ms(c);
		if (left == 0)
			return false;
		if (c->pidfd < 0 && (left < 0 || left > LOOK_MS))
			left = LOOK_MS;
		poll(&end, 1, left);
	}
	return true;
}

/* Ends that a limit did not bring about. */
static const struct ending {
	int signal;
	enum err_kind kind;
	const char *text;
} endings[] = {
	{ SIGSYS, ERR_DAMAGED,
	  "was ended by the jail: it tried a forbidden system call" },
	{ SIGABRT, ERR_DAMAGED, "crashed" },
	{ SIGBUS, ERR_DAMAGED, "crashed" },
	{ SIGFPE, ERR_DAMAGED, "crashed" },
	{ SIGILL, ERR_DAMAGED, "crashed" },
	{ SIGSEGV, ERR_DAMAGED, "crashed" },
	{ SIGTRAP, ERR_DAMAGED, "crashed" },
	{ SIGKILL, ERR_DAMAGED, "was killed, perhaps for want of memory" },
	{ SIGPIPE, ERR_IO, "wrote what nobody reads" },
	{ SIGHUP, ERR_FAILED, "was interrupted" },
	{ SIGINT, ERR_FAILED, "was interrupted" },
	{ SIGTERM, ERR_FAILED, "was interrupted" },
};

static struct err *
ended_by(int sig)
{
	struct ending end = { sig, ERR_DAMAGED, "was ended by a signal" };
	const char *name = sigabbrev_np(sig);

	for (size_t i = 0; i < countof(endings); i++)
		if (endings[i].signal == sig)
			end = endings[i];
	return err_new(end.kind, "the jailed process %s (SIG%s)", end.text,
		       name ? name : "?");
}

static bool
spent_cpu(const struct jail_child *c, int sig, const struct rusage *used)
{
	if (c->limits.cpu_seconds == JAIL_NO_LIMIT)
		return false;
	return sig == SIGXCPU ||
	       (sig == SIGKILL &&
		(uint64_t)used->ru_utime.tv_sec +
		(uint64_t)used->ru_stime.tv_sec >= c->limits.cpu_seconds);
}

struct err *
jail_wait(struct jail_child *child, int *status)
{
	_child_ struct jail_child *c = child;
	struct rusage used;
	int how;
	bool in_time = child_await(c);

	if (!in_time)
		kill(c->pid, SIGKILL);
	if (child_reap(c, &how, &used) < 0)
		return err_errno("cannot learn how the jailed process ended");
	if (WIFEXITED(how)) {
		*status = WEXITSTATUS(how);
		return NULL;
	}
	if (!in_time)
		return err_new(ERR_DAMAGED, "the jailed process took longer "
			       "than %u s", c->limits.wall_seconds);
	if (spent_cpu(c, WTERMSIG(how), &used))
		return err_new(ERR_DAMAGED, "the jailed process took more than "
			       "%u s of CPU time", c->limits.cpu_seconds);
	return ended_by(WTERMSIG(how));
}
