/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of AArch64: where its registers are, what its instructions tell
 * of a frame, and stacks of code without unwind information: link register,
 * frame records, signatures, signal frames.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "assert-err.h"
#include "inspect/arch.h"
#include "inspect/inspect.h"
#include "make-core.h"

#define PAGE 4096u
#define TEXT 0x401000u
#define STACK 0x7000000u
#define SIGNED 0x2f000000000000ull
#define MASK 0x7f000000000000ull

enum { NOTE_TLS = 0x401, NOTE_SVE = 0x405, NOTE_PAC = 0x406 };
enum { FP = 29, LR = 30, SP = 31, PC = 32 };
/* Instructions. */
enum {
	PACIASP = 0xd503233f,
	PUSH_RECORD = 0xa9be7bfd,       /* stp x29, x30, [sp, #-32]! */
	POP_RECORD = 0xa8c27bfd,        /* ldp x29, x30, [sp], #32 */
	SET_FRAME = 0x910003fd,         /* mov x29, sp */
	SUB_16 = 0xd10043ff, ADD_16 = 0x910043ff,       /* sub, add sp */
	LOAD = 0xb9400000,              /* ldr w0, [x0] */
	SKIP = 0xb4000040,              /* cbz x0, .+8 */
	CALL_X1 = 0xd63f0020, RETURN = 0xd65f03c0, RETURN_SIGNED = 0xd65f0bff,
};
#define CALL(from, to) (0x94000000 | (((to) - (from)) / 4 & 0x3ffffff))

struct fixture {
	uint32_t text[PAGE / 4];
	uint64_t stack[PAGE / 8];
	uint64_t regs[34];
	struct make_core core;
	struct buf file;
	struct source *source;
	struct insp *insp;
	struct arena *arena;
	struct stack result;
};

/** At the beginning of the text, with its own stack pointer. */
static void
fixture_init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->regs[SP] = STACK;
	f->regs[PC] = TEXT;
}

static void
open_core(struct fixture *f)
{
	struct insp_options options = { 0 };
	struct target *target;

	make_segment(&f->core, TEXT, PAGE, PF_R | PF_X, f->text, PAGE);
	make_segment(&f->core, STACK, PAGE, PF_R | PF_W, f->stack, PAGE);
	f->core.machine = EM_AARCH64;
	make_core(&f->core, &f->file);
	assert_ok(source_mem(f->file.data, f->file.len, "core", &f->source));
	assert_ok(target_open(f->source, &target));
	assert_ok(insp_open(target, &options, &f->insp));
}

static void
put_status(struct fixture *f)
{
	enum { REGS = 14, WORDS = 49 };
	uint64_t status[WORDS] = { 0 };

	memcpy(status + REGS, f->regs, sizeof(f->regs));
	make_note(&f->core, "CORE", NT_PRSTATUS, status, sizeof(status));
}

static void
unwind(struct fixture *f)
{
	put_status(f);
	open_core(f);
	f->arena = arena_new(0);
	assert_ok(insp_stack(f->insp, 0, 20, true, f->arena, &f->result));
}

static void
fixture_fini(struct fixture *f)
{
	insp_free(f->insp);
	source_free(f->source);
	buf_fini(&f->file);
	arena_free(f->arena);
}

/** A frame record at stack[@slot]; its address. */
static uint64_t
put_record(struct fixture *f, size_t slot, uint64_t fp, uint64_t ra)
{
	f->stack[slot] = fp;
	f->stack[slot + 1] = ra;
	return STACK + 8 * slot;
}

/** The address behind a call that is put there. */
static uint64_t
after_call(struct fixture *f, size_t word)
{
	f->text[word - 1] = CALL_X1;
	return TEXT + 4 * word;
}

static void
assert_pcs(const struct fixture *f, size_t n, const uint64_t *pcs)
{
	for (size_t k = 0; k < n && k < f->result.n; k++)
		assert_int_equal(f->result.frames[k].pc, pcs[k]);
	assert_int_equal(f->result.n, n);
}
#define PCS(...) \
	sizeof((uint64_t[]){ __VA_ARGS__ }) / 8, (uint64_t[]){ __VA_ARGS__ }

