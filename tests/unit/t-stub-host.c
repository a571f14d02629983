/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of a session that is not bound to one snapshot: nothing before
 * the token, nothing opened twice, several processes side by side.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "assert-err.h"
#include "make-hosted.h"

#define CONNECT "qSupported:multiprocess+;vContSupported+"

static int
setup_session(void **state, bool token)
{
	struct hosted *h = malloc(sizeof(*h));

	hosted_init(h);
	assert_ok(hosted_start(h, token));
	*state = h;
	return 0;
}

static int
setup_locked(void **state)
{
	return setup_session(state, true);
}

static int
setup_open(void **state)
{
	return setup_session(state, false);
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

static void
assert_shows(struct hosted *h, const char *command, const char *part)
{
	const char *text = hosted_monitor(h, command);

	assert_non_null(text);
	if (!strstr(text, part))
		fail_msg("monitor %s: %s", command, text);
}

/* ---- the token ---------------------------------------------------------- */
static const char *const PACKETS[] = {
	"m1000,40", "x1000,40", "M2000,1:00", "X2000,0:", "g", "G00", "p10",
	"P10=0010000000000000", "Hg0", "Hgp101.1093", "Hgp0.0", "Hc-1", "T1093",
	"Tp101.1093", "qC", "qfThreadInfo", "qsThreadInfo", "qAttached",
	"qAttached:101", "qThreadExtraInfo,1093", "qGetTLSAddr:1093,0,0",
	"Z0,1000,1", "z0,1000,1", "vCont;c", "vCont;c:p101.1093", "c", "s",
	"C0b", "S0b", "bc", "bs", "D", "D;65", "k", "vKill;65", "vAttach;65",
	"vAttach;0", "vAttach;ffffffffffffffff", "vRun;", "qSymbol::",
	"qXfer:features:read:target.xml:0,100", "qXfer:threads:read::0,100",
	"qXfer:libraries-svr4:read::0,100", "qXfer:auxv:read::0,100",
	"qXfer:siginfo:read::0,80", "qXfer:exec-file:read::0,100",
	"qXfer:exec-file:read:65:0,100", "qXfer:osdata:read::0,100",
	"qXfer:osdata:read:snapshots:0,100",
	"qXfer:osdata:read:threads:0,100", "vFile:setfs:0", "vFile:setfs:65",
	"vFile:open:2f6c69622f6c6962782e736f2e31,0,0", "vFile:pread:0,10,0",
	"vFile:stat:2f62696e", "vFile:readlink:2f70726f632f3130312f657865",
	"vFile:open:2f70726f632f3130312f6d617073,0,0", "vFile:close:0",
};

static void
before_the_token_every_packet_is_refused(void **state)
{
	struct hosted *h = *state;

	for (size_t k = 0; k < countof(PACKETS); k++) {
		const char *reply = ask(h, PACKETS[k]);

		assert_non_null(reply);
		if (reply[0] != 'E')
			fail_msg("%s: %s", PACKETS[k], reply);
	}
	assert_int_equal(h->lists + h->finds + h->opens, 0);
}

static void
before_the_token_a_client_can_connect(void **state)
{
	struct hosted *h = *state;

	assert_non_null(strstr(ask(h, CONNECT), "multiprocess+"));
	assert_string_equal(ask(h, "!"), "OK");
	assert_string_equal(ask(h, "vMustReplyEmpty"), "");
	assert_string_equal(ask(h, "vCont?"), "vCont;c;C;s;S;t");
	assert_string_equal(ask(h, "?"), "W00");
}

static void
before_the_token_monitor_says_how_to_come_in(void **state)
{
	static const char *const verbs[] = { "open aaaa1111", "info", "missing",
					     "threads", "modules", "memory 0",
					     "open" };
	struct hosted *h = *state;

	for (size_t k = 0; k < countof(verbs); k++)
		assert_shows(h, verbs[k], "say monitor auth TOKEN");
	assert_shows(h, "help", "monitor auth       TOKEN");
	assert_int_equal(h->lists + h->finds + h->opens, 0);
}

static void
the_token_opens_what_there_is(void **state)
{
	struct hosted *h = *state;

	assert_shows(h, "auth wrong", "failure 1 of 3: this is not the token");
	assert_shows(h, "auth " HOSTED_TOKEN, "welcome");
	assert_string_equal(ask(h, "qXfer:osdata:read:users:0,100"), "E01");
	assert_non_null(served_object(&h->session, "osdata:read:snapshots",
				      0x800));
	assert_non_null(strstr(h->session.reply.data, "bbbb2222"));
	assert_shows(h, "auth " HOSTED_TOKEN, "welcome");
}

static void
three_wrong_tokens_end_the_session(void **state)
{
	struct hosted *h = *state;

	assert_shows(h, "auth", "failure 1 of 3");
	assert_shows(h, "auth " HOSTED_TOKEN "x", "failure 2 of 3");
	assert_false(stub_done(h->session.stub));
	assert_shows(h, "auth sesam", "failure 3 of 3");
	assert_true(stub_done(h->session.stub));
}

/* ---- nothing is open ------------------------------------------------------ */
static void
every_packet_is_survived_where_nothing_is_open(void **state)
{
	struct hosted *h = *state;

	for (size_t k = 0; k < countof(PACKETS); k++)
		if (strcmp(PACKETS[k], "vAttach;65") != 0
		    && !ask(h, PACKETS[k]))
			fail_msg("%s: no reply", PACKETS[k]);
	assert_false(stub_done(h->session.stub));
	assert_int_equal(h->opens, 0);
}

static void
where_nothing_is_open_there_are_no_threads(void **state)
{
	static const char *const refused[] = { "g", "m1000,4", "qC", "Hg0", "D",
		"qAttached", "qXfer:siginfo:read::0,80", "Z0,1000,1" };
	struct hosted *h = *state;

	assert_string_equal(ask(h, "?"), "W00");
	assert_string_equal(ask(h, "vCont;c"), "W00");
	assert_string_equal(ask(h, "qfThreadInfo"), "l");
	assert_string_equal(ask(h, "vFile:setfs:0"), "F0");
	assert_string_equal(ask(h, "vFile:open:2f62696e,0,0"), "F-1,2");
	assert_string_equal(ask(h, "qXfer:features:read:target.xml:0,99"),
			    "E00");
	for (size_t k = 0; k < countof(refused); k++)
		assert_string_equal(ask(h, refused[k]), "E01");
	assert_shows(h, "info", "nothing is open");
}

/* ---- opening ---------------------------------------------------------------- */
static void
the_list_tells_what_is_open(void **state)
{
	struct hosted *h = *state;
	const char *list;

	assert_shows(h, "open bbbb2222", "next: attach 102\n");
	assert_memory_equal(ask(h, "vAttach;65"), "T0b", 3);
	list = served_object(&h->session, "osdata:read:snapshots", 0x800);
	assert_non_null(strstr(list,
		"<item><column name=\"pid\">101</column>"
		"<column name=\"id\">aaaa1111</column>"
		"<column name=\"program\">served</column>"
		"<column name=\"signal\">SIGSEGV</column>"
		"<column name=\"captured\">1970-01-01T00:00:01Z</column>"
		"<column name=\"state\">attached</column></item>"));
	assert_non_null(strstr(list,
		"<column name=\"id\">bbbb2222</column>"
		"<column name=\"program\">&lt;\\x1bevil&gt;</column>"
		"<column name=\"signal\"></column>"
		"<column name=\"captured\"></column>"
		"<column name=\"state\">open</column></item>"));
	assert_non_null(strstr(list,
		"<column name=\"captured\"></column>"
		"<column name=\"state\"></column></item>"));
}

static void
a_snapshot_is_opened_once(void **state)
{
	struct hosted *h = *state;

	assert_shows(h, "open aaaa1111",
		     "aaaa1111: served, SIGSEGV, 3 threads; next: attach 101");
	assert_shows(h, "open aaaa1111", "next: attach 101");
	ask(h, "!");
	ask(h, "vAttach;65");
	ask(h, "D;65");
	assert_memory_equal(ask(h, "vAttach;65"), "T0b", 3);
	assert_int_equal(h->opens, 1);
}

static void
what_cannot_be_opened_is_said(void **state)
{
	struct hosted *h = *state;

	assert_shows(h, "open cccc3333", "this snapshot cannot be opened");
	assert_shows(h, "open dddd4444", "no object is called dddd4444");
	assert_shows(h, "open", "takes an id");
	ask(h, CONNECT);
	assert_string_equal(ask(h, "vAttach;67"),
			    "E.this snapshot cannot be opened");
	assert_string_equal(ask(h, "vAttach;80000000"),
			    "E.no snapshot has the number 2147483648");
	assert_string_equal(ask(h, "?"), "W00");
}

/* ---- several ------------------------------------------------------------------ */
static void
attach_two(struct hosted *h)
{
	ask(h, CONNECT);
	ask(h, "!");
	assert_non_null(strstr(ask(h, "vAttach;65"), "thread:p65.1093;"));
	assert_non_null(strstr(ask(h, "vAttach;66"), "thread:p66.1093;"));
}

static void
two_snapshots_of_one_pid_stand_side_by_side(void **state)
{
	struct hosted *h = *state;

	attach_two(h);
	assert_string_equal(ask(h, "qfThreadInfo"),
			    "mp65.1093,p65.1092,p65.1094,"
			    "p66.1093,p66.1092,p66.1094");
	assert_string_equal(ask(h, "Hgp65.1094"), "OK");
	assert_string_equal(ask(h, "M2000,2:beef"), "OK");
	assert_string_equal(ask(h, "m2000,2"), "beef");
	assert_string_equal(ask(h, "Hgp66.1094"), "OK");
	assert_string_not_equal(ask(h, "m2000,2"), "beef");
	assert_string_equal(ask(h, "qXfer:exec-file:read:66:0,100"),
			    "l/bin/served");
}

static void
a_number_that_is_attached_is_not_attached_again(void **state)
{
	struct hosted *h = *state;

	attach_two(h);
	assert_string_equal(ask(h, "vAttach;65"),
			    "E.process 101 is attached already");
}

static void
letting_one_go_keeps_the_others(void **state)
{
	struct hosted *h = *state;

	attach_two(h);
	assert_string_equal(ask(h, "D;66"), "OK");
	assert_string_equal(ask(h, "qC"), "QCp65.1093");
	assert_non_null(strstr(ask(h, "?"), "thread:p65.1093;"));
	assert_string_equal(ask(h, "qfThreadInfo"),
			    "mp65.1093,p65.1092,p65.1094");
	assert_string_equal(ask(h, "vKill;65"), "OK");
	assert_string_equal(ask(h, "?"), "W00");
	assert_string_equal(ask(h, "qfThreadInfo"), "l");
	assert_false(stub_done(h->session.stub));
}

/* Files are asked for by the number, and tell the process's own id. */
static void
files_of_proc_tell_the_process_itself(void **state)
{
	struct hosted *h = *state;

	attach_two(h);
	assert_string_equal(ask(h, "vFile:setfs:66"), "F0");
	assert_string_equal(ask(h, "vFile:open:"
				"2f70726f632f3130322f73746174,0,0"), "F0");
	assert_string_equal(ask(h, "vFile:pread:0,5,0"), "F5;4242 ");
	assert_string_equal(ask(h, "vFile:open:"
				"2f70726f632f343234322f73746174,0,0"),
			    "F-1,2");
}

int
main(void)
{
#define LOCKED(f) cmocka_unit_test_setup_teardown(f, setup_locked, teardown)
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_open, teardown)
	const struct CMUnitTest tests[] = {
		LOCKED(before_the_token_every_packet_is_refused),
		LOCKED(before_the_token_a_client_can_connect),
		LOCKED(before_the_token_monitor_says_how_to_come_in),
		LOCKED(the_token_opens_what_there_is),
		LOCKED(three_wrong_tokens_end_the_session),
		TEST(every_packet_is_survived_where_nothing_is_open),
		TEST(where_nothing_is_open_there_are_no_threads),
		TEST(the_list_tells_what_is_open),
		TEST(a_snapshot_is_opened_once),
		TEST(what_cannot_be_opened_is_said),
		TEST(two_snapshots_of_one_pid_stand_side_by_side),
		TEST(a_number_that_is_attached_is_not_attached_again),
		TEST(letting_one_go_keeps_the_others),
		TEST(files_of_proc_tell_the_process_itself),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
