/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of whole writes and whole small files, and of base.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assert-err.h"

struct drain {
	int fd;
	struct buf got;
};

static void *
drain_run(void *arg)
{
	struct drain *d = arg;
	char piece[1000];
	ssize_t n;

	while ((n = read(d->fd, piece, sizeof(piece))) > 0)
		buf_put(&d->got, piece, n);
	return NULL;
}

static void
a_write_longer_than_a_pipe_arrives_whole(void **state)
{
	_buf_ struct buf sent = { 0 };
	struct drain d = { 0 };
	pthread_t thread;
	int ends[2];

	(void)state;
	for (uint32_t i = 0; i < 100000; i++)
		buf_u32(&sent, i);
	assert_int_equal(pipe(ends), 0);
	d.fd = ends[0];
	assert_int_equal(pthread_create(&thread, NULL, drain_run, &d), 0);
	assert_ok(io_write(ends[1], sent.data, sent.len));
	close(ends[1]);
	pthread_join(thread, NULL);
	close(ends[0]);
	assert_int_equal(d.got.len, sent.len);
	assert_memory_equal(d.got.data, sent.data, sent.len);
	buf_fini(&d.got);
}

static void
a_write_that_is_refused_says_why(void **state)
{
	(void)state;
	assert_err(io_write(-1, "x", 1), ERR_IO, "Bad file descriptor");
	assert_ok(io_write(-1, NULL, 0));
}

struct place {
	char dir[32];
	char path[64];
};

static int
place_setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	snprintf(p->dir, sizeof(p->dir), "/tmp/t-io.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/file", p->dir);
	*state = p;
	return 0;
}

static int
place_teardown(void **state)
{
	struct place *p = *state;

	unlink(p->path);
	rmdir(p->dir);
	free(p);
	return 0;
}

static void
put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_ok(io_write(fd, text, strlen(text)));
	close(fd);
}

static void
a_file_is_appended_whole(void **state)
{
	struct place *p = *state;
	_buf_ struct buf out = { 0 };

	put_file(p->path, "hello");
	buf_puts(&out, ">");
	assert_ok(io_read_file(p->path, 5, &out));
	assert_string_equal(out.data, ">hello");
}

static void
an_empty_file_is_read_too(void **state)
{
	struct place *p = *state;
	_buf_ struct buf out = { 0 };

	put_file(p->path, "");
	assert_ok(io_read_file(p->path, 5, &out));
	assert_int_equal(out.len, 0);
	assert_non_null(out.data);
}

static void
a_file_over_the_limit_leaves_the_buffer_alone(void **state)
{
	struct place *p = *state;
	_buf_ struct buf out = { 0 };

	put_file(p->path, "hello");
	buf_puts(&out, ">");
	assert_err(io_read_file(p->path, 4, &out), ERR_LIMIT,
		   "larger than the 4 bytes");
	assert_ok(buf_err(&out));
	assert_string_equal(out.data, ">");
}

static void
a_file_without_a_size_is_read_to_its_end(void **state)
{
	_buf_ struct buf out = { 0 };

	(void)state;
	assert_ok(io_read_file("/proc/self/status", 1 << 20, &out));
	assert_non_null(strstr(out.data, "Pid:"));
}

static void
a_fifo_or_directory_is_refused_at_once(void **state)
{
	struct place *p = *state;
	_buf_ struct buf out = { 0 };

	assert_int_equal(mkfifo(p->path, 0600), 0);
	assert_err(io_read_file(p->path, 9, &out), ERR_FORMAT,
		   "is not a regular file");
	assert_err(io_read_file(p->dir, 9, &out), ERR_FORMAT,
		   "is not a regular file");
}

static void
a_missing_file_is_not_found(void **state)
{
	struct place *p = *state;
	_buf_ struct buf out = { 0 };

	assert_err(io_read_file(p->path, 9, &out), ERR_NOTFOUND, "/file: ");
}

static void
addition_tells_an_overflow(void **state)
{
	uint64_t sum = 7;

	(void)state;
	assert_true(u64_add(UINT64_MAX - 1, 1, &sum));
	assert_true(sum == UINT64_MAX);
	sum = 7;
	assert_false(u64_add(UINT64_MAX, 1, &sum));
	assert_int_equal(sum, 7);
}

static void
closing_on_the_way_out_keeps_errno(void **state)
{
	int none = -1, bad = 1 << 20;

	(void)state;
	errno = ENOENT;
	base_close(&none);
	base_close(&bad);
	assert_int_equal(errno, ENOENT);
}

#define in_place(test) \
	cmocka_unit_test_setup_teardown(test, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_longer_than_a_pipe_arrives_whole),
		cmocka_unit_test(a_write_that_is_refused_says_why),
		in_place(a_file_is_appended_whole),
		in_place(an_empty_file_is_read_too),
		in_place(a_file_over_the_limit_leaves_the_buffer_alone),
		cmocka_unit_test(a_file_without_a_size_is_read_to_its_end),
		in_place(a_fifo_or_directory_is_refused_at_once),
		in_place(a_missing_file_is_not_found),
		cmocka_unit_test(addition_tells_an_overflow),
		cmocka_unit_test(closing_on_the_way_out_keeps_errno),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
