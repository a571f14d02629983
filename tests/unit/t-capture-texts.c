/* SPDX-License-Identifier: Apache-2.0 */
/* What is read out of the texts of /proc, whatever names stand in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/sysmacros.h>

#include "assert-err.h"
#include "capture/texts.h"

static struct span
text(const char *s)
{
	return (struct span){ s, strlen(s) };
}

/* ---- maps ---- */

struct parsed {
	struct arena *arena;
	struct vec maps, flags;
};

static int
parsed_setup(void **state)
{
	struct parsed *p = test_calloc(1, sizeof(*p));

	p->arena = arena_new(0);
	*state = p;
	return p->arena ? 0 : -1;
}

static int
parsed_teardown(void **state)
{
	struct parsed *p = *state;

	arena_free(p->arena);
	test_free(p);
	return 0;
}

static const struct snap_map *
map(struct parsed *p, size_t k)
{
	assert_true(k < p->maps.n);
	return (const struct snap_map *)p->maps.data + k;
}

static void
a_mapping_has_all_its_fields(void **state)
{
	struct parsed *p = *state;

	assert_ok(text_maps(text("7f00000a0000-7f00000b1000 r-xp 00002000 "
				 "fe:01 1234567                    "
				 "/usr/lib/libc.so.6\n"), p->arena, &p->maps));
	assert_int_equal(p->maps.n, 1);
	const struct snap_map *m = map(p, 0);
	assert_int_equal(m->start, 0x7f00000a0000);
	assert_int_equal(m->end, 0x7f00000b1000);
	assert_int_equal(m->perm, SNAP_PERM_R | SNAP_PERM_X);
	assert_int_equal(m->offset, 0x2000);
	assert_int_equal(m->device, makedev(0xfe, 1));
	assert_int_equal(m->inode, 1234567);
	assert_string_equal(m->path, "/usr/lib/libc.so.6");
}

static void
an_anonymous_mapping_has_no_path(void **state)
{
	struct parsed *p = *state;

	assert_ok(text_maps(text("1000-2000 rw-p 00000000 00:00 0 \n"
				 "2000-3000 ---s 00000000 00:00 0\n"),
			    p->arena, &p->maps));
	assert_int_equal(p->maps.n, 2);
	assert_null(map(p, 0)->path);
	assert_null(map(p, 1)->path);
	assert_int_equal(map(p, 1)->perm, SNAP_PERM_SHARED);
}

static void
a_path_is_whatever_stands_behind_the_blanks(void **state)
{
	static const char *const paths[] = {
		"/a b (deleted)", "/x\\012y", "/1000-2000 rwxp 0 00:00 0 /z",
		"[anon: a name]", "/\xff\x1b[31m", "/tab\tin it ",
	};

	for (size_t k = 0; k < countof(paths); k++) {
		struct parsed *p = *state;
		_buf_ struct buf b = { 0 };

		buf_printf(&b, "1000-2000 rw-p 00000000 00:00 0    %s\n",
			   paths[k]);
		p->maps = (struct vec){ 0 };
		assert_ok(text_maps((struct span){ b.data, b.len }, p->arena,
				    &p->maps));
		assert_int_equal(p->maps.n, 1);
		assert_string_equal(map(p, 0)->path, paths[k]);
	}
}

static void
what_is_named_twice_belongs_to_the_first(void **state)
{
	struct parsed *p = *state;

	assert_ok(text_maps(text("1000-3000 rw-p 00000000 00:00 0 \n"
				 "2000-5000 r--p 00007000 fe:01 1 /file\n"
				 "4000-5000 rw-p 00000000 00:00 0 \n"),
			    p->arena, &p->maps));
	assert_int_equal(p->maps.n, 2);
	assert_int_equal(map(p, 1)->start, 0x3000);
	assert_int_equal(map(p, 1)->end, 0x5000);
	assert_int_equal(map(p, 1)->offset, 0x8000);
}

static void
a_line_that_is_no_mapping_is_named(void **state)
{
	static const char *const lines[] = {
		"", "-", "1000", "1000-", "2000-1000 rw-p 0 0:0 0 ",
		"1000-1000 rw-p 0 0:0 0 ", "1000-2000 rwap 0 0:0 0 ",
		"1000-2000 rw-x 0 0:0 0 ", "1000-2000 rw-p  0:0 0 ",
		"1000-2000 rw-p 0 0 0 ", "1000-2000 rw-p 0 0:0 ",
		"1000-2000 rw-p 0 0:0 0/x", "G000-2000 rw-p 0 0:0 0 ",
		"11111111111111111-2 rw-p 0 0:0 0 ",
	};

	for (size_t k = 0; k < countof(lines); k++) {
		struct parsed *p = *state;
		_buf_ struct buf b = { 0 };

		buf_printf(&b, "10-20 rw-p 00000000 00:00 0 \n%s\n", lines[k]);
		p->maps = (struct vec){ 0 };
		assert_err(text_maps((struct span){ b.data, b.len }, p->arena,
				     &p->maps), ERR_DAMAGED, "line 2 ");
	}
}

