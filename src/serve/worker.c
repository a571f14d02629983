/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.c: the jailed worker - a poll loop around its connections.
 */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/worker.h"

/*
 * So long the next question is waited for awake. One that is asked by a program
 * mostly comes sooner, and to be woken up takes longer than to answer.
 */
#define AWAKE_NS 50000u

/* ---- what the server says ---- */

/* Who came and said nothing goes, the first of them first, where one comes who
 * may be in earnest. */
static bool
worker_makes_room(struct worker *w)
{
	struct connection *silent = NULL;

	if (w->n < CONNECTIONS_MAX)
		return true;
	/* They stay where they are while one of them asks the server. */
	if (w->serving)
		return false;
	for (size_t k = 0; k < w->n; k++) {
		struct connection *c = &w->connections[k];

		if (!c->spoke && !c->inner && (!silent || c->number < silent->number))
			silent = c;
	}
	if (!silent)
		return false;
	err_free(connection_end(w, silent));
	*silent = w->connections[--w->n];
	memset(&w->connections[w->n], 0, sizeof(*silent));
	return true;
}

/* One too many: whoever brought it may have it open still. */
static void
worker_turn_away(const struct worker *w, int fd)
{
	shutdown(fd, SHUT_RDWR);
	if (w->o->tallies)
		w->o->tallies->of[w->count % WORKER_TALLIES].ended = true;
}

static struct err *
worker_connection(struct worker *w, struct control_message *m)
{
	const struct worker_guest guest = {
		.protocol = m->number & CONTROL_DAP ? WORKER_DAP : WORKER_RSP,
		.local = m->number & CONTROL_LOCAL,
	};

	w->count++;
	if (m->fd < 0)
		return NULL;
	if (!worker_makes_room(w)) {
		worker_turn_away(w, m->fd);
		return NULL;
	}
	if (m->number & CONTROL_AUTHORISED)
		w->host.stub.auth = NULL;
	struct err *err = NULL;
	if ((m->number & CONTROL_SHARED) && !w->written)
		err = overlays_new(&w->written);
	if (!err)
		err = connection_begin(w, m->fd, m->fd, &guest);
	if (!err)
		m->fd = -1;
	return err;
}

static struct err *
worker_record(struct worker *w, struct control_message *m)
{
	if (w->recorder.fd >= 0 || m->fd < 0)
		return NULL;
	w->record = m->fd;
	m->fd = -1;
	return record_begin(&w->recorder, w->record, m->number, m->text);
}

static struct err *
worker_snapshot(struct worker *w, struct control_message *m)
{
	struct host_engine *e;
	int fd = m->fd;

	m->fd = -1;
	struct err *err = host_engine(&w->host, m->number, fd, m->text, &e);
	if (err)
		return err;
	w->host.stub.auth = NULL;
	w->bound = m->number;
	return control_say(w->o->control, CONTROL_READY, 0);
}

static bool
worker_can_go_on(const struct worker *w)
{
	for (size_t k = 0; k < w->n; k++)
		if (connection_can_go_on(&w->connections[k]))
			return true;
	return false;
}

/* Sessions are many, and most of them wait for a person who reads. */
static void
worker_rest(struct worker *w)
{
	for (size_t k = 0; k < w->n; k++)
		connection_rest(&w->connections[k]);
	for (size_t k = 0; k < w->host.n; k++)
		insp_rest(w->host.engines[k].insp);
	follow_stop(&w->follow);
	malloc_trim(0);
}

static struct err *
worker_ping(struct worker *w, struct control_message *m)
{
	(void)m;
	if (w->reads == w->rested && !worker_can_go_on(w))
		worker_rest(w);
	w->rested = w->reads;
	return control_say(w->o->control, CONTROL_PONG, w->reads);
}

static struct err *
worker_message(void *arg, struct control_message *m)
{
	static struct err *(*const handlers[CONTROL_TYPES])(
			struct worker *, struct control_message *) = {
		[CONTROL_CONNECTION] = worker_connection,
		[CONTROL_SNAPSHOT] = worker_snapshot,
		[CONTROL_PING] = worker_ping,
		[CONTROL_RECORD] = worker_record,
	};
	struct err *err = NULL;

	if (handlers[m->type])
		err = handlers[m->type](arg, m);
	base_close(&m->fd);
	m->fd = -1;
	return err;
}

static struct err *
worker_control(struct worker *w)
{
	struct err *err = host_receive(&w->host, &w->over);

	return err || w->over ? err : worker_message(w, &w->host.packet->m);
}

/* ---- the loop ---- */

/* What to wait for: slot 0 is the control socket, then two a connection. */
static size_t
worker_slots(struct worker *w, struct pollfd *slot)
{
	size_t n = 0;

	slot[n++] = (struct pollfd){
		.fd = w->o->control, .events = POLLIN,
	};
	for (size_t k = 0; k < w->n; k++) {
		const struct connection *c = &w->connections[k];
		slot[n++] = (struct pollfd){
			.fd = connection_hears(c) ? c->in : -1,
			.events = POLLIN,
		};
		slot[n++] = (struct pollfd){
			.fd = connection_pending(c) ? c->out : -1,
			.events = POLLOUT,
		};
	}
	return n;
}

static struct err *
worker_reap(struct worker *w)
{
	struct err *err = NULL;

	for (size_t k = 0; k < w->n && !err;) {
		struct connection *c = &w->connections[k];
		if (!c->closed || connection_pending(c)) {
			k++;
			continue;
		}
		err = connection_end(w, c);
		w->connections[k] = w->connections[--w->n];
		memset(&w->connections[w->n], 0, sizeof(*c));
	}
	return err;
}

