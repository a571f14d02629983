/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps by call frame information, rule by rule, and the second opinion. The
 * core is made of this program's own image, with registers and a stack as if
 * it had died in one of the functions below; they never run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <link.h>
#include <string.h>

#include "assert-err.h"
#include "inspect/impl.h"
#include "inspect/unwind.h"
#include "make-core.h"

#define PAGE 4096ull
#define STACK 0x7000000u

/* Each label NAME_at is an instruction; the rules hold there. DW_CFA and DW_OP
 * numbers are those of DWARF 5, 7.24 and 7.7.1. */
__asm__(".pushsection .text\n"
	".macro function name\n"
	"	.type \\name, @function\n"
	"\\name:\n"
	"	.cfi_startproc\n"
	"	nop\n"
	".endm\n"
	".macro end name\n"
	"	.globl \\name\\()_at\n"
	"\\name\\()_at:\n"
	"	nop\n"
	"	.cfi_endproc\n"
	"	.size \\name, . - \\name\n"
	".endm\n"
	"function cfi_plain\n"          /* CFA = rsp + 32, rbx at CFA - 16 */
	"	.cfi_def_cfa_offset 32\n"
	"	.cfi_offset %rbx, -16\n"
	"end cfi_plain\n"
	"function cfi_frame\n"          /* CFA = rbp + 16 */
	"	.cfi_def_cfa %rbp, 16\n"
	"	.cfi_offset %rbp, -16\n"
	"end cfi_frame\n"
	"function cfi_computed\n"       /* CFA = [rsp + 8] + 8 */
	"	.cfi_escape 0x0f, 5, 0x77, 8, 0x06, 0x23, 8\n"
	/* r12 = [rsp + 16] + 1; r13 is where CFA - 24 says */
	"	.cfi_escape 0x16, 12, 5, 0x77, 16, 0x06, 0x23, 1\n"
	"	.cfi_escape 0x10, 13, 2, 0x48, 0x1c\n"
	"end cfi_computed\n"
	"function cfi_moved\n"          /* return address and r14 moved */
	"	.cfi_def_cfa_offset 0\n"
	"	.cfi_register %rip, %r11\n"
	"	.cfi_register %r14, %r10\n"
	"	.cfi_undefined %r15\n"
	"end cfi_moved\n"
	"function cfi_outermost\n"
	"	.cfi_undefined %rip\n"
	"end cfi_outermost\n"
	"function cfi_endless\n"        /* CFA = an expression that loops */
	"	.cfi_escape 0x0f, 3, 0x2f, 0xfd, 0xff\n"
	"end cfi_endless\n"
	"function cfi_signal\n"         /* a trampoline of other code bytes */
	"	.cfi_signal_frame\n"
	"	.cfi_escape 0x0f, 3, 0x77, 8, 0x06\n"   /* CFA = [rsp + 8] */
	"	.cfi_escape 0x10, 16, 2, 0x77, 16\n"    /* rip at rsp + 16 */
	"end cfi_signal\n"
	".popsection\n");

extern const char cfi_plain_at[], cfi_frame_at[], cfi_computed_at[],
	cfi_moved_at[], cfi_outermost_at[], cfi_endless_at[],
	cfi_signal_at[];

struct fixture {
	uint64_t stack[PAGE / 8];
	uint64_t regs[X86_REGS];
	size_t stack_bytes;             /* captured ones; 0 = all */
	struct buf file, image;
	struct source *source, *exe;
	struct insp *insp;
	struct arena *arena;
	struct stack result;
};

static void
fixture_fini(struct fixture *f)
{
	insp_free(f->insp);
	source_free(f->source);
	source_free(f->exe);
	buf_fini(&f->file);
	buf_fini(&f->image);
	arena_free(f->arena);
}

static uint64_t
address(const char *at)
{
	return (uint64_t)(uintptr_t)at;
}

struct adding {
	struct make_core *core;
	const struct buf *image;
};

/* The program is the first that the dynamic linker lists. Its bytes are the
 * file's: a sanitizer has parts of memory that must not be read. */
static int
add_program(struct dl_phdr_info *info, size_t n, void *arg)
{
	struct adding *a = arg;
	uint64_t auxv[] = { AT_PHDR, (uint64_t)(uintptr_t)info->dlpi_phdr,
			    AT_PHNUM, info->dlpi_phnum, AT_PHENT, 56, 0, 0 };

	(void)n;
	for (size_t k = 0; k < info->dlpi_phnum; k++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[k];
		uint64_t skew = ph->p_vaddr % PAGE;
		uint64_t size = ph->p_filesz + skew;

		if (ph->p_type == PT_LOAD)
			make_segment(a->core,
				     info->dlpi_addr + ph->p_vaddr - skew,
				     (size + PAGE - 1) / PAGE * PAGE,
				     ph->p_flags,
				     a->image->data + ph->p_offset - skew,
				     size);
	}
	make_note(a->core, "CORE", NT_AUXV, auxv, sizeof(auxv));
	return 1;
}

