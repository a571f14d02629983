/* SPDX-License-Identifier: Apache-2.0 */
/* What a jailed reader tells of a snapshot, and how much of it is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "serve/serve.h"
#include "tests/unit/assert-err.h"
#include "tests/unit/snap-sample.h"

struct told {
	struct buf file, record;
	struct arena *arena;
	struct store_put put;
};

static int
told_setup(void **state)
{
	struct told *t = calloc(1, sizeof(*t));

	t->arena = arena_new(0);
	*state = t;
	return t->arena ? 0 : -1;
}

static int
told_teardown(void **state)
{
	struct told *t = *state;

	arena_free(t->arena);
	buf_fini(&t->file);
	buf_fini(&t->record);
	free(t);
	return 0;
}

static struct err *
told_describe(struct told *t)
{
	_source_ struct source *src = NULL;

	assert_ok(source_mem(t->file.data, t->file.len, "sample", &src));
	return ingest_describe(src, &t->record);
}

static struct err *
told_read(struct told *t)
{
	const struct span record = { t->record.data, t->record.len };

	return ingest_read(record, t->arena, &t->put);
}

static const struct snap_attr *
told_attr(const struct told *t, const char *key)
{
	for (size_t k = 0; k < t->put.n_attrs; k++) {
		if (strcmp(t->put.attrs[k].key, key) == 0)
			return &t->put.attrs[k];
	}
	return NULL;
}

/* ---- snapshots ---- */

static void
pieces_cover_the_file(void **state)
{
	struct told *t = *state;
	uint64_t at = 0, chunks = 0;

	assert_ok(sample_make(SAMPLE_LARGE, &t->file));
	assert_ok(told_describe(t));
	assert_ok(told_read(t));
	for (size_t k = 0; k < t->put.n_pieces; k++) {
		assert_int_equal(t->put.pieces[k].offset, at);
		at += t->put.pieces[k].length;
		chunks += t->put.pieces[k].kind == SNAP_PIECE_CHUNK;
	}
	assert_int_equal(at, t->file.len);
	assert_true(chunks > 1);
}

static void
the_snapshot_s_own_attributes_are_all_there(void **state)
{
	struct told *t = *state;
	_source_ struct source *src = NULL;
	_snap_ struct snap *snap = NULL;
	size_t n;

	assert_ok(sample_make(SAMPLE_SMALL, &t->file));
	assert_ok(told_describe(t));
	assert_ok(told_read(t));
	assert_ok(source_mem(t->file.data, t->file.len, "sample", &src));
	assert_ok(snap_open(src, &snap));
	const struct snap_attr *attrs = snap_attrs(snap, &n);
	assert_true(n > 0 && t->put.n_attrs > n);
	for (size_t k = 0; k < n; k++) {
		const struct snap_attr *a = &t->put.attrs[k];
		assert_string_equal(a->key, attrs[k].key);
		assert_int_equal(a->type, attrs[k].type);
		if (a->type == SNAP_ATTR_STRING)
			assert_string_equal(a->string, attrs[k].string);
		else
			assert_int_equal(a->number, attrs[k].number);
	}
}

static struct err *
put_process(struct told *t, const struct snap_process *p,
	    const struct snap_attr *attr)
{
	_snap_writer_ struct snap_writer *w = NULL;
	struct err *err = snap_writer_new(sample_sink, &t->file, 0, &w);

	if (!err)
		err = snap_put_process(w, p);
	if (!err && attr)
		err = snap_put_attr(w, attr);
	return err ? err : snap_writer_close(w);
}

