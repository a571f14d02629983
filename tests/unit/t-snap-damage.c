/* SPDX-License-Identifier: Apache-2.0 */
/* Damaged and hostile snapshots are refused, in words, and never crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/assert-err.h"
#include "tests/unit/snap-craft.h"
#include "tests/unit/snap-sample.h"

#define CHUNKS_PARAMETER 0x000e0101u

/* ---- helpers ---- */
static struct err *
open_bytes(const void *data, size_t n)
{
	_source_ struct source *src = NULL;
	_snap_ struct snap *s = NULL;

	assert_ok(source_mem(data, n, "x", &src));
	return snap_open(src, &s);
}

static struct err *
open_craft(struct craft *c)
{
	craft_end(c);
	return open_bytes(c->file.data, c->file.len);
}

static void
remember(void *arg, const char *sentence)
{
	char *last = arg;

	snprintf(last, 256, "%s", sentence);
}

/** Number of faults; the last one is in @sentence (256 bytes). */
static size_t
faults_of(const void *data, size_t n, char *sentence)
{
	_source_ struct source *src = NULL;
	size_t faults = 0;

	sentence[0] = '\0';
	assert_ok(source_mem(data, n, "x", &src));
	_err_ struct err *err = snap_check(src, remember, sentence, &faults);
	/* A file that cannot be judged has not passed either. */
	return err ? 1 : faults;
}

/** Little-endian @v of @width bytes at @at. */
static void
poke(uint8_t *record, size_t at, uint64_t v, size_t width)
{
	for (size_t i = 0; i < width; i++)
		record[at + i] = (uint8_t)(v >> 8 * i);
}

/* ---- every byte ---- */
static void
every_truncation_is_refused(void **state)
{
	_buf_ struct buf b = { 0 };
	char sentence[256], words[256];

	(void)state;
	assert_ok(sample_make(SAMPLE_SMALL, &b));
	for (size_t n = 0; n < b.len; n++) {
		_free_ char *exact = malloc(n ? n : 1);
		memcpy(exact, b.data, n);
		_err_ struct err *err = open_bytes(exact, n);

		assert_int_equal(err_kind(err),
				 n < 8 ? ERR_FORMAT : ERR_DAMAGED);
		if (n < 8)
			continue;
		snprintf(words, sizeof(words), "unfinished: it ends at offset "
			 "%zu without a trailer", n);
		assert_non_null(strstr(err_text(err), words));
		assert_int_equal(faults_of(exact, n, sentence), 1);
	}
}

static void
every_flipped_byte_is_found(void **state)
{
	_buf_ struct buf b = { 0 };
	char sentence[256];

	(void)state;
	assert_ok(sample_make(SAMPLE_SMALL, &b));
	assert_int_equal(faults_of(b.data, b.len, sentence), 0);
	for (size_t i = 0; i < b.len; i++) {
		uint8_t flip = (uint8_t)(1u << i % 8);

		b.data[i] ^= flip;
		if (!faults_of(b.data, b.len, sentence))
			fail_msg("byte %zu flips unnoticed", i);
		b.data[i] ^= flip;
	}
}

static void
open_and_read(const struct buf *b)
{
	_source_ struct source *src = NULL;
	_snap_ struct snap *s = NULL;
	_buf_ struct buf text = { 0 };

	assert_ok(source_mem(b->data, b->len, "x", &src));
	_err_ struct err *err = snap_open(src, &s);
	if (!err)
		err = snap_dump(s, &text);
}

static void
no_flipped_byte_crashes_the_reader(void **state)
{
	_buf_ struct buf b = { 0 };

	(void)state;
	assert_ok(sample_make(SAMPLE_SMALL, &b));
	for (size_t i = 0; i < b.len; i++) {
		b.data[i] ^= 0xff;
		open_and_read(&b);
		b.data[i] ^= 0xff;
	}
}

static void
bytes_behind_the_trailer_are_refused(void **state)
{
	_buf_ struct buf b = { 0 };

	(void)state;
	assert_ok(sample_make(SAMPLE_SMALL, &b));
	buf_putc(&b, '\0');
	assert_err(open_bytes(b.data, b.len), ERR_DAMAGED, "unfinished");
}

