/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads as lldb wants them: all in one answer, with their registers and the
 * memory of their stacks, so that it asks for none of that thread by thread.
 */
#include "base/json.h"
#include "gdbstub/impl.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define FRAMES_MAX 64u
#define STACK_MIN 512u          /* what lldb reads at once */
#define STACK_MAX 4096u
/* Of all threads; less in a stop reply, which has two more digits a digit. */
#define STACKS_MAX (4u << 20)
#define STOP_STACKS_MAX (256u << 10)
#define ARENA_LIMIT (16u << 20)

struct err *
jthreads_put_json(struct stub *s, struct json *j)
{
	_buf_ struct buf text = { 0 };
	struct err *err = json_write(j, false, &text);

	json_free(j);
	if (!err)
		err = buf_err(&text);
	if (!err)
		framing_put_binary(&s->reply, text.data, text.len - 1,
				   SIZE_MAX);
	return err;
}

/* lldb numbers threads in the order of the list, and a program's first one
 * is 1 there: their own order, not the faulting one first. */
size_t
jthreads_nth(const struct inferior *f, size_t n)
{
	return f->by_tid[n].thread;
}

/* ---- why it stopped ------------------------------------------------------ */
static const struct fault {
	int signal, code;
	const char *text;
} FAULTS[] = {
	{ SIGSEGV, SEGV_MAPERR, "invalid address" },
	{ SIGSEGV, SEGV_ACCERR, "address access protected" },
	{ SIGBUS, BUS_ADRALN, "illegal alignment" },
	{ SIGBUS, BUS_ADRERR, "illegal address" },
	{ SIGBUS, BUS_OBJERR, "hardware error" },
	{ SIGFPE, FPE_INTDIV, "integer divide by zero" },
	{ SIGFPE, FPE_INTOVF, "integer overflow" },
	{ SIGFPE, FPE_FLTDIV, "floating point divide by zero" },
	{ SIGFPE, FPE_FLTOVF, "floating point overflow" },
	{ SIGFPE, FPE_FLTUND, "floating point underflow" },
	{ SIGFPE, FPE_FLTRES, "inexact floating point result" },
	{ SIGFPE, FPE_FLTINV, "invalid floating point operation" },
	{ SIGILL, ILL_ILLOPC, "illegal instruction" },
	{ SIGILL, ILL_ILLOPN, "illegal instruction operand" },
	{ SIGILL, ILL_ILLADR, "illegal addressing mode" },
	{ SIGILL, ILL_ILLTRP, "illegal trap" },
	{ SIGILL, ILL_PRVOPC, "privileged instruction" },
	{ SIGILL, ILL_PRVREG, "privileged register" },
};

/* Empty where the signal's name, which lldb knows, says all. */
static void
put_description(const struct inferior *f, struct buf *out)
{
	const struct snap_process *p = &insp_target(f->insp)->process;
	const char *name = signals_name(p->os, p->signal);
	bool told = false;

	for (size_t k = 0; k < countof(FAULTS) && name; k++) {
		if (p->os != SNAP_OS_LINUX || FAULTS[k].signal != p->signal
		    || FAULTS[k].code != p->signal_code)
			continue;
		buf_printf(out, "signal %s: %s", name, FAULTS[k].text);
		told = true;
	}
	if (told && (p->signal == SIGSEGV || p->signal == SIGBUS)
	    && p->has_fault_address)
		buf_printf(out, " (fault address: 0x%" PRIx64 ")",
			   p->fault_address);
}

/**
 * Why a thread stands. One only was stopped by a signal; a process that none
 * stopped has a reason, too, and so has a thread that was asked to run: lldb
 * goes on asking where it is told of no reason.
 */
struct reason {
	const char *kind;
	int signal;             /* 0 = none */
	struct buf text;        /* or empty */
};

static void
find_reason(const struct stub *s, const struct inferior *f, size_t thread,
	    struct reason *out)
{
	bool asked = f == stub_inferior(s) && thread == s->thread;

