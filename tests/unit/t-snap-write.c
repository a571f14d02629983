/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of the snapshot writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "snapfmt/soon.h"
#include "tests/unit/assert-err.h"
#include "tests/unit/snap-sample.h"

/* A writer, what it wrote, and the snapshot that this is. */
struct fixture {
	struct buf bytes;
	struct snap_writer *writer;
	struct source *src;
	struct snap *snap;
};

static int
set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture){ 0 };
	*state = &f;
	assert_ok(snap_writer_new(sample_sink, &f.bytes, 0, &f.writer));
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	snap_writer_free(f->writer);
	snap_free(f->snap);
	source_free(f->src);
	buf_fini(&f->bytes);
	return 0;
}

static void
put(struct fixture *f, uint64_t addr, const char *fill, size_t n,
    uint16_t flags)
{
	uint8_t bytes[4 * SNAP_CHUNK];

	memset(bytes, fill[0], sizeof(bytes));
	assert_ok(snap_put_memory(f->writer, addr, bytes, n, flags));
}

static const struct snap_memory *
ranges(struct fixture *f, size_t n)
{
	const struct snap_memory *m;
	size_t got;

	assert_ok(snap_writer_close(f->writer));
	assert_ok(source_mem(f->bytes.data, f->bytes.len, "test", &f->src));
	assert_ok(snap_open(f->src, &f->snap));
	m = snap_memory(f->snap, &got);
	assert_int_equal(got, n);
	return m;
}

static void
assert_range(const struct snap_memory *m, uint64_t start, uint64_t length,
	     uint8_t kind)
{
	assert_int_equal(m->start, start);
	assert_int_equal(m->length, length);
	assert_int_equal(m->kind, kind);
}

static void
assert_filled(struct fixture *f, const struct snap_memory *m, char fill)
{
	uint8_t bytes[4 * SNAP_CHUNK];

	assert_true(m->length <= sizeof(bytes));
	assert_ok(snap_read(f->snap, m, 0, m->length, bytes));
	for (size_t i = 0; i < m->length; i++)
		assert_int_equal(bytes[i], (uint8_t)fill);
}

/* ---- ranges ---- */
static void
neighbours_with_equal_flags_are_one_range(void **state)
{
	struct fixture *f = *state;

	put(f, 0x1000, "a", 0x1000, 0);
	put(f, 0x2000, "a", 0x5000, 0);
	const struct snap_memory *m = ranges(f, 1);

	assert_range(m, 0x1000, 0x6000, SNAP_MEM_DATA);
	assert_filled(f, m, 'a');
}

static void
neighbours_with_other_flags_stay_apart_inside_one_window(void **state)
{
	struct fixture *f = *state;

	put(f, 0x1000, "a", 0x1000, 0);
	put(f, 0x2000, "b", 0x1000, SNAP_MEM_FROM_FILE);
	const struct snap_memory *m = ranges(f, 2);

	assert_range(&m[0], 0x1000, 0x1000, SNAP_MEM_DATA);
	assert_range(&m[1], 0x2000, 0x1000, SNAP_MEM_DATA);
	assert_int_equal(m[1].flags, SNAP_MEM_FROM_FILE);
	assert_filled(f, &m[0], 'a');
	assert_filled(f, &m[1], 'b');
}

static void
a_hole_inside_a_window_makes_two_ranges(void **state)
{
	struct fixture *f = *state;

	put(f, 0x1000, "a", 0x100, 0);
	put(f, 0x1101, "b", 0x100, 0);
	const struct snap_memory *m = ranges(f, 2);

	assert_range(&m[0], 0x1000, 0x100, SNAP_MEM_DATA);
	assert_range(&m[1], 0x1101, 0x100, SNAP_MEM_DATA);
	assert_filled(f, &m[1], 'b');
}

static void
a_zero_window_splits_a_range_and_takes_no_chunk(void **state)
{
	struct fixture *f = *state;

	put(f, 0x3ff0, "a", 0x10, 0);
	put(f, 0x4000, "", SNAP_CHUNK, 0);
	put(f, 0x8000, "a", 0x10, 0);
	const struct snap_memory *m = ranges(f, 3);

	assert_range(&m[0], 0x3ff0, 0x10, SNAP_MEM_DATA);
	assert_range(&m[1], 0x4000, SNAP_CHUNK, SNAP_MEM_ZERO);
	assert_range(&m[2], 0x8000, 0x10, SNAP_MEM_DATA);
	assert_int_equal(m[2].ref, m[0].ref + 1);
	assert_filled(f, &m[1], '\0');
	assert_filled(f, &m[2], 'a');
}

