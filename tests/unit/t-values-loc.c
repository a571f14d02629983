/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of the machine for variables' places: each operator, typed
 * values, each kind of place, each refusal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "assert-err.h"
#include "values/dw.h"
#include "values/loc.h"

enum { T_INT = 1, T_SHORT, T_UNSIGNED, T_FLOAT, T_DOUBLE, T_INT128 };

/* Memory at 0x1000: the bytes 1, 2, … 16. */
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

/* Register n has 100 * n, below 17. */
static struct err *
read_reg(void *arg, uint64_t number, size_t n, void *out)
{
	(void)arg;
	uint64_t v = 100 * number;

	if (number >= 17)
		return err_new(ERR_NOTFOUND, "register unknown");
	memset(out, 0, n);
	memcpy(out, &v, n < 8 ? n : 8);
	return NULL;
}

static struct err *
frame_base(void *arg, uint64_t *out)
{
	(void)arg;
	*out = 0x7000;
	return NULL;
}

static struct err *
cfa(void *arg, uint64_t *out)
{
	(void)arg;
	*out = 0x8000;
	return NULL;
}

static struct err *
tls(void *arg, uint64_t offset, uint64_t *out)
{
	(void)arg;
	*out = 0x9000 + offset;
	return NULL;
}

static struct err *
entry(void *arg, struct span expr, struct cell *out)
{
	(void)arg;
	*out = cell_generic(expr.n);
	return NULL;
}

static struct err *
parameter(void *arg, uint64_t nth, struct cell *out)
{
	(void)arg;
	*out = cell_generic(nth + 7);
	return NULL;
}

static struct err *
base_type(void *arg, uint32_t ref, struct cell_type *out)
{
	static const struct cell_type types[] = {
		[T_INT] = { T_INT, CELL_SIGNED, 4 },
		[T_SHORT] = { T_SHORT, CELL_SIGNED, 2 },
		[T_UNSIGNED] = { T_UNSIGNED, CELL_UNSIGNED, 4 },
		[T_FLOAT] = { T_FLOAT, CELL_FLOAT, 4 },
		[T_DOUBLE] = { T_DOUBLE, CELL_FLOAT, 8 },
		[T_INT128] = { T_INT128, CELL_SIGNED, 16 },
	};

	(void)arg;
	if (ref + 1 >= countof(types))
		return err_new(ERR_DAMAGED, "no such type");
	*out = types[ref + 1];
	return NULL;
}

static const struct loc_ops LOC_OPS = {
	.read = read_bytes, .reg = read_reg, .frame_base = frame_base,
	.cfa = cfa, .tls = tls, .entry = entry, .parameter = parameter,
	.variable = parameter, .type = base_type,
};
static const struct loc_env ENV = {
	.ops = &LOC_OPS, .bias = 0x10000, .object = 0x4444,
	.has_object = true,
};

#define BYTES(...) ((struct span){ (uint8_t[]){ __VA_ARGS__ }, \
	sizeof((uint8_t[]){ __VA_ARGS__ }) })
#define U64(v) (v) & 0xff, (v) >> 8 & 0xff, (v) >> 16 & 0xff, 0, 0, 0, 0, 0

static void
assert_number(struct span expr, uint64_t want)
{
	struct cell c;

	assert_ok(loc_number(&ENV, expr, &c));
	assert_int_equal(cell_u64(&c), want);
}

static void
refuses(struct span expr, enum err_kind kind, const char *words)
{
	_arena_ struct arena *a = arena_new(0);
	struct loc l;

	assert_err(loc_eval(&ENV, expr, a, &l), kind, words);
}

static void
constants_are_pushed(void **state)
{
	(void)state;
	assert_number(BYTES(OP_ADDR, U64(0x1234)), 0x11234);
	assert_number(BYTES(OP_CONST1U, 0xff), 255);
	assert_number(BYTES(OP_CONST1S, 0xff), UINT64_MAX);
	assert_number(BYTES(OP_CONST2U, 0xfe, 0xff), 0xfffe);
	assert_number(BYTES(OP_CONST2S, 0xfe, 0xff), (uint64_t)-2);
	assert_number(BYTES(OP_CONST4U, 0xfe, 0xff, 0xff, 0xff), 0xfffffffe);
	assert_number(BYTES(OP_CONST4S, 0xfe, 0xff, 0xff, 0xff),
		      (uint64_t)-2);
	assert_number(BYTES(OP_CONST8U, U64(0x10203)), 0x10203);
	assert_number(BYTES(OP_CONST8S, U64(0x10203)), 0x10203);
	assert_number(BYTES(OP_CONSTU, 0xe5, 0x8e, 0x26), 624485);
	assert_number(BYTES(OP_CONSTS, 0x7e), (uint64_t)-2);
	assert_number(BYTES(OP_LIT0), 0);
	assert_number(BYTES(OP_LIT31), 31);
}

