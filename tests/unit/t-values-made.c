/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types and names that expressions make: each once, and not without end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>

#include "assert-err.h"
#include "values/impl.h"

#define MANY 1000000u

static struct values vs;

static int
set_up(void **state)
{
	(void)state;
	vs = (struct values){ .arena = arena_new(0) };
	return vs.arena ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(vs.arena);
	return 0;
}

static void
a_type_is_made_once(void **state)
{
	const struct type *pointer = type_pointer_to(&vs, NULL);
	const struct type *array = type_array_of(&vs, pointer, 3);

	(void)state;
	assert_non_null(pointer);
	assert_ptr_equal(type_pointer_to(&vs, NULL), pointer);
	assert_ptr_not_equal(type_pointer_to(&vs, pointer), pointer);
	assert_ptr_equal(type_target(type_pointer_to(&vs, pointer)), pointer);
	assert_ptr_equal(type_array_of(&vs, pointer, 3), array);
	assert_ptr_not_equal(type_array_of(&vs, pointer, 4), array);
	assert_int_equal(type_size(array), 24);
	assert_ptr_equal(type_function(&vs), type_function(&vs));
}

static void
of_types_there_is_an_end(void **state)
{
	const struct type *pointer = type_pointer_to(&vs, NULL);
	uint64_t n = 1;

	(void)state;
	while (n < MANY && type_array_of(&vs, pointer, n))
		n++;
	assert_in_range(n, 10000, MANY - 1);
	assert_err(types_spent(&vs), ERR_LIMIT, "types");
	/* Those that there are stay. */
	assert_non_null(type_array_of(&vs, pointer, 1));
	assert_ptr_equal(type_pointer_to(&vs, NULL), pointer);
}

static void
a_name_is_put_together_once(void **state)
{
	const char *name = values_qualified(&vs, "a", "b");
	char text[16];

	(void)state;
	assert_string_equal(name, "a::b");
	assert_string_equal(values_qualified(&vs, "a::b", "c"), "a::b::c");
	for (unsigned k = 0; k < 10000; k++) {
		snprintf(text, sizeof(text), "n%u", k);
		const char *one = values_qualified(&vs, "space", text);
		assert_ptr_equal(values_qualified(&vs, "space", text), one);
		assert_string_equal(one + 7, text);
	}
	assert_ptr_equal(values_qualified(&vs, "a", "b"), name);
	assert_string_equal(values_qualified(&vs, "", "b"), "b");
	assert_null(values_qualified(&vs, "a", NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_type_is_made_once, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(of_types_there_is_an_end,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_name_is_put_together_once,
						set_up, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
