/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of thread-local storage: where a thread's copy is, and when it
 * has none. The program brings its C library's description with it, as static
 * programs do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>

#include "assert-err.h"
#include "inspect/inspect.h"
#include "make-core.h"

#define PAGE 4096u
#define PROGRAM 0x400000u
#define DATA 0x600000u
#define DTV 0x100u              /* offsets in the data page */
#define LINK_MAP 0x400u
#define THREAD 0x800u
#define NUMBER_AT 0x48u         /* fields of the link map */
#define OFFSET_AT 0x40u

struct fixture {
	uint16_t machine;               /* 0 = x86-64 */
	uint8_t program[PAGE];
	uint64_t data[PAGE / 8];
	struct buf file;
	struct source *source, *exe;
	struct insp *insp;
};

static void
put_symbols(uint8_t *page)
{
	enum { SYMBOLS = 0x400, NAMES = 0x500, FIELDS = 0x700,
	       SECTIONS = 0x800 };
	static const char names[] = "\0_thread_db_link_map_l_tls_modid"
				    "\0_thread_db_link_map_l_tls_offset";
	uint32_t fields[] = { 64, 1, NUMBER_AT, 64, 1, OFFSET_AT };
	Elf64_Sym symbols[3] = {
		{ .st_name = 0 },
		{ .st_name = 1, .st_info = STT_OBJECT | STB_GLOBAL << 4,
		  .st_shndx = 3, .st_value = PROGRAM + FIELDS, .st_size = 12 },
		{ .st_name = 33, .st_info = STT_OBJECT | STB_GLOBAL << 4,
		  .st_shndx = 3, .st_value = PROGRAM + FIELDS + 12,
		  .st_size = 12 },
	};
	Elf64_Shdr sections[4] = {
		{ .sh_type = SHT_NULL },
		{ .sh_type = SHT_SYMTAB, .sh_offset = SYMBOLS, .sh_link = 2,
		  .sh_size = sizeof(symbols), .sh_info = 1,
		  .sh_entsize = sizeof(Elf64_Sym) },
		{ .sh_type = SHT_STRTAB, .sh_offset = NAMES,
		  .sh_size = sizeof(names) },
		{ .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC,
		  .sh_addr = PROGRAM + FIELDS, .sh_offset = FIELDS,
		  .sh_size = sizeof(fields) },
	};
	Elf64_Ehdr eh;

	memcpy(&eh, page, sizeof(eh));
	eh.e_shoff = SECTIONS;
	eh.e_shnum = 4;
	eh.e_shstrndx = 2;              /* the sections have no names */
	eh.e_shentsize = sizeof(Elf64_Shdr);
	memcpy(page, &eh, sizeof(eh));
	memcpy(page + SYMBOLS, symbols, sizeof(symbols));
	memcpy(page + NAMES, names, sizeof(names));
	memcpy(page + FIELDS, fields, sizeof(fields));
	memcpy(page + SECTIONS, sections, sizeof(sections));
}

/* A static program with 40 bytes of thread-local storage, aligned to 32. */
static void
put_program(uint8_t *page)
{
	Elf64_Ehdr eh = {
		.e_type = ET_EXEC, .e_machine = EM_X86_64,
		.e_version = EV_CURRENT, .e_phoff = sizeof(eh),
		.e_entry = PROGRAM + 0x300, .e_ehsize = sizeof(eh),
		.e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2,
	};
	Elf64_Phdr ph[2] = {
		{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X,
		  .p_vaddr = PROGRAM, .p_filesz = PAGE, .p_memsz = PAGE,
		  .p_align = PAGE },
		{ .p_type = PT_TLS, .p_vaddr = PROGRAM, .p_memsz = 40,
		  .p_align = 32 },
	};

	memcpy(eh.e_ident, ELFMAG, SELFMAG);
	eh.e_ident[EI_CLASS] = ELFCLASS64;
	eh.e_ident[EI_DATA] = ELFDATA2LSB;
	eh.e_ident[EI_VERSION] = EV_CURRENT;
	memcpy(page, &eh, sizeof(eh));
	memcpy(page + sizeof(eh), ph, sizeof(ph));
}

/* Module 2 has its block at 0x1234560, module 3 none yet; 4 entries. */
static void
fixture_init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	put_program(f->program);
	put_symbols(f->program);
	f->data[THREAD / 8 + 1] = DATA + DTV;
	f->data[DTV / 8 - 2] = 4;
	f->data[DTV / 8 + 2] = UINT64_MAX;
	f->data[DTV / 8 + 4] = 0x1234560;
	f->data[DTV / 8 + 6] = UINT64_MAX;
}

