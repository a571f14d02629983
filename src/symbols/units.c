/* SPDX-License-Identifier: Apache-2.0 */
/* Units of DWARF: their headers, their bases, and how one is found. */
#include <stdlib.h>

#include "symbols/dw.h"

#define UNITS_MAX (1u << 20)
/* So often may each byte of a unit be read: walks, origins, inlined copies. */
#define WORK_PER_BYTE 64u
#define WORK_LEAST (1u << 20)

/* ---- headers -------------------------------------------------------------- */
static uint64_t
read_length(struct cur *c, struct dw_unit *u)
{
	uint64_t length = cur_u32(c);

	u->offset_size = 4;
	if (length == UINT32_MAX) {
		u->offset_size = 8;
		length = cur_uint(c, 8);
	}
	return length;
}

static bool
has_id(const struct dw_unit *u)
{
	return u->type == DW_UT_skeleton || u->type == DW_UT_split_compile;
}

static bool
has_type(const struct dw_unit *u)
{
	return u->type == DW_UT_type || u->type == DW_UT_split_type;
}

/* DWARF 5, 7.5.1. */
static uint64_t
read_kind(struct cur *c, struct dw_unit *u)
{
	uint64_t abbrevs;

	u->type = u->section == DW_TYPES ? DW_UT_type : DW_UT_compile;
	if (u->version >= 5) {
		u->type = cur_u8(c);
		u->address_size = cur_u8(c);
		abbrevs = cur_uint(c, u->offset_size);
	} else {
		abbrevs = cur_uint(c, u->offset_size);
		u->address_size = cur_u8(c);
	}
	if (has_id(u) && u->version >= 5)
		u->id = cur_uint(c, 8);
	if (has_type(u)) {
		u->id = cur_uint(c, 8);
		u->type_offset = (uint32_t)cur_uint(c, u->offset_size);
	}
	return abbrevs;
}

static bool
is_understood(const struct dw_unit *u)
{
	return u->version >= 2 && u->version <= 5
	       && (u->address_size == 4 || u->address_size == 8);
}

/** Where the abbreviations are is told in *abbrevs. */
static bool
read_header(struct dw_file *f, struct cur *c, struct dw_unit *u,
	    uint64_t *abbrevs)
{
	const uint8_t *from = c->p;
	uint64_t length = read_length(c, u);
	size_t head = (size_t)(c->p - from);

	if (c->failed || length > cur_left(c) || length > INT32_MAX)
		return false;
	const uint8_t *end = c->p + length;
	u->file = f;
	u->data = from;
	u->size = (uint32_t)(head + length);
	u->version = cur_u16(c);
	*abbrevs = read_kind(c, u);
	u->header = (uint32_t)(c->p - from);
	u->work = WORK_LEAST + (uint64_t)WORK_PER_BYTE * u->size;
	if (c->failed || c->p > end)
		return false;
	c->p = end;
	return true;
}

static struct err *
add_unit(struct dw_file *f, struct dw_unit *u)
{
	struct dw_unit **more;

	/* Doubled at each power of two. */
	if ((f->n_units & (f->n_units - 1)) == 0) {
		more = realloc(f->units, (2 * f->n_units + 1)
			       * sizeof(struct dw_unit *));
		if (!more)
			return err_nomem();
		f->units = more;
	}
	f->units[f->n_units++] = u;
	return NULL;
}

static struct err *
read_section(struct dw_file *f, uint8_t section, struct arena *a,
	     uint32_t *number)
{
	const struct span *all = &f->section[section];
	struct cur c = cur_of(all->data, all->n);
	struct err *err = NULL;

	c.big = f->big;
	while (!err && cur_left(&c) && f->n_units < UNITS_MAX) {
		struct dw_unit head = { .section = section };
		uint64_t abbrevs;

		head.start = (uint64_t)(c.p - (const uint8_t *)all->data);
		if (!read_header(f, &c, &head, &abbrevs))
			break;
		if (!is_understood(&head))
			continue;
		head.number = (*number)++;
		head.root.stmt_list.u = abbrevs;        /* until it is opened */
		struct dw_unit *u = arena_dup(a, &head, sizeof(head));
		err = u ? add_unit(f, u) : err_nomem();
	}
	return err;
}

