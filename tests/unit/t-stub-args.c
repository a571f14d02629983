/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of packet arguments: what a schema takes, and that all else is
 * refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "gdbstub/args.h"

/** Parse a copy of @text, of exactly its size. */
static bool
parse(const char *schema, const char *text, struct args *out)
{
	static char copy[256];

	size_t n = strlen(text);

	assert_true(n < sizeof(copy));
	memcpy(copy, text, n + 1);
	return args_parse(schema, copy, n, out);
}

static void
numbers_are_hexadecimal_and_at_most_16_digits_long(void **state)
{
	struct args a;

	(void)state;
	assert_true(parse("L,L", "10,ffffffffffffffff", &a));
	assert_int_equal(a.n, 2);
	assert_int_equal(a.v[0].number, 16);
	assert_true(a.v[1].number == UINT64_MAX);
	assert_false(parse("L", "00000000000000010", &a));
	assert_false(parse("L", "", &a));
	assert_false(parse("L", "-1", &a));
	assert_false(parse("L", "0x10", &a));
	assert_false(parse("L", " 1", &a));
	assert_false(parse("L,L", "10", &a));
	assert_false(parse("L,L", "10,", &a));
	assert_false(parse("L", "10 ", &a));
}

static void
thread_ids_have_a_process_or_not(void **state)
{
	static const struct {
		const char *text;
		uint64_t pid, tid;
	} rows[] = {
		{ "1f", ID_ANY, 0x1f }, { "0", ID_ANY, ID_ANY },
		{ "-1", ID_ANY, ID_ALL }, { "p2.3", 2, 3 },
		{ "p2", 2, ID_ALL }, { "p2.-1", 2, ID_ALL },
		{ "p-1.-1", ID_ALL, ID_ALL }, { "p0.0", ID_ANY, ID_ANY },
	};
	struct args a;

	(void)state;
	for (size_t k = 0; k < countof(rows); k++) {
		assert_true(parse("T", rows[k].text, &a));
		assert_true(a.v[0].thread.pid == rows[k].pid);
		assert_true(a.v[0].thread.tid == rows[k].tid);
	}
}

static void
odd_thread_ids_are_refused(void **state)
{
	static const char *const texts[] = {
		"", "p", "p.", "p.1", "p1.", "pzz.qq", "-2", "-", "1.2", "--1",
		"p1.2.3", "8000000000000000", "ffffffffffffffff",
	};
	struct args a;

	(void)state;
	for (size_t k = 0; k < countof(texts); k++)
		assert_false(parse("T", texts[k], &a));
}

static void
hex_text_is_decoded_and_must_be_whole(void **state)
{
	struct args a;

	(void)state;
	assert_true(parse("H,L", "616263,1", &a));
	assert_true(span_is(a.v[0].bytes, "abc"));
	assert_true(parse("H", "", &a));
	assert_int_equal(a.v[0].bytes.n, 0);
	assert_false(parse("H", "616", &a));
	assert_false(parse("H", "61zz", &a));
	assert_false(parse("H,L", "616263", &a));
}

static void
binary_data_is_unescaped_and_may_hold_separators(void **state)
{
	struct args a;

	(void)state;
	assert_true(parse("L:B", "1:a,b:}\x03}]", &a));
	assert_true(span_is(a.v[1].bytes, "a,b:#}"));
	assert_false(parse("L:B", "1:a}", &a));
}

static void
text_ends_at_the_next_separator(void **state)
{
	struct args a;

	(void)state;
	assert_true(parse("S:S:L", "features:read:0", &a));
	assert_true(span_is(a.v[0].bytes, "features"));
	assert_true(span_is(a.v[1].bytes, "read"));
	assert_false(parse("S:S:L", "features:read", &a));
	assert_true(parse("S", "all; of: it", &a));
	assert_true(span_is(a.v[0].bytes, "all; of: it"));
}

static void
what_is_optional_may_be_left_out(void **state)
{
	struct args a;

	(void)state;
	assert_true(parse("?;L", "", &a));
	assert_int_equal(a.n, 0);
	assert_true(parse("?;L", ";5", &a));
	assert_int_equal(a.n, 1);
	assert_false(parse("?;L", ";", &a));
	assert_false(parse("?;L", "5", &a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			numbers_are_hexadecimal_and_at_most_16_digits_long),
		cmocka_unit_test(thread_ids_have_a_process_or_not),
		cmocka_unit_test(odd_thread_ids_are_refused),
		cmocka_unit_test(hex_text_is_decoded_and_must_be_whole),
		cmocka_unit_test(
			binary_data_is_unescaped_and_may_hold_separators),
		cmocka_unit_test(text_ends_at_the_next_separator),
		cmocka_unit_test(what_is_optional_may_be_left_out),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
