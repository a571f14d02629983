/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own requests over the Debug Adapter Protocol: what was recorded, what is
 * at an address, where bytes are, and URLs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assert-err.h"
#include "make-spoken.h"

static int
setup(void **state)
{
	*state = calloc(1, sizeof(struct spoken));
	return *state ? 0 : -1;
}

static int
teardown(void **state)
{
	spoken_close(*state);
	free(*state);
	return 0;
}

/** @command is answered by @body. */
static void
assert_said(struct spoken *s, const char *command, const char *arguments,
	    const char *body)
{
	char name[64];

	snprintf(name, sizeof(name), "inquest/%s", command);
	const char *word = spoken_ask(s, name, arguments);
	if (word)
		print_error("%s: %s\n", word, spoken_body(s));
	assert_null(word);
	assert_string_equal(spoken_body(s), body);
}

static void
assert_refused(struct spoken *s, const char *command, const char *arguments,
	       const char *word)
{
	char name[64];

	snprintf(name, sizeof(name), "inquest/%s", command);
	const char *said = spoken_ask(s, name, arguments);
	assert_string_equal(said ? said : "nothing", word);
}

/* ---- maps ------------------------------------------------------------------------- */
static void
maps_say_what_is_there_and_why_not(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	assert_said(s, "maps", "\"address\":\"0x2000\"",
		    "{\"ranges\":[{\"start\":\"0x2000\",\"end\":\"0x3000\","
		    "\"state\":\"captured\",\"permissions\":\"rw-p\","
		    "\"name\":\"[stack]\"},{\"start\":\"0x3000\",\"end\":\"0x4000\",\"state\":"
		    "\"absent\",\"reason\":\"over the limit of bytes\","
		    "\"permissions\":\"r--p\"},{\"start\":\"0x5000\",\"end\":"
		    "\"0x6000\",\"state\":\"zero\",\"permissions\":\"rw-s\"},"
		    "{\"start\":\"0x8000\",\"end\":\"0x9000\",\"state\":"
		    "\"captured\",\"permissions\":\"r-xp\",\"name\":"
		    "\"/usr/lib/libx.so.1.2\",\"offset\":\"0x0\"}]}");
}

static void
maps_come_by_pages(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	assert_said(s, "maps", "\"count\":1,\"address\":\"0x2800\"",
		    "{\"ranges\":[{\"start\":\"0x2800\",\"end\":\"0x3000\","
		    "\"state\":\"captured\",\"permissions\":\"rw-p\","
		    "\"name\":\"[stack]\"}],\"next\":\"0x3000\"}");
	assert_said(s, "maps", "\"address\":\"0x9000\"", "{\"ranges\":[]}");
	assert_refused(s, "maps", "\"count\":0", "badArgument");
	assert_refused(s, "maps", "\"address\":\"here\"", "badArgument");
}

/* A damaged file may say that a range ends at the end of the space. */
static void
a_range_at_the_end_of_the_space_ends_there(void **state)
{
	static const struct snap_memory last = {
		.start = 0xfffffffffffff000, .length = 0x1000,
		.kind = SNAP_MEM_ZERO,
	};
	struct spoken *s = *state;

	served_init(&s->served);
	s->served.target.memory = &last;
	s->served.target.n_memory = 1;
	assert_ok(spoken_open(s, "", ""));
	assert_said(s, "maps", "",
		    "{\"ranges\":[{\"start\":\"0xfffffffffffff000\",\"end\":"
		    "\"0xffffffffffffffff\",\"state\":\"zero\"}]}");
	assert_null(spoken_ask(s, "inquest/search", "\"bytes\":\"0001\""));
}

