/* SPDX-License-Identifier: Apache-2.0 */
/*
 * put.c: inquest put - files go into the store.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/home.h"
#include "cmd/late.h"
#include "cmd/object.h"
#include "cmd/save.h"

struct put_options {
	struct room room;
	const char *project, *store;
	bool json, wait_symbols;
	struct opt_list tags;
};

struct put {
	struct put_options options;
	struct json *objects;   /* NULL: text is wanted */
	int status;             /* the first that is not 0 */
	char last[STORE_DIGITS + 1];    /* snapshot put last; "" = none */
};

static struct err *
put_show_text(const struct store_added *added)
{
	_buf_ struct buf out = { 0 };
	char digits[STORE_DIGITS + 1];

	object_digits(added->hash, digits);
	buf_printf(&out, "%s ", digits);
	object_ref(&out, &added->ref);
	buf_putc(&out, '\n');
	return say_result(&out);
}

static void
put_show_json(const struct put *p, const char *file, const struct saved *saved,
	      const struct store_added *added)
{
	struct json *j = json_object();

	json_set(j, "file", json_string(file));
	object_json(j, &added->ref, added->hash);
	json_set(j, "bytes", json_u64(saved->size));
	json_set(j, "added", json_u64(added->added));
	json_set(j, "known", json_bool(added->known));
	json_set(j, "symbols", json_bool(saved->symbols));
	json_set(j, "imported", json_bool(!saved->kept));
	json_set(j, "damaged", json_bool(saved->damaged));
	json_add(p->objects, j);
}

static void
put_talk(const struct pick *pick, const struct saved *saved,
	 const struct store_added *added)
{
	_buf_ struct buf size = { 0 };

	buf_size(&size, added->known ? saved->size : added->added);
	if (added->known)
		say("%s was already there, %s", pick->title, size.data);
	else
		say("%s is stored%s, %s of it new to %s", pick->title,
		    saved->symbols ? " to be found by its build-id" : "",
		    size.data, added->ref.project);
}

static struct err *
put_show(struct put *p, const struct pick *pick, const struct saved *saved,
	 const struct store_added *added)
{
	if (!saved->symbols)
		object_digits(added->hash, p->last);
	if (p->objects) {
		put_show_json(p, pick->title, saved, added);
		return NULL;
	}
	struct err *err = put_show_text(added);
	if (!err)
		put_talk(pick, saved, added);
	return err;
}

static struct err *
put_file(struct put *p, const char *typed)
{
	_pick_ struct pick pick = PICK_NONE;
	struct store_added added;
	struct saved saved;
	bool done = false;
	int status = 0;

	struct err *err = pick_open(typed, &pick);
	if (err)
		return err;
	const struct save save = {
		.session = { .verb = "put", .snap = typed, .opened = &pick },
		.keep = true, .room = p->options.room,
	};
	const struct save_store where = {
		.dir = p->options.store, .project = p->options.project,
		.tags = p->options.tags.item, .n_tags = p->options.tags.n,
	};
	err = save_object(&save, &where, &saved, &added, &done, &status);
	if (!err && done && p->options.wait_symbols && !saved.symbols)
		err = late_wait("put", p->options.store, &added.ref);
	if (!err && done)
		err = put_show(p, &pick, &saved, &added);
	if (!p->status)
		p->status = status;
	return err;
}

static struct err *
put_check(const struct put_options *o)
{
	struct err *err = home_check_name("project", o->project);

	for (size_t k = 0; k < o->tags.n && !err; k++)
		err = home_check_name("tag", o->tags.item[k]);
	return err;
}

/* A file that cannot be put does not keep the others from it. */
static void
put_all(struct put *p, const struct operands *files)
{
	for (size_t k = 0; k < files->n; k++) {
		_err_ struct err *err = put_file(p, files->item[k]);
		if (!err)
			continue;
		say("put: %s", err_text(err));
		if (!p->status)
			p->status = err_exit_status(err);
	}
}

