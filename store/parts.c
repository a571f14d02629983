/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions as files: cut, appended to, synced, read, dropped. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/parts.h"
#include "store/place.h"

#define SLOTS 16u               /* descriptors kept open for reading */

struct slot {
	uint32_t number;        /* 0 = empty */
	int fd;
};
struct files {
	struct parts parts;
	int dir;
	char *path;             /* of the directory */
	struct slot reading[SLOTS];
	unsigned oldest;        /* slot that is emptied next */
	struct slot writing;
};

static struct files *
files_of(struct parts *p)
{
	return (struct files *)p;
}

#define NAME_SIZE 24u

static void
part_name(uint32_t number, char out[NAME_SIZE])
{
	snprintf(out, NAME_SIZE, "%04u.part", number);
}

/** 0 for what is no partition. */
static uint32_t
part_number(const char *name)
{
	char again[NAME_SIZE];
	unsigned long number = strtoul(name, NULL, 10);

	if (number > UINT32_MAX)
		return 0;
	part_name(number, again);
	return strcmp(again, name) == 0 ? number : 0;
}

/** Takes errno. */
static struct err *
part_err(const struct files *f, uint32_t number)
{
	int cause = errno;
	char name[NAME_SIZE];
	_free_ char *path = NULL;

	part_name(number, name);
	if (asprintf(&path, "%s/%s", f->path, name) < 0)
		return err_nomem();
	/* Asked is the directory: the file may be gone. */
	if (cause == EIO || cause == ENOSPC || cause == EDQUOT)
		return err_wrap(place_err(cause, f->path), "%s", name);
	errno = cause;
	return err_errno("%s", path);
}

/* ---- descriptors ---- */
static void
slot_empty(struct slot *slot)
{
	if (slot->number)
		base_close(&slot->fd);
	*slot = (struct slot){ .fd = -1 };
}

