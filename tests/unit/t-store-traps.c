/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What LMDB leaves to whoever uses it, and what happens to files: each trap
 * that a store on disk has to know, as a test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assert-err.h"
#include "make-object.h"
#include "store/backend.h"
#include "store/place.h"
#include "temp-tree.h"

#define SIZE 100000u
#define META "projects/p/meta.mdb"

/* ---- helpers ---- */
static struct store *
open_with(const char *dir, uint64_t map, uint64_t partition)
{
	const struct store_options o = { true, map, partition };
	struct store *s = NULL;

	assert_ok(store_open(dir, &o, &s));
	return s;
}

static struct store_ref
put(struct store *s, uint64_t number)
{
	struct store_added added;

	assert_ok(make_and_put(s, "p", number, SIZE, &added));
	return added.ref;
}

static void
path_of(const char *dir, const char *name, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%s", dir, name);
}

static uint64_t
size_of(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	path_of(dir, name, path);
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static size_t
files_in(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct dirent *e;
	size_t n = 0;

	path_of(dir, name, path);
	DIR *d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

/** Change bytes of a file by hand. */
static void
file_write(const char *dir, const char *name, uint64_t at, const void *bytes,
	   size_t n)
{
	char path[PATH_MAX];

	path_of(dir, name, path);
	_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, at), n);
}

static void
file_load(const char *dir, const char *name, struct buf *out)
{
	char path[PATH_MAX];

	path_of(dir, name, path);
	buf_reset(out);
	assert_ok(io_read_file(path, 0, out));
}

static void
file_save(const char *dir, const char *name, const struct buf *bytes, size_t n)
{
	char path[PATH_MAX];

	path_of(dir, name, path);
	_close_ int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_ok(io_write(fd, bytes->data, n));
}

static bool
ignore_object(void *arg, const struct store_object *o)
{
	(void)o;
	if (arg)
		++*(size_t *)arg;
	return true;
}

static void
keep_fault(void *arg, const char *sentence)
{
	buf_printf(arg, "%s\n", sentence);
}

/** Number of faults; what they are is in @text. */
static uint64_t
faults_of(const char *dir, struct buf *text)
{
	_store_ struct store *s = open_with(dir, 0, 0);
	struct store_verified v = { 0 };

	buf_reset(text);
	assert_ok(store_verify(s, NULL, keep_fault, text, &v));
	return v.faults;
}

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
	_store_ struct store *s = open_with(dir, 0, 0);
	struct store_added added;
	uint64_t payload = 0, disk;

	assert_ok(make_and_put(s, "p", 1, 8 << 20, &added));
	payload += added.added;
	assert_ok(make_and_put(s, "p", 2, 8 << 20, &added));
	payload += added.added;
	disk = size_of(dir, META) + size_of(dir, "projects/p/blob/0001.part");
	if (disk * 100 > payload * 108)
		fail_msg("%llu bytes for %llu", (unsigned long long)disk,
			 (unsigned long long)payload);
}

