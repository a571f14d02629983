/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that was packed as if its module were elsewhere comes back as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "snapfmt/layout.h"
#include "snapfmt/soon.h"
#include "tests/unit/assert-err.h"
#include "tests/unit/snap-sample.h"

#define FIRST (SAMPLE_BASE + SAMPLE_MOVED_FIRST)
#define WORDS (SAMPLE_MOVED_SIZE / 8)

/* Words of the sample, of a module at @base. */
static const uint8_t *
words_at(uint64_t base)
{
	static uint64_t words[WORDS];

	for (size_t k = 0; k < WORDS; k++)
		words[k] = sample_word(base, 8 * k);
	return (const uint8_t *)words;
}

static void
pack(struct buf *packed, struct snap_moved *m)
{
	assert_ok(snap_pack_moved(SAMPLE_MOVED_FIRST,
				  (struct span){ words_at(SNAP_MOVED_TO),
						 SAMPLE_MOVED_SIZE }, packed));
	assert_true(snap_moved_open((struct span){ packed->data, packed->len },
				    m));
}

static void
what_was_packed_elsewhere_is_read_as_it_is_in_memory(void **state)
{
	static uint8_t seen[SAMPLE_MOVED_SIZE];
	_buf_ struct buf bytes = { 0 };
	_source_ struct source *src = NULL;
	_snap_ struct snap *snap = NULL;
	size_t n, faults;

	(void)state;
	assert_ok(sample_make(SAMPLE_MOVED, &bytes));
	assert_ok(source_mem(bytes.data, bytes.len, "sample", &src));
	assert_ok(snap_open(src, &snap));
	const struct snap_memory *m = snap_memory(snap, &n);
	m += n - 1;
	assert_int_equal(m->kind, SNAP_MEM_DATA);
	assert_int_equal(m->start, FIRST);
	assert_int_equal(m->length, SAMPLE_MOVED_SIZE);
	assert_ok(snap_read(snap, m, 0, sizeof(seen), seen));
	assert_memory_equal(seen, words_at(SAMPLE_BASE), sizeof(seen));
	assert_ok(snap_read(snap, m, SNAP_CHUNK - 3, 7, seen));
	assert_memory_equal(seen, words_at(SAMPLE_BASE) + SNAP_CHUNK - 3, 7);
	assert_ok(snap_check(src, NULL, NULL, &faults));
	assert_int_equal(faults, 0);
}

static void
windows_are_told_from_others(void **state)
{
	static uint8_t live[SAMPLE_MOVED_SIZE];
	_buf_ struct buf packed = { 0 };
	struct snap_moved m;

	(void)state;
	pack(&packed, &m);
	assert_int_equal(m.n, 2);
	memcpy(live, words_at(SAMPLE_BASE), sizeof(live));
	assert_true(snap_moved_same(&m, 1, live + SNAP_CHUNK, SAMPLE_BASE));
	assert_false(snap_moved_same(&m, 1, live + SNAP_CHUNK,
				     SAMPLE_BASE + 0x1000));
	for (size_t at = 0; at < SNAP_CHUNK; at += 1021) {
		live[at] ^= 1;
		assert_false(snap_moved_same(&m, 0, live, SAMPLE_BASE));
		live[at] ^= 1;
	}
	live[SNAP_CHUNK - 1] ^= 0x80;
	assert_false(snap_moved_same(&m, 0, live, SAMPLE_BASE));
}

/* Else the pointer would come back as another number. */
static void
a_word_that_is_where_others_are_moved_to_is_no_pointer(void **state)
{
	static uint64_t live[SNAP_CHUNK / 8];
	_buf_ struct buf packed = { 0 };
	struct snap_moved m;

	(void)state;
	pack(&packed, &m);
	for (size_t k = 0; k < countof(live); k++)
		live[k] = sample_word(SAMPLE_BASE, 8 * k);
	assert_true(snap_moved_same(&m, 0, live, SAMPLE_BASE));
	live[6] = SNAP_MOVED_TO;
	assert_false(snap_moved_same(&m, 0, live, SAMPLE_BASE));
}

static void
moved_by_what_is_no_bias_nothing_is_put(void **state)
{
	const uint64_t bases[] = { 0, 4, 1ull << 57, UINT64_MAX - 7 };
	_buf_ struct buf packed = { 0 }, bytes = { 0 };
	_snap_writer_ struct snap_writer *w = NULL;
	struct snap_moved m;
	bool done = true;

	(void)state;
	pack(&packed, &m);
	assert_ok(snap_writer_new(sample_sink, &bytes, 0, &w));
	for (size_t k = 0; k < countof(bases); k++) {
		assert_ok(snap_put_moved(w, &m, 0, bases[k], &done));
		assert_false(done);
	}
	assert_ok(snap_put_moved(w, &m, 0, SAMPLE_BASE, &done));
	assert_true(done);
	assert_err(snap_put_moved(w, &m, 0, SAMPLE_BASE, &done), ERR_FAILED,
		   "addresses ascend");
}

