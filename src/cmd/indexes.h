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
	INDEXES_QUEUE,          /* those, and others are made when all is done,
				   by a process that nobody waits for */
	INDEXES_MAKE,           /* those that are needed */
};
struct indexes {
	struct supply_indexes supply;
	struct progress progress;
	struct arena *arena;
	struct vec queue;               /* of struct supply_ask */
};
/** @places are those of the session; the queue is worked off when it ends. */
void indexes_fini(struct indexes *x, const struct supply_places *places);
/** Never fails: without a directory of the user's own none is kept. The
 * directory is $INQUEST_CACHE/index, of INQUEST_INDEX_SIZE bytes at most. */
void indexes_open(struct indexes *x, enum indexes_use use);

#endif
