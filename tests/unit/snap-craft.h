/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots built byte by byte after FORMAT.md, without the writer: sound
 * around the one thing that a test gets wrong, or that is newer.
 */
#ifndef UNIT_SNAP_CRAFT_H
#define UNIT_SNAP_CRAFT_H

#include "base/base.h"

/* Types of sections that tests craft; FORMAT.md, "Directory". */
enum {
	CRAFT_PROCESS = 1, CRAFT_THREADS = 2, CRAFT_MAPS = 4,
	CRAFT_MODULES = 5, CRAFT_SKELETON = 7, CRAFT_MEMORY = 8,
	CRAFT_CHUNKS = 9, CRAFT_CHUNK_DATA = 10, CRAFT_FRAMES = 11,
	CRAFT_ATTRIBUTES = 13, CRAFT_FILES = 16, CRAFT_FILE_DATA = 17,
	CRAFT_STRINGS = 20, CRAFT_BLOBS = 21, CRAFT_UNKNOWN = 99,
};

/** A directory entry; what is 0 or NULL is filled in truthfully. */
struct craft_entry {
	uint32_t type, instance;
	uint16_t version, flags;
	uint64_t offset, stored, raw;
};
struct craft {
	struct buf file, entries;
	uint32_t n;
};
void craft_begin(struct craft *c, uint16_t major, uint16_t minor);
/** Append @payload as a section that is described by @e. */
void craft_section(struct craft *c, const struct craft_entry *e,
		   const void *payload, size_t n);
/** A table of @count records of @size bytes. */
void craft_table(struct craft *c, uint32_t type, uint32_t parameter,
		 const void *records, uint32_t size, uint32_t count);
void craft_end(struct craft *c);
void craft_fini(struct craft *c);
#define _craft_ _cleanup_(craft_fini)


#endif
