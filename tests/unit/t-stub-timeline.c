/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of a time line: a series of snapshots is one process that can
 * be continued, forward and back, and that never moves by a step.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "assert-err.h"
#include "make-hosted.h"

#define CONTINUE "vCont;c:p65.-1"
#define STEP "vCont;s:p65.1092;c:p65.-1"

static int
setup(void **state)
{
	struct hosted *h = malloc(sizeof(*h));

	hosted_init(h);
	hosted_make_series(h);
	assert_ok(hosted_start(h, false));
	served_ask(&h->session, "!");
	served_ask(&h->session, "qSupported:multiprocess+;vContSupported+");
	served_ask(&h->session, "vAttach;65");
	*state = h;
	return 0;
}

static int
teardown(void **state)
{
	hosted_close(*state);
	free(*state);
	return 0;
}

static const char *
ask(struct hosted *h, const char *packet)
{
	return served_ask(&h->session, packet);
}

/** The words and the stop reply that a resume is answered with. */
static void
assert_resumes(struct hosted *h, const char *packet, const char *words,
	       const char *stop)
{
	_buf_ struct buf framed = { 0 }, said = { 0 }, one = { 0 };

	served_frame(&framed, packet, strlen(packet));
	assert_ok(served_send(&h->session, framed.data, framed.len));
	/* Without acknowledgements only the first of several was sent. */
	struct span out = { h->session.out.data, h->session.out.len };
	while (out.n && served_decode(&out, &one)) {
		if (one.data[0] != 'O') {
			buf_put(&said, one.data, one.len);
			continue;
		}
		assert_true(hex_bytes(one.data + 1, one.len / 2, one.data));
		buf_put(&said, one.data, one.len / 2);
	}
	assert_int_equal(out.n, 0);
	buf_putc(&said, '\0');
	if (!strstr(said.data, words) || !strstr(said.data, stop))
		fail_msg("%s: %s", packet, said.data);
}

static int
setup_no_ack(void **state)
{
	setup(state);
	ask(*state, "QStartNoAckMode");
	return 0;
}

static void
to_continue_is_to_go_to_the_next_one(void **state)
{
	struct hosted *h = *state;

	assert_string_equal(ask(h, "m5000,4"), "00000000");
	assert_resumes(h, CONTINUE, "snapshot 3 of 3", "T00");
	assert_string_equal(ask(h, "m5000,4"), "50575e65");
	assert_string_equal(ask(h, "qfThreadInfo"), "mp65.1093,p65.1092");
	assert_resumes(h, "bc", "snapshot 1 of 3", "T00");
	assert_string_equal(ask(h, "m5000,4"), "00000000");
	assert_string_equal(ask(h, "qfThreadInfo"),
			    "mp65.1093,p65.1092,p65.1094");
}

static void
it_is_said_what_is_passed_over_and_when_it_was(void **state)
{
	struct hosted *h = *state;

	assert_resumes(h, CONTINUE, "snapshot 2 is passed over: this snapshot "
		       "cannot be opened\n", "T00");
	assert_resumes(h, "bc", "snapshot 1 of 3, 1970-01-01 00:00:01.000 UTC "
		       "(-0.500 s)\n", "T00");
}

static void
the_ends_are_those_of_a_history(void **state)
{
	struct hosted *h = *state;

	assert_resumes(h, "bc", "first snapshot", "T05");
	assert_resumes(h, "bc", "", "replaylog:begin;");
	assert_resumes(h, CONTINUE, "", "T00");
	assert_resumes(h, CONTINUE, "last snapshot", "replaylog:end;");
	assert_string_equal(ask(h, "m5000,4"), "50575e65");
}

static void
a_step_stays_and_says_why(void **state)
{
	struct hosted *h = *state;
	static const char why[] = "a step moves nothing";

	assert_resumes(h, STEP, why, "T00");
	assert_resumes(h, "bs", why, "T00");
	assert_resumes(h, "s", why, "T00");
	assert_string_equal(ask(h, "m5000,4"), "00000000");
}

/* gdb steps the one thread alone off its breakpoint before it continues. */
static void
a_step_off_a_breakpoint_goes_on(void **state)
{
	struct hosted *h = *state;

	assert_resumes(h, "vCont;s:p65.1092", "snapshot 3 of 3", "T00");
}

