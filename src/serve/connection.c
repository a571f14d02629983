/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connection.c: one client of a worker - what it says goes to its protocol,
 * and answers go out as it takes them.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "serve/worker.h"

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
/* A question that came so soon after the answer before, though it had to wake
 * us. */
#define SOON_NS 100000u

/* ---- one connection ---- */

static struct worker_tally *
connection_tally(const struct worker *w, const struct connection *c)
{
	struct worker_tally *t = &w->o->tallies->of[c->number
						    % WORKER_TALLIES];
	const struct protocol *p = c->protocol;

	t->messages = p->told ? p->told(c->client) : 0;
	return t;
}

struct err *
connection_end(struct worker *w, struct connection *c)
{
	struct err *err = record_end(&w->recorder, &c->mask, c->number);

	if (w->o->tallies && !c->inner)
		connection_tally(w, c)->ended = true;
	c->protocol->end(c->client);
	buf_fini(&c->pending);
	buf_fini(&c->held);
	/* A connection that was there from the start is the caller's; another
	 * one may be open in the process that it came from, too. */
	if (c->in != w->o->in) {
		shutdown(c->in, SHUT_RDWR);
		base_close(&c->in);
	}
	memset(c, 0, sizeof(*c));
	return err;
}

/* The last of @w's. */
static struct err *
connection_open(struct worker *w, int in, int out,
		enum worker_protocol protocol, const struct sight *sight)
{
	struct connection *c = &w->connections[w->n];

	c->protocol = &protocols[protocol];
	struct err *err = c->protocol->begin(sight, &c->client);
	if (err)
		return err;
	c->in = in;
	c->out = out;
	w->n++;
	return NULL;
}

struct err *
worker_add(struct worker *w, int fd, enum worker_protocol protocol,
	   const struct sight *sight)
{
	_close_ int mine = fd;

	if (w->n == CONNECTIONS_MAX)
		return err_new(ERR_LIMIT, "%u clients are here; end one",
			       CONNECTIONS_MAX);
	struct err *err = connection_open(w, mine, mine, protocol, sight);
	if (err)
		return err;
	mine = -1;
	w->connections[w->n - 1].inner = true;
	return NULL;
}

struct err *
connection_begin(struct worker *w, int in, int out,
		 const struct worker_guest *guest)
{
	struct sight sight = {
		.insp = w->insp, .title = w->title, .host = &w->host,
		.attached = w->o->attached, .n_attached = w->o->n_attached,
		.local = guest->local, .worker = w, .written = w->written,
		.console_allowed = guest->local || w->o->consoles,
		.stored = w->bound, .report = w->o->report,
	};

	if (w->bound) {
		sight.attached = &w->bound;
		sight.n_attached = 1;
	}
	struct err *err = connection_open(w, in, out, guest->protocol, &sight);
	if (!err)
		w->connections[w->n - 1].number = w->count;
	return err;
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

size_t
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

bool
connection_hears(const struct connection *c)
{
	return !c->closed && !connection_is_full(c) && !c->held.len;
}

static bool
connection_is_done(const struct connection *c)
{
	return c->protocol->done(c->client);
}

/* What is sent, from byte @before of the answers on. */
static struct err *
connection_record(struct worker *w, const struct connection *c, size_t before)
{
	return c->inner ? NULL : record_sent(&w->recorder, c->number,
			(struct span){ c->pending.data + before,
				       c->pending.len - before });
}

static struct err *
connection_answer(struct worker *w, struct connection *c, struct span said)
{
	size_t before = c->pending.len;

	struct err *err = c->inner ? NULL
		: record_said(&w->recorder, &c->mask, c->number, said);
	if (!err)
		err = c->protocol->feed(c->client, said.data, said.n,
					&c->pending);
	if (!err)
		err = buf_err(&c->pending);
	if (err)
		return err;
	return connection_record(w, c, before);
}

/* As much of it as there is room for answers; the rest is held. */
static struct err *
connection_answer_some(struct worker *w, struct connection *c,
		       const uint8_t *data, size_t n, size_t *used)
{
	size_t at = 0;
	struct err *err = NULL;

	while (at < n && !err && !connection_is_full(c)
	       && !connection_is_done(c)) {
		size_t piece = n - at < SLICE ? n - at : SLICE;

		err = connection_answer(w, c, (struct span){ data + at, piece });
		at += piece;
	}
	*used = connection_is_done(c) ? n : at;
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

uint64_t
connection_now(void)
{
	struct timespec t = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Does its client ask again at once? See follow.c. */
static void
connection_asked(struct worker *w, const struct connection *c)
{
	uint64_t now = connection_now();

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
	if (!c->inner)
		connection_asked(w, c);
	struct err *err = connection_answer_some(w, c, bytes, (size_t)n,
						 &used);
	if (!err && used < (size_t)n) {
		buf_put(&c->held, bytes + used, (size_t)n - used);
		err = buf_err(&c->held);
	}
	return err;
}

/* A long answer goes on, between the questions. */
static bool
connection_is_busy(const struct connection *c)
{
	return c->protocol->busy && c->protocol->busy(c->client);
}

static struct err *
connection_work(struct worker *w, struct connection *c)
{
	size_t before = c->pending.len;

	if (!connection_is_busy(c) || connection_is_full(c))
		return NULL;
	struct err *err = c->protocol->work(c->client, &c->pending);
	if (!err)
		err = buf_err(&c->pending);
	return err ? err : connection_record(w, c, before);
}

/* Has it said something that can be answered without waiting for anything? */
bool
connection_can_go_on(const struct connection *c)
{
	return (c->held.len || connection_is_busy(c))
	       && !connection_is_full(c);
}

int
connection_patience(const struct connection *c)
{
	return c->protocol->patience ? c->protocol->patience(c->client) : -1;
}

bool
connection_foresees(const struct connection *c)
{
	return c->protocol->foresees && c->protocol->foresees(c->client);
}

void
connection_rest(struct connection *c)
{
	if (c->protocol->rest)
		c->protocol->rest(c->client);
	if (!connection_pending(c))
		buf_fini(&c->pending);
}

struct err *
connection_serve(struct worker *w, struct connection *c, short events)
{
	struct err *err = NULL;

	if (c->held.len)
		err = connection_answer_held(w, c);
	else if (!c->closed && (events & (POLLIN | POLLHUP | POLLERR)))
		err = connection_read(w, c);
	if (!err)
		err = connection_work(w, c);
	if (connection_pending(c) >= LARGE_WRITE)
		follow_stop(&w->follow);
	c->closed = c->closed || connection_is_done(c);
	if (err)
		return err;
	/* Before the client may act upon what it hears. */
	if (w->o->tallies && !c->inner)
		connection_tally(w, c)->cut = false;
	connection_write(c);
	if (w->o->tallies && !c->inner && connection_pending(c))
		connection_tally(w, c)->cut = true;
	return NULL;
}
