/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals, their codes, and what is certain about a fault.
 *
 * A core keeps si_code and si_addr, but not the processor's error code: that
 * an access was a read or a write it does not say.
 */
#include "analysis/impl.h"

#include <signal.h>
#include <string.h>

/* An x86-64 siginfo: <asm-generic/siginfo.h>, offsets of the union's parts. */
#define SIGINFO_PID 16
#define SIGINFO_UID 20

/* SYS_SECCOMP of <asm-generic/siginfo.h>, which <signal.h> does not have. */
#define CODE_SECCOMP 1

/* Faults nearer to the stack pointer than this are the stack's. */
#define STACK_NEAR (64u << 10)

struct code_row {
	int signal;             /* 0 = any */
	int code;
	const char *name;
	const char *text;       /* @ stands for the address */
	const char *jump;       /* where the address is the pc; or NULL */
};

static const struct code_row code_rows[] = {
	{ SIGSEGV, SEGV_MAPERR, "SEGV_MAPERR",
	  "access to @, where nothing is mapped",
	  "jump to @, where nothing is mapped" },
	{ SIGSEGV, SEGV_ACCERR, "SEGV_ACCERR",
	  "access to @, which its mapping does not permit",
	  "jump to @, which its mapping does not permit" },
	{ SIGSEGV, SEGV_BNDERR, "SEGV_BNDERR",
	  "access to @, outside of the bounds checked", NULL },
	{ SIGSEGV, SEGV_PKUERR, "SEGV_PKUERR",
	  "access to @, which its protection key forbids", NULL },
	{ SIGSEGV, SI_KERNEL, "SI_KERNEL",
	  "general protection: an address that is not canonical, or an "
	  "instruction that is not permitted", NULL },
	{ SIGBUS, BUS_ADRALN, "BUS_ADRALN", "misaligned access to @", NULL },
	{ SIGBUS, BUS_ADRERR, "BUS_ADRERR",
	  "access to @, which has no memory behind it, as past the end of a "
	  "mapped file", NULL },
	{ SIGBUS, BUS_OBJERR, "BUS_OBJERR", "hardware error at @", NULL },
	{ SIGBUS, BUS_MCEERR_AR, "BUS_MCEERR_AR",
	  "defective memory at @ was used", NULL },
	{ SIGBUS, BUS_MCEERR_AO, "BUS_MCEERR_AO",
	  "defective memory at @ was found", NULL },
	{ SIGFPE, FPE_INTDIV, "FPE_INTDIV", "integer division by zero", NULL },
	{ SIGFPE, FPE_INTOVF, "FPE_INTOVF", "integer overflow", NULL },
	{ SIGFPE, FPE_FLTDIV, "FPE_FLTDIV",
	  "floating point division by zero", NULL },
	{ SIGFPE, FPE_FLTOVF, "FPE_FLTOVF", "floating point overflow", NULL },
	{ SIGFPE, FPE_FLTUND, "FPE_FLTUND", "floating point underflow", NULL },
	{ SIGFPE, FPE_FLTRES, "FPE_FLTRES",
	  "inexact floating point result", NULL },
	{ SIGFPE, FPE_FLTINV, "FPE_FLTINV",
	  "invalid floating point operation", NULL },
	{ SIGFPE, FPE_FLTSUB, "FPE_FLTSUB", "subscript out of range", NULL },
	{ SIGILL, ILL_ILLOPC, "ILL_ILLOPC", "illegal opcode", NULL },
	{ SIGILL, ILL_ILLOPN, "ILL_ILLOPN", "illegal operand", NULL },
	{ SIGILL, ILL_ILLADR, "ILL_ILLADR", "illegal addressing mode", NULL },
	{ SIGILL, ILL_ILLTRP, "ILL_ILLTRP", "illegal trap", NULL },
	{ SIGILL, ILL_PRVOPC, "ILL_PRVOPC", "privileged opcode", NULL },
	{ SIGILL, ILL_PRVREG, "ILL_PRVREG", "privileged register", NULL },
	{ SIGILL, ILL_COPROC, "ILL_COPROC", "coprocessor error", NULL },
	{ SIGILL, ILL_BADSTK, "ILL_BADSTK", "internal stack error", NULL },
	{ SIGTRAP, TRAP_BRKPT, "TRAP_BRKPT", "breakpoint", NULL },
	{ SIGTRAP, TRAP_TRACE, "TRAP_TRACE", "trace trap", NULL },
	{ SIGTRAP, TRAP_BRANCH, "TRAP_BRANCH", "branch trap", NULL },
	{ SIGTRAP, TRAP_HWBKPT, "TRAP_HWBKPT", "hardware breakpoint", NULL },
	{ SIGSYS, CODE_SECCOMP, "SYS_SECCOMP",
	  "a system call that a seccomp filter forbids", NULL },
	{ 0, SI_USER, "SI_USER", "sent with kill()", NULL },
	{ 0, SI_QUEUE, "SI_QUEUE", "sent with sigqueue()", NULL },
	{ 0, SI_TKILL, "SI_TKILL", "sent with tgkill()", NULL },
	{ 0, SI_TIMER, "SI_TIMER", "a timer expired", NULL },
	{ 0, SI_MESGQ, "SI_MESGQ", "a message arrived in a queue", NULL },
	{ 0, SI_ASYNCIO, "SI_ASYNCIO", "asynchronous I/O completed", NULL },
	{ 0, SI_KERNEL, "SI_KERNEL", "raised by the kernel", NULL },
};

