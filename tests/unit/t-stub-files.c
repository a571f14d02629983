/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of the virtual file system and of monitor's verbs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <inttypes.h>
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

/** Reply to vFile:open. */
static const char *
try_open(struct served *s, const char *path)
{
	_buf_ struct buf packet = { 0 };

	buf_puts(&packet, "vFile:open:");
	buf_hex(&packet, path, strlen(path));
	buf_puts(&packet, ",0,0");
	return served_ask(s, packet.data);
}

/* Length and place of the data in a reply "Fn;data". */
static size_t
data_of(struct served *s, const char **data)
{
	char *end;
	size_t n = strtoull(s->reply.data + 1, &end, 16);

	assert_int_equal(s->reply.data[0], 'F');
	assert_int_equal(*end, ';');
	*data = end + 1;
	return n;
}

/** A whole file that needs no escapes, read as gdb does. */
static void
read_file(struct served *s, const char *path, struct buf *out)
{
	const char *data;
	char packet[64];
	size_t n, fd;

	const char *opened = try_open(s, path);
	assert_non_null(opened);
	assert_true(opened[0] == 'F' && opened[1] != '-');
	fd = strtoull(opened + 1, NULL, 16);
	buf_put(out, "", 0);
	do {
		snprintf(packet, sizeof(packet), "vFile:pread:%zx,4000,%zx",
			 fd, out->len);
		assert_non_null(served_ask(s, packet));
		n = data_of(s, &data);
		buf_put(out, data, n);
	} while (n);
	snprintf(packet, sizeof(packet), "vFile:close:%zx", fd);
	assert_string_equal(served_ask(s, packet), "F0");
}

#define assert_file(s, path, text) \
	do { \
		_buf_ struct buf got_ = { 0 }; \
		read_file(s, path, &got_); \
		assert_string_equal(got_.data, text); \
	} while (0)

static void
mappings_are_written_as_the_kernel_does(void **state)
{
	struct served *s = *state;

	assert_ok(served_open(s, NULL));
	assert_file(s, "/proc/4242/maps",
		"00001000-00002000 r-xp 00000000 08:03 77"
		"                                 /bin/served\n"
		"00002000-00003000 rw-p 00000000 00:00 0"
		"                                  [stack]\n"
		"00003000-00004000 r--p 00000000 00:00 0 \n"
		"00005000-00006000 rw-s 00000000 00:00 0 \n"
		"00008000-00009000 r-xp 00000000 08:03 78"
		"                                 /usr/lib/libx.so.1.2\n");
}

static void
captured_texts_go_first_and_have_no_control_bytes(void **state)
{
	struct served *s = *state;

	assert_ok(served_open(s, NULL));
	assert_file(s, "/proc/4242/status",
		    "Name:\tserved\nState:\tS\\x1b[2J\n");
	assert_file(s, "/proc/4242/limits", "Limit\n");
}

static void
texts_that_were_not_captured_say_only_what_is_known(void **state)
{
	struct served *s = *state;

	s->target.n_texts = 0;
	assert_ok(served_open(s, NULL));
	assert_file(s, "/proc/4242/status",
		    "Name:\tserved\nState:\tS\nTgid:\t4242\nPid:\t4242\n"
		    "PPid:\t1\nUid:\t33\nGid:\t34\nThreads:\t3\n");
	assert_file(s, "/proc/4242/stat", "4242 (served) S 1");
	assert_file(s, "/proc/4242/comm", "served\n");
	assert_file(s, "/proc/4242/task/4243/comm", "crash\\x1ber\n");
	assert_file(s, "/proc/4242/task/4244/stat", "4244 () S 1");
	assert_string_equal(try_open(s, "/proc/4242/task/4244/comm"),
			    "F-1,2");
	assert_string_equal(try_open(s, "/proc/4242/limits"), "F-1,2");
}

