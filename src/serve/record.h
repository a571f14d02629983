/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record: recordings of debuggers' sessions, as text that only grows.
 *
 * The first line is "inquest-rsp 2", or "inquest-dap 2". Each further line is what was read from
 * a client (>) or sent to it (<): the direction, the number of the connection,
 * microseconds since the first line, the bytes; a space between them. Bytes
 * outside of 0x20 to 0x7e are \xNN, a backslash is \\. Where lines are cut
 * says nothing: a recording is replayed by joining those of one direction.
 * A line that begins with ! says in words why there is no more.
 *
 * What stands behind `monitor auth` of rsp becomes asterisks, and the checksum theirs:
 * a token is never written down. Memory that a client read is.
 */
#ifndef SERVE_RECORD_H
#define SERVE_RECORD_H

#include "base/base.h"

#define RECORD_LIMIT (1u << 30)         /* bytes, where nobody says more */

enum record_direction { RECORD_FROM_CLIENT = '>', RECORD_TO_CLIENT = '<' };
struct recorder {
	int fd;                 /* -1: nothing is written; borrowed */
	uint64_t left;          /* bytes that it may still grow by */
	uint64_t began_ns;
	bool full;              /* and it has been told */
	bool plain;             /* nothing that is said is secret */
};
/** What one client says, on its way into a recording. Zeroed at first. */
struct record_mask {
	unsigned state;
	size_t matched;         /* of the name of a monitor command */
	struct buf held;        /* its digits, until all of them are there */
	uint8_t sum;            /* of what was written of this packet */
	bool secret;            /* and it is not what was said */
};

/** @limit 0: RECORD_LIMIT; @protocol "rsp" or "dap". All of these do nothing
 * where @fd is -1. */
struct err *record_begin(struct recorder *r, int fd, uint64_t limit,
			 const char *protocol) _must_check_;
struct err *record_sent(struct recorder *r, unsigned connection,
			struct span bytes) _must_check_;
struct err *record_said(struct recorder *r, struct record_mask *m,
			unsigned connection, struct span bytes) _must_check_;
/** The client of @m has gone: what was held of it, and @m. */
struct err *record_end(struct recorder *r, struct record_mask *m,
		       unsigned connection) _must_check_;

#endif
