/* SPDX-License-Identifier: Apache-2.0 */
/*
 * series: several snapshots of one process, over time.
 */
#ifndef CMD_SERIES_H
#define CMD_SERIES_H

#include "cmd/shoot.h"

/** Values of the options that SERIES_OPTS describes; 0 = no series. */
struct series_words {
	uint64_t number;
	const char *every;
};
#define SERIES_MAX 9999u
#define SERIES_OPTS(T) \
	{ "series", 0, "N", "take N snapshots, each a file or object", \
	  OPT_U64, offsetof(T, series.number) }, \
	{ "every", 0, "TIME", "with --series: from one to the next; 1s", \
	  OPT_STRING, offsetof(T, series.every) }

/** One snapshot of it, kept as @shoot says. ERR_NOTFOUND: it has ended. */
typedef struct err *series_fn(void *arg, const struct shoot *shoot,
			      int *status);
/**
 * Call @one as often as the words say: at fixed times, so that what a snapshot
 * takes does not add up. Each has the same series id, and its index from 1, in
 * the provenance and as attributes; a file has the index in its name. A process
 * that ends in between ends the series, and nothing has failed.
 */
struct err *series_run(const struct series_words *words,
		       const struct shoot *shoot, series_fn *one, void *arg,
		       int *status) _must_check_;

#endif
