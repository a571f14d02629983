/* SPDX-License-Identifier: Apache-2.0 */
/*
 * overlays: what was written over the snapshots of a session, by their numbers.
 */
#ifndef SERVE_OVERLAYS_H
#define SERVE_OVERLAYS_H

#include "inspect/overlay.h"

struct overlays {
	uint64_t used;          /* bytes of all, against their quota */
	struct laid *list;
};
/** The one over snapshot @number, made on first use. */
struct err *overlays_of(struct overlays *o, uint64_t number,
			struct overlay **out) _must_check_;
/** Nobody looks through the one over @number: it is kept if it holds
 * anything. */
void overlays_drop_empty(struct overlays *o, uint64_t number);
void overlays_fini(struct overlays *o);

#endif
