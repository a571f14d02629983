/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that do the same, and frames that come again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "analysis/analysis.h"
#include "assert-err.h"
#include "make-served.h"

#define FRAMES_MAX 64u

/** A view whose frames are letters: equal letters are equal frames. */
struct made {
	struct snap_frame frames[FRAMES_MAX];
	struct view view;
};

static const struct view *
make(struct made *m, const char *letters)
{
	memset(m, 0, sizeof(*m));
	for (size_t k = 0; letters[k]; k++)
		m->frames[k] = (struct snap_frame){
			.pc = (uint64_t)(unsigned char)letters[k],
			.how = SNAP_FRAME_CFI, .depth = (uint32_t)k,
		};
	m->view.frames = m->frames;
	m->view.n = strlen(letters);
	return &m->view;
}

/* ---- groups ------------------------------------------------------------- */
static void
equal_stacks_are_one_group(void **state)
{
	static const char *const stacks[] = { "abc", "ab", "abc", "", "abc",
					      "" };
	static const size_t expected[] = { 0, 1, 0, 2, 0, 2 };
	_arena_ struct arena *a = arena_new(0);
	struct groups g;
	struct made m;

	(void)state;
	assert_ok(groups_init(&g, countof(stacks), a));
	for (size_t k = 0; k < countof(stacks); k++)
		assert_ok(groups_add_view(&g, make(&m, stacks[k])));
	assert_int_equal(g.n, 3);
	for (size_t k = 0; k < countof(stacks); k++)
		assert_int_equal(g.of[k], expected[k]);
	assert_int_equal(g.list[0].n, 3);
	assert_int_equal(g.list[2].first, 3);
}

static void
stack_that_ends_otherwise_is_another(void **state)
{
	const uint64_t pcs[] = { 1, 2, 3 };
	_arena_ struct arena *a = arena_new(0);
	struct groups g;

	(void)state;
	assert_ok(groups_init(&g, 3, a));
	assert_ok(groups_add(&g, pcs, 3, STACK_COMPLETE));
	assert_ok(groups_add(&g, pcs, 3, STACK_TRUNCATED));
	assert_ok(groups_add(&g, pcs, 3, STACK_COMPLETE));
	assert_int_equal(g.n, 2);
	assert_int_equal(g.list[0].n, 2);
}

static void
many_groups_are_found_again(void **state)
{
	enum { MANY = 5000 };
	_arena_ struct arena *a = arena_new(0);
	struct groups g;

	(void)state;
	assert_ok(groups_init(&g, MANY, a));
	for (uint64_t k = 0; k < MANY; k++)
		assert_ok(groups_add(&g, (uint64_t[]){ k % 1000, 7 }, 2,
				     STACK_COMPLETE));
	assert_int_equal(g.n, 1000);
	for (size_t k = 0; k < g.n; k++)
		assert_int_equal(g.list[k].n, MANY / 1000);
}

static void
all_threads_of_a_target_are_grouped(void **state)
{
	_arena_ struct arena *a = arena_new(0);
	struct served s;
	struct groups g;

	(void)state;
	served_init(&s);
	assert_ok(served_open(&s, NULL));
	assert_ok(groups_init(&g, insp_target(s.insp)->n_threads, a));
	while (g.threads < insp_target(s.insp)->n_threads)
		assert_ok(groups_add_next(&g, s.insp));
	assert_int_equal(g.threads, SERVED_THREADS);
	served_close(&s);
}

/* ---- folds -------------------------------------------------------------- */
static const struct {
	const char *letters;
	size_t at, period, n;   /* @period 0: there is none */
} folds[] = {
	{ "abcd", 0, 0, 0 },
	{ "aaab", 0, 0, 0 },            /* three times is no recursion */
	{ "aaaab", 0, 1, 4 },
	{ "xaaaa", 0, 0, 0 },
	{ "xaaaa", 1, 1, 4 },
	{ "abababab", 0, 2, 8 },
	{ "ababababa", 0, 2, 8 },       /* without the half of one */
	{ "abcabcabcabc", 0, 3, 12 },
	{ "aaaaaaaa", 0, 1, 8 },        /* the shortest */
	{ "abcdefghiabcdefghiabcdefghiabcdefghi", 0, 0, 0 },    /* too long */
	{ "", 0, 0, 0 },
};

static void
cycles_are_found_where_they_begin(void **state)
{
	struct made m;

	(void)state;
	for (size_t k = 0; k < countof(folds); k++) {
		struct fold f = { 0 };
		bool found = fold_at(make(&m, folds[k].letters), folds[k].at,
				     &f);

		assert_int_equal(found, folds[k].period != 0);
		if (!found)
			continue;
		assert_int_equal(f.first, folds[k].at);
		assert_int_equal(f.period, folds[k].period);
		assert_int_equal(f.n, folds[k].n);
	}
}

/* What is inlined at one place has one pc. */
static void
inlined_functions_are_told_apart(void **state)
{
	struct made m;
	struct fold f;

	(void)state;
	make(&m, "aaaa");
	for (size_t k = 0; k < 4; k++) {
		m.frames[k].how = SNAP_FRAME_INLINE;
		m.frames[k].function = k & 1 ? "odd" : "even";
	}
	assert_false(fold_at(&m.view, 0, &f));
	for (size_t k = 0; k < 4; k++)
		m.frames[k].function = "even";
	assert_true(fold_at(&m.view, 0, &f));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_stacks_are_one_group),
		cmocka_unit_test(stack_that_ends_otherwise_is_another),
		cmocka_unit_test(many_groups_are_found_again),
		cmocka_unit_test(all_threads_of_a_target_are_grouped),
		cmocka_unit_test(cycles_are_found_where_they_begin),
		cmocka_unit_test(inlined_functions_are_told_apart),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
