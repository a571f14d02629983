/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that dies on AArch64: a list on the heap, a number for each
 * thread, a thread that waits, and a recursion that reads through a bad
 * pointer. The build may sign return addresses.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

struct node {
	int id;
	struct node *next;
};

struct node *head;
double ratio = 3.25;
__thread volatile int own = 7;
static sem_t ready, never;

__attribute__((noinline)) static void
wait_for(struct node *mine)
{
	sem_post(&ready);
	while (mine->id)
		sem_wait(&never);
}

static void *
waiter(void *arg)
{
	struct node mine = { 41, arg };

	own = 8;
	wait_for(&mine);
	return mine.next;
}

__attribute__((noinline)) int
crash(int depth, int *volatile where)
{
	if (depth == 0)
		return *where;
	return crash(depth - 1, where) + depth;
}

int
main(void)
{
	pthread_t thread;

	for (int id = 0; id < 3; id++) {
		struct node *n = malloc(sizeof(*n));

		if (!n)
			return 1;
		*n = (struct node){ id, head };
		head = n;
	}
	sem_init(&ready, 0, 0);
	sem_init(&never, 0, 0);
	if (pthread_create(&thread, NULL, waiter, head))
		return 1;
	sem_wait(&ready);
	return crash(5, (int *)0x10) + own;
}
