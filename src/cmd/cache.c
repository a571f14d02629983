/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache.c: where it is, and what is read of it.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmd/cache.h"
#include "cmd/home.h"
#include "inspect/skeleton.h"

#define CACHE_MAGIC 0x3268636163716e69ull
#define CACHE_FILES_MAX 4096u

/* ---- where it is ---- */

/* Nobody else can put anything there. Under sudo the home is another's. */
void
cache_open(struct cache *c, bool off)
{
	_free_ char *path = NULL;

	*c = (struct cache){ .dir = -1 };
	if (off || !home_cache(&path))
		return;
	_close_ int dir = home_open_own(path);
	if (dir < 0)
		return;
	c->arena = arena_new(0);
	if (!c->arena)
		return;
	c->files.max = CACHE_FILES_MAX;
	c->dir = dir;
	dir = -1;
}

void
cache_fini(struct cache *c)
{
	const struct cache_file *all = c->files.data;

	for (size_t k = 0; k < c->files.n; k++)
		if (all[k].mapped.n)
			munmap((void *)all[k].mapped.data, all[k].mapped.n);
	base_close(&c->dir);
	arena_free(c->arena);
	*c = (struct cache){ .dir = -1 };
}

/* ---- entries ---- */

static uint64_t
cache_ns(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

bool
cache_identify(const struct stat *st, struct cache_identity *out)
{
	*out = (struct cache_identity){
		.device = st->st_dev, .inode = st->st_ino,
		.size = (uint64_t)st->st_size,
		.modified_ns = cache_ns(&st->st_mtim),
		.changed_ns = cache_ns(&st->st_ctim),
	};
	return S_ISREG(st->st_mode);
}

void
cache_head(const struct cache_identity *id, struct buf *out)
{
	uint8_t xxh[XXH128_SIZE];

	buf_u64(out, CACHE_MAGIC);
	buf_u64(out, id->device);
	buf_u64(out, id->inode);
	buf_u64(out, id->size);
	buf_u64(out, id->modified_ns);
	buf_u64(out, id->changed_ns);
	if (out->failed)
		return;
	hash_xxh128(out->data, out->len, xxh);
	buf_put(out, xxh, sizeof(xxh));
}

/* Is @bytes an entry of the file that @st is of? Then what it says of it. */
static bool
cache_read(struct span bytes, const struct stat *st, struct cache_file *f)
{
	struct rd r = rd_of(bytes.data, bytes.n);
	_buf_ struct buf head = { 0 };
	struct cache_identity id;

	if (!cache_identify(st, &id))
		return false;
	cache_head(&id, &head);
	const void *theirs = rd_bytes(&r, CACHE_HEAD);
	if (head.failed || rd_failed(&r)
	    || memcmp(theirs, head.data, CACHE_HEAD) != 0)
		return false;
	f->size = id.size;
	/* Nothing more: a file that has no skeleton, or no build-id. */
	if (!rd_left(&r))
		return true;
	f->id.kind = rd_u8(&r);
	f->id.len = rd_u8(&r);
	const void *id_bytes = rd_bytes(&r, ID_MAX);
	if (rd_failed(&r) || f->id.kind == ID_NONE || f->id.len > ID_MAX)
		return false;
	memcpy(f->id.bytes, id_bytes, ID_MAX);
	f->packed.n = rd_left(&r);
	f->packed.data = rd_bytes(&r, f->packed.n);
	return true;
}

/* Nobody else has written it. */
static bool
cache_entry_size(int fd, size_t *n)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)
	    || st.st_uid != geteuid() || (st.st_mode & 022)
	    || st.st_size > (off_t)CACHE_ENTRY_MAX)
		return false;
	*n = (size_t)st.st_size;
	return true;
}

static bool
cache_load_bytes(struct cache *c, int fd, struct span *out)
{
	size_t n;

	if (!cache_entry_size(fd, &n) || c->loaded + n > CACHE_LOADED_MAX)
		return false;
	void *at = arena_alloc(c->arena, n ? n : 1);
	if (!at || read(fd, at, n) != (ssize_t)n)
		return false;
	c->loaded += n;
	*out = (struct span){ at, n };
	return true;
}

