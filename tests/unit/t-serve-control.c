/* SPDX-License-Identifier: Apache-2.0 */
/* Server and worker understand each other, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "assert-err.h"
#include "serve/control.h"

struct ends {
	int fd[2];
	struct control_packet packet;
};

static int
ends_setup(void **state)
{
	static struct ends e;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC
				    | SOCK_NONBLOCK, 0, e.fd), 0);
	*state = &e;
	return 0;
}

static int
ends_teardown(void **state)
{
	struct ends *e = *state;

	close(e->fd[0]);
	close(e->fd[1]);
	return 0;
}

static void
send_text(int fd, uint16_t type, uint64_t number, const char *text)
{
	const struct control_message m = {
		.type = type, .number = number, .text = text,
		.n = strlen(text), .fd = -1,
	};

	assert_ok(control_send(fd, &m));
}

static void
a_message_arrives_as_it_was_sent(void **state)
{
	struct ends *e = *state;
	bool over = true;

	send_text(e->fd[0], CONTROL_FIND, UINT64_MAX, "web/@latest");
	assert_ok(control_receive(e->fd[1], CONTROL_ASK_MAX, false, &e->packet,
				  &over));
	assert_false(over);
	assert_int_equal(e->packet.m.type, CONTROL_FIND);
	assert_true(e->packet.m.number == UINT64_MAX);
	assert_string_equal(e->packet.m.text, "web/@latest");
	assert_int_equal(e->packet.m.n, 11);
	assert_int_equal(e->packet.m.fd, -1);
}

static void
a_descriptor_travels_along(void **state)
{
	struct ends *e = *state;
	_close_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const struct control_message m = {
		.type = CONTROL_CONNECTION, .text = "", .fd = null,
	};
	bool over;

	assert_ok(control_send(e->fd[0], &m));
	assert_ok(control_receive(e->fd[1], CONTROL_MAX, true, &e->packet,
				  &over));
	_close_ int got = e->packet.m.fd;
	assert_true(got >= 0 && got != null);
	assert_int_equal(fcntl(got, F_GETFD), FD_CLOEXEC);
}

static void
a_descriptor_of_a_worker_is_dropped(void **state)
{
	struct ends *e = *state;
	int pair[2];
	char byte;
	bool over;

	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	const struct control_message m = {
		.type = CONTROL_AUTH, .text = "", .fd = pair[1],
	};
	assert_ok(control_send(e->fd[0], &m));
	close(pair[1]);
	assert_ok(control_receive(e->fd[1], CONTROL_ASK_MAX, false, &e->packet,
				  &over));
	assert_int_equal(e->packet.m.fd, -1);
	/* Nobody has its other end: it was closed, not kept somewhere. */
	assert_int_equal(read(pair[0], &byte, 1), 0);
	close(pair[0]);
}

static void
the_end_of_the_other_side_is_told(void **state)
{
	struct ends *e = *state;
	bool over = false;

	send_text(e->fd[0], CONTROL_READY, 0, "");
	shutdown(e->fd[0], SHUT_RDWR);
	assert_ok(control_receive(e->fd[1], CONTROL_ASK_MAX, false, &e->packet,
				  &over));
	assert_false(over);
	assert_ok(control_receive(e->fd[1], CONTROL_ASK_MAX, false, &e->packet,
				  &over));
	assert_true(over);
}

static void
a_message_that_is_too_long_is_no_message(void **state)
{
	static char text[CONTROL_ASK_MAX];
	struct ends *e = *state;
	bool over;

	memset(text, 'x', sizeof(text) - 1);
	send_text(e->fd[0], CONTROL_FIND, 0, text);
	assert_err(control_receive(e->fd[1], CONTROL_ASK_MAX, false,
				   &e->packet, &over), ERR_DAMAGED,
		   "over 1024 bytes");
}

/* A message with one thing wrong. */
static void
check_refused(size_t at, char byte, size_t n)
{
	char bytes[64] = { 1, 0, CONTROL_FIND, 0, 4, 0, 0, 0,
			   0, 0, 0, 0, 0, 0, 0, 0, 'a', 'b', 'c', 'd' };
	struct control_message m;

	assert_ok(control_parse(bytes, 20, &m));
	bytes[at] = byte;
	assert_err(control_parse(bytes, n, &m), ERR_DAMAGED, "message");
}

static void
what_is_no_message_is_refused(void **state)
{
	(void)state;
	check_refused(0, 2, 20);                /* version */
	check_refused(2, 0, 20);                /* type */
	check_refused(2, CONTROL_TYPES, 20);
	check_refused(4, 5, 20);                /* length */
	check_refused(4, 3, 20);
	check_refused(7, 1, 20);
	check_refused(17, 0, 20);               /* a NUL in the text */
	for (size_t n = 0; n < 20; n++)
		check_refused(19, 'd', n);      /* cut */
}

static void
a_list_comes_back_and_a_cut_one_does_not(void **state)
{
	const struct control_offer given = {
		.number = 7, .id = "3f2a", .program = "nginx", .signal = NULL,
		.captured = "2026",
	};
	struct control_offer got;
	_buf_ struct buf b = { 0 };

	(void)state;
	control_put_offer(&b, &given);
	struct rd r = rd_of(b.data, b.len);
	assert_ok(control_get_offer(&r, &got));
	assert_int_equal(rd_left(&r), 0);
	assert_int_equal(got.number, 7);
	assert_string_equal(got.id, "3f2a");
	assert_string_equal(got.program, "nginx");
	assert_string_equal(got.signal, "");
	assert_string_equal(got.captured, "2026");
	for (size_t n = 0; n < b.len; n++) {
		r = rd_of(b.data, n);
		assert_err(control_get_offer(&r, &got), ERR_DAMAGED, "list");
	}
}

#define with_ends(test) \
	cmocka_unit_test_setup_teardown(test, ends_setup, ends_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_ends(a_message_arrives_as_it_was_sent),
		with_ends(a_descriptor_travels_along),
		with_ends(a_descriptor_of_a_worker_is_dropped),
		with_ends(the_end_of_the_other_side_is_told),
		with_ends(a_message_that_is_too_long_is_no_message),
		cmocka_unit_test(what_is_no_message_is_refused),
		cmocka_unit_test(a_list_comes_back_and_a_cut_one_does_not),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
