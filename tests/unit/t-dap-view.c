/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client of the Debug Adapter Protocol sees first: why the process died,
 * the overview, threads that do the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assert-err.h"
#include "make-spoken.h"

#define CROWD 20000u
#define LONG_NOTES 300u
#define OVERVIEW_MAX (64u << 10)
#define TEXT_SIZE 1200

static int
setup(void **state)
{
	*state = calloc(1, sizeof(struct spoken));
	return *state ? 0 : -1;
}

static int
teardown(void **state)
{
	spoken_close(*state);
	free(*state);
	return 0;
}

/* The body of the answer to a request that is answered. */
static const struct json *
ask(struct spoken *s, const char *command, const char *arguments)
{
	const char *word = spoken_ask(s, command, arguments);

	if (word)
		print_error("%s: %s\n", word, spoken_body(s));
	assert_null(word);
	return json_get(s->answer, "body");
}

static const char *
text_at(const struct json *j, const char *key)
{
	const char *text = json_str(json_get(j, key));

	return text ? text : "(nothing)";
}

static int64_t
number_at(const struct json *j, const char *key)
{
	int64_t n = -1;

	if (!json_to_i64(json_get(j, key), &n))
		return -1;
	return n;
}

/* ---- why it died -------------------------------------------------------- */
static void
exception_says_signal_code_and_address(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	const struct json *body = ask(s, "exceptionInfo", "\"threadId\":4243");
	const struct json *details = json_get(body, "details");
	assert_string_equal(text_at(body, "exceptionId"), "SIGSEGV");
	assert_string_equal(text_at(body, "breakMode"), "unhandled");
	assert_non_null(strstr(text_at(body, "description"),
			       "0x10, where nothing is mapped: a null "
			       "pointer"));
	assert_string_equal(text_at(details, "typeName"), "null-deref");
	assert_ptr_equal(strstr(text_at(details, "message"),
				"SEGV_MAPERR at 0x10"),
			 text_at(details, "message"));
}

static void
exception_is_of_the_thread_that_died(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	assert_string_equal(spoken_ask(s, "exceptionInfo",
				       "\"threadId\":4242"), "notFound");
	assert_string_equal(spoken_ask(s, "exceptionInfo", ""), "notFound");
}

static void
process_that_ran_has_no_exception(void **state)
{
	struct spoken *s = *state;

	served_init(&s->served);
	s->served.target.process.signal = 0;
	assert_ok(spoken_open(s, "", ""));
	assert_string_equal(spoken_ask(s, "exceptionInfo",
				       "\"threadId\":4243"), "notFound");
}

/* ---- before the stop ---------------------------------------------------- */
static void
notes_files_and_gaps_come_before_the_stop(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	assert_string_equal(s->events.data,
			    "initialized output output output output stopped ");
}

static void
long_notes_end_between_characters_and_say_so(void **state)
{
	struct snap_note note = { .key = "long" };
	struct spoken *s = *state;
	_buf_ struct buf text = { 0 };

	buf_putc(&text, 'x');
	for (size_t k = 0; k < 1500; k++)
		buf_puts(&text, "\u00e9");
	note.text = text.data;
	served_init(&s->served);
	s->served.target.notes = &note;
	s->served.target.n_notes = 1;
	assert_ok(spoken_open(s, "", ""));
	assert_null(strchr(s->outputs.data, '\\'));
	assert_non_null(strstr(s->outputs.data, "\u00e9\u2026\n"));
	spoken_close(s);
	memset(s, 0, sizeof(*s));
}

static void
names_that_are_missing_are_told_once(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	buf_reset(&s->events);
	ask(s, "stackTrace", "\"threadId\":4242");
	assert_int_equal(s->events.len, 0);
	ask(s, "stackTrace", "\"threadId\":4243");
	size_t told = s->events.len;
	assert_ptr_equal(strstr(s->events.data, "output "), s->events.data);
	ask(s, "stackTrace", "\"threadId\":4243");
	assert_int_equal(s->events.len, told);
}

