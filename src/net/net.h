/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net: HTTP, websocket and raw sockets. One loop, one thread, no knowledge of
 * what is said: upgrades, requests and bytes are handed up, answers are taken
 * with back-pressure.
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

/**
 * Open a websocket and copy between it and two descriptors until one side
 * ends. @url is http: or https:, as the server prints it. Errors as of
 * net_fetch(), for the upgrade.
 */
struct err *net_pipe(const char *url, const char *token,
		     const char *subprotocol, int in, int out) _must_check_;

#endif
