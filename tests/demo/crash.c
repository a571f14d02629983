/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program with a bug, for ./demo: three threads wait for work while the
 * main thread adds up the pairs of a list that has an odd number of nodes.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct node {
	int weight;
	struct node *next;
};

struct worker {
	const char *name;
	pthread_t thread;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t started;

static void *
worker_run(void *arg)
{
	struct worker *w = arg;

	pthread_setname_np(pthread_self(), w->name);
	pthread_mutex_lock(&lock);
	pthread_barrier_wait(&started);
	for (;;)
		pthread_cond_wait(&work, &lock);
	return NULL;
}

static struct node *
list_of(int length)
{
	struct node *list = NULL;

	for (int i = 0; i < length; i++) {
		struct node *n = malloc(sizeof(*n));
		if (!n)
			exit(1);
		n->weight = i;
		n->next = list;
		list = n;
	}
	return list;
}

/** Sum of every second node. Bug: an odd list has no second one at its end. */
static int
sum_pairs(const struct node *n, int depth)
{
	int weight = n->next->weight;

	if (!n->next->next)
		return weight;
	return weight + sum_pairs(n->next->next, depth + 1);
}

int
main(int argc, char **argv)
{
	struct worker workers[] = { { .name = "loader" },
				    { .name = "indexer" },
				    { .name = "reporter" } };
	int length = argc > 1 ? atoi(argv[1]) : 41;

	pthread_barrier_init(&started, NULL, 2);
	for (int i = 0; i < 3; i++) {
		pthread_create(&workers[i].thread, NULL, worker_run,
			       &workers[i]);
		/* Each has its name and holds no lock when all is set. */
		pthread_barrier_wait(&started);
	}
	pthread_mutex_lock(&lock);
	printf("%d\n", sum_pairs(list_of(length), 0));
	return 0;
}
