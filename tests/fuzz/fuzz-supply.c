/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes as a request for a module and as an answer. What is accepted
 * is what the encoder makes, and leads to no path that climbs.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "supply/candidates.h"
#include "supply/sourcemap.h"
#include "supply/wire.h"

static void
check_paths(const struct supply_ask *ask)
{
	static const char *const dirs[] = { "/usr/lib/debug", "/opt", NULL };
	const struct supply_places places = {
		.debug_dirs = dirs, .sysroot = "/sysroot",
	};
	_buf_ struct buf path = { 0 };
	struct candidates walk;

	candidates_init(&walk, &places, ask);
	while (candidates_next(&walk, &path))
		if (path.data[0] != '/' || strstr(path.data, "/../") ||
		    strlen(path.data) != path.len)
			abort();
}

/* Wherever a name of a source leads, it is below what the user named. */
static void
check_map(const struct supply_ask *ask)
{
	static const struct supply_map maps[] = {
		{ "/", "/root" }, { ".", "/here" }, { "/usr/lib", "/there" },
	};
	const struct supply_places places = {
		.maps = maps, .n_maps = countof(maps),
	};
	_buf_ struct buf path = { 0 };
	bool below = false;

	if (!ask->path || !sourcemap_put(&places, ask->path, &path))
		return;
	for (size_t k = 0; k < countof(maps); k++)
		below |= strncmp(path.data, maps[k].to,
				 strlen(maps[k].to)) == 0
			 && path.data[strlen(maps[k].to)] == '/';
	if (!below || strstr(path.data, "/../") || strstr(path.data, "//"))
		abort();
}

static void
check_request(struct span bytes)
{
	_buf_ struct buf again = { 0 };
	struct wire_ask asked;
	_err_ struct err *bad = wire_get_ask(bytes, &asked);

	if (bad)
		return;
	check_paths(&asked.ask);
	check_map(&asked.ask);
	err_free(wire_put_ask(&asked.ask, &again));
	if (again.len != bytes.n || memcmp(again.data, bytes.data, bytes.n))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct span bytes = { data, n };

	check_request(bytes);
	err_free(wire_get_answer(bytes));
	return 0;
}
