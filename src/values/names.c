/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a name in an expression means: a variable of the frame, a member of
 * this, a global of the namespaces around, a function, a type, a register.
 */
#include "inspect/bounds.h"
#include "values/ast.h"

#include <string.h>

bool
names_is_cxx(const struct parser *p)
{
	return p->c && lang_of(p->c->scope.language) == LANG_IS_CXX;
}

static size_t
module_of(const struct parser *p)
{
	return p->c ? p->c->scope.module : 0;
}

/** Not found is no error yet: *@found tells. Takes @err. */
static struct err *
unless_missing(struct err *err, bool *found)
{
	*found = !err;
	if (!err || err_kind(err) != ERR_NOTFOUND)
		return err;
	err_free(err);
	return NULL;
}

/* ---- functions ------------------------------------------------------------ */
struct function_search {
	struct parser *p;
	size_t module;
	const char *name;
	const struct sym_body *body;
	size_t found_in;
	uint32_t reference;
};

static struct err *
function_one(void *arg, enum sym_what what, uint32_t reference)
{
	struct function_search *s = arg;
	struct symidx *ix = values_index(s->p->vs, s->module);
	const struct sym_body *body;

	if (what != SYM_A_FUNCTION || s->body)
		return NULL;
	struct err *err = symidx_body(ix, reference, s->p->arena, &body);
	if (err)
		return err;
	if (!body->n_blocks || !body->blocks[0].n_ranges)
		return NULL;
	const char *name = values_qualified(
		s->p->vs, symidx_string(ix, body->blocks[0].prefix),
		symidx_string(ix, body->blocks[0].name));
	if (name && strcmp(name, s->name) == 0) {
		s->body = body;
		s->found_in = s->module;
		s->reference = reference;
	}
	return NULL;
}

static struct err *
find_function(struct parser *p, const char *name, struct function_search *s)
{
	struct err *err = NULL;

	*s = (struct function_search){ .p = p, .name = name };
	for (size_t n = 0; n < p->vs->n_modules && !s->body && !err; n++) {
		/* The module of the frame comes first. */
		size_t first = module_of(p);
		size_t module = n == 0 ? first : n <= first ? n - 1 : n;
		struct symidx *ix = values_index(p->vs, module);

		s->module = module;
		if (ix)
			err = symidx_named(ix, name, SYM_A_FUNCTION,
					   function_one, s);
	}
	return err;
}

static struct err *
function_value(struct parser *p, const char *name, const struct value **out)
{
	struct function_search s;
	const struct type *t;
	struct err *err = find_function(p, name, &s);

	if (err)
		return err;
	if (!s.body)
		return err_new(ERR_NOTFOUND, "no function %s", name);
	struct module *m = values_module(p->vs, s.found_in);
	err = type_of_body(p->vs, s.found_in, s.reference, s.body, &t);
	return err ? err : value_in_memory(
		p->vs, t, s.body->blocks[0].ranges[0].start + m->bias, p->c,
		p->arena, out);
}

/** Where the last part of "a::b::c" begins; NULL: there is one only. */
static const char *
last_part(const char *name)
{
	const char *last = NULL;

	for (const char *at = strstr(name, "::"); at; at = strstr(at, "::"))
		last = at += 2;
	return last;
}

/* A static member that is a constant is in the class alone. */
static struct err *
static_member(struct parser *p, const char *name, const struct value **out)
{
	const char *last = last_part(name);
	const char *class = last ? arena_strndup(
		p->arena, name, (size_t)(last - name) - 2) : NULL;
	const struct type *t = class ? names_type(p, class) : NULL;
	const struct value *nothing;

	if (!type_is_class(type_plain(t)))
		return err_new(ERR_NOTFOUND, "no such member");
	struct err *err = value_nowhere(p->vs, t, err_new(
		ERR_NOTFOUND, "a class is no object"), p->arena, &nothing);
	if (!err)
		err = value_member(nothing, last, p->arena, out);
	if (!err && (*out)->place == PLACE_NOWHERE)
		err = err_new(ERR_NOTFOUND, "it is in no object");
	return err;
}

