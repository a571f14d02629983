/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of JSON, written and read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "assert-err.h"
#include "base/json.h"

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
	check_text(json_lines("a\x1b\n\tb\n"), "\"a\\\\x1b\\n\\tb\\n\"\n");
	check_text(json_lines(NULL), "null\n");
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

/* ---- reading ------------------------------------------------------------- */
/** @text as it is written again, or what the error says. */
static void
check_read(const char *text, size_t n, const char *expected)
{
	_buf_ struct buf out = { 0 };
	struct json *j;
	_err_ struct err *err = json_read((struct span){
			(const uint8_t *)text, n }, &j);

	if (err) {
		assert_null(j);
		assert_string_equal(err_text(err), expected);
		return;
	}
	check_text(j ? j : json_null(), expected);
}

static void
what_is_json_is_read(void **state)
{
	static const struct { const char *text, *again; } rows[] = {
		{ "{}", "{}\n" },
		{ " [1, -2,3.5 ,\"a\\u0041\\n\"]\r\n\t", "[1,-2,3.5,\"aA\\\\x0a\"]\n" },
		{ "null", "null\n" },
		{ "12", "12\n" },
		{ "true", "true\n" },
		{ "{\"a\":{\"a\":[{\"a\":1}]}}", "{\"a\":{\"a\":[{\"a\":1}]}}\n" },
		{ "\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"\n" },
		{ "\"\xc2\x80\"", NULL },
	};

	(void)state;
	for (size_t k = 0; k < countof(rows); k++) {
		struct json *j;

		assert_ok(json_read((struct span){
				(const uint8_t *)rows[k].text,
				strlen(rows[k].text) }, &j));
		json_free(j);
	}
	check_read("{\"a\":{\"a\":[{\"a\":1}]}}", 21, rows[5].again);
	check_read("12", 2, "12\n");
	check_read("null", 4, "null\n");
}

static void
what_is_none_is_refused(void **state)
{
	static const char *const rows[] = {
		"", " ", "{", "[1", "\"a", "{\"a\"", "tru", "-", "1 2", "[1,]",
		"{,}", "{\"a\":1,}", "'a'", "{'a':1}", "NaN", "[Infinity]",
		"[-Infinity]", "01", "+1", ".5", "1.", "0x10", "True", "// c",
		"/**/1", "[1]]", "\"\n\"", "\"\x01\"", "\"\xff\"",
		"\"\xed\xa0\x80\"", "\"\xc0\x80\"", "\"\\ud800\"",
		"\"\\udc00\\ud800\"", "\"\\x41\"", "\"\\u12\"", "nul", "nullx",
		"{\"a\":1,\"a\":2}", "[{\"b\":{},\"b\":{}}]", "{\"a\" 1}",
		"[1 2]", "{1:2}", "\xef\xbb\xbf{}", "[\"a\" \"b\"]", "--1",
		"1e", "1e+", "truefalse", "{}{}",
	};

	(void)state;
	for (size_t k = 0; k < countof(rows); k++) {
		struct json *j;
		_err_ struct err *err = json_read((struct span){
				(const uint8_t *)rows[k], strlen(rows[k]) },
				&j);

		if (!err)
			fail_msg("%s was read", rows[k]);
		assert_int_equal(err_kind(err), ERR_FORMAT);
		assert_null(j);
	}
	check_read("[1]\0", 4, "no JSON: a character that JSON does not have, "
		   "at byte 3");
}

static void
depth_is_bounded(void **state)
{
	char text[2 * JSON_DEPTH_MAX + 2];
	struct json *j;

	(void)state;
	for (size_t deep = JSON_DEPTH_MAX; deep <= JSON_DEPTH_MAX + 1; deep++) {
		memset(text, '[', deep);
		memset(text + deep, ']', deep);
		_err_ struct err *err = json_read((struct span){
				(const uint8_t *)text, 2 * deep }, &j);
		assert_int_equal(!err, deep <= JSON_DEPTH_MAX);
		json_free(j);
	}
}

/* Names that json-c's hash cannot tell apart: "Ab" and "BA" count the same. */
static struct err *
read_members(size_t n, unsigned *ms)
{
	_buf_ struct buf text = { 0 };
	struct json *j;

	for (size_t k = 0; k < n; k++) {
		buf_puts(&text, k ? ",\"" : "[{\"");
		for (unsigned bit = 0; bit < 16; bit++)
			buf_puts(&text, k >> bit & 1 ? "BA" : "Ab");
		buf_puts(&text, "\":{}");
	}
	buf_puts(&text, "}]");
	assert_false(text.failed);
	clock_t from = clock();
	struct err *err = json_read((struct span){
			(const uint8_t *)text.data, text.len }, &j);
	*ms = (unsigned)((clock() - from) * 1000 / CLOCKS_PER_SEC);
	json_free(j);
	return err;
}

static void
members_are_bounded(void **state)
{
	unsigned ms;

	(void)state;
	assert_ok(read_members(JSON_MEMBERS_MAX, &ms));
	assert_err(read_members(JSON_MEMBERS_MAX + 1, &ms), ERR_FORMAT,
		   "too many members");
	assert_err(read_members(1 << 16, &ms), ERR_FORMAT, "too many members");
	assert_true(ms < 1000);
}

/* Empty lists cost more than the text that they are. */
static void
values_are_bounded(void **state)
{
	(void)state;
	for (size_t n = JSON_VALUES_MAX / 2; n < JSON_VALUES_MAX; n += 8) {
		_buf_ struct buf text = { 0 };
		struct json *j = NULL;

		buf_puts(&text, "[[]");
		for (size_t k = 1; k < n; k++)
			buf_puts(&text, ",[]");
		buf_putc(&text, ']');
		_err_ struct err *err = json_read((struct span){
				text.data, text.len }, &j);
		json_free(j);
		if (n > JSON_VALUES_MAX / 2) {
			assert_non_null(strstr(err_text(err), "more values"));
			break;
		}
		assert_null(err);
	}
}

static void
members_are_found(void **state)
{
	static const char text[] = "{\"n\":7,\"m\":-1,\"f\":2.0,\"h\":2.5,"
		"\"big\":18446744073709551616,\"s\":\"a\\u0000b\",\"t\":\"x\","
		"\"l\":[null,true],\"u\":9007199254740993,\"e\":1e3}";
	struct json *j;
	int64_t i;
	uint64_t u;

	(void)state;
	assert_ok(json_read((struct span){ (const uint8_t *)text,
					   sizeof(text) - 1 }, &j));
	assert_true(json_to_i64(json_get(j, "n"), &i) && i == 7);
	assert_true(json_to_i64(json_get(j, "m"), &i) && i == -1);
	assert_false(json_to_u64(json_get(j, "m"), &u));
	assert_true(json_to_u64(json_get(j, "f"), &u) && u == 2);
	assert_true(json_to_u64(json_get(j, "e"), &u) && u == 1000);
	assert_true(json_to_u64(json_get(j, "u"), &u)
		    && u == 9007199254740993u);
	assert_false(json_to_u64(json_get(j, "h"), &u));
	assert_false(json_to_u64(json_get(j, "big"), &u));
	assert_false(json_to_i64(json_get(j, "t"), &i));
	assert_false(json_to_i64(json_get(j, "none"), &i));
	assert_int_equal(json_span(json_get(j, "s")).n, 3);
	assert_null(json_str(json_get(j, "s")));
	assert_string_equal(json_str(json_get(j, "t")), "x");
	assert_int_equal(json_length(json_get(j, "l")), 2);
	assert_int_equal(json_kind(json_at(json_get(j, "l"), 0)), JSON_NULL);
	assert_true(json_is_true(json_at(json_get(j, "l"), 1), false));
	assert_true(json_is_true(json_at(json_get(j, "l"), 2), true));
	json_free(j);
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
		cmocka_unit_test(what_is_json_is_read),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(members_are_bounded),
		cmocka_unit_test(values_are_bounded),
		cmocka_unit_test(members_are_found),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
