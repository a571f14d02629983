/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protocol: what a worker's loop asks of a protocol, whichever it is.
 */
#ifndef SERVE_PROTOCOL_H
#define SERVE_PROTOCOL_H

#include "serve/console.h"
#include "serve/host.h"
#include "serve/overlays.h"
#include "serve/serve.h"

/** What a new client sees; borrowed as long as it is there. */
struct sight {
	struct insp *insp;              /* or NULL: */
	const char *title;
	struct host *host;              /* has all there is, of which */
	const uint64_t *attached;       /* these are there from the start */
	size_t n_attached;
	bool local;                     /* the client is the owner of what is
					   on this machine */
	bool console_allowed;           /* it may have a gdb */
	worker_report_fn *report;       /* or NULL */
	bool stored;                    /* titles are PROJECT/ID of a server */
	bool aside;                     /* no person chooses what it looks at */
	struct overlays *written;       /* by others too; NULL: it has its
					   own */
	struct console *console;        /* of that protocol: takes a hold */
	struct worker *worker;
};
/** A connection of the worker's own, to what a client asked for; takes @fd. */
struct err *worker_add(struct worker *w, int fd, enum worker_protocol protocol,
		       const struct sight *sight) _must_check_;
/** Functions that are NULL have nothing to do. */
struct protocol {
	const char *name;
	struct err *(*begin)(const struct sight *sight, void **out);
	void (*end)(void *client);
	/** It said @n bytes; what is to be sent is appended to @out. */
	struct err *(*feed)(void *client, const void *data, size_t n,
			    struct buf *out);
	/** Said goodbye, or is to be hung up on. */
	bool (*done)(const void *client);
	/** Is an answer under way that is made piece by piece? */
	bool (*busy)(const void *client);
	struct err *(*work)(void *client, struct buf *out);
	/** Milliseconds until it is busy even if nothing comes; -1: never. */
	int (*patience)(const void *client);
	/** Is it known what is asked for next, so that it can be made ready
	 * while nobody asks? */
	bool (*foresees)(const void *client);
	void (*prepare)(void *client);
	/** Messages there ever were in what was appended. */
	uint64_t (*told)(const void *client);
	/** Nobody asks for a while. */
	void (*rest)(void *client);
};
extern const struct protocol protocols[WORKER_PROTOCOLS];

#endif
