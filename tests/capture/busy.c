/* SPDX-License-Identifier: Apache-2.0 */
/*
 * busy HOW N FILE: a program that lives and shows that it does: FILE holds
 * 64-bit counters that go up, the first of them when all else is set up.
 *
 *   threads     N threads, each with its counter, which it adds to 50 times a
 *               second
 *   spawn       N threads that start and end others all the time
 *   leaderless  as threads, but the first thread has ended
 *   vfork       one thread waits in vfork() for a child that sleeps; its
 *               number is the second counter
 *   exec        begins itself anew, N times and more
 *   signals     adds up the SIGRTMIN that come
 *   heap        N MiB that are written to
 */
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define COUNTERS 4096
#define STACK (64u << 10)

static _Atomic uint64_t *counters;
static char **words;
static long number;

static void
map_counters(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, COUNTERS * 8))
		err(1, "%s", path);
	counters = mmap(NULL, COUNTERS * 8, PROT_READ | PROT_WRITE, MAP_SHARED,
			fd, 0);
	if (counters == MAP_FAILED)
		err(1, "%s", path);
	close(fd);
}

static void
nap(void)
{
	const struct timespec t = { 0, 20000000 };

	nanosleep(&t, NULL);
}

static void *
count(void *counter)
{
	while (1) {
		atomic_fetch_add((_Atomic uint64_t *)counter, 1);
		nap();
	}
	return NULL;
}

static void
start(void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, run, arg))
		errx(1, "no thread");
}

static void
be_threads(void)
{
	for (long k = 1; k < number; k++)
		start(count, (void *)&counters[k]);
	count((void *)&counters[0]);
}

static void
be_leaderless(void)
{
	for (long k = 0; k < number; k++)
		start(count, (void *)&counters[k]);
	pthread_exit(NULL);
}

static void *
come_and_go(void *arg)
{
	(void)arg;
	return NULL;
}

static void *
spawn(void *counter)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	while (1) {
		if (!pthread_create(&thread, &attr, come_and_go, NULL))
			pthread_join(thread, NULL);
		atomic_fetch_add((_Atomic uint64_t *)counter, 1);
		if (number > 16)
			nap();
	}
	return NULL;
}

static void
be_spawning(void)
{
	for (long k = 1; k < number; k++)
		start(spawn, (void *)&counters[k]);
	spawn((void *)&counters[0]);
}

static void
be_vfork(void)
{
	pid_t child = vfork();

	if (child == 0) {
		counters[1] = (uint64_t)getpid();
		counters[0] = 1;
		while (1)
			pause();
	}
	count((void *)&counters[0]);
}

static void
be_exec(void)
{
	atomic_fetch_add(&counters[0], 1);
	execv("/proc/self/exe", words);
	err(1, "exec");
}

static void
arrived(int signal)
{
	(void)signal;
	atomic_fetch_add(&counters[1], 1);
}

static void
be_signalled(void)
{
	const struct sigaction act = { .sa_handler = arrived };

	sigaction(SIGRTMIN, &act, NULL);
	count((void *)&counters[0]);
}

static void
be_large(void)
{
	size_t n = (size_t)number << 20;
	char *heap = malloc(n);

	for (size_t k = 0; heap && k < n; k += sizeof(k))
		memcpy(heap + k, &k, sizeof(k));
	count((void *)&counters[0]);
}

static const struct {
	const char *how;
	void (*be)(void);
} ways[] = {
	{ "threads", be_threads }, { "leaderless", be_leaderless },
	{ "spawn", be_spawning }, { "vfork", be_vfork }, { "exec", be_exec },
	{ "signals", be_signalled }, { "heap", be_large },
};

int
main(int argc, char **argv)
{
	if (argc != 4)
		errx(2, "HOW N FILE");
	/* Not left behind by a test that is killed. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	words = argv;
	number = atol(argv[2]);
	map_counters(argv[3]);
	for (size_t k = 0; k < sizeof(ways) / sizeof(ways[0]); k++)
		if (strcmp(argv[1], ways[k].how) == 0)
			ways[k].be();
	return 2;
}
