/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rsp_listen.c: a listening socket, and connections handed to a worker.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cmd/rsp.h"

#define BACKLOG 16

/* ---- addresses ---- */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

/* Names are not looked up: what a resolver says is not what was meant. */
static bool
address_loopback(const char *host, union address *out, socklen_t *size)
{
	if (!*host || strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, host, &out->v4.sin_addr) == 1) {
		out->v4.sin_family = AF_INET;
		*size = sizeof(out->v4);
		return ntohl(out->v4.sin_addr.s_addr) >> 24 == 127;
	}
	if (inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1) {
		out->v6.sin6_family = AF_INET6;
		*size = sizeof(out->v6);
		return IN6_IS_ADDR_LOOPBACK(&out->v6.sin6_addr);
	}
	return false;
}

static struct err *
address_port(const char *text, in_port_t *out)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	if (!*text || *end || port > 65535 || strspn(text, "0123456789")
	    != strlen(text))
		return err_new(ERR_USAGE, "\"%s\" is no port", text);
	*out = htons((in_port_t)port);
	return NULL;
}

static struct err *
address_parse(const char *text, union address *out, socklen_t *size)
{
	const char *colon = strrchr(text, ':');
	_free_ char *host = NULL;
	in_port_t port;

	if (!colon)
		return err_new(ERR_USAGE, "\"%s\" is neither HOST:PORT nor "
			       "unix:PATH", text);
	struct err *err = address_port(colon + 1, &port);
	if (err)
		return err;
	/* An IPv6 address stands in brackets. */
	if (*text == '[' && colon > text + 1 && colon[-1] == ']')
		host = strndup(text + 1, (size_t)(colon - text) - 2);
	else
		host = strndup(text, (size_t)(colon - text));
	if (!host)
		return err_nomem();
	if (!address_loopback(host, out, size))
		return err_new(ERR_DENIED, "%s is not on this machine's "
			       "loopback: the protocol has no password. Listen "
			       "on 127.0.0.1 and reach it through ssh -L", host);
	/* The port is at the same place in both families. */
	out->v4.sin_port = port;
	return NULL;
}

/* ---- listening ---- */

static struct err *
listener_name_tcp(struct listener *l)
{
	union address a = { .any = { .sa_family = AF_UNSPEC } };
	char host[INET6_ADDRSTRLEN];
	socklen_t size = sizeof(a);
	bool v6;

	if (getsockname(l->fd, &a.any, &size) < 0)
		return err_errno("cannot find the port");
	v6 = a.any.sa_family == AF_INET6;
	inet_ntop(a.any.sa_family,
		  v6 ? (void *)&a.v6.sin6_addr : (void *)&a.v4.sin_addr,
		  host, sizeof(host));
	if (asprintf(&l->where, v6 ? "[%s]:%u" : "%s:%u", host,
		     ntohs(a.v4.sin_port)) < 0)
		return err_nomem();
	return NULL;
}

static struct err *
listener_tcp(const char *text, struct listener *l)
{
	union address a;
	socklen_t size;
	int on = 1;

	struct err *err = address_parse(text, &a, &size);
	if (err)
		return err;
	l->fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC
					| SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return err_errno("cannot listen on %s", text);
	setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(l->fd, &a.any, size) < 0 || listen(l->fd, BACKLOG) < 0)
		return err_errno("cannot listen on %s", text);
	return listener_name_tcp(l);
}

/* A socket that nobody listens on any more is in the way: remove it. */
static void
listener_remove_stale(const union address *a)
{
	const char *path = a->local.sun_path;
	_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	if (fd < 0 || lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return;
	if (connect(fd, &a->any, sizeof(a->local)) < 0
	    && errno == ECONNREFUSED)
		unlink(path);
}

static struct err *
listener_unix(const char *path, struct listener *l)
{
	size_t n = strlen(path);
	union address a;

	memset(&a, 0, sizeof(a));
	a.local.sun_family = AF_UNIX;
	if (!n || n >= sizeof(a.local.sun_path))
		return err_new(ERR_USAGE, "the path of a socket has 1 to %zu "
			       "characters", sizeof(a.local.sun_path) - 1);
	memcpy(a.local.sun_path, path, n);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return err_errno("cannot listen on %s", path);
	listener_remove_stale(&a);
	/* Only its owner may connect. */
	mode_t mask = umask(0177);
	int bound = bind(l->fd, &a.any, sizeof(a.local));
	umask(mask);
	if (bound < 0)
		return err_errno("cannot listen on %s", path);
	l->unlink = strdup(path);
	if (!l->unlink || asprintf(&l->where, "unix:%s", path) < 0)
		return err_nomem();
	if (listen(l->fd, BACKLOG) < 0)
		return err_errno("cannot listen on %s", path);
	return NULL;
}

struct err *
listener_open(const char *address, struct listener *out)
{
	struct listener l = { .fd = -1 };
	struct err *err;

	if (strncmp(address, "unix:", 5) == 0)
		err = listener_unix(address + 5, &l);
	else
		err = listener_tcp(address, &l);
	if (err) {
		listener_close(&l);
		return err;
	}
	*out = l;
	return NULL;
}

void
listener_close(struct listener *l)
{
	base_close(&l->fd);
	l->fd = -1;
	if (l->unlink)
		unlink(l->unlink);
	free(take(l->unlink));
	free(take(l->where));
}

/* ---- handing over ---- */

/* One byte, and with it one descriptor (unix(7), SCM_RIGHTS). */
union passing {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static struct err *
pass_send(int control, int fd)
{
	union passing room = { 0 };
	char byte = 'c';
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = room.bytes, .msg_controllen = sizeof(room),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	while (sendmsg(control, &msg, MSG_NOSIGNAL) < 0) {
		if (errno != EINTR)
			return err_errno("cannot hand over a connection");
	}
	return NULL;
}

struct err *
listener_hand_over(const struct listener *l, int control)
{
	int on = 1;
	_close_ int fd = accept4(l->fd, NULL, NULL,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);

	/* A client that gave up meanwhile is no trouble of ours. */
	if (fd < 0)
		return NULL;
	/* Answers are small and awaited; fails on unix sockets, harmlessly. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return pass_send(control, fd);
}

struct err *
rsp_take_connection(int control, int *fd)
{
	union passing room = { 0 };
	char byte;
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = room.bytes, .msg_controllen = sizeof(room),
	};
	ssize_t n;

	do
		n = recvmsg(control, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno("cannot take over a connection");
	*fd = -1;
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	if (n > 0 && c && c->cmsg_level == SOL_SOCKET
	    && c->cmsg_type == SCM_RIGHTS
	    && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	return NULL;
}
