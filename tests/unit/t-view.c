/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of insp_view(): what is unwound now wins, except where what was
 * stored says more. The thread's code is nowhere, so unwinding sees one frame.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "assert-err.h"
#include "inspect/inspect.h"

#define PC 0x401000u
#define FRAME(t, d, p, name) \
	{ .tid = (t), .depth = (d), .pc = (p), .function = (name), \
	  .function_offset = 8, .module = UINT32_MAX, .how = SNAP_FRAME_CFI }

struct made {
	struct target target;   /* first: its operations get here */
	uint64_t regs[27];      /* struct user_regs_struct */
	struct snap_regset set;
	struct snap_thread threads[2];
};

static void
made_close(struct target *t)
{
	free(t);
}

static const struct target_ops made_ops = { .kind = "made",
					    .close = made_close };

struct fixture {
	struct insp *insp;
	struct arena *arena;
	struct view view;
};

/* Thread 7 stands at PC; thread 8 has no registers. */
static void
look(struct fixture *f, size_t thread, const struct snap_frame *stored,
     size_t n)
{
	struct made *m = calloc(1, sizeof(*m));
	const struct insp_options options = { 0 };

	m->regs[16] = PC;
	m->regs[19] = 0x700000;
	m->set = (struct snap_regset){ .kind = NT_PRSTATUS,
				       .bytes = { m->regs, sizeof(m->regs) } };
	m->threads[0] = (struct snap_thread){
		.tid = 7, .faulting = true, .regsets = &m->set,
		.n_regsets = 1,
	};
	m->threads[1] = (struct snap_thread){ .tid = 8 };
	m->target = (struct target){
		.ops = &made_ops, .threads = m->threads, .n_threads = 2,
		.frames = stored, .n_frames = n,
		.process = { .machine = EM_X86_64, .os = SNAP_OS_LINUX,
			     .bits = 64, .pid = 7 },
	};
	assert_ok(insp_open(&m->target, &options, &f->insp));
	f->arena = arena_new(0);
	assert_ok(insp_view(f->insp, thread, 100, f->arena, &f->view));
}

static void
done(struct fixture *f)
{
	arena_free(f->arena);
	insp_free(f->insp);
}

static void
without_stored_frames_there_is_what_was_unwound(void **state)
{
	struct fixture f;

	(void)state;
	look(&f, 0, NULL, 0);
	assert_int_equal(f.view.n, 1);
	assert_false(f.view.stored);
	assert_int_equal(f.view.frames[0].pc, PC);
	assert_int_equal(f.view.frames[0].how, SNAP_FRAME_TOP);
	assert_int_equal(f.view.frames[0].module, UINT32_MAX);
	assert_int_equal(f.view.end, STACK_TRUNCATED);
	assert_non_null(f.view.why);
	done(&f);
}

static void
more_stored_frames_are_the_better_view(void **state)
{
	static const struct snap_frame stored[] = {
		FRAME(7, 0, PC, "leaf"), FRAME(7, 1, 0x402000, "middle"),
		FRAME(7, 2, 0x403000, "main"),
	};
	struct fixture f;

	(void)state;
	look(&f, 0, stored, countof(stored));
	assert_true(f.view.stored);
	assert_int_equal(f.view.n, 3);
	assert_string_equal(f.view.frames[2].function, "main");
	assert_non_null(f.view.why);
	done(&f);
}

static void
stored_names_fill_in_for_names_unknown_now(void **state)
{
	static const struct snap_frame stored[] = { FRAME(7, 0, PC, "leaf") };
	struct fixture f;

	(void)state;
	look(&f, 0, stored, countof(stored));
	assert_false(f.view.stored);
	assert_int_equal(f.view.n, 1);
	assert_string_equal(f.view.frames[0].function, "leaf");
	assert_int_equal(f.view.frames[0].function_offset, 8);
	assert_int_equal(f.view.frames[0].how, SNAP_FRAME_TOP);
	done(&f);
}

static void
names_of_another_pc_are_not_adopted(void **state)
{
	static const struct snap_frame stored[] = {
		FRAME(7, 0, PC + 1, "elsewhere")
	};
	struct fixture f;

	(void)state;
	look(&f, 0, stored, countof(stored));
	assert_null(f.view.frames[0].function);
	done(&f);
}

static void
frames_of_other_threads_are_not_taken(void **state)
{
	static const struct snap_frame stored[] = {
		FRAME(9, 0, PC, "other"), FRAME(9, 1, 0x402000, "other"),
	};
	struct fixture f;

	(void)state;
	look(&f, 0, stored, countof(stored));
	assert_false(f.view.stored);
	assert_null(f.view.frames[0].function);
	done(&f);
}

static void
stored_frames_end_at_the_first_that_is_missing(void **state)
{
	static const struct snap_frame stored[] = {
		FRAME(9, 0, PC, "other"), FRAME(7, 0, PC, "leaf"),
		FRAME(7, 1, 0x402000, "middle"), FRAME(7, 3, 0x403000, "main"),
	};
	struct fixture f;

	(void)state;
	look(&f, 0, stored, countof(stored));
	assert_true(f.view.stored);
	assert_int_equal(f.view.n, 2);
	done(&f);
}

static void
a_thread_without_registers_has_an_empty_stack_and_a_reason(void **state)
{
	struct fixture f;

	(void)state;
	look(&f, 1, NULL, 0);
	assert_int_equal(f.view.n, 0);
	assert_int_equal(f.view.end, STACK_TRUNCATED);
	assert_non_null(f.view.why);
	done(&f);
}

static void
or_the_stored_one(void **state)
{
	static const struct snap_frame stored[] = { FRAME(8, 0, PC, "leaf") };
	struct fixture f;

	(void)state;
	look(&f, 1, stored, countof(stored));
	assert_true(f.view.stored);
	assert_int_equal(f.view.n, 1);
	done(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			without_stored_frames_there_is_what_was_unwound),
		cmocka_unit_test(more_stored_frames_are_the_better_view),
		cmocka_unit_test(stored_names_fill_in_for_names_unknown_now),
		cmocka_unit_test(names_of_another_pc_are_not_adopted),
		cmocka_unit_test(frames_of_other_threads_are_not_taken),
		cmocka_unit_test(
			stored_frames_end_at_the_first_that_is_missing),
		cmocka_unit_test(
			a_thread_without_registers_has_an_empty_stack_and_a_reason),
		cmocka_unit_test(or_the_stored_one),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
