/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.c: inquest list - what the store has.
 */
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/home.h"
#include "cmd/object.h"
#include "cmd/save.h"

struct list_options {
	const char *project, *store;
	uint64_t most;
	bool json;
};

enum { COLUMNS = 7, WIDEST = 40 };
struct row {
	const char *cell[COLUMNS];
};
static const struct row list_head = {
	{ "ID", "OBJECT", "STORED", "SIZE", "PROGRAM", "SIGNAL", "TAGS" }
};

struct list {
	const struct list_options *options;
	struct arena *arena;
	struct vec rows;        /* of struct row; for text */
	struct json *objects;   /* for JSON; or NULL */
	uint64_t n;
	const char *next;       /* the first that is a snapshot; or NULL */
	bool failed;            /* no memory */
};

/* ---- text ---- */

/* A foreign string as a cell: escaped; "-" where there is nothing. */
static const char *
list_cell(struct arena *a, const char *text)
{
	_buf_ struct buf b = { 0 };

	if (!text || !*text)
		return "-";
	buf_escape(&b, text, strlen(text));
	return b.data ? arena_strdup(a, b.data) : NULL;
}

/* A program that was put to give names is told from one that crashed. */
static const char *
list_program(const struct store_object *o, struct arena *a)
{
	const char *name = object_attr(o, "application", a);

	return name && store_is_symbols(o)
	       ? arena_printf(a, "%s (symbols)", name) : name;
}

static const char *
list_signal(const struct store_object *o, struct arena *a)
{
	const char *name = object_attr(o, "error.type", a);

	return name ? name : object_attr(o, "signal", a);
}

static bool
list_add_row(struct list *l, const struct store_object *o)
{
	_buf_ struct buf ref = { 0 }, when = { 0 }, size = { 0 }, tags = { 0 };
	struct row *r = vec_add(&l->rows, l->arena, sizeof(*r));
	char digits[STORE_DIGITS + 1];

	if (!r)
		return false;
	object_digits(o->hash, digits);
	object_ref(&ref, &o->ref);
	object_time(&when, o->stored_ns);
	buf_size(&size, o->size);
	object_tags(&tags, o);
	const char *const cells[COLUMNS] = {
		digits, ref.data, when.data, size.data,
		list_cell(l->arena, list_program(o, l->arena)),
		list_cell(l->arena, list_signal(o, l->arena)), tags.data,
	};
	for (size_t k = 0; k < COLUMNS; k++) {
		r->cell[k] = arena_strdup(l->arena, cells[k] ? cells[k] : "");
		if (!r->cell[k])
			return false;
	}
	if (!l->next && !store_is_symbols(o))
		l->next = r->cell[0];
	return true;
}

static void
list_widths(const struct list *l, size_t width[COLUMNS])
{
	const struct row *rows = l->rows.data;

	for (size_t c = 0; c < COLUMNS; c++) {
		width[c] = strlen(list_head.cell[c]);
		for (size_t k = 0; k < l->rows.n; k++) {
			size_t n = strlen(rows[k].cell[c]);
			if (n > width[c])
				width[c] = n < WIDEST ? n : WIDEST;
		}
	}
}

static void
list_line(struct buf *out, const struct row *r, const size_t width[COLUMNS])
{
	size_t last = COLUMNS - 1;

	/* Spaces at a line's end would only be copied along. */
	while (last && !*r->cell[last])
		last--;
	for (size_t c = 0; c < last; c++)
		buf_printf(out, "%-*s  ", (int)width[c], r->cell[c]);
	buf_printf(out, "%s\n", r->cell[last]);
}

static struct err *
list_text(const struct list *l)
{
	const struct row *rows = l->rows.data;
	_buf_ struct buf out = { 0 };
	size_t width[COLUMNS];

	if (!l->n)
		return NULL;
	list_widths(l, width);
	list_line(&out, &list_head, width);
	for (size_t k = 0; k < l->rows.n; k++)
		list_line(&out, &rows[k], width);
	struct err *err = say_result(&out);
	if (!err && l->next)
		save_tell_next(l->options->store, "report", l->next);
	return err;
}

