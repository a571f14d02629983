/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keep.c: reads what a snapshot is to hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/keep.h"
#include "cmd/kv.h"

#define PAUSE_NS UINT64_C(20000000)
#define ATTACH_MAX (64u << 20)  /* bytes of one file */
#define ATTACHED_MAX 1000u

bool
keep_duration(const char *word, uint64_t *ns)
{
	static const struct { const char *unit; double ns; } units[] = {
		{ "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 },
		{ "m", 60e9 }, { "h", 3600e9 },
	};
	char *unit;
	double value = strtod(word, &unit);

	/* Also false for what is no number. */
	if (unit == word || !(value >= 0))
		return false;
	for (size_t k = 0; k < countof(units); k++) {
		double total = value * units[k].ns;
		if (strcmp(unit, units[k].unit) != 0 || total > 9e18)
			continue;
		*ns = (uint64_t)total;
		return true;
	}
	return false;
}

static struct err *
keep_memory(const struct keep *k, struct capture_limits *limits)
{
	static const struct {
		const char *name;
		enum capture_memory memory;
	} kinds[] = {
		{ "reachable", CAPTURE_REACHABLE }, { "full", CAPTURE_FULL },
		{ "stacks", CAPTURE_STACKS },
	};
	const char *word = k->memory ? k->memory : kinds[0].name;

	for (size_t i = 0; i < countof(kinds); i++) {
		if (strcmp(word, kinds[i].name) != 0)
			continue;
		limits->memory = kinds[i].memory;
		return NULL;
	}
	return err_new(ERR_USAGE, "--memory \"%.80s\" is none of reachable, "
		       "stacks and full", word);
}

static struct err *
keep_limits(const struct keep *k, struct capture_limits *limits)
{
	struct err *err = keep_memory(k, limits);

	if (err)
		return err;
	limits->copy = k->copy_limit;
	limits->pause_ns = limits->memory == CAPTURE_REACHABLE ? PAUSE_NS : 0;
	if (k->max_pause && !keep_duration(k->max_pause, &limits->pause_ns))
		return err_new(ERR_USAGE, "--max-pause \"%.80s\" is no time "
			       "like 20ms or 1s", k->max_pause);
	return NULL;
}

/* ---- attached files ---- */

static struct err *
keep_file(const char *path, const char *name, struct arena *a,
	  struct vec *files)
{
	_source_ struct source *src = NULL;
	struct snap_blob *slot = vec_add(files, a, sizeof(*slot));

	if (!slot)
		return err_nomem();
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return err_errno("cannot attach %s", path);
	struct err *err = source_fd(fd, path, &src);
	if (err)
		return err;
	slot->name = arena_strdup(a, name);
	return slot->name ? source_load(src, 0, source_size(src), ATTACH_MAX,
					a, &slot->bytes)
			  : err_nomem();
}

/* What of @path begins the names of its files: the last name in it. */
static size_t
keep_name(const char *path)
{
	size_t end = strlen(path), at;

	while (end > 1 && path[end - 1] == '/')
		end--;
	for (at = end; at && path[at - 1] != '/'; at--)
		;
	return strncmp(path + at, ".", end - at) == 0 ? strlen(path) : at;
}

static struct err *
keep_entry(const FTSENT *entry, size_t skip, struct arena *a,
	   struct vec *files)
{
	const char *name = entry->fts_path + skip;

	while (*name == '/')
		name++;
	switch (entry->fts_info) {
	case FTS_F:
		break;
	case FTS_NS:
	case FTS_DNR:
		errno = entry->fts_errno;
		return err_errno("cannot attach %s", entry->fts_path);
	case FTS_D:
	case FTS_DP:
		return NULL;
	default:
		/* Named by the user, it is an error; in a tree it is not. */
		return entry->fts_level ? NULL
		       : keep_file(entry->fts_path, name, a, files);
	}
	if (files->n == ATTACHED_MAX)
		return err_new(ERR_LIMIT, "more than %u files are to be "
			       "attached; %s is one too many", ATTACHED_MAX,
			       entry->fts_path);
	return keep_file(entry->fts_path, name, a, files);
}

static void
keep_close(FTS **tree)
{
	if (*tree)
		fts_close(*tree);
}

static struct err *
keep_tree(const char *path, struct arena *a, struct vec *files)
{
	char *const roots[] = { (char *)path, NULL };
	_cleanup_(keep_close) FTS *tree =
		fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR,
			 NULL);
	struct err *err = NULL;
	FTSENT *entry;

	if (!tree)
		return err_errno("cannot attach %s", path);
	while (!err && (entry = fts_read(tree)))
		err = keep_entry(entry, keep_name(path), a, files);
	return err;
}

struct err *
keep_trees(const struct opt_list *paths, struct arena *a,
	   struct capture_options *options)
{
	struct vec files = { 0 };
	struct err *err = NULL;

	for (size_t k = 0; k < options->n_files; k++) {
		struct snap_blob *slot = vec_add(&files, a, sizeof(*slot));
		if (!slot)
			return err_nomem();
		*slot = options->files[k];
	}
	for (size_t k = 0; k < paths->n && !err; k++)
		err = keep_tree(paths->item[k], a, &files);
	options->files = files.data;
	options->n_files = files.n;
	return err;
}

struct err *
keep_read(const struct keep *k, struct arena *a, struct capture_limits *limits,
	  struct capture_options *options)
{
	struct vec attributes = { 0 };

	struct err *err = limits ? keep_limits(k, limits) : NULL;
	if (!err)
		err = kv_read(&k->kv, a, &attributes);
	if (!err)
		err = keep_trees(&k->attach, a, options);
	if (err)
		return err;
	options->attributes = attributes.data;
	options->n_attributes = attributes.n;
	options->memory = limits ? limits->memory : CAPTURE_FULL;
	options->budget = k->budget;
	options->sources = k->sources;
	options->globals = k->global.item;
	options->n_globals = k->global.n;
	options->redact = k->redact.item;
	options->n_redact = k->redact.n;
	return NULL;
}
