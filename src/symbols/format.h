/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of an index, for its writer and its reader.
 *
 * header, sections, packed blocks. All integers are little-endian. A section
 * is an array that is read in place; those of enum format_stream are tables of
 * blocks. A block is one zstd frame, or stored where that is no smaller. In it
 * are, but for strings and lines: count, an offset for each record (u32 from
 * the start of the block), and the records, of LEB128 numbers; a reference is
 * written plus one, 0 is none. A block of strings has their number, how much
 * further each reference is than the one before it (the first: than the
 * block's), and the strings. A reference may lead into one.
 */
#ifndef SYMBOLS_FORMAT_H
#define SYMBOLS_FORMAT_H

#include "base/base.h"

#define FORMAT_MAGIC "inqsymix"
#define FORMAT_BLOCK (16u << 10)        /* a block ends where it reaches this */
#define FORMAT_BLOCK_MAX (64u << 20)    /* one record may be large */
#define FORMAT_ROWS 1024u               /* of a block of lines */
#define FORMAT_TEXT (16u << 10)         /* of a block of strings */

/** Streams of blocks; the numbers are those of sections. */
enum format_stream {
	STREAM_STRINGS,         /* first: the least reference */
	STREAM_TYPES,           /* first: number of its first record… */
	STREAM_TREES,           /* …of functions */
	STREAM_BODIES,          /* the same functions: variables and calls */
	STREAM_VARIABLES,
	STREAM_LINES,           /* first: address of its first row */
	N_STREAMS
};
enum format_section {
	SECTION_SPANS = N_STREAMS, SECTION_SYMBOLS, SECTION_UNITS,
	SECTION_NAMES, SECTION_SOURCES, N_SECTIONS
};

struct format_section_at {
	uint64_t offset, n;             /* elements */
};
struct format_header {
	char magic[8];
	uint32_t version, size;         /* of the header */
	uint64_t hash;                  /* XXH3-128, first half: of what is
					   behind the header and before the
					   blocks, XOR that of the header
					   with 0 here */
	uint64_t blocks;                /* where they begin */
	uint64_t file_size, dwarf_size, strings_end;
	uint32_t n_functions, n_variables, n_types, units_lost;
	uint32_t n_tls;                 /* symbols at the end of the table */
	uint8_t id_kind, id_len, id[ID_MAX], pad[2];
	struct format_section_at sections[N_SECTIONS];
};

struct format_block {
	uint64_t first, offset, hash;   /* hash of the packed bytes */
	uint32_t packed, raw;
};
/** Code of a function; sorted by start, and none overlaps the next. */
struct format_span {
	uint64_t start;
	uint32_t size, function;
};
struct format_symbol {
	uint64_t address, size;
	uint32_t name;
	uint8_t type, binding;
	uint16_t hash;                  /* format_symbol_hash() of the name */
};
struct format_unit {
	uint32_t name, dir, producer;
	uint16_t language, pad;
};
/** Sorted by hash, of the last part of a name. */
struct format_name {
	uint32_t hash;
	uint32_t what;                  /* enum sym_what << 28 | reference */
};
#define FORMAT_WHAT_SHIFT 28
#define FORMAT_REFERENCE_MAX ((1u << FORMAT_WHAT_SHIFT) - 1)

/** In a record of a tree: what follows of a block. */
enum format_block_bits {
	BLOCK_KIND = 3, BLOCK_NAMED = 4, BLOCK_CALLED = 8,
};
/** Before a variable's locations. */
enum format_where {
	WHERE_NOWHERE, WHERE_EVERYWHERE, WHERE_LIST, WHERE_VALUE, WHERE_BYTES,
};
/** Parts of a type; each is told by its number, until PART_END. */
enum format_part {
	PART_END, PART_MEMBER, PART_VARIANT, PART_ENUMERATOR, PART_DIMENSION,
	PART_ARGUMENT, PART_PARAMETER, PART_DATA_LOCATION, PART_ALLOCATED,
	PART_ASSOCIATED, PART_VARIADIC,
};
enum format_member_bits {
	MEMBER_BITS = 1, MEMBER_IN_VARIANT = 2, MEMBER_EXPR = 4,
	MEMBER_VALUE = 8, MEMBER_LINKAGE = 16,
};

/** Of the last part of a name. */
uint32_t format_name_hash(const char *name, size_t n);
/** Of a symbol's name without its version; FNV-1a, folded. */
uint16_t format_symbol_hash(const char *name);
/** The first eight bytes of XXH3-128. */
uint64_t format_hash(const void *data, size_t n);
/** What the header, whose hash does not matter, adds to it. */
uint64_t format_hash_header(const struct format_header *h);
bool format_intact(const void *data, size_t n, uint64_t hash);

#endif
