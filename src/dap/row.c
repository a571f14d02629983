/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows: an item as a Variable, written as text at once: replies of a thousand
 * of them are usual.
 */
#include "base/cut.h"
#include "dap/describe.h"
#include "dap/refs.h"
#include "symbols/symbols.h"

#include <string.h>

#define TYPE_MAX 4096u          /* bytes of a type that is stored as text */

/* ---- pieces of an object ------------------------------------------------------------ */
static void
put_key(struct buf *out, const char *key)
{
	if (out->data[out->len - 1] != '{')
		buf_putc(out, ',');
	buf_putc(out, '"');
	buf_puts(out, key);
	buf_put(out, "\":", 2);
}

static void
put_text(struct buf *out, const char *key, const char *text, size_t n)
{
	put_key(out, key);
	json_put_string(out, text, n);
}

/* At most @max bytes of what a snapshot says, whose strings may be of any
 * length; "…" where that is not all. */
static void
put_short(struct buf *out, const char *key, const char *text, size_t max)
{
	_buf_ struct buf cut = { 0 };

	cut_put(&cut, text, max);
	put_text(out, key, cut.data ? cut.data : "", cut.len);
}

/* Without printf(): a page has thousands of them. */
static void
put_digits(struct buf *out, uint64_t v, unsigned base)
{
	char text[20];
	size_t at = sizeof(text);

	do {
		text[--at] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	buf_put(out, text + at, sizeof(text) - at);
}

static void
put_number(struct buf *out, const char *key, uint64_t v)
{
	put_key(out, key);
	put_digits(out, v, 10);
}

static void
put_address(struct buf *out, const char *key, uint64_t v)
{
	put_key(out, key);
	buf_puts(out, "\"0x");
	put_digits(out, v, 16);
	buf_putc(out, '"');
}

/* ---- text of a value ------------------------------------------------------------------ */
/* Three answers that are none, and are never confused. */
static const char *
absence_of(enum value_state state)
{
	static const char *const words[] = {
		[VALUE_OPTIMISED_OUT] = "<optimised out>",
		[VALUE_UNMAPPED] = "<not mapped>",
		[VALUE_NOT_CAPTURED] = "<not captured>",
		[VALUE_UNKNOWN] = NULL,
	};

	return words[state];
}

/* " → stack of thread 7, #2 main `n`" behind a pointer to data. */
static struct err *
put_target(struct buf *out, struct dap *d, const struct value *v)
{
	const struct type *p = type_plain(value_type(v));
	struct json *body = NULL;
	uint64_t addr = 0;

	if (type_kind(p) != SYM_TYPE_POINTER
	    || type_kind(type_plain(type_target(p))) == SYM_TYPE_FUNCTION)
		return NULL;
	_err_ struct err *unknown = value_u64(v, &addr);
	if (unknown || !addr)
		return NULL;
	_err_ struct err *err = describe_address(d, addr, &body);
	const char *text = json_str(json_get(body, "text"));
	/* Where nobody can tell, the value is worth something alone. */
	if (!err && text)
		buf_printf(out, " → %s", text);
	json_free(body);
	return NULL;
}

/* What is lost to a call may be there still: told as the guess that it is. */
static struct err *
put_absence(struct buf *out, const struct row *r, const struct value *v,
	    const char *key, const char *absence)
{
	struct value_style style = r->c->style;
	_buf_ struct buf text = { 0 }, all = { 0 };
	const struct value *guess = NULL;
	_err_ struct err *none = value_perhaps(v, r->c->arena, &guess);

	style.length = r->length;
	if (!none && guess)
		none = value_text(guess, &style, &text);
	buf_puts(&all, absence);
	if (!none && text.data)
		buf_printf(&all, ", perhaps %s: a call may have changed it",
			   text.data);
	put_text(out, key, all.data ? all.data : "", all.len);
	return buf_err(&all);
}

static struct err *
put_value(struct buf *out, const struct row *r, const struct value *v)
{
	struct value_style style = r->c->style;
	_buf_ struct buf text = { 0 };
	const char *why;
	const char *key = r->of == ROW_RESULT ? "result" : "value";
	const char *absence = absence_of(value_state(v, &why));

	if (absence)
		return put_absence(out, r, v, key, r->item->lost
				   ? r->item->lost : absence);
	style.object = false;
	style.length = r->length;
	if (!style.format)
		style.format = r->item->format;
	struct err *err = value_text(v, &style, &text);
	if (r->tells_target && !err)
		err = put_target(&text, r->c->d, v);
	if (r->tells_cut && text.len > r->length)
		buf_printf(&text, " (cut at %u KiB)", r->length / 1024);
	put_text(out, key, text.data ? text.data : "", text.len);
	return err;
}

/* Elements have one type. */
static struct err *
tell_type(struct container *c, const struct type *t)
{
	_buf_ struct buf text = { 0 };

	if (t == c->told.type && c->told.name)
		return NULL;
	struct err *err = type_name(t, &text);
	if (err)
		return err;
	c->told.type = t;
	c->told.name = arena_strndup(c->arena, text.data ? text.data : "",
				     text.len);
	return c->told.name ? NULL : err_nomem();
}

/* " {Circle *}" behind "Shape *": what it is besides. */
static struct err *
put_dynamic(struct buf *out, const struct value *v, const struct opened *o)
{
	static const char *const signs[] = {
		[SYM_TYPE_POINTER] = " *", [SYM_TYPE_REFERENCE] = " &",
		[SYM_TYPE_RVALUE_REFERENCE] = " &&",
	};
	uint8_t kind = type_kind(type_plain(value_type(v)));

	buf_puts(out, " {");
	struct err *err = type_name(value_type(o->inner), out);
	if (kind < countof(signs) && signs[kind])
		buf_puts(out, signs[kind]);
	buf_putc(out, '}');
	return err ? err : buf_err(out);
}

static struct err *
put_type(struct buf *out, struct container *c, const struct value *v,
	 const struct opened *o)
{
	_buf_ struct buf text = { 0 };
	struct err *err = tell_type(c, value_type(v));

	if (err)
		return err;
	if (!o->cast) {
		put_text(out, "type", c->told.name, strlen(c->told.name));
		return NULL;
	}
	buf_puts(&text, c->told.name);
	err = put_dynamic(&text, v, o);
	if (!err)
		put_text(out, "type", text.data, text.len);
	return err;
}

/* ---- what it leads to -------------------------------------------------------------------- */
#define COUNT_MAX ((uint64_t)INT32_MAX)         /* clients' numbers end */

static struct err *
put_reference(struct buf *out, const struct row *r, const struct value *v,
	      const struct opened *o)
{
	const struct item *item = r->item;
	struct ref ref = {
		.parent = r->c->ref.id, .nth = item->nth, .kind = REF_VALUE,
		.raw = r->c->style.raw, .format = r->c->style.format,
		.is_outer = item->expr_is_outer,
		.is_base = item->child == CHILD_BASE,
		.has_place = r->c->ref.has_place, .at = r->c->ref.at,
		.value = v, .expr = item->expr,
	};
	uint64_t n = o->in.pairs ? o->in.n / 2 : o->in.n;
	int32_t id = 0;

	/* With a register that was written all references die. */
	bool dies = r->of == ROW_WRITTEN && r->c->d->written.registers;
	struct err *err = o->inner && !dies ? refs_add(r->c->d, &ref, &id)
					    : NULL;
	if (err)
		return err;
	put_number(out, "variablesReference", (uint64_t)id);
	if (id)
		put_number(out, o->in.indexed ? "indexedVariables"
			   : "namedVariables", n < COUNT_MAX ? n : COUNT_MAX);
	return NULL;
}

/* Where a pointer leads, or where it stands itself. */
static bool
memory_of(const struct value *v, uint64_t *out)
{
	switch (type_kind(type_plain(value_type(v)))) {
	case SYM_TYPE_POINTER:
	case SYM_TYPE_REFERENCE:
	case SYM_TYPE_RVALUE_REFERENCE: {
		_err_ struct err *err = value_u64(v, out);

		if (!err)
			return *out;
		break;
	}
	default:
		break;
	}
	return value_address(v, out);
}

/* ---- rows ------------------------------------------------------------------------------------ */
/* What leads to nothing that is known has no inside: its row says so. */
static struct err *
row_open(const struct value *v, const struct value_style *style,
	 struct arena *a, struct opened *out)
{
	struct err *err = inside_open(v, style, a, out);

	if (!err || err_kind(err) == ERR_NOMEM || err_kind(err) == ERR_LIMIT)
		return err;
	err_free(err);
	*out = (struct opened){ 0 };
	return NULL;
}

static struct err *
put_of_value(struct buf *out, const struct row *r, const struct value *v)
{
	struct value_style style = r->c->style;
	struct opened o;
	uint64_t addr;

	style.object = style.object && r->item->child != CHILD_BASE;
	struct err *err = row_open(v, &style, r->c->arena, &o);
	if (!err)
		err = put_value(out, r, v);
	if (!err)
		err = put_type(out, r->c, v, &o);
	if (!err)
		err = put_reference(out, r, v, &o);
	if (!err && memory_of(v, &addr))
		put_address(out, "memoryReference", addr);
	return err;
}

/* As the snapshot has it: text. */
static void
put_stored(struct buf *out, const struct row *r, const struct snap_variable *v)
{
	static const enum value_state states[] = {
		[SNAP_VALUE_KNOWN] = VALUE_KNOWN,
		[SNAP_VALUE_OPTIMISED_OUT] = VALUE_OPTIMISED_OUT,
		[SNAP_VALUE_UNMAPPED] = VALUE_UNMAPPED,
		[SNAP_VALUE_NOT_CAPTURED] = VALUE_NOT_CAPTURED,
	};
	const char *text = v->state < countof(states)
			   ? absence_of(states[v->state]) : NULL;

	if (!text)
		text = v->value ? v->value : "<not known>";
	put_short(out, "value", text, r->length);
	if (v->type)
		put_short(out, "type", v->type, TYPE_MAX);
	put_number(out, "variablesReference", 0);
	if (v->address)
		put_address(out, "memoryReference", v->address);
}

/* What is no value, and may have some inside. */
static struct err *
put_group(struct buf *out, const struct row *r)
{
	const struct item *item = r->item;
	const struct container *c = r->c;
	struct ref ref = {
		.parent = c->ref.id, .nth = item->nth, .kind = item->opens,
		.has_place = c->ref.has_place, .at = c->ref.at,
	};
	int32_t id = 0;
	struct err *err = NULL;

	if (item->opens == REF_SCOPE)
		id = refs_scope_id(c->d, c->ref.at, (enum scope_kind)item->nth);
	else if (item->opens)
		err = refs_add(c->d, &ref, &id);
	put_text(out, "value", item->text, strlen(item->text));
	put_number(out, "variablesReference", (uint64_t)id);
	if (item->address)
		put_address(out, "memoryReference", item->address);
	return err;
}

static void
put_hint(struct buf *out, const struct item *item)
{
	bool base = item->child == CHILD_BASE;
	bool fixed = !item->value || !(item->can_be_written
				       || value_can_be_written(item->value));

	if (!base && !fixed && item->child != CHILD_STATIC)
		return;
	put_key(out, "presentationHint");
	buf_putc(out, '{');
	if (base)
		put_text(out, "kind", "baseClass", 9);
	if (fixed || item->child == CHILD_STATIC) {
		put_key(out, "attributes");
		buf_puts(out, item->child != CHILD_STATIC ? "[\"readOnly\"]"
			 : fixed ? "[\"static\",\"readOnly\"]"
			 : "[\"static\"]");
	}
	buf_putc(out, '}');
}

/* ---- where it is declared, and where a function is that it points to ------------------------- */
static void
put_location(const struct row *r, struct buf *out, const char *key,
	     const struct source_place *place)
{
	int32_t id = locations_add(r->c->d, place);

	if (id)
		put_number(out, key, (uint64_t)id);
}

static void
put_declaration(const struct row *r, struct buf *out)
{
	const struct var *v = r->item->var;
	const struct scope *s = container_scope(r->c);
	const struct source_place place = {
		.module = r->c->ref.kind == REF_MODULE ? r->c->ref.nth
			  : s ? s->module : INSP_NONE,
		.file = v->file, .line = v->line,
	};

	put_location(r, out, "declarationLocationReference", &place);
}

static void
put_function(const struct row *r, const struct value *v, struct buf *out)
{
	const struct type *t = type_plain(value_type(v));
	struct insp *i = r->c->d->shown.insp;
	struct line line = { 0 };
	uint64_t addr;

	if (type_kind(t) != SYM_TYPE_POINTER
	    || type_kind(type_plain(type_target(t))) != SYM_TYPE_FUNCTION)
		return;
	_err_ struct err *none = value_u64(v, &addr);
	if (!none)
		none = insp_line(i, addr, &line);
	if (none)
		return;
	const struct source_place place = {
		.module = insp_module_at(i, addr), .file = line.file,
		.line = line.line, .column = line.column,
	};
	put_location(r, out, "valueLocationReference", &place);
}

struct err *
row_put(struct buf *out, const struct row *r)
{
	const struct item *item = r->item;
	struct err *err = NULL;

	buf_putc(out, '{');
	if (r->of == ROW_VARIABLE)
		put_text(out, "name", item->name, strlen(item->name));
	if (item->value)
		err = put_of_value(out, r, item->value);
	else if (item->stored)
		put_stored(out, r, item->stored);
	else
		err = put_group(out, r);
	if (err)
		return err;
	if (item->told_expr && r->of == ROW_VARIABLE)
		put_text(out, "evaluateName", item->told_expr,
			 strlen(item->told_expr));
	if (r->of != ROW_WRITTEN)
		put_hint(out, item);
	if (r->of == ROW_VARIABLE && item->var)
		put_declaration(r, out);
	if (item->value)
		put_function(r, item->value, out);
	buf_putc(out, '}');
	return buf_err(out);
}
