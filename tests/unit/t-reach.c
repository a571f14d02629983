/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of reach.h, on heaps made by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "assert-err.h"
#include "capture/jemalloc.h"
#include "capture/reach.h"

enum {
	PAGE = 4096, KIB = 1024,
	HEAP = 0x200000, HEAP_PAGES = 64,
	OTHER = 0x500000, OTHER_PAGES = 16,     /* no heap of this library */
	STACK = 0x7f0000, STACK_PAGES = 2,
};

struct memory {
	uint8_t heap[HEAP_PAGES * PAGE];
	uint8_t other[OTHER_PAGES * PAGE];
	uint8_t stack[STACK_PAGES * PAGE];
	struct reach_region regions[3];
	uint64_t top;                   /* where the next chunk begins */
};

static int
setup(void **state)
{
	struct memory *m = calloc(1, sizeof(*m));

	m->regions[0] = (struct reach_region){
		HEAP, sizeof(m->heap), m->heap, 1, true };
	m->regions[1] = (struct reach_region){
		OTHER, sizeof(m->other), m->other, 2, false };
	m->regions[2] = (struct reach_region){
		STACK, sizeof(m->stack), m->stack, 3, false };
	m->top = HEAP;
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
put(struct memory *m, uint64_t addr, uint64_t word)
{
	for (size_t k = 0; k < 3; k++) {
		const struct reach_region *r = &m->regions[k];
		if (addr - r->start < r->length)
			memcpy((uint8_t *)r->bytes + (addr - r->start), &word,
			       8);
	}
}

/* As malloc(): a header, and behind it the header of what is left. */
static uint64_t
chunk(struct memory *m, uint64_t bytes)
{
	uint64_t at = m->top, size = (bytes + 8 + 15) & ~15ull;

	size = size < 32 ? 32 : size;
	put(m, at + 8, size | 1);
	m->top += size;
	put(m, m->top + 8, (HEAP + sizeof(m->heap) - m->top) | 1);
	return at + 16;
}

/* One group whose root is one word of the stack. */
static struct reach *
walk(struct memory *m, uint64_t budget, uint64_t root)
{
	struct reach *r;
	size_t group;

	put(m, STACK, root);
	assert_ok(reach_new(m->regions, 3, budget, &r));
	assert_ok(reach_group(r, &group));
	assert_int_equal(group, 0);
	assert_ok(reach_root(r, group, STACK, STACK + PAGE));
	assert_ok(reach_run(r, REACH_NONE));
	return r;
}

static bool
kept(const struct reach *r, uint64_t addr)
{
	return !reach_left_out(r, addr);
}

/* ---- objects ---- */

static void
a_list_is_followed_to_its_end_and_nothing_else_is_kept(void **state)
{
	struct memory *m = *state;
	uint64_t node[8];

	for (size_t k = 0; k < 8; k++) {
		node[k] = chunk(m, 64);
		chunk(m, 2 * PAGE);
	}
	for (size_t k = 0; k < 7; k++)
		put(m, node[k] + 32, node[k + 1]);
	_reach_ struct reach *r = walk(m, 1 << 20, node[0]);
	for (size_t k = 0; k < 8; k++)
		assert_true(kept(r, node[k]));
	assert_false(kept(r, node[3] + PAGE));
	assert_false(kept(r, OTHER));
	assert_false(kept(r, STACK));
	assert_int_equal(reach_kept_bytes(r), 8 * PAGE);
	assert_false(reach_spent(r));
	assert_false(reach_cut(r, 0));
}

static void
cycles_end(void **state)
{
	struct memory *m = *state;
	uint64_t a = chunk(m, 64), b = chunk(m, 64);

	put(m, a, b);
	put(m, b, a);
	put(m, b + 8, b);
	_reach_ struct reach *r = walk(m, 1 << 20, a);
	assert_int_equal(reach_kept_bytes(r), PAGE);
}

static void
a_pointer_into_an_object_is_one_to_all_of_it(void **state)
{
	struct memory *m = *state;
	uint64_t a, b, far;

	chunk(m, 3000);
	a = chunk(m, 2000);
	chunk(m, 5 * PAGE);
	b = chunk(m, 64);
	chunk(m, 5 * PAGE);
	far = chunk(m, 64);
	put(m, a, b);                   /* before where the root points */
	put(m, a + 1992, far);
	_reach_ struct reach *r = walk(m, 1 << 20, a + 1001);
	assert_true(kept(r, b));
	assert_true(kept(r, far));
}

static void
what_a_neighbour_on_the_page_points_to_is_not_followed(void **state)
{
	struct memory *m = *state;
	uint64_t a = chunk(m, 64), neighbour = chunk(m, 64), b;

	chunk(m, 2 * PAGE);
	b = chunk(m, 64);
	put(m, neighbour, b);
	_reach_ struct reach *r = walk(m, 1 << 20, a);
	assert_true(kept(r, a));
	assert_false(kept(r, b));
}

static void
the_last_word_that_an_object_may_use_is_followed(void **state)
{
	struct memory *m = *state;
	uint64_t a = chunk(m, 40), b;

	chunk(m, 2 * PAGE);
	b = chunk(m, 64);
	put(m, a + 32, b);              /* in the next chunk's header */
	_reach_ struct reach *r = walk(m, 1 << 20, a);
	assert_true(kept(r, b));
}

static void
where_no_chunk_is_the_page_is_followed(void **state)
{
	struct memory *m = *state;
	uint64_t a = OTHER + 2 * PAGE + 808, b = OTHER + 9 * PAGE + 8;

	put(m, OTHER + 2 * PAGE, b);
	_reach_ struct reach *r = walk(m, 1 << 20, a);
	assert_true(kept(r, a));
	assert_true(kept(r, b));
	assert_int_equal(reach_kept_bytes(r), 2 * PAGE);
}

static void
a_chunk_of_its_own_mapping_is_one(void **state)
{
	struct memory *m = *state;
	uint64_t a = OTHER + 4 * PAGE, b = OTHER + 12 * PAGE;

	put(m, a + 8, (3 * PAGE) | 2);
	put(m, a + 2 * PAGE + 1024, b);
	_reach_ struct reach *r = walk(m, 1 << 20, a + 16);
	assert_true(kept(r, a + PAGE));
	assert_true(kept(r, a + 2 * PAGE));
	assert_false(kept(r, a + 3 * PAGE));
	assert_true(kept(r, b));
}

static void
an_object_that_is_not_known_goes_on_over_the_end_of_a_page(void **state)
{
	struct memory *m = *state;

	_reach_ struct reach *r = walk(m, 1 << 20, OTHER + 3 * PAGE - 64);
	assert_true(kept(r, OTHER + 2 * PAGE));
	assert_true(kept(r, OTHER + 3 * PAGE));
	assert_int_equal(reach_kept_bytes(r), 2 * PAGE);
}

/* A heap of a thread, with a list; *@first and *@last are of its nodes. */
static struct reach_region
make_arena(struct memory *m, uint64_t at, uint64_t *first, uint64_t *last)
{
	const uint64_t info[] = { at + 0x30, 0, sizeof(m->heap),
				  sizeof(m->heap) };
	memset(m->heap, 0, sizeof(m->heap));
	m->regions[0].start = at;
	for (size_t k = 0; k < countof(info); k++)
		put(m, at + 8 * k, info[k]);
	m->top = at + 0x900;
	*first = *last = 0;
	for (size_t k = 0; k < 9; k++) {
		uint64_t size = 0x1f0, node = m->top + 16;
		put(m, m->top + 8, size | 5);
		if (*last)
			put(m, *last, node);
		*first = *first ? *first : node;
		*last = node;
		m->top += size;
	}
	put(m, m->top + 8, (at + sizeof(m->heap) - m->top) | 1);
	return (struct reach_region){ at, sizeof(m->heap), m->heap, 7, false };
}

static void
heaps_of_threads_are_known_by_how_they_begin(void **state)
{
	struct memory *m = *state;
	uint64_t first, last, far = 0x8000000 + 30 * PAGE;
	size_t group;

	for (unsigned spoilt = 0; spoilt < 2; spoilt++) {
		_reach_ struct reach *r = NULL;
		struct reach_region region = make_arena(m, 0x8000000, &first,
							&last);
		/* On the first page, but of no object that is led to. */
		put(m, 0x8000000 + 0x100, far);
		if (spoilt)
			put(m, 0x8000000 + 16, 123);
		assert_ok(reach_new(&region, 1, 1 << 20, &r));
		assert_ok(reach_group(r, &group));
		assert_ok(reach_value(r, group, first));
		assert_ok(reach_run(r, group));
		assert_true(kept(r, last));
		assert_int_equal(kept(r, far), spoilt);
	}
}

/* ---- hostile sizes ---- */

/* As a size, the number of a node leads to the number of another. */
static void
numbers_that_look_like_headers_are_none(void **state)
{
	struct memory *m = *state;
	const uint64_t size = 224, n = sizeof(m->other) / 224;

	for (uint64_t k = 0; k + 1 < n; k++) {
		put(m, OTHER + k * size, OTHER + (k + 1) * size);
		put(m, OTHER + k * size + 8, 600 + k);
	}
	_reach_ struct reach *r = walk(m, 1 << 20, OTHER);
	assert_int_equal(reach_kept_bytes(r), sizeof(m->other));
}

static void
numbers_inside_of_an_object_are_no_headers(void **state)
{
	struct memory *m = *state;
	uint64_t a = chunk(m, 4000), b;

	for (uint64_t k = 0; k < 16; k++)
		put(m, a + 224 * k + 8, 600 + k);
	chunk(m, 5 * PAGE);
	b = chunk(m, 64);
	chunk(m, 64);
	put(m, a, b);
	_reach_ struct reach *r = walk(m, 1 << 20, a + 3000);
	assert_true(kept(r, b));
}


static void
sizes_that_cannot_be_are_none(void **state)
{
	static const uint64_t sizes[] = {
		0, 1, 15, 16, 24, 33 + 8, UINT64_MAX, UINT64_MAX - 15,
		1ull << 63, (1ull << 63) | 3, HEAP_PAGES * PAGE * 2 + 1,
		(1ull << 40) | 1, (1ull << 36) | 2, PAGE | 2, 0x7ffffffff001,
	};

	for (size_t k = 0; k < countof(sizes); k++) {
		struct memory *m;
		setup((void **)&m);
		uint64_t a = HEAP + 3 * PAGE + 256, b = HEAP + 40 * PAGE;
		put(m, a - 8, sizes[k]);
		put(m, a + 16, b);
		_reach_ struct reach *r = walk(m, 1 << 20, a);
		assert_true(kept(r, a));
		assert_true(kept(r, b));
		assert_int_equal(reach_kept_bytes(r), 2 * PAGE);
		teardown((void **)&m);
	}
	(void)state;
}

static void
sizes_at_the_end_of_the_address_space_do_not_wrap(void **state)
{
	static uint8_t last[PAGE];
	const uint64_t at = UINT64_MAX - 2 * PAGE + 1;
	const struct reach_region region = { at, PAGE, last, 0, true };
	_reach_ struct reach *r = NULL;
	size_t group;

	memset(last, 0xff, sizeof(last));
	for (size_t k = 0; k < PAGE; k += 32)
		memcpy(last + k + 8, &(uint64_t){ (1ull << 35) | 1 }, 8);
	assert_ok(reach_new(&region, 1, 1 << 20, &r));
	assert_ok(reach_group(r, &group));
	assert_ok(reach_value(r, group, at + 512));
	assert_ok(reach_root(r, group, at, UINT64_MAX));
	assert_ok(reach_run(r, group));
	assert_int_equal(reach_kept_bytes(r), PAGE);
	(void)state;
}

static void
a_page_full_of_pointers_is_followed_once(void **state)
{
	struct memory *m = *state;

	for (uint64_t at = OTHER; at < OTHER + sizeof(m->other); at += 8)
		put(m, at, OTHER + at * 2654435761u % sizeof(m->other));
	_reach_ struct reach *r = walk(m, 1 << 20, OTHER + 5);
	assert_int_equal(reach_kept_bytes(r), sizeof(m->other));
}

/* ---- the budget ---- */

/* A list of one node a page; the addresses of the nodes. */
static void
make_list(struct memory *m, uint64_t *node, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		node[k] = chunk(m, PAGE - 16);
		if (k)
			put(m, node[k - 1] + 8, node[k]);
	}
}

