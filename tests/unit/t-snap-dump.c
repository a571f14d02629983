/* SPDX-License-Identifier: Apache-2.0 */
/* The canonical text of a snapshot; FORMAT.md, "Canonical text". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tests/unit/assert-err.h"
#include "tests/unit/snap-sample.h"

static void
dump_sample(enum sample_size size, struct buf *out)
{
	_buf_ struct buf bytes = { 0 };
	_source_ struct source *src = NULL;
	_snap_ struct snap *s = NULL;

	assert_ok(sample_make(size, &bytes));
	assert_ok(source_mem(bytes.data, bytes.len, "sample", &src));
	assert_ok(snap_open(src, &s));
	assert_ok(snap_dump(s, out));
}

static void
assert_line(const struct buf *text, const char *line)
{
	const char *at = strstr(text->data, line);

	if (!at) {
		fail_msg("no line %s in\n%s", line, text->data);
		return;
	}
	assert_true(at == text->data || at[-1] == '\n');
	assert_int_equal(at[strlen(line)], '\n');
}

static void
each_record_is_a_line(void **state)
{
	_buf_ struct buf text = { 0 };

	(void)state;
	dump_sample(SAMPLE_SMALL, &text);
	assert_line(&text, "snapshot version=1.1");
	assert_line(&text, "map start=0x401000 end=0x402000 perm=0x5 "
		    "offset=0x1000 device=0xfd01 inode=99 "
		    "path=\"/usr/bin/say\"");
	assert_line(&text, "note severity=critical key=\"null\" "
		    "text=\"reads through NULL\" tid=7 depth=-1 "
		    "address=0x10");
	assert_line(&text, "attribute key=\"depth\" type=i64 "
		    "number=0xfffffffffffffffd");
}

static void
lists_are_indented_lines(void **state)
{
	_buf_ struct buf text = { 0 };

	(void)state;
	dump_sample(SAMPLE_SMALL, &text);
	assert_line(&text, "  name name=\"./say\"");
	assert_line(&text, "  extent offset=0x0 bytes=4:7f454c46");
}

static void
memory_is_shown_by_kind(void **state)
{
	_buf_ struct buf text = { 0 };

	(void)state;
	dump_sample(SAMPLE_SMALL, &text);
	assert_line(&text, "memory start=0x10f80 length=0x100 kind=data "
		    "flags=0x0 bytes=256:xxh128:"
		    "5a679175ef1bffd85e15973024ebc643");
	assert_line(&text, "memory start=0x20000 length=0x4000 kind=zero "
		    "flags=0x0");
	assert_line(&text, "memory start=0x400000 length=0x1000 kind=file "
		    "flags=0x1 ref=0 offset=0x2000");
	assert_line(&text, "memory start=0x500000 length=0x1000 kind=absent "
		    "flags=0x0 reason=budget");
}

static void
foreign_strings_are_escaped(void **state)
{
	_buf_ struct buf text = { 0 };

	(void)state;
	dump_sample(SAMPLE_SMALL, &text);
	assert_non_null(strstr(text.data, " name=\"say \\\"hi\\\"\\x0a\" "));
	assert_non_null(strstr(text.data,
			       " arguments=\"say --loud \xc3\xa4\\xff\"\n"));
}

static void
long_bytes_are_shown_as_size_and_hash(void **state)
{
	_buf_ struct buf text = { 0 };

	(void)state;
	dump_sample(SAMPLE_LARGE, &text);
	assert_line(&text, "text name=\"status\" bytes=20000:xxh128:"
		    "4417b3bb4abd0a97745d2f05b33bfb23");
}

static void
equal_snapshots_have_equal_text(void **state)
{
	_buf_ struct buf a = { 0 }, b = { 0 };

	(void)state;
	dump_sample(SAMPLE_LARGE, &a);
	dump_sample(SAMPLE_LARGE, &b);
	assert_string_equal(a.data, b.data);
}

static void
a_limit_on_the_text_is_kept(void **state)
{
	_buf_ struct buf bytes = { 0 }, text = { .max = 100 };
	_source_ struct source *src = NULL;
	_snap_ struct snap *s = NULL;

	(void)state;
	assert_ok(sample_make(SAMPLE_SMALL, &bytes));
	assert_ok(source_mem(bytes.data, bytes.len, "sample", &src));
	assert_ok(snap_open(src, &s));
	assert_err(snap_dump(s, &text), ERR_LIMIT, "100 bytes");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_record_is_a_line),
		cmocka_unit_test(lists_are_indented_lines),
		cmocka_unit_test(memory_is_shown_by_kind),
		cmocka_unit_test(foreign_strings_are_escaped),
		cmocka_unit_test(long_bytes_are_shown_as_size_and_hash),
		cmocka_unit_test(equal_snapshots_have_equal_text),
		cmocka_unit_test(a_limit_on_the_text_is_kept),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
