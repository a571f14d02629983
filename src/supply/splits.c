/* SPDX-License-Identifier: Apache-2.0 */
/*
 * splits: the .dwo files that an index was made from, or would have been.
 *
 * "NAME.split" is, for each: the path, a NUL, and what tells one file from
 * another; that is 0 where there was none.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supply/splits.h"

#define SPLITS_MAX (1u << 20)   /* bytes; what is looked at each time */
#define NAME_MAX_CHARS 64u

struct identity {
	uint64_t dev, ino, size, mtime_ns, ctime_ns;
};

static uint64_t
ns_of(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

static struct identity
identity_of(int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return (struct identity){ .dev = 0 };
	return (struct identity){
		st.st_dev, st.st_ino, (uint64_t)st.st_size,
		ns_of(&st.st_mtim), ns_of(&st.st_ctim),
	};
}

void
splits_add(struct buf *all, const char *path, int found)
{
	const struct identity id = identity_of(found);

	all->max = SPLITS_MAX;
	buf_put(all, path, strlen(path) + 1);
	buf_put(all, &id, sizeof(id));
}

static void
beside(const char *name, char out[NAME_MAX_CHARS])
{
	snprintf(out, NAME_MAX_CHARS, "%.*s.split", (int)strcspn(name, "."),
		 name);
}

void
splits_keep(int dir, const char *name, const struct buf *all)
{
	char own[NAME_MAX_CHARS];

	if (dir < 0 || !name || !all->len || all->failed)
		return;
	beside(name, own);
	(void)unlinkat(dir, own, 0);
	_close_ int fd = openat(dir, own, O_WRONLY | O_CREAT | O_EXCL
				| O_NOFOLLOW | O_CLOEXEC, 0600);
	_err_ struct err *err = fd < 0 ? NULL
				: io_write(fd, all->data, all->len);
	if (err)
		(void)unlinkat(dir, own, 0);
}

static bool
is_as_it_was(const struct supply_places *places, const char *path,
	     const struct identity *was)
{
	const struct supply_ask ask = { .kind = SUPPLY_SPLIT, .path = path };
	_close_ int fd = -1;
	uint32_t seen;
	_err_ struct err *none = supply_near(places, &ask, &seen, &fd);
	const struct identity is = identity_of(none ? -1 : fd);

	return memcmp(&is, was, sizeof(is)) == 0;
}

bool
splits_changed(const struct supply_places *places, int dir, const char *name)
{
	char own[NAME_MAX_CHARS];
	_arena_ struct arena *a = arena_new(0);
	_source_ struct source *src = NULL;
	struct span bytes = { NULL, 0 };

	beside(name, own);
	int fd = openat(dir, own, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || !a)
		return false;
	_err_ struct err *err = source_fd(fd, own, &src);
	if (!err)
		err = source_load(src, 0, source_size(src), SPLITS_MAX, a,
				  &bytes);
	struct rd r = rd_of(bytes.data, bytes.n);
	while (!err && rd_left(&r)) {
		struct identity was;
		const char *path = rd_str(&r);
		const void *id = rd_bytes(&r, sizeof(was));

		if (!path || !id)
			return true;
		memcpy(&was, id, sizeof(was));
		if (!is_as_it_was(places, path, &was))
			return true;
	}
	return err != NULL;
}
