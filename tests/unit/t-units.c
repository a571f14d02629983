/* SPDX-License-Identifier: Apache-2.0 */
/* Files of very many units: what they cost grows as they do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "symbols/symbols.h"
#include "tests/unit/assert-err.h"

#define MANY 150000u
#define SECONDS_MAX 6.0         /* many times what is needed */

/* ---- files --------------------------------------------------------------- */
struct part {
	const char *name;
	struct buf bytes;
};

static void
put_section(struct buf *table, uint32_t name, uint32_t type, uint64_t at,
	    uint64_t n)
{
	const Elf64_Shdr sh = {
		.sh_name = name, .sh_type = type, .sh_offset = at,
		.sh_size = n, .sh_addralign = 1,
	};

	buf_put(table, &sh, sizeof(sh));
}

static void
put_header(struct buf *out, uint64_t table, uint16_t n)
{
	Elf64_Ehdr eh = {
		.e_type = ET_EXEC, .e_machine = EM_X86_64,
		.e_version = EV_CURRENT, .e_shoff = table,
		.e_ehsize = sizeof(eh), .e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = n, .e_shstrndx = n - 1,
	};

	memcpy(eh.e_ident, ELFMAG, SELFMAG);
	eh.e_ident[EI_CLASS] = ELFCLASS64;
	eh.e_ident[EI_DATA] = ELFDATA2LSB;
	eh.e_ident[EI_VERSION] = EV_CURRENT;
	memcpy(out->data, &eh, sizeof(eh));
}

/** An ELF file with the sections @parts, which are freed. */
static struct source *
file_of(struct part *parts, size_t n, struct buf *out)
{
	struct buf names = { 0 }, table = { 0 };
	struct source *src = NULL;

	buf_zero(out, sizeof(Elf64_Ehdr));
	buf_putc(&names, 0);
	put_section(&table, 0, SHT_NULL, 0, 0);
	for (size_t k = 0; k < n; k++) {
		put_section(&table, (uint32_t)names.len, SHT_PROGBITS,
			    out->len, parts[k].bytes.len);
		buf_put(&names, parts[k].name, strlen(parts[k].name) + 1);
		buf_put(out, parts[k].bytes.data, parts[k].bytes.len);
		buf_fini(&parts[k].bytes);
	}
	put_section(&table, 0, SHT_STRTAB, out->len, names.len);
	buf_put(out, names.data, names.len);
	while (out->len % 8)
		buf_putc(out, 0);
	put_header(out, out->len, (uint16_t)(n + 2));
	buf_put(out, table.data, table.len);
	buf_fini(&names);
	buf_fini(&table);
	assert_ok(buf_err(out));
	assert_ok(source_mem(out->data, out->len, "made", &src));
	return src;
}

/* One entry without children: DW_TAG_compile_unit, DW_AT_name. */
static const uint8_t abbrev[] = { 1, 0x11, 0, 0x03, 0x08, 0, 0, 0 };

static void
put_unit(struct buf *info, uint32_t abbrevs)
{
	static const char entry[] = "\1name";

	buf_u32(info, 7 + sizeof(entry));
	buf_u16(info, 4);
	buf_u32(info, abbrevs);
	buf_putc(info, 8);
	buf_put(info, entry, sizeof(entry));
}

static struct err *
sink(void *arg, const void *data, size_t n)
{
	buf_put(arg, data, n);
	return buf_err(arg);
}

/** What the index is about; it took no longer than it may. */
static struct symidx_about
about_made(const struct symbols_input *in)
{
	_buf_ struct buf made = { 0 };
	_source_ struct source *src = NULL;
	_symidx_ struct symidx *ix = NULL;
	clock_t before = clock();

	assert_ok(symbols_make(in, sink, &made));
	double took = (double)(clock() - before) / CLOCKS_PER_SEC;
	assert_true(took < SECONDS_MAX);
	assert_ok(source_mem(made.data, made.len, "index", &src));
	assert_ok(symidx_open(src, &ix));
	return *symidx_about(ix);
}

static struct symidx_about
about_of(struct source *file, struct source *package)
{
	const struct symbols_input in = { .file = file, .package = package };

	return about_made(&in);
}

static uint32_t
units_of(struct source *file, struct source *package)
{
	return about_of(file, package).n_units;
}

