/* SPDX-License-Identifier: Apache-2.0 */
/* Over the supply socket a jailed side gets modules, and no more than that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "assert-err.h"
#include "jail-run.h"
#include "supply/wire.h"
#include "temp-tree.h"

static const struct supply_places nowhere = { .sysroot = NULL };

/* ---- a supplier beside the test ----------------------------------- */

struct supplier {
	pthread_t thread;
	int fds[2];             /* [1] is the asking side's */
	int quit[2];
	struct err *end;
};

static void *
supplier_run(void *arg)
{
	struct supplier *s = arg;

	s->end = supply_serve(s->fds[0], s->quit[0], -1, &nowhere);
	return NULL;
}

static void
supplier_start(struct supplier *s)
{
	s->end = NULL;
	assert_ok(supply_pair(s->fds));
	assert_int_equal(pipe2(s->quit, O_CLOEXEC), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, supplier_run, s), 0);
}

/* What supply_serve() returned, after the asking side was closed. */
static struct err *
supplier_end(struct supplier *s)
{
	if (s->fds[1] >= 0)
		close(s->fds[1]);
	pthread_join(s->thread, NULL);
	close(s->fds[0]);
	close(s->quit[0]);
	close(s->quit[1]);
	return s->end;
}

static struct err *
ask_for(int fd, const char *path, int *out)
{
	const struct supply_ask ask = { .kind = SUPPLY_EXE, .path = path };
	struct supply supply;

	supply_client(fd, &supply);
	/* cppcheck-suppress returnDanglingLifetime; an error borrows nothing */
	return supply.module(supply.arg, &ask, out);
}

/* ---- asking ------------------------------------------------------- */

static void
a_module_comes_as_a_descriptor(void **state)
{
	struct supplier s;
	char path[64], text[16] = "";
	int fd = -1;

	temp_tree_put(*state, "/libx.so", "\177ELF and more");
	snprintf(path, sizeof(path), "%s/libx.so", (char *)*state);
	supplier_start(&s);
	assert_ok(ask_for(s.fds[1], path, &fd));
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "\177ELF and more");
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	assert_ok(supplier_end(&s));
}

static void
a_module_that_is_not_there_is_not_found(void **state)
{
	struct supplier s;
	int fd = -1;

	(void)state;
	supplier_start(&s);
	assert_err(ask_for(s.fds[1], "/nonexistent", &fd), ERR_NOTFOUND,
		   "no file of that name or id");
	assert_int_equal(fd, -1);
	assert_err(ask_for(s.fds[1], NULL, &fd), ERR_NOTFOUND, "no file");
	assert_ok(supplier_end(&s));
}

static void
a_name_that_is_too_long_is_not_found(void **state)
{
	static char path[WIRE_NAME_MAX + 1];
	struct supplier s;
	int fd = -1;

	(void)state;
	memset(path, '/', WIRE_NAME_MAX);
	supplier_start(&s);
	assert_err(ask_for(s.fds[1], path, &fd), ERR_NOTFOUND, "so long");
	path[WIRE_NAME_MAX - 1] = '\0';
	assert_err(ask_for(s.fds[1], path, &fd), ERR_NOTFOUND, "no file");
	assert_ok(supplier_end(&s));
}

static void
answer_one(int fd, bool *over)
{
	struct supply_request *r;
	int found = -1;

	assert_ok(supply_take(fd, &r, over));
	if (*over)
		return;
	_err_ struct err *said = supply_find(&nowhere, supply_asked(r), &found);
	assert_ok(supply_give(fd, said, found));
	supply_request_free(r);
}

static void
one_request_is_answered_without_waiting(void **state)
{
	const struct supply_ask ask = { .kind = SUPPLY_EXE, .path = "/none" };
	_buf_ struct buf bytes = { 0 };
	char answer[64];
	bool over = true;
	int fds[2];

	(void)state;
	assert_ok(supply_pair(fds));
	assert_ok(wire_put_ask(&ask, &bytes));
	assert_true(send(fds[1], bytes.data, bytes.len, 0) > 0);
	assert_true(send(fds[1], bytes.data, bytes.len, 0) > 0);
	answer_one(fds[0], &over);
	assert_false(over);
	assert_true(recv(fds[1], answer, sizeof(answer), 0) > 0);
	assert_int_equal(recv(fds[1], answer, sizeof(answer), MSG_DONTWAIT),
			 -1);
	answer_one(fds[0], &over);
	close(fds[1]);
	answer_one(fds[0], &over);
	assert_true(over);
	close(fds[0]);
}

