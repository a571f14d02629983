/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of the ELF core target: what it takes, refuses and says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "inspect/inspect.h"
#include "make-core.h"

struct fixture {
	struct buf file;
	struct source *source;
	struct target *target;
};

static struct err *
open_bytes(struct fixture *f)
{
	assert_null(source_mem(f->file.data, f->file.len, "core", &f->source));
	return target_open(f->source, &f->target);
}

static void
fixture_fini(struct fixture *f)
{
	target_free(f->target);
	source_free(f->source);
	buf_fini(&f->file);
}

static void
assert_refused(struct fixture *f, enum err_kind kind, const char *words)
{
	_err_ struct err *err = open_bytes(f);

	assert_non_null(err);
	assert_int_equal(err_kind(err), kind);
	if (!strstr(err_text(err), words))
		fail_msg("'%s' does not say '%s'", err_text(err), words);
}

static void
two_threads(struct make_core *m)
{
	static const char page[4096] = "hello";

	make_thread(m, 71, 11, 0x401000, 0x7000);
	make_process(m, 71, "prog", "prog -x");
	make_siginfo(m, SIGSEGV, 1, 0x10);
	make_thread(m, 72, 11, 0x401010, 0x9000);
	make_segment(m, 0x7000, 0x1000, PF_R | PF_W, page, sizeof(page));
}

static void
only_the_first_thread_is_faulting(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct make_core m = { 0 };

	two_threads(&m);
	make_core(&m, &f.file);
	assert_null(open_bytes(&f));
	assert_int_equal(f.target->n_threads, 2);
	assert_true(f.target->threads[0].faulting);
	assert_int_equal(f.target->threads[0].signal, SIGSEGV);
	assert_false(f.target->threads[1].faulting);
	assert_int_equal(f.target->threads[1].signal, 0);
	assert_int_equal(f.target->process.faulting_tid, 71);
	assert_int_equal(f.target->process.pid, 71);
	assert_string_equal(f.target->process.name, "prog");
	assert_string_equal(f.target->process.arguments, "prog -x");
	fixture_fini(&f);
}

static void
the_fault_address_is_taken_from_siginfo(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct make_core m = { 0 };

	two_threads(&m);
	make_core(&m, &f.file);
	assert_null(open_bytes(&f));
	assert_true(f.target->process.has_fault_address);
	assert_int_equal(f.target->process.fault_address, 0x10);
	fixture_fini(&f);
}

static void
a_signal_sent_by_kill_has_no_fault_address(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct make_core m = { 0 };

	make_thread(&m, 5, 11, 0x401000, 0x7000);
	make_siginfo(&m, SIGSEGV, SI_USER, 0x123400000567);
	make_core(&m, &f.file);
	assert_null(open_bytes(&f));
	assert_false(f.target->process.has_fault_address);
	assert_int_equal(f.target->process.signal, SIGSEGV);
	fixture_fini(&f);
}

static void
bytes_left_out_and_bytes_cut_are_told_apart(void **state)
{
	(void)state;
	static const char pages[8192];
	struct fixture f = { 0 };
	struct make_core m = { 0 };

	make_thread(&m, 5, 11, 0x401000, 0x7000);
	make_segment(&m, 0x10000, 0x3000, PF_R, pages, sizeof(pages));
	make_core(&m, &f.file);
	f.file.len -= 4096;
	assert_null(open_bytes(&f));
	const struct snap_memory *r = f.target->memory;
	assert_int_equal(f.target->n_memory, 3);
	assert_int_equal(r[0].kind, SNAP_MEM_DATA);
	assert_int_equal(r[0].length, 4096);
	assert_int_equal(r[1].kind, SNAP_MEM_ABSENT);
	assert_int_equal(r[1].reason, SNAP_ABSENT_CUT);
	assert_int_equal(r[2].reason, SNAP_ABSENT_FILTER);
	assert_int_equal(f.target->n_maps, 1);
	assert_int_equal(f.target->maps[0].end, 0x13000);
	assert_int_equal(f.target->n_gaps, 1);
	assert_non_null(strstr(f.target->gaps[0], "truncated"));
	fixture_fini(&f);
}

static void
where_segments_overlap_the_first_is_kept(void **state)
{
	(void)state;
	static const char a[4096] = "a", b[8192] = "b";
	struct fixture f = { 0 };
	struct make_core m = { 0 };
	char byte;

	make_thread(&m, 5, 11, 0x401000, 0x7000);
	make_segment(&m, 0x10000, sizeof(a), PF_R, a, sizeof(a));
	make_segment(&m, 0x10000, sizeof(b), PF_R, b, sizeof(b));
	make_core(&m, &f.file);
	assert_null(open_bytes(&f));
	assert_int_equal(f.target->n_memory, 2);
	assert_int_equal(f.target->memory[1].start, 0x11000);
	assert_null(f.target->ops->read(f.target, 0, 0, 1, &byte));
	assert_int_equal(byte, 'a');
	fixture_fini(&f);
}

