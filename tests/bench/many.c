/* SPDX-License-Identifier: Apache-2.0 */
/*
 * many: a process for rsp.py: THREADS threads that wait a few calls deep, and
 * MIB of memory that does not shrink; prints where that is, and lives until
 * its standard input ends.
 *
 *	many THREADS MIB
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t set_up;

__attribute__((noinline)) static int
wait_for_ever(int number)
{
	pthread_barrier_wait(&set_up);
	pthread_mutex_lock(&lock);
	while (number >= 0)
		pthread_cond_wait(&never, &lock);
	return number;
}

__attribute__((noinline)) static int
descend(int number, int depth)
{
	volatile int here = number * depth;

	if (depth == 0)
		return wait_for_ever(number) + here;
	return descend(number, depth - 1) + here;
}

static void *
thread_run(void *arg)
{
	return (void *)(intptr_t)descend((int)(intptr_t)arg, 3);
}

static void
thread_start(int number)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 * 1024);
	if (pthread_create(&thread, &attr, thread_run,
			   (void *)(intptr_t)number) != 0)
		abort();
}

int
main(int argc, char **argv)
{
	uint64_t state = 88172645463325252u;
	char byte;

	if (argc != 3)
		return 2;
	int threads = atoi(argv[1]);
	size_t size = (size_t)atoi(argv[2]) << 20;
	uint64_t *words = mmap(NULL, size, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (words == MAP_FAILED)
		return 1;
	for (size_t k = 0; k < size / sizeof(*words); k++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		words[k] = state;
	}
	pthread_barrier_init(&set_up, NULL, (unsigned)threads);
	for (int k = 1; k < threads; k++)
		thread_start(k);
	pthread_barrier_wait(&set_up);
	usleep(200000);
	printf("%llx %zx\n", (unsigned long long)(uintptr_t)words, size);
	fflush(stdout);
	return read(STDIN_FILENO, &byte, 1) < 0;
}