static void
add_thread(struct make_core *m, const struct fixture *f)
{
	/* DWARF numbers 0…16 as indices into user_regs_struct. */
	static const uint8_t at[X86_REGS] = {
		10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16,
	};
	uint64_t status[42] = { 0 };
	enum { REGS = 14 };

	for (size_t n = 0; n < X86_REGS; n++)
		status[REGS + at[n]] = f->regs[n];
	make_note(m, "CORE", NT_PRSTATUS, status, sizeof(status));
}

static void
open_core(struct fixture *f)
{
	struct make_core m = { 0 };
	struct insp_options options = { 0 };
	struct target *target;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_ok(io_read_file("/proc/self/exe", 256 << 20, &f->image));
	add_thread(&m, f);
	dl_iterate_phdr(add_program, &(struct adding){ &m, &f->image });
	make_segment(&m, STACK, PAGE, PF_R | PF_W, f->stack,
		     f->stack_bytes ? f->stack_bytes : PAGE);
	make_core(&m, &f->file);
	assert_ok(source_mem(f->file.data, f->file.len, "core", &f->source));
	assert_ok(source_fd(fd, "t-cfi", &f->exe));
	assert_ok(target_open(f->source, &target));
	options.exe = f->exe;
	assert_ok(insp_open(target, &options, &f->insp));
	f->arena = arena_new(0);
	assert_non_null(f->arena);
}

/** Unwind from @at, with the stack pointer at stack[2]. */
static void
unwind(struct fixture *f, const char *at)
{
	f->regs[7] = STACK + 16;
	f->regs[16] = address(at);
	open_core(f);
	assert_ok(insp_stack(f->insp, 0, 100, true, f->arena, &f->result));
}

static void
assert_reg(struct fixture *f, size_t frame, unsigned n, uint64_t want)
{
	const struct frame_regs *r = &f->result.frames[frame].regs;

	assert_true(frame < f->result.n);
	if (!(r->known >> n & 1))
		fail_msg("register %u of frame %zu is not known", n, frame);
	assert_int_equal(r->value[n], want);
}

static void
assert_reg_unknown(struct fixture *f, size_t frame, unsigned n)
{
	assert_true(frame < f->result.n);
	assert_false(f->result.frames[frame].regs.known >> n & 1);
}

/* Every stack here ends in cfi_outermost. */
static uint64_t
outermost(void)
{
	return address(cfi_outermost_at) + 1;
}

static void
assert_complete(struct fixture *f, size_t n)
{
	if (f->result.why)
		print_error("why: %s\n", f->result.why);
	assert_int_equal(f->result.n, n);
	assert_int_equal(f->result.end, STACK_COMPLETE);
	for (size_t k = 1; k < n; k++) {
		assert_int_equal(f->result.frames[k].how, SNAP_FRAME_CFI);
		assert_int_equal(f->result.frames[k].flags
				 & SNAP_FRAME_SUSPECT, 0);
	}
}

static void
saved_registers_are_restored_and_others_kept(void **state)
{
	(void)state;
	struct fixture f = { .regs = { [0] = 9, [2] = 9, [3] = 8, [12] = 77 } };

	f.stack[4] = 0xb0b0;            /* rbx, at CFA - 16 */
	f.stack[5] = outermost();
	unwind(&f, cfi_plain_at);
	assert_complete(&f, 2);
	assert_int_equal(f.result.frames[0].cfa, STACK + 48);
	assert_reg(&f, 1, 3, 0xb0b0);
	assert_reg(&f, 1, 7, STACK + 48);
	assert_reg(&f, 1, 12, 77);
	assert_reg(&f, 1, 16, outermost());
	fixture_fini(&f);
}

static void
what_a_callee_may_change_is_not_known(void **state)
{
	(void)state;
	static const unsigned changed[] = { 0, 1, 2, 4, 5, 8, 9, 10, 11 };
	struct fixture f = { 0 };

	f.stack[5] = outermost();
	unwind(&f, cfi_plain_at);
	/* libdw's default for %rax is "same value". */
	for (size_t k = 0; k < countof(changed); k++)
		assert_reg_unknown(&f, 1, changed[k]);
	fixture_fini(&f);
}

