/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests "setVariable" and "setExpression": what a client writes lands in the
 * session's overlay, never in the snapshot.
 */
#include "dap/refs.h"

#include <string.h>

#define TEXT_MAX 4096u
#define ARENA_MAX ((size_t)64 << 20)

/* ---- what is told of it ---------------------------------------------------------- */
void
write_note(struct dap *d, uint64_t addr, uint64_t n)
{
	d->written.addr = addr;
	d->written.n = n;
}

/* Where a register was written, frames may be other ones. Who does not hear of
 * it keeps those that it knows. */
void
write_tell_registers(struct dap *d)
{
	struct json *body, *areas;
	bool same;

	if (!d->hears_invalidated)
		return;
	body = json_object();
	areas = json_array();
	struct err *err = stack_make_again(d, &same);
	if (d->err)
		err_free(err);
	else
		d->err = err;
	json_add(areas, json_string(same ? "variables" : "all"));
	json_set(body, "areas", areas);
	dap_event(d, "invalidated", body);
}

void
write_tell(struct dap *d)
{
	if (d->written.n)
		session_tell_written(d, d->written.addr, d->written.n);
	if (d->written.registers)
		write_tell_registers(d);
	d->written.n = 0;
	d->written.registers = false;
}

/* ---- writing ------------------------------------------------------------------------ */
/** What is written, and where. */
struct writing {
	struct container *c;
	struct item *item;              /* its value is what is written to */
	const struct scope *scope;
	size_t reg;                     /* it is this register, or INSP_NONE */
	const char *text;               /* an expression */
};

/* Frames are unwound anew, which a client has to hear of. */
static struct err *
check_register(const struct writing *w)
{
	if (!w->c->d->hears_invalidated)
		return err_new(ERR_UNSUPPORTED, "writing a register changes "
			       "frames, and this client does not hear of it "
			       "(\"supportsInvalidatedEvent\")");
	if (w->reg != INSP_NONE && (!w->scope || w->scope->frame))
		return err_new(ERR_USAGE, "registers of the innermost frame "
			       "alone can be written");
	return NULL;
}

static struct err *
write_value(const struct writing *w, const struct value *from)
{
	struct container *c = w->c;
	struct value_written done = { .in_register = true };
	struct span bytes = { 0 };
	struct err *err = NULL;

	if (w->reg != INSP_NONE || value_is_in_register(w->item->value))
		err = check_register(w);
	if (err)
		return err;
	if (w->reg == INSP_NONE) {
		err = value_write(w->item->value, from, c->arena, &done);
	} else {
		err = value_bytes_for(w->item->value, from, c->arena, &bytes);
		if (!err)
			err = values_write_register(c->d->shown.values,
						    c->ref.at.thread, w->reg,
						    bytes);
	}
	if (err)
		return err;
	c->d->written.registers = done.in_register;
	if (!done.in_register)
		write_note(c->d, done.addr, done.n);
	return NULL;
}

/* What a register holds now is seen once frames are unwound again. */
static struct err *
value_now(const struct writing *w, const struct value *from,
	  const struct value **out)
{
	struct container *c = w->c;

	if (!c->d->written.registers)
		return value_keep(w->item->value, c->arena, out);
	return value_converted(w->item->value, from, c->arena, out);
}

/* Takes the answer from the value as it is now. */
static struct err *
write_item(const struct writing *w, struct json **body)
{
	struct value_style style = w->c->style;
	struct row row = { .c = w->c, .item = w->item, .of = ROW_WRITTEN,
			   .length = TEXT_MAX };
	_buf_ struct buf text = { 0 };
	const struct value *from;

	struct err *err = values_eval(w->c->d->shown.values, w->scope, w->text,
				      &style, w->c->arena, &from);
	if (!err)
		err = write_value(w, from);
	if (!err)
		err = value_now(w, from, &w->item->value);
	if (!err)
		err = row_put(&text, &row);
	if (!err)
		*body = json_raw(&text);
	return err;
}

/* ---- by name ------------------------------------------------------------------------ */
static struct err *
write_named(struct container *c, int64_t id, const char *name,
	    const char *text, struct json **body)
{
	struct writing w = { .c = c, .reg = INSP_NONE, .text = text };
	const struct item *found;
	struct item item;

	struct err *err = container_open(c, id);
	if (!err)
		err = container_find(c, name, &found);
	if (err)
		return err;
	if (!found->value)
		return err_new(ERR_USAGE, "\"%.128s\" is no value that can be "
			       "written", name);
	item = *found;
	w.item = &item;
	w.scope = container_scope(c);
	if (c->ref.kind == REF_REGISTERS)
		w.reg = item.nth;
	return write_item(&w, body);
}

struct err *
write_variable(struct dap *d, const struct json *arguments, struct json **body)
{
	static const struct arg_bounds ids = { 1, INT32_MAX, 0 };
	_arena_ struct arena *a = arena_new(ARENA_MAX);
	struct container c = { .d = d, .arena = a, .style = VALUE_STYLE };
	const char *name, *text;
	int64_t id;

	if (!a)
		return err_nomem();
	struct err *err = arg_number(arguments, "variablesReference", &ids,
				     &id);
	if (!err)
		err = arg_string(arguments, "name", true, &name);
	if (!err)
		err = arg_string(arguments, "value", true, &text);
	if (err)
		return err;
	c.style.object = true;
	c.style.format = json_is_true(json_get(json_get(arguments, "format"),
					       "hex"), false) ? 'x' : 0;
	err = write_named(&c, id, name, text, body);
	refs_turn(d);
	return err;
}

/* ---- by expression ---------------------------------------------------------------------- */
static struct err *
write_expressed(struct container *c, const struct evaluation *at,
		const char *left, const char *right, struct json **body)
{
	struct item item = { .name = left,
			     .expr = evaluate_without_format(left) };
	struct writing w = { .c = c, .item = &item, .scope = at->scope,
			     .reg = registers_named(c->d, left),
			     .text = right };

	c->ref = (struct ref){ .id = at->parent, .at = at->at,
			       .has_place = at->has_place };
	struct err *err = values_eval(c->d->shown.values, at->scope, left,
				      &c->style, c->arena, &item.value);
	return err ? err : write_item(&w, body);
}

struct err *
write_expression(struct dap *d, const struct json *arguments,
		 struct json **body)
{
	_arena_ struct arena *a = arena_new(ARENA_MAX);
	struct container c = { .d = d, .arena = a, .style = VALUE_STYLE };
	const char *left, *right;
	struct evaluation at;

	if (!a)
		return err_nomem();
	struct err *err = arg_string(arguments, "expression", true, &left);
	if (!err)
		err = arg_string(arguments, "value", true, &right);
	if (!err)
		err = evaluate_where(d, arguments, &at);
	if (err)
		return err;
	c.style.object = true;
	c.style.format = json_is_true(json_get(json_get(arguments, "format"),
					       "hex"), false) ? 'x' : 0;
	err = write_expressed(&c, &at, left, right, body);
	refs_turn(d);
	return err;
}
