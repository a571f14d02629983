/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of option tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "assert-err.h"

struct options {
	bool json, join;
	const char *listen;
	uint64_t size;
	struct opt_list dirs;
};

static const struct opt table[] = {
	{ "json", 'j', NULL, "write JSON", OPT_FLAG,
	  offsetof(struct options, json) },
	{ "join", 0, NULL, "join lines", OPT_FLAG,
	  offsetof(struct options, join) },
	{ "listen", 'l', "ADDR", "listen there", OPT_STRING,
	  offsetof(struct options, listen) },
	{ "size", 0, "N", "this much", OPT_U64,
	  offsetof(struct options, size) },
	{ "dir", 'd', "DIR", "look there too", OPT_LIST,
	  offsetof(struct options, dirs) },
	{ 0 },
};

#define WORDS_MAX 80

/** A verb's words, in memory of their own as getopt may reorder them. */
struct words {
	const char *v[WORDS_MAX + 1];
	int n, first;
	struct options got;
};

static struct err *
parse(struct words *w)
{
	w->n = 0;
	while (w->v[w->n])
		w->n++;
	return opt_parse(table, w->n, (char **)w->v, &w->got, &w->first);
}

#define words(...) { .v = { "verb", __VA_ARGS__ } }

static void
every_type_finds_its_field(void **state)
{
	struct words w = words("-j", "--listen=a:1", "--size", "12", "-d",
			       "x", "--dir", "y", "core");

	(void)state;
	assert_ok(parse(&w));
	assert_true(w.got.json);
	assert_false(w.got.join);
	assert_string_equal(w.got.listen, "a:1");
	assert_int_equal(w.got.size, 12);
	assert_int_equal(w.got.dirs.n, 2);
	assert_string_equal(w.got.dirs.item[0], "x");
	assert_string_equal(w.got.dirs.item[1], "y");
	assert_int_equal(w.first, 9);
	assert_string_equal(w.v[w.first], "core");
}

static void
options_may_follow_operands(void **state)
{
	struct words w = words("one", "-la", "two", "--json");

	(void)state;
	assert_ok(parse(&w));
	assert_true(w.got.json);
	assert_string_equal(w.got.listen, "a");
	assert_int_equal(w.n - w.first, 2);
	assert_string_equal(w.v[w.first], "one");
	assert_string_equal(w.v[w.first + 1], "two");
}

static void
two_dashes_end_the_options(void **state)
{
	struct words w = words("-j", "--", "--listen");

	(void)state;
	assert_ok(parse(&w));
	assert_int_equal(w.first, 3);
	assert_null(w.got.listen);
}

static void
no_words_leave_the_options_alone(void **state)
{
	struct words w = { .v = { "verb" }, .got = { .size = 5 } };

	(void)state;
	assert_ok(parse(&w));
	assert_int_equal(w.first, 1);
	assert_int_equal(w.got.size, 5);
}

static void
numbers_take_suffixes_of_1024_and_hex(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} rows[] = {
		{ "0", 0 }, { "4096", 4096 }, { "64k", 65536 },
		{ "64K", 65536 }, { "3M", 3 << 20 }, { "2G", 2ull << 30 },
		{ "0x1f", 31 }, { "010", 10 },
		{ "18446744073709551615", UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		struct words w = words("--size", rows[i].text);

		assert_ok(parse(&w));
		assert_true(w.got.size == rows[i].value);
	}
}

static void
other_numbers_are_refused_by_name(void **state)
{
	static const char *const bad[] = {
		"", "k", "-1", "+1", " 1", "1 ", "1kk", "1T", "0x", "0xg",
		"1.5", "18446744073709551616", "17179869184G", "99999999999G",
	};

	(void)state;
	for (size_t i = 0; i < countof(bad); i++) {
		struct words w = words("--size", bad[i]);

		assert_err(parse(&w), ERR_USAGE, "option --size needs a number");
	}
}

static void
an_abbreviation_that_is_clear_is_taken(void **state)
{
	struct words w = words("--js", "--li", "x");

	(void)state;
	assert_ok(parse(&w));
	assert_true(w.got.json);
	assert_string_equal(w.got.listen, "x");
}

static void
what_is_off_is_named(void **state)
{
	static const struct {
		const char *word, *said;
	} rows[] = {
		{ "--nope", "unknown option --nope" },
		{ "--nope=1", "unknown option --nope=1" },
		{ "-x", "unknown option -x" },
		{ "-jx", "unknown option -x" },
		{ "--jo\033", "unknown option --jo\\x1b" },
		{ "--j", "option --j may mean several" },
		{ "--json=1", "option --json takes no value" },
		{ "--size", "option --size needs a value: N" },
		{ "-l", "option --listen needs a value: ADDR" },
	};

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		struct words w = words("core", rows[i].word);

		assert_err(parse(&w), ERR_USAGE, rows[i].said);
		assert_int_equal(w.first, 0);
	}
}

static void
a_list_has_an_end(void **state)
{
	struct words w = words("-dx");

	(void)state;
	for (size_t i = 1; i <= OPT_LIST_MAX; i++)
		w.v[i] = "-dx";
	assert_ok(parse(&w));
	assert_int_equal(w.got.dirs.n, OPT_LIST_MAX);
	w.got.dirs.n = 0;
	w.v[OPT_LIST_MAX + 1] = "-dx";
	assert_err(parse(&w), ERR_USAGE, "--dir is given more than 64 times");
}

static void
a_scan_that_failed_leaves_nothing_for_the_next(void **state)
{
	struct words bad = words("-jxd");
	struct words good = words("-j");

	(void)state;
	assert_err(parse(&bad), ERR_USAGE, "-x");
	assert_ok(parse(&good));
	assert_int_equal(good.got.dirs.n, 0);
	assert_int_equal(good.first, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_finds_its_field),
		cmocka_unit_test(options_may_follow_operands),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(no_words_leave_the_options_alone),
		cmocka_unit_test(numbers_take_suffixes_of_1024_and_hex),
		cmocka_unit_test(other_numbers_are_refused_by_name),
		cmocka_unit_test(an_abbreviation_that_is_clear_is_taken),
		cmocka_unit_test(what_is_off_is_named),
		cmocka_unit_test(a_list_has_an_end),
		cmocka_unit_test(
			a_scan_that_failed_leaves_nothing_for_the_next),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