/* ---- smaps ---- */

static void
only_mappings_with_a_flag_are_listed(void **state)
{
	struct parsed *p = *state;

	assert_ok(text_smaps(text(
		"1000-2000 rw-p 00000000 00:00 0 \nSize:  4 kB\n"
		"VmFlags: rd wr mr mw me ac sd\n"
		"2000-3000 rw-p 00000000 00:00 0 \nSize:  4 kB\n"
		"VmFlags: rd wr mr mw me ac dd sd \n"
		"3000-4000 rw-s 00000000 00:05 1 /dev/card\n"
		"VmFlags: rd wr io pf\n"), p->arena, &p->flags));
	assert_int_equal(p->flags.n, 2);
	const struct text_flags *f = p->flags.data;
	assert_int_equal(f[0].start, 0x2000);
	assert_true(f[0].dontdump && !f[0].device);
	assert_int_equal(f[1].end, 0x4000);
	assert_true(!f[1].dontdump && f[1].device);
}

static void
a_flag_is_a_word_of_its_own(void **state)
{
	struct parsed *p = *state;

	assert_ok(text_smaps(text("1000-2000 rw-p 00000000 00:00 0 \n"
				  "VmFlags: xd dx rd\nVmFlags:\n"),
			     p->arena, &p->flags));
	assert_int_equal(p->flags.n, 0);
}

/* ---- stat ---- */

#define TAIL " S 7 8 9 -1 -1 4194560 0 0 0 0 0 0 0 0 20 0 3 0 1234567 8192 9"

static void
a_name_may_look_like_the_rest_of_the_line(void **state)
{
	struct text_stat s;

	(void)state;
	assert_true(text_stat(text("12 (a) R 1 (b) c)" TAIL "\n"), &s));
	assert_int_equal(s.name.n, strlen("a) R 1 (b) c"));
	assert_memory_equal(s.name.data, "a) R 1 (b) c", s.name.n);
	assert_int_equal(s.state, 'S');
	assert_int_equal(s.ppid, 7);
	assert_int_equal(s.flags, 4194560);
	assert_int_equal(s.threads, 3);
	assert_int_equal(s.start_time, 1234567);
}

static void
a_stat_line_that_is_cut_is_none(void **state)
{
	static const char line[] = "12 (x)" TAIL;
	struct text_stat s;

	(void)state;
	for (size_t n = 0; n < sizeof(line) - strlen("1234567 8192 9") - 1; n++)
		assert_false(text_stat((struct span){ line, n }, &s));
	assert_false(text_stat(text("12 )x(" TAIL), &s));
	assert_false(text_stat(text("12 (x) S 7 8 9 x"), &s));
}

/* ---- status ---- */

static void
a_field_is_found_by_its_whole_name(void **state)
{
	const struct span status = text("Name:\tTracerPid:\t9\nXUid:\t1\n"
					"Uid:\t1000\t1001\nTracerPid:\t42\n"
					"SigCgt:\t0000000180014a03\n");
	struct span value;
	uint64_t n;

	(void)state;
	assert_true(text_status_number(status, "TracerPid", 10, &n));
	assert_int_equal(n, 42);
	assert_true(text_status_number(status, "Uid", 10, &n));
	assert_int_equal(n, 1000);
	assert_true(text_status_number(status, "SigCgt", 16, &n));
	assert_int_equal(n, 0x180014a03);
	assert_true(text_status(status, "Name", &value));
	assert_int_equal(value.n, strlen("TracerPid:\t9"));
	assert_false(text_status_number(status, "Name", 10, &n));
	assert_false(text_status(status, "Gid", &value));
}

#define parsing(test) \
	cmocka_unit_test_setup_teardown(test, parsed_setup, parsed_teardown)

/* ---- time and place of a thread ---- */

static void
a_stat_line_tells_time_and_processor(void **state)
{
	static const char numbers[] =
		"1 2 3 4 5 6 7 8 9 10 311 42 13 14 15 16 17 18 990 20 21 22 23 "
		"24 25 26 27 28 29 30 31 32 33 34 35 6 37 38 39 40";
	_buf_ struct buf b = { 0 };
	struct text_stat s;

	(void)state;
	buf_printf(&b, "77 (a) R 2 (b) S %s", numbers);
	assert_true(text_stat(text(b.data), &s));
	assert_int_equal(s.state, 'S');
	assert_int_equal(s.utime, 311);
	assert_int_equal(s.stime, 42);
	assert_int_equal(s.start_time, 990);
	assert_int_equal(s.cpu, 6);
	/* Without the later fields nobody knows where it ran. */
	assert_true(text_stat(text("7 (x) R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 "
				   "15 16 17 18 19"), &s));
	assert_int_equal(s.cpu, -1);
}

/* ---- other texts ---- */

