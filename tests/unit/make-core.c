/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds small ELF cores byte by byte, for tests.
 */
#include "make-core.h"

#include <string.h>

static void
pad(struct buf *b, size_t align)
{
	buf_zero(b, (align - b->len % align) % align);
}

void
make_note(struct make_core *m, const char *owner, uint32_t type,
	  const void *desc, size_t n)
{
	buf_u32(&m->notes, (uint32_t)strlen(owner) + 1);
	buf_u32(&m->notes, (uint32_t)n);
	buf_u32(&m->notes, type);
	buf_put(&m->notes, owner, strlen(owner) + 1);
	pad(&m->notes, 4);
	buf_put(&m->notes, desc, n);
	pad(&m->notes, 4);
}

void
make_thread(struct make_core *m, uint32_t tid, uint16_t signal, uint64_t rip,
	    uint64_t rsp)
{
	uint8_t status[336] = { 0 };
	enum { REGS = 112, RIP = 16, RSP = 19 };

	memcpy(status + 12, &signal, sizeof(signal));
	memcpy(status + 32, &tid, sizeof(tid));
	memcpy(status + REGS + RIP * 8, &rip, sizeof(rip));
	memcpy(status + REGS + RSP * 8, &rsp, sizeof(rsp));
	make_note(m, "CORE", NT_PRSTATUS, status, sizeof(status));
}

void
make_siginfo(struct make_core *m, int32_t signo, int32_t code, uint64_t addr)
{
	uint8_t info[128] = { 0 };

	memcpy(info, &signo, sizeof(signo));
	memcpy(info + 8, &code, sizeof(code));
	memcpy(info + 16, &addr, sizeof(addr));
	make_note(m, "CORE", NT_SIGINFO, info, sizeof(info));
}

void
make_process(struct make_core *m, uint32_t pid, const char *name,
	     const char *args)
{
	uint8_t info[136] = { 0 };

	info[1] = 'R';
	memcpy(info + 24, &pid, sizeof(pid));
	memcpy(info + 40, name, strnlen(name, 15));
	memcpy(info + 56, args, strnlen(args, 79));
	make_note(m, "CORE", NT_PRPSINFO, info, sizeof(info));
}

void
make_files(struct make_core *m, const struct make_mapped *f, size_t n)
{
	_buf_ struct buf b = { 0 };

	buf_u64(&b, n);
	buf_u64(&b, 4096);
	for (size_t k = 0; k < n; k++) {
		buf_u64(&b, f[k].start);
		buf_u64(&b, f[k].end);
		buf_u64(&b, f[k].page);
	}
	for (size_t k = 0; k < n; k++)
		buf_put(&b, f[k].path, strlen(f[k].path) + 1);
	make_note(m, "CORE", NT_FILE, b.data, b.len);
}

void
make_segment(struct make_core *m, uint64_t addr, uint64_t memsz,
	     uint32_t flags, const void *bytes, size_t n)
{
	m->segments[m->n_segments++] = (struct make_segment){
		addr, memsz, flags, bytes, n,
	};
}

static Elf64_Ehdr
header_of(const struct make_core *m)
{
	Elf64_Ehdr eh = {
		.e_type = m->type ? m->type : ET_CORE,
		.e_machine = m->machine ? m->machine : EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(eh), .e_ehsize = sizeof(eh),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)(m->n_segments + 1),
	};

	memcpy(eh.e_ident, ELFMAG, SELFMAG);
	eh.e_ident[EI_CLASS] = m->class ? m->class : ELFCLASS64;
	eh.e_ident[EI_DATA] = m->data ? m->data : ELFDATA2LSB;
	eh.e_ident[EI_VERSION] = EV_CURRENT;
	eh.e_ident[EI_OSABI] = m->osabi;
	return eh;
}

void
make_core(struct make_core *m, struct buf *out)
{
	Elf64_Ehdr eh = header_of(m);
	uint64_t at = sizeof(eh) + (m->n_segments + 1) * sizeof(Elf64_Phdr);
	Elf64_Phdr note = { .p_type = PT_NOTE, .p_offset = at,
			    .p_filesz = m->notes.len };

	buf_put(out, &eh, sizeof(eh));
	buf_put(out, &note, sizeof(note));
	at += m->notes.len;
	for (size_t k = 0; k < m->n_segments; k++) {
		const struct make_segment *s = &m->segments[k];
		Elf64_Phdr ph = {
			.p_type = PT_LOAD, .p_flags = s->flags,
			.p_offset = at, .p_vaddr = s->addr,
			.p_filesz = s->n, .p_memsz = s->memsz,
		};

		buf_put(out, &ph, sizeof(ph));
		at += s->n;
	}
	buf_put(out, m->notes.data, m->notes.len);
	for (size_t k = 0; k < m->n_segments; k++)
		buf_put(out, m->segments[k].bytes, m->segments[k].n);
	buf_fini(&m->notes);
}
