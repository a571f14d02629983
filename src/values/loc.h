/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a variable is: the DWARF stack machine over typed values, and the
 * location descriptions that it yields (DWARF 5, 2.5 and 2.6).
 *
 * The machine of call frame information (inspect) is another one: that knows
 * 64-bit values and one result, and is asked for millions of rows; this one
 * has types, pieces and asks for what no row has, once for a variable.
 */
#ifndef VALUES_LOC_H
#define VALUES_LOC_H

#include "base/base.h"

#define LOC_STACK_MAX 128
#define LOC_STEPS_MAX 10000u
#define LOC_PIECES_MAX 256

/* ---- cell.c: one value of the stack -------------------------------------- */
enum cell_kind { CELL_UNSIGNED, CELL_SIGNED, CELL_FLOAT };
/** A base type, as far as arithmetic goes. */
struct cell_type {
	uint32_t ref;           /* of the index + 1; 0 = the generic type */
	uint8_t kind, size;     /* enum cell_kind; bytes: 1 to 16 */
};
struct cell {
	struct cell_type type;
	union {
		unsigned __int128 u;    /* truncated to the size */
		long double f;
	};
};
extern const struct cell_type CELL_GENERIC;
struct cell cell_generic(uint64_t v);
/** Low 64 bits, sign-extended where the type is signed. */
uint64_t cell_u64(const struct cell *c);
/** DWARF's arithmetic (2.5.1.4) on two values of one type, by operator. */
struct err *cell_binary(uint8_t op, const struct cell *a,
			const struct cell *b, struct cell *out) _must_check_;
struct err *cell_unary(uint8_t op, const struct cell *a, struct cell *out)
	_must_check_;
bool cell_is_binary(uint8_t op), cell_is_unary(uint8_t op);
bool cell_is_true(const struct cell *c);
struct cell cell_convert(const struct cell *c, struct cell_type to);
/** @bytes has @t.size of them, little-endian. */
struct cell cell_load(struct cell_type t, const void *bytes);
void cell_store(const struct cell *c, uint8_t out[16]);
/** The DW_ATE encoding and size of a base type; false: none to count with. */
bool cell_type_of(uint8_t encoding, uint64_t size, uint32_t ref,
		  struct cell_type *out);

/* ---- loc.c: the machine -------------------------------------------------- */
/** What the machine asks for; each may be refused with a reason. */
struct loc_ops {
	struct err *(*read)(void *arg, uint64_t addr, size_t n, void *out);
	/** @n low bytes of a register; ERR_NOTFOUND: not known here. */
	struct err *(*reg)(void *arg, uint64_t number, size_t n, void *out);
	struct err *(*frame_base)(void *arg, uint64_t *out);
	struct err *(*cfa)(void *arg, uint64_t *out);
	struct err *(*tls)(void *arg, uint64_t offset, uint64_t *out);
	/** What @expr was when the function was entered. */
	struct err *(*entry)(void *arg, struct span expr, struct cell *out);
	/** A parameter of the function that is passed nowhere. */
	struct err *(*parameter)(void *arg, uint64_t nth, struct cell *out);
	/** A variable of the same body. */
	struct err *(*variable)(void *arg, uint64_t nth, struct cell *out);
	struct err *(*type)(void *arg, uint32_t ref, struct cell_type *out);
};
struct loc_env {
	const struct loc_ops *ops;
	void *arg;
	uint64_t bias;          /* added to addresses of the file */
	uint64_t object;        /* DW_OP_push_object_address */
	bool has_object;
	bool has_start;         /* @start is on the stack at the begin */
	uint64_t start;
};
enum loc_kind {
	LOC_NOWHERE,            /* optimised out */
	LOC_MEMORY,             /* at @value */
	LOC_REGISTER,           /* in register @value */
	LOC_VALUE,              /* is @cell */
	LOC_IMPLICIT,           /* is @bytes */
	LOC_POINTER,            /* leads to variable @value, @offset bytes in */
};
struct loc_piece {
	uint8_t kind;
	uint64_t value;
	int64_t offset;
	struct cell cell;
	struct span bytes;
	uint64_t bits;          /* of the object that it tells */
	uint64_t skip;          /* bits of the place before them */
};
/** One place for the whole object (@bits of it is 0), or pieces in a row. */
struct loc {
	const struct loc_piece *pieces;
	size_t n;
};
/**
 * ERR_DAMAGED for what no compiler writes, ERR_UNSUPPORTED for an operator
 * that is not known, ERR_LIMIT for one that does not end; those of @env.
 */
struct err *loc_eval(const struct loc_env *env, struct span expr,
		     struct arena *a, struct loc *out) _must_check_;
/** The same where a plain number is asked for (2.5): bounds, offsets. */
struct err *loc_number(const struct loc_env *env, struct span expr,
		       struct cell *out) _must_check_;

/* ---- leb.c --------------------------------------------------------------- */
/** LEB128 numbers (7.6); bits above 64 are lost. */
uint64_t leb_u(struct rd *r);
int64_t leb_s(struct rd *r);

#endif
