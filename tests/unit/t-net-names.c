/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that are listened on, and URLs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "assert-err.h"
#include "net/net.h"
#include "temp-tree.h"

static void
an_address_off_this_machine_is_refused(void **state)
{
	static const char *const addresses[] = {
		"0.0.0.0:0", "192.0.2.1:1", "[::]:0", "example.org:80",
		"[::ffff:127.0.0.1]:0", "127.0.0.1.example.org:1",
	};
	struct net_listener l;

	(void)state;
	for (size_t k = 0; k < countof(addresses); k++)
		assert_err(net_listen(addresses[k], &l), ERR_DENIED,
			   "loopback");
}

static void
what_is_no_address_is_a_mistake(void **state)
{
	static const char *const addresses[] = {
		"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:-1",
		"127.0.0.1:65536", "127.0.0.1:0000000080", "unix:", "fd:",
		"fd:x", "fd:-1", "fd:0x3", "fd:999",
	};
	struct net_listener l;

	(void)state;
	for (size_t k = 0; k < countof(addresses); k++) {
		struct err *err = net_listen(addresses[k], &l);
		assert_int_equal(err_kind(err), ERR_USAGE);
		err_free(err);
	}
}

static void
a_free_port_is_found_and_told(void **state)
{
	struct net_listener l, again;

	(void)state;
	assert_ok(net_listen("localhost:0", &l));
	assert_memory_equal(l.where, "127.0.0.1:", 10);
	assert_true(atoi(l.where + 10) > 0);
	assert_err(net_listen(l.where, &again), ERR_IO, l.where);
	net_listener_close(&l);
}

static void
who_connects_to_a_unix_socket_is_known(void **state)
{
	char address[PATH_MAX];
	struct net_listener l;
	uid_t uid = (uid_t)-1;

	snprintf(address, sizeof(address), "unix:%s/s", (char *)*state);
	assert_ok(net_listen(address, &l));
	assert_string_equal(l.where, address);
	/* The pair has the same kind of ends. */
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_true(net_peer_uid(pair[0], &uid));
	assert_int_equal(uid, geteuid());
	close(pair[0]);
	close(pair[1]);
	net_listener_close(&l);
	assert_int_equal(access(address + 5, F_OK), -1);
}

static void
who_connects_over_tcp_is_not(void **state)
{
	_close_ int fd = socket(AF_INET, SOCK_STREAM, 0);
	uid_t uid;

	(void)state;
	assert_false(net_peer_uid(fd, &uid));
}

static void
a_descriptor_that_listens_is_taken_over(void **state)
{
	char address[16];
	struct net_listener l, given;

	(void)state;
	assert_ok(net_listen("127.0.0.1:0", &l));
	int fd = dup(l.fd);
	snprintf(address, sizeof(address), "fd:%d", fd);
	assert_ok(net_listen(address, &given));
	assert_string_equal(given.where, l.where);
	assert_int_equal(given.fd, fd);
	net_listener_close(&given);
	net_listener_close(&l);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	snprintf(address, sizeof(address), "fd:%d", fd);
	assert_err(net_listen(address, &given), ERR_USAGE, "no listening");
	close(fd);
}

struct url_case {
	const char *text, *host, *path, *query;
	uint16_t port;
	bool tls;
};

static void
a_url_has_its_parts(void **state)
{
	static const struct url_case cases[] = {
		{ "http://127.0.0.1:14678/p/web/3f2a?token=x", "127.0.0.1",
		  "/p/web/3f2a", "token=x", 14678, false },
		{ "https://example.org", "example.org", "/", NULL, 443, true },
		{ "http://[::1]:1/a", "::1", "/a", NULL, 1, false },
		{ "http://[::1]/a", "::1", "/a", NULL, 80, false },
		{ "http://h?q", "h", "/", "q", 80, false },
	};

	(void)state;
	for (size_t k = 0; k < countof(cases); k++) {
		const struct url_case *c = &cases[k];
		_url_ struct net_url u = { 0 };
		assert_ok(net_url_parse(c->text, &u));
		assert_string_equal(u.host, c->host);
		assert_string_equal(u.path, c->path);
		assert_int_equal(u.port, c->port);
		assert_int_equal(u.tls, c->tls);
		assert_true(!u.query == !c->query);
		if (u.query)
			assert_string_equal(u.query, c->query);
	}
}

static void
what_is_no_url_is_a_mistake(void **state)
{
	static const char *const texts[] = {
		"", "x", "ftp://h/", "http://", "http:///x", "http://:80/",
		"http://h:0/", "http://h:65536/", "http://h:8x/", "http://h:/",
		"http://[::1/", "http://[::1]x/", "http://me@h/", "http://h/#x",
		"http://h/ x", "http://h/\r\nX: y", "http://h/\x80",
	};

	(void)state;
	for (size_t k = 0; k < countof(texts); k++) {
		struct net_url u = { 0 };
		struct err *err = net_url_parse(texts[k], &u);
		if (err_kind(err) != ERR_USAGE)
			print_error("%s\n", texts[k]);
		assert_int_equal(err_kind(err), ERR_USAGE);
		err_free(err);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_off_this_machine_is_refused),
		cmocka_unit_test(what_is_no_address_is_a_mistake),
		cmocka_unit_test(a_free_port_is_found_and_told),
		cmocka_unit_test_setup_teardown(
			who_connects_to_a_unix_socket_is_known,
			temp_tree_setup, temp_tree_teardown),
		cmocka_unit_test(who_connects_over_tcp_is_not),
		cmocka_unit_test(a_descriptor_that_listens_is_taken_over),
		cmocka_unit_test(a_url_has_its_parts),
		cmocka_unit_test(what_is_no_url_is_a_mistake),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