/* ---- what was recorded --------------------------------------------------------------- */
static void
attributes_have_types(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	assert_said(s, "attributes", "",
		    "{\"attributes\":[{\"key\":\"host\",\"type\":\"string\","
		    "\"value\":\"a\\\\x1bb\"},{\"key\":\"load\",\"type\":"
		    "\"u64\",\"value\":7},{\"key\":\"delta\",\"type\":\"i64\","
		    "\"value\":-3},{\"key\":\"fatal\",\"type\":\"bool\","
		    "\"value\":true}],\"total\":4}");
	assert_said(s, "attributes", "\"prefix\":\"lo\"",
		    "{\"attributes\":[{\"key\":\"load\",\"type\":\"u64\","
		    "\"value\":7}],\"total\":1}");
	assert_said(s, "attributes", "\"start\":3,\"count\":1",
		    "{\"attributes\":[{\"key\":\"fatal\",\"type\":\"bool\","
		    "\"value\":true}],\"total\":4}");
}

static void
numbers_that_javascript_rounds_are_text(void **state)
{
	static const struct snap_attr big[] = {
		{ .key = "a", .type = SNAP_ATTR_U64, .number = UINT64_MAX },
		{ .key = "b", .type = SNAP_ATTR_I64, .number = 1ull << 63 },
		{ .key = "c", .type = SNAP_ATTR_F64,
		  .number = 0x7ff8000000000000 },
	};
	struct spoken *s = *state;

	served_init(&s->served);
	s->served.target.attrs = big;
	s->served.target.n_attrs = countof(big);
	assert_ok(spoken_open(s, "", ""));
	assert_said(s, "attributes", "",
		    "{\"attributes\":[{\"key\":\"a\",\"type\":\"u64\","
		    "\"value\":\"18446744073709551615\"},{\"key\":\"b\","
		    "\"type\":\"i64\",\"value\":\"-9223372036854775808\"},"
		    "{\"key\":\"c\",\"type\":\"f64\",\"value\":null}],"
		    "\"total\":3}");
}

static void
a_long_text_is_cut_and_a_page_ends(void **state)
{
	enum { ROWS = 100, LENGTH = 100000 };
	static char text[LENGTH];
	static struct snap_attr rows[ROWS];
	struct spoken *s = *state;

	memset(text, 'x', LENGTH - 1);
	for (size_t k = 0; k < ROWS; k++)
		rows[k] = (struct snap_attr){ .key = "k", .string = text,
					      .type = SNAP_ATTR_STRING };
	served_init(&s->served);
	s->served.target.attrs = rows;
	s->served.target.n_attrs = ROWS;
	assert_ok(spoken_open(s, "", ""));
	assert_null(spoken_ask(s, "inquest/attributes", ""));
	const struct json *body = json_get(s->answer, "body");
	assert_int_equal(json_length(json_get(body, "attributes")), 16);
	assert_true(strlen(spoken_body(s)) < (3u << 20) / 2);
}

static void
notes_and_files_are_told(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	assert_said(s, "notes", "",
		    "{\"notes\":[{\"key\":\"null\",\"severity\":\"critical\","
		    "\"text\":\"a null pointer was read\",\"threadId\":4243,"
		    "\"frame\":0}],\"total\":1,\"missing\":[{\"what\":"
		    "\"input\",\"why\":\"the core is truncated\"},{\"what\":"
		    "\"input\",\"why\":\"/bin/served: no file with its id was "
		    "found; its functions have no names (it has no build-id)\"}"
		    ",{\"what\":\"memory\",\"of\":\"4.0 KiB\",\"why\":\"over "
		    "the limit of bytes\",\"mend\":\"capture it with a larger "
		    "--budget, or --memory full\"}]}");
	assert_said(s, "annotations", "",
		    "{\"annotations\":[{\"name\":\"src/b.c\",\"size\":7,"
		    "\"format\":\"text\",\"text\":\"int b;\\n\",\"cut\":false}"
		    "],\"total\":1}");
}

static void
files_of_json_say_so_and_bytes_are_not_shown(void **state)
{
	static const struct snap_blob files[] = {
		{ "a.json", { "{\"a\":1}", 7 } }, { "core", { "\0\1", 2 } },
		{ "empty", { "", 0 } },
	};
	struct spoken *s = *state;

	served_init(&s->served);
	s->served.target.files = files;
	s->served.target.n_files = countof(files);
	assert_ok(spoken_open(s, "", ""));
	assert_said(s, "annotations", "",
		    "{\"annotations\":[{\"name\":\"a.json\",\"size\":7,"
		    "\"format\":\"json\",\"text\":\"{\\\"a\\\":1}\",\"cut\":"
		    "false},{\"name\":\"core\",\"size\":2,\"format\":"
		    "\"binary\"},{\"name\":\"empty\",\"size\":0,\"format\":"
		    "\"text\",\"text\":\"\",\"cut\":false}],\"total\":3}");
}

