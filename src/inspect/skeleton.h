/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skeleton: of an ELF file by itself, that no target has mapped.
 */
#ifndef INSPECT_SKELETON_H
#define INSPECT_SKELETON_H

#include "inspect/inspect.h"

struct skeleton {
	struct module_id id;            /* the file's build-id; or none */
	const struct snap_extent *extents;
	size_t n;
};
/** Of @file, which has a descriptor; what it is made of is in @a. */
struct err *skeleton_read(struct source *file, struct arena *a,
			  struct skeleton *out) _must_check_;

#endif