/* ---- registers ---------------------------------------------------------- */
static bool
read_reg(struct fixture *f, const char *name, uint8_t out[REG_BYTES_MAX])
{
	size_t n, k = 0;
	const struct reg *regs = insp_regs(f->insp, &n);
	bool known;

	while (k < n && strcmp(regs[k].name, name) != 0)
		k++;
	if (k == n)
		fail_msg("no register %s", name);
	memset(out, 0xcc, REG_BYTES_MAX);
	assert_ok(insp_reg_read(f->insp, 0, k, out, &known));
	return known;
}

static bool
has_reg(const struct fixture *f, const char *name)
{
	size_t n;
	const struct reg *regs = insp_regs(f->insp, &n);

	for (size_t k = 0; k < n; k++)
		if (strcmp(regs[k].name, name) == 0)
			return true;
	return false;
}

static void
assert_word(struct fixture *f, const char *name, uint64_t want, size_t n)
{
	uint8_t value[REG_BYTES_MAX], bytes[8];

	for (size_t k = 0; k < sizeof(bytes); k++)
		bytes[k] = (uint8_t)(want >> 8 * k);
	if (!read_reg(f, name, value))
		fail_msg("%s is not known", name);
	assert_memory_equal(value, bytes, n);
}

static void
general_registers_are_where_the_kernel_puts_them(void **state)
{
	(void)state;
	struct fixture f;

	fixture_init(&f);
	for (size_t k = 0; k < 34; k++)
		f.regs[k] = 0x1111111111ull * (k + 1);
	put_status(&f);
	open_core(&f);
	assert_word(&f, "x0", 0x1111111111ull, 8);
	assert_word(&f, "x30", 0x1111111111ull * 31, 8);
	assert_word(&f, "sp", 0x1111111111ull * 32, 8);
	assert_word(&f, "pc", 0x1111111111ull * 33, 8);
	assert_word(&f, "cpsr", 0x1111111111ull * 34, 4);
	struct frame_regs regs;
	assert_ok(insp_frame_regs(f.insp, 0, &regs));
	assert_int_equal(regs.known, (1ull << 33) - 1);
	assert_int_equal(regs.value[SP], 0x1111111111ull * 32);
	fixture_fini(&f);
}

static void
what_a_core_does_not_have_is_not_known(void **state)
{
	(void)state;
	uint8_t value[REG_BYTES_MAX];
	struct fixture f;

	fixture_init(&f);
	put_status(&f);
	open_core(&f);
	assert_false(read_reg(&f, "v0", value));
	assert_false(read_reg(&f, "fpcr", value));
	assert_false(has_reg(&f, "tpidr"));
	assert_false(has_reg(&f, "pauth_cmask"));
	fixture_fini(&f);
}

static void
fill(uint8_t *bytes, size_t n)
{
	for (size_t k = 0; k < n; k++)
		bytes[k] = (uint8_t)(k % 251);
}

static void
assert_from(struct fixture *f, const char *name, size_t at)
{
	uint8_t value[REG_BYTES_MAX];

	if (!read_reg(f, name, value))
		fail_msg("%s is not known", name);
	for (size_t k = 0; k < 16; k++)
		assert_int_equal(value[k], (at + k) % 251);
}

static void
sets_of_their_own_bring_their_registers(void **state)
{
	(void)state;
	uint64_t tls = 0x5501011500, pac[] = { 1, MASK };
	uint8_t fpsimd[528];
	struct fixture f;

	fixture_init(&f);
	put_status(&f);
	fill(fpsimd, sizeof(fpsimd));
	make_note(&f.core, "CORE", NT_FPREGSET, fpsimd, sizeof(fpsimd));
	make_note(&f.core, "LINUX", NOTE_TLS, &tls, sizeof(tls));
	make_note(&f.core, "LINUX", NOTE_PAC, pac, sizeof(pac));
	open_core(&f);
	assert_from(&f, "v0", 0);
	assert_from(&f, "v31", 16 * 31);
	assert_word(&f, "fpsr", 0x0d0c0b0a, 4);         /* 512 % 251 = 10 */
	assert_word(&f, "tpidr", tls, 8);
	assert_word(&f, "pauth_dmask", 1, 8);
	assert_word(&f, "pauth_cmask", MASK, 8);
	fixture_fini(&f);
}