static void
registers_and_frames_are_pushed(void **state)
{
	(void)state;
	assert_number(BYTES(OP_BREG0 + 6, 0x70), 600 - 16);
	assert_number(BYTES(OP_BREGX, 7, 8), 708);
	assert_number(BYTES(OP_FBREG, 0x68), 0x7000 - 24);
	assert_number(BYTES(OP_CALL_FRAME_CFA), 0x8000);
	assert_number(BYTES(OP_PUSH_OBJECT_ADDRESS), 0x4444);
	assert_number(BYTES(OP_LIT0 + 8, OP_FORM_TLS_ADDRESS), 0x9008);
	assert_number(BYTES(OP_LIT0 + 8, OP_GNU_PUSH_TLS), 0x9008);
	assert_number(BYTES(OP_ENTRY_VALUE, 2, 1, 1), 2);
	assert_number(BYTES(OP_GNU_ENTRY_VALUE, 1, 1), 1);
	assert_number(BYTES(OP_GNU_PARAMETER_REF, 3), 10);
	assert_number(BYTES(OP_GNU_VARIABLE_VALUE, 4), 11);
}

static void
memory_is_read(void **state)
{
	(void)state;
	assert_number(BYTES(OP_CONST2U, 0, 0x10, OP_DEREF),
		      0x0807060504030201);
	assert_number(BYTES(OP_CONST2U, 2, 0x10, OP_DEREF_SIZE, 2), 0x0403);
	assert_number(BYTES(OP_CONST2U, 2, 0x10, OP_DEREF_TYPE, 2, T_SHORT),
		      0x0403);
	refuses(BYTES(OP_LIT0, OP_DEREF), ERR_ABSENT, "not here");
	refuses(BYTES(OP_LIT0, OP_DEREF_SIZE, 9), ERR_DAMAGED, "9 bytes");
}

static void
the_stack_is_shuffled(void **state)
{
	(void)state;
#define ONE_TWO_THREE OP_LIT0 + 1, OP_LIT0 + 2, OP_LIT0 + 3
	assert_number(BYTES(ONE_TWO_THREE, OP_DUP, OP_PLUS), 6);
	assert_number(BYTES(ONE_TWO_THREE, OP_DROP), 2);
	assert_number(BYTES(ONE_TWO_THREE, OP_OVER), 2);
	assert_number(BYTES(ONE_TWO_THREE, OP_PICK, 2), 1);
	assert_number(BYTES(ONE_TWO_THREE, OP_SWAP), 2);
	assert_number(BYTES(ONE_TWO_THREE, OP_ROT), 2);
	assert_number(BYTES(ONE_TWO_THREE, OP_ROT, OP_DROP, OP_DROP), 3);
	assert_number(BYTES(OP_LIT0, OP_NOP), 0);
	refuses(BYTES(ONE_TWO_THREE, OP_PICK, 3), ERR_DAMAGED, "picked");
	refuses(BYTES(OP_LIT0, OP_ROT), ERR_DAMAGED, "wants 3 values");
}

static void
arithmetic_is_that_of_the_generic_type(void **state)
{
	(void)state;
	static const struct {
		uint8_t op;
		int8_t a, b;
		int64_t want;
	} rows[] = {
		{ OP_AND, 12, 10, 8 }, { OP_OR, 12, 10, 14 },
		{ OP_XOR, 12, 10, 6 }, { OP_PLUS, -3, 2, -1 },
		{ OP_MINUS, 3, 5, -2 }, { OP_MUL, -3, 2, -6 },
		{ OP_DIV, -7, 2, -3 }, { OP_DIV, 7, -1, -7 },
		{ OP_MOD, 7, 4, 3 }, { OP_SHL, 3, 4, 48 },
		{ OP_SHR, -1, 60, 15 }, { OP_SHRA, -16, 2, -4 },
		{ OP_SHL, 3, 64, 0 }, { OP_SHRA, -1, 100, -1 },
		{ OP_EQ, 2, 2, 1 }, { OP_NE, 2, 2, 0 }, { OP_GE, -1, 1, 0 },
		{ OP_GT, 1, -1, 1 }, { OP_LE, -1, 1, 1 }, { OP_LT, 1, 1, 0 },
	};

	for (size_t n = 0; n < countof(rows); n++)
		assert_number(BYTES(OP_CONST1S, (uint8_t)rows[n].a,
				    OP_CONST1S, (uint8_t)rows[n].b,
				    rows[n].op), (uint64_t)rows[n].want);
	assert_number(BYTES(OP_CONST1S, 0xfb, OP_ABS), 5);
	assert_number(BYTES(OP_LIT0 + 5, OP_NEG), (uint64_t)-5);
	assert_number(BYTES(OP_LIT0 + 5, OP_NOT), ~(uint64_t)5);
	assert_number(BYTES(OP_LIT0 + 5, OP_PLUS_UCONST, 0x80, 1), 133);
	refuses(BYTES(OP_LIT0, OP_LIT0, OP_DIV), ERR_DAMAGED, "by zero");
	refuses(BYTES(OP_LIT0, OP_LIT0, OP_MOD), ERR_DAMAGED, "by zero");
}

