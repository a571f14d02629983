/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolved: variables as they were when the file was written, as text: hints
 * with provenance as frames are, for whoever has no debug information.
 */
#ifndef SNAPFMT_RESOLVED_H
#define SNAPFMT_RESOLVED_H

#include "snapfmt/snapfmt.h"

enum snap_variable_kind {
	SNAP_VAR_ARGUMENT = 1, SNAP_VAR_LOCAL = 2,
	SNAP_VAR_GLOBAL = 3,    /* of no frame: @tid 0 but of a thread's own */
};
enum snap_variable_state {
	SNAP_VALUE_KNOWN = 1, SNAP_VALUE_OPTIMISED_OUT = 2,
	SNAP_VALUE_UNMAPPED = 3, SNAP_VALUE_NOT_CAPTURED = 4,
	SNAP_VALUE_UNKNOWN = 5,
};
struct snap_variable {
	uint64_t tid, address;  /* 0 = it is in no memory */
	uint32_t depth;         /* of its frame in FRAMES, or UINT32_MAX */
	uint32_t line;          /* of its declaration; 0 = unknown */
	uint8_t kind, state;    /* enums above */
	const char *name;
	const char *type, *value, *why, *file;  /* NULL = not told */
};
struct err *snap_put_variable(struct snap_writer *w,
			      const struct snap_variable *v) _must_check_;
const struct snap_variable *snap_variables(const struct snap *s, size_t *n);

/** False: inlined into a frame further out, or it jumped on and is gone. */
static inline bool
snap_frame_has_stack(const struct snap_frame *f)
{
	return f->how != SNAP_FRAME_INLINE && f->how != SNAP_FRAME_TAIL;
}

#endif
