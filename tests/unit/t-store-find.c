/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of the store: what is found, listed, read anywhere, removed and
 * attached. Every case runs on each backend.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "store-on.h"

static size_t
objects_in(struct store *s, const char *project)
{
	size_t n = 0;

	assert_ok(store_list(s, project, on_count, &n));
	return n;
}

/* ---- finding and listing ---- */
static void
digits_number_and_latest_find_an_object(void **state)
{
	struct store *s = on_store(state);
	struct store_added one, two;
	struct store_ref got;
	char digits[2 * SHA256_SIZE + 1];

	assert_ok(make_and_put(s, "p", 1, ON_SIZE, &one));
	assert_ok(make_and_put(s, "p", 2, ON_SIZE, &two));
	for (size_t i = 0; i < SHA256_SIZE; i++)
		snprintf(digits + 2 * i, 3, "%02X", one.hash[i]);
	for (size_t n = STORE_PREFIX_MIN; n <= 2 * SHA256_SIZE; n += 20) {
		char prefix[2 * SHA256_SIZE + 1];

		snprintf(prefix, sizeof(prefix), "%.*s", (int)n, digits);
		assert_ok(store_find(s, prefix, "p", &got));
		assert_int_equal(got.number, one.ref.number);
		assert_ok(store_find(s, prefix, NULL, &got));
		assert_string_equal(got.project, "p");
	}
	assert_ok(store_find(s, "p/2", NULL, &got));
	assert_int_equal(got.number, 2);
	assert_ok(store_find(s, "@latest", NULL, &got));
	assert_int_equal(got.number, two.ref.number);
	assert_ok(store_find(s, "p/@latest", "other", &got));
	assert_int_equal(got.number, two.ref.number);
}

static void
what_is_not_found_is_told_with_what_is_near(void **state)
{
	struct store *s = on_store(state);
	struct store_ref got;

	for (uint64_t i = 0; i < 4; i++)
		on_put(s, "p", i);
	assert_err(store_find(s, "p/ff", NULL, &got), ERR_NOTFOUND,
		   "nearest: p/4");
	assert_err(store_find(s, "0123456789", NULL, &got), ERR_NOTFOUND,
		   "nearest: p/");
	assert_err(store_find(s, "q/1", NULL, &got), ERR_NOTFOUND,
		   "no project q; those there are: p");
	assert_err(store_find(s, "@latest", "q", &got), ERR_NOTFOUND, "q");
	assert_err(store_find(s, "@latest:abcd", NULL, &got), ERR_NOTFOUND,
		   "fingerprint that begins with abcd");
	assert_err(store_find(s, "@latest:xyz", NULL, &got), ERR_USAGE, "xyz");
}

static void
what_names_no_object_is_refused(void **state)
{
	static const char *const bad[] = { "", "abc", "xyzw", "p/", "p/xy",
					   "/1", "@first", "a/b/c", "../p/1",
					   "p/12345678901234567" };
	struct store *s = on_store(state);
	struct store_ref got;

	on_put(s, "p", 1);
	for (size_t i = 0; i < countof(bad); i++) {
		struct err *err = store_find(s, bad[i], NULL, &got);

		/* "a/b/c" names a project that is not there. */
		if (err_kind(err) == ERR_NOTFOUND && bad[i][0] == 'a')
			err_free(err);
		else
			assert_err(err, ERR_USAGE, "names no object");
	}
}

static void
digits_that_several_have_are_refused_with_their_names(void **state)
{
	struct store *s = on_store(state);
	struct store_added one;
	struct store_ref got;
	char digits[9];

	assert_ok(make_and_put(s, "one", 1, ON_SIZE, &one));
	on_put(s, "two", 1);
	snprintf(digits, sizeof(digits), "%02x%02x%02x%02x", one.hash[0],
		 one.hash[1], one.hash[2], one.hash[3]);
	assert_err(store_find(s, digits, NULL, &got), ERR_USAGE, "one/1");
	assert_ok(store_find(s, digits, "two", &got));
	assert_string_equal(got.project, "two");
}

struct listing {
	struct buf text;
	size_t most;
};

