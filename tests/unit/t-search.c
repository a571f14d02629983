/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of base/search.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/base.h"
#include "base/search.h"

struct element {
	uint32_t before;
	uint64_t end;
};
static const struct element all[] = { { 9, 10 }, { 9, 20 }, { 9, 20 },
				      { 9, UINT64_MAX } };

static size_t
above(size_t n, uint64_t value)
{
	return search_above(all, n, sizeof(*all), offsetof(struct element,
							   end), value);
}

static void
the_first_above_is_found(void **state)
{
	assert_int_equal(above(4, 0), 0);
	assert_int_equal(above(4, 9), 0);
	assert_int_equal(above(4, 10), 1);
	assert_int_equal(above(4, 19), 1);
	assert_int_equal(above(4, 20), 3);
	assert_int_equal(above(4, UINT64_MAX - 1), 3);
	(void)state;
}

static void
where_none_is_it_is_the_end(void **state)
{
	assert_int_equal(above(4, UINT64_MAX), 4);
	assert_int_equal(above(3, 20), 3);
	assert_int_equal(search_above(NULL, 0, 8, 0, 0), 0);
	(void)state;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_above_is_found),
		cmocka_unit_test(where_none_is_it_is_the_end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
