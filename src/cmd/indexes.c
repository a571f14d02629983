/* SPDX-License-Identifier: Apache-2.0 */
/*
 * indexes.c: where symbol indexes are kept.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/home.h"
#include "cmd/indexes.h"

#define INDEXES_SIZE (2ull << 30)

static int
indexes_dir(void)
{
	_free_ char *cache = NULL, *path = NULL;

	if (!home_cache(&cache) || asprintf(&path, "%s/index", cache) < 0)
		return -1;
	(void)mkdir(path, 0700);
	return home_open_own(path);
}

static uint64_t
indexes_size(void)
{
	const char *text = getenv("INQUEST_INDEX_SIZE");

	return text && *text ? strtoull(text, NULL, 10) : INDEXES_SIZE;
}

static void
indexes_progress(void *arg, const char *path, unsigned done)
{
	struct indexes *x = arg;

	if (done == 1000) {
		progress_end(&x->progress);
		progress_init(&x->progress);
		return;
	}
	progress_share(&x->progress, path, done);
}

void
indexes_open(struct indexes *x, enum indexes_use use)
{
	progress_init(&x->progress);
	x->supply = (struct supply_indexes){
		.dir = use == INDEXES_NONE ? -1 : indexes_dir(),
		.make = use == INDEXES_MAKE, .size_max = indexes_size(),
		.progress = indexes_progress, .arg = x,
	};
}

void
indexes_fini(struct indexes *x)
{
	progress_end(&x->progress);
	base_close(&x->supply.dir);
}
