/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of values share among themselves and nobody else sees.
 */
#ifndef VALUES_IMPL_H
#define VALUES_IMPL_H

#include "inspect/tail.h"
#include "values/dw.h"
#include "values/loc.h"
#include "values/values.h"

#define TYPE_DEPTH_MAX 64u      /* typedefs of typedefs, pointers to pointers */
#define MEMBER_DEPTH_MAX 32u    /* bases of bases, members of members */
#define DIMENSIONS_MAX 16u
#define ENTRY_DEPTH_MAX 8u      /* variables that lead to variables */
#define DISPLAYS_MAX 16u        /* printers that ask printers */
#define VISITS_MAX 16384u       /* classes looked through for one question */

/* ---- values.c: the modules ----------------------------------------------- */
struct module {
	struct symidx *ix;      /* NULL: none */
	bool asked;
	uint64_t bias, link_map;
	struct type **types;    /* hashed by reference; a power of two */
	size_t n_types, n_slots;
};
struct values {
	struct insp *insp;
	struct space *space;
	struct values_indexes from;
	struct arena *arena;
	struct module *modules;
	size_t n_modules;
	values_printer_fn *printer;
	void *printer_arg;
	unsigned displays;      /* printers that are at work now */
	struct vec basics;      /* of struct type *: types made here, by name */
	struct made *made;      /* others, hashed; a power of two slots */
	size_t n_made, n_made_slots;
	struct names {
		const char **slots;     /* hashed; a power of two */
		size_t n, n_slots;
	} names;                /* that were put together */
};
/** NULL for INSP_NONE and where there is no index. */
struct module *values_module(struct values *vs, size_t module);
struct symidx *values_index(struct values *vs, size_t module);
/** "a::b", or just @name; in the arena of @vs where it is put together: names
 * of indexes, of which there is an end. made.c */
const char *values_qualified(struct values *vs, const char *prefix,
			     const char *name);
enum lang { LANG_IS_C, LANG_IS_CXX, LANG_IS_RUST, LANG_IS_FORTRAN,
	    LANG_IS_GO };
enum lang lang_of(uint16_t language);

/* ---- type.c -------------------------------------------------------------- */
struct type {
	struct values *vs;
	size_t module;          /* or INSP_NONE: made here */
	uint32_t ref;           /* or SYM_NONE */
	const struct sym_type *sym;
	const struct type *target;      /* made types have it from the start */
	const struct type *plain;       /* once asked for */
	uint64_t size;          /* of made types, else sym's */
	uint32_t first;         /* ARRAY: so many dimensions are gone */
	uint8_t lang;           /* enum lang of its unit */
	bool target_known;
	bool declared_only;     /* and no complete one was found */
	bool is_flags;          /* ENUM: single bits, gdb's "flag enum" */
	bool flags_known;
};
/** NULL is void. */
struct err *type_by_ref(struct values *vs, size_t module, uint32_t ref,
			const struct type **out) _must_check_;
/** A string of the index that the type is from. */
const char *type_string(const struct type *t, uint32_t string);
struct symidx *type_index(const struct type *t);
/** Another type of the same index; void where it makes no sense. */
const struct type *type_beside(const struct type *t, uint32_t ref);
/* made.c */
/** Why one of these is NULL. */
struct err *types_spent(const struct values *vs) _must_check_;
/** Pointer to, array of @n; NULL without memory. The same one each time. */
const struct type *type_pointer_to(struct values *vs, const struct type *t);
const struct type *type_array_of(struct values *vs, const struct type *t,
				 uint64_t n);
/** The name of one that was made here; NULL: it has none. */
const char *type_basic_name(const struct type *t);
/** void (), of which nothing is known. */
const struct type *type_function(struct values *vs);
/** That of the function whose body is @reference of a module's index. */
struct err *type_of_body(struct values *vs, size_t module, uint32_t reference,
			 const struct sym_body *b, const struct type **out)
	_must_check_;
/** A base type made here: of that name, DW_ATE encoding and size. */
const struct type *type_basic(struct values *vs, const char *name,
			      uint8_t encoding, uint64_t size);
