/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_notes.c: the notes of an ELF core, in the order of the kernel's
 * (fs/binfmt_elf.c): the first thread's status, the process, then threads
 * with their registers. Layouts: struct elf_prstatus and elf_prpsinfo of
 * linux/elfcore.h, which all 64-bit machines share but for the registers.
 */
#include "capture/core.h"

#include <string.h>

/* With room for a million threads. */
#define NOTES_MAX (1u << 30)

enum {                                  /* struct elf_prstatus */
	PRSTATUS_SIGPEND = 16, PRSTATUS_PID = 32, PRSTATUS_PPID = 36,
	PRSTATUS_REGS = 112,
};
enum {                                  /* struct elf_prpsinfo */
	PRPSINFO_FLAG = 8, PRPSINFO_PGRP = 32, PRPSINFO_FNAME = 40,
	PRPSINFO_FNAME_SIZE = 16, PRPSINFO_ARGS = 56, PRPSINFO_ARGS_SIZE = 80,
	PRPSINFO_SIZE = 136,
};

/* ---- building ---- */

static void
pad_to(struct buf *b, size_t size)
{
	if (b->len < size)
		buf_zero(b, size - b->len);
}

static void
put_note(struct buf *out, const char *owner, uint32_t type, const void *desc,
	 size_t n)
{
	size_t name = strlen(owner) + 1;

	buf_u32(out, (uint32_t)name);
	buf_u32(out, (uint32_t)n);
	buf_u32(out, type);
	buf_put(out, owner, name);
	buf_zero(out, -name % 4);
	buf_put(out, desc, n);
	buf_zero(out, -n % 4);
}

static void
put_buf(struct buf *out, uint32_t type, const struct buf *desc)
{
	out->failed |= desc->failed;
	put_note(out, "CORE", type, desc->data, desc->len);
}

static void
put_span(struct buf *out, uint32_t type, const struct span *desc)
{
	if (desc->n)
		put_note(out, "CORE", type, desc->data, desc->n);
}

/* ---- a thread ---- */

static const struct snap_regset *
find_regset(const struct snap_thread *th, uint32_t kind)
{
	for (size_t k = 0; k < th->n_regsets; k++)
		if (th->regsets[k].kind == kind)
			return &th->regsets[k];
	return NULL;
}

/*
 * Every thread's status has the fatal signal, as the kernel writes it: gdb 13
 * takes the last one's for the process's. Who was hit is the first.
 */
static void
put_status(struct buf *out, const struct snap_process *p,
	   const struct snap_thread *th, const struct snap_regset *regs)
{
	int32_t signal = p->signal ? p->signal : th->signal;
	_buf_ struct buf b = { 0 };

	buf_u32(&b, (uint32_t)signal);  /* pr_info.si_signo */
	buf_zero(&b, 8);
	buf_u16(&b, (uint16_t)signal);  /* pr_cursig */
	pad_to(&b, PRSTATUS_PID);
	buf_u32(&b, (uint32_t)th->tid);
	buf_u32(&b, (uint32_t)p->ppid);
	pad_to(&b, PRSTATUS_REGS);
	buf_put(&b, regs->bytes.data, regs->bytes.n);
	buf_u32(&b, find_regset(th, NT_FPREGSET) != NULL);
	pad_to(&b, (b.len + 7) / 8 * 8);
	put_buf(out, NT_PRSTATUS, &b);
}

static void
put_regsets(struct buf *out, const struct snap_thread *th)
{
	for (size_t k = 0; k < th->n_regsets; k++) {
		const struct snap_regset *r = &th->regsets[k];

		if (r->kind != NT_PRSTATUS)
			put_note(out, r->kind == NT_FPREGSET ? "CORE" : "LINUX",
				 r->kind, r->bytes.data, r->bytes.n);
	}
}

/* ---- the process ---- */

