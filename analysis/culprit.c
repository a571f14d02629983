/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which expression of the source an access that failed is of. All that the
 * statements of the line use are evaluated in the frame; one of them has to be
 * where the access was, and of no other may it be unknown where it is. A
 * wrong name costs more than none: what is not certain is not said.
 */
#include "analysis/impl.h"
#include "analysis/source.h"
#include "inspect/bounds.h"
#include "inspect/indexed.h"

#include <elf.h>
#include <signal.h>
#include <string.h>

#define SOURCE_MAX (4u << 20)
#define SCRATCH_MAX ((size_t)64 << 20)
#define FRAMES_MAX 8u
#define PEELS_MAX 8u            /* arrays within arrays */
#define REGISTER_MAX 64u        /* bytes that one access has at most */
#define SHOWN_MAX 200u          /* bytes of an expression that is told */

struct culprit {
	struct insp *insp;
	struct values *values;
	struct arena *arena;            /* for this question only */
	struct stack stack;             /* which the scope borrows */
	const struct scope *scope;
	const struct var *vars;         /* of the scope */
	size_t n_vars;
	uint64_t address;
	uint16_t size;
	uint8_t use;                    /* USE_READ, USE_WRITE, both; or… */
	bool jump;                      /* …something was called */
	struct words words;
	struct accesses all;
	bool callee_known;              /* of the last call */
	bool followed;                  /* a pointer leads to what is held */
	bool vague;                     /* another one could be meant */
	const struct access *found;
	const struct type *found_type;
	uint64_t found_pointer;         /* where its pointer is; 0 = nowhere */
};

static const struct value *
evaluate(struct culprit *q, const char *text, enum err_kind *why)
{
	struct value_style style = VALUE_STYLE;
	const struct value *v = NULL;
	struct err *err = values_eval(q->values, q->scope, text, &style,
				      q->arena, &v);

	*why = err ? err_kind(err) : ERR_FAILED;
	if (!err)
		return v;
	err_free(err);
	/* There is an end of what one line may take. */
	q->vague |= *why == ERR_NOMEM;
	return NULL;
}

/* ---- names ------------------------------------------------------------------ */
static const struct var *
find_local(struct culprit *q, const char *name)
{
	for (size_t k = 0; k < q->n_vars; k++)
		if (strcmp(q->vars[k].name, name) == 0)
			return &q->vars[k];
	return NULL;
}

static bool
is_local(struct culprit *q, const char *name)
{
	return find_local(q, name);
}

/* Debug information has a variable from the start of its block on; the name is
 * that of another one until it is declared. */
static bool
is_declared_later(const struct culprit *q, const struct var *v)
{
	return v->line > q->scope->line && v->file && q->scope->file
	       && strcmp(v->file, q->scope->file) == 0;
}

static struct err *
note_one(void *arg, enum sym_what what, uint32_t reference)
{
	bool *found = arg;

	(void)what, (void)reference;
	*found = true;
	return NULL;
}

/** Does the scope's own module know one of @what by that name? Others are not
 * asked: their indexes would have to be made for every macro. */
static bool
is_indexed(struct culprit *q, const char *name, unsigned what)
{
	struct symidx *ix = insp_index(q->insp, q->scope->module);
	bool found = false;

	for (const char *at; (at = strstr(name, "::")); )
		name = at + 2;
	_err_ struct err *err = ix ? symidx_named(ix, name, what, note_one,
						  &found) : NULL;
	return found && !err;
}

static bool
is_type(void *arg, const char *name)
{
	struct culprit *q = arg;
	enum err_kind why;
	/* Of a variable this is no cast, and makes no sense. */
	const char *cast = arena_printf(q->arena, "(%s *)0", name);

	return cast && !is_local(q, name)
	       && is_indexed(q, name, SYM_A_TYPE) && evaluate(q, cast, &why);
}

