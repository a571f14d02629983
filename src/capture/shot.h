/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A picture while it is being taken, in the order of steps that keeps the
 * process waiting for the copying alone.
 */
#ifndef CAPTURE_SHOT_H
#define CAPTURE_SHOT_H

#include <semaphore.h>

#include "capture/beside.h"
#include "capture/still.h"

/* Attributes of a picture, which stay with its snapshot. */
#define CAPTURE_PAUSE "capture.pause_ns"        /* u64 */
#define CAPTURE_PAUSE_STOP "capture.pause.stop_ns"
#define CAPTURE_PAUSE_REGISTERS "capture.pause.registers_ns"
#define CAPTURE_PAUSE_MEMORY "capture.pause.memory_ns"
#define CAPTURE_INCOMPLETE "capture.incomplete" /* bool: a thread ran on */

/** The target "live". */
struct picture {
	struct target target;           /* first: what callers hold */
	uint8_t *bytes;                 /* size bytes, read-only; children that
					   are forked have them too */
	size_t size;
	const uint64_t *offsets;        /* in @bytes, of each memory range */
};

/** Sizes of statm that change when a mapping comes or goes. */
struct extent {
	uint64_t total, text, data;
};

struct shot {
	struct capture_limits limits;   /* none of them 0 */
	struct arena *arena;            /* of the picture, once there is one */
	struct picture *picture;
	struct proc proc;
	int mem;                        /* /proc/PID/mem of its program */
	struct pages *pages;            /* owned */
	struct plan plan;
	struct tracees tracees;
	struct copier copier;
	struct text_stat before;        /* the process, when this began */
	uint64_t start_time;            /* of the thread that is looked
					   through */
	struct span auxv;
	struct extent extent;
	struct beside flags;    /* smaps, begun before all other texts */
	uint64_t faults;                /* of pages, when the plan was made */
	bool doubt;                     /* there were more since */
	struct buf maps_text;
	const struct capture_meanwhile *meanwhile;      /* or NULL */
	sem_t looked;                   /* posted once @maps are those to tell
					   of meanwhile, or never will be */
	const struct snap_map *maps;
	size_t n_maps;
	struct vec tasks;               /* of struct task: around.h */
	uint64_t descriptors;           /* that the process has */
	struct vec texts, gaps, attrs;  /* snap_blob, const char *, snap_attr */
	pid_t faulting;                 /* 0 = none */
	uint64_t pause_ns;
	struct {
		uint64_t stop_ns, registers_ns, memory_ns;
	} stages;                       /* of the pause */
	uint64_t left_out[SNAP_REASONS];        /* bytes that were to be
						   copied, by reason */
	bool maps_late;                 /* read again when it stood still */
	bool incomplete;                /* a thread did not stop */
};

/**
 * While it runs: the process by its number, and the texts that need no stop.
 * Says why when it is none whose picture can be taken.
 */
struct err *shot_open(struct shot *s, pid_t pid,
		      const struct capture_limits *limits) _must_check_;
void shot_fini(struct shot *s);
/** While it runs, its threads seized: what there is to copy, and to where. */
struct err *shot_prepare(struct shot *s) _must_check_;
/** While it stands still, which @began then: registers and memory. */
struct err *shot_take(struct shot *s, uint64_t began) _must_check_;
/** While it runs again: the picture as a target, which the caller owns. */
struct err *shot_finish(struct shot *s, struct target **out) _must_check_;

/** A sentence on what is missing. */
struct err *shot_gap(struct shot *s, const char *fmt, ...)
	_printf_(2, 3) _must_check_;

/** texts of the process that go into the picture as they are. */
struct err *shot_read_texts(struct shot *s) _must_check_;
/** tasks.c: what was read of the threads, into their records. */
struct err *shot_read_after(struct shot *s) _must_check_;
/** picture.c: records of the threads; memory from pieces and bad pages. */
struct err *picture_threads(struct shot *s) _must_check_;
struct err *picture_memory(struct shot *s) _must_check_;
/** An empty picture in @s->arena. */
struct err *picture_new(struct shot *s) _must_check_;

#endif
