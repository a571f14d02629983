/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of module skeletons and of the files composed from them, on
 * this very program's own ELF file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/impl.h"

struct fixture {
	struct arena *arena;
	struct source *file;
	Elf *elf, *composed;
	const struct snap_extent *extents;
	size_t n;
	uint8_t *image;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	elf_version(EV_CURRENT);
	f->arena = arena_new(0);
	assert_null(source_fd(open("/proc/self/exe", O_RDONLY), "self",
			      &f->file));
	f->elf = elf_begin(source_descriptor(f->file), ELF_C_READ_MMAP, NULL);
	assert_null(skeleton_of(f->elf, f->file, f->arena, &f->extents, &f->n));
	assert_null(compose(f->extents, f->n, source_size(f->file),
			    &f->image));
	f->composed = elf_memory((char *)f->image, source_size(f->file));
	assert_non_null(f->composed);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	elf_end(f->composed);
	elf_end(f->elf);
	free(f->image);
	source_free(f->file);
	arena_free(f->arena);
	free(f);
	return 0;
}

static Elf_Scn *
section(Elf *elf, const char *name, GElf_Shdr *sh)
{
	Elf_Scn *scn = NULL;
	size_t names;

	elf_getshdrstrndx(elf, &names);
	while ((scn = elf_nextscn(elf, scn))) {
		gelf_getshdr(scn, sh);
		if (strcmp(elf_strptr(elf, names, sh->sh_name), name) == 0)
			return scn;
	}
	return NULL;
}

static void
extents_are_sorted_disjoint_and_the_files_own_bytes(void **state)
{
	struct fixture *f = *state;
	uint64_t end = 0;

	assert_true(f->n > 1);
	for (size_t k = 0; k < f->n; k++) {
		const struct snap_extent *e = &f->extents[k];
		void *bytes = malloc(e->bytes.n);

		assert_true(e->offset >= end);
		end = e->offset + e->bytes.n;
		assert_null(source_read(f->file, e->offset, e->bytes.n,
					bytes));
		assert_memory_equal(bytes, e->bytes.data, e->bytes.n);
		free(bytes);
	}
}

static void
symbols_and_unwind_tables_are_kept(void **state)
{
	static const char *const kept[] = {
		".dynsym", ".dynstr", ".symtab", ".strtab", ".eh_frame",
		".eh_frame_hdr", ".dynamic", ".note.gnu.build-id",
	};
	struct fixture *f = *state;

	for (size_t k = 0; k < countof(kept); k++) {
		GElf_Shdr a, b;
		Elf_Scn *ours = section(f->composed, kept[k], &a);
		Elf_Scn *file = section(f->elf, kept[k], &b);

		assert_non_null(file);
		assert_non_null(ours);
		Elf_Data *x = elf_rawdata(ours, NULL);
		Elf_Data *y = elf_rawdata(file, NULL);
		assert_int_equal(x->d_size, y->d_size);
		assert_memory_equal(x->d_buf, y->d_buf, x->d_size);
	}
}

static void
code_and_data_are_absent_and_never_zeros(void **state)
{
	static const char *const gone[] = { ".text", ".rodata", ".data" };
	struct fixture *f = *state;

	for (size_t k = 0; k < countof(gone); k++) {
		GElf_Shdr sh;

		assert_non_null(section(f->composed, gone[k], &sh));
		assert_int_equal(sh.sh_type, SHT_NOBITS);
	}
}

static void
the_skeleton_is_a_fraction_of_the_file(void **state)
{
	struct fixture *f = *state;
	uint64_t kept = 0;

	for (size_t k = 0; k < f->n; k++)
		kept += f->extents[k].bytes.n;
	assert_true(kept < source_size(f->file) / 2);
}

static void
hostile_extents_are_refused(void **state)
{
	struct fixture *f = *state;
	struct snap_extent bad = f->extents[0];
	uint8_t *image;

	_err_ struct err *none = compose(f->extents, 0, 4096, &image);
	assert_int_equal(err_kind(none), ERR_DAMAGED);
	_err_ struct err *past = compose(&bad, 1, bad.bytes.n - 1, &image);
	assert_int_equal(err_kind(past), ERR_DAMAGED);
	_err_ struct err *huge = compose(&bad, 1, UINT64_MAX, &image);
	assert_int_equal(err_kind(huge), ERR_LIMIT);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(extents_are_sorted_disjoint_and_the_files_own_bytes),
		test(symbols_and_unwind_tables_are_kept),
		test(code_and_data_are_absent_and_never_zeros),
		test(the_skeleton_is_a_fraction_of_the_file),
		test(hostile_extents_are_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
