/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silents.c: connections of the remote protocol that have said nothing yet. A
 * debugger speaks first and at once; only then a worker is started for it.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/server.h"

struct silent {
	struct server *sv;
	struct silent *next, **back;
	struct net_watch watch;
	unsigned seconds;
};

static void
silent_free(struct silent *x)
{
	net_watch_close(&x->watch);
	*x->back = x->next;
	if (x->next)
		x->next->back = x->back;
	x->sv->n_silents--;
	free(x);
}

static void
silent_refuse(int fd, const struct err *why)
{
	_buf_ struct buf b = { 0 };
	char said[4096];

	worker_refusal(why, false, &b);
	/* What is closed with bytes unread is reset, and nothing arrives. */
	if (recv(fd, said, sizeof(said), MSG_DONTWAIT) > 0 && !b.failed
	    && send(fd, b.data, b.len, MSG_NOSIGNAL) > 0)
		shutdown(fd, SHUT_WR);
}

static void
silent_speaks(void *arg, unsigned events)
{
	struct silent *x = arg;
	struct server *sv = x->sv;
	char byte;
	int fd = x->watch.fd;

	/* One that only came to go again is worth no process. */
	if ((events & NET_END) || recv(fd, &byte, 1, MSG_PEEK) <= 0) {
		silent_free(x);
		return;
	}
	const struct session_begin b = {
		.connection = fcntl(fd, F_DUPFD_CLOEXEC, 0),
		 .authorised = doors_is_owner(fd),
	};
	_err_ struct err *err = b.connection < 0
		? err_errno("cannot take over a connection")
		: session_begin(sv, &b);
	if (err)
		silent_refuse(fd, err);
	silent_free(x);
}

/* As of HTTP: who says nothing shuts out nobody. */
static void
silent_make_room(struct server *sv)
{
	struct silent *x = sv->silents;

	while (x && x->next)
		x = x->next;
	if (!x)
		return;
	sv->refused[REFUSED_SILENT]++;
	silent_free(x);
}

void
silent_accept(struct server *sv, int fd)
{
	_close_ int mine = fd;
	struct silent *x;

	if (sv->n_silents + sv->n_sessions >= sv->limits.connections)
		silent_make_room(sv);
	if (sv->n_silents + sv->n_sessions >= sv->limits.connections) {
		sv->refused[REFUSED_CONNECTIONS]++;
		return;
	}
	x = calloc(1, sizeof(*x));
	if (!x)
		return;
	x->sv = sv;
	x->watch = (struct net_watch){
		.fd = mine, .fn = silent_speaks, .arg = x,
	};
	mine = -1;
	x->next = sv->silents;
	x->back = &sv->silents;
	if (x->next)
		x->next->back = &x->next;
	sv->silents = x;
	sv->n_silents++;
	_err_ struct err *err = net_watch(sv->net, &x->watch, NET_READ);
	if (err)
		silent_free(x);
}

void
silents_tick(struct server *sv)
{
	struct silent *next;

	for (struct silent *x = sv->silents; x; x = next) {
		next = x->next;
		if (++x->seconds <= sv->limits.header_seconds)
			continue;
		sv->refused[REFUSED_SILENT]++;
		silent_free(x);
	}
}

void
silents_free(struct server *sv)
{
	struct silent *next;

	for (struct silent *x = sv->silents; x; x = next) {
		next = x->next;
		silent_free(x);
	}
}
