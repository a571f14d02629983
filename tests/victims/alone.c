/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alone.c: a program without libraries: threads and a thread-local variable
 * in a static executable, and a write to memory that is read-only.
 */
#include <pthread.h>
#include <unistd.h>

#include "victim.h"

static void *
work(void *arg)
{
	pthread_setname_np(pthread_self(), "bystander");
	victim_tls = *(int *)arg;
	for (;;)
		pause();
	return NULL;
}

static void
overwrite(const char *const *name)
{
	*(volatile char *)name[1] = 'x';
}

int
main(void)
{
	pthread_t thread;
	int number = 200;

	victim_tls = 150;
	pthread_create(&thread, NULL, work, &number);
	victim_wait_asleep(1);
	overwrite(victim_names);
	return 0;
}
