/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Source lines through libdw. Which unit covers an address is looked up in a
 * table of our own: .debug_aranges is optional, and clang writes none.
 */
#include <elfutils/libdwelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/search.h"
#include "inspect/indexed.h"
#include "inspect/impl.h"

#define UNITS_MAX (1u << 20)
#define RANGES_MAX (1u << 22)

/** Addresses of a unit, as in the file. */
struct unit_range {
	Dwarf_Addr start, end;
	Dwarf_Off unit;         /* offset of its DIE in .debug_info */
};

struct module_lines {
	bool asked;
	Dwarf *dwarf;           /* NULL = none that can be used */
	Dwarf_Addr bias;        /* run-time address - address in the file */
	struct vec ranges;      /* struct unit_range, sorted by start */
};

/** A dwz alternate, which libdw does not own. */
struct alternate {
	Dwarf *dwarf;
	int fd;
};

struct lines {
	struct module_lines *modules;
	struct vec alternates;
};

struct err *
lines_init(struct insp *i)
{
	i->lines = arena_alloc(i->arena, sizeof(*i->lines));
	if (!i->lines)
		return err_nomem();
	i->lines->modules = arena_array(i->arena, i->n_modules,
					sizeof(*i->lines->modules));
	return i->n_modules && !i->lines->modules ? err_nomem() : NULL;
}

void
lines_fini(struct insp *i)
{
	if (!i->lines)
		return;
	struct alternate *a = i->lines->alternates.data;
	for (size_t k = 0; k < i->lines->alternates.n; k++) {
		dwarf_end(a[k].dwarf);
		base_close(&a[k].fd);
	}
}

void
insp_limit_lines(struct insp *i, uint64_t bytes)
{
	i->lines_max = bytes;
}

/* ---- the DWARF of a module ---------------------------------------------------- */
static bool
keep_alternate(struct insp *i, Dwarf *alt, int fd)
{
	struct alternate *a = vec_add(&i->lines->alternates, i->arena,
				      sizeof(*a));

	if (!a) {
		dwarf_end(alt);
		base_close(&fd);
		return false;
	}
	*a = (struct alternate){ alt, fd };
	return true;
}

/*
 * A file that was shrunk by dwz needs its alternate, and libdw would open
 * paths to find one that it has not been given. So give it one, or do not
 * touch the file's DWARF at all.
 */
static bool
alternate_ready(struct insp *i, Dwarf *dwarf)
{
	struct supply_ask ask = { .kind = SUPPLY_ALT };
	const void *bits;
	ssize_t n = dwelf_dwarf_gnu_debugaltlink(dwarf, &ask.link, &bits);

	if (n == 0)
		return true;
	if (n < 0 || n > ID_MAX)
		return false;
	ask.id.kind = ID_GNU_BUILD_ID;
	ask.id.len = (uint8_t)n;
	memcpy(ask.id.bytes, bits, (size_t)n);
	int fd = files_debug(i, &ask);
	Dwarf *alt = fd < 0 ? NULL : dwarf_begin(fd, DWARF_C_READ);
	if (!alt) {
		base_close(&fd);
		return false;
	}
	if (!keep_alternate(i, alt, fd))
		return false;
	dwarf_setalt(dwarf, alt);
	return true;
}

/* ---- which unit covers an address ------------------------------------------------- */
static bool
add_unit(struct module_lines *m, struct arena *a, Dwarf_Die *unit)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(unit, at, &base, &start, &end)) > 0) {
		if (start >= end)
			continue;
		struct unit_range *r = vec_add(&m->ranges, a, sizeof(*r));
		if (!r)
			return false;
		*r = (struct unit_range){ start, end, dwarf_dieoffset(unit) };
	}
	return true;
}

static int
range_order(const void *a, const void *b)
{
	const struct unit_range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static void
index_units(struct module_lines *m, struct arena *a)
{
	Dwarf_Off off = 0, next;
	size_t header;

	m->ranges.max = RANGES_MAX;
	for (unsigned n = 0; n < UNITS_MAX; n++, off = next) {
		Dwarf_Die unit;

		if (dwarf_nextcu(m->dwarf, off, &next, &header, NULL, NULL,
				 NULL) != 0)
			break;
		if (dwarf_offdie(m->dwarf, off + header, &unit)
		    && !add_unit(m, a, &unit))
			break;
	}
	if (m->ranges.n)
		qsort(m->ranges.data, m->ranges.n, sizeof(struct unit_range),
		      range_order);
}

static struct module_lines *
lines_of(struct insp *i, size_t module)
{
	struct module_lines *m = &i->lines->modules[module];
	Dwfl_Module *mod;

	if (m->asked || (i->lines_max != UINT64_MAX
			 && debug_size(i, module) > i->lines_max))
		return m;
	m->asked = true;
	mod = symbols_module(i, module);
	Dwarf *dwarf = mod ? dwfl_module_getdwarf(mod, &m->bias) : NULL;
	if (!dwarf)
		return m;
	if (!alternate_ready(i, dwarf)) {
		insp_add_gap(i, "%s: its debug file needs another one (dwz), "
			     "which is not here: no lines",
			     i->modules[module].path);
		return m;
	}
	m->dwarf = dwarf;
	index_units(m, i->arena);
	return m;
}

/* Ranges of units do not nest; where they overlap the later one is taken. */
static bool
find_unit(const struct module_lines *m, Dwarf_Addr addr, Dwarf_Die *unit)
{
	const struct unit_range *r = m->ranges.data;
	size_t k = search_above(r, m->ranges.n, sizeof(*r),
				offsetof(struct unit_range, start), addr);

	return k && addr < r[k - 1].end
	       && dwarf_offdie(m->dwarf, r[k - 1].unit, unit);
}

static struct err *
line_indexed(struct symidx *ix, uint64_t addr, struct line *out)
{
	struct sym_line l;

	if (!symidx_line(ix, addr, &l) || !l.line || l.file == SYM_NONE)
		return err_new(ERR_NOTFOUND, "no line is known for 0x%llx",
			       (unsigned long long)addr);
	out->file = symidx_string(ix, l.file);
	out->line = l.line;
	out->column = l.column;
	return NULL;
}

struct err *
insp_line(struct insp *i, uint64_t addr, struct line *out)
{
	uint64_t in_file;
	struct symidx *ix = insp_index_at(i, addr, &in_file);

	if (ix && symidx_about(ix)->dwarf_size)
		return line_indexed(ix, in_file, out);
	size_t module = insp_module_at(i, addr);
	const struct module_lines *m = module == INSP_NONE
				       ? NULL : lines_of(i, module);
	int line = 0, column = 0;
	Dwarf_Die unit;

	Dwarf_Line *l = m && find_unit(m, addr - m->bias, &unit)
			? dwarf_getsrc_die(&unit, addr - m->bias) : NULL;
	const char *file = l ? dwarf_linesrc(l, NULL, NULL) : NULL;
	if (!file || dwarf_lineno(l, &line) != 0 || line <= 0)
		return err_new(ERR_NOTFOUND, "no line is known for 0x%llx",
			       (unsigned long long)addr);
	if (dwarf_linecol(l, &column) != 0 || column < 0)
		column = 0;
	out->file = file;
	out->line = (uint32_t)line;
	out->column = (uint32_t)column;
	return NULL;
}