static void
the_thread_stays_where_it_is_still_there(void **state)
{
	struct hosted *h = *state;

	assert_resumes(h, "vCont;c:p65.1092", "", "thread:p65.1092;");
	assert_resumes(h, "bc", "", "thread:p65.1092;");
	assert_string_equal(ask(h, "Hgp65.1094"), "OK");
	assert_resumes(h, "bc", "", "");
	assert_string_equal(ask(h, "Hgp65.1094"), "OK");
	assert_resumes(h, "vCont;c:p65.1094", "", "thread:p65.1093;");
}

static void
other_libraries_are_told(void **state)
{
	struct hosted *h = *state;

	h->snapshots[1].target.n_modules = 1;
	assert_resumes(h, CONTINUE, "snapshot 3 of 3", "library:;");
	/* gdb goes on by itself, and is there. */
	assert_resumes(h, CONTINUE, "", "T00");
	assert_string_equal(ask(h, "m5000,4"), "50575e65");
	assert_resumes(h, CONTINUE, "last snapshot", "replaylog:end;");
}

static void
what_is_watched_is_told_when_it_differs(void **state)
{
	struct hosted *h = *state;

	assert_string_equal(ask(h, "Z2,5000,4"), "OK");
	assert_string_equal(ask(h, "Z2,1000,4"), "OK");
	assert_resumes(h, CONTINUE, "", "watch:5000;");
	assert_string_equal(ask(h, "z2,5000,4"), "OK");
	assert_resumes(h, "bc", "", "T00");
}

static void
a_jump_is_made_by_the_next_resume(void **state)
{
	struct hosted *h = *state;

	assert_non_null(strstr(hosted_monitor(h, "snapshot 3"),
			       "snapshot 3 of 3 is next: say continue"));
	assert_string_equal(ask(h, "m5000,4"), "00000000");
	assert_resumes(h, CONTINUE, "snapshot 3 of 3", "T00");
	assert_non_null(strstr(hosted_monitor(h, "snapshot 1"), "is next"));
	assert_resumes(h, CONTINUE, "snapshot 1 of 3", "T00");
	assert_non_null(strstr(hosted_monitor(h, "snapshot 9"), "no snapshot"));
	assert_non_null(strstr(hosted_monitor(h, "snapshot x"), "no snapshot"));
	assert_non_null(strstr(hosted_monitor(h, "snapshot"), "*   1  1970"));
}

static void
what_was_written_is_there_again_on_coming_back(void **state)
{
	struct hosted *h = *state;

	assert_string_equal(ask(h, "M5000,2:abcd"), "OK");
	assert_resumes(h, CONTINUE, "", "T00");
	assert_string_equal(ask(h, "m5000,2"), "5057");
	assert_resumes(h, "bc", "", "T00");
	assert_string_equal(ask(h, "m5000,2"), "abcd");
}

/* A client that keeps the file of a library open reads on from it. */
static void
an_open_file_outlives_a_move(void **state)
{
	struct hosted *h = *state;

	assert_string_equal(ask(h, "vFile:open:"
				"2f6c69622f6c6962782e736f2e31,0,0"), "F0");
	assert_resumes(h, CONTINUE, "", "T00");
	assert_int_equal(h->users[0], 1);
	assert_int_equal(memcmp(ask(h, "vFile:pread:0,4,0"), "F4;\177ELF", 7),
			 0);
	assert_string_equal(ask(h, "vFile:close:0"), "F0");
	assert_int_equal(h->users[0], 0);
}

static void
lldb_goes_on_when_all_threads_are_let_go(void **state)
{
	struct hosted *h = *state;

	ask(h, "qSupported:xmlRegisters=i386");
	assert_int_equal(ask(h, "s")[0], 'T');
	assert_string_equal(ask(h, "m5000,4"), "00000000");
	assert_int_equal(ask(h, "c")[0], 'T');
	assert_string_equal(ask(h, "m5000,4"), "50575e65");
	assert_int_equal(ask(h, "vCont;c")[0], 'T');
	hosted_monitor(h, "snapshot 1");
	ask(h, "vCont;c");
	assert_string_equal(ask(h, "m5000,4"), "00000000");
}

