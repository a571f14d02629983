/* SPDX-License-Identifier: Apache-2.0 */
/*
 * References to variables: one thing has one id, ids are never another thing's,
 * and the table has an end however much is opened.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "assert-err.h"
#include "dap/refs.h"

#define MANY 300000u
#define PAGE 1000u
#define MEMORY_MAX ((size_t)64 << 20)

static struct dap *d;
static struct arena *arena;

static int
set_up(void **state)
{
	(void)state;
	d = calloc(1, sizeof(*d));
	arena = arena_new(0);
	return d && arena ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	refs_free(d->refs);
	arena_free(arena);
	free(d);
	return 0;
}

/* Something at an address. */
static const struct value *
value_of(uint64_t addr)
{
	const struct value *v;

	assert_ok(values_at(NULL, NULL, addr, arena, &v));
	return v;
}

static uint64_t
address_of(const struct ref *r)
{
	uint64_t addr = 0;

	assert_true(value_address(r->value, &addr));
	return addr;
}

static int32_t
add(int32_t parent, uint64_t nth, const struct value *v, const char *expr)
{
	const struct ref like = { .parent = parent, .nth = nth,
				  .kind = REF_VALUE, .value = v,
				  .expr = expr };
	int32_t id;

	assert_ok(refs_add(d, &like, &id));
	return id;
}

static void
one_thing_has_one_id(void **state)
{
	int32_t first = add(7, 3, value_of(1), "a.b");

	(void)state;
	assert_true(first > 0);
	assert_int_equal(add(7, 3, value_of(1), "a.b"), first);
	assert_int_not_equal(add(7, 4, value_of(1), "a.b"), first);
	assert_int_not_equal(add(8, 3, value_of(1), "a.b"), first);
}

static void
what_was_typed_tells_results_apart(void **state)
{
	int32_t x = add(-1, 0, value_of(1), "x");

	(void)state;
	assert_int_not_equal(add(-1, 0, value_of(1), "y"), x);
	assert_int_not_equal(add(-2, 0, value_of(1), "x"), x);
	assert_int_equal(add(-1, 0, value_of(1), "x"), x);
}

static void
another_object_in_its_place_has_another_id(void **state)
{
	int32_t was = add(1, 0, value_of(1), NULL);
	int32_t now = add(1, 0, value_of(2), NULL);
	struct ref found;

	(void)state;
	assert_int_not_equal(was, now);
	assert_ok(refs_find(d, was, &found));
	assert_int_equal(address_of(&found), 1);
	assert_int_equal(add(1, 0, value_of(1), NULL), was);
}

static void
ids_that_were_never_given_are_refused(void **state)
{
	static const int64_t ids[] = { 0, -1, 2, 1000, INT32_MAX, INT64_MAX,
				       INT64_MIN, (int64_t)1 << 32 };
	struct ref found;

	(void)state;
	add(1, 0, value_of(1), NULL);
	for (size_t k = 0; k < countof(ids); k++)
		assert_err(refs_find(d, ids[k], &found), ERR_NOTFOUND, "");
}

/* Each is opened once, as by a client that walks through all there is. */
static void
open_many(int32_t keep)
{
	struct ref found;

	for (uint64_t k = 0; k < MANY; k++) {
		int32_t id = add(1, k + 10, value_of(k), "expression");

		assert_true(id > 0);
		assert_int_not_equal(id, keep);
		if (k % PAGE)
			continue;
		if (keep)
			assert_ok(refs_find(d, keep, &found));
		refs_turn(d);
		arena_free(arena);
		arena = arena_new(0);
	}
}

static void
of_many_the_oldest_go_and_stay_gone(void **state)
{
	int32_t first = add(1, 0, value_of(42), NULL);
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
	struct ref found;

	(void)state;
	open_many(0);
	assert_in_range(mallinfo2().uordblks + mallinfo2().hblkhd, 0,
			before + MEMORY_MAX);
	assert_err(refs_find(d, first, &found), ERR_NOTFOUND, "let go of");
	assert_int_not_equal(add(1, 0, value_of(42), NULL), first);
	assert_err(refs_find(d, first, &found), ERR_NOTFOUND, "let go of");
}

static void
what_is_in_use_stays(void **state)
{
	int32_t kept = add(1, 0, value_of(42), "kept");
	struct ref found;

	(void)state;
	open_many(kept);
	assert_ok(refs_find(d, kept, &found));
	assert_string_equal(found.expr, "kept");
	assert_int_equal(address_of(&found), 42);
	assert_int_equal(add(1, 0, value_of(42), "kept"), kept);
}

static void
ids_of_the_next_stop_are_other_ones(void **state)
{
	int32_t before = add(1, 0, value_of(1), NULL);
	struct ref found;

	(void)state;
	refs_free(d->refs);
	d->refs = NULL;
	assert_true(add(1, 0, value_of(1), NULL) > before);
	assert_err(refs_find(d, before, &found), ERR_NOTFOUND, "let go of");
}

static void
where_ids_end_nothing_is_opened(void **state)
{
	(void)state;
	d->last_ref = (INT32_C(1) << 30) - 2;
	assert_int_equal(add(1, 0, value_of(1), NULL), (INT32_C(1) << 30) - 1);
	assert_int_equal(add(1, 1, value_of(1), NULL), 0);
	assert_int_equal(add(1, 0, value_of(1), NULL), (INT32_C(1) << 30) - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_thing_has_one_id, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			what_was_typed_tells_results_apart, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			another_object_in_its_place_has_another_id, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			ids_that_were_never_given_are_refused, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			of_many_the_oldest_go_and_stay_gone, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(what_is_in_use_stays, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			ids_of_the_next_stop_are_other_ones, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			where_ids_end_nothing_is_opened, set_up, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
