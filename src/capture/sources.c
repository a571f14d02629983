/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sources.c: source files of the first thread's frames, so that a report shows
 * them on a machine that has none.
 */
#include <string.h>

#include "capture/impl.h"
#include "capture/redact.h"

#define FILES_MAX 64u
#define BYTES_MAX (4u << 20)

struct sources {
	struct saver *saver;
	const char *paths[FILES_MAX];
	size_t n, bytes;
};

/* As a file of a tree is called, so that it is found by the end of its path;
 * NULL: a name that leads somewhere else. */
static const char *
name_of(const char *path)
{
	if (strncmp(path, "./", 2) == 0)
		path += 2;
	path += strspn(path, "/");
	return !*path || strncmp(path, "../", 3) == 0 || strstr(path, "/../")
	       ? NULL : path;
}

static bool
is_there(const struct sources *x, const char *path)
{
	const struct target *t = x->saver->target;
	const char *name = name_of(path);

	for (size_t k = 0; k < x->n; k++)
		if (strcmp(x->paths[k], path) == 0)
			return true;
	for (size_t k = 0; name && k < t->n_files; k++)
		if (strcmp(t->files[k].name, name) == 0)
			return true;
	return !name;
}

/* What is not on this machine is left out. */
static struct err *
source_save(struct sources *x, const struct snap_frame *f,
	    const struct module_id *id)
{
	struct saver *s = x->saver;
	struct snap_blob file = { .name = name_of(f->file) };
	struct source *src;

	x->paths[x->n++] = f->file;
	_err_ struct err *none = insp_file_by_id(s->insp, id, f->file, &src);
	if (none || source_size(src) > BYTES_MAX - x->bytes)
		return NULL;
	none = source_load(src, 0, source_size(src), BYTES_MAX, s->arena,
			   &file.bytes);
	if (none)
		return NULL;
	x->bytes += file.bytes.n;
	struct err *err = redact_span(s, &file.bytes);
	if (!err)
		err = redact_string(s, &file.name);
	return err ? err : snap_put_file(s->writer, &file);
}

struct err *
save_sources(struct saver *s)
{
	const struct snap_frame *frames = s->frames.data;
	struct sources x = { .saver = s };
	const struct snap_module *modules;
	struct err *err = NULL;
	size_t n;

	if (!s->options->sources || !s->target->n_threads)
		return NULL;
	modules = insp_modules(s->insp, &n);
	for (size_t k = 0; k < s->frames.n && x.n < FILES_MAX && !err; k++) {
		const struct snap_frame *f = &frames[k];

		if (f->tid == s->target->threads[0].tid && f->file
		    && f->module < n && !is_there(&x, f->file))
			err = source_save(&x, f, &modules[f->module].id);
	}
	return err;
}
