/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of jemalloc.h, on a heap made by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "capture/jemalloc.h"

#define PAGE 4096ull
#define GIB (1ull << 30)
#define VARIABLES 0x560000000000ull
#define ROOT (VARIABLES + 0x12340)
#define BOOKS 0x7f0000000000ull         /* two blocks of 2 MiB */
#define LEAF (BOOKS + 0x4340)           /* for the GiB of HEAP */
#define NEXT_LEAF (LEAF + (2ull << 20)) /* for the one behind it */
#define DESCRIPTORS (BOOKS + 0x1000)
#define HEAP 0x7f0040000000ull
#define FREE_CLASS 232u
enum { PAGES = 256, AREAS = 3 };

struct memory {
	uint64_t at[PAGES];
	uint8_t bytes[PAGES][4096];
	size_t n, descriptors;
	unsigned shift;
	struct jemalloc_area areas[AREAS];
	struct jemalloc j;
};

static uint8_t *
page_find(struct memory *m, uint64_t addr)
{
	for (size_t k = 0; k < m->n; k++)
		if (m->at[k] == addr)
			return m->bytes[k];
	return NULL;
}

static const uint8_t *
page(void *arg, uint64_t addr)
{
	assert_int_equal(addr % PAGE, 0);
	return page_find(arg, addr);
}

static void
put(struct memory *m, uint64_t addr, uint64_t word)
{
	uint8_t *at = page_find(m, addr & ~(PAGE - 1));

	if (!at) {
		assert_true(m->n < PAGES);
		m->at[m->n] = addr & ~(PAGE - 1);
		at = m->bytes[m->n++];
	}
	memcpy(at + addr % PAGE, &word, 8);
}

static int
setup(void **state)
{
	struct memory *m = calloc(1, sizeof(*m));

	m->shift = 20;
	m->areas[0] = (struct jemalloc_area){
		VARIABLES, VARIABLES + (3 << 20),
		VARIABLES, VARIABLES + (3 << 20) };
	m->areas[1] = (struct jemalloc_area){ BOOKS, BOOKS + (6 << 20), 0, 0 };
	m->areas[2] = (struct jemalloc_area){ HEAP, HEAP + (64 << 20), 0, 0 };
	put(m, ROOT + 8 * (HEAP / GIB), LEAF);
	put(m, ROOT + 8 * (HEAP / GIB + 1), NEXT_LEAF);
	put(m, BOOKS, 6 << 20);
	put(m, BOOKS + 24, BOOKS + (5 << 20));
	put(m, BOOKS + 32, 1 << 20);
	*state = m;
	return 0;
}

static int
teardown(void **state)
{
	free(*state);
	return 0;
}

static void
word(struct memory *m, uint64_t addr, uint64_t value)
{
	uint64_t leaf = addr / GIB == HEAP / GIB ? LEAF : NEXT_LEAF;

	put(m, leaf + 8 * (addr / PAGE % (1 << 18)), value);
}

static uint64_t
descriptor(struct memory *m, uint64_t addr, uint64_t size, unsigned class,
	   bool slab)
{
	uint64_t at = DESCRIPTORS + 128 * m->descriptors++;

	put(m, at, (uint64_t)class << m->shift | (uint64_t)slab << 12 | 3);
	put(m, at + 8, addr);
	put(m, at + 16, size | 0x123);
	return at;
}

static void
slab(struct memory *m, uint64_t addr, uint64_t size, unsigned class)
{
	uint64_t d = descriptor(m, addr, size, class, true);

	for (uint64_t at = addr; at < addr + size; at += PAGE)
		word(m, at, d | (uint64_t)class << 48 | 1);
}

static void
large(struct memory *m, uint64_t addr, uint64_t size, unsigned class)
{
	uint64_t d = descriptor(m, addr, size, class, false);
	uint64_t value = d | (uint64_t)class << 48 | 2;

	word(m, addr & ~(PAGE - 1), value);
	word(m, (addr & ~(PAGE - 1)) + size - PAGE, value);
}

/* Four slabs of 80 bytes, 20 KiB each, with which a heap is recognised. */
static void
make_heap(struct memory *m)
{
	for (uint64_t k = 0; k < 4; k++)
		slab(m, HEAP + k * 5 * PAGE, 5 * PAGE, 5);
}

static bool
find(struct memory *m)
{
	return jemalloc_find(&m->j, page, m, m->areas, AREAS);
}

static void
assert_object(struct memory *m, uint64_t addr, uint64_t start, uint64_t size)
{
	uint64_t at = 1, end = 1;

	assert_int_equal(jemalloc_object(&m->j, addr, &at, &end),
			 JEMALLOC_OBJECT);
	assert_int_equal(at, start);
	assert_int_equal(end - at, size);
}

