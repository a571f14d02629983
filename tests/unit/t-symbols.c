/* SPDX-License-Identifier: Apache-2.0 */
/* An index of this very program, made and asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/format.h"
#include "symbols/symbols.h"
#include "tests/symbols/walk.h"
#include "tests/unit/assert-err.h"

struct leaf { struct leaf *next; unsigned bits : 3; char text[5]; };
enum shade { SHADE_DARK = -2, SHADE_LIGHT = 9 };

extern int t_symbols_counter;
int t_symbols_counter = 3;

__attribute__((noinline, noclone)) int t_symbols_work(struct leaf *leaf,
						      enum shade shade);

static inline __attribute__((always_inline)) int
t_symbols_twice(int n)
{
	return 2 * n + t_symbols_counter;
}

int
t_symbols_work(struct leaf *leaf, enum shade shade)
{
	int n = t_symbols_twice(leaf->text[0]);

	return n + (int)shade;
}

/* ---- help ------------------------------------------------------------------ */
struct made {
	struct buf bytes;
	struct source *source;
	struct symidx *ix;
	struct arena *arena;
};

static struct err *
sink(void *arg, const void *data, size_t n)
{
	buf_put(arg, data, n);
	return buf_err(arg);
}

static void
make_bytes(struct buf *out)
{
	struct symbols_input in = { 0 };
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_ok(source_fd(fd, "self", &in.file));
	assert_ok(symbols_make(&in, sink, out));
	source_free(in.file);
}

static int
set_up(void **state)
{
	struct made *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	make_bytes(&m->bytes);
	assert_ok(source_mem(m->bytes.data, m->bytes.len, "index",
			     &m->source));
	assert_ok(symidx_open(m->source, &m->ix));
	m->arena = arena_new(0);
	assert_non_null(m->arena);
	*state = m;
	return 0;
}

static int
tear_down(void **state)
{
	struct made *m = *state;

	symidx_free(m->ix);
	source_free(m->source);
	arena_free(m->arena);
	buf_fini(&m->bytes);
	free(m);
	return 0;
}

/* Without -g there is nothing to ask for. */
static bool
has_dwarf(const struct made *m)
{
	if (symidx_about(m->ix)->dwarf_size == 0)
		skip();
	return true;
}

struct found {
	uint32_t reference;
	unsigned n;
};

static struct err *
keep(void *arg, enum sym_what what, uint32_t reference)
{
	struct found *f = arg;

	(void)what;
	f->reference = reference;
	f->n++;
	return NULL;
}

static uint32_t
the(struct made *m, const char *name, unsigned what)
{
	struct found f = { SYM_NONE, 0 };

	assert_ok(symidx_named(m->ix, name, what, keep, &f));
	assert_int_equal(f.n, 1);
	return f.reference;
}

static const struct sym_member *
member(struct made *m, const struct sym_type *t, const char *name)
{
	for (size_t k = 0; k < t->n_members; k++)
		if (strcmp(symidx_string(m->ix, t->members[k].name), name)
		    == 0)
			return &t->members[k];
	fail_msg("no member %s", name);
	return NULL;
}

/* ---- tests --------------------------------------------------------------------- */
static void
members_stand_where_the_compiler_put_them(void **state)
{
	struct made *m = *state;
	const struct sym_type *t;

	if (!has_dwarf(m))
		return;
	assert_ok(symidx_type(m->ix, the(m, "leaf", SYM_A_TYPE), m->arena,
			      &t));
	assert_int_equal(t->kind, SYM_TYPE_STRUCT);
	assert_int_equal(t->size, sizeof(struct leaf));
	assert_int_equal(member(m, t, "next")->offset, 0);
	assert_int_equal(member(m, t, "bits")->bits, 3);
	assert_int_equal(member(m, t, "text")->offset,
			 8 * offsetof(struct leaf, text));
}

static void
enumerators_are_found_by_name(void **state)
{
	struct made *m = *state;
	const struct sym_type *t;

	if (!has_dwarf(m))
		return;
	assert_ok(symidx_type(m->ix, the(m, "SHADE_DARK", SYM_AN_ENUMERATOR),
			      m->arena, &t));
	assert_string_equal(symidx_string(m->ix, t->name), "shade");
	assert_int_equal(t->n_enumerators, 2);
	assert_int_equal((int64_t)t->enumerators[0].value, -2);
}

