/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print.c: inquest print - expressions in a frame, as a debugger shows them.
 */
#include <string.h>

#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/report.h"
#include "cmd/session.h"

#define NOT_GIVEN UINT64_MAX
#define FRAMES_MAX 4096u

struct print_options {
	uint64_t tid, frame;
	bool json, raw, object, no_index;
};
struct print {
	struct print_options options;
	const char *snap;
	char *const *expressions;
	size_t n;
	struct insp *insp;
	struct values *values;
	struct arena *arena;
	const struct scope *scope;      /* NULL: what is global alone */
	const struct snap_frame *at;    /* of the view, or NULL */
	struct json *rows;              /* with --json */
	struct buf *out;
	bool failed;                    /* at least one of them */
};

/* ---- where ---------------------------------------------------------------- */
static struct err *
print_thread(const struct print *p, size_t *out)
{
	const struct target *t = insp_target(p->insp);

	*out = t->n_threads ? 0 : INSP_NONE;
	if (p->options.tid == NOT_GIVEN)
		return NULL;
	*out = insp_find_thread(p->insp, p->options.tid);
	if (*out == INSP_NONE)
		return err_new(ERR_NOTFOUND, "no thread has the id %llu; "
			       "`" PROGRAM " report` lists them",
			       (unsigned long long)p->options.tid);
	return NULL;
}

/* Where nothing was said: the innermost frame that has variables. */
static size_t
print_first(const struct scope *const *scopes, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (scopes[k] && scopes[k]->language)
			return k;
	return 0;
}

static struct err *
print_find(struct print *p)
{
	const struct scope *const *scopes;
	size_t thread, frame = (size_t)p->options.frame;
	struct view v = { 0 };

	struct err *err = print_thread(p, &thread);
	if (err || thread == INSP_NONE)
		return err;
	err = insp_view(p->insp, thread, FRAMES_MAX, p->arena, &v);
	if (!err)
		err = values_along(p->values, thread, &v, FRAMES_MAX, p->arena,
				   &scopes);
	if (err || !v.n)
		return err;
	if (p->options.frame == NOT_GIVEN)
		frame = print_first(scopes, v.n);
	if (frame >= v.n)
		return err_new(ERR_NOTFOUND, "there is no frame %llu: the "
			       "stack of that thread has %zu",
			       (unsigned long long)p->options.frame, v.n);
	p->scope = scopes[frame];
	p->at = v.frames + frame;
	return NULL;
}

/* ---- one value ------------------------------------------------------------- */
static struct value_style
print_style(const struct print *p)
{
	struct value_style style = VALUE_STYLE;

	style.raw = p->options.raw;
	style.object = p->options.object;
	style.typed = true;
	return style;
}

static void
print_perhaps(struct print *p, const struct value *v,
	      const struct value_style *style)
{
	_buf_ struct buf text = { 0 };

	if (report_perhaps(&text, v, style) && text.data)
		buf_printf(p->out, "; perhaps %s", text.data);
}

static struct err *
print_text(struct print *p, const char *name, const struct value *v,
	   const struct value_style *style)
{
	const char *why = NULL;
	enum value_state state = value_state(v, &why);

	report_put(p->out, name);
	buf_puts(p->out, " = ");
	struct err *err = value_text(v, style, p->out);
	if (!err && state != VALUE_KNOWN && why) {
		buf_puts(p->out, "  [");
		report_put(p->out, why);
		print_perhaps(p, v, style);
		buf_putc(p->out, ']');
	}
	buf_putc(p->out, '\n');
	return err;
}

static struct err *
print_value(struct print *p, const char *name, const struct value *v,
	    const struct value_style *style)
{
	if (!p->rows)
		return print_text(p, name, v, style);
	json_add(p->rows, report_json_value(name, v, style));
	return NULL;
}

static struct err *
print_expression(struct print *p, const char *text)
{
	struct value_style style = print_style(p);
	const struct value *v;

	_err_ struct err *err = values_eval(p->values, p->scope, text, &style,
					    p->arena, &v);
	if (!err)
		return print_value(p, text, v, &style);
	if (err_kind(err) != ERR_USAGE && err_kind(err) != ERR_NOTFOUND
	    && err_kind(err) != ERR_FAILED)
		return take(err);
	p->failed = true;
	say("print: %s: %s", text, err_text(err));
	return NULL;
}

/* What "info args" and "info locals" have. */
static struct err *
print_variables(struct print *p)
{
	struct value_style style = print_style(p);
	const struct var *vars;
	const struct value *v;
	struct err *err;
	size_t n;

	if (!p->scope)
		return NULL;
	err = scope_vars(p->scope, p->arena, &vars, &n);
	for (size_t k = 0; k < n && !err; k++) {
		err = var_value(&vars[k], p->arena, &v);
		if (!err)
			err = print_value(p, vars[k].name, v, &style);
	}
	if (!err && !n && !p->rows)
		buf_puts(p->out, "no variables are known here\n");
	return err;
}

/* ---- the verb ---------------------------------------------------------------- */
static void
print_head(const struct print *p)
{
	if (p->rows || !p->at)
		return;
	buf_printf(p->out, "#%u  ", p->at->depth);
	report_put(p->out, p->at->function ? p->at->function : "??");
	if (p->at->file) {
		buf_puts(p->out, " at ");
		report_put(p->out, p->at->file);
		buf_printf(p->out, ":%u", p->at->line);
	}
	buf_putc(p->out, '\n');
}