static bool
list_one(void *arg, const struct store_object *o)
{
	struct listing *l = arg;

	buf_printf(&l->text, "%s/%llx ", o->ref.project,
		   (unsigned long long)o->ref.number);
	return --l->most;
}

static void
lists_are_newest_first_and_end_when_told(void **state)
{
	struct store *s = on_store(state);
	struct listing all = { .most = 100 }, one = { .most = 100 },
		       few = { .most = 2 };

	on_put(s, "b", 1);
	on_put(s, "a", 2);
	on_put(s, "b", 3);
	assert_ok(store_list(s, NULL, list_one, &all));
	assert_string_equal(all.text.data, "b/2 a/1 b/1 ");
	assert_ok(store_list(s, "b", list_one, &one));
	assert_string_equal(one.text.data, "b/2 b/1 ");
	assert_ok(store_list(s, NULL, list_one, &few));
	assert_string_equal(few.text.data, "b/2 a/1 ");
	assert_err(store_list(s, "c", list_one, &few), ERR_NOTFOUND,
		   "those there are: a, b");
	buf_fini(&all.text);
	buf_fini(&one.text);
	buf_fini(&few.text);
}

static struct err *
name_one(void *arg, const char *project)
{
	buf_printf(arg, "%s ", project);
	return NULL;
}

static void
projects_are_told_in_the_order_of_their_names(void **state)
{
	struct store *s = on_store(state);
	_buf_ struct buf names = { 0 };

	on_put(s, "b", 1);
	on_put(s, "c", 1);
	on_put(s, "a", 1);
	assert_ok(store_projects(s, name_one, &names));
	assert_string_equal(names.data, "a b c ");
}

static void
more_projects_than_are_kept_open_work(void **state)
{
	struct store *s = on_store(state);
	char name[16];

	for (uint64_t i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "p%02d", (int)i);
		on_put(s, name, i);
	}
	for (uint64_t i = 0; i < 40; i++) {
		struct store_ref ref = { .number = 1 };

		snprintf(ref.project, sizeof(ref.project), "p%02d", (int)i);
		assert_ok(make_and_check(s, &ref, i, ON_SIZE));
	}
	assert_int_equal(objects_in(s, NULL), 40);
}

/* ---- sources ---- */
static void
a_source_reads_any_range(void **state)
{
	struct store *s = on_store(state);
	_made_ struct made m = { .n = 0 };
	_source_ struct source *src = NULL;
	struct store_ref ref = on_put(s, "p", 3);
	uint8_t out[30000];
	uint32_t random = 1;

	assert_ok(make_object(3, ON_SIZE, &m));
	assert_ok(store_source(s, &ref, &src));
	assert_int_equal(source_size(src), m.bytes.len);
	for (size_t i = 0; i < 200; i++) {
		random = random * 1103515245 + 12345;
		size_t off = random % m.bytes.len;
		size_t n = random / 7 % sizeof(out);

		if (n > m.bytes.len - off)
			n = m.bytes.len - off;
		assert_ok(source_read(src, off, n, out));
		assert_memory_equal(out, m.bytes.data + off, n);
	}
	assert_err(source_read(src, m.bytes.len - 1, 2, out), ERR_DAMAGED,
		   "truncated");
}

/** A recipe of more than two blocks. */
static void
a_file_of_thousands_of_pieces_is_read_anywhere(void **state)
{
	enum { PIECES = 4000, LENGTH = 16 };
	struct store *s = on_store(state);
	_free_ struct snap_piece *piece = calloc(PIECES, sizeof(*piece));
	_buf_ struct buf file = { 0 };
	_source_ struct source *src = NULL, *back = NULL;
	struct store_put p = { .project = "p", .n_pieces = PIECES };
	struct store_added added;
	char out[LENGTH];

	for (uint64_t i = 0; i < PIECES; i++) {
		piece[i] = (struct snap_piece){ i * LENGTH, LENGTH, 0 };
		buf_printf(&file, "%016llx", (unsigned long long)i / 2);
	}
	assert_ok(source_mem(file.data, file.len, "file", &src));
	p.file = src;
	p.pieces = piece;
	assert_ok(store_put(s, &p, &added));
	assert_int_equal(added.added, file.len / 2);
	assert_ok(store_source(s, &added.ref, &back));
	for (size_t off = file.len - LENGTH; off > 1000; off -= 997) {
		assert_ok(source_read(back, off, LENGTH, out));
		assert_memory_equal(out, file.data + off, LENGTH);
	}
	on_sound(s, 1);
	assert_ok(store_rm(s, &added.ref));
	on_sound(s, 0);
}