static void
a_function_has_its_parameters_and_what_was_inlined(void **state)
{
	struct made *m = *state;
	const struct sym_body *b;
	size_t inlined = 0;

	if (!has_dwarf(m))
		return;
	assert_ok(symidx_body(m->ix, the(m, "t_symbols_work",
					 SYM_A_FUNCTION), m->arena, &b));
	assert_int_equal(b->blocks[0].kind, SYM_BLOCK_FUNCTION);
	for (size_t k = 1; k < b->n_blocks; k++)
		inlined += b->blocks[k].kind == SYM_BLOCK_INLINED;
	assert_int_equal(inlined, 1);
	const struct sym_variable *v = &b->variables[b->blocks[0]
						      .first_variable];
	assert_string_equal(symidx_string(m->ix, v[0].name), "leaf");
	assert_true(v[0].flags & SYM_PARAMETER);
	assert_string_equal(symidx_string(m->ix, v[1].name), "shade");
}

static void
a_function_that_was_asked_for_is_not_read_again(void **state)
{
	struct made *m = *state;
	const struct sym_body *first, *again;
	_arena_ struct arena *a = arena_new(0);

	if (!has_dwarf(m))
		return;
	uint32_t work = the(m, "t_symbols_work", SYM_A_FUNCTION);
	assert_ok(symidx_body(m->ix, work, a, &first));
	size_t used = arena_used(m->arena);
	assert_ok(symidx_body(m->ix, work, m->arena, &again));
	assert_ptr_equal(first, again);
	assert_int_equal(arena_used(m->arena), used);
}

static void
an_address_leads_to_its_function(void **state)
{
	struct made *m = *state;
	struct sym_symbol s;
	struct sym_frame f[4];

	for (uint32_t k = 0; symidx_symbol(m->ix, k, &s); k++)
		if (strcmp(s.linkage, "t_symbols_work") == 0)
			break;
	assert_string_equal(s.linkage, "t_symbols_work");
	assert_true(symidx_symbol_at(m->ix, s.address + 1, &s));
	assert_string_equal(s.linkage, "t_symbols_work");
	if (!has_dwarf(m))
		return;
	size_t n = symidx_frames(m->ix, s.address, f, 4);
	assert_true(n >= 1);
	assert_string_equal(symidx_string(m->ix, f[n - 1].name),
			    "t_symbols_work");
	assert_non_null(strstr(symidx_string(m->ix, f[n - 1].file),
			       "t-symbols.c"));
}

static void
symbols_are_found_by_their_name(void **state)
{
	struct made *m = *state;
	struct sym_symbol s, same;
	uint32_t found;

	for (uint32_t k = 0; symidx_symbol(m->ix, k, &s); k++) {
		bool is_there = false;

		found = 0;
		_free_ char *name = strndup(s.linkage,
					    strcspn(s.linkage, "@"));
		while (symidx_symbol_named(m->ix, name, &found, &same))
			is_there |= found == k + 1;
		assert_true(is_there);
	}
	found = 0;
	assert_false(symidx_symbol_named(m->ix, "nobody_is_called_that",
					 &found, &s));
}

static void
variables_are_found_with_their_address(void **state)
{
	struct made *m = *state;
	const struct sym_variable *v;

	if (!has_dwarf(m))
		return;
	assert_ok(symidx_variable(m->ix, the(m, "t_symbols_counter",
					     SYM_A_VARIABLE), m->arena, &v));
	assert_int_equal(v->n_locations, 1);
	assert_int_equal(v->locations[0].expr.n, 9);    /* addr, 8 bytes */
	assert_true(v->flags & SYM_EXTERNAL);
}

static void
everything_in_it_can_be_read(void **state)
{
	struct made *m = *state;
	struct walked w = { 0 };

	assert_ok(walk_index(m->ix, &w));
	assert_int_equal(w.unknown, 0);
	assert_int_equal(symidx_about(m->ix)->units_lost, 0);
}

