/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request "variables": what a reference contains, by pages.
 */
#include "dap/refs.h"

#include <string.h>

#define ROWS_MAX 500u           /* to who does not say how many */
#define COUNT_MAX 10000u        /* to who does */
#define TEXT_MAX 1024u          /* bytes of a value in a row */
#define REPLY_MAX (4u << 20)    /* beyond, values are told by their start */
#define SHORT_MAX 64u
#define ARENA_MAX ((size_t)256 << 20)

struct asked {
	int64_t id, start, count;
	const char *filter;
	bool hex;
};

static struct err *
read_arguments(const struct json *arguments, struct asked *out)
{
	static const struct arg_bounds ids = { 1, INT32_MAX, 0 };
	static const struct arg_bounds counts = { 0, INT64_MAX, 0 };

	struct err *err = arg_number(arguments, "variablesReference", &ids,
				     &out->id);
	if (!err)
		err = arg_number(arguments, "start", &counts, &out->start);
	if (!err)
		err = arg_number(arguments, "count", &counts, &out->count);
	if (!err)
		err = arg_string(arguments, "filter", false, &out->filter);
	out->hex = json_is_true(json_get(json_get(arguments, "format"), "hex"),
				false);
	return err;
}

static bool
is_filtered_out(const struct container *c, const char *filter)
{
	if (!filter)
		return false;
	return strcmp(filter, c->indexed ? "named" : "indexed") == 0;
}

/* "… 9500 more", which opens them. */
static struct err *
put_rest(struct buf *out, const struct container *c, uint64_t from)
{
	struct ref ref = { .parent = c->ref.id, .nth = from, .kind = REF_MORE,
			   .has_place = c->ref.has_place, .at = c->ref.at };
	uint64_t left = c->n - from;
	int32_t id;

	struct err *err = refs_add(c->d, &ref, &id);
	if (err)
		return err;
	buf_printf(out, ",{\"name\":\"… %llu more\",\"value\":\"\","
		   "\"variablesReference\":%d", (unsigned long long)left, id);
	if (left <= INT32_MAX)
		buf_printf(out, ",\"%sVariables\":%llu",
			   c->indexed ? "indexed" : "named",
			   (unsigned long long)left);
	buf_puts(out, ",\"presentationHint\":{\"kind\":\"virtual\","
		 "\"attributes\":[\"readOnly\"]}}");
	return NULL;
}

static struct err *
put_rows(struct buf *out, struct container *c, const struct asked *q)
{
	size_t want = q->count ? (size_t)q->count : ROWS_MAX, n;
	struct row row = { .c = c, .of = ROW_VARIABLE };
	const struct item *items;

	/* Less than it asked for is never taken for all. */
	bool cut = !q->count || want > COUNT_MAX;
	if (want > COUNT_MAX)
		want = COUNT_MAX;
	struct err *err = container_page(c, (uint64_t)q->start, want, &items,
					 &n);
	for (size_t k = 0; k < n && !err; k++) {
		if (k)
			buf_putc(out, ',');
		row.item = &items[k];
		row.length = out->len < REPLY_MAX ? TEXT_MAX : SHORT_MAX;
		err = row_put(out, &row);
	}
	uint64_t end = (uint64_t)q->start + c->offset + n;
	if (!err && cut && n && end < c->n)
		err = put_rest(out, c, end);
	return err;
}

struct err *
variables_answer(struct dap *d, const struct json *arguments,
		 struct json **body)
{
	_arena_ struct arena *a = arena_new(ARENA_MAX);
	struct container c = { .d = d, .arena = a, .style = VALUE_STYLE };
	_buf_ struct buf rows = { 0 };
	struct asked q;

	if (!a)
		return err_nomem();
	struct err *err = read_arguments(arguments, &q);
	if (err)
		return err;
	c.style.object = true;
	c.style.format = q.hex ? 'x' : 0;
	err = container_open(&c, q.id);
	buf_putc(&rows, '[');
	if (!err && !is_filtered_out(&c, q.filter))
		err = put_rows(&rows, &c, &q);
	buf_putc(&rows, ']');
	refs_turn(d);
	if (err)
		return err;
	*body = json_object();
	json_set(*body, "variables", json_raw(&rows));
	return NULL;
}
