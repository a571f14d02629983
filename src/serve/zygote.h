/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zygote: a small process that starts workers. It is forked before the server
 * opens anything, so that a worker inherits nothing of it: no connection, no
 * store, no token. It waits for the workers' ends and tells of them.
 *
 * Requests and reports are datagrams of struct zygote_message.
 */
#ifndef SERVE_ZYGOTE_H
#define SERVE_ZYGOTE_H

#include "serve/serve.h"

struct zygote {
	int fd;                 /* readable when there is a report */
	pid_t pid;
};
#define ZYGOTE_TEXT_MAX 240u
enum zygote_what {
	ZYGOTE_SPAWN = 1, ZYGOTE_KILL, ZYGOTE_ENDED,
	ZYGOTE_CONSOLE,         /* a gdb for that worker; the text is its
				   terminal */
	ZYGOTE_CONSOLE_END,
};
struct zygote_message {
	uint32_t what, number;
	uint32_t console;       /* which gdb of that worker; from 1 on */
	char text[ZYGOTE_TEXT_MAX];     /* of an end that was none of its own */
};

/** At most @max workers at once, which write files of at most @file_size. */
struct err *zygote_start(unsigned max, uint64_t file_size,
			 worker_report_fn *report, struct zygote *out)
	_must_check_;
/**
 * Start worker @number with its ends of the control and the supply socket,
 * both borrowed. That it could not be started is told like an end.
 */
struct err *zygote_spawn(struct zygote *z, uint32_t number, int control,
			 int supply) _must_check_;
/** Start jailed gdb @console of worker @number, over its ends, both borrowed. It
 * ends with its worker. What is wrong shows as the end of what it talks by. */
struct gdb_ends;
struct err *zygote_console(struct zygote *z, uint32_t number, uint32_t console,
			   const struct gdb_ends *e) _must_check_;
void zygote_console_end(struct zygote *z, uint32_t number, uint32_t console);
/** Ask again until its end is told. */
void zygote_kill(struct zygote *z, uint32_t number);
/** One report; *@over when the zygote itself has ended. */
struct err *zygote_report(struct zygote *z, struct zygote_message *out,
			  bool *over) _must_check_;
/** All workers end with it. */
void zygote_end(struct zygote *z);

#endif
