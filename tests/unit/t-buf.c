/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of output buffers and of the escaping of foreign text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "assert-err.h"

static void
a_zeroed_buffer_is_empty_and_fine(void **state)
{
	_buf_ struct buf b = { 0 };

	(void)state;
	assert_ok(buf_err(&b));
	assert_int_equal(b.len, 0);
	buf_put(&b, NULL, 0);
	assert_string_equal(b.data, "");
}

static void
puts_of_all_sorts_follow_each_other(void **state)
{
	_buf_ struct buf b = { 0 };

	(void)state;
	buf_put(&b, "ab\0", 3);
	buf_puts(&b, "cd");
	buf_putc(&b, 'e');
	buf_zero(&b, 2);
	buf_printf(&b, "%d%s", -5, "f");
	buf_hex(&b, "\x00\xaf\x7f", 3);
	assert_ok(buf_err(&b));
	assert_int_equal(b.len, 17);
	assert_memory_equal(b.data, "ab\0cde\0\0-5f00af7f", 18);
}

static void
integers_are_little_endian(void **state)
{
	_buf_ struct buf b = { 0 };

	(void)state;
	buf_u16(&b, 0x0102);
	buf_u32(&b, 0x03040506);
	buf_u64(&b, 0x0708090a0b0c0d0e);
	assert_int_equal(b.len, 14);
	assert_memory_equal(b.data, "\x02\x01\x06\x05\x04\x03"
			    "\x0e\x0d\x0c\x0b\x0a\x09\x08\x07", 14);
}

static void
growth_keeps_every_byte_and_the_final_nul(void **state)
{
	_buf_ struct buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < 100000; i++) {
		buf_putc(&b, (char)(i % 251));
		assert_int_equal(b.data[b.len], 0);
	}
	assert_int_equal(b.len, 100000);
	for (size_t i = 0; i < b.len; i++)
		if ((uint8_t)b.data[i] != i % 251)
			fail();
}

static void
the_maximum_is_exact_sticky_and_told(void **state)
{
	_buf_ struct buf b = { .max = 4 };

	(void)state;
	buf_puts(&b, "abcd");
	assert_ok(buf_err(&b));
	buf_putc(&b, 'e');
	assert_err(buf_err(&b), ERR_LIMIT, "more than 4 bytes");
	assert_string_equal(b.data, "abcd");
	buf_reset(&b);
	assert_ok(buf_err(&b));
	buf_puts(&b, "ab");
	buf_puts(&b, "cde");
	/* Would fit, but comes after a failure. */
	buf_putc(&b, 'c');
	assert_string_equal(b.data, "ab");
}

static void
a_length_that_overflows_is_no_memory(void **state)
{
	_buf_ struct buf b = { 0 };
	_buf_ struct buf hex = { 0 };

	(void)state;
	buf_putc(&b, 'x');
	buf_zero(&b, SIZE_MAX);
	assert_err(buf_err(&b), ERR_NOMEM, "memory");
	buf_hex(&hex, "", SIZE_MAX / 2 + 1);
	assert_err(buf_err(&hex), ERR_NOMEM, "memory");
}

typedef void escaper(struct buf *b, const char *s, size_t n);

static void
check_escape(escaper *fn, const char *s, size_t n, const char *expected)
{
	_buf_ struct buf b = { 0 };

	fn(&b, s, n);
	assert_ok(buf_err(&b));
	assert_string_equal(b.data, expected);
}

#define assert_escape(fn, literal, expected) \
	check_escape(fn, literal, sizeof(literal) - 1, expected)

static void
controls_and_backslash_are_escaped(void **state)
{
	(void)state;
	assert_escape(buf_escape, "", "");
	assert_escape(buf_escape, "plain ~", "plain ~");
	assert_escape(buf_escape, "a\0b\n\x1b\x7f", "a\\x00b\\x0a\\x1b\\x7f");
	assert_escape(buf_escape, "c:\\x", "c:\\\\x");
	assert_escape(buf_escape, "\xc2\x9b", "\\xc2\\x9b");
	assert_escape(buf_escape, "\xc2\xa0", "\xc2\xa0");
}

