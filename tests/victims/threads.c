/* SPDX-License-Identifier: Apache-2.0 */
/*
 * threads.c: a null dereference in one of eight named threads, the others
 * waiting each in its own way; thread-local variables in the executable, in
 * a linked library and in a library opened by a relative name.
 */
#include <dlfcn.h>
#include <err.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "library.h"
#include "victim.h"

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t start;
static sem_t empty;
static int quiet_pipe[2];
static plugin_call_fn *plugin_call;
static volatile int spin = 1;

static void
wait_sleeping(void)
{
	const struct timespec long_time = { 3600, 0 };

	nanosleep(&long_time, NULL);
}

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
wait_polling(void)
{
	struct pollfd fd = { .fd = quiet_pipe[0], .events = POLLIN };

	poll(&fd, 1, -1);
}

static void
wait_posted(void)
{
	sem_wait(&empty);
}

static void
wait_spinning(void)
{
	while (spin)
		;
}

static int
dereference(void *where)
{
	return *(volatile int *)where;
}

static void
crash(void)
{
	/* Six workers and main sleep; this one and the spinner do not. */
	victim_wait_asleep(7);
	library_call(plugin_call, dereference, NULL);
}

static const struct worker {
	const char *name;
	void (*run)(void);
} workers[] = {
	{ "sleeper", wait_sleeping },
	{ "reader", wait_reading },
	{ "locker", wait_locking },
	{ "waiter", wait_signalled },
	{ "poller", wait_polling },
	{ "semaphore", wait_posted },
	{ "spinner", wait_spinning },
	{ "crasher", crash },
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

	open_plugin();
	if (pipe(quiet_pipe))
		err(1, "pipe");
	sem_init(&empty, 0, 0);
	pthread_mutex_lock(&held);
	pthread_barrier_init(&start, NULL, N_WORKERS);
	for (int i = 0; i < N_WORKERS; i++)
		pthread_create(&thread[i], NULL, work, (void *)&workers[i]);
	for (int i = 0; i < N_WORKERS; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
