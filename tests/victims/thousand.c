/* SPDX-License-Identifier: Apache-2.0 */
/* thousand.c: one of many threads dies; THREADS in all, 1,000 if not said. */
#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "victim.h"

#ifndef THREADS
#define THREADS 1000
#endif
enum { N_WORKERS = THREADS - 1, FATAL = THREADS / 2 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

static void
wait_level(int level)
{
	if (level > 0) {
		wait_level(level - 1);
		return;
	}
	pthread_mutex_lock(&mutex);
	pthread_cond_wait(&never, &mutex);
}

static void *
work(void *arg)
{
	char name[16];
	int number = (int)(intptr_t)arg;

	snprintf(name, sizeof(name), "thread-%d", number);
	pthread_setname_np(pthread_self(), name);
	victim_tls = number;
	if (number == FATAL) {
		victim_wait_asleep(N_WORKERS);
		raise(SIGBUS);
	}
	wait_level(number % 5);
	return NULL;
}

int
main(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	for (int i = 0; i < N_WORKERS; i++)
		if (pthread_create(&thread, &attr, work, (void *)(intptr_t)i))
			errx(1, "no thread %d", i);
	pthread_join(thread, NULL);
	return 0;
}
