/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of compact rows: they say of each address what the complete row
 * says of it, or send there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dwarf.h>
#include <string.h>

#include "assert-err.h"
#include "inspect/arch.h"
#include "inspect/unwind.h"

#define START 0x1000u
#define SIZE 0x40u
#define BYTES(...) ((struct span){ (uint8_t[]){ __VA_ARGS__ }, \
	sizeof((uint8_t[]){ __VA_ARGS__ }) })

struct fixture {
	struct buf bytes;
	struct arena *arena;
	struct cfi_table table;
};

static void
set_length(struct buf *b, size_t at)
{
	while ((b->len - at) % 4)
		buf_putc(b, DW_CFA_nop);
	b->data[at] = (char)(b->len - at - 4);
}

/** A CIE with CFA = rsp + 8, and an entry of @program for START. */
static void
fixture_init(struct fixture *f, const char *augmentation, struct span program)
{
	static const uint8_t common[] = { 1, 0x78, 16, 1, 0 };
	static const uint8_t rules[] = { DW_CFA_def_cfa, 7, 8,
					 DW_CFA_offset | 16, 1 };
	struct cfi_section section = { .eh_frame = true };

	*f = (struct fixture){ .arena = arena_new(0) };
	buf_zero(&f->bytes, 8);
	buf_putc(&f->bytes, 1);
	buf_put(&f->bytes, augmentation, strlen(augmentation) + 1);
	buf_put(&f->bytes, common, sizeof(common));
	buf_put(&f->bytes, rules, sizeof(rules));
	set_length(&f->bytes, 0);
	size_t at = f->bytes.len;
	buf_zero(&f->bytes, 4);
	buf_u32(&f->bytes, (uint32_t)f->bytes.len);
	buf_u64(&f->bytes, START);
	buf_u64(&f->bytes, SIZE);
	buf_putc(&f->bytes, 0);
	buf_put(&f->bytes, program.data, program.n);
	set_length(&f->bytes, at);
	section.bytes = (struct span){ f->bytes.data, f->bytes.len };
	cfi_table_begin(&section, 0, f->arena, &f->table);
}

static void
fixture_fini(struct fixture *f)
{
	buf_fini(&f->bytes);
	arena_free(f->arena);
}

static void
assert_row(struct fixture *f, uint64_t pc, uint8_t kind, int cfa, int fp)
{
	struct cfi_brief row;

	assert_ok(cfi_brief_at(&f->table, &arch_x86_64.arch, pc, &row));
	assert_int_equal(row.kind, kind);
	if (kind == BRIEF_NONE || kind == BRIEF_EXPRESSION)
		return;
	assert_int_equal(row.cfa, cfa);
	assert_int_equal(row.fp, fp);
}

static void
a_prologue_has_a_row_at_each_step(void **state)
{
	(void)state;
	struct fixture f;

	fixture_init(&f, "z", BYTES(
		DW_CFA_advance_loc | 1, DW_CFA_def_cfa_offset, 16,
		DW_CFA_offset | 6, 2, DW_CFA_advance_loc | 3,
		DW_CFA_def_cfa_register, 6, DW_CFA_advance_loc | 0x20,
		DW_CFA_restore | 6, DW_CFA_def_cfa, 7, 8));
	assert_row(&f, START, BRIEF_SP, 8, BRIEF_FP_SAME);
	assert_row(&f, START + 1, BRIEF_SP, 16, -2);
	assert_row(&f, START + 3, BRIEF_SP, 16, -2);
	assert_row(&f, START + 4, BRIEF_FP, 16, -2);
	assert_row(&f, START + 0x23, BRIEF_FP, 16, -2);
	assert_row(&f, START + 0x24, BRIEF_SP, 8, BRIEF_FP_SAME);
	fixture_fini(&f);
}

