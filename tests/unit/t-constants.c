/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constants of an ELF file are as the dynamic linker would leave them. The
 * files are made by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <string.h>
#include <sys/mman.h>

#include "inspect/skeleton.h"
#include "tests/unit/assert-err.h"

#define STEP 0x4000u
#define BASE 0x4d4f564500000000ull
#define AT 0x2000u                      /* of the constants in the file */
#define VADDR 0x3ff8u                   /* and in memory */
#define SIZE (CONSTANTS_LEAST + STEP)
#define FIRST 0x4000u                   /* window */

struct made {
	struct {
		Elf64_Ehdr eh;
		Elf64_Phdr ph[4];
		Elf64_Dyn dyn[5];
		Elf64_Rela rela[5];
		uint64_t relr[3];
	} head;
	uint8_t pad[0x1000];
	uint8_t data[AT + SIZE];
};

static uint64_t
head_at(size_t off)
{
	return 0x100000 + off;
}

/* Headers at 0x100000 in memory, constants at VADDR. */
static void
make(struct made *m)
{
	const size_t dyn = offsetof(struct made, head.dyn);

	memset(m, 0, sizeof(*m));
	m->head.eh = (Elf64_Ehdr){
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_DYN, .e_machine = EM_X86_64,
		.e_version = EV_CURRENT, .e_ehsize = sizeof(Elf64_Ehdr),
		.e_phoff = offsetof(struct made, head.ph), .e_phnum = 4,
		.e_phentsize = sizeof(Elf64_Phdr),
	};
	m->head.ph[0] = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_vaddr = head_at(0),
		.p_filesz = sizeof(m->head), .p_memsz = sizeof(m->head) };
	m->head.ph[1] = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_offset = AT, .p_vaddr = VADDR,
		.p_filesz = SIZE, .p_memsz = SIZE };
	m->head.ph[2] = m->head.ph[1];
	m->head.ph[2].p_type = PT_GNU_RELRO;
	m->head.ph[3] = (Elf64_Phdr){
		.p_type = PT_DYNAMIC, .p_offset = dyn, .p_vaddr = head_at(dyn),
		.p_filesz = sizeof(m->head.dyn),
		.p_memsz = sizeof(m->head.dyn) };
	m->head.dyn[0] = (Elf64_Dyn){ DT_RELA,
		{ head_at(offsetof(struct made, head.rela)) } };
	m->head.dyn[1] = (Elf64_Dyn){ DT_RELASZ, { sizeof(m->head.rela) } };
	m->head.dyn[2] = (Elf64_Dyn){ DT_RELR,
		{ head_at(offsetof(struct made, head.relr)) } };
	m->head.dyn[3] = (Elf64_Dyn){ DT_RELRSZ, { sizeof(m->head.relr) } };
	/* A window's first and last word, one before, one behind, and one
	 * that is bound by name. */
	m->head.rela[0] = (Elf64_Rela){ FIRST, R_X86_64_RELATIVE, 0x1234 };
	m->head.rela[1] = (Elf64_Rela){ FIRST + CONSTANTS_LEAST - 8,
					R_X86_64_RELATIVE, 0xffffffff };
	m->head.rela[2] = (Elf64_Rela){ FIRST - 8, R_X86_64_RELATIVE, 5 };
	m->head.rela[3] = (Elf64_Rela){ UINT64_MAX - 7, R_X86_64_RELATIVE, 5 };
	m->head.rela[4] = (Elf64_Rela){ FIRST + 16, R_X86_64_64, 5 };
	/* FIRST + 64, then of the words behind it the first and the 63rd. */
	m->head.relr[0] = FIRST + 64;
	m->head.relr[1] = 1 | 1ull << 1 | 1ull << 63;
	m->head.relr[2] = 1 | 1ull << 2;
	for (size_t k = 0; k < SIZE; k += 8)
		m->data[AT - offsetof(struct made, data) + k] = (uint8_t)(k / 8);
}

