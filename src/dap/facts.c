/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was recorded with a snapshot: attributes, notes, attached files.
 */
#include "analysis/analysis.h"
#include "dap/impl.h"

#include <math.h>
#include <string.h>

#define TEXT_MAX 65536u         /* bytes of one text */
#define TEXTS_MAX (1u << 20)    /* of all texts of a reply */

/* ---- attributes ----------------------------------------------------------------- */
static const char *const attribute_types[] = {
	[SNAP_ATTR_STRING] = "string", [SNAP_ATTR_U64] = "u64",
	[SNAP_ATTR_I64] = "i64", [SNAP_ATTR_F64] = "f64",
	[SNAP_ATTR_BOOL] = "bool",
};

static struct json *
attribute_value(struct page *p, const struct snap_attr *a)
{
	double real;

	switch (a->type) {
	case SNAP_ATTR_STRING:
		return page_text(p, a->string);
	case SNAP_ATTR_BOOL:
		return json_bool(a->number);
	case SNAP_ATTR_F64:
		memcpy(&real, &a->number, sizeof(real));
		return json_f64(real);
	case SNAP_ATTR_I64:
		return json_integer((int64_t)a->number < 0 ? -a->number
				    : a->number, (int64_t)a->number < 0);
	default:
		return json_integer(a->number, false);
	}
}

static struct json *
attribute_json(struct page *p, const struct snap_attr *a)
{
	const char *type = a->type < countof(attribute_types)
			   ? attribute_types[a->type] : NULL;
	struct json *j = json_object();

	json_set(j, "key", page_text(p, a->key));
	json_set(j, "type", json_string(type ? type : "u64"));
	json_set(j, "value", attribute_value(p, a));
	return j;
}

/* Those whose key begins with "prefix". */
struct err *
facts_attributes(struct dap *d, const struct json *arguments,
		 struct json **body)
{
	const struct target *t = insp_target(d->shown.insp);
	const char *prefix;
	struct json *list;
	struct page p;
	size_t n = 0;

	struct err *err = arg_string(arguments, "prefix", false, &prefix);
	if (!err)
		err = page_of(arguments, t->n_attrs, &p);
	if (err)
		return err;
	list = json_array();
	for (size_t k = 0; k < t->n_attrs; k++) {
		if (prefix && strncmp(t->attrs[k].key, prefix, strlen(prefix)))
			continue;
		if (n >= p.start && n < p.end && p.bytes < PAGE_BYTES_MAX)
			json_add(list, attribute_json(&p, &t->attrs[k]));
		n++;
	}
	p.n = n;
	*body = page_body("attributes", list, &p);
	return NULL;
}

/* ---- notes -------------------------------------------------------------------------- */
static struct json *
note_json(const struct dap *d, struct page *p, const struct snap_note *n)
{
	static const char *const words[] = {
		[SNAP_INFO] = "info", [SNAP_WARNING] = "warning",
		[SNAP_CRITICAL] = "critical",
	};
	const char *severity = n->severity < countof(words)
			       ? words[n->severity] : NULL;
	struct json *j = json_object();
	size_t thread = n->tid ? insp_find_thread(d->shown.insp, n->tid)
			: INSP_NONE;

	json_set(j, "key", page_text(p, n->key ? n->key : ""));
	json_set(j, "severity", json_string(severity ? severity : "info"));
	json_set(j, "text", page_text(p, n->text ? n->text : ""));
	if (thread != INSP_NONE) {
		json_set(j, "threadId", json_i64(stack_thread_id(d, thread)));
		if (n->depth != UINT32_MAX)
			json_set(j, "frame", json_u64(n->depth));
	}
	if (n->address)
		json_set(j, "address", json_addr(n->address));
	return j;
}

static void
set_text(struct json *j, const char *key, const char *text)
{
	if (text)
		json_set(j, key, json_string(text));
}

