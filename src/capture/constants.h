/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constants of a module that need not be packed, because they were once.
 */
#ifndef CAPTURE_CONSTANTS_H
#define CAPTURE_CONSTANTS_H

#include "capture/impl.h"
#include "snapfmt/soon.h"

struct constants_at {
	struct snap_moved windows;      /* n = 0: there are none */
	uint64_t base;                  /* load bias of the module */
	bool *same;                     /* of each: memory holds it; owned */
};
/** Memory, as it was copied. */
struct constants_span {
	uint64_t start, end;
	const uint8_t *bytes;
};

/** Those of the module at @addr. */
void constants_find(struct saver *s, uint64_t addr, struct constants_at *out);
/** Which of them memory holds, by two threads if they are many. What was
 * compared does not stay in memory. */
struct err *constants_compare(struct constants_at *c,
			      const struct constants_span *all) _must_check_;
void constants_fini(struct constants_at *c);
/** The address of window @k. */
uint64_t constants_place(const struct constants_at *c, size_t k);
/** The first window *@k at or behind @from that memory holds as it was packed,
 * and of which all is to be kept. False if there is none. */
bool constants_next(const struct saver *s, const struct constants_at *c,
		    uint64_t from, size_t *k) _must_check_;

#endif
