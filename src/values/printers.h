/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What printers of libraries' types share: ways to step through memory, names
 * of types without what nobody wrote.
 */
#ifndef VALUES_PRINTERS_H
#define VALUES_PRINTERS_H

#include "values/show.h"

#define NODES_MAX (1u << 20)    /* of lists and trees */

/* ---- printers.c ---------------------------------------------------------- */
/** A pointer or number at the end of a path of members. */
struct err *member_u64(const struct value *v, const char *path,
		       struct arena *a, uint64_t *out) _must_check_;
/** The type's name without its template arguments: "std::__cxx11::list". */
const char *template_name(const struct value *v, struct arena *a);
/** "std::optional<std::string>": as it is written in a program. */
const char *short_name(const struct type *t, struct arena *a);
/** The same of template argument @n; "?" if there is none. */
const char *argument_name(const struct value *v, size_t n, struct arena *a);
/** What an element needs its address to be a multiple of. */
uint64_t type_alignment(const struct type *t);
const char *child_index(struct arena *a, uint64_t n);

/** Elements that stand in a row. */
struct row {
	const struct type *element;
	uint64_t start, size;
};
struct err *row_display(const struct value *first, uint64_t count,
			const char *summary, struct arena *a,
			struct display *out) _must_check_;
struct err *row_child(const struct value *v, const struct display *d,
		      uint64_t n, struct arena *a, struct child *out)
	_must_check_;

/** Elements in pieces of equal size, to which a row of addresses leads. */
struct pieces {
	const struct type *element;
	uint64_t size, per_piece;
	uint64_t map;           /* the row of addresses */
	uint64_t before;        /* elements of the first piece not used */
};
struct err *pieces_child(const struct value *v, const struct display *d,
			 uint64_t n, struct arena *a, struct child *out)
	_must_check_;

/** Elements in nodes that lead to each other. */
struct nodes {
	struct err *(*next)(struct values *vs, uint64_t node, uint64_t *out);
	uint64_t first;
	uint64_t skip;          /* from a node to its element */
	const struct type *element;
	const struct type *mapped;      /* NULL: no map. Pairs, told apart */
	uint64_t key_size;      /* from the key to what it maps to */
	uint64_t at, index;     /* the node that was last reached */
	uint64_t mark;          /* the one at the last power of two */
};
/** A list: a node begins with the address of the next. */
struct err *nodes_follow(struct values *vs, uint64_t node, uint64_t *out)
	_must_check_;
/** How many nodes there are before @end or 0, at most NODES_MAX. */
uint64_t nodes_count(struct values *vs, const struct nodes *n, uint64_t end);
struct err *nodes_display(const struct nodes *n, uint64_t count,
			  const char *summary, struct arena *a,
			  struct display *out) _must_check_;
struct err *nodes_child(const struct value *v, const struct display *d,
			uint64_t n, struct arena *a, struct child *out)
	_must_check_;

/** One child with a name of its own. */
struct err *single_display(const struct value *v, const char *name,
			   const char *summary, struct arena *a,
			   struct display *out) _must_check_;
struct err *single_child(const struct value *v, const struct display *d,
			 uint64_t n, struct arena *a, struct child *out)
	_must_check_;
/** What a printer of @inside would show, behind words of one's own. */
struct err *wrapped_display(const struct value *inside, const char *before,
			    struct arena *a, struct display *out)
	_must_check_;
struct err *wrapped_child(const struct value *v, const struct display *d,
			  uint64_t n, struct arena *a, struct child *out)
	_must_check_;
/** Shown as another value, without words. */
struct err *text_display(const struct value *pointer, uint64_t length,
			 struct display *out) _must_check_;

/* ---- the tables ---------------------------------------------------------- */
extern const struct printer LIBSTDCXX_SEQUENCES[], LIBSTDCXX_MAPS[],
	LIBSTDCXX_OTHERS[], LIBCXX[];   /* type NULL ends */

#endif
