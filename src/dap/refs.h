/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files about variables share: references, what they contain, and the
 * rows that are told of it.
 */
#ifndef DAP_REFS_H
#define DAP_REFS_H

#include "dap/impl.h"
#include "values/shown.h"

/* ---- refs.c: the table ------------------------------------------------------ */
enum scope_kind { SCOPE_ARGUMENTS, SCOPE_LOCALS, SCOPE_REGISTERS,
		  SCOPE_GLOBALS, SCOPE_THREAD_LOCALS, SCOPES };
enum ref_kind {
	REF_SCOPE = 1,          /* @nth: enum scope_kind; in no table */
	REF_VALUE,
	REF_MORE,               /* the rest of what @parent contains */
	REF_REGISTERS,          /* @nth: which group of them */
	REF_MODULE,             /* @nth: whose variables outside of functions */
	REF_ASKED,              /* variables that were asked for by name */
	REF_NOTE,               /* note @nth, as one row… */
	REF_NOTED,              /* …and what it refers to */
};
#define REF_PARENT_NONE 0       /* what "evaluate" made without a frame */
/** One is known by @parent, @nth and @kind, and by @expr where @parent is no
 * reference. What it points to lives as long as the table has it. */
struct ref {
	int32_t id;
	int32_t parent;         /* another one; -ID of a frame: of "evaluate" */
	uint64_t nth;
	uint8_t kind;           /* enum ref_kind */
	bool raw;               /* without printers */
	bool is_outer;          /* @expr is for what is inside alone */
	bool is_base;           /* of the object that it is a part of */
	char format;            /* of its value, as in struct value_style */
	bool has_place;         /* @at is one */
	struct place at;
	const struct value *value;
	const char *expr;       /* that yields it, or NULL */
};
/** ERR_NOTFOUND for an id that was never given, or is not kept any more. */
struct err *refs_find(struct dap *d, int64_t id, struct ref *out)
	_must_check_;
/** Copies @like; the same one has the same id. 0: no id is left. */
struct err *refs_add(struct dap *d, const struct ref *like, int32_t *id)
	_must_check_;
/** Between requests: the oldest go where there are too many. */
void refs_turn(struct dap *d);
int32_t refs_scope_id(const struct dap *d, struct place at,
		      enum scope_kind kind);

/* ---- inside.c: what a reference contains ------------------------------------ */
/** One of the things that are inside. */
struct item {
	const char *name;
	uint64_t nth;
	const struct value *value;      /* or what follows, or text alone */
	const struct var *var;          /* @value is made when it is told */
	const struct snap_variable *stored;
	uint32_t line;                  /* of one that may share its name; 0 */
	const char *text;
	uint64_t address;               /* of memory, beside @text; 0 = none */
	uint8_t opens;                  /* enum ref_kind, 0 = @value's */
	uint8_t child;                  /* enum child_kind, 0 = none */
	char format;                    /* of @value, where none was asked for */
	const char *lost;               /* told of @value where it is known to
					   be none; NULL = by its state */
	bool can_be_written;            /* though @value has no place */
	bool per_thread;                /* @var: as the scope's thread has it */
	const char *expr;               /* NULL: none is known */
	bool expr_is_outer;             /* it is for what is inside alone */
	bool expr_is_doubtful;          /* another one may hide it */
	const char *told_expr;          /* that a client is told of, or NULL */
};
struct container {
	struct dap *d;
	struct arena *arena;            /* of the request */
	struct ref ref;                 /* without REF_MORE */
	uint64_t offset;                /* …which had this one */
	struct value_style style;
	const struct value *inner;      /* whose children it has, or NULL */
	const char *before, *cast;      /* a child's name: "p->", or NULL;
					   as the class that it is: "((T *)p)->"
					   or NULL */
	bool doubtful;                  /* @before may lead elsewhere */
	struct item *items;             /* all of them, or NULL: by pages */
	struct {
		const struct type *type;        /* whose name is @name */
		const char *name;
		const struct type *readable, *unreadable;       /* from that */
	} told;                         /* last */
	uint64_t n;
	bool indexed;
	bool pairs;                     /* of children of @inner, of a map */
};
/** @c->d, @c->arena and @c->style are set: what @id stands for. */
struct err *container_open(struct container *c, int64_t id) _must_check_;
/** [start, start+count) of what is behind @offset, fewer at the end. */
struct err *container_page(struct container *c, uint64_t start, size_t count,
			   const struct item **out, size_t *n) _must_check_;
