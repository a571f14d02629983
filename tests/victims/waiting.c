/* SPDX-License-Identifier: Apache-2.0 */
/*
 * waiting.c: a program that lives: nine named threads that wait, each in its
 * own way, and only in ways that are taken up again as they were when somebody
 * interrupts them (signal(7): never nanosleep() or poll() with a time). So two
 * debuggers, one after the other, find it in one and the same state.
 */
#include <dlfcn.h>
#include <err.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "library.h"
#include "victim.h"

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t start, gate;
static sem_t empty;
static int quiet_pipe[2];
static plugin_call_fn *plugin_call;

static void
wait_reading(void)
{
	char byte;

	if (read(quiet_pipe[0], &byte, 1) < 0)
		warn("read");
}

static void
wait_locking(void)
{
	pthread_mutex_lock(&held);
}

static void
wait_signalled(void)
{
	pthread_mutex_lock(&mutex);
	pthread_cond_wait(&never, &mutex);
}

static void
wait_posted(void)
{
	sem_wait(&empty);
}

static void
wait_gathered(void)
{
	pthread_barrier_wait(&gate);
}

static int
read_inside(void *where)
{
	(void)where;
	wait_reading();
	return 0;
}

static void
wait_in_library(void)
{
	library_call(plugin_call, read_inside, NULL);
}

static int
descend(int depth)
{
	volatile int here = depth * 3;

	if (depth == 0)
		wait_reading();
	else
		here += descend(depth - 1);
	return here;
}

static void
wait_deep(void)
{
	descend(60);
}

static const struct worker {
	const char *name;
	void (*run)(void);
} workers[] = {
	{ "reader", wait_reading },
	{ "locker", wait_locking },
	{ "waiter", wait_signalled },
	{ "semaphore", wait_posted },
	{ "gathering", wait_gathered },
	{ "caller", wait_in_library },
	{ "deep", wait_deep },
	{ "odd name (x) \\", wait_reading },
};
enum { N_WORKERS = sizeof(workers) / sizeof(workers[0]) };

static void *
work(void *arg)
{
	const struct worker *worker = arg;
	int number = (int)(worker - workers);

	pthread_setname_np(pthread_self(), worker->name);
	victim_tls += number;
	library_set(1000 + number);
	plugin_call(NULL, NULL, 2000 + number);
	pthread_barrier_wait(&start);
	worker->run();
	return NULL;
}

static void
open_plugin(void)
{
	void *plugin = dlopen("./libplugin.so", RTLD_NOW);

	if (!plugin)
		errx(1, "%s", dlerror());
	plugin_call = (plugin_call_fn *)dlsym(plugin, "plugin_call");
	if (!plugin_call)
		errx(1, "%s", dlerror());
}

int
main(void)
{
	pthread_t thread[N_WORKERS];
	char byte;

	open_plugin();
	if (pipe(quiet_pipe))
		err(1, "pipe");
	sem_init(&empty, 0, 0);
	pthread_mutex_lock(&held);
	pthread_barrier_init(&start, NULL, N_WORKERS);
	pthread_barrier_init(&gate, NULL, 2);
	for (int i = 0; i < N_WORKERS; i++)
		pthread_create(&thread[i], NULL, work, (void *)&workers[i]);
	victim_wait_asleep(N_WORKERS);
	puts("ready");
	fflush(stdout);
	/* Until whoever started it closes its end, or writes. */
	if (read(STDIN_FILENO, &byte, 1) < 0)
		warn("read");
	return 0;
}
