/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of the store. Every case runs on each backend: what stands in
 * store.h holds whatever is below.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "assert-err.h"
#include "make-object.h"
#include "temp-tree.h"

#define SIZE 100000u

/* ---- a store for each test ---- */
struct on {
	char *dir;              /* NULL = in memory */
	struct store *store;
};

static struct store *
store_of(void **state)
{
	return ((struct on *)*state)->store;
}

static int
on_open(void **state, char *dir)
{
	const struct store_options o = { .create = true,
					 .partition_size = 1 << 20 };
	struct on *on = calloc(1, sizeof(*on));

	assert_non_null(on);
	on->dir = dir;
	assert_ok(store_open(dir ? dir : "mem:", &o, &on->store));
	*state = on;
	return 0;
}

static int
on_memory(void **state)
{
	return on_open(state, NULL);
}

static int
on_disk(void **state)
{
	void *dir;

	assert_int_equal(temp_tree_setup(&dir), 0);
	return on_open(state, dir);
}

static int
on_close(void **state)
{
	struct on *on = *state;
	void *dir = on->dir;

	store_free(on->store);
	free(on);
	return dir ? temp_tree_teardown(&dir) : 0;
}

/* ---- helpers ---- */
static struct store_ref
put(struct store *s, const char *project, uint64_t number)
{
	struct store_added added;

	assert_ok(make_and_put(s, project, number, SIZE, &added));
	return added.ref;
}

/** Put @text without pieces or anything else. */
static struct err *
put_text(struct store *s, const char *text, struct store_added *out)
{
	_source_ struct source *src = NULL;
	struct store_put p = { .project = "p" };

	assert_ok(source_mem(text, strlen(text), "text", &src));
	p.file = src;
	return store_put(s, &p, out);
}

static struct err *
collect_bytes(void *arg, const void *data, size_t n)
{
	buf_put(arg, data, n);
	return NULL;
}

static void
no_fault(void *arg, const char *sentence)
{
	(void)arg;
	print_error("fault: %s\n", sentence);
}

static void
assert_sound(struct store *s, uint64_t objects)
{
	struct store_verified v;

	assert_ok(store_verify(s, NULL, no_fault, NULL, &v));
	assert_int_equal(v.faults, 0);
	assert_int_equal(v.objects, objects);
}

static bool
count_object(void *arg, const struct store_object *o)
{
	(void)o;
	++*(size_t *)arg;
	return true;
}

static size_t
objects_in(struct store *s, const char *project)
{
	size_t n = 0;

	assert_ok(store_list(s, project, count_object, &n));
	return n;
}

/* ---- putting and getting ---- */
static void
what_was_put_comes_back_bit_for_bit(void **state)
{
	struct store *s = store_of(state);

	for (uint64_t i = 0; i < 5; i++) {
		struct store_ref ref = put(s, "p", i);

		assert_ok(make_and_check(s, &ref, i, SIZE));
	}
	assert_sound(s, 5);
}

static void
a_file_without_pieces_is_cut_by_the_store(void **state)
{
	struct store *s = store_of(state);
	_made_ struct made m = { .n = 0 };
	_source_ struct source *src = NULL;
	_buf_ struct buf out = { 0 };
	struct store_put p = { .project = "p" };
	struct store_added added;

	assert_ok(make_object(7, 200000, &m));
	assert_ok(source_mem(m.bytes.data, m.bytes.len, "file", &src));
	p.file = src;
	assert_ok(store_put(s, &p, &added));
	assert_int_equal(added.added, m.bytes.len);
	assert_ok(store_get(s, &added.ref, collect_bytes, &out));
	assert_int_equal(out.len, m.bytes.len);
	assert_memory_equal(out.data, m.bytes.data, out.len);
}

static void
an_empty_file_is_an_object_too(void **state)
{
	struct store *s = store_of(state);
	_source_ struct source *src = NULL;
	_buf_ struct buf out = { 0 };
	struct store_added added;

	assert_ok(put_text(s, "", &added));
	assert_ok(store_get(s, &added.ref, collect_bytes, &out));
	assert_int_equal(out.len, 0);
	assert_ok(store_source(s, &added.ref, &src));
	assert_int_equal(source_size(src), 0);
	assert_sound(s, 1);
}

