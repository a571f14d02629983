/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.c: names for files, by the user's word or of the default kind.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/place.h"

#define NAMES_TRIED 1000u
#define STEM_MAX 128u

void
place_fini(struct place *p)
{
	free(p->dir);
	free(p->name);
	free(p->stem);
}

static struct err *
place_split(const char *path, struct place *out)
{
	const char *slash = strrchr(path, '/');

	out->dir = slash == path ? strdup("/")
		 : slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	out->name = strdup(slash ? slash + 1 : path);
	return out->dir && out->name ? NULL : err_nomem();
}

static struct err *
place_existing(const char *path, const struct stat *st, const char *input)
{
	struct stat in;

	if (!S_ISREG(st->st_mode))
		return err_new(ERR_USAGE, "%s is no regular file, and would be "
			       "replaced", path);
	if (input && stat(input, &in) == 0 && in.st_dev == st->st_dev
	    && in.st_ino == st->st_ino)
		return err_new(ERR_USAGE, "%s is the input itself", path);
	return NULL;
}

struct err *
place_find(const char *output, const char *input, struct place *out)
{
	_free_ char *real = NULL;
	struct stat st;

	if (!output || (stat(output, &st) == 0 && S_ISDIR(st.st_mode))) {
		out->dir = strdup(output ? output : ".");
		return out->dir ? NULL : err_nomem();
	}
	if (stat(output, &st) < 0)
		return place_split(output, out);
	struct err *err = place_existing(output, &st, input);
	if (err)
		return err;
	/* A symbolic link stays one: what it names is replaced. */
	if (lstat(output, &st) == 0 && !S_ISLNK(st.st_mode))
		return place_split(output, out);
	real = realpath(output, NULL);
	return real ? place_split(real, out)
		    : err_errno("cannot find %s", output);
}

struct err *
place_prefix(const char *prefix, struct place *out)
{
	struct err *err = place_split(prefix, out);

	if (err)
		return err;
	out->stem = take(out->name);
	if (!*out->stem)
		free(take(out->stem));
	return NULL;
}

/* "STEM.snap", then "STEM.2.snap": no path, and nothing odd is in it. */
static void
place_default_name(struct buf *b, const char *stem, unsigned index,
		   unsigned nth)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	for (size_t k = 0; k < STEM_MAX && stem[k]; k++) {
		bool first = k == 0 && strchr(".-", stem[k]);
		buf_putc(b, strchr(plain, stem[k]) && !first ? stem[k] : '_');
	}
	if (index)
		buf_printf(b, ".%04u", index);
	if (nth)
		buf_printf(b, ".%u", nth + 1);
	buf_puts(b, ".snap");
}

static struct err *
place_default(struct outfile *file, const char *stem, unsigned index,
	      struct buf *name)
{
	bool taken = true;

	for (unsigned k = 0; k < NAMES_TRIED && taken; k++) {
		buf_reset(name);
		place_default_name(name, stem, index, k);
		struct err *err = buf_err(name);
		if (!err)
			err = outfile_place(file, name->data, &taken);
		if (err)
			return err;
	}
	if (taken)
		return err_new(ERR_FAILED, "%s and %u more names are taken; "
			       "name one with -o", name->data, NAMES_TRIED);
	return NULL;
}

struct err *
place_put(const struct place *p, struct outfile *file, const char *stem,
	  struct buf *path)
{
	_buf_ struct buf name = { 0 };
	struct err *err;

	if (p->name) {
		buf_puts(&name, p->name);
		err = outfile_replace(file, p->name);
	} else {
		err = place_default(file, stem, p->index, &name);
	}
	if (err)
		return err;
	if (strcmp(p->dir, ".") != 0)
		buf_printf(path, "%s%s", p->dir,
			   strcmp(p->dir, "/") == 0 ? "" : "/");
	buf_put(path, name.data, name.len);
	return buf_err(path);
}
