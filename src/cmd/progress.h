/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress: a bar on stderr, for work that lasts over half a second.
 */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include "base/base.h"

struct progress {
	bool terminal;          /* stderr is one: else nothing is ever shown */
	uint64_t begun_ms, shown_ms;    /* 0 = not yet */
};
/** Asks the environment: before a jail closes. */
void progress_init(struct progress *p);
/** Shows it at most ten times a second; @total 0 is unknown. Fits the progress
 * functions of rooms below. */
void progress_show(void *progress, uint64_t done, uint64_t total);
/** The same of something with a name: so many thousandths are done. */
void progress_share(struct progress *p, const char *of, unsigned done);
/** Wipes the line. */
void progress_end(struct progress *p);

#endif
