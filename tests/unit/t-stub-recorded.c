/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plays sessions of real debuggers again, without one: tests/stub/recorded/
 * holds what gdb and lldb said to the processes of make-served.h and
 * make-hosted.h, and what they were answered (serve/record.h). After a change
 * of answers that is meant: `make stub-recordings`, and look at the difference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "make-hosted.h"

#define RECORDING_MAX (16u << 20)
#define SHOWN 160u

struct recording {
	struct buf said, answered;
};

static void
recording_fini(struct recording *r)
{
	buf_fini(&r->said);
	buf_fini(&r->answered);
}

static void
put_bytes(const char *p, size_t n, struct buf *out)
{
	for (size_t k = 0; k < n; k++) {
		uint8_t byte = (uint8_t)p[k];

		if (p[k] == '\\' && k + 1 < n && p[k + 1] == '\\') {
			k++;
		} else if (p[k] == '\\') {
			assert_true(k + 3 < n && p[k + 1] == 'x'
				    && hex_bytes(p + k + 2, 1, &byte));
			k += 3;
		}
		buf_putc(out, (char)byte);
	}
}

static void
load_line(const char *line, size_t n, struct recording *r)
{
	const char *p = line, *end = line + n;

	/* Direction, connection, time. */
	for (unsigned k = 0; k < 3; k++) {
		p = memchr(p, ' ', (size_t)(end - p));
		assert_non_null(p);
		p++;
	}
	put_bytes(p, (size_t)(end - p),
		  line[0] == '>' ? &r->said : &r->answered);
}

static void
load(const char *name, struct recording *r)
{
	static const char first[] = "inquest-rsp 2\n";
	const char *source = getenv("SRCDIR");
	_buf_ struct buf path = { 0 }, text = { 0 };

	buf_printf(&path, "%s/tests/stub/recorded/%s.rsp",
		   source ? source : ".", name);
	_err_ struct err *err = io_read_file(path.data, RECORDING_MAX, &text);
	assert_null(err);
	assert_true(strncmp(text.data, first, sizeof(first) - 1) == 0);
	for (const char *p = text.data + sizeof(first) - 1; *p;) {
		size_t n = strcspn(p, "\n");

		assert_true(p[0] == '>' || p[0] == '<');
		load_line(p, n, r);
		p += n + (p[n] != '\0');
	}
}

/* From the packet before the first byte that differs. */
static void
complain(const char *name, const struct buf *want, const struct buf *got)
{
	_buf_ struct buf left = { 0 }, right = { 0 };
	size_t at = 0, from = 0;

	for (; at < want->len && at < got->len
	     && want->data[at] == got->data[at]; at++)
		if (want->data[at] == '$')
			from = at;
	buf_escape(&left, want->data + from,
		   want->len - from < SHOWN ? want->len - from : SHOWN);
	buf_escape(&right, got->data + from,
		   got->len - from < SHOWN ? got->len - from : SHOWN);
	fail_msg("%s: at byte %zu the answer was\n%s\nand is\n%s", name, at,
		 left.data, right.data);
}

static void
play(const char *name, struct stub *s)
{
	_cleanup_(recording_fini) struct recording r = { 0 };
	_buf_ struct buf got = { 0 };

	load(name, &r);
	assert_null(stub_feed(s, r.said.data, r.said.len, &got));
	assert_non_null(r.answered.data);
	if (got.len != r.answered.len
	    || memcmp(got.data, r.answered.data, got.len) != 0)
		complain(name, &r.answered, &got);
}

static void
play_served(const char *name)
{
	const struct stub_options options = { .title = "made" };
	struct served s;

	served_init(&s);
	assert_null(served_open(&s, &options));
	play(name, s.stub);
	served_close(&s);
}

static void
gdb_is_answered_as_it_was(void **state)
{
	(void)state;
	play_served("gdb");
	play_served("gdb-page");
}

static void
lldb_is_answered_as_it_was(void **state)
{
	(void)state;
	play_served("lldb");
}

static void
gdb_with_several_inferiors_is_answered_as_it_was(void **state)
{
	struct hosted h;

	(void)state;
	hosted_init(&h);
	assert_null(hosted_start(&h, false));
	play("gdb-several", h.session.stub);
	hosted_close(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gdb_is_answered_as_it_was),
		cmocka_unit_test(lldb_is_answered_as_it_was),
		cmocka_unit_test(
			gdb_with_several_inferiors_is_answered_as_it_was),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
