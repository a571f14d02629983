/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shoot: what becomes of the picture of a process - a file or an object - and
 * what is said about it.
 */
#ifndef CMD_SHOOT_H
#define CMD_SHOOT_H

#include "cmd/cache.h"
#include "cmd/save.h"

struct shoot {
	struct capture_options options; /* for the snapshot */
	struct room room;
	bool put;               /* into a store; else into a file */
	bool json;
	enum indexes_use indexes;
	bool quiet;             /* nothing is said but the result */
	volatile sig_atomic_t *patience;        /* as in struct save */
	struct place place;
	struct save_store where;
	struct cache *cache;
	int results;            /* where the path, id or JSON is written */
};
/** Does the process see the files that we see? */
bool shoot_same_files(pid_t pid);
/**
 * Save @picture and say so. Files of a process that sees other files than we
 * do are looked for where it sees them.
 */
struct err *shoot_keep(const struct shoot *o, struct target *picture,
		       int *status) _must_check_;

#endif