static void
a_core_without_process_records_invents_nothing(void **state)
{
	static const char *const absent[] = { "cmdline", "comm", "maps",
					      "auxv", "environ" };
	struct served *s = *state;

	s->target.n_texts = s->target.n_maps = s->target.auxv.n = 0;
	s->target.process.name = s->target.process.arguments = NULL;
	s->target.process.exe = s->target.process.cwd = NULL;
	s->threads[1].state = SNAP_STATE_UNKNOWN;
	assert_ok(served_open(s, NULL));
	assert_file(s, "/proc/4242/stat", "4242 () ?");
	assert_file(s, "/proc/4242/status",
		    "Tgid:\t4242\nPid:\t4242\nThreads:\t3\n");
	for (size_t k = 0; k < countof(absent); k++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/4242/%s", absent[k]);
		assert_string_equal(try_open(s, path), "F-1,2");
	}
	assert_string_equal(served_ask(s, "vFile:readlink:"
				       "2f70726f632f343234322f637764"),
			    "F-1,2");
}

static void
files_of_other_processes_and_threads_are_not_there(void **state)
{
	static const char *const paths[] = {
		"/proc/1/maps", "/proc/4243/maps", "/proc/self/maps",
		"/proc/4242/task/1/maps", "/proc/4242/task/4242", "/proc/4242",
		"/proc/4242/", "/proc/04242/maps", "/proc/4242/task/4242/",
		"/proc/18446744073709555858/maps", "/proc/4242//maps",
	};
	struct served *s = *state;

	assert_ok(served_open(s, NULL));
	for (size_t k = 0; k < countof(paths); k++)
		assert_string_equal(try_open(s, paths[k]), "F-1,2");
}

/* ---- debug files ------------------------------------------------------- */
static void
a_debug_file_is_found_by_its_build_id(void **state)
{
	struct served *s = *state;
	const char *data;

	assert_ok(served_open(s, NULL));
	assert_string_equal(try_open(s, "/usr/lib/debug/.build-id/bb/"
		"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.debug"), "F0");
	assert_non_null(served_ask(s, "vFile:pread:0,4000,800"));
	assert_true(data_of(s, &data) > sizeof(SERVED_DEBUG));
	assert_memory_equal(data, SERVED_DEBUG, sizeof(SERVED_DEBUG) - 1);
}

static void
odd_build_ids_are_not_looked_for(void **state)
{
	static const char *const paths[] = {
		"/usr/lib/debug/.build-id/bb/.debug",
		"/usr/lib/debug/.build-id/bb/b.debug",
		"/usr/lib/debug/.build-id/bb/zz.debug",
		"/usr/lib/debug/.build-id/bbbb.debug",
		"/usr/lib/debug/.build-id/", "/.build-id/b",
		"/usr/lib/debug/.build-id/bb/bbbb", "/lib/.debug/x.debug",
	};
	struct served *s = *state;

	assert_ok(served_open(s, NULL));
	for (size_t k = 0; k < countof(paths); k++)
		assert_string_equal(try_open(s, paths[k]), "F-1,2");
	assert_int_equal(s->debug_asked, 0);
}

static void
invented_build_ids_are_counted(void **state)
{
	struct served *s = *state;

	assert_ok(served_open(s, NULL));
	for (unsigned k = 0; k < 1000; k++) {
		char path[64];

		snprintf(path, sizeof(path), "/.build-id/00/%08x.debug", k);
		assert_string_equal(try_open(s, path), "F-1,2");
	}
	assert_in_range(s->debug_asked, 1, 256);
}

/* ---- descriptors and reads --------------------------------------------- */
static void
a_client_has_1024_files_open_at_most(void **state)
{
	struct served *s = *state;

	assert_ok(served_open(s, NULL));
	for (int k = 0; k < 1024; k++)
		assert_int_equal(try_open(s, "/lib/libx.so.1")[1] == '-', 0);
	assert_string_equal(try_open(s, "/lib/libx.so.1"), "F-1,18");
	assert_string_equal(served_ask(s, "vFile:close:7"), "F0");
	assert_string_equal(try_open(s, "/lib/libx.so.1"), "F7");
}

