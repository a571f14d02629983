/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is opened over the disk, with indexes that are made on the way.
 */
#include "make-opened.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "supply/supply.h"

static struct err *
open_source(const char *path, struct source **out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno("%s", path);
	return source_fd(fd, path, out);
}

/* ---- indexes -------------------------------------------------------------- */
static struct err *
keep(void *arg, const void *data, size_t n)
{
	buf_put(arg, data, n);
	return buf_err(arg);
}

static struct err *
debug_file(const struct snap_module *m, struct source **out)
{
	struct supply_ask ask = { .kind = SUPPLY_DEBUG, .id = m->id,
				  .path = m->path };
	int fd;
	struct err *err = supply_disk(&supply_default_places, &ask, &fd);

	return err ? err : source_fd(fd, "debug file", out);
}

static struct err *
make_index(struct opened_file *l, size_t module)
{
	size_t n;
	const struct snap_module *m = &insp_modules(l->insp, &n)[module];
	struct symbols_input in = { 0 };
	_source_ struct source *debug = NULL;
	struct err *err = insp_module_file(l->insp, module, &in.file);

	if (err)
		return err;
	_err_ struct err *none = debug_file(m, &debug);
	in.debug = debug;
	err = symbols_make(&in, keep, &l->bytes[module]);
	if (!err)
		err = source_mem(l->bytes[module].data, l->bytes[module].len,
				 "index", &l->sources[module]);
	return err ? err : symidx_open(l->sources[module],
				       &l->indexes[module]);
}

static struct symidx *
index_of(void *arg, size_t module)
{
	struct opened_file *l = arg;

	if (!l->asked[module]) {
		l->asked[module] = true;
		_err_ struct err *err = make_index(l, module);

		if (err)
			fprintf(stderr, "module %zu: %s\n", module,
				err_text(err));
	}
	return l->indexes[module];
}

/* The engine asks for indexes as well: it is given those that are made here. */
static struct err *
give_index(struct opened_file *l, const struct supply_ask *ask, int *fd)
{
	size_t n;
	const struct snap_module *m = l->insp ? insp_modules(l->insp, &n)
				      : NULL;

	for (size_t k = 0; m && !ask->nth && k < n; k++) {
		if (!id_equal(&m[k].id, &ask->id) || !index_of(l, k))
			continue;
		_close_ int out = memfd_create("index", MFD_CLOEXEC);
		struct err *err = out < 0 ? err_errno("memfd") : io_write(
			out, l->bytes[k].data, l->bytes[k].len);

		if (!err)
			*fd = out, out = -1;
		return err;
	}
	return err_new(ERR_NOTFOUND, "there is no index");
}

static struct err *
on_disk(void *arg, const struct supply_ask *ask, int *fd)
{
	return ask->kind == SUPPLY_INDEX ? give_index(arg, ask, fd) :
	       supply_disk(&supply_default_places, ask, fd);
}

/* ---- begin and end -------------------------------------------------------- */
static struct err *
open_values(struct opened_file *l)
{
	struct values_indexes from = { index_of, l };

	insp_modules(l->insp, &l->n_modules);
	l->bytes = calloc(l->n_modules + 1, sizeof(*l->bytes));
	l->sources = calloc(l->n_modules + 1, sizeof(struct source *));
	l->indexes = calloc(l->n_modules + 1, sizeof(struct symidx *));
	l->asked = calloc(l->n_modules + 1, sizeof(*l->asked));
	if (!l->bytes || !l->sources || !l->indexes || !l->asked)
		return err_nomem();
	return values_new(l->insp, &from, &l->values);
}

struct err *
opened_open(struct opened_file *l, const char *path)
{
	const struct insp_options options = { .supply = &l->supply };
	struct target *t = NULL;
	struct err *err = open_source(path, &l->source);

	l->supply = (struct supply){ .module = on_disk, .arg = l };
	if (!err)
		err = target_open(l->source, &t);
	if (!err)
		err = insp_open(t, &options, &l->insp);
	return err ? err : open_values(l);
}

void
opened_close(struct opened_file *l)
{
	values_free(l->values);
	for (size_t k = 0; k < l->n_modules && l->indexes; k++) {
		symidx_free(l->indexes[k]);
		source_free(l->sources[k]);
		buf_fini(&l->bytes[k]);
	}
	insp_free(l->insp);
	source_free(l->source);
	free(l->bytes);
	free(l->sources);
	free(l->indexes);
	free(l->asked);
}
