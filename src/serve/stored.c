/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stored: symbol files of a project, and indexes that were made of them. An
 * index is a sidecar of such a file: it counts as the project's, is read as
 * carefully as all else, and goes with the file.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "serve/serve.h"

/* Larger ones are no load for memory, but for a disk. */
#define IN_MEMORY_MAX (64u << 20)
/* What others have on the file system. */
#define FREE_MAX (UINT64_C(1) << 30)
#define FREE_PART 20u
#define KIND "symbol-index"
#define PRODUCER "inquest"
#define VERSION 1u

/* Who looks for an answer holds a store no longer than it takes. */
struct hold {
	struct store *store;
	struct store *own;              /* the same, to be closed */
};

static void
hold_fini(struct hold *h)
{
	store_free(h->own);
}
#define _hold_ _cleanup_(hold_fini)

static struct err *
hold_open(const struct stored *s, struct hold *h)
{
	const struct store_options options = { .create = false };

	h->store = s->store;
	if (h->store)
		return NULL;
	struct err *err = store_open(s->url, &options, &h->own);
	h->store = h->own;
	return err;
}

/* ---- files -------------------------------------------------------------------- */
struct err *
stored_find(struct store *s, const char *project, const struct supply_ask *ask,
	    uint32_t nth, struct store_ref *out)
{
	const struct store_symbols asked = {
		.id = { ask->id.bytes, ask->id.len }, .nth = nth,
		.kind = ask->kind == SUPPLY_EXE ? STORE_SYMBOLS_CODE
						: STORE_SYMBOLS_DEBUG,
	};

	if (ask->id.kind != ID_GNU_BUILD_ID
	    || (ask->kind != SUPPLY_EXE && ask->kind != SUPPLY_DEBUG
		&& ask->kind != SUPPLY_ALT))
		return err_new(ERR_NOTFOUND, "no file of that build-id");
	return store_symbols(s, project, &asked, out);
}

static struct err *
copy_sink(void *arg, const void *data, size_t n)
{
	return io_write(*(const int *)arg, data, n);
}

static const char *
store_dir(const char *url)
{
	static const char lmdb[] = "lmdb:";
	const size_t n = sizeof(lmdb) - 1;

	return strncmp(url, lmdb, n) == 0 ? url + n : url;
}

static struct err *
copy_object(const struct stored *s, struct store *from,
	    const struct store_ref *ref, int *out)
{
	_arena_ struct arena *a = arena_new(0);
	struct store_object o;
	_close_ int fd = -1;

	struct err *err = a ? store_object(from, ref, a, &o) : err_nomem();
	if (err)
		return err;
	if (o.size > IN_MEMORY_MAX)
		fd = open(store_dir(s->url), O_TMPFILE | O_RDWR | O_CLOEXEC,
			  0600);
	else
		fd = memfd_create("symbols", MFD_CLOEXEC);
	if (fd < 0)
		return err_errno("cannot make room for a symbol file");
	err = store_get(from, ref, copy_sink, &fd);
	if (err)
		return err;
	*out = fd;
	fd = -1;
	return NULL;
}

static struct err *
more_find(void *arg, const struct supply_ask *ask, uint32_t nth,
	  uint32_t *seen, int *out)
{
	const struct stored *s = arg;
	_hold_ struct hold h = { 0 };
	struct store_ref ref;

	*seen = 0;
	struct err *err = hold_open(s, &h);
	if (!err)
		err = stored_find(h.store, s->project, ask, nth, &ref);
	if (!err)
		return copy_object(s, h.store, &ref, out);
	for (bool more = h.store; more; *seen += more) {
		_err_ struct err *none = stored_find(h.store, s->project, ask,
						     *seen, &ref);
		more = !none;
	}
	return err;
}

static struct err *
more_hash(void *arg, const struct supply_ask *ask, uint32_t nth,
	  uint8_t out[SHA256_SIZE])
{
	const struct stored *s = arg;
	_arena_ struct arena *a = arena_new(0);
	_hold_ struct hold h = { 0 };
	struct store_object o;
	struct store_ref ref;

	struct err *err = a ? hold_open(s, &h) : err_nomem();
	if (!err)
		err = stored_find(h.store, s->project, ask, nth, &ref);
	if (!err)
		err = store_object(h.store, &ref, a, &o);
	if (!err)
		memcpy(out, o.hash, SHA256_SIZE);
	return err;
}