static void
zeros_beside_data_in_a_window_stay_data(void **state)
{
	struct fixture *f = *state;

	put(f, 0x4000, "", 0x1000, 0);
	put(f, 0x5000, "a", 0x1000, 0);
	assert_range(ranges(f, 1), 0x4000, 0x2000, SNAP_MEM_DATA);
}

static void
put_range_zero(struct fixture *f, uint64_t start)
{
	assert_ok(snap_put_range(f->writer, &(struct snap_memory){
		.start = start, .length = 0x1000, .kind = SNAP_MEM_ZERO,
		.reason = 77, .ref = 77, .offset = 77,
	}));
}

static void
a_range_without_data_keeps_only_what_its_kind_has(void **state)
{
	struct fixture *f = *state;

	put_range_zero(f, 0x1000);
	put_range_zero(f, 0x2000);
	const struct snap_memory *m = ranges(f, 1);

	assert_range(m, 0x1000, 0x2000, SNAP_MEM_ZERO);
	assert_int_equal(m->reason, 0);
	assert_int_equal(m->ref, 0);
	assert_int_equal(m->offset, 0);
}

static void
put_absent(struct fixture *f, uint64_t start, uint8_t reason)
{
	assert_ok(snap_put_range(f->writer, &(struct snap_memory){
		.start = start, .length = 0x1000, .kind = SNAP_MEM_ABSENT,
		.reason = reason,
	}));
}

static void
absent_neighbours_join_only_with_one_reason(void **state)
{
	struct fixture *f = *state;

	put_absent(f, 0x1000, SNAP_ABSENT_TIME);
	put_absent(f, 0x2000, SNAP_ABSENT_TIME);
	put_absent(f, 0x3000, SNAP_ABSENT_CUT);
	const struct snap_memory *m = ranges(f, 2);

	assert_range(&m[0], 0x1000, 0x2000, SNAP_MEM_ABSENT);
	assert_range(&m[1], 0x3000, 0x1000, SNAP_MEM_ABSENT);
	assert_int_equal(m[1].reason, SNAP_ABSENT_CUT);
}

static void
put_file_range(struct fixture *f, uint64_t start, uint64_t offset)
{
	assert_ok(snap_put_range(f->writer, &(struct snap_memory){
		.start = start, .length = 0x1000, .kind = SNAP_MEM_FILE,
		.offset = offset,
	}));
}

static void
file_neighbours_join_only_when_the_file_goes_on(void **state)
{
	struct fixture *f = *state;

	put_file_range(f, 0x1000, 0x7000);
	put_file_range(f, 0x2000, 0x8000);
	put_file_range(f, 0x3000, 0x1000);
	assert_ok(snap_put_module(f->writer, &(struct snap_module){
		.skeleton = SNAP_NO_SKELETON }));
	const struct snap_memory *m = ranges(f, 2);

	assert_range(&m[0], 0x1000, 0x2000, SNAP_MEM_FILE);
	assert_int_equal(m[1].offset, 0x1000);
}

static void
memory_may_end_with_the_last_address_but_one(void **state)
{
	struct fixture *f = *state;

	put(f, UINT64_MAX - 16, "a", 16, 0);
	const struct snap_memory *m = ranges(f, 1);

	assert_range(m, UINT64_MAX - 16, 16, SNAP_MEM_DATA);
	assert_filled(f, m, 'a');
}

/* ---- chunks ---- */
static void
equal_windows_are_stored_once(void **state)
{
	struct fixture *f = *state;

	put(f, 0x4000, "a", SNAP_CHUNK, 0);
	size_t before = f->bytes.len;
	put(f, 0x8000, "a", 2 * SNAP_CHUNK, 0);
	assert_int_equal(f->bytes.len, before);
	const struct snap_memory *m = ranges(f, 1);

	assert_range(m, 0x4000, 3 * SNAP_CHUNK, SNAP_MEM_DATA);
	assert_filled(f, m, 'a');
}

/* Window @k of memory that does not pack, no two the same. */
static struct err *
put_noise(struct snap_writer *w, uint64_t k)
{
	uint64_t words[SNAP_CHUNK / 8], x = k + 1;

	for (size_t i = 0; i < countof(words); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		words[i] = x;
	}
	return snap_put_memory(w, (k + 1) * SNAP_CHUNK, words, SNAP_CHUNK, 0);
}

static void
memory_goes_to_the_sink_as_it_comes(void **state)
{
	struct fixture *f = *state;

	for (uint64_t k = 0; k < 256; k++)
		assert_ok(put_noise(f->writer, k));
	assert_in_range(f->bytes.len, 3 << 20, 5 << 20);
}

