/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session of the Debug Adapter Protocol over the snapshots of dap-world.h:
 * who is told what, and what ids mean.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "inspect/overlay.h"
#include "tests/fuzz/dap-world.h"
#include "tests/unit/assert-err.h"

#define HEARS "\"supportsMemoryEvent\":true,\"supportsInvalidatedEvent\":true,"
#define STACK "0x7ff100"        /* of the first thread */
#define MADE_UP (INT64_C(1) << 30)

struct talk {
	struct world w;
	struct dap *d;
	long long seq;
	struct json *answer;    /* the last response */
	struct json *event;     /* of the name @wanted, the last one */
	const char *wanted;
	struct buf events;      /* names, each with a blank behind it */
};

/* ---- talking ---------------------------------------------------------------- */
static struct err *
hear(void *arg, struct span json)
{
	struct talk *t = arg;
	struct json *message = NULL, **place = &t->answer;

	assert_ok(json_read(json, &message));
	const char *event = json_str(json_get(message, "event"));
	if (event) {
		buf_puts(&t->events, event);
		buf_putc(&t->events, ' ');
		place = &t->event;
	}
	if (event && (!t->wanted || strcmp(event, t->wanted) != 0)) {
		json_free(message);
		return NULL;
	}
	json_free(*place);
	*place = message;
	return NULL;
}

/* The body of the answer; NULL: refused. */
static const struct json *
ask(struct talk *t, const char *command, const char *arguments)
{
	const struct dap_sink sink = { hear, t };
	_buf_ struct buf text = { 0 };

	json_free(take(t->answer));
	json_free(take(t->event));
	buf_reset(&t->events);
	buf_printf(&text, "{\"seq\":%lld,\"type\":\"request\",\"command\":"
		   "\"%s\",\"arguments\":{%s}}", ++t->seq, command, arguments);
	assert_ok(dap_message(t->d, (struct span){ text.data, text.len },
			      &sink));
	while (dap_busy(t->d))
		assert_ok(dap_work(t->d, &sink));
	assert_non_null(t->answer);
	return json_is_true(json_get(t->answer, "success"), false)
	       ? json_get(t->answer, "body") : NULL;
}

static const char *
events_of(const struct talk *t)
{
	return t->events.len ? t->events.data : "";
}

static int64_t
number_at(const struct json *j, const char *key)
{
	int64_t n = -1;

	return json_to_i64(json_get(j, key), &n) ? n : -1;
}

static const char *
text_at(const struct json *j, const char *key)
{
	const char *text = json_str(json_get(j, key));

	return text ? text : "(nothing)";
}

static int
setup(void **state)
{
	struct talk *t = calloc(1, sizeof(*t));

	*state = t;
	return t && !world_init(&t->w, 0, NULL, 0) ? 0 : -1;
}

static int
teardown(void **state)
{
	struct talk *t = *state;

	dap_free(t->d);
	world_fini(&t->w);
	json_free(t->answer);
	json_free(t->event);
	buf_fini(&t->events);
	free(t);
	return 0;
}

/* Up to "stopped"; @hello: members of "initialize", each with a comma. */
static void
begin(struct talk *t, const char *hello)
{
	const struct dap_options o = { .host = &t->w.host, .local = true };
	_buf_ struct buf arguments = { 0 };

	buf_printf(&arguments, "%s\"adapterID\":\"x\"", hello);
	assert_ok(dap_new(&o, &t->d));
	ask(t, "initialize", arguments.data);
	ask(t, "attach", "\"snapshot\":\"aaaa\"");
	ask(t, "configurationDone", "");
}

static const struct json *
variables(struct talk *t, int64_t reference)
{
	_buf_ struct buf arguments = { 0 };

	buf_printf(&arguments, "\"variablesReference\":%lld",
		   (long long)reference);
	const struct json *body = ask(t, "variables", arguments.data);
	assert_non_null(body);
	return json_get(body, "variables");
}

/* Some write what they do not have as null. */
static void
null_stands_for_no_arguments(void **state)
{
	static const char text[] = "{\"seq\":9,\"type\":\"request\","
				   "\"command\":\"threads\","
				   "\"arguments\":null}";
	struct talk *t = *state;
	const struct dap_sink sink = { hear, t };

	begin(t, "");
	json_free(take(t->answer));
	assert_ok(dap_message(t->d, (struct span){ text, sizeof(text) - 1 },
			      &sink));
	assert_true(json_is_true(json_get(t->answer, "success"), false));
}

