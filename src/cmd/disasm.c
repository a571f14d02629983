/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disasm.c: inquest disasm - machine code around an address or a frame.
 */
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/code.h"
#include "cmd/session.h"
#include "inspect/bounds.h"

#define NOT_GIVEN UINT64_MAX
#define AROUND 8u               /* before a frame's instruction, and from it */
#define ALONE 16u               /* from an address */

/* ---- where -------------------------------------------------------------- */
static struct err *
resolve_symbol(struct insp *i, const char *name, uint64_t *out)
{
	_err_ struct err *none = insp_address_named(i, name, out);

	return !none ? NULL
	       : err_new(ERR_NOTFOUND, "%s; an address begins with 0x",
			 err_text(none));
}

static bool
is_address(const char *s, uint64_t *out)
{
	return strncmp(s, "0x", 2) == 0 && hex_u64(s + 2, strlen(s + 2), out);
}

/* 0x…, SYMBOL or SYMBOL+0x… */
static struct err *
resolve_place(struct insp *i, const char *typed, uint64_t *out)
{
	const char *plus = strrchr(typed, '+');
	uint64_t offset = 0;

	if (is_address(typed, out))
		return NULL;
	if (plus && (is_address(plus + 1, &offset))) {
		_free_ char *name = strndup(typed, (size_t)(plus - typed));
		if (!name)
			return err_nomem();
		struct err *err = resolve_symbol(i, name, out);
		*out += err ? 0 : offset;
		return err;
	}
	return resolve_symbol(i, typed, out);
}

static struct err *
disasm_thread(struct code *c)
{
	const struct code_options *o = c->options;
	const struct target *t = insp_target(c->insp);

	c->thread = t->n_threads ? 0 : INSP_NONE;
	if (o->tid == NOT_GIVEN)
		return NULL;
	c->thread = insp_find_thread(c->insp, o->tid);
	if (c->thread == INSP_NONE)
		return err_new(ERR_NOTFOUND, "no thread has the id %llu; "
			       "`" PROGRAM " report` lists them",
			       (unsigned long long)o->tid);
	return NULL;
}

static struct err *
disasm_no_frame(const struct code *c, const struct view *v)
{
	const struct target *t = insp_target(c->insp);

	if (c->options->frame == NOT_GIVEN)
		return NULL;
	return err_new(ERR_NOTFOUND, "there is no frame %llu: the stack of "
		       "thread %llu has %zu%s%s",
		       (unsigned long long)c->options->frame,
		       (unsigned long long)t->threads[c->thread].tid, v->n,
		       v->why ? ", because " : "", v->why ? v->why : "");
}

/* Report counts functions that were inlined, too, and those that called on by a
 * jump: they have the registers of the frame that they are in, or were called
 * from, which comes behind them. */
static size_t
disasm_real_frame(const struct view *v, size_t frame, uint64_t *caller)
{
	size_t real = 0, k;

	for (k = 0; k < frame; k++)
		real += snap_frame_has_stack(&v->frames[k]);
	while (k < v->n && !snap_frame_has_stack(&v->frames[k]))
		k++;
	*caller = k + 1;
	return real;
}

/* A function that called on by a jump had the registers of its caller, as far
 * as they are kept over a call. */
static struct frame
disasm_registers(const struct code *c, const struct frame *real, uint64_t pc)
{
	const struct arch *arch = insp_arch(c->insp);
	struct frame f = *real;

	if (pc == real->pc)
		return f;
	f.pc = f.regs.value[arch->pc] = pc;
	f.regs.known &= ~(1ull << arch->sp);
	return f;
}