static void
the_hash_is_that_of_the_whole_file(void **state)
{
	struct store *s = store_of(state);
	_arena_ struct arena *a = arena_new(0);
	struct store_added added;
	struct store_object o;
	uint8_t hash[SHA256_SIZE];

	assert_ok(put_text(s, "hello", &added));
	assert_ok(hash_sha256("hello", 5, hash));
	assert_memory_equal(added.hash, hash, sizeof(hash));
	assert_ok(store_object(s, &added.ref, a, &o));
	assert_memory_equal(o.hash, hash, sizeof(hash));
	assert_int_equal(o.size, 5);
	assert_true(o.stored_ns > 1600000000000000000ull);
}

static void
the_same_file_again_is_known(void **state)
{
	struct store *s = store_of(state);
	struct store_added first, again;

	assert_ok(make_and_put(s, "p", 1, SIZE, &first));
	assert_false(first.known);
	assert_ok(make_and_put(s, "p", 1, SIZE, &again));
	assert_true(again.known);
	assert_int_equal(again.added, 0);
	assert_int_equal(again.ref.number, first.ref.number);
	assert_int_equal(objects_in(s, "p"), 1);
}

static void
pieces_that_files_share_are_kept_once(void **state)
{
	struct store *s = store_of(state);
	struct store_added first, second;

	assert_ok(make_and_put(s, "p", 0, SIZE, &first));
	assert_ok(make_and_put(s, "p", 1, SIZE, &second));
	assert_true(first.added >= SIZE);
	assert_true(second.added > 0);
	assert_true(second.added < first.added * 3 / 4);
	assert_ok(make_and_check(s, &second.ref, 1, SIZE));
}

static void
a_piece_that_is_twice_in_a_file_is_kept_once(void **state)
{
	struct store *s = store_of(state);
	static const struct snap_piece pieces[] = { { 0, 4, 0 }, { 4, 4, 0 },
						    { 8, 4, 0 } };
	_source_ struct source *src = NULL;
	struct store_put p = { .project = "p", .pieces = pieces,
			       .n_pieces = countof(pieces) };
	struct store_added added;
	_buf_ struct buf out = { 0 };

	assert_ok(source_mem("abcdabcdabcd", 12, "file", &src));
	p.file = src;
	assert_ok(store_put(s, &p, &added));
	assert_int_equal(added.added, 4);
	assert_ok(store_get(s, &added.ref, collect_bytes, &out));
	assert_string_equal(out.data, "abcdabcdabcd");
	assert_sound(s, 1);
	assert_ok(store_rm(s, &added.ref));
	assert_sound(s, 0);
}

static void
projects_share_nothing(void **state)
{
	struct store *s = store_of(state);
	struct store_added one, two;

	assert_ok(make_and_put(s, "one", 1, SIZE, &one));
	assert_ok(make_and_put(s, "two", 1, SIZE, &two));
	assert_false(two.known);
	assert_int_equal(two.added, one.added);
	assert_int_equal(two.ref.number, one.ref.number);
	assert_ok(store_rm(s, &one.ref));
	assert_ok(make_and_check(s, &two.ref, 1, SIZE));
}

static void
numbers_ascend_and_are_never_used_again(void **state)
{
	struct store *s = store_of(state);
	struct store_ref a = put(s, "p", 1), b = put(s, "p", 2), c;

	assert_true(b.number > a.number);
	assert_ok(store_rm(s, &b));
	c = put(s, "p", 2);
	assert_true(c.number > b.number);
}

static void
progress_ends_at_its_total(void *arg, uint64_t done, uint64_t total)
{
	uint64_t *last = arg;

	assert_true(done <= total);
	assert_true(done >= last[0]);
	last[0] = done;
	last[1] = total;
}

static void
a_put_tells_how_far_it_is(void **state)
{
	_made_ struct made m = { .n = 0 };
	_source_ struct source *src = NULL;
	uint64_t last[2] = { 0, 1 };
	struct store_added added;
	struct store_put p = { .project = "p", .progress_arg = last,
			       .progress = progress_ends_at_its_total };

	assert_ok(make_object(1, SIZE, &m));
	assert_ok(source_mem(m.bytes.data, m.bytes.len, "file", &src));
	p.file = src;
	assert_ok(store_put(store_of(state), &p, &added));
	assert_int_equal(last[0], last[1]);
}

