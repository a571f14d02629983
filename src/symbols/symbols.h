/* SPDX-License-Identifier: Apache-2.0 */
/*
 * symbols: what the debug information and the symbol tables of one ELF file
 * say, digested once into an index that is read in place.
 *
 * An index is a function of the files it was made from; it knows no target and
 * no run-time address: addresses are those of the file (p_vaddr). Only the
 * maker reads DWARF, whoever asks sees the records below. An index is hostile
 * bytes like all others: it is checked as it is read, so that no field of a
 * record that was handed out leads outside of the index or of its array.
 *
 * References (strings, types, functions, variables) are numbers that mean
 * something in this one index; SYM_NONE is none. Strings are borrowed from the
 * index; records with arrays are decoded into the caller's arena, and live as
 * long as it and the index do. One index, one thread.
 */
#ifndef SYMBOLS_SYMBOLS_H
#define SYMBOLS_SYMBOLS_H

#include "base/base.h"

#define SYM_NONE UINT32_MAX
/** Of the bytes; one of another version is to be made anew. */
#define SYMIDX_VERSION 10u

/* ---- making ------------------------------------------------------------- */
/**
 * The files that an index is made from, borrowed. @split opens a .dwo file by
 * the names and the id in the skeleton unit (DWARF 5, 3.1.2), as a descriptor
 * that the maker owns; ERR_NOTFOUND where there is none.
 */
struct symbols_input {
	struct source *file;    /* the ELF file that is mapped, or a skeleton */
	struct source *debug;   /* its separate debug file, or NULL */
	struct source *alt;     /* dwz alternate of what has the DWARF, or NULL */
	struct source *package; /* .dwp, or NULL */
	struct err *(*split)(void *arg, const char *dir, const char *name,
			     uint64_t id, int *fd);
	/** Now and then: so much is done, in thousandths. May be NULL. */
	void (*progress)(void *arg, unsigned done);
	void *arg;
};
typedef struct err *symbols_sink_fn(void *arg, const void *data, size_t n);
/** Without DWARF an index of the symbol tables alone is made. */
struct err *symbols_make(const struct symbols_input *in, symbols_sink_fn *sink,
			 void *arg) _must_check_;

/* ---- an index ------------------------------------------------------------ */
struct symidx;
/** Borrows @src. ERR_FORMAT: not one, or of another version; ERR_DAMAGED. */
struct err *symidx_open(struct source *src, struct symidx **out) _must_check_;
void symidx_free(struct symidx *ix);
void symidx_freep(struct symidx **ix);
#define _symidx_ _cleanup_(symidx_freep)
/** What it was made from. */
struct symidx_about {
	struct module_id id;    /* build-id of the file */
	uint64_t dwarf_size;    /* inflated bytes of DWARF; 0 = had none */
	uint32_t n_units, n_functions, n_variables, n_types, n_symbols;
	uint32_t n_sources;
	uint32_t units_lost;    /* damaged: not all of them is here */
};
/** All of it has the checksums that were written, else ERR_DAMAGED. */
struct err *symidx_verify(struct symidx *ix) _must_check_;
/** Something that was read from it so far had not. */
bool symidx_spoilt(const struct symidx *ix);
const struct symidx_about *symidx_about(const struct symidx *ix);
/** "" where the bytes are damaged; NULL for SYM_NONE. */
const char *symidx_string(struct symidx *ix, uint32_t string);

/** A compilation unit. */
struct sym_unit {
	uint32_t name, dir, producer;           /* strings */
	uint16_t language;                      /* DW_LANG_* */
};
struct err *symidx_unit(struct symidx *ix, uint32_t unit,
			struct sym_unit *out) _must_check_;
/** The n-th source file, a string; SYM_NONE behind the last. */
uint32_t symidx_source(struct symidx *ix, uint32_t n);

/* ---- addresses ------------------------------------------------------------- */
/** A symbol of the ELF tables that covers @addr, or the nearest below it. */
struct sym_symbol {
	const char *linkage;
	uint64_t address, size;
	uint8_t type, binding;                  /* STT_*, STB_* */
};
bool symidx_symbol_at(struct symidx *ix, uint64_t addr, struct sym_symbol *out);
/** The n-th in order of addresses; false behind the last. */
bool symidx_symbol(struct symidx *ix, uint32_t n, struct sym_symbol *out);
/** The next one of that name, of whatever version, from number *@n on, which
 * is moved behind it; false: there is no more. */
bool symidx_symbol_named(struct symidx *ix, const char *name, uint32_t *n,
			 struct sym_symbol *out);

/** A row of the line table that covers @addr, as [start, end). */
struct sym_line {
	uint64_t start, end;
	uint32_t file;          /* string: whole path, or as in the DWARF */
	uint32_t line, column;  /* 0 = unknown */
};
bool symidx_line(struct symidx *ix, uint64_t addr, struct sym_line *out);

