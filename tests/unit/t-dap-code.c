/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client of the Debug Adapter Protocol sees of code: instructions, modules,
 * sources and places in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assert-err.h"
#include "dap/impl.h"
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

/* ---- disassemble -------------------------------------------------------------- */
static size_t
disassembled(struct spoken *s, const char *arguments)
{
	assert_null(spoken_ask(s, "disassemble", arguments));
	return json_length(json_get(json_get(s->answer, "body"),
				    "instructions"));
}

static const char *
of_row(const struct spoken *s, size_t n, const char *key)
{
	return json_str(json_get(json_at(json_get(json_get(
			s->answer, "body"), "instructions"), n), key));
}

static void
a_list_has_as_many_entries_as_asked_for(void **state)
{
	static const char *const where[] = {
		"\"0x1000\"", "\"0x0\"", "\"0x2ffe\"", "\"0x3000\"",
		"\"0x4800\"", "\"0xffffffffffffffff\"", "\"4096\"",
	};
	static const struct { int offset; size_t n; } asks[] = {
		{ 0, 0 }, { 0, 1 }, { -5, 10 }, { -10, 5 }, { 7, 9 },
		{ -4096, 4096 }, { 4000, 4096 }, { -9000, 17 }, { 9000, 17 },
	};
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	for (size_t k = 0; k < countof(where); k++)
		for (size_t n = 0; n < countof(asks); n++) {
			char text[160];

			snprintf(text, sizeof(text), "\"memoryReference\":%s,"
				 "\"instructionOffset\":%d,"
				 "\"instructionCount\":%zu,\"resolveSymbols\":"
				 "true", where[k], asks[n].offset, asks[n].n);
			assert_int_equal(disassembled(s, text), asks[n].n);
		}
}

static void
what_is_no_instruction_says_why(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	disassembled(s, "\"memoryReference\":\"0x3000\",\"instructionCount\":2");
	assert_string_equal(of_row(s, 0, "address"), "0x3000");
	assert_string_equal(of_row(s, 0, "presentationHint"), "invalid");
	assert_string_equal(of_row(s, 0, "instruction"),
			    "(not captured: over the limit of bytes)");
	assert_string_equal(of_row(s, 1, "instruction"), "(no memory is there)");
}

static void
an_entry_has_its_bytes(void **state)
{
	struct spoken *s = *state;
	char bytes[8];

	assert_ok(spoken_open(s, "", ""));
	disassembled(s, "\"memoryReference\":\"0x1000\",\"offset\":16,"
		     "\"instructionCount\":1");
	assert_string_equal(of_row(s, 0, "address"), "0x1010");
	snprintf(bytes, sizeof(bytes), "%02x", served_byte(0x1010));
	assert_memory_equal(of_row(s, 0, "instructionBytes"), bytes, 2);
	assert_null(of_row(s, 0, "presentationHint"));
}

static void
what_cannot_be_listed_is_refused(void **state)
{
	static const char *const wrong[] = {
		"", "\"memoryReference\":\"0x10\"",
		"\"memoryReference\":\"0x10\",\"instructionCount\":-1",
		"\"memoryReference\":\"0x10\",\"instructionCount\":4097",
		"\"memoryReference\":\"main\",\"instructionCount\":1",
		"\"memoryReference\":16,\"instructionCount\":1",
		"\"memoryReference\":\"0x10\",\"offset\":-17,"
		"\"instructionCount\":1",
		"\"memoryReference\":\"0xffffffffffffffff\",\"offset\":1,"
		"\"instructionCount\":1",
		"\"memoryReference\":\"0x10\",\"instructionOffset\":1e300,"
		"\"instructionCount\":1",
	};
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	for (size_t k = 0; k < countof(wrong); k++)
		assert_string_equal(spoken_ask(s, "disassemble", wrong[k]),
				    "badArgument");
}

/* ---- modules ------------------------------------------------------------------- */
static void
modules_are_known_by_their_build_ids(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	assert_null(spoken_ask(s, "modules", "\"moduleCount\":2"));
	assert_string_equal(
		spoken_body(s),
		"{\"modules\":[{\"id\":1,\"name\":\"served\",\"path\":"
		"\"/bin/served\",\"symbolStatus\":\"its file is not here, and "
		"it has no build-id to fetch it by\",\"addressRange\":"
		"\"0x1000-0x3000\"},{\"id\":\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
		"bbbbbbbb\",\"name\":\"libx.so.1.2\",\"path\":"
		"\"/usr/lib/libx.so.1.2\",\"symbolStatus\":\"symbols "
		"are read when they are needed\",\"addressRange\":\"0x8000-0x9000\",\"buildId\":"
		"\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"}],"
		"\"totalModules\":3}");
}

