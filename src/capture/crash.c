/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crash.c: the picture of a process at the signal that will end it.
 */
#include "capture/crash.h"

#include <signal.h>
#include <sys/ptrace.h>

#include "capture/shot.h"

#define STATUS_MAX 65536u

/* ---- is it one --------------------------------------------------------- */
/* Those whose default action is "core" in signal(7). */
static bool
dumps_core(int signal)
{
	static const int signals[] = {
		SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV,
		SIGXCPU, SIGXFSZ, SIGSYS,
	};

	for (size_t k = 0; k < countof(signals); k++)
		if (signals[k] == signal)
			return true;
	return false;
}

static struct err *
read_status(pid_t tid, struct buf *out)
{
	struct proc p = { .dir = -1 };

	struct err *err = proc_open(tid, &p);
	if (!err)
		err = proc_read(&p, "status", STATUS_MAX, out);
	proc_fini(&p);
	return err;
}

/*
 * A fault whose handler is blocked or ignored has had it reset by the kernel
 * before this stop: what the masks say is what will happen.
 */
bool
crash_is_near(pid_t tid, int signal)
{
	static const char *const masks[] = { "SigCgt", "SigIgn" };
	_buf_ struct buf status = { 0 };

	if (!dumps_core(signal))
		return false;
	_err_ struct err *err = read_status(tid, &status);
	if (err)
		return false;
	for (size_t k = 0; k < countof(masks); k++) {
		const struct span text = { status.data, status.len };
		uint64_t mask;

		if (!text_status_number(text, masks[k], 16, &mask)
		    || mask & (1ull << (signal - 1)))
			return false;
	}
	return true;
}

static struct err *
process_of(pid_t tid, pid_t *out)
{
	_buf_ struct buf status = { 0 };
	uint64_t leader;

	struct err *err = read_status(tid, &status);
	if (err)
		return err;
	const struct span text = { status.data, status.len };
	if (!text_status_number(text, "Tgid", 10, &leader))
		return err_new(ERR_FAILED, "/proc/%d/status does not name its "
			       "process", (int)tid);
	*out = (pid_t)leader;
	return NULL;
}

/* ---- the picture ------------------------------------------------------- */
/* Only these carry si_addr, and only when the kernel raised them. */
static bool
has_address(const siginfo_t *info)
{
	int signal = info->si_signo;

	return info->si_code > 0 && info->si_code != SI_KERNEL
	       && (signal == SIGSEGV || signal == SIGBUS || signal == SIGILL
		   || signal == SIGFPE || signal == SIGTRAP);
}

static void
tell_cause(struct shot *s, const struct tracee *t)
{
	struct snap_process *p = &s->picture->target.process;

	p->faulting_tid = (uint64_t)t->tid;
	p->signal = t->signal;
	if (!t->has_siginfo)
		return;
	p->signal_code = t->siginfo.si_code;
	p->has_fault_address = has_address(&t->siginfo);
	if (p->has_fault_address)
		p->fault_address = (uint64_t)(uintptr_t)t->siginfo.si_addr;
}

/* As they were: a signal is delivered, a stopped process stays stopped. */
static void
resume_others(const struct shot *s)
{
	for (size_t k = 0; k < s->tracees.n; k++) {
		const struct tracee *t = &s->tracees.all[k];

		if (t->at != TRACEE_STOPPED || t->tid == s->faulting)
			continue;
		if (t->group_stop)
			ptrace(PTRACE_LISTEN, t->tid, 0, 0);
		else
			ptrace(PTRACE_CONT, t->tid, 0, t->signal);
	}
}

static struct err *
stop_and_take(struct shot *s, int signal)
{
	uint64_t began = tracees_now();

	s->tracees.auto_attached = true;
	struct err *err = tracees_seize(&s->tracees);
	struct tracee *t = tracees_find(&s->tracees, s->faulting);
	if (err || !t)
		return err ? err : err_new(ERR_NOTFOUND, "thread %d has ended",
					   (int)s->faulting);
	t->at = TRACEE_STOPPED;
	t->signal = signal;
	err = tracees_stop(&s->tracees,
			   began + s->limits.stop_ms * 1000000ull);
	if (!err)
		err = shot_prepare(s);
	if (!err)
		err = shot_take(s, began);
	resume_others(s);
	s->pause_ns = tracees_now() - began;
	if (!err)
		tell_cause(s, tracees_find(&s->tracees, s->faulting));
	return err;
}

struct err *
crash_take(pid_t tid, int signal, const struct capture_limits *limits,
	   struct target **out)
{
	struct shot s;
	pid_t pid;

	struct err *err = process_of(tid, &pid);
	if (err)
		return err;
	err = shot_open(&s, pid, limits);
	s.faulting = tid;
	if (!err)
		err = stop_and_take(&s, signal);
	if (!err)
		err = shot_finish(&s, out);
	shot_fini(&s);
	return err;
}
