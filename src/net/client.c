/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.c: one HTTP connection - its answer, or the bridge between a
 * websocket and a descriptor. At most one piece is under way in each
 * direction; whoever does not take it is not read for.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/impl.h"

/* Seconds: for what was promised, for a piece of a body, for a goodbye. */
#define HOLD_SECONDS 600u
#define BODY_SECONDS 30u
#define CLOSE_SECONDS 5u
#define BODY_PIECE (16u << 10)
#define BRIDGE_PIECE (16u << 10)
/* Looks in a row that may find too much framing. */
#define WASTEFUL_MAX 2u

/* ---- life ---- */

struct net_client *
client_new(struct net *n)
{
	struct net_client *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->net = n;
	c->in.fd = c->out = -1;
	c->next = n->clients;
	c->back = &n->clients;
	if (c->next)
		c->next->back = &c->next;
	n->clients = c;
	n->counts.clients++;
	return c;
}

void
client_gone(struct net_client *c)
{
	struct net *n = c->net;

	if (n->o.http && c->data)
		n->o.http->gone(n->o.arg, c);
	*c->back = c->next;
	if (c->next)
		c->next->back = c->back;
	n->counts.clients--;
	if (c->state == CLIENT_SOCKET)
		n->counts.websockets--;
	/* On a client's side both ends are the caller's. */
	if (n->o.http) {
		net_watch_close(&c->in);
	} else {
		net_unwatch(&c->in);
		net_stop(n);
	}
	message_forget(c);
	buf_fini(&c->stash);
	buf_fini(&c->piece);
	free(c);
}

/*
 * Whoever is longest about its headers gives place to who comes: else a few
 * that never end theirs would shut all others out, again and again.
 */
static void
client_make_room(struct net *n)
{
	struct net_client *oldest = NULL;

	for (struct net_client *c = n->clients; c; c = c->next)
		if (c->state == CLIENT_NEW && c->wsi)
			oldest = c;
	if (!oldest)
		return;
	n->counts.floods++;
	ws_end(oldest->wsi);
}

bool
net_adopt(struct net *n, int fd)
{
	_close_ int mine = fd;

	if (n->counts.clients >= n->o.connections)
		client_make_room(n);
	if (n->counts.clients >= n->o.connections)
		return false;
	struct net_client *c = client_new(n);
	if (!c)
		return false;
	int given = mine;
	mine = -1;
	if (!ws_adopt(n->ws, given, c)) {
		client_gone(c);
		return false;
	}
	n->counts.accepted++;
	return true;
}

void
net_client_set(struct net_client *c, void *data)
{
	c->data = data;
}

void *
net_client_get(const struct net_client *c)
{
	return c->data;
}

/* ---- requests ---- */

bool
client_request(struct net_client *c, const struct net_request *r)
{
	c->head_only = strcmp(r->method, "HEAD") == 0;
	c->net->o.http->request(c->net->o.arg, c, r);
	return c->state != CLIENT_DONE;
}

void
net_answer(struct net_client *c, unsigned status, const char *type,
	   const char *text)
{
	const struct ws_head head = {
		.status = status, .type = type, .length = strlen(text),
		/* Who does not say who it is, is told how (RFC 6750, 3). */
		.header = status == 401 ? "www-authenticate:" : NULL,
		.value = "Bearer",
	};
	bool held = c->state == CLIENT_HELD;

	c->state = CLIENT_DONE;
	if (ws_send_head(c->wsi, &head) && !c->head_only && head.length)
		ws_send(c->wsi, text, head.length, true);
	if (held)
		ws_want_write(c->wsi);
}

void
net_hold(struct net_client *c)
{
	c->state = CLIENT_HELD;
	ws_deadline(c->wsi, HOLD_SECONDS);
}

void
net_send(struct net_client *c, int fd, uint64_t size, const char *type)
{
	const struct ws_head head = {
		.status = 200, .type = type, .length = size,
	};

	c->in.fd = fd;
	c->left = c->head_only ? 0 : size;
	c->state = ws_send_head(c->wsi, &head) ? CLIENT_BODY : CLIENT_DONE;
	ws_want_write(c->wsi);
}

