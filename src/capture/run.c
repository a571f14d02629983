/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.c: runs a command under ptrace(2) and watches over all that it starts.
 *
 * Seized, not attached: signals and stops are the command's own, and when we
 * are killed the kernel lets everybody go. Limits that follow from tracing: a
 * program that is set-user-ID gains nothing by it (execve(2)); a debugger in
 * the command cannot trace what we trace, nor can LeakSanitizer at its end.
 * While this runs every child of ours is waited for, also those of a caller.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "capture/crash.h"
#include "capture/crowd.h"
#include "capture/tracees.h"

#define OPTIONS (PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK \
		 | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC)
/* What is left of the descendants is let go of within this time. */
#define LEAVE_NS 2000000000u
#define LEAVE_STEP_NS 10000000
/* So much is told by tracees before signals to us are looked at. */
#define EARFUL 256u

struct run {
	const struct capture_command *c;
	struct captured *out;
	struct crowd crowd;
	struct crowd writers;           /* processes that run c->died */
	pid_t command;
	int line;                       /* to the command until it runs */
	bool ended;                     /* the command has */
	bool leaving;                   /* whoever stops is let go of */
	bool suspended;                 /* the terminal's user has said so */
	bool command_stopped;
	sigset_t waited, mask;          /* ours meanwhile; the caller's */
	struct sigaction child;         /* the caller's for SIGCHLD */
};

/* ---- signals to us ----------------------------------------------------- */
/*
 * All are waited for, none is handled. SIGINT and SIGQUIT of the terminal
 * reach the command by themselves.
 */
static void
signals_take(struct run *r)
{
	static const int waited[] = { SIGCHLD, SIGTERM, SIGINT, SIGQUIT,
				      SIGTSTP, SIGTTIN, SIGTTOU };
	const struct sigaction plain = { .sa_handler = SIG_DFL };

	sigemptyset(&r->waited);
	for (size_t k = 0; k < countof(waited); k++)
		sigaddset(&r->waited, waited[k]);
	sigprocmask(SIG_BLOCK, &r->waited, &r->mask);
	sigaction(SIGCHLD, &plain, &r->child);
}

static void
signals_restore(const struct run *r)
{
	sigaction(SIGCHLD, &r->child, NULL);
	sigprocmask(SIG_SETMASK, &r->mask, NULL);
}

/* Those that came too late to be passed on are not for the caller either. */
static void
signals_give_back(const struct run *r)
{
	const struct timespec now = { 0, 0 };

	while (sigtimedwait(&r->waited, NULL, &now) > 0)
		continue;
	signals_restore(r);
}

/* As the command did, so that the shell that waits for us gets its turn. */
static void
suspend_with_command(struct run *r)
{
	sigset_t stop;

	if (!r->suspended || !r->command_stopped)
		return;
	r->suspended = false;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	sigprocmask(SIG_BLOCK, &stop, NULL);
}

static void
signal_arrived(struct run *r, int signal)
{
	if (signal == SIGTERM && !r->ended)
		kill(r->command, SIGTERM);
	if (signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU)
		r->suspended = true;
	suspend_with_command(r);
}

/* ---- pictures ---------------------------------------------------------- */
static void
failed(struct run *r, struct err *why)
{
	r->out->failed++;
	err_free(r->out->trouble);
	r->out->trouble = why;
}

/* The picture is freed here, and with the process there. */
static struct err *
write_apart(struct run *r, struct target *picture)
{
	_target_ struct target *mine = picture;
	pid_t pid = fork();

	if (pid == 0) {
		signals_restore(r);
		_exit(r->c->died(r->c->arg, take(mine)));
	}
	if (pid < 0)
		return err_errno("no process can be started to write the "
				 "picture");
	return crowd_get(&r->writers, pid) ? NULL : err_nomem();
}

/* Everyone of the process, so that no second thread that fails tells again. */
static void
mark_pictured(struct run *r, const struct target *picture)
{
	for (size_t k = 0; k < picture->n_threads; k++) {
		struct member *m = crowd_find(&r->crowd,
				(pid_t)picture->threads[k].tid);
		if (m)
			m->pictured = true;
	}
}

