/* SPDX-License-Identifier: Apache-2.0 */
/*
 * follow: where a worker runs, and how it waits for its client.
 */
#ifndef SERVE_FOLLOW_H
#define SERVE_FOLLOW_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

/** How a worker waits for the next small question, and so where it runs. */
enum follow_way {
	FOLLOW_AWAKE,           /* on another processor than its client */
	FOLLOW_BESIDE,          /* asleep, on the same one */
	FOLLOW_WAYS
};
struct follow {
	int stat;               /* worker_peer(), or -1 */
	int socket;             /* of the last question */
	enum follow_way way;
	unsigned questions;     /* since the last measure, */
	uint64_t sum;           /* the nanoseconds that they took, */
	uint64_t took[FOLLOW_WAYS];     /* and those of whole measures */
	unsigned measures;
	unsigned late;          /* questions, one after the other */
	bool may, bound;        /* can be bound; is, to @set */
	cpu_set_t anywhere, set;        /* where it may run at all */
};
void follow_init(struct follow *f, int stat);
/**
 * A small question came on @socket soon after an answer, @took nanoseconds
 * after the question before. Is the next one to be waited for awake?
 */
bool follow_question(struct follow *f, int socket, uint64_t took);
/** One came late. */
void follow_late(struct follow *f);
/** No more small ones come. */
void follow_stop(struct follow *f);

#endif