static void
a_list_is_kept_as_far_as_the_budget_goes(void **state)
{
	struct memory *m = *state;
	uint64_t node[32];

	make_list(m, node, 32);
	_reach_ struct reach *r = walk(m, 10 * PAGE, node[0]);
	for (size_t k = 0; k < 9; k++)
		assert_true(kept(r, node[k]));
	assert_false(kept(r, node[12]));
	assert_true(reach_kept_bytes(r) <= 10 * PAGE);
	assert_true(reach_spent(r));
	assert_true(reach_cut(r, 0));
}

static void
what_is_kept_in_any_case_uses_the_budget(void **state)
{
	struct memory *m = *state;
	_reach_ struct reach *r = NULL;
	size_t group;

	assert_ok(reach_new(m->regions, 3, 2 * PAGE, &r));
	assert_ok(reach_group(r, &group));
	reach_keep(r, OTHER + 100, OTHER + 3 * PAGE + 1);
	assert_int_equal(reach_kept_bytes(r), 4 * PAGE);
	assert_ok(reach_value(r, group, HEAP));
	assert_ok(reach_run(r, group));
	assert_false(kept(r, HEAP));
	assert_true(reach_spent(r));
}

static void
a_part_is_kept_up_to_where_its_limit_is(void **state)
{
	struct memory *m = *state;
	_reach_ struct reach *r = NULL;

	assert_ok(reach_new(m->regions, 3, 1 << 20, &r));
	assert_int_equal(reach_keep_within(r, OTHER, OTHER + 8 * PAGE,
					   3 * PAGE + 5), OTHER + 3 * PAGE);
	assert_int_equal(reach_kept_bytes(r), 3 * PAGE);
	assert_int_equal(reach_keep_within(r, OTHER, OTHER + 2 * PAGE, 0),
			 OTHER + 2 * PAGE);
	assert_int_equal(reach_keep_within(r, 0, UINT64_MAX, UINT64_MAX),
			 UINT64_MAX);
}

