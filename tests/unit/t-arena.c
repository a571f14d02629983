/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of arenas and of the arrays that grow in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/base.h"

static bool
is_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static void
allocations_of_any_size_are_zeroed_aligned_and_apart(void **state)
{
	_arena_ struct arena *a = arena_new(0);
	uint8_t *p[200];
	size_t sizes[200];

	(void)state;
	for (size_t i = 0; i < countof(p); i++) {
		sizes[i] = i * i * 7 % 40000;
		p[i] = arena_alloc(a, sizes[i]);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % 16, 0);
		assert_true(is_zero(p[i], sizes[i]));
		memset(p[i], (int)i, sizes[i]);
	}
	for (size_t i = 0; i < countof(p); i++)
		for (size_t j = 0; j < sizes[i]; j++)
			if (p[i][j] != i)
				fail();
}

static void
a_large_allocation_leaves_room_for_small_ones(void **state)
{
	_arena_ struct arena *a = arena_new(0);
	uint8_t *large = arena_alloc(a, 10 << 20);
	uint8_t *small = arena_alloc(a, 1);

	(void)state;
	assert_non_null(large);
	assert_non_null(small);
	assert_true(is_zero(large, 10 << 20));
	assert_int_equal(arena_used(a), (10 << 20) + 16);
}

static void
the_limit_holds_for_small_and_large(void **state)
{
	_arena_ struct arena *a = arena_new(1 << 20);

	(void)state;
	assert_null(arena_alloc(a, (1 << 20) + 1));
	assert_int_equal(arena_used(a), 0);
	assert_non_null(arena_alloc(a, (1 << 20) - 32));
	assert_non_null(arena_alloc(a, 17));
	assert_int_equal(arena_used(a), 1 << 20);
	assert_null(arena_alloc(a, 1));
}

static void
sizes_that_overflow_are_refused(void **state)
{
	_arena_ struct arena *a = arena_new(0);

	(void)state;
	assert_null(arena_alloc(a, SIZE_MAX));
	assert_null(arena_array(a, SIZE_MAX / 4 + 2, 4));
	assert_non_null(arena_alloc(a, 16));
	assert_null(arena_alloc(a, SIZE_MAX - 15));
	assert_non_null(arena_array(a, 3, 5));
}

static void
nothing_is_an_allocation_too(void **state)
{
	_arena_ struct arena *a = arena_new(0);

	(void)state;
	assert_non_null(arena_alloc(a, 0));
	assert_non_null(arena_array(a, 0, 8));
	assert_non_null(arena_dup(a, NULL, 0));
}

static void
copies_are_copies(void **state)
{
	_arena_ struct arena *a = arena_new(0);
	char text[] = "name";
	char *dup = arena_dup(a, text, 4);
	char *str = arena_strdup(a, text);
	char *cut = arena_strndup(a, text, 2);
	char *whole = arena_strndup(a, text, SIZE_MAX);

	(void)state;
	memset(text, 'x', 4);
	assert_memory_equal(dup, "name", 4);
	assert_string_equal(str, "name");
	assert_string_equal(cut, "na");
	assert_string_equal(whole, "name");
	assert_string_equal(arena_printf(a, "%s-%d", "n", 3), "n-3");
	assert_string_equal(arena_printf(a, "%s", ""), "");
}

static void
what_came_behind_a_mark_goes_and_leaves_zeros(void **state)
{
	_arena_ struct arena *a = arena_new(1 << 20);
	char *before = arena_strdup(a, "before");
	const struct arena_mark mark = arena_mark(a);
	size_t used = arena_used(a);

	(void)state;
	for (size_t round = 0; round < 100; round++) {
		uint8_t *small = arena_alloc(a, 100);
		uint8_t *large = arena_alloc(a, 500000);

		assert_true(small && is_zero(small, 100));
		assert_true(large && is_zero(large, 500000));
		memset(small, 'x', 100);
		memset(large, 'x', 500000);
		for (size_t k = 0; k < 1000; k++)
			memset(arena_alloc(a, 64), 'x', 64);
		arena_rewind(a, &mark);
		assert_int_equal(arena_used(a), used);
		assert_string_equal(before, "before");
	}
}

static void
an_arena_goes_back_to_nothing(void **state)
{
	_arena_ struct arena *a = arena_new(0);
	const struct arena_mark mark = arena_mark(a);

	(void)state;
	memset(arena_alloc(a, 40), 'x', 40);
	arena_rewind(a, &mark);
	assert_int_equal(arena_used(a), 0);
	assert_true(is_zero(arena_alloc(a, 40), 40));
}

struct pair {
	uint64_t a, b;
};

static void
a_vector_keeps_its_elements_as_it_grows(void **state)
{
	_arena_ struct arena *a = arena_new(0);
	struct vec v = { 0 };
	struct pair *pairs;

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		struct pair *p = vec_add(&v, a, sizeof(*p));

		assert_non_null(p);
		assert_int_equal(p->a, 0);
		assert_int_equal(p->b, 0);
		*p = (struct pair){ .a = i, .b = ~i };
	}
	pairs = v.data;
	assert_int_equal(v.n, 1000);
	for (size_t i = 0; i < v.n; i++)
		assert_true(pairs[i].a == i && pairs[i].b == ~i);
}

static void
a_vector_that_was_cut_yields_zeroed_elements_again(void **state)
{
	_arena_ struct arena *a = arena_new(0);
	struct vec v = { 0 };
	int *element = vec_add(&v, a, sizeof(int));

	(void)state;
	*element = 5;
	v.n = 0;
	element = vec_add(&v, a, sizeof(int));
	assert_int_equal(*element, 0);
}

static void
a_vector_stops_at_its_maximum_and_at_the_arenas(void **state)
{
	_arena_ struct arena *a = arena_new(1024);
	struct vec v = { .max = 3 };
	struct vec wide = { 0 };
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_non_null(vec_add(&v, a, 1));
	assert_null(vec_add(&v, a, 1));
	assert_int_equal(v.n, 3);
	while (n < 1000 && vec_add(&wide, a, 16))
		n++;
	assert_in_range(n, 8, 64);
	assert_int_equal(wide.n, n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			allocations_of_any_size_are_zeroed_aligned_and_apart),
		cmocka_unit_test(a_large_allocation_leaves_room_for_small_ones),
		cmocka_unit_test(the_limit_holds_for_small_and_large),
		cmocka_unit_test(sizes_that_overflow_are_refused),
		cmocka_unit_test(nothing_is_an_allocation_too),
		cmocka_unit_test(copies_are_copies),
		cmocka_unit_test(what_came_behind_a_mark_goes_and_leaves_zeros),
		cmocka_unit_test(an_arena_goes_back_to_nothing),
		cmocka_unit_test(a_vector_keeps_its_elements_as_it_grows),
		cmocka_unit_test(
			a_vector_that_was_cut_yields_zeroed_elements_again),
		cmocka_unit_test(
			a_vector_stops_at_its_maximum_and_at_the_arenas),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
