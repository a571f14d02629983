/* SPDX-License-Identifier: Apache-2.0 */
/* What rules of redaction match, and what they leave alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "assert-err.h"
#include "capture/redact.h"

#define RULES(...) \
	rules((const char *const[]){ __VA_ARGS__ }, \
	      countof(((const char *const[]){ __VA_ARGS__ })))

static struct arena *arena;

static struct redactions *
rules(const char *const *words, size_t n)
{
	struct redactions *r = arena_alloc(arena, sizeof(*r));

	r->arena = arena;
	assert_ok(rules_parse(r, words, n));
	return r;
}

static void
rules_end(struct redactions *r)
{
	for (size_t k = 0; k < r->n_rules; k++)
		regex_free(r->rules[k].regex);
}

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(64u << 20);
	return arena ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* @in with an 'X' for each byte that is matched. */
static const char *
found(struct redactions *r, const void *in, size_t n)
{
	char *shown = arena_dup(arena, in, n + 1);
	struct vec hits = { 0 };

	assert_ok(rules_find(r, (struct span){ in, n }, 0x1000, &hits));
	hits_merge(&hits);
	const struct hit *h = hits.data;
	for (size_t k = 0; k < hits.n; k++) {
		assert_true(h[k].from < h[k].to && h[k].to <= 0x1000 + n);
		assert_true(k == 0 || h[k - 1].to <= h[k].from);
		memset(shown + (h[k].from - 0x1000), 'X',
		       (size_t)(h[k].to - h[k].from));
	}
	for (size_t k = 0; k < n; k++)
		shown[k] = shown[k] ? shown[k] : '.';
	shown[n] = '\0';
	return shown;
}
#define FOUND(r, in) found(r, in, sizeof(in) - 1)

static void
words_that_are_no_rule_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "env", "env:", "regex:", "regex:(", "symbol:", "ENV:X",
		"file:x",
	};

	(void)state;
	for (size_t k = 0; k < countof(bad); k++) {
		struct redactions r = { .arena = arena };
		assert_err(rules_parse(&r, &bad[k], 1), ERR_USAGE, "");
	}
}

static void
an_expression_matches_bytes(void **state)
{
	struct redactions *r = RULES("regex:k[0-9]+", "regex:\\x00\\xff");

	(void)state;
	assert_string_equal(FOUND(r, "ak12bk3\0\xff\0k"), "aXXXbXXXX.k");
	rules_end(r);
}

static void
an_empty_match_is_none(void **state)
{
	struct redactions *r = RULES("regex:x*");

	(void)state;
	assert_string_equal(FOUND(r, "axxb"), "aXXb");
	rules_end(r);
}

static void
an_expression_that_takes_too_long_takes_all(void **state)
{
	static const char text[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!";
	struct redactions *r = RULES("regex:^(a+)+$");

	(void)state;
	assert_string_equal(FOUND(r, text),
			    "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX");
	assert_true(r->rules[0].gave_up);
	rules_end(r);
}

static void
a_variable_of_the_environment_loses_its_value(void **state)
{
	struct redactions *r = RULES("env:*_KEY");

	(void)state;
	assert_string_equal(FOUND(r, "A=1\0THE_KEY=a=b\nc\0B_KEYS=x\0X_KEY="),
			    "A=1.THE_KEY=XXXXX.B_KEYS=x.X_KEY=");
	/* In the middle of a string it is none. */
	r = RULES("env:KEY");
	assert_string_equal(FOUND(r, "\0use KEY=now"), ".use KEY=now");
}

static void
copies_of_a_value_are_found(void **state)
{
	struct redactions *r = RULES("env:K", "env:S");
	static const char env[] = "K=hunter2\0S=yes";

	(void)state;
	assert_ok(rules_learn(r, (struct span){ env, sizeof(env) }));
	assert_int_equal(r->secrets.n, 1);
	assert_string_equal(FOUND(r, "pw=hunter2,hunter2;yes"),
			    "pw=XXXXXXX,XXXXXXX;yes");
}

static void
a_rule_that_shows_what_it_hides_is_called_by_its_number(void **state)
{
	struct redactions *r = RULES("env:A", "regex:hunter2", "regex:h[0-9]");

	(void)state;
	assert_string_equal(r->rules[0].name, "env:A");
	assert_string_equal(r->rules[1].name, "rule 2");
	assert_string_equal(r->rules[2].name, "regex:h[0-9]");
	rules_end(r);
}

static void
a_part_of_memory_is_kept_or_not(void **state)
{
	struct redactions *r = RULES("regex:x+");
	size_t part;

	(void)state;
	assert_ok(rules_find(r, (struct span){ "..xx..x", 7 }, 100,
			     &r->ranges));
	hits_merge(&r->ranges);
	assert_false(redact_part(r, 50, 10, &part));
	assert_int_equal(part, 10);
	assert_false(redact_part(r, 100, 10, &part));
	assert_int_equal(part, 2);
	assert_true(redact_part(r, 102, 8, &part));
	assert_int_equal(part, 2);
	assert_true(redact_part(r, 103, 1, &part));
	assert_int_equal(part, 1);
	assert_false(redact_part(r, 104, 2, &part));
	assert_int_equal(part, 2);
	assert_true(redact_part(r, 106, 100, &part));
	assert_int_equal(part, 1);
	assert_false(redact_part(r, 107, 100, &part));
	assert_int_equal(part, 100);
	assert_false(redact_part(NULL, 102, 8, &part));
	assert_int_equal(part, 8);
	rules_end(r);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(words_that_are_no_rule_are_refused),
		TEST(an_expression_matches_bytes),
		TEST(an_empty_match_is_none),
		TEST(an_expression_that_takes_too_long_takes_all),
		TEST(a_variable_of_the_environment_loses_its_value),
		TEST(copies_of_a_value_are_found),
		TEST(a_rule_that_shows_what_it_hides_is_called_by_its_number),
		TEST(a_part_of_memory_is_kept_or_not),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