/** Is it a member of this object, without saying so? */
static bool
is_own(struct culprit *q, const char *text)
{
	const char *name = arena_strndup(q->arena, text,
					 strcspn(text, ".[("));
	const char *member = name ? arena_printf(q->arena, "this->%s", name)
			     : NULL;
	enum err_kind why;

	return member && is_local(q, "this") && !is_local(q, name)
	       && evaluate(q, member, &why);
}

/* A name that no table has is a macro's, or something the compiler took apart:
 * what it does is not on the line. */
static bool
is_known(struct culprit *q, const struct access_name *name)
{
	uint64_t where;
	enum err_kind why;

	const struct var *local = find_local(q, name->text);
	if (local)
		return !is_declared_later(q, local) || name->declared;
	if (name->declared || (name->called && strstr(name->text, "::")))
		return true;
	if (is_type(q, name->text) || is_own(q, name->text))
		return true;
	/* A method of that name may be of any class. */
	if (is_indexed(q, name->text, SYM_A_FUNCTION | SYM_A_VARIABLE
					      | SYM_AN_ENUMERATOR)
	    && evaluate(q, name->text, &why))
		return true;
	_err_ struct err *none = insp_address_named(q->insp, name->text,
						    &where);
	return !none;
}

static bool
names_are_known(struct culprit *q)
{
	for (size_t k = 0; k < q->all.n_names; k++)
		if (!is_known(q, &q->all.names[k]))
			return false;
	return true;
}

/* ---- one of them -------------------------------------------------------------- */
/* What stands behind memory that is not there was not reached. */
static void
doubt(struct culprit *q, enum err_kind why)
{
	if (why != ERR_UNMAPPED)
		q->vague = true;
}

static bool
is_pointer(const struct type *t)
{
	return type_kind(type_plain(t)) == SYM_TYPE_POINTER;
}

static bool
is_reference(const struct type *t)
{
	uint8_t kind = type_kind(type_plain(t));

	return kind == SYM_TYPE_REFERENCE || kind == SYM_TYPE_RVALUE_REFERENCE;
}

/** Is what leads there what the language takes: no object with operators? */
static bool
leads_there(struct culprit *q, const struct access *a, uint64_t *where)
{
	enum err_kind why;

	*where = 0;
	q->followed = is_own(q, a->text);
	if (!a->pointer)
		return true;
	const struct value *v = evaluate(q, a->pointer, &why);
	if (!v) {
		doubt(q, why);
		return false;
	}
	if (!value_address(v, where))
		*where = 0;
	const struct type *t = value_type(v);
	q->followed |= a->arrow || is_reference(t);
	if (is_reference(t))
		t = type_target(type_plain(t));
	if (!a->arrow || is_pointer(t)
	    || type_kind(type_plain(t)) == SYM_TYPE_ARRAY)
		return true;
	q->vague = true;
	return false;
}

/** One that is held against the access. */
struct candidate {
	const struct access *access;
	const struct type *type;
	uint64_t where;         /* its pointer; 0 = in no memory */
};

/* One that is the same one more time, as "(*p).x" and "p->x" are. */
static bool
is_again(const struct culprit *q, const struct candidate *c)
{
	const char *text = c->access->text;

	if (strcmp(q->found->text, text) == 0)
		return true;
	return c->where && c->where == q->found_pointer
	       && c->type == q->found_type && c->access->pointer
	       && !strchr(text, '[') && !strchr(q->found->text, '[');
}

static void
find(struct culprit *q, const struct candidate *c)
{
	/* Of a variable that is said to be there nobody knows why. */
	if (!q->followed)
		q->vague = true;
	if (q->found && !is_again(q, c))
		q->vague = true;
	if (q->found)
		return;
	q->found = c->access;
	q->found_type = c->type;
	q->found_pointer = c->where;
}

/** [@at, @at+@n) is used: is it what the access was to? */
static void
hold(struct culprit *q, const struct candidate *c, uint64_t at, uint64_t n)
{
	if (at == q->address && q->size <= n)
		find(q, c);
	else if (at < q->address ? q->address - at < n
		 : at - q->address < q->size)
		q->vague = true;
}

