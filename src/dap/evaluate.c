/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request "evaluate": an expression in a frame. Nothing is called in the
 * program and nothing is assigned.
 */
#include "dap/refs.h"

#include <string.h>

#define TEXT_MAX 4096u          /* bytes of a result */
#define WHOLE_MAX 65536u        /* of one for the clipboard */
#define WHOLE_ELEMENTS 65536u
#define EXPRESSION_MAX 65536u
#define ARENA_MAX ((size_t)256 << 20)

/** How contexts differ. */
static const struct context_row {
	const char *name;
	uint32_t length, elements;
	bool typed;             /* "(int *) 0x…", as a console has it */
	bool elsewhere;         /* what we do not know somebody else may */
	bool target;            /* "0x… → stack of thread 7, #2 main `n`" */
} contexts[] = {
	{ "hover", TEXT_MAX, 0, false, false, true },
	{ "watch", TEXT_MAX, 0, false, false, false },
	{ "variables", TEXT_MAX, 0, false, false, false },
	{ "clipboard", WHOLE_MAX, WHOLE_ELEMENTS, false, false, false },
	{ "repl", WHOLE_MAX, 0, true, true, false },
};

struct question {
	const char *text;
	const struct context_row *context;
	struct evaluation at;
	bool hex;
};

/* ---- where ------------------------------------------------------------------------ */
struct err *
evaluate_where(struct dap *d, const struct json *arguments,
	       struct evaluation *out)
{
	static const struct arg_bounds ids = { 0, INT32_MAX, 0 };
	int64_t id;

	*out = (struct evaluation){ 0 };
	struct err *err = arg_number(arguments, "frameId", &ids, &id);
	if (err || !id)
		return err;
	err = stack_place(d, id, &out->at);
	out->has_place = !err;
	out->parent = -(int32_t)id;
	out->scope = err ? NULL : stack_scope(d, out->at);
	return err;
}

static const struct context_row *
context_find(const char *name)
{
	for (size_t k = 0; name && k < countof(contexts); k++)
		if (strcmp(contexts[k].name, name) == 0)
			return &contexts[k];
	return &contexts[1];
}

static struct err *
read_arguments(struct dap *d, const struct json *arguments,
	       struct question *q)
{
	const char *context;

	struct err *err = arg_string(arguments, "expression", true, &q->text);
	if (!err)
		err = arg_string(arguments, "context", false, &context);
	if (!err)
		err = evaluate_where(d, arguments, &q->at);
	if (err)
		return err;
	if (strlen(q->text) > EXPRESSION_MAX)
		return err_new(ERR_LIMIT, "an expression has at most %u bytes",
			       EXPRESSION_MAX);
	q->context = context_find(context);
	q->hex = json_is_true(json_get(json_get(arguments, "format"), "hex"),
			      false);
	return NULL;
}

/* ---- what ------------------------------------------------------------------------- */
/* "/x a.b" without what says how it is shown. */
const char *
evaluate_without_format(const char *text)
{
	text += strspn(text, " \t");
	if (*text == '/')
		text += strcspn(text, " \t");
	return text + strspn(text, " \t");
}

static struct err *
answer(struct dap *d, const struct question *q, struct arena *a,
       struct json **body)
{
	struct container c = { .d = d, .arena = a, .style = VALUE_STYLE };
	struct item item = { .name = q->text,
			     .expr = evaluate_without_format(q->text) };
	struct row row = { .c = &c, .item = &item, .of = ROW_RESULT,
			   .length = q->context->length,
			   .tells_cut = q->context->elements,
			   .tells_target = q->context->target };
	_buf_ struct buf text = { 0 };

	if (q->at.scope && registers_named(d, q->text) != INSP_NONE)
		item.lost = registers_lost(q->at.scope->frame);
	c.style.format = q->hex ? 'x' : 0;
	struct err *err = values_eval(d->shown.values, q->at.scope, q->text,
				      &c.style, a, &item.value);
	if (err)
		return err;
	c.ref = (struct ref){ .id = q->at.parent, .at = q->at.at,
			      .has_place = q->at.has_place };
	c.style.object = true;
	c.style.typed = q->context->typed;
	if (q->context->elements)
		c.style.elements = q->context->elements;
	err = row_put(&text, &row);
	if (!err)
		*body = json_raw(&text);
	return err;
}

struct err *
evaluate_answer(struct dap *d, const struct json *arguments,
		struct json **body)
{
	_arena_ struct arena *a = arena_new(ARENA_MAX);
	struct question q = { 0 };

	if (!a)
		return err_nomem();
	struct err *err = read_arguments(d, arguments, &q);
	if (err)
		return err;
	err = answer(d, &q, a, body);
	refs_turn(d);
	return err && q.context->elsewhere
	       ? console_ask(d, q.text, &q.at, err) : err;
}
