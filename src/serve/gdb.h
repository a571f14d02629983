/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gdb: a jailed gdb, that a worker talks to in gdb/MI, and that looks at what
 * the worker shows by the remote protocol. A worker may start nothing, so the
 * process that starts workers starts this one too.
 */
#ifndef SERVE_GDB_H
#define SERVE_GDB_H

#include "base/base.h"

/** A pty and a pair of sockets. */
struct gdb_ends {
	int talk, link;         /* the worker's: MI, remote protocol */
	int io, line;           /* gdb's: MI; the line is kept open for it */
	char terminal[64];      /* the line's name, for "target remote" */
};
struct err *gdb_ends(struct gdb_ends *out) _must_check_;
void gdb_ends_close(struct gdb_ends *e);
#define _gdb_ends_ _cleanup_(gdb_ends_close)

struct jail_child;
/** Start it over gdb's ends; ERR_NOTFOUND: there is no gdb on this machine. */
struct err *gdb_start(int io, const char *terminal, struct jail_child **out)
	_must_check_;
/** End it, and wait for that. */
void gdb_end(struct jail_child *c);

#endif
