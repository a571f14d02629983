/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request "exceptionInfo": the signal, and what is certain about it.
 */
#include "dap/impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DOT " · "

/* What fails leaves no memory behind, however often it is asked for. */
static struct err *
find_cause(struct dap *d)
{
	if (d->cause)
		return NULL;
	const struct arena_mark before = arena_mark(d->stop);
	struct cause *c = arena_alloc(d->stop, sizeof(*c));
	struct err *err = c ? cause_find(d->shown.insp, d->stop, c)
			  : err_nomem();
	if (err)
		arena_rewind(d->stop, &before);
	else
		d->cause = c;
	return err;
}

/* Needs symbols and sources, so not before somebody asks why. */
static struct err *
explain_cause(struct dap *d)
{
	const struct arena_mark before = arena_mark(d->stop);
	const struct cause found = *d->cause;
	struct err *err = cause_explain(d->cause, d->shown.insp,
					d->shown.values, d->stop);

	d->cause_explained = !err;
	if (err) {
		*d->cause = found;
		arena_rewind(d->stop, &before);
	}
	return err;
}

struct err *
exception_cause(struct dap *d, const struct cause **out)
{
	struct err *err = find_cause(d);

	if (!err && !d->cause_explained)
		err = explain_cause(d);
	if (!err)
		*out = d->cause;
	return err;
}

void
exception_put_text(struct dap *d, struct buf *out)
{
	_err_ struct err *err = find_cause(d);
	const struct cause *c = d->cause;

	if (err || !c->number)
		return;
	if (c->kind)
		buf_printf(out, "%s: ", c->kind);
	cause_put_sentence(c, out);
}

/* ---- details ------------------------------------------------------------ */
static struct json *
text_of(struct buf *b)
{
	struct json *j = json_string(b->failed ? NULL : b->data);

	buf_reset(b);
	return j;
}

static struct json *
signal_word(const struct cause *c)
{
	char text[32];

	if (c->signal)
		return json_string(c->signal);
	snprintf(text, sizeof(text), "signal %d", c->number);
	return json_string(text);
}

/* "SEGV_MAPERR at 0x0; mov (%rax),%eax reads 4 bytes at 0x0: rax = 0x0" */
static void
put_message(struct buf *b, const struct cause *c, const struct snap_process *p)
{
	const struct disasm_entry *e = c->instruction;

	/* Without a siginfo there is no code: 0 would mean "sent by kill()". */
	if (c->code_name)
		buf_puts(b, c->code_name);
	else if (c->code)
		buf_printf(b, "code %d", c->code);
	if (p->has_fault_address)
		buf_printf(b, "%sat 0x%" PRIx64, b->len ? " " : "",
			   p->fault_address);
	if (!e)
		return;
	buf_puts(b, b->len ? "; " : "");
	disasm_put(e, b);
	buf_puts(b, e->n_memory + e->n_regs ? " " : "");
	effect_put(e, b);
}

static struct json *
details_of(const struct cause *c, const struct snap_process *p)
{
	const char *access = cause_access_text(c->access);
	struct json *j = json_object();
	_buf_ struct buf text = { 0 };

	put_message(&text, c, p);
	json_set(j, "message", text_of(&text));
	if (!c->kind)
		return j;
	json_set(j, "typeName", json_string(c->kind));
	buf_puts(&text, c->kind);
	if (access)
		buf_printf(&text, DOT "%s", access);
	json_set(j, "fullTypeName", text_of(&text));
	return j;
}

struct err *
exception_info(struct dap *d, const struct json *arguments, struct json **body)
{
	const struct target *t = insp_target(d->shown.insp);
	_buf_ struct buf text = { 0 };
	const struct cause *c;
	size_t thread;

	struct err *err = stack_thread(d, arguments, &thread);
	if (!err)
		err = exception_cause(d, &c);
	if (!err && !c->number)
		err = err_new(ERR_NOTFOUND, "no signal: the process was "
			      "running when the snapshot was taken");
	else if (!err && thread)
		err = err_new(ERR_NOTFOUND, "the signal hit thread %" PRId64
			      ", not this one", stack_thread_id(d, 0));
	if (err)
		return err;
	cause_put_sentence(c, &text);
	*body = json_object();
	json_set(*body, "exceptionId", signal_word(c));
	json_set(*body, "breakMode", json_string("unhandled"));
	json_set(*body, "description", text_of(&text));
	json_set(*body, "details", details_of(c, &t->process));
	return NULL;
}
