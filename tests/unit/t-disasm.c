/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of disasm: exact counts, five kinds of entries that are never
 * confused, addresses and targets where they are certain and nowhere else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "assert-err.h"
#include "disasm/disasm.h"

#define CODE 0x401000u
#define DATA 0x404000u
#define GONE 0x600000u          /* mapped, not captured */
#define PAGE 4096u
#define TOP (UINT64_MAX - PAGE + 1)

enum { RAX, RDX, RCX, RBX, RSI, RDI, RBP, RSP };

/** A target with a page of code, one of data, a hole, and the last page. */
struct made {
	struct target target;
	uint8_t code[PAGE], data[PAGE], last[PAGE];
	struct snap_memory memory[4];
	uint64_t regs[27];
	struct snap_regset set;
	struct snap_thread thread;
};

static struct err *
made_read(struct target *t, size_t range, uint64_t off, size_t n, void *out)
{
	const struct made *m = (const struct made *)t;
	const uint8_t *const pages[] = { m->code, m->data, NULL, m->last };

	memcpy(out, pages[range] + off, n);
	return NULL;
}

static void
made_close(struct target *t)
{
	free(t);
}

static const struct target_ops made_ops = {
	.kind = "made", .read = made_read, .close = made_close,
};

struct fixture {
	struct insp *insp;
	struct made *made;
	struct arena *arena;
	struct disasm *d;
	struct disasm_list list;
	struct frame_regs regs;
	struct buf text;
};

static void
begin(struct fixture *f, uint16_t machine)
{
	struct made *m = calloc(1, sizeof(*m));
	const struct insp_options options = { 0 };

	memset(f, 0, sizeof(*f));
	m->memory[0] = (struct snap_memory){
		.start = CODE, .length = PAGE, .kind = SNAP_MEM_DATA };
	m->memory[1] = (struct snap_memory){
		.start = DATA, .length = PAGE, .kind = SNAP_MEM_DATA };
	m->memory[2] = (struct snap_memory){
		.start = GONE, .length = PAGE, .kind = SNAP_MEM_ABSENT,
		.reason = SNAP_ABSENT_BUDGET };
	m->memory[3] = (struct snap_memory){
		.start = TOP, .length = PAGE, .kind = SNAP_MEM_DATA };
	m->regs[16] = CODE;
	m->regs[21] = 0x7000;           /* fs_base */
	m->set = (struct snap_regset){ .kind = NT_PRSTATUS,
				       .bytes = { m->regs, sizeof(m->regs) } };
	m->thread = (struct snap_thread){
		.tid = 7, .regsets = &m->set,
		.n_regsets = machine == EM_X86_64 };
	m->target = (struct target){
		.ops = &made_ops, .threads = &m->thread, .n_threads = 1,
		.memory = m->memory, .n_memory = countof(m->memory),
		.process = { .machine = machine, .os = SNAP_OS_LINUX,
			     .bits = 64, .pid = 7 },
	};
	f->made = m;
	assert_ok(insp_open(&m->target, &options, &f->insp));
	f->arena = arena_new(0);
	assert_ok(disasm_new(machine, DISASM_ATT, &f->d));
}

static void
done(struct fixture *f)
{
	disasm_free(f->d);
	insp_free(f->insp);
	arena_free(f->arena);
	buf_fini(&f->text);
}

static void
list(struct fixture *f, uint64_t address, size_t before, size_t count)
{
	const struct disasm_ask ask = {
		.address = address, .before = before, .count = count,
		.regs = &f->regs, .pc = CODE, .thread = 0,
	};

	assert_ok(disasm_list(f->d, f->insp, &ask, f->arena, &f->list));
	assert_int_equal(f->list.n, before + count);
}

/* One instruction at CODE, with the registers of the fixture. */
static const struct disasm_entry *
one(struct fixture *f, const void *bytes, size_t n)
{
	memcpy(f->made->code, bytes, n);
	list(f, CODE, 0, 1);
	assert_int_equal(f->list.entries[0].kind, DISASM_CODE);
	assert_int_equal(f->list.entries[0].length, n);
	return f->list.entries;
}
#define ONE(f, s) one(f, s, sizeof(s) - 1)

static void
knows(struct fixture *f, unsigned reg, uint64_t value)
{
	f->regs.value[reg] = value;
	f->regs.known |= 1ull << reg;
}

static void
says(struct fixture *f, const struct disasm_entry *e, const char *text)
{
	buf_reset(&f->text);
	disasm_put(e, &f->text);
	assert_string_equal(f->text.data, text);
}

