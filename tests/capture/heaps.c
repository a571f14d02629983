/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heaps MIB [crash]: a list of that many MiB that a thread holds by a variable
 * of its frame alone, as much memory that a global holds, and as much that
 * nothing leads to. Then it waits for input, or dies of a null pointer.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct node {
	struct node *next;
	uint64_t number;
	char text[200];
};

/* More than a small budget: what lies behind it is not kept by chance. */
static char filler[16 << 20] = { 1 };
static uint64_t secret_count = 4711;
int exported_level = 17;
int option_first = 1;
int option_second = 2;
static __thread volatile uint64_t own_number = 1;
struct node *known, *forgotten;
static char filler_behind[16 << 20] = { 1 };
static pthread_barrier_t ready;
int *volatile nowhere;

static struct node *
list_make(size_t bytes)
{
	struct node *first = NULL, **to = &first;

	for (size_t n = 0; n * sizeof(**to) < bytes; n++) {
		*to = calloc(1, sizeof(**to));
		(*to)->number = n;
		snprintf((*to)->text, sizeof((*to)->text), "node %zu", n);
		to = &(*to)->next;
	}
	return first;
}

__attribute__((noinline)) static void
walk(struct node *first, int crash)
{
	struct node *volatile list = first;

	pthread_barrier_wait(&ready);
	if (crash)
		*nowhere = (int)list->number;
	pause();
	own_number += list->number;
}

static void *
worker(void *arg)
{
	own_number = 4242;
	walk(list_make((size_t)atoi(((char **)arg)[1]) << 20),
	     ((char **)arg)[2] != NULL);
	return NULL;
}

int
main(int argc, char **argv)
{
	pthread_t thread;
	char byte;

	if (argc < 2)
		return 2;
	memset(filler, 2, sizeof(filler));
	memset(filler_behind, 3, sizeof(filler_behind));
	known = list_make((size_t)atoi(argv[1]) << 20);
	forgotten = list_make((size_t)atoi(argv[1]) << 20);
	forgotten = NULL;
	pthread_barrier_init(&ready, NULL, 2);
	pthread_create(&thread, NULL, worker, argv);
	pthread_barrier_wait(&ready);
	if (argc > 2)
		pthread_join(thread, NULL);
	printf("ready\n");
	fflush(stdout);
	secret_count += read(STDIN_FILENO, &byte, 1) > 0;
	return 0;
}