static void
of_a_large_object_the_beginning_and_the_place_pointed_to_come_first(void **state)
{
	struct memory *m = *state;
	uint64_t a = chunk(m, 40 * PAGE), b = chunk(m, 3 * PAGE);

	put(m, STACK + 8, a);
	put(m, STACK + 16, b);
	_reach_ struct reach *r = walk(m, 12 * PAGE, a + 30 * PAGE);
	assert_true(kept(r, a));
	assert_true(kept(r, a + 30 * PAGE));
	assert_true(kept(r, b + 2 * PAGE));
	assert_false(kept(r, a + 20 * PAGE));
	assert_true(reach_cut(r, 0));
	assert_int_equal(reach_kept_bytes(r), 12 * PAGE);
}

static void
a_large_object_is_whole_where_the_budget_allows(void **state)
{
	struct memory *m = *state;
	uint64_t a = chunk(m, 40 * PAGE), b;

	chunk(m, 2 * PAGE);
	b = chunk(m, 64);
	put(m, a + 40 * PAGE - 8, b);
	_reach_ struct reach *r = walk(m, 1 << 20, a);
	for (uint64_t at = a; at < a + 40 * PAGE; at += PAGE)
		assert_true(kept(r, at));
	assert_true(kept(r, b));
	assert_false(kept(r, b - PAGE));
	assert_false(reach_spent(r));
	assert_false(reach_cut(r, 0));
}