/** Where a reference is kept it is read itself: that has no name. */
static const struct value *
follow_reference(struct culprit *q, const struct value *v)
{
	uint64_t at;

	if (value_address(v, &at) && at == q->address)
		q->vague = true;
	q->followed = true;
	struct err *err = value_target(v, 0, q->arena, &v);
	if (!err)
		return v;
	doubt(q, err_kind(err));
	err_free(err);
	return NULL;
}

/** A bit-field, whose bytes the compiler chooses, or nothing in memory. */
static void
hold_bits(struct culprit *q, const struct access *a)
{
	enum err_kind why;
	uint64_t to;
	const struct value *p = a->pointer ? evaluate(q, a->pointer, &why)
				: NULL;

	if (!p)
		return;
	const struct type *t = value_type(p);
	_err_ struct err *none = value_u64(p, &to);
	if (none && !value_address(p, &to))
		q->vague = true;
	else
		q->vague |= q->address - to + REGISTER_MAX
			    < type_size(type_plain(none ? t : type_target(
				      type_plain(t)))) + 2 * REGISTER_MAX;
}

static void
hold_value(struct culprit *q, const struct access *a, const struct value *v,
	   uint64_t where)
{
	uint64_t at;

	if (is_reference(value_type(v))) {
		v = follow_reference(q, v);
		if (!v || a->use == USE_REFERENCE)
			return;
	} else if (a->use == USE_REFERENCE) {
		return;
	}
	uint8_t kind = type_kind(type_plain(value_type(v)));
	if (kind == SYM_TYPE_ARRAY || kind == SYM_TYPE_FUNCTION)
		return;
	const struct candidate c = { a, value_type(v), where };
	if (!value_address(v, &at))
		hold_bits(q, a);
	else
		hold(q, &c, at, value_size(v));
}

/** The object of a call: it is read if the method is a virtual one. */
static void
hold_method(struct culprit *q, const struct access *a)
{
	uint64_t at, where;
	enum err_kind why;
	bool own = strcmp(a->text, "*this") == 0;

	if (own ? !is_local(q, "this") : q->callee_known)
		return;
	if (!leads_there(q, a, &where))
		return;
	const struct value *v = evaluate(q, a->text, &why);
	if (v && is_reference(value_type(v)))
		v = follow_reference(q, v);
	else if (!v)
		doubt(q, why);
	if (v && value_address(v, &at) && at == q->address && q->size == 8)
		find(q, &(struct candidate){ a, value_type(v), where });
}

static void
hold_access(struct culprit *q, const struct access *a)
{
	uint64_t where;
	enum err_kind why;

	if (a->use == USE_METHOD) {
		hold_method(q, a);
		return;
	}
	if (!a->pointer && a->text[0] != '(' && !is_local(q, a->text)
	    && !is_own(q, a->text))
		return;
	if (!leads_there(q, a, &where)) {
		q->callee_known = false;
		return;
	}
	const struct value *v = evaluate(q, a->text, &why);
	if (a->use & USE_CALL)
		q->callee_known = v;
	if (v && (a->use & q->use || a->use == USE_REFERENCE))
		hold_value(q, a, v, where);
	/* A method is no member that is in memory; names are known already. */
	else if (!v && !(a->use & USE_CALL && why == ERR_NOTFOUND)
		 && (a->pointer || a->text[0] == '('))
		doubt(q, why);
}

/* ---- what is called -------------------------------------------------------------- */
/** What a called expression leads to; false: to no function. */
static bool
called_address(struct culprit *q, const struct value *v, uint64_t *out)
{
	const struct type *t = value_type(v);

	if (is_reference(t)) {
		v = follow_reference(q, v);
		t = v ? value_type(v) : NULL;
	}
	if (!v)
		return false;
	if (type_kind(type_plain(t)) == SYM_TYPE_FUNCTION)
		return value_address(v, out);
	if (!is_pointer(t))
		return false;
	struct err *err = value_u64(v, out);
	if (!err)
		return true;
	doubt(q, err_kind(err));
	err_free(err);
	return false;
}

