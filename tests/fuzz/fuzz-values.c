/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile records and a hostile expression over them: every function of an
 * index stands on the stack once, with its variables as text, their children
 * and the expression.
 *
 * Input: the expression up to a newline, then an index. As in fuzz-symidx, no
 * checksum is looked at.
 */
#include "fuzz.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../unit/make-core.h"
#include "symbols/format.h"
#include "values/values.h"

#define PAGE 4096u
#define PROGRAM 0x400000u
#define SPAN 0x10000u
#define STACK 0x7000000u
#define FUNCTIONS_MAX 16u
#define VARS_MAX 64u
#define DEPTH_MAX 3u

bool
format_intact(const void *data, size_t n, uint64_t hash)
{
	(void)data, (void)n, (void)hash;
	return true;
}

static void
mend(uint8_t *file, size_t n)
{
	struct format_header h;

	if (n < sizeof(h))
		return;
	memcpy(&h, file, sizeof(h));
	memcpy(h.magic, FORMAT_MAGIC, sizeof(h.magic));
	h.version = SYMIDX_VERSION;
	h.size = sizeof(h);
	h.file_size = n;
	memcpy(file, &h, sizeof(h));
}

/* ---- a process with one module at PROGRAM and a stack ---------------------- */
static void
put_program(uint8_t *page)
{
	Elf64_Ehdr eh = {
		.e_type = ET_EXEC, .e_machine = EM_X86_64,
		.e_version = EV_CURRENT, .e_phoff = sizeof(eh),
		.e_ehsize = sizeof(eh), .e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2,
	};
	Elf64_Phdr ph[2] = {
		{ .p_type = PT_PHDR, .p_offset = 64, .p_vaddr = PROGRAM + 64,
		  .p_filesz = 112, .p_memsz = 112, .p_align = 8 },
		{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X,
		  .p_vaddr = PROGRAM, .p_filesz = PAGE, .p_memsz = SPAN, .p_align = PAGE },
	};

	memcpy(eh.e_ident, ELFMAG, SELFMAG);
	eh.e_ident[EI_CLASS] = ELFCLASS64;
	eh.e_ident[EI_DATA] = ELFDATA2LSB;
	eh.e_ident[EI_VERSION] = EV_CURRENT;
	memcpy(page, &eh, sizeof(eh));
	memcpy(page + sizeof(eh), ph, sizeof(ph));
}

static void
put_core(struct buf *out, uint8_t *program, uint64_t *stack)
{
	struct make_core m = { 0 };
	uint64_t auxv[] = { AT_PHDR, PROGRAM + 64, AT_PHNUM, 2, AT_PHENT, 56,
			    AT_ENTRY, PROGRAM + 0x100, 0, 0 };

	for (size_t n = 0; n < PAGE / 8; n++)
		stack[n] = STACK + 8 * (n * 7 % (PAGE / 8));
	make_thread(&m, 1, 11, PROGRAM + 0x100, STACK + 64);
	make_note(&m, "CORE", NT_AUXV, auxv, sizeof(auxv));
	make_segment(&m, PROGRAM, SPAN, PF_R | PF_X, program, PAGE);
	make_segment(&m, STACK, PAGE, PF_R | PF_W, stack, PAGE);
	make_core(&m, out);
}

/* ---- what is asked of it --------------------------------------------------- */
struct run {
	struct values *values;
	struct symidx *ix;
	struct value_style style;
	const char *expression;
	uint64_t bias;
};

static struct symidx *
index_of(void *arg, size_t module)
{
	(void)module;
	return ((struct run *)arg)->ix;
}

static struct err *
use_value(const struct run *r, const struct value *v, struct arena *a,
	  unsigned depth)
{
	_buf_ struct buf text = { 0 };
	struct children c = { 0 };
	const char *why;
	uint64_t n;
	struct err *err = value_text(v, &r->style, &text);

	if (!err && (value_state(v, &why) != VALUE_KNOWN) != (why != NULL))
		abort();
	if (!err)
		err = type_name(value_type(v), &text);
	if (!err)
		err = value_n_children(v, &r->style, &n);
	if (!err && depth < DEPTH_MAX)
		err = value_children(v, &r->style, n / 2, 8, a, &c);
	for (size_t k = 0; k < c.n && !err; k++)
		err = use_value(r, c.list[k].value, a, depth + 1);
	return err;
}

static struct err *
use_vars(const struct run *r, const struct var *vars, size_t n,
	 struct arena *a)
{
	struct err *err = NULL;