#define LIST 30

/* A list for each of two groups, which begin at their first nodes. */
static struct reach *
two_lists(struct memory *m, uint64_t budget, uint64_t first[LIST],
	  uint64_t second[LIST], size_t *a, size_t *b)
{
	struct reach *r;

	make_list(m, first, LIST);
	make_list(m, second, LIST);
	assert_ok(reach_new(m->regions, 3, budget, &r));
	assert_ok(reach_group(r, a));
	assert_ok(reach_group(r, b));
	assert_ok(reach_value(r, *a, first[0]));
	assert_ok(reach_value(r, *b, second[0]));
	return r;
}

static void
the_first_group_takes_all_it_wants_and_others_their_share(void **state)
{
	uint64_t first[LIST], second[LIST];
	size_t a, b;
	_reach_ struct reach *r = two_lists(*state, 34 * PAGE, first, second,
					    &a, &b);

	assert_ok(reach_run(r, a));
	assert_true(kept(r, first[29]));
	assert_true(kept(r, second[0]));
	assert_false(kept(r, second[10]));
	assert_false(reach_cut(r, a));
	assert_true(reach_cut(r, b));
}

static void
without_a_first_group_they_share(void **state)
{
	uint64_t first[LIST], second[LIST];
	size_t a, b;
	_reach_ struct reach *r = two_lists(*state, 40 * PAGE, first, second,
					    &a, &b);

	assert_ok(reach_run(r, REACH_NONE));
	assert_true(kept(r, first[12]));
	assert_true(kept(r, second[12]));
	assert_false(kept(r, first[29]) && kept(r, second[29]));
}