static void
take_picture(struct run *r, struct member *m, int signal)
{
	struct target *picture;

	m->pictured = true;
	struct err *err = crash_take(m->tid, signal, r->c->limits, &picture);
	if (!err) {
		r->out->pictures++;
		mark_pictured(r, picture);
		err = write_apart(r, picture);
	}
	if (err)
		failed(r, err);
}

static void
writer_ended(struct run *r, pid_t pid, int status)
{
	crowd_remove(&r->writers, pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		r->out->failed++;
}

/* ---- stops of tracees -------------------------------------------------- */
static void
let_go(struct run *r, pid_t tid, int signal)
{
	ptrace(PTRACE_DETACH, tid, 0, signal);
	crowd_remove(&r->crowd, tid);
}

static void
go_on(struct run *r, pid_t tid, int signal)
{
	if (r->leaving)
		let_go(r, tid, signal);
	else
		ptrace(PTRACE_CONT, tid, 0, signal);
}

static void
signal_delivered(struct run *r, struct member *m, int signal)
{
	pid_t tid = m->tid;

	if (!m->pictured && !r->leaving && crash_is_near(tid, signal))
		take_picture(r, m, signal);
	go_on(r, tid, signal);
}

/* A stopped process stays so and is woken by its SIGCONT: PTRACE_LISTEN. */
static void
stop_or_trap(struct run *r, pid_t tid, int signal)
{
	bool group = signal != SIGTRAP;

	if (tid == r->command)
		r->command_stopped = group && signal != SIGSTOP;
	if (group && !r->leaving)
		ptrace(PTRACE_LISTEN, tid, 0, 0);
	else
		go_on(r, tid, 0);
	suspend_with_command(r);
}

/* Known from here on, unless it came and went before its parent's report. */
static void
child_attached(struct run *r, pid_t parent)
{
	unsigned long child;

	if (ptrace(PTRACE_GETEVENTMSG, parent, 0, &child) != 0
	    || kill((pid_t)child, 0) != 0)
		return;
	if (!r->leaving || ptrace(PTRACE_INTERRUPT, (pid_t)child, 0, 0) == 0)
		(void)crowd_get(&r->crowd, (pid_t)child);
}

/* A new program: the thread that began it has taken its leader's number. */
static void
program_begun(struct run *r, struct member *m)
{
	pid_t tid = m->tid;
	unsigned long former;

	m->pictured = false;
	if (ptrace(PTRACE_GETEVENTMSG, tid, 0, &former) == 0
	    && (pid_t)former != tid)
		crowd_remove(&r->crowd, (pid_t)former);
}

static void
tracee_stopped(struct run *r, struct member *m, int status)
{
	int event = status >> 16, signal = WSTOPSIG(status);
	pid_t tid = m->tid;

	if (event == 0) {
		signal_delivered(r, m, signal);
		return;
	}
	if (event == PTRACE_EVENT_STOP) {
		stop_or_trap(r, tid, signal);
		return;
	}
	if (event == PTRACE_EVENT_EXEC)
		program_begun(r, m);
	else
		child_attached(r, tid);
	go_on(r, tid, 0);
}

static void
process_told(struct run *r, pid_t pid, int status)
{
	if (crowd_find(&r->writers, pid)) {
		writer_ended(r, pid, status);
		return;
	}
	if (WIFSTOPPED(status)) {
		struct member *m = crowd_get(&r->crowd, pid);

		if (m)
			tracee_stopped(r, m, status);
		else    /* without memory it runs on, unwatched */
			let_go(r, pid, status >> 16 ? 0 : WSTOPSIG(status));
		return;
	}
	crowd_remove(&r->crowd, pid);
	if (pid == r->command) {
		r->ended = true;
		r->out->status = status;
	}
}

/* ---- the loop ---------------------------------------------------------- */
/* Whatever is told, but not without looking up: true if there may be more. */
static bool
hear(struct run *r)
{
	int status;

	for (unsigned k = 0; k < EARFUL; k++) {
		pid_t pid = waitpid(-1, &status, __WALL | WNOHANG);

		/* Somebody else has waited for it, against the contract. */
		if (pid < 0 && errno == ECHILD)
			r->ended = true;
		if (pid <= 0)
			return false;
		process_told(r, pid, status);
	}
	return true;
}

static void
watch(struct run *r)
{
	const struct timespec now = { 0, 0 };

	while (true) {
		bool more = hear(r);
		if (r->ended && r->writers.n == 0)
			return;
		int signal = sigtimedwait(&r->waited, NULL, more ? &now : NULL);
		if (signal > 0)
			signal_arrived(r, signal);
	}
}

/* Let go of whoever is left. One that does not stop for it, since it hangs in
 * the kernel, is let go of when we end. */
static void
leave(struct run *r)
{
	const struct timespec step = { 0, LEAVE_STEP_NS };
	uint64_t deadline = tracees_now() + LEAVE_NS;

	r->leaving = true;
	for (size_t k = r->crowd.n; k-- > 0;) {
		pid_t tid = r->crowd.all[k].tid;

		if (ptrace(PTRACE_INTERRUPT, tid, 0, 0) != 0 && errno == ESRCH)
			crowd_remove(&r->crowd, tid);
	}
	while ((hear(r) || r->crowd.n) && tracees_now() < deadline)
		(void)sigtimedwait(&r->waited, NULL, &step);
}

/* ---- the command ------------------------------------------------------- */
static void
command_begin(const struct run *r, int line)
{
	char *const *argv = r->c->argv;
	char go;

	/* No word: whoever was to watch has gone. */
	if (read(line, &go, 1) != 1)
		_exit(127);
	signals_restore(r);
	execvp(argv[0], argv);
	int why = errno;
	(void)!write(line, &why, sizeof(why));
	_exit(why == ENOENT ? 127 : 126);
}

static struct err *
command_start(struct run *r)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return err_errno("cannot start %s", r->c->argv[0]);
	_close_ int theirs = ends[1];
	r->line = ends[0];
	r->command = fork();
	if (r->command < 0)
		return err_errno("cannot start %s", r->c->argv[0]);
	if (r->command == 0) {
		close(r->line);
		command_begin(r, theirs);
	}
	if (ptrace(PTRACE_SEIZE, r->command, 0, OPTIONS) != 0)
		return err_new(ERR_DENIED, "%s cannot be traced (%s): run it "
			       "where ptrace(2) is allowed", r->c->argv[0],
			       strerror(errno));
	if (!crowd_get(&r->crowd, r->command))
		return err_nomem();
	(void)!send(r->line, "", 1, MSG_NOSIGNAL);
	return NULL;
}

