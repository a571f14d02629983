/* SPDX-License-Identifier: Apache-2.0 */
/*
 * values: variables, their types and values, as a debugger of the source
 * language shows them; and expressions over them.
 *
 * A struct values stands over one engine (inspect) and the symbol indexes of
 * its modules (symbols). What it hands out lives in the arena that the caller
 * gives, and as long as the struct values; names are borrowed from the indexes.
 * Nothing is called in the target and nothing is written to it.
 *
 * A value has one of five states, and they are never confused: its bytes are
 * known; the compiler kept it nowhere at this pc, or in a register that this
 * frame does not know; its address is not mapped; it is mapped, but was not
 * captured; or what describes it makes no sense. All but the first say why.
 *
 * Records and memory are hostile: depth, length and number of steps are
 * bounded everywhere. Not thread-safe: one engine, one thread.
 */
#ifndef VALUES_VALUES_H
#define VALUES_VALUES_H

#include "inspect/inspect.h"
#include "symbols/symbols.h"

struct values;
struct value;
/** Where indexes come from: borrowed, as long as the struct values lives. */
struct values_indexes {
	/** NULL: the module has none, and none of its names is known. */
	struct symidx *(*index)(void *arg, size_t module);
	void *arg;
};
/** Borrows @i and what @from gives; NULL: those that @i has from supply. */
struct err *values_new(struct insp *i, const struct values_indexes *from,
		       struct values **out) _must_check_;
void values_free(struct values *vs), values_freep(struct values **vs);
#define _values_ _cleanup_(values_freep)

/* ---- scopes: the frames of a stack, as a debugger counts them ------------ */
/**
 * A function's own frame, or one of a function that was inlined into it. The
 * frames that stand at one pc are told innermost first; only the last of them
 * is the function that has the pc. Before them those that it called and that
 * called on by a jump: they left no frame.
 */
struct scope {
	size_t frame;           /* of the struct stack */
	size_t module;          /* or INSP_NONE */
	uint64_t pc;            /* that names are looked up with */
	bool inlined, tail;
	uint16_t language;      /* DW_LANG_*, 0 = unknown */
	const char *function;   /* "ns::cls::f", or NULL: no index knows it */
	const char *file;       /* where this frame is: of an outer one where */
	uint32_t line, column;  /* the inner one was called; NULL, 0, 0 */
};
struct scopes {
	const struct scope *const *list;
	size_t n;               /* at least 1 */
};
/** Those of frame @frame of @s, which is a stack of @thread. Borrows @s. */
struct err *values_scopes(struct values *vs, size_t thread,
			  const struct stack *s, size_t frame,
			  struct arena *a, struct scopes *out) _must_check_;

/**
 * The scope of each frame of @v, a view of @thread, one each; NULL where none
 * is known: for a view that was stored, say. @max frames are unwound.
 */
struct err *values_along(struct values *vs, size_t thread,
			 const struct view *v, size_t max, struct arena *a,
			 const struct scope *const **out) _must_check_;

enum var_kind {
	VAR_ARGUMENT = 1, VAR_LOCAL,
	VAR_STATIC,             /* of a function */
	VAR_FILE,               /* of a file, not seen outside of it */
	VAR_GLOBAL,
};
enum var_flags {
	VAR_SHADOWED = 1,       /* one further in has the same name */
	VAR_ARTIFICIAL = 2,     /* made by the compiler: "this", bounds */
	VAR_THREAD_LOCAL = 4,
	VAR_ENTRY = 8,          /* value of an argument when it was called:
				   @name ends in "@entry" */
	VAR_CONSTANT = 16,      /* gdb lists these two kinds in "info locals" */
	VAR_NOWHERE = 32,       /* and not in -stack-list-variables */
};
struct var {
	const char *name, *prefix;      /* prefix NULL = none */
	const char *file;               /* declared there, or NULL */
	uint32_t line;
	uint8_t kind;                   /* enum var_kind */
	uint8_t flags;                  /* enum var_flags */
	const struct var_ref *ref;
};
/**
 * Arguments and locals of one frame at its pc, in the order in which gdb lists
 * them: innermost block first. Without those of functions around it.
 */