static void
cache_look(struct cache *c, const struct snap_map *m)
{
	struct cache_file *f = vec_add(&c->files, c->arena, sizeof(*f));
	struct span bytes;
	struct stat st;

	if (!f)
		return;
	*f = (struct cache_file){ .path = arena_strdup(c->arena, m->path) };
	snprintf(f->name, sizeof(f->name), "%" PRIx64 "-%" PRIx64, m->device,
		 m->inode);
	/* One that has gone since, or is elsewhere, is nobody's concern. */
	if (!f->path || stat(f->path, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	_close_ int fd = openat(c->dir, f->name, O_RDONLY | O_NOFOLLOW
						 | O_CLOEXEC | O_NONBLOCK);
	f->missing = fd < 0 || !cache_load_bytes(c, fd, &bytes)
		     || !cache_read(bytes, &st, f);
	if (f->missing)
		f->packed.n = 0;
}

static struct cache_file *
cache_find(const struct cache *c, const char *path)
{
	struct cache_file *all = c->files.data;

	for (size_t k = 0; k < c->files.n; k++)
		if (all[k].path && strcmp(all[k].path, path) == 0)
			return &all[k];
	return NULL;
}

/* ---- constants ---- */

/* Of so many the linker has written, and then protected, a part. */
static bool
cache_may_be_constants(const struct snap_map *m)
{
	return m->perm == SNAP_PERM_R && m->path && m->path[0] == '/'
	       && m->inode && m->offset
	       && m->end - m->start >= CONSTANTS_LEAST;
}

/* What is not looked at is not read: they are large. */
static bool
cache_map(struct cache_file *f, int fd)
{
	size_t n;

	if (!cache_entry_size(fd, &n) || n < CACHE_HEAD)
		return false;
	void *at = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return false;
	f->mapped = (struct span){ at, n };
	return true;
}

static bool
cache_read_constants(struct cache_file *f, const struct stat *st)
{
	const struct span own = { f->mapped.data, f->mapped.n < CACHE_HEAD
				  + CACHE_ID ? CACHE_HEAD
				  : CACHE_HEAD + CACHE_ID };
	struct cache_file like = { .path = f->path };

	if (!cache_read(own, st, &like))
		return false;
	if (own.n == f->mapped.n || !id_equal(&like.id, &f->id))
		return true;
	f->constants.n = f->mapped.n - own.n;
	f->constants.data = (const uint8_t *)f->mapped.data + own.n;
	return true;
}

static void
cache_look_constants(const struct cache *c, struct cache_file *f)
{
	char name[48];
	struct stat st;

	f->has_constants = true;
	snprintf(name, sizeof(name), "%s" CACHE_CONSTANTS, f->name);
	if (f->missing || stat(f->path, &st) < 0)
		return;
	_close_ int fd = openat(c->dir, name, O_RDONLY | O_NOFOLLOW
					      | O_CLOEXEC | O_NONBLOCK);
	f->missing = fd < 0 || !cache_map(f, fd)
		     || !cache_read_constants(f, &st);
}

static void
cache_load_constants(struct cache *c, const struct snap_map *maps, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		const struct snap_map *m = &maps[k];
		struct cache_file *f = cache_may_be_constants(m)
				       ? cache_find(c, m->path) : NULL;

		if (f && !f->has_constants)
			cache_look_constants(c, f);
	}
}

void
cache_load(struct cache *c, const struct snap_map *maps, size_t n)
{
	for (size_t k = 0; c->dir >= 0 && k < n; k++) {
		const struct snap_map *m = &maps[k];
		if ((m->perm & SNAP_PERM_X) && m->path && m->path[0] == '/'
		    && m->inode && !cache_find(c, m->path))
			cache_look(c, m);
	}
	if (c->dir >= 0)
		cache_load_constants(c, maps, n);
}

/* That the file is the one in memory is for the build-id to say. */
struct span
cache_skeleton(void *arg, const struct snap_module *m, uint64_t *file_size)
{
	const struct cache_file *f = m->path ? cache_find(arg, m->path) : NULL;

	if (!f || !f->packed.n || !id_equal(&f->id, &m->id))
		return (struct span){ NULL, 0 };
	*file_size = f->size;
	return f->packed;
}

struct span
cache_constants(void *arg, const struct snap_module *m)
{
	const struct cache_file *f = m->path ? cache_find(arg, m->path) : NULL;

	return f && f->constants.n && id_equal(&f->id, &m->id)
	       ? f->constants : (struct span){ NULL, 0 };
}