/** One of the functions whose code stands at an address, innermost first. */
struct sym_frame {
	uint32_t name, prefix, linkage;         /* strings: f, ns::cls, _ZN… */
	uint32_t file, line, column;            /* where it is at @addr */
	uint32_t unit;
	bool inlined;
};
/** How many there are, at most @max written; 0 = no function is known. */
size_t symidx_frames(struct symidx *ix, uint64_t addr, struct sym_frame *out,
		     size_t max);

/* ---- functions -------------------------------------------------------------- */
/** The function with code at @addr, as a reference. */
uint32_t symidx_function_at(struct symidx *ix, uint64_t addr);

struct sym_range {
	uint64_t start, end;
};
/**
 * Where a variable is while start <= pc < end. An expression is DWARF's
 * (2.5), little-endian, with 8-byte addresses, in which nothing leads out:
 * DW_OP_addrx and constx are written as addr and const8u; what names a base
 * type (convert, regval_type, deref_type, const_type, reinterpret and their
 * GNU forms) has its type reference of this index as ULEB128, 0 for the
 * generic type and reference + 1 otherwise; implicit_pointer and
 * variable_value have the index of a variable of the same body as ULEB128
 * (or of none: the body's n_variables), and so has parameter_ref: the callee's
 * parameter, whose name a call value has; call2, call4 and call_ref stand
 * replaced by what they call. What cannot be told so is the one byte 0xff.
 */
struct sym_location {
	uint64_t start, end;    /* 0, UINT64_MAX: everywhere */
	struct span expr;       /* n = 0: optimised out there */
};
enum sym_flags {
	SYM_PARAMETER = 1, SYM_ARTIFICIAL = 2, SYM_EXTERNAL = 4,
	SYM_CONSTANT = 8        /* @value or @bytes instead of a location */,
	SYM_THREAD_LOCAL = 16, SYM_DECLARATION = 32,
};
struct sym_variable {
	uint32_t name, prefix, linkage;         /* strings */
	uint32_t type;
	uint32_t file, line;                    /* where it is declared */
	uint32_t unit;
	uint16_t flags;                         /* enum sym_flags */
	uint64_t value;                         /* SYM_CONSTANT: as told… */
	struct span bytes;                      /* …or as a block */
	const struct sym_location *locations;   /* 0 = optimised out */
	size_t n_locations;
};
enum sym_block_kind {
	SYM_BLOCK_FUNCTION = 1, SYM_BLOCK_INLINED = 2, SYM_BLOCK_LEXICAL = 3,
};
/** Blocks stand in pre-order: a block is followed by those inside of it. */
struct sym_block {
	uint8_t kind;
	uint32_t parent;        /* index in the body, or SYM_NONE */
	uint32_t next;          /* index of the first that is not inside */
	uint32_t name, prefix, linkage;         /* strings, not LEXICAL */
	uint32_t type;          /* what the function returns, or SYM_NONE */
	uint32_t file, line;    /* where it is declared */
	uint32_t call_file, call_line, call_column;     /* INLINED */
	const struct sym_range *ranges;
	size_t n_ranges;
	uint32_t first_variable, n_variables;   /* its own, in the body's */
};
/** A call, for entry values (3.4): @pc is the return address, or of a jump an
 * address whose predecessor is in it. */
struct sym_call {
	uint64_t pc;
	bool tail;
	uint32_t target;        /* string: linkage or plain name, or SYM_NONE */
	struct span target_expr;        /* n > 0: of what is called, instead */
	const struct sym_call_value *values;
	size_t n_values;
};
struct sym_call_value {
	struct span location, value;            /* of the callee, in the caller */
	struct span data_value;
	uint32_t name;                          /* of the parameter */
};
struct sym_body {
	uint32_t unit;
	const struct sym_block *blocks;         /* [0] is the function */
	const struct sym_variable *variables;
	const struct sym_call *calls;
	const struct sym_location *frame_base;
	const struct sym_location *static_link; /* 3.3.5, nested functions */
	size_t n_blocks, n_variables, n_calls, n_frame_base, n_static_link;
};
struct err *symidx_body(struct symidx *ix, uint32_t function, struct arena *a,
			const struct sym_body **out) _must_check_;

