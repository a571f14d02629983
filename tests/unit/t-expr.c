/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of the DWARF stack machine: each operator, each refusal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dwarf.h>
#include <string.h>

#include "assert-err.h"
#include "inspect/unwind.h"

/* Memory at 0x1000: the bytes 1, 2, … 16. Registers: n has 100 * n, below 17. */
static struct err *
read_bytes(void *arg, uint64_t addr, size_t n, void *out)
{
	(void)arg;
	uint8_t *bytes = out;

	if (addr < 0x1000 || addr + n > 0x1010)
		return err_new(ERR_ABSENT, "not here");
	for (size_t k = 0; k < n; k++)
		bytes[k] = (uint8_t)(addr - 0x1000 + k + 1);
	return NULL;
}

static struct err *
read_reg(void *arg, uint64_t number, uint64_t *out)
{
	(void)arg;
	if (number >= 17)
		return err_new(ERR_ABSENT, "register unknown");
	*out = 100 * number;
	return NULL;
}

static const struct expr_env ENV = {
	.read = read_bytes, .reg = read_reg, .bias = 0x10000,
	.cfa = 0x7000, .has_cfa = true,
};

#define OPS(...) (Dwarf_Op[]){ __VA_ARGS__ }, \
	sizeof((Dwarf_Op[]){ __VA_ARGS__ }) / sizeof(Dwarf_Op)
#define LIT(n) { .atom = DW_OP_constu, .number = (n) }
#define OP(name) { .atom = DW_OP_##name }
#define OP1(name, n) { .atom = DW_OP_##name, .number = (n) }

static void
assert_value(const Dwarf_Op *ops, size_t n, uint64_t want)
{
	struct expr_result r;

	assert_ok(expr_eval(&ENV, ops, n, &r));
	assert_int_equal(r.value, want);
}

static void
refuses(const Dwarf_Op *ops, size_t n, enum err_kind kind, const char *words)
{
	struct expr_result r;

	assert_err(expr_eval(&ENV, ops, n, &r), kind, words);
}

static void
constants_are_pushed_as_decoded(void **state)
{
	(void)state;
	static const uint8_t atoms[] = {
		DW_OP_const1u, DW_OP_const1s, DW_OP_const2u, DW_OP_const2s,
		DW_OP_const4u, DW_OP_const4s, DW_OP_const8u, DW_OP_const8s,
		DW_OP_constu, DW_OP_consts,
	};

	for (size_t n = 0; n < countof(atoms); n++)
		assert_value(OPS({ .atom = atoms[n], .number = 77 + n }),
			     77 + n);
}

static void
literals_are_their_number(void **state)
{
	(void)state;

	for (unsigned n = 0; n < 32; n++)
		assert_value(OPS({ .atom = DW_OP_lit0 + n }), n);
}

static void
an_address_has_the_bias_added(void **state)
{
	(void)state;

	assert_value(OPS(OP1(addr, 0x234)), 0x10234);
}

static void
a_base_register_has_its_offset_added(void **state)
{
	(void)state;

	for (unsigned n = 0; n < 17; n++)
		assert_value(OPS({ .atom = DW_OP_breg0 + n,
				   .number = (Dwarf_Word)-8 }),
			     (uint64_t)100 * n - 8);
	assert_value(OPS({ .atom = DW_OP_bregx, .number = 16, .number2 = 5 }),
		     1605);
	refuses(OPS(OP1(breg31, 0)), ERR_ABSENT, "register unknown");
}

static void
memory_is_read_little_endian_and_zero_extended(void **state)
{
	(void)state;

	assert_value(OPS(LIT(0x1000), OP(deref)), 0x0807060504030201);
	assert_value(OPS(LIT(0x1001), OP1(deref_size, 2)), 0x0302);
	assert_value(OPS(LIT(0x1001), OP1(deref_size, 1)), 2);
	refuses(OPS(LIT(0x1009), OP(deref)), ERR_ABSENT, "not here");
	refuses(OPS(LIT(0x1000), OP1(deref_size, 9)), ERR_DAMAGED, "9 bytes");
	refuses(OPS(LIT(0x1000), OP1(deref_size, 0)), ERR_DAMAGED, "0 bytes");
}