static void
a_mapped_file_without_a_segment_is_known_as_left_out(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct make_core m = { 0 };

	make_thread(&m, 5, 11, 0x401000, 0x7000);
	make_files(&m, &(struct make_mapped){ 0x400000, 0x402000, 1,
					       "/bin/prog" }, 1);
	make_core(&m, &f.file);
	assert_null(open_bytes(&f));
	assert_int_equal(f.target->n_memory, 1);
	assert_int_equal(f.target->memory[0].kind, SNAP_MEM_ABSENT);
	assert_string_equal(f.target->maps[0].path, "/bin/prog");
	assert_int_equal(f.target->maps[0].offset, 4096);
	fixture_fini(&f);
}

static void
a_segment_that_wraps_is_left_out_and_said(void **state)
{
	(void)state;
	static const char page[4096];
	struct fixture f = { 0 };
	struct make_core m = { 0 };

	make_thread(&m, 5, 11, 0x401000, 0x7000);
	make_segment(&m, UINT64_MAX - 100, 4096, PF_R, page, sizeof(page));
	make_core(&m, &f.file);
	assert_null(open_bytes(&f));
	assert_int_equal(f.target->n_memory, 0);
	assert_non_null(strstr(f.target->gaps[0], "impossible sizes"));
	fixture_fini(&f);
}

static void
what_is_no_core_is_refused_by_name(void **state)
{
	(void)state;
	static const struct {
		struct make_core core;
		enum err_kind kind;
		const char *words;
	} cases[] = {
		{ { .type = ET_EXEC }, ERR_FORMAT, "a program or library" },
		{ { .type = ET_REL }, ERR_FORMAT, "an object file" },
		{ { .machine = EM_RISCV }, ERR_UNSUPPORTED, "RISC-V" },
		{ { .machine = EM_386, .class = ELFCLASS32 }, ERR_UNSUPPORTED,
		  "i386" },
		{ { .class = ELFCLASS32 }, ERR_UNSUPPORTED, "x32" },
		{ { .machine = 999 }, ERR_UNSUPPORTED, "machine 999" },
		{ { .osabi = ELFOSABI_FREEBSD }, ERR_UNSUPPORTED, "FreeBSD" },
	};

	for (size_t n = 0; n < countof(cases); n++) {
		struct fixture f = { 0 };
		struct make_core m = cases[n].core;

		make_thread(&m, 5, 11, 0x401000, 0x7000);
		make_core(&m, &f.file);
		assert_refused(&f, cases[n].kind, cases[n].words);
		fixture_fini(&f);
	}
}

static void
text_and_nothing_are_refused(void **state)
{
	(void)state;
	struct fixture text = { 0 }, none = { 0 };

	buf_puts(&text.file, "#!/bin/sh\necho this is no core at all\n");
	assert_refused(&text, ERR_FORMAT, "neither a snapshot nor an ELF core");
	fixture_fini(&text);
	buf_reset(&none.file);
	assert_refused(&none, ERR_FORMAT, "empty");
	fixture_fini(&none);
}

static void
every_truncation_opens_or_is_refused(void **state)
{
	(void)state;
	struct buf whole = { 0 };
	struct make_core m = { 0 };

	two_threads(&m);
	make_core(&m, &whole);
	for (size_t n = 0; n < whole.len; n++) {
		struct fixture f = { 0 };

		buf_put(&f.file, whole.data, n);
		_err_ struct err *err = open_bytes(&f);
		assert_true(err || f.target->n_gaps);
		fixture_fini(&f);
	}
	buf_fini(&whole);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_first_thread_is_faulting),
		cmocka_unit_test(the_fault_address_is_taken_from_siginfo),
		cmocka_unit_test(a_signal_sent_by_kill_has_no_fault_address),
		cmocka_unit_test(bytes_left_out_and_bytes_cut_are_told_apart),
		cmocka_unit_test(where_segments_overlap_the_first_is_kept),
		cmocka_unit_test(
			a_mapped_file_without_a_segment_is_known_as_left_out),
		cmocka_unit_test(a_segment_that_wraps_is_left_out_and_said),
		cmocka_unit_test(what_is_no_core_is_refused_by_name),
		cmocka_unit_test(text_and_nothing_are_refused),
		cmocka_unit_test(every_truncation_opens_or_is_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