static struct err *
refuse(void *arg, const void *data, size_t n)
{
	(void)data, (void)n;
	++*(int *)arg;
	return err_new(ERR_IO, "no more");
}

static void
a_sink_that_fails_ends_a_get(void **state)
{
	struct store_ref ref = on_put(on_store(state), "p", 1);
	int calls = 0;

	assert_err(store_get(on_store(state), &ref, refuse, &calls), ERR_IO,
		   "no more");
	assert_int_equal(calls, 1);
}

/* ---- removal ---- */
static void
what_was_removed_is_not_found(void **state)
{
	struct store *s = on_store(state);
	struct store_ref gone = on_put(s, "p", 1), stays = on_put(s, "p", 2);
	_source_ struct source *src = NULL;
	_arena_ struct arena *a = arena_new(0);
	struct store_object o;
	uint8_t byte;

	assert_ok(store_source(s, &gone, &src));
	assert_ok(source_read(src, 0, 1, &byte));
	assert_ok(store_rm(s, &gone));
	assert_err(store_object(s, &gone, a, &o), ERR_NOTFOUND,
		   "nearest: p/2");
	assert_err(store_rm(s, &gone), ERR_NOTFOUND, "nearest: p/2");
	assert_err(source_read(src, ON_SIZE - 1, 1, &byte), ERR_NOTFOUND,
		   "removed");
	assert_ok(make_and_check(s, &stays, 2, ON_SIZE));
	on_sound(s, 1);
}

static void
collecting_gives_back_what_was_removed(void **state)
{
	struct store *s = on_store(state);
	struct store_ref ref[20];
	struct store_gc gc;

	for (uint64_t i = 0; i < countof(ref); i++)
		ref[i] = on_put(s, "p", 100 * i);
	/* Pieces of one put begin on a page of their own: that is little. */
	assert_ok(store_collect(s, NULL, NULL, NULL, &gc));
	assert_true(gc.freed <= countof(ref) * 4096);
	for (size_t i = 0; i < countof(ref); i += 3)
		assert_ok(store_rm(s, &ref[i]));
	on_sound(s, 13);
	assert_ok(store_collect(s, "p", NULL, NULL, &gc));
	assert_true(gc.freed >= 7 * ON_SIZE * 95 / 100);
	on_sound(s, 13);
	for (uint64_t i = 0; i < countof(ref); i++)
		if (i % 3)
			assert_ok(make_and_check(s, &ref[i], 100 * i, ON_SIZE));
	assert_ok(store_collect(s, "p", NULL, NULL, &gc));
	assert_int_equal(gc.freed, 0);
	assert_int_equal(gc.moved, 0);
}

static void
a_source_goes_on_while_its_pieces_move(void **state)
{
	struct store *s = on_store(state);
	struct store_ref other = on_put(s, "p", 0), ref = on_put(s, "p", 500);
	_made_ struct made m = { .n = 0 };
	_source_ struct source *src = NULL;
	struct store_gc gc;
	uint8_t out[8192];

	assert_ok(make_object(500, ON_SIZE, &m));
	assert_ok(store_source(s, &ref, &src));
	assert_ok(source_read(src, 0, sizeof(out), out));
	assert_ok(store_rm(s, &other));
	assert_ok(store_collect(s, NULL, NULL, NULL, &gc));
	assert_true(gc.moved >= ON_SIZE);
	for (size_t off = 0; off + sizeof(out) < ON_SIZE; off += sizeof(out)) {
		assert_ok(source_read(src, off, sizeof(out), out));
		assert_memory_equal(out, m.bytes.data + off, sizeof(out));
	}
}

