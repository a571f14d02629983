/* SPDX-License-Identifier: Apache-2.0 */
/*
 * caught.c: a program that lives: one thread waits inside a signal handler on
 * a stack of its own, which a null dereference has entered; another inside one
 * that it was sent to.
 */
#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "victim.h"

static char alternate[64 * 1024];
static volatile int handled;
static pthread_barrier_t start;

static void
stay(void)
{
	char byte;

	if (read(STDIN_FILENO, &byte, 1) < 0)
		warn("read");
	_exit(0);
}

static void
on_user(int signo)
{
	handled = signo;
	stay();
}

static void
on_segv(int signo, siginfo_t *info, void *context)
{
	(void)context;
	handled = signo + (info->si_addr == (void *)0x30);
	victim_wait_asleep(1);
	puts("ready");
	fflush(stdout);
	stay();
}

static int
dereference(struct victim_node *node)
{
	volatile int *at = &node->id;

	return at[12];
}

static void *
work(void *arg)
{
	victim_tls = *(const int *)arg;
	pthread_barrier_wait(&start);
	raise(SIGUSR1);
	return NULL;
}

int
main(void)
{
	static const int mine = 7;
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	struct sigaction on_fault = {
		.sa_sigaction = on_segv,
		.sa_flags = SA_SIGINFO | SA_ONSTACK,
	};
	struct sigaction on_call = { .sa_handler = on_user };
	pthread_t thread;

	pthread_barrier_init(&start, NULL, 2);
	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &on_fault, NULL);
	sigaction(SIGUSR1, &on_call, NULL);
	pthread_setname_np(pthread_self(), "faulted");
	if (pthread_create(&thread, NULL, work, (void *)&mine))
		errx(1, "no thread");
	pthread_setname_np(thread, "called");
	pthread_barrier_wait(&start);
	return dereference(NULL);
}
