/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.c: one queue, one lock. Jobs are large, some hundred microseconds, so
 * that neither is worth more than this.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#include "base/pool.h"

struct pool_thread {
	pthread_t id;
	struct pool *pool;
	unsigned who;
};
struct pool {
	pthread_mutex_t lock;
	pthread_cond_t given, done;
	struct pool_job *first, **last;         /* that wait */
	void *arg;
	bool over;
	unsigned n;
	struct pool_thread threads[POOL_THREADS_MAX];
};

/* With the lock held: do the job that has waited longest. */
static void
pool_work(struct pool *p, unsigned who)
{
	struct pool_job *job = p->first;

	p->first = job->next;
	if (!p->first)
		p->last = &p->first;
	job->state = POOL_RUNNING;
	pthread_mutex_unlock(&p->lock);
	job->run(p->arg, job, who);
	pthread_mutex_lock(&p->lock);
	job->state = POOL_IDLE;
	pthread_cond_signal(&p->done);
}

static void *
pool_thread(void *arg)
{
	struct pool_thread *t = arg;
	struct pool *p = t->pool;

	pthread_mutex_lock(&p->lock);
	while (!p->over) {
		if (p->first)
			pool_work(p, t->who);
		else
			pthread_cond_wait(&p->given, &p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void
pool_start(struct pool *p, unsigned threads)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (p->n < threads && p->n < POOL_THREADS_MAX) {
		struct pool_thread *t = &p->threads[p->n];

		t->pool = p;
		t->who = p->n;
		if (pthread_create(&t->id, NULL, pool_thread, t) != 0)
			break;
		p->n++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct err *
pool_new(unsigned threads, void *arg, struct pool **out)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (!p)
		return err_nomem();
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->given, NULL);
	pthread_cond_init(&p->done, NULL);
	p->last = &p->first;
	p->arg = arg;
	/* The caller's own number must not change when threads are there. */
	pthread_mutex_lock(&p->lock);
	pool_start(p, threads);
	pthread_mutex_unlock(&p->lock);
	*out = p;
	return NULL;
}

void
pool_free(struct pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->over = true;
	pthread_cond_broadcast(&p->given);
	pthread_mutex_unlock(&p->lock);
	for (unsigned k = 0; k < p->n; k++)
		pthread_join(p->threads[k].id, NULL);
	pthread_cond_destroy(&p->done);
	pthread_cond_destroy(&p->given);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

unsigned
pool_workers(const struct pool *p)
{
	return p->n + 1;
}

void
pool_give(struct pool *p, pool_fn *run, struct pool_job *job)
{
	pthread_mutex_lock(&p->lock);
	job->next = NULL;
	job->run = run;
	job->state = POOL_WAITING;
	*p->last = job;
	p->last = &job->next;
	pthread_cond_signal(&p->given);
	pthread_mutex_unlock(&p->lock);
}

void
pool_take(struct pool *p, struct pool_job *job)
{
	pthread_mutex_lock(&p->lock);
	while (job->state != POOL_IDLE) {
		if (p->first)
			pool_work(p, p->n);
		else
			pthread_cond_wait(&p->done, &p->lock);
	}
	pthread_mutex_unlock(&p->lock);
}

unsigned
pool_processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	return (unsigned)CPU_COUNT(&set);
}