static struct err *
disasm_frame(struct code *c)
{
	const struct code_options *o = c->options;
	uint64_t frame = o->frame == NOT_GIVEN ? 0 : o->frame;
	struct view v = { .n = 0 };
	struct stack s = { .n = 0 };
	struct err *err = disasm_thread(c);

	if (err || c->thread == INSP_NONE)
		return err;
	if (frame < DISASM_ENTRIES_MAX)
		err = insp_view(c->insp, c->thread, (size_t)frame + 1,
				c->arena, &v);
	if (err || frame >= v.n)
		return err ? err : disasm_no_frame(c, &v);
	size_t real = disasm_real_frame(&v, (size_t)frame, &c->caller);
	err = insp_stack(c->insp, c->thread, real + 1, false, c->arena, &s);
	if (err || real >= s.n)
		return err ? err : disasm_no_frame(c, &v);
	c->has_frame = true;
	c->frame = frame;
	c->frame_regs = disasm_registers(c, &s.frames[real],
					 v.frames[frame].pc);
	return NULL;
}

static struct err *
disasm_address(struct code *c, struct disasm_ask *ask)
{
	const struct code_options *o = c->options;

	ask->before = o->before == NOT_GIVEN ? 0 : (size_t)o->before;
	ask->count = o->count == NOT_GIVEN ? ALONE : (size_t)o->count;
	if (o->place)
		return resolve_place(c->insp, o->place, &ask->address);
	if (!c->has_frame)
		return err_new(ERR_NOTFOUND, "no registers of a thread are in "
			       "it: give an address or a symbol");
	ask->address = c->frame_regs.pc;
	if (o->before == NOT_GIVEN)
		ask->before = AROUND;
	if (o->count == NOT_GIVEN)
		ask->count = AROUND;
	return NULL;
}

static struct err *
disasm_lines(struct code *c)
{
	c->lines = arena_array(c->arena, c->list.n, sizeof(*c->lines));
	if (c->list.n && !c->lines)
		return err_nomem();
	for (size_t k = 0; k < c->list.n; k++) {
		const struct disasm_entry *e = &c->list.entries[k];
		if (e->kind == DISASM_CODE)
			err_free(insp_line(c->insp, e->address, &c->lines[k]));
	}
	return NULL;
}

/* ---- the verb ----------------------------------------------------------- */
static struct err *
disasm_read(struct code *c)
{
	const struct target *t = insp_target(c->insp);
	struct disasm_ask ask = { 0 };
	_disasm_ struct disasm *d = NULL;

	struct err *err = disasm_frame(c);
	if (!err)
		err = disasm_address(c, &ask);
	if (!err)
		err = disasm_new(t->process.machine, c->options->intel
				 ? DISASM_INTEL : DISASM_ATT, &d);
	if (err)
		return err;
	ask.thread = c->thread;
	ask.regs = c->has_frame ? &c->frame_regs.regs : NULL;
	ask.pc = c->frame_regs.pc;
	err = disasm_list(d, c->insp, &ask, c->arena, &c->list);
	if (!err && ask.count)
		c->absent = c->list.entries[ask.before].kind == DISASM_ABSENT;
	return err ? err : disasm_lines(c);
}

/* Runs jailed. */
static struct err *
disasm_work(struct subject *s, void *arg)
{
	const struct code_options *o = arg;
	_arena_ struct arena *a = arena_new(0);
	_buf_ struct buf out = { 0 };
	struct code c = { .arena = a, .path = s->path, .options = o };

	struct err *err = a ? subject_open(s) : err_nomem();
	if (err)
		return err;
	c.insp = s->insp;
	err = disasm_read(&c);
	if (err)
		return err;
	if (o->json)
		err = code_json(&c, &out);
	else
		code_text(&c, &out);
	if (!err)
		err = say_result(&out);
	if (!err)
		subject_tell_damage(s);
	return err;
}

static struct err *
disasm_run(const struct verb *v, int argc, char **argv, int *status)
{
	struct code_options o = {
		.tid = NOT_GIVEN, .frame = NOT_GIVEN, .count = NOT_GIVEN,
		.before = NOT_GIVEN,
	};
	struct operands operands;

	struct err *err = verb_parse(v, argc, argv, &o, &operands);
	if (err)
		return err;
	o.place = operands.n > 1 ? operands.item[1] : NULL;
	o.colour = say_colour(STDOUT_FILENO);
	const struct session_options session = {
		.verb = v->name, .snap = operands.item[0], .exe = o.exe,
		/* Which frames are inlined ones, only an index tells. */
		.indexes = o.frame == NOT_GIVEN ? INDEXES_USE : INDEXES_MAKE,
		.work = disasm_work, .arg = &o,
	};
	return session_run(&session, status);
}

