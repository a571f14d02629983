/* SPDX-License-Identifier: Apache-2.0 */
/*
 * indexes.c: where symbol indexes are kept.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/apart.h"
#include "cmd/home.h"
#include "cmd/indexes.h"

#define INDEXES_SIZE (2ull << 30)
#define QUEUE_MAX 64u

static int
indexes_dir(void)
{
	_free_ char *cache = NULL, *path = NULL;

	if (!home_cache(&cache))
		return -1;
	_close_ int parent = home_open_own(cache);
	if (parent < 0 || asprintf(&path, "%s/index", cache) < 0)
		return -1;
	(void)mkdirat(parent, "index", 0700);
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

/* ---- those that are made when all is done ---- */

static void
indexes_missing(void *arg, const struct supply_ask *ask)
{
	struct indexes *x = arg;
	struct supply_ask *slot;

	if (!x->arena)
		x->arena = arena_new(0);
	x->queue.max = QUEUE_MAX;
	slot = x->arena ? vec_add(&x->queue, x->arena, sizeof(*slot)) : NULL;
	if (!slot)
		return;
	*slot = *ask;
	slot->path = ask->path ? arena_strdup(x->arena, ask->path) : NULL;
	slot->link = ask->link ? arena_strdup(x->arena, ask->link) : NULL;
}

static void
indexes_make_all(const struct indexes *x, const struct supply_places *places)
{
	const struct supply_ask *all = x->queue.data;
	const struct supply_indexes making = {
		.dir = x->supply.dir, .make = true,
		.size_max = x->supply.size_max,
	};
	struct supply_places with = *places;
	_close_ int lock = -1;

	/* What a store has is not reached from here. */
	with.more = NULL;
	with.indexes = &making;
	if (!apart_alone(x->supply.dir, &lock))
		return;
	for (size_t k = 0; k < x->queue.n; k++) {
		_close_ int fd = -1;
		_err_ struct err *err = supply_index(&with, &all[k], &fd);
	}
}

void
indexes_open(struct indexes *x, enum indexes_use use)
{
	progress_init(&x->progress);
	x->supply = (struct supply_indexes){
		.dir = use == INDEXES_NONE ? -1 : indexes_dir(),
		.make = use == INDEXES_MAKE, .size_max = indexes_size(),
		.progress = indexes_progress, .arg = x,
		.missing = use == INDEXES_QUEUE ? indexes_missing : NULL,
	};
	x->arena = NULL;
	x->queue = (struct vec){ 0 };
}

void
indexes_fini(struct indexes *x, const struct supply_places *places)
{
	progress_end(&x->progress);
	if (x->queue.n && x->supply.dir >= 0 && apart(x->supply.dir)) {
		indexes_make_all(x, places);
		_exit(0);
	}
	base_close(&x->supply.dir);
	arena_free(x->arena);
}
