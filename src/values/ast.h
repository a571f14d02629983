/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions between their files: tokens, the tree, and what a name means.
 */
#ifndef VALUES_AST_H
#define VALUES_AST_H

#include "values/impl.h"

#define EXPR_LENGTH_MAX 4096u
#define EXPR_DEPTH_MAX 64u
#define EXPR_NODES_MAX 512u
#define EXPR_STEPS_MAX 4096u

/* ---- lex.c --------------------------------------------------------------- */
enum token_kind {
	T_END, T_INT, T_FLOAT, T_CHAR, T_STRING, T_NAME, T_QUOTED, T_FILE,
	T_REGISTER, T_OP,
};
enum token_op {         /* those of one character are that character */
	OP_TOKEN_ARROW = 256, OP_TOKEN_SHL, OP_TOKEN_SHR, OP_TOKEN_LE,
	OP_TOKEN_GE, OP_TOKEN_EQ, OP_TOKEN_NE, OP_TOKEN_AND, OP_TOKEN_OR,
	OP_TOKEN_SCOPE, OP_TOKEN_ASSIGN, OP_TOKEN_STEP,
};
struct token {
	uint8_t kind;
	uint16_t op;
	size_t at, n;           /* in the text */
	uint64_t number;        /* INT, CHAR */
	double real;
	uint8_t longs;          /* suffixes of numbers */
	bool is_unsigned, is_float, is_hex;
	const char *text;       /* NAME, REGISTER, FILE, QUOTED, STRING */
	size_t text_n;
};
struct lexer {
	const char *text;
	size_t n, at;
	struct arena *arena;
	struct token token;     /* the one that is to be taken next */
};
/** From byte @at of @text on. */
struct err *lex_begin(struct lexer *l, const char *text, size_t at,
		      struct arena *a) _must_check_;
struct err *lex_next(struct lexer *l) _must_check_;
/** "column N: …" for the byte at @at. */
struct err *lex_error(size_t at, const char *what, ...)
	_printf_(2, 3) _must_check_ _returns_nonnull_;

/* ---- parse.c ------------------------------------------------------------- */
enum node_kind {
	N_VALUE,                /* @value */
	N_TYPE_SIZE,            /* sizeof (@type) */
	N_SIZE, N_UNARY, N_BINARY, N_AND, N_OR, N_CHOICE, N_MEMBER, N_ARROW,
	N_INDEX, N_CAST, N_AT,
};
struct node {
	uint8_t kind;
	uint16_t op;
	size_t at;              /* where in the text */
	const struct node *a, *b, *c;
	const char *name;
	const struct type *type;
	const struct value *value;
};
struct parser {
	struct lexer lex;
	struct values *vs;
	const struct context *c;        /* may be NULL */
	struct arena *arena;
	unsigned depth, nodes, steps;
};
struct err *parse_expression(struct parser *p, const struct node **out)
	_must_check_;
/** A type's name where one begins; *@out_is false: none does. */
struct err *parse_type(struct parser *p, const struct type **out,
		       bool *out_is) _must_check_;

/* ---- names.c ------------------------------------------------------------- */
/** A variable, function or register, innermost first; ERR_NOTFOUND. */
struct err *names_value(struct parser *p, const char *name,
			const struct value **out) _must_check_;
struct err *names_in_file(struct parser *p, const char *file,
			  const char *name, const struct value **out)
	_must_check_;
struct err *names_register(struct parser *p, const char *name,
			   const struct value **out) _must_check_;
/** NULL: not a type. */
const struct type *names_type(struct parser *p, const char *name);
bool names_is_cxx(const struct parser *p);

/* ---- arith.c ------------------------------------------------------------- */
struct err *arith_binary(struct parser *p, uint16_t op,
			 const struct value *a, const struct value *b,
			 const struct value **out) _must_check_;
struct err *arith_unary(struct parser *p, uint16_t op, const struct value *a,
			const struct value **out) _must_check_;
struct err *arith_cast(struct parser *p, const struct value *v,
		       const struct type *to, const struct value **out)
	_must_check_;
struct err *arith_truth(struct parser *p, const struct value *v, bool *out)
	_must_check_;
struct err *arith_bool(struct parser *p, bool v, const struct value **out)
	_must_check_;
/** Arrays become pointers, references what they refer to. */
struct err *arith_decay(struct parser *p, const struct value *v,
			const struct value **out) _must_check_;
struct err *arith_i64(struct parser *p, const struct value *v, int64_t *out)
	_must_check_;
const struct type *arith_int(struct values *vs, bool is_unsigned,
			     bool is_long);

#endif