static void
memory_says(struct fixture *f, const struct disasm_memory *m, const char *text)
{
	buf_reset(&f->text);
	disasm_put_memory(m, &f->text);
	assert_string_equal(f->text.data, text);
}

/* ---- decoders ----------------------------------------------------------- */
/* What other disassemblers of this age have wrong. */
static void
newer_instructions_of_x86_64_are_decoded(void **state)
{
	static const struct { const char *bytes; size_t n; const char *text; }
	probes[] = {
#define PROBE(b, t) { b, sizeof(b) - 1, t }
		PROBE("\x48\x0f\x38\xf6\x03", "wrssq %rax, (%rbx)"),
		PROBE("\x62\xf3\x6d\x48\x25\xd9\x96",
		      "vpternlogd $0x96, %zmm1, %zmm2, %zmm3"),
		PROBE("\x62\xf2\x6d\x48\x50\xd9",
		      "vpdpbusd %zmm1, %zmm2, %zmm3"),
		PROBE("\x62\xf2\x6d\x48\xdc\xd9",
		      "vaesenc %zmm1, %zmm2, %zmm3"),
		PROBE("\x66\x0f\x38\xf8\x18", "movdir64b (%rax), %rbx"),
		PROBE("\x0f\x01\xe8", "serialize"),
		PROBE("\x62\xf5\x6c\x48\x58\xd9", "vaddph %zmm1, %zmm2, %zmm3"),
		PROBE("\xf3\x0f\xc7\xf8", "rdpid %rax"),
		PROBE("\x3e\xff\xe0", "notrack jmp *%rax"),
		PROBE("\xf3\x0f\x1e\xfa", "endbr64"),
		PROBE("\xf3\x48\x0f\xae\xe8", "incsspq %rax"),
		PROBE("\xc4\xe2\x73\x5e\xda", "tdpbssd %tmm1, %tmm2, %tmm3"),
	};
	_disasm_ struct disasm *d = NULL;
	char text[DISASM_TEXT_MAX];

	(void)state;
	assert_ok(disasm_new(EM_X86_64, DISASM_ATT, &d));
	for (size_t k = 0; k < countof(probes); k++) {
		struct span bytes = { probes[k].bytes, probes[k].n };
		assert_int_equal(disasm_bytes(d, 0, bytes, text, NULL),
				 probes[k].n);
		assert_string_equal(text, probes[k].text);
	}
}

static void
an_instruction_that_is_cut_is_told_from_one_that_is_none(void **state)
{
	_disasm_ struct disasm *d = NULL;
	bool cut;

	(void)state;
	assert_ok(disasm_new(EM_X86_64, DISASM_ATT, &d));
	assert_int_equal(disasm_bytes(d, 0, (struct span){ "\xe8\1", 2 }, NULL,
				      &cut), 0);
	assert_true(cut);
	assert_int_equal(disasm_bytes(d, 0, (struct span){ "\x06", 1 }, NULL,
				      &cut), 0);
	assert_false(cut);
	assert_int_equal(disasm_bytes(d, 0, (struct span){ NULL, 0 }, NULL,
				      &cut), 0);
	assert_true(cut);
}

static void
other_machines_are_refused_by_number(void **state)
{
	struct disasm *d;

	(void)state;
	assert_err(disasm_new(EM_RISCV, DISASM_ATT, &d), ERR_UNSUPPORTED,
		   "243");
}

/* ---- lists -------------------------------------------------------------- */
static void
there_are_as_many_entries_as_asked_for(void **state)
{
	static const uint64_t places[] = {
		0, 1, CODE, CODE + 77, DATA - 5, GONE + 8, GONE - 1, TOP,
		UINT64_MAX - 1, UINT64_MAX,
	};
	struct fixture f;

	(void)state;
	begin(&f, EM_X86_64);
	memset(f.made->code, 0x90, PAGE);
	for (size_t k = 0; k < countof(places); k++)
		for (size_t n = 0; n < 40; n += 13) {
			list(&f, places[k], n, 40 - n);
			for (size_t e = n + 1; e < 40; e++)
				assert_true(f.list.entries[e].address
					    >= f.list.entries[e - 1].address);
		}
	done(&f);
}

static void
more_than_fits_is_refused(void **state)
{
	struct fixture f;
	struct disasm_ask ask = { .before = SIZE_MAX, .count = 2 };

	(void)state;
	begin(&f, EM_X86_64);
	assert_err(disasm_list(f.d, f.insp, &ask, f.arena, &f.list), ERR_LIMIT,
		   "4096");
	done(&f);
}

