/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that do jobs beside their caller. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>

#include "base/pool.h"
#include "assert-err.h"

#define JOBS 500

struct adding {
	struct pool_job job;
	uint64_t n, sum;
	unsigned who;
};
struct ring {
	struct pool *pool;
	struct adding jobs[JOBS];
	atomic_uint running[POOL_THREADS_MAX + 1], clashes;
};

/* The sum up to n: the larger the longer. */
static void
add_up(void *arg, struct pool_job *job, unsigned who)
{
	struct ring *r = arg;
	struct adding *a = (struct adding *)job;

	if (atomic_fetch_add(&r->running[who], 1))
		atomic_fetch_add(&r->clashes, 1);
	for (uint64_t k = 0; k <= a->n; k++)
		a->sum += k;
	a->who = who;
	atomic_fetch_sub(&r->running[who], 1);
}

static void
all_come_back_done(unsigned threads, bool backwards)
{
	static struct ring r;

	r = (struct ring){ .pool = NULL };
	assert_ok(pool_new(threads, &r, &r.pool));
	assert_in_range(pool_workers(r.pool), 1, threads + 1);
	for (size_t k = 0; k < JOBS; k++) {
		r.jobs[k].n = k * 37 % 1000;
		pool_give(r.pool, add_up, &r.jobs[k].job);
	}
	for (size_t k = 0; k < JOBS; k++) {
		struct adding *a = &r.jobs[backwards ? JOBS - 1 - k : k];

		pool_take(r.pool, &a->job);
		assert_int_equal(a->sum, a->n * (a->n + 1) / 2);
		assert_true(a->who < pool_workers(r.pool));
	}
	assert_int_equal(r.clashes, 0);
	pool_free(r.pool);
}

static void
jobs_are_done_whoever_there_is(void **state)
{
	(void)state;
	for (unsigned threads = 0; threads <= POOL_THREADS_MAX; threads += 2) {
		all_come_back_done(threads, false);
		all_come_back_done(threads, true);
	}
}

static void
a_pool_ends_with_jobs_that_nobody_wants(void **state)
{
	static struct ring r;

	(void)state;
	assert_ok(pool_new(2, &r, &r.pool));
	for (size_t k = 0; k < JOBS; k++)
		pool_give(r.pool, add_up, &r.jobs[k].job);
	pool_free(r.pool);
	pool_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_are_done_whoever_there_is),
		cmocka_unit_test(a_pool_ends_with_jobs_that_nobody_wants),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
