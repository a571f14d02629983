/* SPDX-License-Identifier: Apache-2.0 */
/* What is missing, why, and how it is mended: records of make-served.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "analysis/analysis.h"
#include "assert-err.h"
#include "make-served.h"

#define GAPS 200u

struct fixture {
	struct served served;
	struct arena *arena;
	struct missing missing;
	const struct lack *list;
	size_t n;
};

/* With frames in the first module: @function and @file of each. */
static void
look(struct fixture *f, const char *function, const char *file)
{
	const struct snap_frame frames[] = {
		{ .pc = 0x1000, .function = function, .file = file },
		{ .pc = 0x1010, .function = function, .file = file },
		{ .pc = 0x999000, .module = UINT32_MAX },
	};
	const struct view v = { .frames = frames, .n = countof(frames) };

	assert_ok(served_open(&f->served, NULL));
	f->arena = arena_new(0);
	assert_ok(missing_init(&f->missing, f->served.insp, f->arena));
	missing_add(&f->missing, &v);
	missing_finish(&f->missing, f->served.insp);
	assert_ok(missing_list(&f->missing, f->served.insp, f->arena, &f->list,
			       &f->n));
}

static const struct lack *
find(const struct fixture *f, const char *what)
{
	for (size_t k = 0; k < f->n; k++)
		if (strcmp(f->list[k].what, what) == 0)
			return &f->list[k];
	return NULL;
}

static void
done(struct fixture *f)
{
	arena_free(f->arena);
	served_close(&f->served);
}

static void
memory_names_reason_and_mend(void **state)
{
	struct fixture f;

	(void)state;
	served_init(&f.served);
	look(&f, "main", "a.c");
	assert_int_equal(f.missing.absent[SNAP_ABSENT_BUDGET].bytes, 0x1000);
	const struct lack *l = find(&f, "memory");
	assert_non_null(l);
	assert_string_equal(l->of, "4.0 KiB");
	assert_string_equal(l->why, "over the limit of bytes");
	assert_non_null(strstr(l->mend, "--budget"));
	assert_null(find(&f, "function names"));
	assert_null(find(&f, "line numbers"));
	done(&f);
}

static void
gaps_are_sentences(void **state)
{
	struct fixture f;

	(void)state;
	served_init(&f.served);
	look(&f, "main", "a.c");
	const struct lack *l = find(&f, "input");
	assert_non_null(l);
	assert_string_equal(l->why, "the core is truncated");
	assert_null(l->mend);
	done(&f);
}

static void
module_without_names_is_told(void **state)
{
	struct fixture f;

	(void)state;
	served_init(&f.served);
	look(&f, NULL, NULL);
	const struct lack *l = find(&f, "function names");
	assert_non_null(l);
	assert_string_equal(l->of, "served");
	assert_non_null(strstr(l->mend, "build-id"));
	assert_null(find(&f, "line numbers"));
	done(&f);
}

static void
module_without_lines_is_told(void **state)
{
	struct fixture f;

	(void)state;
	served_init(&f.served);
	look(&f, "main", NULL);
	assert_null(find(&f, "function names"));
	assert_non_null(find(&f, "line numbers"));
	done(&f);
}

static void
very_many_are_counted(void **state)
{
	static char texts[GAPS][600];
	const char *gaps[GAPS];
	struct fixture f;

	(void)state;
	served_init(&f.served);
	for (unsigned k = 0; k < GAPS; k++) {
		snprintf(texts[k], sizeof(texts[k]), "%0598u\xc3", k);
		gaps[k] = texts[k];
	}
	f.served.target.gaps = gaps;
	f.served.target.n_gaps = GAPS;
	look(&f, "main", "a.c");
	assert_int_equal(f.n, LACKS_MAX);
	assert_string_equal(f.list[f.n - 1].what, "more");
	for (size_t k = 0; k < f.n; k++)
		assert_true(strlen(f.list[k].why) < 300);
	done(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_names_reason_and_mend),
		cmocka_unit_test(gaps_are_sentences),
		cmocka_unit_test(module_without_names_is_told),
		cmocka_unit_test(module_without_lines_is_told),
		cmocka_unit_test(very_many_are_counted),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
