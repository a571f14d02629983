/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process in /proc, through a descriptor of its directory: once that is
 * open, what is read is of this very process or fails with ESRCH, even when
 * its number belongs to another one by then.
 */
#ifndef CAPTURE_PROC_H
#define CAPTURE_PROC_H

#include "capture/texts.h"

struct proc {
	pid_t pid;
	int dir;                        /* /proc/PID */
	pid_t through;                  /* the thread whose directory that is:
					   @pid, or see below */
};
/** ERR_NOTFOUND if there is no such process. */
struct err *proc_open(pid_t pid, struct proc *out) _must_check_;
void proc_fini(struct proc *p);
/**
 * Where the first thread has ended while others run, /proc/PID tells nothing
 * of memory, files and registers: from here on look into the directory of one
 * that runs. False if there is none.
 */
bool proc_look_through(struct proc *p) _must_check_;

/**
 * Append the file @name of the directory to @out, at most @max bytes of it.
 * An error is about the process or permissions, with errno's word.
 */
struct err *proc_read(const struct proc *p, const char *name, size_t max,
		      struct buf *out) _must_check_;
/** Into @out, which has room for @size bytes: how many there were; 0 = none. */
size_t proc_read_some(const struct proc *p, const char *name, void *out,
		      size_t size);
/** Where the link @name leads, in @a; NULL if that is not known. */
const char *proc_read_link(const struct proc *p, const char *name, struct arena *a);
/** Is @name, followed, the same file as @path? True where nobody knows. */
bool proc_same_file(const struct proc *p, const char *name, const char *path);
/** /proc/PID/stat, or that of one thread if @tid is not 0. */
bool proc_stat(const struct proc *p, pid_t tid, struct text_stat *out,
	       char room[static 1024]) _must_check_;

/**
 * Why ptrace(2) refused with EPERM, and what to do: ERR_DENIED, or another
 * kind where the process is none that anybody could look into.
 */
struct err *proc_why_denied(const struct proc *p) _must_check_
	_returns_nonnull_;

#endif
