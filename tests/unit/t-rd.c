/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of the bounds-checked reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

static const uint8_t bytes[] = {
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
};

static void
integers_are_little_endian_unless_told(void **state)
{
	struct rd r = rd_of(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(rd_u8(&r), 1);
	assert_int_equal(rd_u16(&r), 0x0302);
	assert_int_equal(rd_u32(&r), 0x07060504);
	assert_int_equal(rd_u64(&r), 0x0f0e0d0c0b0a0908);
	assert_int_equal(rd_left(&r), 0);
	assert_false(rd_failed(&r));
}

static void
integers_are_big_endian_when_told(void **state)
{
	struct rd r = rd_of(bytes, sizeof(bytes));

	(void)state;
	r.big = true;
	assert_int_equal(rd_u8(&r), 1);
	assert_int_equal(rd_u16(&r), 0x0203);
	assert_int_equal(rd_u32(&r), 0x04050607);
	assert_int_equal(rd_u64(&r), 0x08090a0b0c0d0e0f);
	assert_false(rd_failed(&r));
}

static void
reading_past_the_end_is_zero_and_sticky(void **state)
{
	struct rd r = rd_of(bytes, 3);

	(void)state;
	assert_int_equal(rd_u32(&r), 0);
	assert_true(rd_failed(&r));
	assert_int_equal(rd_left(&r), 0);
	assert_int_equal(rd_u8(&r), 0);
	rd_seek(&r, 0);
	assert_int_equal(rd_u8(&r), 0);
	assert_null(rd_bytes(&r, 0));
	assert_true(rd_failed(&r));
}

static void
bytes_are_borrowed_in_place(void **state)
{
	struct rd r = rd_of(bytes, 4);

	(void)state;
	rd_skip(&r, 1);
	assert_ptr_equal(rd_bytes(&r, 3), bytes + 1);
	assert_ptr_equal(rd_bytes(&r, 0), bytes + 4);
	assert_null(rd_bytes(&r, 1));
	assert_true(rd_failed(&r));
}

static void
a_length_that_would_wrap_fails(void **state)
{
	struct rd r = rd_of(bytes, 4);

	(void)state;
	rd_skip(&r, 2);
	assert_null(rd_bytes(&r, SIZE_MAX));
	assert_true(rd_failed(&r));
}

static void
an_empty_reader_reads_nothing_and_does_not_fail(void **state)
{
	struct rd r = rd_of(NULL, 0);

	(void)state;
	assert_non_null(rd_bytes(&r, 0));
	rd_seek(&r, 0);
	rd_align(&r, 8);
	assert_false(rd_failed(&r));
	assert_null(rd_str(&r));
	assert_true(rd_failed(&r));
}

static void
a_string_needs_its_nul(void **state)
{
	struct rd r = rd_of("ab\0\0cd", 6);

	(void)state;
	assert_string_equal(rd_str(&r), "ab");
	assert_string_equal(rd_str(&r), "");
	assert_int_equal(r.pos, 4);
	/* The literal's own NUL lies beyond the reader's end. */
	assert_null(rd_str(&r));
	assert_true(rd_failed(&r));
}

static void
seeking_reaches_the_end_and_no_further(void **state)
{
	struct rd r = rd_of(bytes, 4);

	(void)state;
	rd_seek(&r, 4);
	assert_false(rd_failed(&r));
	rd_seek(&r, 1);
	assert_int_equal(rd_u8(&r), 2);
	rd_seek(&r, 5);
	assert_true(rd_failed(&r));
}

static void
alignment_counts_from_the_start(void **state)
{
	struct rd r = rd_of(bytes, 9);

	(void)state;
	rd_align(&r, 4);
	assert_int_equal(r.pos, 0);
	rd_skip(&r, 1);
	rd_align(&r, 4);
	assert_int_equal(r.pos, 4);
	rd_align(&r, 0);
	rd_align(&r, 1);
	assert_int_equal(r.pos, 4);
	rd_align(&r, 3);
	assert_int_equal(r.pos, 6);
	assert_false(rd_failed(&r));
	rd_align(&r, SIZE_MAX);
	assert_true(rd_failed(&r));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_little_endian_unless_told),
		cmocka_unit_test(integers_are_big_endian_when_told),
		cmocka_unit_test(reading_past_the_end_is_zero_and_sticky),
		cmocka_unit_test(bytes_are_borrowed_in_place),
		cmocka_unit_test(a_length_that_would_wrap_fails),
		cmocka_unit_test(
			an_empty_reader_reads_nothing_and_does_not_fail),
		cmocka_unit_test(a_string_needs_its_nul),
		cmocka_unit_test(seeking_reaches_the_end_and_no_further),
		cmocka_unit_test(alignment_counts_from_the_start),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
