/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dap: the Debug Adapter Protocol as a state machine over messages.
 *
 * No transport in here: a client's message goes in, messages for it come out,
 * so that a pipe, a socket, a websocket, a test and a fuzzer are the same. The
 * debuggee is a post-mortem engine: it never runs, requests to run are refused
 * or move along a series of snapshots, and writes land in an overlay. What a
 * client says is hostile: it is answered or refused, never fatal.
 *
 * Beside the standard there are requests whose names begin with "inquest/"; the
 * answer to "initialize" lists them, and every client gets along without.
 */
#ifndef DAP_DAP_H
#define DAP_DAP_H

#include "base/base.h"
#include "inspect/inspect.h"
#include "values/values.h"

#define DAP_MESSAGE_MAX (16u << 20)     /* bytes of one that comes in */

/** A snapshot that is open. What it points to is the host's, or the caller's. */
struct dap_shown {
	uint64_t number;        /* the host's; 0 = there is no host */
	const char *id;         /* what a person calls it */
	struct insp *insp;
	struct values *values;
	struct overlay *overlay;        /* this session's; NULL: the engine's */
};
/** One of a series, or of all that a session may open. */
struct dap_offer {
	uint64_t number;
	const char *id, *program, *signal, *captured;   /* or NULL */
	uint64_t index;         /* in its series; 0 = unknown, or none */
};
/** A line of a console. */
struct dap_question {
	uint64_t number;        /* of the snapshot */
	const char *text;       /* without newlines */
	bool has_frame;
	size_t thread, frame;   /* of the target; of its view */
	uint64_t pc;            /* of the frame, which is the @same-th of */
	size_t same;            /* that pc, from 0 on */
};
/**
 * Who says what else there is, and opens it. Calls may block; texts are shown
 * escaped.
 */
struct dap_host {
	/** What "attach" names: an id, a path, an URL; NULL = what is given. */
	struct err *(*find)(void *arg, const char *snapshot, uint64_t *number);
	/** It lives until close() was called as often, or the session ends. */
	struct err *(*open)(void *arg, uint64_t number, struct dap_shown *out);
	void (*close)(void *arg, uint64_t number);
	/** The snapshots of series @id, which @number is one of, in their
	 * order, in @a. NULL: there are none. */
	struct err *(*series)(void *arg, uint64_t number, const char *id,
			      struct arena *a, const struct dap_offer **out,
			      size_t *n);
	/** Begin to ask somebody who knows all of the language: dap_answer()
	 * tells what it says. NULL: there is nobody. */
	struct err *(*ask)(void *arg, const struct dap_question *q);
	void (*forget)(void *arg);      /* nobody waits for it any more */
	/** The report of what is shown: "text", "json" or "markdown"; NULL:
	 * nobody writes one. */
	struct err *(*report)(void *arg, const struct dap_shown *shown,
			      const char *format, struct buf *out);
	/** The base of stable URLs, "http://host/p/demo/9d33"; NULL: none. */
	struct err *(*link)(void *arg, uint64_t number, struct buf *out);
	void *arg;
};

struct dap_options {
	struct dap_shown shown;         /* @shown.insp NULL: @host opens one */
	const struct dap_host *host;    /* borrowed; or NULL */
	bool local;             /* the client is on this machine: its "attach"
				   may name paths */
};

/** Where messages go: @json is one, without framing; borrowed for the call. */
struct dap_sink {
	struct err *(*message)(void *arg, struct span json);
	void *arg;
};

struct dap;
/** Borrows what @options points to until dap_free(). */
struct err *dap_new(const struct dap_options *options, struct dap **out)
	_must_check_;
void dap_free(struct dap *d), dap_freep(struct dap **d);
#define _dap_ _cleanup_(dap_freep)
/**
 * A client's message: what there is to say goes to @sink before this returns,
 * but for what dap_busy() stands for. An error is about us (memory, the sink),
 * never about the client's words.
 */
struct err *dap_message(struct dap *d, struct span json,
			const struct dap_sink *sink) _must_check_;
/** Is a long request under way? Then it goes on by dap_work(), piece by piece,
 * so that messages, "cancel" among them, are heard between the pieces. */
bool dap_busy(const struct dap *d);
struct err *dap_work(struct dap *d, const struct dap_sink *sink) _must_check_;
/** What who was asked by host.ask() says: text, or an error, which is taken. */
struct err *dap_answer(struct dap *d, struct err *said, const char *text,
		       const struct dap_sink *sink) _must_check_;
/** Another client of the session wrote, where @n is 0 to a register, or chose a
 * thread: tell this one. */
struct err *dap_written(struct dap *d, uint64_t addr, uint64_t n,
			const struct dap_sink *sink) _must_check_;
struct err *dap_looked(struct dap *d, const struct dap_sink *sink)
	_must_check_;
/** Nobody asks for a while: what can be made again is given back. */
void dap_rest(struct dap *d);
/** The client said goodbye, or must be hung up on. */
bool dap_done(const struct dap *d);
/** The number of the snapshot that is shown, of a host's; 0: there is none. */
uint64_t dap_shows(const struct dap *d);
/** How many messages it was sent: the "seq" of the last one. */
uint64_t dap_told(const struct dap *d);
/** The end of a session that can say nothing any more, told in its place: why,
 * in an "output", and "terminated", behind message @told. */
struct err *dap_last_words(uint64_t told, const char *why,
			   const struct dap_sink *sink) _must_check_;

/* ---- the framing of byte streams -------------------------------------------- */
/**
 * "Content-Length: N", an empty line, N bytes. A stream that says anything else
 * is none of a client: it is over, and @why says why. A message over
 * DAP_MESSAGE_MAX, and 4 KiB of header lines, are too.
 */
struct dap_stream {
	struct buf in;          /* what is not a whole message yet */
	size_t header, body;    /* bytes of the message at the start of @in, as
				   far as they are known; 0 = unknown */
	bool over;
	const char *why;
};
/** Consume @n bytes: each whole message goes to dap_message(), and framed
 * answers are appended to @out. */
struct err *dap_stream_feed(struct dap_stream *s, struct dap *d,
			    const void *data, size_t n, struct buf *out)
	_must_check_;
/** A sink that appends framed messages to a struct buf. */
struct dap_sink dap_stream_sink(struct buf *out);
void dap_stream_fini(struct dap_stream *s);

#endif