struct jailed {
	int fd;
	const char *path;
};

static int
ask_in_jail(void *arg)
{
	const struct jailed *j = arg;
	char magic[4];
	_close_ int fd = -1;
	_err_ struct err *err = ask_for(j->fd, j->path, &fd);

	if (err)
		return 1;
	if (read(fd, magic, sizeof(magic)) != sizeof(magic))
		return 2;
	_err_ struct err *none = ask_for(j->fd, "/nonexistent", &fd);
	return err_kind(none) == ERR_NOTFOUND ? 0 : 3;
}

static void
the_jailed_side_works_in_the_jail(void **state)
{
	char path[64];
	int fds[2], status = -1;
	struct jail_child *c = NULL;

	temp_tree_put(*state, "/libx.so", "\177ELF");
	snprintf(path, sizeof(path), "%s/libx.so", (char *)*state);
	assert_ok(supply_pair(fds));
	struct jailed j = { fds[1], path };
	assert_ok(jail_spawn(NULL, &fds[1], 1, ask_in_jail, &j, &c));
	close(fds[1]);
	assert_ok(supply_serve(fds[0], jail_pidfd(c), jail_left_ms(c),
			       &nowhere));
	assert_ok(jail_wait(c, &status));
	assert_int_equal(status, 0);
	close(fds[0]);
}

static void
a_supplier_that_has_gone_is_an_error(void **state)
{
	int fds[2], fd = -1;

	(void)state;
	assert_ok(supply_pair(fds));
	close(fds[0]);
	assert_err(ask_for(fds[1], "/bin/sh", &fd), ERR_IO, "supplier");
	close(fds[1]);
}

static void
an_answer_without_its_descriptor_is_an_error(void **state)
{
	_buf_ struct buf answer = { 0 };
	int fds[2], fd = -1;

	(void)state;
	assert_ok(supply_pair(fds));
	assert_ok(wire_put_answer(NULL, &answer));
	assert_true(send(fds[0], answer.data, answer.len, 0) > 0);
	assert_err(ask_for(fds[1], "/bin/sh", &fd), ERR_IO, "did not arrive");
	assert_int_equal(fd, -1);
	close(fds[0]);
	close(fds[1]);
}

/* ---- ends --------------------------------------------------------- */

static void
the_quit_descriptor_ends_the_service(void **state)
{
	struct supplier s;

	(void)state;
	supplier_start(&s);
	assert_int_equal(write(s.quit[1], "x", 1), 1);
	pthread_join(s.thread, NULL);
	assert_ok(s.end);
	close(s.fds[0]);
	close(s.fds[1]);
	close(s.quit[0]);
	close(s.quit[1]);
}

static void
time_ends_the_service(void **state)
{
	int fds[2];

	(void)state;
	assert_ok(supply_pair(fds));
	assert_err(supply_serve(fds[0], -1, 20, &nowhere), ERR_LIMIT,
		   "too long");
	close(fds[0]);
	close(fds[1]);
}

/* As many requests as the socket holds, then the asking side has gone. */
static void
queue_requests(int fd)
{
	const struct supply_ask ask = {
		.kind = SUPPLY_EXE,
		.id = { .kind = ID_GNU_BUILD_ID, .len = 2 },
	};
	_buf_ struct buf request = { 0 };

	assert_ok(wire_put_ask(&ask, &request));
	while (send(fd, request.data, request.len, MSG_DONTWAIT) > 0)
		;
	assert_int_equal(errno, EAGAIN);
	close(fd);
}

/* Requests that wait already, and each takes a while, leave no idle moment. */
static void
time_ends_the_service_of_one_who_asks_without_pause(void **state)
{
	const char *dirs[1001];
	const struct supply_places places = { .debug_dirs = dirs };
	int fds[2];

	(void)state;
	for (size_t i = 0; i < countof(dirs); i++)
		dirs[i] = "/nonexistent";
	dirs[countof(dirs) - 1] = NULL;
	assert_ok(supply_pair(fds));
	queue_requests(fds[1]);
	assert_err(supply_serve(fds[0], -1, 1, &places), ERR_LIMIT,
		   "too long");
	close(fds[0]);
}

