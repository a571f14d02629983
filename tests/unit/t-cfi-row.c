/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of tables of call frame information: entries are found, their
 * programs run instruction by instruction, and damage costs nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dwarf.h>
#include <string.h>

#include "assert-err.h"
#include "inspect/unwind.h"

/* ---- programs ----------------------------------------------------------- */
#define BYTES(...) ((struct span){ (uint8_t[]){ __VA_ARGS__ }, \
	sizeof((uint8_t[]){ __VA_ARGS__ }) })

/** An entry for 0x1000…0x2000: code by 1, data by -8, CFA = rsp + 8. */
static struct cfi_entry
entry_of(struct span program)
{
	static const uint8_t initial[] = { DW_CFA_def_cfa, 7, 8,
					   DW_CFA_offset | 16, 1 };

	return (struct cfi_entry){
		.start = 0x1000, .end = 0x2000, .code_align = 1,
		.data_align = -8, .ra = 16, .eh_frame = true,
		.initial = { initial, sizeof(initial) },
		.program = program,
	};
}

static struct cfi_row
row_at(struct span program, uint64_t pc)
{
	struct cfi_entry e = entry_of(program);
	struct cfi_row row;

	assert_ok(cfi_row_at(&e, pc, &row));
	return row;
}

static void
assert_cfa(struct span program, uint64_t reg, int64_t offset)
{
	struct cfi_row row = row_at(program, 0x1000);

	assert_int_equal(row.cfa.kind, CFI_VAL_OFFSET);
	assert_int_equal(row.cfa_reg, reg);
	assert_int_equal(row.cfa.value, offset);
}

static void
assert_rule(struct span program, unsigned reg, enum cfi_rule_kind kind,
	    int64_t value)
{
	struct cfi_row row = row_at(program, 0x1000);

	assert_int_equal(row.reg[reg].kind, kind);
	assert_int_equal(row.reg[reg].value, value);
}

static void
refuses(struct span program, enum err_kind kind, const char *words)
{
	struct cfi_entry e = entry_of(program);
	struct cfi_row row;

	assert_err(cfi_row_at(&e, 0x1000, &row), kind, words);
}

static void
an_empty_program_has_the_initial_rules(void **state)
{
	(void)state;
	struct span none = { 0 };

	assert_cfa(none, 7, 8);
	assert_rule(none, 16, CFI_OFFSET, -8);
	assert_rule(none, 3, CFI_NONE, 0);
}

static void
each_instruction_for_the_cfa_sets_it(void **state)
{
	(void)state;

	assert_cfa(BYTES(DW_CFA_def_cfa, 6, 16), 6, 16);
	assert_cfa(BYTES(DW_CFA_def_cfa_sf, 6, 0x7e), 6, 16);
	assert_cfa(BYTES(DW_CFA_def_cfa_register, 6), 6, 8);
	assert_cfa(BYTES(DW_CFA_def_cfa_offset, 0x80, 1), 7, 128);
	assert_cfa(BYTES(DW_CFA_def_cfa_offset_sf, 0x7d), 7, 24);
	struct cfi_row row = row_at(BYTES(DW_CFA_def_cfa_expression, 2, 0x77,
					  8), 0x1000);
	assert_int_equal(row.cfa.kind, CFI_VAL_EXPRESSION);
	assert_int_equal(row.cfa.expression.n, 2);
}

/* DW_CFA_AARCH64_negate_ra_state, and its sibling that also names the pc. */
static void
a_return_address_is_signed_from_one_place_to_another(void **state)
{
	(void)state;
	struct span program = BYTES(
		DW_CFA_advance_loc | 4, 0x2d, DW_CFA_advance_loc | 4,
		DW_CFA_remember_state, 0x2c, DW_CFA_advance_loc | 4,
		DW_CFA_restore_state);
	struct cfi_entry e = entry_of(program);

	assert_false(row_at(program, 0x1003).ra_signed);
	assert_true(row_at(program, 0x1004).ra_signed);
	assert_false(row_at(program, 0x1008).ra_signed);
	assert_true(row_at(program, 0x100c).ra_signed);
	assert_err(cfi_row_check(&e), ERR_UNSUPPORTED, "signed");
}

