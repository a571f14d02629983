/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make: an index in the making. Units are scanned, types are told apart by
 * what they say, all that is left is numbered, and only then written, so that
 * an index does not depend on which thread was faster.
 */
#ifndef SYMBOLS_MAKE_H
#define SYMBOLS_MAKE_H

#include "symbols/blocks.h"
#include "symbols/dw.h"
#include "symbols/symbols.h"

struct pool;

/* ---- strings (strings.c) ---------------------------------------------------- */
/*
 * A string is told by a handle: its number, where .debug_str is taken over
 * whole, or else an entry that has a number when all have been seen.
 */
#define STR_NONE UINT64_MAX
struct strings;
struct strings *strings_new(void);
void strings_free(struct strings *s);
uint64_t strings_add(struct strings *s, const char *text, size_t n);
/** Number those that were added, from @first. */
struct err *strings_number(struct strings *s, uint32_t first) _must_check_;
/** Its number, which somebody will ask for. */
uint32_t strings_use(struct strings *s, uint64_t handle);
/** The least number from @from on, before @to, that was; or @to. */
uint64_t strings_next_used(const struct strings *s, uint64_t from,
			   uint64_t to);
uint64_t strings_hash(uint64_t handle);
/** The text of one that was added. */
const char *strings_peek(uint64_t handle);
/** All that were added, in order of their numbers, one behind the other. */
struct err *strings_text(const struct strings *s, struct buf *out)
	_must_check_;

/* ---- files (elf.c) ------------------------------------------------------------ */
struct opened;                  /* an ELF file (elf.h) */
struct text_range {
	uint64_t start, end;
};
struct maker_symbol {
	uint64_t address, size, name;
	uint8_t type, binding;
	bool own;                       /* of the file, not its debug file */
};

/* ---- the maker ------------------------------------------------------------------ */
struct type_table;
/** Work that threads share. */
struct jobs {
	struct buf all;                 /* struct job * */
};
struct job {
	uint8_t kind;
	uint32_t first, n;              /* units, types, sequences */
	struct blocks trees, bodies, variables, types, lines;
	struct err *err;
	struct buf names;               /* struct format_name */
	struct buf spans;               /* struct format_span */
};
/** Strings for one job. */
struct string_piece {
	uint64_t first;
	struct span text;
	struct blocks blocks;
};
struct maker {
	const struct symbols_input *in;
	struct arena *arena;
	struct buf opened;              /* struct opened * */
	struct dw_file *dwarf, *alt, *package;  /* borrowed from those */
	struct dw_unit **units;         /* all, by number */
	uint32_t n_units;
	struct strings *strings;
	struct type_table *types;
	uint64_t *unique;               /* unit << 32 | offset, by number */
	uint32_t n_types, n_functions, n_variables, units_lost;
	struct text_range *text;
	size_t n_text;
	struct buf sequences;           /* struct dw_sequence, sorted */
	struct buf symbols;             /* struct maker_symbol */
	struct buf pieces;              /* struct string_piece */
	uint64_t dwarf_size;
	struct module_id id;
	struct pool *pool;
	struct jobs *jobs;
	bool failed;                    /* no memory, somewhere */
};

/** Open the files of the input; DWARF and symbols of them. */
struct err *files_open(struct maker *m) _must_check_;
/** The DWARF of a split unit's file, of @fd which is taken. */
struct dw_file *files_split(struct maker *m, int fd);
void files_close(struct maker *m);
bool maker_is_text(const struct maker *m, uint64_t address);
/** Symbol tables of an ELF file, into m->symbols. */
struct err *elfsyms_read(struct maker *m) _must_check_;

/** @fn for each of @n, by all threads. */
typedef void each_fn(struct maker *m, uint32_t n, struct arena *scratch);
void maker_each(struct maker *m, uint32_t n, each_fn *fn);

/* ---- strings of DWARF ------------------------------------------------------------ */
uint64_t maker_string(struct maker *m, const struct dw_value *v);
/** Of an attribute, STR_NONE where it is not there. */
uint64_t maker_attr_string(struct maker *m, const struct dw_die *die,
			   enum dw_slot slot);