static void
what_is_certain_of_the_process_becomes_attributes(void **state)
{
	static const struct snap_process process = {
		.machine = 62, .os = SNAP_OS_LINUX, .bits = 64, .pid = 1234,
		.signal = 11, .name = "short", .exe = "/opt/x/longer",
		.cwd = "/srv", .captured_ns = 5000000001u,
	};
	struct told *t = *state;

	assert_ok(put_process(t, &process, NULL));
	assert_ok(told_describe(t));
	assert_ok(told_read(t));
	assert_string_equal(told_attr(t, "application")->string, "longer");
	assert_int_equal(told_attr(t, "pid")->number, 1234);
	assert_int_equal(told_attr(t, "signal")->number, 11);
	assert_string_equal(told_attr(t, "error.type")->string, "SIGSEGV");
	assert_string_equal(told_attr(t, "process.cwd")->string, "/srv");
	assert_string_equal(told_attr(t, "cpu.arch")->string, "x86_64");
	assert_int_equal(told_attr(t, "timestamp")->number, 5);
}

static void
what_is_not_known_is_not_made_up(void **state)
{
	static const struct snap_process process = { .os = SNAP_OS_LINUX };
	struct told *t = *state;

	assert_ok(put_process(t, &process, NULL));
	assert_ok(told_describe(t));
	assert_ok(told_read(t));
	assert_null(told_attr(t, "application"));
	assert_null(told_attr(t, "pid"));
	assert_null(told_attr(t, "error.type"));
	assert_null(told_attr(t, "timestamp"));
	assert_null(told_attr(t, "hostname"));
}

static void
an_attribute_of_the_snapshot_is_not_replaced(void **state)
{
	static const struct snap_process process = { .name = "name" };
	static const struct snap_attr attr = {
		"application", SNAP_ATTR_STRING, "mine", 0
	};
	struct told *t = *state;

	assert_ok(put_process(t, &process, &attr));
	assert_ok(told_describe(t));
	assert_ok(told_read(t));
	assert_string_equal(told_attr(t, "application")->string, "mine");
}

static void
what_is_no_snapshot_is_not_described(void **state)
{
	struct told *t = *state;

	buf_puts(&t->file, "no snapshot, but long enough to be one of the "
		 "smallest that there may ever be");
	assert_err(told_describe(t), ERR_FORMAT, "sample");
	assert_int_equal(t->record.len, 0);
}

/* ---- hostile records ---- */

static void
every_shortened_record_is_refused(void **state)
{
	struct told *t = *state;
	size_t whole;

	assert_ok(sample_make(SAMPLE_SMALL, &t->file));
	assert_ok(told_describe(t));
	whole = t->record.len;
	for (size_t n = 0; n < whole; n++) {
		t->record.len = n;
		assert_err(told_read(t), ERR_DAMAGED, "no description");
		assert_null(t->put.pieces);
		assert_null(t->put.attrs);
	}
	t->record.len = whole;
	buf_putc(&t->record, 0);
	assert_err(told_read(t), ERR_DAMAGED, "does not end");
}

static void
begin_record(struct buf *b, uint32_t pieces, uint32_t attrs)
{
	buf_put(b, "ingest1", 8);
	buf_u32(b, pieces);
	buf_u32(b, attrs);
}

static void
counts_beyond_the_record_allocate_nothing(void **state)
{
	struct told *t = *state;

	begin_record(&t->record, UINT32_MAX, 0);
	assert_err(told_read(t), ERR_DAMAGED, "fewer pieces");
	buf_reset(&t->record);
	begin_record(&t->record, 0, UINT32_MAX);
	assert_err(told_read(t), ERR_DAMAGED, "too many attributes");
	assert_true(arena_used(t->arena) < 64);
}

static void
pieces_that_cannot_be_are_refused(void **state)
{
	static const struct {
		uint64_t length[2];
		char kind;
	} cases[] = {
		{ { 0, 1 }, 0 }, { { 1, UINT64_MAX }, 0 }, { { 1, 1 }, 3 },
	};
	struct told *t = *state;

	for (size_t k = 0; k < countof(cases); k++) {
		buf_reset(&t->record);
		begin_record(&t->record, 2, 0);
		for (size_t n = 0; n < 2; n++) {
			buf_u64(&t->record, cases[k].length[n]);
			buf_putc(&t->record, cases[k].kind);
		}
		assert_err(told_read(t), ERR_DAMAGED, "a piece that");
	}
}

