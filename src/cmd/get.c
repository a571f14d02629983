/* SPDX-License-Identifier: Apache-2.0 */
/*
 * get.c: inquest get - an object becomes a file again.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/home.h"
#include "cmd/object.h"
#include "cmd/pick.h"
#include "cmd/place.h"
#include "cmd/progress.h"
#include "cmd/save.h"

struct get_options {
	const char *output, *store;
	bool json;
};

struct get {
	const struct get_options *options;
	int fd;                 /* where it is written */
	bool unread;            /* nobody reads it any more */
	uint64_t done, total;
	struct progress progress;
	char stem[2 * STORE_NAME_MAX];  /* of the file's default name */
};

static struct err *
get_sink(void *arg, const void *data, size_t n)
{
	struct get *g = arg;

	g->done += n;
	progress_show(&g->progress, g->done, g->total);
	struct err *err = io_write(g->fd, data, n);
	g->unread = err && errno == EPIPE;
	return err;
}

static struct err *
get_object(struct get *g, const char *typed)
{
	_arena_ struct arena *a = arena_new(0);
	_store_ struct store *s = NULL;
	struct store_object object;
	struct store_ref ref;

	if (!a)
		return err_nomem();
	struct err *err = home_open(g->options->store, false, &s);
	if (!err)
		err = store_find(s, typed, NULL, &ref);
	if (!err)
		err = store_object(s, &ref, a, &object);
	if (err)
		return err;
	object_digits(object.hash, g->stem);
	g->total = object.size;
	progress_init(&g->progress);
	err = store_get(s, &ref, get_sink, g);
	progress_end(&g->progress);
	if (!g->unread)
		return err;
	/* As with every result: a reader that left has all it wanted. */
	err_free(err);
	return NULL;
}

/* The last segment of a URL's path is the object's id. */
static struct err *
get_url(struct get *g, const char *url)
{
	size_t n = strcspn(url, "?");
	size_t at = n;

	while (at && url[at - 1] != '/' && n - at + 1 < sizeof(g->stem))
		at--;
	memcpy(g->stem, url + at, n - at);
	return pick_fetch(url, g->fd);
}

static struct err *
get_bytes(struct get *g, const char *typed)
{
	return pick_is_url(typed) ? get_url(g, typed) : get_object(g, typed);
}

static struct err *
get_show(const struct get *g, const char *path)
{
	_buf_ struct buf out = { 0 };

	if (!g->options->json) {
		buf_printf(&out, "%s\n", path);
		struct err *err = say_result(&out);
		if (!err)
			save_tell_next(NULL, "report", path);
		return err;
	}
	struct json *top = say_json("get");
	json_set(top, "path", json_string(path));
	struct err *err = json_write(top, true, &out);
	json_free(top);
	return err ? err : say_result(&out);
}

static struct err *
get_file(struct get *g, const char *typed)
{
	_outfile_ struct outfile file = OUTFILE_NONE;
	_place_ struct place place = { 0 };
	_buf_ struct buf path = { 0 };

	struct err *err = place_find(g->options->output, NULL, &place);
	if (!err)
		err = outfile_open(place.dir, &file);
	if (err)
		return err;
	g->fd = file.fd;
	err = get_bytes(g, typed);
	if (!err)
		err = place_put(&place, &file, g->stem, &path);
	return err ? err : get_show(g, path.data);
}

static struct err *
get_run(const struct verb *v, int argc, char **argv, int *status)
{
	struct get_options o = { 0 };
	struct get g = { .options = &o };
	struct operands operands;

	(void)status;
	struct err *err = verb_parse(v, argc, argv, &o, &operands);
	if (err)
		return err;
	if (!o.output || strcmp(o.output, "-") != 0)
		return get_file(&g, operands.item[0]);
	g.fd = STDOUT_FILENO;
	return get_bytes(&g, operands.item[0]);
}

static const struct opt get_opts[] = {
	{ "output", 'o', "FILE", "where to write; ID.snap; - is stdout",
	  OPT_STRING, offsetof(struct get_options, output) },
	{ "store", 0, "DIR", "another store than the default one",
	  OPT_STRING, offsetof(struct get_options, store) },
	{ "json", 0, NULL, "say what was written as JSON",
	  OPT_FLAG, offsetof(struct get_options, json) },
	{ .name = NULL }
};

static const struct example get_examples[] = {
	{ PROGRAM " get 3f2a", "write ID.snap here" },
	{ PROGRAM " get -o - web/@latest | ssh ...", "to somewhere else" },
	{ NULL, NULL }
};

static const struct exit_row get_exits[] = {
	{ 0, "written" },
	{ 1, "it could not be written" },
	{ 2, "usage, or several objects begin so" },
	{ 3, "no such object" },
	{ 4, "not allowed" },
	{ 5, "the server cannot be reached, or failed" },
	{ 6, "what is kept is damaged: the object and the file are named" },
	{ 0, NULL }
};

const struct verb verb_get = {
	.name = "get",
	.operands = "ID",
	.min = 1,
	.max = 1,
	.summary = "Write an object of the store into a file",
	.text = "Gives back bit for bit what was put; every piece is held "
		"against its checksum. ID is digits of the content hash (at "
		"least 4, and no other object's begin so), PROJECT/NUMBER, "
		"PROJECT/@latest, @latest, or the URL of an object that a "
		"server has.\n\n"
		"Without --output the file is named after the object, in the "
		"current directory, and replaces none; with --output FILE one "
		"of that name is replaced. The file gets its name when it is "
		"whole and on disk. The path is printed; with --json, an "
		"object with path.",
	.options = get_opts,
	.examples = get_examples,
	.exits = get_exits,
	.run = get_run,
};
