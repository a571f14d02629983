/* SPDX-License-Identifier: Apache-2.0 */
/*
 * readMemory and writeMemory: holes are holes, whatever lies beside them, and
 * what is written is there for who wrote it.
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

/* 0x1000 bytes, 0x3000 absent, 0x4000 nothing, 0x5000 zeros, 0x6000 nothing,
 * 0x8000 bytes, 0x9000 nothing. */

static int
setup(void **state)
{
	struct spoken *s = calloc(1, sizeof(*s));

	*state = s;
	if (!s)
		return -1;
	assert_ok(spoken_open(s, "", ""));
	return 0;
}

static int
teardown(void **state)
{
	spoken_close(*state);
	free(*state);
	return 0;
}

/** The request is answered by @body; the client is told of it like that. */
static void
assert_said(struct spoken *s, const char *command, const char *arguments,
	    const char *body)
{
	const char *word = spoken_ask(s, command, arguments);

	if (word)
		print_error("%s: %s\n", word, spoken_body(s));
	assert_null(word);
	assert_string_equal(spoken_body(s), body);
}

static void
assert_read(struct spoken *s, const char *arguments, const char *body)
{
	assert_said(s, "readMemory", arguments, body);
}

static void
assert_refused(struct spoken *s, const char *command, const char *arguments,
	       const char *word)
{
	const char *said = spoken_ask(s, command, arguments);

	assert_string_equal(said ? said : "nothing", word);
}

/** "address", and base64 of @n bytes of the target from there on. */
static const char *
body_of(uint64_t addr, size_t n, const char *rest)
{
	static char text[512];
	uint8_t bytes[64];
	_buf_ struct buf data = { 0 };

	for (size_t k = 0; k < n; k++)
		bytes[k] = served_byte(addr + k);
	buf_base64(&data, bytes, n);
	snprintf(text, sizeof(text), "{\"address\":\"0x%llx\"%s,\"data\":"
		 "\"%s\"}", (unsigned long long)addr, rest, data.data);
	return text;
}

static void
bytes_are_read(void **state)
{
	assert_read(*state, "\"memoryReference\":\"0x1000\",\"count\":5",
		    body_of(0x1000, 5, ""));
	assert_read(*state, "\"memoryReference\":\"4096\",\"offset\":4096,"
		    "\"count\":3", body_of(0x2000, 3, ""));
	assert_read(*state, "\"memoryReference\":\"0x1010\",\"offset\":-16,"
		    "\"count\":1", body_of(0x1000, 1, ""));
	assert_read(*state, "\"memoryReference\":\"0x5000\",\"count\":3",
		    "{\"address\":\"0x5000\",\"data\":\"AAAA\"}");
}

static void
nothing_may_be_asked_for(void **state)
{
	assert_read(*state, "\"memoryReference\":\"0x1000\",\"count\":0",
		    "{\"address\":\"0x1000\"}");
	assert_read(*state, "\"memoryReference\":\"0x0\",\"count\":0",
		    "{\"address\":\"0x0\"}");
}

static void
data_end_where_bytes_are_missing(void **state)
{
	assert_read(*state, "\"memoryReference\":\"0x2ffe\",\"count\":10",
		    body_of(0x2ffe, 2, ",\"unreadableBytes\":8"));
	assert_read(*state, "\"memoryReference\":\"0x8ffd\",\"count\":7",
		    body_of(0x8ffd, 3, ",\"unreadableBytes\":4"));
}

static void
holes_end_at_the_next_byte_or_the_request(void **state)
{
	assert_read(*state, "\"memoryReference\":\"0x3000\",\"count\":100",
		    "{\"address\":\"0x3000\",\"unreadableBytes\":100}");
	assert_read(*state, "\"memoryReference\":\"0x3000\",\"count\":65536",
		    "{\"address\":\"0x3000\",\"unreadableBytes\":8192}");
	assert_read(*state, "\"memoryReference\":\"0x2fff\",\"count\":65536",
		    body_of(0x2fff, 1, ",\"unreadableBytes\":8192"));
	assert_read(*state, "\"memoryReference\":\"0x9000\",\"count\":"
		    "9007199254740991", "{\"address\":\"0x9000\","
		    "\"unreadableBytes\":9007199254740991}");
}

static void
the_space_has_two_ends(void **state)
{
	assert_read(*state, "\"memoryReference\":\"0xffffffffffffffff\","
		    "\"count\":9", "{\"address\":\"0xffffffffffffffff\","
		    "\"unreadableBytes\":1}");
	assert_refused(*state, "readMemory", "\"memoryReference\":\"0x1\","
		       "\"offset\":-2,\"count\":1", "badArgument");
	assert_refused(*state, "readMemory", "\"memoryReference\":"
		       "\"0xffffffffffffffff\",\"offset\":1,\"count\":1",
		       "badArgument");
	assert_refused(*state, "readMemory", "\"memoryReference\":\"0x1\","
		       "\"offset\":-9223372036854775808,\"count\":1",
		       "badArgument");
}

