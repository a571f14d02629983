/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supplies.c: a worker asks for a module, a debug file or a source.
 *
 * The disk answers at once. Where a debuginfod server may be asked the answer
 * takes seconds, for which nobody else is to wait: a thread gives it, one a
 * session at most, and says when it has.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/server.h"
#include "supply/supply.h"

#define STACK_SIZE (512u << 10)
/* What the thread says: the question was answered; no more will come. */
enum { SAID_ANSWERED = 1, SAID_OVER = 2 };

static struct supply_places
places_of(const struct server *sv)
{
	struct supply_places places = supply_default_places;

	/* Who asks may have been taken over: a path alone opens nothing. */
	places.by_id = true;
	places.debuginfod_ms = sv->o->debuginfod_ms;
	return places;
}

/* ---- beside the server ---- */

/* Its descriptors are its own, so the session may end before it. */
struct fetch {
	struct supply_places places;
	int supply, said;
};

static void
fetch_free(struct fetch *f)
{
	base_close(&f->supply);
	base_close(&f->said);
	free(f);
}

static void *
fetch_run(void *arg)
{
	struct fetch *f = arg;
	bool over = false;
	_err_ struct err *err = supply_answer(f->supply, &f->places, &over);
	const uint64_t said = err || over ? SAID_OVER : SAID_ANSWERED;

	if (write(f->said, &said, sizeof(said)) < 0)
		shutdown(f->supply, SHUT_RDWR);
	fetch_free(f);
	return NULL;
}

static bool
fetch_begin(struct session *s, const struct supply_places *places)
{
	struct fetch *f = calloc(1, sizeof(*f));
	pthread_attr_t attr;
	pthread_t thread;

	if (!f)
		return false;
	f->places = *places;
	f->supply = fcntl(s->supply.fd, F_DUPFD_CLOEXEC, 0);
	f->said = fcntl(s->supplied.fd, F_DUPFD_CLOEXEC, 0);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	bool begun = f->supply >= 0 && f->said >= 0
		     && pthread_create(&thread, &attr, fetch_run, f) == 0;
	pthread_attr_destroy(&attr);
	if (!begun)
		fetch_free(f);
	return begun;
}

/* ---- what the server hears ---- */

static void
supplies_done(struct session *s, bool over)
{
	if (over)
		net_watch_close(&s->supply);
	else
		session_count_question(s);
}

static void
supplies_asked(void *arg, unsigned events)
{
	const struct supply_places places = places_of(((struct session *)arg)
						      ->sv);
	struct session *s = arg;
	bool over = false;

	(void)events;
	if (places.debuginfod_ms && fetch_begin(s, &places)) {
		s->fetching = true;
		net_rewatch(&s->supply, 0);
		return;
	}
	_err_ struct err *err = supply_answer(s->supply.fd, &places, &over);
	supplies_done(s, err || over);
}

static void
supplies_said(void *arg, unsigned events)
{
	struct session *s = arg;
	uint64_t said;

	(void)events;
	if (read(s->supplied.fd, &said, sizeof(said)) != sizeof(said))
		return;
	s->fetching = false;
	net_rewatch(&s->supply, NET_READ);
	supplies_done(s, said == SAID_OVER);
}

struct err *
supplies_begin(struct session *s, int ours)
{
	struct net *net = s->sv->net;

	s->supply.fd = ours;
	s->supply.fn = supplies_asked;
	s->supplied.fn = supplies_said;
	if (s->sv->o->debuginfod_ms) {
		s->supplied.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (s->supplied.fd < 0)
			return err_errno("cannot wait for modules");
		struct err *err = net_watch(net, &s->supplied, NET_READ);
		if (err)
			return err;
	}
	return net_watch(net, &s->supply, NET_READ);
}

void
supplies_end(struct session *s)
{
	net_watch_close(&s->supply);
	net_watch_close(&s->supplied);
}

void
supplies_hear(struct session *s, bool hear)
{
	if (!s->fetching)
		net_rewatch(&s->supply, hear ? NET_READ : 0);
}