static const struct opt disasm_opts[] = {
	{ "thread", 't', "TID", "the thread (the one that died)",
	  OPT_U64, offsetof(struct code_options, tid) },
	{ "frame", 'f', "FRAME", "its frame, as report counts them (0)",
	  OPT_U64, offsetof(struct code_options, frame) },
	{ "count", 'n', "COUNT", "instructions from there on (8 at a frame, "
	  "else 16)", OPT_U64, offsetof(struct code_options, count) },
	{ "before", 'b', "N", "instructions before it (8 at a frame, else 0)",
	  OPT_U64, offsetof(struct code_options, before) },
	{ "intel", 0, NULL, "Intel's syntax",
	  OPT_FLAG, offsetof(struct code_options, intel) },
	{ "json", 0, NULL, "as JSON",
	  OPT_FLAG, offsetof(struct code_options, json) },
	{ "exe", 0, "EXE", "the program, where it is not found by itself",
	  OPT_STRING, offsetof(struct code_options, exe) },
	{ .name = NULL }
};

static const struct example disasm_examples[] = {
	{ PROGRAM " disasm core.1234", "the instruction that failed" },
	{ PROGRAM " disasm -f 2 x.snap", "where its caller's caller goes on" },
	{ PROGRAM " disasm -n 40 x.snap malloc", "a function from its start" },
	{ PROGRAM " disasm -b 4 x.snap 0x401136", "around an address" },
	{ NULL, NULL }
};

static const struct exit_row disasm_exits[] = {
	{ 0, "shown" },
	{ 1, "the file is no snapshot or core, or cannot be handled" },
	{ 2, "usage" },
	{ 3, "no such file, thread, frame or symbol" },
	{ 4, "not allowed to read it" },
	{ 6, "the file is damaged or cut; what could be read is shown" },
	{ 0, NULL }
};

static const char disasm_manual[] =
	"Shows instructions: around where a thread stands, or from an address "
	"or a symbol on (0x401136, main, main+0x10, std::terminate). The "
	"current instruction of the frame is marked with =>; behind it stands "
	"what it reads, writes or goes to, computed from the frame's "
	"registers, and below, which registers went into that. Of other "
	"instructions only what is relative to the instruction itself is "
	"certain, and shown.\n\n"
	"There are exactly as many lines as were asked for. Instructions "
	"before an address are found by reading forward from where a function "
	"begins, by symbols or unwind tables. Where that is not known, where "
	"bytes are no instruction, were not captured or are not mapped, a "
	"line says so.\n\n"
	"With --json the result is one object. Addresses are strings in "
	"hexadecimal; what is not known is null:\n\n"
	"- inquest: version (1) and verb\n\n"
	"- snapshot: path\n\n"
	"- architecture, syntax (att, intel), and thread, frame, pc of the "
	"registers\n\n"
	"- instructions: address, length (0 beyond the address space), kind "
	"(code, bad, not-captured, not-mapped, unknown, outside), why, bytes, "
	"text, symbol, offset, file, line, current, flow (next, jump, branch, "
	"call, return), target (address, symbol, offset, indirect), memory, and "
	"registers that it reads beside those (an object). Each of memory has "
	"address, symbol, offset, size, reads, writes, registers "
	"(an object), answer (value, not-captured, not-mapped) and value, "
	"bytes in the order of memory";

const struct verb verb_disasm = {
	.name = "disasm",
	.operands = "SNAP [ADDRESS|SYMBOL]",
	.min = 1,
	.max = 2,
	.summary = "Show machine code, and what the failed instruction did",
	.text = disasm_manual,
	.options = disasm_opts,
	.examples = disasm_examples,
	.exits = disasm_exits,
	.run = disasm_run,
};
