/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order in which memory is copied while the process stands still.
 */
#ifndef CAPTURE_STILL_H
#define CAPTURE_STILL_H

#include "capture/copy.h"
#include "capture/tracees.h"

/**
 * The stacks of all threads, that of @first (the faulting one, or NULL) before
 * the others; pages that came after the plan was made; variables of modules;
 * what stacks point to, where not all can be had; then the rest. Until
 * c->ended. The part of each stack next to its pointer, and the headers of
 * modules, without which there are no frames, are copied whatever the time.
 */
void still_copy(struct copier *c, const struct tracees *s,
		const struct tracee *first);

/**
 * Before that: what cannot be written to, CLASS_CONST. False: that is better
 * done in the stop, and copier_reserve() to be called anew.
 */
bool still_early(struct copier *c) _must_check_;
/**
 * While it runs again: what was copied early is the same now in @mem, its
 * /proc/PID/mem, or not known.
 */
void still_verify(struct copier *c, int mem);
/**
 * While it runs again: code that was changed since the plan was made, in spite
 * of being read-only. Is it of before or after? Nobody can say.
 */
void still_doubt(struct copier *c);

#endif