/* ---- abbreviations: many units may have the same ---------------------------- */
struct place {
	uint64_t offset;
	struct dw_unit *unit;
};

static int
place_order(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

static uint64_t
abbrevs_place(struct dw_unit *u)
{
	uint64_t at = u->root.stmt_list.u;
	const struct span *part = &u->contribution[DW_ABBREV];

	u->root.stmt_list.u = 0;
	if (part->data)
		at += (uint64_t)((const uint8_t *)part->data
				 - (const uint8_t *)
				 u->file->section[DW_ABBREV].data);
	return at;
}

static struct err *
find_abbrevs(struct dw_file *f)
{
	_free_ struct place *all = calloc(f->n_units + 1, sizeof(*all));

	f->abbrevs = calloc(f->n_units + 1, sizeof(struct dw_abbrevs *));
	if (!all || !f->abbrevs)
		return err_nomem();
	for (size_t k = 0; k < f->n_units; k++)
		all[k] = (struct place){
			abbrevs_place(f->units[k]), f->units[k],
		};
	qsort(all, f->n_units, sizeof(*all), place_order);
	for (size_t k = 0; k < f->n_units; k++) {
		struct err *err = NULL;

		if (!k || all[k].offset != all[k - 1].offset)
			err = dw_abbrevs_parse(f, all[k].offset,
					       &f->abbrevs[f->n_abbrevs++]);
		if (err)
			return err;
		all[k].unit->abbrevs = f->abbrevs[f->n_abbrevs - 1];
	}
	return NULL;
}

struct err *
dw_units(struct dw_file *f, struct arena *a, uint32_t *number)
{
	struct err *err = read_section(f, DW_INFO, a, number);

	if (!err)
		err = read_section(f, DW_TYPES, a, number);
	if (err)
		return err;
	if (f->package)
		dw_package(f);
	return find_abbrevs(f);
}

static void
unit_fini(struct dw_unit *u)
{
	free(u->bits);
	free(u->bits_rank);
	free(u->keys);
	free(u->slots);
	free(u->files);
	buf_fini(&u->scopes);
	buf_fini(&u->functions);
	buf_fini(&u->variables);
	buf_fini(&u->rows);
	buf_fini(&u->sequences);
}

void
dw_file_fini(struct dw_file *f)
{
	for (size_t k = 0; k < f->n_units; k++)
		unit_fini(f->units[k]);
	for (size_t k = 0; k < f->n_abbrevs; k++)
		dw_abbrevs_free(f->abbrevs[k]);
	free(f->abbrevs);
	free(f->units);
	free(f->by_id);
}

/* ---- a package -------------------------------------------------------------------- */
/* Sections by their number in an index: DWARF 5, 7.3.5.3; GNU's of version 2
 * differ where they are told twice. */
static const uint8_t columns_5[] = {
	DW_SECTIONS, DW_INFO, DW_SECTIONS, DW_ABBREV, DW_LINE, DW_LOCLISTS,
	DW_STR_OFFSETS, DW_SECTIONS, DW_RNGLISTS,
};
static const uint8_t columns_2[] = {
	DW_SECTIONS, DW_INFO, DW_TYPES, DW_ABBREV, DW_LINE, DW_LOC,
	DW_STR_OFFSETS, DW_SECTIONS, DW_SECTIONS,
};

struct package_index {
	const uint8_t *columns;         /* enum dw_section of each number */
	struct cur head, offsets, sizes;
	uint32_t n_columns, n_rows;
};

static bool
package_open(const struct dw_file *f, enum dw_section which,
	     struct package_index *x)
{
	const struct span *s = &f->section[which];
	struct cur c = cur_of(s->data, s->n);

	c.big = f->big;
	uint32_t version = cur_u32(&c);
	if ((version & 0xffff) == 5 || version == 5u << 16)
		version = 5;
	x->columns = version == 5 ? columns_5 : columns_2;
	x->n_columns = cur_u32(&c);
	x->n_rows = cur_u32(&c);
	uint64_t n_slots = cur_u32(&c);
	uint64_t bytes = 4ull * x->n_columns * x->n_rows;
	cur_bytes(&c, n_slots * 12);
	x->head = c;
	cur_bytes(&c, 4ull * x->n_columns);
	x->offsets = c;
	cur_bytes(&c, bytes);
	x->sizes = c;
	cur_bytes(&c, bytes);
	return !c.failed;
}

static uint32_t
table_at(struct cur table, uint64_t n)
{
	cur_bytes(&table, 4 * n);
	return cur_u32(&table);
}

/* Of all units, in their order, the last that begins at @offset or before. */
static struct dw_unit *
unit_before(const struct dw_file *f, enum dw_section section, uint64_t offset)
{
	size_t low = 0, high = f->n_units;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct dw_unit *u = f->units[mid];

		if (u->section != section ? u->section < section
		    : u->start <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low && f->units[low - 1]->section == section
	       ? f->units[low - 1] : NULL;
}

static struct dw_unit *
package_unit(const struct dw_file *f, enum dw_section section, uint64_t start)
{
	struct dw_unit *u = unit_before(f, section, start);

	return u && u->start == start ? u : NULL;
}

static enum dw_section
package_column(const struct package_index *x, uint32_t column)
{
	uint32_t number = table_at(x->head, column);

	return number < countof(columns_5) ? x->columns[number] : DW_SECTIONS;
}

static void
package_row(struct dw_file *f, const struct package_index *x, uint32_t row)
{
	struct dw_unit *u = NULL;

	for (uint32_t k = 0; k < x->n_columns && !u; k++) {
		enum dw_section s = package_column(x, k);
		uint64_t at = (uint64_t)row * x->n_columns + k;

		if (s == DW_INFO || s == DW_TYPES)
			u = package_unit(f, s, table_at(x->offsets, at));
	}
	for (uint32_t k = 0; u && k < x->n_columns; k++) {
		enum dw_section s = package_column(x, k);
		uint64_t at = (uint64_t)row * x->n_columns + k;
		uint64_t start = table_at(x->offsets, at);
		uint64_t size = table_at(x->sizes, at);
		const struct span *all = &f->section[s % DW_SECTIONS];

		if (s == DW_SECTIONS || start > all->n
		    || size > all->n - start)
			continue;
		u->contribution[s] = (struct span){
			(const uint8_t *)all->data + start, size,
		};
	}
}

void
dw_package(struct dw_file *f)
{
	static const uint8_t indexes[] = { DW_CU_INDEX, DW_TU_INDEX };

	for (size_t k = 0; k < countof(indexes); k++) {
		struct package_index x = { 0 };

		/* Rows without columns would cost nothing, and be many. */
		if (!package_open(f, indexes[k], &x) || !x.n_columns
		    || x.n_columns > 16)
			continue;
		for (uint32_t row = 0; row < x.n_rows; row++)
			package_row(f, &x, row);
	}
}

struct span
dw_section(const struct dw_unit *u, enum dw_section section)
{
	return u->contribution[section].data ? u->contribution[section]
	       : u->file->section[section];
}

/* ---- one unit ----------------------------------------------------------------------- */
/* Where a split unit has no base: behind the header of the only table. */
static uint64_t
first_entry(const struct dw_unit *u)
{
	return u->version < 5 ? 0 : u->offset_size == 4 ? 8 : 16;
}

static uint64_t
first_list(const struct dw_unit *u)
{
	return u->version < 5 ? 0 : u->offset_size == 4 ? 12 : 20;
}

static uint64_t
base_or(const struct dw_value *v, uint64_t otherwise)
{
	return v->form ? v->u : otherwise;
}

static bool
open_unit(struct dw_unit *u)
{
	struct dw_root *r = &u->root;
	struct dw_die die;
	int64_t number;

	/* A string or an address of the root may need a base: that first. */
	if (!dw_read_root(u, &die))
		return false;
	u->str_base = base_or(&r->str_base, first_entry(u));
	u->addr_base = base_or(&r->addr_base, first_entry(u));
	u->rnglists_base = base_or(&r->rnglists_base, first_list(u));
	u->loclists_base = base_or(&r->loclists_base, first_list(u));
	u->ranges_base = base_or(&r->ranges_base, 0);
	if (dw_has(&die, AT_LOW))
		dw_address(&die.at[AT_LOW], &u->low);
	if (r->dwo_id.form && !u->id)
		u->id = r->dwo_id.u;
	if (r->language.form && dw_constant(&r->language, &number))
		u->language = (uint16_t)number;
	return true;
}

/* ---- tables of lines: all types of a unit have its table ----------------------- */
static int
lines_order(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	if (has_type(x->unit) != has_type(y->unit))
		return has_type(x->unit) ? 1 : -1;
	return (x->unit->number > y->unit->number)
	       - (x->unit->number < y->unit->number);
}

static const char *
unit_dir(const struct dw_unit *u)
{
	struct dw_file *file;
	uint64_t place;

	return u->root.comp_dir.form
	       ? dw_text(&u->root.comp_dir, &file, &place) : NULL;
}

/* Files are told below the directory of their unit; those of types have none. */
static bool
shares_lines(const struct dw_unit *u, const struct dw_unit *first)
{
	const char *x = unit_dir(u), *y = unit_dir(first);

	return (has_type(u) && !x) || x == y || (x && y && strcmp(x, y) == 0);
}

static struct err *
share_lines(const struct dw_file *f)
{
	_free_ struct place *all = calloc(f->n_units + 1, sizeof(*all));
	struct dw_unit *first = NULL;
	size_t n = 0;

	if (!all)
		return err_nomem();
	for (size_t k = 0; k < f->n_units; k++) {
		struct dw_unit *u = f->units[k];

		if (u->lost || !u->root.stmt_list.form)
			continue;
		all[n++] = (struct place){
			(uintptr_t)dw_section(u, DW_LINE).data
			+ u->root.stmt_list.u, u,
		};
	}
	qsort(all, n, sizeof(*all), lines_order);
	for (size_t k = 0; k < n; k++) {
		if (!k || all[k].offset != all[k - 1].offset)
			first = all[k].unit;
		else if (shares_lines(all[k].unit, first))
			all[k].unit->lines = first;
	}
	return NULL;
}

/* ---- by id ------------------------------------------------------------------------- */
/* Units of types first, then by id, and of those with one id the first. */
static int
id_order(const void *a, const void *b)
{
	const struct dw_unit *x = *(struct dw_unit *const *)a;
	const struct dw_unit *y = *(struct dw_unit *const *)b;

	if (has_type(x) != has_type(y))
		return has_type(x) ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

struct err *
dw_units_open(struct dw_file *f)
{
	for (size_t k = 0; k < f->n_units; k++)
		if (!open_unit(f->units[k]))
			f->units[k]->lost = true;
	f->by_id = malloc((f->n_units + 1) * sizeof(struct dw_unit *));
	if (!f->by_id)
		return err_nomem();
	if (!f->n_units)
		return NULL;
	memcpy(f->by_id, f->units, f->n_units * sizeof(struct dw_unit *));
	qsort(f->by_id, f->n_units, sizeof(struct dw_unit *), id_order);
	return share_lines(f);
}

struct dw_unit *
dw_unit_at(const struct dw_file *f, uint64_t offset)
{
	struct dw_unit *u = unit_before(f, DW_INFO, offset);

	return u && offset - u->start < u->size ? u : NULL;
}

static struct dw_unit *
find_id(const struct dw_file *f, uint64_t id, bool of_types)
{
	size_t low = 0, high = f->by_id ? f->n_units : 0, n = high;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct dw_unit *u = f->by_id[mid];

		if (has_type(u) != of_types ? has_type(u) : u->id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n && f->by_id[low]->id == id
	       && has_type(f->by_id[low]) == of_types ? f->by_id[low] : NULL;
}

struct dw_unit *
dw_unit_signed(const struct dw_file *f, uint64_t signature)
{
	return find_id(f, signature, true);
}

struct dw_unit *
dw_unit_with_id(const struct dw_file *f, uint64_t id)
{
	return find_id(f, id, false);
}
