/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads of a command and of all that it started, as their tracer knows
 * them: by what waitpid(2) told of each.
 */
#ifndef CAPTURE_CROWD_H
#define CAPTURE_CROWD_H

#include "base/base.h"

struct member {
	pid_t tid;
	bool pictured;          /* of its process a picture was tried */
};
struct crowd {
	struct member *all;     /* sorted by tid */
	size_t n, cap;
};
void crowd_fini(struct crowd *c);
struct member *crowd_find(const struct crowd *c, pid_t tid);
/** The member, made if there is none; NULL without memory. */
struct member *crowd_get(struct crowd *c, pid_t tid);
void crowd_remove(struct crowd *c, pid_t tid);

#endif
