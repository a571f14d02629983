/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes as what variables are told from: an index of symbols, memory,
 * and an expression. All frames, their variables and values are shown.
 *
 * Input: struct head, then so many bytes of memory and of text, then the
 * index. As in fuzz-symidx.c each block of it passes for intact.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/format.h"
#include "tests/fuzz/fuzz.h"
#include "values/values.h"

#define LOW 0x400000u           /* statics, code */
#define STACK 0x7ff000u
#define RANGE 0x10000u
#define MEMORY_MAX 4096u        /* of an input: it is repeated */
#define TEXT_MAX 256u
#define TYPES_MAX 4096u
#define VARS_MAX 8u
#define CHILDREN_MAX 4u
#define DEPTH_MAX 3u
#define VALUES_MAX 32u          /* of an input: more are only slower */

struct head {
	uint16_t memory, text;
	uint8_t function, caller, offset, how;
};
/* Bits of how. */
enum { HOW_RAW = 1, HOW_OBJECT = 2, HOW_TYPED = 4, HOW_FORMAT = 56 };

struct given {
	struct head head;
	const uint8_t *memory;
	char text[TEXT_MAX + 1];
	struct symidx *ix;
	struct value_style style;
	unsigned shown;
};

bool
format_intact(const void *data, size_t n, uint64_t hash)
{
	(void)data, (void)n, (void)hash;
	return true;
}

/* ---- a target ------------------------------------------------------------ */
struct made {
	struct target target;
	struct snap_memory memory[3];
	struct snap_module module;
	struct snap_thread thread;
	const struct given *given;
};

static struct err *
made_read(struct target *t, size_t range, uint64_t off, size_t n, void *out)
{
	const struct given *g = ((struct made *)(void *)t)->given;
	uint8_t *to = out;

	(void)range;
	memset(out, 0, n);
	for (size_t k = 0; g->head.memory && k < n;) {
		size_t from = (off + k) % g->head.memory;
		size_t left = g->head.memory - from;

		left = left < n - k ? left : n - k;
		memcpy(to + k, g->memory + from, left);
		k += left;
	}
	return NULL;
}

static void
made_close(struct target *t)
{
	(void)t;
}

static const struct target_ops made_ops = {
	.kind = "made", .read = made_read, .close = made_close,
};

/* One for all inputs: its tables are larger than they, and it keeps nothing of
 * the memory that it reads. */
static struct insp *
made_engine(const struct given *g)
{
	static struct made m;
	static struct insp *engine;
	const struct insp_options options = { 0 };

	m.given = g;
	if (engine)
		return engine;
	m.memory[0] = (struct snap_memory){
		.start = LOW, .length = RANGE, .kind = SNAP_MEM_DATA };
	m.memory[1] = (struct snap_memory){
		.start = LOW + RANGE, .length = RANGE,
		.kind = SNAP_MEM_ABSENT };
	m.memory[2] = (struct snap_memory){
		.start = STACK, .length = RANGE, .kind = SNAP_MEM_DATA };
	m.thread = (struct snap_thread){ .tid = 7 };
	m.module = (struct snap_module){
		.start = LOW, .end = LOW + RANGE, .bias = LOW,
		.path = "/made", .skeleton = SNAP_NO_SKELETON };
	m.target = (struct target){
		.ops = &made_ops, .threads = &m.thread, .n_threads = 1,
		.memory = m.memory, .n_memory = countof(m.memory),
		.modules = &m.module, .n_modules = 1,
		.process = { .machine = EM_X86_64, .os = SNAP_OS_LINUX,
			     .bits = 64, .pid = 7 },
	};
	if (insp_open(&m.target, &options, &engine))
		abort();
	return engine;
}

static struct symidx *
made_index(void *arg, size_t module)
{
	(void)module;
	return ((const struct given *)arg)->ix;
}

/* ---- what is shown ------------------------------------------------------- */
/* Limits are errors, and values that make no sense are none. */
static void
nothing_else(struct err *err)
{
	if (err && err_kind(err) == ERR_NOMEM)
		abort();
	err_free(err);
}

static void
check_text(const struct buf *text)
{
	for (size_t k = 0; k < text->len; k++)
		if ((uint8_t)text->data[k] < ' ' || text->data[k] == 0x7f) {
			fprintf(stderr, "byte %zu of: %s\n", k, text->data);
			abort();
		}
}

static void show(struct given *g, const struct value *v, struct arena *a,
		 unsigned depth);