static void
typed_values_count_in_their_type(void **state)
{
	(void)state;
#define INT_OF(n) OP_CONST_TYPE, T_INT, 4, (n), 0xff, 0xff, 0xff
	assert_number(BYTES(INT_OF(0xf9), INT_OF(0xfe), OP_DIV), 3);
	assert_number(BYTES(INT_OF(0xf9), INT_OF(0xfe), OP_MOD),
		      (uint64_t)-1);
	assert_number(BYTES(INT_OF(0xf9), OP_CONVERT, T_UNSIGNED), 0xfffffff9);
	assert_number(BYTES(INT_OF(0xf9), OP_CONVERT, 0), (uint64_t)-7);
	assert_number(BYTES(INT_OF(0xf9), OP_CONVERT, T_SHORT,
			    OP_CONVERT, T_INT128), (uint64_t)-7);
	assert_number(BYTES(INT_OF(0xf9), OP_REINTERPRET, T_UNSIGNED,
			    OP_CONVERT, 0), 0xfffffff9);
	assert_number(BYTES(OP_REGVAL_TYPE, 3, T_SHORT), 300);
	refuses(BYTES(INT_OF(0xf9), OP_LIT0, OP_PLUS), ERR_DAMAGED,
		"two types");
	refuses(BYTES(INT_OF(0xf9), OP_REINTERPRET, T_SHORT), ERR_DAMAGED,
		"4 bytes");
	refuses(BYTES(OP_CONST_TYPE, T_INT, 2, 0, 0), ERR_DAMAGED, "2 bytes");
	refuses(BYTES(OP_LIT0, OP_CONVERT, 99), ERR_DAMAGED, "no such type");
}

static void
floating_point_numbers_count(void **state)
{
	(void)state;
#define FLOAT_OF(n) OP_LIT0 + (n), OP_CONVERT, T_FLOAT
	assert_number(BYTES(FLOAT_OF(7), FLOAT_OF(2), OP_DIV, FLOAT_OF(2),
			    OP_MUL, OP_CONVERT, T_INT), 7);
	assert_number(BYTES(FLOAT_OF(7), FLOAT_OF(2), OP_GT), 1);
	assert_number(BYTES(FLOAT_OF(7), OP_NEG, OP_CONVERT, T_INT),
		      (uint64_t)-7);
	assert_number(BYTES(FLOAT_OF(2), OP_REINTERPRET, T_UNSIGNED),
		      0x40000000);
	assert_number(BYTES(FLOAT_OF(2), OP_CONVERT, T_DOUBLE,
			    OP_REINTERPRET, 0), 0x4000000000000000);
	refuses(BYTES(FLOAT_OF(2), FLOAT_OF(2), OP_AND), ERR_DAMAGED, "bits");
	refuses(BYTES(FLOAT_OF(2), OP_NOT), ERR_DAMAGED, "bits");
}

static void
branches_are_taken(void **state)
{
	(void)state;
	assert_number(BYTES(OP_LIT0 + 1, OP_SKIP, 1, 0, OP_LIT0), 1);
	assert_number(BYTES(OP_LIT0 + 5, OP_LIT0, OP_BRA, 1, 0, OP_LIT0 + 6),
		      6);
	assert_number(BYTES(OP_LIT0 + 5, OP_LIT0 + 1, OP_BRA, 1, 0,
			    OP_LIT0 + 6), 5);
	refuses(BYTES(OP_SKIP, 0xfd, 0xff), ERR_LIMIT, "does not end");
	refuses(BYTES(OP_SKIP, 9, 0), ERR_DAMAGED, "out of the expression");
	refuses(BYTES(OP_SKIP, 0, 0x80), ERR_DAMAGED, "out of the expr");
	refuses(BYTES(OP_LIT0, OP_SKIP, 0xfc, 0xff), ERR_LIMIT, "on the stack");
}

static struct loc
located(struct span expr, struct arena *a)
{
	struct loc l = { 0 };

	assert_ok(loc_eval(&ENV, expr, a, &l));
	return l;
}

