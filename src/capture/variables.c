/* SPDX-License-Identifier: Apache-2.0 */
/*
 * variables.c: arguments and locals of the thread that died, and variables that
 * were asked for, as text, where symbol indexes are at hand: so that the file
 * is readable with nothing else.
 */
#include <string.h>

#include "capture/keeping.h"

/* Frames whose variables are kept, and how many of these. */
#define FRAMES_MAX 64u
#define VARIABLES_MAX 4096u
/* Bytes of one value's text, and of all together. */
#define VALUE_MAX 2048u
#define TEXT_MAX (1u << 20)

static uint8_t
state_of(enum value_state state)
{
	static const uint8_t states[] = {
		[VALUE_KNOWN] = SNAP_VALUE_KNOWN,
		[VALUE_OPTIMISED_OUT] = SNAP_VALUE_OPTIMISED_OUT,
		[VALUE_UNMAPPED] = SNAP_VALUE_UNMAPPED,
		[VALUE_NOT_CAPTURED] = SNAP_VALUE_NOT_CAPTURED,
		[VALUE_UNKNOWN] = SNAP_VALUE_UNKNOWN,
	};

	return states[state];
}

static const char *
text_of(const struct buf *b)
{
	return b->failed || !b->data ? NULL : b->data;
}

struct err *
keep_value(struct keeping *k, struct snap_variable v, const struct var *var,
	   const struct value *value)
{
	struct value_style style = VALUE_STYLE;
	_buf_ struct buf text = { 0 }, type = { 0 };

	if (!v.name)
		v.name = var->name;
	v.file = var->file;
	v.line = var->line;
	style.length = VALUE_MAX;
	v.state = state_of(value_state(value, &v.why));
	(void)value_address(value, &v.address);
	_err_ struct err *no_type = type_name(value_type(value), &type);
	_err_ struct err *no_text = value_text(value, &style, &text);
	v.type = no_type ? NULL : text_of(&type);
	v.value = no_text ? NULL : text_of(&text);
	k->bytes += text.len + type.len;
	k->n++;
	return snap_put_variable(k->saver->writer, &v);
}

bool
keep_is_full(const struct keeping *k)
{
	return k->n >= VARIABLES_MAX || k->bytes >= TEXT_MAX;
}

static struct err *
keep_scope(struct keeping *k, const struct snap_frame *f,
	   const struct scope *s)
{
	struct snap_variable as = { .tid = f->tid, .depth = f->depth };
	const struct var *vars;
	size_t n;
	struct err *err = scope_vars(s, k->arena, &vars, &n);

	for (size_t v = 0; v < n && !err && !keep_is_full(k); v++) {
		const struct value *value;

		as.kind = vars[v].kind == VAR_ARGUMENT ? SNAP_VAR_ARGUMENT
						       : SNAP_VAR_LOCAL;
		err = var_value(&vars[v], k->arena, &value);
		if (!err)
			err = keep_value(k, as, &vars[v], value);
	}
	return err;
}

static struct err *
keep_thread(struct keeping *k, size_t thread)
{
	struct saver *s = k->saver;
	const uint64_t tid = s->target->threads[thread].tid;
	const struct snap_frame *frames = s->frames.data;
	const struct scope *const *scopes;
	struct view v = { 0 };
	size_t first = 0;

	while (first < s->frames.n && frames[first].tid != tid)
		first++;
	while (first + v.n < s->frames.n && frames[first + v.n].tid == tid)
		v.n++;
	v.frames = frames + first;
	if (!v.n)
		return NULL;
	struct err *err = values_along(k->values, thread, &v, FRAMES_MAX,
				       k->arena, &scopes);
	for (size_t f = 0; f < v.n && !err && !keep_is_full(k); f++)
		if (scopes[f])
			err = keep_scope(k, &v.frames[f], scopes[f]);
	return err;
}

struct err *
save_variables(struct saver *s)
{
	const struct target *t = s->target;
	_values_ struct values *vs = NULL;
	size_t thread = 0;

	while (thread < t->n_threads && !t->threads[thread].faulting)
		thread++;
	/* Nobody died: whoever looks has the process, and its files. */
	const bool died = thread < t->n_threads;
	/* A rule that hides bytes hides what was made of them. */
	if (s->options->n_redact || (!died && !s->globals.n))
		return NULL;
	struct err *err = values_new(s->insp, NULL, &vs);
	struct keeping k = { .saver = s, .values = vs, .arena = s->arena };

	if (!err && died)
		err = keep_thread(&k, thread);
	if (!err)
		err = globals_keep(&k);
	s->n_variables = k.n;
	return err;
}