static void
a_fault_names_section_and_offset(void **state)
{
	_craft_ struct craft c;
	uint8_t map[48] = { [8] = 1 };
	char sentence[256];

	(void)state;
	craft_begin(&c, 1, 0);
	craft_table(&c, CRAFT_MAPS, 0, map, 48, 1);
	craft_end(&c);
	c.file.data[100] ^= 1;
	assert_err(open_bytes(c.file.data, c.file.len), ERR_DAMAGED,
		   "snapshot x: section MAPS at offset 64: "
		   "checksum does not match");
	assert_int_equal(faults_of(c.file.data, c.file.len, sentence), 1);
	assert_string_equal(sentence, "section MAPS at offset 64: "
			    "checksum does not match");
}

/* ---- directory ---- */
static void
crafted_files_are_sound_where_nothing_is_wrong(void **state)
{
	_craft_ struct craft c;
	char sentence[256];

	(void)state;
	craft_begin(&c, 1, 0);
	craft_section(&c, &(struct craft_entry){ .type = CRAFT_STRINGS },
		      "\0a", 3);
	assert_ok(open_craft(&c));
	assert_int_equal(faults_of(c.file.data, c.file.len, sentence), 0);
}

/** One section that lies about itself. */
static struct err *
open_lie(struct craft_entry e)
{
	_craft_ struct craft c;

	craft_begin(&c, 1, 0);
	craft_section(&c, &(struct craft_entry){ .type = CRAFT_BLOBS },
		      "0123456789abcdef", 16);
	craft_section(&c, &e, "0123456789abcdef", 16);
	return open_craft(&c);
}

static void
sections_that_lie_about_their_place_are_refused(void **state)
{
	(void)state;
	assert_err(open_lie((struct craft_entry){
		.type = CRAFT_STRINGS, .offset = 64 }), ERR_DAMAGED,
		   "section STRINGS at offset 64: overlaps");
	assert_err(open_lie((struct craft_entry){
		.type = CRAFT_STRINGS, .stored = 64, .raw = 64 }),
		   ERR_DAMAGED, "section STRINGS at offset 80: runs over");
	assert_err(open_lie((struct craft_entry){
		.type = CRAFT_STRINGS, .offset = UINT64_MAX - 15 }),
		   ERR_DAMAGED, "runs over the end");
	assert_err(open_lie((struct craft_entry){
		.type = CRAFT_STRINGS, .offset = 81, .stored = 15,
		.raw = 15 }), ERR_DAMAGED, "not aligned");
	assert_err(open_lie((struct craft_entry){
		.type = CRAFT_STRINGS, .raw = 17 }), ERR_DAMAGED,
		   "two lengths");
}

static void
a_section_that_occurs_twice_is_refused(void **state)
{
	(void)state;
	assert_err(open_lie((struct craft_entry){ .type = CRAFT_BLOBS }),
		   ERR_DAMAGED, "is instance 0, not 1");
	assert_err(open_lie((struct craft_entry){
		.type = CRAFT_BLOBS, .instance = 1 }), ERR_DAMAGED,
		   "is instance 1");
	assert_err(open_lie((struct craft_entry){
		.type = CRAFT_SKELETON, .instance = 1 }), ERR_DAMAGED,
		   "section SKELETON at offset 80: is instance 1, not 0");
}

static void
a_payload_over_the_limit_is_refused_before_it_is_unpacked(void **state)
{
	(void)state;
	assert_err(open_lie((struct craft_entry){
		.type = CRAFT_STRINGS, .flags = 1, .raw = 257u << 20 }),
		   ERR_LIMIT, "more than 256 MiB");
	assert_err(open_lie((struct craft_entry){
		.type = CRAFT_STRINGS, .flags = 1, .raw = UINT64_MAX }),
		   ERR_LIMIT, "more than 256 MiB");
}

static void
many_large_payloads_are_refused_together(void **state)
{
	_craft_ struct craft c;

	(void)state;
	craft_begin(&c, 1, 0);
	for (uint32_t i = 0; i < 5; i++)
		craft_section(&c, &(struct craft_entry){
			.type = CRAFT_SKELETON, .instance = i, .flags = 1,
			.raw = 256u << 20 }, "x", 1);
	assert_err(open_craft(&c), ERR_LIMIT, "1024 MiB in all");
}