static void
set_module(struct fixture *f, uint64_t number, uint64_t offset)
{
	f->data[(LINK_MAP + NUMBER_AT) / 8] = number;
	f->data[(LINK_MAP + OFFSET_AT) / 8] = offset;
}

/* A thread at the program's entry. */
static void
put_thread(const struct fixture *f, struct make_core *m, uint64_t tp)
{
	enum { REGS = 14, RIP = 16, FS_BASE = 21, PC = 32, NOTE_TLS = 0x401 };
	uint64_t status[49] = { 0 };

	if (f->machine == EM_AARCH64) {
		status[REGS + PC] = PROGRAM + 0x300;
		make_note(m, "CORE", NT_PRSTATUS, status, sizeof(status));
		make_note(m, "LINUX", NOTE_TLS, &tp, sizeof(tp));
	} else {
		status[REGS + RIP] = PROGRAM + 0x300;
		status[REGS + FS_BASE] = tp;
		make_note(m, "CORE", NT_PRSTATUS, status, sizeof(status));
	}
}

static void
open_core(struct fixture *f, uint64_t tp)
{
	struct make_core m = { .machine = f->machine };
	struct insp_options options = { 0 };
	uint64_t auxv[] = { AT_PHDR, PROGRAM + 64, AT_PHNUM, 2, AT_PHENT, 56,
			    AT_ENTRY, PROGRAM + 0x300, 0, 0 };
	struct target *target;

	put_thread(f, &m, tp);
	make_note(&m, "CORE", NT_AUXV, auxv, sizeof(auxv));
	make_segment(&m, PROGRAM, PAGE, PF_R | PF_X, f->program, PAGE);
	make_segment(&m, DATA, PAGE, PF_R | PF_W, f->data, PAGE);
	make_core(&m, &f->file);
	assert_ok(source_mem(f->file.data, f->file.len, "core", &f->source));
	int fd = memfd_create("program", 0);
	assert_ok(io_write(fd, f->program, PAGE));
	assert_ok(source_fd(fd, "program", &f->exe));
	assert_ok(target_open(f->source, &target));
	options.exe = f->exe;
	assert_ok(insp_open(target, &options, &f->insp));
}

static void
fixture_fini(struct fixture *f)
{
	insp_free(f->insp);
	source_free(f->source);
	source_free(f->exe);
	buf_fini(&f->file);
}

static void
assert_at(struct fixture *f, uint64_t link_map, uint64_t offset, uint64_t want)
{
	uint64_t addr = 0;

	assert_ok(insp_tls(f->insp, 0, link_map, offset, &addr));
	assert_int_equal(addr, want);
}

static void
refuses(struct fixture *f, uint64_t link_map, enum err_kind kind,
	const char *words)
{
	uint64_t addr = 77;

	assert_err(insp_tls(f->insp, 0, link_map, 8, &addr), kind, words);
	assert_int_equal(addr, 77);
}

static void
an_allocated_block_is_in_the_threads_table(void **state)
{
	(void)state;
	struct fixture f;

	fixture_init(&f);
	set_module(&f, 2, 0);
	open_core(&f, DATA + THREAD);
	assert_at(&f, DATA + LINK_MAP, 8, 0x1234568);
	fixture_fini(&f);
}

static void
a_static_block_lies_below_the_thread_pointer(void **state)
{
	(void)state;
	struct fixture f;

	fixture_init(&f);
	set_module(&f, 3, 0x60);
	open_core(&f, DATA + THREAD);
	assert_at(&f, DATA + LINK_MAP, 8, DATA + THREAD - 0x60 + 8);
	fixture_fini(&f);
}

static void
a_module_behind_the_table_has_its_static_block(void **state)
{
	(void)state;
	struct fixture f;

	fixture_init(&f);
	set_module(&f, 5, 0x60);
	open_core(&f, DATA + THREAD);
	assert_at(&f, DATA + LINK_MAP, 0, DATA + THREAD - 0x60);
	fixture_fini(&f);
}

