/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of capture share among themselves and nobody else sees.
 */
#ifndef CAPTURE_IMPL_H
#define CAPTURE_IMPL_H

#include <pthread.h>

#include "capture/capture.h"

#define PAGE 4096u
/* Bytes that are kept where nobody says how many. */
#define CAPTURE_BUDGET (64ull << 20)

/** A snapshot in the making. */
struct saver {
	struct insp *insp;
	const struct target *target;
	const struct capture_options *options;
	struct snap_writer *writer;
	struct arena *arena;            /* lives until all is written */
	struct vec frames;              /* of struct snap_frame */
	struct vec text;                /* of uint64_t: pages around frames,
					   sorted and unique */
	struct vec troubles;            /* of const char *: sentences */
	struct vec globals;             /* of struct global: asked for */
	struct reach *reach;            /* what is kept; NULL: all. Owned */
	struct snap_memory pending;     /* range not yet put; length 0: none */
	uint64_t done, total;           /* bytes of memory, for progress */
	struct redactions *redactions;  /* redact.h; NULL = nothing is */
	uint8_t *bytes, *file_bytes;    /* SNAP_CHUNK each */
	struct capture_counts counts;
	size_t n_variables;             /* that were written */
	bool unwinding;                 /* by another thread: see frames.c */
	pthread_t unwinder;
	struct err *unwound;            /* what came of it */
};

/** A sentence on what could not be kept; once per text. */
struct err *save_trouble(struct saver *s, const char *fmt, ...)
	_printf_(2, 3) _must_check_;

/** picture.c: where the byte at @off of range @range, which is DATA, is; NULL
 * in any other target. */
const void *picture_at(const struct target *t, size_t range, uint64_t off);
/**
 * frames.c: unwind every thread; fills @frames and @text. Where all of a
 * picture is kept this goes on beside: until save_frames_wait() no others look
 * at these two, at what is no plain memory, or into files, or use the arena.
 */
struct err *save_collect_frames(struct saver *s) _must_check_;
struct err *save_frames_wait(struct saver *s) _must_check_;
/** The mapping at @addr, or NULL; and where that ends, if before *@end. */
const struct snap_map *capture_map_at(const struct target *t, uint64_t addr,
				      uint64_t *end);
/** Bytes of it that there are. */
uint64_t capture_memory_size(const struct target *t);
/** reach_roots.c: of a picture, what fits into the budget; fills @reach. */
struct err *save_choose_memory(struct saver *s) _must_check_;
/** memory.c: all of the address space. */
struct err *save_memory(struct saver *s) _must_check_;
/** variables.c: of the thread that died. */
struct err *save_variables(struct saver *s) _must_check_;
/** Where they are asked for. */
struct err *save_sources(struct saver *s) _must_check_;
/** records.c: everything else. */
struct err *save_records(struct saver *s) _must_check_;

#endif
