/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soon: for whoever writes a snapshot while somebody waits for it. The file is
 * as good as any other; a little larger, or made of parts that are at hand.
 */
#ifndef SNAPFMT_SOON_H
#define SNAPFMT_SOON_H

#include "snapfmt/snapfmt.h"

/** Pack memory in a fifth less time and 7 % more bytes; before any comes. */
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

#endif
