/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments of a packet, parsed by a schema. Strict: what does not fit the
 * schema to its last character is refused.
 *
 * A schema is a string of types and of characters that stand for themselves:
 *   L  a number: 1 to 16 hex digits
 *   T  a thread: TID, pPID or pPID.TID; 0 = any, -1 = all
 *   C  one character
 *   S  text up to the schema's next character (or the end)
 *   H  the same, in hex digits; decoded in place
 *   B  all the rest, with binary escapes; undone in place
 *   ?  the packet may end here
 */
#ifndef GDBSTUB_ARGS_H
#define GDBSTUB_ARGS_H

#include "base/base.h"

#define ARGS_MAX 6
#define ID_ANY 0u
#define ID_ALL UINT64_MAX

struct thread_id {
	uint64_t pid, tid;      /* or ID_ANY, ID_ALL */
};
struct arg {
	uint64_t number;        /* L, C */
	struct thread_id thread;        /* T */
	struct span bytes;      /* S, H, B: borrowed from the packet */
};
struct args {
	struct arg v[ARGS_MAX];
	size_t n;
};

/** Parse all of @text, which is changed; false if it does not fit. */
bool args_parse(const char *schema, char *text, size_t n, struct args *out)
	_must_check_;

/** Are these bytes that text? */
bool span_is(struct span s, const char *text);

#endif