	*out = (struct reason){ .kind = "none" };
	if (thread != 0 && !asked)
		return;
	if (thread == 0)
		out->signal = stop_signal(f, thread);
	out->kind = out->signal ? "signal" : "exception";
	if (out->signal)
		put_description(f, &out->text);
	else if (thread)
		buf_puts(&out->text, "a snapshot does not run");
	else
		timeline_put_reason(&f->line, &out->text);
}

/* ---- one thread ---------------------------------------------------------- */
/* What unwinding needs; the rest is read when somebody asks for it. */
static bool
is_expedited(const struct inferior *f, const struct reg *r)
{
	return (r->dwarf >= 0 && r->dwarf < insp_arch(f->insp)->frame_regs)
	       || (r->generic && strcmp(r->generic, "pc") == 0);
}

static bool
reg_known(const struct inferior *f, size_t thread, size_t reg)
{
	uint8_t value[REG_BYTES_MAX];
	bool known = false;
	_err_ struct err *err = insp_reg_read(f->insp, thread, reg, value,
					      &known);

	return !err && known;
}

typedef struct err *reg_fn(void *arg, size_t reg, const char *hex);

static struct err *
each_expedited(const struct inferior *f, size_t thread, reg_fn *fn, void *arg)
{
	size_t n;
	const struct reg *regs = insp_regs(f->insp, &n);
	_buf_ struct buf hex = { 0 };
	struct err *err = NULL;

	for (size_t k = 0; k < n && !err; k++) {
		if (!is_expedited(f, &regs[k]) || !reg_known(f, thread, k))
			continue;
		buf_reset(&hex);
		err = regs_put(&hex, f, thread, k);
		if (!err)
			err = buf_err(&hex);
		if (!err)
			err = fn(arg, k, hex.data);
	}
	return err;
}

static struct err *
set_reg(void *arg, size_t reg, const char *hex)
{
	char key[24];

	snprintf(key, sizeof(key), "%zu", reg);
	json_set(arg, key, json_string(hex));
	return NULL;
}

/** How much of a stack is worth sending: down to its outermost frame. */
static size_t
stack_bytes(const struct inferior *f, size_t thread, uint64_t sp)
{
	_arena_ struct arena *a = arena_new(ARENA_LIMIT);
	struct stack st = { 0 };
	uint64_t need = 0;

	if (!a)
		return STACK_MIN;
	_err_ struct err *err = insp_stack(f->insp, thread, FRAMES_MAX, false,
					   a, &st);
	for (size_t k = 0; !err && k < st.n; k++)
		if (st.frames[k].cfa > sp && st.frames[k].cfa - sp > need)
			need = st.frames[k].cfa - sp;
	return need < STACK_MIN ? STACK_MIN
	       : need < STACK_MAX ? (size_t)need : STACK_MAX;
}

/* @left is how much all stacks may still have. */
static struct json *
stack_of(const struct inferior *f, size_t thread, size_t *left)
{
	uint8_t bytes[STACK_MAX];
	uint64_t sp;
	size_t got = 0;

	if (*left < STACK_MAX || !inferior_reg(f, thread, "sp", &sp))
		return NULL;
	_err_ struct err *err = space_read_some(
		insp_space(f->insp), sp, stack_bytes(f, thread, sp), bytes,
		&got);
	if (err)
		return NULL;
	_buf_ struct buf hex = { 0 };
	buf_hex(&hex, bytes, got);
	struct json *piece = json_object(), *list = json_array();
	json_set(piece, "address", json_u64(sp));
	json_set(piece, "bytes", json_string(hex.data));
	json_add(list, piece);
	*left -= got;
	return list;
}

static struct json *
brief(const struct stub *s, const struct inferior *f, size_t thread)
{
	const char *name = insp_target(f->insp)->threads[thread].name;
	struct json *j = json_object();
	struct reason why;

	find_reason(s, f, thread, &why);
	json_set(j, "tid", json_u64(f->tids[thread]));
	if (name && name[0])
		json_set(j, "name", json_string(name));
	json_set(j, "reason", json_string(why.kind));
	if (why.signal)
		json_set(j, "signal", json_i64(why.signal));
	if (why.text.len)
		json_set(j, "description", json_string(why.text.data));
	buf_fini(&why.text);
	return j;
}

