/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The notes of a Linux ELF core: threads with their registers, the process,
 * its signal, auxv and mapped files. Layouts: struct elf_prstatus and
 * elf_prpsinfo of linux/elfcore.h for x86-64, with which AArch64 agrees but
 * for the registers; NT_FILE as in fs/binfmt_elf.c.
 */
#include "inspect/arch.h"
#include "inspect/core.h"

#include <elf.h>
#include <signal.h>
#include <string.h>

/* Not in every elf.h. */
#define NOTE_XSAVE_LAYOUT 0x205
#define NOTE_ARM_SVE 0x405
#define NOTE_ARM_PAC_MASK 0x406
#define NOTE_ARM_TAGGED_ADDR_CTRL 0x409

#define CORE_THREADS_MAX (1u << 20)
#define CORE_FILES_MAX (1u << 20)

enum {                                  /* struct elf_prstatus, 64-bit */
	PRSTATUS_CURSIG = 12, PRSTATUS_PID = 32, PRSTATUS_PPID = 36,
	PRSTATUS_REGS = 112,
};
enum {                                  /* struct elf_prpsinfo, 64-bit */
	PRPSINFO_STATE = 0, PRPSINFO_UID = 16, PRPSINFO_GID = 20,
	PRPSINFO_PID = 24, PRPSINFO_PPID = 28, PRPSINFO_FNAME = 40,
	PRPSINFO_FNAME_SIZE = 16, PRPSINFO_ARGS = 56, PRPSINFO_ARGS_SIZE = 80,
};
enum { SIGINFO_SIGNO = 0, SIGINFO_CODE = 8, SIGINFO_ADDR = 16 };

typedef struct err *note_fn(struct core *c, uint32_t type, struct span desc);

static struct core_thread *
last_thread(struct core *c)
{
	if (c->threads.n == 0)
		return NULL;
	return (struct core_thread *)c->threads.data + c->threads.n - 1;
}

static void
add_regset(struct core_thread *t, uint32_t kind, struct span bytes)
{
	if (t->record.n_regsets < SNAP_REGSETS_MAX)
		t->sets[t->record.n_regsets++] =
			(struct snap_regset){ kind, bytes };
}

static struct err *
note_prstatus(struct core *c, uint32_t type, struct span desc)
{
	struct rd r = rd_of(desc.data, desc.n);

	rd_seek(&r, PRSTATUS_CURSIG);
	uint16_t signal = rd_u16(&r);
	rd_seek(&r, PRSTATUS_PID);
	uint32_t tid = rd_u32(&r);
	rd_seek(&r, PRSTATUS_REGS);
	size_t size = arch_table_of(arch_find(c->target.process.machine))
			      ->general_size;
	const void *regs = rd_bytes(&r, size);
	if (!regs)
		return core_gap(c, "a thread's status note is %zu bytes long, "
				"too short to hold registers", desc.n);
	struct core_thread *t = vec_add(&c->threads, c->target.arena,
					sizeof(*t));
	if (!t)
		return err_new(ERR_LIMIT, "more than %u threads",
			       CORE_THREADS_MAX);
	t->record.tid = tid;
	t->record.signal = signal;
	add_regset(t, type, (struct span){ regs, size });
	return NULL;
}

static struct err *
note_regset(struct core *c, uint32_t type, struct span desc)
{
	struct core_thread *t = last_thread(c);

	if (!t)
		return core_gap(c, "registers of kind 0x%x stand before any "
				"thread", type);
	add_regset(t, type, desc);
	return NULL;
}

static struct err *
note_layout(struct core *c, uint32_t type, struct span desc)
{
	/* Describes the machine, not a thread: kept with the first one. */
	if (c->threads.n)
		add_regset(c->threads.data, type, desc);
	return NULL;
}

