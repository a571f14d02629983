/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place: where a file that was made goes, and under which name.
 */
#ifndef CMD_PLACE_H
#define CMD_PLACE_H

#include "cmd/outfile.h"

struct place {
	char *dir;
	char *name;             /* NULL: STEM.snap, and nothing is replaced */
	char *stem;             /* begins it, instead of the program's name;
				   or NULL */
	unsigned index;         /* in a series: STEM.0001.snap; 0 = none */
};
/**
 * What --output means: a file to replace, a directory, or NULL. What must not
 * be replaced is refused: devices, pipes, and @input itself (NULL: none).
 */
struct err *place_find(const char *output, const char *input,
		       struct place *out) _must_check_;
/** What begins the name, behind a directory or not: "DIR/STEM" or "DIR/". */
struct err *place_prefix(const char *prefix, struct place *out) _must_check_;
void place_fini(struct place *p);
#define _place_ _cleanup_(place_fini)
/**
 * The finished file gets its name. @stem is foreign: what is odd in it is not
 * taken over. *@path is the name with its directory.
 */
struct err *place_put(const struct place *p, struct outfile *file,
		      const char *stem, struct buf *path) _must_check_;

#endif