static void
the_stack_is_rearranged(void **state)
{
	(void)state;

	assert_value(OPS(LIT(5), OP(dup), OP(plus)), 10);
	assert_value(OPS(LIT(5), LIT(6), OP(drop)), 5);
	assert_value(OPS(LIT(5), LIT(6), OP(over)), 5);
	assert_value(OPS(LIT(5), LIT(6), LIT(7), OP1(pick, 2)), 5);
	assert_value(OPS(LIT(5), LIT(6), LIT(7), OP1(pick, 0)), 7);
	assert_value(OPS(LIT(5), LIT(6), OP(swap)), 5);
	/* DWARF 5, 2.5.1.3: top 5, 6, 7 becomes 6, 7, 5. */
	assert_value(OPS(LIT(7), LIT(6), LIT(5), OP(rot)), 6);
	assert_value(OPS(LIT(7), LIT(6), LIT(5), OP(rot), OP(drop)), 7);
	assert_value(OPS(LIT(7), LIT(6), LIT(5), OP(rot), OP(drop), OP(drop)),
		     5);
}

static void
arithmetic_takes_the_top_as_second_operand(void **state)
{
	(void)state;

	assert_value(OPS(LIT(7), LIT(2), OP(plus)), 9);
	assert_value(OPS(LIT(7), LIT(2), OP(minus)), 5);
	assert_value(OPS(LIT(7), LIT(2), OP(mul)), 14);
	assert_value(OPS(LIT(7), LIT(2), OP(div)), 3);
	assert_value(OPS(LIT(-7), LIT(2), OP(div)), -3);
	assert_value(OPS(LIT(INT64_MIN), LIT(-1), OP(div)),
		     (uint64_t)INT64_MIN);
	assert_value(OPS(LIT(7), LIT(4), OP(mod)), 3);
	assert_value(OPS(LIT(-7), OP(abs)), 7);
	assert_value(OPS(LIT(7), OP(abs)), 7);
	assert_value(OPS(LIT(7), OP(neg)), -7);
	assert_value(OPS(LIT(7), OP1(plus_uconst, 3)), 10);
	refuses(OPS(LIT(7), LIT(0), OP(div)), ERR_DAMAGED, "divided by zero");
	refuses(OPS(LIT(7), LIT(0), OP(mod)), ERR_DAMAGED, "divided by zero");
}

static void
bits_are_combined_and_shifted(void **state)
{
	(void)state;

	assert_value(OPS(LIT(12), LIT(10), OP(and)), 8);
	assert_value(OPS(LIT(12), LIT(10), OP(or)), 14);
	assert_value(OPS(LIT(12), LIT(10), OP(xor)), 6);
	assert_value(OPS(LIT(0), OP(not)), UINT64_MAX);
	assert_value(OPS(LIT(3), LIT(4), OP(shl)), 48);
	assert_value(OPS(LIT(-1), LIT(60), OP(shr)), 15);
	assert_value(OPS(LIT(-16), LIT(2), OP(shra)), -4);
	assert_value(OPS(LIT(-16), LIT(0), OP(shra)), -16);
}

static void
a_shift_by_64_or_more_leaves_no_bit(void **state)
{
	(void)state;

	assert_value(OPS(LIT(3), LIT(64), OP(shl)), 0);
	assert_value(OPS(LIT(3), LIT(-1), OP(shr)), 0);
	assert_value(OPS(LIT(3), LIT(64), OP(shra)), 0);
	assert_value(OPS(LIT(-3), LIT(64), OP(shra)), -1);
}

static void
comparisons_are_signed(void **state)
{
	(void)state;

	assert_value(OPS(LIT(-1), LIT(1), OP(lt)), 1);
	assert_value(OPS(LIT(-1), LIT(1), OP(gt)), 0);
	assert_value(OPS(LIT(1), LIT(1), OP(le)), 1);
	assert_value(OPS(LIT(1), LIT(2), OP(ge)), 0);
	assert_value(OPS(LIT(1), LIT(1), OP(eq)), 1);
	assert_value(OPS(LIT(1), LIT(1), OP(ne)), 0);
}