static enum jemalloc_kind
kind(struct memory *m, uint64_t addr)
{
	uint64_t start, end;

	return jemalloc_object(&m->j, addr, &start, &end);
}

/* ---- objects ---- */

static void
a_region_of_a_slab_is_an_object(void **state)
{
	struct memory *m = *state;

	make_heap(m);
	assert_true(find(m));
	assert_object(m, HEAP, HEAP, 80);
	assert_object(m, HEAP + 79, HEAP, 80);
	assert_object(m, HEAP + 80, HEAP + 80, 80);
	/* Over the end of a page. */
	assert_object(m, HEAP + PAGE + 7, HEAP + 51 * 80, 80);
	assert_object(m, HEAP + 20 * PAGE - 1, HEAP + 20 * PAGE - 80, 80);
	assert_int_equal(kind(m, HEAP + 20 * PAGE), JEMALLOC_UNKNOWN);
}

static void
a_large_one_is_found_from_its_middle(void **state)
{
	struct memory *m = *state;
	uint64_t at = HEAP + (8 << 20) + 64;    /* as they are spread */

	make_heap(m);
	large(m, at, (10 << 20) + PAGE, 73);
	assert_true(find(m));
	assert_object(m, at, at, 10 << 20);
	assert_object(m, at + (7 << 20) + 1, at, 10 << 20);
	assert_object(m, at + (10 << 20) - 1, at, 10 << 20);
	assert_int_equal(kind(m, at + (10 << 20)), JEMALLOC_UNKNOWN);
	assert_int_equal(kind(m, at - 1), JEMALLOC_UNKNOWN);
	assert_int_equal(kind(m, at - PAGE), JEMALLOC_UNKNOWN);
}

static void
one_may_be_smaller_than_its_class(void **state)
{
	struct memory *m = *state;
	uint64_t at = HEAP + (8 << 20);

	make_heap(m);
	large(m, at, 50 * PAGE, 51);            /* 224 KiB */
	assert_true(find(m));
	assert_object(m, at + 40 * PAGE, at, 50 * PAGE);
}

static void
one_may_lie_in_two_gibs(void **state)
{
	struct memory *m = *state;
	uint64_t at = HEAP + GIB - (4 << 20);

	make_heap(m);
	large(m, at, (8 << 20) + PAGE, 72);
	assert_true(find(m));
	assert_object(m, at + (6 << 20), at, 8 << 20);
}

static void
what_is_free_is_none(void **state)
{
	struct memory *m = *state;

	make_heap(m);
	large(m, HEAP + (8 << 20), 4 * PAGE, FREE_CLASS);
	assert_true(find(m));
	assert_int_equal(kind(m, HEAP + (8 << 20)), JEMALLOC_UNKNOWN);
}

static void
its_own_books_are_known(void **state)
{
	struct memory *m = *state;

	make_heap(m);
	assert_true(find(m));
	assert_int_equal(kind(m, BOOKS), JEMALLOC_BOOKS);
	assert_int_equal(kind(m, BOOKS + (5 << 20)), JEMALLOC_BOOKS);
	assert_int_equal(kind(m, BOOKS + (6 << 20)), JEMALLOC_UNKNOWN);
	assert_int_equal(kind(m, VARIABLES), JEMALLOC_UNKNOWN);
	assert_int_equal(kind(m, UINT64_MAX), JEMALLOC_UNKNOWN);
}

static void
what_was_learnt_can_be_forgotten(void **state)
{
	struct memory *m = *state;

	make_heap(m);
	assert_true(find(m));
	assert_int_equal(kind(m, HEAP + (8 << 20)), JEMALLOC_UNKNOWN);
	slab(m, HEAP + (8 << 20), PAGE, 1);
	assert_int_equal(kind(m, HEAP + (8 << 20)), JEMALLOC_UNKNOWN);
	jemalloc_forget(&m->j);
	assert_object(m, HEAP + (8 << 20) + 33, HEAP + (8 << 20) + 32, 16);
}

/* ---- recognition ---- */

static void
versions_differ_in_where_the_class_is(void **state)
{
	struct memory *m = *state;
	const unsigned shifts[] = { 17, 18, 20 };

	for (size_t k = 0; k < countof(shifts); k++) {
		m->shift = shifts[k];
		m->descriptors = 0;
		make_heap(m);
		assert_true(find(m));
		assert_int_equal(m->j.class_shift, shifts[k]);
		assert_object(m, HEAP + 161, HEAP + 160, 80);
	}
}

static void
an_unknown_version_is_none(void **state)
{
	struct memory *m = *state;

	m->shift = 24;
	make_heap(m);
	assert_false(find(m));
	assert_int_equal(kind(m, HEAP), JEMALLOC_UNKNOWN);
	assert_int_equal(kind(m, BOOKS), JEMALLOC_UNKNOWN);
}

