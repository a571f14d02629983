/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checked: is a symbol index that is kept as it was written?
 *
 * Who says that one is damaged may have been taken over, so it is not thrown
 * away for that; and this side reads none. A child looks.
 */
#include <fcntl.h>

#include "jail/jail.h"
#include "supply/checked.h"
#include "symbols/symbols.h"

#define MEMORY (256ull << 20)   /* beside the index, which is mapped */
#define CPU_SECONDS 20u
#define WALL_SECONDS 60u
/* How the child ends. */
enum { INTACT, DAMAGED, UNKNOWN };

static struct err *
read_all(int fd)
{
	_source_ struct source *src = NULL;
	_symidx_ struct symidx *ix = NULL;
	struct err *err = source_fd(fd, "symbol index", &src);

	if (!err)
		err = symidx_open(src, &ix);
	return err ? err : symidx_verify(ix);
}

static int
checker_run(void *arg)
{
	_err_ struct err *err = read_all(*(const int *)arg);

	if (!err)
		return INTACT;
	return err_kind(err) == ERR_DAMAGED || err_kind(err) == ERR_FORMAT
	       ? DAMAGED : UNKNOWN;
}

struct err *
checked_index(int fd, bool *intact)
{
	const struct jail_limits limits = {
		.memory = MEMORY, .cpu_seconds = CPU_SECONDS,
		.wall_seconds = WALL_SECONDS,
	};
	struct jail_child *child;
	int status = UNKNOWN;
	struct err *err = jail_spawn(&limits, &fd, 1, checker_run, &fd,
				     &child);

	if (!err)
		err = jail_wait(child, &status);
	if (!err && status == UNKNOWN)
		err = err_new(ERR_FAILED, "the symbol index cannot be looked "
			      "at");
	if (!err)
		*intact = status == INTACT;
	return err;
}
