/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Source files, by the build-id of a module and the path that its debug
 * information has: attached to the target, else through supply. Where a file
 * of that path is on this machine says nothing, for the id does not vouch
 * for it.
 */
#include "inspect/impl.h"
#include "inspect/indexed.h"

#include <string.h>

struct source_file {
	struct module_id id;
	const char *path;
	struct source *file;    /* owned; NULL = there is none */
	struct source *text;    /* likewise: one that is not handed on */
	bool text_asked;
};

/* Is @name the end of @path, from a '/' on? */
static bool
is_end_of(const char *path, const char *name)
{
	size_t n = strlen(name), all = strlen(path);

	return n && n < all && path[all - n - 1] == '/'
	       && memcmp(path + all - n, name, n) == 0;
}

/* The attached file whose name has the most of @path; INSP_NONE. */
static size_t
find_attached(const struct target *t, const char *path)
{
	size_t best = INSP_NONE, longest = 0;

	for (size_t k = 0; k < t->n_files; k++) {
		size_t n = strlen(t->files[k].name);

		if (n <= longest || !is_end_of(path, t->files[k].name))
			continue;
		longest = n;
		best = k;
	}
	return best;
}

static struct err *
open_attached(struct insp *i, struct source_file *f)
{
	struct target *t = i->target;
	size_t nth = find_attached(t, f->path);
	struct span bytes;

	if (nth == INSP_NONE || !t->ops->file)
		return NULL;
	_err_ struct err *bad = t->ops->file(t, nth, &bytes);
	return bad ? NULL : source_mem(bytes.data, bytes.n, f->path, &f->file);
}

static struct err *
open_supplied(struct insp *i, const struct source_file *f, uint8_t kind,
	      struct source **out)
{
	const struct supply_ask ask = {
		.kind = kind, .id = f->id, .path = f->path,
	};
	int fd = -1;

	if (!i->supply || f->id.kind == ID_NONE)
		return NULL;
	_err_ struct err *none = i->supply->module(i->supply->arg, &ask, &fd);
	return none ? NULL : source_fd(fd, f->path, out);
}

static struct err *
remember(struct insp *i, const struct module_id *id, const char *path,
	 struct source_file **out)
{
	struct source_file *f = i->source_files.data;

	for (size_t k = 0; k < i->source_files.n; k++)
		if (id_equal(&f[k].id, id) && strcmp(f[k].path, path) == 0) {
			*out = &f[k];
			return NULL;
		}
	const char *copy = arena_strdup(i->arena, path);
	f = copy ? vec_add(&i->source_files, i->arena, sizeof(*f)) : NULL;
	if (!f)
		return err_nomem();
	f->id = *id;
	f->path = copy;
	struct err *err = open_attached(i, f);
	if (!err && !f->file)
		err = open_supplied(i, f, SUPPLY_SOURCE, &f->file);
	*out = f;
	return err;
}

struct err *
insp_file_by_id(struct insp *i, const struct module_id *id, const char *src,
		struct source **out)
{
	struct source_file *f = NULL;

	if (!src)
		return files_debug_source(i, id, out);
	struct err *err = remember(i, id, src, &f);
	if (err)
		return err;
	if (!f || !f->file)
		return err_new(ERR_NOTFOUND, "no source of that path was "
			       "attached, and none is known to debuginfod");
	*out = f->file;
	return NULL;
}

struct err *
insp_text(struct insp *i, const struct module_id *id, const char *path,
	  struct source **out)
{
	struct source_file *f = NULL;
	struct err *err = remember(i, id, path, &f);

	if (!err && f && !f->file && !f->text_asked) {
		f->text_asked = true;
		err = open_supplied(i, f, SUPPLY_TEXT, &f->text);
	}
	if (err)
		return err;
	if (!f || (!f->file && !f->text))
		return err_new(ERR_NOTFOUND, "no source of that path is at "
			       "hand");
	*out = f->file ? f->file : f->text;
	return NULL;
}

void
sources_fini(struct insp *i)
{
	const struct source_file *f = i->source_files.data;

	for (size_t k = 0; k < i->source_files.n; k++) {
		source_free(f[k].file);
		source_free(f[k].text);
	}
}
