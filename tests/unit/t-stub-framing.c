/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of framing: what goes out comes back the same, whatever it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "gdbstub/framing.h"
#include "make-served.h"

/** Encode, check what must hold on the wire, decode apart from the stub. */
static void
assert_round_trip(const void *data, size_t n)
{
	_buf_ struct buf wire = { 0 }, back = { 0 };

	framing_put(&wire, data, n);
	assert_false(wire.failed);
	assert_null(memchr(wire.data + 1, '$', wire.len - 4));
	struct span bytes = { wire.data, wire.len };
	assert_true(served_decode(&bytes, &back));
	assert_int_equal(bytes.n, 0);
	assert_int_equal(back.len, n);
	assert_memory_equal(back.data ? back.data : "", n ? data : "", n);
}

static void
runs_of_every_length_come_back(void **state)
{
	char run[400];

	(void)state;
	memset(run, '0', sizeof(run));
	for (size_t n = 0; n <= sizeof(run); n++)
		assert_round_trip(run, n);
	run[200] = '1';
	for (size_t n = 0; n <= sizeof(run); n++)
		assert_round_trip(run, n);
}

/* Runs begin at every place of the words that are looked at in one step. */
static void
all_that_is_made_of_few_bytes_comes_back(void **state)
{
	static const char bytes[] = "00000001f*}";
	uint64_t chance = 88172645463325252u;
	char data[120];

	(void)state;
	for (unsigned turn = 0; turn < 20000; turn++) {
		size_t few = 2 + turn % (sizeof(bytes) - 2);

		for (size_t k = 0; k < sizeof(data); k++) {
			chance ^= chance << 13;
			chance ^= chance >> 7;
			chance ^= chance << 17;
			data[k] = bytes[(sizeof(bytes) - 2)
					- (chance >> 20) % few];
			/* Special bytes never stand bare in a payload. */
			if (data[k] == '*' || data[k] == '}')
				data[k] = '0';
		}
		assert_round_trip(data, turn % (sizeof(data) + 1));
	}
}

static void
zeros_are_short_on_the_wire(void **state)
{
	_buf_ struct buf wire = { 0 };
	char zeros[8192];

	(void)state;
	memset(zeros, '0', sizeof(zeros));
	framing_put(&wire, zeros, sizeof(zeros));
	assert_true(wire.len < sizeof(zeros) / 30);
}

static void
all_bytes_survive_escaping(void **state)
{
	char data[512];
	_buf_ struct buf escaped = { 0 };

	(void)state;
	for (size_t k = 0; k < sizeof(data); k++)
		data[k] = (char)k;
	assert_int_equal(framing_put_binary(&escaped, data, sizeof(data),
					    4096), sizeof(data));
	assert_round_trip(escaped.data, escaped.len);
	size_t n = escaped.len;
	assert_true(framing_unescape(escaped.data, &n));
	assert_int_equal(n, sizeof(data));
	assert_memory_equal(escaped.data, data, n);
}

static void
a_special_byte_is_escaped_wherever_it_stands(void **state)
{
	static const char special[] = { '#', '$', '*', '}' };
	char data[70];

	(void)state;
	for (size_t n = 0; n <= sizeof(data); n++)
		for (size_t at = 0; at < n; at++) {
			_buf_ struct buf b = { 0 };
			size_t length = n + 1;

			memset(data, 'a', sizeof(data));
			data[at] = special[(n + at) % sizeof(special)];
			assert_int_equal(framing_put_binary(&b, data, n, 1000),
					 n);
			assert_int_equal(b.len, length);
			assert_int_equal(framing_escaped(data, n), length);
			assert_int_equal(b.data[at], '}');
			assert_true(framing_unescape(b.data, &length));
			assert_int_equal(length, n);
			assert_memory_equal(b.data, data, n);
		}
}

static void
binary_data_never_ends_inside_an_escape(void **state)
{
	(void)state;
	for (size_t limit = 0; limit < 10; limit++) {
		_buf_ struct buf b = { 0 };
		size_t n = framing_put_binary(&b, "a#b#c#d", 7, limit);
		size_t left = b.len;

		assert_true(b.len <= limit);
		assert_true(n == 7 || b.len + 2 > limit);
		if (b.len)
			assert_true(framing_unescape(b.data, &left));
		assert_int_equal(b.len ? left : 0, n);
	}
}

static enum framing_event
push(struct framing *f, const char *text)
{
	enum framing_event event = FRAMING_NONE;

	for (; *text; text++)
		event = framing_push(f, (uint8_t)*text);
	return event;
}

static void
the_largest_packet_is_taken_and_a_larger_one_is_not(void **state)
{
	char data[9];
	struct framing f = { .data = data, .max = 8, .unchecked = true };

	(void)state;
	assert_int_equal(push(&f, "$12345678#00"), FRAMING_PACKET);
	assert_string_equal(data, "12345678");
	assert_int_equal(push(&f, "$123456789#00"), FRAMING_OVERSIZE);
	assert_int_equal(push(&f, "$1234567890123456789#00"),
			 FRAMING_OVERSIZE);
	assert_int_equal(push(&f, "$12#00"), FRAMING_PACKET);
	assert_string_equal(data, "12");
}

static void
a_packet_comes_in_pieces(void **state)
{
	char data[9];
	struct framing f = { .data = data, .max = 8 };

	(void)state;
	assert_int_equal(push(&f, "+$q"), FRAMING_NONE);
	assert_int_equal(push(&f, "C"), FRAMING_NONE);
	assert_int_equal(push(&f, "#b"), FRAMING_NONE);
	assert_int_equal(push(&f, "4"), FRAMING_PACKET);
	assert_string_equal(data, "qC");
}

static void
an_interrupt_between_packets_says_nothing(void **state)
{
	char data[9];
	struct framing f = { .data = data, .max = 8 };

	(void)state;
	assert_int_equal(push(&f, "\x03"), FRAMING_NONE);
	assert_int_equal(push(&f, "+"), FRAMING_ACK);
	assert_int_equal(push(&f, "-"), FRAMING_NACK);
	/* Inside one it is data, as in the memory that X writes. */
	assert_int_equal(push(&f, "$X\x03#5b"), FRAMING_PACKET);
	assert_string_equal(data, "X\x03");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_of_every_length_come_back),
		cmocka_unit_test(all_that_is_made_of_few_bytes_comes_back),
		cmocka_unit_test(zeros_are_short_on_the_wire),
		cmocka_unit_test(all_bytes_survive_escaping),
		cmocka_unit_test(a_special_byte_is_escaped_wherever_it_stands),
		cmocka_unit_test(binary_data_never_ends_inside_an_escape),
		cmocka_unit_test(
			the_largest_packet_is_taken_and_a_larger_one_is_not),
		cmocka_unit_test(a_packet_comes_in_pieces),
		cmocka_unit_test(an_interrupt_between_packets_says_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
