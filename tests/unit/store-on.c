/* SPDX-License-Identifier: Apache-2.0 */
/* Stores for the tests of store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store-on.h"
#include "temp-tree.h"

/* ---- one that lives for a test ---- */
struct on {
	char *dir;              /* NULL = in memory */
	struct store *store;
};

struct store *
on_store(void **state)
{
	return ((struct on *)*state)->store;
}

struct store *
on_open(const char *dir, uint64_t map, uint64_t partition)
{
	const struct store_options o = { true, map, partition };
	struct store *s = NULL;

	assert_ok(store_open(dir, &o, &s));
	return s;
}

static int
on_new(void **state, char *dir)
{
	struct on *on = calloc(1, sizeof(*on));

	assert_non_null(on);
	on->dir = dir;
	on->store = on_open(dir ? dir : "mem:", 0, 1 << 20);
	*state = on;
	return 0;
}

int
on_memory(void **state)
{
	return on_new(state, NULL);
}

int
on_disk(void **state)
{
	void *dir;

	assert_int_equal(temp_tree_setup(&dir), 0);
	return on_new(state, dir);
}

int
on_close(void **state)
{
	struct on *on = *state;
	void *dir = on->dir;

	store_free(on->store);
	free(on);
	return dir ? temp_tree_teardown(&dir) : 0;
}

/* ---- what tests do ---- */
struct store_ref
on_put(struct store *s, const char *project, uint64_t number)
{
	struct store_added added;

	assert_ok(make_and_put(s, project, number, ON_SIZE, &added));
	return added.ref;
}

void
on_check(struct store *s, const struct store_ref *ref, uint64_t number)
{
	assert_ok(make_and_check(s, ref, number, ON_SIZE));
}

static void
keep_fault(void *arg, const char *sentence)
{
	buf_printf(arg, "%s\n", sentence);
}

void
on_sound(struct store *s, uint64_t objects)
{
	_buf_ struct buf text = { 0 };
	struct store_verified v;

	assert_ok(store_verify(s, NULL, keep_fault, &text, &v));
	if (v.faults)
		print_error("%s", text.data);
	assert_int_equal(v.faults, 0);
	assert_int_equal(v.objects, objects);
}

uint64_t
on_faults(const char *dir, struct buf *text)
{
	_store_ struct store *s = on_open(dir, 0, 0);
	struct store_verified v = { 0 };

	buf_reset(text);
	assert_ok(store_verify(s, NULL, keep_fault, text, &v));
	return v.faults;
}

bool
on_count(void *n, const struct store_object *o)
{
	(void)o;
	++*(size_t *)n;
	return true;
}

struct err *
on_gather(void *buf, const void *data, size_t n)
{
	buf_put(buf, data, n);
	return NULL;
}

/* ---- files by hand ---- */
void
on_path(const char *dir, const char *name, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%s", dir, name);
}

uint64_t
on_size(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	on_path(dir, name, path);
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static int
is_entry(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

size_t
on_entries(const char *dir, const char *name)
{
	struct dirent **list = NULL;
	char path[PATH_MAX];

	on_path(dir, name, path);
	int n = scandir(path, &list, is_entry, alphasort);
	assert_true(n >= 0);
	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);
	return (size_t)n;
}

void
on_write(const char *dir, const char *name, uint64_t at, const void *bytes,
	 size_t n)
{
	char path[PATH_MAX];

	on_path(dir, name, path);
	_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, at), n);
}

void
on_load(const char *dir, const char *name, struct buf *out)
{
	char path[PATH_MAX];

	on_path(dir, name, path);
	buf_reset(out);
	assert_ok(io_read_file(path, 0, out));
}

void
on_save(const char *dir, const char *name, const struct buf *bytes, size_t n)
{
	char path[PATH_MAX];

	on_path(dir, name, path);
	_close_ int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_ok(io_write(fd, bytes->data, n));
}
