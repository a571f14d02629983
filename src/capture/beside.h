/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads one file of /proc in a thread of its own, while the caller does other
 * things: a text that the kernel takes long to write.
 */
#ifndef CAPTURE_BESIDE_H
#define CAPTURE_BESIDE_H

#include <pthread.h>

#include "capture/proc.h"

struct beside {
	const struct proc *proc;        /* borrowed */
	const char *name;
	size_t max;                     /* bytes of it that are read */
	struct buf text;                /* once it has ended */
	struct err *err;
	pthread_t thread;
	bool runs;
};
/** Reads it at once where no thread can be started. */
void beside_begin(struct beside *b);
/** Wait for it: the error of proc_read(), which the caller owns. */
struct err *beside_end(struct beside *b) _must_check_;
void beside_fini(struct beside *b);

#endif