/* ---- groups ------------------------------------------------------------- */
static void
groups_sum_up_to_all_threads(void **state)
{
	struct spoken *s = *state;
	int64_t all = 0, cpu = 0;

	assert_ok(spoken_open(s, "", ""));
	const struct json *groups = json_get(
		ask(s, "inquest/threadGroups", ""), "groups");
	for (size_t k = 0; k < json_length(groups); k++) {
		const struct json *g = json_at(groups, k);

		assert_int_equal(number_at(g, "id"), k);
		assert_int_equal(number_at(g, "count"),
				 json_length(json_get(g, "threads")));
		all += number_at(g, "count");
		if (json_get(g, "cpuMs"))
			cpu += number_at(g, "cpuMs");
	}
	assert_int_equal(all, SERVED_THREADS);
	/* The line of 4242 ends before its fourth field does. */
	assert_int_equal(cpu, 6);
}

/* ---- the overview ------------------------------------------------------- */
/* Of that kind there is a row with @value. */
static void
assert_missing(const struct json *body, const char *what, const char *key,
	       const char *value)
{
	const struct json *rows = json_get(body, "missing");
	bool found = false;

	for (size_t k = 0; k < json_length(rows) && !found; k++)
		found = strcmp(text_at(json_at(rows, k), "what"), what) == 0
			&& strcmp(text_at(json_at(rows, k), key), value) == 0;
	if (!found)
		print_error("%s is not missing: %s\n", what, value);
	assert_true(found);
}

static void
overview_has_all_of_a_small_one(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	const struct json *body = ask(s, "inquest/overview", "");
	const struct json *snapshot = json_get(body, "snapshot");
	const struct json *reason = json_get(body, "reason");
	assert_string_equal(text_at(snapshot, "id"), "9d33");
	assert_string_equal(text_at(snapshot, "program"), "served");
	assert_false(json_is_true(json_get(snapshot, "complete"), true));
	assert_string_equal(text_at(reason, "signal"), "SIGSEGV");
	assert_string_equal(text_at(reason, "address"), "0x10");
	assert_int_equal(json_length(json_get(body, "threads")),
			 SERVED_THREADS);
	assert_int_equal(json_length(json_get(body, "notes")), 1);
	assert_missing(body, "input", "why", "the core is truncated");
	assert_missing(body, "memory", "of", "4.0 KiB");
	assert_missing(body, "function names", "of", "served");
	assert_int_equal(json_length(json_get(body, "cut")), 0);
}

static bool
is_cut(const struct json *body, const char *name)
{
	const struct json *cut = json_get(body, "cut");

	for (size_t k = 0; k < json_length(cut); k++)
		if (strcmp(json_str(json_at(cut, k)), name) == 0)
			return true;
	return false;
}

/* @CROWD threads; to be freed once @s is closed. */
static struct snap_thread *
open_crowd(struct spoken *s)
{
	struct snap_thread *threads = calloc(CROWD, sizeof(*threads));

	assert_non_null(threads);
	served_init(&s->served);
	for (size_t k = 0; k < CROWD; k++) {
		threads[k] = s->served.threads[k % SERVED_THREADS];
		threads[k].tid = k + 1;
		threads[k].faulting = k == 0;
	}
	s->served.target.threads = threads;
	s->served.target.n_threads = CROWD;
	assert_ok(spoken_open(s, "", ""));
	return threads;
}

static void
threads_of_a_crowd_are_compared_piece_by_piece(void **state)
{
	static const char *const requests[] = {
		"inquest/overview", "inquest/threadGroups",
	};
	struct spoken *s = *state;
	struct snap_thread *threads = open_crowd(s);

	s->slow = true;
	for (size_t k = 0; k < countof(requests); k++) {
		_buf_ struct buf cancel = { 0 };

		assert_string_equal(spoken_ask(s, requests[k], ""), "nothing");
		buf_printf(&cancel, "\"requestId\":%lld", s->seq);
		/* Others are heard in between, those that ask the same too. */
		ask(s, "threads", "");
		assert_null(spoken_ask(s, "cancel", cancel.data));
		assert_string_equal(spoken_work(s), "cancelled");
		ask(s, "scopes", "\"frameId\":1");
	}
	assert_string_equal(spoken_ask(s, requests[0], ""), "nothing");
	unsigned responses = s->responses;
	ask(s, requests[1], "");
	assert_null(spoken_work(s));
	assert_int_equal(s->responses, responses + 2);
	ask(s, requests[0], "");
	spoken_close(s);
	memset(s, 0, sizeof(*s));
	free(threads);
}

