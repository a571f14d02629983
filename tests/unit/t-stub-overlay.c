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

static void
what_was_written_in_part_is_forgotten_in_part(void **state)
{
	struct overlay *o;
	size_t n;

	(void)state;
	assert_ok(overlay_new(NULL, &o));
	assert_ok(overlay_write(o, 100, 8, "abcdefgh"));
	assert_ok(overlay_write(o, 200, 2, "xy"));
	assert_ok(overlay_forget(o, 102, 3));
	const struct overlay_piece *p = overlay_pieces(o, &n);
	assert_int_equal(n, 3);
	assert_int_equal(p[0].start, 100);
	assert_memory_equal(p[0].bytes, "ab", p[0].n);
	assert_int_equal(p[1].start, 105);
	assert_memory_equal(p[1].bytes, "fgh", p[1].n);
	assert_ok(overlay_forget(o, 90, 111));
	p = overlay_pieces(o, &n);
	assert_int_equal(n, 1);
	assert_int_equal(p[0].start, 201);
	assert_ok(overlay_forget(o, 0, 1000));
	overlay_pieces(o, &n);
	assert_int_equal(n, 0);
	overlay_free(o);
}

/* What gdb does to call a function: the stack pointer points at the word that
 * was pushed by the packet before. */
static void
a_refused_call_leaves_nothing_behind(void **state)
{
	struct two *t = *state;
	static const char *const packets[] = {
		"M1fff,1:cc", "P5=2a00000000000000",
		"M1ff0,8:ff1f000000000000",
	};

	assert_string_equal(ask(t, "p5"), "0e00000000000000");
	for (size_t k = 0; k < countof(packets); k++)
		assert_string_equal(ask(t, packets[k]), "OK");
	assert_int_equal(ask(t, "P7=f01f000000000000")[0], 'E');
	assert_string_equal(ask(t, "P5=0e00000000000000"), "OK");
	assert_tells(t, "overlay", "nothing was written");
	assert_string_equal(ask(t, "M1ff4,2:abcd"), "OK");
	assert_string_equal(ask(t, packets[2]), "OK");
	assert_int_equal(ask(t, "P7=f01f000000000000")[0], 'E');
	assert_string_equal(ask(t, "m1ff4,2"), "abcd");
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
		TEST(what_was_written_in_part_is_forgotten_in_part),
		TEST(a_refused_call_leaves_nothing_behind),
		TEST(the_quota_is_of_the_session),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
