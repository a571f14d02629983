/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spoken.c: a null dereference 45 frames deep, beside three threads that wait
 * in one place; values that a protocol of text finds hard.
 */
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "victim.h"

#define DEPTH 43

struct node {
	int id;
	char name[8];
	struct node *next;
};

struct pair {
	int a, b;
};

int many[10000];
struct pair pairs[10000];
const char *global_text = "global";
_Thread_local int per_thread = 5;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static int
deref(struct node *n, int depth)
{
	int thousand[1000];
	char evil[] = "a\xff\x1b[2J\0b\xc2\x9b\"\\";
	double odd[] = { NAN, INFINITY, -INFINITY, -0.0 };
	uint64_t big = (UINT64_C(1) << 53) + 1;
	void *high = (void *)(uintptr_t)0xffffffff81000001;
	int (*function)(struct node *, int) = deref;
	char text[64] = "text in a buffer";
	int shadow = 1;
	struct node *nothing = NULL;

	for (int k = 0; k < 1000; k++)
		thousand[k] = k * k;
	if (depth >= 0) {
		int shadow = 2;

		shadow += thousand[1];
		victim_real = odd[3] + (double)big;
		return n->next->next->id + shadow + evil[0] + text[0]
		       + (high == NULL) + (function == NULL)
		       + (nothing == NULL);
	}
	return shadow;
}

static int
descend(struct node *n, int depth)
{
	int here = depth;

	if (depth == DEPTH)
		return deref(n, depth) + here;
	return descend(n, depth + 1) + here;
}

static void *
worker(void *arg)
{
	pthread_mutex_lock(&held);
	pthread_mutex_unlock(&held);
	return arg;
}

int
main(void)
{
	struct node last = { 2, "last", NULL };
	struct node first = { 1, "first", &last };
	pthread_t threads[3];

	for (int k = 0; k < 10000; k++)
		many[k] = pairs[k].a = k;
	pthread_mutex_lock(&held);
	for (int k = 0; k < 3; k++)
		pthread_create(&threads[k], NULL, worker, NULL);
	victim_wait_asleep(3);
	return descend(&first, 1) + many[1];
}