static void
overview_of_a_crowd_is_cut(void **state)
{
	struct spoken *s = *state;
	struct snap_thread *threads = open_crowd(s);

	const struct json *body = ask(s, "inquest/overview", "");
	assert_true(strlen(spoken_body(s)) < OVERVIEW_MAX);
	assert_true(is_cut(body, "threads"));
	assert_true(is_cut(body, "groups"));
	assert_false(is_cut(body, "notes"));
	assert_missing(body, "memory", "of", "4.0 KiB");
	assert_int_equal(number_at(json_at(json_get(body, "groups"), 0),
				   "count"), CROWD / 3 + 1);
	spoken_close(s);
	memset(s, 0, sizeof(*s));
	free(threads);
}

/* What is missing is said, whatever else there is no room for. */
static void
overview_of_long_texts_is_cut(void **state)
{
	struct snap_note *notes = calloc(LONG_NOTES, sizeof(*notes));
	const char **gaps = calloc(LONG_NOTES, sizeof(*gaps));
	struct spoken *s = *state;
	char (*texts)[TEXT_SIZE] = calloc(LONG_NOTES, TEXT_SIZE);

	served_init(&s->served);
	for (size_t k = 0; k < LONG_NOTES; k++) {
		snprintf(texts[k], TEXT_SIZE, "%0*zu", TEXT_SIZE - 1, k);
		notes[k] = (struct snap_note){ .key = texts[k],
					       .text = texts[k] };
		gaps[k] = texts[k];
	}
	s->served.target.notes = notes;
	s->served.target.n_notes = LONG_NOTES;
	s->served.target.gaps = gaps;
	s->served.target.n_gaps = LONG_NOTES;
	assert_ok(spoken_open(s, "", ""));
	const struct json *body = ask(s, "inquest/overview", "");
	assert_true(strlen(spoken_body(s)) < OVERVIEW_MAX);
	assert_true(is_cut(body, "notes"));
	const struct json *missing = json_get(body, "missing");
	size_t n = json_length(missing);
	assert_int_equal(n, 64);
	assert_string_equal(text_at(json_at(missing, n - 1), "what"), "more");
	spoken_close(s);
	memset(s, 0, sizeof(*s));
	free(notes);
	free(gaps);
	free(texts);
}

/* ---- no series ---------------------------------------------------------- */
static void
alone_it_does_not_move(void **state)
{
	static const char *const moves[] = {
		"next", "continue", "stepBack", "reverseContinue", "stepIn",
	};
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	assert_null(strstr(s->events.data, "capabilities"));
	for (size_t k = 0; k < countof(moves); k++)
		assert_string_equal(spoken_ask(s, moves[k],
					       "\"threadId\":4243"),
				    "postMortem");
	const struct json *body = ask(s, "inquest/series", "");
	assert_int_equal(number_at(body, "total"), 0);
	assert_string_equal(spoken_ask(s, "inquest/diff",
				       "\"snapshot\":\"aaaa\""), "notFound");
	assert_string_equal(spoken_ask(s, "inquest/diff",
				       "\"snapshot\":\"/etc/passwd\""),
			    "denied");
	ask(s, "threads", "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(exception_says_signal_code_and_address),
		TEST(exception_is_of_the_thread_that_died),
		TEST(process_that_ran_has_no_exception),
		TEST(notes_files_and_gaps_come_before_the_stop),
		TEST(long_notes_end_between_characters_and_say_so),
		TEST(names_that_are_missing_are_told_once),
		TEST(groups_sum_up_to_all_threads),
		TEST(overview_has_all_of_a_small_one),
		TEST(threads_of_a_crowd_are_compared_piece_by_piece),
		TEST(overview_of_a_crowd_is_cut),
		TEST(overview_of_long_texts_is_cut),
		TEST(alone_it_does_not_move),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
