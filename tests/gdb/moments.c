/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process whose moments differ, for timeline.py: after each byte on standard
 * input it says "." when the next one has come.
 *   1  two threads
 *   2  three threads, and a library more
 *   3  two threads again
 * With an argument it forks first: parent and child stand in functions of
 * their own, and the child tells its pid.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

volatile int moment = 1;
volatile long watched[2] = { 10, 20 };
static int ends[2];

int
twice(int n)
{
	return 2 * n;
}

struct box {
	long side[6];
} box = { { 1, 2, 3, 4, 5, 6 } };

long
room(struct box b, int n)
{
	return b.side[0] * n;
}

static void *
wait_for_a_byte(void *arg)
{
	char byte;

	(void)arg;
	return read(ends[0], &byte, 1) == 1 ? NULL : arg;
}

static void *
stay(void *arg)
{
	pause();
	return arg;
}

static void
in_the_child(void)
{
	for (;;)
		pause();
}

static void
in_the_parent(void)
{
	for (;;)
		pause();
}

static void
part(void)
{
	pid_t child = fork();

	if (child == 0) {
		moment = 7;
		in_the_child();
	}
	printf("%d\n", (int)child);
	fflush(stdout);
	in_the_parent();
}

static void
next(void)
{
	if (getchar() == EOF)
		exit(0);
}

static void
done(void)
{
	putchar('.');
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	pthread_t first, second;

	if (argc > 1)
		part();
	if (pipe(ends) || pthread_create(&first, NULL, stay, NULL))
		return 1;
	done();
	next();
	moment = 2;
	watched[1] = 21;
	if (pthread_create(&second, NULL, wait_for_a_byte, NULL)
	    || !dlopen(argv[0][0] ? "libresolv.so.2" : NULL, RTLD_NOW))
		return 1;
	done();
	next();
	moment = 3;
	watched[1] = 22;
	if (write(ends[1], "", 1) != 1 || pthread_join(second, NULL))
		return 1;
	done();
	next();
	return 0;
}