static void
hold_call(struct culprit *q, const struct access *a)
{
	uint64_t to, where;
	enum err_kind why;

	if (a->use == USE_METHOD)
		q->vague |= strcmp(a->text, "*this") != 0 && !q->callee_known;
	if (!(a->use & USE_CALL))
		return;
	const struct value *v = evaluate(q, a->text, &why);
	q->callee_known = v;
	if (!v && why != ERR_NOTFOUND)
		q->vague = true;
	q->followed = true;
	if (v && called_address(q, v, &to) && to == q->address)
		find(q, &(struct candidate){
			a, value_type(v), value_address(v, &where) ? where
						: 0 });
}

/** Was it a call through a pointer that led to the pc? */
static bool
came_by_pointer(struct culprit *q, const struct stack *s)
{
	_disasm_ struct disasm *d = NULL;
	struct disasm_list list;
	const struct disasm_ask ask = {
		.address = s->n > 1 ? s->frames[1].pc : 0, .before = 1,
		.thread = INSP_NONE,
	};

	if (s->n < 2)
		return false;
	struct err *err = disasm_new(insp_arch(q->insp)->machine, DISASM_ATT,
				     &d);
	if (!err)
		err = disasm_list(d, q->insp, &ask, q->arena, &list);
	bool is = !err && list.entries[0].kind == DISASM_CODE
		  && list.entries[0].flow == DISASM_CALL
		  && (!list.entries[0].has_target || list.entries[0].indirect);
	err_free(err);
	return is;
}

/* ---- the access ------------------------------------------------------------------ */
static bool
is_canonical(uint64_t address)
{
	return address >> 47 == 0 || address >> 47 == UINT64_MAX >> 47;
}

/** Does the operand @m say where the access was? */
static bool
is_operand(const struct culprit *q, const struct cause *c,
	   const struct disasm_memory *m)
{
	const struct snap_process *p = &insp_target(q->insp)->process;

	if (!m->known || (!m->reads && !m->writes))
		return false;
	if (c->code == SI_KERNEL)
		return insp_arch(q->insp)->machine == EM_X86_64
		       && !is_canonical(m->place.address);
	return p->has_fault_address && m->place.address == p->fault_address;
}

static bool
find_access(struct culprit *q, const struct cause *c)
{
	const struct disasm_entry *e = c->instruction;
	const struct disasm_memory *found = NULL;

	q->jump = c->access == CAUSE_EXECUTE;
	if (q->jump) {
		q->address = insp_target(q->insp)->process.fault_address;
		return true;
	}
	for (size_t k = 0; e && k < e->n_memory; k++) {
		if (!is_operand(q, c, &e->memory[k]))
			continue;
		if (found)
			return false;
		found = &e->memory[k];
	}
	if (!found || !found->size)
		return false;
	q->address = found->place.address;
	q->size = found->size;
	q->use = (uint8_t)((found->reads ? USE_READ : 0)
			   | (found->writes ? USE_WRITE : 0));
	return true;
}

/* ---- where it is ------------------------------------------------------------------ */
static struct err *
find_scope(struct culprit *q)
{
	const struct stack *s = &q->stack;
	struct scopes scopes;
	size_t frame = q->jump ? 1 : 0;
	struct err *err = insp_stack(q->insp, 0, FRAMES_MAX, false, q->arena,
				     &q->stack);

	if (err || s->n <= frame || (q->jump && !came_by_pointer(q, s)))
		return err;
	err = values_scopes(q->values, 0, s, frame, q->arena, &scopes);
	if (err)
		return err;
	q->scope = scopes.list[0];
	return scope_vars(q->scope, q->arena, &q->vars, &q->n_vars);
}

/** Is it a language whose words accesses.c knows? DWARF 5, 7.12. */
static bool
is_c(uint16_t language)
{
	static const uint16_t known[] = {
		0x01, 0x02, 0x04, 0x0c, 0x19, 0x1a, 0x1d, 0x21, 0x2a, 0x2b,
		0x2c, 0x3a, 0x3e,
	};

	for (size_t k = 0; k < countof(known); k++)
		if (known[k] == language)
			return true;
	return false;
}