static void
to_list_modules_looks_for_none_of_their_files(void **state)
{
	struct spoken *s = *state;
	static const char status[] =
		"only what was captured of the file is here: fetch it by its "
		"build-id";

	assert_ok(spoken_open(s, "", ""));
	assert_null(spoken_ask(s, "modules", ""));
	assert_null(spoken_ask(s, "threads", ""));
	assert_null(strstr(s->events.data, "module "));
	assert_null(spoken_ask(s, "inquest/describeAddress",
			       "\"address\":\"0x8010\""));
	assert_non_null(strstr(s->events.data, "module "));
	assert_null(spoken_ask(s, "modules", "\"startModule\":1"));
	assert_string_equal(json_str(json_get(json_at(json_get(json_get(
			s->answer, "body"), "modules"), 0), "symbolStatus")),
			    status);
}

static void
modules_come_by_pages(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	assert_null(spoken_ask(s, "modules", "\"startModule\":2"));
	const struct json *list = json_get(json_get(s->answer, "body"),
					   "modules");
	assert_int_equal(json_length(list), 1);
	assert_string_equal(json_str(json_get(json_at(list, 0), "name")),
			    "<\\x1b]0;evil>.so");
	assert_null(spoken_ask(s, "modules", "\"startModule\":9"));
	assert_string_equal(spoken_body(s),
			    "{\"modules\":[],\"totalModules\":3}");
	assert_string_equal(spoken_ask(s, "modules", "\"startModule\":-1"),
			    "badArgument");
}

/* ---- sources -------------------------------------------------------------------- */
/* Takes @j. */
static void
assert_json(struct json *j, const char *text)
{
	_buf_ struct buf out = { 0 };

	assert_ok(json_write(j, false, &out));
	json_free(j);
	out.data[out.len - 1] = '\0';
	assert_string_equal(out.data, text);
}

static void
a_text_of_the_build_has_a_reference(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	assert_json(sources_source(s->dap, 1, "/app/a.c"),
		    "{\"name\":\"a.c\",\"path\":\"/app/a.c\","
		    "\"sourceReference\":1}");
	assert_json(sources_source(s->dap, 0, "/build/src/b.c"),
		    "{\"name\":\"b.c\",\"path\":\"/build/src/b.c\","
		    "\"sourceReference\":2}");
	assert_json(sources_source(s->dap, 1, "/app/a.c"),
		    "{\"name\":\"a.c\",\"path\":\"/app/a.c\","
		    "\"sourceReference\":1}");
	assert_null(spoken_ask(s, "source", "\"sourceReference\":1"));
	assert_string_equal(spoken_body(s), "{\"content\":\"int a;\\n\"}");
	assert_null(spoken_ask(s, "source", "\"sourceReference\":0,"
			       "\"source\":{\"sourceReference\":2}"));
	assert_string_equal(spoken_body(s), "{\"content\":\"int b;\\n\"}");
}

static void
all_else_is_a_path_and_the_clients_matter(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	assert_json(sources_source(s->dap, 1, "/etc/passwd"),
		    "{\"name\":\"passwd\",\"path\":\"/etc/passwd\"}");
	assert_string_equal(spoken_ask(s, "source", "\"sourceReference\":1"),
			    "notFound");
	assert_string_equal(spoken_ask(s, "source", "\"sourceReference\":0,"
				       "\"source\":{\"path\":\"/etc/passwd\"}"),
			    "badArgument");
}

static void
a_mapped_path_is_the_clients_own(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "\"pathFormat\":\"uri\"", "\"sourceMap\":["
			      "[\"/\",\"/wrong/\"],[\"/app\",\"/home/a b\"]]"));
	assert_json(sources_source(s->dap, 1, "/app/a.c"),
		    "{\"name\":\"a.c\",\"path\":\"file:///home/a%20b/a.c\"}");
	assert_json(sources_source(s->dap, 1, "/apple/a.c"),
		    "{\"name\":\"a.c\",\"path\":\"file:///wrong/apple/a.c\"}");
}

static void
a_reference_outlives_a_stop(void **state)
{
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	json_free(sources_source(s->dap, 1, "/app/a.c"));
	assert_ok(session_begin_stop(s->dap));
	assert_null(spoken_ask(s, "source", "\"sourceReference\":1"));
}

