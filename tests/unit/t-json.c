/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of JSON output. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "assert-err.h"

/** The compact text of @j. Takes @j. */
static void
check_text(struct json *j, const char *expected)
{
	_buf_ struct buf out = { 0 };

	assert_ok(json_write(j, false, &out));
	assert_string_equal(out.data, expected);
	json_free(j);
}

static void
every_value_is_written_as_json(void **state)
{
	(void)state;
	check_text(json_u64(UINT64_MAX), "18446744073709551615\n");
	check_text(json_i64(INT64_MIN), "-9223372036854775808\n");
	check_text(json_f64(-0.5), "-0.5\n");
	check_text(json_f64(1.0 / 0.0), "null\n");
	check_text(json_bool(true), "true\n");
	check_text(json_bool(false), "false\n");
	check_text(json_null(), "null\n");
	check_text(json_addr(0), "\"0x0\"\n");
	check_text(json_addr(0xfffffffffffffff0), "\"0xfffffffffffffff0\"\n");
	check_text(json_string("a/\"b\""), "\"a/\\\"b\\\"\"\n");
	check_text(json_string(""), "\"\"\n");
	check_text(json_string(NULL), "null\n");
	check_text(json_object(), "{}\n");
	check_text(json_array(), "[]\n");
}

static struct json *
tree_of_all(void)
{
	struct json *o = json_object();
	struct json *a = json_array();

	json_set(o, "z", json_u64(1));
	json_set(o, "list", a);
	/* What is in the tree may still be added to. */
	json_add(a, json_null());
	json_add(a, json_bool(true));
	json_set(o, "a", json_object());
	return o;
}

static void
members_keep_their_order(void **state)
{
	(void)state;
	check_text(tree_of_all(), "{\"z\":1,\"list\":[null,true],\"a\":{}}\n");
}

static void
pretty_text_is_indented_by_two(void **state)
{
	struct json *o = tree_of_all();
	_buf_ struct buf out = { 0 };

	(void)state;
	buf_puts(&out, ">");
	assert_ok(json_write(o, true, &out));
	assert_string_equal(out.data,
			    ">{\n"
			    "  \"z\": 1,\n"
			    "  \"list\": [\n"
			    "    null,\n"
			    "    true\n"
			    "  ],\n"
			    "  \"a\": {\n"
			    "  }\n"
			    "}\n");
	json_free(o);
}

static void
strings_are_repaired_but_keep_a_backslash(void **state)
{
	struct json *o = json_object();

	(void)state;
	check_text(json_string("\xff\x1b\xc3\xa9"),
		   "\"\\\\xff\\\\x1b\xc3\xa9\"\n");
	check_text(json_string("c:\\d\n"), "\"c:\\\\d\\\\x0a\"\n");
	json_set(o, "k\x80", json_string("v"));
	check_text(o, "{\"k\\\\x80\":\"v\"}\n");
}

static void
a_member_set_again_is_replaced(void **state)
{
	struct json *o = json_object();

	(void)state;
	json_set(o, "k", json_u64(1));
	json_set(o, "k", json_u64(2));
	check_text(o, "{\"k\":2}\n");
}

static void
a_value_that_memory_lacked_for_fails_the_whole_tree(void **state)
{
	struct json *o = json_object();
	struct json *a = json_array();
	struct json *inner = json_object();
	_buf_ struct buf out = { 0 };

	(void)state;
	json_set(o, "a", a);
	json_add(a, inner);
	/* NULL is what the constructors yield without memory. */
	json_set(inner, "k", NULL);
	json_set(inner, "l", json_u64(2));
	assert_err(json_write(o, false, &out), ERR_NOMEM, "memory");
	assert_int_equal(out.len, 0);
	json_free(o);
}

static void
adding_to_what_memory_lacked_for_frees_the_value(void **state)
{
	_buf_ struct buf out = { 0 };

	(void)state;
	json_set(NULL, "k", json_u64(1));
	json_add(NULL, json_string("x"));
	assert_err(json_write(NULL, false, &out), ERR_NOMEM, "memory");
	json_free(NULL);
}

static void
a_buffer_that_is_full_is_told(void **state)
{
	struct json *o = tree_of_all();
	_buf_ struct buf out = { .max = 4 };

	(void)state;
	assert_err(json_write(o, false, &out), ERR_LIMIT, "4 bytes");
	json_free(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_is_written_as_json),
		cmocka_unit_test(members_keep_their_order),
		cmocka_unit_test(pretty_text_is_indented_by_two),
		cmocka_unit_test(strings_are_repaired_but_keep_a_backslash),
		cmocka_unit_test(a_member_set_again_is_replaced),
		cmocka_unit_test(
			a_value_that_memory_lacked_for_fails_the_whole_tree),
		cmocka_unit_test(
			adding_to_what_memory_lacked_for_frees_the_value),
		cmocka_unit_test(a_buffer_that_is_full_is_told),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
