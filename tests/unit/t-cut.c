/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of what cuts texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cut.h"

static void
text_ends_between_characters(void **state)
{
	static const char text[] = "a\u00e9\u20ac\U0001f600b";
	static const size_t whole[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11 };

	(void)state;
	for (size_t max = 0; max < countof(whole); max++)
		assert_int_equal(cut_chars(text, sizeof(text) - 1, max),
				 whole[max]);
	assert_int_equal(cut_chars(text, sizeof(text) - 1, 500), 11);
	assert_int_equal(cut_chars("", 0, 0), 0);
}

static void
bytes_that_are_no_text_are_cut_where_they_are_long(void **state)
{
	static const char bytes[] = "\x80\x80\x80\x80\x80\x80\x80\x80";

	(void)state;
	for (size_t max = 0; max < 8; max++)
		assert_in_range(cut_chars(bytes, 8, max), max > 3 ? max - 3 : 0,
				max);
	assert_int_equal(cut_chars(bytes, 8, 6), 6);
}

static void
cut_text_says_so(void **state)
{
	_buf_ struct buf b = { 0 };

	(void)state;
	cut_put(&b, "na\u00efve", 3);
	cut_put(&b, "|na\u00efve", 7);
	assert_string_equal(b.data, "na\u2026|na\u00efve");
}

static void
path_ends_with_a_name(void **state)
{
	(void)state;
	assert_string_equal(cut_base("/lib/libc.so.6"), "libc.so.6");
	assert_string_equal(cut_base("libc.so.6"), "libc.so.6");
	assert_string_equal(cut_base("/lib/"), "/lib/");
	assert_string_equal(cut_base(""), "");
	assert_null(cut_base(NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_ends_between_characters),
		cmocka_unit_test(
			bytes_that_are_no_text_are_cut_where_they_are_long),
		cmocka_unit_test(cut_text_says_so),
		cmocka_unit_test(path_ends_with_a_name),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
