/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk: modules from the file system of this machine.
 *
 * The paths come from a hostile file, and whoever asks may run with rights
 * that its author has not: so nothing but a regular file that begins like an
 * ELF file is handed over, and nothing else is even opened, because to open a
 * device or a FIFO can already do something. By id nothing is handed over but
 * what has the id.
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
#include "supply/fileid.h"
#include "supply/sourcemap.h"

#define SOURCE_MAX (16 << 20)

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
is_source_file(int fd)
{
	struct stat st;
	struct statfs fs;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
	       && st.st_size > 0 && st.st_size <= SOURCE_MAX
	       && fstatfs(fd, &fs) == 0 && fs.f_type != PROC_SUPER_MAGIC;
}

static bool
is_out_of_resources(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM;
}

/*
 * A hostile file may name any path for a source of its program, and what is
 * shown of it may end in a report for others to read: so no file without a
 * source's name is taken.
 */
static bool
is_source_name(const char *path)
{
	static const char *const ends[] = {
		"c", "h", "cc", "hh", "cpp", "hpp", "cxx", "hxx", "c++", "h++",
		"C", "H", "ipp", "tcc", "inl", "S", "s", "y", "l", "m",
		"mm", "rs", "go", "f", "F", "f90", "F90", "f95", "f03", "f08",
		"ada", "adb", "ads", "d", "zig", "nim", "pas", "def", "pyx",
	};
	const char *dot = strrchr(path, '.');

	for (size_t k = 0; dot && k < countof(ends); k++)
		if (strcmp(dot + 1, ends[k]) == 0)
			return true;
	/* <vector> and the like of the C++ library. */
	return strstr(path, "/include/c++/") != NULL;
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

static bool
is_source(uint8_t kind)
{
	return kind == SUPPLY_SOURCE || kind == SUPPLY_TEXT;
}

/* *@out stays -1 if @path is no file of @kind to hand over. */
static struct err *
open_found(const struct supply_places *places, uint8_t kind, const char *path,
	   int *out)
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
	if (fd < 0 || !(is_source(kind) ? is_source_file(fd)
					: is_elf_file(fd)))
		return NULL;
	*out = fd;
	fd = -1;
	return NULL;
}

/* ---- by id ---- */
/* Whatever stands at the path of the module of @ask has its id? */
static struct err *
module_has_id(const struct supply_places *places, const struct supply_ask *ask,
	      bool *has)
{
	const struct supply_ask exe = { .kind = SUPPLY_EXE, .path = ask->path };
	_buf_ struct buf path = { 0 };
	struct candidates walk;

	candidates_init(&walk, places, &exe);
	while (!*has && candidates_next(&walk, &path)) {
		_close_ int fd = -1;
		struct err *err = open_found(places, SUPPLY_EXE, path.data,
					     &fd);

		if (err)
			return err;
		*has = fd >= 0 && fileid_is(fd, &ask->id);
	}
	return path.failed ? err_nomem() : NULL;
}

/*
 * Who asks may have been taken over, and then both id and path are made up: it
 * is given nothing but what has the id. A package of split units has none; it
 * stands beside a module that has.
 */
static struct err *
open_by_id(const struct supply_places *places, const struct supply_ask *ask,
	   const char *path, int *out)
{
	_close_ int fd = -1;
	bool has = false;
	struct err *err = open_found(places, ask->kind, path, &fd);

	if (err || fd < 0)
		return err;
	if (ask->kind == SUPPLY_PACKAGE)
		err = module_has_id(places, ask, &has);
	else
		has = fileid_is(fd, &ask->id);
	if (err || !has)
		return err;
	*out = fd;
	fd = -1;
	return NULL;
}

static struct err *
open_candidate(const struct supply_places *places,
	       const struct supply_ask *ask, const char *path, int *out)
{
	return places->by_id ? open_by_id(places, ask, path, out)
	       : open_found(places, ask->kind, path, out);
}

/* Candidate @nth, or ERR_NOTFOUND and as many as there are at *@seen. */
static struct err *
find_candidate(const struct supply_places *places,
	       const struct supply_ask *ask, uint32_t *seen, int *out)
{
	struct candidates walk;
	_buf_ struct buf path = { 0 }, mapped = { 0 };
	struct supply_ask moved = *ask;

	*seen = 0;
	bool wanted = places->sources
		      || (ask->kind == SUPPLY_TEXT && places->texts);
	if (is_source(ask->kind)
	    && (!wanted || !ask->path || !is_source_name(ask->path)))
		return err_new(ERR_NOTFOUND, "sources are not looked for here");
	if (is_source(ask->kind)
	    && sourcemap_put(places, ask->path, &mapped))
		moved.path = mapped.data;
	candidates_init(&walk, places, &moved);
	while (candidates_next(&walk, &path)) {
		_close_ int fd = -1;
		struct err *err = open_candidate(places, ask, path.data, &fd);

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

	if (ask->kind == SUPPLY_INDEX || ask->kind == SUPPLY_SPOILT)
		return supply_index(places, ask, out);
	struct err *err = supply_near(places, ask, &seen, out);
	if (places->more && err_kind(err) == ERR_NOTFOUND) {
		err_free(err);
		err = places->more->find(places->more->arg, ask,
					 ask->nth - seen, &more, out);
	}
	if (err_kind(err) != ERR_NOTFOUND || !places->debuginfod_ms
	    || ask->id.kind == ID_NONE || ask->nth != seen + more)
		return err;
	err_free(err);
	return supply_debuginfod(ask, places->debuginfod_ms, out);
}
