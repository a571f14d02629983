/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages that copied pages point to, for a process of which not all can be
 * copied in time: page by page, for objects are told apart later, if at all.
 * Blocks of jemalloc are known here, and copied whole.
 */
#ifndef CAPTURE_FOLLOW_H
#define CAPTURE_FOLLOW_H

#include "capture/copy.h"
#include "capture/tracees.h"

enum { FOLLOW_SLOTS = 4096, FOLLOW_LARGE = 256 };       /* powers of two */
struct follow {
	struct copier *c;
	uint64_t low, high;             /* what is followed lies within */
	const struct piece *slots[FOLLOW_SLOTS];        /* found before */
	uint64_t large[FOLLOW_LARGE];   /* blocks that were met before */
	struct range rests[FOLLOW_LARGE];       /* what is left of some */
	size_t n_rests;
};
void follow_begin(struct follow *f, struct copier *c);
/** What its registers point to. */
void follow_registers(struct follow *f, const struct tracee *t);
/**
 * What the ranges @from to @to (not included) of those that were copied point
 * to; step by step in all of them, so that when time ends each has had its
 * share.
 */
void follow_stacks(struct follow *f, size_t from, size_t to);
/**
 * Breadth first: what the ranges from @from on that were copied point to, then
 * what that does, until c->ended or nothing new is met.
 */
void follow_all(struct follow *f, size_t from);

#endif
