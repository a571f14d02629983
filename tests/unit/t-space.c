/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of the address space: three answers and an overlay.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "inspect/overlay.h"
#include "inspect/impl.h"

#define MAPPED_ONLY { .start = 0x3000, .length = 0x1000, \
		      .kind = SNAP_MEM_ABSENT, .reason = SNAP_ABSENT_BUDGET }

static uint8_t
byte_at(uint64_t addr)
{
	return (uint8_t)(addr * 7 + (addr >> 8));
}

static struct err *
fake_read(struct target *t, size_t range, uint64_t off, size_t n, void *out)
{
	for (size_t k = 0; k < n; k++)
		((uint8_t *)out)[k] = byte_at(t->memory[range].start + off + k);
	return NULL;
}

static const struct target_ops fake_ops = { .kind = "fake",
					    .read = fake_read };
static const struct snap_memory ranges[] = {
	{ .start = 0x1000, .length = 0x1000, .kind = SNAP_MEM_DATA },
	{ .start = 0x2000, .length = 0x1000, .kind = SNAP_MEM_DATA },
	MAPPED_ONLY,
	{ .start = 0x8000, .length = 0x2000, .kind = SNAP_MEM_ABSENT,
	  .reason = SNAP_ABSENT_FILTER },
	{ .start = UINT64_MAX - 0xfff, .length = 0x1000,
	  .kind = SNAP_MEM_DATA },
};
static const struct snap_map maps[] = {
	{ .start = 0x1000, .end = 0x4000, .perm = SNAP_PERM_R | SNAP_PERM_W },
	{ .start = 0x8000, .end = 0x9000, .perm = SNAP_PERM_R,
	  .path = "/lib/x.so", .offset = 0x100 },
	{ .start = 0x9000, .end = 0xa000, .perm = SNAP_PERM_R | SNAP_PERM_W,
	  .path = "/lib/x.so", .offset = 0x1100 },
};
static struct target fake = {
	.ops = &fake_ops, .memory = ranges, .n_memory = countof(ranges),
	.maps = maps, .n_maps = countof(maps),
};

static int
setup(void **state)
{
	struct space *sp;

	assert_null(space_new(&fake, &sp));
	*state = sp;
	return 0;
}

static int
teardown(void **state)
{
	space_free(*state);
	return 0;
}

static void
assert_err(struct err *err, enum err_kind kind)
{
	assert_non_null(err);
	assert_int_equal(err_kind(err), kind);
	err_free(err);
}

static void
a_read_crosses_neighbouring_ranges(void **state)
{
	uint8_t b[16];

	assert_null(space_read(*state, 0x1ff8, sizeof(b), b));
	for (size_t k = 0; k < sizeof(b); k++)
		assert_int_equal(b[k], byte_at(0x1ff8 + k));
}

static void
unmapped_and_absent_are_different_answers(void **state)
{
	uint8_t b[8];

	assert_err(space_read(*state, 0x5000, 1, b), ERR_UNMAPPED);
	struct err *err = space_read(*state, 0x3000, 1, b);
	assert_non_null(strstr(err_text(err), "budget"));
	assert_err(err, ERR_ABSENT);
}

static void
a_failed_read_leaves_the_result_alone(void **state)
{
	uint8_t b[16];

	memset(b, 0xee, sizeof(b));
	assert_err(space_read(*state, 0x2ff8, sizeof(b), b), ERR_ABSENT);
	for (size_t k = 0; k < sizeof(b); k++)
		assert_int_equal(b[k], 0xee);
}

static void
a_partial_read_stops_at_the_hole(void **state)
{
	uint8_t b[64];
	size_t got;

	assert_null(space_read_some(*state, 0x2ff0, sizeof(b), b, &got));
	assert_int_equal(got, 16);
}

static void
the_top_of_the_address_space_can_be_read(void **state)
{
	uint8_t b[32];
	size_t got;

	assert_null(space_read(*state, UINT64_MAX, 1, b));
	assert_int_equal(b[0], byte_at(UINT64_MAX));
	assert_null(space_read_some(*state, UINT64_MAX - 3, sizeof(b), b,
				    &got));
	assert_int_equal(got, 4);
	assert_err(space_read(*state, UINT64_MAX - 3, sizeof(b), b),
		   ERR_UNMAPPED);
}

static struct err *
fake_file(void *arg, const struct snap_map *map, uint32_t module, uint64_t off,
	  size_t n, void *out)
{
	(void)module;
	assert_string_equal(map->path, "/lib/x.so");
	memset(out, (int)(off & 0xff), n);
	++*(int *)arg;
	return NULL;
}

static void
a_read_only_file_mapping_is_read_from_its_file(void **state)
{
	struct region r;
	int calls = 0;
	uint8_t b[4];

	space_set_files(*state, fake_file, &calls);
	assert_null(space_read(*state, 0x8012, sizeof(b), b));
	assert_int_equal(b[0], 0x12);
	assert_int_equal(calls, 1);
	space_region(*state, 0x8012, &r);
	assert_true(r.mapped && r.captured && r.from_file);
}