static void
a_frame_that_declares_another_size_is_refused(void **state)
{
	/* One frame: single segment, content of 4 bytes, one raw block. */
	static const uint8_t frame[] = {
		0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, 0x21, 0, 0,
		0, 'a', 'b', 0,
	};
	_craft_ struct craft a, b, c;
	uint8_t twice[2 * sizeof(frame)];

	(void)state;
	craft_begin(&a, 1, 0);
	craft_section(&a, &(struct craft_entry){
		.type = CRAFT_STRINGS, .flags = 1, .raw = 4 },
		      frame, sizeof(frame));
	assert_ok(open_craft(&a));

	craft_begin(&b, 1, 0);
	craft_section(&b, &(struct craft_entry){
		.type = CRAFT_STRINGS, .flags = 1, .raw = 1000 },
		      frame, sizeof(frame));
	assert_err(open_craft(&b), ERR_DAMAGED,
		   "zstd frame does not declare 1000 bytes");

	memcpy(twice, frame, sizeof(frame));
	memcpy(twice + sizeof(frame), frame, sizeof(frame));
	craft_begin(&c, 1, 0);
	craft_section(&c, &(struct craft_entry){
		.type = CRAFT_STRINGS, .flags = 1, .raw = 4 },
		      twice, sizeof(twice));
	assert_err(open_craft(&c), ERR_DAMAGED, "not one zstd frame");
}

static void
bytes_between_sections_are_found(void **state)
{
	_craft_ struct craft c;
	char sentence[256];

	(void)state;
	craft_begin(&c, 1, 0);
	craft_section(&c, &(struct craft_entry){ .type = CRAFT_BLOBS },
		      "b", 1);
	buf_puts(&c.file, "hidden in padding");
	craft_section(&c, &(struct craft_entry){ .type = CRAFT_STRINGS },
		      "\0", 1);
	craft_end(&c);
	assert_int_equal(faults_of(c.file.data, c.file.len, sentence), 1);
	assert_string_equal(sentence,
			    "31 bytes at offset 65 belong to no section");
}

/* ---- tables ---- */
/** One record in a table of @type, with 4 bytes of strings and blobs. */
static struct err *
open_record(uint32_t type, const uint8_t *record, uint32_t size)
{
	_craft_ struct craft c;

	craft_begin(&c, 1, 0);
	craft_section(&c, &(struct craft_entry){ .type = CRAFT_STRINGS },
		      "\0ab", 4);
	craft_section(&c, &(struct craft_entry){ .type = CRAFT_BLOBS },
		      "blob", 4);
	craft_table(&c, type, 0, record, size, 1);
	return open_craft(&c);
}

static void
tables_that_do_not_fit_are_refused(void **state)
{
	uint8_t table[16 + 48] = { 0 };
	_craft_ struct craft a, b, c;

	(void)state;
	craft_begin(&a, 1, 0);
	craft_section(&a, &(struct craft_entry){ .type = CRAFT_MAPS }, table,
		      15);
	assert_err(open_craft(&a), ERR_DAMAGED, "too short for a table");

	poke(table, 0, 47, 4);
	craft_begin(&b, 1, 0);
	craft_section(&b, &(struct craft_entry){ .type = CRAFT_MAPS }, table,
		      sizeof(table));
	assert_err(open_craft(&b), ERR_DAMAGED, "records of 47 bytes");

	poke(table, 0, 48, 4);
	poke(table, 4, UINT32_MAX, 4);
	craft_begin(&c, 1, 0);
	craft_section(&c, &(struct craft_entry){ .type = CRAFT_MAPS }, table,
		      sizeof(table));
	assert_err(open_craft(&c), ERR_DAMAGED,
		   "4294967295 records of 48 bytes do not fit in 64");
}

