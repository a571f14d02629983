/* SPDX-License-Identifier: Apache-2.0 */
/* The libraries that parse for us do their work inside the jail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <libelf.h>
#include <libunwind.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "assert-err.h"
#include "base/json.h"
#include "jail-run.h"

#define MIB (1u << 20)

/* ---- libelf and libdw --------------------------------------------- */

static int
walk_sections(void *arg)
{
	const int *fd = arg;
	Elf *elf = elf_begin(*fd, ELF_C_READ_MMAP, NULL);
	int n = 0;

	for (Elf_Scn *s = elf_nextscn(elf, NULL); s; s = elf_nextscn(elf, s))
		n += elf_rawdata(s, NULL) != NULL;
	elf_end(elf);
	return n > 10 ? 0 : 1;
}

static int
find_nothing(Dwfl_Module *m, void **data, const char *name, Dwarf_Addr base,
	     char **file, Elf **elf)
{
	(void)m, (void)data, (void)name, (void)base, (void)file, (void)elf;
	return -1;
}

static int
find_no_debug(Dwfl_Module *m, void **data, const char *name, Dwarf_Addr base,
	      const char *file, const char *link, GElf_Word crc, char **found)
{
	(void)m, (void)data, (void)name, (void)base, (void)file, (void)link;
	(void)crc, (void)found;
	return -1;
}

/* All lines of the first unit that has any. */
static bool
has_lines(Dwfl_Module *m)
{
	Dwarf_Addr bias;
	Dwarf *dwarf = dwfl_module_getdwarf(m, &bias);
	Dwarf_CU *unit = NULL;
	Dwarf_Die die;

	while (dwarf_get_units(dwarf, unit, &unit, NULL, NULL, &die,
			       NULL) == 0) {
		Dwarf_Lines *lines;
		size_t n;

		if (dwarf_getsrclines(&die, &lines, &n) == 0 && n > 0)
			return true;
	}
	return false;
}

static int
name_main(Dwfl_Module *m)
{
	GElf_Sym sym;
	GElf_Addr addr = 0;
	int n = dwfl_module_getsymtab(m);

	for (int i = 0; i < n && !addr; i++) {
		GElf_Addr at;
		const char *name = dwfl_module_getsym_info(m, i, &sym, &at,
							   NULL, NULL, NULL);
		if (name && strcmp(name, "main") == 0)
			addr = at;
	}
	if (!addr)
		return 2;
	const char *name = dwfl_module_addrname(m, addr);
	if (!name || strcmp(name, "main") != 0)
		return 3;
	return has_lines(m) ? 0 : 4;
}

static int
look_up_symbols_and_lines(void *arg)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = find_nothing,
		.find_debuginfo = find_no_debug,
	};
	const int *fd = arg;
	Dwfl *dwfl = dwfl_begin(&callbacks);
	Dwarf_Addr bias;

	dwfl_report_begin(dwfl);
	Dwfl_Module *m = dwfl_report_elf(dwfl, "self", "self", *fd, 0, true);
	dwfl_report_end(dwfl, NULL, NULL);
	if (!m)
		return 1;
	int status = name_main(m);
	if (status == 0 && !dwfl_module_eh_cfi(m, &bias))
		status = 5;
	dwfl_end(dwfl);
	return status;
}

/* dwfl takes the descriptor it is given; so the jail also allows dup(). */
static int
look_up_on_a_duplicate(void *arg)
{
	const int *fd = arg;
	int second = dup(*fd);

	return second < 0 ? 9 : look_up_symbols_and_lines(&second);
}

/* ---- libunwind ---------------------------------------------------- */

static int
no_proc_info(unw_addr_space_t as, unw_word_t ip, unw_proc_info_t *info,
	     int wanted, void *arg)
{
	(void)as, (void)ip, (void)info, (void)wanted, (void)arg;
	return -UNW_ENOINFO;
}

static void
put_proc_info(unw_addr_space_t as, unw_proc_info_t *info, void *arg)
{
	(void)as, (void)info, (void)arg;
}

static int
no_dyn_list(unw_addr_space_t as, unw_word_t *out, void *arg)
{
	(void)as, (void)out, (void)arg;
	return -UNW_ENOINFO;
}

static int
give_memory(unw_addr_space_t as, unw_word_t addr, unw_word_t *value,
	    int write, void *arg)
{
	(void)as, (void)addr, (void)write, (void)arg;
	*value = 0;
	return 0;
}

static int
give_register(unw_addr_space_t as, unw_regnum_t reg, unw_word_t *value,
	      int write, void *arg)
{
	(void)as, (void)reg, (void)write, (void)arg;
	*value = 0x1000;
	return 0;
}