/* function::static */
static struct err *
static_of_function(struct parser *p, const char *name,
		   const struct value **out)
{
	const char *last = last_part(name);
	struct function_search s;

	if (!last)
		return err_new(ERR_NOTFOUND, "no such name");
	const char *function = arena_strndup(p->arena, name,
					     (size_t)(last - name) - 2);
	if (!function)
		return err_nomem();
	struct err *err = find_function(p, function, &s);
	for (size_t n = 0; !err && s.body && n < s.body->n_variables; n++) {
		const struct sym_variable *v = &s.body->variables[n];
		const char *has = symidx_string(
			values_index(p->vs, s.found_in), v->name);
		struct var_ref *r;

		if (!has || strcmp(has, last) != 0)
			continue;
		r = arena_alloc(p->arena, sizeof(*r));
		if (!r)
			return err_nomem();
		*r = (struct var_ref){ .vs = p->vs, .module = s.found_in,
				       .sym = v, .is_thread = p->c,
				       .thread = p->c ? p->c->thread : 0 };
		return var_ref_value(r, p->arena, out);
	}
	return err ? err : err_new(ERR_NOTFOUND, "no such name");
}

/* ---- what a symbol table alone knows -------------------------------------- */
static struct err *
without_type(struct parser *p, const char *name)
{
	uint64_t addr;
	_err_ struct err *none = insp_address_named(p->vs->insp, name, &addr);

	if (!none)
		return err_new(ERR_NOTFOUND, "'%s' has unknown type; only a "
			       "symbol at 0x%llx is known", name,
			       (unsigned long long)addr);
	return err_new(ERR_NOTFOUND, "nothing of the name \"%s\" is known here",
		       name);
}

/* ---- variables ------------------------------------------------------------ */
static struct err *
member_of_this(struct parser *p, const char *name, const struct value **out)
{
	const struct value *self;
	struct err *err = p->c ? context_find(p->c, "this", p->arena, &self)
			  : err_new(ERR_NOTFOUND, "no frame");

	if (!err)
		err = value_target(self, 0, p->arena, &self);
	return err ? err : value_member(self, name, p->arena, out);
}

typedef struct err *find_fn(struct parser *p, const char *name,
			    const struct value **out);

static struct err *
find_global(struct parser *p, const char *name, const struct value **out)
{
	return value_global(p->vs, module_of(p), name, p->c, p->arena, out);
}

static struct err *
find_local(struct parser *p, const char *name, const struct value **out)
{
	return p->c ? context_find(p->c, name, p->arena, out)
	       : err_new(ERR_NOTFOUND, "no frame");
}

/** @name in the namespaces and classes around the function, innermost first. */
static struct err *
around(struct parser *p, const char *name, find_fn *find,
       const struct value **out)
{
	const char *function = p->c ? p->c->scope.function : NULL;
	size_t n = function ? strcspn(function, "(<") : 0;
	bool found = false;

	while (n) {
		while (n && !(function[n - 1] == ':' && n > 1
			      && function[n - 2] == ':'))
			n--;
		if (!n)
			break;
		const char *whole = arena_printf(p->arena, "%.*s%s", (int)n,
						 function, name);
		if (!whole)
			return err_nomem();
		struct err *err = unless_missing(find(p, whole, out), &found);
		if (err || found)
			return err;
		n -= 2;
	}
	return find(p, name, out);
}

static struct err *
find_global_around(struct parser *p, const char *name,
		   const struct value **out)
{
	return around(p, name, find_global, out);
}

static struct err *
find_function_around(struct parser *p, const char *name,
		     const struct value **out)
{
	return around(p, name, function_value, out);
}

/* ---- enumerators ---------------------------------------------------------- */
struct enumerator_search {
	struct parser *p;
	size_t module;
	const char *name;       /* with what is around it */
	const struct type *type;
	uint64_t value;
};

/** Is enumerator @n of @t called @want? Its scope may be left out. */
static bool
is_enumerator(const struct type *t, size_t n, const char *want)
{
	const char *name = type_string(t, t->sym->enumerators[n].name);
	const char *scope = t->sym->flags & SYM_TYPE_ENUM_CLASS ?
			    type_qualified(t) : type_string(t, t->sym->prefix);
	const char *whole = name ? values_qualified(t->vs, scope, name) : NULL;

	return whole && strcmp(whole, want) == 0;
}

static struct err *
enumerator_one(void *arg, enum sym_what what, uint32_t reference)
{
	struct enumerator_search *s = arg;
	const struct type *t = NULL;

	if (what != SYM_AN_ENUMERATOR || s->type)
		return NULL;
	struct err *err = type_by_ref(s->p->vs, s->module, reference, &t);
	for (size_t n = 0; !err && t && n < t->sym->n_enumerators; n++)
		if (is_enumerator(t, n, s->name)) {
			s->type = t;
			s->value = t->sym->enumerators[n].value;
		}
	return err;
}