static const char *
signal_name(const struct snap_process *p, struct arena *a)
{
	/* Other systems number theirs differently. */
	const char *name = p->os == SNAP_OS_LINUX && p->signal > 0
			   ? sigabbrev_np(p->signal) : NULL;

	return name ? arena_printf(a, "SIG%s", name) : NULL;
}

/* Without a siginfo there is no code: 0 would mean "sent with kill()". */
static const struct code_row *
code_find(const struct target *t, int number, int code)
{
	if (!number || !t->n_threads || !t->threads[0].siginfo.n)
		return NULL;
	for (size_t k = 0; k < countof(code_rows); k++) {
		const struct code_row *r = &code_rows[k];
		if (r->code == code && (!r->signal || r->signal == number))
			return r;
	}
	return NULL;
}

bool
cause_register(struct insp *i, unsigned number, uint64_t *out)
{
	struct frame_regs regs;

	if (!insp_target(i)->n_threads || number >= FRAME_REGS)
		return false;
	_err_ struct err *none = insp_frame_regs(i, 0, &regs);
	if (none || !(regs.known >> number & 1))
		return false;
	*out = regs.value[number];
	return true;
}

/* "@" in @text becomes the address. */
static void
put_text(struct buf *b, const char *text, const struct snap_process *p)
{
	for (; *text; text++) {
		if (*text != '@')
			buf_putc(b, *text);
		else if (p->has_fault_address)
			buf_printf(b, "0x%llx",
				   (unsigned long long)p->fault_address);
		else
			buf_puts(b, "an address that was not recorded");
	}
}

static void
put_permissions(struct buf *b, const struct snap_map *map)
{
	buf_printf(b, " (%c%c%c", map->perm & SNAP_PERM_R ? 'r' : '-',
		   map->perm & SNAP_PERM_W ? 'w' : '-',
		   map->perm & SNAP_PERM_X ? 'x' : '-');
	if (map->path) {
		buf_puts(b, " of ");
		buf_escape(b, map->path, strlen(map->path));
	}
	buf_putc(b, ')');
}

/*
 * Is the fault one of a stack that grew out of its mapping: near the stack
 * pointer, in memory that cannot be used, *@below bytes below memory that can?
 * A pointer that is just wrong may lead there, too.
 */
bool
cause_below_stack(struct insp *i, uint64_t address, uint64_t *below)
{
	struct region here, above;
	uint64_t sp;

	if (!cause_register(i, insp_arch(i)->sp, &sp))
		return false;
	if (address > sp ? address - sp > STACK_NEAR : sp - address > STACK_NEAR)
		return false;
	space_region(insp_space(i), address, &here);
	if (here.mapped && (!here.map || (here.map->perm & SNAP_PERM_W)))
		return false;
	/* What was captured in one piece may be two mappings. */
	if (here.map && here.map->end < here.end)
		here.end = here.map->end;
	if (here.end - address > STACK_NEAR)
		return false;
	*below = here.end - address;
	space_region(insp_space(i), here.end, &above);
	return above.mapped && above.map && (above.map->perm & SNAP_PERM_W);
}

