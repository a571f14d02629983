/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listen.c: addresses, listening sockets, and who connects to them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/net.h"

#define BACKLOG 128

/* ---- addresses ---- */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

static bool
address_is_loopback(const union address *a)
{
	if (a->any.sa_family == AF_INET)
		return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
	return a->any.sa_family == AF_INET6
	       && IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

/* Names are not looked up: what a resolver says is not what was meant. */
static bool
address_of_host(const char *host, union address *out, socklen_t *size)
{
	if (!*host || strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, host, &out->v4.sin_addr) == 1) {
		out->v4.sin_family = AF_INET;
		*size = sizeof(out->v4);
		return address_is_loopback(out);
	}
	if (inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1) {
		out->v6.sin6_family = AF_INET6;
		*size = sizeof(out->v6);
		return address_is_loopback(out);
	}
	return false;
}

/* Digits only, and not more than @max. */
static bool
address_number(const char *text, unsigned long max, unsigned long *out)
{
	if (!*text || strlen(text) > 6
	    || strspn(text, "0123456789") != strlen(text))
		return false;
	*out = strtoul(text, NULL, 10);
	return *out <= max;
}

static struct err *
address_not_ours(const char *host)
{
	return err_new(ERR_DENIED, "%s is not on this machine's loopback: "
		       "nothing here is encrypted. Listen on 127.0.0.1 and "
		       "reach it through ssh -L", host);
}

static struct err *
address_parse(const char *text, union address *out, socklen_t *size)
{
	const char *colon = strrchr(text, ':');
	_free_ char *host = NULL;
	unsigned long port;

	if (!colon)
		return err_new(ERR_USAGE, "\"%s\" is neither HOST:PORT nor "
			       "unix:PATH", text);
	if (!address_number(colon + 1, 65535, &port))
		return err_new(ERR_USAGE, "\"%s\" is no port", colon + 1);
	/* An IPv6 address stands in brackets. */
	if (*text == '[' && colon > text + 1 && colon[-1] == ']')
		host = strndup(text + 1, (size_t)(colon - text) - 2);
	else
		host = strndup(text, (size_t)(colon - text));
	if (!host)
		return err_nomem();
	if (!address_of_host(host, out, size))
		return address_not_ours(host);
	/* The port is at the same place in both families. */
	out->v4.sin_port = htons((in_port_t)port);
	return NULL;
}

/* ---- TCP ---- */

static struct err *
listener_name_tcp(struct net_listener *l, const union address *a)
{
	bool v6 = a->any.sa_family == AF_INET6;
	char host[INET6_ADDRSTRLEN];

	inet_ntop(a->any.sa_family,
		  v6 ? (const void *)&a->v6.sin6_addr
		     : (const void *)&a->v4.sin_addr, host, sizeof(host));
	if (asprintf(&l->where, v6 ? "[%s]:%u" : "%s:%u", host,
		     ntohs(a->v4.sin_port)) < 0)
		return err_nomem();
	return NULL;
}

static struct err *
listener_tcp(const char *text, struct net_listener *l)
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
	size = sizeof(a);
	if (getsockname(l->fd, &a.any, &size) < 0)
		return err_errno("cannot find the port");
	return listener_name_tcp(l, &a);
}

/* ---- unix sockets ---- */

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
listener_unix(const char *path, struct net_listener *l)
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

/* ---- sockets of others ---- */

static struct err *
listener_name(struct net_listener *l, const union address *a, socklen_t size)
{
	size_t head = offsetof(struct sockaddr_un, sun_path);

	if (a->any.sa_family != AF_UNIX)
		return address_is_loopback(a) ? listener_name_tcp(l, a)
			: address_not_ours("the address of that socket");
	if (asprintf(&l->where, "unix:%.*s",
		     (int)(size > head ? size - head : 0),
		     a->local.sun_path) < 0)
		return err_nomem();
	return NULL;
}

static struct err *
listener_given(const char *text, struct net_listener *l)
{
	int listens = 0;
	socklen_t size = sizeof(listens);
	unsigned long fd;
	union address a;

	if (!address_number(text, 65535, &fd))
		return err_new(ERR_USAGE, "\"%s\" is no number of a "
			       "descriptor", text);
	if (getsockopt((int)fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0
	    || !listens)
		return err_new(ERR_USAGE, "descriptor %lu is no listening "
			       "socket", fd);
	l->fd = (int)fd;
	memset(&a, 0, sizeof(a));
	size = sizeof(a);
	if (getsockname(l->fd, &a.any, &size) < 0)
		return err_errno("cannot find the address of descriptor %lu",
				 fd);
	fcntl(l->fd, F_SETFD, FD_CLOEXEC);
	fcntl(l->fd, F_SETFL, fcntl(l->fd, F_GETFL) | O_NONBLOCK);
	return listener_name(l, &a, size);
}

/* ---- all of them ---- */

static const struct {
	const char *prefix;
	struct err *(*open)(const char *rest, struct net_listener *l);
} kinds[] = {
	{ "unix:", listener_unix },
	{ "fd:", listener_given },
	{ "", listener_tcp },
};

struct err *
net_listen(const char *address, struct net_listener *out)
{
	struct net_listener l = { .fd = -1 };
	size_t k = 0;

	while (strncmp(address, kinds[k].prefix, strlen(kinds[k].prefix)) != 0)
		k++;
	struct err *err = kinds[k].open(address + strlen(kinds[k].prefix), &l);
	if (err) {
		net_listener_close(&l);
		return err;
	}
	*out = l;
	return NULL;
}

void
net_listener_close(struct net_listener *l)
{
	base_close(&l->fd);
	l->fd = -1;
	if (l->unlink)
		unlink(l->unlink);
	free(take(l->unlink));
	free(take(l->where));
}

int
net_accept(const struct net_listener *l)
{
	int on = 1;
	int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	/* Answers are small and awaited; fails on unix sockets, harmlessly. */
	if (fd >= 0)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

bool
net_peer_uid(int fd, uid_t *out)
{
	struct ucred peer = { .pid = 0 };
	socklen_t size = sizeof(peer);

	/* Sockets of other families answer with pid 0 and uid -1. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0
	    || peer.pid == 0)
		return false;
	*out = peer.uid;
	return true;
}
