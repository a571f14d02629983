/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of a store that were cut or changed, and what ended processes left:
 * damage is told, objects are named, and no signal comes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store-on.h"
#include "temp-tree.h"

#define META "projects/p/meta.mdb"

static void
keep_fault(void *arg, const char *sentence)
{
	buf_printf(arg, "%s\n", sentence);
}

/* ---- T12: LMDB checks nothing ---- */
static void
a_cut_file_is_refused_or_whole(void **state)
{
	const char *dir = *state;
	struct store *s = on_open(dir, 0, 256 << 10);
	_buf_ struct buf whole = { 0 };
	struct store_ref ref[12];
	unsigned refused = 0;

	for (uint64_t i = 0; i < countof(ref); i++)
		ref[i] = on_put(s, "p", i);
	/* Then some pages at the end may be free ones. */
	for (size_t i = 3; i < countof(ref); i++)
		assert_ok(store_rm(s, &ref[i]));
	store_free(s);
	on_load(dir, META, &whole);
	for (size_t n = 0; n < whole.len; n += 2000) {
		struct err *err;

		on_save(dir, META, &whole, whole.len - 1 - n);
		s = on_open(dir, 0, 0);
		err = make_and_check(s, &ref[0], 0, ON_SIZE);
		refused += err != NULL;
		if (err)
			assert_err(err, ERR_DAMAGED, "meta.mdb");
		store_free(s);
	}
	assert_true(refused > 10);
	on_save(dir, META, &whole, whole.len);
	buf_reset(&whole);
	assert_int_equal(on_faults(dir, &whole), 0);
}

/* Where a meta page says which page is the last; lmdb 0.9, MDB_meta. */
#define LAST_PAGE_AT 136u
#define PAGE 4096u

/**
 * LMDB does not write a page that one transaction took and gave back, though
 * it may be the last one: a process that ends right then leaves such a file.
 */
static void
a_file_that_lacks_only_unused_pages_is_whole(void **state)
{
	const char *dir = *state;
	struct store *s = on_open(dir, 0, 0);
	struct store_ref ref = on_put(s, "p", 1);
	_buf_ struct buf text = { 0 };

	store_free(s);
	uint64_t pages = on_size(dir, META) / PAGE, last = pages + 1;
	on_write(dir, META, LAST_PAGE_AT, &last, sizeof(last));
	on_write(dir, META, PAGE + LAST_PAGE_AT, &last, sizeof(last));
	s = on_open(dir, 0, 0);
	on_check(s, &ref, 1);
	assert_int_equal(on_size(dir, META), (last + 1) * PAGE);
	on_put(s, "p", 2);
	store_free(s);
	assert_int_equal(on_faults(dir, &text), 0);
}

static void
an_empty_or_missing_file_is_no_new_store(void **state)
{
	const char *dir = *state;
	struct store *s = on_open(dir, 0, 0);
	_buf_ struct buf whole = { 0 };
	struct store_added added;
	char path[PATH_MAX];

	on_put(s, "p", 1);
	store_free(s);
	on_load(dir, META, &whole);
	on_save(dir, META, &whole, 0);
	s = on_open(dir, 0, 0);
	assert_err(make_and_put(s, "p", 2, ON_SIZE, &added), ERR_DAMAGED,
		   "is cut");
	on_path(dir, META, path);
	unlink(path);
	assert_err(make_and_put(s, "p", 2, ON_SIZE, &added), ERR_DAMAGED,
		   "is missing");
	store_free(s);
}

static void
a_changed_byte_is_found_and_its_object_named(void **state)
{
	const char *dir = *state;
	const char *const part = "projects/p/blob/0001.part";
	struct store *s = on_open(dir, 0, 0);
	_buf_ struct buf whole = { 0 }, text = { 0 };
	struct store_ref ref = on_put(s, "p", 40);
	uint64_t random = 7;

	store_free(s);
	on_load(dir, part, &whole);
	for (unsigned i = 0; i < 20; i++) {
		struct store_verified v;
		char changed;
		size_t at;

		random = random * 6364136223846793005 + 1;
		at = (random >> 20) % (ON_SIZE - 100);
		changed = whole.data[at] ^ (char)(1 << random % 8);
		on_write(dir, part, at, &changed, 1);
		s = on_open(dir, 0, 0);
		buf_reset(&text);
		assert_ok(store_verify(s, NULL, keep_fault, &text, &v));
		assert_true(v.faults >= 1);
		assert_non_null(strstr(text.data, "0001.part: the "));
		if (strstr(text.data, "do not fit their hash")) {
			assert_non_null(strstr(text.data, "object p/1 "));
			assert_err(make_and_check(s, &ref, 40, ON_SIZE),
				   ERR_DAMAGED, "object p/1 ");
		}
		store_free(s);
		on_write(dir, part, at, &whole.data[at], 1);
	}
	assert_int_equal(on_faults(dir, &text), 0);
}

