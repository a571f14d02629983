/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.c: the jailed worker - a poll loop around protocol engines.
 */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "serve/impl.h"

#define CONNECTIONS_MAX 32u
#define READ_SIZE (8u << 10)
/*
 * What is answered at once: at most a dozen requests. A client's turn ends, and
 * it is not read from, while so many bytes of answers wait for it.
 */
#define SLICE 128u
#define PENDING_MAX (1u << 20)
/* Room for answers is kept until so many small writes followed a large one. */
#define LARGE_WRITE (16u << 10)
#define SMALL_WRITES 64u
/*
 * So long the next question is waited for awake. One that is asked by a program
 * mostly comes sooner, and to be woken up takes longer than to answer.
 */
#define AWAKE_NS 50000u
/* One that came so soon after the answer before, though it had to wake us. */
#define SOON_NS 100000u

struct connection {
	int in, out;            /* the same descriptor for a socket */
	unsigned number;        /* counts from 1, for recordings */
	struct record_mask mask;
	struct stub *stub;
	struct buf pending;     /* answers; the first @sent bytes are out */
	size_t sent;
	unsigned small;         /* writes since the last large one */
	struct buf held;        /* what it said that has not been looked at, */
	size_t looked;          /* but for so many bytes */
	bool spoke;             /* it has said anything at all */
	bool closed;            /* nothing more will be read */
};

struct worker {
	const struct worker_options *o;
	struct insp *insp;
	const char *title;
	uint64_t bound;         /* what the server says that all see; 0 = none */
	struct host host;
	struct recorder recorder;
	int record;             /* that the server sent for it; or -1 */
	struct connection connections[CONNECTIONS_MAX];
	size_t n;
	unsigned count;         /* connections there ever were */
	uint64_t reads;         /* what a ping is answered with */
	bool awake;             /* its client asks again at once */
	uint64_t answered;      /* when the last answer was out, */
	uint64_t asked;         /* and the last question was asked */
	uint64_t rested;        /* what the ping before was answered with */
	struct follow follow;
	bool over;              /* nobody is left to bring connections */
};

/* ---- one connection ---- */

static struct err *
connection_end(struct worker *w, struct connection *c)
{
	struct err *err = record_end(&w->recorder, &c->mask, c->number);

	stub_free(c->stub);
	buf_fini(&c->pending);
	buf_fini(&c->held);
	/* A connection that was there from the start is the caller's. */
	if (c->in != w->o->in)
		base_close(&c->in);
	memset(c, 0, sizeof(*c));
	return err;
}

static struct err *
connection_begin(struct worker *w, int in, int out)
{
	struct stub_options options = {
		.title = w->title, .host = w->insp ? NULL : &w->host.stub,
		.attached = w->o->attached, .n_attached = w->o->n_attached,
	};
	struct connection *c = &w->connections[w->n];

	if (w->bound) {
		options.attached = &w->bound;
		options.n_attached = 1;
	}
	struct err *err = stub_new(w->insp, &options, &c->stub);
	if (err)
		return err;
	c->in = in;
	c->out = out;
	c->number = ++w->count;
	w->n++;
	return NULL;
}

/* Most sessions that read much do so for a while, and then for long no more. */
static void
connection_shrink(struct connection *c)
{
	if (c->sent >= LARGE_WRITE)
		c->small = 0;
	else if (++c->small == SMALL_WRITES)
		buf_fini(&c->pending);
	buf_reset(&c->pending);
	c->sent = 0;
}

static size_t
connection_pending(const struct connection *c)
{
	return c->pending.len - c->sent;
}

/* A client that went away is the end of its connection, of nothing else. */
static void
connection_write(struct connection *c)
{
	while (connection_pending(c)) {
		ssize_t n = write(c->out, c->pending.data + c->sent,
				  connection_pending(c));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			c->closed = true;
			break;
		}
		c->sent += (size_t)n;
	}
	connection_shrink(c);
}

static bool
connection_is_full(const struct connection *c)
{
	return connection_pending(c) >= PENDING_MAX;
}