/* ---- what is refused ---- */
static void
names_that_could_be_paths_are_refused(void **state)
{
	static const char *const bad[] = {
		"", ".", "..", "../up", "a/b", "-x", ".hidden", "a b",
		"a\n", "caf\xc3\xa9", "%2e%2e",
		"0123456789012345678901234567890123456789"
		"0123456789012345678901234",
	};
	struct store *s = store_of(state);
	struct store_ref ref = { .number = 1 };
	struct store_added added;

	for (size_t i = 0; i < countof(bad); i++) {
		assert_false(store_name_ok(bad[i]));
		assert_err(make_and_put(s, bad[i], 1, 1000, &added), ERR_USAGE,
			   "is no name of a project");
		assert_err(store_list(s, bad[i], count_object, NULL),
			   ERR_USAGE, "is no name of a project");
	}
	snprintf(ref.project, sizeof(ref.project), "../p");
	assert_err(store_rm(s, &ref), ERR_USAGE, "is no name");
	assert_true(store_name_ok("default"));
	assert_true(store_name_ok("_a.b-c9"));
}

static void
pieces_that_do_not_cover_the_file_are_refused(void **state)
{
	static const struct snap_piece gap[] = { { 0, 2, 0 }, { 3, 2, 0 } };
	static const struct snap_piece empty[] = { { 0, 5, 0 }, { 5, 0, 0 } };
	static const struct snap_piece lap[] = { { 0, 3, 0 }, { 2, 3, 0 } };
	static const struct snap_piece less[] = { { 0, 3, 0 } };
	static const struct snap_piece more[] = { { 0, 6, 0 } };
	static const struct {
		const struct snap_piece *piece;
		size_t n;
	} bad[] = { { gap, 2 }, { empty, 2 }, { lap, 2 }, { less, 1 },
		    { more, 1 }, { gap, 0 } };
	_source_ struct source *src = NULL;
	struct store_put p = { .project = "p" };
	struct store_added added;

	assert_ok(source_mem("hello", 5, "file", &src));
	p.file = src;
	for (size_t i = 0; i < countof(bad); i++) {
		p.pieces = bad[i].piece;
		p.n_pieces = bad[i].n;
		assert_err(store_put(store_of(state), &p, &added), ERR_USAGE,
			   "piece");
	}
}

struct moody {
	size_t reads, fails_at;
	bool changes;
};

static struct err *
moody_fetch(void *arg, uint64_t off, size_t n, void *out)
{
	struct moody *m = arg;

	if (++m->reads == m->fails_at)
		return err_new(ERR_IO, "the disk has gone");
	memset(out, (int)(m->changes ? m->reads : off / 5000 + 1), n);
	return NULL;
}

static void
a_file_that_cannot_be_read_leaves_nothing_behind(void **state)
{
	struct store *s = store_of(state);
	struct store_added added;

	put(s, "p", 1);
	/* Three pieces are read twice. */
	for (size_t at = 1; at <= 6; at++) {
		struct moody m = { .fails_at = at };
		_source_ struct source *src = NULL;
		struct store_put p = { .project = "p" };

		assert_ok(source_fetch(moody_fetch, NULL, &m, 150000, "file",
				       &src));
		p.file = src;
		assert_err(store_put(s, &p, &added), ERR_IO,
			   "the disk has gone");
		assert_sound(s, 1);
	}
}

static void
a_file_that_changes_meanwhile_is_refused(void **state)
{
	struct store *s = store_of(state);
	struct moody m = { .changes = true };
	_source_ struct source *src = NULL;
	struct store_put p = { .project = "p" };
	struct store_added added;

	put(s, "p", 1);
	assert_ok(source_fetch(moody_fetch, NULL, &m, 150000, "file", &src));
	p.file = src;
	assert_err(store_put(s, &p, &added), ERR_FAILED, "changed while");
	assert_sound(s, 1);
}

static void
too_many_tags_or_attributes_are_refused(void **state)
{
	static struct snap_attr attrs[STORE_ATTRS_MAX + 1];
	char name[STORE_TAGS_MAX + 1][8];
	const char *tags[STORE_TAGS_MAX + 1];
	_source_ struct source *src = NULL;
	struct store_put p = { .project = "p", .tags = tags,
			       .n_tags = countof(tags) };
	struct store_added added;

	for (size_t i = 0; i < countof(tags); i++) {
		snprintf(name[i], sizeof(name[i]), "t%zu", i);
		tags[i] = name[i];
	}
	for (size_t i = 0; i < countof(attrs); i++)
		attrs[i] = (struct snap_attr){ .key = "k",
					       .type = SNAP_ATTR_U64 };
	assert_ok(source_mem("hello", 5, "file", &src));
	p.file = src;
	assert_err(store_put(store_of(state), &p, &added), ERR_LIMIT, "tags");
	p.n_tags--;
	p.attrs = attrs;
	p.n_attrs = countof(attrs);
	assert_err(store_put(store_of(state), &p, &added), ERR_LIMIT,
		   "attributes");
	p.n_attrs--;
	assert_ok(store_put(store_of(state), &p, &added));
}

