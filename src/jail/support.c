/* SPDX-License-Identifier: Apache-2.0 */
/*
 * support: what the running kernel offers the jail, and what it lacks.
 */
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jail/impl.h"

static bool
offers_seccomp(void)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static bool
offers_pidfd(void)
{
	_close_ int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	return fd >= 0;
}

void
jail_probe(struct jail_support *out)
{
	*out = (struct jail_support){
		.landlock_abi = landlock_abi(),
		.seccomp = offers_seccomp(),
		.pidfd = offers_pidfd(),
	};
}

const char *
support_lacks(const struct jail_support *s)
{
	/* [Landlock is there][pidfd is there] */
	static const char *const sentences[2][2] = {
		{
			"this kernel offers neither Landlock nor pidfd: jailed "
			"children are held by seccomp and resource limits "
			"alone, and their end is noticed late",
			"this kernel offers no Landlock: jailed children are "
			"held by seccomp and resource limits alone",
		}, {
			"this kernel offers no pidfd: the end of a jailed "
			"child is noticed late",
			NULL,
		},
	};

	if (!s->seccomp)
		return "this kernel offers no seccomp filters: there is no "
		       "jail, and no file is opened without one";
	return sentences[s->landlock_abi > 0][s->pidfd];
}

const char *
jail_lacks(void)
{
	struct jail_support now;

	jail_probe(&now);
	return support_lacks(&now);
}