	for (size_t k = 0; k < n && k < VARS_MAX && !err; k++) {
		const struct value *v;

		err = var_value(&vars[k], a, &v);
		if (!err)
			err = use_value(r, v, a, 0);
	}
	return err;
}

static struct err *
use_scope(const struct run *r, const struct scope *s, struct arena *a)
{
	struct value_style style = r->style;
	const struct value *v;
	const struct var *vars;
	size_t n;
	struct err *err = scope_vars(s, a, &vars, &n);

	if (!err)
		err = use_vars(r, vars, n, a);
	if (!err)
		err = scope_file_vars(s, a, &vars, &n);
	if (!err)
		err = use_vars(r, vars, n, a);
	if (err)
		return err;
	err_free(values_eval(r->values, s, r->expression, &style, a, &v));
	return NULL;
}

static struct err *
use_function(const struct run *r, uint32_t function, struct arena *a)
{
	const struct sym_body *body;
	struct scopes scopes = { 0 };
	struct err *err = symidx_body(r->ix, function, a, &body);

	if (err || !body->n_blocks || !body->blocks[0].n_ranges)
		return err;
	const struct sym_block *last = &body->blocks[body->n_blocks - 1];
	uint64_t pc = (last->n_ranges ? last : body->blocks)->ranges[0].start;
	struct frame frames[2] = {
		{ .pc = pc + r->bias, .cfa = STACK + 256 },
		{ .pc = body->blocks[0].ranges[0].start + r->bias + 4,
		  .cfa = STACK + 512 },
	};
	for (unsigned n = 0; n < FRAME_REGS; n++)
		frames[0].regs.value[n] = frames[1].regs.value[n] =
			STACK + 16 * n;
	frames[0].regs.known = 0x1ffff;
	frames[1].regs.known = 0xf0c8;
	const struct stack s = { .frames = frames, .n = 2 };
	for (size_t n = 0; n < 2 && !err; n++) {
		err = values_scopes(r->values, 0, &s, n, a, &scopes);
		for (size_t k = 0; k < scopes.n && !err; k++)
			err = use_scope(r, scopes.list[k], a);
	}
	return err;
}

static struct err *
use(struct run *r, struct insp *i)
{
	struct values_indexes from = { index_of, r };
	_values_ struct values *vs = NULL;
	struct value_style style = r->style;
	size_t modules;
	const struct snap_module *m = insp_modules(i, &modules);
	struct err *err = values_new(i, &from, &vs);

	if (err || !modules)
		return err;
	r->values = vs;
	r->bias = m[0].bias;
	uint32_t n = symidx_about(r->ix)->n_functions;
	for (uint32_t k = 0; k < n && k < FUNCTIONS_MAX; k++) {
		_arena_ struct arena *a = arena_new(64 << 20);

		if (!a)
			return err_nomem();
		err_free(use_function(r, k, a));
	}
	_arena_ struct arena *a = arena_new(64 << 20);
	const struct value *v;
	return a ? values_eval(vs, NULL, r->expression, &style, a, &v)
	       : err_nomem();
}

static struct err *
run(const uint8_t *index, size_t n, const char *expression)
{
	static uint8_t program[PAGE];
	static uint64_t stack[PAGE / 8];
	struct run r = { .style = VALUE_STYLE, .expression = expression };
	struct insp_options options = { 0 };
	_source_ struct source *core = NULL;
	_source_ struct source *src = NULL;
	_symidx_ struct symidx *ix = NULL;
	_insp_ struct insp *i = NULL;
	_buf_ struct buf file = { 0 };
	struct target *target;

	r.style.length = 2048;
	r.style.object = true;
	put_program(program);
	put_core(&file, program, stack);
	struct err *err = source_mem(file.data, file.len, "core", &core);
	if (!err)
		err = source_mem(index, n, "index", &src);
	if (!err)
		err = symidx_open(src, &ix);
	if (!err)
		err = target_open(core, &target);
	if (!err)
		err = insp_open(target, &options, &i);
	r.ix = ix;
	return err ? err : use(&r, i);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *line = n ? memchr(data, '\n', n) : NULL;
	size_t text = line ? (size_t)(line - data) : 0;
	size_t rest = line ? n - text - 1 : n;
	_free_ char *expression = strndup((const char *)data, text);
	_free_ uint8_t *index = malloc(rest ? rest : 1);

	if (!expression || !index)
		abort();
	memcpy(index, data + (n - rest), rest);
	mend(index, rest);
	err_free(run(index, rest, expression));
	return 0;
}
