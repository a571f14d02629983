/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies out of a process that stands still, into memory that is there
 * already: nothing is allocated, and an end of time or room ends it all.
 */
#ifndef CAPTURE_COPY_H
#define CAPTURE_COPY_H

#include "capture/lane.h"
#include "capture/plan.h"

/** What was copied, in the order of copying; a part of one piece. */
struct taken {
	uint64_t start, end;
	uint64_t at;            /* in the buffer, or TAKEN_UNREADABLE */
};
#define TAKEN_UNREADABLE UINT64_MAX
#define TAKEN_UNKNOWN (UINT64_MAX - 1)  /* what it held nobody can say */

struct copier {
	const struct plan *plan;
	pid_t tid;              /* any thread that lives */
	uint8_t *buffer;        /* private, @size bytes; owned until taken */
	size_t size, used, ready;       /* @ready of them have their pages */
	uint64_t deadline;      /* tracees_now(); 0 = none */
	uint8_t ended;          /* why, SNAP_ABSENT_*; 0 = it goes on */
	struct taken *taken;
	size_t n, cap;
	size_t early;           /* so many were copied while it still ran */
	uint64_t *done;         /* a bit for each page of the plan: asked for */
	size_t words;
	struct iovec from[COPY_BATCH];
	size_t n_from, want;    /* bytes of them */
	unsigned bad_run;
	bool shared;            /* @lane may have a part: nothing looks at what
				   was copied until it is settled */
	struct lane lane;
	struct follow_heap *heap;       /* or NULL: follow_heap.h */
};

/**
 * Make room for what the plan wants and @extra bytes besides, the pages of it
 * too, because their faults would be a pause. Nothing that it holds is kept.
 */
struct err *copier_reserve(struct copier *c, struct arena *a, uint64_t extra)
	_must_check_;
void copier_fini(struct copier *c);

/** [start, end) of one piece, whatever was copied before. */
void copier_range(struct copier *c, uint64_t start, uint64_t end);
/** What of [start, end) of @x, SNAP_MEM_DATA, was not yet asked for. */
void copier_piece(struct copier *c, const struct piece *x, uint64_t start,
		  uint64_t end);
/** The page of @x that holds @addr, if it was not yet asked for. */
void copier_page(struct copier *c, const struct piece *x, uint64_t addr);
/** All that is asked for so far is in the buffer when this returns. */
void copier_flush(struct copier *c);
/** The same, where @shared. */
void copier_settle(struct copier *c);
/** Is there time left? Sets @ended if not. */
void copier_look(struct copier *c);
/** What [start, end) of one piece held is not known. */
void copier_doubt(struct copier *c, uint64_t start, uint64_t end);
/** Sort what was taken by address; what was taken twice remains so. */
void copier_sort(struct copier *c);

/**
 * Have the first page of each piece of a mapped file brought into memory,
 * while the process runs: who waits for a file system then are we alone.
 */
void copy_touch_modules(const struct plan *plan, pid_t pid);

#endif
