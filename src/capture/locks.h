/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits for whom. */
#ifndef CAPTURE_LOCKS_H
#define CAPTURE_LOCKS_H

#include "capture/impl.h"
#include "capture/texts.h"

/** A note "lock" for each thread that waits for a mutex of another one. */
struct err *locks_note(struct saver *s) _must_check_;

#endif
