/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order in which memory is copied while the process stands still.
 */
#ifndef CAPTURE_STILL_H
#define CAPTURE_STILL_H

#include "capture/copy.h"
#include "capture/tracees.h"

/**
 * The stacks of all threads, first the @faulting one's; pages that came after
 * the plan was made; variables of modules; then the rest. Until c->ended. The
 * part of each stack next to its pointer, and the headers of modules, without
 * which there are no frames, are copied whatever the time.
 */
void still_copy(struct copier *c, const struct tracees *s, pid_t faulting);

/**
 * While it runs again: code that was changed since the plan was made, in spite
 * of being read-only. Is it of before or after? Nobody can say.
 */
void still_doubt(struct copier *c);

#endif
