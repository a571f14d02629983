/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dw: the DWARF of the files that an index is made from, entry by entry.
 *
 * libelf finds and inflates the sections. Entries are read here and not by
 * libdw 0.188: it opens split units by their path, reads no .dwp, keeps every
 * location that it was asked for until the end, and one handle serves one
 * thread. All that is here borrows the sections and only reads them, so any
 * number of threads may; a unit itself belongs to who works on it.
 */
#ifndef SYMBOLS_DW_H
#define SYMBOLS_DW_H

#include <dwarf.h>

#include "symbols/cursor.h"

#define DW_DEPTH_MAX 200u               /* of entries within entries */
#define DW_HOPS_MAX 8u                  /* of origins of origins */

enum dw_section {
	DW_INFO, DW_TYPES, DW_ABBREV, DW_STR, DW_LINE_STR, DW_STR_OFFSETS,
	DW_ADDR, DW_RANGES, DW_RNGLISTS, DW_LOC, DW_LOCLISTS, DW_LINE,
	DW_CU_INDEX, DW_TU_INDEX, DW_SECTIONS
};

struct dw_unit;
struct dw_file {
	struct span section[DW_SECTIONS];
	bool big;
	bool package;                   /* a .dwp */
	bool borrows_strings;           /* .debug_str is in the index, whole */
	uint32_t str_base;              /* where it is there */
	struct dw_file *alt;            /* dwz alternate, or NULL */
	struct dw_unit **units;         /* by section, then offset */
	size_t n_units;
	struct dw_abbrevs **abbrevs;    /* one for each offset */
	size_t n_abbrevs;
	struct dw_unit **by_id;         /* type units first; then by id */
};

/** An attribute that somebody here asks for. */
enum dw_slot {
	AT_NAME, AT_LINKAGE, AT_TYPE, AT_ORIGIN, AT_SPECIFICATION, AT_LOW,
	AT_HIGH, AT_RANGES, AT_LOCATION, AT_CONST, AT_DECL_FILE, AT_DECL_LINE,
	AT_CALL_FILE, AT_CALL_LINE, AT_CALL_COLUMN, AT_BYTE_SIZE, AT_BIT_SIZE,
	AT_DATA_BIT_OFFSET, AT_BIT_OFFSET, AT_MEMBER_LOCATION, AT_ENCODING,
	AT_UPPER, AT_LOWER, AT_COUNT, AT_STRIDE, AT_BIT_STRIDE,
	AT_DECLARATION, AT_EXTERNAL, AT_ARTIFICIAL, AT_INLINE, AT_SIBLING,
	AT_SIGNATURE, AT_FRAME_BASE, AT_STATIC_LINK, AT_VIRTUALITY,
	AT_DISCRIMINANT, AT_DISCR_VALUE, AT_DISCR_LIST, AT_CONTAINING,
	AT_ENUM_CLASS, AT_VECTOR, AT_PROTOTYPED, AT_ENDIANITY,
	AT_DATA_LOCATION, AT_ALLOCATED, AT_ASSOCIATED, AT_STRING_LENGTH,
	AT_CALL_RETURN, AT_CALL_PC, AT_CALL_TAIL, AT_CALL_TARGET,
	AT_CALL_VALUE, AT_CALL_DATA_VALUE, AT_CALL_PARAMETER, AT_CALL_ORIGIN,
	AT_DEFAULT, AT_VTABLE_ELEM, AT_UNIT /* one that only unit entries have */, AT_NONE,
};

struct dw_value {
	struct dw_unit *unit;           /* whose bases and files it means */
	const uint8_t *at;              /* of a block, string or data16 */
	uint64_t u;                     /* number, offset, length of block */
	uint16_t form;
};

struct dw_die {
	struct dw_unit *unit;
	uint32_t offset, after;         /* from the start of the unit */
	uint16_t tag;                   /* 0: the end of its siblings */
	bool children;
	uint64_t has;                   /* bits of enum dw_slot */
	struct dw_value at[AT_UNIT];
};

/** Attributes of a unit's own entry that are of no use elsewhere. */
struct dw_root {
	struct dw_value stmt_list, str_base, addr_base, rnglists_base,
			loclists_base, ranges_base, dwo_name, dwo_id, comp_dir,
			producer, language;
};

struct dw_scope {
	uint32_t start, end;            /* of its entry, within the unit */
	uint32_t parent;                /* or UINT32_MAX */
	uint64_t prefix;                /* string: of what is inside */
};

/** A row of a unit's line table. */
struct dw_row {
	uint64_t address;
	uint32_t line;
	uint16_t file;                  /* in the unit's files */
	uint16_t column : 14, statement : 1, end : 1;
};
struct dw_sequence {
	uint64_t start, end;
	uint32_t first, n;              /* of the unit's rows */
	struct dw_unit *unit;
};