static void
show_children(struct given *g, const struct value *v, struct arena *a,
	      unsigned depth)
{
	struct children c = { 0 };
	uint64_t n = 0;

	nothing_else(value_n_children(v, &g->style, &n));
	nothing_else(value_children(v, &g->style, n > 40 ? n / 2 : 0,
				    CHILDREN_MAX, a, &c));
	if (c.n > CHILDREN_MAX)
		abort();
	for (size_t k = 0; k < c.n; k++)
		show(g, c.list[k].value, a, depth + 1);
}

static void
show_type(const struct type *t)
{
	_buf_ struct buf name = { 0 };

	nothing_else(type_name(t, &name));
	type_size(t);
	type_kind(type_target(type_plain(t)));
}

static void
show(struct given *g, const struct value *v, struct arena *a,
     unsigned depth)
{
	_buf_ struct buf text = { 0 }, summary = { 0 };
	const char *why = NULL;
	const struct value *guess;
	uint64_t number;

	if (depth >= DEPTH_MAX || g->shown++ >= VALUES_MAX)
		return;
	nothing_else(value_text(v, &g->style, &text));
	nothing_else(value_summary(v, &g->style, &summary));
	check_text(&text);
	check_text(&summary);
	if (text.len > 4ull * g->style.length
	    || (value_state(v, &why) != VALUE_KNOWN && !why))
		abort();
	nothing_else(value_u64(v, &number));
	nothing_else(value_perhaps(v, a, &guess));
	if (guess) {
		buf_reset(&text);
		nothing_else(value_text(guess, &g->style, &text));
		check_text(&text);
	}
	show_type(value_type(v));
	show_children(g, v, a, depth);
}

static void
show_vars(struct given *g, const struct var *vars, size_t n,
	  struct arena *a)
{
	size_t first = n > VARS_MAX ? g->head.offset % (n - VARS_MAX) : 0;

	for (size_t k = first; k < n && k < first + VARS_MAX; k++) {
		const struct value *v;
		struct err *err = var_value(&vars[k], a, &v);

		if (!err)
			show(g, v, a, 0);
		nothing_else(err);
	}
}

static void
show_scope(struct given *g, struct values *vs, const struct scope *s)
{
	_arena_ struct arena *a = arena_new(64 << 20);
	struct value_style style = g->style;
	const struct value *v;
	const struct var *vars;
	size_t n = 0;

	struct err *err = values_eval(vs, s, g->text, &style, a, &v);
	if (!err)
		show(g, v, a, 0);
	nothing_else(err);
	nothing_else(scope_vars(s, a, &vars, &n));
	show_vars(g, vars, n, a);
	n = 0;
	nothing_else(scope_file_vars(s, a, &vars, &n));
	show_vars(g, vars, n, a);
}

/* ---- frames -------------------------------------------------------------- */
static uint64_t
code_of(struct given *g, uint8_t function, uint8_t offset)
{
	_arena_ struct arena *a = arena_new(64 << 20);
	const struct sym_body *b = NULL;
	uint32_t n = symidx_about(g->ix)->n_functions;

	_err_ struct err *err = symidx_body(g->ix, n ? function % n : 0, a, &b);
	if (err || !b->n_blocks || !b->blocks[0].n_ranges)
		return LOW + offset;
	return LOW + (b->blocks[0].ranges[0].start + offset) % RANGE;
}

static void
show_frames(struct given *g, struct values *vs)
{
	struct frame frames[] = {
		{ .pc = code_of(g, g->head.function, g->head.offset),
		  .cfa = STACK + 0x200 },
		{ .pc = code_of(g, g->head.caller, g->head.offset),
		  .cfa = STACK + 0x300 },
	};
	const struct stack stack = { .frames = frames, .n = countof(frames),
				     .end = STACK_COMPLETE };
	_arena_ struct arena *a = arena_new(64 << 20);
	struct scopes scopes = { 0 };

	for (size_t f = 0; f < countof(frames); f++) {
		frames[f].regs.known = f ? 0x10ff : UINT64_MAX;
		for (size_t r = 0; r < FRAME_REGS; r++)
			frames[f].regs.value[r] = STACK + 0x100 * f + 8 * r;
	}
	for (size_t f = 0; f < countof(frames); f++) {
		scopes.n = 0;
		nothing_else(values_scopes(vs, 0, &stack, f, a, &scopes));
		for (size_t k = 0; k < scopes.n && k < 3; k++)
			show_scope(g, vs, scopes.list[k]);
	}
}