static void
an_empty_store_is_as_small_as_it_began(void **state)
{
	struct store *s = on_store(state);
	struct store_ref ref[10];
	struct store_gc gc;

	for (uint64_t i = 0; i < countof(ref); i++)
		ref[i] = on_put(s, "p", i);
	for (size_t i = 0; i < countof(ref); i++)
		assert_ok(store_rm(s, &ref[i]));
	assert_ok(store_collect(s, NULL, NULL, NULL, &gc));
	assert_true(gc.freed >= 5 * ON_SIZE);
	assert_int_equal(gc.moved, 0);
	assert_int_equal(objects_in(s, NULL), 0);
	on_sound(s, 0);
}

/* ---- sidecars ---- */
static bool
sidecar_one(void *arg, const struct store_sidecar *c)
{
	buf_printf(arg, "%s/%s/%u=%.*s ", c->kind, c->producer, c->version,
		   (int)c->bytes.n, (const char *)c->bytes.data);
	return true;
}

static struct err *
attach(struct store *s, const struct store_ref *ref, uint32_t version,
       const char *text)
{
	const struct store_sidecar c = { "notes", "inquest", version,
					 { text, strlen(text) } };

	return store_put_sidecar(s, ref, &c);
}

static void
sidecars_are_kept_and_replaced(void **state)
{
	struct store *s = on_store(state);
	struct store_ref one = on_put(s, "p", 1), two = on_put(s, "p", 2);
	_buf_ struct buf text = { 0 };

	assert_ok(attach(s, &one, 2, "second"));
	assert_ok(attach(s, &one, 1, "first"));
	assert_ok(attach(s, &two, 1, "other"));
	assert_ok(attach(s, &one, 1, "again"));
	assert_ok(store_sidecars(s, &one, sidecar_one, &text));
	assert_string_equal(text.data, "notes/inquest/1=again "
			    "notes/inquest/2=second ");
	on_sound(s, 2);
	assert_ok(store_rm(s, &one));
	on_sound(s, 1);
	assert_err(attach(s, &one, 1, "x"), ERR_NOTFOUND, "nearest");
	buf_reset(&text);
	assert_ok(store_sidecars(s, &two, sidecar_one, &text));
	assert_string_equal(text.data, "notes/inquest/1=other ");
}

static bool
sidecar_size(void *arg, const struct store_sidecar *c)
{
	*(size_t *)arg = c->bytes.n;
	return false;
}

static void
a_large_sidecar_survives_a_collection(void **state)
{
	struct store *s = on_store(state);
	struct store_ref gone = on_put(s, "p", 50), ref = on_put(s, "p", 1);
	_made_ struct made m = { .n = 0 };
	struct store_sidecar c = { "symbols", "x", 1, { 0 } };
	struct store_gc gc;
	size_t n = 0;

	assert_ok(make_object(9, 300000, &m));
	c.bytes = (struct span){ m.bytes.data, m.bytes.len };
	assert_ok(store_put_sidecar(s, &ref, &c));
	assert_ok(store_rm(s, &gone));
	assert_ok(store_collect(s, NULL, NULL, NULL, &gc));
	assert_ok(store_sidecars(s, &ref, sidecar_size, &n));
	assert_int_equal(n, m.bytes.len);
	on_sound(s, 1);
	c.kind = "no/kind";
	assert_err(store_put_sidecar(s, &ref, &c), ERR_USAGE, "names");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		on_both(digits_number_and_latest_find_an_object),
		on_both(what_is_not_found_is_told_with_what_is_near),
		on_both(what_names_no_object_is_refused),
		on_both(digits_that_several_have_are_refused_with_their_names),
		on_both(lists_are_newest_first_and_end_when_told),
		on_both(projects_are_told_in_the_order_of_their_names),
		on_both(more_projects_than_are_kept_open_work),
		on_both(a_source_reads_any_range),
		on_both(a_file_of_thousands_of_pieces_is_read_anywhere),
		on_both(a_sink_that_fails_ends_a_get),
		on_both(what_was_removed_is_not_found),
		on_both(collecting_gives_back_what_was_removed),
		on_both(a_source_goes_on_while_its_pieces_move),
		on_both(an_empty_store_is_as_small_as_it_began),
		on_both(sidecars_are_kept_and_replaced),
		on_both(a_large_sidecar_survives_a_collection),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
