/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of the table of symbols by address: it chooses what libdwfl
 * chooses, or says that libdwfl has to be asked. Held against libdwfl over the
 * C library and over this program, which has local symbols too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/impl.h"

#define ADDRESSES 6000u

static int
no_debug_file(Dwfl_Module *mod, void **userdata, const char *name,
	      Dwarf_Addr base, const char *file, const char *link,
	      GElf_Word crc, char **debug)
{
	(void)mod, (void)userdata, (void)name, (void)base, (void)file;
	(void)link, (void)crc, (void)debug;
	return -1;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf, .find_debuginfo = no_debug_file,
	.section_address = dwfl_offline_section_address,
};

/* At, in and behind symbols; every other one anywhere. */
static uint64_t
some_address(Dwfl_Module *mod, unsigned k)
{
	GElf_Addr low, high, value = 0;
	GElf_Sym s = { 0 };

	dwfl_module_info(mod, NULL, &low, &high, NULL, NULL, NULL, NULL);
	if (k % 2)
		return low + (((uint64_t)(unsigned)random() << 20)
			      ^ (uint64_t)random()) % (high - low);
	dwfl_module_getsym_info(mod, 1 + (int)(random()
				% (dwfl_module_getsymtab(mod) - 1)), &s,
				&value, NULL, NULL, NULL);
	return value + (uint64_t)random() % (s.st_size + 9);
}

/* How often the table knew; ends the test where it says something else. */
static unsigned
compare(Dwfl_Module *mod, const struct symtable *t)
{
	unsigned knew = 0;

	for (unsigned k = 0; k < ADDRESSES; k++) {
		const uint64_t at = some_address(mod, k);
		GElf_Off off = 0;
		GElf_Sym theirs = { 0 }, ours = { 0 };
		GElf_Addr value = 0;
		uint32_t index = 0;
		const char *name = dwfl_module_addrinfo(mod, at, &off, &theirs,
							NULL, NULL, NULL);
		enum symtable_answer how = symtable_find(t, at, &index);

		knew += how != SYMTABLE_ASK;
		if (how == SYMTABLE_NONE)
			assert_null(name);
		if (how != SYMTABLE_FOUND)
			continue;
		assert_non_null(name);
		assert_string_equal(dwfl_module_getsym_info(
			mod, (int)index, &ours, &value, NULL, NULL, NULL),
			name);
		assert_int_equal(value, at - off);
		assert_int_equal(ours.st_size, theirs.st_size);
	}
	return knew;
}

static void
same_as_libdwfl(const char *path)
{
	struct arena *a = arena_new(0);
	Dwfl *dwfl = dwfl_begin(&callbacks);
	Dwfl_Module *mod = dwfl_report_offline(dwfl, path, path, -1);

	dwfl_report_end(dwfl, NULL, NULL);
	assert_non_null(mod);
	struct symtable *t = symtable_new(mod, a);
	assert_non_null(t);
	assert_true(compare(mod, t) > ADDRESSES / 2);
	dwfl_end(dwfl);
	arena_free(a);
}

static void
the_c_librarys_symbols_are_libdwfls(void **state)
{
	Dl_info info;

	(void)state;
	assert_true(dladdr(dlsym(RTLD_DEFAULT, "malloc"), &info));
	if (strstr(info.dli_fname, "libc.so"))
		same_as_libdwfl(info.dli_fname);
}

static void
this_programs_symbols_are_libdwfls(void **state)
{
	(void)state;
	same_as_libdwfl("/proc/self/exe");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_c_librarys_symbols_are_libdwfls),
		cmocka_unit_test(this_programs_symbols_are_libdwfls),
	};

	srandom(1);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
