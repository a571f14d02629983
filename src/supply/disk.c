/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk: modules from the file system of this machine.
 *
 * The paths come from a hostile file, and whoever asks may run with rights
 * that its author has not: so nothing but a regular file that begins like an
 * ELF file is handed over, and nothing else is even opened, because to open a
 * device or a FIFO can already do something.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "supply/candidates.h"

static const char *const default_debug_dirs[] = { "/usr/lib/debug", NULL };
const struct supply_places supply_default_places = {
	.debug_dirs = default_debug_dirs,
};

/* /proc/kcore is a regular file that begins with the ELF magic, too. */
static bool
is_elf_file(int fd)
{
	struct stat st;
	struct statfs fs;
	char magic[SELFMAG];

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       fstatfs(fd, &fs) == 0 && fs.f_type != PROC_SUPER_MAGIC &&
	       pread(fd, magic, SELFMAG, 0) == SELFMAG &&
	       memcmp(magic, ELFMAG, SELFMAG) == 0;
}

static bool
is_out_of_resources(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM;
}

/*
 * Which file @path is, without opening it. Below a sysroot all links mean
 * what they mean to those who live there: none leads out of it.
 */
static int
find_file(const struct supply_places *places, const char *path)
{
	const char *root = places->sysroot;
	const size_t n = root ? strlen(root) : 0;
	const struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	if (!n || strncmp(path, root, n) != 0)
		return open(path, O_PATH | O_CLOEXEC);
	_close_ int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -1;
	return (int)syscall(SYS_openat2, dir, path + n, &how, sizeof(how));
}

/* *@out stays -1 if @path is no file to hand over. */
static struct err *
open_elf(const struct supply_places *places, const char *path, int *out)
{
	_close_ int found = find_file(places, path);
	char self[64];
	struct stat st;

	if (found < 0 && is_out_of_resources(errno))
		return err_errno("cannot open %s", path);
	if (found < 0 || fstat(found, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", found);
	_close_ int fd = open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK |
			      O_NOCTTY);
	if (fd < 0 && is_out_of_resources(errno))
		return err_errno("cannot open %s", path);
	if (fd < 0 || !is_elf_file(fd))
		return NULL;
	*out = fd;
	fd = -1;
	return NULL;
}

/* Candidate @nth, or ERR_NOTFOUND and as many as there are at *@seen. */
static struct err *
find_candidate(const struct supply_places *places,
	       const struct supply_ask *ask, uint32_t *seen, int *out)
{
	struct candidates walk;
	_buf_ struct buf path = { 0 };

	*seen = 0;
	candidates_init(&walk, places, ask);
	while (candidates_next(&walk, &path)) {
		_close_ int fd = -1;
		struct err *err = open_elf(places, path.data, &fd);
		if (err)
			return err;
		if (fd < 0 || (*seen)++ != ask->nth)
			continue;
		*out = fd;
		fd = -1;
		return NULL;
	}
	if (path.failed)
		return err_nomem();
	return err_new(ERR_NOTFOUND, "no %sfile of that name or id",
		       ask->nth ? "further " : "");
}

struct err *
supply_disk(const struct supply_places *places, const struct supply_ask *ask,
	    int *out)
{
	uint32_t seen;

	return find_candidate(places, ask, &seen, out);
}

struct err *
supply_near(const struct supply_places *places, const struct supply_ask *ask,
	    uint32_t *seen, int *out)
{
	*seen = 0;
	if (places->by_id && ask->id.kind == ID_NONE)
		return err_new(ERR_NOTFOUND, "a file without a build-id is not "
			       "looked for here");
	return find_candidate(places, ask, seen, out);
}

struct err *
supply_find(const struct supply_places *places, const struct supply_ask *ask,
	    int *out)
{
	uint32_t seen, more = 0;

	struct err *err = supply_near(places, ask, &seen, out);
	if (places->more && err_kind(err) == ERR_NOTFOUND) {
		err_free(err);
		err = places->more(places->more_arg, ask, ask->nth - seen,
				   &more, out);
	}
	if (err_kind(err) != ERR_NOTFOUND || !places->debuginfod_ms
	    || ask->id.kind == ID_NONE || ask->nth != seen + more)
		return err;
	err_free(err);
	return supply_debuginfod(ask, places->debuginfod_ms, out);
}