static struct err *
connection_answer(struct worker *w, struct connection *c, struct span said)
{
	size_t before = c->pending.len;

	struct err *err = record_said(&w->recorder, &c->mask, c->number, said);
	if (!err)
		err = stub_feed(c->stub, said.data, said.n, &c->pending);
	if (!err)
		err = buf_err(&c->pending);
	if (err)
		return err;
	return record_sent(&w->recorder, c->number, (struct span){
			c->pending.data + before, c->pending.len - before });
}

/* As much of it as there is room for answers; the rest is held. */
static struct err *
connection_answer_some(struct worker *w, struct connection *c,
		       const uint8_t *data, size_t n, size_t *used)
{
	size_t at = 0;
	struct err *err = NULL;

	while (at < n && !err && !connection_is_full(c)
	       && !stub_done(c->stub)) {
		size_t piece = n - at < SLICE ? n - at : SLICE;

		err = connection_answer(w, c, (struct span){ data + at, piece });
		at += piece;
	}
	*used = stub_done(c->stub) ? n : at;
	return err;
}

static struct err *
connection_answer_held(struct worker *w, struct connection *c)
{
	size_t used;

	struct err *err = connection_answer_some(
			w, c, (uint8_t *)c->held.data + c->looked,
			c->held.len - c->looked, &used);
	c->looked += used;
	if (c->looked == c->held.len) {
		buf_fini(&c->held);
		c->looked = 0;
	}
	return err;
}

