/* SPDX-License-Identifier: Apache-2.0 */
/* A worker waits for the next question in whichever way is the quicker one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "serve/follow.h"

#define MEASURE 32u

static cpu_set_t
allowed(void)
{
	cpu_set_t set;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	return set;
}

/* It is itself the client, and so bound to where it runs, or to all but that. */
static void
begin(struct follow *f, int *stat)
{
	*stat = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	follow_init(f, *stat);
	if (!f->may) {
		close(*stat);
		skip();
	}
}

static void
end(struct follow *f, int stat)
{
	follow_stop(f);
	close(stat);
}

static bool
ask(struct follow *f, unsigned times, uint64_t took)
{
	bool awake = false;

	for (unsigned k = 0; k < times; k++)
		awake = follow_question(f, 3, took);
	return awake;
}

static void
both_ways_are_tried_and_the_quicker_one_is_kept(void **state)
{
	struct follow f;
	int stat;

	(void)state;
	begin(&f, &stat);
	assert_true(ask(&f, MEASURE - 1, 2000));
	assert_false(ask(&f, 1, 2000));
	assert_false(ask(&f, 10 * MEASURE, 1000));
	end(&f, stat);
}

static void
one_question_during_which_something_else_ran_says_nothing(void **state)
{
	struct follow f;
	int stat;

	(void)state;
	begin(&f, &stat);
	assert_false(ask(&f, MEASURE, 20000));
	assert_true(ask(&f, MEASURE, 50000));
	ask(&f, 1, 4000000);
	assert_true(ask(&f, 10 * MEASURE, 20000));
	end(&f, stat);
}

static void
the_other_way_is_tried_again(void **state)
{
	unsigned questions = 0;
	struct follow f;
	int stat;

	(void)state;
	begin(&f, &stat);
	assert_false(ask(&f, MEASURE, 2000));
	while (!ask(&f, 1, 1000) && questions < 1000 * MEASURE)
		questions++;
	assert_in_range(questions, 100 * MEASURE, 999 * MEASURE);
	assert_true(ask(&f, 10 * MEASURE, 500));
	end(&f, stat);
}

static void
asleep_it_is_on_the_client_s_processor_alone(void **state)
{
	struct follow f;
	int stat;

	(void)state;
	begin(&f, &stat);
	assert_false(ask(&f, MEASURE, 2000));
	cpu_set_t bound = allowed();
	assert_int_equal(CPU_COUNT(&bound), 1);
	end(&f, stat);
}

static void
it_runs_anywhere_again_once_no_more_small_questions_come(void **state)
{
	cpu_set_t before = allowed();
	struct follow f;
	int stat;

	(void)state;
	begin(&f, &stat);
	ask(&f, MEASURE, 2000);
	follow_stop(&f);
	cpu_set_t after = allowed();
	assert_true(CPU_EQUAL(&before, &after));
	end(&f, stat);
}

static void
it_runs_anywhere_again_where_questions_come_late(void **state)
{
	cpu_set_t before = allowed();
	struct follow f;
	int stat;

	(void)state;
	begin(&f, &stat);
	assert_false(ask(&f, MEASURE, 2000));
	follow_late(&f);
	cpu_set_t after = allowed();
	assert_false(CPU_EQUAL(&before, &after));
	for (unsigned k = 0; k < 10; k++)
		follow_late(&f);
	after = allowed();
	assert_true(CPU_EQUAL(&before, &after));
	end(&f, stat);
}

static void
another_client_is_not_followed_by_what_the_first_one_asked(void **state)
{
	struct follow f;
	int stat;

	(void)state;
	begin(&f, &stat);
	for (unsigned k = 0; k < 4 * MEASURE; k++)
		assert_true(follow_question(&f, k % 2 ? 3 : 4, 1000));
	assert_false(f.bound);
	end(&f, stat);
}

static void
who_cannot_be_found_is_awaited_awake(void **state)
{
	struct follow f;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	follow_init(&f, -1);
	for (unsigned k = 0; f.may && k < 4 * MEASURE; k++)
		assert_true(follow_question(&f, pair[0], 1000));
	assert_false(f.bound);
	close(pair[0]);
	close(pair[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			both_ways_are_tried_and_the_quicker_one_is_kept),
		cmocka_unit_test(
		    one_question_during_which_something_else_ran_says_nothing),
		cmocka_unit_test(the_other_way_is_tried_again),
		cmocka_unit_test(asleep_it_is_on_the_client_s_processor_alone),
		cmocka_unit_test(
		    it_runs_anywhere_again_once_no_more_small_questions_come),
		cmocka_unit_test(
			it_runs_anywhere_again_where_questions_come_late),
		cmocka_unit_test(
		    another_client_is_not_followed_by_what_the_first_one_asked),
		cmocka_unit_test(who_cannot_be_found_is_awaited_awake),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
