/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of a session: acknowledgements, console text, limits, its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assert-err.h"
#include "make-served.h"

static int
setup(void **state)
{
	struct served *s = malloc(sizeof(*s));

	served_init(s);
	assert_ok(served_open(s, NULL));
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	served_close(*state);
	free(*state);
	return 0;
}

static const char *
send(struct served *s, const char *bytes)
{
	assert_ok(served_send(s, bytes, strlen(bytes)));
	return s->out.data ? s->out.data : "";
}

static void
a_client_that_refuses_a_reply_four_times_is_hung_up_on(void **state)
{
	struct served *s = *state;

	assert_string_equal(send(s, "$qC#b4"), "+$QC1093#61");
	for (int k = 0; k < 3; k++)
		assert_string_equal(send(s, "-"), "$QC1093#61");
	assert_false(stub_done(s->stub));
	assert_string_equal(send(s, "-"), "");
	assert_true(stub_done(s->stub));
	assert_string_equal(send(s, "$qC#b4"), "");
}

static void
a_client_that_asks_on_need_not_acknowledge(void **state)
{
	struct served *s = *state;

	for (int k = 0; k < 100; k++)
		assert_string_equal(send(s, "$qC#b4"), "+$QC1093#61");
	assert_false(stub_done(s->stub));
}

#define LONG_TEXT 12000
#define MONITOR_MISSING "$qRcmd,6d697373696e67#77"

/* The smallest packets, and "monitor missing" has much to say. */
static void
open_small(struct served *s)
{
	static char text[LONG_TEXT + 1];
	static const char *const gaps[] = { text };
	const struct stub_options small = { .packet_size = 1 };

	memset(text, 'x', LONG_TEXT);
	served_close(s);
	served_init(s);
	s->target.gaps = gaps;
	s->target.n_gaps = 1;
	assert_ok(served_open(s, &small));
}

static void
console_packets_wait_for_their_acknowledgement(void **state)
{
	struct served *s = *state;
	unsigned packets = 0;

	open_small(s);
	send(s, MONITOR_MISSING);
	assert_int_equal(s->out.data[0], '+');
	struct span out = { s->out.data + 1, s->out.len - 1 };
	while (served_decode(&out, &s->reply) && s->reply.data[0] == 'O'
	       && s->reply.data[1] != 'K') {
		assert_int_equal(out.n, 0);     /* one at a time */
		packets++;
		send(s, "+");
		out = (struct span){ s->out.data, s->out.len };
	}
	assert_string_equal(s->reply.data, "OK");
	assert_int_equal(packets, 3);
}

static void
console_text_comes_whole(void **state)
{
	struct served *s = *state;
	_buf_ struct buf text = { 0 };

	open_small(s);
	send(s, "$QStartNoAckMode#b0");
	send(s, "+" MONITOR_MISSING);
	struct span out = { s->out.data, s->out.len };
	while (served_decode(&out, &s->reply)
	       && strcmp(s->reply.data, "OK") != 0) {
		char bytes[4096];

		assert_int_equal(s->reply.data[0], 'O');
		assert_true(hex_bytes(s->reply.data + 1, s->reply.len / 2,
				      bytes));
		buf_put(&text, bytes, s->reply.len / 2);
	}
	assert_non_null(text.data);
	assert_int_equal(strspn(text.data, "x"), LONG_TEXT);
	assert_non_null(strstr(text.data, "4 KiB of memory: "));
}

static void
no_reply_is_longer_than_the_client_was_told(void **state)
{
	static const char *const packets[] = {
		"qSupported", "m1000,2000", "x1000,2000", "qfThreadInfo",
		"qXfer:features:read:target.xml:0,ffff", "?",
		"qXfer:threads:read::0,ffff", "qXfer:osdata:read::0,ffff",
		"vFile:pread:0,ffff,0",
		"qXfer:libraries-svr4:read::0,ffffffffffffffff",
	};
	struct served *s = *state;

	open_small(s);
	assert_non_null(served_ask(s, "vFile:open:"
				   "2f6c69622f6c6962782e736f2e31,0,0"));
	assert_non_null(strstr(served_ask(s, "qSupported"),
			       "PacketSize=2000;"));
	for (size_t k = 0; k < countof(packets); k++) {
		assert_non_null(served_ask(s, packets[k]));
		assert_true(s->reply.len > 0 && s->reply.len <= 0x2000);
	}
}

static void
a_packet_of_a_megabyte_is_drained_and_refused(void **state)
{
	struct served *s = *state;
	_buf_ struct buf large = { 0 };

	for (size_t k = 0; k < (1u << 20); k++)
		buf_putc(&large, 'm');
	assert_string_equal(served_ask_bytes(s, large.data, large.len), "E01");
	assert_string_equal(served_ask(s, "qC"), "QC1093");
}

static void
goodbye_ends_a_session(void **state)
{
	static const char *const words[] = { "D", "k", "vKill;1092",
					     "D;1092" };
	const struct stub_options options = { .title = "x" };
	struct served *s = *state;

	for (size_t k = 0; k < countof(words); k++) {
		assert_string_equal(served_ask(s, words[k]), "OK");
		assert_true(stub_done(s->stub));
		stub_free(s->stub);
		assert_ok(stub_new(s->insp, &options, &s->stub));
	}
}

static void
bytes_behind_the_goodbye_are_not_answered(void **state)
{
	struct served *s = *state;

	assert_string_equal(send(s, "$D#44$qC#b4"), "+$OK#9a");
}

static void
a_process_without_threads_has_exited(void **state)
{
	static const char *const packets[] = { "g", "p0", "qC", "Hg0",
					       "qXfer:siginfo:read::0,80" };
	struct served *s = *state;

	served_close(s);
	served_init(s);
	s->target.n_threads = 0;
	assert_ok(served_open(s, NULL));
	assert_string_equal(served_ask(s, "?"), "W00");
	assert_string_equal(served_ask(s, "qfThreadInfo"), "l");
	assert_string_equal(served_ask(s, "vCont;c"), "W00");
	for (size_t k = 0; k < countof(packets); k++)
		assert_string_equal(served_ask(s, packets[k]), "E01");
	assert_string_equal(served_ask(s, "m1000,2"), "1017");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_client_that_refuses_a_reply_four_times_is_hung_up_on),
		TEST(a_client_that_asks_on_need_not_acknowledge),
		TEST(console_packets_wait_for_their_acknowledgement),
		TEST(console_text_comes_whole),
		TEST(no_reply_is_longer_than_the_client_was_told),
		TEST(a_packet_of_a_megabyte_is_drained_and_refused),
		TEST(goodbye_ends_a_session),
		TEST(bytes_behind_the_goodbye_are_not_answered),
		TEST(a_process_without_threads_has_exited),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