static void
what_is_not_there_says_why(void **state)
{
	struct fixture f;
	const struct disasm_entry *e;

	(void)state;
	begin(&f, EM_X86_64);
	memset(f.made->code, 0x90, PAGE);
	f.made->code[PAGE - 2] = 0xe8;
	f.made->code[PAGE - 4] = 0x06;
	list(&f, CODE + PAGE - 4, 0, 4);
	e = f.list.entries;
	assert_int_equal(e[0].kind, DISASM_BAD);
	assert_int_equal(e[0].length, 1);
	assert_int_equal(e[1].kind, DISASM_CODE);
	/* The call goes on into what is not mapped. */
	assert_int_equal(e[2].kind, DISASM_UNMAPPED);
	assert_int_equal(e[2].length, DATA - (CODE + PAGE - 2));
	assert_int_equal(e[3].kind, DISASM_UNKNOWN);
	assert_int_equal(e[3].address, DATA);
	list(&f, GONE, 0, 2);
	e = f.list.entries;
	assert_int_equal(e[0].kind, DISASM_ABSENT);
	assert_int_equal(e[0].length, PAGE);
	assert_string_equal(e[0].why, "over the limit of bytes");
	assert_int_equal(e[1].kind, DISASM_UNMAPPED);
	list(&f, UINT64_MAX, 0, 2);
	e = f.list.entries;
	assert_int_equal(e[0].kind, DISASM_BAD);
	assert_int_equal(e[1].kind, DISASM_OUTSIDE);
	done(&f);
}

static void
before_an_address_nothing_is_guessed(void **state)
{
	struct fixture f;
	const struct disasm_entry *e;

	(void)state;
	begin(&f, EM_X86_64);
	memset(f.made->code, 0x90, PAGE);
	list(&f, CODE + 8, 2, 1);
	e = f.list.entries;
	assert_int_equal(e[0].kind, DISASM_UNKNOWN);
	assert_int_equal(e[1].address, CODE + 7);
	assert_int_equal(e[2].kind, DISASM_CODE);
	list(&f, 1, 3, 0);
	e = f.list.entries;
	assert_int_equal(e[0].kind, DISASM_OUTSIDE);
	assert_int_equal(e[1].kind, DISASM_OUTSIDE);
	assert_int_equal(e[2].kind, DISASM_UNKNOWN);
	done(&f);
}

static void
aarch64_goes_back_by_words(void **state)
{
	static const uint8_t ret[] = { 0xc0, 0x03, 0x5f, 0xd6 };
	struct fixture f;
	const struct disasm_entry *e;

	(void)state;
	begin(&f, EM_AARCH64);
	memcpy(f.made->code + 4, ret, 4);
	list(&f, CODE + 8, 4, 1);
	e = f.list.entries;
	assert_int_equal(e[0].kind, DISASM_UNMAPPED);
	assert_int_equal(e[1].kind, DISASM_UNMAPPED);
	assert_int_equal(e[0].address, CODE - 8);
	says(&f, &e[2], "udf #0");
	says(&f, &e[3], "ret");
	assert_int_equal(e[3].flow, DISASM_RETURN);
	assert_int_equal(e[4].address, CODE + 8);
	done(&f);
}

/* ---- operands ----------------------------------------------------------- */
static void
an_address_is_the_sum_of_its_registers(void **state)
{
	struct fixture f;
	const struct disasm_entry *e;

	(void)state;
	begin(&f, EM_X86_64);
	knows(&f, RAX, DATA - 0x10);
	knows(&f, RCX, 2);
	memcpy(f.made->data + 8, "\1\2\0\0\0\0\0\0", 8);
	e = ONE(&f, "\x48\x8b\x54\xc8\x08");     /* mov 8(%rax,%rcx,8), %rdx */
	assert_int_equal(e->n_memory, 1);
	memory_says(&f, &e->memory[0], "0x404008 = 0x201");
	assert_int_equal(e->memory[0].size, 8);
	assert_true(e->memory[0].reads);
	assert_false(e->memory[0].writes);
	assert_int_equal(e->memory[0].n_regs, 2);
	assert_string_equal(e->memory[0].regs[1].name, "rcx");
	assert_int_equal(e->memory[0].regs[1].value, 2);
	done(&f);
}

