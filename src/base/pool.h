/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool: threads that do jobs beside their caller, who takes them back in
 * whatever order it wants.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "base/base.h"

#define POOL_THREADS_MAX 8u

struct pool;
struct pool_job;
/** Do @job as worker @who: a number below pool_workers(). */
typedef void pool_fn(void *arg, struct pool_job *job, unsigned who);

enum pool_state { POOL_IDLE, POOL_WAITING, POOL_RUNNING };
/** The first member of a job; zeroed at first, then the pool's own. */
struct pool_job {
	struct pool_job *next;
	pool_fn *run;
	enum pool_state state;
};

/**
 * Start up to @threads threads, at most POOL_THREADS_MAX. Where none can be
 * started, the caller does all jobs in pool_take(). Signals are not for them.
 */
struct err *pool_new(unsigned threads, void *arg, struct pool **out)
	_must_check_;
/** Waits for what runs; jobs that nobody took back are not done. */
void pool_free(struct pool *p);
/** Threads, and one more: the caller. */
unsigned pool_workers(const struct pool *p);
/** To be done by @run; @job is the pool's until pool_take(). */
void pool_give(struct pool *p, pool_fn *run, struct pool_job *job);
/** Wait until @job is done, doing others, or it, meanwhile. */
void pool_take(struct pool *p, struct pool_job *job);
/** Processors that this process may use; at least 1. */
unsigned pool_processors(void);

#endif