static void
few_pages_are_not_believed(void **state)
{
	struct memory *m = *state;

	slab(m, HEAP, PAGE, 1);
	slab(m, HEAP + PAGE, PAGE, 2);
	slab(m, HEAP + 2 * PAGE, PAGE, 4);
	assert_false(find(m));
}

static void
many_that_speak_against_it_win(void **state)
{
	struct memory *m = *state;

	make_heap(m);
	put(m, HEAP, 0);
	for (uint64_t k = 0; k < 64; k++)
		word(m, HEAP + (k << 20), HEAP | 1);
	assert_false(find(m));
}

static void
what_was_not_copied_speaks_neither_for_nor_against_it(void **state)
{
	struct memory *m = *state;

	make_heap(m);
	for (uint64_t k = 4; k < 64; k++)
		word(m, HEAP + (k << 20), (BOOKS + (5 << 20)) | 1);
	assert_true(find(m));
	assert_object(m, HEAP + 80, HEAP + 80, 80);
	assert_int_equal(kind(m, HEAP + (8 << 20)), JEMALLOC_UNKNOWN);
}

static void
the_array_must_have_room_among_variables(void **state)
{
	struct memory *m = *state;

	make_heap(m);
	m->areas[0].low = m->areas[0].start = ROOT + PAGE;
	assert_false(find(m));
	m->areas[0].low = m->areas[0].start = VARIABLES;
	m->areas[0].high = m->areas[0].end = ROOT + (2 << 20) - 8;
	assert_false(find(m));
	m->areas[0].high = m->areas[0].end = ROOT + (2 << 20);
	assert_true(find(m));
	m->areas[0].low = m->areas[0].high = 0;
	assert_false(find(m));
}

/* ---- what cannot be ---- */

static void
lies_about_a_page_are_not_believed(void **state)
{
	struct memory *m = *state;
	const struct { uint64_t addr, size; unsigned class; bool slab; } no[] = {
		{ HEAP, PAGE, 1, true },                /* another page */
		{ HEAP + (8 << 20), 0, 1, true },
		{ HEAP + (8 << 20), 1ull << 48, 1, true },
		{ HEAP + (8 << 20), UINT64_MAX, 1, true },
		{ UINT64_MAX, PAGE, 1, true },
		{ HEAP + (8 << 20), PAGE, 200, true },
		{ HEAP + (8 << 20), PAGE, 3, true },    /* 48: no part of it */
		{ HEAP + (8 << 20) + 64, PAGE, 2, true },
		{ HEAP + (8 << 20), PAGE, 40, false },  /* larger than it is */
	};

	make_heap(m);
	assert_true(find(m));
	for (size_t k = 0; k < countof(no); k++) {
		uint64_t d = descriptor(m, no[k].addr, no[k].size & ~0xfffull,
					no[k].class, no[k].slab);
		word(m, HEAP + (8 << 20),
		     d | (uint64_t)no[k].class << 48 | no[k].slab);
		jemalloc_forget(&m->j);
		assert_int_equal(kind(m, HEAP + (8 << 20)), JEMALLOC_UNKNOWN);
	}
	/* It says one class, its descriptor another. */
	word(m, HEAP + (8 << 20), descriptor(m, HEAP + (8 << 20), PAGE, 1, true)
				  | 2ull << 48 | 1);
	jemalloc_forget(&m->j);
	assert_int_equal(kind(m, HEAP + (8 << 20)), JEMALLOC_UNKNOWN);
	assert_object(m, HEAP, HEAP, 80);
}

static void
the_work_is_bounded(void **state)
{
	struct memory *m = *state;

	make_heap(m);
	assert_true(find(m));
	for (uint64_t k = 0; m->j.steps; k++) {
		m->j.pages[HEAP / PAGE % JEMALLOC_SLOTS].page = 0;
		assert_true(k < 1ull << 26);
		assert_object(m, HEAP, HEAP, 80);
	}
	assert_int_equal(kind(m, HEAP + PAGE), JEMALLOC_UNKNOWN);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_region_of_a_slab_is_an_object),
		TEST(a_large_one_is_found_from_its_middle),
		TEST(one_may_be_smaller_than_its_class),
		TEST(one_may_lie_in_two_gibs),
		TEST(what_is_free_is_none),
		TEST(its_own_books_are_known),
		TEST(what_was_learnt_can_be_forgotten),
		TEST(versions_differ_in_where_the_class_is),
		TEST(an_unknown_version_is_none),
		TEST(few_pages_are_not_believed),
		TEST(many_that_speak_against_it_win),
		TEST(what_was_not_copied_speaks_neither_for_nor_against_it),
		TEST(the_array_must_have_room_among_variables),
		TEST(lies_about_a_page_are_not_believed),
		TEST(the_work_is_bounded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("jemalloc", tests, NULL, NULL);
}