static struct err *
find_enumerator(struct parser *p, const char *name, const struct value **out)
{
	struct enumerator_search s = { .p = p, .name = name };
	const char *last = last_part(name) ? last_part(name) : name;
	struct err *err = NULL;

	for (size_t n = 0; n < p->vs->n_modules && !s.type && !err; n++) {
		struct symidx *ix = values_index(p->vs, n);

		s.module = n;
		if (ix)
			err = symidx_named(ix, last, SYM_AN_ENUMERATOR,
					   enumerator_one, &s);
	}
	if (err)
		return err;
	return s.type ? value_of_u64(p->vs, s.type, s.value, p->arena, out)
	       : err_new(ERR_NOTFOUND, "no such enumerator");
}

static struct err *
find_enumerator_around(struct parser *p, const char *name,
		       const struct value **out)
{
	return around(p, name, find_enumerator, out);
}

static struct err *
constant_word(struct parser *p, const char *name, const struct value **out)
{
	bool truth = strcmp(name, "true") == 0;

	if (truth || strcmp(name, "false") == 0)
		return arith_bool(p, truth, out);
	return err_new(ERR_NOTFOUND, "no such name");
}

struct err *
names_value(struct parser *p, const char *name, const struct value **out)
{
	static find_fn *const ways[] = {
		find_local, member_of_this, find_global_around,
		find_function_around, find_enumerator_around,
		static_member, static_of_function, constant_word,
	};
	bool found = false;

	for (size_t n = 0; n < countof(ways); n++) {
		struct err *err = unless_missing(ways[n](p, name, out),
						 &found);
		if (err || found)
			return err;
	}
	return without_type(p, name);
}

/* ---- file.c::name --------------------------------------------------------- */
struct file_search {
	struct parser *p;
	size_t module, found_in;
	const char *file;
	const struct sym_variable *found;
};

static bool
is_tail(const char *path, const char *tail)
{
	size_t n = path ? strlen(path) : 0, m = strlen(tail);

	return path && m <= n && strcmp(path + n - m, tail) == 0
	       && (n == m || path[n - m - 1] == '/');
}

static struct err *
file_one(void *arg, enum sym_what what, uint32_t reference)
{
	struct file_search *s = arg;
	struct symidx *ix = values_index(s->p->vs, s->module);
	const struct sym_variable *v;
	struct sym_unit u;

	if (what != SYM_A_VARIABLE || s->found)
		return NULL;
	struct err *err = symidx_variable(ix, reference, s->p->arena, &v);
	if (!err)
		err = symidx_unit(ix, v->unit, &u);
	if (err)
		return err;
	if (!is_tail(symidx_string(ix, u.name), s->file)
	    && !is_tail(symidx_string(ix, v->file), s->file))
		return NULL;
	s->found = v;
	s->found_in = s->module;
	return NULL;
}

struct err *
names_in_file(struct parser *p, const char *file, const char *name,
	      const struct value **out)
{
	struct file_search s = { .p = p, .file = file };
	struct err *err = NULL;

	for (size_t n = 0; name && n < p->vs->n_modules && !s.found && !err;
	     n++) {
		struct symidx *ix = values_index(p->vs, n);

		s.module = n;
		if (ix)
			err = symidx_named(ix, name, SYM_A_VARIABLE, file_one,
					   &s);
	}
	if (err)
		return err;
	/* 'a::b'::c and 'f'::c are told as the name of a function too. */
	if (!s.found) {
		const char *whole = arena_printf(p->arena, "%s::%s", file,
						 name ? name : "");

		return whole ? static_of_function(p, whole, out)
		       : err_nomem();
	}
	struct var_ref *r = arena_alloc(p->arena, sizeof(*r));
	if (!r)
		return err_nomem();
	*r = (struct var_ref){ .vs = p->vs, .module = s.found_in,
			       .sym = s.found, .is_thread = p->c,
			       .thread = p->c ? p->c->thread : 0 };
	return var_ref_value(r, p->arena, out);
}

/* ---- registers ------------------------------------------------------------ */
static uint16_t
generic_number(const struct arch *arch, const char *name)
{
	if (strcmp(name, "pc") == 0)
		return arch->pc;
	if (strcmp(name, "sp") == 0)
		return arch->sp;
	return strcmp(name, "fp") == 0 ? arch->fp : UINT16_MAX;
}