static void
show_globals(struct given *g, struct values *vs)
{
	_arena_ struct arena *a = arena_new(64 << 20);
	const struct var *vars;
	size_t n = 0;

	nothing_else(values_module_vars(vs, 0, 4 * VARS_MAX, a, &vars, &n));
	show_vars(g, vars, n, a);
}

static struct err *
look(struct given *g, struct source *index)
{
	const struct values_indexes from = { made_index, g };
	_symidx_ struct symidx *ix = NULL;
	_values_ struct values *vs = NULL;
	struct err *err = symidx_open(index, &ix);

	g->ix = ix;
	if (!err)
		err = values_new(made_engine(g), &from, &vs);
	if (err)
		return err;
	show_frames(g, vs);
	show_globals(g, vs);
	return NULL;
}

/* ---- an input ------------------------------------------------------------ */
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
	h.n_types %= TYPES_MAX;
	memcpy(file, &h, sizeof(h));
}

static void
take_style(struct given *g)
{
	static const char formats[] = { 0, 'x', 'd', 'c', 's', 'f', 'a', 'z' };

	g->style = VALUE_STYLE;
	g->style.raw = g->head.how & HOW_RAW;
	g->style.object = g->head.how & HOW_OBJECT;
	g->style.typed = g->head.how & HOW_TYPED;
	g->style.format = formats[(g->head.how & HOW_FORMAT) >> 3];
	g->style.elements = 12;
	g->style.length = 4096;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct given g = { 0 };
	_source_ struct source *index = NULL;

	if (n < sizeof(g.head))
		return 0;
	memcpy(&g.head, data, sizeof(g.head));
	data += sizeof(g.head), n -= sizeof(g.head);
	if (g.head.memory > MEMORY_MAX || g.head.text > TEXT_MAX
	    || n < (size_t)g.head.memory + g.head.text)
		return 0;
	g.memory = data;
	memcpy(g.text, data + g.head.memory, g.head.text);
	data += g.head.memory + g.head.text;
	n -= g.head.memory + g.head.text;
	_free_ uint8_t *file = malloc(n + 1);
	if (!file)
		abort();
	memcpy(file, data, n);
	mend(file, n);
	take_style(&g);
	_err_ struct err *err = source_mem(file, n, "fuzz", &index);
	if (!err)
		err = look(&g, index);
	return 0;
}

/* ---- changes ------------------------------------------------------------- */
size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t max)
	__attribute__((weak));
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max,
			       unsigned seed);

/** One part of an input grows or shrinks, and the others stay where they are:
 * @at the part's first byte, of @part, with room for @room. */
static size_t
change(uint8_t *data, size_t n, size_t at, size_t part, size_t room)
{
	static uint8_t work[1 << 16];

	if (part > sizeof(work) || room > sizeof(work) || room < part)
		return part;
	memcpy(work, data + at, part);
	size_t now = LLVMFuzzerMutate(work, part, room);
	memmove(data + at + now, data + at + part, n - at - part);
	memcpy(data + at, work, now);
	return now;
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed)
{
	struct head h;
	size_t now, left = max > n ? max - n : 0;

	if (n < sizeof(h))
		return LLVMFuzzerMutate(data, n, max);
	memcpy(&h, data, sizeof(h));
	size_t text = sizeof(h) + h.memory, index = text + h.text;
	if (h.memory > MEMORY_MAX || h.text > TEXT_MAX || index > n)
		return LLVMFuzzerMutate(data, n, max);
	switch (seed % 8) {
	case 0:
		h.function = (uint8_t)(seed >> 8);
		h.caller = (uint8_t)(seed >> 12);
		h.offset = (uint8_t)(seed >> 16);
		h.how = (uint8_t)(seed >> 24);
		memcpy(data, &h, sizeof(h));
		return n;
	case 1:
		now = change(data, n, sizeof(h), h.memory,
			     left < MEMORY_MAX - h.memory
			     ? h.memory + left : MEMORY_MAX);
		n = n - h.memory + now;
		h.memory = (uint16_t)now;
		break;
	case 2: case 3: case 4:
		now = change(data, n, text, h.text, left < TEXT_MAX - h.text
			     ? h.text + left : TEXT_MAX);
		n = n - h.text + now;
		h.text = (uint16_t)now;
		break;
	default:
		return index + LLVMFuzzerMutate(data + index, n - index,
						max - index);
	}
	memcpy(data, &h, sizeof(h));
	return n;
}