static void
of_another_snapshot_it_is_no_other_source(void **state)
{
	const struct source_place place = { 1, "/x.c", 7, 3 };
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	json_free(sources_source(s->dap, 1, "/app/a.c"));
	assert_int_equal(locations_add(s->dap, &place), 1);
	session_end_stop(s->dap);
	session_close(s->dap);
	s->dap->shown.insp = s->served.insp;
	assert_ok(session_begin_stop(s->dap));
	assert_json(sources_source(s->dap, 0, "/build/src/b.c"),
		    "{\"name\":\"b.c\",\"path\":\"/build/src/b.c\","
		    "\"sourceReference\":2}");
	assert_int_equal(locations_add(s->dap, &place), 2);
	assert_string_equal(spoken_ask(s, "source", "\"sourceReference\":1"),
			    "notFound");
	assert_string_equal(spoken_ask(s, "locations",
				       "\"locationReference\":1"), "notFound");
	assert_null(spoken_ask(s, "source", "\"sourceReference\":2"));
}

static void
columns_are_counted_in_utf16(void **state)
{
	/* a, u with dots (2 bytes, 1 unit), a clef (4 bytes, 2 units), b */
	static const char text[] = "plain\na\xc3\xbc\xf0\x9d\x84\x9e" "b\n";
	static const struct { uint32_t line, column, units; } rows[] = {
		{ 1, 3, 3 }, { 2, 0, 0 }, { 2, 1, 1 }, { 2, 2, 2 }, { 2, 4, 3 },
		{ 2, 8, 5 }, { 2, 9, 6 }, { 2, 10, 10 }, { 3, 2, 2 },
		{ 9, 3, 3 }, { 0, 3, 3 },
	};
	_source_ struct source *source = NULL;
	uint8_t how = 0;

	(void)state;
	assert_ok(source_mem(text, sizeof(text) - 1, "text", &source));
	for (size_t k = 0; k < countof(rows); k++)
		assert_int_equal(columns_units(source, &how, rows[k].line,
					       rows[k].column), rows[k].units);
}

/* ---- locations -------------------------------------------------------------------- */
static void
the_same_place_has_the_same_reference(void **state)
{
	const struct source_place a = { 1, "/x.c", 7, 3 }, b = { 1, "/x.c", 8, 0 };
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "\"linesStartAt1\":false,"
			      "\"columnsStartAt1\":false", ""));
	assert_int_equal(locations_add(s->dap, &a), 1);
	assert_int_equal(locations_add(s->dap, &b), 2);
	assert_int_equal(locations_add(s->dap, &a), 1);
	assert_null(spoken_ask(s, "locations", "\"locationReference\":1"));
	assert_string_equal(spoken_body(s), "{\"source\":{\"name\":\"x.c\","
			    "\"path\":\"/x.c\"},\"line\":6,\"column\":2}");
	assert_null(spoken_ask(s, "locations", "\"locationReference\":2"));
	assert_string_equal(spoken_body(s), "{\"source\":{\"name\":\"x.c\","
			    "\"path\":\"/x.c\"},\"line\":7}");
	assert_string_equal(spoken_ask(s, "locations",
				       "\"locationReference\":3"), "notFound");
}

static void
what_has_no_place_has_no_reference(void **state)
{
	const struct source_place none[] = {
		{ 1, NULL, 7, 0 }, { 1, "", 7, 0 }, { 1, "/x.c", 0, 0 },
	};
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	for (size_t k = 0; k < countof(none); k++)
		assert_int_equal(locations_add(s->dap, &none[k]), 0);
}

static void
places_end_somewhere(void **state)
{
	struct source_place p = { 1, "/x.c", 1, 0 };
	struct spoken *s = *state;

	assert_ok(spoken_open(s, "", ""));
	for (; p.line <= 65536; p.line++)
		assert_int_equal(locations_add(s->dap, &p), p.line);
	assert_int_equal(locations_add(s->dap, &p), 0);
	p.line = 17;
	assert_int_equal(locations_add(s->dap, &p), 17);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_list_has_as_many_entries_as_asked_for),
		TEST(what_is_no_instruction_says_why),
		TEST(an_entry_has_its_bytes),
		TEST(what_cannot_be_listed_is_refused),
		TEST(modules_are_known_by_their_build_ids),
		TEST(to_list_modules_looks_for_none_of_their_files),
		TEST(modules_come_by_pages),
		TEST(a_text_of_the_build_has_a_reference),
		TEST(all_else_is_a_path_and_the_clients_matter),
		TEST(a_mapped_path_is_the_clients_own),
		TEST(a_reference_outlives_a_stop),
		TEST(of_another_snapshot_it_is_no_other_source),
		TEST(columns_are_counted_in_utf16),
		TEST(the_same_place_has_the_same_reference),
		TEST(what_has_no_place_has_no_reference),
		TEST(places_end_somewhere),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