static void
each_instruction_for_a_register_sets_its_rule(void **state)
{
	(void)state;

	assert_rule(BYTES(DW_CFA_offset | 3, 2), 3, CFI_OFFSET, -16);
	assert_rule(BYTES(DW_CFA_offset_extended, 3, 2), 3, CFI_OFFSET, -16);
	assert_rule(BYTES(DW_CFA_offset_extended_sf, 3, 0x7e), 3, CFI_OFFSET,
		    16);
	assert_rule(BYTES(DW_CFA_GNU_negative_offset_extended, 3, 2), 3,
		    CFI_OFFSET, 16);
	assert_rule(BYTES(DW_CFA_val_offset, 3, 2), 3, CFI_VAL_OFFSET, -16);
	assert_rule(BYTES(DW_CFA_val_offset_sf, 3, 0x7e), 3, CFI_VAL_OFFSET,
		    16);
	assert_rule(BYTES(DW_CFA_undefined, 3), 3, CFI_UNDEFINED, 0);
	assert_rule(BYTES(DW_CFA_same_value, 3), 3, CFI_SAME, 0);
	assert_rule(BYTES(DW_CFA_register, 3, 12), 3, CFI_REGISTER, 12);
	assert_rule(BYTES(DW_CFA_expression, 3, 1, 0x9c), 3, CFI_EXPRESSION,
		    0);
	assert_rule(BYTES(DW_CFA_val_expression, 3, 1, 0x9c), 3,
		    CFI_VAL_EXPRESSION, 0);
	assert_rule(BYTES(DW_CFA_offset | 16, 2, DW_CFA_restore | 16), 16,
		    CFI_OFFSET, -8);
	assert_rule(BYTES(DW_CFA_offset | 16, 2, DW_CFA_restore_extended, 16),
		    16, CFI_OFFSET, -8);
	assert_rule(BYTES(DW_CFA_nop, DW_CFA_GNU_args_size, 8), 3, CFI_NONE, 0);
}

static void
a_row_holds_from_its_location_on(void **state)
{
	(void)state;
	struct span program = BYTES(
		DW_CFA_advance_loc | 4, DW_CFA_def_cfa_offset, 16,
		DW_CFA_advance_loc1, 4, DW_CFA_def_cfa_offset, 24,
		DW_CFA_advance_loc2, 0xf8, 0, DW_CFA_def_cfa_offset, 32,
		DW_CFA_advance_loc4, 0, 1, 0, 0, DW_CFA_def_cfa_offset, 40);
	static const struct { uint64_t pc, offset; } at[] = {
		{ 0x1003, 8 }, { 0x1004, 16 }, { 0x1007, 16 }, { 0x1008, 24 },
		{ 0x10ff, 24 }, { 0x1100, 32 }, { 0x11ff, 32 }, { 0x1200, 40 },
	};

	for (size_t n = 0; n < countof(at); n++)
		assert_int_equal(row_at(program, at[n].pc).cfa.value,
				 at[n].offset);
}

static void
a_remembered_state_comes_back_with_its_cfa(void **state)
{
	(void)state;
	struct span program = BYTES(
		DW_CFA_def_cfa_offset, 16, DW_CFA_offset | 3, 2,
		DW_CFA_remember_state, DW_CFA_def_cfa_offset, 48,
		DW_CFA_offset | 3, 5, DW_CFA_restore_state);

	assert_cfa(program, 7, 16);
	assert_rule(program, 3, CFI_OFFSET, -16);
}

static void
registers_that_frames_lack_are_passed_over(void **state)
{
	(void)state;
	/* Register 2^28 would cost libdw 4 GiB. */
	struct span program = BYTES(
		DW_CFA_offset_extended, 0x80, 0x80, 0x80, 0x80, 1, 2,
		DW_CFA_offset | 40, 1, DW_CFA_def_cfa_offset, 16);

	assert_cfa(program, 7, 16);
}

