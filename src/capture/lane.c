/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane.c: one thread, one batch.
 */
#include <sched.h>

#include "base/pool.h"
#include "capture/lane.h"
#include "capture/tracees.h"

/* Within it a batch is copied, and could be copied again. */
#define PATIENCE_NS 300000u

/* True for one of those who try. */
static bool
lane_claim(struct lane *l)
{
	int given = LANE_GIVEN;

	return atomic_compare_exchange_strong(&l->state, &given, LANE_RUNNING);
}

static void
lane_copy(struct lane *l)
{
	l->got = process_vm_readv(l->tid, &l->to, 1, l->from, l->n, 0);
	atomic_store(&l->state, LANE_DONE);
}

static void *
lane_run(void *arg)
{
	struct lane *l = arg;

	for (;;) {
		while (sem_wait(&l->given) < 0)
			;
		if (atomic_load(&l->over))
			return NULL;
		if (lane_claim(l))
			lane_copy(l);
	}
}

void
lane_begin(struct lane *l)
{
	if (l->runs || pool_processors() < 2)
		return;
	atomic_store(&l->state, LANE_IDLE);
	atomic_store(&l->over, false);
	if (sem_init(&l->given, 0, 0) < 0)
		return;
	l->runs = pthread_create(&l->thread, NULL, lane_run, l) == 0;
	if (!l->runs)
		sem_destroy(&l->given);
}

void
lane_end(struct lane *l)
{
	if (!l->runs)
		return;
	atomic_store(&l->over, true);
	sem_post(&l->given);
	pthread_join(l->thread, NULL);
	sem_destroy(&l->given);
	l->runs = false;
}

bool
lane_is(struct lane *l, enum lane_state state)
{
	return l->runs && !l->given_up
	       && atomic_load(&l->state) == (int)state;
}

void
lane_give(struct lane *l, pid_t tid, const struct iovec *from, size_t n,
	  struct iovec to)
{
	l->tid = tid;
	l->n = n;
	l->to = to;
	for (size_t k = 0; k < n; k++)
		l->from[k] = from[k];
	atomic_store(&l->state, LANE_GIVEN);
	sem_post(&l->given);
}

bool
lane_wait(struct lane *l)
{
	uint64_t until = tracees_now() + PATIENCE_NS;

	if (lane_claim(l))
		lane_copy(l);
	while (atomic_load(&l->state) != LANE_DONE) {
		if (tracees_now() > until) {
			l->given_up = true;
			return false;
		}
		sched_yield();
	}
	return true;
}