static void
the_file_is_the_same_however_many_threads_pack(void **state)
{
	static const unsigned threads[] = { 0, 1, 3 };
	struct buf files[countof(threads)] = { { 0 } };

	(void)state;
	for (size_t n = 0; n < countof(threads); n++) {
		_snap_writer_ struct snap_writer *w = NULL;

		assert_ok(snap_writer_new(sample_sink, &files[n], threads[n],
					  &w));
		for (uint64_t k = 0; k < 203; k++)
			assert_ok(put_noise(w, k % 7 ? k : k / 7 * 7));
		assert_ok(snap_writer_close(w));
		assert_int_equal(files[n].len, files[0].len);
		assert_memory_equal(files[n].data, files[0].data,
				    files[0].len);
	}
	for (size_t n = 0; n < countof(threads); n++)
		buf_fini(&files[n]);
}

/* From the middle of a window, over whole ones, into the middle of one. */
static void
what_is_packed_soon_reads_the_same(void **state)
{
	static uint8_t bytes[4 * SNAP_CHUNK], back[4 * SNAP_CHUNK];
	const uint64_t start = 7 * SNAP_CHUNK - 100;
	struct fixture *f = *state;
	uint32_t x = 1;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		x = x * 1103515245u + 12345u;
		bytes[i] = (uint8_t)("abcdefgh"[x >> 29] + (i & 1));
	}
	snap_writer_soon(f->writer);
	assert_ok(snap_put_memory(f->writer, start, bytes, sizeof(bytes), 0));
	const struct snap_memory *m = ranges(f, 1);

	assert_range(m, start, sizeof(bytes), SNAP_MEM_DATA);
	assert_ok(snap_read(f->snap, m, 0, sizeof(back), back));
	assert_memory_equal(back, bytes, sizeof(bytes));
}

/* ---- skeletons that were packed before ---- */
static void
skeletons_packed_before_make_the_same_file(void **state)
{
	char large[9000];
	const struct snap_extent extents[] = {
		{ 0, { "small", 5 } }, { 4096, { large, sizeof(large) } },
	};
	struct buf files[2] = { { 0 } }, packed[2] = { { 0 } };
	uint32_t index;

	(void)state;
	for (size_t k = 0; k < sizeof(large); k++)
		large[k] = (char)(k * k % 61);
	for (size_t n = 1; n <= 2; n++)
		assert_ok(snap_pack_skeleton(extents, n, &packed[n - 1]));
	for (size_t f = 0; f < 2; f++) {
		_snap_writer_ struct snap_writer *w = NULL;

		assert_ok(snap_writer_new(sample_sink, &files[f], 1, &w));
		for (size_t k = 0; k < 4; k++) {
			const struct span p = { packed[k % 2].data,
						packed[k % 2].len };
			if (f)
				assert_ok(snap_put_packed(w, p, &index));
			else
				assert_ok(snap_put_skeleton(w, extents,
							    k % 2 + 1, &index));
			assert_int_equal(index, k % 2);
		}
		assert_ok(snap_writer_close(w));
	}
	assert_int_equal(files[0].len, files[1].len);
	assert_memory_equal(files[0].data, files[1].data, files[0].len);
	for (size_t f = 0; f < 2; f++) {
		buf_fini(&files[f]);
		buf_fini(&packed[f]);
	}
}

static void
a_changed_byte_of_a_packed_skeleton_is_refused(void **state)
{
	const struct snap_extent extent = { 0, { "the bytes of it", 15 } };
	static const size_t at[] = { 0, 9, 16, 30, 50, 70, 90, 99 };
	struct fixture *f = *state;
	_buf_ struct buf packed = { 0 };
	uint32_t index = 7;

	assert_ok(snap_pack_skeleton(&extent, 1, &packed));
	for (size_t k = 0; k < countof(at); k++) {
		packed.data[at[k]] ^= 4;
		assert_err(snap_put_packed(f->writer,
					   (struct span){ packed.data,
							  packed.len },
					   &index), ERR_DAMAGED, "");
		packed.data[at[k]] ^= 4;
	}
	for (size_t n = 0; n < packed.len; n += 7)
		assert_err(snap_put_packed(f->writer,
					   (struct span){ packed.data, n },
					   &index), ERR_DAMAGED, "");
	assert_int_equal(index, 7);
	assert_ok(snap_put_packed(f->writer, (struct span){ packed.data,
							    packed.len },
				  &index));
	assert_int_equal(index, 0);
}

