/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of the store: what is put and what is refused, attributes and
 * tags. Every case runs on each backend.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "store-on.h"

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

static size_t
objects_in(struct store *s, const char *project)
{
	size_t n = 0;

	assert_ok(store_list(s, project, on_count, &n));
	return n;
}

/* ---- putting and getting ---- */
static void
what_was_put_comes_back_bit_for_bit(void **state)
{
	struct store *s = on_store(state);

	for (uint64_t i = 0; i < 5; i++) {
		struct store_ref ref = on_put(s, "p", i);

		assert_ok(make_and_check(s, &ref, i, ON_SIZE));
	}
	on_sound(s, 5);
}

static void
a_file_without_pieces_is_cut_by_the_store(void **state)
{
	struct store *s = on_store(state);
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
	assert_ok(store_get(s, &added.ref, on_gather, &out));
	assert_int_equal(out.len, m.bytes.len);
	assert_memory_equal(out.data, m.bytes.data, out.len);
}

static void
an_empty_file_is_an_object_too(void **state)
{
	struct store *s = on_store(state);
	_source_ struct source *src = NULL;
	_buf_ struct buf out = { 0 };
	struct store_added added;

	assert_ok(put_text(s, "", &added));
	assert_ok(store_get(s, &added.ref, on_gather, &out));
	assert_int_equal(out.len, 0);
	assert_ok(store_source(s, &added.ref, &src));
	assert_int_equal(source_size(src), 0);
	on_sound(s, 1);
}

static void
the_hash_is_that_of_the_whole_file(void **state)
{
	struct store *s = on_store(state);
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
	struct store *s = on_store(state);
	struct store_added first, again;

	assert_ok(make_and_put(s, "p", 1, ON_SIZE, &first));
	assert_false(first.known);
	assert_ok(make_and_put(s, "p", 1, ON_SIZE, &again));
	assert_true(again.known);
	assert_int_equal(again.added, 0);
	assert_int_equal(again.ref.number, first.ref.number);
	assert_int_equal(objects_in(s, "p"), 1);
}

static void
pieces_that_files_share_are_kept_once(void **state)
{
	struct store *s = on_store(state);
	struct store_added first, second;

	assert_ok(make_and_put(s, "p", 0, ON_SIZE, &first));
	assert_ok(make_and_put(s, "p", 1, ON_SIZE, &second));
	assert_true(first.added >= ON_SIZE);
	assert_true(second.added > 0);
	assert_true(second.added < first.added * 3 / 4);
	assert_ok(make_and_check(s, &second.ref, 1, ON_SIZE));
}

static void
a_piece_that_is_twice_in_a_file_is_kept_once(void **state)
{
	struct store *s = on_store(state);
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
	assert_ok(store_get(s, &added.ref, on_gather, &out));
	assert_string_equal(out.data, "abcdabcdabcd");
	on_sound(s, 1);
	assert_ok(store_rm(s, &added.ref));
	on_sound(s, 0);
}

static void
projects_share_nothing(void **state)
{
	struct store *s = on_store(state);
	struct store_added one, two;

	assert_ok(make_and_put(s, "one", 1, ON_SIZE, &one));
	assert_ok(make_and_put(s, "two", 1, ON_SIZE, &two));
	assert_false(two.known);
	assert_int_equal(two.added, one.added);
	assert_int_equal(two.ref.number, one.ref.number);
	assert_ok(store_rm(s, &one.ref));
	assert_ok(make_and_check(s, &two.ref, 1, ON_SIZE));
}

static void
numbers_ascend_and_are_never_used_again(void **state)
{
	struct store *s = on_store(state);
	struct store_ref a = on_put(s, "p", 1), b = on_put(s, "p", 2), c;

	assert_true(b.number > a.number);
	assert_ok(store_rm(s, &b));
	c = on_put(s, "p", 2);
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

	assert_ok(make_object(1, ON_SIZE, &m));
	assert_ok(source_mem(m.bytes.data, m.bytes.len, "file", &src));
	p.file = src;
	assert_ok(store_put(on_store(state), &p, &added));
	assert_int_equal(last[0], last[1]);
}

