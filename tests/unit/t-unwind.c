/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks of code that has no unwind information: what is followed, what is
 * not believed, and how the end is told. (Stacks by call frame information
 * are compared with gdb's by tests/unwind.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "assert-err.h"
#include "inspect/overlay.h"
#include "inspect/inspect.h"
#include "make-core.h"

#define PAGE 4096u
#define TEXT 0x401000u
#define STACK 0x7000000u
#define OTHER 0x9000000u        /* a second stack, above */

struct fixture {
	uint8_t text[PAGE];
	uint64_t stack[PAGE / 8], other[PAGE / 8];
	uint64_t entry;                 /* AT_ENTRY, 0 = no auxv */
	size_t stack_bytes;             /* captured ones; 0 = all */
	struct buf file;
	struct source *source;
	struct insp *insp;
	struct arena *arena;
	struct stack result;
};

static void
fixture_fini(struct fixture *f)
{
	insp_free(f->insp);
	source_free(f->source);
	buf_fini(&f->file);
	arena_free(f->arena);
}

/** The address after a call that is put there. */
static uint64_t
after_call(struct fixture *f, size_t at)
{
	f->text[at - 5] = 0xe8;
	return TEXT + at;
}

static uint64_t
put_code(struct fixture *f, size_t at, const char *code, size_t n)
{
	memcpy(f->text + at, code, n);
	return TEXT + at;
}

/** A caller's saved frame pointer and return address, at stack[@slot]. */
static uint64_t
put_frame(struct fixture *f, size_t slot, uint64_t saved, uint64_t ra)
{
	f->stack[slot] = saved;
	f->stack[slot + 1] = ra;
	return STACK + 8 * slot;
}

static void
open_core(struct fixture *f, uint64_t rip, uint64_t rsp, uint64_t rbp)
{
	struct make_core m = { 0 };
	struct insp_options options = { 0 };
	uint64_t status[42] = { 0 }, auxv[] = { AT_ENTRY, f->entry, 0, 0 };
	enum { REGS = 14, RBP = 4, RIP = 16, RSP = 19 };
	struct target *target;

	status[REGS + RBP] = rbp;
	status[REGS + RIP] = rip;
	status[REGS + RSP] = rsp;
	make_note(&m, "CORE", NT_PRSTATUS, status, sizeof(status));
	if (f->entry)
		make_note(&m, "CORE", NT_AUXV, auxv, sizeof(auxv));
	make_segment(&m, TEXT, PAGE, PF_R | PF_X, f->text, PAGE);
	make_segment(&m, STACK, PAGE, PF_R | PF_W, f->stack,
		     f->stack_bytes ? f->stack_bytes : PAGE);
	make_segment(&m, OTHER, PAGE, PF_R | PF_W, f->other, PAGE);
	make_core(&m, &f->file);
	assert_ok(source_mem(f->file.data, f->file.len, "core", &f->source));
	assert_ok(target_open(f->source, &target));
	assert_ok(insp_open(target, &options, &f->insp));
	f->arena = arena_new(0);
}

static void
unwind(struct fixture *f, size_t max_frames)
{
	assert_ok(insp_stack(f->insp, 0, max_frames, true, f->arena,
			     &f->result));
}

static void
assert_frame(struct fixture *f, size_t n, uint64_t pc, uint8_t how,
	     uint8_t flags)
{
	assert_true(n < f->result.n);
	assert_int_equal(f->result.frames[n].pc, pc);
	assert_int_equal(f->result.frames[n].how, how);
	assert_int_equal(f->result.frames[n].flags, flags);
}

static void
assert_truncated(struct fixture *f, size_t n, const char *words)
{
	assert_int_equal(f->result.n, n);
	assert_int_equal(f->result.end, STACK_TRUNCATED);
	if (!strstr(f->result.why, words))
		fail_msg("'%s' does not say '%s'", f->result.why, words);
}

/* ---- frame pointers ----------------------------------------------------- */
static void
a_chain_of_frame_pointers_is_followed(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	uint64_t middle = after_call(&f, 0x100), outer = after_call(&f, 0x200);

	put_frame(&f, 20, 0, outer);
	open_core(&f, TEXT + 0x50, STACK + 16,
		  put_frame(&f, 4, STACK + 160, middle));
	unwind(&f, 100);
	assert_frame(&f, 0, TEXT + 0x50, SNAP_FRAME_TOP, 0);
	assert_frame(&f, 1, middle, SNAP_FRAME_FP, 0);
	assert_frame(&f, 2, outer, SNAP_FRAME_FP, 0);
	assert_truncated(&f, 3, "where the chain of frame pointers ends");
	assert_int_equal(f.result.frames[0].cfa, STACK + 48);
	assert_int_equal(f.result.frames[1].cfa, STACK + 176);
	assert_int_equal(f.result.frames[2].cfa, 0);
	fixture_fini(&f);
}

static void
only_the_innermost_pc_is_looked_up_as_it_is(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	uint64_t caller = after_call(&f, 0x100);

	open_core(&f, TEXT + 0x50, STACK + 16, put_frame(&f, 4, 0, caller));
	unwind(&f, 100);
	assert_int_equal(stack_lookup_pc(&f.result, 0), TEXT + 0x50);
	assert_int_equal(stack_lookup_pc(&f.result, 1), caller - 1);
	fixture_fini(&f);
}

/* Every frame pointer that is not believed leaves one frame and says so. */
static void
refuses_frame_pointer(struct fixture *f, uint64_t sp, uint64_t fp)
{
	open_core(f, TEXT + 0x50, sp, fp);
	unwind(f, 100);
	assert_truncated(f, 1, "no unwind information for 0x401050 and no "
			       "plausible frame pointer");
	fixture_fini(f);
}

static void
a_frame_pointer_below_the_stack_pointer_is_not_believed(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	uint64_t fp = put_frame(&f, 4, 0, after_call(&f, 0x100));

	refuses_frame_pointer(&f, fp + 8, fp);
}

static void
a_frame_pointer_that_is_not_aligned_is_not_believed(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	uint64_t fp = put_frame(&f, 4, 0, after_call(&f, 0x100));

	memmove((uint8_t *)f.stack + 36, f.stack + 4, 16);
	refuses_frame_pointer(&f, STACK, fp + 4);
}

static void
a_frame_pointer_to_another_mapping_is_not_believed(void **state)
{
	(void)state;
	struct fixture f = { 0 };

	f.other[5] = after_call(&f, 0x100);
	refuses_frame_pointer(&f, STACK, OTHER + 32);
}

static void
a_return_address_outside_of_code_is_not_believed(void **state)
{
	(void)state;
	struct fixture f = { 0 };

	refuses_frame_pointer(&f, STACK, put_frame(&f, 4, 0, STACK + 64));
}

static void
a_return_address_that_follows_no_call_is_not_believed(void **state)
{
	(void)state;
	struct fixture f = { 0 };

	refuses_frame_pointer(&f, STACK, put_frame(&f, 4, 0, TEXT + 0x100));
}

static void
a_frame_that_was_not_captured_is_not_made_up(void **state)
{
	(void)state;
	struct fixture f = { .stack_bytes = 256 };

	open_core(&f, TEXT + 0x50, STACK,
		  put_frame(&f, 40, 0, after_call(&f, 0x100)));
	unwind(&f, 100);
	assert_truncated(&f, 1, "memory at 0x7000148 was not captured");
	fixture_fini(&f);
}

static void
a_chain_that_leads_back_ends(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	uint64_t caller = after_call(&f, 0x100);

	put_frame(&f, 20, STACK + 32, caller);
	open_core(&f, TEXT + 0x50, STACK + 16,
		  put_frame(&f, 4, STACK + 160, caller));
	unwind(&f, 100);
	assert_truncated(&f, 3, "no plausible frame pointer");
	fixture_fini(&f);
}

static void
every_form_of_call_is_known(void **state)
{
	(void)state;
	static const struct { const char *code; size_t n; } calls[] = {
		{ "\xe8\1\2\3\4", 5 },                  /* call rel32 */
		{ "\xff\xd0", 2 },                      /* call *%rax */
		{ "\x41\xff\xd4", 3 },                  /* call *%r12 */
		{ "\xff\x13", 2 },                      /* call *(%rbx) */
		{ "\xff\x14\x24", 3 },                  /* call *(%rsp) */
		{ "\xff\x14\xc5\1\2\3\4", 7 },          /* call *N(,%rax,8) */
		{ "\xff\x50\x08", 3 },                  /* call *8(%rax) */
		{ "\xff\x54\x24\x08", 4 },              /* call *8(%rsp) */
		{ "\xff\x90\1\2\3\4", 6 },              /* call *N(%rax) */
		{ "\xff\x94\x24\1\2\3\4", 7 },          /* call *N(%rsp) */
		{ "\xff\x15\1\2\3\4", 6 },              /* call *N(%rip) */
	};

	for (size_t k = 0; k < countof(calls); k++) {
		struct fixture f = { 0 };
		uint64_t ra = put_code(&f, 0x100, calls[k].code, calls[k].n)
			      + calls[k].n;

		open_core(&f, TEXT + 0x50, STACK, put_frame(&f, 4, 0, ra));
		unwind(&f, 100);
		if (f.result.n != 2)
			fail_msg("form %zu is not known", k);
		fixture_fini(&f);
	}
}

/* ---- the program's entry ------------------------------------------------ */
static void
the_programs_entry_completes_a_stack(void **state)
{
	(void)state;
	struct fixture f = { .entry = TEXT + 0x1f0 };
	uint64_t entry = after_call(&f, 0x200);

	open_core(&f, TEXT + 0x50, STACK, put_frame(&f, 4, 0, entry));
	unwind(&f, 100);
	assert_int_equal(f.result.n, 2);
	assert_int_equal(f.result.end, STACK_COMPLETE);
	assert_null(f.result.why);
	fixture_fini(&f);
}

/* ---- prologues and epilogues -------------------------------------------- */
static void
steps_over(const char *code, size_t n, size_t before, size_t slot)
{
	struct fixture f = { 0 };
	uint64_t ra = after_call(&f, 0x200), outer = after_call(&f, 0x300);
	uint64_t pc = put_code(&f, 0x100 - before, code, n) + before;

	f.stack[2] = STACK + 160;       /* pushed %rbp, where it is pushed */
	f.stack[2 + slot] = ra;
	put_frame(&f, 20, 0, outer);
	/* A frame pointer that is the caller's: it would skip a frame. */
	open_core(&f, pc, STACK + 16, STACK + 160);
	unwind(&f, 100);
	assert_frame(&f, 1, ra, SNAP_FRAME_FP, 0);
	assert_frame(&f, 2, outer, SNAP_FRAME_FP, 0);
	fixture_fini(&f);
}

static void
at_an_entry_the_stack_begins_with_the_return_address(void **state)
{
	(void)state;

	steps_over("\xf3\x0f\x1e\xfa", 4, 0, 0);        /* endbr64 */
	steps_over("\x55\x48\x89\xe5", 4, 0, 0);        /* push; mov */
	steps_over("\xc3", 1, 0, 0);                    /* ret */
}

static void
after_a_push_the_return_address_is_second(void **state)
{
	(void)state;

	steps_over("\x55\x48\x89\xe5", 4, 1, 1);        /* at mov */
	steps_over("\x5d\xc3", 2, 0, 1);                /* pop %rbp; ret */
}

/* ---- a pc that is no code ----------------------------------------------- */
/** The address after a call of @target that is put there. */
static uint64_t
after_call_of(struct fixture *f, size_t at, uint64_t target)
{
	int32_t distance = (int32_t)(target - (TEXT + at));

	memcpy(f->text + at - 4, &distance, sizeof(distance));
	return after_call(f, at);
}

static void
a_nameless_leaf_is_known_by_the_call_that_led_there(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	uint64_t caller = after_call_of(&f, 0x200, TEXT + 0x40);

	f.stack[2] = caller;
	open_core(&f, TEXT + 0x50, STACK + 16, 0);
	unwind(&f, 100);
	assert_frame(&f, 1, caller, SNAP_FRAME_FP, 0);
	assert_int_equal(f.result.frames[0].cfa, STACK + 24);
	fixture_fini(&f);
}

static void
a_call_of_something_else_leads_to_no_leaf(void **state)
{
	(void)state;
	struct fixture f = { 0 };

	f.stack[2] = after_call_of(&f, 0x900, TEXT + 0x600);
	open_core(&f, TEXT + 0x50, STACK + 16, 0);
	unwind(&f, 100);
	assert_truncated(&f, 1, "no plausible frame pointer");
	fixture_fini(&f);
}

static void
a_jump_to_0_has_its_caller_on_the_stack(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	uint64_t ra = after_call(&f, 0x200), outer = after_call(&f, 0x300);

	f.stack[2] = ra;
	put_frame(&f, 20, 0, outer);
	open_core(&f, 0, STACK + 16, STACK + 160);
	unwind(&f, 100);
	assert_frame(&f, 0, 0, SNAP_FRAME_TOP, 0);
	assert_frame(&f, 1, ra, SNAP_FRAME_SCAN, 0);
	assert_frame(&f, 2, outer, SNAP_FRAME_FP, 0);
	assert_int_equal(f.result.frames[1].regs.value[7], STACK + 24);
	fixture_fini(&f);
}

static void
a_caller_that_calls_nothing_is_suspect(void **state)
{
	(void)state;
	struct fixture f = { 0 };

	f.stack[2] = TEXT + 0x200;
	open_core(&f, STACK + 64, STACK + 16, 0);
	unwind(&f, 100);
	assert_frame(&f, 1, TEXT + 0x200, SNAP_FRAME_SCAN, SNAP_FRAME_SUSPECT);
	fixture_fini(&f);
}

static void
a_jump_to_nowhere_without_a_caller_says_so(void **state)
{
	(void)state;
	struct fixture f = { 0 };

	f.stack[2] = 0x4141414141414141;
	open_core(&f, 0x4242424242, STACK + 16, 0);
	unwind(&f, 100);
	assert_truncated(&f, 1, "0x4242424242 is not executable memory, and "
				"the stack does not begin with a return "
				"address");
	fixture_fini(&f);
}

/* ---- signal frames ------------------------------------------------------ */
static const char TRAMPOLINE[] = "\x48\xc7\xc0\x0f\0\0\0\x0f\x05";

/* A struct ucontext at @at: words 5… are r8…r15, rdi, rsi, rbp, rbx, rdx, rax,
 * rcx, rsp, rip (asm/sigcontext.h). */
static void
put_context(uint64_t *at, uint64_t rip, uint64_t rsp, uint64_t rbp)
{
	at[5 + 10] = rbp;
	at[5 + 15] = rsp;
	at[5 + 16] = rip;
}

/** A handler with a frame pointer on the stack, interrupted as told. */
static void
open_handler(struct fixture *f, uint64_t rip, uint64_t rsp, uint64_t rbp)
{
	uint64_t trampoline = put_code(f, 0x800, TRAMPOLINE, 9);

	put_frame(f, 4, rbp, trampoline);
	put_context(f->stack + 6, rip, rsp, rbp);
	open_core(f, TEXT + 0x50, STACK, STACK + 32);
}

static void
a_handlers_trampoline_leads_to_what_it_interrupted(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	uint64_t outer = after_call(&f, 0x300);

	put_frame(&f, 100, 0, outer);
	open_handler(&f, TEXT + 0x90, STACK + 8 * 90, STACK + 8 * 100);
	unwind(&f, 100);
	assert_frame(&f, 1, TEXT + 0x800, SNAP_FRAME_FP, SNAP_FRAME_SIGNAL);
	assert_frame(&f, 2, TEXT + 0x90, SNAP_FRAME_CFI, 0);
	assert_frame(&f, 3, outer, SNAP_FRAME_FP, 0);
	assert_int_equal(stack_lookup_pc(&f.result, 1), TEXT + 0x800);
	assert_int_equal(stack_lookup_pc(&f.result, 2), TEXT + 0x90);
	assert_int_equal(stack_lookup_pc(&f.result, 3), outer - 1);
	assert_int_equal(f.result.frames[2].regs.known,
			 (1ull << X86_REGS) - 1);
	fixture_fini(&f);
}

static void
a_handler_may_have_interrupted_a_jump_to_0(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	uint64_t outer = after_call(&f, 0x300);

	f.stack[90] = outer;
	open_handler(&f, 0, STACK + 8 * 90, 0);
	unwind(&f, 100);
	assert_frame(&f, 2, 0, SNAP_FRAME_CFI, 0);
	assert_frame(&f, 3, outer, SNAP_FRAME_SCAN, 0);
	fixture_fini(&f);
}

static void
a_handler_on_another_stack_is_followed_down(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	uint64_t outer = after_call(&f, 0x300);
	uint64_t trampoline = put_code(&f, 0x800, TRAMPOLINE, 9);

	f.other[4] = 0, f.other[5] = trampoline;
	put_context(f.other + 6, TEXT + 0x90, STACK + 16,
		    put_frame(&f, 20, 0, outer));
	open_core(&f, TEXT + 0x50, OTHER, OTHER + 32);
	unwind(&f, 100);
	assert_frame(&f, 2, TEXT + 0x90, SNAP_FRAME_CFI, 0);
	assert_frame(&f, 3, outer, SNAP_FRAME_FP, 0);
	fixture_fini(&f);
}

static void
a_signal_frame_that_interrupted_itself_ends(void **state)
{
	(void)state;
	struct fixture f = { 0 };

	/* The context's stack pointer is where the context is. */
	open_handler(&f, TEXT + 0x800, STACK + 48, 0);
	unwind(&f, 100);
	assert_truncated(&f, 2, "same frame again");
	fixture_fini(&f);
}

static void
signal_frames_that_go_in_circles_end(void **state)
{
	(void)state;
	struct fixture f = { 0 };

	/* Two contexts, each of which says that it interrupted the other. */
	put_context(f.other, TEXT + 0x800, STACK + 48, 0);
	open_handler(&f, TEXT + 0x800, OTHER, 0);
	unwind(&f, 100000);
	assert_int_equal(f.result.end, STACK_TRUNCATED);
	assert_non_null(strstr(f.result.why, "the stack changes more than"));
	assert_true(f.result.n < 100);
	fixture_fini(&f);
}

/* ---- limits and writes -------------------------------------------------- */
static void
a_stack_is_not_longer_than_asked_for(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	uint64_t caller = after_call(&f, 0x100);

	put_frame(&f, 20, 0, caller);
	open_core(&f, TEXT + 0x50, STACK + 16,
		  put_frame(&f, 4, STACK + 160, caller));
	unwind(&f, 2);
	assert_int_equal(f.result.n, 2);
	assert_int_equal(f.result.end, STACK_LIMIT);
	assert_string_equal(f.result.why, "more than 2 frames");
	unwind(&f, 0);
	assert_int_equal(f.result.n, 0);
	assert_int_equal(f.result.end, STACK_LIMIT);
	fixture_fini(&f);
}

static void
a_sessions_writes_count(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	uint64_t caller = after_call(&f, 0x100), other = after_call(&f, 0x200);

	open_core(&f, TEXT + 0x50, STACK, put_frame(&f, 4, 0, caller));
	assert_ok(space_write(insp_space(f.insp), STACK + 40, 8, &other));
	unwind(&f, 100);
	assert_frame(&f, 1, other, SNAP_FRAME_FP, 0);
	fixture_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_of_frame_pointers_is_followed),
		cmocka_unit_test(only_the_innermost_pc_is_looked_up_as_it_is),
		cmocka_unit_test(
			a_frame_pointer_below_the_stack_pointer_is_not_believed),
		cmocka_unit_test(
			a_frame_pointer_that_is_not_aligned_is_not_believed),
		cmocka_unit_test(
			a_frame_pointer_to_another_mapping_is_not_believed),
		cmocka_unit_test(
			a_return_address_outside_of_code_is_not_believed),
		cmocka_unit_test(
			a_return_address_that_follows_no_call_is_not_believed),
		cmocka_unit_test(a_frame_that_was_not_captured_is_not_made_up),
		cmocka_unit_test(a_chain_that_leads_back_ends),
		cmocka_unit_test(every_form_of_call_is_known),
		cmocka_unit_test(the_programs_entry_completes_a_stack),
		cmocka_unit_test(
			at_an_entry_the_stack_begins_with_the_return_address),
		cmocka_unit_test(after_a_push_the_return_address_is_second),
		cmocka_unit_test(
			a_nameless_leaf_is_known_by_the_call_that_led_there),
		cmocka_unit_test(a_call_of_something_else_leads_to_no_leaf),
		cmocka_unit_test(a_jump_to_0_has_its_caller_on_the_stack),
		cmocka_unit_test(a_caller_that_calls_nothing_is_suspect),
		cmocka_unit_test(a_jump_to_nowhere_without_a_caller_says_so),
		cmocka_unit_test(
			a_handlers_trampoline_leads_to_what_it_interrupted),
		cmocka_unit_test(a_handler_may_have_interrupted_a_jump_to_0),
		cmocka_unit_test(a_handler_on_another_stack_is_followed_down),
		cmocka_unit_test(a_signal_frame_that_interrupted_itself_ends),
		cmocka_unit_test(signal_frames_that_go_in_circles_end),
		cmocka_unit_test(a_stack_is_not_longer_than_asked_for),
		cmocka_unit_test(a_sessions_writes_count),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