static const struct reg *
register_named(struct parser *p, const char *name)
{
	size_t n;
	const struct reg *regs = insp_regs(p->vs->insp, &n);
	uint16_t number = generic_number(insp_arch(p->vs->insp), name);

	for (size_t k = 0; k < n; k++)
		if (strcmp(regs[k].name, name) == 0
		    || (number != UINT16_MAX && regs[k].dwarf == number))
			return &regs[k];
	return NULL;
}

/* gdb shows code addresses and addresses of data as pointers. */
static const struct type *
register_type(struct values *vs, const struct reg *r)
{
	static const struct {
		const char *name;
		const char *type;
		uint8_t encoding, size;
	} rows[] = {
		{ "int8", "int8_t", ATE_SIGNED, 1 },
		{ "int16", "int16_t", ATE_SIGNED, 2 },
		{ "int32", "int", ATE_SIGNED, 4 },
		{ "int", "int", ATE_SIGNED, 4 },
		{ "int64", "long", ATE_SIGNED, 8 },
		{ "long", "long", ATE_SIGNED, 8 },
		{ "ieee_single", "float", ATE_FLOAT, 4 },
		{ "ieee_double", "double", ATE_FLOAT, 8 },
		{ "i387_ext", "long double", ATE_FLOAT, 16 },
	};

	if (strcmp(r->type, "data_ptr") == 0)
		return type_pointer_to(vs, NULL);
	if (strcmp(r->type, "code_ptr") == 0)
		return type_pointer_to(vs, type_function(vs));
	for (size_t n = 0; n < countof(rows); n++)
		if (strcmp(rows[n].name, r->type) == 0)
			return type_basic(vs, rows[n].type, rows[n].encoding,
					  rows[n].size);
	if (r->bits > 64)
		return type_array_of(vs, type_basic(
			vs, "uint8_t", ATE_UNSIGNED, 1), r->bits / 8u);
	return arith_int(vs, true, r->bits > 32);
}

static struct err *
read_register(struct parser *p, const struct reg *r, uint8_t *bytes)
{
	size_t n;
	const struct reg *regs = insp_regs(p->vs->insp, &n);
	const struct context *c = p->c;
	bool known = false;

	if (r->dwarf >= 0 && r->bits <= 64)
		return frame_reg(c, (uint64_t)r->dwarf, r->bits / 8u, bytes);
	if (c->scope.frame)
		return err_new(ERR_NOTFOUND, "register %s is not known in "
			       "this frame: a call may have changed it",
			       r->name);
	struct err *err = insp_reg_read(p->vs->insp, c->thread,
					(size_t)(r - regs), bytes, &known);
	if (!err && !known)
		err = err_new(ERR_NOTFOUND, "register %s was not captured",
			      r->name);
	return err;
}

struct err *
names_register(struct parser *p, const char *name, const struct value **out)
{
	const struct reg *r = register_named(p, name);
	uint8_t bytes[REG_BYTES_MAX] = { 0 };

	if (!r)
		return err_new(ERR_NOTFOUND, "this machine has no register "
			       "$%s", name);
	if (!p->c)
		return err_new(ERR_NOTFOUND, "no frame is chosen, so $%s is "
			       "not known", name);
	const struct type *t = register_type(p->vs, r);
	struct err *err = read_register(p, r, bytes);
	if (!t) {
		err_free(err);
		return err_nomem();
	}
	if (err)
		return value_nowhere(p->vs, t, err, p->arena, out);
	uint64_t size = type_size(t);
	return value_of_bytes(p->vs, t, bytes, size < sizeof(bytes) ? size
			      : sizeof(bytes), p->arena, out);
}

/* ---- types ---------------------------------------------------------------- */
const struct type *
names_type(struct parser *p, const char *name)
{
	const char *function = p->c ? p->c->scope.function : NULL;
	size_t n = function ? strcspn(function, "(<") : 0;
	const struct type *t;

	while (n) {
		while (n && !(function[n - 1] == ':' && n > 1
			      && function[n - 2] == ':'))
			n--;
		const char *whole = n ? arena_printf(p->arena, "%.*s%s",
						     (int)n, function, name)
				    : NULL;
		t = whole ? type_named(p->vs, module_of(p), whole) : NULL;
		if (t)
			return t;
		n = n ? n - 2 : 0;
	}
	return type_named(p->vs, module_of(p), name);
}