static void
a_place_is_memory_register_value_or_nowhere(void **state)
{
	(void)state;
	_arena_ struct arena *a = arena_new(0);
	struct loc l = located(BYTES(OP_FBREG, 8), a);

	assert_int_equal(l.n, 1);
	assert_int_equal(l.pieces[0].kind, LOC_MEMORY);
	assert_int_equal(l.pieces[0].value, 0x7008);
	l = located(BYTES(OP_REG0 + 3), a);
	assert_int_equal(l.pieces[0].kind, LOC_REGISTER);
	assert_int_equal(l.pieces[0].value, 3);
	l = located(BYTES(OP_REGX, 40), a);
	assert_int_equal(l.pieces[0].value, 40);
	l = located(BYTES(OP_LIT0 + 9, OP_STACK_VALUE), a);
	assert_int_equal(l.pieces[0].kind, LOC_VALUE);
	assert_int_equal(cell_u64(&l.pieces[0].cell), 9);
	l = located(BYTES(OP_IMPLICIT_VALUE, 3, 7, 8, 9), a);
	assert_int_equal(l.pieces[0].kind, LOC_IMPLICIT);
	assert_int_equal(l.pieces[0].bytes.n, 3);
	l = located(BYTES(OP_IMPLICIT_POINTER, 5, 0x7c), a);
	assert_int_equal(l.pieces[0].kind, LOC_POINTER);
	assert_int_equal(l.pieces[0].value, 5);
	assert_int_equal(l.pieces[0].offset, -4);
	l = located((struct span){ 0 }, a);
	assert_int_equal(l.pieces[0].kind, LOC_NOWHERE);
}

static void
pieces_stand_in_a_row(void **state)
{
	(void)state;
	_arena_ struct arena *a = arena_new(0);
	struct loc l = located(BYTES(OP_REG0 + 3, OP_PIECE, 4, OP_PIECE, 2,
				     OP_FBREG, 0, OP_BIT_PIECE, 12, 3,
				     OP_LIT0, OP_STACK_VALUE, OP_PIECE, 1), a);

	assert_int_equal(l.n, 4);
	assert_int_equal(l.pieces[0].kind, LOC_REGISTER);
	assert_int_equal(l.pieces[0].bits, 32);
	assert_int_equal(l.pieces[1].kind, LOC_NOWHERE);
	assert_int_equal(l.pieces[2].kind, LOC_MEMORY);
	assert_int_equal(l.pieces[2].bits, 12);
	assert_int_equal(l.pieces[2].skip, 3);
	assert_int_equal(l.pieces[3].kind, LOC_VALUE);
	refuses(BYTES(OP_REG0, OP_PIECE, 4, OP_REG0), ERR_DAMAGED,
		"behind the last piece");
	refuses(BYTES(OP_REG0, OP_PIECE, 0), ERR_DAMAGED, "odd piece");
	refuses(BYTES(OP_REG0, OP_BIT_PIECE, 8, 0xff, 0xff, 0xff, 0xff, 0xff,
		      0x7f), ERR_DAMAGED, "odd piece");
	refuses(BYTES(OP_REG0, OP_REG0), ERR_DAMAGED, "follow the final");
}

static void
a_number_is_no_place(void **state)
{
	(void)state;
	struct cell c;

	assert_number(BYTES(OP_LIT0 + 3, OP_STACK_VALUE), 3);
	assert_err(loc_number(&ENV, BYTES(OP_REG0), &c), ERR_DAMAGED,
		   "a number");
	assert_err(loc_number(&ENV, BYTES(OP_NOP), &c), ERR_DAMAGED,
		   "no result");
}

static void
what_is_cut_short_or_unknown_is_refused(void **state)
{
	(void)state;
	refuses(BYTES(OP_ADDR, 1, 2), ERR_DAMAGED, "cut short");
	refuses(BYTES(OP_CONSTU, 0x80), ERR_DAMAGED, "cut short");
	refuses(BYTES(OP_IMPLICIT_VALUE, 3, 1), ERR_DAMAGED, "cut short");
	refuses(BYTES(OP_ENTRY_VALUE, 3, 1), ERR_DAMAGED, "cut short");
	refuses(BYTES(0xff), ERR_UNSUPPORTED, "0xff");
	refuses(BYTES(OP_BREGX, 20, 0), ERR_NOTFOUND, "register unknown");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(constants_are_pushed),
		cmocka_unit_test(registers_and_frames_are_pushed),
		cmocka_unit_test(memory_is_read),
		cmocka_unit_test(the_stack_is_shuffled),
		cmocka_unit_test(arithmetic_is_that_of_the_generic_type),
		cmocka_unit_test(typed_values_count_in_their_type),
		cmocka_unit_test(floating_point_numbers_count),
		cmocka_unit_test(branches_are_taken),
		cmocka_unit_test(a_place_is_memory_register_value_or_nowhere),
		cmocka_unit_test(pieces_stand_in_a_row),
		cmocka_unit_test(a_number_is_no_place),
		cmocka_unit_test(what_is_cut_short_or_unknown_is_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
