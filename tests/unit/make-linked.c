/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A core of a dynamically linked process in three pages: program image, data
 * with the dynamic linker's chain, stack with a frame-pointer chain.
 */
#include "make-core.h"

#include <link.h>
#include <string.h>

enum { PROGRAM = 0x555555554000, LIBRARY = 0x7ffff7a00000,
       DATA = 0x555555558000, STACK = 0x7fffffffe000 };
enum { PAGE = 4096 };
/* What of each page is in the file: a small core is a good fuzz seed. */
enum { IMAGE_BYTES = 0x424, DATA_BYTES = 0x420, STACK_BYTES = 0x180 };

static void
put(uint8_t *page, size_t at, const void *data, size_t n)
{
	memcpy(page + at, data, n);
}

static void
put_image(uint8_t *page, uint64_t dynamic, uint8_t id)
{
	Elf64_Ehdr eh = {
		.e_type = ET_DYN, .e_machine = EM_X86_64,
		.e_version = EV_CURRENT, .e_phoff = sizeof(eh),
		.e_entry = 0x100, .e_ehsize = sizeof(eh),
		.e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 4,
	};
	Elf64_Phdr ph[4] = {
		{ .p_type = PT_PHDR, .p_offset = sizeof(eh),
		  .p_vaddr = sizeof(eh), .p_memsz = sizeof(ph) },
		{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = PAGE,
		  .p_memsz = 2 * PAGE },
		{ .p_type = PT_NOTE, .p_offset = 0x400, .p_vaddr = 0x400,
		  .p_filesz = 36, .p_memsz = 36 },
		{ .p_type = PT_DYNAMIC, .p_vaddr = dynamic, .p_memsz = 32 },
	};
	Elf64_Nhdr note = { 4, 20, NT_GNU_BUILD_ID };
	uint8_t bytes[20];

	memcpy(eh.e_ident, ELFMAG, SELFMAG);
	eh.e_ident[EI_CLASS] = ELFCLASS64;
	eh.e_ident[EI_DATA] = ELFDATA2LSB;
	eh.e_ident[EI_VERSION] = EV_CURRENT;
	memset(bytes, id, sizeof(bytes));
	put(page, 0, &eh, sizeof(eh));
	put(page, sizeof(eh), ph, sizeof(ph));
	put(page, 0x400, &note, sizeof(note));
	put(page, 0x40c, "GNU", 4);
	put(page, 0x410, bytes, sizeof(bytes));
}

static void
put_chain(uint8_t *page, uint64_t last)
{
	Elf64_Dyn dynamic[2] = { { .d_tag = DT_DEBUG,
				   .d_un.d_ptr = DATA + 0x100 } };
	struct { uint64_t version, map, brk, state, base; } debug = {
		1, DATA + 0x200, 0, 0, LIBRARY,
	};
	struct { uint64_t addr, name, ld, next, prev; }
		program = { PROGRAM, DATA + 0x400, DATA, DATA + 0x300, 0 },
		library = { LIBRARY, DATA + 0x410, LIBRARY + 0x600, last,
			    DATA + 0x200 };

	put(page, 0, dynamic, sizeof(dynamic));
	put(page, 0x100, &debug, sizeof(debug));
	put(page, 0x200, &program, sizeof(program));
	put(page, 0x300, &library, sizeof(library));
	put(page, 0x410, "/lib/libx.so.1", 15);
}

static void
put_frames(uint8_t *page)
{
	const uint64_t frames[4][2] = {
		{ STACK + 0x120, PROGRAM + 0x180 },
		{ STACK + 0x140, LIBRARY + 0x180 },
		{ STACK + 0x160, PROGRAM + 0x190 }, { 0, 0 },
	};

	for (size_t k = 0; k < 4; k++)
		put(page, 0x100 + k * 0x20, frames[k], sizeof(frames[k]));
}

static void
add_auxv(struct make_core *m)
{
	const uint64_t auxv[] = {
		AT_PHDR, PROGRAM + sizeof(Elf64_Ehdr), AT_PHNUM, 4,
		AT_ENTRY, PROGRAM + 0x100, AT_BASE, LIBRARY, AT_NULL, 0,
	};

	make_note(m, "CORE", NT_AUXV, auxv, sizeof(auxv));
}

void
make_linked_core(uint64_t last_next, struct buf *out)
{
	static uint8_t program[PAGE], library[PAGE], data[PAGE], stack[PAGE];
	struct make_core m = { 0 };

	put_image(program, DATA - PROGRAM, 0xaa);
	put_image(library, 0x600, 0xbb);
	put_chain(data, last_next);
	put_frames(stack);
	make_thread(&m, 100, 11, PROGRAM + 0x170, STACK + 0x80);
	make_process(&m, 100, "linked", "linked");
	make_siginfo(&m, 11, 1, 0x10);
	add_auxv(&m);
	make_files(&m, (const struct make_mapped[]){
		{ PROGRAM, PROGRAM + 2 * PAGE, 0, "/bin/linked" },
		{ LIBRARY, LIBRARY + 2 * PAGE, 0, "/usr/lib/libx.so.1.2" },
	}, 2);
	make_segment(&m, PROGRAM, 2 * PAGE, PF_R | PF_X, program,
		     IMAGE_BYTES);
	make_segment(&m, DATA, PAGE, PF_R | PF_W, data, DATA_BYTES);
	make_segment(&m, LIBRARY, 2 * PAGE, PF_R | PF_X, library,
		     IMAGE_BYTES);
	make_segment(&m, STACK, PAGE, PF_R | PF_W, stack, STACK_BYTES);
	make_core(&m, out);
}