static void
valid_utf8_passes_to_its_last_character(void **state)
{
	(void)state;
	assert_escape(buf_escape, "\xc3\xa9\xe2\x82\xac", "\xc3\xa9\xe2\x82\xac");
	assert_escape(buf_escape, "\xed\x9f\xbf", "\xed\x9f\xbf");
	assert_escape(buf_escape, "\xef\xbf\xbd", "\xef\xbf\xbd");
	assert_escape(buf_escape, "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf");
}

static void
what_turns_text_around_is_escaped(void **state)
{
	(void)state;
	assert_escape(buf_escape, "a\xe2\x80\xae" "b", "a\\xe2\\x80\\xaeb");
	assert_escape(buf_escape, "\xd8\x9c", "\\xd8\\x9c");
	assert_escape(buf_escape, "\xe2\x80\x8e", "\\xe2\\x80\\x8e");
	assert_escape(buf_escape, "\xe2\x80\xa8", "\\xe2\\x80\\xa8");
	assert_escape(buf_escape, "\xe2\x81\xa9", "\\xe2\\x81\\xa9");
	/* Their neighbours, and letters that are written so. */
	assert_escape(buf_escape, "\xe2\x80\x8d\xe2\x80\xaf\xe2\x81\xaa",
		      "\xe2\x80\x8d\xe2\x80\xaf\xe2\x81\xaa");
	assert_escape(buf_escape, "\xd7\x90\xd8\xa7", "\xd7\x90\xd8\xa7");
}

static void
invalid_utf8_is_escaped_byte_by_byte(void **state)
{
	(void)state;
	assert_escape(buf_escape, "\x80", "\\x80");
	assert_escape(buf_escape, "\xc0\xaf", "\\xc0\\xaf");
	assert_escape(buf_escape, "\xe0\x9f\xbf", "\\xe0\\x9f\\xbf");
	assert_escape(buf_escape, "\xed\xa0\x80", "\\xed\\xa0\\x80");
	assert_escape(buf_escape, "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
	assert_escape(buf_escape, "\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf");
	assert_escape(buf_escape, "\xe2\x82", "\\xe2\\x82");
	assert_escape(buf_escape, "\xe2\x82x", "\\xe2\\x82x");
	assert_escape(buf_escape, "\xef\xbf\xbf", "\\xef\\xbf\\xbf");
	assert_escape(buf_escape, "\xff", "\\xff");
}

static void
a_character_cut_by_the_length_is_not_read_on(void **state)
{
	(void)state;
	check_escape(buf_escape, "\xe2\x82\xac", 2, "\\xe2\\x82");
	check_escape(buf_escape, "\xc3\xa9", 1, "\\xc3");
}

static void
xml_has_its_five_entities_besides(void **state)
{
	(void)state;
	assert_escape(buf_xml, "<a b='\"&'>\x01\\",
		      "&lt;a b=&apos;&quot;&amp;&apos;&gt;\\x01\\\\");
	assert_escape(buf_xml, "\xc3\xa9", "\xc3\xa9");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zeroed_buffer_is_empty_and_fine),
		cmocka_unit_test(puts_of_all_sorts_follow_each_other),
		cmocka_unit_test(integers_are_little_endian),
		cmocka_unit_test(growth_keeps_every_byte_and_the_final_nul),
		cmocka_unit_test(the_maximum_is_exact_sticky_and_told),
		cmocka_unit_test(a_length_that_overflows_is_no_memory),
		cmocka_unit_test(controls_and_backslash_are_escaped),
		cmocka_unit_test(valid_utf8_passes_to_its_last_character),
		cmocka_unit_test(what_turns_text_around_is_escaped),
		cmocka_unit_test(invalid_utf8_is_escaped_byte_by_byte),
		cmocka_unit_test(a_character_cut_by_the_length_is_not_read_on),
		cmocka_unit_test(xml_has_its_five_entities_besides),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
