/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record: recordings of a session, as text.
 *
 * The first line is "inquest-rsp 1". Each further line is what was read from
 * a client (>) or sent to it (<): the direction, a space, the number of the
 * connection, a space, the bytes. Bytes outside of 0x20 to 0x7e are \xNN, a
 * backslash is \\. Where lines are cut says nothing: a recording is replayed
 * by joining those of one direction.
 */
#ifndef SERVE_RECORD_H
#define SERVE_RECORD_H

#include "base/base.h"

enum record_direction { RECORD_FROM_CLIENT = '>', RECORD_TO_CLIENT = '<' };
/** Both do nothing where @fd is -1. */
struct err *record_begin(int fd) _must_check_;
struct err *record_bytes(int fd, enum record_direction direction,
			 unsigned connection, struct span bytes) _must_check_;

#endif