static void
an_unknown_register_leaves_the_address_unknown(void **state)
{
	struct fixture f;
	const struct disasm_entry *e;

	(void)state;
	begin(&f, EM_X86_64);
	knows(&f, RCX, 2);
	e = ONE(&f, "\x48\x8b\x54\xc8\x08");
	assert_false(e->memory[0].known);
	assert_int_equal(e->memory[0].answer, DISASM_NOT_ASKED);
	memory_says(&f, &e->memory[0], "?");
	assert_false(e->memory[0].regs[0].known);
	done(&f);
}

static void
registers_say_nothing_of_other_instructions(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, EM_X86_64);
	knows(&f, RAX, DATA);
	memcpy(f.made->code, "\x8b\x00\x8b\x00", 4);    /* mov (%rax), %eax */
	list(&f, CODE, 0, 2);
	assert_true(f.list.entries[0].memory[0].known);
	assert_false(f.list.entries[1].memory[0].known);
	done(&f);
}

static void
the_three_answers_of_memory_stay_apart(void **state)
{
	struct fixture f;
	const struct disasm_entry *e;

	(void)state;
	begin(&f, EM_X86_64);
	knows(&f, RAX, GONE);
	e = ONE(&f, "\x8b\x00");
	memory_says(&f, &e->memory[0], "0x600000 (not captured)");
	knows(&f, RAX, 0);
	e = ONE(&f, "\x8b\x00");
	memory_says(&f, &e->memory[0], "0x0 (not mapped)");
	knows(&f, RAX, DATA);
	e = ONE(&f, "\x8b\x00");
	memory_says(&f, &e->memory[0], "0x404000 = 0x0");
	e = ONE(&f, "\x48\x8d\x00");            /* lea reads nothing */
	memory_says(&f, &e->memory[0], "0x404000");
	assert_false(e->memory[0].reads);
	done(&f);
}

static void
what_is_relative_to_the_pc_needs_no_register(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, EM_X86_64);
	memcpy(f.made->code, "\x90\x48\x8b\x05\xf8\x2f\0\0", 8);
	list(&f, CODE + 1, 0, 1);
	says(&f, f.list.entries, "mov 0x2ff8(%rip), %rax");
	memory_says(&f, &f.list.entries->memory[0], "0x404000 = 0x0");
	done(&f);
}

static void
the_stack_is_written_below_its_pointer(void **state)
{
	struct fixture f;
	const struct disasm_entry *e;

	(void)state;
	begin(&f, EM_X86_64);
	knows(&f, RSP, GONE);
	e = ONE(&f, "\x50");                    /* push */
	memory_says(&f, &e->memory[0], "0x5ffff8 (not mapped)");
	assert_true(e->memory[0].writes);
	e = ONE(&f, "\xe8\0\0\0\0");            /* call */
	memory_says(&f, &e->memory[0], "0x5ffff8 (not mapped)");
	e = ONE(&f, "\x58");                    /* pop */
	memory_says(&f, &e->memory[0], "0x600000 (not captured)");
	e = ONE(&f, "\x8f\x04\x24");            /* pop (%rsp) */
	memory_says(&f, &e->memory[0], "0x600008 (not captured)");
	done(&f);
}

static void
a_segment_is_where_its_base_is(void **state)
{
	struct fixture f;
	const struct disasm_entry *e;

	(void)state;
	begin(&f, EM_X86_64);
	e = ONE(&f, "\x64\x48\x8b\x04\x25\x28\0\0\0");  /* mov %fs:0x28 */
	memory_says(&f, &e->memory[0], "0x7028 (not mapped)");
	assert_string_equal(e->memory[0].regs[0].name, "fs_base");
	done(&f);
}

static void
a_32_bit_address_is_cut(void **state)
{
	struct fixture f;
	const struct disasm_entry *e;

	(void)state;
	begin(&f, EM_X86_64);
	knows(&f, RAX, 0x1234567800404000);
	e = ONE(&f, "\x67\x8b\x00");            /* mov (%eax), %eax */
	memory_says(&f, &e->memory[0], "0x404000 = 0x0");
	done(&f);
}