/* ---- attributes and tags ---- */
static void
attributes_come_back_with_their_types(void **state)
{
	static const struct snap_attr attrs[] = {
		{ "name", SNAP_ATTR_STRING, .string = "python3" },
		{ "empty", SNAP_ATTR_STRING, .string = "" },
		{ "pid", SNAP_ATTR_U64, .number = 77 },
		{ "delta", SNAP_ATTR_I64, .number = UINT64_MAX },
		{ "load", SNAP_ATTR_F64, .number = 0x3ff8000000000000 },
		{ "crashed", SNAP_ATTR_BOOL, .number = 1 },
	};
	_arena_ struct arena *a = arena_new(0);
	_source_ struct source *src = NULL;
	struct store_put p = { .project = "p", .attrs = attrs,
			       .n_attrs = countof(attrs) };
	struct store_added added;
	struct store_object o;

	assert_ok(source_mem("hello", 5, "file", &src));
	p.file = src;
	assert_ok(store_put(store_of(state), &p, &added));
	assert_ok(store_object(store_of(state), &added.ref, a, &o));
	assert_int_equal(o.n_attrs, countof(attrs));
	for (size_t i = 0; i < o.n_attrs; i++) {
		assert_string_equal(o.attrs[i].key, attrs[i].key);
		assert_int_equal(o.attrs[i].type, attrs[i].type);
		assert_true(o.attrs[i].number == attrs[i].number);
		if (attrs[i].string)
			assert_string_equal(o.attrs[i].string,
					    attrs[i].string);
	}
}

static void
assert_tags(struct store *s, const struct store_ref *ref, const char *want)
{
	_arena_ struct arena *a = arena_new(0);
	_buf_ struct buf is = { 0 };
	struct store_object o;

	assert_ok(store_object(s, ref, a, &o));
	buf_puts(&is, "");
	for (size_t i = 0; i < o.n_tags; i++)
		buf_printf(&is, "%s%s", i ? " " : "", o.tags[i]);
	assert_string_equal(is.data, want);
}

static void
tags_are_sorted_added_and_removed(void **state)
{
	struct store *s = store_of(state);
	static const char *const add[] = { "zoo", "a", "zoo" };
	static const char *const remove[] = { "made", "nothing" };
	static const char *const bad[] = { "no/tag" };
	struct store_ref ref = put(s, "p", 1);

	assert_tags(s, &ref, "made");
	assert_ok(store_tag(s, &ref, add, 3, NULL, 0));
	assert_tags(s, &ref, "a made zoo");
	assert_ok(store_tag(s, &ref, NULL, 0, remove, 2));
	assert_tags(s, &ref, "a zoo");
	assert_err(store_tag(s, &ref, bad, 1, NULL, 0), ERR_USAGE,
		   "is no tag");
	assert_ok(store_tag(s, &ref, NULL, 0, NULL, 0));
	assert_tags(s, &ref, "a zoo");
	assert_ok(make_and_check(s, &ref, 1, SIZE));
	ref.number = 99;
	assert_err(store_tag(s, &ref, add, 1, NULL, 0), ERR_NOTFOUND,
		   "nearest");
}

/* ---- finding and listing ---- */
static void
digits_number_and_latest_find_an_object(void **state)
{
	struct store *s = store_of(state);
	struct store_added one, two;
	struct store_ref got;
	char digits[2 * SHA256_SIZE + 1];

	assert_ok(make_and_put(s, "p", 1, SIZE, &one));
	assert_ok(make_and_put(s, "p", 2, SIZE, &two));
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
	struct store *s = store_of(state);
	struct store_ref got;

	for (uint64_t i = 0; i < 4; i++)
		put(s, "p", i);
	assert_err(store_find(s, "p/ff", NULL, &got), ERR_NOTFOUND,
		   "nearest: p/4");
	assert_err(store_find(s, "0123456789", NULL, &got), ERR_NOTFOUND,
		   "nearest: p/");
	assert_err(store_find(s, "q/1", NULL, &got), ERR_NOTFOUND,
		   "no project q; those there are: p");
	assert_err(store_find(s, "@latest", "q", &got), ERR_NOTFOUND, "q");
}

