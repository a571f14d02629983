/* SPDX-License-Identifier: Apache-2.0 */
/*
 * consoles.c: a few jailed gdbs, by number.
 */
#include <stdlib.h>
#include <unistd.h>

#include "serve/consoles.h"
#include "serve/serve.h"

struct err *
consoles_new(struct consoles **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? NULL : err_nomem();
}

void
consoles_free(struct consoles *all)
{
	if (all)
		consoles_fini(all);
	free(all);
}

struct err *
consoles_start(struct consoles *all, uint64_t number, struct gdb_ends *e)
{
	size_t k = 0;

	while (k < CONSOLES_MAX && all->rows[k].number)
		k++;
	if (k == CONSOLES_MAX)
		return err_new(ERR_LIMIT, "%u gdbs are running; end one of "
			       "these sessions", CONSOLES_MAX);
	struct err *err = gdb_start(e->io, e->terminal, &all->rows[k].child);
	if (err)
		return err;
	base_close(&e->io);
	e->io = -1;
	all->rows[k].line = e->line;
	e->line = -1;
	all->rows[k].number = number;
	return NULL;
}

void
consoles_end_from(struct consoles *all, uint64_t first, uint64_t last)
{
	for (size_t k = 0; k < CONSOLES_MAX; k++) {
		uint64_t number = all->rows[k].number;

		if (!number || number < first || number > last)
			continue;
		gdb_end(all->rows[k].child);
		base_close(&all->rows[k].line);
		all->rows[k].number = 0;
	}
}

void
consoles_end(struct consoles *all, uint64_t number)
{
	consoles_end_from(all, number, number);
}

void
consoles_fini(struct consoles *all)
{
	consoles_end_from(all, 1, UINT64_MAX);
}