static bool
client_send_body(struct net_client *c)
{
	char bytes[BODY_PIECE];
	size_t want = c->left < sizeof(bytes) ? (size_t)c->left : sizeof(bytes);
	ssize_t n;

	if (!want)
		return false;
	do
		n = pread(c->in.fd, bytes, want, c->offset);
	while (n < 0 && errno == EINTR);
	/* The promised length cannot be kept: the client sees a short one. */
	if (n <= 0 || !ws_send(c->wsi, bytes, (size_t)n, true))
		return false;
	c->net->counts.out += (uint64_t)n;
	c->left -= (uint64_t)n;
	c->offset += n;
	ws_deadline(c->wsi, BODY_SECONDS);
	ws_want_write(c->wsi);
	return true;
}

/* ---- websockets: from the client ---- */

void
net_upgrade(struct net_client *c, enum net_carried carried)
{
	c->state = CLIENT_UPGRADE;
	c->messages = carried == NET_MESSAGES;
}

void
net_close(struct net_client *c, unsigned code, const char *why)
{
	if (c->code || c->state == CLIENT_DONE)
		return;
	c->code = code;
	snprintf(c->why, sizeof(c->why), "%s", why);
	ws_deadline(c->wsi, CLOSE_SECONDS);
	ws_want_write(c->wsi);
}

void
net_close_all(struct net *n, unsigned code, const char *why)
{
	for (struct net_client *c = n->clients; c; c = c->next) {
		if (c->state == CLIENT_SOCKET)
			net_close(c, code, why);
	}
}

static bool
client_refuse(struct net_client *c, unsigned code, const char *why)
{
	c->net->counts.floods++;
	c->state = CLIENT_DONE;
	c->net->counts.websockets--;
	ws_close_reason(c->wsi, code, why);
	return false;
}

/* Is there anything to send? */
static bool
piece_ready(struct net_client *c)
{
	struct fragment f;

	return c->messages ? !message_next(c, &f) || f.n : c->piece.len > 0;
}

/* What is still to be done for the bridge, as events to wait for. */
static void
bridge_wait(struct net_client *c)
{
	unsigned events = (piece_ready(c) ? 0u : NET_READ)
			  | (c->stash.len ? NET_WRITE : 0u);

	if (c->ended || c->in.fd < 0)
		return;
	/* An end that nobody may act on yet would be told without pause. */
	if (!events) {
		net_unwatch(&c->in);
	} else if (c->in.net) {
		net_rewatch(&c->in, events);
	} else {
		struct err *err = net_watch(c->net, &c->in, events);
		if (err) {
			client_failed(c, err);
			net_close(c, NET_FAILED, "cannot wait for bytes");
		}
	}
}

static void
bridge_end(struct net_client *c)
{
	const struct net_http *http = c->net->o.http;

	c->ended = true;
	buf_reset(&c->stash);
	ws_pause(c->wsi, false);
	net_unwatch(&c->in);
	if (!http) {
		net_close(c, NET_NORMAL, "");
		return;
	}
	net_watch_close(&c->in);
	c->out = -1;
	http->ended(c->net->o.arg, c);
}

/* How many of the bytes were taken; SIZE_MAX: nobody takes any. */
static size_t
bridge_write(struct net_client *c, const char *data, size_t n)
{
	struct pollfd room = { .fd = c->out, .events = POLLOUT };
	size_t done = 0;

	while (done < n) {
		ssize_t k = write(c->out, data + done, n - done);
		if (k >= 0)
			done += (size_t)k;
		else if (errno == EAGAIN && c->out == c->in.fd)
			break;
		else if (errno == EAGAIN)
			poll(&room, 1, -1);
		else if (errno != EINTR)
			return SIZE_MAX;
	}
	return done;
}

/* False: what is to see everything cannot, and that is the end. */
static bool
bridge_tap(struct net_client *c, bool out, struct span bytes)
{
	struct err *err = NULL;

	if (c->pipe && c->pipe->tap)
		err = c->pipe->tap(c->pipe->arg, out, bytes);
	if (!err)
		return true;
	client_failed(c, err);
	bridge_end(c);
	return false;
}

/* Whatever is not taken is kept, and nothing more is read meanwhile. */
static void
bridge_take(struct net_client *c, const char *data, size_t n)
{
	if (!bridge_tap(c, true, (struct span){ data, n }))
		return;
	size_t done = c->stash.len ? 0 : bridge_write(c, data, n);
	if (done == SIZE_MAX) {
		bridge_end(c);
		return;
	}
	if (done == n)
		return;
	buf_put(&c->stash, data + done, n - done);
	ws_pause(c->wsi, true);
	bridge_wait(c);
}

