/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of byte sources. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "assert-err.h"

#define TEXT "0123456789"

static int
fd_of_text(void)
{
	int fd = memfd_create("source", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_ok(io_write(fd, TEXT, 10));
	return fd;
}

static struct source *
source_of_file(void)
{
	struct source *s = NULL;

	assert_ok(source_fd(fd_of_text(), "file", &s));
	return s;
}

static struct source *
source_of_memory(void)
{
	struct source *s = NULL;

	assert_ok(source_mem(TEXT, 10, "memory", &s));
	return s;
}

static struct err *
fetch_text(void *arg, uint64_t off, size_t n, void *out)
{
	(void)arg;
	memcpy(out, &TEXT[off], n);
	return NULL;
}

static struct source *
source_of_fetcher(void)
{
	struct source *s = NULL;

	assert_ok(source_fetch(fetch_text, NULL, NULL, 10, "fetcher", &s));
	return s;
}

typedef struct source *source_maker(void);
static source_maker *const makers[] = {
	source_of_file, source_of_memory, source_of_fetcher,
};

static void
each_sort_reads_what_lies_in_it(void **state)
{
	char out[10];

	(void)state;
	for (size_t i = 0; i < countof(makers); i++) {
		_source_ struct source *s = makers[i]();

		assert_int_equal(source_size(s), 10);
		assert_ok(source_read(s, 0, 10, out));
		assert_memory_equal(out, TEXT, 10);
		assert_ok(source_read(s, 7, 3, out));
		assert_memory_equal(out, "789", 3);
		assert_ok(source_read(s, 10, 0, NULL));
	}
}

static void
each_sort_says_where_it_is_truncated_and_writes_nothing(void **state)
{
	char out[16] = "untouched";

	(void)state;
	for (size_t i = 0; i < countof(makers); i++) {
		_source_ struct source *s = makers[i]();

		assert_err(source_read(s, 7, 4, out), ERR_DAMAGED,
			   ": truncated: 4 bytes wanted at offset 7, "
			   "the file ends at 10");
		assert_err(source_read(s, 11, 0, out), ERR_DAMAGED, "11");
		assert_err(source_read(s, UINT64_MAX, 2, out), ERR_DAMAGED,
			   "offset 18446744073709551615");
		assert_err(source_read(s, 1, SIZE_MAX, out), ERR_DAMAGED, "");
		assert_string_equal(out, "untouched");
	}
}

static void
the_name_is_a_copy_and_begins_messages(void **state)
{
	_source_ struct source *s = NULL;
	char name[] = "core";
	char out;

	(void)state;
	assert_ok(source_mem("", 0, name, &s));
	name[0] = 'x';
	assert_string_equal(source_name(s), "core");
	assert_err(source_read(s, 0, 1, &out), ERR_DAMAGED, "core: truncated");
}

static void
loading_gives_arena_memory(void **state)
{
	_arena_ struct arena *a = arena_new(0);
	_source_ struct source *s = source_of_file();
	struct span span = { 0 };

	(void)state;
	assert_ok(source_load(s, 2, 5, 5, a, &span));
	assert_int_equal(span.n, 5);
	assert_memory_equal(span.data, "23456", 5);
	assert_ok(source_load(s, 10, 0, 0, a, &span));
	assert_int_equal(span.n, 0);
}

static void
loading_checks_before_it_allocates(void **state)
{
	_arena_ struct arena *a = arena_new(0);
	_source_ struct source *s = source_of_file();
	struct span span = { .n = 77 };

	(void)state;
	assert_err(source_load(s, 0, UINT64_MAX, UINT64_MAX, a, &span),
		   ERR_DAMAGED, "truncated");
	assert_err(source_load(s, 0, 10, 9, a, &span), ERR_LIMIT,
		   "10 bytes at offset 0 are more than the 9 allowed");
	assert_int_equal(arena_used(a), 0);
	assert_int_equal(span.n, 77);
}

static void
loading_beyond_the_arenas_limit_is_no_memory(void **state)
{
	_arena_ struct arena *a = arena_new(4);
	_source_ struct source *s = source_of_memory();
	struct span span;

	(void)state;
	assert_err(source_load(s, 0, 10, 10, a, &span), ERR_NOMEM, "memory:");
}

static void
a_file_that_shrinks_is_an_error_and_no_signal(void **state)
{
	_source_ struct source *s = source_of_file();
	char out[10];

	(void)state;
	assert_int_equal(ftruncate(source_descriptor(s), 4), 0);
	assert_err(source_read(s, 2, 8, out), ERR_DAMAGED,
		   "8 bytes wanted at offset 2, the file ends at 4");
}

static void
only_a_file_has_a_descriptor(void **state)
{
	int fd = fd_of_text();
	_source_ struct source *file = NULL;
	_source_ struct source *memory = source_of_memory();
	_source_ struct source *fetcher = source_of_fetcher();

	(void)state;
	assert_ok(source_fd(fd, "file", &file));
	assert_int_equal(source_descriptor(file), fd);
	assert_int_equal(source_descriptor(memory), -1);
	assert_int_equal(source_descriptor(fetcher), -1);
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0 || errno != EBADF;
}

static void
what_is_not_a_regular_file_is_refused_and_closed(void **state)
{
	struct source *s = NULL;
	int fifo[2], directory = open("/", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(pipe(fifo), 0);
	assert_err(source_fd(directory, "dir", &s), ERR_FORMAT,
		   "dir is not a regular file");
	assert_err(source_fd(fifo[0], "fifo", &s), ERR_FORMAT,
		   "fifo is not a regular file");
	assert_err(source_fd(-1, "none", &s), ERR_IO, "none: ");
	assert_false(is_open(directory));
	assert_false(is_open(fifo[0]));
	assert_null(s);
	close(fifo[1]);
}

static void
freeing_closes_the_descriptor(void **state)
{
	struct source *s = source_of_file();
	int fd = source_descriptor(s);

	(void)state;
	assert_true(is_open(fd));
	source_free(s);
	assert_false(is_open(fd));
	source_free(NULL);
}

static struct err *
fetch_refused(void *arg, uint64_t off, size_t n, void *out)
{
	(void)arg, (void)off, (void)n, (void)out;
	return err_new(ERR_NETWORK, "connection lost");
}

static void
count_done(void *arg)
{
	++*(int *)arg;
}

static void
a_fetcher_is_done_once_and_its_errors_pass(void **state)
{
	struct source *s = NULL;
	int done = 0;
	char out;

	(void)state;
	assert_ok(source_fetch(fetch_refused, count_done, &done, 10, "far",
			       &s));
	assert_err(source_read(s, 0, 1, &out), ERR_NETWORK, "connection lost");
	assert_int_equal(done, 0);
	source_free(s);
	assert_int_equal(done, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_sort_reads_what_lies_in_it),
		cmocka_unit_test(
			each_sort_says_where_it_is_truncated_and_writes_nothing),
		cmocka_unit_test(the_name_is_a_copy_and_begins_messages),
		cmocka_unit_test(loading_gives_arena_memory),
		cmocka_unit_test(loading_checks_before_it_allocates),
		cmocka_unit_test(loading_beyond_the_arenas_limit_is_no_memory),
		cmocka_unit_test(a_file_that_shrinks_is_an_error_and_no_signal),
		cmocka_unit_test(only_a_file_has_a_descriptor),
		cmocka_unit_test(
			what_is_not_a_regular_file_is_refused_and_closed),
		cmocka_unit_test(freeing_closes_the_descriptor),
		cmocka_unit_test(a_fetcher_is_done_once_and_its_errors_pass),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
