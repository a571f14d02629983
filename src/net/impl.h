/* SPDX-License-Identifier: Apache-2.0 */
/*
 * impl: what the files of net share. ws.c alone knows libwebsockets; it offers
 * what it can do as the functions below and calls the client_…() ones.
 */
#ifndef NET_IMPL_H
#define NET_IMPL_H

#include "net/net.h"

/*
 * Bytes of a websocket that are taken or sent at once. An idle one costs one
 * such piece, for libwebsockets collects a frame's payload in it.
 */
#define NET_PIECE 4096u
/* Of a message, before its sender is hung up on. */
#define NET_MESSAGE_MAX (1u << 20)
#define NET_FRAGMENTS_MAX 256u
/*
 * Of what is carried as text messages (messages.c): one that is sent or that a
 * server answers, its fragments, and all that clients have begun to say.
 */
#define NET_REPLY_MAX (64u << 20)
#define NET_FRAGMENT_MAX (64u << 10)
#define NET_JOINED_MAX (64u << 20)
#define NET_JOINING_SECONDS 10u         /* for a message that has begun */
/*
 * Bytes a second that may be framing, pings and fragments of nothing, beyond
 * as many as there are of payload.
 */
#define NET_OVERHEAD_MAX (64u << 10)

struct ws;              /* the context of libwebsockets */
struct lws;             /* a connection in it */

struct net {
	struct net_options o;
	struct ws *ws;
	int epoll;
	bool stopped;
	struct net_client *clients;
	struct net_watch second;
	size_t joined;          /* bytes in all of that name */
	struct net_counts counts;
};

/* ---- ws.c, for the others ---- */
/** Calls @ready(@n) whenever @fd, a descriptor of ours, is readable. */
struct err *ws_new(struct net *n, int fd, net_watch_fn *ready,
		   struct ws **out) _must_check_;
void ws_free(struct ws *w);
/** Wait for something to do, and do it. */
struct err *ws_turn(struct ws *w) _must_check_;
/** Takes @fd; false without room. */
bool ws_adopt(struct ws *w, int fd, struct net_client *c);
/** Have client_writable() called when there is room to send. */
void ws_want_write(struct lws *wsi);
/** A binary message, or a part of a body; false when it cannot go on. */
bool ws_send(struct lws *wsi, const void *data, size_t n, bool body);
/** A piece of a text message. */
struct fragment {
	const void *data;
	size_t n;
	bool first, last;
};
bool ws_send_text(struct lws *wsi, const struct fragment *f);
struct ws_head {
	unsigned status;
	const char *header, *value;     /* one more, "name:"; or NULL */
	const char *type;
	uint64_t length;
};
bool ws_send_head(struct lws *wsi, const struct ws_head *h);
/** Take no more from the client, or again. */
void ws_pause(struct lws *wsi, bool paused);
/** For how long the next step may take. */
void ws_deadline(struct lws *wsi, unsigned seconds);
/** At once; not for the one whose turn it is. */
void ws_end(struct lws *wsi);
void ws_close_reason(struct lws *wsi, unsigned code, const char *why);
int ws_fd(struct lws *wsi);

/** The client side: see net_pipe(). */
struct ws_target {
	const struct net_url *url;
	const char *token, *subprotocol;
};
struct err *ws_connect(struct ws *w, const struct ws_target *t,
		       struct net_client *c) _must_check_;

/* ---- client.c: one connection ---- */
enum client_state {
	CLIENT_NEW,             /* headers have not come yet */
	CLIENT_HELD,            /* its request will be answered later */
	CLIENT_BODY,            /* its answer is under way */
	CLIENT_UPGRADE,         /* it becomes a websocket */
	CLIENT_SOCKET,          /* it is one */
	CLIENT_DONE,            /* nothing more is to be said */
};
struct net_client {
	struct net *net;
	struct lws *wsi;
	struct net_client *next, **back;
	void *data;
	enum client_state state;
	bool head_only;         /* no body is asked for */
	/* what a websocket is bridged to; or the file of a body */
	struct net_watch in;
	int out;                /* on a server the same as @in.fd */
	uint64_t left;          /* of a body, bytes */
	off_t offset;           /* of the next one: others read the file too */
	bool begun, ended;      /* of the bridge */
	struct buf stash;       /* came, and was not taken yet */
	struct buf piece;       /* was read, and is not sent yet */
	/* a bridge of messages */
	bool messages;
	struct buf joined;      /* of one that came, up to now */
	unsigned joining;       /* looks in a row that found some of one */
	uint64_t out_left;      /* bytes of the one that is being sent; the */
	size_t out_at;          /* first of them in @piece is here */
	bool out_begun;
	uint64_t messages_sent;
	/* limits */
	size_t message, fragments;
	uint64_t payload, wire; /* bytes; @wire until the last look */
	unsigned wasteful;      /* looks in a row that found too much framing */
	/* its end */
	unsigned code;
	char why[104];
	/* of a client here: where errors go, and what was asked for */
	struct err **told;
	const struct net_pipe *pipe;
};
struct net_client *client_new(struct net *n);

/* What ws.c calls. False: the connection is to be closed. */
bool client_request(struct net_client *c, const struct net_request *r);
bool client_opened(struct net_client *c);
struct piece {
	const void *data;
	size_t n;
	bool fragment_ends, message_ends;
};
bool client_received(struct net_client *c, const struct piece *p);
bool client_writable(struct net_client *c);
/** A server elsewhere refused, or ended, what was begun; takes @err. */
void client_failed(struct net_client *c, struct err *err);
/** Frees @c. */
void client_gone(struct net_client *c);
/** Look at what was sent in the last second. */
void client_look(struct net_client *c);

/* ---- messages.c ---- */
enum message_verdict {
	MESSAGE_GOES_ON, MESSAGE_WHOLE,
	MESSAGE_FRAMED,         /* for a stream, by its sender: not here */
	MESSAGE_TOO_MUCH,
};
/** Add a piece to @c->joined. */
enum message_verdict message_join(struct net_client *c, const struct piece *p);
void message_forget(struct net_client *c);
/** As it goes into the stream. */
void message_frame(struct span text, struct buf *out);
/** The next fragment of what came from the stream, in @c->piece; of no bytes
 * where more of it must come first. False: that is no stream of messages. */
bool message_next(struct net_client *c, struct fragment *out);
void message_sent(struct net_client *c, const struct fragment *f);

#endif