static void
what_is_damaged_is_not_put(void **state)
{
	_buf_ struct buf packed = { 0 }, bytes = { 0 };
	_snap_writer_ struct snap_writer *w = NULL;
	struct snap_moved m;
	bool done = true;

	(void)state;
	pack(&packed, &m);
	assert_ok(snap_writer_new(sample_sink, &bytes, 0, &w));
	packed.data[packed.len - 1] ^= 1;
	assert_ok(snap_put_moved(w, &m, 1, SAMPLE_BASE, &done));
	assert_false(done);
	for (size_t n = 0; n < 24 + 2 * 56 + 16 + m.n * SNAP_CHUNK; n += 97)
		assert_false(snap_moved_open((struct span){ packed.data, n },
					     &m));
	packed.data[30] ^= 1;
	assert_false(snap_moved_open((struct span){ packed.data, packed.len },
				     &m));
	packed.data[30] ^= 1;
	assert_false(snap_moved_open((struct span){ packed.data, 100 }, &m));
	assert_false(snap_moved_open((struct span){ NULL, 0 }, &m));
}

/* One key for two loads of one module would make them equal to each other. */
static void
keys_differ_where_a_module_is_elsewhere(void **state)
{
	uint8_t key[2][SHA256_SIZE];

	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		_buf_ struct buf packed = { 0 }, bytes = { 0 };
		_snap_writer_ struct snap_writer *w = NULL;
		_source_ struct source *src = NULL;
		_snap_ struct snap *snap = NULL;
		struct snap_moved m;
		uint64_t left;
		bool done;
		size_t n;

		pack(&packed, &m);
		assert_ok(snap_writer_new(sample_sink, &bytes, 0, &w));
		assert_ok(snap_put_moved(w, &m, 0, SAMPLE_BASE + 0x1000 * k,
					 &done));
		assert_ok(snap_writer_close(w));
		assert_ok(source_mem(bytes.data, bytes.len, "one", &src));
		assert_ok(snap_open(src, &snap));
		assert_true(snap_key(snap, snap_memory(snap, &n), 8, key[k],
				     &left));
		assert_int_equal(left, SNAP_CHUNK - 8);
	}
	assert_memory_not_equal(key[0], key[1], SHA256_SIZE);
}

static void
plain_memory_goes_on_behind_it(void **state)
{
	static uint8_t seen[2 * SNAP_CHUNK];
	const uint8_t *live = words_at(SAMPLE_BASE);
	_buf_ struct buf packed = { 0 }, bytes = { 0 };
	_snap_writer_ struct snap_writer *w = NULL;
	_source_ struct source *src = NULL;
	_snap_ struct snap *snap = NULL;
	struct snap_moved m;
	bool done;
	size_t n;

	(void)state;
	pack(&packed, &m);
	assert_ok(snap_writer_new(sample_sink, &bytes, 1, &w));
	assert_ok(snap_put_memory(w, FIRST - 0x1800, "before", 6, 0));
	assert_ok(snap_put_moved(w, &m, 0, SAMPLE_BASE, &done));
	live = words_at(SAMPLE_BASE);
	assert_ok(snap_put_memory(w, FIRST + SNAP_CHUNK, live, 0x1008, 0));
	assert_ok(snap_writer_close(w));
	assert_ok(source_mem(bytes.data, bytes.len, "mixed", &src));
	assert_ok(snap_open(src, &snap));
	const struct snap_memory *all = snap_memory(snap, &n);
	assert_int_equal(n, 3);
	assert_ok(snap_read(snap, &all[0], 0, 6, seen));
	assert_memory_equal(seen, "before", 6);
	assert_ok(snap_read(snap, &all[1], 0, SNAP_CHUNK, seen));
	assert_memory_equal(seen, live, SNAP_CHUNK);
	assert_ok(snap_read(snap, &all[2], 0, 0x1008, seen));
	assert_memory_equal(seen, live, 0x1008);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test(name)
		TEST(what_was_packed_elsewhere_is_read_as_it_is_in_memory),
		TEST(windows_are_told_from_others),
		TEST(a_word_that_is_where_others_are_moved_to_is_no_pointer),
		TEST(moved_by_what_is_no_bias_nothing_is_put),
		TEST(what_is_damaged_is_not_put),
		TEST(keys_differ_where_a_module_is_elsewhere),
		TEST(plain_memory_goes_on_behind_it),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