/* ---- order ---- */

static void
equal_memory_yields_equal_pages(void **state)
{
	struct memory *m = *state;
	uint64_t at = 88172645463325252ull, node[256];

	for (size_t k = 0; k < countof(node); k++)
		node[k] = chunk(m, 500);
	for (size_t k = 0; k < countof(node) * 4; k++) {
		at ^= at << 13;
		at ^= at >> 7;
		at ^= at << 17;
		put(m, node[at % 256] + at / 256 % 60 * 8,
		    node[at / 65536 % 256]);
	}
	_reach_ struct reach *a = walk(m, 20 * PAGE, node[0]);
	_reach_ struct reach *b = walk(m, 20 * PAGE, node[0]);
	for (uint64_t page = HEAP; page < STACK; page += PAGE)
		assert_int_equal(reach_left_out(a, page),
				 reach_left_out(b, page));
	assert_int_equal(reach_kept_bytes(a), 20 * PAGE);
}

static void
what_is_near_is_kept_before_what_is_far(void **state)
{
	struct memory *m = *state;
	uint64_t hub = chunk(m, PAGE - 16), deep[20], near[10];

	make_list(m, deep, 20);
	make_list(m, near, 10);
	put(m, hub, deep[0]);
	for (size_t k = 0; k < 10; k++)
		put(m, hub + 64 + 8 * k, near[k]);
	_reach_ struct reach *r = walk(m, 15 * PAGE, hub);
	for (size_t k = 0; k < 10; k++)
		assert_true(kept(r, near[k]));
	assert_false(kept(r, deep[19]));
}

static void
regions_out_of_order_are_refused(void **state)
{
	struct memory *m = *state;
	struct reach *r;

	m->regions[1].start = HEAP + PAGE;
	assert_err(reach_new(m->regions, 3, 0, &r), ERR_FAILED, "order");
	m->regions[1].start = OTHER + 8;
	assert_err(reach_new(m->regions, 3, 0, &r), ERR_FAILED, "order");
}

static void
without_memory_nothing_is_reached(void **state)
{
	_reach_ struct reach *r = NULL;
	size_t group;

	assert_ok(reach_new(NULL, 0, 1 << 20, &r));
	assert_ok(reach_group(r, &group));
	assert_ok(reach_root(r, group, 0, UINT64_MAX));
	assert_ok(reach_value(r, group, 0));
	assert_ok(reach_run(r, group));
	assert_int_equal(reach_kept_bytes(r), 0);
	assert_false(reach_left_out(r, 0x1000));
	(void)state;
}

/* ---- jemalloc ---- */

#define LEAF (HEAP + PAGE)
#define BLOCKS (HEAP + 0x10000)         /* behind its books */

static void
word_of(struct memory *m, uint64_t page, uint64_t word)
{
	put(m, LEAF + 8 * (page / PAGE), word);
}

/* Four pages of blocks of 16 bytes, and one block of @pages behind them. */
static uint64_t
jemalloc_heap(struct memory *m, uint64_t pages)
{
	uint64_t at = HEAP + 8 * PAGE, big = BLOCKS + 4 * PAGE;

	m->regions[0].heap = false;
	put(m, OTHER, LEAF);                    /* the array: of GiB 0 */
	put(m, HEAP, 2 << 20);                  /* its books: all in here */
	put(m, HEAP + 24, HEAP + (1 << 20));
	put(m, HEAP + 32, 1 << 20);
	for (uint64_t k = 0; k < 4; k++, at += 128) {
		put(m, at, 1 << 20 | 1 << 12);
		put(m, at + 8, BLOCKS + k * PAGE);
		put(m, at + 16, PAGE);
		word_of(m, BLOCKS + k * PAGE, at | 1ull << 48 | 1);
	}
	put(m, at, 32 << 20);                   /* 8 KiB */
	put(m, at + 8, big + 128);
	put(m, at + 16, pages * PAGE);
	word_of(m, big, at | 32ull << 48);
	word_of(m, big + (pages - 1) * PAGE, at | 32ull << 48);
	return big;
}

