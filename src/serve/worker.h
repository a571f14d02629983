/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker: what the files of the jailed worker share.
 */
#ifndef SERVE_WORKER_H
#define SERVE_WORKER_H

#include "serve/impl.h"
#include "serve/protocol.h"

#define CONNECTIONS_MAX 32u

struct connection {
	int in, out;            /* the same descriptor for a socket */
	unsigned number;        /* counts from 1, for recordings */
	struct record_mask mask;
	const struct protocol *protocol;
	void *client;           /* the protocol's; NULL: there is none */
	struct buf pending;     /* answers; the first @sent bytes are out */
	size_t sent;
	unsigned small;         /* writes since the last large one */
	struct buf held;        /* what it said that has not been looked at, */
	size_t looked;          /* but for so many bytes */
	bool spoke;             /* it has said anything at all */
	bool inner;             /* not a client's: see worker_add() */
	bool closed;            /* nothing more will be read */
};

struct worker {
	const struct worker_options *o;
	struct insp *insp;
	const char *title;
	uint64_t bound;         /* what the server says that all see; 0 = none */
	struct overlays *written;       /* by all of them; NULL: each its own */
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
	bool serving;           /* a connection is being served */
	bool over;              /* nobody is left to bring connections */
};

/* ---- connection.c ---- */
/** The last of @w's; owns @in and @out once it succeeds, but for those of its
 * options. */
struct err *connection_begin(struct worker *w, int in, int out,
			     const struct worker_guest *guest) _must_check_;
struct err *connection_end(struct worker *w, struct connection *c)
	_must_check_;
/** poll() said @events of it; or it can go on. */
struct err *connection_serve(struct worker *w, struct connection *c,
			     short events) _must_check_;
/** Has it anything to do without waiting? */
bool connection_can_go_on(const struct connection *c);
/** Milliseconds until it can; -1: only when something comes. */
int connection_patience(const struct connection *c);
/** May it be read from? */
bool connection_hears(const struct connection *c);
/** Bytes that wait for it to read. */
size_t connection_pending(const struct connection *c);
bool connection_foresees(const struct connection *c);
/** Nobody asks for a while. */
void connection_rest(struct connection *c);
/** Of the clock that @w's times are of. */
uint64_t connection_now(void);

#endif
