/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual file system: modules by every name they are known by, their
 * debug files and sources by build-id (byid.c), and /proc of the captured
 * process. Never a file of the machine that serves.
 */
#include "gdbstub/impl.h"

#include <stdlib.h>
#include <string.h>

static const struct inferior *
vfs_owner(const struct stub *s)
{
	return &s->inferiors[s->files_inferior];
}

/* ---- modules ----------------------------------------------------------- */
static bool
is_shown_as(const char *name, const char *path)
{
	_buf_ struct buf shown = { 0 };

	if (name)
		buf_escape(&shown, name, strlen(name));
	return shown.data && strcmp(shown.data, path) == 0;
}

/* A name with control bytes in it went out escaped, and so comes back. */
static size_t
find_shown(const struct inferior *f, const char *path)
{
	size_t n;
	const struct snap_module *m = insp_modules(f->insp, &n);

	if (!strchr(path, '\\'))
		return INSP_NONE;
	for (size_t k = 0; k < n; k++) {
		if (is_shown_as(m[k].path, path))
			return k;
		for (size_t i = 0; i < m[k].n_names; i++)
			if (is_shown_as(m[k].names[i], path))
				return k;
	}
	return INSP_NONE;
}

static size_t
find_main(const struct inferior *f, const char *path)
{
	size_t n;
	const struct snap_module *m = insp_modules(f->insp, &n);

	if (f->exe.len == 0 || strcmp(f->exe.data, path) != 0)
		return INSP_NONE;
	for (size_t k = 0; k < n; k++)
		if (m[k].flags & SNAP_MODULE_MAIN)
			return k;
	return INSP_NONE;
}

static size_t
find_module(const struct inferior *f, const char *path)
{
	size_t k = insp_module_named(f->insp, path);

	if (k == INSP_NONE)
		k = find_main(f, path);
	return k != INSP_NONE ? k : find_shown(f, path);
}

static const struct snap_map *
map_of_module(const struct inferior *f, const struct snap_module *m)
{
	const struct target *t = insp_target(f->insp);

	for (size_t k = 0; k < t->n_maps; k++)
		if (t->maps[k].start == m->start)
			return &t->maps[k];
	return NULL;
}

/* gdb takes two files of equal device, inode, size and time for one. */
static void
name_inode(const struct inferior *f, size_t module, struct open_file *file)
{
	size_t n;
	const struct snap_module *m = insp_modules(f->insp, &n);
	const struct snap_map *map = map_of_module(f, &m[module]);

	file->inode = module + 1;
	if (map && map->inode) {
		file->device = map->device;
		file->inode = map->inode;
	}
}

static struct err *
open_module(struct stub *s, const char *path, struct open_file *file)
{
	const struct inferior *f = vfs_owner(s);
	size_t module = find_module(f, path);

	if (module == INSP_NONE)
		return err_new(ERR_NOTFOUND, "no module has this name");
	name_inode(f, module, file);
	return insp_module_file(f->insp, module, &file->source);
}

/* ---- /proc ------------------------------------------------------------- */
/** "/proc/PID/rest": the process and the rest. */
static const struct inferior *
split_proc(const struct stub *s, const char *path, const char **rest)
{
	const char prefix[] = "/proc/";
	char *end;

	if (strncmp(path, prefix, sizeof(prefix) - 1) != 0)
		return NULL;
	path += sizeof(prefix) - 1;
	if (path[0] < '1' || path[0] > '9')
		return NULL;
	uint64_t pid = strtoull(path, &end, 10);
	*rest = end + 1;
	size_t k = *end == '/' ? stub_find_pid(s, pid) : INSP_NONE;
	return k != INSP_NONE ? &s->inferiors[k] : NULL;
}

static struct err *
open_proc(const struct inferior *f, const char *name, struct open_file *file)
{
	struct err *err = proc_text(f, name, &file->text);

	if (!err)
		err = buf_err(&file->text);
	if (err)
		return err;
	file->owned = true;
	return source_mem(file->text.data, file->text.len, name, &file->source);
}

/* ---- all of them ------------------------------------------------------- */
/* The owner of @file is its opener, who closes it on failure as well. */
static struct err *
open_path(struct stub *s, const char *path, struct open_file *file)
{
	const char *rest;
	const struct inferior *f = split_proc(s, path, &rest);

	if (f)
		return open_proc(f, rest, file);
	if (s->n_inferiors == 0)
		return err_new(ERR_NOTFOUND, "nothing is open");
	_err_ struct err *err = open_module(s, path, file);
	return err ? byid_open(s, vfs_owner(s), path, file) : NULL;
}

struct err *
vfs_open(struct stub *s, const char *path, struct open_file *out)
{
	struct open_file file = { 0 };

	struct err *err = open_path(s, path, &file);
	if (err)
		vfs_close(&file);
	else
		*out = file;
	return err;
}

void
vfs_close(struct open_file *file)
{
	if (file->owned)
		source_free(file->source);
	buf_fini(&file->text);
	*file = (struct open_file){ 0 };
}

struct err *
vfs_readlink(const struct stub *s, const char *path, struct buf *out)
{
	const char *rest;
	const struct inferior *f = split_proc(s, path, &rest);

	if (!f)
		return err_new(ERR_NOTFOUND, "no such link");
	return proc_link(f, rest, out);
}
