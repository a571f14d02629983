/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shelf: objects as files that workers can be given.
 *
 * An object is copied out of the store once, into memory or, where it is big,
 * into a file without a name; sessions on the same object share its pages. It
 * is copied a slice at a time, so that no other client waits for it, and every
 * slice has been checked by the store. What was not asked for longest goes
 * first.
 */
#ifndef SERVE_SHELF_H
#define SERVE_SHELF_H

#include "net/net.h"
#include "store/store.h"

struct shelf_wait;
/** @err: there is no such file, and why; owned. Else @fd, read-only and
 * borrowed, and its title. */
typedef void shelf_fn(void *arg, struct err *err, int fd, const char *title);
/** Somebody who waits for an object; stays in place until called. */
struct shelf_wait {
	shelf_fn *fn;
	void *arg;
	struct shelf_wait *next, **back;        /* @back NULL: not waiting */
};

struct shelf_item;
struct shelf {
	struct net *net;
	struct store *store;
	const char *dir;        /* where big ones are copied to */
	struct shelf_item *items;       /* newest first */
	uint64_t in_memory;     /* bytes */
	unsigned n, copying;
	struct net_watch work;  /* readable while something is copied */
	uint64_t hits, copies;
};
struct err *shelf_init(struct shelf *s, struct net *net, struct store *store,
		       const char *dir) _must_check_;
void shelf_fini(struct shelf *s);
/** Calls @w->fn, at once or later. */
void shelf_get(struct shelf *s, const struct store_ref *ref,
	       struct shelf_wait *w);
/** It will not be called any more. */
void shelf_cancel(struct shelf_wait *w);

#endif