static uint8_t
state_of(char sname)
{
	static const struct { char letter; uint8_t state; } states[] = {
		{ 'R', SNAP_STATE_RUNNING }, { 'S', SNAP_STATE_SLEEPING },
		{ 'D', SNAP_STATE_BLOCKED }, { 'T', SNAP_STATE_STOPPED },
		{ 't', SNAP_STATE_STOPPED }, { 'Z', SNAP_STATE_ZOMBIE },
	};

	for (size_t n = 0; n < countof(states); n++)
		if (states[n].letter == sname)
			return states[n].state;
	return SNAP_STATE_UNKNOWN;
}

static const char *
fixed_string(struct core *c, struct rd *r, size_t at, size_t size)
{
	rd_seek(r, at);
	const char *s = rd_bytes(r, size);
	return s ? arena_strndup(c->target.arena, s, strnlen(s, size)) : NULL;
}

static struct err *
note_prpsinfo(struct core *c, uint32_t type, struct span desc)
{
	(void)type;
	struct snap_process *p = &c->target.process;
	struct rd r = rd_of(desc.data, desc.n);

	if (desc.n < PRPSINFO_ARGS + PRPSINFO_ARGS_SIZE)
		return core_gap(c, "the process note is %zu bytes long: name "
				"and arguments are not known", desc.n);
	rd_seek(&r, PRPSINFO_STATE + 1);
	uint8_t state = state_of((char)rd_u8(&r));
	rd_seek(&r, PRPSINFO_UID);
	p->uid = rd_u32(&r);
	p->gid = rd_u32(&r);
	p->pid = rd_u32(&r);
	p->ppid = rd_u32(&r);
	p->name = fixed_string(c, &r, PRPSINFO_FNAME, PRPSINFO_FNAME_SIZE);
	p->arguments = fixed_string(c, &r, PRPSINFO_ARGS, PRPSINFO_ARGS_SIZE);
	struct core_thread *t = last_thread(c);
	if (t)
		t->record.state = state;
	return NULL;
}

static struct err *
note_siginfo(struct core *c, uint32_t type, struct span desc)
{
	(void)type;
	struct core_thread *t = last_thread(c);

	if (t && t->record.siginfo.n == 0)
		t->record.siginfo = desc;
	return NULL;
}

static struct err *
note_auxv(struct core *c, uint32_t type, struct span desc)
{
	(void)type;
	if (c->target.auxv.n == 0)
		c->target.auxv = desc;
	return NULL;
}

static struct err *
note_file(struct core *c, uint32_t type, struct span desc)
{
	(void)type;
	struct rd r = rd_of(desc.data, desc.n);
	uint64_t count = rd_u64(&r);
	uint64_t page = rd_u64(&r);

	if (count > rd_left(&r) / 24)
		return core_gap(c, "the list of mapped files is damaged: it "
				"claims %llu entries", (unsigned long long)count);
	struct rd names = r;
	rd_skip(&names, count * 24);
	for (uint64_t n = 0; n < count; n++) {
		struct core_file f = { 0 };

		f.start = rd_u64(&r);
		f.end = rd_u64(&r);
		uint64_t pages = rd_u64(&r);
		f.path = rd_str(&names);
		if (!f.path || __builtin_mul_overflow(pages, page, &f.offset))
			return core_gap(c, "the list of mapped files is cut "
					"after %llu of %llu entries",
					(unsigned long long)n,
					(unsigned long long)count);
		if (f.start >= f.end)
			continue;
		struct core_file *slot = vec_add(&c->files, c->target.arena,
						 sizeof(*slot));
		if (!slot)
			return err_new(ERR_LIMIT, "more than %u mapped files",
				       CORE_FILES_MAX);
		*slot = f;
	}
	return NULL;
}

static const struct {
	const char *owner;
	uint32_t type;
	note_fn *run;
} notes[] = {
	{ "CORE", NT_PRSTATUS, note_prstatus },
	{ "CORE", NT_FPREGSET, note_regset },
	{ "LINUX", NT_X86_XSTATE, note_regset },
	{ "LINUX", NOTE_XSAVE_LAYOUT, note_layout },
	{ "LINUX", NT_ARM_TLS, note_regset },
	{ "LINUX", NT_ARM_SYSTEM_CALL, note_regset },
	{ "LINUX", NOTE_ARM_SVE, note_regset },
	{ "LINUX", NOTE_ARM_PAC_MASK, note_regset },
	{ "LINUX", NOTE_ARM_TAGGED_ADDR_CTRL, note_regset },
	{ "CORE", NT_PRPSINFO, note_prpsinfo },
	{ "CORE", NT_SIGINFO, note_siginfo },
	{ "CORE", NT_AUXV, note_auxv },
	{ "CORE", NT_FILE, note_file },
};