static void
bridge_flush(struct net_client *c)
{
	size_t done = bridge_write(c, c->stash.data, c->stash.len);

	if (done == SIZE_MAX) {
		bridge_end(c);
		return;
	}
	memmove(c->stash.data, c->stash.data + done, c->stash.len - done);
	c->stash.len -= done;
	if (!c->stash.len)
		ws_pause(c->wsi, false);
}

static bool
client_within(struct net_client *c, const struct piece *p)
{
	/* An answer of a server may be longer than what is said to one. */
	bool answer = c->messages && !c->net->o.http;

	c->message += p->n;
	c->fragments += p->fragment_ends;
	c->payload += p->n;
	if (c->message > (answer ? NET_REPLY_MAX : NET_MESSAGE_MAX)
	    || (c->fragments > NET_FRAGMENTS_MAX && !answer))
		return false;
	if (p->message_ends)
		c->message = c->fragments = 0;
	return true;
}

/* ---- websockets: to the client ---- */

/* False: no more can be read now. */
static bool
bridge_read_some(struct net_client *c)
{
	char bytes[BRIDGE_PIECE];
	ssize_t n;

	n = read(c->in.fd, bytes, sizeof(bytes));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (n <= 0) {
		bridge_end(c);
		return false;
	}
	if (!bridge_tap(c, false, (struct span){ bytes, (size_t)n }))
		return false;
	buf_put(&c->piece, bytes, (size_t)n);
	return n == sizeof(bytes);
}

/* A long message leaves in large pieces; a client's input may have no more. */
static void
bridge_read(struct net_client *c)
{
	bool more = !piece_ready(c);

	if (!more)
		return;
	while (more)
		more = bridge_read_some(c) && c->messages && c->net->o.http
		       && c->piece.len < NET_FRAGMENT_MAX;
	if (piece_ready(c))
		ws_want_write(c->wsi);
}

static void
bridge_event(void *arg, unsigned events)
{
	struct net_client *c = arg;

	if (c->stash.len && (events & (NET_WRITE | NET_END)))
		bridge_flush(c);
	if (!c->ended && (events & (NET_READ | NET_END)))
		bridge_read(c);
	bridge_wait(c);
}

static bool
bridge_begin(struct net_client *c)
{
	c->begun = true;
	if (c->net->o.http) {
		c->in.fd = c->net->o.http->begin(c->net->o.arg, c);
		c->out = c->in.fd;
	}
	if (c->in.fd < 0)
		return false;
	c->in.fn = bridge_event;
	c->in.arg = c;
	bridge_wait(c);
	return true;
}

bool
client_opened(struct net_client *c)
{
	c->state = CLIENT_SOCKET;
	c->net->counts.websockets++;
	if (c->pipe && c->pipe->opened)
		c->pipe->opened(c->pipe->arg);
	/* On the side of a client its own input may come first. */
	return c->net->o.http || bridge_begin(c);
}

/* A message, whole: on its way into the stream. */
static bool
client_message(struct net_client *c)
{
	_buf_ struct buf framed = { 0 };

	message_frame((struct span){ c->joined.data, c->joined.len }, &framed);
	message_forget(c);
	if (framed.failed)
		return client_refuse(c, NET_LATER, "no memory is left");
	if (!c->begun && !bridge_begin(c))
		return true;
	if (!c->ended)
		bridge_take(c, framed.data, framed.len);
	if (c->pipe && c->pipe->passed)
		++*c->pipe->passed;
	return true;
}

static bool
client_joins(struct net_client *c, const struct piece *p)
{
	static const struct {
		unsigned code;
		const char *why;
	} refusals[] = {
		[MESSAGE_FRAMED] = { NET_UNACCEPTABLE, "a message is JSON and "
			"nothing else here: leave Content-Length out" },
		[MESSAGE_TOO_MUCH] = { NET_LATER, "too much is being said at "
			"once; try again" },
	};
	enum message_verdict v = message_join(c, p);

	if (v == MESSAGE_WHOLE)
		return client_message(c);
	return v == MESSAGE_GOES_ON
	       || client_refuse(c, refusals[v].code, refusals[v].why);
}

