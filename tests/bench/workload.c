/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workload: a process of known shape that the bench looks at.
 *
 *	workload THREADS MIB SHARED [crash]
 *
 * Each worker owns its share of the heap, a doubly linked list with side links
 * of nodes and blobs, equal in every run; it then descends a ring of three
 * functions and waits: 55 frames from clone3 to the C library's wait. A ticker
 * keeps the largest gap between two of its ticks in SHARED. With `crash` main
 * writes through a bad pointer when all is set up.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "shared.h"

#define STACK_BYTES (256 * 1024)
#define DEPTH 48
#define TICK_NS 200000
#define THREADS_MAX 20000

struct blob {
	char name[16];
	char bytes[];
};

struct node {                   /* 72 bytes */
	struct node *next, *prev, *side;
	struct blob *blob;
	char name[16];
	uint64_t id;
	uint32_t kind, blob_bytes;
	double value;
};

struct worker {
	unsigned number;
	uint64_t random;
	size_t heap;            /* bytes to own */
	struct node *head;
};

/* Where a debugger finds everything. */
struct node *heads[THREADS_MAX];
struct shared *shared;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t set_up;

static void
die(const char *what)
{
	fprintf(stderr, "workload: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- the heap ---- */

static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static struct blob *
blob_new(struct worker *w, size_t bytes, uint64_t id)
{
	struct blob *blob = malloc(bytes);

	if (!blob)
		die("malloc");
	snprintf(blob->name, bytes < 16 ? bytes : 16, "blob %llu",
		 (unsigned long long)id % 1000000);
	for (size_t i = sizeof(*blob); i < bytes; i++)
		blob->bytes[i - sizeof(*blob)] = "etaoin shrdlu"[
			next_random(&w->random) % 13];
	return blob;
}

static struct node *
node_new(struct worker *w, uint64_t id)
{
	struct node *node = malloc(sizeof(*node));

	if (!node)
		die("malloc");
	memset(node, 0, sizeof(*node));
	node->id = id;
	node->kind = next_random(&w->random) % 7;
	node->blob_bytes = 16 + next_random(&w->random) % 176;
	node->value = (double)(next_random(&w->random) % 1000) / 8;
	snprintf(node->name, sizeof(node->name), "node %llu",
		 (unsigned long long)id % 1000000);
	node->blob = blob_new(w, node->blob_bytes, id);
	return node;
}

static void
heap_fill(struct worker *w)
{
	struct node *last = NULL, *side = NULL;
	size_t bytes = 0;

	for (uint64_t id = 1; bytes < w->heap; id++) {
		struct node *node = node_new(w, id);

		node->prev = last;
		node->side = side;
		if (last)
			last->next = node;
		else
			w->head = node;
		if (next_random(&w->random) % 16 == 0)
			side = node;
		last = node;
		bytes += sizeof(*node) + node->blob_bytes;
	}
	heads[w->number] = w->head;
	__atomic_add_fetch(&shared->bytes, bytes, __ATOMIC_RELAXED);
}

/* ---- the stack ---- */

struct local {
	int depth;
	double share;
	const char *name;
	struct node *here;
};

static void
leaf(struct local *last)
{
	last->depth = 0;
	while (heads[0] != (struct node *)1)
		pthread_cond_wait(&never, &lock);
}

static void
bottom(struct local *last)
{
	pthread_mutex_lock(&lock);
	leaf(last);
	pthread_mutex_unlock(&lock);
}

static int red(struct local *from);

static int
blue(struct local *from)
{
	struct local mine = { from->depth - 1, from->share / 2, "blue",
			      from->here ? from->here->next : NULL };
	char text[24];

	snprintf(text, sizeof(text), "%s at %d", mine.name, mine.depth);
	if (mine.depth > 0)
		red(&mine);
	else
		bottom(&mine);
	return text[0] + mine.depth;
}

static int
green(struct local *from)
{
	struct local mine = { from->depth - 1, from->share / 3, "green",
			      from->here ? from->here->side : NULL };
	const int numbers[6] = { mine.depth, 1, 2, 3, 5, 8 };

	if (mine.depth > 0)
		blue(&mine);
	else
		bottom(&mine);
	return numbers[mine.depth & 3];
}

static int
red(struct local *from)
{
	struct local mine = { from->depth - 1, from->share / 5, "red",
			      from->here };
	struct node *path[3] = { from->here, heads[0], NULL };

	if (mine.depth > 0)
		green(&mine);
	else
		bottom(&mine);
	return path[2] ? 1 : mine.depth;
}

static void *
worker_run(void *arg)
{
	struct worker *w = arg;
	struct local first = { DEPTH, 1.0, "first", NULL };

	heap_fill(w);
	first.here = w->head;
	pthread_barrier_wait(&set_up);
	red(&first);
	return NULL;
}

/* ---- ticker and main ---- */

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void *
ticker_run(void *arg)
{
	struct timespec tick = { .tv_nsec = TICK_NS };
	uint64_t before = now_ns();

	prctl(PR_SET_TIMERSLACK, 1000UL);
	shared->ticker = (uint64_t)syscall(SYS_gettid);
	for (;;) {
		nanosleep(&tick, NULL);
		uint64_t now = now_ns();
		if (now - before > shared->gap_ns)
			shared->gap_ns = now - before;
		before = now;
		shared->ticks++;
	}
	return arg;
}

static void
thread_start(void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	errno = pthread_create(&thread, &attr, run, arg);
	if (errno)
		die("pthread_create");
	pthread_attr_destroy(&attr);
}

static void
shared_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, sizeof(*shared)))
		die(path);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		die(path);
	close(fd);
}

static void
write_through(uint64_t *bad)
{
	*bad = 42;
}

static void
serve(int crash)
{
	shared->ready = 1;
	if (crash)
		write_through((uint64_t *)0x10);
	for (;;)
		pause();
}

int
main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	unsigned threads = (unsigned)atoi(argv[1]);
	size_t heap = (size_t)atoi(argv[2]) << 20;
	static struct worker workers[THREADS_MAX];

	if (threads == 0 || threads > THREADS_MAX)
		return 2;
	shared_open(argv[3]);
	pthread_barrier_init(&set_up, NULL, threads + 1);
	for (unsigned i = 0; i < threads; i++) {
		workers[i] = (struct worker){ i, 88172645463325252u + i,
					      heap / threads, NULL };
		thread_start(worker_run, &workers[i]);
	}
	pthread_barrier_wait(&set_up);
	thread_start(ticker_run, NULL);
	/* Behind the barrier each still goes down to its leaf. */
	usleep(300000);
	serve(argc > 4 && strcmp(argv[4], "crash") == 0);
	return 0;
}
