/* SPDX-License-Identifier: Apache-2.0 */
/* What a library defines for others is found as the dynamic linker finds it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "assert-err.h"
#include "inspect/exported.h"

/* The C library that this program runs with, and where it lies. */
struct library {
	Elf *elf;
	void *handle;
	int fd;
	uintptr_t base;
};

static int
see(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct library *l = arg;

	(void)size;
	if (!strstr(info->dlpi_name, "libc.so"))
		return 0;
	l->base = info->dlpi_addr;
	l->fd = open(info->dlpi_name, O_RDONLY | O_CLOEXEC);
	l->handle = dlopen(info->dlpi_name, RTLD_NOW | RTLD_NOLOAD);
	return 1;
}

static int
set_up(void **state)
{
	struct library *l = calloc(1, sizeof(*l));

	elf_version(EV_CURRENT);
	*state = l;
	return !l || !dl_iterate_phdr(see, l) || !l->handle
	       || !(l->elf = elf_begin(l->fd, ELF_C_READ_MMAP, NULL));
}

static int
tear_down(void **state)
{
	struct library *l = *state;

	elf_end(l->elf);
	dlclose(l->handle);
	close(l->fd);
	free(l);
	return 0;
}

static void
a_name_leads_where_the_linker_finds_it(void **state)
{
	/* Of the last two there are several versions. */
	static const char *const names[] = {
		"printf", "malloc", "getenv", "stdout", "pthread_cond_wait",
		"memcpy",
	};
	const struct library *l = *state;

	for (size_t k = 0; k < countof(names); k++) {
		uint64_t value = 0;

		assert_int_equal(exported_find(l->elf, names[k], &value),
				 EXPORTED);
		/* Which memcpy it is depends on the processor. */
		if (strcmp(names[k], "memcpy") != 0)
			assert_int_equal(l->base + value, (uintptr_t)dlsym(
				l->handle, names[k]));
	}
}

static void
what_is_not_for_others_is_not_there(void **state)
{
	static const char *const names[] = {
		"", "no_such_function", "printf2", "print",
		"pthread_cond_wait@@GLIBC_2.3.2",
	};
	const struct library *l = *state;
	uint64_t value = 77;

	for (size_t k = 0; k < countof(names); k++)
		assert_int_equal(exported_find(l->elf, names[k], &value),
				 EXPORTED_NOT);
	assert_int_equal(value, 77);
}

static void
of_a_threads_own_variable_nothing_is_known(void **state)
{
	const struct library *l = *state;
	uint64_t value = 77;

	assert_int_equal(exported_find(l->elf, "errno", &value),
			 EXPORTED_UNKNOWN);
	assert_int_equal(value, 77);
}

static void
without_a_table_nothing_is_known(void **state)
{
	Elf64_Ehdr eh = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1 },
		.e_type = ET_DYN, .e_machine = EM_X86_64, .e_version = 1,
		.e_ehsize = sizeof(eh),
	};
	uint64_t value;

	(void)state;
	Elf *elf = elf_memory((char *)&eh, sizeof(eh));
	assert_non_null(elf);
	assert_int_equal(exported_find(elf, "printf", &value),
			 EXPORTED_UNKNOWN);
	elf_end(elf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_leads_where_the_linker_finds_it),
		cmocka_unit_test(what_is_not_for_others_is_not_there),
		cmocka_unit_test(of_a_threads_own_variable_nothing_is_known),
		cmocka_unit_test(without_a_table_nothing_is_known),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