static void
a_block_that_is_neither_is_not_there_yet(void **state)
{
	(void)state;
	static const uint64_t offsets[] = { 0, UINT64_MAX, UINT64_MAX - 1 };

	for (size_t k = 0; k < countof(offsets); k++) {
		struct fixture f;

		fixture_init(&f);
		set_module(&f, 3, offsets[k]);
		open_core(&f, DATA + THREAD);
		refuses(&f, DATA + LINK_MAP, ERR_NOTFOUND, "has not yet used");
		fixture_fini(&f);
	}
}

static void
a_module_without_storage_is_told(void **state)
{
	(void)state;
	static const uint64_t numbers[] = { 0, 1u << 30, UINT64_MAX };

	for (size_t k = 0; k < countof(numbers); k++) {
		struct fixture f;

		fixture_init(&f);
		set_module(&f, numbers[k], 0x60);
		open_core(&f, DATA + THREAD);
		refuses(&f, DATA + LINK_MAP, ERR_NOTFOUND,
			"no thread-local storage");
		fixture_fini(&f);
	}
}

static void
without_a_link_map_the_program_is_meant(void **state)
{
	(void)state;
	struct fixture f;

	fixture_init(&f);
	open_core(&f, DATA + THREAD);
	/* 40 bytes rounded up to 64 by their alignment of 32. */
	assert_at(&f, 0, 4, DATA + THREAD - 64 + 4);
	fixture_fini(&f);
}

/* On AArch64 the table is told at the pointer, the blocks are above. */
static void
storage_may_lie_above_the_thread_pointer(void **state)
{
	const Elf64_Half machine = EM_AARCH64;

	(void)state;
	const struct { uint64_t number, link_map, want; } cases[] = {
		{ 2, DATA + LINK_MAP, 0x1234560 },
		{ 3, DATA + LINK_MAP, DATA + THREAD + 0x60 },
		{ 0, 0, DATA + THREAD + 32 },   /* 16 of the C library */
	};

	for (size_t k = 0; k < countof(cases); k++) {
		struct fixture f;

		fixture_init(&f);
		f.machine = EM_AARCH64;
		memcpy(f.program + offsetof(Elf64_Ehdr, e_machine), &machine,
		       sizeof(machine));
		f.data[THREAD / 8] = DATA + DTV;
		f.data[THREAD / 8 + 1] = 0;
		set_module(&f, cases[k].number, 0x60);
		open_core(&f, DATA + THREAD);
		assert_at(&f, cases[k].link_map, 8, cases[k].want + 8);
		fixture_fini(&f);
	}
}

static void
addresses_that_lead_nowhere_are_errors(void **state)
{
	(void)state;
	struct fixture f;

	fixture_init(&f);
	set_module(&f, 2, 0x60);
	open_core(&f, DATA + THREAD);
	refuses(&f, 0x10, ERR_UNMAPPED, "0x58");
	refuses(&f, UINT64_MAX, ERR_UNMAPPED, "no link map");
	fixture_fini(&f);
	fixture_init(&f);
	set_module(&f, 2, 0x60);
	open_core(&f, UINT64_MAX - 4);
	refuses(&f, DATA + LINK_MAP, ERR_UNMAPPED, "thread-local storage");
	fixture_fini(&f);
	fixture_init(&f);
	set_module(&f, 2, 0x60);
	f.data[THREAD / 8 + 1] = UINT64_MAX - 7;
	open_core(&f, DATA + THREAD);
	refuses(&f, DATA + LINK_MAP, ERR_UNMAPPED, "thread-local storage");
	fixture_fini(&f);
}

static void
a_description_of_another_kind_is_not_used(void **state)
{
	(void)state;
	struct fixture f;

	fixture_init(&f);
	set_module(&f, 2, 0);
	f.program[0x700] = 32;          /* bits of the field */
	open_core(&f, DATA + THREAD);
	refuses(&f, DATA + LINK_MAP, ERR_NOTFOUND, "GNU C library");
	fixture_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_allocated_block_is_in_the_threads_table),
		cmocka_unit_test(a_static_block_lies_below_the_thread_pointer),
		cmocka_unit_test(
			a_module_behind_the_table_has_its_static_block),
		cmocka_unit_test(a_block_that_is_neither_is_not_there_yet),
		cmocka_unit_test(a_module_without_storage_is_told),
		cmocka_unit_test(without_a_link_map_the_program_is_meant),
		cmocka_unit_test(storage_may_lie_above_the_thread_pointer),
		cmocka_unit_test(addresses_that_lead_nowhere_are_errors),
		cmocka_unit_test(a_description_of_another_kind_is_not_used),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
