/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skeleton: of an ELF file by itself, that no target has mapped; and what such
 * a file is good for.
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

/** A program, a library or a debug file. */
struct symfile {
	struct module_id id;
	uint16_t machine;       /* EM_… */
	bool code, debug;       /* what is in it */
};
/** Does it begin like one, and not like a core? */
bool symfile_is(struct source *file);
/** ERR_FORMAT if it is none, or has no build-id. */
struct err *symfile_read(struct source *file, struct symfile *out)
	_must_check_;

/** Fewer bytes of constants are not worth it; more are not looked at. */
#define CONSTANTS_LEAST (256u << 10)
#define CONSTANTS_MOST (24u << 20)
struct constants {
	uint64_t first;                 /* address in the file's own terms */
	struct span bytes;              /* n = 0: none */
};
/**
 * What the dynamic linker writes to and then protects, as it would be in
 * memory with the load bias @base: whole windows of @step bytes of it. For
 * @file as above. What is bound by name is as in the file.
 */
struct err *constants_read(struct source *file, uint64_t base, size_t step,
			   struct arena *a, struct constants *out)
	_must_check_;

#endif