bool
client_received(struct net_client *c, const struct piece *p)
{
	if (c->state != CLIENT_SOCKET || c->code)
		return true;
	if (!client_within(c, p))
		return client_refuse(c, NET_TOO_BIG, "too much in one message");
	c->net->counts.in += p->n;
	if (c->messages)
		return client_joins(c, p);
	if (!c->begun && !bridge_begin(c))
		return true;
	if (!c->ended && p->n)
		bridge_take(c, p->data, p->n);
	return true;
}

static bool
client_send_piece(struct net_client *c)
{
	bool sent = ws_send(c->wsi, c->piece.data, c->piece.len, false);

	c->net->counts.out += c->piece.len;
	/* Most websockets are idle most of the time: nothing is kept. */
	buf_fini(&c->piece);
	memset(&c->piece, 0, sizeof(c->piece));
	bridge_wait(c);
	if (sent && c->code)
		ws_want_write(c->wsi);
	return sent;
}

/* What it came from may have been taken over, or is no such stream. */
static bool
client_lost(struct net_client *c)
{
	buf_reset(&c->piece);
	client_failed(c, err_new(ERR_FORMAT, "what is to be sent is no stream "
				 "of messages, each behind Content-Length"));
	bridge_end(c);
	net_close(c, NET_FAILED, "no message came from the session");
	ws_want_write(c->wsi);
	return true;
}

static bool
client_send_fragment(struct net_client *c)
{
	struct fragment f;

	if (!message_next(c, &f))
		return client_lost(c);
	bool sent = ws_send_text(c->wsi, &f);
	c->net->counts.out += f.n;
	message_sent(c, &f);
	if (!c->piece.len) {
		buf_fini(&c->piece);
		memset(&c->piece, 0, sizeof(c->piece));
	}
	bridge_wait(c);
	if (sent && (c->code || piece_ready(c)))
		ws_want_write(c->wsi);
	return sent;
}

bool
net_messages_sent(const struct net_client *c, uint64_t *out)
{
	*out = c->messages_sent;
	return c->messages && c->state == CLIENT_SOCKET && !c->piece.len
	       && !c->out_left && !c->code;
}

void
net_message(struct net_client *c, struct span text)
{
	message_frame(text, &c->piece);
	ws_want_write(c->wsi);
}

bool
client_writable(struct net_client *c)
{
	if (c->state == CLIENT_BODY)
		return client_send_body(c);
	if (c->state != CLIENT_SOCKET)
		return c->state != CLIENT_DONE;
	if (piece_ready(c))
		return c->messages ? client_send_fragment(c)
				   : client_send_piece(c);
	if (!c->code)
		return true;
	ws_close_reason(c->wsi, c->code, c->why);
	return false;
}

void
client_failed(struct net_client *c, struct err *err)
{
	if (!c->told) {
		err_free(err);
		return;
	}
	err_free(*c->told);
	*c->told = err;
}

/* ---- floods ---- */

/* What came over the wire; libwebsockets counts neither pings nor frames. */
static bool
client_wire_bytes(const struct net_client *c, uint64_t *out)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);

	if (getsockopt(ws_fd(c->wsi), IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
		return false;
	*out = info.tcpi_bytes_received;
	return true;
}

/* Room for what is never said whole is taken from all others. */
static void
client_look_joined(struct net_client *c)
{
	/* One that is not read from cannot end it. */
	if (c->stash.len)
		return;
	c->joining = c->joined.len && c->net->o.http ? c->joining + 1 : 0;
	if (c->joining <= NET_JOINING_SECONDS)
		return;
	c->net->counts.floods++;
	message_forget(c);
	net_close(c, NET_POLICY, "a message did not end");
}

void
client_look(struct net_client *c)
{
	uint64_t wire, came;

	client_look_joined(c);
	if (!c->net->o.http || c->state != CLIENT_SOCKET || c->code
	    || !client_wire_bytes(c, &wire))
		return;
	came = wire - c->wire;
	c->wire = wire;
	c->wasteful = came > NET_OVERHEAD_MAX + 2 * c->payload
		      ? c->wasteful + 1 : 0;
	c->payload = 0;
	if (c->wasteful < WASTEFUL_MAX)
		return;
	c->net->counts.floods++;
	net_close(c, NET_POLICY, "too many frames that carry nothing");
}