static void
programs_that_make_no_sense_are_refused(void **state)
{
	(void)state;
	uint8_t many[17];

	refuses(BYTES(DW_CFA_restore_state), ERR_DAMAGED, "never remembered");
	refuses(BYTES(DW_CFA_def_cfa, 7), ERR_DAMAGED, "cut short");
	refuses(BYTES(DW_CFA_offset | 3), ERR_DAMAGED, "cut short");
	refuses(BYTES(DW_CFA_expression, 3, 9, 0x9c), ERR_DAMAGED, "cut short");
	refuses(BYTES(0x3f), ERR_UNSUPPORTED, "opcode 0x3f");
	refuses(BYTES(DW_CFA_set_loc, 0, 0, 0, 0), ERR_UNSUPPORTED, "address");
	memset(many, DW_CFA_remember_state, sizeof(many));
	refuses((struct span){ many, 17 }, ERR_DAMAGED, "remembered");
	struct cfi_entry e = entry_of((struct span){ 0 });
	struct cfi_row row;
	e.initial.n = 0;
	assert_err(cfi_row_at(&e, 0x1000, &row), ERR_DAMAGED,
		   "frame's address");
}

static void
what_libunwind_cannot_take_is_found_wherever_it_is(void **state)
{
	(void)state;
	struct span sound = BYTES(DW_CFA_register, 3, 16,
				  DW_CFA_def_cfa_expression, 2, 0x77, 8);
	/* Behind the row that is asked for, too. */
	struct span other[] = {
		BYTES(DW_CFA_advance_loc | 8, DW_CFA_register, 3, 17),
		BYTES(DW_CFA_val_expression, 3, 3, 0x30, 0x30, DW_OP_div),
		BYTES(DW_CFA_expression, 3, 9, DW_OP_addr, 0, 0, 0, 0, 0, 0, 0,
		      0),
	};
	struct cfi_entry e = entry_of(sound);

	assert_ok(cfi_row_check(&e));
	for (size_t n = 0; n < countof(other); n++) {
		e = entry_of(other[n]);
		assert_err(cfi_row_check(&e), ERR_UNSUPPORTED, "");
	}
}

/* ---- tables ------------------------------------------------------------- */
/* A CIE "zR" with pc-relative 4-byte addresses, 20 bytes; then FDEs of 20
 * bytes. Section at 0x500. */
enum { SECTION = 0x500, CIE_SIZE = 20, FDE_SIZE = 20 };

static void
put_cie(struct buf *b, const char *augmentation, uint8_t encoding)
{
	size_t at = b->len;

	buf_u32(b, CIE_SIZE - 4);
	buf_u32(b, 0);
	buf_putc(b, 1);
	buf_puts(b, augmentation);
	buf_putc(b, 0);
	buf_put(b, "\x01\x78\x10\x01", 4);      /* 1, -8, rip, length 1 */
	buf_putc(b, (char)encoding);
	buf_zero(b, at + CIE_SIZE - b->len);
}

static void
put_fde(struct buf *b, size_t cie, uint64_t start, uint32_t size)
{
	size_t at = b->len;

	buf_u32(b, FDE_SIZE - 4);
	buf_u32(b, (uint32_t)(at + 4 - cie));
	buf_u32(b, (uint32_t)(start - (SECTION + at + 8)));
	buf_u32(b, size);
	buf_zero(b, at + FDE_SIZE - b->len);
}

struct tables {
	struct buf bytes;
	struct arena *arena;
	struct cfi_table table;
};

static void
index_bytes(struct tables *t, uint64_t bias)
{
	struct cfi_section s = {
		.bytes = { t->bytes.data, t->bytes.len }, .address = SECTION,
		.eh_frame = true, .ends = true,
	};

	t->arena = arena_new(0);
	cfi_table_begin(&s, bias, t->arena, &t->table);
}

static void
tables_fini(struct tables *t)
{
	buf_fini(&t->bytes);
	arena_free(t->arena);
}

static void
assert_found(struct tables *t, uint64_t pc, uint64_t start)
{
	struct cfi_entry e;

	assert_ok(cfi_table_find(&t->table, pc, &e));
	assert_int_equal(e.start, start);
}

static void
assert_not_found(struct tables *t, uint64_t pc)
{
	struct cfi_entry e;

	assert_err(cfi_table_find(&t->table, pc, &e), ERR_NOTFOUND,
		   "no unwind entry");
}

static void
an_entry_is_found_by_any_address_of_its_function(void **state)
{
	(void)state;
	struct tables t = { 0 };

	put_cie(&t.bytes, "zR", 0x1b);
	put_fde(&t.bytes, 0, 0x3000, 0x100);
	put_fde(&t.bytes, 0, 0x1000, 0x80);     /* not in order */
	index_bytes(&t, 0x700000);
	assert_not_found(&t, 0x700fff);
	assert_found(&t, 0x701000, 0x1000);
	assert_found(&t, 0x70107f, 0x1000);
	assert_not_found(&t, 0x701080);
	assert_found(&t, 0x703000, 0x3000);
	assert_not_found(&t, 0x703100);
	assert_not_found(&t, 0x1000);
	tables_fini(&t);
}