/* ---- around the process -------------------------------------------------------------------- */
static void
descriptors_come_by_pages(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	assert_said(s, "fds", "\"start\":1,\"count\":2",
		    "{\"descriptors\":[{\"number\":3,\"flags\":\"02\","
		    "\"position\":\"0\",\"name\":\"socket:[17]\",\"detail\":"
		    "\"tcp6 [::1]:80 -> [::]:0 listen\"},{\"number\":4,"
		    "\"flags\":\"02\",\"position\":\"0\",\"name\":"
		    "\"socket:[18]\",\"detail\":\"unix stream listen /run/a "
		    "<b>\"}],\"total\":4,\"leftOut\":7}");
}

static void
what_was_not_captured_is_refused(void **state)
{
	struct spoken *s = *state;

	served_init(&s->served);
	s->served.target.n_texts = 0;
	assert_ok(spoken_open(s, "", ""));
	assert_refused(s, "fds", "", "notCaptured");
	assert_refused(s, "kernelStack", "\"threadId\":4242", "notCaptured");
	assert_refused(s, "kernelStack", "\"threadId\":1", "notFound");
	assert_said(s, "environment", "",
		    "{\"program\":\"/bin/served\",\"directory\":\"/srv\","
		    "\"pid\":4242,\"parent\":1,\"uid\":33,\"gid\":34,"
		    "\"commandLine\":\"served one two \",\"system\":{}}");
}

static void
a_kernel_stack_is_its_functions(void **state)
{
	struct spoken *s = *state;

	served_init(&s->served);
	s->served.threads[1].kernel_stack =
		"[<0>] futex_wait+0x64/0xe0\n[<0>] \033x\n";
	s->served.target.n_texts = 0;
	assert_ok(spoken_open(s, "", ""));
	assert_said(s, "kernelStack", "\"threadId\":4242",
		    "{\"threadId\":4242,\"state\":\"sleeping\",\"frames\":["
		    "\"futex_wait+0x64/0xe0\",\"\\\\x1bx\"]}");
}

static void
where_a_thread_waits_is_told_without_its_stack(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	assert_said(s, "kernelStack", "\"threadId\":4243",
		    "{\"threadId\":4243,\"state\":\"sleeping\",\"userMs\":"
		    "1,\"systemMs\":2,\"processor\":5,\"waitsIn\":"
		    "\"do_exit\"}");
	assert_said(s, "kernelStack", "\"threadId\":4244",
		    "{\"threadId\":4244,\"state\":\"sleeping\",\"userMs\":"
		    "1,\"systemMs\":2,\"waitsIn\":\"pipe_read\"}");
}

static void
an_environment_is_in_words(void **state)
{
	static const char limits[] =
		"Limit                     Soft Limit           Hard Limit   "
		"        Units     \n"
		"Max open files            1024                 unlimited    "
		"        files     \n"
		"Max nice priority         0                    0            "
		"                  \n";
	static const struct snap_blob texts[] = {
		{ "cmdline", { "a\0\0b c\0\0", 8 } },
		{ "environ", { "HOME=/\0A=b=c\0odd\0", 17 } },
		{ "limits", { limits, sizeof(limits) - 1 } },
		{ "system/uptime", { "1.5 2\n", 6 } },
	};
	struct spoken *s = *state;

	served_init(&s->served);
	s->served.target.texts = texts;
	s->served.target.n_texts = countof(texts);
	s->served.target.process.name = NULL;
	assert_ok(spoken_open(s, "", ""));
	assert_said(s, "environment", "",
		    "{\"program\":\"/bin/served\",\"directory\":\"/srv\","
		    "\"arguments\":[\"a\",\"\",\"b c\"],\"variables\":["
		    "{\"name\":\"HOME\",\"value\":\"/\"},{\"name\":\"A\","
		    "\"value\":\"b=c\"},{\"name\":\"odd\",\"value\":\"\"}],"
		    "\"limits\":[{\"name\":\"Max open files\",\"soft\":"
		    "\"1024\",\"hard\":\"unlimited\",\"unit\":\"files\"},"
		    "{\"name\":\"Max nice priority\",\"soft\":\"0\",\"hard\":"
		    "\"0\"}],\"system\":{\"uptime\":\"1.5 2\"}}");
}