static struct reach *
walk_jemalloc(struct memory *m, uint64_t budget)
{
	const struct jemalloc_area areas[] = {
		{ HEAP, HEAP + sizeof(m->heap), 0, 0 },
		{ OTHER, OTHER + PAGE, OTHER, OTHER + (4 << 20) },
	};
	struct reach *r;
	size_t group;

	assert_ok(reach_new(m->regions, 3, budget, &r));
	assert_ok(reach_jemalloc(r, areas, countof(areas)));
	assert_ok(reach_group(r, &group));
	assert_ok(reach_root(r, group, STACK, STACK + PAGE));
	assert_ok(reach_run(r, REACH_NONE));
	return r;
}

static void
a_block_is_whole_though_one_of_its_pages_was_looked_into(void **state)
{
	struct memory *m = *state;
	uint64_t big = jemalloc_heap(m, 3);

	put(m, STACK, big);             /* not into the block: before it */
	put(m, STACK + 8, big + 128);
	_reach_ struct reach *r = walk_jemalloc(m, 1 << 20);
	assert_true(kept(r, big));
	assert_true(kept(r, big + PAGE));
	assert_true(kept(r, big + 2 * PAGE));
	assert_false(kept(r, big + 3 * PAGE));
}

static void
what_a_block_leads_to_is_followed_and_its_neighbours_are_not(void **state)
{
	struct memory *m = *state;
	uint64_t big = jemalloc_heap(m, 3);

	put(m, STACK, BLOCKS + 32);
	put(m, BLOCKS + 40, big + PAGE + 3);
	put(m, BLOCKS + 48, BLOCKS + 2 * PAGE);
	put(m, big + 128 + 2 * PAGE - 8, BLOCKS + 3 * PAGE);
	_reach_ struct reach *r = walk_jemalloc(m, 1 << 20);
	assert_true(kept(r, BLOCKS));
	assert_true(kept(r, big));
	assert_true(kept(r, big + 2 * PAGE));
	assert_true(kept(r, BLOCKS + 3 * PAGE));
	assert_false(kept(r, BLOCKS + PAGE));
	assert_false(kept(r, BLOCKS + 2 * PAGE));
	assert_int_equal(reach_kept_bytes(r), 5 * PAGE);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_list_is_followed_to_its_end_and_nothing_else_is_kept),
		T(cycles_end),
		T(a_pointer_into_an_object_is_one_to_all_of_it),
		T(what_a_neighbour_on_the_page_points_to_is_not_followed),
		T(the_last_word_that_an_object_may_use_is_followed),
		T(where_no_chunk_is_the_page_is_followed),
		T(a_chunk_of_its_own_mapping_is_one),
		T(an_object_that_is_not_known_goes_on_over_the_end_of_a_page),
		T(heaps_of_threads_are_known_by_how_they_begin),
		T(numbers_that_look_like_headers_are_none),
		T(numbers_inside_of_an_object_are_no_headers),
		T(sizes_that_cannot_be_are_none),
		T(sizes_at_the_end_of_the_address_space_do_not_wrap),
		T(a_page_full_of_pointers_is_followed_once),
		T(a_list_is_kept_as_far_as_the_budget_goes),
		T(what_is_kept_in_any_case_uses_the_budget),
		T(a_part_is_kept_up_to_where_its_limit_is),
		T(of_a_large_object_the_beginning_and_the_place_pointed_to_come_first),
		T(a_large_object_is_whole_where_the_budget_allows),
		T(the_first_group_takes_all_it_wants_and_others_their_share),
		T(without_a_first_group_they_share),
		T(equal_memory_yields_equal_pages),
		T(what_is_near_is_kept_before_what_is_far),
		T(a_block_is_whole_though_one_of_its_pages_was_looked_into),
		T(what_a_block_leads_to_is_followed_and_its_neighbours_are_not),
		T(regions_out_of_order_are_refused),
		T(without_memory_nothing_is_reached),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