/* ---- refusals ---- */
static void
descending_memory_is_refused_naming_both_addresses(void **state)
{
	struct fixture *f = *state;

	put(f, 0x5000, "a", 0x1000, 0);
	assert_err(snap_put_memory(f->writer, 0x5fff, "a", 1, 0), ERR_FAILED,
		   "memory at 0x5fff comes after memory up to 0x6000");
	assert_err(snap_put_range(f->writer, &(struct snap_memory){
		.start = 0x1000, .length = 1, .kind = SNAP_MEM_ZERO }),
		   ERR_FAILED, "0x1000 comes after memory up to 0x6000");
	/* Nothing of it was taken: the writer goes on. */
	put(f, 0x6000, "a", 0x1000, 0);
	assert_range(ranges(f, 1), 0x5000, 0x2000, SNAP_MEM_DATA);
}

static void
memory_after_a_record_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_ok(snap_put_map(f->writer, &(struct snap_map){ .end = 1 }));
	assert_err(snap_put_memory(f->writer, 0x1000, "a", 1, 0), ERR_FAILED,
		   "memory is written first");
}

static void
memory_over_the_end_of_the_address_space_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_err(snap_put_memory(f->writer, UINT64_MAX, "aa", 2, 0),
		   ERR_FAILED, "end of the address space");
	assert_err(snap_put_range(f->writer, &(struct snap_memory){
		.start = 2, .length = UINT64_MAX, .kind = SNAP_MEM_ZERO }),
		   ERR_FAILED, "end of the address space");
}

static void
a_range_of_data_or_delta_without_bytes_is_refused(void **state)
{
	struct fixture *f = *state;
	struct snap_memory m = { .start = 1, .length = 1 };

	m.kind = SNAP_MEM_DATA;
	assert_err(snap_put_range(f->writer, &m), ERR_FAILED, "without data");
	m.kind = SNAP_MEM_DELTA;
	assert_err(snap_put_range(f->writer, &m), ERR_FAILED, "without data");
}

static void
a_second_process_is_refused(void **state)
{
	struct fixture *f = *state;
	struct snap_process p = { .pid = 1 };

	assert_ok(snap_put_process(f->writer, &p));
	assert_err(snap_put_process(f->writer, &p), ERR_FAILED,
		   "more than one process");
}

static void
records_that_a_reader_would_refuse_are_refused(void **state)
{
	struct fixture *f = *state;
	struct snap_regset sets[SNAP_REGSETS_MAX + 1] = { 0 };
	struct snap_module m = { .skeleton = SNAP_NO_SKELETON };

	assert_err(snap_put_map(f->writer, &(struct snap_map){
		.start = 2, .end = 2 }), ERR_FAILED, "ends before it starts");
	assert_err(snap_put_thread(f->writer, &(struct snap_thread){
		.regsets = sets, .n_regsets = countof(sets) }), ERR_FAILED,
		   "too many register sets");
	assert_err(snap_put_attr(f->writer, &(struct snap_attr){
		.key = "k", .type = SNAP_ATTR_STRING }), ERR_FAILED,
		   "without text");
	m.id = (struct module_id){ .kind = 1, .len = ID_MAX + 1 };
	assert_err(snap_put_module(f->writer, &m), ERR_FAILED, "too long");
	m.id = (struct module_id){ .kind = 1 };
	assert_err(snap_put_module(f->writer, &m), ERR_FAILED,
		   "kind without id");
}

static void
a_module_with_a_skeleton_that_is_not_there_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_err(snap_put_module(f->writer, &(struct snap_module){
		.skeleton = 0 }), ERR_FAILED, "module 0 has skeleton 0 of 0");
}

static void
close_refuses_a_frame_in_a_module_that_never_came(void **state)
{
	struct fixture *f = *state;

	assert_ok(snap_put_frame(f->writer, &(struct snap_frame){
		.module = 3 }));
	assert_err(snap_writer_close(f->writer), ERR_FAILED,
		   "module 3 is referred to, but there are only 0");
}

static void
close_refuses_file_memory_of_a_module_that_never_came(void **state)
{
	struct fixture *f = *state;

	put_file_range(f, 0x1000, 0);
	assert_err(snap_writer_close(f->writer), ERR_FAILED,
		   "module 0 is referred to");
}

static void
a_closed_writer_takes_nothing_more(void **state)
{
	struct fixture *f = *state;

	assert_ok(snap_writer_close(f->writer));
	assert_err(snap_writer_close(f->writer), ERR_FAILED, "closed");
	assert_err(snap_put_memory(f->writer, 1, "a", 1, 0), ERR_FAILED,
		   "closed");
	assert_err(snap_put_map(f->writer, &(struct snap_map){ .end = 1 }),
		   ERR_FAILED, "closed");
}

