/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies what a plan says out of a process that stands still.
 */
#ifndef CAPTURE_COPY_H
#define CAPTURE_COPY_H

#include "capture/plan.h"

/** Where pages could not be read: struct range, as they were met. */
struct copied {
	struct arena *arena;
	struct vec bad;
};
/**
 * All pieces of @plan into their places of @buffer, in the order of their
 * classes. @tid is any thread that lives. ERR_NOMEM only.
 */
struct err *copy_pieces(const struct plan *plan, pid_t tid, uint8_t *buffer,
			struct copied *out) _must_check_;
/**
 * Have the first page of each piece of a mapped file brought into memory,
 * while the process runs: who waits for a file system then are we alone.
 */
void copy_touch_modules(const struct plan *plan, pid_t pid);

#endif