/* Never begun: it ends by itself when its line does. */
static void
command_abandon(struct run *r)
{
	base_close(&r->line);
	r->line = -1;
	if (r->command > 0)
		waitpid(r->command, NULL, __WALL);
}

/* What the command wrote instead of becoming a program. */
static struct err *
command_refused(const struct run *r)
{
	const char *name = r->c->argv[0];
	int why;

	if (recv(r->line, &why, sizeof(why), MSG_DONTWAIT) != sizeof(why))
		return NULL;
	if (why == ENOENT)
		return err_new(ERR_NOTFOUND, "cannot run %s: there is no such "
			       "program", name);
	if (why == EACCES || why == EPERM)
		return err_new(ERR_DENIED, "cannot run %s: %s", name,
			       strerror(why));
	errno = why;
	return err_errno("cannot run %s", name);
}

static struct err *
run(struct run *r)
{
	struct err *err = command_start(r);

	if (err) {
		command_abandon(r);
		return err;
	}
	watch(r);
	leave(r);
	return command_refused(r);
}

struct err *
capture_run(const struct capture_command *c, struct captured *out)
{
	struct captured captured = { .status = 0 };
	struct run r = { .c = c, .out = &captured, .line = -1 };

	signals_take(&r);
	struct err *err = run(&r);
	signals_give_back(&r);
	base_close(&r.line);
	crowd_fini(&r.crowd);
	crowd_fini(&r.writers);
	if (err)
		err_free(captured.trouble);
	else
		*out = captured;
	return err;
}
