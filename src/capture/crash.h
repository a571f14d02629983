/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures of processes that we trace already and that are about to die.
 */
#ifndef CAPTURE_CRASH_H
#define CAPTURE_CRASH_H

#include <sys/types.h>

#include "capture/capture.h"

/**
 * Will @signal, at whose delivery thread @tid is stopped, end its process and
 * dump core (signal(7)): is it neither handled nor ignored?
 */
bool crash_is_near(pid_t tid, int signal);
/**
 * A picture of its process, whose other threads are stopped for it and then
 * go on as they were; @tid remains stopped. Their ends are left for waitpid().
 */
struct err *crash_take(pid_t tid, int signal,
		       const struct capture_limits *limits,
		       struct target **out) _must_check_;

#endif
