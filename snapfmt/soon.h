/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soon: for whoever writes a snapshot while somebody waits for it. The file is
 * as good as any other; a little larger, or made of parts that are at hand.
 */
#ifndef SNAPFMT_SOON_H
#define SNAPFMT_SOON_H

#include "snapfmt/snapfmt.h"

/** Pack memory in a fifth less time and 8 % more bytes; before any comes. */
void snap_writer_soon(struct snap_writer *w);

/** A skeleton as snap_put_packed() takes it, appended to @out. */
struct err *snap_pack_skeleton(const struct snap_extent *extents, size_t n,
			       struct buf *out) _must_check_;
/**
 * As snap_put_skeleton() of what was packed: the file is the same to the byte.
 * Borrows @packed until the writer is closed. ERR_DAMAGED: it is not what was
 * once packed; then nothing was taken. Of which file it is the caller knows.
 */
struct err *snap_put_packed(struct snap_writer *w, struct span packed,
			    uint32_t *index) _must_check_;

/** Where a word stands, while it is packed, that points to a module's first
 * byte; one that points to the next byte one further, up to 4 GiB. */
#define SNAP_MOVED_TO 0x4d4f564500000000ull
/** Windows of SNAP_CHUNK bytes of a module, as they were packed; borrowed. */
struct snap_moved {
	uint64_t first;         /* of the first one, less the load bias */
	size_t n;
	const uint8_t *rows, *bytes;
	struct span frames;
};
/** Appended to @out: @bytes from @first on, a multiple of SNAP_CHUNK, whose
 * pointers into the module are as at SNAP_MOVED_TO. */
struct err *snap_pack_moved(uint64_t first, struct span bytes, struct buf *out)
	_must_check_;
/** False: it is not what was once packed. Looks at no window yet. */
bool snap_moved_open(struct span packed, struct snap_moved *out) _must_check_;
/** Are the SNAP_CHUNK @bytes, of a module loaded at @base, those of window @k
 * < @n? */
bool snap_moved_same(const struct snap_moved *m, size_t k, const void *bytes,
		     uint64_t base) _must_check_;
/**
 * As snap_put_memory() of what snap_moved_same() was said of. Not *@done: not
 * what was packed, or @base is none; then nothing was put.
 */
struct err *snap_put_moved(struct snap_writer *w, const struct snap_moved *m,
			   size_t k, uint64_t base, bool *done) _must_check_;

#endif