/* ---- tests --------------------------------------------------------------- */
static void
each_with_abbreviations_of_its_own(void **state)
{
	struct part parts[] = {
		{ .name = ".debug_info" }, { .name = ".debug_abbrev" },
	};
	_buf_ struct buf bytes = { 0 };

	(void)state;
	for (uint32_t k = 0; k < MANY; k++) {
		put_unit(&parts[0].bytes, k * (uint32_t)sizeof(abbrev));
		buf_put(&parts[1].bytes, abbrev, sizeof(abbrev));
	}
	_source_ struct source *file = file_of(parts, 2, &bytes);
	assert_int_equal(units_of(file, NULL), MANY);
}

/* DWARF 5, 7.3.5.3: @n rows that say where in .debug_info a unit is. */
static void
put_index(struct buf *out, uint32_t columns, uint32_t rows, uint32_t size)
{
	buf_u32(out, 2);
	buf_u32(out, columns);
	buf_u32(out, rows);
	buf_u32(out, 0);
	for (uint32_t k = 0; k < columns; k++)
		buf_u32(out, 1);
	for (uint32_t k = 0; columns && k < rows; k++)
		buf_u32(out, k * size);
	for (uint32_t k = 0; columns && k < rows; k++)
		buf_u32(out, size);
}

static uint32_t
units_with_package(uint32_t units, uint32_t columns, uint32_t rows)
{
	struct part parts[] = {
		{ .name = ".debug_info" }, { .name = ".debug_abbrev" },
	};
	struct part packed[] = {
		{ .name = ".debug_info.dwo" }, { .name = ".debug_abbrev.dwo" },
		{ .name = ".debug_cu_index" },
	};
	_buf_ struct buf bytes = { 0 }, more = { 0 };
	size_t size = 0;

	put_unit(&parts[0].bytes, 0);
	buf_put(&parts[1].bytes, abbrev, sizeof(abbrev));
	for (uint32_t k = 0; k < units; k++)
		put_unit(&packed[0].bytes, 0);
	size = packed[0].bytes.len / units;
	buf_put(&packed[1].bytes, abbrev, sizeof(abbrev));
	put_index(&packed[2].bytes, columns, rows, (uint32_t)size);
	_source_ struct source *file = file_of(parts, 2, &bytes);
	_source_ struct source *package = file_of(packed, 3, &more);
	return units_of(file, package);
}

static void
each_in_a_row_of_a_package(void **state)
{
	(void)state;
	assert_int_equal(units_with_package(MANY, 1, MANY), MANY + 1);
}

static void
rows_without_columns_are_none(void **state)
{
	(void)state;
	assert_int_equal(units_with_package(1, 0, UINT32_MAX), 2);
}

/* ---- units of types ------------------------------------------------------- */
#define TYPES 60000u
#define FILES 500u

/* DWARF 5, 7.5.1.3: a structure in a unit of its own, declared in a file. */
static void
put_type(struct buf *info, uint64_t id)
{
	static const uint8_t entries[] = {
		2, 0, 0, 0, 0,                  /* type_unit, stmt_list */
		3, 'S', 0, 7, 8,                /* structure_type */
		0,
	};

	buf_u32(info, 20 + sizeof(entries));
	buf_u16(info, 5);
	buf_putc(info, 2);
	buf_putc(info, 8);
	buf_u32(info, 0);
	buf_u64(info, id);
	buf_u32(info, 24 + 5);
	buf_put(info, entries, sizeof(entries));
}

static void
put_compile_unit(struct buf *info)
{
	static const char entry[] = "\1name\0/dir\0\0\0\0";

	buf_u32(info, 7 + sizeof(entry));
	buf_u16(info, 4);
	buf_u32(info, 0);
	buf_putc(info, 8);
	buf_put(info, entry, sizeof(entry));
}

/* DWARF 4, 6.2.4: names, and no program. */
static void
put_lines(struct buf *out)
{
	_buf_ struct buf head = { 0 };

	buf_put(&head, "\1\1\1\373\16\1\0", 7);
	for (unsigned k = 0; k < FILES; k++)
		buf_printf(&head, "f%u%c%c%c%c", k, 0, 0, 0, 0);
	buf_putc(&head, 0);
	buf_u32(out, (uint32_t)(6 + head.len));
	buf_u16(out, 4);
	buf_u32(out, (uint32_t)head.len);
	buf_put(out, head.data, head.len);
}

