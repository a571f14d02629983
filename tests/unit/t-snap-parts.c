/* SPDX-License-Identifier: Apache-2.0 */
/* The private parts of snapfmt: descriptions of records, lookup, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "snapfmt/writer.h"
#include "tests/unit/assert-err.h"
#include "tests/unit/snap-sample.h"

/* ---- records ---- */
static void
assert_schema_is_sound(const struct schema *sc)
{
	uint8_t used[RECORD_MAX] = { 0 };

	assert_true(sc->disk <= sizeof(used));
	for (size_t i = 0; i < sc->n_fields; i++) {
		const struct field *f = &sc->field[i];
		size_t width = schema_width(f);

		assert_true(width > 0);
		assert_true(f->disk + width <= sc->disk);
		assert_true(f->at < sc->size);
		for (size_t k = 0; k < width; k++)
			if (used[f->disk + k]++)
				fail_msg("%s: %s overlaps another field",
					 sc->word, f->name);
	}
}

static void
no_two_fields_of_a_record_overlap(void **state)
{
	(void)state;
	assert_schema_is_sound(&schema_section);
	assert_schema_is_sound(&schema_extent);
	for (uint32_t type = 0; type < SECTION_TYPES; type++)
		if (schema_of(type))
			assert_schema_is_sound(schema_of(type));
}

static void
numbers_are_aligned_on_disk(void **state)
{
	(void)state;
	for (uint32_t type = 0; type < SECTION_TYPES; type++) {
		const struct schema *sc = schema_of(type);

		for (size_t i = 0; sc && i < sc->n_fields; i++)
			if (sc->field[i].kind == FIELD_NUMBER)
				assert_int_equal(sc->field[i].disk %
						 sc->field[i].width, 0);
	}
}

/* ---- lookup ---- */
static bool
is_wanted(const void *arg, uint32_t id)
{
	return *(const uint32_t *)arg == id;
}

static void
lookup_finds_each_of_many_with_colliding_hashes(void **state)
{
	struct lookup l = { 0 };
	uint32_t wanted, got;

	(void)state;
	wanted = 0;
	assert_false(lookup_find(&l, 0, is_wanted, &wanted, &got));
	for (uint32_t id = 0; id < 1000; id++)
		assert_true(lookup_add(&l, id % 10 * 0x100000000, id));
	for (wanted = 0; wanted < 1000; wanted++) {
		assert_true(lookup_find(&l, wanted % 10 * 0x100000000,
					is_wanted, &wanted, &got));
		assert_int_equal(got, wanted);
	}
	assert_false(lookup_find(&l, 0, is_wanted, &wanted, &got));
	lookup_fini(&l);
}

/* ---- limits ---- */
static void
put_zeros(struct snap_writer *w, size_t n)
{
	/* Never touched, so it takes no memory. */
	_free_ void *zeros = calloc(1, n);

	assert_non_null(zeros);
	assert_ok(snap_put_file(w, &(struct snap_blob){ "zeros",
							{ zeros, n } }));
}

static void
a_snapshot_never_takes_more_memory_than_its_limit(void **state)
{
	_buf_ struct buf bytes = { 0 };
	_snap_writer_ struct snap_writer *w = NULL;
	_source_ struct source *src = NULL;
	_snap_ struct snap *s = NULL;
	struct span got;

	(void)state;
	assert_ok(snap_writer_new(sample_sink, &bytes, 0, &w));
	put_zeros(w, READER_MAX / 2 + 1);
	put_zeros(w, READER_MAX / 2);
	assert_ok(snap_writer_close(w));
	assert_ok(source_mem(bytes.data, bytes.len, "zeros", &src));
	assert_ok(snap_open(src, &s));
	assert_ok(snap_file(s, 0, &got));
	assert_int_equal(got.n, READER_MAX / 2 + 1);
	assert_err(snap_file(s, 1, &got), ERR_LIMIT, "MiB of memory");
}

static void
a_file_over_the_limit_of_a_section_is_not_attached(void **state)
{
	_buf_ struct buf bytes = { 0 };
	_snap_writer_ struct snap_writer *w = NULL;
	_free_ void *zeros = calloc(1, SECTION_MAX + 1);

	(void)state;
	assert_non_null(zeros);
	assert_ok(snap_writer_new(sample_sink, &bytes, 0, &w));
	assert_err(snap_put_file(w, &(struct snap_blob){
		"big", { zeros, SECTION_MAX + 1 } }), ERR_LIMIT, "file big");
	/* Nothing was written of it: the snapshot goes on without. */
	assert_ok(snap_writer_close(w));
}

static void
attached_files_leave_room_for_the_tables(void **state)
{
	_buf_ struct buf bytes = { 0 };
	_snap_writer_ struct snap_writer *w = NULL;
	_source_ struct source *src = NULL;
	_snap_ struct snap *s = NULL;
	_free_ void *zeros = calloc(1, SECTION_MAX);
	struct snap_blob blob = { "big", { zeros, SECTION_MAX } };
	size_t faults = 1;

	(void)state;
	assert_non_null(zeros);
	assert_ok(snap_writer_new(sample_sink, &bytes, 0, &w));
	for (size_t i = 0; i < DEMAND_MAX / SECTION_MAX; i++)
		assert_ok(snap_put_file(w, &blob));
	assert_err(snap_put_file(w, &blob), ERR_LIMIT, "section FILE_DATA");
	assert_ok(snap_writer_close(w));
	assert_ok(source_mem(bytes.data, bytes.len, "files", &src));
	assert_ok(snap_open(src, &s));
	assert_ok(snap_check(src, NULL, NULL, &faults));
	assert_int_equal(faults, 0);
}

static void
records_that_no_reader_would_hold_are_refused(void **state)
{
	_buf_ struct buf bytes = { 0 };
	_snap_writer_ struct snap_writer *w = NULL;
	struct snap_map map = { .end = 1 };

	(void)state;
	assert_ok(snap_writer_new(sample_sink, &bytes, 0, &w));
	assert_ok(snap_put_map(w, &map));
	/* As if they were that many already. */
	w->table[SECTION_MAPS].count = READER_MAX / sizeof(map);
	assert_err(snap_put_map(w, &map), ERR_LIMIT, "records of more than");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_two_fields_of_a_record_overlap),
		cmocka_unit_test(numbers_are_aligned_on_disk),
		cmocka_unit_test(
			lookup_finds_each_of_many_with_colliding_hashes),
		cmocka_unit_test(
			a_snapshot_never_takes_more_memory_than_its_limit),
		cmocka_unit_test(
			a_file_over_the_limit_of_a_section_is_not_attached),
		cmocka_unit_test(attached_files_leave_room_for_the_tables),
		cmocka_unit_test(records_that_no_reader_would_hold_are_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
