/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reason: why a process died, in words; only what is certain.
 */
#ifndef CMD_REASON_H
#define CMD_REASON_H

#include "inspect/inspect.h"

struct reason {
	int number, code;       /* as the system gave them; 0 = no signal */
	const char *signal;     /* "SIGSEGV"; NULL = none, or unknown here */
	const char *code_name;  /* "SEGV_MAPERR", or NULL */
	const char *text;       /* a clause that explains it */
	bool has_sender;
	uint64_t sender_pid, sender_uid;
};

/** Of the target that @i inspects; texts are owned by @a. */
struct err *reason_find(struct insp *i, struct arena *a, struct reason *out)
	_must_check_;

#endif