/* ---- an address ---------------------------------------------------------------------------- */
static void
an_address_is_described(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	assert_said(s, "describeAddress", "\"address\":\"0x8010\"",
		    "{\"address\":\"0x8010\",\"region\":{\"start\":\"0x8000\","
		    "\"end\":\"0x9000\",\"state\":\"captured\","
		    "\"permissions\":\"r-xp\",\"name\":"
		    "\"/usr/lib/libx.so.1.2\",\"offset\":\"0x0\"},\"module\":"
		    "{\"id\":\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\","
		    "\"name\":\"libx.so.1.2\",\"offset\":\"0x10\"},\"text\":"
		    "\"libx.so.1.2+0x10\"}");
	assert_said(s, "describeAddress", "\"address\":\"0\"",
		    "{\"address\":\"0x0\",\"text\":\"not mapped\"}");
	assert_refused(s, "describeAddress", "", "badArgument");
}

/* Threads 4243, 4242, 4244 have sp at 0x2000, 0x2100, 0x2200 in one mapping. */
static void
a_stack_is_that_of_the_nearest_thread(void **state)
{
	static const struct { const char *address; int thread; } rows[] = {
		{ "\"0x2000\"", 4243 }, { "\"0x207f\"", 4243 },
		{ "\"0x2080\"", 4242 }, { "\"0x2100\"", 4242 },
		{ "\"0x2fff\"", 4244 },
	};
	struct spoken *s = *state;
	int64_t tid;

	assert_ok(spoken_open(s, "", ""));
	for (size_t k = 0; k < countof(rows); k++) {
		char text[64];

		snprintf(text, sizeof(text), "\"address\":%s", rows[k].address);
		assert_null(spoken_ask(s, "inquest/describeAddress", text));
		assert_true(json_to_i64(json_get(json_get(json_get(
			s->answer, "body"), "stack"), "threadId"), &tid));
		assert_int_equal(tid, rows[k].thread);
	}
}

/* ---- search -------------------------------------------------------------------------------- */
static size_t
found(struct spoken *s, const char *arguments, const char *first)
{
	assert_null(spoken_ask(s, "inquest/search", arguments));
	const struct json *hits = json_get(json_get(s->answer, "body"),
					   "hits");
	if (first)
		assert_string_equal(json_str(json_get(json_at(hits, 0),
						      "address")), first);
	return json_length(hits);
}

/* How often 4 bytes as at @addr are in what was captured. */
static size_t
expected(uint64_t addr)
{
	static const uint64_t ranges[][2] = {
		{ 0x1000, 0x3000 }, { 0x8000, 0x9000 },
	};
	size_t n = 0;

	for (size_t r = 0; r < countof(ranges); r++)
		for (uint64_t at = ranges[r][0]; at + 4 <= ranges[r][1]; at++) {
			bool same = true;

			for (uint64_t k = 0; k < 4; k++)
				same &= served_byte(at + k)
					== served_byte(addr + k);
			n += same;
		}
	return n;
}

static void
all_bytes_that_were_captured_are_found(void **state)
{
	struct spoken *s = *state;
	char text[160];

	assert_ok(spoken_open(s, "", ""));
	for (uint64_t addr = 0x1ff0; addr < 0x2010; addr++) {
		int n = snprintf(text, sizeof(text), "\"count\":1000,\"bytes\":"
				 "\"");
		for (uint64_t k = 0; k < 4; k++)
			n += snprintf(text + n, sizeof(text) - (size_t)n,
				      "%02X ", served_byte(addr + k));
		snprintf(text + n, sizeof(text) - (size_t)n, "\"");
		assert_int_equal(found(s, text, NULL), expected(addr));
	}
}

