/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of what a session writes: it sees it, no other session does,
 * it can be listed and given up, and there is a quota.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "assert-err.h"
#include "inspect/overlay.h"
#include "make-served.h"

/** Two sessions over one engine. */
struct two {
	struct served one;
	struct stub *other, *mine;
};

static int
setup(void **state)
{
	const struct stub_options options = { .title = "the other" };
	struct two *t = calloc(1, sizeof(*t));

	served_init(&t->one);
	assert_ok(served_open(&t->one, NULL));
	t->mine = t->one.stub;
	assert_ok(stub_new(t->one.insp, &options, &t->other));
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct two *t = *state;

	t->one.stub = t->mine;
	stub_free(t->other);
	served_close(&t->one);
	free(t);
	return 0;
}

static const char *
ask(struct two *t, const char *packet)
{
	t->one.stub = t->mine;
	return served_ask(&t->one, packet);
}

static const char *
ask_other(struct two *t, const char *packet)
{
	t->one.stub = t->other;
	return served_ask(&t->one, packet);
}

static const char *
monitor(struct two *t, const char *text)
{
	_buf_ struct buf packet = { 0 };
	struct buf *reply = &t->one.reply;

	buf_puts(&packet, "qRcmd,");
	buf_hex(&packet, text, strlen(text));
	if (!ask(t, packet.data)
	    || !hex_bytes(reply->data, reply->len / 2, reply->data))
		return "";
	reply->data[reply->len / 2] = '\0';
	return reply->data;
}

static void
assert_tells(struct two *t, const char *command, const char *part)
{
	const char *text = monitor(t, command);

	if (!strstr(text, part))
		fail_msg("%s: %s", command, text);
}

static void
what_one_session_writes_no_other_sees(void **state)
{
	struct two *t = *state;

	assert_string_equal(ask_other(t, "m5000,4"), "00000000");
	assert_string_equal(ask(t, "M5000,4:deadbeef"), "OK");
	assert_string_equal(ask(t, "P0=1122334455667788"), "OK");
	assert_string_equal(ask(t, "m5000,4"), "deadbeef");
	assert_string_equal(ask(t, "p0"), "1122334455667788");
	assert_string_equal(ask_other(t, "m5000,4"), "00000000");
	assert_string_equal(ask_other(t, "p0"), "0a00000000000000");
	assert_string_equal(ask_other(t, "M5002,2:0102"), "OK");
	assert_string_equal(ask(t, "m5000,4"), "deadbeef");
	assert_string_equal(ask_other(t, "m5000,4"), "00000102");
}

static void
the_engine_itself_is_as_captured(void **state)
{
	struct two *t = *state;
	uint8_t bytes[4];

	assert_string_equal(ask(t, "M5000,4:deadbeef"), "OK");
	assert_ok(space_read(insp_space(t->one.insp), 0x5000, 4, bytes));
	assert_memory_equal(bytes, "\0\0\0\0", 4);
}

static void
what_was_written_is_listed(void **state)
{
	struct two *t = *state;

	assert_tells(t, "overlay", "nothing was written");
	assert_tells(t, "overlay list", "nothing was written");
	ask(t, "M5000,4:deadbeef");
	ask(t, "M3000,1:07");
	ask(t, "P0=1122334455667788");
	assert_tells(t, "overlay", "5 bytes of memory in 2 places, 1 reg");
	assert_tells(t, "overlay list", "0x3000 1 bytes: 07, not captured\n");
	assert_tells(t, "overlay list",
		     "0x5000 4 bytes: deadbeef, captured as 00000000\n");
	assert_tells(t, "overlay list", "thread 4243 rax: 1122334455667788, "
		     "captured as 0a00000000000000\n");
	assert_tells(t, "overlay nonsense", "takes list, discard");
}

static void
what_was_written_can_be_given_up(void **state)
{
	struct two *t = *state;

	ask(t, "M5000,4:deadbeef");
	ask(t, "P0=1122334455667788");
	ask_other(t, "M5000,1:77");
	assert_tells(t, "overlay discard", "stepi");
	assert_string_equal(ask(t, "m5000,4"), "00000000");
	assert_string_equal(ask(t, "p0"), "0a00000000000000");
	assert_tells(t, "overlay", "nothing was written");
	assert_string_equal(ask_other(t, "m5000,1"), "77");
}

/* A register takes some bytes of the quota too. */
static void
the_quota_is_of_the_session(void **state)
{
	struct two *t = *state;
	static char block[OVERLAY_BYTES_MAX];
	struct overlay *a, *b;
	uint64_t used = 0;

	(void)t;
	assert_ok(overlay_new(&used, &a));
	assert_ok(overlay_new(&used, &b));
	assert_ok(overlay_write(a, 0, sizeof(block) - 1, block));
	assert_ok(overlay_write(b, 0, 1, block));
	assert_err(overlay_write(b, 1, 1, block), ERR_LIMIT, "64 MiB");
	assert_err(overlay_write_reg(b, 0, 0, 8, block), ERR_LIMIT, "64 MiB");
	overlay_discard(a);
	assert_int_equal(used, 1);
	assert_ok(overlay_write_reg(b, 0, 0, 8, block));
	overlay_free(a);
	overlay_free(b);
	assert_int_equal(used, 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_one_session_writes_no_other_sees),
		TEST(the_engine_itself_is_as_captured),
		TEST(what_was_written_is_listed),
		TEST(what_was_written_can_be_given_up),
		TEST(the_quota_is_of_the_session),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