struct err *scope_vars(const struct scope *s, struct arena *a,
		       const struct var **out, size_t *n) _must_check_;
/** Statics and globals of the file that the scope's function stands in. */
struct err *scope_file_vars(const struct scope *s, struct arena *a,
			    const struct var **out, size_t *n) _must_check_;
/** All variables outside of functions of one module, at most @max. */
struct err *values_module_vars(struct values *vs, size_t module, size_t max,
			       struct arena *a, const struct var **out,
			       size_t *n) _must_check_;

/** Where a symbol table has a variable. */
struct global_place {
	const char *name;               /* "ns::x" */
	uint64_t address;
	size_t module;
	bool is_thread;                 /* it is that of @thread */
	size_t thread;
};
/** The variable outside of functions that is there. ERR_NOTFOUND. */
struct err *values_global(struct values *vs, const struct global_place *place,
			  struct arena *a, const struct var **out)
	_must_check_;

/* ---- values -------------------------------------------------------------- */
struct type;
enum value_state {
	VALUE_KNOWN,
	VALUE_OPTIMISED_OUT,
	VALUE_UNMAPPED,
	VALUE_NOT_CAPTURED,
	VALUE_UNKNOWN,          /* cannot be told from these records */
};
/** What cannot be known is a value too: errors are of memory and limits. */
struct err *var_value(const struct var *v, struct arena *a,
		      const struct value **out) _must_check_;

/** One clause in *@why, unless known. A large value is known by its start. */
enum value_state value_state(const struct value *v, const char **why);
/**
 * A guess at what is optimised out because this frame has lost a register to a
 * call: what it would be, had the call left that as it was. NULL: none.
 */
struct err *value_perhaps(const struct value *v, struct arena *a,
			  const struct value **out) _must_check_;
const struct type *value_type(const struct value *v);
/** False: it is in no memory (a register, pieces, a constant). */
bool value_address(const struct value *v, uint64_t *out);
/** Bytes of it; an array's too, UINT64_MAX where that is more. */
uint64_t value_size(const struct value *v);
/** [off, off+n) of its bytes. Errors as space_read(); ERR_NOTFOUND where it is
 * optimised out. */
struct err *value_read(const struct value *v, uint64_t off, size_t n,
		       void *out) _must_check_;
/** An integer, enumerator, character, bool or pointer; else ERR_FAILED. */
struct err *value_u64(const struct value *v, uint64_t *out) _must_check_;

/* How a value is shown. Zeroed: nothing beyond the first level. */
struct value_style {
	char format;            /* 0, or one of gdb's: x d u o t c a f s z */
	bool raw;               /* no printers */
	bool object;            /* the dynamic type of what has a vtable */
	bool typed;             /* "(int *) 0x…", as gdb's print does */
	uint32_t elements;      /* of arrays, characters of strings */
	uint32_t repeats;       /* equal ones in a row that become one */
	uint32_t depth;         /* of structures within structures */
	uint32_t length;        /* bytes of text at most */
};
/** gdb's settings: 200 elements, 10 repeats, depth 20; 64 KiB of text. */
extern const struct value_style VALUE_STYLE;
/** One line, as gdb's "info locals" has it behind the "=". Escaped: foreign
 * bytes cannot control a terminal. */
struct err *value_text(const struct value *v, const struct value_style *style,
		       struct buf *out) _must_check_;
/** The same without what is inside: a scalar, a string, "{...}". */
struct err *value_summary(const struct value *v,
			  const struct value_style *style,
			  struct buf *out) _must_check_;

/* ---- what is inside ------------------------------------------------------ */
enum child_kind {
	CHILD_MEMBER = 1, CHILD_BASE, CHILD_STATIC, CHILD_ELEMENT,
	CHILD_TARGET,           /* what a pointer or reference leads to */
	CHILD_KEY, CHILD_MAPPED /* of a map, by turns */,
};
struct child {
	const char *name;       /* "member", "Base", "[7]", "*p" */
	uint8_t kind;
	const struct value *value;
};
struct children {
	const struct child *list;
	size_t n;
};
/** How many: 0 = a leaf. Of a list with no count, as many as were found. */
struct value_inside {
	uint64_t n;
	bool indexed;           /* an array, or a container's elements */
	bool printed;           /* they are what a printer makes… */
	bool pairs;             /* …of a map: keys, and what they lead to */
};
struct err *value_look_inside(const struct value *v,
			      const struct value_style *style,
			      struct value_inside *out) _must_check_;