/* ---- hostile askers ----------------------------------------------- */

static void
put_request(struct buf *out, const char *path)
{
	const struct supply_ask ask = { .kind = SUPPLY_EXE, .path = path };

	assert_ok(wire_put_ask(&ask, out));
}

/* The service ends by what was sent, and the asking side sees it at once. */
static void
assert_door_closes(const void *bytes, size_t n, const char *words)
{
	struct supplier s;
	char byte;

	supplier_start(&s);
	assert_int_equal(send(s.fds[1], bytes, n, MSG_NOSIGNAL), n);
	assert_int_equal(recv(s.fds[1], &byte, 1, 0), 0);
	assert_err(supplier_end(&s), ERR_DAMAGED, words);
}

static void
a_malformed_request_closes_the_door(void **state)
{
	static const struct {
		size_t at;
		char value;
	} changes[] = {
		{ 0, 2 },       /* version */
		{ 2, 0 },       /* kind */
		{ 2, SUPPLY_TEXT + 1 },
		{ 3, 1 },       /* an id kind without an id */
		{ 3, 5 },
		{ 8, 1 },       /* an id without a kind */
		{ 9, 1 },
		{ 10, 9 },      /* path too short, too long */
		{ 10, 6 },
		{ 11, 0x10 },
		{ 12, 1 },      /* link */
		{ 13, 0x10 },
		{ 14, 1 },      /* reserved */
	};

	(void)state;
	for (size_t i = 0; i < countof(changes); i++) {
		_buf_ struct buf request = { 0 };

		put_request(&request, "/bin/sh");
		request.data[changes[i].at] = changes[i].value;
		assert_door_closes(request.data, request.len, "request");
	}
}

static void
a_cut_request_closes_the_door(void **state)
{
	_buf_ struct buf request = { 0 };

	(void)state;
	put_request(&request, "/bin/sh");
	for (size_t n = 1; n < request.len; n++)
		assert_door_closes(request.data, n, "request");
}

static void
an_overlong_request_closes_the_door(void **state)
{
	_buf_ struct buf request = { 0 };

	(void)state;
	put_request(&request, "/bin/sh");
	buf_zero(&request, WIRE_MAX + 1 - request.len);
	assert_door_closes(request.data, request.len, "over 16384 bytes");
}

static void
a_nul_in_a_name_is_not_found_and_the_door_stays_open(void **state)
{
	_buf_ struct buf request = { 0 };
	struct supplier s;
	char bytes[1024];
	int fd = -1;

	(void)state;
	supplier_start(&s);
	put_request(&request, "/bin/sh");
	request.data[request.len - 3] = '\0';
	assert_true(send(s.fds[1], request.data, request.len, 0) > 0);
	ssize_t n = recv(s.fds[1], bytes, sizeof(bytes), 0);
	assert_true(n > 0);
	assert_err(wire_get_answer((struct span){ bytes, (size_t)n }),
		   ERR_NOTFOUND, "NUL");
	assert_err(ask_for(s.fds[1], "/nonexistent", &fd), ERR_NOTFOUND, "no");
	assert_ok(supplier_end(&s));
}

static void
who_reads_no_answers_does_not_hold_the_supplier_up(void **state)
{
	_buf_ struct buf request = { 0 };
	struct supplier s;

	(void)state;
	put_request(&request, "/nonexistent");
	supplier_start(&s);
	while (send(s.fds[1], request.data, request.len, MSG_NOSIGNAL) > 0)
		;
	pthread_join(s.thread, NULL);
	assert_err(s.end, ERR_DAMAGED, "reads no answers");
	close(s.fds[0]);
	close(s.fds[1]);
	close(s.quit[0]);
	close(s.quit[1]);
}

