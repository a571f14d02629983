/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trim: a directory of files that can be made again does not grow for ever.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supply/supply.h"

#define ENTRIES_MAX 65536u

struct trim_entry {
	char name[48];
	uint64_t size;
	time_t modified;
};

static int
trim_order(const void *a, const void *b)
{
	const struct trim_entry *x = a, *y = b;

	return (x->modified > y->modified) - (x->modified < y->modified);
}

static uint64_t
trim_list(DIR *dir, struct arena *a, struct vec *out)
{
	uint64_t sum = 0;
	struct dirent *d;

	while ((d = readdir(dir))) {
		struct stat st;
		size_t n = strlen(d->d_name) + 1;
		/* ".lock" is held by whoever works here. */
		if (d->d_name[0] == '.' || n > sizeof(((struct trim_entry *)0)->name)
		    || fstatat(dirfd(dir), d->d_name, &st,
			       AT_SYMLINK_NOFOLLOW) < 0
		    || !S_ISREG(st.st_mode))
			continue;
		struct trim_entry *e = vec_add(out, a, sizeof(*e));
		if (!e)
			break;
		memcpy(e->name, d->d_name, n);
		e->size = (uint64_t)st.st_size;
		e->modified = st.st_mtime;
		sum += e->size;
	}
	return sum;
}

/* The oldest go, until a quarter is free again. */
void
supply_trim(int dir_fd, uint64_t size_max)
{
	struct vec entries = { .max = ENTRIES_MAX };
	_arena_ struct arena *a = arena_new(0);
	int own = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = own < 0 ? NULL : fdopendir(own);

	if (!dir || !a) {
		if (dir)
			closedir(dir);
		return;
	}
	uint64_t sum = trim_list(dir, a, &entries);
	struct trim_entry *e = entries.data;
	if (sum > size_max) {
		qsort(e, entries.n, sizeof(*e), trim_order);
		for (size_t k = 0; k < entries.n && sum > size_max / 4 * 3; k++) {
			if (unlinkat(dir_fd, e[k].name, 0) == 0)
				sum -= e[k].size;
		}
	}
	closedir(dir);
}