/* ---- indexes ------------------------------------------------------------------- */
/* The file whose sidecar the index of @ask is: debug information first. */
static struct err *
index_holder(struct store *s, const char *project, struct supply_ask ask,
	     struct store_ref *out)
{
	ask.kind = SUPPLY_DEBUG;
	struct err *err = stored_find(s, project, &ask, 0, out);
	if (err_kind(err) != ERR_NOTFOUND)
		return err;
	err_free(err);
	ask.kind = SUPPLY_EXE;
	return stored_find(s, project, &ask, 0, out);
}

struct index_read {
	const char *name;
	int fd;
	bool found;
};

/* What it is called stands before it, with a NUL. */
static bool
index_give(void *arg, const struct store_sidecar *c)
{
	struct index_read *r = arg;
	const size_t n = strlen(r->name) + 1;
	const uint8_t *bytes = c->bytes.data;

	if (strcmp(c->kind, KIND) != 0 || strcmp(c->producer, PRODUCER) != 0
	    || c->version != VERSION)
		return true;
	if (c->bytes.n > n && memcmp(bytes, r->name, n) == 0) {
		_err_ struct err *err = io_write(r->fd, bytes + n,
						 c->bytes.n - n);
		r->found = !err;
	}
	return false;
}

static bool
more_index(void *arg, const struct supply_ask *ask, const char *name, int fd)
{
	const struct stored *s = arg;
	struct index_read r = { .name = name, .fd = fd };
	_hold_ struct hold h = { 0 };
	struct store_ref ref;

	_err_ struct err *err = hold_open(s, &h);
	if (!err)
		err = index_holder(h.store, s->project, *ask, &ref);
	if (!err)
		err = store_sidecars(h.store, &ref, index_give, &r);
	return !err && r.found;
}

static bool
has_room(const struct stored *s, uint64_t more)
{
	struct statfs st;

	if (statfs(store_dir(s->url), &st) < 0 || st.f_bsize <= 0)
		return false;
	uint64_t block = (uint64_t)st.f_bsize, there = st.f_bavail * block;
	uint64_t keep = st.f_blocks / FREE_PART * block;
	if (keep > FREE_MAX)
		keep = FREE_MAX;
	return there >= keep && there - keep >= more;
}

/* Its name, then the index. */
static struct err *
index_load(const char *name, int fd, struct buf *out)
{
	_source_ struct source *src = NULL;
	_arena_ struct arena *a = arena_new(0);
	struct span bytes;
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (own < 0 || !a)
		return err_nomem();
	struct err *err = source_fd(own, name, &src);
	if (!err)
		err = source_load(src, 0, source_size(src),
				  STORE_SIDECAR_MAX, a, &bytes);
	if (err)
		return err;
	buf_put(out, name, strlen(name) + 1);
	buf_put(out, bytes.data, bytes.n);
	return buf_err(out);
}

/* What cannot be kept, because it is too large or the disk too small, is made
 * again when the cache has lost it. */
static void
more_keep(void *arg, const struct supply_ask *ask, const char *name, int fd)
{
	const struct stored *s = arg;
	_hold_ struct hold h = { 0 };
	_buf_ struct buf bytes = { 0 };
	struct store_ref ref;

	_err_ struct err *err = index_load(name, fd, &bytes);
	if (err || bytes.len > STORE_SIDECAR_MAX || !has_room(s, bytes.len))
		return;
	const struct store_sidecar c = {
		.kind = KIND, .producer = PRODUCER, .version = VERSION,
		.bytes = { bytes.data, bytes.len },
	};
	err = hold_open(s, &h);
	if (!err)
		err = index_holder(h.store, s->project, *ask, &ref);
	if (!err)
		err = store_put_sidecar(h.store, &ref, &c);
}

void
stored_more(struct stored *s, struct supply_more *out)
{
	*out = (struct supply_more){
		.owner = s->project, .find = more_find, .hash = more_hash,
		.index = more_index, .keep = more_keep, .arg = s,
	};
}