static void
a_number_stands_behind_its_name(void **state)
{
	const struct span stat = text("cpu  1 2\nbtime2 7\nbtime 1764\nx");
	uint64_t v;

	(void)state;
	assert_true(text_number_after(stat, "btime", &v));
	assert_int_equal(v, 1764);
	assert_false(text_number_after(stat, "tim", &v));
	assert_false(text_number_after(stat, "x", &v));
	assert_false(text_number_after(text(""), "x", &v));
}

static void
a_name_may_be_apart_from_its_colon(void **state)
{
	const struct span info = text("processor\t: 0\nmodel\t\t: 17\n"
				      "model name\t: A B @ 2 GHz\n");
	struct span value;
	uint64_t v;

	(void)state;
	assert_true(text_status(info, "model name", &value));
	assert_int_equal(value.n, strlen("A B @ 2 GHz"));
	assert_memory_equal(value.data, "A B @ 2 GHz", value.n);
	assert_true(text_status_number(info, "model", 10, &v));
	assert_int_equal(v, 17);
}

/* ---- sockets ---- */

static void
a_link_of_a_socket_has_its_number(void **state)
{
	static const char *const others[] = {
		"", "socket:", "socket:[", "socket:[]", "socket:[x]",
		"socket:[12", "/tmp/socket:[12]", "pipe:[12]",
		"socket:[99999999999999999999999]",
	};
	uint64_t v;

	(void)state;
	assert_true(text_socket_link("socket:[4026]", &v));
	assert_int_equal(v, 4026);
	for (size_t k = 0; k < countof(others); k++)
		assert_false(text_socket_link(others[k], &v));
}

static void
a_socket_of_the_internet_has_two_addresses(void **state)
{
	struct text_socket x;

	(void)state;
	assert_true(text_inet(text("   0: 0100007F:1F90 00000000:0000 0A "
				   "00000000:00000000 00:00000000 00000000  "
				   "1000        0 61234 1 0000000000000000"),
			      &x));
	assert_string_equal(x.local, "127.0.0.1:8080");
	assert_string_equal(x.remote, "0.0.0.0:0");
	assert_int_equal(x.state, 10);
	assert_int_equal(x.inode, 61234);
	assert_true(text_inet(text("1: 00000000000000000000000001000000:0050 "
				   "B80D0120000000000000000001000000:FFFF 01 "
				   "0:0 0:0 0 0 0 5"), &x));
	assert_string_equal(x.local, "[::1]:80");
	assert_string_equal(x.remote, "[2001:db8::1]:65535");
}

static void
a_line_that_is_no_socket_is_none(void **state)
{
	static const char *const lines[] = {
		"", "  sl  local_address rem_address   st",
		"0: 0100007F:1F90", "0: 0100007F:1F9 00000000:0000 0A",
		"0: 0100007G:1F90 00000000:0000 0A 0:0 0:0 0 0 0 5",
		"0: 0100007F-1F90 00000000:0000 0A 0:0 0:0 0 0 0 5",
		"0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 0 0 x",
		"0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 0 0",
	};
	struct text_socket x;

	(void)state;
	for (size_t k = 0; k < countof(lines); k++) {
		assert_false(text_inet(text(lines[k]), &x));
		assert_false(text_unix(text(lines[k]), &x));
	}
}

static void
a_unix_socket_has_whatever_path(void **state)
{
	struct text_socket x;

	(void)state;
	assert_true(text_unix(text("0000000000000000: 00000002 00000000 "
				   "00010000 0001 01 12345 /run/a \x1b b"),
			      &x));
	assert_int_equal(x.inode, 12345);
	assert_int_equal(x.type, 1);
	assert_int_equal(x.state, 1);
	assert_true(x.listens);
	assert_int_equal(x.path.n, strlen("/run/a \x1b b"));
	assert_true(text_unix(text("0: 00000002 00000000 00000000 0002 03 9"),
			      &x));
	assert_false(x.listens);
	assert_int_equal(x.path.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		parsing(a_mapping_has_all_its_fields),
		parsing(an_anonymous_mapping_has_no_path),
		parsing(a_path_is_whatever_stands_behind_the_blanks),
		parsing(what_is_named_twice_belongs_to_the_first),
		parsing(a_line_that_is_no_mapping_is_named),
		parsing(only_mappings_with_a_flag_are_listed),
		parsing(a_flag_is_a_word_of_its_own),
		cmocka_unit_test(a_name_may_look_like_the_rest_of_the_line),
		cmocka_unit_test(a_stat_line_that_is_cut_is_none),
		cmocka_unit_test(a_field_is_found_by_its_whole_name),
		cmocka_unit_test(a_stat_line_tells_time_and_processor),
		cmocka_unit_test(a_number_stands_behind_its_name),
		cmocka_unit_test(a_name_may_be_apart_from_its_colon),
		cmocka_unit_test(a_link_of_a_socket_has_its_number),
		cmocka_unit_test(a_socket_of_the_internet_has_two_addresses),
		cmocka_unit_test(a_line_that_is_no_socket_is_none),
		cmocka_unit_test(a_unix_socket_has_whatever_path),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
