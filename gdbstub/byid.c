/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that supply finds by build-id: separate debug files, under the names
 * at which debuggers look for them, and sources, under
 *
 *	/.inquest/BUILD-ID/source/PATH
 *	/.inquest/attached/NAME
 *
 * for no debugger asks a remote machine for those by itself (monitor init).
 * The second ones are what was attached to the snapshot. No path of these
 * leads to a file of that path here.
 */
#include "gdbstub/impl.h"

#include <string.h>

/** Behind @prefix in @path, or NULL. */
static const char *
behind(const char *path, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(path, prefix, n) == 0 ? path + n : NULL;
}

/* ---- debug files by build-id ------------------------------------------- */
/** "…/.build-id/ab/cdef….debug" */
static bool
parse_build_id(const char *path, struct module_id *id)
{
	const char prefix[] = "/.build-id/", suffix[] = ".debug";
	const char *at = strstr(path, prefix);
	size_t n;

	if (!at)
		return false;
	at += sizeof(prefix) - 1;
	n = strlen(at);
	if (n < 3 + sizeof(suffix) - 1 || at[2] != '/'
	    || strcmp(at + n - (sizeof(suffix) - 1), suffix) != 0)
		return false;
	n -= 3 + sizeof(suffix) - 1;
	if (n % 2 || n == 0 || n / 2 + 1 > ID_MAX)
		return false;
	*id = (struct module_id){ .kind = ID_GNU_BUILD_ID,
				  .len = (uint8_t)(n / 2 + 1) };
	return hex_bytes(at, 1, id->bytes)
	       && hex_bytes(at + 3, n / 2, id->bytes + 1);
}

static bool
is_module_id(const struct inferior *f, const struct module_id *id)
{
	size_t n;
	const struct snap_module *m = insp_modules(f->insp, &n);

	for (size_t k = 0; k < n; k++)
		if (id_equal(&m[k].id, id))
			return true;
	return false;
}

/* Ids of no module here are those of alternate debug files, and a client's
 * inventions: each may cost a search far away, so they are counted. */
static struct err *
open_debug(struct stub *s, const struct inferior *f,
	   const struct module_id *id, struct open_file *file)
{
	if (!is_module_id(f, id) && s->foreign_ids++ >= FOREIGN_IDS_MAX)
		return err_new(ERR_NOTFOUND, "too many foreign build-ids");
	for (size_t k = 0; k < sizeof(file->inode); k++)
		file->inode = file->inode << 8 | id->bytes[k];
	return insp_file_by_id(f->insp, id, NULL, &file->source);
}

/* ---- debug files by a module's name ------------------------------------ */
static bool
is_ending(const char *text, size_t n, const char *end, size_t n_end)
{
	return n >= n_end && memcmp(text + n - n_end, end, n_end) == 0;
}

/* "[…]DIR/[.debug/]NAME.debug" of DIR/NAME? */
static bool
is_debug_name(const char *path, const char *module)
{
	const char suffix[] = ".debug", hidden[] = "/.debug";
	const char *slash = module ? strrchr(module, '/') : NULL;
	const size_t n_suffix = sizeof(suffix) - 1, n_hidden = sizeof(hidden) - 1;
	size_t n = strlen(path);

	if (!slash || !is_ending(path, n, suffix, n_suffix))
		return false;
	n -= n_suffix;
	if (!is_ending(path, n, slash, strlen(slash)))
		return false;
	n -= strlen(slash);
	if (is_ending(path, n, hidden, n_hidden))
		n -= n_hidden;
	return is_ending(path, n, module, (size_t)(slash - module));
}

static const struct module_id *
find_debug_name(const struct inferior *f, const char *path)
{
	size_t n;
	const struct snap_module *m = insp_modules(f->insp, &n);

	for (size_t k = 0; k < n; k++) {
		bool is_its = is_debug_name(path, m[k].path);

		for (size_t i = 0; i < m[k].n_names && !is_its; i++)
			is_its = is_debug_name(path, m[k].names[i]);
		if (is_its && m[k].id.kind != ID_NONE)
			return &m[k].id;
	}
	return NULL;
}

/* ---- sources ----------------------------------------------------------- */
/** "BUILD-ID/source/PATH": the id, and the path with its slash. */
static const char *
parse_source(const char *text, struct module_id *id)
{
	size_t n = strcspn(text, "/");
	const char *path = behind(text + n, "/source/");

	if (!path || n % 2 || n == 0 || n / 2 > ID_MAX
	    || !hex_bytes(text, n / 2, id->bytes))
		return NULL;
	id->kind = ID_GNU_BUILD_ID;
	id->len = (uint8_t)(n / 2);
	return path[0] ? path - 1 : NULL;
}

static struct err *
open_source(struct stub *s, const struct inferior *f, const char *text,
	    struct open_file *file)
{
	struct module_id id = { 0 };
	const char *path = parse_source(text, &id);

	if (!path || !is_module_id(f, &id))
		return err_new(ERR_NOTFOUND, "no module has this build-id");
	if (s->sources++ >= SOURCES_MAX)
		return err_new(ERR_NOTFOUND, "too many sources");
	return insp_file_by_id(f->insp, &id, path, &file->source);
}

static struct err *
open_attached(const struct inferior *f, const char *name,
	      struct open_file *file)
{
	const struct target *t = insp_target(f->insp);
	struct span bytes;

	for (size_t k = 0; k < t->n_files && t->ops->file; k++) {
		if (strcmp(t->files[k].name, name) != 0)
			continue;
		struct err *err = t->ops->file(t, k, &bytes);
		if (err)
			return err;
		file->owned = true;
		return source_mem(bytes.data, bytes.n, name, &file->source);
	}
	return err_new(ERR_NOTFOUND, "no file of this name is attached");
}

/* ---- all of them ------------------------------------------------------- */
struct err *
byid_open(struct stub *s, const struct inferior *f, const char *path,
	  struct open_file *out)
{
	const char *ours = behind(path, "/.inquest/");
	const char *attached = ours ? behind(ours, "attached/") : NULL;
	struct module_id id;

	if (attached)
		return open_attached(f, attached, out);
	if (ours)
		return open_source(s, f, ours, out);
	if (parse_build_id(path, &id))
		return open_debug(s, f, &id, out);
	const struct module_id *of_module = find_debug_name(f, path);
	if (of_module)
		return open_debug(s, f, of_module, out);
	return err_new(ERR_NOTFOUND, "no such file");
}
