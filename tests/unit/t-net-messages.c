/* SPDX-License-Identifier: Apache-2.0 */
/* A stream of messages is cut into fragments, and what is none is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/impl.h"

static struct net_client *
client(const char *stream)
{
	struct net_client *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	buf_puts(&c->piece, stream);
	return c;
}

static void
client_end(struct net_client *c)
{
	buf_fini(&c->piece);
	buf_fini(&c->joined);
	free(c);
}

static void
test_cuts(void **state)
{
	struct net_client *c = client("Content-Length: 3\r\n\r\nabcContent-"
				      "Length:2\r\nContent-Type: x\r\n\r\nd");
	struct fragment f;

	(void)state;
	assert_true(message_next(c, &f));
	assert_true(f.first && f.last && f.n == 3);
	assert_memory_equal(f.data, "abc", 3);
	message_sent(c, &f);
	assert_true(message_next(c, &f));
	assert_true(f.first && !f.last && f.n == 1);
	message_sent(c, &f);
	assert_int_equal(c->messages_sent, 1);
	assert_true(message_next(c, &f));
	assert_int_equal(f.n, 0);
	buf_puts(&c->piece, "e");
	assert_true(message_next(c, &f));
	assert_true(!f.first && f.last && f.n == 1);
	assert_memory_equal(f.data, "e", 1);
	message_sent(c, &f);
	assert_int_equal(c->messages_sent, 2);
	assert_int_equal(c->piece.len, 0);
	client_end(c);
}

static void
test_large(void **state)
{
	char head[64];
	struct net_client *c = client("");
	size_t n = 3 * NET_FRAGMENT_MAX + 5, sum = 0;
	struct fragment f;

	(void)state;
	snprintf(head, sizeof(head), "Content-Length: %zu\r\n\r\n", n);
	buf_puts(&c->piece, head);
	buf_zero(&c->piece, n);
	for (int k = 0; k < 4; k++) {
		assert_true(message_next(c, &f));
		assert_true(f.n <= NET_FRAGMENT_MAX);
		assert_true(f.first == (k == 0) && f.last == (k == 3));
		sum += f.n;
		message_sent(c, &f);
	}
	assert_int_equal(sum, n);
	client_end(c);
}

static void
test_no_stream(void **state)
{
	static const char *const rows[] = {
		"POST / HTTP/1.1\r\n\r\n", "\r\n\r\n", "Content-Length: \r\n\r\n",
		"Content-Length: 0\r\n\r\n", "Content-Length: -1\r\n\r\n",
		"Content-Length: 1x\r\n\r\n", "Content-Length: 99999999999\r\n",
		"Content-Length: 18446744073709551617\r\n\r\n",
		"Content-Length: 000000000000000000000000000001\r\n\r\n",
		"Content-Type: x\r\n\r\n{}",
	};
	struct fragment f;

	(void)state;
	for (size_t k = 0; k < countof(rows); k++) {
		struct net_client *c = client(rows[k]);
		assert_false(message_next(c, &f));
		client_end(c);
	}
	/* More may come. */
	struct net_client *c = client("Content-Len");
	assert_true(message_next(c, &f));
	assert_int_equal(f.n, 0);
	buf_zero(&c->piece, 5000);
	assert_false(message_next(c, &f));
	client_end(c);
}

static void
test_joins(void **state)
{
	struct net n = { 0 };
	struct net_client *c = client("");
	struct piece p = { .data = "abc", .n = 3 };

	(void)state;
	c->net = &n;
	assert_int_equal(message_join(c, &p), MESSAGE_GOES_ON);
	p.message_ends = true;
	assert_int_equal(message_join(c, &p), MESSAGE_WHOLE);
	assert_int_equal(n.joined, 6);
	message_forget(c);
	assert_int_equal(n.joined, 0);
	p = (struct piece){ .data = "content-length: 1", .n = 17,
			    .message_ends = true };
	assert_int_equal(message_join(c, &p), MESSAGE_FRAMED);
	message_forget(c);
	n.joined = NET_JOINED_MAX - 1;
	assert_int_equal(message_join(c, &p), MESSAGE_TOO_MUCH);
	message_forget(c);
	/* What was refused takes no room. */
	assert_int_equal(n.joined, NET_JOINED_MAX - 1);
	client_end(c);
}

/* One message after the other, and one that nobody takes. */
static void
test_patience(void **state)
{
	static const struct net_http http = { 0 };
	struct net n = { .o.http = &http };
	struct net_client *c = client("");
	const struct piece p = { .data = "abc", .n = 3 };

	(void)state;
	c->net = &n;
	c->code = NET_NORMAL;
	for (int k = 0; k < 2 * (int)NET_JOINING_SECONDS; k++) {
		message_forget(c);
		assert_int_equal(message_join(c, &p), MESSAGE_GOES_ON);
		client_look(c);
	}
	assert_int_equal(n.counts.floods, 0);
	buf_puts(&c->stash, "x");
	for (int k = 0; k < 2 * (int)NET_JOINING_SECONDS; k++)
		client_look(c);
	assert_int_equal(n.counts.floods, 0);
	buf_fini(&c->stash);
	memset(&c->stash, 0, sizeof(c->stash));
	for (int k = 0; k < 2 * (int)NET_JOINING_SECONDS; k++)
		client_look(c);
	assert_int_equal(n.counts.floods, 1);
	client_end(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_no_stream),
		cmocka_unit_test(test_joins),
		cmocka_unit_test(test_patience),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
