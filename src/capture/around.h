/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is around a process: texts under the names of /proc/PID, those of the
 * machine below "system/", and attributes. All of it is read while it runs;
 * what cannot be read is not there. FORMAT.md names the texts that are ours.
 */
#ifndef CAPTURE_AROUND_H
#define CAPTURE_AROUND_H

#include "capture/shot.h"

/** What was seen of one thread besides its name and its registers. */
struct task {
	uint64_t tid;
	const char *kernel_stack;       /* or NULL */
};

/** A text of the picture; copies. One of no bytes is none. */
struct err *around_text(struct shot *s, const char *name, const void *bytes,
			size_t n) _must_check_;
/** One that was read; empty if there is none. */
struct span around_find(const struct shot *s, const char *name);

/** "fd": what the descriptors are; "net/tcp", …: lines of its sockets. */
struct err *around_descriptors(struct shot *s) _must_check_;
/** "threads": state, time and place of each; s->tasks. */
struct err *around_threads(struct shot *s) _must_check_;
/** "system/meminfo", …: of the machine. */
struct err *around_system(struct shot *s) _must_check_;
/** Is it frozen by a cgroup now? @path of that, borrowed from the text. */
bool around_frozen(const struct shot *s, struct span *path);
/** Attributes, out of the texts. */
struct err *around_facts(struct shot *s) _must_check_;

#endif
