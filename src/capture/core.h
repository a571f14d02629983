/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ELF core while it is being written: shared by core.c (file and segments)
 * and core_notes.c (notes), and by nobody else.
 */
#ifndef CAPTURE_CORE_H
#define CAPTURE_CORE_H

#include <elf.h>

#include "capture/impl.h"

struct core_file {
	struct insp *insp;
	const struct target *target;
	struct arena *arena;
	int fd;
	uint64_t at, pos;       /* where the next byte goes; where @fd stands.
				   What is between them is a hole */
	struct vec segments;    /* Elf64_Phdr: PT_NOTE, then PT_LOAD in order */
	const struct snap_map *map;     /* of the last segment */
	uint8_t *bytes;         /* SNAP_CHUNK */
};

/** Write at the end. */
struct err *core_put(struct core_file *c, const void *data, size_t n)
	_must_check_;
void core_align(struct core_file *c, uint64_t to);
/** core_notes.c: all notes, once the segments stand. */
struct err *core_put_notes(struct core_file *c) _must_check_;

#endif