/** By its name, within bounds; ERR_NOTFOUND. */
struct err *container_find(struct container *c, const char *name,
			   const struct item **out) _must_check_;
/** What is inside of a value: that of a pointer to a structure is the inside of
 * the structure. */
struct opened {
	const struct value *inner;      /* NULL: nothing */
	struct value_inside in;
	bool through;                   /* a pointer, or a reference */
	bool cast;                      /* it is of a class derived from that
					   which is said */
};
/** Structures and unions, too. */
bool inside_is_class(const struct type *t);
struct err *inside_open(const struct value *v, const struct value_style *style,
			struct arena *a, struct opened *out) _must_check_;

/** The scope to evaluate in, or NULL. */
const struct scope *container_scope(const struct container *c);

/* ---- express.c: expressions of what is inside ---------------------------------- */
struct err *express_container(struct container *c, const struct opened *o)
	_must_check_;
struct err *express_item(const struct container *c, const struct child *child,
			 struct item *out) _must_check_;
/** The one that a client is told of; @item has its value. */
struct err *express_settle(struct container *c, struct item *item)
	_must_check_;

/* ---- scopes.c: what scopes contain; what is no value -------------------------- */
/** All of @c->ref's items, into @c. */
struct err *scopes_list(struct container *c) _must_check_;
/** A Scope of a frame. */
struct json *scopes_object(const struct dap *d, struct place at,
			   enum scope_kind kind);
/** Room for @n items more, and how to add one: @c->n counts them. */
struct err *items_reserve(struct container *c, size_t n) _must_check_;
struct item *items_add(struct container *c);
/** Those of @vars that are @wanted. */
typedef bool var_wanted_fn(const struct container *c, const struct var *v);
struct err *items_of_vars(struct container *c, const struct var *vars,
			  size_t n, var_wanted_fn *wanted) _must_check_;
/** registers.c, globals.c: one function for each that they know. */
struct err *registers_list_groups(struct container *c) _must_check_;
struct err *registers_list(struct container *c) _must_check_;
/** "$rax" alone is that register; INSP_NONE: none is meant. */
size_t registers_named(const struct dap *d, const char *text);
/** What is told of one that is not known in a frame of unwinding. */
const char *registers_lost(size_t frame);
struct err *globals_list(struct container *c) _must_check_;
struct err *globals_list_per_thread(struct container *c) _must_check_;
struct err *globals_list_module(struct container *c) _must_check_;
struct err *globals_list_asked(struct container *c) _must_check_;
/** noted.c */
struct err *noted_list(struct container *c) _must_check_;
struct err *noted_list_inside(struct container *c) _must_check_;

/* ---- evaluate.c ---------------------------------------------------------------- */
/** Where an expression is evaluated. */
struct evaluation {
	int32_t parent;                 /* of the reference to what it yields */
	struct place at;
	bool has_place;
	const struct scope *scope;      /* NULL: what is global alone */
};
/** By the "frameId" in @arguments. */
struct err *evaluate_where(struct dap *d, const struct json *arguments,
			   struct evaluation *out) _must_check_;

/** Without the "/x" that says how it is shown. */
const char *evaluate_without_format(const char *text);

/* ---- write.c ------------------------------------------------------------------- */
/** What is told once the response is sent. */
void write_note(struct dap *d, uint64_t addr, uint64_t n);

/* ---- row.c: a Variable ------------------------------------------------------- */
/** Of which object a row is told. */
enum row_of { ROW_VARIABLE, ROW_RESULT /* of "evaluate" */,
	      ROW_WRITTEN /* of "setVariable" */ };
struct row {
	struct container *c;    /* whose item it is, or that has its place */
	const struct item *item;
	enum row_of of;
	uint32_t length;        /* of the text of a value at most… */
	bool tells_cut;         /* …which says so in words */
	bool tells_target;      /* where a pointer leads, in words */
};
/** Appends the object to @out. */
struct err *row_put(struct buf *out, const struct row *r) _must_check_;

#endif