static void
an_entry_is_closed_at_its_end(void **state)
{
	(void)state;
	struct fixture f;

	fixture_init(&f, "z", (struct span){ 0 });
	assert_row(&f, START - 1, BRIEF_NONE, 0, 0);
	assert_row(&f, START + SIZE - 1, BRIEF_SP, 8, BRIEF_FP_SAME);
	assert_row(&f, START + SIZE, BRIEF_NONE, 0, 0);
	assert_row(&f, UINT64_MAX, BRIEF_NONE, 0, 0);
	fixture_fini(&f);
}

static void
a_procedure_linkage_table_fits(void **state)
{
	(void)state;
	struct fixture f;

	fixture_init(&f, "z", BYTES(
		DW_CFA_def_cfa_offset, 16, DW_CFA_advance_loc | 16,
		DW_CFA_def_cfa_expression, 11, DW_OP_breg7, 8, DW_OP_breg16, 0,
		DW_OP_lit15, DW_OP_and, DW_OP_lit11, DW_OP_ge, DW_OP_lit3,
		DW_OP_shl, DW_OP_plus));
	assert_row(&f, START + 15, BRIEF_SP, 16, BRIEF_FP_SAME);
	assert_row(&f, START + 16, BRIEF_PLT, 11, BRIEF_FP_SAME);
	fixture_fini(&f);
}

static void
the_outermost_frame_is_told(void **state)
{
	(void)state;
	struct fixture f;

	fixture_init(&f, "z", BYTES(DW_CFA_undefined, 16));
	assert_row(&f, START, BRIEF_SP, 8, BRIEF_LAST);
	fixture_fini(&f);
}

static void
what_does_not_fit_is_left_to_the_evaluator(void **state)
{
	(void)state;
	const struct span programs[] = {
		BYTES(DW_CFA_def_cfa_register, 3),
		BYTES(DW_CFA_def_cfa_offset, 0xff, 0xff, 3),
		BYTES(DW_CFA_def_cfa_expression, 2, DW_OP_breg7, 8),
		BYTES(DW_CFA_undefined, 6),
		BYTES(DW_CFA_offset | 6, 0x80, 1),
		BYTES(DW_CFA_register, 6, 3),
		BYTES(DW_CFA_offset | 16, 2),
		BYTES(DW_CFA_register, 16, 11),
		BYTES(DW_CFA_offset | 7, 3),
		BYTES(DW_CFA_val_expression, 6, 1, DW_OP_lit0),
	};

	for (size_t k = 0; k < countof(programs); k++) {
		struct fixture f;

		fixture_init(&f, "z", programs[k]);
		assert_row(&f, START, BRIEF_EXPRESSION, 0, 0);
		assert_row(&f, START + SIZE, BRIEF_NONE, 0, 0);
		fixture_fini(&f);
	}
}

static void
a_program_that_breaks_is_sent_there_from_before_the_break(void **state)
{
	(void)state;
	struct fixture f;

	fixture_init(&f, "z", BYTES(
		DW_CFA_advance_loc | 4, DW_CFA_def_cfa_offset, 16,
		DW_CFA_advance_loc | 4, DW_CFA_restore_state));
	assert_row(&f, START, BRIEF_SP, 8, BRIEF_FP_SAME);
	assert_row(&f, START + 8, BRIEF_EXPRESSION, 0, 0);
	assert_row(&f, START + SIZE - 1, BRIEF_EXPRESSION, 0, 0);
	assert_row(&f, START + SIZE, BRIEF_NONE, 0, 0);
	fixture_fini(&f);
}

static void
a_signal_frame_is_never_compact(void **state)
{
	(void)state;
	struct fixture f;

	fixture_init(&f, "zS", (struct span){ 0 });
	assert_row(&f, START, BRIEF_EXPRESSION, 0, 0);
	fixture_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prologue_has_a_row_at_each_step),
		cmocka_unit_test(an_entry_is_closed_at_its_end),
		cmocka_unit_test(a_procedure_linkage_table_fits),
		cmocka_unit_test(the_outermost_frame_is_told),
		cmocka_unit_test(what_does_not_fit_is_left_to_the_evaluator),
		cmocka_unit_test(
			a_program_that_breaks_is_sent_there_from_before_the_break),
		cmocka_unit_test(a_signal_frame_is_never_compact),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