struct dw_unit {
	struct dw_file *file;
	uint8_t section;                /* DW_INFO or DW_TYPES */
	uint8_t version, address_size, offset_size, type;
	const uint8_t *data;            /* its header */
	uint64_t start;                 /* of the header, in the section */
	uint32_t size, header;          /* with all; of the header */
	uint32_t number;                /* of all units of all files */
	uint64_t id;                    /* of split and type units */
	uint32_t type_offset;
	const struct dw_abbrevs *abbrevs;
	/* Bases; what is in the skeleton's file is looked up there. */
	struct dw_unit *skeleton;       /* of a split unit */
	struct dw_unit *split;          /* of a skeleton: the rest of it */
	struct dw_unit *lines;          /* whose files are its own, too; NULL */
	struct span contribution[DW_SECTIONS];  /* of a .dwp; else all */
	uint64_t str_base, addr_base, rnglists_base, loclists_base,
		 ranges_base, low;
	struct dw_root root;
	/* What scan.c found. */
	uint64_t name, dir, producer;   /* strings */
	uint16_t language;
	uint32_t *bits_rank;            /* entries before each word of… */
	uint64_t *bits;                 /* …a bit for each offset */
	uint64_t *keys;                 /* of each type; 0 = not known yet */
	uint32_t *slots;                /* of each type, in the common table */
	uint32_t n_types;
	struct buf scopes;              /* struct dw_scope */
	struct buf functions, variables;        /* uint32_t offsets */
	uint32_t first_function, first_variable;
	uint64_t *files;                /* strings, by DWARF's number */
	uint32_t n_files;
	struct buf rows, sequences;
	uint64_t work;                  /* what may still be read of it */
	bool lost;
};

/* ---- files and units (units.c) ---------------------------------------------- */
/** Find all units of @f; @number counts them over files. */
struct err *dw_units(struct dw_file *f, struct arena *a, uint32_t *number)
	_must_check_;
void dw_file_fini(struct dw_file *f);
/** The bases that the units' own entries tell; by id they are found then. */
struct err *dw_units_open(struct dw_file *f) _must_check_;
/** The unit of .debug_info that has @offset, or NULL. */
struct dw_unit *dw_unit_at(const struct dw_file *f, uint64_t offset);
struct dw_unit *dw_unit_signed(const struct dw_file *f, uint64_t signature);
/** The first that is none of types. */
struct dw_unit *dw_unit_with_id(const struct dw_file *f, uint64_t id);
/** A section as the unit sees it. */
struct span dw_section(const struct dw_unit *u, enum dw_section section);
/** Of a package: which parts of the sections belong to its units. */
void dw_package(struct dw_file *f);

/* ---- entries (die.c) ------------------------------------------------------------ */
struct err *dw_abbrevs_parse(const struct dw_file *f, uint64_t offset,
			     struct dw_abbrevs **out) _must_check_;
void dw_abbrevs_free(struct dw_abbrevs *a);
/** So much work is done for the unit; false when it was too much. */
bool dw_spend(struct dw_unit *u, uint64_t n);
/** False where the unit is damaged or its work is done. */
bool dw_read(struct dw_unit *u, uint32_t offset, struct dw_die *out);
/** The same for a unit's own entry, with what else it tells. */
bool dw_read_root(struct dw_unit *u, struct dw_die *out);
/** The offset of what follows the entry and all inside of it. */
bool dw_skip(const struct dw_die *die, uint32_t *after);
static inline bool
dw_has(const struct dw_die *die, enum dw_slot slot)
{
	return die->has >> slot & 1;
}
/** A number, or @otherwise where there is none that is constant. */
uint64_t dw_number(const struct dw_die *die, enum dw_slot slot,
		   uint64_t otherwise);
bool dw_flag(const struct dw_die *die, enum dw_slot slot);
/** Constants that may be negative. */
bool dw_is_signed(const struct dw_value *v);
bool dw_constant(const struct dw_value *v, int64_t *out);
bool dw_is_block(const struct dw_value *v);
bool dw_address(const struct dw_value *v, uint64_t *out);
bool dw_indexed_address(struct dw_unit *u, uint64_t index, uint64_t *out);
/** Where the entry is that @v refers to. */
bool dw_target(const struct dw_value *v, struct dw_unit **unit,
	       uint32_t *offset);
bool dw_follow(const struct dw_die *die, enum dw_slot slot,
	       struct dw_die *out);
/** The text of a string form, or NULL; @whole: its place in .debug_str. */
const char *dw_text(const struct dw_value *v, struct dw_file **file,
		    uint64_t *place);

/* ---- addresses (ranges.c, locs.c) ------------------------------------------------- */
typedef bool dw_range_fn(void *arg, uint64_t start, uint64_t end);
/** False where it is damaged; stops, as a success, where @fn says false. */
bool dw_ranges(const struct dw_die *die, dw_range_fn *fn, void *arg);
typedef bool dw_location_fn(void *arg, uint64_t start, uint64_t end,
			    struct span expr);
bool dw_locations(const struct dw_value *v, dw_location_fn *fn, void *arg);

/* ---- lines (rows.c) -------------------------------------------------------------- */
typedef uint64_t dw_name_fn(void *arg, struct dw_unit *u, const char *dir,
			    const char *name);
/** Fill in files, and rows where @rows is true. */
bool dw_rows(struct dw_unit *u, bool rows, dw_name_fn *name, void *arg);

#endif
