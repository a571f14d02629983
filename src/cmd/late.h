/* SPDX-License-Identifier: Apache-2.0 */
/*
 * late: variables of an object that was stored before there were symbol indexes
 * for it: a sidecar, which is looked at where the snapshot itself has none.
 */
#ifndef CMD_LATE_H
#define CMD_LATE_H

#include "inspect/inspect.h"
#include "store/store.h"

/** Have one made, by a process that nobody waits for; @dir as home_open(). */
void late_make(const char *dir, const struct store_ref *ref);
/** Have one made now, if the object lacks variables that can be told. */
struct err *late_wait(const char *verb, const char *dir,
		      const struct store_ref *ref) _must_check_;
/** The one of an object, as a descriptor; -1: it has none. */
int late_find(struct store *s, const struct store_ref *ref);
/** What @late has of the thread that died, for @t, which has no variables.
 * @late lives as long as @t. */
struct err *late_adopt(struct target *t, const struct target *late)
	_must_check_;

#endif