static void
a_writable_file_mapping_is_never_read_from_its_file(void **state)
{
	int calls = 0;
	uint8_t b[4];

	space_set_files(*state, fake_file, &calls);
	assert_err(space_read(*state, 0x9012, sizeof(b), b), ERR_ABSENT);
	assert_int_equal(calls, 0);
}

static void
a_region_has_bounds_even_where_nothing_is_mapped(void **state)
{
	struct region r;

	space_region(*state, 0x5555, &r);
	assert_false(r.mapped);
	assert_int_equal(r.start, 0x4000);
	assert_int_equal(r.end, 0x8000);
	space_region(*state, 0x10, &r);
	assert_int_equal(r.start, 0);
	assert_int_equal(r.end, 0x1000);
}

static void
writes_are_read_back_and_the_target_is_untouched(void **state)
{
	static const uint8_t w[] = { 1, 2, 3, 4 };
	uint8_t b[8];

	assert_null(space_write(*state, 0x1ffe, sizeof(w), w));
	assert_null(space_read(*state, 0x1ffc, sizeof(b), b));
	assert_int_equal(b[1], byte_at(0x1ffd));
	assert_memory_equal(b + 2, w, sizeof(w));
	assert_int_equal(b[6], byte_at(0x2002));
	assert_null(fake_read(&fake, 0, 0xffe, 1, b));
	assert_int_equal(b[0], byte_at(0x1ffe));
}

static void
later_writes_win_over_earlier_ones(void **state)
{
	uint8_t b[12], one[8], two[8];

	memset(one, 1, sizeof(one));
	memset(two, 2, sizeof(two));
	assert_null(space_write(*state, 0x1000, 8, one));
	assert_null(space_write(*state, 0x1010, 8, one));
	assert_null(space_write(*state, 0x1004, 8, two));
	assert_null(space_read(*state, 0x1000, sizeof(b), b));
	assert_memory_equal(b, "\1\1\1\1\2\2\2\2\2\2\2\2", sizeof(b));
	assert_null(space_read(*state, 0x1010, 8, b));
	assert_memory_equal(b, one, 8);
}

static void
absent_memory_can_be_written_and_only_that_is_known(void **state)
{
	uint8_t b[8];

	assert_null(space_write(*state, 0x3010, 4, "abcd"));
	assert_null(space_read(*state, 0x3010, 4, b));
	assert_memory_equal(b, "abcd", 4);
	assert_err(space_read(*state, 0x3010, 5, b), ERR_ABSENT);
}

static void
unmapped_memory_cannot_be_written(void **state)
{
	assert_err(space_write(*state, 0x3ffe, 4, "abcd"), ERR_UNMAPPED);
}

static void
the_overlay_has_a_quota(void **state)
{
	static const struct snap_memory large = {
		.start = 0x10000, .length = 128 << 20, .kind = SNAP_MEM_ABSENT,
	};
	static char block[1 << 20];
	struct target t = { .ops = &fake_ops, .memory = &large, .n_memory = 1 };
	struct space *sp;

	(void)state;
	assert_null(space_new(&t, &sp));
	for (uint64_t n = 0; n < 64; n++)
		assert_null(space_write(sp, 0x10000 + n * sizeof(block),
					sizeof(block), block));
	assert_err(space_write(sp, 0x10000 + 64 * sizeof(block), 1, block),
		   ERR_LIMIT);
	space_free(sp);
}

static void
a_string_ends_at_its_nul_or_is_an_error(void **state)
{
	_arena_ struct arena *a = arena_new(0);
	const char *s;

	assert_null(space_write(*state, 0x1100, 6, "hello"));
	assert_null(space_string(*state, 0x1100, 100, a, &s));
	assert_string_equal(s, "hello");
	assert_err(space_string(*state, 0x1100, 3, a, &s), ERR_LIMIT);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_read_crosses_neighbouring_ranges),
		test(unmapped_and_absent_are_different_answers),
		test(a_failed_read_leaves_the_result_alone),
		test(a_partial_read_stops_at_the_hole),
		test(the_top_of_the_address_space_can_be_read),
		test(a_read_only_file_mapping_is_read_from_its_file),
		test(a_writable_file_mapping_is_never_read_from_its_file),
		test(a_region_has_bounds_even_where_nothing_is_mapped),
		test(writes_are_read_back_and_the_target_is_untouched),
		test(later_writes_win_over_earlier_ones),
		test(absent_memory_can_be_written_and_only_that_is_known),
		test(unmapped_memory_cannot_be_written),
		test(the_overlay_has_a_quota),
		test(a_string_ends_at_its_nul_or_is_an_error),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
