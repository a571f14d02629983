/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of recordings: what was said comes back, wherever it was cut;
 * a token does not; and there is an end to them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "assert-err.h"
#include "make-served.h"
#include "serve/record.h"

#define TOKEN "Sesame77"

struct taped {
	int fd;
	struct recorder recorder;
	struct record_mask mask;
	char text[65536];
};

static void
taped_init(struct taped *t, uint64_t limit)
{
	memset(t, 0, sizeof(*t));
	t->fd = memfd_create("recording", MFD_CLOEXEC);
	assert_true(t->fd >= 0);
	assert_ok(record_begin(&t->recorder, t->fd, limit, "rsp"));
}

/** Ends it; all of it is in @t->text. */
static void
taped_end(struct taped *t)
{
	assert_ok(record_end(&t->recorder, &t->mask, 1));
	ssize_t n = pread(t->fd, t->text, sizeof(t->text) - 1, 0);
	assert_true(n > 0);
	t->text[n] = '\0';
	close(t->fd);
}

static void
taped_say(struct taped *t, const struct buf *said, size_t piece)
{
	for (size_t at = 0; at < said->len; at += piece) {
		size_t left = said->len - at;

		assert_ok(record_said(&t->recorder, &t->mask, 1, (struct span){
			said->data + at, left < piece ? left : piece }));
	}
}

/** The client's bytes in @t->text, joined; no escapes occur in them. */
static void
taped_joined(const struct taped *t, struct buf *out)
{
	for (const char *p = t->text; *p; p = strchr(p, '\n') + 1) {
		const char *bytes = p;

		if (*p != '>')
			continue;
		for (unsigned k = 0; k < 3; k++)
			bytes = strchr(bytes, ' ') + 1;
		buf_put(out, bytes, strcspn(bytes, "\n"));
	}
}

static void
put_monitor(struct buf *out, const char *text)
{
	_buf_ struct buf packet = { 0 };

	buf_puts(&packet, "qRcmd,");
	buf_hex(&packet, text, strlen(text));
	served_frame(out, packet.data, packet.len);
}

static void
both_directions_stand_in_order_with_times(void **state)
{
	static struct taped t;
	unsigned n, time;
	char rest[32];

	(void)state;
	taped_init(&t, 0);
	assert_ok(record_said(&t.recorder, &t.mask, 7,
			      (struct span){ "+$g#67", 6 }));
	assert_ok(record_sent(&t.recorder, 7, (struct span){ "\\\n\x7f", 3 }));
	taped_end(&t);
	assert_memory_equal(t.text, "inquest-rsp 2\n> 7 ", 18);
	const char *sent = strchr(t.text, '<');
	assert_non_null(sent);
	assert_int_equal(sscanf(sent, "< %u %u %31s", &n, &time, rest), 3);
	assert_int_equal(n, 7);
	assert_string_equal(rest, "\\\\\\x0a\\x7f");
}

static void
a_token_is_never_written_wherever_it_is_cut(void **state)
{
	static const char *const forms[] = {
		"auth " TOKEN, "  auth " TOKEN, "AUTH " TOKEN, "aut  " TOKEN,
		"auth" TOKEN, "auth  " TOKEN " x",
	};
	static struct taped t;

	(void)state;
	for (size_t form = 0; form < countof(forms); form++) {
		_buf_ struct buf said = { 0 }, token = { 0 };

		buf_puts(&said, "$qC#b4$qRcm#00$q$");
		put_monitor(&said, forms[form]);
		put_monitor(&said, "info");
		buf_hex(&token, TOKEN, 4);
		for (size_t piece = 1; piece <= said.len; piece++) {
			_buf_ struct buf joined = { 0 };

			taped_init(&t, 0);
			taped_say(&t, &said, piece);
			taped_end(&t);
			taped_joined(&t, &joined);
			assert_null(strstr(joined.data, token.data));
			assert_non_null(strstr(joined.data, "2a2a2a2a#"));
			assert_non_null(strstr(joined.data,
					       "$qRcmd,696e666f#"));
		}
	}
}

static void
what_was_never_finished_is_hidden_too(void **state)
{
	_buf_ struct buf said = { 0 }, joined = { 0 };
	static struct taped t;

	(void)state;
	put_monitor(&said, "auth " TOKEN);
	said.len -= 5;
	taped_init(&t, 0);
	taped_say(&t, &said, said.len);
	taped_end(&t);
	taped_joined(&t, &joined);
	assert_string_equal(joined.data, "$qRcmd,61757468202a2a2a2a");
}

static void
all_else_is_written_as_it_was_said(void **state)
{
	static const char *const verbs[] = { "info", "", "memory 0" };
	_buf_ struct buf said = { 0 }, joined = { 0 };
	static struct taped t;

	(void)state;
	for (size_t k = 0; k < countof(verbs); k++)
		put_monitor(&said, verbs[k]);
	buf_puts(&said, "-+$qRcmd,zz#zz$qRcmd,7#01$$qRcmd#00+$X0,0:qRcmd,#99");
	taped_init(&t, 0);
	taped_say(&t, &said, 3);
	taped_end(&t);
	taped_joined(&t, &joined);
	assert_string_equal(joined.data, said.data);
}

static void
it_ends_at_its_limit_and_says_so(void **state)
{
	static struct taped t;

	(void)state;
	taped_init(&t, 500);
	for (unsigned k = 0; k < 100; k++)
		assert_ok(record_sent(&t.recorder, 1,
				      (struct span){ "0123456789", 10 }));
	taped_end(&t);
	assert_non_null(strstr(t.text, "\n! the recording has reached its "));
	assert_true(strlen(t.text) < 500 + 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_directions_stand_in_order_with_times),
		cmocka_unit_test(a_token_is_never_written_wherever_it_is_cut),
		cmocka_unit_test(what_was_never_finished_is_hidden_too),
		cmocka_unit_test(all_else_is_written_as_it_was_said),
		cmocka_unit_test(it_ends_at_its_limit_and_says_so),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
