/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache_fill.c: entries are made, in a process of their own that has nothing
 * to do with whoever started it, at the lowest priority.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "cmd/apart.h"
#include "cmd/cache.h"
#include "inspect/skeleton.h"
#include "jail/jail.h"
#include "snapfmt/soon.h"
#include "supply/supply.h"

/* All entries together; INQUEST_CACHE_SIZE says otherwise. */
#define CACHE_SIZE (128u << 20)
/* A file that was changed a moment ago may change again unseen. */
#define CACHE_SETTLED_NS 2000000000u

/* ---- the jailed side ---- */

struct maker {
	int file, out;
	int constants;          /* -1: they are not asked for */
};

static void
maker_put_id(const struct module_id *id, struct buf *body)
{
	buf_putc(body, (char)id->kind);
	buf_putc(body, (char)id->len);
	buf_put(body, id->bytes, ID_MAX);
}

static struct err *
maker_constants(const struct maker *m, const struct skeleton *s,
		struct source *file, struct arena *a)
{
	_buf_ struct buf body = { .max = CACHE_ENTRY_MAX };
	struct constants c;

	if (m->constants < 0)
		return NULL;
	struct err *err = constants_read(file, SNAP_MOVED_TO, SNAP_CHUNK, a,
					 &c);
	if (err || !c.bytes.n)
		return err;
	maker_put_id(&s->id, &body);
	buf_zero(&body, CACHE_ID - body.len);
	err = snap_pack_moved(c.first, c.bytes, &body);
	return err ? err : io_write(m->constants, body.data, body.len);
}

static struct err *
maker_write(const struct maker *m, const struct skeleton *s,
	    struct source *file, struct arena *a)
{
	_buf_ struct buf body = { .max = CACHE_ENTRY_MAX };

	/* What has no build-id cannot be told from another in memory. */
	if (s->id.kind == ID_NONE)
		return NULL;
	/* Without these it is worth having nevertheless. */
	_err_ struct err *none = maker_constants(m, s, file, a);
	maker_put_id(&s->id, &body);
	struct err *err = snap_pack_skeleton(s->extents, s->n, &body);
	if (!err)
		err = buf_err(&body);
	return err ? err : io_write(m->out, body.data, body.len);
}

static int
maker_run(void *arg)
{
	const struct maker *m = arg;
	_arena_ struct arena *a = arena_new(0);
	_source_ struct source *file = NULL;
	struct skeleton skeleton = { 0 };

	if (!a)
		return 1;
	_err_ struct err *err = source_fd(m->file, "file", &file);
	if (!err)
		err = skeleton_read(file, a, &skeleton);
	if (!err)
		err = maker_write(m, &skeleton, file, a);
	return err != NULL;
}

/* ---- one entry ---- */

/* The two entries of a file. */
struct made {
	struct buf skeleton, constants;
};

static void
made_fini(struct made *m)
{
	buf_fini(&m->skeleton);
	buf_fini(&m->constants);
}

static void
fill_take(int made, struct buf *out)
{
	off_t n = lseek(made, 0, SEEK_END);

	if (n <= 0 || n > (off_t)CACHE_ENTRY_MAX)
		return;
	char *at = buf_extend(out, (size_t)n);
	if (at && pread(made, at, (size_t)n, 0) != n)
		out->failed = true;
}

/* What the jailed child made of @fd; nothing, if that went wrong. */
static void
fill_make(int fd, bool constants, struct made *out)
{
	_close_ int made = memfd_create("made", MFD_CLOEXEC);
	_close_ int more = memfd_create("made", MFD_CLOEXEC);
	const struct jail_limits limits = { .file_size = CACHE_ENTRY_MAX };
	const int keep[] = { fd, made, more };
	struct maker m = { fd, made, constants ? more : -1 };
	struct jail_child *child;
	int status = 1;

	if (made < 0 || more < 0)
		return;
	_err_ struct err *err = jail_spawn(&limits, keep, countof(keep),
					   maker_run, &m, &child);
	if (!err)
		err = jail_wait(child, &status);
	if (err || status)
		return;
	fill_take(made, &out->skeleton);
	fill_take(more, &out->constants);
}

/* Under its name all at once: whoever reads has the old one or the new one. */
static void
fill_place(int dir, const char *name, const struct buf *entry)
{
	char partial[48];

	snprintf(partial, sizeof(partial), ".%d", (int)getpid());
	_close_ int fd = openat(dir, partial, O_WRONLY | O_CREAT | O_TRUNC
					      | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	_err_ struct err *err = io_write(fd, entry->data, entry->len);
	if (err || renameat(dir, partial, dir, name) < 0)
		unlinkat(dir, partial, 0);
}

static bool
fill_is_settled(const struct cache_identity *id)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	uint64_t ns = (uint64_t)now.tv_sec * 1000000000u
		      + (uint64_t)now.tv_nsec;
	return id->changed_ns + CACHE_SETTLED_NS < ns;
}

/* That of the constants first: without it the other one is made anew. */
static void
fill_place_made(const struct cache *c, const struct cache_file *f,
		const struct made *m)
{
	char name[48];

	if (m->skeleton.failed || m->constants.failed)
		return;
	snprintf(name, sizeof(name), "%s" CACHE_CONSTANTS, f->name);
	if (f->has_constants)
		fill_place(c->dir, name, &m->constants);
	fill_place(c->dir, f->name, &m->skeleton);
}

static void
fill_one(const struct cache *c, const struct cache_file *f)
{
	const struct supply_ask ask = { .kind = SUPPLY_EXE, .path = f->path };
	_cleanup_(made_fini) struct made made = { 0 };
	struct cache_identity before, after;
	_close_ int fd = -1;
	struct stat st;

	if (stat(f->path, &st) < 0 || !cache_identify(&st, &before)
	    || !fill_is_settled(&before))
		return;
	cache_head(&before, &made.skeleton);
	cache_head(&before, &made.constants);
	_err_ struct err *none = supply_disk(&supply_default_places, &ask,
					     &fd);
	if (!none) {
		fill_make(fd, f->has_constants, &made);
		if (fstat(fd, &st) < 0)
			return;
	}
	/* It was read in between. */
	if (cache_identify(&st, &after)
	    && memcmp(&before, &after, sizeof(before)) == 0)
		fill_place_made(c, f, &made);
}

/* ---- not too much ---- */

static uint64_t
trim_limit(void)
{
	const char *text = getenv("INQUEST_CACHE_SIZE");

	return text && *text ? strtoull(text, NULL, 10) : CACHE_SIZE;
}

/* ---- all of it ---- */

static void
fill_all(const struct cache *c)
{
	const struct cache_file *all = c->files.data;
	_close_ int lock = -1;

	/* Who comes second finds what the first has made. */
	if (!apart_alone(c->dir, &lock))
		return;
	for (size_t k = 0; k < c->files.n; k++)
		if (all[k].missing)
			fill_one(c, &all[k]);
	supply_trim(c->dir, trim_limit());
}

void
cache_fill(const struct cache *c)
{
	const struct cache_file *all = c->files.data;
	bool missing = false;

	for (size_t k = 0; k < c->files.n && !missing; k++)
		missing = all[k].missing;
	if (!missing || c->dir < 0 || !apart(c->dir))
		return;
	fill_all(c);
	_exit(0);
}