static struct err *
note_take(struct core *c, const char *owner, uint32_t type, struct span desc)
{
	for (size_t n = 0; n < countof(notes); n++)
		if (notes[n].type == type && strcmp(notes[n].owner, owner) == 0)
			return notes[n].run(c, type, desc);
	if (strncmp(owner, "FreeBSD", 7) == 0 || strncmp(owner, "NetBSD", 6) == 0
	    || strncmp(owner, "OpenBSD", 7) == 0)
		c->foreign = true;
	return NULL;
}

struct err *
core_notes(struct core *c, struct span bytes)
{
	struct rd r = rd_of(bytes.data, bytes.n);

	c->threads.max = CORE_THREADS_MAX;
	c->files.max = CORE_FILES_MAX;
	while (rd_left(&r) >= sizeof(Elf64_Nhdr)) {
		uint32_t namesz = rd_u32(&r);
		uint32_t descsz = rd_u32(&r);
		uint32_t type = rd_u32(&r);
		const char *owner = rd_bytes(&r, namesz);
		rd_align(&r, 4);
		const void *desc = rd_bytes(&r, descsz);
		rd_align(&r, 4);
		if (!desc && descsz)
			return core_gap(c, "the notes are cut or damaged at "
					"byte %zu of %zu: threads may be "
					"missing", r.pos, bytes.n);
		if (!owner || namesz == 0 || owner[namesz - 1] != '\0')
			continue;
		struct err *err = note_take(c, owner, type,
					    (struct span){ desc, descsz });
		if (err)
			return err;
	}
	return NULL;
}

/* Only these carry si_addr, and only when the kernel raised them. */
static bool
signal_has_address(int signal, int code)
{
	return code > 0 && code != SI_KERNEL
	       && (signal == SIGSEGV || signal == SIGBUS || signal == SIGILL
		   || signal == SIGFPE || signal == SIGTRAP);
}

static void
cause_of_death(struct core *c, struct snap_thread *first)
{
	struct snap_process *p = &c->target.process;
	struct rd r = rd_of(first->siginfo.data, first->siginfo.n);
	int32_t signo = (int32_t)rd_u32(&r);

	rd_seek(&r, SIGINFO_CODE);
	int32_t code = (int32_t)rd_u32(&r);
	rd_seek(&r, SIGINFO_ADDR);
	uint64_t address = rd_u64(&r);
	if (!rd_failed(&r)) {
		p->signal = signo;
		p->signal_code = code;
		p->has_fault_address = signal_has_address(signo, code);
		p->fault_address = p->has_fault_address ? address : 0;
	} else {
		p->signal = first->signal;
	}
	if (p->signal) {
		first->faulting = true;
		first->signal = p->signal;
		p->faulting_tid = first->tid;
	}
}

struct err *
core_notes_end(struct core *c)
{
	size_t n = c->threads.n;
	struct core_thread *from = c->threads.data;
	struct snap_thread *to = arena_array(c->target.arena, n, sizeof(*to));

	if (n && !to)
		return err_nomem();
	for (size_t k = 0; k < n; k++) {
		to[k] = from[k].record;
		to[k].regsets = from[k].sets;
		/*
		 * The kernel writes the fatal signal into every thread's
		 * status; only the first one was hit by it.
		 */
		if (k > 0) {
			struct rd r = rd_of(to[k].siginfo.data,
					    to[k].siginfo.n);
			to[k].signal = (int32_t)rd_u32(&r);
		}
	}
	if (n)
		cause_of_death(c, to);
	c->target.threads = to;
	c->target.n_threads = n;
	if (n && c->target.process.pid == 0)
		c->target.process.pid = to[0].tid;
	return NULL;
}
