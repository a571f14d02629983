/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading ahead: what is made before it is asked for is what would have been
 * answered, and nobody sees it who asks for something else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assert-err.h"
#include "make-served.h"

#define PIECE 0x800u
#define START 0x1000u
#define END 0x3000u             /* of what is captured there */

static int
setup(void **state)
{
	struct served *s = malloc(sizeof(*s));

	served_init(s);
	assert_ok(served_open(s, NULL));
	assert_non_null(served_ask(s, "QStartNoAckMode"));
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

/* The bytes of @s->out of a read, by a copy of what the stub said. */
static char *
read_at(struct served *s, char kind, uint64_t addr, size_t n)
{
	char packet[64];

	snprintf(packet, sizeof(packet), "%c%llx,%zx", kind,
		 (unsigned long long)addr, n);
	assert_non_null(served_ask(s, packet));
	return strndup(s->out.data, s->out.len);
}

static void
read_on(struct served *s, char kind, uint64_t addr)
{
	free(read_at(s, kind, addr - 2 * PIECE, PIECE));
	assert_false(stub_reads_on(s->stub));
	free(read_at(s, kind, addr - PIECE, PIECE));
	assert_true(stub_reads_on(s->stub));
	stub_ahead(s->stub);
	assert_false(stub_reads_on(s->stub));
}

static void
same_both_ways(struct served *s, char kind)
{
	const uint64_t at = START + 2 * PIECE;
	_free_ char *plain = read_at(s, kind, at, PIECE);

	read_on(s, kind, at);
	_free_ char *ahead = read_at(s, kind, at, PIECE);
	assert_string_equal(ahead, plain);
	/* And so it goes on. */
	assert_true(stub_reads_on(s->stub));
	stub_ahead(s->stub);
	_free_ char *more = read_at(s, kind, at + PIECE, PIECE);
	assert_non_null(served_ask(s, "qC"));
	_free_ char *again = read_at(s, kind, at + PIECE, PIECE);
	assert_string_equal(more, again);
}

static void
an_answer_made_before_is_what_it_would_be(void **state)
{
	same_both_ways(*state, 'm');
	same_both_ways(*state, 'x');
}

static void
another_question_gets_its_own_answer(void **state)
{
	struct served *s = *state;

	read_on(s, 'm', START + 2 * PIECE);
	assert_non_null(served_ask(s, "qC"));
	assert_string_equal(s->reply.data, "QC1093");
	read_on(s, 'm', START + 2 * PIECE);
	char want[16];
	int n = 0;

	free(read_at(s, 'm', START + 2 * PIECE, 4));
	for (unsigned k = 0; k < 4; k++)
		n += snprintf(want + n, sizeof(want) - (size_t)n, "%02x",
			      served_byte(START + 2 * PIECE + k));
	assert_string_equal(s->reply.data, want);
}

static void
what_is_written_meanwhile_is_read(void **state)
{
	struct served *s = *state;
	const uint64_t at = START + 2 * PIECE;

	read_on(s, 'm', at);
	assert_non_null(served_ask(s, "M2000,2:abcd"));
	assert_string_equal(s->reply.data, "OK");
	_free_ char *read = read_at(s, 'm', at, PIECE);
	assert_memory_equal(s->reply.data, "abcd", 4);
	/* What was written before is in what is made, too. */
	read_on(s, 'm', at);
	_free_ char *ahead = read_at(s, 'm', at, PIECE);
	assert_string_equal(ahead, read);
}

static void
a_client_that_begins_at_whole_words_is_understood(void **state)
{
	struct served *s = *state;

	free(read_at(s, 'm', START, PIECE + 5));
	free(read_at(s, 'm', START + PIECE, PIECE + 5));
	assert_true(stub_reads_on(s->stub));
	stub_ahead(s->stub);
	free(read_at(s, 'm', START + 2 * PIECE, PIECE + 5));
	assert_true(stub_reads_on(s->stub));
}

static void
who_never_asks_for_it_is_let_be(void **state)
{
	struct served *s = *state;
	unsigned made = 0;

	for (unsigned k = 0; k < 100; k++) {
		free(read_at(s, 'm', START, PIECE));
		free(read_at(s, 'm', START + PIECE, PIECE));
		made += stub_reads_on(s->stub);
		stub_ahead(s->stub);
	}
	assert_in_range(made, 1, 20);
}

static void
small_pieces_and_unlike_ones_are_not_followed(void **state)
{
	struct served *s = *state;

	for (uint64_t at = START; at < END; at += 64) {
		free(read_at(s, 'm', at, 64));
		assert_false(stub_reads_on(s->stub));
	}
	free(read_at(s, 'm', START, PIECE));
	free(read_at(s, 'x', START + PIECE, PIECE));
	assert_false(stub_reads_on(s->stub));
}

static void
beyond_what_is_captured_nothing_is_made(void **state)
{
	struct served *s = *state;

	read_on(s, 'm', END);
	free(read_at(s, 'm', END, PIECE));
	assert_string_equal(s->reply.data, "E14");
	assert_non_null(served_ask(s, "qC"));
	assert_string_equal(s->reply.data, "QC1093");
}

static void
who_acknowledges_is_answered_when_it_asks(void **state)
{
	struct served s;

	(void)state;
	served_init(&s);
	assert_ok(served_open(&s, NULL));
	free(read_at(&s, 'm', START, PIECE));
	free(read_at(&s, 'm', START + PIECE, PIECE));
	assert_false(stub_reads_on(s.stub));
	served_close(&s);
}

static void
an_answer_that_does_not_fit_ends_at_a_whole_word(void **state)
{
	const struct stub_options small = { .packet_size = 1 };
	struct served s;

	(void)state;
	served_init(&s);
	assert_ok(served_open(&s, &small));
	for (uint64_t at = START; at < START + 16; at++) {
		size_t n = 0;

		free(read_at(&s, 'x', at, END - START));
		assert_in_range(s.reply.len, 8000, 8192);
		for (size_t k = 1; k < s.reply.len; k++, n++)
			k += s.reply.data[k] == '}';
		assert_in_range(at + n, START, END - 8);
		assert_int_equal((at + n) % 8, 0);
	}
	served_close(&s);
}

#define IN(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN(an_answer_made_before_is_what_it_would_be),
		IN(another_question_gets_its_own_answer),
		IN(what_is_written_meanwhile_is_read),
		IN(a_client_that_begins_at_whole_words_is_understood),
		IN(who_never_asks_for_it_is_let_be),
		IN(small_pieces_and_unlike_ones_are_not_followed),
		IN(beyond_what_is_captured_nothing_is_made),
		cmocka_unit_test(who_acknowledges_is_answered_when_it_asks),
		cmocka_unit_test(
			an_answer_that_does_not_fit_ends_at_a_whole_word),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
