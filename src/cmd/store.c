/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.c: inquest store - care for the store as a whole.
 */
#include <string.h>

#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/home.h"
#include "cmd/progress.h"

struct store_verb_options {
	const char *project, *store;
	bool json;
};

/* One thing that can be done with a store, by the operand. */
struct store_action {
	const char *name;
	struct err *(*run)(const struct store_verb_options *o, struct store *s,
			   int *status);
};

static struct err *
store_show(struct json *top)
{
	_buf_ struct buf out = { 0 };

	struct err *err = json_write(top, true, &out);
	json_free(top);
	return err ? err : say_result(&out);
}

/* ---- verify ---- */

struct faults {
	struct buf text;
	struct json *list;      /* or NULL: text is wanted */
};

static void
store_fault(void *arg, const char *sentence)
{
	struct faults *f = arg;

	if (f->list) {
		json_add(f->list, json_string(sentence));
		return;
	}
	buf_escape(&f->text, sentence, strlen(sentence));
	buf_putc(&f->text, '\n');
}

static void
store_verified_json(struct json *top, const struct store_verified *v,
		    struct json *faults)
{
	json_set(top, "objects", json_u64(v->objects));
	json_set(top, "bytes", json_u64(v->bytes));
	json_set(top, "n_faults", json_u64(v->faults));
	json_set(top, "faults", faults);
}

static void
store_verified_text(struct buf *out, const struct store_verified *v)
{
	if (v->faults)
		buf_printf(out, "%llu fault%s", (unsigned long long)v->faults,
			   v->faults == 1 ? "" : "s");
	else
		buf_puts(out, "ok");
	buf_printf(out, ": %llu object%s, ", (unsigned long long)v->objects,
		   v->objects == 1 ? "" : "s");
	buf_size(out, v->bytes);
	buf_puts(out, " read\n");
}

static struct err *
store_run_verify(const struct store_verb_options *o, struct store *s,
		 int *status)
{
	struct faults f = { .list = o->json ? json_array() : NULL };
	_buf_ struct buf out = { 0 };
	struct store_verified v;

	struct err *err = store_verify(s, o->project, store_fault, &f, &v);
	out = f.text;
	if (err) {
		json_free(f.list);
		return err;
	}
	*status = v.faults ? 6 : 0;
	if (o->json) {
		struct json *top = say_json("store");
		store_verified_json(top, &v, f.list);
		return store_show(top);
	}
	store_verified_text(&out, &v);
	return say_result(&out);
}

/* ---- gc ---- */

static struct err *
store_run_gc(const struct store_verb_options *o, struct store *s, int *status)
{
	_buf_ struct buf size = { 0 };
	struct progress progress;
	struct store_gc gc;

	(void)status;
	progress_init(&progress);
	struct err *err = store_collect(s, o->project, progress_show,
					&progress, &gc);
	progress_end(&progress);
	if (err)
		return err;
	if (o->json) {
		struct json *top = say_json("store");
		json_set(top, "freed", json_u64(gc.freed));
		json_set(top, "moved", json_u64(gc.moved));
		return store_show(top);
	}
	buf_size(&size, gc.freed);
	say("%s given back to the disk", size.data);
	return NULL;
}

/* ---- the verb ---- */

static const struct store_action store_actions[] = {
	{ "verify", store_run_verify },
	{ "gc", store_run_gc },
};

static struct err *
store_find_action(const char *name, const struct store_action **out)
{
	for (size_t k = 0; k < countof(store_actions); k++) {
		*out = &store_actions[k];
		if (strcmp(name, (*out)->name) == 0)
			return NULL;
	}
	return err_new(ERR_USAGE, "\"%.80s\" is neither verify nor gc", name);
}

static struct err *
store_run(const struct verb *v, int argc, char **argv, int *status)
{
	const struct store_action *action = NULL;
	struct store_verb_options o = { 0 };
	_store_ struct store *s = NULL;
	struct operands words;

	struct err *err = verb_parse(v, argc, argv, &o, &words);
	if (!err)
		err = store_find_action(words.item[0], &action);
	if (!err && o.project)
		err = home_check_name("project", o.project);
	if (!err)
		err = home_open(o.store, false, &s);
	return err ? err : action->run(&o, s, status);
}

static const struct opt store_opts[] = {
	{ "project", 'p', "PROJECT", "only this project",
	  OPT_STRING, offsetof(struct store_verb_options, project) },
	{ "store", 0, "DIR", "another store than the default one",
	  OPT_STRING, offsetof(struct store_verb_options, store) },
	{ "json", 0, NULL, "what was found or done as JSON",
	  OPT_FLAG, offsetof(struct store_verb_options, json) },
	{ .name = NULL }
};

static const struct example store_examples[] = {
	{ PROGRAM " store verify", "is everything whole?" },
	{ PROGRAM " store gc", "give back what nothing needs" },
	{ NULL, NULL }
};

static const struct exit_row store_exits[] = {
	{ 0, "done; nothing is wrong" },
	{ 1, "the store could not be read or written" },
	{ 2, "usage" },
	{ 3, "no such store or project" },
	{ 4, "not allowed" },
	{ 6, "verify found faults: a line for each" },
	{ 0, NULL }
};

const struct verb verb_store = {
	.name = "store",
	.operands = "verify|gc",
	.min = 1,
	.max = 1,
	.summary = "Verify the store, or give back what nothing needs",
	.seldom = true,
	.text = "verify reads everything that is kept and holds it against its "
		"checksums and counts; each fault is named with its object and "
		"file. gc gives the disk back what no object needs; rm does so "
		"by itself, and gc finishes where one was interrupted. Both "
		"may run beside other uses of the store.\n\n"
		"With --json the result of verify is an object with objects, "
		"bytes, n_faults, faults (sentences); of gc, with freed and "
		"moved (bytes).",
	.options = store_opts,
	.examples = store_examples,
	.exits = store_exits,
	.run = store_run,
};
