/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keep: what a snapshot is to hold, as it is typed.
 */
#ifndef CMD_KEEP_H
#define CMD_KEEP_H

#include "capture/capture.h"

/** Values of the options that KEEP_OPTS and KEEP_LIVE_OPTS describe. */
struct keep {
	struct opt_list kv, global, attach, redact;
	const char *memory, *max_pause;
	uint64_t budget, copy_limit;
	bool sources;
};
/** For every verb that writes a snapshot; T has a member "keep". */
#define KEEP_OPTS(T) \
	{ "kv", 0, "KEY=VALUE", "add an attribute (may be repeated)", \
	  OPT_LIST, offsetof(T, keep.kv) }, \
	{ "global", 'g', "NAME", "keep this variable; a name or a glob", \
	  OPT_LIST, offsetof(T, keep.global) }, \
	{ "attach", 0, "PATH", "keep this file, or all below a directory", \
	  OPT_LIST, offsetof(T, keep.attach) }, \
	{ "attach-sources", 0, NULL, "keep sources of the stack that are here", \
	  OPT_FLAG, offsetof(T, keep.sources) }, \
	{ "redact", 0, "RULE", "zero env:NAME, regex:EXPRESSION, symbol:NAME", \
	  OPT_LIST, offsetof(T, keep.redact) }
/** For those that take it of a process. */
#define KEEP_LIVE_OPTS(T) \
	{ "memory", 'm', "KIND", "reachable (the default), stacks or full", \
	  OPT_STRING, offsetof(T, keep.memory) }, \
	{ "budget", 0, "SIZE", "with reachable: bytes of memory kept; 64M", \
	  OPT_U64, offsetof(T, keep.budget) }, \
	{ "copy-limit", 0, "SIZE", "bytes copied while it is stopped; 150M", \
	  OPT_U64 | OPT_RARE, offsetof(T, keep.copy_limit) }, \
	{ "max-pause", 0, "TIME", "copying ends by then; 20ms if reachable", \
	  OPT_STRING, offsetof(T, keep.max_pause) }

/**
 * Into @limits and @options, which borrow from @k and @a; attached files are
 * read here. @limits may be NULL.
 */
struct err *keep_read(const struct keep *k, struct arena *a,
		      struct capture_limits *limits,
		      struct capture_options *options) _must_check_;
/**
 * Files, and those below directories, are read and added to those that
 * @options has; a file of a tree is named from the directory on.
 */
struct err *keep_trees(const struct opt_list *paths, struct arena *a,
		       struct capture_options *options) _must_check_;
/** "1.5s", "20ms", "300us", "2m": in nanoseconds. False if it is none. */
bool keep_duration(const char *word, uint64_t *ns) _must_check_;

#endif
