/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a line of C or C++ does to memory, read from its text alone: words,
 * then the expressions whose place is read, written or called. The text is
 * hostile, and need not be what was compiled.
 */
#ifndef ANALYSIS_SOURCE_H
#define ANALYSIS_SOURCE_H

#include "base/base.h"

#define WORDS_MAX 384u          /* of the statements at a line */
#define ACCESSES_MAX 64u
#define NAMES_MAX 96u

/* ---- words.c ------------------------------------------------------------ */
enum word_kind { WORD_NAME = 1, WORD_NUMBER, WORD_TEXT, WORD_OP };
struct word {
	uint8_t kind;
	uint16_t n;
	uint32_t line;
	const char *at;         /* @n bytes of the source */
};
struct words {
	struct word list[WORDS_MAX];
	size_t n;
};
/**
 * The words of all statements that have a part on @line, with ";", "{" or "}"
 * behind each; ERR_LIMIT where there are too many, ERR_FAILED where directives
 * stand among them, or where none begins at @column of the line, from 1 on: it
 * is not the text that was compiled. Column 0 is not known. Borrows @text.
 */
struct err *words_at(struct span text, uint32_t line, uint32_t column,
		     struct words *out) _must_check_;
bool word_is(const struct word *w, const char *text);

/* ---- accesses.c --------------------------------------------------------- */
enum access_use {
	USE_READ = 1, USE_WRITE = 2,
	USE_CALL = 4,           /* it is what is called */
	USE_METHOD = 8,         /* the object whose method may be called */
	USE_REFERENCE = 16,     /* read, if it is a reference */
};
/** An expression that has a place, which is used. */
struct access {
	const char *text;
	const char *pointer;    /* what leads to it: of "p->x" "p"; or NULL */
	const char *whole;      /* as it stands there: "p->f()" of "*p" */
	uint8_t use;            /* set of enum access_use */
	bool arrow;             /* @pointer has to be one, or an array */
};
/** A name that means something, or else nobody knows what the line does. */
struct access_name {
	const char *text;
	bool called;            /* "(" follows */
	bool declared;          /* it looks like one that is declared here */
};
struct accesses {
	struct access list[ACCESSES_MAX];
	size_t n;
	struct access_name names[NAMES_MAX];
	size_t n_names;
	const char *lost;       /* what was not understood; NULL = nothing */
};
struct access_types {
	/** Is @name one of a type? */
	bool (*is_type)(void *arg, const char *name);
	void *arg;
};
/** Texts are in @a. ERR_LIMIT where there are too many of them. */
struct err *accesses_of(const struct words *w, const struct access_types *t,
			struct arena *a, struct accesses *out) _must_check_;

#endif