static int
unwind_a_step(void *arg)
{
	unw_accessors_t accessors = {
		.find_proc_info = no_proc_info,
		.put_unwind_info = put_proc_info,
		.get_dyn_info_list_addr = no_dyn_list,
		.access_mem = give_memory,
		.access_reg = give_register,
	};
	unw_addr_space_t as = unw_create_addr_space(&accessors, 0);
	unw_cursor_t cursor;

	(void)arg;
	if (!as || unw_init_remote(&cursor, as, NULL) < 0)
		return 1;
	for (int i = 0; i < 8 && unw_step(&cursor) > 0; i++)
		;
	unw_destroy_addr_space(as);
	return 0;
}

/* ---- zstd and json-c ---------------------------------------------- */

struct packed {
	void *data;
	size_t n;
};

static int
decompress(void *arg)
{
	const struct packed *p = arg;
	char *plain = malloc(8 * MIB);
	size_t n = plain ? ZSTD_decompress(plain, 8 * MIB, p->data, p->n) : 0;

	return n == 8 * MIB && plain[n - 1] == 'x' ? 0 : 1;
}

static int
compress(void *arg)
{
	char out[4096];

	return ZSTD_isError(ZSTD_compress(out, sizeof(out), arg, 2048, 3));
}

static int
write_json(void *arg)
{
	_buf_ struct buf out = { 0 };
	struct json *o = json_object();

	(void)arg;
	json_set(o, "number", json_u64(UINT64_MAX));
	struct err *err = json_write(o, true, &out);
	json_free(o);
	err_free(err);
	return err || !strstr(out.data, "18446744073709551615");
}

/* ---- the C library ------------------------------------------------ */

static int
by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int
sort_and_allocate(void *arg)
{
	const size_t n = 4 * MIB;
	uint32_t *values = malloc(n * sizeof(*values));
	uint32_t next = 1;

	(void)arg;
	for (size_t i = 0; i < n; i++)
		values[i] = next = next * 1664525 + 1013904223;
	qsort(values, n, sizeof(*values), by_value);
	uint32_t *grown = realloc(values, 2 * n * sizeof(*values));
	if (!grown || grown[0] > grown[1])
		return 1;
	free(grown);
	return 0;
}

static int
say_an_error(void *arg)
{
	char text[256];

	(void)arg;
	snprintf(text, sizeof(text), "%s %.3f", strerror(ENOENT), 1.5);
	return strstr(text, "1.500") ? 0 : 1;
}

static int
hash(void *arg)
{
	uint8_t digest[SHA256_SIZE];
	struct err *err = hash_sha256("abc", 3, digest);

	(void)arg;
	err_free(err);
	return err || digest[0] != 0xba;
}

/* ---- tests -------------------------------------------------------- */

static void
runs_on_this_program(jail_fn *fn)
{
	_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	elf_version(EV_CURRENT);
	assert_int_equal(jail_status(NULL, fd, fn, &fd), 0);
}

static void
libelf_reads_a_descriptor(void **state)
{
	(void)state;
	runs_on_this_program(walk_sections);
}

static void
libdw_names_functions_and_lines(void **state)
{
	(void)state;
	runs_on_this_program(look_up_symbols_and_lines);
}

static void
libdw_works_on_a_duplicate(void **state)
{
	(void)state;
	runs_on_this_program(look_up_on_a_duplicate);
}

static void
libunwind_steps_over_a_remote_space(void **state)
{
	(void)state;
	assert_int_equal(jail_status(NULL, -1, unwind_a_step, NULL), 0);
}

static void
zstd_decompresses_and_compresses(void **state)
{
	_free_ void *packed = malloc(MIB);
	_free_ char *plain = malloc(8 * MIB);

	(void)state;
	memset(plain, 'x', 8 * MIB);
	struct packed p = { packed, 0 };
	p.n = ZSTD_compress(packed, MIB, plain, 8 * MIB, 3);
	assert_int_equal(jail_status(NULL, -1, decompress, &p), 0);
	assert_int_equal(jail_status(NULL, -1, compress, plain), 0);
}

static void
json_c_prints(void **state)
{
	(void)state;
	assert_int_equal(jail_status(NULL, -1, write_json, NULL), 0);
}

static void
the_c_library_sorts_and_allocates(void **state)
{
	(void)state;
	assert_int_equal(jail_status(NULL, -1, sort_and_allocate, NULL), 0);
}

static void
the_c_library_formats_errors(void **state)
{
	(void)state;
	assert_int_equal(jail_status(NULL, -1, say_an_error, NULL), 0);
}

static void
libcrypto_hashes_without_its_settings(void **state)
{
	(void)state;
	assert_int_equal(jail_status(NULL, -1, hash, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libelf_reads_a_descriptor),
		cmocka_unit_test(libdw_names_functions_and_lines),
		cmocka_unit_test(libdw_works_on_a_duplicate),
		cmocka_unit_test(libunwind_steps_over_a_remote_space),
		cmocka_unit_test(zstd_decompresses_and_compresses),
		cmocka_unit_test(json_c_prints),
		cmocka_unit_test(the_c_library_sorts_and_allocates),
		cmocka_unit_test(the_c_library_formats_errors),
		cmocka_unit_test(libcrypto_hashes_without_its_settings),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
