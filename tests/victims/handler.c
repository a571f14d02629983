/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handler.c: abort() inside a signal handler on its own stack, which a null
 * dereference has entered.
 */
#include <signal.h>
#include <stdlib.h>

#include "victim.h"

static char alternate[64 * 1024];
static volatile int handled;

static void
on_segv(int signo, siginfo_t *info, void *context)
{
	(void)context;
	handled = signo + (info->si_addr == (void *)0x30);
	abort();
}

static int
dereference(struct victim_node *node)
{
	volatile int *at = &node->id;

	return at[12];
}

int
main(void)
{
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	struct sigaction action = {
		.sa_sigaction = on_segv,
		.sa_flags = SA_SIGINFO | SA_ONSTACK,
	};

	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &action, NULL);
	return dereference(NULL);
}