static void
references_out_of_their_sections_are_refused(void **state)
{
	uint8_t process[88] = { 0 }, thread[48] = { 0 }, module[136] = { 0 };

	(void)state;
	poke(process, 80, 3, 4);
	assert_ok(open_record(CRAFT_PROCESS, process, 88));
	poke(process, 80, 4, 4);
	assert_err(open_record(CRAFT_PROCESS, process, 88), ERR_DAMAGED,
		   "process 0: exe lies outside STRINGS");
	poke(thread, 24, 1, 8);
	poke(thread, 32, 3, 8);
	assert_ok(open_record(CRAFT_THREADS, thread, 48));
	poke(thread, 32, 4, 8);
	assert_err(open_record(CRAFT_THREADS, thread, 48), ERR_DAMAGED,
		   "thread 0: siginfo lies outside");
	poke(thread, 24, UINT64_MAX, 8);
	assert_err(open_record(CRAFT_THREADS, thread, 48), ERR_DAMAGED,
		   "thread 0: siginfo lies outside");
	poke(thread, 32, 0, 8);
	poke(thread, 44, 1, 4);
	assert_err(open_record(CRAFT_THREADS, thread, 48), ERR_DAMAGED,
		   "thread 0: regsets lies outside its table");
	poke(module, 52, 0, 4);
	assert_err(open_record(CRAFT_MODULES, module, 136), ERR_DAMAGED,
		   "module 0 refers to a skeleton that is not there");
	poke(module, 52, UINT32_MAX, 4);
	assert_ok(open_record(CRAFT_MODULES, module, 136));
	poke(module, 68, 0x4101, 2);
	assert_err(open_record(CRAFT_MODULES, module, 136), ERR_DAMAGED,
		   "module 0: id is too long");
}

static void
strings_without_end_are_refused(void **state)
{
	_craft_ struct craft c;

	(void)state;
	craft_begin(&c, 1, 0);
	craft_section(&c, &(struct craft_entry){ .type = CRAFT_STRINGS },
		      "\0abc", 4);
	assert_err(open_craft(&c), ERR_DAMAGED,
		   "section STRINGS at offset 64: does not end in a NUL");
}

static void
files_and_their_bytes_must_be_as_many(void **state)
{
	_craft_ struct craft c;

	(void)state;
	craft_begin(&c, 1, 0);
	craft_section(&c, &(struct craft_entry){ .type = CRAFT_FILE_DATA },
		      "x", 1);
	assert_err(open_craft(&c), ERR_DAMAGED, "FILES names 0 files");
}

/* ---- memory ---- */
static void
put_memory(uint8_t *record, uint64_t start, uint64_t length, uint8_t kind)
{
	poke(record, 0, start, 8);
	poke(record, 8, length, 8);
	record[30] = kind;
}

static struct err *
open_memory(const uint8_t *records, uint32_t n)
{
	_craft_ struct craft c;

	craft_begin(&c, 1, 0);
	craft_table(&c, CRAFT_MEMORY, 0, records, 32, n);
	return open_craft(&c);
}

static void
ranges_that_overlap_or_wrap_are_refused(void **state)
{
	uint8_t m[64] = { 0 };

	(void)state;
	put_memory(m, 0x1000, 0x1000, SNAP_MEM_ZERO);
	put_memory(m + 32, 0x2000, 0x1000, SNAP_MEM_ZERO);
	assert_ok(open_memory(m, 2));
	put_memory(m + 32, 0x1fff, 0x1000, SNAP_MEM_ZERO);
	assert_err(open_memory(m, 2), ERR_DAMAGED,
		   "memory 1 begins below the end of the one before");
	put_memory(m, 0x1000, 0, SNAP_MEM_ZERO);
	assert_err(open_memory(m, 1), ERR_DAMAGED, "memory 0 is empty");
	put_memory(m, 1, UINT64_MAX, SNAP_MEM_ZERO);
	assert_err(open_memory(m, 1), ERR_DAMAGED, "end of the address");
}