/* To call a function it lets one thread go alone, or all of them from there. */
static void
lldb_stays_where_it_calls(void **state)
{
	struct hosted *h = *state;

	ask(h, "qSupported:xmlRegisters=i386");
	assert_int_equal(ask(h, "vCont;c:1092")[0], 'T');
	assert_string_equal(ask(h, "m5000,4"), "00000000");
	assert_string_equal(ask(h, "P10=0050000000000000"), "OK");
	assert_int_equal(ask(h, "c")[0], 'T');
	assert_string_equal(ask(h, "m5000,4"), "00000000");
}

static void
one_of_a_line_can_stand_beside_it(void **state)
{
	struct hosted *h = *state;

	assert_resumes(h, CONTINUE, "snapshot 3 of 3", "T00");
	assert_int_equal(ask(h, "vAttach;66")[0], 'T');
	assert_string_equal(ask(h, "M5000,1:77"), "OK");
	assert_string_equal(ask(h, "Hgp65.1092"), "OK");
	assert_resumes(h, "vCont;c:p66.-1", "last", "replaylog:end;");
	assert_resumes(h, "bc", "snapshot 1 of 3", "thread:p66.");
	assert_string_equal(ask(h, "Hgp65.1092"), "OK");
	assert_string_equal(ask(h, "m5000,1"), "77");
	assert_string_equal(ask(h, "qfThreadInfo"),
			    "mp65.1093,p65.1092,p66.1093,p66.1092,p66.1094");
}

static void
two_are_held_against_each_other(void **state)
{
	struct hosted *h = *state;
	static const char *const parts[] = {
		"aaaa1111 -> bbbb2222\n", "threads: 3 and 2\n  gone 4244",
		"modules: 3 and 3\n  no difference\n",
		"attributes: 1 and 1\n  no difference\n",
		"memory: 1 pages differ\n  0x5000-0x6000 \n  12 KiB are equal\n",
		"  4 KiB were not captured in the first\n",
	};

	assert_string_equal(ask(h, "M2000,2:abcd"), "OK");
	const char *text = hosted_monitor(h, "diff 1 3");
	for (size_t k = 0; k < countof(parts); k++)
		if (!text || !strstr(text, parts[k]))
			fail_msg("%s", text);
	assert_string_equal(ask(h, "m2000,2"), "abcd");
	assert_non_null(strstr(hosted_monitor(h, "diff 3"), "-> bbbb2222"));
	assert_non_null(strstr(hosted_monitor(h, "diff bbbb2222 1"),
			       "bbbb2222 -> aaaa1111"));
	assert_non_null(strstr(hosted_monitor(h, "diff 2"), "cannot be"));
	assert_non_null(strstr(hosted_monitor(h, "diff nonsense"), "no obj"));
	assert_non_null(strstr(hosted_monitor(h, "diff"), "takes the number"));
	assert_int_equal(h->users[0], 1);
	assert_int_equal(h->users[1], 0);
}

static void
one_alone_is_no_line(void **state)
{
	struct hosted *h = *state;

	h->snapshots[0].target.n_attrs = 0;
	assert_resumes(h, CONTINUE, "does not run", "replaylog:end;");
	assert_resumes(h, STEP, "does not run", "T00");
	assert_non_null(strstr(hosted_monitor(h, "snapshot"), "is alone"));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_no_ack, teardown)
	const struct CMUnitTest tests[] = {
		TEST(to_continue_is_to_go_to_the_next_one),
		TEST(it_is_said_what_is_passed_over_and_when_it_was),
		TEST(the_ends_are_those_of_a_history),
		TEST(a_step_stays_and_says_why),
		TEST(a_step_off_a_breakpoint_goes_on),
		TEST(the_thread_stays_where_it_is_still_there),
		TEST(other_libraries_are_told),
		TEST(what_is_watched_is_told_when_it_differs),
		TEST(a_jump_is_made_by_the_next_resume),
		TEST(what_was_written_is_there_again_on_coming_back),
		TEST(an_open_file_outlives_a_move),
		TEST(lldb_goes_on_when_all_threads_are_let_go),
		TEST(lldb_stays_where_it_calls),
		TEST(one_of_a_line_can_stand_beside_it),
		TEST(two_are_held_against_each_other),
		TEST(one_alone_is_no_line),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