static void
put_process(struct buf *out, const struct target *t)
{
	static const char letters[] = ".RSDTZI";        /* by enum */
	const struct snap_process *p = &t->process;
	const uint8_t state = t->n_threads ? t->threads[0].state : 0;
	const char *name = p->name ? p->name : "";
	const char *args = p->arguments ? p->arguments : "";
	_buf_ struct buf b = { 0 };

	buf_putc(&b, state ? (char)(state - 1) : 0);
	buf_putc(&b, state < sizeof(letters) - 1 ? letters[state] : '.');
	pad_to(&b, PRPSINFO_FLAG + sizeof(uint64_t));
	buf_u32(&b, (uint32_t)p->uid);
	buf_u32(&b, (uint32_t)p->gid);
	buf_u32(&b, (uint32_t)p->pid);
	buf_u32(&b, (uint32_t)p->ppid);
	pad_to(&b, PRPSINFO_FNAME);
	buf_put(&b, name, strnlen(name, PRPSINFO_FNAME_SIZE - 1));
	pad_to(&b, PRPSINFO_ARGS);
	/* One that gdb filled to the last byte has no NUL; it stays whole. */
	buf_put(&b, args, strnlen(args, PRPSINFO_ARGS_SIZE));
	pad_to(&b, PRPSINFO_SIZE);
	put_buf(out, NT_PRPSINFO, &b);
}

/* ---- mapped files ---- */

/** The note's two parts while they grow. */
struct mapped {
	struct buf ranges, names;
	uint64_t n;
};

static void
mapped_add(struct mapped *f, const struct snap_map *m, uint64_t start,
	   uint64_t end)
{
	buf_u64(&f->ranges, start);
	buf_u64(&f->ranges, end);
	buf_u64(&f->ranges, (m->offset + (start - m->start)) / PAGE);
	buf_put(&f->names, m->path, strlen(m->path) + 1);
	f->n++;
}

/*
 * Of a mapping that could be written to only what has bytes here: for the
 * rest a debugger would take the file's, which are not the process's.
 */
static void
mapped_add_segments(struct mapped *f, const struct core_file *c, size_t *next,
		    const struct snap_map *m)
{
	const Elf64_Phdr *ph = c->segments.data;

	while (*next < c->segments.n && ph[*next].p_vaddr < m->start)
		++*next;
	for (; *next < c->segments.n && ph[*next].p_vaddr < m->end; ++*next)
		mapped_add(f, m, ph[*next].p_vaddr,
			   ph[*next].p_vaddr + ph[*next].p_memsz);
}

static void
put_files(struct buf *out, const struct core_file *c)
{
	const struct target *t = c->target;
	struct mapped f = { 0 };
	_buf_ struct buf b = { 0 };
	size_t next = 1;        /* behind PT_NOTE */

	for (size_t k = 0; k < t->n_maps; k++) {
		const struct snap_map *m = &t->maps[k];

		if (!m->path || m->path[0] != '/')
			continue;
		if (m->perm & SNAP_PERM_W)
			mapped_add_segments(&f, c, &next, m);
		else
			mapped_add(&f, m, m->start, m->end);
	}
	buf_u64(&b, f.n);
	buf_u64(&b, PAGE);
	buf_put(&b, f.ranges.data, f.ranges.len);
	buf_put(&b, f.names.data, f.names.len);
	b.failed |= f.ranges.failed | f.names.failed;
	if (f.n)
		put_buf(out, NT_FILE, &b);
	buf_fini(&f.ranges);
	buf_fini(&f.names);
}

/* ---- all of them ---- */

/* A thread whose registers were not captured has no place in a core. */
static void
put_notes(struct buf *out, const struct core_file *c)
{
	const struct target *t = c->target;
	bool first = true;

	for (size_t k = 0; k < t->n_threads; k++) {
		const struct snap_thread *th = &t->threads[k];
		const struct snap_regset *regs = find_regset(th, NT_PRSTATUS);

		if (!regs)
			continue;
		put_status(out, &t->process, th, regs);
		if (first)
			put_process(out, t);
		put_span(out, NT_SIGINFO, &th->siginfo);
		if (first) {
			put_span(out, NT_AUXV, &t->auxv);
			put_files(out, c);
		}
		put_regsets(out, th);
		first = false;
	}
}

struct err *
core_put_notes(struct core_file *c)
{
	Elf64_Phdr *ph = c->segments.data;
	_buf_ struct buf notes = { .max = NOTES_MAX };

	put_notes(&notes, c);
	struct err *err = buf_err(&notes);
	if (err)
		return err;
	core_align(c, sizeof(uint32_t));
	ph[0] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = c->at,
			      .p_filesz = notes.len, .p_align = 4 };
	return notes.len ? core_put(c, notes.data, notes.len) : NULL;
}