/** The same array without its first dimension: what one element is. */
const struct type *type_element(const struct type *t);
bool type_is_class(const struct type *plain);           /* struct, union too */
bool type_is_unit(const struct type *plain);
bool type_is_integral(const struct type *plain);        /* enum, bool, char */
bool type_is_float(const struct type *plain);
bool type_is_signed(const struct type *plain);
bool type_is_pointer(const struct type *plain);         /* not a reference */
bool type_is_reference(const struct type *plain);
/** gdb's idea of what is shown as characters. */
bool type_is_text(const struct type *t);
/** Typedefs off, but not const and volatile; for names of characters. */
const struct type *type_unaliased(const struct type *t);
/** The name without what is around it, or NULL. */
const char *type_plain_name(const struct type *t);
const char *type_qualified(const struct type *t);
/** A complete type by its qualified name; NULL if there is none. The module
 * @near is asked first. */
const struct type *type_named(struct values *vs, size_t near,
			      const char *name);
/** "int", "std::string *" as a type; NULL: there is none. */
const struct type *type_by_text(struct values *vs, size_t near,
				const char *text);
uint64_t type_count(const struct type *t);      /* elements, if constant */
/** A type's name with "unsigned long" for "long unsigned int"; escaped. */
void type_put_words(struct buf *out, const char *name);
/** A base's name, not that of a typedef for it. NULL: none, or no memory. */
const char *type_base_name(const struct type *t, struct arena *a);

/* ---- scope.c and frame.c ------------------------------------------------- */
/** Behind each struct scope. The registers of one whose frame is gone are
 * those of the frame that it was called from. */
struct context {
	struct scope scope;     /* first: one is the other */
	struct values *vs;
	struct arena *arena;
	size_t thread;
	const struct stack *stack;
	struct symidx *ix;
	const struct tail_calls *tails; /* NULL, or its frame is gone: it is… */
	size_t tail;                    /* …this one of them */
	uint64_t bias, pc;      /* @pc: of the file, to look up with */
	uint64_t ret;           /* of the process: what is called returns to */
	uint64_t entry_pc;      /* of the function, of the file; 0 = unknown */
	const struct sym_body *body;    /* NULL: not known */
	uint32_t block;         /* its function or inlined block */
	uint32_t inner;         /* innermost block at pc that belongs to it */
	const struct context *caller;   /* once asked for */
	bool alone;             /* asked for, and nobody knows it */
	unsigned depth;         /* of entry values of entry values */
	bool held;              /* registers that calls may have changed are
				   taken for unchanged: a guess */
};
/** Evaluate in a frame; @c may be NULL, then only what needs no frame. */
struct frame_eval {
	struct values *vs;
	const struct context *c;
	size_t module;
	bool is_thread;         /* TLS of @thread can be told */
	size_t thread;
};
/** The place that a list of locations tells for the frame's pc. */
struct err *frame_locate(const struct frame_eval *f,
			 const struct sym_location *locations, size_t n,
			 struct arena *a, struct loc *out) _must_check_;
struct err *frame_number(const struct frame_eval *f, struct span expr,
			 const uint64_t *object, struct cell *out)
	_must_check_;
/** The address that @expr makes of the one of an object (2.5, with it on the
 * stack at the begin): where a member or a base is. */
struct err *frame_member(const struct frame_eval *f, struct span expr,
			 uint64_t object, struct cell *out) _must_check_;
/** @n low bytes of a register, by DWARF number, in a frame. */
struct err *frame_reg(const struct context *c, uint64_t number, size_t n,
		      void *out) _must_check_;
/** Where @offset is in the module's thread-local storage. */
struct err *frame_tls(const struct frame_eval *f, uint64_t offset,
		      uint64_t *out) _must_check_;
/** What @expr was at the entry of the frame's function. */
struct err *frame_entry_value(const struct context *c, struct span expr,
			      struct cell *out) _must_check_;
/** The context of the caller's own frame; NULL: there is none. */
const struct context *context_caller(const struct context *c);
/** A variable of a context by its place in the body. */
struct err *context_variable(const struct context *c, uint64_t nth,
			     struct arena *a, const struct value **out)
	_must_check_;
/** By name, innermost block first; ERR_NOTFOUND. */
struct err *context_find(const struct context *c, const char *name,
			 struct arena *a, const struct value **out)
	_must_check_;

/** What a struct var leads to. */
struct var_ref {
	struct values *vs;
	const struct context *c;        /* NULL: no frame */
	size_t module, thread;
	bool is_thread;
	const struct sym_variable *sym;
	bool at_entry;
};
struct err *var_ref_value(const struct var_ref *r, struct arena *a,
			  const struct value **out) _must_check_;

