/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outfile.c: a file without a name until it is whole, so that no half of one
 * is ever taken for it, and nothing is left behind when something fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/outfile.h"

#define TEMPORARY_TRIES 100

/* A name of its own, hidden, that does not outlive this process's use. */
static struct err *
outfile_name(unsigned attempt, char **out)
{
	if (asprintf(out, ".inquest-%d-%u.partial", (int)getpid(), attempt) < 0)
		return err_nomem();
	return NULL;
}

/* Where the file system has no unnamed files: one with a name of its own. */
static struct err *
outfile_open_named(struct outfile *o)
{
	for (unsigned k = 0; k < TEMPORARY_TRIES; k++) {
		_free_ char *name = NULL;
		struct err *err = outfile_name(k, &name);
		if (err)
			return err;
		o->fd = openat(o->dir, name,
			       O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (o->fd >= 0) {
			o->temporary = take(name);
			return NULL;
		}
		if (errno != EEXIST)
			break;
	}
	return err_errno("cannot create a file there");
}

struct err *
outfile_open(const char *dir, struct outfile *out)
{
	_outfile_ struct outfile o = OUTFILE_NONE;
	struct err *err = NULL;

	o.dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (o.dir < 0)
		return err_errno("cannot open the directory %s", dir);
	o.fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (o.fd < 0)
		err = outfile_open_named(&o);
	if (err)
		return err_wrap(err, "%s", dir);
	*out = o;
	o = (struct outfile)OUTFILE_NONE;
	return NULL;
}

struct err *
outfile_scratch(int *fd)
{
	_outfile_ struct outfile o = OUTFILE_NONE;
	const char *dir = getenv("TMPDIR");

	struct err *err = outfile_open(dir && *dir ? dir : "/tmp", &o);
	if (err)
		return err;
	*fd = o.fd;
	o.fd = -1;
	return NULL;
}

/* Give an unnamed file a name; false with errno EEXIST where it is taken. */
static bool
outfile_link(const struct outfile *o, const char *name)
{
	char self[64];

	/* open(2), O_TMPFILE: the way that needs no capability. */
	snprintf(self, sizeof(self), "/proc/self/fd/%d", o->fd);
	return linkat(AT_FDCWD, self, o->dir, name, AT_SYMLINK_FOLLOW) == 0;
}

static struct err *
outfile_link_temporary(struct outfile *o)
{
	for (unsigned k = 0; k < TEMPORARY_TRIES; k++) {
		_free_ char *name = NULL;
		struct err *err = outfile_name(k, &name);
		if (err)
			return err;
		if (outfile_link(o, name)) {
			o->temporary = take(name);
			return NULL;
		}
		if (errno != EEXIST)
			break;
	}
	return err_errno("cannot name the file");
}

static struct err *
outfile_sync(const struct outfile *o)
{
	/* A full disk may show only here. */
	if (fsync(o->fd) < 0)
		return err_errno("cannot write the file");
	return NULL;
}

/* The name itself is on disk too; not every directory can be synced. */
static void
outfile_sync_dir(const struct outfile *o)
{
	_close_ int dir = openat(o->dir, ".", O_RDONLY | O_DIRECTORY
					      | O_CLOEXEC);

	if (dir >= 0)
		(void)fsync(dir);
}

struct err *
outfile_replace(struct outfile *o, const char *name)
{
	struct err *err = outfile_sync(o);

	if (!err && !o->temporary)
		err = outfile_link_temporary(o);
	if (err)
		return err;
	if (renameat(o->dir, o->temporary, o->dir, name) < 0)
		return err_errno("cannot name the file %s", name);
	free(take(o->temporary));
	outfile_sync_dir(o);
	return NULL;
}

struct err *
outfile_place(struct outfile *o, const char *name, bool *taken)
{
	bool placed;
	struct err *err = outfile_sync(o);

	if (err)
		return err;
	placed = o->temporary
		 ? renameat2(o->dir, o->temporary, o->dir, name,
			     RENAME_NOREPLACE) == 0
		 : outfile_link(o, name);
	*taken = !placed && errno == EEXIST;
	if (!placed && !*taken)
		return err_errno("cannot name the file %s", name);
	if (placed) {
		free(take(o->temporary));
		outfile_sync_dir(o);
	}
	return NULL;
}

void
outfile_drop(struct outfile *o)
{
	if (o->temporary)
		unlinkat(o->dir, o->temporary, 0);
	free(o->temporary);
	base_close(&o->fd);
	base_close(&o->dir);
	*o = (struct outfile)OUTFILE_NONE;
}
