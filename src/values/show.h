/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How values become text, among the files that do it. The forms are those of
 * gdb, whose users read them every day.
 */
#ifndef VALUES_SHOW_H
#define VALUES_SHOW_H

#include "values/impl.h"

/* ---- chars.c ------------------------------------------------------------- */
/** Characters of one width: 1 (UTF-8), 2 or 4 bytes. */
struct chars {
	const uint8_t *data;
	size_t n;               /* of characters */
	unsigned width;
	const char *prefix;     /* "", "L", "u", "U" */
	bool more;              /* they were cut short */
	char quote;             /* of strings; 0 is " */
	bool keeps_null;        /* a final NUL is a character too */
};
void chars_put_string(struct buf *out, const struct chars *c,
		      const struct value_style *style);
/** 'x', with its prefix. */
void chars_put_one(struct buf *out, uint32_t code, unsigned width,
		   const char *prefix);
/** "L", "u", "U" or "", by the name of the type. */
const char *chars_prefix(const struct type *t);
/** The string at @addr up to a NUL: "text", or why it cannot be read. */
void chars_put_pointed(struct buf *out, struct values *vs,
		       const struct type *t, uint64_t addr,
		       const struct value_style *style);
/** @n characters at @addr. */
void chars_put_counted(struct buf *out, const struct value *first, uint64_t n,
		       const struct value_style *style);

/* ---- scalar.c ------------------------------------------------------------ */
/** A number, pointer, enumerator…: all that has no parts. */
void scalar_put(struct buf *out, const struct value *v,
		const struct value_style *style);
/** "0x1234 <name+4>"; the name only where a symbol covers it. */
void scalar_put_address(struct buf *out, struct values *vs, uint64_t addr);
bool scalar_put_symbol(struct buf *out, struct values *vs, uint64_t addr);
void scalar_put_wide(struct buf *out, unsigned __int128 v, bool is_signed);
/** "<optimized out>" and its kind. */
void scalar_put_absence(struct buf *out, enum value_state state,
			const char *why);
/** gdb's words for an address that is not mapped. */
void scalar_put_unmapped(struct buf *out, uint64_t addr);
void scalar_put_error(struct buf *out, const struct value *v,
		      const struct err *err);

/* ---- float.c ------------------------------------------------------------- */
/** @size bytes of a floating point number, with gdb's digits. */
void float_put(struct buf *out, const void *bytes, uint64_t size, bool quad);
/** Of a decimal one, coefficient as a binary number (BID). */
bool float_put_decimal(struct buf *out, const void *bytes, uint64_t size);

/* ---- cxx.c --------------------------------------------------------------- */
/** &A::x, &virtual A::f(), (void (A::*)(…)) 0x… <A::f()>. */
void cxx_put_member_pointer(struct buf *out, const struct value *v);
/** Has it virtual functions or virtual bases? */
bool cxx_is_polymorphic(const struct type *t);
/** Is member @m the pointer to the table of virtual functions? */
bool cxx_is_vptr(const struct type *t, const struct sym_member *m);

/* ---- show.c -------------------------------------------------------------- */
struct shower {
	struct buf *out;
	const struct value_style *style;
	struct arena *arena;    /* for what is shown in passing */
	unsigned depth;
	bool summary;           /* "{...}" for what is inside */
	const char *between;    /* elements of an array; NULL is ", " */
	bool deref;             /* follow a reference that is inside */
	unsigned instead;       /* values that stand for others, around it */
};
void show_value(struct shower *s, const struct value *v);
/** Elements one after the other, equal ones told once. @get yields them. */
typedef struct err *show_get_fn(void *arg, uint64_t n,
				const struct value **out);
void show_elements(struct shower *s, uint64_t count, show_get_fn *get,
		   void *arg);
/** Those of @array, which has @count. */
void show_elements_of(struct shower *s, const struct value *array,
		      uint64_t count);
/** Has what is to be shown reached its limit? */
bool show_is_full(const struct shower *s);

/* ---- display.c ----------------------------------------------------------- */
/** The printer for a value, if there is one and it takes it. */
const struct printer *display_of(const struct value *v,
				 const struct value_style *style,
				 struct arena *a, struct display *out);
void display_put(struct shower *s, const struct value *v,
		 const struct printer *p, const struct display *d);

/* ---- rust.c, fortran.c, go.c --------------------------------------------- */
/** True: shown as its language does. */
bool rust_put(struct shower *s, const struct value *v);
bool fortran_put(struct shower *s, const struct value *v);
bool go_put(struct shower *s, const struct value *v);
/** Members that are there: of the variant that the value is. */
bool rust_is_there(const struct value *v, const struct sym_member *m);

#endif
