/* SPDX-License-Identifier: Apache-2.0 */
/*
 * impl: the parts of the jail, for its own files and its tests.
 *
 * All of them act on the calling process and cannot be undone.
 */
#ifndef JAIL_IMPL_H
#define JAIL_IMPL_H

#include "jail/jail.h"

/* AddressSanitizer's shadow alone is 16 TiB of address space, and its
   runtime and ThreadSanitizer's make calls that the code here does not. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define JAIL_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define JAIL_SANITIZED true
#endif
#endif
#ifndef JAIL_SANITIZED
#define JAIL_SANITIZED false
#endif

/** What a child needs to confine itself; all borrowed. */
struct confine {
	const struct jail_limits *limits;
	const int *keep;
	size_t n_keep;
	pid_t parent;           /* who must be alive still */
	const struct jail_program *program;     /* to become; or NULL */
};
/** All of the below, in the order that jail.h promises. */
struct err *confine_self(const struct confine *c) _must_check_;
/** The same but for the filter, which hides whether the rest holds. */
struct err *confine_unfiltered(const struct confine *c) _must_check_;

/** All of it that comes before files and calls. */
struct err *confine_before_files(const struct confine *c) _must_check_;
/** All of it for a program, and become that: it returns with an error only. */
struct err *program_enter(const struct confine *c) _must_check_;

/** Close every descriptor except 0, 1, 2 and @keep, which is reordered. */
struct err *confine_descriptors(int *keep, size_t n) _must_check_;

/** The defaults of jail.h in the place of zeros. */
struct jail_limits limits_of(const struct jail_limits *l);
/** rlimits of the calling process; none is ever raised. */
struct err *limits_set(const struct jail_limits *l) _must_check_;

/** The kernel's Landlock ABI, 0 if it has none. */
int landlock_abi(void);
/** Give up all rights that the kernel's Landlock knows; no-op without. */
struct err *landlock_deny(void) _must_check_;
/** Keep some: what is beneath @path may be… */
enum landlock_use {
	LANDLOCK_READ,
	LANDLOCK_RUN,           /* executed and read */
	LANDLOCK_TALK,          /* read and written, but not made or cut */
};
struct landlock_path {
	const char *path;       /* one that is not there is passed over */
	enum landlock_use use;
};
/** ERR_UNSUPPORTED without Landlock. */
struct err *landlock_allow(const struct landlock_path *paths, size_t n)
	_must_check_;

/** Close the list of system calls. */
struct err *filter_load(void) _must_check_;

/** What jail_lacks() says of @s. */
const char *support_lacks(const struct jail_support *s);

#endif
