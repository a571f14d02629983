/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes as the unwind tables of a program and as its stack: unwound
 * with a second opinion, so libdw and libunwind both read them.
 *
 * Input: 128 bytes of stack, then .eh_frame. The upper half of the stack is
 * the search table as well.
 */
#include "fuzz.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../unit/make-core.h"
#include "inspect/unwind.h"

#define PAGE 4096u
#define PROGRAM 0x400000u
#define STACK 0x7000000u
#define FRAMES_MAX 64
#define STACK_BYTES 128u

enum { HEADER = 0x200, EH_FRAME = 0x300, TEXT = 0x100 };
enum { ROWS = 8, HEADER_SIZE = 12 + 8 * ROWS };

static void
put_u32(uint8_t *at, uint32_t v)
{
	for (unsigned n = 0; n < 4; n++)
		at[n] = (uint8_t)(v >> 8 * n);
}

/* .eh_frame_hdr, as linkers write it. */
static void
put_header(uint8_t *page, const uint8_t *rows)
{
	static const uint8_t encodings[] = { 1, 0x1b, 3, 0x3b };

	memcpy(page + HEADER, encodings, sizeof(encodings));
	put_u32(page + HEADER + 4, EH_FRAME - (HEADER + 4));
	put_u32(page + HEADER + 8, ROWS);
	memcpy(page + HEADER + 12, rows, 8 * ROWS);
}

static void
put_program(uint8_t *page, const uint8_t *rows, const uint8_t *tables,
	    size_t n)
{
	Elf64_Ehdr eh = {
		.e_type = ET_EXEC, .e_machine = EM_X86_64,
		.e_version = EV_CURRENT, .e_phoff = sizeof(eh),
		.e_entry = PROGRAM + 0xf00, .e_ehsize = sizeof(eh),
		.e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2,
	};
	Elf64_Phdr ph[2] = {
		{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X,
		  .p_vaddr = PROGRAM, .p_filesz = PAGE, .p_memsz = PAGE,
		  .p_align = PAGE },
		{ .p_type = PT_GNU_EH_FRAME, .p_flags = PF_R,
		  .p_offset = HEADER, .p_vaddr = PROGRAM + HEADER,
		  .p_filesz = HEADER_SIZE, .p_memsz = HEADER_SIZE,
		  .p_align = 4 },
	};

	memcpy(eh.e_ident, ELFMAG, SELFMAG);
	eh.e_ident[EI_CLASS] = ELFCLASS64;
	eh.e_ident[EI_DATA] = ELFDATA2LSB;
	eh.e_ident[EI_VERSION] = EV_CURRENT;
	memcpy(page, &eh, sizeof(eh));
	memcpy(page + sizeof(eh), ph, sizeof(ph));
	put_header(page, rows);
	memcpy(page + EH_FRAME, tables,
	       n < PAGE - EH_FRAME ? n : PAGE - EH_FRAME);
}

static void
put_core(struct buf *out, uint8_t *program, uint8_t *stack)
{
	struct make_core m = { 0 };
	uint64_t auxv[] = { AT_PHDR, PROGRAM + 64, AT_PHNUM, 2, AT_PHENT, 56,
			    AT_ENTRY, PROGRAM + 0xf00, 0, 0 };
	uint64_t status[42] = { 0 };
	enum { REGS = 14 };

	for (size_t n = 0; n < 27; n++)         /* every register: the stack */
		status[REGS + n] = STACK + 8 * n;
	status[REGS + 16] = PROGRAM + TEXT + 2;
	status[REGS + 19] = STACK + 16;
	make_note(&m, "CORE", NT_PRSTATUS, status, sizeof(status));
	make_note(&m, "CORE", NT_AUXV, auxv, sizeof(auxv));
	make_segment(&m, PROGRAM, PAGE, PF_R | PF_X, program, PAGE);
	make_segment(&m, STACK, PAGE, PF_R | PF_W, stack, PAGE);
	make_core(&m, out);
}

/* The quick way has the frames that the other has, and ends as it does. */
static void
check_same(const struct stack *s, const struct trace *t)
{
	bool same = s->n == t->n && s->end == t->end;

	for (size_t k = 0; same && k < s->n; k++) {
		const struct frame *f = &s->frames[k];
		const struct trace_frame *g = &t->frames[k];

		same = f->pc == g->pc && f->cfa == g->cfa && f->how == g->how
		       && f->flags == g->flags
		       && (uint32_t)f->module == g->module;
	}
	if (!same || strcmp(s->why ? s->why : "", t->why ? t->why : "") != 0)
		abort();
}

static struct err *
unwind_both(struct insp *i, struct arena *a)
{
	struct stack s;
	struct trace t, again;
	struct err *err = insp_stack(i, 0, FRAMES_MAX, false, a, &s);

	if (!err)
		err = insp_trace(i, 0, FRAMES_MAX, false, a, &t);
	if (!err)
		err = insp_trace(i, 0, FRAMES_MAX, false, a, &again);
	if (err)
		return err;
	check_same(&s, &t);
	check_same(&s, &again);
	return insp_stack(i, 0, FRAMES_MAX, true, a, &s);
}

/* Errors end the run of one input; nothing else may happen. */
static struct err *
unwind(struct source *core, struct source *exe)
{
	_arena_ struct arena *a = arena_new(64 << 20);
	struct insp_options options = { .exe = exe };
	_insp_ struct insp *i = NULL;
	struct target *target;

	struct err *err = a ? target_open(core, &target) : err_nomem();
	if (!err)
		err = insp_open(target, &options, &i);
	return err ? err : unwind_both(i, a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t program[PAGE] = { 0 }, stack[PAGE] = { 0 };
	size_t head = n < STACK_BYTES ? n : STACK_BYTES;
	_source_ struct source *core = NULL;
	_source_ struct source *exe = NULL;
	_buf_ struct buf file = { 0 };

	memcpy(stack, data, head);
	put_program(program, stack + STACK_BYTES / 2, data + head, n - head);
	put_core(&file, program, stack);
	int fd = memfd_create("program", MFD_CLOEXEC);
	if (fd < 0 || write(fd, program, PAGE) != PAGE)
		return 0;
	_err_ struct err *no_exe = source_fd(fd, "program", &exe);
	_err_ struct err *no_core = source_mem(file.data, file.len, "core",
					       &core);
	if (!no_exe && !no_core)
		err_free(unwind(core, exe));
	return 0;
}
