/* SPDX-License-Identifier: Apache-2.0 */
/* Which pages are populated: the same by either way of asking the kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "assert-err.h"
#include "capture/pages.h"

#define PAGE 4096u
enum { PAGES = 4096 };

struct asked {
	uint8_t *memory;
	struct proc proc;
	struct pages pages;
};

static int
asked_setup(void **state)
{
	struct asked *a = test_calloc(1, sizeof(*a));

	a->memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(a->memory, MAP_FAILED);
	/* One huge page would populate what nobody wrote to. */
	madvise(a->memory, PAGES * PAGE, MADV_NOHUGEPAGE);
	memset(a->memory, 1, 2 * PAGE);
	memset(a->memory + 5 * PAGE, 1, PAGE);
	memset(a->memory + 4000 * PAGE, 1, PAGE);
	assert_ok(proc_open(getpid(), &a->proc));
	pages_open(&a->pages, &a->proc);
	*state = a;
	return 0;
}

static int
asked_teardown(void **state)
{
	struct asked *a = *state;

	pages_fini(&a->pages);
	proc_fini(&a->proc);
	munmap(a->memory, PAGES * PAGE);
	test_free(a);
	return 0;
}

static uint64_t
at(const struct asked *a, size_t page)
{
	return (uint64_t)(uintptr_t)a->memory + page * PAGE;
}

static void
assert_run(struct asked *a, size_t from, size_t start, size_t end)
{
	struct page_run run;

	assert_true(pages_next(&a->pages, at(a, from), at(a, PAGES), &run));
	assert_int_equal(run.start, at(a, start));
	assert_int_equal(run.end, at(a, end));
	assert_false(run.file);
}

static void
assert_runs(struct asked *a)
{
	struct page_run run;

	assert_run(a, 0, 0, 2);
	assert_run(a, 2, 5, 6);
	assert_run(a, 6, 4000, 4001);
	assert_false(pages_next(&a->pages, at(a, 4001), at(a, PAGES), &run));
}

static void
a_scan_finds_what_was_written(void **state)
{
	struct asked *a = *state;

	/* Where the kernel has no scan this is the next test once more. */
	assert_runs(a);
}

static void
entries_find_the_same(void **state)
{
	struct asked *a = *state;

	a->pages.scan = false;
	assert_runs(a);
}

static void
a_run_begins_and_ends_where_it_was_asked_for(void **state)
{
	struct asked *a = *state;
	struct page_run run;

	assert_run(a, 1, 1, 2);
	pages_again(&a->pages);
	assert_true(pages_next(&a->pages, at(a, 0), at(a, 1), &run));
	assert_int_equal(run.end, at(a, 1));
	assert_false(pages_next(&a->pages, at(a, 2), at(a, 5), &run));
}

static void
without_a_way_to_ask_every_page_counts(void **state)
{
	struct asked *a = *state;

	pages_fini(&a->pages);
	assert_run(a, 0, 0, PAGES);
}

static void
what_is_too_large_for_entries_counts_as_a_whole(void **state)
{
	struct asked *a = *state;

	a->pages.scan = false;
	a->pages.entries = PAGES / 2;
	assert_run(a, 0, 0, 2);
	assert_run(a, 2, 5, 6);
	/* The budget is spent behind page 2048. */
	assert_run(a, 6, PAGES / 2, PAGES);
}

#define asking(test) \
	cmocka_unit_test_setup_teardown(test, asked_setup, asked_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		asking(a_scan_finds_what_was_written),
		asking(entries_find_the_same),
		asking(a_run_begins_and_ends_where_it_was_asked_for),
		asking(without_a_way_to_ask_every_page_counts),
		asking(what_is_too_large_for_entries_counts_as_a_whole),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
