/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console: a dialogue with a jailed gdb, in gdb/MI, one question at a time.
 *
 * What comes from it is as hostile as what it is asked: a user of a console may
 * make it say anything. It is text for that user, and nothing else.
 */
#ifndef SERVE_CONSOLE_H
#define SERVE_CONSOLE_H

#include "base/base.h"

#define CONSOLE_SECONDS 20u             /* for an answer */
#define CONSOLE_TEXT_MAX (64u << 10)    /* bytes of one */

struct console;
/** It connects to @terminal first. Two hold it: who asks, and the connection
 * that carries its words; the last of console_release() frees it. */
struct err *console_new(const char *terminal, struct console **out)
	_must_check_;
void console_release(struct console *c);

struct console_question {
	const char *text;       /* one line: ERR_USAGE */
	bool has_frame;
	size_t thread, frame;   /* the frame's pc is told by: */
	uint64_t pc;            /* it is the @same-th of that pc, from 0 on */
	size_t same;
	bool written;           /* somebody else wrote since the last one */
};
/** ERR_LIMIT while another one is under way. */
struct err *console_question(struct console *c,
			     const struct console_question *q) _must_check_;
/** Is there an answer to take? It may be that there will be none. */
bool console_answered(const struct console *c);
/** Text or an error; to be freed by the caller. */
struct err *console_take(struct console *c, struct buf *text) _must_check_;
/** Nothing more is asked or heard. */
void console_end(struct console *c);
bool console_is_over(const struct console *c);
/** What is heard instead of a gdb that could not be started. */
void console_put_refusal(struct buf *b, const char *why);

/* ---- its connection ---- */
struct err *console_hear(struct console *c, const void *data, size_t n)
	_must_check_;
/** Is there something to say, or is it too late for an answer? */
bool console_speaks(const struct console *c);
struct err *console_speak(struct console *c, struct buf *out) _must_check_;
/** Milliseconds until it is too late; -1: nothing is waited for. */
int console_patience(const struct console *c);

#endif