static void
a_small_file_comes_at_once_and_pieces_grow_as_it_is_read_on(void **state)
{
	struct served *s = *state;
	const char *data;

	assert_ok(served_open(s, NULL));
	assert_string_equal(try_open(s, "/lib/libx.so.1"), "F0");
	assert_non_null(served_ask(s, "vFile:pread:0,4000,0"));
	assert_in_range(data_of(s, &data), 0x3f00, 0x4000);
	assert_non_null(served_ask(s, "vFile:pread:0,4000,800"));
	assert_int_equal(data_of(s, &data), 0x800);
	assert_non_null(served_ask(s, "vFile:pread:0,4000,1000"));
	assert_int_equal(data_of(s, &data), 0x2000);
	assert_non_null(served_ask(s, "vFile:pread:0,4000,100"));
	assert_int_equal(data_of(s, &data), 0x800);
	assert_non_null(served_ask(s, "vFile:pread:0,10,200"));
	assert_int_equal(data_of(s, &data), 0x10);
}

/* ---- monitor ----------------------------------------------------------- */
static char *
monitor(struct served *s, const char *line)
{
	static char text[4096];
	_buf_ struct buf packet = { 0 };

	buf_puts(&packet, "qRcmd,");
	buf_hex(&packet, line, strlen(line));
	const char *reply = served_ask(s, packet.data);
	assert_non_null(reply);
	assert_true(s->reply.len / 2 < sizeof(text));
	assert_true(hex_bytes(reply, s->reply.len / 2, text));
	text[s->reply.len / 2] = '\0';
	return text;
}

static void
monitor_says_what_gdb_cannot(void **state)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
		{ "info", "SIGSEGV at 0x10 in thread 4243\n" },
		{ "info", "memory      16 KiB captured, 4 KiB mapped but not" },
		{ "missing", "the core is truncated\n" },
		{ "missing", "4 KiB of memory: " },
		{ "memory 0x1000", "captured (0x1000-0x3000 /bin/served)\n" },
		{ "memory 3000", "mapped, but not captured: " },
		{ "memory 4000", "not mapped (0x4000-0x5000)\n" },
		{ "notes", "critical: thread 4243: a null pointer was read\n" },
		{ "attributes", "host = a\\x1bb\nload = 7\ndelta = -3\n"
				"fatal = true\n" },
		{ "threads", "4243 crash\\x1ber faulting: SIGSEGV at 0x10\n" },
		{ "modules", " from the snapshot: /usr/lib/libx.so.1.2\n" },
		{ "modules", "\\x1b]0;evil" },
		{ "help", "monitor missing" }, { "", "monitor help" },
		{ "nonsense", "there is no such verb" },
	};
	struct served *s = *state;

	assert_ok(served_open(s, NULL));
	for (size_t k = 0; k < countof(rows); k++) {
		const char *text = monitor(s, rows[k].line);

		if (!strstr(text, rows[k].says))
			assert_string_equal(text, rows[k].says);
		assert_null(strchr(text, '\033'));
	}
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(mappings_are_written_as_the_kernel_does),
		TEST(captured_texts_go_first_and_have_no_control_bytes),
		TEST(texts_that_were_not_captured_say_only_what_is_known),
		TEST(a_core_without_process_records_invents_nothing),
		TEST(files_of_other_processes_and_threads_are_not_there),
		TEST(a_debug_file_is_found_by_its_build_id),
		TEST(odd_build_ids_are_not_looked_for),
		TEST(invented_build_ids_are_counted),
		TEST(a_client_has_1024_files_open_at_most),
		TEST(a_small_file_comes_at_once_and_pieces_grow_as_it_is_read_on),
		TEST(monitor_says_what_gdb_cannot),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