static void
a_length_of_0_in_the_middle_is_no_end(void **state)
{
	(void)state;
	struct tables t = { 0 };

	put_cie(&t.bytes, "zR", 0x1b);
	buf_zero(&t.bytes, 4);
	put_fde(&t.bytes, 0, 0x1000, 0x80);
	index_bytes(&t, 0);
	assert_found(&t, 0x1000, 0x1000);
	tables_fini(&t);
}

static void
a_signal_frame_is_told_by_its_augmentation(void **state)
{
	(void)state;
	struct tables t = { 0 };
	struct cfi_entry e;

	put_cie(&t.bytes, "zRS", 0x1b);
	put_fde(&t.bytes, 0, 0x1000, 0x80);
	index_bytes(&t, 0);
	assert_ok(cfi_table_find(&t.table, 0x1000, &e));
	assert_true(e.signal);
	assert_int_equal(e.ra, 16);
	assert_int_equal(e.data_align, -8);
	tables_fini(&t);
}

static void
damage_ends_the_table_and_spares_what_was_before(void **state)
{
	(void)state;
	struct tables t = { 0 };

	put_cie(&t.bytes, "zR", 0x1b);
	put_fde(&t.bytes, 0, 0x1000, 0x80);
	buf_u32(&t.bytes, 0x10000);             /* longer than the section */
	buf_zero(&t.bytes, 12);
	index_bytes(&t, 0);
	assert_found(&t, 0x1000, 0x1000);
	assert_int_equal(t.table.n, 1);
	tables_fini(&t);
}

static void
entries_that_cannot_be_read_are_left_out(void **state)
{
	(void)state;
	struct tables t = { 0 };

	put_cie(&t.bytes, "zR", 0x1b);
	put_cie(&t.bytes, "xR", 0x1b);          /* unknown augmentation */
	put_cie(&t.bytes, "zR", 0x9b);          /* indirect addresses */
	put_fde(&t.bytes, CIE_SIZE, 0x1000, 0x80);
	put_fde(&t.bytes, 2 * CIE_SIZE, 0x2000, 0x80);
	put_fde(&t.bytes, 0x7fffffff, 0x3000, 0x80);    /* outside */
	index_bytes(&t, 0);
	assert_int_equal(t.table.n, 0);
	tables_fini(&t);
	t = (struct tables){ 0 };
	put_cie(&t.bytes, "zR", 0x1b);
	put_fde(&t.bytes, 0, 0x1000, 0);                /* nothing */
	put_fde(&t.bytes, 0, 0, 0x80);                  /* dropped by ld */
	put_fde(&t.bytes, CIE_SIZE, 0x3000, 0x80);      /* an FDE as CIE */
	index_bytes(&t, 0);
	assert_int_equal(t.table.n, 0);
	tables_fini(&t);
}

static void
a_cut_section_is_indexed_at_any_length(void **state)
{
	(void)state;

	for (size_t n = 0; n < CIE_SIZE + FDE_SIZE; n++) {
		struct tables t = { 0 };

		put_cie(&t.bytes, "zR", 0x1b);
		put_fde(&t.bytes, 0, 0x1000, 0x80);
		t.bytes.len = n;
		index_bytes(&t, 0);
		assert_int_equal(t.table.n, 0);
		tables_fini(&t);
	}
}

/* ---- the search table ---------------------------------------------------- */
#define HEADER 0x30000u

/** Two functions, and a row of the search table for each. */
struct search {
	struct tables tables;
	struct buf rows;
	size_t at[2];           /* of their entries */
};

static void
search_init(struct search *s)
{
	struct buf *b = &s->tables.bytes;

	*s = (struct search){ 0 };
	put_cie(b, "zR", 0x1b);
	for (unsigned k = 0; k < 2; k++) {
		s->at[k] = b->len;
		put_fde(b, 0, 0x1000 + 0x100 * k, 0x80);
	}
	index_bytes(&s->tables, 0);
}