/* What else is certain about the address of a SIGSEGV. */
static void
put_about_address(struct buf *b, struct insp *i, const struct cause *r)
{
	const struct snap_process *p = &insp_target(i)->process;
	struct region region;
	uint64_t below;

	if (r->number != SIGSEGV || !p->has_fault_address || r->code <= 0
	    || r->code == SI_KERNEL)
		return;
	space_region(insp_space(i), p->fault_address, &region);
	if (r->code == SEGV_ACCERR && region.mapped && region.map)
		put_permissions(b, region.map);
	if (p->fault_address < CAUSE_FIRST_PAGE)
		buf_puts(b, CAUSE_NULL);
	else if (cause_below_stack(i, p->fault_address, &below))
		buf_printf(b, ": %llu bytes below the stack's mapping: the "
			   "stack has probably overflowed",
			   (unsigned long long)below);
}

static void
find_sender(const struct target *t, struct cause *r)
{
	struct rd rd;

	/* Codes up to 0 are those that processes send: sigaction(2). */
	if (!r->code_name || r->code > 0 || r->code == SI_TIMER)
		return;
	rd = rd_of(t->threads[0].siginfo.data, t->threads[0].siginfo.n);
	rd_seek(&rd, SIGINFO_PID);
	r->sender_pid = rd_u32(&rd);
	r->sender_uid = rd_u32(&rd);
	r->has_sender = !rd_failed(&rd);
}

static void
put_sender(struct buf *b, const struct target *t, const struct cause *r)
{
	if (!r->has_sender)
		return;
	if (r->sender_pid != t->process.pid)
		buf_printf(b, " by process %llu of user %llu",
			   (unsigned long long)r->sender_pid,
			   (unsigned long long)r->sender_uid);
	else if (r->number == SIGABRT)
		buf_puts(b, " by the program itself, as abort() does");
	else
		buf_puts(b, " by the program itself");
}

static void
put_cause(struct buf *b, struct insp *i, const struct cause *r,
	  const struct code_row *row)
{
	const struct snap_process *p = &insp_target(i)->process;
	uint64_t pc;

	if (!r->number) {
		buf_puts(b, "no signal: the process was running");
	} else if (!row && r->code) {
		buf_printf(b, "for a reason with code %d", r->code);
	} else if (!row) {
		buf_puts(b, "for a reason that was not recorded");
	} else if (row->jump && p->has_fault_address
		   && cause_register(i, insp_arch(i)->pc, &pc)
		   && pc == p->fault_address) {
		put_text(b, row->jump, p);
	} else {
		put_text(b, row->text, p);
	}
	put_about_address(b, i, r);
	put_sender(b, insp_target(i), r);
}

/* ---- the instruction ---------------------------------------------------- */
static struct err *
find_instruction(struct insp *i, struct arena *a,
		 const struct disasm_entry **out)
{
	const struct target *t = insp_target(i);
	_disasm_ struct disasm *d = NULL;
	struct frame_regs regs;
	struct disasm_list list;

	*out = NULL;
	/* Codes up to 0 are those that processes send: sigaction(2). */
	if (!t->n_threads || !t->process.signal || t->process.signal_code <= 0)
		return NULL;
	struct err *err = insp_frame_regs(i, 0, &regs);
	if (err || !(regs.known >> insp_arch(i)->pc & 1)) {
		err_free(err);
		return NULL;
	}
	const uint64_t pc = regs.value[insp_arch(i)->pc];
	const struct disasm_ask ask = {
		.address = pc, .count = 1, .regs = &regs, .pc = pc,
	};
	err = disasm_new(t->process.machine, DISASM_ATT, &d);
	if (!err)
		err = disasm_list(d, i, &ask, a, &list);
	if (!err && list.entries[0].kind == DISASM_CODE)
		*out = list.entries;
	return err;
}

struct err *
cause_find(struct insp *i, struct arena *a, struct cause *out)
{
	const struct target *t = insp_target(i);
	_buf_ struct buf text = { 0 };

	memset(out, 0, sizeof(*out));
	out->number = t->process.signal;
	out->code = t->process.signal_code;
	out->signal = signal_name(&t->process, a);
	const struct code_row *row = code_find(t, out->number, out->code);
	out->code_name = row ? row->name : NULL;
	find_sender(t, out);
	put_cause(&text, i, out, row);
	struct err *err = buf_err(&text);
	if (err)
		return err;
	out->text = arena_strdup(a, text.data);
	err = out->text ? find_instruction(i, a, &out->instruction)
	      : err_nomem();
	if (!err)
		cause_classify(i, out);
	return err;
}