static void
a_branch_counts_from_its_end(void **state)
{
	(void)state;
	/* lit1; skip +1; lit2; lit3 */
	Dwarf_Op skip[] = {
		{ .atom = DW_OP_lit1, .offset = 0 },
		{ .atom = DW_OP_skip, .number = 1, .offset = 1 },
		{ .atom = DW_OP_lit2, .offset = 4 },
		{ .atom = DW_OP_plus_uconst, .number = 5, .offset = 5 },
	};

	assert_value(skip, countof(skip), 6);
	skip[1].atom = DW_OP_bra;               /* takes the 1 */
	skip[3] = (Dwarf_Op){ .atom = DW_OP_lit3, .offset = 5 };
	assert_value(skip, countof(skip), 3);
	skip[0].atom = DW_OP_lit0;              /* not taken */
	assert_value(skip, 3, 2);
}

static void
a_branch_may_follow_what_libdw_puts_first(void **state)
{
	(void)state;
	Dwarf_Op ops[] = {
		{ .atom = DW_OP_call_frame_cfa, .offset = UINT64_MAX },
		{ .atom = DW_OP_skip, .number = 1, .offset = 0 },
		{ .atom = DW_OP_drop, .offset = 3 },
		{ .atom = DW_OP_plus_uconst, .number = 8, .offset = 4 },
	};

	assert_value(ops, countof(ops), 0x7008);
}

static void
a_branch_behind_the_last_operation_ends(void **state)
{
	(void)state;
	Dwarf_Op ops[] = {
		{ .atom = DW_OP_lit9, .offset = 0 },
		{ .atom = DW_OP_skip, .number = 1, .offset = 1 },
		{ .atom = DW_OP_drop, .offset = 4 },
	};

	assert_value(ops, countof(ops), 9);
}

static void
a_branch_into_an_operation_is_refused(void **state)
{
	(void)state;
	Dwarf_Op ops[] = {
		{ .atom = DW_OP_skip, .number = 1, .offset = 0 },
		{ .atom = DW_OP_const2u, .number = 1, .offset = 3 },
		{ .atom = DW_OP_nop, .offset = 6 },
	};

	refuses(ops, countof(ops), ERR_DAMAGED, "middle of an operation");
}

static void
an_endless_expression_is_ended(void **state)
{
	(void)state;
	Dwarf_Op ops[] = {
		{ .atom = DW_OP_lit1, .offset = 0 },
		{ .atom = DW_OP_skip, .number = (Dwarf_Word)-3, .offset = 1 },
	};

	refuses(ops, countof(ops), ERR_LIMIT, "does not end");
}

static void
a_register_is_a_location_of_its_own(void **state)
{
	(void)state;
	struct expr_result r;

	assert_ok(expr_eval(&ENV, OPS(OP(reg3)), &r));
	assert_int_equal(r.kind, EXPR_REGISTER);
	assert_int_equal(r.value, 3);
	assert_ok(expr_eval(&ENV, OPS(OP1(regx, 12)), &r));
	assert_int_equal(r.kind, EXPR_REGISTER);
	assert_int_equal(r.value, 12);
	refuses(OPS(LIT(1), OP(reg3)), ERR_DAMAGED, "register location");
	refuses(OPS(OP(reg3), LIT(1)), ERR_DAMAGED, "follow");
}

static void
a_value_is_told_from_an_address(void **state)
{
	(void)state;
	struct expr_result r;

	assert_ok(expr_eval(&ENV, OPS(OP(call_frame_cfa), OP(nop)), &r));
	assert_int_equal(r.kind, EXPR_MEMORY);
	assert_int_equal(r.value, 0x7000);
	assert_ok(expr_eval(&ENV, OPS(LIT(4), OP(stack_value)), &r));
	assert_int_equal(r.kind, EXPR_VALUE);
	assert_int_equal(r.value, 4);
	refuses(OPS(LIT(4), OP(stack_value), LIT(5)), ERR_DAMAGED, "follow");
}

