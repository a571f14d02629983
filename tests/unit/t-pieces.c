/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of snap_pieces(): how a snapshot is cut for a store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "assert-err.h"
#include "snap-sample.h"

struct cut {
	struct buf file;
	struct source *src;
	struct snap *snap;
	struct arena *arena;
	const struct snap_piece *piece;
	size_t n;
};

static void
cut_make(struct cut *c, enum sample_size size)
{
	*c = (struct cut){ .arena = arena_new(0) };
	assert_non_null(c->arena);
	assert_ok(sample_make(size, &c->file));
	assert_ok(source_mem(c->file.data, c->file.len, "sample", &c->src));
	assert_ok(snap_open(c->src, &c->snap));
	assert_ok(snap_pieces(c->snap, c->arena, &c->piece, &c->n));
}

static void
cut_free(struct cut *c)
{
	arena_free(c->arena);
	snap_free(c->snap);
	source_free(c->src);
	buf_fini(&c->file);
}

static size_t
cut_count(const struct cut *c, uint8_t kind)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->piece[i].kind == kind;
	return n;
}

static void
pieces_cover_the_file_exactly(void **state)
{
	static const enum sample_size sizes[] = { SAMPLE_SMALL, SAMPLE_LARGE };

	(void)state;
	for (size_t i = 0; i < countof(sizes); i++) {
		struct cut c;
		uint64_t at = 0;

		cut_make(&c, sizes[i]);
		for (size_t k = 0; k < c.n; k++) {
			assert_int_equal(c.piece[k].offset, at);
			assert_true(c.piece[k].length > 0);
			at += c.piece[k].length;
		}
		assert_int_equal(at, c.file.len);
		cut_free(&c);
	}
}

/** The first bytes of a zstd frame; RFC 8878, 3.1.1. */
static bool
is_zstd(const uint8_t *at)
{
	return memcmp(at, "\x28\xb5\x2f\xfd", 4) == 0;
}

static void
each_chunk_that_differs_is_a_piece_of_its_own(void **state)
{
	struct cut c;

	(void)state;
	cut_make(&c, SAMPLE_LARGE);
	for (size_t i = 0; i < c.n; i++)
		if (c.piece[i].kind == SNAP_PIECE_CHUNK)
			assert_true(is_zstd((uint8_t *)c.file.data +
					    c.piece[i].offset));
	/*
	 * SAMPLE_DATA lies in one window, the large range in six, of which
	 * windows 2 to 4 are equal and stand in the file once.
	 */
	assert_int_equal(cut_count(&c, SNAP_PIECE_CHUNK), 1 + 6 - 2);
	cut_free(&c);
}

static void
each_skeleton_is_a_piece_of_its_own(void **state)
{
	const struct snap_extent *extent;
	size_t n, skeletons = 0;
	struct cut c;

	(void)state;
	cut_make(&c, SAMPLE_LARGE);
	for (;; skeletons++) {
		struct err *err = snap_skeleton(c.snap, skeletons, &extent,
						&n);
		bool last = err != NULL;

		err_free(err);
		if (last)
			break;
	}
	assert_true(skeletons > 0);
	assert_int_equal(cut_count(&c, SNAP_PIECE_SKELETON), skeletons);
	cut_free(&c);
}

static void
equal_memory_of_two_snapshots_is_equal_pieces(void **state)
{
	struct cut small, large;
	size_t same = 0;

	(void)state;
	cut_make(&small, SAMPLE_SMALL);
	cut_make(&large, SAMPLE_LARGE);
	for (size_t i = 0; i < small.n; i++) {
		const struct snap_piece *a = &small.piece[i];

		for (size_t k = 0; k < large.n; k++) {
			const struct snap_piece *b = &large.piece[k];

			same += a->kind == SNAP_PIECE_CHUNK &&
				a->length == b->length &&
				memcmp(small.file.data + a->offset,
				       large.file.data + b->offset,
				       a->length) == 0;
		}
	}
	assert_int_equal(same, cut_count(&small, SNAP_PIECE_CHUNK));
	cut_free(&small);
	cut_free(&large);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_cover_the_file_exactly),
		cmocka_unit_test(each_chunk_that_differs_is_a_piece_of_its_own),
		cmocka_unit_test(each_skeleton_is_a_piece_of_its_own),
		cmocka_unit_test(equal_memory_of_two_snapshots_is_equal_pieces),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