static void
ranges_that_refer_to_nothing_are_refused(void **state)
{
	uint8_t m[32] = { 0 };

	(void)state;
	put_memory(m, 0x1000, 0x1000, SNAP_MEM_DATA);
	assert_err(open_memory(m, 1), ERR_DAMAGED, "chunks that are not");
	put_memory(m, 0x1000, 0x1000, SNAP_MEM_FILE);
	assert_err(open_memory(m, 1), ERR_DAMAGED, "module that is not");
	put_memory(m, 0, UINT64_MAX, SNAP_MEM_DATA);
	poke(m, 24, UINT32_MAX, 4);
	assert_err(open_memory(m, 1), ERR_DAMAGED, "chunks that are not");
}

static void
frames_in_modules_that_are_not_there_are_refused(void **state)
{
	uint8_t frame[56] = { 0 };

	(void)state;
	assert_err(open_record(CRAFT_FRAMES, frame, 56), ERR_DAMAGED,
		   "frame 0 refers to a module that is not there");
}

/* A chunk and a range of its length, told as @chunk says. */
struct told {
	uint64_t offset;
	uint32_t stored, raw;
	uint64_t length;
};

/** Read and check a file with one chunk; the fault is in @sentence. */
static struct err *
read_chunk(const struct told *t, char *sentence)
{
	/* Content of 4 bytes as one raw block. */
	static const uint8_t frame[] = {
		0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, 0x21, 0, 0,
		'd', 'a', 't', 'a',
	};
	uint8_t chunk[64] = { 0 }, range[32] = { 0 }, out[64];
	_craft_ struct craft c;
	_source_ struct source *src = NULL;
	_snap_ struct snap *s = NULL;
	size_t n;

	poke(chunk, 0, t->offset, 8);
	poke(chunk, 8, t->stored, 4);
	poke(chunk, 12, t->raw, 4);
	hash_xxh128(frame, sizeof(frame), chunk + 16);
	assert_ok(hash_sha256(frame, sizeof(frame), chunk + 32));
	put_memory(range, 0x1000, t->length, SNAP_MEM_DATA);
	craft_begin(&c, 1, 0);
	craft_section(&c, &(struct craft_entry){ .type = CRAFT_CHUNK_DATA },
		      frame, sizeof(frame));
	craft_table(&c, CRAFT_CHUNKS, CHUNKS_PARAMETER, chunk, 64, 1);
	craft_table(&c, CRAFT_MEMORY, 0, range, 32, 1);
	craft_end(&c);
	faults_of(c.file.data, c.file.len, sentence);
	assert_ok(source_mem(c.file.data, c.file.len, "x", &src));
	assert_ok(snap_open(src, &s));
	return snap_read(s, snap_memory(s, &n), 0, 1, out);
}

static void
chunks_that_lie_are_found_when_they_are_read(void **state)
{
	char sentence[256];

	(void)state;
	assert_ok(read_chunk(&(struct told){ 64, 13, 4, 4 }, sentence));
	assert_string_equal(sentence, "");
	assert_err(read_chunk(&(struct told){ 63, 13, 4, 4 }, sentence),
		   ERR_DAMAGED, "chunk 0 lies outside CHUNK_DATA");
	assert_non_null(strstr(sentence, "chunk 0 lies outside CHUNK_DATA"));
	assert_err(read_chunk(&(struct told){ 65, 13, 4, 4 }, sentence),
		   ERR_DAMAGED, "chunk 0 lies outside CHUNK_DATA");
	assert_err(read_chunk(&(struct told){ 64, 12, 4, 4 }, sentence),
		   ERR_DAMAGED, "checksum does not match");
	assert_err(read_chunk(&(struct told){ 64, 13, 5, 5 }, sentence),
		   ERR_DAMAGED, "does not declare 5 bytes");
	assert_err(read_chunk(&(struct told){ 64, 13, 4, 5 }, sentence),
		   ERR_DAMAGED, "chunk 0 has 4 bytes, not 5");
	assert_string_equal(sentence, "section MEMORY at offset 160: memory "
			    "at 0x1000: chunk 0 has 4 bytes, not 5");
	assert_err(read_chunk(&(struct told){ 64, 13, 16385, 4 }, sentence),
		   ERR_DAMAGED, "impossible lengths");
	assert_err(read_chunk(&(struct told){ 64, 13, 0, 4 }, sentence),
		   ERR_DAMAGED, "impossible lengths");
}