/* @vl: the length of its registers; 0 = the state is that of NT_FPREGSET. */
static void
open_sve(struct fixture *f, uint16_t vl)
{
	uint8_t set[16 + 32 * 64 + 64];

	fixture_init(f);
	put_status(f);
	fill(set, sizeof(set));
	memset(set, 0, 16);
	set[8] = (uint8_t)vl;
	set[12] = vl != 0;
	make_note(&f->core, "LINUX", NOTE_SVE, set, sizeof(set));
	open_core(f);
}

static void
vectors_are_found_in_either_form_of_the_sve_set(void **state)
{
	(void)state;
	uint8_t value[REG_BYTES_MAX];
	struct fixture f;

	open_sve(&f, 0);
	assert_from(&f, "v5", 16 + 5 * 16);
	fixture_fini(&f);
	open_sve(&f, 64);
	assert_from(&f, "v5", 16 + 5 * 64);
	assert_false(read_reg(&f, "fpsr", value));
	fixture_fini(&f);
}

/* ---- instructions ------------------------------------------------------- */
static void
calls_are_known(void **state)
{
	(void)state;
	static const struct { uint32_t code; bool call; uint64_t target; }
		cases[] = {
		{ 0x94000010, true, TEXT + 0x40 }, { 0x97fffff0, true,
						     TEXT - 0x40 },
		{ CALL_X1, true, 0 }, { 0xd73f0822, true, 0 },
		{ 0xd63f0c3f, true, 0 }, { RETURN, false, 0 },
		{ 0x14000010, false, 0 }, { LOAD, false, 0 },
	};

	for (size_t k = 0; k < countof(cases); k++) {
		uint64_t target = 7;
		assert_int_equal(arch_aarch64.is_call(
			(const uint8_t *)&cases[k].code, 4, TEXT + 4, &target),
			cases[k].call);
		assert_int_equal(target, cases[k].target);
	}
	uint64_t target;
	uint32_t call = CALL_X1;
	assert_false(arch_aarch64.is_call((const uint8_t *)&call, 4, TEXT + 2,
					  &target));
}

static void
the_link_register_is_believed_where_it_is_certain(void **state)
{
	(void)state;
	static const struct { uint32_t code[6]; size_t at; int slot; }
		cases[] = {
		/* before the record is there, and while it is made */
		{ { PACIASP, PUSH_RECORD, SET_FRAME, CALL_X1 }, 0, 0 },
		{ { PACIASP, PUSH_RECORD, SET_FRAME, CALL_X1 }, 4, 0 },
		{ { PACIASP, PUSH_RECORD, SET_FRAME, CALL_X1 }, 8, 32 },
		{ { SUB_16, PUSH_RECORD, SET_FRAME, CALL_X1 }, 8, 48 },
		{ { PUSH_RECORD, SET_FRAME, LOAD, CALL_X1 }, 8, -1 },
		{ { PUSH_RECORD, CALL_X1, LOAD, LOAD }, 8, -1 },
		/* at the return */
		{ { PUSH_RECORD, CALL_X1, POP_RECORD, RETURN }, 12, 0 },
		{ { PUSH_RECORD, CALL_X1, POP_RECORD, RETURN_SIGNED }, 12, 0 },
		{ { PUSH_RECORD, CALL_X1, POP_RECORD, RETURN }, 8, -1 },
		/* leaves, with and without room of their own */
		{ { SKIP, LOAD, LOAD, RETURN }, 8, 0 },
		{ { SUB_16, SKIP, LOAD, ADD_16, RETURN, LOAD }, 8, 16 },
		{ { SUB_16, SKIP, LOAD, ADD_16, RETURN, LOAD }, 12, 16 },
		{ { SUB_16, SKIP, LOAD, ADD_16, RETURN, LOAD }, 16, 0 },
		{ { SUB_16, SKIP, LOAD, ADD_16, LOAD, RETURN }, 12, -1 },
		/* behind a branch out of the straight line, but not into it */
		{ { SUB_16, SKIP, LOAD, ADD_16, LOAD, RETURN }, 8, 16 },
		{ { SKIP, LOAD, LOAD, CALL_X1 }, 4, 0 },
		{ { SKIP, LOAD, LOAD, 0xd61f0020 /* br x1 */ }, 4, 0 },
		{ { SKIP, LOAD, CALL_X1, 0xd61f0020 /* br x1 */ }, 4, -1 },
		{ { SKIP, LOAD, LOAD, CALL_X1 }, 8, -1 },
		/* no instruction begins there */
		{ { LOAD, LOAD, LOAD, RETURN }, 2, -1 },
		{ { LOAD, LOAD, LOAD, RETURN }, 24, -1 },
	};

	for (size_t k = 0; k < countof(cases); k++) {
		const uint8_t *code = (const uint8_t *)cases[k].code;
		size_t n = cases[k].code[4] ? 24 : 16;

		if (arch_aarch64.link_slot(code, n, cases[k].at)
		    != cases[k].slot)
			fail_msg("case %zu", k);
	}
}

