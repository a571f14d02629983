/* SPDX-License-Identifier: Apache-2.0 */
/*
 * indexes: where symbol indexes are kept, and what is said while one is made.
 */
#ifndef CMD_INDEXES_H
#define CMD_INDEXES_H

#include "cmd/progress.h"
#include "supply/supply.h"

enum indexes_use {
	INDEXES_NONE,
	INDEXES_USE,            /* those that are there */
	INDEXES_MAKE,           /* those that are needed */
};
struct indexes {
	struct supply_indexes supply;
	struct progress progress;
};
/** Never fails: without a directory of the user's own none is kept. The
 * directory is $INQUEST_CACHE/index, of INQUEST_INDEX_SIZE bytes at most. */
void indexes_open(struct indexes *x, enum indexes_use use);
void indexes_fini(struct indexes *x);
#define _indexes_ _cleanup_(indexes_fini)

#endif