static void
types_have_the_files_of_their_unit(void **state)
{
	static const uint8_t abbrevs[] = {
		1, 0x11, 0, 0x03, 0x08, 0x1b, 0x08, 0x10, 0x17, 0, 0,
		2, 0x41, 1, 0x10, 0x17, 0, 0,
		3, 0x13, 0, 0x03, 0x08, 0x3a, 0x0b, 0x0b, 0x0b, 0, 0, 0,
	};
	struct part parts[] = {
		{ .name = ".debug_info" }, { .name = ".debug_abbrev" },
		{ .name = ".debug_line" },
	};
	_buf_ struct buf bytes = { 0 };

	(void)state;
	for (uint64_t k = 0; k < TYPES; k++)
		put_type(&parts[0].bytes, k);
	put_compile_unit(&parts[0].bytes);
	buf_put(&parts[1].bytes, abbrevs, sizeof(abbrevs));
	put_lines(&parts[2].bytes);
	_source_ struct source *file = file_of(parts, 3, &bytes);
	const struct symidx_about about = about_of(file, NULL);
	assert_int_equal(about.n_units, TYPES + 1);
	assert_int_equal(about.units_lost, 0);
	assert_int_equal(about.n_types, 1);
	/* All of them below the directory that the unit tells. */
	assert_int_equal(about.n_sources, FILES);
}

/* ---- units that are split ------------------------------------------------- */
#define SPLIT 300u
#define DESCRIPTORS 40

/* GNU's of DWARF 4: DW_AT_GNU_dwo_name, DW_AT_GNU_dwo_id. */
static const uint8_t split_abbrevs[] = {
	1, 0x11, 0, 0xb0, 0x42, 0x08, 0xb1, 0x42, 0x07, 0, 0,
	2, 0x11, 0, 0xb1, 0x42, 0x07, 0, 0, 0,
};

static void
put_split(struct buf *info, uint8_t code, uint64_t id)
{
	buf_u32(info, 16 + (code == 1 ? 2 : 0));
	buf_u16(info, 4);
	buf_u32(info, 0);
	buf_putc(info, 8);
	buf_putc(info, (char)code);
	if (code == 1)
		buf_put(info, "x", 2);
	buf_u64(info, id);
}

static struct err *
split_file(void *arg, const char *dir, const char *name, uint64_t id, int *fd)
{
	struct part parts[] = {
		{ .name = ".debug_info.dwo" }, { .name = ".debug_abbrev.dwo" },
	};
	_buf_ struct buf bytes = { 0 };

	(void)arg, (void)dir, (void)name;
	put_split(&parts[0].bytes, 2, id);
	buf_put(&parts[1].bytes, split_abbrevs, sizeof(split_abbrevs));
	_source_ struct source *unused = file_of(parts, 2, &bytes);
	int file = memfd_create("split", MFD_CLOEXEC);
	if (file < 0)
		return err_errno("memfd_create");
	assert_ok(io_write(file, bytes.data, bytes.len));
	*fd = file;
	return NULL;
}

static void
more_split_units_than_descriptors(void **state)
{
	struct part parts[] = {
		{ .name = ".debug_info" }, { .name = ".debug_abbrev" },
	};
	_buf_ struct buf bytes = { 0 };
	struct rlimit before, few;

	(void)state;
	for (uint64_t k = 0; k < SPLIT; k++)
		put_split(&parts[0].bytes, 1, k + 1);
	buf_put(&parts[1].bytes, split_abbrevs, sizeof(split_abbrevs));
	_source_ struct source *file = file_of(parts, 2, &bytes);
	const struct symbols_input in = { .file = file, .split = split_file };
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = DESCRIPTORS;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	const struct symidx_about about = about_made(&in);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(about.n_units, 2 * SPLIT);
	assert_int_equal(about.units_lost, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_with_abbreviations_of_its_own),
		cmocka_unit_test(each_in_a_row_of_a_package),
		cmocka_unit_test(rows_without_columns_are_none),
		cmocka_unit_test(types_have_the_files_of_their_unit),
		cmocka_unit_test(more_split_units_than_descriptors),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