static int
count_open(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
descriptors_pushed_at_the_supplier_are_dropped(void **state)
{
	_buf_ struct buf request = { 0 };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct supplier s;
	char bytes[1024];

	(void)state;
	put_request(&request, "/nonexistent");
	struct iovec part = { request.data, request.len };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &(int){ 2 }, sizeof(int));
	supplier_start(&s);
	int before = count_open();
	assert_true(sendmsg(s.fds[1], &msg, 0) > 0);
	assert_true(recv(s.fds[1], bytes, sizeof(bytes), 0) > 0);
	assert_int_equal(count_open(), before);
	assert_ok(supplier_end(&s));
}

/* ---- the bytes ---------------------------------------------------- */

static void
a_request_survives_the_wire(void **state)
{
	const struct supply_ask ask = {
		.kind = SUPPLY_ALT, .nth = 0x12345678, .path = "/lib/x",
		.link = "../y",
		.id = { .kind = ID_PDB, .len = 3, .bytes = { 1, 0, 3 } },
	};
	_buf_ struct buf bytes = { 0 };
	struct wire_ask got;

	(void)state;
	assert_ok(wire_put_ask(&ask, &bytes));
	assert_ok(wire_get_ask((struct span){ bytes.data, bytes.len }, &got));
	assert_int_equal(got.ask.kind, ask.kind);
	assert_int_equal(got.ask.nth, ask.nth);
	assert_true(id_equal(&got.ask.id, &ask.id));
	assert_string_equal(got.ask.path, ask.path);
	assert_string_equal(got.ask.link, ask.link);
}

static void
what_is_not_there_is_null_after_the_wire(void **state)
{
	const struct supply_ask ask = { .kind = SUPPLY_EXE };
	_buf_ struct buf bytes = { 0 };
	struct wire_ask got;

	(void)state;
	assert_ok(wire_put_ask(&ask, &bytes));
	assert_int_equal(bytes.len, 16);
	assert_ok(wire_get_ask((struct span){ bytes.data, bytes.len }, &got));
	assert_null(got.ask.path);
	assert_null(got.ask.link);
	assert_int_equal(got.ask.id.kind, ID_NONE);
	assert_int_equal(got.ask.id.len, 0);
}

static void
a_malformed_answer_is_damage(void **state)
{
	static const struct {
		size_t at;
		char value;
	} changes[] = { { 0, 9 }, { 2, ERR_KINDS }, { 4, 4 }, { 7, 1 } };
	_err_ struct err *said = err_new(ERR_NOTFOUND, "words");

	(void)state;
	for (size_t i = 0; i < countof(changes); i++) {
		_buf_ struct buf answer = { 0 };

		assert_ok(wire_put_answer(said, &answer));
		answer.data[changes[i].at] = changes[i].value;
		assert_err(wire_get_answer((struct span){ answer.data,
							  answer.len }),
			   ERR_DAMAGED, "answer");
	}
}

#define IN_A_TREE(test) \
	cmocka_unit_test_setup_teardown(test, temp_tree_setup, \
					temp_tree_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_TREE(a_module_comes_as_a_descriptor),
		cmocka_unit_test(one_request_is_answered_without_waiting),
		cmocka_unit_test(a_module_that_is_not_there_is_not_found),
		cmocka_unit_test(a_name_that_is_too_long_is_not_found),
		IN_A_TREE(the_jailed_side_works_in_the_jail),
		cmocka_unit_test(a_supplier_that_has_gone_is_an_error),
		cmocka_unit_test(an_answer_without_its_descriptor_is_an_error),
		cmocka_unit_test(the_quit_descriptor_ends_the_service),
		cmocka_unit_test(time_ends_the_service),
		cmocka_unit_test(
			time_ends_the_service_of_one_who_asks_without_pause),
		cmocka_unit_test(a_malformed_request_closes_the_door),
		cmocka_unit_test(a_cut_request_closes_the_door),
		cmocka_unit_test(an_overlong_request_closes_the_door),
		cmocka_unit_test(
			a_nul_in_a_name_is_not_found_and_the_door_stays_open),
		cmocka_unit_test(
			who_reads_no_answers_does_not_hold_the_supplier_up),
		cmocka_unit_test(descriptors_pushed_at_the_supplier_are_dropped),
		cmocka_unit_test(a_request_survives_the_wire),
		cmocka_unit_test(what_is_not_there_is_null_after_the_wire),
		cmocka_unit_test(a_malformed_answer_is_damage),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
