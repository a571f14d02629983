/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What another process comes to, however busy the machine is. Include after
 * cmocka.h.
 */
#ifndef UNIT_AWAIT_H
#define UNIT_AWAIT_H

#include <sys/types.h>

/** Waits until /proc/@pid/status has a line that begins with @line; fails the
 * test where that takes a minute. */
void await_status(pid_t pid, const char *line);
/** Until it sleeps in a system call. */
void await_sleep(pid_t pid);

#endif