static struct err *
put_end(struct put *p)
{
	struct json *top = say_json("put");
	_buf_ struct buf out = { 0 };

	json_set(top, "objects", p->objects);
	struct err *err = json_write(top, true, &out);
	json_free(top);
	return err ? err : say_result(&out);
}

static struct err *
put_run(const struct verb *v, int argc, char **argv, int *status)
{
	struct put p = { .options.project = HOME_PROJECT };
	struct operands files;

	struct err *err = verb_parse(v, argc, argv, &p.options, &files);
	if (!err)
		err = put_check(&p.options);
	if (err)
		return err;
	if (p.options.json)
		p.objects = json_array();
	put_all(&p, &files);
	*status = p.status;
	if (p.options.json)
		return put_end(&p);
	if (*p.last) {
		save_tell_next(p.options.store, "report", p.last);
		save_tell_next(p.options.store, "gdb", p.last);
	}
	return NULL;
}

static const struct opt put_opts[] = {
	{ "project", 'p', "PROJECT", "where it goes; \"" HOME_PROJECT "\"",
	  OPT_STRING, offsetof(struct put_options, project) },
	{ "tag", 't', "TAG", "a tag it gets (may be repeated)",
	  OPT_LIST, offsetof(struct put_options, tags) },
	{ "store", 0, "DIR", "another store than the default one",
	  OPT_STRING, offsetof(struct put_options, store) },
	ROOM_OPT(struct put_options, room),
	{ "wait-symbols", 0, NULL, "wait for symbol indexes, for variables",
	  OPT_FLAG, offsetof(struct put_options, wait_symbols) },
	{ "json", 0, NULL, "say what was stored as JSON",
	  OPT_FLAG, offsetof(struct put_options, json) },
	{ .name = NULL }
};

static const struct example put_examples[] = {
	{ PROGRAM " put x.snap", "keep a snapshot" },
	{ PROGRAM " put -p web -t nightly core.*", "and what cores hold" },
	{ PROGRAM " put -p web app app.debug", "and what gives them names" },
	{ NULL, NULL }
};

static const struct exit_row put_exits[] = {
	{ 0, "stored, and on disk; or it was there" },
	{ 1, "the file is none of these, or could not be stored" },
	{ 2, "usage" },
	{ 3, "no such file" },
	{ 4, "not allowed" },
	{ 6, "damaged or cut: of a core, what could be read is stored" },
	{ 0, NULL }
};

const struct verb verb_put = {
	.name = "put",
	.operands = "FILE...",
	.min = 1,
	.max = -1,
	.summary = "Keep snapshots, and what names them, in the store",
	.text = "A snapshot is kept as it is, bit for bit; of a core, the "
		"snapshot is kept that import would make of it. What several "
		"objects of a project share is on disk once. When put returns, "
		"the object survives the end of the machine.\n\n"
		"A program, a library or a debug file that has a build-id is "
		"kept as it is, too. Where a snapshot of the same project "
		"needs that build-id, report, gdb, lldb, rsp and serve find "
		"it.\n\n"
		"For each, a line is printed: the first digits of the content "
		"hash, and PROJECT/NUMBER. Either names the object to every "
		"verb that takes a SNAP. The same bytes again give the same "
		"object.\n\n"
		"With --wait-symbols, of a process that died, the variables "
		"that the snapshot lacks are kept beside it, as far as there "
		"is debug information, here or in the project: put that "
		"first. Then they are there for whoever has none. Nothing is "
		"added where something was taken out of memory (--redact).\n\n"
		"The store is made when it is not there: $INQUEST_STORE, else "
		"$XDG_DATA_HOME/inquest, else ~/.local/share/inquest. Names of "
		"projects and tags are letters, digits, \"_\", \"-\" and "
		"\".\".\n\n"
		"With --json the result is an object with objects, a list of "
		"file, id, hash, project, number, bytes (of the object), added "
		"(bytes new to the project), known (it was there already), "
		"symbols (it is a program or a debug file), imported, "
		"damaged. Several are put one by one; the exit status is that "
		"of the first that failed.",
	.options = put_opts,
	.examples = put_examples,
	.exits = put_exits,
	.run = put_run,
};
