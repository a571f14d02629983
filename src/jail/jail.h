/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail: children that parse hostile bytes and can do nothing else.
 *
 * A jailed child has the descriptors it was given and nothing more: no paths
 * (Landlock allows none), no network, no new processes, no signals to others
 * (seccomp: everything but a short list ends the child), bounded memory, CPU
 * and wall time, no core dump. The order of confinement in the child is:
 * rlimits, no_new_privs, PDEATHSIG, Landlock, seccomp.
 */
#ifndef JAIL_JAIL_H
#define JAIL_JAIL_H

#include "base/base.h"

#define JAIL_KEEP_MAX 16

/** Zero means the default in parentheses. */
struct jail_limits {
	uint64_t memory;        /* address space, bytes (1 GiB + what is mapped) */
	unsigned cpu_seconds;   /* (10); JAIL_NO_LIMIT for a session */
	unsigned wall_seconds;  /* (60); JAIL_NO_LIMIT for a session */
};
#define JAIL_NO_LIMIT 0xffffffffu

/** The child's work; its return value is the child's exit status. */
typedef int jail_fn(void *arg);

struct jail_child;
/**
 * Fork a child, close all its descriptors except 0, 1, 2 and @keep, confine
 * it and run @fn(@arg) in it. Where the kernel lacks a part of the jail the
 * rest still holds; jail_lacks() says which. ERR_FAILED if no seccomp filter
 * can be installed: then nothing is run.
 */
struct err *jail_spawn(const struct jail_limits *limits, const int *keep,
		       size_t n_keep, jail_fn *fn, void *arg,
		       struct jail_child **out) _must_check_;
/** A descriptor that polls readable when the child has ended; borrowed. */
int jail_pidfd(const struct jail_child *c);
pid_t jail_pid(const struct jail_child *c);
/** Milliseconds until the wall clock limit; -1 = none. For poll(). */
int jail_left_ms(const struct jail_child *c);
/**
 * Wait for the end (killing the child when its wall time is over) and free
 * @c. *@status is its exit status. A child that was killed, crashed, was
 * ended by the filter or overran a limit is ERR_DAMAGED, in words that say
 * which; what it was parsing is for the caller to add.
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
