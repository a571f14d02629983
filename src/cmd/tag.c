/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tag.c: inquest tag - names that people give to objects.
 */
#include <string.h>

#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/home.h"
#include "cmd/object.h"

struct tag_options {
	const char *store;
	bool json;
	struct opt_list add, remove;
};

static struct err *
tag_check(const struct opt_list *tags)
{
	struct err *err = NULL;

	for (size_t k = 0; k < tags->n && !err; k++)
		err = home_check_name("tag", tags->item[k]);
	return err;
}

static struct err *
tag_show(const struct tag_options *o, const struct store_object *object)
{
	_buf_ struct buf out = { 0 };

	if (!o->json) {
		for (size_t k = 0; k < object->n_tags; k++)
			buf_printf(&out, "%s\n", object->tags[k]);
		return say_result(&out);
	}
	struct json *top = say_json("tag"), *tags = json_array();
	for (size_t k = 0; k < object->n_tags; k++)
		json_add(tags, json_string(object->tags[k]));
	object_json(top, &object->ref, object->hash);
	json_set(top, "tags", tags);
	struct err *err = json_write(top, true, &out);
	json_free(top);
	return err ? err : say_result(&out);
}

static struct err *
tag_object(const struct tag_options *o, const char *id)
{
	_arena_ struct arena *a = arena_new(0);
	_store_ struct store *s = NULL;
	struct store_object object;
	struct store_ref ref;

	if (!a)
		return err_nomem();
	struct err *err = home_open(o->store, false, &s);
	if (!err)
		err = store_find(s, id, NULL, &ref);
	if (!err && (o->add.n || o->remove.n))
		err = store_tag(s, &ref, o->add.item, o->add.n,
				o->remove.item, o->remove.n);
	if (!err)
		err = store_object(s, &ref, a, &object);
	return err ? err : tag_show(o, &object);
}

static struct err *
tag_run(const struct verb *v, int argc, char **argv, int *status)
{
	struct tag_options o = { 0 };
	struct operands operands;

	(void)status;
	struct err *err = verb_parse(v, argc, argv, &o, &operands);
	if (!err)
		err = tag_check(&o.add);
	if (!err)
		err = tag_check(&o.remove);
	return err ? err : tag_object(&o, operands.item[0]);
}

static const struct opt tag_opts[] = {
	{ "add", 'a', "TAG", "a tag it gets (may be repeated)",
	  OPT_LIST, offsetof(struct tag_options, add) },
	{ "remove", 'r', "TAG", "a tag it loses (may be repeated)",
	  OPT_LIST, offsetof(struct tag_options, remove) },
	{ "store", 0, "DIR", "another store than the default one",
	  OPT_STRING, offsetof(struct tag_options, store) },
	{ "json", 0, NULL, "its tags as JSON",
	  OPT_FLAG, offsetof(struct tag_options, json) },
	{ .name = NULL }
};

static const struct example tag_examples[] = {
	{ PROGRAM " tag 3f2a", "its tags" },
	{ PROGRAM " tag 3f2a -a seen -r new", "one more, one less" },
	{ NULL, NULL }
};

static const struct exit_row tag_exits[] = {
	{ 0, "done" },
	{ 1, "the store could not be written" },
	{ 2, "usage, or several objects begin so" },
	{ 3, "no such object" },
	{ 4, "not allowed" },
	{ 6, "the store is damaged, or that were too many tags" },
	{ 0, NULL }
};

const struct verb verb_tag = {
	.name = "tag",
	.operands = "ID",
	.min = 1,
	.max = 1,
	.summary = "Show or change the tags of an object",
	.text = "Prints the tags that the object has, after adding and "
		"removing those that are given, a line for each. A tag it has "
		"already, or that it has not, changes nothing. ID is one of "
		"the forms that get takes; tags are letters, digits, \"_\", "
		"\"-\" and \".\", at most 64 of each, and an object has at "
		"most 64 tags.\n\n"
		"With --json the result is an object: id, hash, project, "
		"number, tags.",
	.options = tag_opts,
	.examples = tag_examples,
	.exits = tag_exits,
	.run = tag_run,
};
