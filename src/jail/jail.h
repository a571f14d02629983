/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail: children that parse hostile bytes and can do nothing else.
 *
 * A jailed child has the descriptors it was given and nothing more: no paths
 * (Landlock allows none), no network, no new processes, no signals to others
 * (seccomp: everything but a short list ends the child), bounded memory, CPU
 * and wall time, no core dump. The order of confinement in the child is:
 * rlimits, no_new_privs, PDEATHSIG, Landlock, seccomp.
 *
 * What the child may still call stands in one table, in filter.c. It cannot
 * start threads, load libraries or locales, or read /proc: all that must have
 * happened before. The memory limit is off in builds with a sanitizer that
 * needs the whole address space.
 */
#ifndef JAIL_JAIL_H
#define JAIL_JAIL_H

#include "base/base.h"

#define JAIL_KEEP_MAX 16

/**
 * Zero means the default in parentheses. @file_size counts for every regular
 * file the child writes, also for one that its stdout or stderr was
 * redirected to; a write past it fails with EFBIG.
 */
struct jail_limits {
	uint64_t memory;        /* address space beyond what is mapped at the
				   fork, bytes (1 GiB) */
	uint64_t file_size;     /* no file grows past it, bytes (0: none may
				   be written); JAIL_ANY_SIZE */
	unsigned cpu_seconds;   /* (10); JAIL_NO_LIMIT for a session */
	unsigned wall_seconds;  /* (60); JAIL_NO_LIMIT for a session */
};
#define JAIL_NO_LIMIT 0xffffffffu
#define JAIL_ANY_SIZE UINT64_MAX

/** The child's work; its return value is the child's exit status. */
typedef int jail_fn(void *arg);

struct jail_child;
/**
 * Fork a child, close all its descriptors except 0, 1, 2 and @keep, confine
 * it and run @fn(@arg) in it; then its stdio is flushed and it ends without
 * atexit handlers. Signals that are ignored stay so, handlers are not
 * inherited. Where the kernel lacks Landlock or pidfd the rest still
 * holds; jail_lacks() says which. ERR_FAILED if the child cannot be confined:
 * then nothing is run. Returns when the jail is closed around the child.
 *
 * The child dies with the calling thread. SIGCHLD must not be ignored.
 */
struct err *jail_spawn(const struct jail_limits *limits, const int *keep,
		       size_t n_keep, jail_fn *fn, void *arg,
		       struct jail_child **out) _must_check_;
/* ---- another program ---- */
#define JAIL_PATHS_MAX 24u
/**
 * It may execute nothing but itself, open no socket, start and signal nobody,
 * write into no file; it reads what is beneath @reads alone. What it is told on
 * its stdin may be hostile.
 */
struct jail_program {
	const char *path;               /* absolute; an ELF executable */
	const char *const *argv;        /* NULL ends; so does it for: */
	const char *const *reads;       /* those that are not there are none */
	const char *terminal;           /* that it may open, to read and write;
					   or NULL */
	int io;                         /* becomes its stdin and stdout */
};
/** Run @p instead of a function; its environment is empty but for what every
 * program needs. ERR_UNSUPPORTED where the kernel has no Landlock. */
struct err *jail_exec(const struct jail_limits *limits,
		      const struct jail_program *p, struct jail_child **out)
	_must_check_;

/**
 * A descriptor that polls readable when the child has ended; borrowed. -1 if
 * the kernel has none.
 */
int jail_pidfd(const struct jail_child *c);
pid_t jail_pid(const struct jail_child *c);
/** Milliseconds until the wall clock limit; -1 = none. For poll(). */
int jail_left_ms(const struct jail_child *c);
/**
 * Wait for the end (killing the child when its wall time is over) and free
 * @c. *@status is its exit status. A child that crashed, was killed, was
 * ended by the filter or overran a limit is ERR_DAMAGED, in words that say
 * which; what it was parsing is for the caller to add. A person's interrupt
 * is ERR_FAILED and output that nobody reads (SIGPIPE) is ERR_IO.
 */
struct err *jail_wait(struct jail_child *c, int *status) _must_check_;

/** What the running kernel offers. */
struct jail_support {
	int landlock_abi;       /* 0 = none */
	bool seccomp;
	bool pidfd;
};
void jail_probe(struct jail_support *out);
/** One sentence on what is missing and what that means; NULL = all there. */
const char *jail_lacks(void);

#endif
