/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache: skeletons of modules, packed, kept from one capture to the next; and
 * of modules with many of them the constants that the dynamic linker writes.
 *
 * An entry a file that was mapped, and one for its constants, by device and
 * inode; it holds for as long
 * as that file's size and times are what they were. An entry is made in a
 * jailed child of its own that is shown this one file and nothing else: what
 * a hostile file makes of it is an entry for itself. Who looks at a process
 * only reads. Nothing here is worth an error: without it all takes longer.
 */
#ifndef CMD_CACHE_H
#define CMD_CACHE_H

#include <sys/stat.h>

#include "inspect/inspect.h"

/** What tells a file from another, and from itself once it has changed. */
struct cache_identity {
	uint64_t device, inode, size, modified_ns, changed_ns;
};
/** A mapped file; once one with this name was looked for. */
struct cache_file {
	const char *path;
	char name[40];                  /* of its entry */
	bool missing;                   /* or out of date */
	uint64_t size;                  /* of the file */
	struct module_id id;
	struct span packed;             /* n = 0: it has no skeleton */
	bool has_constants;             /* maybe, by how it is mapped */
	struct span mapped;             /* the entry with them, owned */
	struct span constants;          /* in there; n = 0: none */
};
struct cache {
	struct arena *arena;
	int dir;                        /* -1: there is none */
	struct vec files;               /* of struct cache_file */
	uint64_t loaded;                /* bytes */
};

/** At most so much of a file, and of all that one capture reads. */
#define CACHE_ENTRY_MAX (32u << 20)
#define CACHE_LOADED_MAX (16u << 20)
/** Bytes of an entry before what the jailed child made. */
#define CACHE_HEAD 64u
/** Behind the head of one with constants the file's build-id, as skeletons
 * have it, takes so much: what is packed begins at a multiple of 8. */
#define CACHE_ID 72u
#define CACHE_CONSTANTS ".c"            /* behind the other one's name */

/** Without a directory of the user's own, or with @off, one that is empty. */
void cache_open(struct cache *c, bool off);
void cache_fini(struct cache *c);
/** What is there for the files that are mapped as code; of files that were
 * looked for before, nothing more. */
void cache_load(struct cache *c, const struct snap_map *maps, size_t n);
/** As capture_options.skeleton; @arg is a struct cache. */
struct span cache_skeleton(void *arg, const struct snap_module *m,
			   uint64_t *file_size);
/** As capture_options.constants. */
struct span cache_constants(void *arg, const struct snap_module *m);
/** cache_fill.c: make what was missing, in a process that nobody waits for;
 * then remove the oldest of what is too much. */
void cache_fill(const struct cache *c);

bool cache_identify(const struct stat *st, struct cache_identity *out);
/** The head of an entry for @id. */
void cache_head(const struct cache_identity *id, struct buf *out);

#endif
