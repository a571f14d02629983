/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outfile: a file that gets its name only when it is whole.
 */
#ifndef CMD_OUTFILE_H
#define CMD_OUTFILE_H

#include "base/base.h"

struct outfile {
	int dir;                /* the directory; -1 = none */
	int fd;                 /* write here; -1 = none */
	char *temporary;        /* its name while it has one; NULL = unnamed */
};
#define OUTFILE_NONE { .dir = -1, .fd = -1 }

/** An empty file in directory @dir, readable by its owner only. */
struct err *outfile_open(const char *dir, struct outfile *out) _must_check_;
/** A file in $TMPDIR that never has a name and ends with its descriptor. */
struct err *outfile_scratch(int *fd) _must_check_;
/** On disk, then under @name, in place of a file of that name. */
struct err *outfile_replace(struct outfile *o, const char *name) _must_check_;
/** The same, but *@taken is set and nothing done if there is such a file. */
struct err *outfile_place(struct outfile *o, const char *name, bool *taken)
	_must_check_;
/** Whatever was not placed is gone. */
void outfile_drop(struct outfile *o);
#define _outfile_ _cleanup_(outfile_drop)

#endif