static void
a_changed_byte_of_the_tables_never_gives_another_file(void **state)
{
	const char *dir = *state;
	struct store *s = on_open(dir, 0, 0);
	_buf_ struct buf whole = { 0 }, text = { 0 };
	struct store_ref ref;
	uint64_t random = 11;

	for (uint64_t i = 0; i < 6; i++)
		ref = on_put(s, "p", 4 * i);
	store_free(s);
	on_load(dir, META, &whole);
	for (unsigned i = 0; i < 60; i++) {
		size_t at;

		random = random * 6364136223846793005 + 1;
		at = (random >> 20) % whole.len;
		on_write(dir, META, at, "\xa5\x5a\xff\x01", 4);
		/* Whatever it says, this process goes on. */
		buf_reset(&text);
		s = on_open(dir, 0, 0);
		struct store_verified v;
		err_free(store_verify(s, NULL, keep_fault, &text, &v));
		store_free(s);
		on_save(dir, META, &whole, whole.len);
	}
	s = on_open(dir, 0, 0);
	on_check(s, &ref, 20);
	store_free(s);
}

static void
a_cut_partition_is_damage_and_no_signal(void **state)
{
	const char *dir = *state;
	const char *const part = "projects/p/blob/0001.part";
	struct store *s = on_open(dir, 0, 0);
	struct store_ref first = on_put(s, "p", 1), second = on_put(s, "p", 9);
	_buf_ struct buf whole = { 0 }, text = { 0 };

	on_load(dir, part, &whole);
	on_save(dir, part, &whole, whole.len - 10000);
	on_check(s, &first, 1);
	assert_err(make_and_check(s, &second, 9, ON_SIZE), ERR_DAMAGED,
		   "0001.part is cut");
	store_free(s);
	assert_true(on_faults(dir, &text) > 1);
	assert_non_null(strstr(text.data, "object p/2 "));
}

/* ---- what a process that ended leaves ---- */
static void
a_project_that_was_not_finished_is_swept_away(void **state)
{
	const char *dir = *state;
	struct store *s = on_open(dir, 0, 0);
	char path[PATH_MAX];

	on_put(s, "p", 1);
	store_free(s);
	/* No process has this number. */
	on_path(dir, "projects/.new-4194999/blob", path);
	temp_tree_put(dir, "/projects/.new-4194999/meta.mdb", "half");
	assert_int_equal(mkdir(path, 0700), 0);
	s = on_open(dir, 0, 0);
	on_path(dir, "projects/.new-4194999", path);
	assert_int_equal(access(path, F_OK), -1);
	store_free(s);
}

static void
what_a_failed_put_left_is_swept_away(void **state)
{
	const char *dir = *state;
	struct store *s = on_open(dir, 0, 0);
	struct store_gc gc;

	on_put(s, "p", 1);
	uint64_t size = on_size(dir, "projects/p/blob/0001.part");
	store_free(s);
	/* As if it had been killed behind its writes. */
	temp_tree_put(dir, "/projects/p/blob/0002.part", "stray");
	on_write(dir, "projects/p/blob/0001.part", size, "garbage", 7);
	s = on_open(dir, 0, 0);
	assert_ok(store_collect(s, NULL, NULL, NULL, &gc));
	assert_int_equal(on_entries(dir, "projects/p/blob"), 1);
	assert_int_equal(on_size(dir, "projects/p/blob/0001.part"), size);
	on_put(s, "p", 2);
	store_free(s);
}

static void
files_are_for_their_owner_only(void **state)
{
	static const char *const names[] = {
		"lock", "projects", "projects/p", "projects/p/meta.mdb",
		"projects/p/meta.mdb-lock", "projects/p/blob",
		"projects/p/blob/0001.part",
	};
	const char *dir = *state;
	struct store *s;
	char path[PATH_MAX];
	struct stat st;

	umask(0);
	s = on_open(dir, 0, 0);
	on_put(s, "p", 1);
	for (size_t i = 0; i < countof(names); i++) {
		on_path(dir, names[i], path);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 077, 0);
	}
	store_free(s);
}

static void
a_store_that_is_not_there_is_not_found(void **state)
{
	const struct store_options o = { .create = false };
	char path[PATH_MAX];
	struct store *s = NULL;

	on_path(*state, "none", path);
	assert_err(store_open(path, &o, &s), ERR_NOTFOUND,
		   "there is no store in");
	assert_err(store_open("", &o, &s), ERR_USAGE, "needs a directory");
}

#define in_tree(test) \
	cmocka_unit_test_setup_teardown(test, temp_tree_setup, \
					temp_tree_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		in_tree(a_cut_file_is_refused_or_whole),
		in_tree(a_file_that_lacks_only_unused_pages_is_whole),
		in_tree(an_empty_or_missing_file_is_no_new_store),
		in_tree(a_changed_byte_is_found_and_its_object_named),
		in_tree(a_changed_byte_of_the_tables_never_gives_another_file),
		in_tree(a_cut_partition_is_damage_and_no_signal),
		in_tree(a_project_that_was_not_finished_is_swept_away),
		in_tree(what_a_failed_put_left_is_swept_away),
		in_tree(files_are_for_their_owner_only),
		in_tree(a_store_that_is_not_there_is_not_found),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