/* All threads, with registers and stacks. */
static struct err *
describe_all(const struct stub *s, const struct inferior *f, size_t left,
	     struct json *list)
{
	struct err *err = NULL;

	for (size_t n = 0; n < f->n_threads && !err; n++) {
		size_t thread = jthreads_nth(f, n);
		struct json *j = brief(s, f, thread), *regs = json_object();

		err = each_expedited(f, thread, set_reg, regs);
		json_set(j, "registers", regs);
		struct json *memory = stack_of(f, thread, &left);
		if (memory)
			json_set(j, "memory", memory);
		json_add(list, j);
	}
	return err;
}

struct err *
jthreads_all(struct stub *s, const struct args *a)
{
	struct json *list = json_array();
	struct err *err = describe_all(s, stub_inferior(s), STACKS_MAX, list);

	(void)a;
	if (!err)
		return jthreads_put_json(s, list);
	json_free(list);
	return err;
}

struct err *
jthreads_stop(struct stub *s, const struct args *a)
{
	size_t inferior, thread;
	struct err *err = stub_find(s, a->v[0].thread, &inferior, &thread);

	return err ? err : stop_of(s, &s->inferiors[inferior], thread);
}

/* ---- what a stop reply tells more ---------------------------------------- */
static struct err *
put_reg(void *arg, size_t reg, const char *hex)
{
	buf_printf(arg, "%02zx:%s;", reg, hex);
	return NULL;
}

static void
put_threads(const struct stub *s, const struct inferior *f, struct buf *out)
{
	buf_puts(out, "threads:");
	for (size_t n = 0; n < f->n_threads; n++) {
		buf_puts(out, n ? "," : "");
		stub_put_thread(s, f, jthreads_nth(f, n), out);
	}
	buf_puts(out, ";thread-pcs:");
	for (size_t n = 0; n < f->n_threads; n++) {
		uint64_t pc = 0;

		inferior_reg(f, jthreads_nth(f, n), "pc", &pc);
		buf_printf(out, "%s%" PRIx64, n ? "," : "", pc);
	}
	buf_putc(out, ';');
}

/* Registers and stacks too: before the stop is shown, lldb looks at the
 * innermost frames of all threads. */
static struct err *
put_stop_info(const struct stub *s, const struct inferior *f,
	      struct buf *out)
{
	struct json *list = json_array();
	_buf_ struct buf text = { 0 };
	struct err *err = describe_all(s, f, STOP_STACKS_MAX, list);

	if (!err)
		err = json_write(list, false, &text);
	json_free(list);
	if (!err)
		err = buf_err(&text);
	if (err)
		return err;
	buf_puts(out, "jstopinfo:");
	buf_hex(out, text.data, text.len - 1);
	buf_putc(out, ';');
	return NULL;
}

/* A name that would have to be escaped comes by JSON alone. */
static void
put_name(const struct inferior *f, size_t thread, struct buf *out)
{
	const char *name = insp_target(f->insp)->threads[thread].name;
	_buf_ struct buf shown = { 0 };

	if (!name || !name[0])
		return;
	buf_escape(&shown, name, strlen(name));
	if (shown.failed || strcmp(shown.data, name) != 0)
		return;
	buf_puts(out, "hexname:");
	buf_hex(out, name, strlen(name));
	buf_putc(out, ';');
}

struct err *
jthreads_put_stop(struct stub *s, const struct inferior *f, size_t thread)
{
	struct buf *out = &s->reply;
	struct reason why;

	put_name(f, thread, out);
	find_reason(s, f, thread, &why);
	buf_printf(out, "reason:%s;", why.kind);
	if (why.text.len) {
		buf_puts(out, "description:");
		buf_hex(out, why.text.data, why.text.len);
		buf_putc(out, ';');
	}
	buf_fini(&why.text);
	struct err *err = each_expedited(f, thread, put_reg, out);
	if (err || !s->lists_threads)
		return err;
	put_threads(s, f, out);
	return put_stop_info(s, f, out);
}
