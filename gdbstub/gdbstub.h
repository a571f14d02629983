/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gdbstub: the GDB Remote Serial Protocol as a state machine over bytes.
 *
 * No transport in here: bytes that came from a client go in, bytes to send
 * come out, so that a pipe, TCP, a websocket, a test and a fuzzer are all the
 * same. The inferior is a post-mortem engine (struct insp): it never runs,
 * writes land in the session's overlay, resume requests are answered so that
 * the client keeps its state. Malformed input is answered or skipped, never
 * fatal. Two dialects, gdb's and lldb's, are told apart while connecting.
 */
#ifndef GDBSTUB_GDBSTUB_H
#define GDBSTUB_GDBSTUB_H

#include "base/base.h"
#include "inspect/inspect.h"

struct overlay;
/**
 * Where a session is not bound to one snapshot: who says what there is, and
 * opens it ("target extended-remote": monitor auth, info os snapshots, monitor
 * open ID, attach N). Calls may block; texts are shown escaped.
 */
struct stub_offer {
	uint64_t number;        /* what attach takes, and the pid on the wire;
				   1 to INT32_MAX, the same all session long */
	const char *id;         /* what "monitor open" takes */
	const char *program, *signal, *captured;        /* or NULL */
	uint64_t index;         /* in its series; 0 = unknown, or none */
};
struct stub_host {
	/** NULL: no token is needed. ERR_DENIED: not this one. */
	struct err *(*auth)(void *arg, const char *token);
	/** Newest first, in @a. */
	struct err *(*list)(void *arg, struct arena *a,
			    const struct stub_offer **out, size_t *n);
	/** The number of what a person calls @id. */
	struct err *(*find)(void *arg, const char *id, uint64_t *number);
	/** The engine and title live until close() was called as often, or
	 * the session ends. */
	struct err *(*open)(void *arg, uint64_t number, struct insp **out,
			    const char **title);
	void (*close)(void *arg, uint64_t number);
	/** The snapshots of series @id, which @number is one of, in their
	 * order, in @a; some may be of another one. NULL: there are none. */
	struct err *(*series)(void *arg, uint64_t number, const char *id,
			      struct arena *a, const struct stub_offer **out,
			      size_t *n);
	void *arg;
};

struct stub_options {
	size_t packet_size;     /* what a client is told; 0 = 131072; at least
				   8192, at most 1 MiB */
	const char *title;      /* what is served, for `monitor info` */
	const struct stub_host *host;   /* borrowed; NULL: @i is shown */
	const uint64_t *attached;       /* of a host: there from the start */
	size_t n_attached;
	/** What was written over snapshot @number, where others see it too: it
	 * lives as long as the session. NULL: this session has its own. */
	struct err *(*overlay)(void *arg, uint64_t number,
			       struct overlay **out);
	void *overlay_arg;
	bool aside;             /* no person chooses what it looks at */
};

struct stub;
/**
 * Borrows @i until stub_free(). With a host @i is NULL: only @attached is there
 * at first, and before auth() agreed nothing is told. Three wrong tokens end the
 * session. At most 64 snapshots are open in one.
 */
struct err *stub_new(struct insp *i, const struct stub_options *options,
		     struct stub **out) _must_check_;
void stub_free(struct stub *s);
void stub_freep(struct stub **s);
#define _stub_ _cleanup_(stub_freep)

/**
 * Consume @n bytes; append what is to be sent to @out. Every complete packet
 * is answered before this returns: ten bytes may ask for packet_size, so feed
 * no more at once than may be answered. An error is about us (memory), never
 * about the client's words.
 */
struct err *stub_feed(struct stub *s, const void *data, size_t n,
		      struct buf *out) _must_check_;
/**
 * Does the client read memory, one piece behind the other? Then the answer to
 * what it will ask next can be made while it digests this one; that takes as
 * long as an answer.
 */
bool stub_reads_on(const struct stub *s);
void stub_ahead(struct stub *s);
/**
 * A person chose a thread, it seems, if nothing else is asked for now: that is
 * told to others who share the overlay. gdb asks whether the thread is alive
 * when one is chosen; where it does so of several, it goes through all.
 */
bool stub_chooses(const struct stub *s);
void stub_chosen(struct stub *s);
/** Nobody asks for a while: what can be made again is given back. */
void stub_rest(struct stub *s);
/**
 * Python for gdb that makes it at home on a snapshot: sources, printers,
 * $_inquest_ variables, why memory is not there. Also "monitor init".
 */
const char *stub_script(void);
/** The client said goodbye (D, k, vKill) or must be hung up on. */
bool stub_done(const struct stub *s);

#endif