/* ---- what is refused ---- */
static void
names_that_could_be_paths_are_refused(void **state)
{
	char long_name[STORE_NAME_MAX + 2] = { 0 };
	const char *const bad[] = {
		"", ".", "..", "../up", "a/b", "-x", ".hidden", "a b",
		"a\n", "caf\xc3\xa9", "%2e%2e", long_name,
	};
	struct store *s = on_store(state);
	struct store_ref ref = { .number = 1 };
	struct store_added added;

	memset(long_name, 'n', STORE_NAME_MAX + 1);
	for (size_t i = 0; i < countof(bad); i++) {
		assert_false(store_name_ok(bad[i]));
		assert_err(make_and_put(s, bad[i], 1, 1000, &added), ERR_USAGE,
			   "is no name of a project");
		assert_err(store_list(s, bad[i], on_count, NULL),
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
		assert_err(store_put(on_store(state), &p, &added), ERR_USAGE,
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
	struct store *s = on_store(state);
	struct store_added added;

	on_put(s, "p", 1);
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
		on_sound(s, 1);
	}
}

static void
a_file_that_changes_meanwhile_is_refused(void **state)
{
	struct store *s = on_store(state);
	struct moody m = { .changes = true };
	_source_ struct source *src = NULL;
	struct store_put p = { .project = "p" };
	struct store_added added;

	on_put(s, "p", 1);
	assert_ok(source_fetch(moody_fetch, NULL, &m, 150000, "file", &src));
	p.file = src;
	assert_err(store_put(s, &p, &added), ERR_FAILED, "changed while");
	on_sound(s, 1);
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
	assert_err(store_put(on_store(state), &p, &added), ERR_LIMIT, "tags");
	p.n_tags--;
	p.attrs = attrs;
	p.n_attrs = countof(attrs);
	assert_err(store_put(on_store(state), &p, &added), ERR_LIMIT,
		   "attributes");
	p.n_attrs--;
	assert_ok(store_put(on_store(state), &p, &added));
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
	assert_ok(store_put(on_store(state), &p, &added));
	assert_ok(store_object(on_store(state), &added.ref, a, &o));
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
	struct store *s = on_store(state);
	static const char *const add[] = { "zoo", "a", "zoo" };
	static const char *const remove[] = { "made", "nothing" };
	static const char *const bad[] = { "no/tag" };
	struct store_ref ref = on_put(s, "p", 1);

	assert_tags(s, &ref, "made");
	assert_ok(store_tag(s, &ref, add, 3, NULL, 0));
	assert_tags(s, &ref, "a made zoo");
	assert_ok(store_tag(s, &ref, NULL, 0, remove, 2));
	assert_tags(s, &ref, "a zoo");
	assert_err(store_tag(s, &ref, bad, 1, NULL, 0), ERR_USAGE,
		   "is no tag");
	assert_ok(store_tag(s, &ref, NULL, 0, NULL, 0));
	assert_tags(s, &ref, "a zoo");
	assert_ok(make_and_check(s, &ref, 1, ON_SIZE));
	ref.number = 99;
	assert_err(store_tag(s, &ref, add, 1, NULL, 0), ERR_NOTFOUND,
		   "nearest");
}

/* ---- symbol files ---- */
static struct store_ref
put_symbols(struct store *s, const char *text, const char *id, uint64_t kinds)
{
	const struct snap_attr attrs[] = {
		{ STORE_SYMBOLS_ID, SNAP_ATTR_STRING, .string = id },
		{ STORE_SYMBOLS_KINDS, SNAP_ATTR_U64, .number = kinds },
	};
	_source_ struct source *src = NULL;
	struct store_put p = { .project = "p", .attrs = attrs,
			       .n_attrs = countof(attrs) };
	struct store_added added;

	assert_ok(source_mem(text, strlen(text), "file", &src));
	p.file = src;
	assert_ok(store_put(s, &p, &added));
	return added.ref;
}

/* The number of the @nth one of "abcd…", or 0. */
static uint64_t
symbols_of(struct store *s, const char *project, size_t n, uint8_t kind,
	   uint32_t nth)
{
	static const uint8_t id[] = { 0xab, 0xcd, 0xef };
	const struct store_symbols asked = { { id, n }, kind, nth };
	struct store_ref ref = { .number = 0 };

	_err_ struct err *err = store_symbols(s, project, &asked, &ref);
	assert_true(!err || err_kind(err) == ERR_NOTFOUND);
	return ref.number;
}

static void
symbol_files_are_found_by_id_in_their_project(void **state)
{
	struct store *s = on_store(state);
	struct store_ref code = put_symbols(s, "1", "abcd", 1);
	struct store_ref debug = put_symbols(s, "2", "abcd", 2);
	struct store_ref other = put_symbols(s, "3", "abcdef", 2);
	struct store_ref both = put_symbols(s, "4", "abcd", 3);

	on_put(s, "q", 1);
	assert_int_equal(symbols_of(s, "p", 2, STORE_SYMBOLS_CODE, 0),
			 both.number);
	assert_int_equal(symbols_of(s, "p", 2, STORE_SYMBOLS_CODE, 1),
			 code.number);
	assert_int_equal(symbols_of(s, "p", 2, STORE_SYMBOLS_CODE, 2), 0);
	assert_int_equal(symbols_of(s, "p", 2, STORE_SYMBOLS_DEBUG, 1),
			 debug.number);
	assert_int_equal(symbols_of(s, "p", 3, STORE_SYMBOLS_DEBUG, 0),
			 other.number);
	assert_int_equal(symbols_of(s, "p", 1, STORE_SYMBOLS_DEBUG, 0), 0);
	assert_int_equal(symbols_of(s, "q", 2, STORE_SYMBOLS_CODE, 0), 0);
	assert_int_equal(symbols_of(s, "no", 2, STORE_SYMBOLS_CODE, 0), 0);
	on_sound(s, 5);
	assert_ok(store_rm(s, &both));
	assert_int_equal(symbols_of(s, "p", 2, STORE_SYMBOLS_CODE, 0),
			 code.number);
	assert_int_equal(symbols_of(s, "p", 2, STORE_SYMBOLS_CODE, 1), 0);
	on_sound(s, 4);
}

static void
the_latest_object_is_no_symbol_file(void **state)
{
	struct store *s = on_store(state);
	struct store_ref snap = on_put(s, "p", 1), ref;

	put_symbols(s, "1", "abcd", 1);
	put_symbols(s, "2", "no id", 1);
	assert_ok(store_find(s, "p/2", NULL, &ref));
	assert_ok(store_rm(s, &(struct store_ref){ "p", 3 }));
	assert_ok(store_find(s, "@latest", "p", &ref));
	assert_int_equal(ref.number, snap.number);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		on_both(what_was_put_comes_back_bit_for_bit),
		on_both(a_file_without_pieces_is_cut_by_the_store),
		on_both(an_empty_file_is_an_object_too),
		on_both(the_hash_is_that_of_the_whole_file),
		on_both(the_same_file_again_is_known),
		on_both(pieces_that_files_share_are_kept_once),
		on_both(a_piece_that_is_twice_in_a_file_is_kept_once),
		on_both(projects_share_nothing),
		on_both(numbers_ascend_and_are_never_used_again),
		on_both(a_put_tells_how_far_it_is),
		on_both(names_that_could_be_paths_are_refused),
		on_both(pieces_that_do_not_cover_the_file_are_refused),
		on_both(a_file_that_cannot_be_read_leaves_nothing_behind),
		on_both(a_file_that_changes_meanwhile_is_refused),
		on_both(too_many_tags_or_attributes_are_refused),
		on_both(attributes_come_back_with_their_types),
		on_both(tags_are_sorted_added_and_removed),
		on_both(symbol_files_are_found_by_id_in_their_project),
		on_both(the_latest_object_is_no_symbol_file),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