static void
nonsense_is_refused(void **state)
{
	static const char *const arguments[] = {
		"", "\"count\":1", "\"memoryReference\":\"0x1000\"",
		"\"memoryReference\":\"here\",\"count\":1",
		"\"memoryReference\":4096,\"count\":1",
		"\"memoryReference\":\"0x1000\",\"count\":-1",
		"\"memoryReference\":\"0x1000\",\"count\":\"1\"",
		"\"memoryReference\":\"0x1000\",\"count\":1.5",
		"\"memoryReference\":\"0x10000000000000000\",\"count\":1",
	};

	for (size_t k = 0; k < countof(arguments); k++)
		assert_refused(*state, "readMemory", arguments[k],
			       "badArgument");
}

static void
a_mebibyte_is_the_most(void **state)
{
	static const struct snap_memory all = {
		.start = 0x1000, .length = 4 << 20, .kind = SNAP_MEM_ZERO,
	};
	struct spoken *s = *state;

	spoken_close(s);
	memset(s, 0, sizeof(*s));
	served_init(&s->served);
	s->served.target.memory = &all;
	s->served.target.n_memory = 1;
	assert_ok(spoken_open(s, "", ""));
	assert_null(spoken_ask(s, "readMemory", "\"memoryReference\":"
			       "\"0x1000\",\"count\":3145728"));
	assert_in_range(strlen(spoken_body(s)), (1 << 20) / 3 * 4,
			(1 << 20) / 3 * 4 + 100);
	assert_null(strstr(spoken_body(s), "unreadableBytes"));
}

static void
what_is_written_is_read(void **state)
{
	assert_said(*state, "writeMemory", "\"memoryReference\":\"0x1000\","
		    "\"data\":\"Zm9vYmFy\"", "{\"bytesWritten\":6}");
	assert_read(*state, "\"memoryReference\":\"0x1000\",\"count\":6",
		    "{\"address\":\"0x1000\",\"data\":\"Zm9vYmFy\"}");
	assert_said(*state, "writeMemory", "\"memoryReference\":\"0x1000\","
		    "\"data\":\"\"", "{\"bytesWritten\":0}");
}

static void
a_hole_may_be_written_to_where_it_is_mapped(void **state)
{
	assert_said(*state, "writeMemory", "\"memoryReference\":\"0x3800\","
		    "\"data\":\"Zm9v\"", "{\"bytesWritten\":3}");
	assert_read(*state, "\"memoryReference\":\"0x3800\",\"count\":6",
		    "{\"address\":\"0x3800\",\"unreadableBytes\":3,"
		    "\"data\":\"Zm9v\"}");
	assert_read(*state, "\"memoryReference\":\"0x3000\",\"count\":4096",
		    "{\"address\":\"0x3000\",\"unreadableBytes\":2048}");
}

static void
what_is_not_mapped_is_not_written(void **state)
{
	assert_refused(*state, "writeMemory", "\"memoryReference\":"
		       "\"0x3ffe\",\"data\":\"Zm9vYmFy\"", "notMapped");
	assert_read(*state, "\"memoryReference\":\"0x3ffe\",\"count\":2",
		    "{\"address\":\"0x3ffe\",\"unreadableBytes\":2}");
	assert_said(*state, "writeMemory", "\"memoryReference\":\"0x3ffe\","
		    "\"data\":\"Zm9vYmFy\",\"allowPartial\":true",
		    "{\"bytesWritten\":2}");
	assert_refused(*state, "writeMemory", "\"memoryReference\":"
		       "\"0x4000\",\"data\":\"Zm9v\",\"allowPartial\":true",
		       "notMapped");
	assert_refused(*state, "writeMemory", "\"memoryReference\":"
		       "\"0x1000\",\"data\":\"Zm9\"", "badArgument");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(bytes_are_read),
		TEST(nothing_may_be_asked_for),
		TEST(data_end_where_bytes_are_missing),
		TEST(holes_end_at_the_next_byte_or_the_request),
		TEST(the_space_has_two_ends),
		TEST(nonsense_is_refused),
		TEST(a_mebibyte_is_the_most),
		TEST(what_is_written_is_read),
		TEST(a_hole_may_be_written_to_where_it_is_mapped),
		TEST(what_is_not_mapped_is_not_written),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