static void
the_frame_address_must_be_known(void **state)
{
	(void)state;
	struct expr_env env = ENV;
	struct expr_result r;

	env.has_cfa = false;
	assert_err(expr_eval(&env, OPS(OP(call_frame_cfa)), &r), ERR_DAMAGED,
		   "not known");
}

static void
too_few_values_are_refused(void **state)
{
	(void)state;
	static const uint8_t atoms[] = {
		DW_OP_deref, DW_OP_dup, DW_OP_drop, DW_OP_neg,
		DW_OP_plus_uconst, DW_OP_bra, DW_OP_stack_value,
	};
	static const uint8_t twos[] = { DW_OP_over, DW_OP_swap, DW_OP_plus,
					DW_OP_shra, DW_OP_eq };

	for (size_t n = 0; n < countof(atoms); n++)
		refuses(OPS({ .atom = atoms[n] }), ERR_DAMAGED, "wants 1");
	for (size_t n = 0; n < countof(twos); n++)
		refuses(OPS(LIT(1), { .atom = twos[n] }), ERR_DAMAGED,
			"wants 2");
	refuses(OPS(LIT(1), LIT(2), OP(rot)), ERR_DAMAGED, "wants 3");
	refuses(OPS(LIT(1), OP1(pick, 1)), ERR_DAMAGED, "entry 1");
	refuses(NULL, 0, ERR_DAMAGED, "no result");
}

static void
too_many_values_are_refused(void **state)
{
	(void)state;
	Dwarf_Op ops[EXPR_STACK_MAX + 1];

	for (size_t n = 0; n < countof(ops); n++)
		ops[n] = (Dwarf_Op){ .atom = DW_OP_lit1, .offset = n };
	assert_value(ops, EXPR_STACK_MAX, 1);
	refuses(ops, EXPR_STACK_MAX + 1, ERR_LIMIT, "values on the stack");
	ops[EXPR_STACK_MAX].atom = DW_OP_dup;
	refuses(ops, EXPR_STACK_MAX + 1, ERR_LIMIT, "values on the stack");
}

static void
operators_of_variables_are_not_handled(void **state)
{
	(void)state;
	static const uint8_t atoms[] = {
		0, DW_OP_xderef, DW_OP_fbreg, DW_OP_piece, DW_OP_call2,
		DW_OP_form_tls_address, DW_OP_implicit_value,
		DW_OP_entry_value, DW_OP_push_object_address, 0xff,
	};

	for (size_t n = 0; n < countof(atoms); n++)
		refuses(OPS({ .atom = atoms[n] }), ERR_UNSUPPORTED,
			"not one of call frame information");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constants_are_pushed_as_decoded),
		cmocka_unit_test(literals_are_their_number),
		cmocka_unit_test(an_address_has_the_bias_added),
		cmocka_unit_test(a_base_register_has_its_offset_added),
		cmocka_unit_test(
			memory_is_read_little_endian_and_zero_extended),
		cmocka_unit_test(the_stack_is_rearranged),
		cmocka_unit_test(arithmetic_takes_the_top_as_second_operand),
		cmocka_unit_test(bits_are_combined_and_shifted),
		cmocka_unit_test(a_shift_by_64_or_more_leaves_no_bit),
		cmocka_unit_test(comparisons_are_signed),
		cmocka_unit_test(a_branch_counts_from_its_end),
		cmocka_unit_test(a_branch_may_follow_what_libdw_puts_first),
		cmocka_unit_test(a_branch_behind_the_last_operation_ends),
		cmocka_unit_test(a_branch_into_an_operation_is_refused),
		cmocka_unit_test(an_endless_expression_is_ended),
		cmocka_unit_test(a_register_is_a_location_of_its_own),
		cmocka_unit_test(a_value_is_told_from_an_address),
		cmocka_unit_test(the_frame_address_must_be_known),
		cmocka_unit_test(too_few_values_are_refused),
		cmocka_unit_test(too_many_values_are_refused),
		cmocka_unit_test(operators_of_variables_are_not_handled),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
