/* SPDX-License-Identifier: Apache-2.0 */
/* child.c: the child of a fork crashes while its parent lives and waits. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "victim.h"

static int
divide(int a, volatile int *b)
{
	return a / *b;
}

static void
live_as_child(void)
{
	victim_numbers[0] = 1234;
	victim_tls = 7;
	divide(victim_numbers[0], &victim_unset[3]);
}

int
main(void)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		live_as_child();
		return 0;
	}
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? 0 : 1;
}
