/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.c: descriptors and ticks. All of them stand behind one epoll
 * descriptor, which is one more socket to the loop of libwebsockets.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "net/impl.h"

/* Events served before clients of HTTP have their turn again. */
#define EVENTS_A_TURN 8

/* ---- watches ---- */

static uint32_t
watch_mask(unsigned events)
{
	return (events & NET_READ ? EPOLLIN : 0u)
	       | (events & NET_WRITE ? EPOLLOUT : 0u);
}

struct err *
net_watch(struct net *n, struct net_watch *w, unsigned events)
{
	struct epoll_event e = { .events = watch_mask(events), .data.ptr = w };

	if (epoll_ctl(n->epoll, EPOLL_CTL_ADD, w->fd, &e) < 0)
		return err_errno("cannot wait for a descriptor");
	w->net = n;
	return NULL;
}

void
net_rewatch(struct net_watch *w, unsigned events)
{
	struct epoll_event e = { .events = watch_mask(events), .data.ptr = w };

	if (w->net)
		epoll_ctl(w->net->epoll, EPOLL_CTL_MOD, w->fd, &e);
}

void
net_unwatch(struct net_watch *w)
{
	if (w->net)
		epoll_ctl(w->net->epoll, EPOLL_CTL_DEL, w->fd, NULL);
	w->net = NULL;
}

void
net_watch_close(struct net_watch *w)
{
	net_unwatch(w);
	base_close(&w->fd);
	w->fd = -1;
}

struct err *
net_tick(struct net *n, struct net_watch *w, unsigned ms)
{
	struct timespec every = { ms / 1000, (long)(ms % 1000) * 1000000 };
	struct itimerspec t = { .it_interval = every, .it_value = every };

	w->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (w->fd < 0 || timerfd_settime(w->fd, 0, &t, NULL) < 0)
		return err_errno("cannot measure time");
	w->tick = true;
	return net_watch(n, w, NET_READ);
}

static void
watch_call(struct net_watch *w, uint32_t mask)
{
	unsigned events = (mask & EPOLLIN ? NET_READ : 0u)
			  | (mask & EPOLLOUT ? NET_WRITE : 0u)
			  | (mask & (EPOLLHUP | EPOLLERR) ? NET_END : 0u);
	uint64_t times;

	if (w->tick && read(w->fd, &times, sizeof(times)) < 0)
		return;
	w->fn(w->arg, events);
}

/* One at a time: a handler may end the watch that would be next. */
static void
loop_events(void *arg, unsigned events)
{
	struct net *n = arg;
	struct epoll_event e;

	(void)events;
	for (int k = 0; k < EVENTS_A_TURN && !n->stopped; k++) {
		if (epoll_wait(n->epoll, &e, 1, 0) <= 0)
			return;
		watch_call(e.data.ptr, e.events);
	}
}

/* ---- the loop ---- */

static void
loop_second(void *arg, unsigned events)
{
	struct net *n = arg;
	struct net_client *next;

	(void)events;
	for (struct net_client *c = n->clients; c; c = next) {
		next = c->next;
		client_look(c);
	}
}

static struct err *
net_init(struct net *n, const struct net_options *o)
{
	n->o = *o;
	n->second = (struct net_watch){
		.fd = -1, .fn = loop_second, .arg = n,
	};
	n->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (n->epoll < 0)
		return err_errno("cannot make a loop");
	struct err *err = net_tick(n, &n->second, 1000);
	return err ? err : ws_new(n, n->epoll, loop_events, &n->ws);
}

struct err *
net_new(const struct net_options *o, struct net **out)
{
	_net_ struct net *n = calloc(1, sizeof(*n));

	if (!n)
		return err_nomem();
	n->epoll = -1;
	struct err *err = net_init(n, o);
	if (err)
		return err;
	*out = take(n);
	return NULL;
}

void
net_free(struct net *n)
{
	if (!n)
		return;
	ws_free(n->ws);
	net_watch_close(&n->second);
	base_close(&n->epoll);
	free(n);
}

void
net_freep(struct net **n)
{
	net_free(*n);
}

struct err *
net_run(struct net *n)
{
	struct err *err = NULL;

	while (!err && !n->stopped)
		err = ws_turn(n->ws);
	return err;
}

void
net_stop(struct net *n)
{
	n->stopped = true;
}

void
net_counts(const struct net *n, struct net_counts *out)
{
	*out = n->counts;
}