static uint64_t
now_ns(void)
{
	struct timespec t = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Does its client ask again at once? See follow.c. */
static void
connection_asked(struct worker *w, const struct connection *c)
{
	uint64_t now = now_ns();

	w->awake = false;
	if (now - w->answered >= SOON_NS)
		follow_late(&w->follow);
	else
		w->awake = follow_question(&w->follow, c->in, now - w->asked);
	w->asked = now;
}

static struct err *
connection_read(struct worker *w, struct connection *c)
{
	uint8_t bytes[READ_SIZE];       /* the stack has been as deep before */
	ssize_t n = read(c->in, bytes, sizeof(bytes));
	size_t used;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return NULL;
	if (n <= 0) {
		c->closed = true;
		return NULL;
	}
	w->reads++;
	c->spoke = true;
	connection_asked(w, c);
	struct err *err = connection_answer_some(w, c, bytes, (size_t)n,
						 &used);
	if (!err && used < (size_t)n) {
		buf_put(&c->held, bytes + used, (size_t)n - used);
		err = buf_err(&c->held);
	}
	return err;
}

static struct err *
connection_serve(struct worker *w, struct connection *c, short events)
{
	struct err *err = NULL;

	if (c->held.len)
		err = connection_answer_held(w, c);
	else if (!c->closed && (events & (POLLIN | POLLHUP | POLLERR)))
		err = connection_read(w, c);
	if (connection_pending(c) >= LARGE_WRITE)
		follow_stop(&w->follow);
	c->closed = c->closed || stub_done(c->stub);
	if (!err)
		connection_write(c);
	return err;
}

/* ---- what the server says ---- */

/* Who came and said nothing goes, the first of them first, where one comes who
 * may be in earnest. */
static bool
worker_makes_room(struct worker *w)
{
	struct connection *silent = NULL;

	if (w->n < CONNECTIONS_MAX)
		return true;
	for (size_t k = 0; k < w->n; k++) {
		struct connection *c = &w->connections[k];

		if (!c->spoke && (!silent || c->number < silent->number))
			silent = c;
	}
	if (!silent)
		return false;
	err_free(connection_end(w, silent));
	*silent = w->connections[--w->n];
	memset(&w->connections[w->n], 0, sizeof(*silent));
	return true;
}

static struct err *
worker_connection(struct worker *w, struct control_message *m)
{
	struct err *err;

	if (m->fd < 0 || !worker_makes_room(w))
		return NULL;
	if (m->number)
		w->host.stub.auth = NULL;
	err = connection_begin(w, m->fd, m->fd);
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
	return record_begin(&w->recorder, w->record, m->number);
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

/* Sessions are many, and most of them wait for a person who reads. */
static void
worker_rest(struct worker *w)
{
	for (size_t k = 0; k < w->n; k++) {
		struct connection *c = &w->connections[k];

		stub_rest(c->stub);
		if (!connection_pending(c))
			buf_fini(&c->pending);
	}
	for (size_t k = 0; k < w->host.n; k++)
		insp_rest(w->host.engines[k].insp);
	follow_stop(&w->follow);
	malloc_trim(0);
}

static struct err *
worker_ping(struct worker *w, struct control_message *m)
{
	(void)m;
	if (w->reads == w->rested)
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
		bool hears = !connection_is_full(c) && !c->held.len;
		slot[n++] = (struct pollfd){
			.fd = hears && !c->closed ? c->in : -1,
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

/* Has it said something that can be answered without waiting for anything? */
static bool
connection_can_go_on(const struct connection *c)
{
	return c->held.len && !connection_is_full(c);
}

static bool
worker_can_go_on(const struct worker *w)
{
	for (size_t k = 0; k < w->n; k++)
		if (connection_can_go_on(&w->connections[k]))
			return true;
	return false;
}

/* While nobody asks, what somebody will ask for is made ready. */
static int
worker_poll_ahead(struct worker *w, struct pollfd *slot, size_t n)
{
	int ready = 0;

	for (size_t k = 0; k < w->n && !ready; k++) {
		struct stub *s = w->connections[k].stub;

		if (!stub_reads_on(s))
			continue;
		ready = poll(slot, n, 0);
		if (!ready)
			stub_ahead(s);
	}
	return ready;
}

static int
worker_poll(struct worker *w, struct pollfd *slot, size_t n)
{
	uint64_t until = (w->answered = now_ns()) + AWAKE_NS;

	if (worker_can_go_on(w))
		return poll(slot, n, 0);
	int ready = worker_poll_ahead(w, slot, n);
	while (!ready && w->awake && now_ns() < until)
		ready = poll(slot, n, 0);
	return ready ? ready : poll(slot, n, -1);
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
	for (size_t k = 0; k < served && !err; k++) {
		short events = (short)(slot[1 + 2 * k].revents
				       | slot[2 + 2 * k].revents);
		if (events || connection_can_go_on(&w->connections[k]))
			err = connection_serve(w, &w->connections[k], events);
	}
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
	return o->insp || o->n_attached
	       ? control_say(o->control, CONTROL_READY, 0) : NULL;
}

/* What cannot be opened is said before anybody may speak. */
static struct err *
worker_open(struct worker *w)
{
	const struct stub_host *host = &w->host.stub;
	struct err *err = NULL;
	const char *title;
	struct insp *i;

	for (size_t k = 0; k < w->o->n_attached && !err; k++)
		err = host->open(host->arg, w->o->attached[k], &i, &title);
	return err;
}

static struct err *
worker_serve(struct worker *w)
{
	bool here = w->o->in >= 0, single = here || w->o->single;
	struct err *err = record_begin(&w->recorder, w->o->record,
				       w->o->record_limit);

	if (!err && here)
		err = connection_begin(w, w->o->in, w->o->out);
	while (!err && !w->over && (w->n || !single || !w->count))
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
	w->host.other = worker_message;
	w->host.other_arg = w;
	w->host.packet = malloc(sizeof(*w->host.packet));
	host_init(&w->host);
	if (o->n_attached)
		w->host.stub.auth = NULL;
	struct err *err = w->host.packet ? worker_open(w) : err_nomem();
	if (!err)
		err = worker_ready(o);
	if (!err)
		err = worker_serve(w);
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
worker_pass(int control, int fd)
{
	const struct control_message m = {
		.type = CONTROL_CONNECTION, .text = "", .fd = fd,
	};

	return control_send(control, &m);
}
