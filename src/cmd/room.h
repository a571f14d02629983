/* SPDX-License-Identifier: Apache-2.0 */
/*
 * room: how much of a disk what is written may take.
 */
#ifndef CMD_ROOM_H
#define CMD_ROOM_H

#include "base/base.h"

/** Bytes; 0 = the default in parentheses. */
struct room {
	uint64_t max;           /* of one file (no limit) */
	uint64_t free;          /* left to others on the file system (5 % of
				   it, at most 1 GiB) */
};
/**
 * May a file of which @fd is one, or a directory, grow from @done to @more
 * bytes? ERR_FAILED: the limit that it would break, and what to do. What the
 * file system does not tell is no reason to refuse. For the jail, too.
 */
struct err *room_check(const struct room *r, int fd, uint64_t done,
		       uint64_t more) _must_check_;

#endif