static void
stop_is_told_once_and_before_moves(void **state)
{
	const struct dap_options o = { .host = &((struct talk *)*state)->w.host,
				       .local = true };
	struct talk *t = *state;

	assert_ok(dap_new(&o, &t->d));
	ask(t, "initialize", "\"adapterID\":\"x\"");
	ask(t, "attach", "\"snapshot\":\"aaaa\"");
	ask(t, "next", "");
	assert_false(json_is_true(json_get(t->answer, "success"), true));
	assert_string_equal(events_of(t), "");
	ask(t, "configurationDone", "");
	assert_non_null(strstr(events_of(t), "stopped "));
	ask(t, "configurationDone", "");
	assert_string_equal(events_of(t), "");
}

/* ---- ids of threads ----------------------------------------------------------- */
/* Those of the first snapshot, and of the last. */
static void
nameless_threads_are_others_in_another_snapshot(void **state)
{
	struct talk *t = *state;
	int64_t before[SERVED_THREADS] = { 0 };
	size_t n = 0;

	for (size_t k = 0; k < SERVED_THREADS; k++) {
		t->w.snapshots[0].served.threads[k].tid = k == 2 ? 7 : 0;
		t->w.snapshots[1].served.threads[k].tid = 0;
	}
	begin(t, "");
	const struct json *list = json_get(ask(t, "threads", ""), "threads");
	for (; n < json_length(list); n++)
		before[n] = number_at(json_at(list, n), "id");
	assert_int_equal(n, SERVED_THREADS);
	assert_true(before[0] >= MADE_UP && before[2] == 7);
	ask(t, "next", "");
	assert_true(json_is_true(json_get(t->answer, "success"), false));
	/* All are gone, and all that are there came. */
	size_t told = 0;
	for (const char *at = events_of(t); (at = strstr(at, "thread ")); at++)
		told++;
	assert_int_equal(told, SERVED_THREADS + SERVED_THREADS - 1);
	list = json_get(ask(t, "threads", ""), "threads");
	for (size_t k = 0; k < json_length(list); k++)
		for (size_t b = 0; b < n; b++)
			assert_int_not_equal(number_at(json_at(list, k), "id"),
					     before[b]);
}

/* ---- who hears of writes --------------------------------------------------------- */
static const char *const writes[][2] = {
	{ "writeMemory", "\"memoryReference\":\"" STACK "\",\"data\":\"AAEC\"" },
	{ "setExpression", "\"expression\":\"*(char *)" STACK "\","
			   "\"value\":\"3\"" },
};

static void
writes_are_told_to_who_said_so(void **state)
{
	struct talk *t = *state;

	begin(t, HEARS);
	for (size_t k = 0; k < countof(writes); k++) {
		if (!ask(t, writes[k][0], writes[k][1]))
			fail_msg("%s is refused", writes[k][0]);
		assert_string_equal(events_of(t), "memory invalidated ");
	}
	/* Frames are other ones, with other ids. */
	assert_non_null(ask(t, "stackTrace", "\"threadId\":4243"));
	t->wanted = "invalidated";
	assert_non_null(ask(t, "setExpression", "\"frameId\":1,\"expression\":"
			    "\"$rip\",\"value\":\"0x401000\""));
	assert_string_equal(events_of(t), "invalidated ");
	assert_string_equal(json_str(json_at(json_get(json_get(
			t->event, "body"), "areas"), 0)), "all");
}

static void
writes_are_not_told_to_others(void **state)
{
	struct talk *t = *state;

	begin(t, "");
	for (size_t k = 0; k < countof(writes); k++) {
		if (!ask(t, writes[k][0], writes[k][1]))
			fail_msg("%s is refused", writes[k][0]);
		assert_string_equal(events_of(t), "");
	}
	assert_non_null(ask(t, "stackTrace", "\"threadId\":4243"));
	assert_null(ask(t, "setExpression", "\"frameId\":1,\"expression\":"
			"\"$rip\",\"value\":\"0x401000\""));
}

/* What somebody else of the session wrote. */
static void
hear_of(struct talk *t, uint64_t addr, uint64_t n)
{
	const struct dap_sink sink = { hear, t };

	buf_reset(&t->events);
	assert_ok(dap_written(t->d, addr, n, &sink));
}