static void
a_frame_may_be_counted_from_another_register(void **state)
{
	(void)state;
	struct fixture f = { .regs = { [3] = 0xb0, [6] = STACK + 80 } };

	f.stack[10] = 0xfefe;
	f.stack[11] = outermost();
	unwind(&f, cfi_frame_at);
	assert_complete(&f, 2);
	assert_int_equal(f.result.frames[0].cfa, STACK + 96);
	assert_reg(&f, 1, 6, 0xfefe);
	/* libdw's default for %rbx is "undefined". */
	assert_reg(&f, 1, 3, 0xb0);
	fixture_fini(&f);
}

static void
expressions_are_evaluated(void **state)
{
	(void)state;
	struct fixture f = { 0 };

	f.stack[3] = STACK + 160;       /* [rsp + 8]: CFA - 8 */
	f.stack[4] = 40;                /* [rsp + 16] */
	f.stack[18] = 0xd13;            /* CFA - 24 */
	f.stack[20] = outermost();
	unwind(&f, cfi_computed_at);
	assert_complete(&f, 2);
	assert_int_equal(f.result.frames[0].cfa, STACK + 168);
	assert_reg(&f, 1, 12, 41);
	assert_reg(&f, 1, 13, 0xd13);
	fixture_fini(&f);
}

static void
registers_may_be_kept_in_registers(void **state)
{
	(void)state;
	struct fixture f = { .regs = { [10] = 0xa14, [15] = 3 } };

	f.regs[11] = outermost();
	unwind(&f, cfi_moved_at);
	assert_complete(&f, 2);
	assert_int_equal(f.result.frames[0].cfa, STACK + 16);
	assert_reg(&f, 1, 14, 0xa14);
	assert_reg_unknown(&f, 1, 15);
	fixture_fini(&f);
}

static void
an_undefined_return_address_is_the_end(void **state)
{
	(void)state;
	struct fixture f = { 0 };

	unwind(&f, cfi_outermost_at);
	assert_complete(&f, 1);
	assert_null(f.result.why);
	fixture_fini(&f);
}

static void
below_a_signal_frame_the_pc_is_exact(void **state)
{
	(void)state;
	struct fixture f = { 0 };

	f.stack[5] = address(cfi_signal_at) + 1;
	f.stack[7] = STACK + 400;       /* from stack[6]: CFA, then rip */
	f.stack[8] = address(cfi_plain_at);
	f.stack[53] = outermost();      /* at STACK + 400 + 24 */
	unwind(&f, cfi_plain_at);
	assert_complete(&f, 4);
	assert_int_equal(f.result.frames[1].flags, SNAP_FRAME_SIGNAL);
	assert_int_equal(f.result.frames[2].flags, 0);
	assert_int_equal(stack_lookup_pc(&f.result, 2), address(cfi_plain_at));
	assert_int_equal(stack_lookup_pc(&f.result, 3), outermost() - 1);
	fixture_fini(&f);
}

static void
a_return_address_that_was_not_captured_ends_with_the_reason(void **state)
{
	(void)state;
	struct fixture f = { .stack_bytes = 40 };

	unwind(&f, cfi_plain_at);
	assert_int_equal(f.result.n, 1);
	assert_int_equal(f.result.end, STACK_TRUNCATED);
	assert_non_null(strstr(f.result.why, "was not captured"));
	assert_non_null(strstr(f.result.why, "0x7000028"));
	fixture_fini(&f);
}

static void
a_table_that_is_not_sound_is_told(void **state)
{
	(void)state;
	struct fixture f = { 0 };

	unwind(&f, cfi_endless_at);
	assert_int_equal(f.result.n, 1);
	assert_int_equal(f.result.end, STACK_TRUNCATED);
	assert_non_null(strstr(f.result.why, "is not sound (the expression "
					     "does not end"));
	fixture_fini(&f);
}

static void
a_register_that_was_not_captured_is_merely_unknown(void **state)
{
	(void)state;
	struct fixture f = { .regs = { [6] = STACK + 200 } };

	f.stack[3] = STACK + 160;
	f.stack[20] = outermost();
	f.stack_bytes = 168;
	f.stack[4] = 40;
	unwind(&f, cfi_computed_at);
	assert_complete(&f, 2);
	assert_reg(&f, 1, 12, 41);
	fixture_fini(&f);
}

static void
a_return_address_that_is_no_code_is_shown_as_suspect(void **state)
{
	(void)state;
	struct fixture f = { 0 };

	f.stack[5] = 0x4141414141414141;
	unwind(&f, cfi_plain_at);
	assert_int_equal(f.result.n, 2);
	assert_int_equal(f.result.frames[1].flags, SNAP_FRAME_SUSPECT);
	assert_int_equal(f.result.end, STACK_TRUNCATED);
	assert_string_equal(f.result.why,
			    "0x4141414141414141 is not executable memory");
	fixture_fini(&f);
}