/* ---- a sink that fails ---- */
static struct err *
sink_of_100_bytes(void *arg, const void *data, size_t n)
{
	size_t *left = arg;

	(void)data;
	if (n > *left)
		return err_new(ERR_IO, "disk full");
	*left -= n;
	return NULL;
}

static void
a_failing_sink_is_told_and_the_writer_stays_failed(void **state)
{
	_snap_writer_ struct snap_writer *w = NULL;
	size_t left = 100;

	(void)state;
	assert_ok(snap_writer_new(sink_of_100_bytes, &left, 0, &w));
	assert_ok(snap_put_auxv(w, (struct span){ "x", 1 }));
	assert_err(snap_writer_close(w), ERR_IO, "disk full");
	assert_err(snap_writer_close(w), ERR_FAILED, "failed before");
}

static void
a_lost_chunk_keeps_the_file_from_being_closed(void **state)
{
	_snap_writer_ struct snap_writer *w = NULL;
	size_t left = 70;
	struct err *err = NULL;

	(void)state;
	assert_ok(snap_writer_new(sink_of_100_bytes, &left, 0, &w));
	for (uint64_t k = 0; k < 256 && !err; k++)
		err = put_noise(w, k);
	assert_err(err, ERR_IO, "full");
	left = 10 << 20;
	assert_err(snap_writer_close(w), ERR_FAILED, "failed before");
}

/* ---- skeletons ---- */
static void
equal_skeletons_share_an_index(void **state)
{
	struct fixture *f = *state;
	struct snap_extent e[] = {
		{ .offset = 0, .bytes = { "abc", 3 } },
		{ .offset = 3, .bytes = { "def", 3 } },
	};
	uint32_t index[4];

	assert_ok(snap_put_skeleton(f->writer, e, 2, &index[0]));
	assert_ok(snap_put_skeleton(f->writer, e, 1, &index[1]));
	assert_ok(snap_put_skeleton(f->writer, e, 2, &index[2]));
	assert_ok(snap_put_skeleton(f->writer, NULL, 0, &index[3]));
	assert_int_equal(index[0], 0);
	assert_int_equal(index[1], 1);
	assert_int_equal(index[2], 0);
	assert_int_equal(index[3], 2);
}

static void
overlapping_extents_are_refused(void **state)
{
	struct fixture *f = *state;
	struct snap_extent e[] = {
		{ .offset = 0, .bytes = { "abc", 3 } },
		{ .offset = 2, .bytes = { "def", 3 } },
	};
	uint32_t index;

	assert_err(snap_put_skeleton(f->writer, e, 2, &index), ERR_FAILED,
		   "extent 1 begins below the end");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(neighbours_with_equal_flags_are_one_range),
		TEST(neighbours_with_other_flags_stay_apart_inside_one_window),
		TEST(a_hole_inside_a_window_makes_two_ranges),
		TEST(a_zero_window_splits_a_range_and_takes_no_chunk),
		TEST(zeros_beside_data_in_a_window_stay_data),
		TEST(a_range_without_data_keeps_only_what_its_kind_has),
		TEST(absent_neighbours_join_only_with_one_reason),
		TEST(file_neighbours_join_only_when_the_file_goes_on),
		TEST(memory_may_end_with_the_last_address_but_one),
		TEST(equal_windows_are_stored_once),
		TEST(what_is_packed_soon_reads_the_same),
		TEST(skeletons_packed_before_make_the_same_file),
		TEST(a_changed_byte_of_a_packed_skeleton_is_refused),
		TEST(memory_goes_to_the_sink_as_it_comes),
		TEST(the_file_is_the_same_however_many_threads_pack),
		TEST(descending_memory_is_refused_naming_both_addresses),
		TEST(memory_after_a_record_is_refused),
		TEST(memory_over_the_end_of_the_address_space_is_refused),
		TEST(a_range_of_data_or_delta_without_bytes_is_refused),
		TEST(a_second_process_is_refused),
		TEST(records_that_a_reader_would_refuse_are_refused),
		TEST(a_module_with_a_skeleton_that_is_not_there_is_refused),
		TEST(close_refuses_a_frame_in_a_module_that_never_came),
		TEST(close_refuses_file_memory_of_a_module_that_never_came),
		TEST(a_closed_writer_takes_nothing_more),
		TEST(a_failing_sink_is_told_and_the_writer_stays_failed),
		TEST(a_lost_chunk_keeps_the_file_from_being_closed),
		TEST(equal_skeletons_share_an_index),
		TEST(overlapping_extents_are_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
