/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import.c: inquest import - a core becomes a snapshot.
 */
#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/import.h"
#include "cmd/object.h"

/* What was written, and where it is: @path, or the object @added. */
struct imported {
	const struct import_options *options;
	struct saved saved;
	struct buf path;
	struct store_added added;
	bool done;
};

static struct err *
import_json(const struct imported *x)
{
	struct json *top = say_json("import");
	_buf_ struct buf out = { 0 };

	if (x->options->to.put) {
		object_json(top, &x->added.ref, x->added.hash);
		json_set(top, "known", json_bool(x->added.known));
	} else {
		json_set(top, "path", json_string(x->path.data));
	}
	save_json(&x->saved, top);
	struct err *err = json_write(top, true, &out);
	json_free(top);
	return err ? err : say_result(&out);
}

/* The path or the id is the result; the rest is talk. */
static struct err *
import_text(const struct imported *x)
{
	const struct save_words *to = &x->options->to;
	char digits[STORE_DIGITS + 1] = "";
	_buf_ struct buf out = { 0 };

	if (to->put)
		object_digits(x->added.hash, digits);
	const char *word = to->put ? digits : x->path.data;
	buf_printf(&out, "%s\n", word);
	struct err *err = say_result(&out);
	if (err)
		return err;
	save_tell(&x->saved);
	save_tell_next(to->store, "report", word);
	save_tell_next(to->store, "gdb", word);
	return NULL;
}

struct err *
import_core(const struct import_options *o, const char *snap, struct arena *a,
	    int *status)
{
	_place_ struct place place = { 0 };
	struct imported x = { .options = o };
	struct capture_options options = { 0 };
	struct save_store where = { 0 };

	struct err *err = keep_read(&o->keep, a, NULL, &options);
	if (!err)
		err = spell_keep(&o->spell, a, &options);
	if (!err)
		err = save_read(&o->to, snap, &place, &where);
	if (err)
		return err;
	const struct save save = {
		.session = {
			.verb = "import", .snap = snap, .exe = o->exe,
			.indexes = o->wait_symbols ? INDEXES_MAKE
						   : INDEXES_QUEUE,
			.sources = o->keep.sources,
		},
		.options = options, .room = o->to.room,
	};
	if (o->to.put)
		err = save_object(&save, &where, &x.saved, &x.added, &x.done,
				  status);
	else
		err = save_file(&save, &place, &x.saved, &x.path, status);
	if (!err && (x.done || x.path.len))
		err = o->json ? import_json(&x) : import_text(&x);
	buf_fini(&x.path);
	return err;
}

static struct err *
import_run(const struct verb *v, int argc, char **argv, int *status)
{
	_arena_ struct arena *a = arena_new(0);
	struct import_options o = { 0 };
	struct operands operands;

	if (!a)
		return err_nomem();
	struct err *err = verb_parse(v, argc, argv, &o, &operands);
	return err ? err : import_core(&o, operands.item[0], a, status);
}

static const struct opt import_opts[] = {
	{ "exe", 0, "EXE", "the program, where it is not found by itself",
	  OPT_STRING, offsetof(struct import_options, exe) },
	{ "wait-symbols", 0, NULL, "wait for symbol indexes, for variables",
	  OPT_FLAG, offsetof(struct import_options, wait_symbols) },
	SAVE_OPTS(struct import_options),
	KEEP_OPTS(struct import_options),
	{ "json", 0, NULL, "say what was written as JSON",
	  OPT_FLAG, offsetof(struct import_options, json) },
	{ .name = NULL }
};

static const struct example import_examples[] = {
	{ PROGRAM " import core.1234", "write NAME.1234.snap here" },
	{ PROGRAM " import --kv version=1.2 -o x.snap core",
	  "with an attribute" },
	{ NULL, NULL }
};

static const struct exit_row import_exits[] = {
	{ 0, "written" },
	{ 1, "the file is no core, or the snapshot could not be written" },
	{ 2, "usage" },
	{ 3, "no such file or directory" },
	{ 4, "not allowed" },
	{ 6, "the core is damaged or cut; a snapshot of what could be read is "
	     "written, unless nothing could" },
	{ 0, NULL }
};

const struct verb verb_import = {
	.name = "import",
	.operands = "CORE",
	.min = 1,
	.max = 1,
	.summary = "Turn a core into a snapshot, one file that needs no other",
	.text = "Writes a snapshot of what the core holds: threads with their "
		"registers and resolved stacks, memory in compressed pieces, "
		"and of each module what unwinding and naming need, so that "
		"stacks have names when the program and its libraries are "
		"gone. The path of the snapshot is printed on standard "
		"output. With --put it is kept in the store instead, and the "
		"first digits of the object's id are printed.\n\n"
		"Without --output the snapshot is put in the current directory "
		"under the name and process id of the program; a snapshot of "
		"that name is not replaced. With --output FILE it is; FILE may "
		"be a directory. The file gets its name when it is whole and "
		"on disk, and only its owner may read it: a core holds "
		"whatever the program had in memory.\n\n"
		"A snapshot may be imported again, to add attributes, or names "
		"from debug files that were not at hand before.\n\n"
		"Several attributes may stand in one word, KEY:VALUE,KEY:VALUE; "
		"a comma that no key follows belongs to the value.\n\n"
		"With --json the result is an object: path, or id, hash, project, "
		"number, known; bytes (of the file), pid, threads, frames, modules, memory (bytes "
		"captured), absent (bytes mapped but not captured), damaged.",
	.options = import_opts,
	.examples = import_examples,
	.exits = import_exits,
	.run = import_run,
};
