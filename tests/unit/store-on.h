/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stores for the tests of store: one in memory or on disk for each test, what
 * they do with it, and files on disk changed by hand. Include after cmocka.h.
 */
#ifndef UNIT_STORE_ON_H
#define UNIT_STORE_ON_H

#include <limits.h>

#include "assert-err.h"
#include "make-object.h"

#define ON_SIZE 100000u         /* about the size of files put by on_put() */

/* ---- one that lives for a test ---- */
int on_memory(void **state);
int on_disk(void **state);
int on_close(void **state);
struct store *on_store(void **state);
/** Rows of a table of tests: the same test on both. */
#define on_both(test) \
	{ "memory: " #test, test, on_memory, on_close, NULL }, \
	{ "disk: " #test, test, on_disk, on_close, NULL }

/** A handle of the store in @dir; sizes as in struct store_options. */
struct store *on_open(const char *dir, uint64_t map, uint64_t partition);

/* ---- what tests do ---- */
/** Put file @number of make-object.h. */
struct store_ref on_put(struct store *s, const char *project, uint64_t number);
/** It is given back as it was put. */
void on_check(struct store *s, const struct store_ref *ref, uint64_t number);
/** No faults, and so many objects. */
void on_sound(struct store *s, uint64_t objects);
/** Number of faults of the store in @dir; @text says what they are. */
uint64_t on_faults(const char *dir, struct buf *text);
/** A store_each_fn: counts in a size_t. */
bool on_count(void *n, const struct store_object *o);
/** A store_sink_fn: gathers in a struct buf. */
struct err *on_gather(void *buf, const void *data, size_t n);

/* ---- files by hand ---- */
void on_path(const char *dir, const char *name, char out[PATH_MAX]);
uint64_t on_size(const char *dir, const char *name);
/** Entries of a directory but . and .. */
size_t on_entries(const char *dir, const char *name);
void on_write(const char *dir, const char *name, uint64_t at,
	      const void *bytes, size_t n);
void on_load(const char *dir, const char *name, struct buf *out);
/** The first @n of the bytes are the file. */
void on_save(const char *dir, const char *name, const struct buf *bytes,
	     size_t n);

#endif