static struct err *
print_all(struct print *p)
{
	struct err *err = values_new(p->insp, NULL, &p->values);

	if (!err)
		err = print_find(p);
	if (err)
		return err;
	if (!p->n) {
		print_head(p);
		err = print_variables(p);
	}
	for (size_t k = 0; k < p->n && !err; k++)
		err = print_expression(p, p->expressions[k]);
	return err;
}

static struct err *
print_json_end(struct print *p, struct json *top)
{
	struct err *err;

	json_set(top, "depth", p->at ? json_u64(p->at->depth) : json_null());
	json_set(top, "function", json_string(p->at ? p->at->function : NULL));
	json_set(top, "values", p->rows);
	err = json_write(top, true, p->out);
	return err;
}

/* Runs jailed. */
static struct err *
print_work(struct subject *s, void *arg)
{
	struct print p = *(const struct print *)arg;
	_arena_ struct arena *a = arena_new(0);
	_buf_ struct buf out = { 0 };
	struct json *top;

	if (!a)
		return err_nomem();
	struct err *err = subject_open(s);
	if (err)
		return err;
	p.insp = s->insp;
	p.arena = a;
	p.out = &out;
	top = p.options.json ? say_json("print") : NULL;
	p.rows = top ? json_array() : NULL;
	err = print_all(&p);
	if (top && !err)
		err = print_json_end(&p, top);
	else
		json_free(p.rows);
	json_free(top);
	values_free(p.values);
	if (!err)
		err = say_result(&out);
	if (!err)
		subject_tell_damage(s);
	if (!err && p.failed)
		s->status = 1;
	return err;
}

static struct err *
print_run(const struct verb *v, int argc, char **argv, int *status)
{
	struct print p = { .options = { .tid = NOT_GIVEN,
					.frame = NOT_GIVEN } };
	struct operands operands;

	struct err *err = verb_parse(v, argc, argv, &p.options, &operands);
	if (err)
		return err;
	p.expressions = operands.item + 1;
	p.n = operands.n - 1;
	const struct session_options session = {
		.verb = v->name, .snap = operands.item[0],
		.indexes = p.options.no_index ? INDEXES_USE : INDEXES_MAKE,
		.work = print_work, .arg = &p,
	};
	return session_run(&session, status);
}

static const struct opt print_opts[] = {
	{ "thread", 't', "TID", "in this thread, not the one that died",
	  OPT_U64, offsetof(struct print_options, tid) },
	{ "frame", 'f', "N", "in this frame, as report counts them",
	  OPT_U64, offsetof(struct print_options, frame) },
	{ "object", 0, NULL, "objects as what they were made as",
	  OPT_FLAG, offsetof(struct print_options, object) },
	{ "raw", 0, NULL, "containers as their members",
	  OPT_FLAG, offsetof(struct print_options, raw) },
	{ "json", 0, NULL, "one object with a list of values",
	  OPT_FLAG, offsetof(struct print_options, json) },
	{ "no-index", 0, NULL, "make no symbol index; use those that are there",
	  OPT_FLAG, offsetof(struct print_options, no_index) },
	{ .name = NULL }
};

static const struct example print_examples[] = {
	{ PROGRAM " print x.snap", "arguments and locals" },
	{ PROGRAM " print x.snap 'n->next->id' '/x flags'", "expressions" },
	{ PROGRAM " print x.snap -t 4711 -f 2 queue", "in another frame" },
	{ NULL, NULL }
};

static const struct exit_row print_exits[] = {
	{ 0, "all are shown" },
	{ 1, "one of them could not be computed, or SNAP could not be handled" },
	{ 2, "usage" },
	{ 3, "no such file, thread or frame" },
	{ 4, "not allowed to read it" },
	{ 6, "the file is damaged or cut; what could be read is shown" },
	{ 0, NULL }
};

static const char print_manual[] =
	"Shows what expressions are in a frame, as gdb's print does; without "
	"any, the frame's arguments and local variables. The frame is that of "
	"--frame, else the innermost one of the thread that has variables. "
	"Debug information is needed: a symbol index of it is made and kept "
	"(see `" PROGRAM " index`).\n\n"
	"An expression is of a subset of C and C++: names (also a::b, "
	"'file.c'::name, function::static), $REGISTER, . -> [] * & casts, "
	"sizeof, arithmetic, comparisons, logic, ?:, numbers and characters, "
	"array@count. Nothing is called and nothing is assigned. /x, /d, /u, "
	"/o, /t, /c, /a, /f, /s or /z before it is the format. One that begins "
	"with - stands behind --.\n\n"
	"A value that the compiler kept nowhere at that place, one that was "
	"not captured and one whose address is not mapped say so.\n\n"
	"With --json the result is one object: inquest (version, verb), depth, "
	"function, values: name (the expression), type, value, state, why, "
	"address, as `" PROGRAM " help report` has them.";

const struct verb verb_print = {
	.name = "print",
	.operands = "SNAP [EXPRESSION...]",
	.min = 1,
	.max = -1,
	.summary = "Show variables and expressions of a frame",
	.text = print_manual,
	.options = print_opts,
	.examples = print_examples,
	.exits = print_exits,
	.run = print_run,
};
