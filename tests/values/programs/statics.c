/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statics: of functions and of files, with one name in two files; thread-local
 * variables; external ones declared in a block.
 */
#include <pthread.h>
#include <stdlib.h>

#include "stop.h"

static int shared_name = 1;
static int shared_function(int n);
int other_file(int n);
int of_everybody = 10;
_Thread_local int own = 1;
static _Thread_local struct {
	int a, b;
} own_pair = { 2, 3 };
static pthread_barrier_t both;

static int
shared_function(int n)
{
	static int calls;
	static const char *const names[] = { "one", "two" };
	static struct {
		int x;
		char text[6];
	} record = { 5, "five" };

	calls += n;
	shared_name += n;
	if (n == 3) {
		static int inner = 77;
		extern int of_everybody;

		stop(1);
		keep(&inner);
		of_everybody++;
	}
	keep(names);
	keep(&record);
	return calls;
}

static void *
wait_here(void *what)
{
	static _Thread_local int of_thread = 4;
	int *number = what;

	own = *number;
	own_pair.a = own * 2;
	of_thread += own;
	keep(&of_thread);
	pthread_barrier_wait(&both);
	for (;;)
		keep(what);
	return NULL;
}

static NOINLINE int
with_threads(void)
{
	pthread_t threads[2];
	int numbers[2] = { some(21), some(22) };

	pthread_barrier_init(&both, NULL, 3);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, wait_here, &numbers[i]);
	pthread_barrier_wait(&both);
	stop(2);
	/* What is not asked for has no end of its own. */
	exit(0);
}

int
main(void)
{
	shared_function(some(2));
	other_file(some(4));
	shared_function(some(3));
	return with_threads();
}