static void
hits_come_by_pages(void **state)
{
	struct spoken *s = *state;
	char text[160] = "\"bytes\":\"41\",\"count\":7";
	size_t all = 0;

	assert_ok(spoken_open(s, "", ""));
	size_t whole = found(s, "\"text\":\"A\",\"count\":1000", NULL);
	for (;;) {
		all += found(s, text, NULL);
		const char *next = json_str(json_get(json_get(
			s->answer, "body"), "next"));
		if (!next)
			break;
		snprintf(text, sizeof(text), "\"bytes\":\"41\",\"count\":7,"
			 "\"address\":\"%s\"", next);
	}
	assert_true(whole > 7);
	assert_int_equal(all, whole);
}

static void
a_hit_may_begin_in_zeros_and_end_behind_them(void **state)
{
	static const struct snap_memory memory[] = {
		{ .start = 0x1000, .length = 0x1000, .kind = SNAP_MEM_ZERO },
		{ .start = 0x2000, .length = 0x1000, .kind = SNAP_MEM_DATA },
		{ .start = 0x3000, .length = 0x1000, .kind = SNAP_MEM_ZERO },
	};
	struct spoken *s = *state;
	char text[64];

	served_init(&s->served);
	s->served.target.memory = memory;
	s->served.target.n_memory = countof(memory);
	assert_ok(spoken_open(s, "", ""));
	snprintf(text, sizeof(text), "\"bytes\":\"00 00 %02x\"",
		 served_byte(0x2000));
	assert_int_equal(found(s, text, "0x1ffe"), 1);
	snprintf(text, sizeof(text), "\"bytes\":\"%02x 0000\"",
		 served_byte(0x2fff));
	assert_int_equal(found(s, text, "0x2fff"), 1);
	assert_int_equal(found(s, "\"bytes\":\"00\",\"align\":4096", "0x1000"),
			 2 + (served_byte(0x2000) == 0));
}

static void
where_is_looked_is_said(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	assert_said(s, "search", "\"text\":\"not in there\"",
		    "{\"hits\":[],\"searched\":12288,\"absent\":4096}");
	assert_said(s, "search", "\"text\":\"not in there\",\"address\":"
		    "\"0x2800\",\"end\":\"0x8000\"",
		    "{\"hits\":[],\"searched\":2048,\"absent\":4096}");
}

static void
what_cannot_be_looked_for_is_refused(void **state)
{
	static const char *const wrong[] = {
		"", "\"text\":\"\"", "\"bytes\":\"\"", "\"bytes\":\"0\"",
		"\"bytes\":\"zz\"", "\"bytes\":\"00\",\"text\":\"a\"",
		"\"text\":7", "\"text\":\"a\",\"count\":0",
		"\"text\":\"a\",\"align\":0", "\"text\":\"a\",\"end\":\"x\"",
	};
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	for (size_t k = 0; k < countof(wrong); k++)
		assert_refused(s, "search", wrong[k], "badArgument");
}

static void
a_search_can_be_cancelled_and_there_is_one(void **state)
{
	struct spoken *s = *state;
	char text[64];

	assert_ok(spoken_open(s, "", ""));
	s->slow = true;
	spoken_ask(s, "inquest/search", "\"text\":\"not in there\"");
	assert_true(dap_busy(s->dap));
	snprintf(text, sizeof(text), "\"requestId\":%lld", s->seq);
	assert_string_equal(spoken_ask(s, "inquest/search", "\"text\":\"b\""),
			    "limit");
	assert_null(spoken_ask(s, "threads", ""));
	assert_null(spoken_ask(s, "cancel", text));
	assert_string_equal(spoken_work(s), "cancelled");
	assert_false(dap_busy(s->dap));
}

static void
what_is_under_way_at_the_end_is_cancelled(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	s->slow = true;
	spoken_ask(s, "inquest/search", "\"text\":\"not in there\"");
	assert_true(dap_busy(s->dap));
	assert_int_equal(s->responses, 3);
	assert_null(spoken_ask(s, "disconnect", ""));
	assert_int_equal(s->responses, 5);
	assert_true(dap_done(s->dap));
}