static void
search_row(struct search *s, uint64_t start, size_t at)
{
	struct cfi_section *section = &s->tables.table.section;

	buf_u32(&s->rows, (uint32_t)(start - HEADER));
	buf_u32(&s->rows, (uint32_t)(SECTION + at - HEADER));
	section->sorted = (struct span){ s->rows.data, s->rows.len };
	section->sorted_from = HEADER;
}

static void
search_fini(struct search *s)
{
	tables_fini(&s->tables);
	buf_fini(&s->rows);
}

static void
a_search_table_saves_the_index(void **state)
{
	(void)state;
	struct search s;

	search_init(&s);
	search_row(&s, 0x1000, s.at[0]);
	search_row(&s, 0x1100, s.at[1]);
	assert_found(&s.tables, 0x1000, 0x1000);
	assert_found(&s.tables, 0x107f, 0x1000);
	assert_found(&s.tables, 0x117f, 0x1100);
	assert_false(s.tables.table.indexed);
	assert_not_found(&s.tables, 0x1080);
	assert_not_found(&s.tables, 0xfff);
	search_fini(&s);
}

/* Each row alone, in place of a true one. */
static void
a_search_table_that_lies_leads_nobody_astray(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 5; k++) {
		struct search s;

		search_init(&s);
		const size_t at[] = { s.at[0], 0, SIZE_MAX / 2,
				      s.tables.bytes.len - 2, s.at[1] + 1 };
		search_row(&s, 0x1000, at[k]);
		assert_found(&s.tables, 0x1110, 0x1100);
		assert_true(s.tables.table.indexed);
		assert_found(&s.tables, 0x1010, 0x1000);
		search_fini(&s);
	}
}

static void
half_a_row_of_a_search_table_is_none(void **state)
{
	(void)state;
	struct search s;

	search_init(&s);
	search_row(&s, 0x1000, s.at[0]);
	s.tables.table.section.sorted.n = 7;
	assert_found(&s.tables, 0x1010, 0x1000);
	assert_true(s.tables.table.indexed);
	search_fini(&s);
}

static void
debug_frame_counts_from_its_own_beginning(void **state)
{
	(void)state;
	struct tables t = { 0 };
	struct cfi_section s = { .ends = true };

	buf_zero(&t.bytes, 4);
	buf_u32(&t.bytes, 12);
	buf_u32(&t.bytes, UINT32_MAX);          /* this is a CIE */
	buf_put(&t.bytes, "\x04\0\x08\0\x01\x78\x10\0", 8);
	buf_u32(&t.bytes, 20);
	buf_u32(&t.bytes, 4);                   /* where the CIE is */
	buf_u64(&t.bytes, 0x1000);
	buf_u64(&t.bytes, 0x80);
	s.bytes = (struct span){ t.bytes.data, t.bytes.len };
	t.arena = arena_new(0);
	cfi_table_begin(&s, 0, t.arena, &t.table);
	assert_found(&t, 0x1040, 0x1000);
	tables_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_program_has_the_initial_rules),
		cmocka_unit_test(each_instruction_for_the_cfa_sets_it),
		cmocka_unit_test(each_instruction_for_a_register_sets_its_rule),
		cmocka_unit_test(
			a_return_address_is_signed_from_one_place_to_another),
		cmocka_unit_test(a_row_holds_from_its_location_on),
		cmocka_unit_test(a_remembered_state_comes_back_with_its_cfa),
		cmocka_unit_test(registers_that_frames_lack_are_passed_over),
		cmocka_unit_test(programs_that_make_no_sense_are_refused),
		cmocka_unit_test(
			what_libunwind_cannot_take_is_found_wherever_it_is),
		cmocka_unit_test(
			an_entry_is_found_by_any_address_of_its_function),
		cmocka_unit_test(a_length_of_0_in_the_middle_is_no_end),
		cmocka_unit_test(a_signal_frame_is_told_by_its_augmentation),
		cmocka_unit_test(
			damage_ends_the_table_and_spares_what_was_before),
		cmocka_unit_test(entries_that_cannot_be_read_are_left_out),
		cmocka_unit_test(a_cut_section_is_indexed_at_any_length),
		cmocka_unit_test(a_search_table_saves_the_index),
		cmocka_unit_test(
			a_search_table_that_lies_leads_nobody_astray),
		cmocka_unit_test(half_a_row_of_a_search_table_is_none),
		cmocka_unit_test(debug_frame_counts_from_its_own_beginning),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