static void
a_damaged_chunk_leaves_the_callers_buffer_alone(void **state)
{
	_buf_ struct buf b = { 0 };
	_snap_writer_ struct snap_writer *w = NULL;
	_source_ struct source *src = NULL;
	_snap_ struct snap *s = NULL;
	_arena_ struct arena *a = arena_new(0);
	const struct snap_piece *pieces;
	uint8_t bytes[2 * SNAP_CHUNK];
	size_t n;

	(void)state;
	memset(bytes, 'a', sizeof(bytes));
	assert_ok(snap_writer_new(sample_sink, &b, 0, &w));
	assert_ok(snap_put_memory(w, 0x4000, bytes, SNAP_CHUNK, 0));
	memset(bytes, 'b', sizeof(bytes));
	assert_ok(snap_put_memory(w, 0x8000, bytes, SNAP_CHUNK, 0));
	assert_ok(snap_writer_close(w));
	assert_ok(source_mem(b.data, b.len, "x", &src));
	assert_ok(snap_open(src, &s));
	assert_ok(snap_pieces(s, a, &pieces, &n));
	while (n && pieces[n - 1].kind != SNAP_PIECE_CHUNK)
		n--;
	assert_true(n > 1);
	b.data[pieces[n - 1].offset] ^= 1;
	assert_err(snap_read(s, snap_memory(s, &n), 0, sizeof(bytes), bytes),
		   ERR_DAMAGED, "memory at 0x8000: chunk 1 at offset");
	for (size_t i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], 'b');
}

static void
a_damaged_skeleton_is_refused_each_time(void **state)
{
	uint8_t payload[16 + 24 + 100] = { 0 };
	const struct snap_extent *e;
	_craft_ struct craft c;
	_source_ struct source *src = NULL;
	_snap_ struct snap *s = NULL;
	size_t n;

	(void)state;
	poke(payload, 0, 24, 4);
	poke(payload, 4, 1, 4);
	poke(payload, 16 + 8, 40, 8);
	poke(payload, 16 + 16, 101, 8);
	craft_begin(&c, 1, 0);
	craft_section(&c, &(struct craft_entry){ .type = CRAFT_SKELETON },
		      payload, sizeof(payload));
	craft_end(&c);
	assert_ok(source_mem(c.file.data, c.file.len, "x", &src));
	assert_ok(snap_open(src, &s));
	for (size_t i = 0; i < 3; i++)
		assert_err(snap_skeleton(s, 0, &e, &n), ERR_DAMAGED,
			   "section SKELETON at offset 64: extent 0: bytes "
			   "lies outside");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(every_flipped_byte_is_found),
		cmocka_unit_test(no_flipped_byte_crashes_the_reader),
		cmocka_unit_test(bytes_behind_the_trailer_are_refused),
		cmocka_unit_test(a_fault_names_section_and_offset),
		cmocka_unit_test(crafted_files_are_sound_where_nothing_is_wrong),
		cmocka_unit_test(sections_that_lie_about_their_place_are_refused),
		cmocka_unit_test(a_section_that_occurs_twice_is_refused),
		cmocka_unit_test(
			a_payload_over_the_limit_is_refused_before_it_is_unpacked),
		cmocka_unit_test(many_large_payloads_are_refused_together),
		cmocka_unit_test(a_frame_that_declares_another_size_is_refused),
		cmocka_unit_test(bytes_between_sections_are_found),
		cmocka_unit_test(tables_that_do_not_fit_are_refused),
		cmocka_unit_test(references_out_of_their_sections_are_refused),
		cmocka_unit_test(strings_without_end_are_refused),
		cmocka_unit_test(files_and_their_bytes_must_be_as_many),
		cmocka_unit_test(ranges_that_overlap_or_wrap_are_refused),
		cmocka_unit_test(ranges_that_refer_to_nothing_are_refused),
		cmocka_unit_test(frames_in_modules_that_are_not_there_are_refused),
		cmocka_unit_test(chunks_that_lie_are_found_when_they_are_read),
		cmocka_unit_test(a_damaged_chunk_leaves_the_callers_buffer_alone),
		cmocka_unit_test(a_damaged_skeleton_is_refused_each_time),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
