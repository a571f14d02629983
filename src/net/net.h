/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net: HTTP, websocket and raw sockets. One loop, one thread, no knowledge of
 * what is said: requests, upgrades and bytes are handed up, answers are taken
 * with back-pressure.
 *
 * What a client can send is bounded: the length and the time of a request's
 * headers, the number of sockets, the bytes and the fragments of a message,
 * the share of bytes that carry nothing. Whoever goes beyond is hung up on.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include "base/base.h"

/* ---- clients ------------------------------------------------------------ */
/** Called as bytes arrive; @total is 0 while it is not known. */
typedef void net_progress_fn(void *arg, uint64_t done, uint64_t total);
struct net_fetch {
	const char *url;                /* http: or https: */
	const char *token;              /* or NULL; sent as Authorization */
	uint64_t limit;                 /* most bytes that are taken */
	int out;                        /* where they are written */
	net_progress_fn *progress;      /* or NULL */
	void *progress_arg;
};
/**
 * GET into a descriptor. ERR_DENIED for 401 and 403, ERR_NOTFOUND for 404,
 * ERR_LIMIT over @limit, ERR_NETWORK for all else that is not 200; the text
 * carries the first line of what the server said, escaped. No redirects.
 */
struct err *net_fetch(const struct net_fetch *f) _must_check_;

struct net_pipe {
	const char *url, *token, *subprotocol;
	bool messages;          /* text messages: see net_upgrade() */
	int in, out;
	void (*opened)(void *arg);      /* called once it is made; or NULL */
	/** Sees all bytes before they are passed on; or NULL. */
	struct err *(*tap)(void *arg, bool out, struct span bytes);
	void *arg;
	uint64_t *passed;       /* messages that went to @out; or NULL */
};
/**
 * Open a websocket and copy between it and two descriptors until one side
 * ends. The URL is http: or https:, as the server prints it. Errors as of
 * net_fetch(), for the upgrade.
 */
struct err *net_pipe(const struct net_pipe *p) _must_check_;

/** The parts of an http: or https: URL. ERR_USAGE for anything else. */
struct net_url {
	bool tls;
	char *host;             /* without brackets */
	uint16_t port;
	char *path;             /* from its slash on, without the query */
	char *query;            /* after the question mark; NULL = none */
};
struct err *net_url_parse(const char *text, struct net_url *out) _must_check_;
void net_url_fini(struct net_url *u);
#define _url_ _cleanup_(net_url_fini)

/* ---- listening ------------------------------------------------------------ */
struct net_listener {
	int fd;
	char *where;            /* "127.0.0.1:1234", "[::1]:1", "unix:/x" */
	char *unlink;           /* path of a unix socket to remove, or NULL */
};
/**
 * @address is HOST:PORT on loopback (port 0: a free one), unix:PATH (its owner
 * only may connect; a socket that nobody listens on is replaced) or fd:N, a
 * socket that was made and bound by someone else, taken over. ERR_DENIED for
 * what is not on this machine.
 */
struct err *net_listen(const char *address, struct net_listener *out)
	_must_check_;
void net_listener_close(struct net_listener *l);
/**
 * The next connection, non-blocking and without delay; -1 with errno if there
 * is none, or no descriptor left for it.
 */
int net_accept(const struct net_listener *l);
/** Is it a unix socket, and who is at the other end? */
bool net_peer_uid(int fd, uid_t *out);

/* ---- the loop ------------------------------------------------------------- */
struct net;
struct net_http;
struct net_options {
	const struct net_http *http;    /* who answers; NULL: no clients */
	void *arg;
	const char *const *subprotocols;        /* of websockets; NULL ends */
	unsigned connections;           /* HTTP sockets at once */
	unsigned header_seconds;        /* for a request's headers */
};
struct err *net_new(const struct net_options *o, struct net **out)
	_must_check_;
void net_free(struct net *n);
void net_freep(struct net **n);
#define _net_ _cleanup_(net_freep)
/** Until net_stop(). */
struct err *net_run(struct net *n) _must_check_;
void net_stop(struct net *n);

