/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What LMDB leaves to whoever uses it: each trap that a store on disk has to
 * know, as a test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store-on.h"
#include "store/backend.h"
#include "store/place.h"
#include "temp-tree.h"

#define META "projects/p/meta.mdb"

/** @run in a process of its own; its exit status is 0 if it returned. */
static pid_t
apart(void (*run)(void *arg), void *arg)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		run(arg);
		_exit(0);
	}
	return pid;
}

static void
assert_ended_well(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- T2: small values on pages of their own would cost 40 % ---- */
static void
what_is_kept_takes_little_more_than_its_bytes(void **state)
{
	const char *dir = *state;
	_store_ struct store *s = on_open(dir, 0, 0);
	struct store_added added;
	uint64_t payload = 0, disk;

	assert_ok(make_and_put(s, "p", 1, 8 << 20, &added));
	payload += added.added;
	assert_ok(make_and_put(s, "p", 2, 8 << 20, &added));
	payload += added.added;
	disk = on_size(dir, META) + on_size(dir, "projects/p/blob/0001.part");
	if (disk * 100 > payload * 108)
		fail_msg("%llu bytes for %llu", (unsigned long long)disk,
			 (unsigned long long)payload);
}

/* ---- T3: keys end at 511 bytes; not on network file systems ---- */
static void
the_longest_names_fit_into_a_key(void **state)
{
	_store_ struct store *s = on_open(*state, 0, 0);
	char name[STORE_NAME_MAX + 1];
	const struct store_sidecar c = { name, name, UINT32_MAX, { "x", 1 } };
	struct store_added added;

	memset(name, 'n', STORE_NAME_MAX);
	name[STORE_NAME_MAX] = '\0';
	assert_ok(make_and_put(s, name, 1, ON_SIZE, &added));
	assert_ok(store_put_sidecar(s, &added.ref, &c));
	assert_ok(make_and_check(s, &added.ref, 1, ON_SIZE));
}

static void
file_systems_of_other_machines_are_refused(void **state)
{
	(void)state;
	assert_string_equal(place_refusal(NFS_SUPER_MAGIC), "NFS");
	assert_string_equal(place_refusal(V9FS_MAGIC), "9p");
	assert_string_equal(place_refusal(FUSE_SUPER_MAGIC), "FUSE");
	/* f_type is signed on some machines, and CIFS has the top bit. */
	assert_string_equal(place_refusal((uint64_t)(int32_t)0xff534d42),
			    "CIFS");
	assert_null(place_refusal(EXT4_SUPER_MAGIC));
	assert_null(place_refusal(TMPFS_MAGIC));
	assert_null(place_refusal(XFS_SUPER_MAGIC));
}

/* ---- T4: another version of LMDB, or of the store ---- */
static void
a_file_of_another_lmdb_is_refused_with_both_versions(void **state)
{
	const char *dir = *state;
	const uint32_t newer = 2;
	struct store *s = on_open(dir, 0, 0);

	on_put(s, "p", 1);
	store_free(s);
	/* mm_version of the first meta page: page header 16, magic 4. */
	on_write(dir, META, 20, &newer, 4);
	s = on_open(dir, 0, 0);
	assert_err(store_list(s, "p", on_count, NULL), ERR_UNSUPPORTED,
		   "LMDB 0.9");
	store_free(s);
}

static struct err *
format_write(struct txn *t, void *arg)
{
	return txn_put(t, TABLE_STATE, (struct span){ "format", 6 },
		       *(const struct span *)arg);
}

static void
a_store_of_another_version_is_refused_with_both(void **state)
{
	const char *dir = *state;
	const struct store_options o = { .create = true };
	struct span format = { "\2\0\0\0LMDB 9.9 with pages of 65536 bytes",
			       39 };
	struct backend *b = NULL;
	struct db *db = NULL;
	struct store *s = on_open(dir, 0, 0);

	on_put(s, "p", 1);
	store_free(s);
	assert_ok(backend_lmdb_open(dir, &o, &b));
	assert_ok(b->ops->open(b, "p", NULL, &db));
	assert_ok(db_write(db, format_write, &format));
	b->ops->close(db);
	b->ops->free(b);
	s = on_open(dir, 0, 0);
	assert_err(store_list(s, "p", on_count, NULL), ERR_UNSUPPORTED,
		   "is a store of version 2 (LMDB 9.9 with pages of 65536 "
		   "bytes); this program reads version 1 (LMDB 0.9 with pages "
		   "of ");
	store_free(s);
}

/* ---- T6: files never shrink, so they are unlinked ---- */
static void
partitions_without_objects_are_unlinked(void **state)
{
	const char *dir = *state;
	_store_ struct store *s = on_open(dir, 0, 256 << 10);
	struct store_ref ref[8];
	struct store_gc gc;

	for (uint64_t i = 0; i < countof(ref); i++)
		ref[i] = on_put(s, "p", i);
	assert_true(on_entries(dir, "projects/p/blob") > 1);
	for (size_t i = 0; i < countof(ref); i++)
		assert_ok(store_rm(s, &ref[i]));
	assert_ok(store_collect(s, NULL, NULL, NULL, &gc));
	assert_int_equal(on_entries(dir, "projects/p/blob"), 0);
}

/* ---- T7: a reader that stays blocks the reuse of pages ---- */
static void
an_open_source_does_not_let_the_file_grow(void **state)
{
	const char *dir = *state;
	_store_ struct store *s = on_open(dir, 0, 0);
	struct store_ref kept = on_put(s, "p", 1);
	_source_ struct source *src = NULL;
	uint64_t settled = 0;
	char byte;

	assert_ok(store_source(s, &kept, &src));
	assert_ok(source_read(src, 0, 1, &byte));
	for (uint64_t i = 0; i < 150; i++) {
		struct store_ref ref = on_put(s, "p", 100 + i);

		assert_ok(store_rm(s, &ref));
		if (i == 30)
			settled = on_size(dir, META);
	}
	assert_ok(source_read(src, ON_SIZE - 1, 1, &byte));
	assert_true(on_size(dir, META) * 10 <= settled * 11);
}

/* ---- T8: readers that were killed keep their slots ---- */
struct reader {
	const char *dir;
	int ready;
};

static struct err *
wait_to_be_killed(struct txn *t, void *arg)
{
	struct reader *r = arg;
	struct span value;

	err_free(txn_get(t, TABLE_STATE, (struct span){ "format", 6 },
			 &value));
	if (write(r->ready, "r", 1) == 1)
		pause();
	return NULL;
}

static void
read_until_killed(void *arg)
{
	struct reader *r = arg;
	const struct store_options o = { .create = true };
	struct backend *b = NULL;
	struct db *db = NULL;
	struct err *err = backend_lmdb_open(r->dir, &o, &b);

	if (!err)
		err = b->ops->open(b, "p", NULL, &db);
	if (!err)
		err = db_read(db, wait_to_be_killed, r);
	_exit(err ? 1 : 0);
}

static void
killed_readers_do_not_let_the_file_grow(void **state)
{
	const char *dir = *state;
	_store_ struct store *s = on_open(dir, 0, 0);
	struct reader r = { .dir = dir };
	uint64_t before;
	int ends[2];
	char c;

	on_put(s, "p", 1);
	assert_int_equal(pipe(ends), 0);
	r.ready = ends[1];
	before = on_size(dir, META);
	for (uint64_t i = 0; i < 200; i++) {
		pid_t pid = apart(read_until_killed, &r);
		struct store_ref ref;

		assert_int_equal(read(ends[0], &c, 1), 1);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		ref = on_put(s, "p", 100 + i);
		assert_ok(store_rm(s, &ref));
	}
	close(ends[0]);
	close(ends[1]);
	assert_true(on_size(dir, META) <= before * 2);
}

/* ---- T9: one handle of a path in a process, none over fork() ---- */
static void
a_second_handle_in_one_process_is_refused(void **state)
{
	const struct store_options o = { .create = true };
	struct store *s = on_open(*state, 0, 0), *second = NULL;

	assert_err(store_open(*state, &o, &second), ERR_USAGE,
		   "already open in this process");
	store_free(s);
	assert_ok(store_open(*state, &o, &second));
	store_free(second);
}

static void
use_the_parents(void *arg)
{
	size_t n = 0;
	_err_ struct err *err = store_list(arg, NULL, on_count, &n);

	_exit(err_kind(err) == ERR_USAGE &&
	      strstr(err_text(err), "another process") ? 0 : 1);
}

static void
a_handle_is_not_carried_over_fork(void **state)
{
	_store_ struct store *s = on_open(*state, 0, 0);
	struct store_ref ref = on_put(s, "p", 1);

	assert_ended_well(apart(use_the_parents, s));
	on_check(s, &ref, 1);
}

struct twenty {
	const char *dir;
	uint64_t first;         /* of the files, which are all different */
};

static void
put_twenty(void *arg)
{
	const struct twenty *put = arg;
	_store_ struct store *s = NULL;
	const struct store_options o = { .create = true, .map_size = 1 << 16 };
	struct err *err = store_open(put->dir, &o, &s);
	struct store_added added;

	for (uint64_t i = 0; i < 20 && !err; i++)
		err = make_and_put(s, "p", put->first + i, ON_SIZE, &added);
	if (err)
		fprintf(stderr, "# %s\n", err_text(err));
	_exit(err ? 1 : 0);
}

/* ---- T10: a map that ends ---- */
static void
a_small_map_grows_under_two_processes(void **state)
{
	char *dir = *state;
	_store_ struct store *s = on_open(dir, 1 << 16, 0);
	struct twenty first = { dir, 1000 }, second = { dir, 2000 };
	pid_t one, two;
	struct store_ref ref;
	size_t n = 0;

	on_put(s, "p", 1);
	one = apart(put_twenty, &first);
	two = apart(put_twenty, &second);
	for (uint64_t i = 2; i < 20; i++) {
		ref = on_put(s, "p", i);
		on_check(s, &ref, i);
	}
	assert_ended_well(one);
	assert_ended_well(two);
	assert_ok(store_list(s, "p", on_count, &n));
	assert_int_equal(n, 59);
	assert_true(on_size(dir, META) > 1 << 16);
}

#define in_tree(test) \
	cmocka_unit_test_setup_teardown(test, temp_tree_setup, \
					temp_tree_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		in_tree(what_is_kept_takes_little_more_than_its_bytes),
		in_tree(the_longest_names_fit_into_a_key),
		in_tree(file_systems_of_other_machines_are_refused),
		in_tree(a_file_of_another_lmdb_is_refused_with_both_versions),
		in_tree(a_store_of_another_version_is_refused_with_both),
		in_tree(partitions_without_objects_are_unlinked),
		in_tree(an_open_source_does_not_let_the_file_grow),
		in_tree(killed_readers_do_not_let_the_file_grow),
		in_tree(a_second_handle_in_one_process_is_refused),
		in_tree(a_handle_is_not_carried_over_fork),
		in_tree(a_small_map_grows_under_two_processes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
