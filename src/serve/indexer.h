/* SPDX-License-Identifier: Apache-2.0 */
/*
 * indexer: a process beside the server, of low priority, that has symbol
 * indexes made which workers asked for and which are not there: one at a time.
 * Who asked goes on without; they are there the next time.
 */
#ifndef SERVE_INDEXER_H
#define SERVE_INDEXER_H

#include "supply/supply.h"

struct indexer {
	int fd;                 /* -1: there is none */
	pid_t pid;
};
/** @indexes NULL: none. @store is the URL; it is opened when it is needed. */
struct err *indexer_start(const struct supply_indexes *indexes,
			  const char *store, struct indexer *out)
	_must_check_;
/** Never waits: what it has no room for is forgotten. @project: whose symbol
 * files are looked into; "" = nobody's. */
void indexer_ask(struct indexer *x, const char *project,
		 const struct supply_ask *ask);
void indexer_end(struct indexer *x);
/** Where modules are looked for, for workers: by build-id alone. */
struct supply_places indexer_places(void);

#endif
