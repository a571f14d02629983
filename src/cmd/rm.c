/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rm.c: inquest rm - objects leave the store, and the disk.
 */
#include <string.h>

#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/home.h"
#include "cmd/object.h"
#include "cmd/progress.h"

struct rm_options {
	const char *store;
	bool json;
};

struct rm {
	struct store *store;
	struct arena *arena;
	struct vec refs;        /* of struct store_ref */
	struct json *removed;
};

static bool
rm_is_there(const struct rm *r, const struct store_ref *ref)
{
	const struct store_ref *refs = r->refs.data;

	for (size_t k = 0; k < r->refs.n; k++) {
		if (refs[k].number == ref->number
		    && strcmp(refs[k].project, ref->project) == 0)
			return true;
	}
	return false;
}

/* All are found before one is removed: @latest twice is one object. */
static struct err *
rm_find(struct rm *r, const struct operands *ids)
{
	for (size_t k = 0; k < ids->n; k++) {
		struct store_ref ref, *slot;
		struct err *err = store_find(r->store, ids->item[k], NULL,
					     &ref);
		if (err)
			return err;
		if (rm_is_there(r, &ref))
			continue;
		slot = vec_add(&r->refs, r->arena, sizeof(*slot));
		if (!slot)
			return err_nomem();
		*slot = ref;
	}
	return NULL;
}

static struct err *
rm_all(struct rm *r)
{
	const struct store_ref *refs = r->refs.data;

	for (size_t k = 0; k < r->refs.n; k++) {
		struct store_object o;
		struct json *j = json_object();
		struct err *err = store_object(r->store, &refs[k], r->arena,
					       &o);
		if (!err)
			err = store_rm(r->store, &refs[k]);
		if (!err)
			object_json(j, &refs[k], o.hash);
		json_add(r->removed, j);
		if (err)
			return err;
	}
	return NULL;
}

static struct err *
rm_collect(struct rm *r, struct store_gc *gc)
{
	struct progress progress;

	progress_init(&progress);
	struct err *err = store_collect(r->store, NULL, progress_show,
					&progress, gc);
	progress_end(&progress);
	return err;
}

static struct err *
rm_show(struct rm *r, bool json, const struct store_gc *gc)
{
	_buf_ struct buf out = { 0 };

	if (!json) {
		buf_size(&out, gc->freed);
		say("%zu object%s removed, %s given back to the disk",
		    r->refs.n, r->refs.n == 1 ? "" : "s", out.data);
		return NULL;
	}
	struct json *top = say_json("rm");
	json_set(top, "removed", take(r->removed));
	json_set(top, "freed", json_u64(gc->freed));
	struct err *err = json_write(top, true, &out);
	json_free(top);
	return err ? err : say_result(&out);
}

static struct err *
rm_run(const struct verb *v, int argc, char **argv, int *status)
{
	_arena_ struct arena *a = arena_new(0);
	_store_ struct store *s = NULL;
	struct rm r = { .arena = a };
	struct rm_options o = { 0 };
	struct operands ids;
	struct store_gc gc;

	(void)status;
	if (!a)
		return err_nomem();
	struct err *err = verb_parse(v, argc, argv, &o, &ids);
	if (!err)
		err = home_open(o.store, false, &s);
	if (err)
		return err;
	r.store = s;
	r.removed = json_array();
	err = rm_find(&r, &ids);
	if (!err)
		err = rm_all(&r);
	if (!err)
		err = rm_collect(&r, &gc);
	if (!err)
		err = rm_show(&r, o.json, &gc);
	json_free(r.removed);
	return err;
}

static const struct opt rm_opts[] = {
	{ "store", 0, "DIR", "another store than the default one",
	  OPT_STRING, offsetof(struct rm_options, store) },
	{ "json", 0, NULL, "say what was removed as JSON",
	  OPT_FLAG, offsetof(struct rm_options, json) },
	{ .name = NULL }
};

static const struct example rm_examples[] = {
	{ PROGRAM " rm 3f2a 90cd", "two objects" },
	{ NULL, NULL }
};

static const struct exit_row rm_exits[] = {
	{ 0, "removed" },
	{ 1, "the store could not be written" },
	{ 2, "usage, or several objects begin so: nothing was removed" },
	{ 3, "no such object: nothing was removed" },
	{ 4, "not allowed" },
	{ 6, "the store is damaged" },
	{ 0, NULL }
};

const struct verb verb_rm = {
	.name = "rm",
	.operands = "ID...",
	.min = 1,
	.max = -1,
	.summary = "Remove objects from the store",
	.text = "Asks nothing. All objects are found first, in the forms that "
		"get takes; if one is not, nothing is removed. What no other "
		"object needs is then given back to the disk, and said how "
		"much that is.\n\n"
		"With --json the result is an object: removed (a list of id, "
		"hash, project, number), freed (bytes).",
	.options = rm_opts,
	.examples = rm_examples,
	.exits = rm_exits,
	.run = rm_run,
};