/* ---- types -------------------------------------------------------------------- */
enum sym_type_kind {
	SYM_TYPE_BASE = 1, SYM_TYPE_POINTER, SYM_TYPE_REFERENCE,
	SYM_TYPE_RVALUE_REFERENCE, SYM_TYPE_MEMBER_POINTER, SYM_TYPE_STRUCT,
	SYM_TYPE_CLASS, SYM_TYPE_UNION, SYM_TYPE_ENUM, SYM_TYPE_ARRAY,
	SYM_TYPE_TYPEDEF, SYM_TYPE_CONST, SYM_TYPE_VOLATILE, SYM_TYPE_RESTRICT,
	SYM_TYPE_ATOMIC, SYM_TYPE_FUNCTION, SYM_TYPE_STRING,
	SYM_TYPE_UNSPECIFIED /* decltype(nullptr) */,
};
enum sym_type_flags {
	SYM_TYPE_DECLARED = 1   /* declared only: find it by name */,
	SYM_TYPE_BIG_ENDIAN = 2, SYM_TYPE_ENUM_CLASS = 4,
	SYM_TYPE_VECTOR = 8, SYM_TYPE_VARIADIC = 16, SYM_TYPE_PROTOTYPED = 32,
};
enum sym_member_flags {
	SYM_MEMBER_BASE = 1, SYM_MEMBER_VIRTUAL = 2, SYM_MEMBER_STATIC = 4,
	SYM_MEMBER_ARTIFICIAL = 8, SYM_MEMBER_DISCRIMINANT = 16,
};
struct sym_member {
	uint32_t name, type;
	uint64_t offset;        /* in bits */
	uint32_t bits;          /* 0 = not a bit-field */
	uint16_t flags;
	uint32_t variant;       /* index, or SYM_NONE: in all of them */
	struct span expr;       /* n > 0: DW_AT_data_member_location's */
	uint64_t value;         /* of a static one that is a constant */
	bool has_value;
	uint32_t linkage;       /* of a static one */
};
/** Members of a variant are there while the discriminant is in a range. */
struct sym_variant {
	const struct sym_range *values;         /* [start, end], 0: all others */
	size_t n_values;
};
struct sym_enumerator {
	uint32_t name;
	uint64_t value;         /* sign-extended where the enum is signed */
	/* Of a MEMBER_POINTER: linkage names of virtual functions of its class
	 * and bases; place in the table, and the base's first byte << 32. */
};
/** One dimension; a bound is a constant, or what an expression or variable
 * of the frame says, or open. */
enum sym_bound_kind { SYM_BOUND_OPEN, SYM_BOUND_CONSTANT, SYM_BOUND_EXPR,
		      SYM_BOUND_VARIABLE };
struct sym_bound {
	uint8_t kind;
	int64_t constant;
	struct span expr;
	uint32_t variable;      /* string: name of a variable, artificial; one
				   that has none is called ".unit.offset" */
};
struct sym_dimension {
	struct sym_bound lower, upper, stride;  /* upper: last index, not count */
	bool is_count;          /* upper is a number of elements instead */
};
struct sym_argument {           /* of a template */
	uint32_t name, type;
	uint64_t value;
	bool is_value;
};
struct sym_type {
	uint8_t kind, encoding; /* DW_ATE_* */
	uint16_t flags;
	uint32_t name, prefix;  /* strings */
	uint32_t unit;          /* one that has it */
	uint64_t size;          /* bytes; of an array too, 0 = not told */
	uint32_t bits;          /* of a base type with other than 8 × size */
	uint32_t target;        /* pointed to, element, aliased, returned */
	uint32_t holder;        /* MEMBER_POINTER: its class; vtable's holder */
	const struct sym_member *members;
	const struct sym_variant *variants;
	const struct sym_enumerator *enumerators;
	const struct sym_dimension *dimensions;
	const struct sym_argument *arguments;
	const uint32_t *parameters;             /* types, of a function type */
	size_t n_members, n_variants, n_enumerators, n_dimensions,
	       n_arguments, n_parameters;
	struct span data_location, allocated, associated;       /* 5.18 */
};
/** A damaged file may have types that are inside of themselves by value:
 * who descends has a bound. */
struct err *symidx_type(struct symidx *ix, uint32_t type, struct arena *a,
			const struct sym_type **out) _must_check_;

/* ---- by name -------------------------------------------------------------------- */
enum sym_what { SYM_A_FUNCTION = 1, SYM_A_VARIABLE = 2, SYM_A_TYPE = 4,
		SYM_AN_ENUMERATOR = 8 /* the reference is its type's */ };
/**
 * Calls @fn with each function, variable outside of functions or complete type
 * (typedefs too) whose name is @name, with its prefix or without, until one
 * errs. @what: which are of interest.
 */
typedef struct err *symidx_named_fn(void *arg, enum sym_what what,
				    uint32_t reference);
struct err *symidx_named(struct symidx *ix, const char *name, unsigned what,
			 symidx_named_fn *fn, void *arg) _must_check_;
/** A variable outside of functions, static members too. */
struct err *symidx_variable(struct symidx *ix, uint32_t variable,
			    struct arena *a, const struct sym_variable **out)
	_must_check_;

#endif
