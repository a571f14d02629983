/* SPDX-License-Identifier: Apache-2.0 */
/*
 * speak: what the verbs have in common that speak a debugger's protocol on a
 * pipe or a socket: a jailed worker, and what it asks for.
 */
#ifndef CMD_SPEAK_H
#define CMD_SPEAK_H

#include "cmd/cmd.h"
#include "serve/serve.h"

struct speak_options {
	const char *exe, *listen, *record, *rsp;
	uint64_t record_limit, seconds, wait;
	bool console;
};
/** A protocol's own ways. */
struct speak_ways {
	enum worker_protocol protocol;
	const char *name;       /* subprotocol, and the end of URLs */
	bool messages;          /* a websocket carries messages, not bytes */
	bool quiet;             /* its clients look at a pipe's stderr; see
				   speak_find_quiet() */
	bool consoles;          /* its clients may use a jailed gdb */
	bool indexes;           /* symbol indexes are made, as it shows
				   variables */
	const char *hint;       /* how a client reaches an address */
	/** What a client is told where no worker can tell it any more; @asked:
	 * it has a request under way, or may; @seq of the last message. */
	void (*last_words)(const struct err *why, bool asked, int64_t seq,
			   struct buf *out);
};
/** Operands are SNAPs. */
struct err *speak_run(const struct verb *v, const struct speak_ways *ways,
		      int argc, char **argv, int *status) _must_check_;

#endif