static struct err *
read_line(struct culprit *q)
{
	struct source *file;
	struct span text = { NULL, 0 };
	size_t n;
	const struct access_types types = { is_type, q };
	const struct snap_module *modules = insp_modules(q->insp, &n);

	if (!q->scope->file || !q->scope->line || q->scope->module >= n
	    || !is_c(q->scope->language))
		return err_new(ERR_NOTFOUND, "the line is not known");
	struct err *err = insp_text(q->insp, &modules[q->scope->module].id,
				    q->scope->file, &file);
	if (!err)
		err = source_load(file, 0, source_size(file), SOURCE_MAX,
				  q->arena, &text);
	if (!err)
		err = words_at(text, q->scope->line, q->scope->column,
			       &q->words);
	return err ? err : accesses_of(&q->words, &types, q->arena, &q->all);
}

/** May what a function does be done in the place of its call: of one that the
 * compiler knows, or has seen? */
static bool
may_be_undone(struct culprit *q, const char *name)
{
	static const char *const known[] = {
		"mem", "str", "wcs", "wmem", "stp", "bcopy", "bzero", "bcmp",
		"index", "rindex", "__",
	};
	uint64_t where;

	for (size_t k = 0; k < countof(known); k++)
		if (strncmp(name, known[k], strlen(known[k])) == 0)
			return true;
	_err_ struct err *none = insp_address_named(q->insp, name, &where);
	return none || insp_module_at(q->insp, where) == q->scope->module;
}

/* What is done with a pointer that a call is given is not on the line. */
static void
hold_arguments(struct culprit *q)
{
	const char *own = q->found->pointer ? q->found->pointer : "";
	bool calls = false;
	enum err_kind why;
	uint64_t to;

	for (size_t k = 0; k < q->all.n; k++)
		if (q->all.list[k].use & USE_CALL)
			calls |= may_be_undone(q, q->all.list[k].text);
	for (size_t k = 0; calls && k < q->all.n; k++) {
		const char *text = q->all.list[k].text;
		const struct value *v = strcmp(text, own) == 0 ? NULL
					: evaluate(q, text, &why);

		if (!v || !is_pointer(value_type(v)))
			continue;
		_err_ struct err *none = value_u64(v, &to);
		q->vague |= !none && q->address - to < CAUSE_FIRST_PAGE;
	}
}

static void
judge(struct culprit *q)
{
	if (q->all.lost || !names_are_known(q))
		return;
	for (size_t k = 0; k < q->all.n && !q->vague; k++) {
		if (q->jump)
			hold_call(q, &q->all.list[k]);
		else
			hold_access(q, &q->all.list[k]);
	}
	if (q->found && !q->jump && !q->vague)
		hold_arguments(q);
	if (q->vague || (q->found && strlen(q->found->whole) > SHOWN_MAX))
		q->found = NULL;
}

/* The source is foreign text, and may be no text at all. */
static const char *
escaped(const char *text, struct arena *a)
{
	_buf_ struct buf b = { 0 };

	buf_escape(&b, text, strlen(text));
	return b.failed ? NULL : arena_strdup(a, b.data ? b.data : "");
}

/* ---- the pointer ------------------------------------------------------------------- */
/** Of "p->list[3].x" the pointer is p, and not the array. */
static const char *
peel(struct culprit *q, const char *pointer, const struct value **v)
{
	enum err_kind why;

	for (unsigned n = 0; pointer && n < PEELS_MAX; n++) {
		const char *next = NULL;

		*v = evaluate(q, pointer, &why);
		if (!*v || is_pointer(value_type(*v))
		    || is_reference(value_type(*v)))
			return *v ? pointer : NULL;
		for (size_t k = 0; k < q->all.n && !next; k++)
			if (strcmp(q->all.list[k].text, pointer) == 0)
				next = q->all.list[k].pointer;
		pointer = next;
	}
	return NULL;
}

