/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work done in a jail, and how that ended. Include after cmocka.h.
 */
#ifndef UNIT_JAIL_RUN_H
#define UNIT_JAIL_RUN_H

#include "jail/jail.h"

/** jail_spawn() and jail_wait(). */
struct err *jail_run(const struct jail_limits *limits, jail_fn *fn, void *arg,
		     int *status);
/** The exit status of @fn(@arg), which may keep @fd; fails on any other end. */
int jail_status(const struct jail_limits *limits, int fd, jail_fn *fn,
		void *arg);
/** Asserts that the child is ended, as damage, for a reason with @words. */
void assert_jail_ends(const struct jail_limits *limits, jail_fn *fn,
		      void *arg, const char *words);

/** A fresh page of memory. */
void *jail_page(int protection);
/** Work: sleeps without end. */
int jail_sleep(void *arg);

#endif
