/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types and variables that are inside of themselves, as a damaged index may
 * have them: all that asks comes to an end, and foreign names are escaped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "assert-err.h"
#include "inspect/impl.h"
#include "symbols/index.h"
#include "values/impl.h"
#include "values/printers.h"

enum { T_ONE, T_OTHER, T_INT, N_TYPES };
enum { S_NAME = 0, S_CONTROL = 5, S_STACK = 10, S_C = 21 };
/* How many there are, from where to where, and they themselves. */
static const char strings[] = "\4" "\0\5\5\13"
			      "name\0" "\033[2J\0" "std::stack\0" "c";
#define SLOTS 16u

/** One module, whose index has three types and nothing else. */
struct world {
	struct insp insp;
	struct snap_module snap;
	struct symidx ix;
	struct format_block block;
	uint8_t *unpacked;
	struct index_texts *texts;
	struct values vs;
	struct module module;
	struct type *slots[SLOTS], types[N_TYPES];
	struct sym_type records[N_TYPES];
	struct sym_member members[N_TYPES][2];
	struct sym_dimension dimension;
	struct arena *arena;
};

static struct world w;

static int
set_up(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	w.arena = arena_new(0);
	w.insp = (struct insp){ .modules = &w.snap, .n_modules = 1 };
	w.block.raw = sizeof(strings);
	w.unpacked = (uint8_t *)(uintptr_t)strings;
	w.ix.blocks[STREAM_STRINGS] = &w.block;
	w.ix.n_blocks[STREAM_STRINGS] = 1;
	w.ix.unpacked[STREAM_STRINGS] = &w.unpacked;
	w.ix.texts = &w.texts;
	w.module = (struct module){ .ix = &w.ix, .asked = true,
				    .types = w.slots, .n_slots = SLOTS };
	w.vs = (struct values){ .insp = &w.insp, .arena = w.arena,
				.modules = &w.module, .n_modules = 1 };
	for (uint32_t k = 0; k < N_TYPES; k++) {
		w.records[k] = (struct sym_type){
			.kind = SYM_TYPE_STRUCT, .name = SYM_NONE,
			.prefix = SYM_NONE, .target = SYM_NONE, .size = 8,
		};
		w.types[k] = (struct type){ .vs = &w.vs, .ref = k, .size = 8,
					    .sym = &w.records[k] };
	}
	w.records[T_INT].kind = SYM_TYPE_BASE;
	w.records[T_INT].encoding = ATE_SIGNED;
	/* Wherever one is looked for, it is among the next three. */
	for (uint32_t k = 0; k < SLOTS; k++)
		w.slots[k] = &w.types[k % N_TYPES];
	return w.arena ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	texts_forget(&w.ix);
	arena_free(w.arena);
	return 0;
}

/* Two members of @to, without names, in @type. */
static void
contain(uint32_t type, uint32_t to, uint16_t flags)
{
	for (unsigned k = 0; k < 2; k++)
		w.members[type][k] = (struct sym_member){
			.name = SYM_NONE, .type = to, .flags = flags,
			.variant = SYM_NONE,
		};
	w.records[type].members = w.members[type];
	w.records[type].n_members = 2;
}

static const struct value *
value_of(uint32_t type)
{
	static const uint8_t bytes[8] = { 7 };
	const struct value *v;

	assert_ok(value_of_bytes(&w.vs, &w.types[type], bytes, sizeof(bytes),
				 w.arena, &v));
	return v;
}

static void
an_array_of_itself_has_no_size(void **state)
{
	(void)state;
	w.dimension.upper = (struct sym_bound){ SYM_BOUND_CONSTANT, 3,
						{ NULL, 0 }, SYM_NONE };
	w.records[T_ONE].kind = SYM_TYPE_ARRAY;
	w.records[T_ONE].target = T_ONE;
	w.records[T_ONE].dimensions = &w.dimension;
	w.records[T_ONE].n_dimensions = 1;
	w.types[T_ONE].size = 0;
	assert_int_equal(type_size(&w.types[T_ONE]), 0);
	assert_true(type_alignment(&w.types[T_ONE]) >= 1);
}