/* ---- stacks ------------------------------------------------------------- */
static void
frame_records_are_followed_to_their_end(void **state)
{
	(void)state;
	struct fixture f;

	fixture_init(&f);
	uint64_t one = after_call(&f, 40), two = after_call(&f, 80);
	uint64_t outer = put_record(&f, 20, 0, two);
	f.regs[FP] = put_record(&f, 4, outer, one);
	unwind(&f);
	assert_pcs(&f, PCS(TEXT, one, two));
	assert_int_equal(f.result.frames[1].how, SNAP_FRAME_FP);
	/* Where in its frame a function puts the record is its own business. */
	assert_int_equal(f.result.frames[0].cfa, 0);
	assert_false(f.result.frames[1].regs.known >> SP & 1);
	assert_string_equal(f.result.why, "no unwind information for 0x401140, "
			    "where the chain of frame pointers ends");
	fixture_fini(&f);
}

static void
a_record_below_the_stack_or_without_a_call_is_not_followed(void **state)
{
	(void)state;
	struct fixture f;

	fixture_init(&f);
	f.regs[SP] = STACK + 64;
	f.regs[FP] = put_record(&f, 4, 0, after_call(&f, 40));
	unwind(&f);
	assert_pcs(&f, PCS(TEXT));
	fixture_fini(&f);
	fixture_init(&f);
	f.regs[FP] = put_record(&f, 4, 0, TEXT + 4 * 40);
	unwind(&f);
	assert_pcs(&f, PCS(TEXT));
	fixture_fini(&f);
}

static void
a_leaf_is_known_by_the_call_that_led_there(void **state)
{
	(void)state;
	struct fixture f;

	fixture_init(&f);
	f.text[0] = LOAD;
	f.text[1] = RETURN;
	f.text[39] = CALL(TEXT + 4 * 39, TEXT);
	uint64_t caller = after_call(&f, 80);
	f.regs[LR] = TEXT + 4 * 40;
	f.regs[FP] = put_record(&f, 4, 0, caller);
	unwind(&f);
	assert_pcs(&f, PCS(TEXT, TEXT + 4 * 40, caller));
	assert_int_equal(f.result.frames[0].cfa, STACK);
	assert_int_equal(f.result.frames[1].flags, 0);
	fixture_fini(&f);
}

static void
a_frame_that_may_lack_one_before_it_is_suspect(void **state)
{
	(void)state;
	struct fixture f;

	fixture_init(&f);
	uint64_t caller = after_call(&f, 80);
	f.regs[LR] = after_call(&f, 40);        /* of whom, is not told */
	f.regs[FP] = put_record(&f, 4, 0, caller);
	unwind(&f);
	assert_pcs(&f, PCS(TEXT, caller));
	assert_int_equal(f.result.frames[1].flags, SNAP_FRAME_SUSPECT);
	fixture_fini(&f);
}