static void
many_addresses_are_none(void **state)
{
	struct fixture f;
	const struct disasm_entry *e;

	(void)state;
	begin(&f, EM_X86_64);
	f.regs.known = UINT64_MAX;
	/* vgatherdps (%rax,%ymm1,4), %ymm0 */
	e = ONE(&f, "\xc4\xe2\x6d\x92\x04\x88");
	assert_int_equal(e->n_memory, 1);
	assert_false(e->memory[0].known);
	/* bt %rax, (%rdi): the bit may be far from there; by a number not. */
	e = ONE(&f, "\x48\x0f\xa3\x07");
	assert_false(e->memory[0].known);
	e = ONE(&f, "\x48\x0f\xba\x27\x07");
	assert_true(e->memory[0].known);
	e = ONE(&f, "\xd7");                    /* xlat */
	assert_false(e->memory[0].known);
	done(&f);
}

static void
under_a_mask_the_size_is_not_known(void **state)
{
	struct fixture f;
	const struct disasm_entry *e;

	(void)state;
	begin(&f, EM_X86_64);
	knows(&f, RDI, DATA);
	e = ONE(&f, "\x62\xf1\xfe\x48\x6f\x07");   /* vmovdqu64 (%rdi), %zmm0 */
	assert_int_equal(e->memory[0].size, 64);
	e = ONE(&f, "\x62\xf1\xfe\x49\x6f\x07");   /* … {%k1} */
	assert_true(e->memory[0].known);
	assert_int_equal(e->memory[0].size, 0);
	assert_int_equal(e->memory[0].answer, DISASM_VALUE);
	assert_int_equal(e->memory[0].n_value, 0);
	done(&f);
}

static void
targets_are_told_where_they_are_known(void **state)
{
	struct fixture f;
	const struct disasm_entry *e;

	(void)state;
	begin(&f, EM_X86_64);
	knows(&f, RAX, DATA);
	memcpy(f.made->data, "\x78\x56\x34\x12\0\0\0\0", 8);
	e = ONE(&f, "\xe8\x01\0\0\0");
	assert_int_equal(e->flow, DISASM_CALL);
	assert_true(e->has_target);
	assert_false(e->indirect);
	assert_int_equal(e->target.address, CODE + 6);
	says(&f, e, "call 0x401006");
	e = ONE(&f, "\x74\xfe");
	assert_int_equal(e->flow, DISASM_BRANCH);
	assert_int_equal(e->target.address, CODE);
	e = ONE(&f, "\xff\xd0");                /* call *%rax */
	assert_true(e->indirect);
	assert_int_equal(e->target.address, DATA);
	e = ONE(&f, "\xff\x10");                /* call *(%rax) */
	assert_true(e->indirect);
	assert_int_equal(e->target.address, 0x12345678);
	e = ONE(&f, "\xff\xd3");                /* call *%rbx: not known */
	assert_false(e->has_target);
	knows(&f, RSP, DATA);
	e = ONE(&f, "\xc3");
	assert_int_equal(e->flow, DISASM_RETURN);
	assert_int_equal(e->target.address, 0x12345678);
	done(&f);
}

static void
aarch64_has_addresses_too(void **state)
{
	struct fixture f;
	const struct disasm_entry *e;

	(void)state;
	begin(&f, EM_AARCH64);
	knows(&f, 1, DATA);
	knows(&f, 2, 0xffffffff00000002);
	knows(&f, 31, GONE);
	f.made->data[16] = 7;
	e = ONE(&f, "\x20\x78\x62\xf8");        /* ldr x0, [x1, x2, lsl #3] */
	memory_says(&f, &e->memory[0], "0xfffffff800404010 (not mapped)");
	e = ONE(&f, "\x20\x58\xa2\xb8");        /* ldrsw x0, [x1, w2, uxtw #2] */
	memory_says(&f, &e->memory[0], "0x404008 = 0x0");
	assert_int_equal(e->memory[0].size, 4);
	e = ONE(&f, "\x20\x08\x40\xf9");        /* ldr x0, [x1, #16] */
	memory_says(&f, &e->memory[0], "0x404010 = 0x7");
	knows(&f, 1, DATA | 0x2aull << 56);     /* a tag is no part of it */
	e = ONE(&f, "\x20\x08\x40\xf9");
	memory_says(&f, &e->memory[0], "0x404010 = 0x7");
	knows(&f, 1, DATA);
	e = ONE(&f, "\xfd\x7b\xbf\xa9");        /* stp x29, x30, [sp, #-16]! */
	memory_says(&f, &e->memory[0], "0x5ffff0 (not mapped)");
	assert_int_equal(e->memory[0].size, 16);
	assert_true(e->memory[0].writes);
	e = ONE(&f, "\x41\x04\x00\x39");        /* strb w1, [x2, #1] */
	assert_int_equal(e->memory[0].size, 1);
	e = ONE(&f, "\x40\x00\x00\x58");        /* ldr x0, 0x401008 */
	says(&f, e, "ldr x0, 0x401008");
	memory_says(&f, &e->memory[0], "0x401008 = 0x0");
	e = ONE(&f, "\x01\x00\x00\x90");        /* adrp: no memory is read */
	memory_says(&f, &e->memory[0], "0x401000");
	e = ONE(&f, "\x01\x00\x00\x94");
	says(&f, e, "bl 0x401004");
	assert_int_equal(e->flow, DISASM_CALL);
	e = ONE(&f, "\x40\x00\x00\x54");
	assert_int_equal(e->flow, DISASM_BRANCH);
	e = ONE(&f, "\x20\x00\x1f\xd6");        /* br x1 */
	assert_int_equal(e->target.address, DATA);
	e = ONE(&f, "\x3f\x23\x03\xd5");
	says(&f, e, "paciasp");
	done(&f);
}