/** A file by its number in the unit's table. */
uint64_t maker_file(const struct dw_value *v);
void put_string(struct maker *m, struct buf *out, uint64_t handle);

/* ---- scanning (scan.c) ----------------------------------------------------------- */
void scan_unit(struct maker *m, uint32_t unit, struct arena *scratch);
enum sym_type_kind scan_type_kind(uint16_t tag);
/** What an artificial variable without a name is called. */
uint64_t scan_nameless(struct maker *m, const struct dw_unit *u,
		       uint32_t offset);
/** The innermost scope that @offset is in, or NULL. */
const struct dw_scope *scan_scope(const struct dw_unit *u, uint32_t offset);
/** The number of a type among those of its unit; false: is none. */
bool scan_type(const struct dw_unit *u, uint32_t offset, uint32_t *out);

/* ---- origins (origin.c) ----------------------------------------------------------- */
/** Adds what the entries say that it refers to, @home: the last of these. */
struct origin {
	struct dw_unit *unit;
	uint32_t offset;
};
void origin_add(struct dw_die *die, struct origin *home);

/* ---- types (types.c, type_put.c) --------------------------------------------------- */
struct type_table *types_new(void);
void types_free(struct type_table *t);
void types_unit(struct maker *m, uint32_t unit, struct arena *scratch);
struct err *types_number(struct maker *m) _must_check_;
/** The number of the type that the attribute names, SYM_NONE: none. */
uint32_t types_ref(const struct maker *m, const struct dw_die *die,
		   enum dw_slot slot);
uint32_t types_at(const struct maker *m, const struct dw_unit *u,
		  uint32_t offset);
/** What stands for a type in what refers to it, before there are numbers. */
uint64_t types_key(struct maker *m, struct dw_unit *u, uint32_t offset,
		   unsigned depth);

/** Where a type's record goes: with keys for numbers, or final. */
struct type_out {
	struct maker *m;
	struct buf *out;
	bool keys;
	unsigned depth;
};
void type_put(struct type_out *to, const struct dw_die *die);
/** Name, prefix and what tells named types apart. */
uint64_t type_identity(struct maker *m, const struct dw_die *die);
/** The name of @die goes to the index of names, if it is one of there. */
void type_put_name(struct maker *m, const struct dw_die *die,
		   uint32_t number, struct buf *names);
void put_name(struct maker *m, const struct dw_die *die, enum sym_what what,
	      uint32_t number, struct buf *names);

/* ---- expressions (expr.c) ------------------------------------------------------------- */
/** What the maker of an expression must know of the body it belongs to. */
struct expr_place {
	struct maker *m;
	/** The variable that the entry is, of @arg; NULL: none are known. */
	uint32_t (*variable)(void *arg, struct dw_unit *u, uint32_t offset);
	void *arg;
};
/** Puts its length and it; one byte 0xff where it cannot be told. */
void expr_put(const struct expr_place *at, struct dw_unit *u,
	      struct span expr, struct buf *out);
bool expr_is_thread_local(struct span expr);
/** One that is nothing but the value of an entry, which then is told. */
bool expr_is_variable(struct dw_unit *u, struct span expr,
		      struct dw_unit **unit, uint32_t *offset);

/* ---- functions and variables (body.c, body_put.c) ---------------------------------------- */
struct body;
/** All functions and variables of a run of units. */
void bodies_put(struct maker *m, struct job *job, struct arena *scratch);

/* ---- lines (lines_put.c) ------------------------------------------------------------------- */
struct err *lines_sort(struct maker *m) _must_check_;
void lines_put(struct maker *m, struct job *job);

/* ---- texts (texts.c) ------------------------------------------------------------------------- */
/** Blocks of all strings that are used, into m->pieces; @own: added ones. */
struct err *texts_pack(struct maker *m, struct span own) _must_check_;
void texts_fini(struct maker *m);

/* ---- the file (write.c) --------------------------------------------------------------------- */
struct err *index_write(struct maker *m, struct jobs *jobs,
			symbols_sink_fn *sink, void *arg) _must_check_;

#endif