/* ---- value.c ------------------------------------------------------------- */
enum place { PLACE_MEMORY, PLACE_BYTES, PLACE_LOC, PLACE_NOWHERE };
/** Bounds of an array, once it is known where it stands; outermost first. */
struct shape {
	uint32_t n;
	struct dim {
		int64_t lower;
		uint64_t count;
		int64_t stride;         /* bytes; 0 = an element's size */
		bool open;              /* nobody knows the count */
	} dim[DIMENSIONS_MAX];
};
struct value {
	struct values *vs;
	const struct type *type;        /* NULL: void */
	const struct context *c;        /* frame it comes from, or NULL */
	const struct shape *shape;      /* arrays with bounds of their own */
	struct arena *arena;
	uint8_t place;
	uint8_t state;          /* PLACE_NOWHERE: why it is not known… */
	uint16_t bits;          /* bit-field: its width, else 0 */
	uint32_t bit_at;        /* …and where it begins, from its address */
	uint64_t address;       /* PLACE_MEMORY; PLACE_LOC: bytes into it */
	const uint8_t *bytes;   /* PLACE_BYTES; or a copy of memory */
	size_t n_bytes;
	const struct loc *loc;
	const char *why;        /* …in words */
	const struct var_ref *ref;      /* what has no place, or NULL */
};
struct value *value_alloc(struct values *vs, const struct type *t,
			  struct arena *a);
struct err *value_in_memory(struct values *vs, const struct type *t,
			    uint64_t addr, const struct context *c,
			    struct arena *a, const struct value **out)
	_must_check_;
/** Copies @bytes. */
struct err *value_of_bytes(struct values *vs, const struct type *t,
			   const void *bytes, size_t n, struct arena *a,
			   const struct value **out) _must_check_;
struct err *value_of_u64(struct values *vs, const struct type *t,
			 uint64_t number, struct arena *a,
			 const struct value **out) _must_check_;
/** Takes @err, whose kind says which state and whose text is why. */
struct err *value_nowhere(struct values *vs, const struct type *t,
			  struct err *err, struct arena *a,
			  const struct value **out) _must_check_;
struct err *value_of_loc(struct values *vs, const struct type *t,
			 const struct loc *loc, const struct context *c,
			 struct arena *a, const struct value **out)
	_must_check_;
/** The same bytes as another type. */
struct err *value_as(const struct value *v, const struct type *t,
		     struct arena *a, const struct value **out) _must_check_;
/** A part of @v, @offset bytes in, of type @t. */
struct err *value_part(const struct value *v, const struct type *t,
		       uint64_t offset, struct arena *a,
		       const struct value **out) _must_check_;
/** Member @n of a structure's plain type, static ones and bases too. */
struct err *value_nth_member(const struct value *v, size_t n, struct arena *a,
			     const struct value **out) _must_check_;
/** Element @index of an array, counted from 0. */
struct err *value_element(const struct value *v, uint64_t index,
			  struct arena *a, const struct value **out)
	_must_check_;
/** How many elements; false: not told. */
bool value_count(const struct value *v, uint64_t *out);
/** The lowest index of the first dimension. */
int64_t value_lower(const struct value *v);
/** Up to 16 bytes, sign- or zero-extended; bit-fields too. */
struct err *value_wide(const struct value *v, unsigned __int128 *out)
	_must_check_;
/** Which state an error of reading or locating stands for. */
enum value_state state_of(const struct err *err);
/** Optimised out, and there is nothing in it that could be lost. */
bool value_is_empty(const struct value *v);
/** A plain type's value; references are followed. */
struct err *value_plain(const struct value *v, struct arena *a,
			const struct value **out) _must_check_;
/** A pointer or reference to what has no address: the piece that says so. */
const struct loc_piece *value_synthetic(const struct value *v);
/** A variable outside of functions by its qualified name; ERR_NOTFOUND. */
struct err *value_global(struct values *vs, size_t near, const char *name,
			 const struct context *c, struct arena *a,
			 const struct value **out) _must_check_;
/**
 * The same of one that has a name for the linker, too, or NULL: where no index
 * has it, a symbol's address is the value's, of type @t.
 */
struct global_name {
	size_t near;            /* a module */
	const char *name, *linkage;
};
struct err *value_exported(struct values *vs, const struct global_name *g,
			   const struct type *t,
			   const struct context *c, struct arena *a,
			   const struct value **out) _must_check_;
/** Where the member begins, in an object that stands in memory. */
struct err *member_address(const struct value *v, const struct sym_member *m,
			   uint64_t *out) _must_check_;

/* ---- shape.c ------------------------------------------------------------- */
/** Find out bounds and place of an array that tells them at run time. */
struct err *value_settle(struct value *v) _must_check_;

#endif