static void
a_call_through_a_bad_pointer_came_from_the_link_register(void **state)
{
	(void)state;
	struct fixture f;

	fixture_init(&f);
	f.regs[PC] = 0x20;
	f.regs[LR] = after_call(&f, 40);
	unwind(&f);
	assert_pcs(&f, PCS(0x20, f.regs[LR]));
	assert_int_equal(f.result.frames[1].regs.value[SP], STACK);
	fixture_fini(&f);
}

/* The machine's mask, or that no memory is mapped where a signature is. */
static void
signatures_are_taken_off(void **state)
{
	(void)state;
	uint64_t pac[] = { 1, MASK };

	for (int with_mask = 0; with_mask < 2; with_mask++) {
		struct fixture f;

		fixture_init(&f);
		uint64_t one = after_call(&f, 40), two = after_call(&f, 80);
		uint64_t outer = put_record(&f, 20, 0, two | SIGNED);
		f.regs[FP] = put_record(&f, 4, outer, one | SIGNED);
		put_status(&f);
		if (with_mask)
			make_note(&f.core, "LINUX", NOTE_PAC, pac,
				  sizeof(pac));
		open_core(&f);
		f.arena = arena_new(0);
		assert_ok(insp_stack(f.insp, 0, 20, false, f.arena,
				     &f.result));
		assert_pcs(&f, PCS(TEXT, one, two));
		fixture_fini(&f);
	}
}

static void
a_signal_frame_holds_all_registers(void **state)
{
	(void)state;
	enum { TRAMPOLINE = 40, INTERRUPTED = 80, SAVED = 39 };
	struct fixture f;

	fixture_init(&f);
	f.text[TRAMPOLINE] = 0xd2801168;        /* mov x8, #139 */
	f.text[TRAMPOLINE + 1] = 0xd4000001;    /* svc #0 */
	f.regs[PC] = TEXT + 4 * TRAMPOLINE;
	uint64_t *saved = f.stack + SAVED;      /* 312 bytes up */
	for (size_t k = 0; k < 31; k++)
		saved[k] = k + 1000;
	saved[FP] = 0;
	saved[SP] = STACK + 3000;
	saved[PC] = TEXT + 4 * INTERRUPTED;
	unwind(&f);
	assert_pcs(&f, PCS(TEXT + 4 * TRAMPOLINE, TEXT + 4 * INTERRUPTED));
	assert_int_equal(f.result.frames[0].flags, SNAP_FRAME_SIGNAL);
	assert_int_equal(f.result.frames[1].regs.value[28], 1028);
	assert_int_equal(f.result.frames[1].regs.value[SP], STACK + 3000);
	assert_int_equal(f.result.frames[1].regs.known, (1ull << 33) - 1);
	fixture_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			general_registers_are_where_the_kernel_puts_them),
		cmocka_unit_test(what_a_core_does_not_have_is_not_known),
		cmocka_unit_test(sets_of_their_own_bring_their_registers),
		cmocka_unit_test(
			vectors_are_found_in_either_form_of_the_sve_set),
		cmocka_unit_test(calls_are_known),
		cmocka_unit_test(
			the_link_register_is_believed_where_it_is_certain),
		cmocka_unit_test(frame_records_are_followed_to_their_end),
		cmocka_unit_test(
		    a_record_below_the_stack_or_without_a_call_is_not_followed),
		cmocka_unit_test(a_leaf_is_known_by_the_call_that_led_there),
		cmocka_unit_test(
			a_frame_that_may_lack_one_before_it_is_suspect),
		cmocka_unit_test(
		    a_call_through_a_bad_pointer_came_from_the_link_register),
		cmocka_unit_test(signatures_are_taken_off),
		cmocka_unit_test(a_signal_frame_holds_all_registers),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
