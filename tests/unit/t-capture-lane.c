/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of the thread that copies beside another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/lane.h"

#define PAGE 4096u

static struct lane lane;

static int
tear_down(void **state)
{
	(void)state;
	lane_end(&lane);
	memset(&lane, 0, sizeof(lane));
	return 0;
}

static void
without_a_thread_it_is_never_idle(void **state)
{
	(void)state;
	assert_false(lane_is(&lane, LANE_IDLE));
	lane_end(&lane);
}

/* Waiting may give up where there is no processor to be had: try again. */
static void
copy(const struct iovec *from, size_t n, void *to, size_t size)
{
	for (;;) {
		lane_begin(&lane);
		if (!lane_is(&lane, LANE_IDLE))
			skip();
		lane_give(&lane, getpid(), from, n, (struct iovec){ to, size });
		if (lane_wait(&lane))
			break;
		assert_false(lane_is(&lane, LANE_IDLE));
		tear_down(NULL);
	}
	assert_true(lane_is(&lane, LANE_DONE));
}

static void
what_is_given_is_copied(void **state)
{
	char one[] = "a part", two[] = " and another", to[32] = "";
	const struct iovec from[] = {
		{ one, sizeof(one) - 1 }, { two, sizeof(two) },
	};

	(void)state;
	for (size_t k = 0; k < 1000; k++) {
		memset(to, 0, sizeof(to));
		copy(from, 2, to, sizeof(one) - 1 + sizeof(two));
		assert_int_equal(lane.got, sizeof(one) - 1 + sizeof(two));
		assert_string_equal(to, "a part and another");
		atomic_store(&lane.state, LANE_IDLE);
	}
}

static void
a_page_that_cannot_be_read_ends_it_there(void **state)
{
	uint8_t to[2 * PAGE];
	uint8_t *pages = mmap(NULL, 2 * (size_t)PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_not_equal(pages, MAP_FAILED);
	memset(pages, 7, 2 * (size_t)PAGE);
	assert_int_equal(munmap(pages + PAGE, PAGE), 0);
	copy(&(struct iovec){ pages, 2 * (size_t)PAGE }, 1, to, sizeof(to));
	assert_int_equal(lane.got, PAGE);
	munmap(pages, PAGE);
}

static void
it_ends_with_something_undone(void **state)
{
	char from[] = "x", to[2];

	(void)state;
	lane_begin(&lane);
	if (!lane_is(&lane, LANE_IDLE))
		skip();
	lane_give(&lane, getpid(), &(struct iovec){ from, 2 }, 1,
		  (struct iovec){ to, 2 });
	lane_end(&lane);
	assert_false(lane_is(&lane, LANE_IDLE));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(without_a_thread_it_is_never_idle),
		TEST(what_is_given_is_copied),
		TEST(a_page_that_cannot_be_read_ends_it_there),
		TEST(it_ends_with_something_undone),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