static void
a_zero_return_address_is_an_end_only_without_a_frame_pointer(void **state)
{
	(void)state;
	struct fixture f = { 0 };

	unwind(&f, cfi_plain_at);
	assert_complete(&f, 1);
	fixture_fini(&f);
	f = (struct fixture){ .regs = { [6] = STACK + 800 } };
	unwind(&f, cfi_plain_at);
	assert_int_equal(f.result.n, 1);
	assert_int_equal(f.result.end, STACK_TRUNCATED);
	assert_string_equal(f.result.why, "the return address is 0");
	fixture_fini(&f);
}

static void
a_frame_address_that_goes_back_ends(void **state)
{
	(void)state;
	struct fixture f = { .regs = { [6] = STACK + 8 } };

	f.stack[2] = outermost();
	f.stack[5] = address(cfi_frame_at) + 1;
	unwind(&f, cfi_plain_at);
	assert_int_equal(f.result.n, 2);
	assert_int_equal(f.result.end, STACK_TRUNCATED);
	assert_non_null(strstr(f.result.why, "goes back"));
	fixture_fini(&f);
}

/* ---- the second opinion ------------------------------------------------- */
/* A stack of three frames that all rules above had a part in. */
static void
unwind_three(struct fixture *f, struct frame frames[3])
{
	f->regs[6] = STACK + 240;
	f->stack[4] = 0xb0b0;
	f->stack[5] = address(cfi_frame_at) + 1;
	f->stack[30] = 0xfefe;
	f->stack[31] = outermost();
	unwind(f, cfi_plain_at);
	assert_complete(f, 3);
	memcpy(frames, f->result.frames, 3 * sizeof(*frames));
}

static size_t
agreed(struct fixture *f, const struct frame frames[3])
{
	size_t n = 77;

	assert_ok(second_agrees(f->insp, frames, 3, &n));
	return n;
}

static void
the_second_opinion_agrees_with_the_first(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct frame frames[3];

	unwind_three(&f, frames);
	assert_int_equal(agreed(&f, frames), 3);
	fixture_fini(&f);
}

static void
another_pc_or_register_is_disagreed_with_from_there_on(void **state)
{
	(void)state;
	static const unsigned compared[] = { 3, 6, 7, 16 };
	struct fixture f = { 0 };
	struct frame frames[3];

	unwind_three(&f, frames);
	for (size_t k = 0; k < countof(compared); k++) {
		unsigned n = compared[k];

		frames[2].regs.value[n] ^= 8;
		assert_int_equal(agreed(&f, frames), 2);
		frames[2].regs.value[n] ^= 8;
		frames[1].regs.value[n] ^= 8;
		assert_int_equal(agreed(&f, frames), 1);
		frames[1].regs.value[n] ^= 8;
	}
	fixture_fini(&f);
}

static void
what_the_second_cannot_see_it_does_not_judge(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct frame frames[3];

	unwind_three(&f, frames);
	frames[1].regs.known &= ~(1u << 6);     /* its frame is unknown then */
	frames[2].regs.value[16] ^= 8;
	assert_int_equal(agreed(&f, frames), 3);
	frames[1].pc = 0x1000;                  /* no table covers it */
	frames[1].regs.known = 0;
	frames[2].pc ^= 8;
	assert_int_equal(agreed(&f, frames), 3);
	fixture_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(saved_registers_are_restored_and_others_kept),
		cmocka_unit_test(what_a_callee_may_change_is_not_known),
		cmocka_unit_test(a_frame_may_be_counted_from_another_register),
		cmocka_unit_test(expressions_are_evaluated),
		cmocka_unit_test(registers_may_be_kept_in_registers),
		cmocka_unit_test(an_undefined_return_address_is_the_end),
		cmocka_unit_test(below_a_signal_frame_the_pc_is_exact),
		cmocka_unit_test(
		    a_return_address_that_was_not_captured_ends_with_the_reason),
		cmocka_unit_test(a_table_that_is_not_sound_is_told),
		cmocka_unit_test(
			a_register_that_was_not_captured_is_merely_unknown),
		cmocka_unit_test(
			a_return_address_that_is_no_code_is_shown_as_suspect),
		cmocka_unit_test(
		    a_zero_return_address_is_an_end_only_without_a_frame_pointer),
		cmocka_unit_test(a_frame_address_that_goes_back_ends),
		cmocka_unit_test(the_second_opinion_agrees_with_the_first),
		cmocka_unit_test(
			another_pc_or_register_is_disagreed_with_from_there_on),
		cmocka_unit_test(what_the_second_cannot_see_it_does_not_judge),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
