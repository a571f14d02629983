/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of module discovery: auxv, the dynamic linker's chain, and
 * chains that are cut, endless or point into nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "inspect/inspect.h"
#include "make-core.h"

struct fixture {
	struct buf file;
	struct source *source;
	struct insp *insp;
};

static void
open_linked(struct fixture *f, uint64_t last_next)
{
	struct insp_options options = { 0 };
	struct target *t;

	make_linked_core(last_next, &f->file);
	assert_null(source_mem(f->file.data, f->file.len, "core", &f->source));
	assert_null(target_open(f->source, &t));
	assert_null(insp_open(t, &options, &f->insp));
}

static void
fixture_fini(struct fixture *f)
{
	insp_free(f->insp);
	source_free(f->source);
	buf_fini(&f->file);
}

static bool
says(struct insp *i, const char *words)
{
	size_t n;
	const char *const *gaps = insp_gaps(i, &n);

	for (size_t k = 0; k < n; k++)
		if (strstr(gaps[k], words))
			return true;
	return false;
}

static void
program_and_library_are_found_with_their_ids(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	size_t n;

	open_linked(&f, 0);
	const struct snap_module *m = insp_modules(f.insp, &n);
	assert_int_equal(n, 2);
	assert_int_equal(m[0].flags, SNAP_MODULE_MAIN);
	assert_string_equal(m[0].path, "/bin/linked");
	assert_int_equal(m[0].id.bytes[19], 0xaa);
	assert_int_equal(m[1].flags, SNAP_MODULE_INTERP);
	assert_int_equal(m[1].id.kind, ID_GNU_BUILD_ID);
	assert_int_equal(m[1].id.bytes[0], 0xbb);
	fixture_fini(&f);
}

static void
real_path_and_opened_name_are_both_known(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	size_t n;

	open_linked(&f, 0);
	const struct snap_module *m = insp_modules(f.insp, &n);
	assert_string_equal(m[1].path, "/usr/lib/libx.so.1.2");
	assert_int_equal(m[1].n_names, 1);
	assert_string_equal(m[1].names[0], "/lib/libx.so.1");
	assert_int_equal(insp_module_named(f.insp, "/lib/libx.so.1"), 1);
	assert_int_equal(insp_module_named(f.insp, "/usr/lib/libx.so.1.2"), 1);
	assert_int_equal(insp_module_named(f.insp, "/etc/passwd"), INSP_NONE);
	fixture_fini(&f);
}

static void
addresses_belong_to_modules(void **state)
{
	(void)state;
	struct fixture f = { 0 };

	open_linked(&f, 0);
	assert_int_equal(insp_module_at(f.insp, 0x555555554170), 0);
	assert_int_equal(insp_module_at(f.insp, 0x7ffff7a00000), 1);
	assert_int_equal(insp_module_at(f.insp, 0x7ffff7a02000), INSP_NONE);
	assert_int_equal(insp_module_at(f.insp, 0), INSP_NONE);
	fixture_fini(&f);
}

static void
a_chain_into_nothing_is_said_and_what_came_before_stays(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	size_t n;

	open_linked(&f, 0xdead0000);
	insp_modules(f.insp, &n);
	assert_int_equal(n, 2);
	assert_true(says(f.insp, "list of libraries is cut after 2"));
	fixture_fini(&f);
}

static void
a_chain_in_a_circle_ends(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	size_t n;

	open_linked(&f, 0x555555558200);        /* back to the first */
	insp_modules(f.insp, &n);
	assert_int_equal(n, 2);
	assert_true(says(f.insp, "does not link back"));
	fixture_fini(&f);
}

static void
without_files_nothing_has_a_name_and_that_is_said(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct symbol sym;

	open_linked(&f, 0);
	_err_ struct err *err = insp_symbol(f.insp, 0x555555554170, &sym);
	assert_int_equal(err_kind(err), ERR_NOTFOUND);
	assert_true(says(f.insp, "/bin/linked: no file with its id"));
	fixture_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(program_and_library_are_found_with_their_ids),
		cmocka_unit_test(real_path_and_opened_name_are_both_known),
		cmocka_unit_test(addresses_belong_to_modules),
		cmocka_unit_test(
			a_chain_into_nothing_is_said_and_what_came_before_stays),
		cmocka_unit_test(a_chain_in_a_circle_ends),
		cmocka_unit_test(
			without_files_nothing_has_a_name_and_that_is_said),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