struct err *value_n_children(const struct value *v,
			     const struct value_style *style, uint64_t *out)
	_must_check_;
/** [offset, offset+count) of them, fewer at the end. */
struct err *value_children(const struct value *v,
			   const struct value_style *style, uint64_t offset,
			   size_t count, struct arena *a,
			   struct children *out) _must_check_;
/** As the type that its vtable names, whole; itself if there is none. */
struct err *value_dynamic(const struct value *v, struct arena *a,
			  const struct value **out) _must_check_;

/* ---- types --------------------------------------------------------------- */
/** As gdb writes it: "const char *", "int (*)(int, char)", "int [3][4]". */
struct err *type_name(const struct type *t, struct buf *out) _must_check_;
/** enum sym_type_kind; 0 is void. Not of what a typedef stands for. */
uint8_t type_kind(const struct type *t);
uint64_t type_size(const struct type *t);       /* bytes; 0 = not told */
/** Typedefs, const and volatile taken off; declared-only types completed. */
const struct type *type_plain(const struct type *t);
/** Pointed to, element, aliased, returned; NULL is void. */
const struct type *type_target(const struct type *t);

/* ---- expressions --------------------------------------------------------- */
/**
 * A subset of C and C++ as gdb reads it: names (a::b, 'file.c'::name,
 * function::static, $register), . -> [] * & casts, sizeof, arithmetic,
 * comparisons, logic, ?:, literals, array@count. Calls and assignments are
 * refused. "/x EXPR" sets @style->format. @s NULL: only what is global.
 * ERR_USAGE says at which column the text is off; ERR_NOTFOUND: no such name.
 * The numbers of steps, of nested parentheses and of bytes are bounded.
 */
struct err *values_eval(struct values *vs, const struct scope *s,
			const char *text, struct value_style *style,
			struct arena *a, const struct value **out)
	_must_check_;

/* ---- printers ------------------------------------------------------------ */
enum display_hint { DISPLAY_MEMBERS, DISPLAY_ARRAY, DISPLAY_MAP };
/** What a printer makes of a value; zeroed is nothing at all. */
struct display {
	const char *summary;            /* before the children, or alone */
	const struct value *text;       /* shown in its place, as a string… */
	uint64_t text_length;           /* …of so many characters */
	const struct value *instead;    /* or just shown in its place */
	uint8_t hint;                   /* enum display_hint */
	uint64_t n_children;
	void *state;                    /* of the printer, in the arena */
};
struct printer {
	const char *type;       /* "std::vector": without inline namespaces
				   (__1, __cxx11) and template arguments */
	/** ERR_FAILED: not for this one, which is shown as it is. */
	struct err *(*display)(const struct value *v, struct arena *a,
			       struct display *out);
	struct err *(*child)(const struct value *v, const struct display *d,
			     uint64_t n, struct arena *a, struct child *out);
};
/** Asked before the built-in tables; NULL: not one of its. */
typedef const struct printer *values_printer_fn(void *arg, const char *type,
						const struct value *v);
void values_set_printers(struct values *vs, values_printer_fn *find,
			 void *arg);
/** A member by its name ("a.b.c", bases are looked into and pointers followed),
 * for printers. */
struct err *value_member(const struct value *v, const char *path,
			 struct arena *a, const struct value **out)
	_must_check_;
/** What a pointer or reference leads to; the @index-th from there. */
struct err *value_target(const struct value *v, int64_t index,
			 struct arena *a, const struct value **out)
	_must_check_;
/** Bytes at an address as a value of @t. */
struct err *values_at(struct values *vs, const struct type *t, uint64_t addr,
		      struct arena *a, const struct value **out) _must_check_;
/** Template argument @n of a class type; NULL: it has none, or is a number. */
const struct type *type_argument(const struct type *t, size_t n);

#endif
