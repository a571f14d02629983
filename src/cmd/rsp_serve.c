/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rsp_serve.c: the jailed worker - a poll loop around protocol engines.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/rsp.h"
#include "gdbstub/gdbstub.h"

#define CONNECTIONS_MAX 32u
#define READ_SIZE (64u << 10)
/* A client that does not read its answers is not read from, either. */
#define PENDING_MAX (4u << 20)

struct connection {
	int in, out;            /* the same descriptor for a socket */
	unsigned number;        /* counts from 1, for recordings */
	struct stub *stub;
	struct buf pending;     /* answers; the first @sent bytes are out */
	size_t sent;
	bool closed;            /* nothing more will be read */
};

struct worker {
	struct subject *subject;
	const struct rsp_job *job;
	struct connection connections[CONNECTIONS_MAX];
	size_t n;
	unsigned count;         /* connections there ever were */
	bool accepting;
	uint8_t bytes[READ_SIZE];
};

/* ---- one connection ---- */

static void
connection_end(struct connection *c, const struct rsp_job *job)
{
	stub_free(c->stub);
	buf_fini(&c->pending);
	/* A connection that was there from the start is the caller's. */
	if (c->in != job->in)
		base_close(&c->in);
	memset(c, 0, sizeof(*c));
}

static struct err *
connection_begin(struct worker *w, int in, int out)
{
	const struct stub_options options = { .title = w->subject->path };
	struct connection *c = &w->connections[w->n];

	struct err *err = stub_new(w->subject->insp, &options, &c->stub);
	if (err)
		return err;
	c->in = in;
	c->out = out;
	c->number = ++w->count;
	w->n++;
	return NULL;
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
	buf_reset(&c->pending);
	c->sent = 0;
}

static struct err *
connection_read(struct worker *w, struct connection *c)
{
	ssize_t n = read(c->in, w->bytes, sizeof(w->bytes));
	size_t before = c->pending.len;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return NULL;
	if (n <= 0) {
		c->closed = true;
		return NULL;
	}
	struct err *err = rsp_record(w->job->record, RSP_FROM_CLIENT,
				     c->number, w->bytes, (size_t)n);
	if (!err)
		err = stub_feed(c->stub, w->bytes, (size_t)n, &c->pending);
	if (!err)
		err = buf_err(&c->pending);
	if (!err)
		err = rsp_record(w->job->record, RSP_TO_CLIENT, c->number,
				 c->pending.data + before,
				 c->pending.len - before);
	c->closed = c->closed || stub_done(c->stub);
	return err;
}

static struct err *
connection_serve(struct worker *w, struct connection *c, short events)
{
	struct err *err = NULL;

	if (!c->closed && (events & (POLLIN | POLLHUP | POLLERR)))
		err = connection_read(w, c);
	if (!err)
		connection_write(c);
	return err;
}

/* ---- the loop ---- */

static struct err *
worker_accept(struct worker *w)
{
	int fd;

	struct err *err = rsp_take_connection(w->job->control, &fd);
	if (err)
		return err;
	if (fd < 0) {
		w->accepting = false;
		return NULL;
	}
	err = connection_begin(w, fd, fd);
	if (err)
		base_close(&fd);
	return err;
}

/* What to wait for: slot 0 is the control socket, then two a connection. */
static size_t
worker_slots(struct worker *w, struct pollfd *slot)
{
	size_t n = 0;

	slot[n++] = (struct pollfd){
		.fd = w->accepting && w->n < CONNECTIONS_MAX
		      ? w->job->control : -1,
		.events = POLLIN,
	};
	for (size_t k = 0; k < w->n; k++) {
		const struct connection *c = &w->connections[k];
		bool room = connection_pending(c) < PENDING_MAX;
		slot[n++] = (struct pollfd){
			.fd = room && !c->closed ? c->in : -1,
			.events = POLLIN,
		};
		slot[n++] = (struct pollfd){
			.fd = connection_pending(c) ? c->out : -1,
			.events = POLLOUT,
		};
	}
	return n;
}

static void
worker_reap(struct worker *w)
{
	for (size_t k = 0; k < w->n;) {
		struct connection *c = &w->connections[k];
		if (!c->closed || connection_pending(c)) {
			k++;
			continue;
		}
		connection_end(c, w->job);
		w->connections[k] = w->connections[--w->n];
		memset(&w->connections[w->n], 0, sizeof(*c));
	}
}

static struct err *
worker_turn(struct worker *w)
{
	struct pollfd slot[1 + 2 * CONNECTIONS_MAX];
	size_t n = worker_slots(w, slot), served = w->n;
	struct err *err = NULL;

	if (poll(slot, n, -1) < 0)
		return errno == EINTR ? NULL
				      : err_errno("cannot wait for a client");
	if (slot[0].revents)
		err = worker_accept(w);
	for (size_t k = 0; k < served && !err; k++) {
		short events = (short)(slot[1 + 2 * k].revents
				       | slot[2 + 2 * k].revents);
		if (events)
			err = connection_serve(w, &w->connections[k], events);
	}
	worker_reap(w);
	return err;
}

static struct err *
worker_run(struct worker *w)
{
	struct err *err = rsp_record_begin(w->job->record);

	if (!err && w->job->in >= 0)
		err = connection_begin(w, w->job->in, w->job->out);
	while (!err && (w->n || w->accepting))
		err = worker_turn(w);
	while (w->n)
		connection_end(&w->connections[--w->n], w->job);
	return err;
}

static struct err *
worker_ready(const struct rsp_job *job)
{
	if (job->quiet >= 0) {
		/* The jail has no dup2(); the lowest free number is taken. */
		close(STDERR_FILENO);
		if (dup(job->quiet) != STDERR_FILENO)
			return err_errno("cannot turn stderr away");
	}
	return io_write(job->control, "r", 1);
}

struct err *
rsp_serve(struct subject *s, void *job)
{
	_arena_ struct arena *a = arena_new(0);
	struct worker *w = a ? arena_alloc(a, sizeof(*w)) : NULL;

	if (!w)
		return err_nomem();
	struct err *err = subject_open(s);
	if (err)
		return err;
	w->subject = s;
	w->job = job;
	w->accepting = w->job->in < 0;
	err = worker_ready(job);
	return err ? err : worker_run(w);
}