/* ---- writing ---- */
static struct err *
writing_open(struct files *f, uint32_t number)
{
	char name[NAME_SIZE];
	struct stat st;
	int fd;

	if (f->writing.number == number)
		return NULL;
	slot_empty(&f->writing);
	part_name(number, name);
	bool made = fstatat(f->dir, name, &st, 0) < 0 && errno == ENOENT;
	fd = openat(f->dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	if (fd < 0)
		return part_err(f, number);
	f->writing = (struct slot){ number, fd };
	/* Else its bytes are durable, but not its name. */
	return made && fsync(f->dir) < 0 ? part_err(f, number) : NULL;
}

/** A descriptor that told of a failed write does not tell again. */
static struct err *
writing_failed(struct files *f, uint32_t number)
{
	struct err *err = part_err(f, number);

	slot_empty(&f->writing);
	return err;
}

static struct err *
files_cut(struct parts *p, uint32_t number, uint64_t size)
{
	struct files *f = files_of(p);
	struct stat st;
	struct err *err = writing_open(f, number);

	if (err)
		return err;
	if (fstat(f->writing.fd, &st) < 0 ||
	    ((uint64_t)st.st_size > size &&
	     ftruncate(f->writing.fd, size) < 0))
		return writing_failed(f, number);
	return NULL;
}

static struct err *
files_append(struct parts *p, uint32_t number, uint64_t at, struct span bytes)
{
	struct files *f = files_of(p);
	struct err *err = writing_open(f, number);
	ssize_t put = 0;

	for (size_t done = 0; !err && done < bytes.n; done += put) {
		put = pwrite(f->writing.fd, (const uint8_t *)bytes.data + done,
			     bytes.n - done, at + done);
		if (put < 0 && errno == EINTR)
			put = 0;
		else if (put < 0)
			err = writing_failed(f, number);
	}
	return err;
}

static struct err *
files_sync(struct parts *p, uint32_t number)
{
	struct files *f = files_of(p);
	struct err *err = writing_open(f, number);

	if (err)
		return err;
	return fdatasync(f->writing.fd) < 0 ? writing_failed(f, number) : NULL;
}

/* ---- reading ---- */
/** Let go of files that a collector has unlinked: the disk wants them back. */
static void
reading_sweep(struct files *f)
{
	struct stat st;

	for (size_t i = 0; i < SLOTS; i++)
		if (f->reading[i].number &&
		    (fstat(f->reading[i].fd, &st) < 0 || !st.st_nlink))
			slot_empty(&f->reading[i]);
}

static struct err *
reading_open(struct files *f, uint32_t number, int *out)
{
	struct slot *slot = f->reading;
	char name[NAME_SIZE];

	for (size_t i = 0; i < SLOTS; i++)
		if (slot[i].number == number) {
			*out = slot[i].fd;
			return NULL;
		}
	reading_sweep(f);
	part_name(number, name);
	int fd = openat(f->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return part_err(f, number);
	slot_empty(&slot[f->oldest]);
	slot[f->oldest] = (struct slot){ number, fd };
	f->oldest = (f->oldest + 1) % SLOTS;
	*out = fd;
	return NULL;
}

static struct err *
files_read(struct parts *p, uint32_t number, uint64_t at, size_t n,
	   void *out)
{
	struct files *f = files_of(p);
	uint8_t *to = out;
	ssize_t got = 0;
	int fd = -1;
	struct err *err = reading_open(f, number, &fd);

	for (size_t done = 0; !err && done < n; done += got) {
		got = pread(fd, to + done, n - done, at + done);
		if (got < 0 && errno == EINTR)
			got = 0;
		else if (got < 0)
			err = part_err(f, number);
		else if (got == 0)
			err = err_new(ERR_DAMAGED, "%s/%04u.part is cut: %zu "
				      "bytes wanted at offset %llu, it ends at "
				      "%llu", f->path, number, n,
				      (unsigned long long)at,
				      (unsigned long long)(at + done));
	}
	return err;
}

/* ---- whole files ---- */
static struct err *
files_drop(struct parts *p, uint32_t number)
{
	struct files *f = files_of(p);
	char name[NAME_SIZE];

	for (size_t i = 0; i < SLOTS; i++)
		if (f->reading[i].number == number)
			slot_empty(&f->reading[i]);
	if (f->writing.number == number)
		slot_empty(&f->writing);
	part_name(number, name);
	return unlinkat(f->dir, name, 0) < 0 && errno != ENOENT ?
	       part_err(f, number) : NULL;
}

static int
is_part(const struct dirent *e)
{
	return part_number(e->d_name) != 0;
}

static struct err *
files_list(struct parts *p, part_fn *each, void *arg)
{
	struct files *f = files_of(p);
	_free_ struct dirent **list = NULL;
	struct err *err = NULL;
	int n = scandirat(f->dir, ".", &list, is_part, NULL);

	if (n < 0)
		return err_errno("%s", f->path);
	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name;
		struct stat st;

		if (!err && fstatat(f->dir, name, &st,
				    AT_SYMLINK_NOFOLLOW) == 0)
			err = each(arg, part_number(name), st.st_size);
		free(list[i]);
	}
	return err;
}

/* ---- life ---- */
static void
files_close(struct parts *p)
{
	struct files *f = files_of(p);

	for (size_t i = 0; i < SLOTS; i++)
		slot_empty(&f->reading[i]);
	slot_empty(&f->writing);
	base_close(&f->dir);
	free(f->path);
	free(f);
}

static const struct parts_ops files_ops = {
	.close = files_close, .cut = files_cut, .append = files_append,
	.sync = files_sync, .read = files_read, .drop = files_drop,
	.list = files_list,
};

struct err *
parts_open(const char *dir, struct parts **out)
{
	struct files *f = calloc(1, sizeof(*f));
	struct err *err = NULL;

	if (!f)
		return err_nomem();
	f->parts.ops = &files_ops;
	f->dir = -1;
	if (asprintf(&f->path, "%s/blob", dir) < 0)
		f->path = NULL;
	if (f->path)
		f->dir = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir < 0)
		err = f->path ? err_errno("%s", f->path) : err_nomem();
	if (err) {
		files_close(&f->parts);
		return err;
	}
	*out = &f->parts;
	return NULL;
}
