/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of a store: made, locked against a second handle of one
 * process, listed; how a project comes into being as a whole.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/place.h"

#define DRAFT_PREFIX ".new-"    /* no project's name begins with a dot */
/* A file system with less has no room for the next write. */
#define ROOM_LEAST (256u << 10)

/* ---- what a failure means ---- */
static bool
is_full(const char *path)
{
	struct statvfs vfs;

	return statvfs(path, &vfs) == 0 &&
	       (uint64_t)vfs.f_bavail * vfs.f_frsize < ROOM_LEAST;
}

struct err *
place_err(int number, const char *path)
{
	if (number == ENOSPC || number == EDQUOT ||
	    (number == EIO && is_full(path)))
		return err_new(ERR_IO, "%s: the file system is full; nothing "
			       "was changed: make room and try again", path);
	errno = number;
	return err_errno("%s", path);
}

struct err *
place_sync(const char *dir)
{
	_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? place_err(errno, dir) : NULL;
}

/* ---- file systems ---- */
/* Shared maps and locks are not coherent there between machines. */
static const struct {
	uint32_t type;
	const char *name;
} refused[] = {
	{ NFS_SUPER_MAGIC, "NFS" },
	{ SMB_SUPER_MAGIC, "SMB" },
	{ SMB2_SUPER_MAGIC, "SMB" },
	{ CIFS_SUPER_MAGIC, "CIFS" },
	{ V9FS_MAGIC, "9p" },
	{ FUSE_SUPER_MAGIC, "FUSE" },
	{ AFS_SUPER_MAGIC, "AFS" },
	{ CEPH_SUPER_MAGIC, "Ceph" },
};

const char *
place_refusal(uint64_t f_type)
{
	for (size_t i = 0; i < countof(refused); i++)
		if (refused[i].type == (uint32_t)f_type)
			return refused[i].name;
	return NULL;
}

static struct err *
check_file_system(const char *dir)
{
	struct statfs fs;

	if (statfs(dir, &fs) < 0)
		return err_errno("%s", dir);
	const char *name = place_refusal(fs.f_type);
	if (name)
		return err_new(ERR_UNSUPPORTED, "%s is on a %s file system, "
			       "where a store is not safe; put it on a local "
			       "disk", dir, name);
	return NULL;
}

/* ---- the store ---- */
static char *
join(const char *dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

static struct err *
make_directory(const char *path)
{
	return mkdir(path, 0700) < 0 && errno != EEXIST ?
	       place_err(errno, path) : NULL;
}

static struct err *
place_make(const char *dir)
{
	_free_ char *projects = join(dir, "projects");
	_free_ char *above = join(dir, "..");

	if (!projects || !above)
		return err_nomem();
	struct err *err = make_directory(dir);
	if (!err)
		err = check_file_system(dir);
	if (!err)
		err = make_directory(projects);
	if (!err)
		err = place_sync(dir);
	return err ? err : place_sync(above);
}

static struct err *
place_check(const char *dir)
{
	_free_ char *projects = join(dir, "projects");
	struct stat st;

	if (!projects)
		return err_nomem();
	if (stat(projects, &st) < 0 && errno == ENOENT)
		return err_new(ERR_NOTFOUND, "there is no store in %s; the "
			       "first put makes one", dir);
	if (stat(projects, &st) < 0)
		return err_errno("%s", projects);
	return check_file_system(dir);
}

/**
 * One handle of a directory in a process: a lock on the byte whose number is
 * the process. It belongs to the open file, so that a second open() in the
 * same process meets it, and it ends with the process.
 */
static struct flock
lock_of(pid_t pid)
{
	return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET,
			       .l_start = pid, .l_len = 1 };
}

static struct err *
place_lock(const char *dir, int *out)
{
	struct flock lock = lock_of(getpid());
	_free_ char *path = join(dir, "lock");
	_close_ int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC |
				     O_NOFOLLOW, 0600) : -1;

	if (!path)
		return err_nomem();
	if (fd < 0)
		return place_err(errno, path);
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0)
		return errno == EAGAIN || errno == EACCES ?
		       err_new(ERR_USAGE, "the store %s is already open in "
			       "this process", dir) : err_errno("%s", path);
	*out = fd;
	fd = -1;
	return NULL;
}