struct err *
facts_lacks(struct dap *d, const struct missing *m, struct arena *a,
	    struct json **out)
{
	const struct lack *lacks;
	size_t n;

	struct err *err = missing_list(m, d->shown.insp, a, &lacks, &n);
	*out = json_array();
	for (size_t k = 0; k < n && !err; k++) {
		struct json *j = json_object();

		set_text(j, "what", lacks[k].what);
		set_text(j, "of", lacks[k].of);
		set_text(j, "why", lacks[k].why);
		set_text(j, "mend", lacks[k].mend);
		json_add(*out, j);
	}
	return err;
}

/* Which names stacks lack is known where all of them were looked at. */
static struct err *
find_lacks(struct dap *d, struct json **out)
{
	_arena_ struct arena *a = arena_new(0);
	struct missing m = { .n_modules = 0 };

	struct err *err = a ? missing_init(&m, d->shown.insp, a)
			    : err_nomem();
	if (err)
		return err;
	missing_finish(&m, d->shown.insp);
	return facts_lacks(d, d->alike && d->alike->made ? &d->alike->missing
			   : &m, a, out);
}

/* What was found out, and what is missing. */
struct err *
facts_notes(struct dap *d, const struct json *arguments, struct json **body)
{
	const struct target *t = insp_target(d->shown.insp);
	struct json *list, *missing = NULL;
	struct page p;

	struct err *err = page_of(arguments, t->n_notes, &p);
	if (err)
		return err;
	list = json_array();
	for (size_t k = p.start; k < p.end && p.bytes < PAGE_BYTES_MAX; k++)
		json_add(list, note_json(d, &p, &t->notes[k]));
	*body = page_body("notes", list, &p);
	err = find_lacks(d, &missing);
	if (err)
		json_free(missing);
	else
		json_set(*body, "missing", missing);
	return err;
}

/* ---- annotations ------------------------------------------------------------------------ */
static const char *
format_of(struct span bytes)
{
	struct json *value = NULL;

	if (bytes.n && memchr(bytes.data, '\0', bytes.n))
		return "binary";
	_err_ struct err *none = json_read(bytes, &value);
	json_free(value);
	return none ? "text" : "json";
}

/* As many bytes of it as there is @room for; none where they are no text. */
static void
put_annotation(struct json *j, struct span bytes, size_t *room)
{
	struct span shown = { bytes.data, bytes.n };

	if (shown.n > TEXT_MAX)
		shown.n = TEXT_MAX;
	if (shown.n > *room)
		shown.n = *room;
	const char *format = format_of(shown);
	json_set(j, "format", json_string(format));
	if (strcmp(format, "binary") == 0)
		return;
	json_set(j, "text", json_of_text(shown));
	json_set(j, "cut", json_bool(shown.n < bytes.n));
	*room -= shown.n;
}

static struct json *
annotation_json(struct dap *d, size_t nth, size_t *room)
{
	const struct target *t = insp_target(d->shown.insp);
	struct json *j = json_object();
	struct span bytes;

	json_set(j, "name", json_string(t->files[nth].name));
	json_set(j, "size", json_u64(t->files[nth].bytes.n));
	if (!t->ops->file)
		return j;
	_err_ struct err *bad = t->ops->file(t, nth, &bytes);
	if (bad)
		json_set(j, "damage", json_string(err_text(bad)));
	else
		put_annotation(j, bytes, room);
	return j;
}

struct err *
facts_annotations(struct dap *d, const struct json *arguments,
		  struct json **body)
{
	const struct target *t = insp_target(d->shown.insp);
	size_t room = TEXTS_MAX;
	struct json *list;
	struct page p;

	struct err *err = page_of(arguments, t->n_files, &p);
	if (err)
		return err;
	list = json_array();
	for (size_t k = p.start; k < p.end && room; k++)
		json_add(list, annotation_json(d, k, &room));
	*body = page_body("annotations", list, &p);
	return NULL;
}