static void
structures_within_each_other_come_to_an_end(void **state)
{
	const struct value *v;
	_buf_ struct buf text = { 0 };

	(void)state;
	contain(T_ONE, T_OTHER, 0);
	contain(T_OTHER, T_ONE, 0);
	assert_true(type_alignment(&w.types[T_ONE]) >= 1);
	assert_err(value_member(value_of(T_ONE), "x", w.arena, &v),
		   ERR_NOTFOUND, "no member");
	assert_ok(value_text(value_of(T_ONE), &VALUE_STYLE, &text));
	assert_non_null(strstr(text.data, "{...}"));
}

static void
bases_of_each_other_come_to_an_end(void **state)
{
	const struct value *v;
	_buf_ struct buf text = { 0 };

	(void)state;
	contain(T_ONE, T_OTHER, SYM_MEMBER_BASE);
	contain(T_OTHER, T_ONE, SYM_MEMBER_BASE);
	assert_err(value_member(value_of(T_ONE), "x", w.arena, &v),
		   ERR_NOTFOUND, "no member");
	struct value in_memory = *value_of(T_ONE);
	in_memory.place = PLACE_MEMORY;
	assert_ok(value_dynamic(&in_memory, w.arena, &v));
	assert_ptr_equal(v, &in_memory);
	assert_ok(value_text(value_of(T_ONE), &VALUE_STYLE, &text));
}

static void
a_stack_over_itself_has_no_printer(void **state)
{
	_buf_ struct buf text = { 0 };

	(void)state;
	contain(T_ONE, T_ONE, 0);
	w.members[T_ONE][0].name = S_C;
	w.records[T_ONE].name = S_STACK;
	w.types[T_ONE].lang = LANG_IS_CXX;
	assert_ok(value_text(value_of(T_ONE), &VALUE_STYLE, &text));
}

static void
a_bound_that_is_its_own_is_not_known(void **state)
{
	const uint8_t place[9] = { OP_ADDR, 0, 0x10 };
	const struct sym_location everywhere = {
		0, UINT64_MAX, { place, sizeof(place) },
	};
	const struct sym_variable variable = {
		.name = S_NAME, .type = T_ONE, .locations = &everywhere,
		.n_locations = 1,
	};
	const struct sym_body body = { .variables = &variable,
				       .n_variables = 1 };
	const struct context c = { .vs = &w.vs, .ix = &w.ix, .body = &body,
				   .arena = w.arena };
	const struct var_ref ref = { .vs = &w.vs, .c = &c, .sym = &variable };
	const struct value *v;
	const char *why;

	(void)state;
	w.dimension.upper = (struct sym_bound){ SYM_BOUND_VARIABLE, 0,
						{ NULL, 0 }, S_NAME };
	w.records[T_ONE].kind = SYM_TYPE_ARRAY;
	w.records[T_ONE].target = T_INT;
	w.records[T_ONE].dimensions = &w.dimension;
	w.records[T_ONE].n_dimensions = 1;
	assert_ok(var_ref_value(&ref, w.arena, &v));
	assert_int_equal(value_state(v, &why), VALUE_UNKNOWN);
	assert_non_null(why);
}

static void
names_cannot_control_a_terminal(void **state)
{
	static const uint8_t langs[] = { LANG_IS_C, LANG_IS_CXX, LANG_IS_RUST,
					 LANG_IS_FORTRAN, LANG_IS_GO };

	(void)state;
	contain(T_ONE, T_INT, 0);
	w.members[T_ONE][0].name = S_CONTROL;
	for (size_t k = 0; k < countof(langs); k++) {
		_buf_ struct buf text = { 0 };

		w.types[T_ONE].lang = langs[k];
		assert_ok(value_text(value_of(T_ONE), &VALUE_STYLE, &text));
		assert_null(strchr(text.data, '\033'));
		assert_non_null(strstr(text.data, "\\x1b[2J"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(an_array_of_itself_has_no_size),
		TEST(structures_within_each_other_come_to_an_end),
		TEST(bases_of_each_other_come_to_an_end),
		TEST(a_stack_over_itself_has_no_printer),
		TEST(a_bound_that_is_its_own_is_not_known),
		TEST(names_cannot_control_a_terminal),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