/* ---- listing ---- */
static int
is_project(const struct dirent *e)
{
	return store_name_ok(e->d_name);
}

static int
is_draft(const struct dirent *e)
{
	return strncmp(e->d_name, DRAFT_PREFIX, strlen(DRAFT_PREFIX)) == 0;
}

/** Not as alphasort(), which minds the locale. */
static int
name_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/** @each of the names below projects/ that fit, sorted. */
static struct err *
names_each(const struct place *p, int (*fits)(const struct dirent *),
	   store_project_fn *each, void *arg)
{
	_free_ char *dir = join(p->dir, "projects");
	_free_ struct dirent **list = NULL;
	struct err *err = NULL;

	if (!dir)
		return err_nomem();
	int n = scandir(dir, &list, fits, name_order);
	if (n < 0)
		return err_errno("%s", dir);
	for (int i = 0; i < n; i++) {
		if (!err)
			err = each(arg, list[i]->d_name);
		free(list[i]);
	}
	return err;
}

struct err *
place_projects(const struct place *p, store_project_fn *each, void *arg)
{
	return names_each(p, is_project, each, arg);
}

char *
place_project(const struct place *p, const char *name)
{
	char *path;

	return asprintf(&path, "%s/projects/%s", p->dir, name) < 0 ? NULL :
	       path;
}

/* ---- drafts ---- */
struct err *
place_draft(const struct place *p, char **out)
{
	_free_ char *path = NULL, *blob = NULL;

	if (asprintf(&path, "%s/projects/" DRAFT_PREFIX "%d", p->dir,
		     (int)getpid()) < 0)
		path = NULL;
	blob = path ? join(path, "blob") : NULL;
	if (!blob)
		return err_nomem();
	place_discard(path);
	struct err *err = make_directory(path);
	if (!err)
		err = make_directory(blob);
	if (err)
		return err;
	*out = take(path);
	return NULL;
}

struct err *
place_publish(const struct place *p, const char *draft, const char *name)
{
	_free_ char *projects = join(p->dir, "projects");
	_free_ char *path = place_project(p, name);

	if (!projects || !path)
		return err_nomem();
	struct err *err = place_sync(draft);
	if (err)
		return err;
	if (rename(draft, path) == 0)
		return place_sync(projects);
	int number = errno;
	place_discard(draft);
	return number == EEXIST || number == ENOTEMPTY ? NULL :
	       place_err(number, path);
}

/** What a draft consists of; nothing else is ever removed. */
void
place_discard(const char *draft)
{
	static const char *const files[] = { "meta.mdb", "meta.mdb-lock" };

	for (size_t i = 0; i < countof(files); i++) {
		_free_ char *path = join(draft, files[i]);

		if (path)
			unlink(path);
	}
	_free_ char *blob = join(draft, "blob");
	if (blob)
		rmdir(blob);
	rmdir(draft);
}

/** One of a process that is gone: its lock is free. */
static struct err *
draft_sweep(void *arg, const char *name)
{
	const struct place *p = arg;
	pid_t pid = strtol(name + strlen(DRAFT_PREFIX), NULL, 10);
	struct flock lock = lock_of(pid);
	_free_ char *path = place_project(p, name);

	if (path && pid > 0 && pid != getpid() &&
	    fcntl(p->lock, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_UNLCK)
		place_discard(path);
	return NULL;
}

/* ---- life ---- */
struct err *
place_open(const char *dir, bool create, struct place *out)
{
	struct place p = PLACE_NONE;
	struct err *err = create ? place_make(dir) : place_check(dir);

	if (err)
		return err;
	p.dir = strdup(dir);
	err = p.dir ? place_lock(dir, &p.lock) : err_nomem();
	if (!err)
		err = names_each(&p, is_draft, draft_sweep, &p);
	if (err) {
		place_close(&p);
		return err;
	}
	*out = p;
	return NULL;
}

void
place_close(struct place *p)
{
	base_close(&p->lock);
	free(p->dir);
	*p = PLACE_NONE;
}
