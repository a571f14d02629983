/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jemalloc's heap of a process of which not all can be copied: looked for
 * while it runs, asked about blocks while it stands still. What it is asked
 * for is copied too: who follows pointers later asks again.
 */
#ifndef CAPTURE_FOLLOW_HEAP_H
#define CAPTURE_FOLLOW_HEAP_H

#include "capture/copy.h"
#include "capture/jemalloc.h"

struct follow_heap;
/** While it runs: sets @c->heap if there is such a heap, and if more is to be
 * copied than can be. Memory is of @a, its pages there. */
struct err *follow_heap_find(struct copier *c, struct arena *a) _must_check_;
/** It stands still: what was read before is forgotten. */
void follow_heap_begin(struct follow_heap *h);
enum jemalloc_kind follow_heap_object(struct follow_heap *h, uint64_t addr,
				      uint64_t *start, uint64_t *end);

#endif