static void
progress_is_told_to_who_hears_it(void **state)
{
	static const struct snap_memory large = {
		.start = 0x100000, .length = 64u << 20, .kind = SNAP_MEM_DATA,
	};
	static const char *const hellos[] = {
		"", "\"supportsProgressReporting\":true",
	};
	struct spoken *s = *state;

	for (size_t k = 0; k < countof(hellos); k++) {
		if (k)
			spoken_close(s);
		*s = (struct spoken){ .seq = 0 };
		served_init(&s->served);
		s->served.target.memory = &large;
		s->served.target.n_memory = 1;
		assert_ok(spoken_open(s, hellos[k], ""));
		assert_null(spoken_ask(s, "inquest/search", "\"text\":"
				       "\"not in there\""));
		assert_int_equal(!!strstr(s->events.data, "progressStart "), k);
		assert_int_equal(!!strstr(s->events.data, "progressUpdate "), k);
		assert_int_equal(!!strstr(s->events.data, "progressEnd "), k);
	}
}

/* ---- links ---------------------------------------------------------------------------------- */
static struct err *
link_of(void *arg, uint64_t number, struct buf *out)
{
	(void)arg, (void)number;
	buf_puts(out, "http://host/p/demo/9d33");
	return NULL;
}

static void
a_link_names_thread_frame_and_variable(void **state)
{
	struct spoken *s = *state;

	s->host.link = link_of;
	assert_ok(spoken_open(s, "", ""));
	assert_said(s, "link", "", "{\"url\":\"http://host/p/demo/9d33\"}");
	assert_said(s, "link", "\"threadId\":4242",
		    "{\"url\":\"http://host/p/demo/9d33/t/4242\"}");
	assert_said(s, "link", "\"threadId\":4242,\"frame\":0,\"expression\":"
		    "\"n->a[1] + 'ü'\"",
		    "{\"url\":\"http://host/p/demo/9d33/t/4242/f/0/v/"
		    "n-%3Ea%5B1%5D%20%2B%20%27%C3%BC%27\"}");
	assert_null(spoken_ask(s, "stackTrace", "\"threadId\":4244"));
	assert_said(s, "link", "\"frameId\":1",
		    "{\"url\":\"http://host/p/demo/9d33/t/4242/f/0\"}");
	assert_refused(s, "link", "\"expression\":\"a\"", "badArgument");
	assert_refused(s, "link", "\"threadId\":4242,\"frame\":99", "notFound");
	assert_refused(s, "link", "\"frameId\":99", "notFound");
}

static void
without_a_server_there_is_no_link(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	assert_refused(s, "link", "", "notFound");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(maps_say_what_is_there_and_why_not),
		TEST(maps_come_by_pages),
		TEST(a_range_at_the_end_of_the_space_ends_there),
		TEST(attributes_have_types),
		TEST(numbers_that_javascript_rounds_are_text),
		TEST(a_long_text_is_cut_and_a_page_ends),
		TEST(notes_and_files_are_told),
		TEST(files_of_json_say_so_and_bytes_are_not_shown),
		TEST(descriptors_come_by_pages),
		TEST(what_was_not_captured_is_refused),
		TEST(a_kernel_stack_is_its_functions),
		TEST(where_a_thread_waits_is_told_without_its_stack),
		TEST(an_environment_is_in_words),
		TEST(an_address_is_described),
		TEST(a_stack_is_that_of_the_nearest_thread),
		TEST(all_bytes_that_were_captured_are_found),
		TEST(hits_come_by_pages),
		TEST(a_hit_may_begin_in_zeros_and_end_behind_them),
		TEST(where_is_looked_is_said),
		TEST(what_cannot_be_looked_for_is_refused),
		TEST(a_search_can_be_cancelled_and_there_is_one),
		TEST(what_is_under_way_at_the_end_is_cancelled),
		TEST(progress_is_told_to_who_hears_it),
		TEST(a_link_names_thread_frame_and_variable),
		TEST(without_a_server_there_is_no_link),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
