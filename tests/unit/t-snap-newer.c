/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots of newer versions: read as far as FORMAT.md, "Versions", says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/unit/assert-err.h"
#include "tests/unit/snap-craft.h"
#include "tests/unit/snap-sample.h"

/* A crafted file and the snapshot that it is. */
struct fixture {
	struct craft craft;
	struct source *src;
	struct snap *snap;
};

static int
set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture){ 0 };
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	snap_free(f->snap);
	source_free(f->src);
	craft_fini(&f->craft);
	return 0;
}

static struct err *
open_craft(struct fixture *f)
{
	craft_end(&f->craft);
	assert_ok(source_mem(f->craft.file.data, f->craft.file.len, "newer",
			     &f->src));
	return snap_open(f->src, &f->snap);
}

static void
remember(void *arg, const char *sentence)
{
	snprintf(arg, 256, "%s", sentence);
}

static void
larger_records_of_a_newer_minor_version_are_read(void **state)
{
	struct fixture *f = *state;
	uint8_t maps[2 * 56];
	size_t n;

	memset(maps, 0xee, sizeof(maps));
	for (size_t i = 0; i < 2; i++) {
		memset(maps + 56 * i, 0, 48);
		maps[56 * i + 8] = (uint8_t)(i + 1);
	}
	craft_begin(&f->craft, 1, 7);
	craft_table(&f->craft, CRAFT_MAPS, 0, maps, 56, 2);
	assert_ok(open_craft(f));
	const struct snap_map *m = snap_maps(f->snap, &n);
	assert_int_equal(n, 2);
	assert_int_equal(m[0].end, 1);
	assert_int_equal(m[1].end, 2);
}

static void
unknown_sections_are_skipped_checked_and_named(void **state)
{
	struct fixture *f = *state;
	_buf_ struct buf text = { 0 };
	size_t faults = 1;

	craft_begin(&f->craft, 1, 7);
	craft_section(&f->craft, &(struct craft_entry){
		.type = CRAFT_UNKNOWN, .instance = 5, .version = 3,
		.flags = 0x80 }, "new", 3);
	assert_ok(open_craft(f));
	assert_ok(snap_check(f->src, NULL, NULL, &faults));
	assert_int_equal(faults, 0);
	assert_ok(snap_dump(f->snap, &text));
	assert_non_null(strstr(text.data, "section type=99 instance=5 "
			       "stored=3:xxh128:"));
	f->craft.file.data[64] ^= 1;
	assert_ok(snap_check(f->src, NULL, NULL, &faults));
	assert_int_equal(faults, 1);
}

static void
a_newer_major_version_is_unsupported(void **state)
{
	struct fixture *f = *state;

	craft_begin(&f->craft, 2, 0);
	assert_err(open_craft(f), ERR_UNSUPPORTED,
		   "is of format version 2.0");
	size_t faults;
	assert_err(snap_check(f->src, NULL, NULL, &faults), ERR_UNSUPPORTED,
		   "is of format version 2.0");
}

static void
a_known_section_of_another_version_is_unsupported(void **state)
{
	struct fixture *f = *state;

	craft_begin(&f->craft, 1, 0);
	craft_section(&f->craft, &(struct craft_entry){
		.type = CRAFT_BLOBS, .version = 2 }, "b", 1);
	assert_err(open_craft(f), ERR_UNSUPPORTED,
		   "section BLOBS at offset 64: version 2");
}

static void
a_known_section_with_unknown_flags_is_unsupported(void **state)
{
	struct fixture *f = *state;

	craft_begin(&f->craft, 1, 0);
	craft_section(&f->craft, &(struct craft_entry){
		.type = CRAFT_BLOBS, .flags = 2 }, "b", 1);
	assert_err(open_craft(f), ERR_UNSUPPORTED,
		   "section BLOBS at offset 64: flags 0x2");
}

static void
chunks_of_another_kind_are_unsupported(void **state)
{
	struct fixture *f = *state;

	craft_begin(&f->craft, 1, 0);
	craft_table(&f->craft, CRAFT_CHUNKS, 0x000e0201, NULL, 64, 0);
	assert_err(open_craft(f), ERR_UNSUPPORTED,
		   "section CHUNKS at offset 64: chunks of kind 0xe0201");
}

static void
delta_memory_is_absent_and_check_says_so(void **state)
{
	struct fixture *f = *state;
	uint8_t range[32] = { [1] = 0x10, [8] = 1, [30] = SNAP_MEM_DELTA };
	char sentence[256] = "";
	size_t n, faults;

	craft_begin(&f->craft, 1, 3);
	craft_table(&f->craft, CRAFT_MEMORY, 0, range, 32, 1);
	assert_ok(open_craft(f));
	const struct snap_memory *m = snap_memory(f->snap, &n);
	assert_int_equal(m->kind, SNAP_MEM_ABSENT);
	assert_int_equal(m->reason, SNAP_ABSENT_UNKNOWN);
	uint8_t byte;
	assert_err(snap_read(f->snap, m, 0, 1, &byte), ERR_ABSENT,
		   "0x1000 is not in the snapshot");
	assert_ok(snap_check(f->src, remember, sentence, &faults));
	assert_int_equal(faults, 1);
	assert_non_null(strstr(sentence, "delta"));
}

static void
an_unknown_reason_reads_as_unknown(void **state)
{
	struct fixture *f = *state;
	uint8_t range[32] = { [8] = 1, [30] = SNAP_MEM_ABSENT, [31] = 200 };
	size_t n;

	craft_begin(&f->craft, 1, 3);
	craft_table(&f->craft, CRAFT_MEMORY, 0, range, 32, 1);
	assert_ok(open_craft(f));
	assert_int_equal(snap_memory(f->snap, &n)->reason,
			 SNAP_ABSENT_UNKNOWN);
}

static void
enums_out_of_range_have_no_word(void **state)
{
	(void)state;
	assert_string_equal(snap_reason_text(SNAP_ABSENT_DONTDUMP),
			    "dontdump");
	assert_string_equal(snap_reason_text(SNAP_REASONS), "?");
	assert_string_equal(snap_state_text(SNAP_STATE_BLOCKED), "blocked");
	assert_string_equal(snap_state_text(255), "?");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(larger_records_of_a_newer_minor_version_are_read),
		TEST(unknown_sections_are_skipped_checked_and_named),
		TEST(a_newer_major_version_is_unsupported),
		TEST(a_known_section_of_another_version_is_unsupported),
		TEST(a_known_section_with_unknown_flags_is_unsupported),
		TEST(chunks_of_another_kind_are_unsupported),
		TEST(delta_memory_is_absent_and_check_says_so),
		TEST(an_unknown_reason_reads_as_unknown),
		TEST(enums_out_of_range_have_no_word),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
