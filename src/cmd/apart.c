/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apart.c: a process for work that nobody waits for.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "cmd/apart.h"

/* Nobody who waits for the end of a pipe of ours waits for this. */
static void
apart_let_go(int keep)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)!nice(19);
	for (int fd = 0; fd <= STDERR_FILENO && null >= 0; fd++)
		dup2(null, fd);
	if (keep > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned)keep - 1, 0);
	close_range((unsigned)keep + 1, ~0u, 0);
}

bool
apart(int keep)
{
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		apart_let_go(keep);
		return true;
	}
	/* What is sent to our group, as when we have ended, is not for it. */
	if (pid > 0)
		(void)setpgid(pid, pid);
	return false;
}

bool
apart_alone(int dir, int *lock)
{
	*lock = openat(dir, ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
		       0600);
	return *lock >= 0 && flock(*lock, LOCK_EX | LOCK_NB) == 0;
}