static void
two_are_the_same_bytes(void **state)
{
	struct made *m = *state;
	_buf_ struct buf again = { 0 };

	make_bytes(&again);
	assert_int_equal(again.len, m->bytes.len);
	assert_memory_equal(again.data, m->bytes.data, again.len);
}

static void
one_of_another_version_says_so(void **state)
{
	struct made *m = *state;
	_free_ char *copy = malloc(m->bytes.len);
	_source_ struct source *src = NULL;
	struct symidx *ix = NULL;

	assert_non_null(copy);
	memcpy(copy, m->bytes.data, m->bytes.len);
	copy[offsetof(struct format_header, version)]++;
	assert_ok(source_mem(copy, m->bytes.len, "other", &src));
	assert_err(symidx_open(src, &ix), ERR_FORMAT, "make it anew");
}

/* A changed byte is noticed before anything is made of it. */
static void
damage_is_told(void **state)
{
	struct made *m = *state;
	_free_ char *copy = malloc(m->bytes.len);

	assert_non_null(copy);
	for (size_t at = sizeof(struct format_header) + 5; at < m->bytes.len;
	     at += m->bytes.len / 7) {
		_source_ struct source *src = NULL;
		_symidx_ struct symidx *ix = NULL;
		struct walked w = { 0 };

		memcpy(copy, m->bytes.data, m->bytes.len);
		copy[at] ^= 0x10;
		assert_ok(source_mem(copy, m->bytes.len, "hurt", &src));
		_err_ struct err *err = symidx_open(src, &ix);
		if (!err)
			err = walk_index(ix, &w);
		assert_true(!err || err_kind(err) == ERR_DAMAGED);
	}
}

static void
every_byte_of_the_head_counts(void **state)
{
	struct made *m = *state;
	_free_ char *copy = malloc(m->bytes.len);

	assert_non_null(copy);
	assert_ok(symidx_verify(m->ix));
	for (size_t at = 0; at < sizeof(struct format_header); at++) {
		_source_ struct source *src = NULL;
		_symidx_ struct symidx *ix = NULL;

		memcpy(copy, m->bytes.data, m->bytes.len);
		copy[at] ^= 0x10;
		assert_ok(source_mem(copy, m->bytes.len, "hurt", &src));
		_err_ struct err *err = symidx_open(src, &ix);
		assert_true(err_kind(err) == ERR_DAMAGED
			    || err_kind(err) == ERR_FORMAT);
	}
}

/* One that was opened has an end that nobody has read yet. */
static void
damage_that_was_read_is_remembered(void **state)
{
	struct made *m = *state;
	_free_ char *copy = malloc(m->bytes.len);
	_source_ struct source *src = NULL;
	_symidx_ struct symidx *ix = NULL;
	struct walked w = { 0 };

	assert_non_null(copy);
	memcpy(copy, m->bytes.data, m->bytes.len);
	copy[m->bytes.len - 1] ^= 0x10;
	assert_ok(source_mem(copy, m->bytes.len, "hurt", &src));
	assert_ok(symidx_open(src, &ix));
	assert_false(symidx_spoilt(ix));
	err_free(walk_index(ix, &w));
	assert_true(symidx_spoilt(ix));
	_err_ struct err *err = symidx_verify(ix);
	assert_int_equal(err_kind(err), ERR_DAMAGED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_stand_where_the_compiler_put_them),
		cmocka_unit_test(enumerators_are_found_by_name),
		cmocka_unit_test(
			a_function_has_its_parameters_and_what_was_inlined),
		cmocka_unit_test(
			a_function_that_was_asked_for_is_not_read_again),
		cmocka_unit_test(an_address_leads_to_its_function),
		cmocka_unit_test(symbols_are_found_by_their_name),
		cmocka_unit_test(variables_are_found_with_their_address),
		cmocka_unit_test(everything_in_it_can_be_read),
		cmocka_unit_test(two_are_the_same_bytes),
		cmocka_unit_test(one_of_another_version_says_so),
		cmocka_unit_test(damage_is_told),
		cmocka_unit_test(every_byte_of_the_head_counts),
		cmocka_unit_test(damage_that_was_read_is_remembered),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