/* While nobody asks, what somebody will ask for is made ready. */
static int
worker_poll_ahead(struct worker *w, struct pollfd *slot, size_t n)
{
	int ready = 0;

	for (size_t k = 0; k < w->n && !ready; k++) {
		struct connection *c = &w->connections[k];

		if (!connection_foresees(c))
			continue;
		ready = poll(slot, n, 0);
		if (!ready)
			c->protocol->prepare(c->client);
	}
	return ready;
}

/* Milliseconds until one of them has something to do. */
static int
worker_patience(const struct worker *w)
{
	int least = -1;

	for (size_t k = 0; k < w->n; k++) {
		int ms = connection_patience(&w->connections[k]);

		if (ms >= 0 && (least < 0 || ms < least))
			least = ms;
	}
	return least;
}

static int
worker_poll(struct worker *w, struct pollfd *slot, size_t n)
{
	uint64_t until = (w->answered = connection_now()) + AWAKE_NS;

	if (worker_can_go_on(w))
		return poll(slot, n, 0);
	int ready = worker_poll_ahead(w, slot, n);
	while (!ready && w->awake && connection_now() < until)
		ready = poll(slot, n, 0);
	return ready ? ready : poll(slot, n, worker_patience(w));
}

static struct err *
worker_turn(struct worker *w)
{
	struct pollfd slot[1 + 2 * CONNECTIONS_MAX];
	size_t n = worker_slots(w, slot), served = w->n;
	struct err *err = NULL;

	if (worker_poll(w, slot, n) < 0)
		return errno == EINTR ? NULL
				      : err_errno("cannot wait for a client");
	if (slot[0].revents)
		err = worker_control(w);
	w->serving = true;
	for (size_t k = 0; k < served && !err; k++) {
		short events = (short)(slot[1 + 2 * k].revents
				       | slot[2 + 2 * k].revents);
		if (events || connection_can_go_on(&w->connections[k]))
			err = connection_serve(w, &w->connections[k], events);
	}
	w->serving = false;
	return err ? err : worker_reap(w);
}

/* ---- begin and end ---- */

static struct err *
worker_ready(const struct worker_options *o)
{
	if (o->quiet >= 0) {
		/* The jail has no dup2(); the lowest free number is taken. */
		close(STDERR_FILENO);
		if (dup(o->quiet) != STDERR_FILENO)
			return err_errno("cannot turn stderr away");
	}
	return o->insp || o->n_attached || o->in >= 0
	       ? control_say(o->control, CONTROL_READY, 0) : NULL;
}

/* What cannot be opened is said before anybody may speak; but the one client
 * that is there asks for it by "attach", and is answered. */
static struct err *
worker_open(struct worker *w)
{
	bool asks = w->o->in >= 0 && w->o->protocol == WORKER_DAP;

	const struct stub_host *host = &w->host.stub;
	struct err *err = NULL;
	const char *title;
	struct insp *i;

	for (size_t k = 0; k < w->o->n_attached && !err && !asks; k++)
		err = host->open(host->arg, w->o->attached[k], &i, &title);
	return err;
}

/* Clients that are waited for: the one that was there, or any. */
static bool
worker_has_clients(const struct worker *w)
{
	for (size_t k = 0; k < w->n; k++) {
		const struct connection *c = &w->connections[k];

		if (!c->inner && (w->o->in < 0 || c->in == w->o->in))
			return true;
	}
	return false;
}

static struct err *
worker_serve(struct worker *w)
{
	const struct worker_guest guest = { w->o->protocol, true };
	bool here = w->o->in >= 0, single = here || w->o->single;
	struct err *err = record_begin(&w->recorder, w->o->record,
				       w->o->record_limit,
				       protocols[w->o->protocol].name);

	w->count += here;
	if (!err && here)
		err = connection_begin(w, w->o->in, w->o->out, &guest);
	while (!err && !w->over && (!single || !w->count
				    || worker_has_clients(w)))
		err = worker_turn(w);
	while (w->n) {
		struct err *end = connection_end(w, &w->connections[--w->n]);

		if (err)
			err_free(end);
		else
			err = end;
	}
	base_close(&w->record);
	return err;
}

struct err *
worker_run_with(const struct worker_options *o, const struct supply *supply)
{
	_arena_ struct arena *a = arena_new(0);
	struct worker *w = a ? arena_alloc(a, sizeof(*w)) : NULL;

	if (!w)
		return err_nomem();
	w->o = o;
	w->insp = o->insp;
	w->title = o->title;
	w->record = -1;
	follow_init(&w->follow, o->peer);
	w->host.control = o->control;
	w->host.supply = supply;
	w->host.exe = o->exe;
	w->host.make_indexes = o->make_indexes;
	w->host.other = worker_message;
	w->host.other_arg = w;
	w->host.packet = malloc(sizeof(*w->host.packet));
	host_init(&w->host);
	if (o->n_attached)
		w->host.stub.auth = NULL;
	struct err *err = w->host.packet ? NULL : err_nomem();
	if (!err && o->shared)
		err = overlays_new(&w->written);
	if (!err)
		err = worker_open(w);
	if (!err)
		err = worker_ready(o);
	if (!err)
		err = worker_serve(w);
	overlays_release(w->written);
	host_fini(&w->host);
	return err;
}

struct err *
worker_run(const struct worker_options *o)
{
	return worker_run_with(o, o->supply);
}

/* ---- the other end ---- */

struct err *
worker_pass(int control, int fd, const struct worker_guest *g)
{
	const struct control_message m = {
		.type = CONTROL_CONNECTION, .text = "", .fd = fd,
		.number = (g->protocol == WORKER_DAP ? CONTROL_DAP : 0u)
			  | (g->local ? CONTROL_LOCAL : 0u),
	};

	return control_send(control, &m);
}
