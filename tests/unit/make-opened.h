/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A core or snapshot that is opened over the disk, unjailed, and whose symbol
 * indexes are made as they are asked for: for tests of values.
 */
#ifndef TESTS_UNIT_MAKE_OPENED_H
#define TESTS_UNIT_MAKE_OPENED_H

#include "inspect/inspect.h"
#include "values/values.h"

struct opened_file {
	struct source *source;
	struct insp *insp;
	struct values *values;
	struct supply supply;
	struct buf *bytes;              /* of each module's index */
	struct source **sources;
	struct symidx **indexes;
	bool *asked;
	size_t n_modules;
};
/** @l is zeroed, and stays where it is until opened_close(). */
struct err *opened_open(struct opened_file *l, const char *path) _must_check_;
void opened_close(struct opened_file *l);

#endif
