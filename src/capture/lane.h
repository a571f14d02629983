/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second thread that copies, so that a process stands still for less time.
 * One batch at a time; whoever gave it does not wait for a thread that gets no
 * processor.
 */
#ifndef CAPTURE_LANE_H
#define CAPTURE_LANE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/uio.h>

#include "base/base.h"

/* IOV_MAX of Linux. */
enum { COPY_BATCH = 1024 };

enum lane_state { LANE_IDLE, LANE_GIVEN, LANE_RUNNING, LANE_DONE };
struct lane {
	pthread_t thread;
	bool runs, given_up;
	sem_t given;
	atomic_int state;
	atomic_bool over;
	pid_t tid;
	struct iovec from[COPY_BATCH];
	size_t n;
	struct iovec to;
	ssize_t got;            /* as of process_vm_readv(2) */
};

/** Without a thread, or a second processor, it never is idle. */
void lane_begin(struct lane *l);
/** Waits; what was given is no longer copied. */
void lane_end(struct lane *l);
bool lane_is(struct lane *l, enum lane_state state);
/** It is LANE_IDLE; copies @from. */
void lane_give(struct lane *l, pid_t tid, const struct iovec *from, size_t n,
	       struct iovec to);
/**
 * What was given is LANE_DONE, by whomever; then @got tells. False: it is not
 * to be waited for. Then it may yet be written to where it was to go, until
 * lane_end(), and the lane is never idle again.
 */
bool lane_wait(struct lane *l);

#endif
