/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile expression where there are no names: words, precedence, casts,
 * arithmetic, addresses.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "../unit/make-core.h"
#include "values/values.h"

#define STACK 0x7000000u

static struct symidx *
no_index(void *arg, size_t module)
{
	(void)arg, (void)module;
	return NULL;
}

static struct err *
evaluate(struct insp *i, const char *text)
{
	struct values_indexes from = { no_index, NULL };
	struct frame frame = { .pc = 0x1000, .cfa = STACK + 64,
			       .regs.known = 0x1ffff };
	struct stack s = { .frames = &frame, .n = 1 };
	struct value_style style = VALUE_STYLE;
	_values_ struct values *vs = NULL;
	_arena_ struct arena *a = arena_new(64 << 20);
	_buf_ struct buf out = { 0 };
	struct scopes scopes;
	const struct value *v;
	struct err *err = a ? values_new(i, &from, &vs) : err_nomem();

	if (!err)
		err = values_scopes(vs, 0, &s, 0, a, &scopes);
	if (!err)
		err = values_eval(vs, scopes.list[0], text, &style, a, &v);
	if (!err)
		err = value_text(v, &style, &out);
	return err;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static uint8_t stack[4096];
	struct insp_options options = { 0 };
	struct make_core m = { 0 };
	_free_ char *text = strndup((const char *)data, n);
	_source_ struct source *core = NULL;
	_insp_ struct insp *i = NULL;
	_buf_ struct buf file = { 0 };
	struct target *target;

	if (!text)
		abort();
	make_thread(&m, 1, 11, 0x1000, STACK + 64);
	make_segment(&m, STACK, sizeof(stack), PF_R | PF_W, stack,
		     sizeof(stack));
	make_core(&m, &file);
	struct err *err = source_mem(file.data, file.len, "core", &core);
	if (!err)
		err = target_open(core, &target);
	if (!err)
		err = insp_open(target, &options, &i);
	if (!err)
		err = evaluate(i, text);
	err_free(err);
	return 0;
}
