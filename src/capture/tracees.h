/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads of one process under ptrace(2): seized, stopped all together,
 * looked at, let go. Never PTRACE_ATTACH, SIGSTOP or PTRACE_O_EXITKILL: when
 * we die the kernel lets go of all, and none was ever sent a signal.
 */
#ifndef CAPTURE_TRACEES_H
#define CAPTURE_TRACEES_H

#include <signal.h>

#include "capture/machine.h"
#include "capture/proc.h"

#define TRACEES_MAX (1u << 20)

enum tracee_at {
	TRACEE_NEW,             /* listed, not ours yet */
	TRACEE_RUNNING,         /* seized */
	TRACEE_STOPPED,         /* in a ptrace-stop that was waited for */
	TRACEE_ENDED,           /* gone, or a zombie */
};
struct tracee {
	pid_t tid;
	uint8_t at;
	bool listed;            /* in the latest list of task/ */
	char before;            /* letter of its state before; 0 = unknown */
	char name[32];          /* "" = unknown */
	int signal;             /* stopped at its delivery; 0 = not so */
	int group_stop;         /* the signal that stopped the process, or 0 */
	bool has_regs, has_siginfo;
	struct user_regs_struct regs;
	siginfo_t siginfo;
	uint32_t set_size[MACHINE_SETS];        /* bytes got; 0 = none */
};
struct tracees {
	const struct proc *proc;        /* borrowed */
	int task;                       /* its task/ */
	bool auto_attached;             /* ours by PTRACE_O_TRACECLONE: do not
					   seize; ends stay to be waited for */
	struct tracee *all;
	size_t n, cap;
	struct machine_set sets[MACHINE_SETS];
	size_t n_sets;
	uint8_t *bytes;                 /* bytes_max for each thread: its sets */
	size_t bytes_max;
};
struct err *tracees_init(struct tracees *s, const struct proc *p)
	_must_check_;
void tracees_fini(struct tracees *s);
struct tracee *tracees_find(struct tracees *s, pid_t tid);
/** What was got of register set @n of s->sets; none if it has n = 0. */
struct span tracees_set(const struct tracees *s, const struct tracee *t,
			size_t n);

/**
 * List the threads and seize the new ones, until there are none. Reads names
 * and states before. ERR_DENIED, ERR_NOTFOUND: of the whole process.
 */
struct err *tracees_seize(struct tracees *s) _must_check_;
/**
 * Interrupt all and wait until all stand still; list again until nothing is
 * new. What does not by @deadline (tracees_now()) stays TRACEE_RUNNING.
 */
struct err *tracees_stop(struct tracees *s, uint64_t deadline) _must_check_;
/** Registers and signal of all that stand still. */
void tracees_read_regs(struct tracees *s);
/**
 * Detach all that stand still; a signal that one was stopped at is delivered,
 * and a process that was stopped by a signal remains so.
 */
void tracees_detach(struct tracees *s);
/** Do all stand still that live? */
bool tracees_all(const struct tracees *s);
/** A thread that lives, as far as is known, or NULL. */
const struct tracee *tracees_alive(const struct tracees *s);
/** A thread that stands still, or NULL. */
const struct tracee *tracees_any(const struct tracees *s);
/** CLOCK_MONOTONIC in nanoseconds. */
uint64_t tracees_now(void);

/* What work may take of the processor; by the clock ten times that, since
 * others may have the processor meanwhile. */
struct spell {
	uint64_t work, clock;   /* when it is over */
};

/** One of so many nanoseconds of this thread's, from now on. */
struct spell spell_begin(uint64_t ns);
bool spell_is_over(const struct spell *s);

#endif
