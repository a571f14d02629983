/* SPDX-License-Identifier: Apache-2.0 */
/* walk: everything that is in an index, read once. */
#ifndef TESTS_SYMBOLS_WALK_H
#define TESTS_SYMBOLS_WALK_H

#include "symbols/symbols.h"

struct walked {
	size_t blocks, variables, untyped, located, locations, unknown, calls,
	       values, members, frames;
};
/** Reads every record and string, and asks for frames; the first error. */
struct err *walk_index(struct symidx *ix, struct walked *w);

#endif