static void
others_writes_are_told_to_who_said_so(void **state)
{
	const uint64_t pc = 0x401005;
	struct talk *t = *state;
	struct snap_thread *first = &t->w.snapshots[0].served.threads[0];

	first->tid = 4243;
	begin(t, HEARS);
	const struct json *frames = json_get(ask(
		t, "stackTrace", "\"threadId\":4243"), "stackFrames");
	assert_true(json_length(frames) > 0);
	hear_of(t, 0x7ff100, 4);
	assert_string_equal(events_of(t), "memory invalidated ");
	size_t n, rip = 0;
	const struct reg *regs = insp_regs(t->w.snapshots[0].insp, &n);
	while (rip < n && strcmp(regs[rip].name, "rip") != 0)
		rip++;
	assert_ok(overlay_write_reg(t->w.snapshots[0].overlay, 0, rip,
				    sizeof(pc), &pc));
	hear_of(t, 0, 0);
	assert_string_equal(events_of(t), "invalidated ");
	frames = json_get(ask(t, "stackTrace", "\"threadId\":4243"),
			  "stackFrames");
	assert_string_equal(text_at(json_at(frames, 0),
				    "instructionPointerReference"),
			    "0x401005");
	assert_null(ask(t, "scopes", "\"frameId\":1"));
}

static void
others_writes_are_not_told_to_others(void **state)
{
	struct talk *t = *state;

	begin(t, "");
	assert_non_null(ask(t, "stackTrace", "\"threadId\":4243"));
	hear_of(t, 0x7ff100, 4);
	assert_string_equal(events_of(t), "");
	hear_of(t, 0, 0);
	assert_string_equal(events_of(t), "");
	/* What it knows is as it was. */
	assert_non_null(ask(t, "scopes", "\"frameId\":1"));
}

/* ---- notes ------------------------------------------------------------------------ */
static void
note_refers_to_its_frame_and_address(void **state)
{
	static const struct snap_note notes[] = {
		{ .key = "lock", .text = "waits", .tid = 4243,
		  .depth = 1, .address = 0x7ff100 },
	};
	struct talk *t = *state;
	struct target *target = &t->w.snapshots[0].served.target;

	target->notes = notes;
	target->n_notes = countof(notes);
	begin(t, "");
	/* The first reference that was given. */
	const struct json *rows = variables(t, 1);
	assert_int_equal(json_length(rows), 1);
	assert_string_equal(text_at(json_at(rows, 0), "name"), "lock");
	assert_string_equal(text_at(json_at(rows, 0), "value"), "waits");
	rows = variables(t, number_at(json_at(rows, 0), "variablesReference"));
	assert_int_equal(json_length(rows), 4);
	assert_string_equal(text_at(json_at(rows, 0), "name"), "frame");
	assert_ptr_equal(strstr(text_at(json_at(rows, 0), "value"), "#1 "),
			 text_at(json_at(rows, 0), "value"));
	assert_string_equal(text_at(json_at(rows, 2), "name"), "Locals");
	assert_string_equal(text_at(json_at(rows, 3), "memoryReference"),
			    STACK);
	int64_t locals = number_at(json_at(rows, 2), "variablesReference");
	const struct json *frames = json_get(ask(
		t, "stackTrace", "\"threadId\":4243"), "stackFrames");
	_buf_ struct buf arguments = { 0 };
	buf_printf(&arguments, "\"frameId\":%lld",
		   (long long)number_at(json_at(frames, 1), "id"));
	const struct json *scopes = json_get(ask(t, "scopes", arguments.data),
					     "scopes");
	assert_int_equal(number_at(json_at(scopes, 1), "variablesReference"),
			 locals);
}

static void
note_of_nothing_refers_to_nothing(void **state)
{
	static const struct snap_note note = {
		.key = "lost", .text = "nobody", .tid = 99, .depth = 3,
	};
	struct talk *t = *state;
	struct target *target = &t->w.snapshots[0].served.target;

	target->notes = &note;
	target->n_notes = 1;
	t->wanted = "output";
	begin(t, "");
	assert_null(json_get(json_get(t->event, "body"),
			     "variablesReference"));
	assert_null(ask(t, "variables", "\"variablesReference\":1"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stop_is_told_once_and_before_moves),
		TEST(null_stands_for_no_arguments),
		TEST(nameless_threads_are_others_in_another_snapshot),
		TEST(writes_are_told_to_who_said_so),
		TEST(writes_are_not_told_to_others),
		TEST(others_writes_are_told_to_who_said_so),
		TEST(others_writes_are_not_told_to_others),
		TEST(note_refers_to_its_frame_and_address),
		TEST(note_of_nothing_refers_to_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