static void
aarch64_has_atomics(void **state)
{
	static const struct { const char *bytes, *text; uint16_t size; } all[] = {
		{ "\x20\x00\xe2\xb8", "ldaddal w2, w0, [x1]", 4 },
		{ "\x20\x10\x60\x78", "ldclrlh w0, w0, [x1]", 2 },
		{ "\xff\x83\xa0\xf8", "swpa x0, xzr, [sp]", 8 },
		{ "\x41\xfc\xe0\x08", "casalb w0, w1, [x2]", 1 },
		{ "\x20\xc0\xbf\xf8", "ldapr x0, [x1]", 8 },
	};
	struct fixture f;

	(void)state;
	begin(&f, EM_AARCH64);
	f.regs.known = UINT64_MAX;
	for (size_t k = 0; k < countof(all); k++) {
		const struct disasm_entry *e = one(&f, all[k].bytes, 4);

		says(&f, e, all[k].text);
		assert_int_equal(e->memory[0].size, all[k].size);
		assert_true(e->memory[0].known);
		assert_true(e->memory[0].reads);
	}
	done(&f);
}

static void
what_is_read_of_registers_is_told(void **state)
{
	struct fixture f;
	const struct disasm_entry *e;

	(void)state;
	begin(&f, EM_X86_64);
	knows(&f, RCX, 0);
	knows(&f, RAX, 7);
	e = ONE(&f, "\xf7\xf9");                /* idiv %ecx */
	assert_int_equal(e->n_regs, 3);
	assert_string_equal(e->regs[0].name, "rcx");
	assert_true(e->regs[0].known);
	assert_int_equal(e->regs[1].value, 7);
	assert_string_equal(e->regs[2].name, "rdx");
	assert_false(e->regs[2].known);
	e = ONE(&f, "\x89\xc8");                /* mov %ecx, %eax */
	assert_int_equal(e->n_regs, 1);
	list(&f, CODE + 8, 0, 1);
	assert_int_equal(f.list.entries->n_regs, 0);
	done(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newer_instructions_of_x86_64_are_decoded),
		cmocka_unit_test(
			an_instruction_that_is_cut_is_told_from_one_that_is_none),
		cmocka_unit_test(other_machines_are_refused_by_number),
		cmocka_unit_test(there_are_as_many_entries_as_asked_for),
		cmocka_unit_test(more_than_fits_is_refused),
		cmocka_unit_test(what_is_not_there_says_why),
		cmocka_unit_test(before_an_address_nothing_is_guessed),
		cmocka_unit_test(aarch64_goes_back_by_words),
		cmocka_unit_test(an_address_is_the_sum_of_its_registers),
		cmocka_unit_test(
			an_unknown_register_leaves_the_address_unknown),
		cmocka_unit_test(registers_say_nothing_of_other_instructions),
		cmocka_unit_test(the_three_answers_of_memory_stay_apart),
		cmocka_unit_test(what_is_relative_to_the_pc_needs_no_register),
		cmocka_unit_test(the_stack_is_written_below_its_pointer),
		cmocka_unit_test(a_segment_is_where_its_base_is),
		cmocka_unit_test(a_32_bit_address_is_cut),
		cmocka_unit_test(many_addresses_are_none),
		cmocka_unit_test(under_a_mask_the_size_is_not_known),
		cmocka_unit_test(targets_are_told_where_they_are_known),
		cmocka_unit_test(aarch64_has_atomics),
		cmocka_unit_test(what_is_read_of_registers_is_told),
		cmocka_unit_test(aarch64_has_addresses_too),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
