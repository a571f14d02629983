/* SPDX-License-Identifier: Apache-2.0 */
/*
 * candidates: the paths at which a module that was asked for may stand.
 */
#ifndef SUPPLY_CANDIDATES_H
#define SUPPLY_CANDIDATES_H

#include "supply/supply.h"

/** A walk over them; all it points to is borrowed. */
struct candidates {
	const struct supply_places *places;
	const struct supply_ask *ask;
	size_t shape, dir;      /* where the walk stands */
};
void candidates_init(struct candidates *c, const struct supply_places *places,
		     const struct supply_ask *ask);
/**
 * The next path into @path (emptied first); false after the last. Paths are
 * absolute, have no ".." in them and need not exist. A name in the request
 * that would lead elsewhere yields no path.
 */
bool candidates_next(struct candidates *c, struct buf *path) _must_check_;

#endif