static void
what_names_no_object_is_refused(void **state)
{
	static const char *const bad[] = { "", "abc", "xyzw", "p/", "p/xy",
					   "/1", "@first", "a/b/c", "../p/1",
					   "p/12345678901234567" };
	struct store *s = store_of(state);
	struct store_ref got;

	put(s, "p", 1);
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
	struct store *s = store_of(state);
	struct store_added one;
	struct store_ref got;
	char digits[9];

	assert_ok(make_and_put(s, "one", 1, SIZE, &one));
	put(s, "two", 1);
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
	struct store *s = store_of(state);
	struct listing all = { .most = 100 }, one = { .most = 100 },
		       few = { .most = 2 };

	put(s, "b", 1);
	put(s, "a", 2);
	put(s, "b", 3);
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
	struct store *s = store_of(state);
	_buf_ struct buf names = { 0 };

	put(s, "b", 1);
	put(s, "c", 1);
	put(s, "a", 1);
	assert_ok(store_projects(s, name_one, &names));
	assert_string_equal(names.data, "a b c ");
}

static void
more_projects_than_are_kept_open_work(void **state)
{
	struct store *s = store_of(state);
	char name[16];

	for (uint64_t i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "p%02d", (int)i);
		put(s, name, i);
	}
	for (uint64_t i = 0; i < 40; i++) {
		struct store_ref ref = { .number = 1 };

		snprintf(ref.project, sizeof(ref.project), "p%02d", (int)i);
		assert_ok(make_and_check(s, &ref, i, SIZE));
	}
	assert_int_equal(objects_in(s, NULL), 40);
}

/* ---- sources ---- */
static void
a_source_reads_any_range(void **state)
{
	struct store *s = store_of(state);
	_made_ struct made m = { .n = 0 };
	_source_ struct source *src = NULL;
	struct store_ref ref = put(s, "p", 3);
	uint8_t out[30000];
	uint32_t random = 1;

	assert_ok(make_object(3, SIZE, &m));
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
	struct store *s = store_of(state);
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
	assert_sound(s, 1);
	assert_ok(store_rm(s, &added.ref));
	assert_sound(s, 0);
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
	struct store_ref ref = put(store_of(state), "p", 1);
	int calls = 0;

	assert_err(store_get(store_of(state), &ref, refuse, &calls), ERR_IO,
		   "no more");
	assert_int_equal(calls, 1);
}

/* ---- removal ---- */
static void
what_was_removed_is_not_found(void **state)
{
	struct store *s = store_of(state);
	struct store_ref gone = put(s, "p", 1), stays = put(s, "p", 2);
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
	assert_err(source_read(src, SIZE - 1, 1, &byte), ERR_NOTFOUND,
		   "removed");
	assert_ok(make_and_check(s, &stays, 2, SIZE));
	assert_sound(s, 1);
}

static void
collecting_gives_back_what_was_removed(void **state)
{
	struct store *s = store_of(state);
	struct store_ref ref[20];
	struct store_gc gc;

	for (uint64_t i = 0; i < countof(ref); i++)
		ref[i] = put(s, "p", 100 * i);
	/* Pieces of one put begin on a page of their own: that is little. */
	assert_ok(store_collect(s, NULL, NULL, NULL, &gc));
	assert_true(gc.freed <= countof(ref) * 4096);
	for (size_t i = 0; i < countof(ref); i += 3)
		assert_ok(store_rm(s, &ref[i]));
	assert_sound(s, 13);
	assert_ok(store_collect(s, "p", NULL, NULL, &gc));
	assert_true(gc.freed >= 7 * SIZE * 95 / 100);
	assert_sound(s, 13);
	for (uint64_t i = 0; i < countof(ref); i++)
		if (i % 3)
			assert_ok(make_and_check(s, &ref[i], 100 * i, SIZE));
	assert_ok(store_collect(s, "p", NULL, NULL, &gc));
	assert_int_equal(gc.freed, 0);
	assert_int_equal(gc.moved, 0);
}