/* ---- T3: keys end at 511 bytes; not on network file systems ---- */
static void
the_longest_names_fit_into_a_key(void **state)
{
	_store_ struct store *s = open_with(*state, 0, 0);
	char name[STORE_NAME_MAX + 1];
	const struct store_sidecar c = { name, name, UINT32_MAX, { "x", 1 } };
	struct store_added added;

	memset(name, 'n', STORE_NAME_MAX);
	name[STORE_NAME_MAX] = '\0';
	assert_ok(make_and_put(s, name, 1, SIZE, &added));
	assert_ok(store_put_sidecar(s, &added.ref, &c));
	assert_ok(make_and_check(s, &added.ref, 1, SIZE));
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
	struct store *s = open_with(dir, 0, 0);

	put(s, 1);
	store_free(s);
	/* mm_version of the first meta page: page header 16, magic 4. */
	file_write(dir, META, 20, &newer, 4);
	s = open_with(dir, 0, 0);
	assert_err(store_list(s, "p", ignore_object, NULL), ERR_UNSUPPORTED,
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
	struct store *s = open_with(dir, 0, 0);

	put(s, 1);
	store_free(s);
	assert_ok(backend_lmdb_open(dir, &o, &b));
	assert_ok(b->ops->open(b, "p", NULL, &db));
	assert_ok(db_write(db, format_write, &format));
	b->ops->close(db);
	b->ops->free(b);
	s = open_with(dir, 0, 0);
	assert_err(store_list(s, "p", ignore_object, NULL), ERR_UNSUPPORTED,
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
	_store_ struct store *s = open_with(dir, 0, 256 << 10);
	struct store_ref ref[8];
	struct store_gc gc;

	for (uint64_t i = 0; i < countof(ref); i++)
		ref[i] = put(s, i);
	assert_true(files_in(dir, "projects/p/blob") > 1);
	for (size_t i = 0; i < countof(ref); i++)
		assert_ok(store_rm(s, &ref[i]));
	assert_ok(store_collect(s, NULL, NULL, NULL, &gc));
	assert_int_equal(files_in(dir, "projects/p/blob"), 0);
}

/* ---- T7: a reader that stays blocks the reuse of pages ---- */
static void
an_open_source_does_not_let_the_file_grow(void **state)
{
	const char *dir = *state;
	_store_ struct store *s = open_with(dir, 0, 0);
	struct store_ref kept = put(s, 1);
	_source_ struct source *src = NULL;
	uint64_t settled = 0;
	char byte;

	assert_ok(store_source(s, &kept, &src));
	assert_ok(source_read(src, 0, 1, &byte));
	for (uint64_t i = 0; i < 150; i++) {
		struct store_ref ref = put(s, 100 + i);

		assert_ok(store_rm(s, &ref));
		if (i == 30)
			settled = size_of(dir, META);
	}
	assert_ok(source_read(src, SIZE - 1, 1, &byte));
	assert_true(size_of(dir, META) * 10 <= settled * 11);
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
	_store_ struct store *s = open_with(dir, 0, 0);
	struct reader r = { .dir = dir };
	uint64_t before;
	int ends[2];
	char c;

	put(s, 1);
	assert_int_equal(pipe(ends), 0);
	r.ready = ends[1];
	before = size_of(dir, META);
	for (uint64_t i = 0; i < 200; i++) {
		pid_t pid = apart(read_until_killed, &r);
		struct store_ref ref;

		assert_int_equal(read(ends[0], &c, 1), 1);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		ref = put(s, 100 + i);
		assert_ok(store_rm(s, &ref));
	}
	close(ends[0]);
	close(ends[1]);
	assert_true(size_of(dir, META) <= before * 2);
}

/* ---- T9: one handle of a path in a process, none over fork() ---- */
static void
a_second_handle_in_one_process_is_refused(void **state)
{
	const struct store_options o = { .create = true };
	struct store *s = open_with(*state, 0, 0), *second = NULL;

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
	_err_ struct err *err = store_list(arg, NULL, ignore_object, &n);

	_exit(err_kind(err) == ERR_USAGE &&
	      strstr(err_text(err), "another process") ? 0 : 1);
}

static void
a_handle_is_not_carried_over_fork(void **state)
{
	_store_ struct store *s = open_with(*state, 0, 0);
	struct store_ref ref = put(s, 1);

	assert_ended_well(apart(use_the_parents, s));
	assert_ok(make_and_check(s, &ref, 1, SIZE));
}

static void
put_twenty(void *arg)
{
	_store_ struct store *s = NULL;
	const struct store_options o = { .create = true, .map_size = 1 << 16 };
	struct err *err = store_open(arg, &o, &s);
	struct store_added added;

	for (uint64_t i = 0; i < 20 && !err; i++)
		err = make_and_put(s, "p", 1000 * (getpid() % 100) + i, SIZE,
				   &added);
	if (err)
		fprintf(stderr, "# %s\n", err_text(err));
	_exit(err ? 1 : 0);
}

/* ---- T10: a map that ends ---- */
static void
a_small_map_grows_under_two_processes(void **state)
{
	char *dir = *state;
	_store_ struct store *s = open_with(dir, 1 << 16, 0);
	pid_t one, two;
	struct store_ref ref;
	size_t n = 0;

	put(s, 1);
	one = apart(put_twenty, dir);
	two = apart(put_twenty, dir);
	for (uint64_t i = 2; i < 20; i++) {
		ref = put(s, i);
		assert_ok(make_and_check(s, &ref, i, SIZE));
	}
	assert_ended_well(one);
	assert_ended_well(two);
	/* The children's files may be the same ones. */
	assert_ok(store_list(s, "p", ignore_object, &n));
	assert_true(n == 59 || n == 39);
	assert_true(size_of(dir, META) > 1 << 16);
}

/* ---- T12: nothing of LMDB's is checked by it ---- */
static void
a_cut_file_is_refused_or_whole(void **state)
{
	const char *dir = *state;
	struct store *s = open_with(dir, 0, 256 << 10);
	_buf_ struct buf whole = { 0 };
	struct store_ref ref[12];
	unsigned refused = 0;

	for (uint64_t i = 0; i < countof(ref); i++)
		ref[i] = put(s, i);
	/* Then some pages at the end may be free ones. */
	for (size_t i = 3; i < countof(ref); i++)
		assert_ok(store_rm(s, &ref[i]));
	store_free(s);
	file_load(dir, META, &whole);
	for (size_t n = 0; n < whole.len; n += whole.len > 65536 ? 3000 : 1000) {
		struct err *err;

		file_save(dir, META, &whole, whole.len - 1 - n);
		s = open_with(dir, 0, 0);
		err = make_and_check(s, &ref[0], 0, SIZE);
		refused += err != NULL;
		if (err)
			assert_err(err, ERR_DAMAGED, "meta.mdb");
		store_free(s);
	}
	assert_true(refused > 10);
	file_save(dir, META, &whole, whole.len);
	buf_reset(&whole);
	assert_int_equal(faults_of(dir, &whole), 0);
}

static void
an_empty_or_missing_file_is_no_new_store(void **state)
{
	const char *dir = *state;
	struct store *s = open_with(dir, 0, 0);
	_buf_ struct buf whole = { 0 };
	struct store_added added;
	char path[PATH_MAX];

	put(s, 1);
	store_free(s);
	file_load(dir, META, &whole);
	file_save(dir, META, &whole, 0);
	s = open_with(dir, 0, 0);
	assert_err(make_and_put(s, "p", 2, SIZE, &added), ERR_DAMAGED,
		   "is cut");
	path_of(dir, META, path);
	unlink(path);
	assert_err(make_and_put(s, "p", 2, SIZE, &added), ERR_DAMAGED,
		   "is missing");
	store_free(s);
}

static void
a_changed_byte_of_an_object_is_found_and_the_object_named(void **state)
{
	const char *dir = *state;
	const char *const part = "projects/p/blob/0001.part";
	struct store *s = open_with(dir, 0, 0);
	_buf_ struct buf whole = { 0 }, text = { 0 };
	struct store_ref ref = put(s, 40);
	uint64_t random = 7;

	store_free(s);
	file_load(dir, part, &whole);
	for (unsigned i = 0; i < 20; i++) {
		struct store_verified v;
		char changed;
		size_t at;

		random = random * 6364136223846793005 + 1;
		at = (random >> 20) % (SIZE - 100);
		changed = whole.data[at] ^ (char)(1 << random % 8);
		file_write(dir, part, at, &changed, 1);
		s = open_with(dir, 0, 0);
		buf_reset(&text);
		assert_ok(store_verify(s, NULL, keep_fault, &text, &v));
		assert_true(v.faults >= 1);
		assert_non_null(strstr(text.data, "0001.part: the "));
		if (strstr(text.data, "do not fit their hash")) {
			assert_non_null(strstr(text.data, "object p/1 "));
			assert_err(make_and_check(s, &ref, 40, SIZE),
				   ERR_DAMAGED, "object p/1 ");
		}
		store_free(s);
		file_write(dir, part, at, &whole.data[at], 1);
	}
	assert_int_equal(faults_of(dir, &text), 0);
}

static void
a_changed_byte_of_the_tables_never_gives_another_file(void **state)
{
	const char *dir = *state;
	struct store *s = open_with(dir, 0, 0);
	_buf_ struct buf whole = { 0 }, text = { 0 };
	struct store_ref ref;
	uint64_t random = 11;

	for (uint64_t i = 0; i < 6; i++)
		ref = put(s, 4 * i);
	store_free(s);
	file_load(dir, META, &whole);
	for (unsigned i = 0; i < 60; i++) {
		size_t at;

		random = random * 6364136223846793005 + 1;
		at = (random >> 20) % whole.len;
		file_write(dir, META, at, "\xa5\x5a\xff\x01", 4);
		/* Whatever it says, this process goes on. */
		buf_reset(&text);
		s = open_with(dir, 0, 0);
		struct store_verified v;
		err_free(store_verify(s, NULL, keep_fault, &text, &v));
		store_free(s);
		file_save(dir, META, &whole, whole.len);
	}
	s = open_with(dir, 0, 0);
	assert_ok(make_and_check(s, &ref, 20, SIZE));
	store_free(s);
}

static void
a_cut_partition_is_damage_and_no_signal(void **state)
{
	const char *dir = *state;
	const char *const part = "projects/p/blob/0001.part";
	struct store *s = open_with(dir, 0, 0);
	struct store_ref first = put(s, 1), second = put(s, 9);
	_buf_ struct buf whole = { 0 }, text = { 0 };

	file_load(dir, part, &whole);
	file_save(dir, part, &whole, whole.len - 10000);
	assert_ok(make_and_check(s, &first, 1, SIZE));
	assert_err(make_and_check(s, &second, 9, SIZE), ERR_DAMAGED,
		   "0001.part is cut");
	store_free(s);
	assert_true(faults_of(dir, &text) > 1);
	assert_non_null(strstr(text.data, "object p/2 "));
}

/* ---- what a process that ended leaves ---- */
static void
a_project_that_was_not_finished_is_swept_away(void **state)
{
	const char *dir = *state;
	struct store *s = open_with(dir, 0, 0);
	char path[PATH_MAX];

	put(s, 1);
	store_free(s);
	/* No process has this number. */
	path_of(dir, "projects/.new-4194999/blob", path);
	temp_tree_put(dir, "/projects/.new-4194999/meta.mdb", "half");
	assert_int_equal(mkdir(path, 0700), 0);
	s = open_with(dir, 0, 0);
	path_of(dir, "projects/.new-4194999", path);
	assert_int_equal(access(path, F_OK), -1);
	store_free(s);
}

static void
what_a_failed_put_left_is_swept_away(void **state)
{
	const char *dir = *state;
	struct store *s = open_with(dir, 0, 0);
	struct store_gc gc;

	put(s, 1);
	uint64_t size = size_of(dir, "projects/p/blob/0001.part");
	store_free(s);
	/* As if it had been killed behind its writes. */
	temp_tree_put(dir, "/projects/p/blob/0002.part", "stray");
	file_write(dir, "projects/p/blob/0001.part", size, "garbage", 7);
	s = open_with(dir, 0, 0);
	assert_ok(store_collect(s, NULL, NULL, NULL, &gc));
	assert_int_equal(files_in(dir, "projects/p/blob"), 1);
	assert_int_equal(size_of(dir, "projects/p/blob/0001.part"), size);
	put(s, 2);
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
	s = open_with(dir, 0, 0);
	put(s, 1);
	for (size_t i = 0; i < countof(names); i++) {
		path_of(dir, names[i], path);
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

	path_of(*state, "none", path);
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
		in_tree(a_cut_file_is_refused_or_whole),
		in_tree(an_empty_or_missing_file_is_no_new_store),
		in_tree(a_changed_byte_of_an_object_is_found_and_the_object_named),
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
