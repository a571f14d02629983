/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to store: the directory of a store on a file system.
 */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "store/store.h"

struct place {
	char *dir;              /* of the store */
	int lock;               /* DIR/lock: this process has the store */
};
#define PLACE_NONE ((struct place){ .lock = -1 })

struct err *place_open(const char *dir, bool create, struct place *out)
	_must_check_;
void place_close(struct place *p);
/** Names of the projects, sorted. */
struct err *place_projects(const struct place *p, store_project_fn *each,
			   void *arg) _must_check_;
/** DIR/projects/NAME; the caller frees it. */
char *place_project(const struct place *p, const char *name);
/** An empty project directory that nobody sees; the caller frees its path. */
struct err *place_draft(const struct place *p, char **out) _must_check_;
/**
 * Let the draft be project @name, unless somebody else made that meanwhile;
 * then the draft is gone.
 */
struct err *place_publish(const struct place *p, const char *draft,
			  const char *name) _must_check_;
/** Remove a draft. */
void place_discard(const char *draft);
/** Why a file system of that statfs() type is refused, or NULL. */
const char *place_refusal(uint64_t f_type);
/** Make what was entered into a directory durable. */
struct err *place_sync(const char *dir) _must_check_;
/**
 * The error for @number (of errno) at @path: a full tmpfs says EIO, so the
 * file system is asked how much room is left before the cause is named.
 */
struct err *place_err(int number, const char *path) _must_check_
	_returns_nonnull_;

#endif
