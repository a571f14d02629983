/* SPDX-License-Identifier: Apache-2.0 */
/*
 * overlays: what was written over the snapshots of a session, by their numbers.
 */
#ifndef SERVE_OVERLAYS_H
#define SERVE_OVERLAYS_H

#include "inspect/overlay.h"

struct overlays {
	unsigned holders;
	uint64_t used;          /* bytes of all, against their quota */
	struct laid *list;
};
/** One holder. */
struct err *overlays_new(struct overlays **out) _must_check_;
struct overlays *overlays_hold(struct overlays *o);
/** The last one frees it. */
void overlays_release(struct overlays *o);
/** The one over snapshot @number, made on first use. */
struct err *overlays_of(struct overlays *o, uint64_t number,
			struct overlay **out) _must_check_;
/** The same, looked through until as many calls of overlays_leave(): one that
 * nobody looks through and that holds nothing is dropped, by an only holder. */
struct err *overlays_look(struct overlays *o, uint64_t number,
			  struct overlay **out) _must_check_;
void overlays_leave(struct overlays *o, uint64_t number);
/** NULL: nobody looked through one over it. */
struct overlay *overlays_find(const struct overlays *o, uint64_t number);

#endif