static void
put_attr(struct buf *b, char type, const char *key, const char *string)
{
	buf_putc(b, type);
	buf_u64(b, 0);
	buf_put(b, key, strlen(key) + 1);
	if (string)
		buf_put(b, string, strlen(string) + 1);
}

static void
attributes_that_cannot_be_are_refused(void **state)
{
	struct told *t = *state;
	char key[300];

	memset(key, 'k', sizeof(key));
	key[sizeof(key) - 1] = '\0';
	const struct {
		char type;
		const char *key, *string;
	} cases[] = {
		{ 0, "key", NULL }, { 6, "key", NULL },
		{ SNAP_ATTR_U64, "", NULL }, { SNAP_ATTR_U64, key, NULL },
		{ SNAP_ATTR_STRING, "key", NULL },
	};
	for (size_t k = 0; k < countof(cases); k++) {
		buf_reset(&t->record);
		begin_record(&t->record, 0, 1);
		put_attr(&t->record, cases[k].type, cases[k].key,
			 cases[k].string);
		assert_err(told_read(t), ERR_DAMAGED, "an attribute that");
	}
}

#define with_told(test) \
	cmocka_unit_test_setup_teardown(test, told_setup, told_teardown)

/* ---- symbol files ---- */
static const char *
told_word(const struct told *t, const char *key)
{
	for (size_t k = 0; k < t->put.n_attrs; k++)
		if (strcmp(t->put.attrs[k].key, key) == 0)
			return t->put.attrs[k].string;
	return NULL;
}

static void
a_program_is_told_by_its_build_id(void **state)
{
	_source_ struct source *src = NULL;
	struct told *t = *state;
	const struct store_object object = { .size = 1 };

	assert_ok(source_fd(open("/proc/self/exe", O_RDONLY | O_CLOEXEC),
			    "dir/program", &src));
	assert_ok(ingest_describe(src, &t->record));
	assert_ok(told_read(t));
	assert_int_equal(t->put.n_pieces, 1);
	assert_int_equal(t->put.pieces[0].length, source_size(src));
	assert_true(strlen(told_word(t, STORE_SYMBOLS_ID)) >= 16);
	assert_string_equal(told_word(t, "application"), "program");
	struct store_object o = object;
	o.attrs = t->put.attrs;
	o.n_attrs = t->put.n_attrs;
	assert_true(store_is_symbols(&o));
}

static void
a_cut_program_is_refused(void **state)
{
	_source_ struct source *src = NULL, *cut = NULL;
	struct told *t = *state;
	struct span bytes;

	assert_ok(source_fd(open("/proc/self/exe", O_RDONLY | O_CLOEXEC),
			    "program", &src));
	assert_ok(source_load(src, 0, 4096, 4096, t->arena, &bytes));
	assert_ok(source_mem(bytes.data, bytes.n, "program", &cut));
	assert_err(ingest_describe(cut, &t->record), ERR_DAMAGED, "is cut");
	assert_int_equal(t->record.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_told(pieces_cover_the_file),
		with_told(the_snapshot_s_own_attributes_are_all_there),
		with_told(what_is_certain_of_the_process_becomes_attributes),
		with_told(what_is_not_known_is_not_made_up),
		with_told(an_attribute_of_the_snapshot_is_not_replaced),
		with_told(what_is_no_snapshot_is_not_described),
		with_told(every_shortened_record_is_refused),
		with_told(counts_beyond_the_record_allocate_nothing),
		with_told(pieces_that_cannot_be_are_refused),
		with_told(attributes_that_cannot_be_are_refused),
		with_told(a_program_is_told_by_its_build_id),
		with_told(a_cut_program_is_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