/** Of "p->ref.x" the reference is what leads there, and not p. */
static const char *
nearest_reference(struct culprit *q)
{
	const char *found = NULL, *text = q->found->text;
	size_t least = q->found->pointer ? strlen(q->found->pointer) : 0;
	enum err_kind why;

	for (size_t k = 0; k < q->all.n; k++) {
		const struct access *a = &q->all.list[k];
		size_t n = strlen(a->text);

		if (a->use != USE_REFERENCE || n <= least
		    || strncmp(text, a->text, n) != 0 || text[n] != '.')
			continue;
		const struct value *v = evaluate(q, a->text, &why);
		if (v && is_reference(value_type(v)))
			found = a->text;
	}
	return found;
}

/** A member that is told by its name alone: @this leads to it. */
static const char *
own_object(struct culprit *q, const struct value **v)
{
	const struct value *self;
	enum err_kind why;
	uint64_t at;

	if (!is_local(q, "this"))
		return NULL;
	*v = evaluate(q, "this", &why);
	self = evaluate(q, "*this", &why);
	return *v && self && value_address(self, &at)
	       && q->address - at < value_size(self) ? "this" : NULL;
}

static struct err *
name_pointer(struct culprit *q, struct cause *c, struct arena *a)
{
	const struct value *v = NULL;
	struct region region;
	const char *reference = nearest_reference(q);
	const char *text = peel(q, reference ? reference
				: q->found->pointer, &v);

	if (!text)
		text = own_object(q, &v);
	if (!text)
		return NULL;
	_err_ struct err *none = value_u64(v, &c->pointer_value);
	if (none)
		return NULL;
	/* One that leads somewhere is not what is wrong. */
	space_region(insp_space(q->insp), c->pointer_value, &region);
	if (region.mapped)
		return NULL;
	c->pointer = escaped(text, a);
	return c->pointer ? NULL : err_nomem();
}

/** "(*ops->close)" is called through ops->close. */
static const char *
called_pointer(struct culprit *q)
{
	const char *text = q->found->text;
	size_t n = strlen(text);

	return n > 3 && memcmp(text, "(*", 2) == 0 && text[n - 1] == ')'
	       ? arena_strndup(q->arena, text + 2, n - 3) : text;
}

static struct err *
name_call(struct culprit *q, struct cause *c, struct arena *a)
{
	const char *text = called_pointer(q);

	c->pointer = text ? escaped(text, a) : NULL;
	c->pointer_value = q->address;
	c->expression = c->pointer;
	return c->pointer ? NULL : err_nomem();
}

static struct err *
name_it(struct culprit *q, struct cause *c, struct arena *a)
{
	struct err *err = NULL;

	c->expression_frame = q->jump ? 1 : 0;
	if (q->jump) {
		err = name_call(q, c, a);
	} else {
		c->expression = escaped(q->found->whole, a);
		err = c->expression ? name_pointer(q, c, a) : err_nomem();
	}
	return err ? err : cause_add_expression(c, q->jump, a);
}

struct err *
cause_explain(struct cause *c, struct insp *i, struct values *vs,
	      struct arena *a)
{
	_arena_ struct arena *scratch = arena_new(SCRATCH_MAX);
	struct culprit *q = scratch ? arena_alloc(scratch, sizeof(*q)) : NULL;

	if (!q)
		return err_nomem();
	*q = (struct culprit){ .insp = i, .values = vs, .arena = scratch };
	if (c->code <= 0 || (c->number != SIGSEGV && c->number != SIGBUS)
	    || !find_access(q, c))
		return NULL;
	/* What cannot be found out has been said already. */
	_err_ struct err *none = find_scope(q);
	if (none || !q->scope)
		return NULL;
	_err_ struct err *unread = read_line(q);
	if (unread)
		return NULL;
	judge(q);
	return q->found ? name_it(q, c, a) : NULL;
}