/* ---- JSON ---- */

static void
list_add_json(struct list *l, const struct store_object *o)
{
	struct json *j = json_object(), *attrs = json_object();
	struct json *tags = json_array();

	object_json(j, &o->ref, o->hash);
	json_set(j, "bytes", json_u64(o->size));
	json_set(j, "stored", object_utc(o->stored_ns));
	for (size_t k = 0; k < o->n_attrs; k++)
		json_set(attrs, o->attrs[k].key, say_attr(&o->attrs[k]));
	for (size_t k = 0; k < o->n_tags; k++)
		json_add(tags, json_string(o->tags[k]));
	json_set(j, "attributes", attrs);
	json_set(j, "tags", tags);
	json_add(l->objects, j);
}

static struct err *
list_json(struct list *l)
{
	struct json *top = say_json("list");
	_buf_ struct buf out = { 0 };

	json_set(top, "objects", take(l->objects));
	struct err *err = json_write(top, true, &out);
	json_free(top);
	return err ? err : say_result(&out);
}

/* ---- the verb ---- */

static bool
list_each(void *arg, const struct store_object *o)
{
	struct list *l = arg;

	l->n++;
	if (l->objects)
		list_add_json(l, o);
	else
		l->failed = !list_add_row(l, o);
	return !l->failed && l->n != l->options->most;
}

static struct err *
list_gather(struct list *l)
{
	_store_ struct store *s = NULL;

	struct err *err = home_open(l->options->store, false, &s);
	if (!err)
		err = store_list(s, l->options->project, list_each, l);
	return err || !l->failed ? err : err_nomem();
}

static struct err *
list_run(const struct verb *v, int argc, char **argv, int *status)
{
	_arena_ struct arena *a = arena_new(0);
	struct list_options o = { 0 };
	struct list l = { .options = &o, .arena = a };
	struct operands operands;

	if (!a)
		return err_nomem();
	struct err *err = verb_parse(v, argc, argv, &o, &operands);
	if (!err && o.project)
		err = home_check_name("project", o.project);
	if (err)
		return err;
	if (o.json)
		l.objects = json_array();
	err = list_gather(&l);
	if (!err)
		err = o.json ? list_json(&l) : list_text(&l);
	json_free(l.objects);
	if (err || l.n)
		return err;
	say("list: there are no objects; keep one with `" PROGRAM " put`");
	*status = 1;
	return NULL;
}

static const struct opt list_opts[] = {
	{ "project", 'p', "PROJECT", "only its objects",
	  OPT_STRING, offsetof(struct list_options, project) },
	{ "number", 'n', "N", "at most so many, the newest",
	  OPT_U64, offsetof(struct list_options, most) },
	{ "store", 0, "DIR", "another store than the default one",
	  OPT_STRING, offsetof(struct list_options, store) },
	{ "json", 0, NULL, "all that is known of them as JSON",
	  OPT_FLAG, offsetof(struct list_options, json) },
	{ .name = NULL }
};

static const struct example list_examples[] = {
	{ PROGRAM " list -n 10", "the newest" },
	{ PROGRAM " list -p web --json", "for another program" },
	{ NULL, NULL }
};

static const struct exit_row list_exits[] = {
	{ 0, "listed" },
	{ 1, "there are no objects" },
	{ 2, "usage" },
	{ 3, "no such project, or no store" },
	{ 4, "not allowed to read the store" },
	{ 6, "the store is damaged" },
	{ 0, NULL }
};

const struct verb verb_list = {
	.name = "list",
	.operands = "",
	.summary = "List the objects of the store, newest first",
	.text = "A line for each object: the first digits of its content hash, "
		"PROJECT/NUMBER, when it was stored, the size of the file, the "
		"program, the signal it died of, and tags. Either of the first "
		"two names the object to every verb that takes a SNAP.\n\n"
		"With --json the result is an object with objects, a list of "
		"id, hash, project, number (hexadecimal), bytes, stored (ISO "
		"8601), attributes (an object: values are strings, numbers or "
		"booleans), tags.",
	.options = list_opts,
	.examples = list_examples,
	.exits = list_exits,
	.run = list_run,
};