static void
a_source_goes_on_while_its_pieces_move(void **state)
{
	struct store *s = store_of(state);
	struct store_ref other = put(s, "p", 0), ref = put(s, "p", 500);
	_made_ struct made m = { .n = 0 };
	_source_ struct source *src = NULL;
	struct store_gc gc;
	uint8_t out[8192];

	assert_ok(make_object(500, SIZE, &m));
	assert_ok(store_source(s, &ref, &src));
	assert_ok(source_read(src, 0, sizeof(out), out));
	assert_ok(store_rm(s, &other));
	assert_ok(store_collect(s, NULL, NULL, NULL, &gc));
	assert_true(gc.moved >= SIZE);
	for (size_t off = 0; off + sizeof(out) < SIZE; off += sizeof(out)) {
		assert_ok(source_read(src, off, sizeof(out), out));
		assert_memory_equal(out, m.bytes.data + off, sizeof(out));
	}
}

static void
an_empty_store_is_as_small_as_it_began(void **state)
{
	struct store *s = store_of(state);
	struct store_ref ref[10];
	struct store_gc gc;

	for (uint64_t i = 0; i < countof(ref); i++)
		ref[i] = put(s, "p", i);
	for (size_t i = 0; i < countof(ref); i++)
		assert_ok(store_rm(s, &ref[i]));
	assert_ok(store_collect(s, NULL, NULL, NULL, &gc));
	assert_true(gc.freed >= 5 * SIZE);
	assert_int_equal(gc.moved, 0);
	assert_int_equal(objects_in(s, NULL), 0);
	assert_sound(s, 0);
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
	struct store *s = store_of(state);
	struct store_ref one = put(s, "p", 1), two = put(s, "p", 2);
	_buf_ struct buf text = { 0 };

	assert_ok(attach(s, &one, 2, "second"));
	assert_ok(attach(s, &one, 1, "first"));
	assert_ok(attach(s, &two, 1, "other"));
	assert_ok(attach(s, &one, 1, "again"));
	assert_ok(store_sidecars(s, &one, sidecar_one, &text));
	assert_string_equal(text.data, "notes/inquest/1=again "
			    "notes/inquest/2=second ");
	assert_sound(s, 2);
	assert_ok(store_rm(s, &one));
	assert_sound(s, 1);
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
	struct store *s = store_of(state);
	struct store_ref gone = put(s, "p", 50), ref = put(s, "p", 1);
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
	assert_sound(s, 1);
	c.kind = "no/kind";
	assert_err(store_put_sidecar(s, &ref, &c), ERR_USAGE, "names");
}

#define both(test) \
	{ "memory: " #test, test, on_memory, on_close, NULL }, \
	{ "disk: " #test, test, on_disk, on_close, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		both(what_was_put_comes_back_bit_for_bit),
		both(a_file_without_pieces_is_cut_by_the_store),
		both(an_empty_file_is_an_object_too),
		both(the_hash_is_that_of_the_whole_file),
		both(the_same_file_again_is_known),
		both(pieces_that_files_share_are_kept_once),
		both(a_piece_that_is_twice_in_a_file_is_kept_once),
		both(projects_share_nothing),
		both(numbers_ascend_and_are_never_used_again),
		both(a_put_tells_how_far_it_is),
		both(names_that_could_be_paths_are_refused),
		both(pieces_that_do_not_cover_the_file_are_refused),
		both(a_file_that_cannot_be_read_leaves_nothing_behind),
		both(a_file_that_changes_meanwhile_is_refused),
		both(too_many_tags_or_attributes_are_refused),
		both(attributes_come_back_with_their_types),
		both(tags_are_sorted_added_and_removed),
		both(digits_number_and_latest_find_an_object),
		both(what_is_not_found_is_told_with_what_is_near),
		both(what_names_no_object_is_refused),
		both(digits_that_several_have_are_refused_with_their_names),
		both(lists_are_newest_first_and_end_when_told),
		both(projects_are_told_in_the_order_of_their_names),
		both(more_projects_than_are_kept_open_work),
		both(a_source_reads_any_range),
		both(a_file_of_thousands_of_pieces_is_read_anywhere),
		both(a_sink_that_fails_ends_a_get),
		both(what_was_removed_is_not_found),
		both(collecting_gives_back_what_was_removed),
		both(a_source_goes_on_while_its_pieces_move),
		both(an_empty_store_is_as_small_as_it_began),
		both(sidecars_are_kept_and_replaced),
		both(a_large_sidecar_survives_a_collection),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