static uint64_t
word(const struct constants *c, uint64_t addr)
{
	uint64_t w;

	memcpy(&w, (const uint8_t *)c->bytes.data + (addr - c->first), 8);
	return w;
}

static struct err *
read_made(const struct made *m, size_t n, struct arena *a, struct constants *c)
{
	_source_ struct source *src = NULL;
	int fd = memfd_create("made", MFD_CLOEXEC);

	assert_ok(io_write(fd, m, n));
	assert_ok(source_fd(fd, "made", &src));
	return constants_read(src, BASE, STEP, a, c);
}

static struct made made;

static void
relative_relocations_add_the_bias(void **state)
{
	_arena_ struct arena *a = arena_new(0);
	const uint64_t from = FIRST - VADDR;
	struct constants c;

	(void)state;
	make(&made);
	assert_ok(read_made(&made, sizeof(made), a, &c));
	assert_int_equal(c.first, FIRST);
	assert_int_equal(c.bytes.n, CONSTANTS_LEAST);
	assert_int_equal(word(&c, FIRST), BASE + 0x1234);
	assert_int_equal(word(&c, FIRST + 8), (uint8_t)((from + 8) / 8));
	assert_int_equal(word(&c, FIRST + CONSTANTS_LEAST - 8),
			 BASE + 0xffffffff);
	assert_int_equal(word(&c, FIRST + 16), (uint8_t)((from + 16) / 8));
}

static void
packed_ones_add_it_to_what_is_there(void **state)
{
	static const uint64_t places[] = { 64, 72, 64 + 63 * 8, 64 + 65 * 8 };
	_arena_ struct arena *a = arena_new(0);
	const uint64_t from = FIRST - VADDR;
	struct constants c;

	(void)state;
	make(&made);
	assert_ok(read_made(&made, sizeof(made), a, &c));
	for (size_t k = 0; k < countof(places); k++)
		assert_int_equal(word(&c, FIRST + places[k]), BASE
				 + (uint8_t)((from + places[k]) / 8));
	assert_int_equal(word(&c, FIRST + 80), (uint8_t)((from + 80) / 8));
}

static void
few_constants_and_other_machines_have_none(void **state)
{
	_arena_ struct arena *a = arena_new(0);
	struct constants c;

	(void)state;
	make(&made);
	made.head.ph[2].p_filesz = CONSTANTS_LEAST - 8;
	assert_ok(read_made(&made, sizeof(made), a, &c));
	assert_int_equal(c.bytes.n, 0);
	make(&made);
	made.head.eh.e_machine = EM_S390;
	assert_ok(read_made(&made, sizeof(made), a, &c));
	assert_int_equal(c.bytes.n, 0);
	assert_ok(read_made(&made, 3, a, &c));
	assert_int_equal(c.bytes.n, 0);
}

static void
tables_that_lie_outside_are_errors(void **state)
{
	_arena_ struct arena *a = arena_new(0);
	struct constants c;

	(void)state;
	make(&made);
	made.head.dyn[0].d_un.d_val = 0xdead0000;
	assert_err(read_made(&made, sizeof(made), a, &c), ERR_DAMAGED,
		   "has nothing at 0xdead0000");
	make(&made);
	made.head.dyn[3].d_un.d_val = UINT64_MAX;
	assert_err(read_made(&made, sizeof(made), a, &c), ERR_DAMAGED,
		   "has nothing at");
	make(&made);
	assert_err(read_made(&made, AT + CONSTANTS_LEAST, a, &c), ERR_DAMAGED,
		   "truncated");
	make(&made);
	made.head.ph[2].p_vaddr = UINT64_MAX - 8;
	assert_ok(read_made(&made, sizeof(made), a, &c));
	assert_int_equal(c.bytes.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test(name)
		TEST(relative_relocations_add_the_bias),
		TEST(packed_ones_add_it_to_what_is_there),
		TEST(few_constants_and_other_machines_have_none),
		TEST(tables_that_lie_outside_are_errors),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
