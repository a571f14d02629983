/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes as an ELF file with DWARF, of which an index is made. What
 * comes out has to be whole: it is opened, and all of it read.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/symbols/walk.h"

/* In place of the system's: one processor. The maker starts no threads then,
 * which would cost more than the rest. */
int
sched_getaffinity(pid_t pid, size_t n, cpu_set_t *out)
{
	(void)pid;
	memset(out, 0, n);
	CPU_SET(0, out);
	return 0;
}

static struct err *
sink(void *arg, const void *data, size_t n)
{
	buf_put(arg, data, n);
	return buf_err(arg);
}

static struct err *
read_back(struct source *index)
{
	_symidx_ struct symidx *ix = NULL;
	struct walked w = { 0 };
	struct err *err = symidx_open(index, &ix);

	return err ? err : walk_index(ix, &w);
}

/* The file is also its own alternate, so that there is one. */
static void
make(struct source *file, bool alternate)
{
	const struct symbols_input in = {
		.file = file, .alt = alternate ? file : NULL,
	};
	_buf_ struct buf out = { 0 };
	_source_ struct source *index = NULL;
	_err_ struct err *err = symbols_make(&in, sink, &out);

	if (err)
		return;
	_err_ struct err *none = source_mem(out.data, out.len, "made", &index);
	if (none)
		return;
	_err_ struct err *damaged = read_back(index);
	if (damaged && err_kind(damaged) != ERR_NOMEM)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_source_ struct source *file = NULL;
	_err_ struct err *err = source_mem(data, n, "fuzz", &file);

	if (!err)
		make(file, n & 1);
	return 0;
}