/** What a descriptor is ready for. */
enum { NET_READ = 1, NET_WRITE = 2, NET_END = 4 };
typedef void net_watch_fn(void *arg, unsigned events);
/** Fill @fd, @fn and @arg; then it stays where it is until net_unwatch(). */
struct net_watch {
	int fd;
	net_watch_fn *fn;
	void *arg;
	struct net *net;        /* NULL: not watched */
	bool tick;
};
/**
 * Call @w->fn whenever @w->fd is ready for one of @events; NET_END, that its
 * peer has gone, is always told. Within @fn any watch may be ended.
 */
struct err *net_watch(struct net *n, struct net_watch *w, unsigned events)
	_must_check_;
void net_rewatch(struct net_watch *w, unsigned events);
/** Does not close the descriptor. */
void net_unwatch(struct net_watch *w);
/** Call @w->fn every @ms milliseconds; @w->fd is ours. */
struct err *net_tick(struct net *n, struct net_watch *w, unsigned ms)
	_must_check_;
/** The end of a watch, and of its descriptor. */
void net_watch_close(struct net_watch *w);

/* ---- HTTP clients ----------------------------------------------------------- */
/** A request; all borrowed during the call. NULL: there was no such header. */
struct net_request {
	const char *method;     /* "GET", "HEAD"; "" = any other */
	const char *path;
	const char *query;
	const char *host, *origin, *cookie, *authorization;
	const char *protocols;  /* asked for by a websocket */
	bool websocket;
	int fd;                 /* the socket, for who is at its other end */
};
/** A connection of HTTP, later perhaps a websocket. */
struct net_client;
struct net_http {
	/**
	 * Ends in net_answer(), net_upgrade() (of a websocket only), or
	 * net_hold() (of others), after which net_send() or net_answer() come
	 * later, or never if the client goes first.
	 */
	void (*request)(void *arg, struct net_client *c,
			const struct net_request *r);
	/** A websocket's first bytes: the descriptor to exchange them with,
	 * which net then owns; -1 after net_close(). */
	int (*begin)(void *arg, struct net_client *c);
	/** That descriptor's other end was closed; net_close() is expected,
	 * at once or later. */
	void (*ended)(void *arg, struct net_client *c);
	/** A client that net_client_set() gave something to has gone, and @c
	 * with it. */
	void (*gone)(void *arg, struct net_client *c);
};
/** Serve HTTP on an accepted connection; takes @fd. Where there is no room, it
 * takes that of one whose headers have not come. False: it was one too many. */
bool net_adopt(struct net *n, int fd);
/** Something of the caller's, until gone(). */
void net_client_set(struct net_client *c, void *data);
void *net_client_get(const struct net_client *c);
/** A short text; the connection ends. */
void net_answer(struct net_client *c, unsigned status, const char *type,
		const char *text);
void net_hold(struct net_client *c);
/** 200 with the bytes of a regular file; takes @fd. */
void net_send(struct net_client *c, int fd, uint64_t size, const char *type);
enum net_carried {
	NET_BYTES,              /* binary messages, cut anywhere */
	/** Text messages; on the descriptor each of them stands behind
	 * "Content-Length: N" and an empty line. */
	NET_MESSAGES,
};
void net_upgrade(struct net_client *c, enum net_carried carried);
/** Of messages: how many were sent. False: one is half sent. */
bool net_messages_sent(const struct net_client *c, uint64_t *out);
/** Send one more, where none is half sent. */
void net_message(struct net_client *c, struct span text);
/** End a websocket (RFC 6455, 7.4); @why has at most 100 bytes. */
void net_close(struct net_client *c, unsigned code, const char *why);
/** The same for all of them; other clients are not touched. */
void net_close_all(struct net *n, unsigned code, const char *why);
enum {
	NET_NORMAL = 1000, NET_AWAY = 1001, NET_UNACCEPTABLE = 1003,
	NET_POLICY = 1008, NET_TOO_BIG = 1009, NET_FAILED = 1011,
	NET_LATER = 1013,
};

struct net_counts {
	uint64_t clients, websockets;   /* now */
	uint64_t accepted, in, out;     /* ever; bytes of websockets and files */
	uint64_t floods;                /* hung up on for going beyond */
};
void net_counts(const struct net *n, struct net_counts *out);

#endif
