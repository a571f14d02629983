/* SPDX-License-Identifier: Apache-2.0 */
/* Types: records of an index, decoded once. */
#include "values/impl.h"

#include <string.h>

#define SLOTS_FIRST 256u

/* ---- the cache of one module ---------------------------------------------- */
static struct type **
slot_of(struct type **slots, size_t n_slots, uint32_t ref)
{
	size_t at = (ref * 0x9e3779b1u) & (n_slots - 1);

	while (slots[at] && slots[at]->ref != ref)
		at = (at + 1) & (n_slots - 1);
	return &slots[at];
}

static struct err *
grow(struct values *vs, struct module *m)
{
	size_t n = m->n_slots ? 2 * m->n_slots : SLOTS_FIRST;
	struct type **slots = arena_array(vs->arena, n, sizeof(*slots));

	if (!slots)
		return err_nomem();
	for (size_t k = 0; k < m->n_slots; k++)
		if (m->types[k])
			*slot_of(slots, n, m->types[k]->ref) = m->types[k];
	m->types = slots;
	m->n_slots = n;
	return NULL;
}

static uint8_t
lang_of_unit(struct module *m, uint32_t unit)
{
	struct sym_unit u;
	_err_ struct err *err = symidx_unit(m->ix, unit, &u);

	return err ? LANG_IS_C : lang_of(u.language);
}

static struct err *
decode(struct values *vs, struct module *m, size_t module, uint32_t ref,
       struct type **out)
{
	struct type *t = arena_alloc(vs->arena, sizeof(*t));

	if (!t)
		return err_nomem();
	*t = (struct type){ .vs = vs, .module = module, .ref = ref };
	struct err *err = symidx_type(m->ix, ref, vs->arena, &t->sym);
	if (err)
		return err;
	t->size = t->sym->size;
	t->lang = lang_of_unit(m, t->sym->unit);
	*out = t;
	return NULL;
}

struct err *
type_by_ref(struct values *vs, size_t module, uint32_t ref,
	    const struct type **out)
{
	struct module *m = values_module(vs, module);
	struct err *err = NULL;
	struct type *t = NULL;

	if (ref == SYM_NONE || !m) {
		*out = NULL;
		return NULL;
	}
	if (2 * (m->n_types + 1) > m->n_slots)
		err = grow(vs, m);
	if (err)
		return err;
	struct type **slot = slot_of(m->types, m->n_slots, ref);
	if (!*slot) {
		err = decode(vs, m, module, ref, &t);
		if (err)
			return err;
		*slot = t;
		m->n_types++;
	}
	*out = *slot;
	return NULL;
}

struct symidx *
type_index(const struct type *t)
{
	return t && t->ref != SYM_NONE ? values_index(t->vs, t->module) : NULL;
}

const char *
type_string(const struct type *t, uint32_t string)
{
	struct symidx *ix = type_index(t);

	return ix ? symidx_string(ix, string) : NULL;
}

const struct type *
type_beside(const struct type *t, uint32_t ref)
{
	const struct type *found = NULL;
	_err_ struct err *err = t->ref == SYM_NONE ? NULL :
				type_by_ref(t->vs, t->module, ref, &found);

	return err ? NULL : found;
}

/* ---- what is behind a type ------------------------------------------------ */
const struct type *
type_target(const struct type *t)
{
	if (!t)
		return NULL;
	if (t->target_known)
		return t->target;
	struct type *known = (struct type *)t;
	known->target = type_beside(t, t->sym->target);
	known->target_known = true;
	return t->target;
}

uint8_t
type_kind(const struct type *t)
{
	return t ? t->sym->kind : 0;
}

static bool
is_qualifier(uint8_t kind)
{
	return kind == SYM_TYPE_CONST || kind == SYM_TYPE_VOLATILE
	       || kind == SYM_TYPE_RESTRICT || kind == SYM_TYPE_ATOMIC;
}

const struct type *
type_unaliased(const struct type *t)
{
	for (unsigned n = 0; n < TYPE_DEPTH_MAX && t
	     && is_qualifier(t->sym->kind); n++)
		t = type_target(t);
	return t;
}

static const struct type *
completed(const struct type *t)
{
	const char *name = type_qualified(t);
	const struct type *whole = name ? type_named(t->vs, t->module, name)
				   : NULL;

	if (whole && whole->sym->kind == SYM_TYPE_TYPEDEF)
		whole = NULL;
	((struct type *)t)->declared_only = !whole;
	return whole ? whole : t;
}

const struct type *
type_plain(const struct type *t)
{
	const struct type *p = t;

	if (!t || t->plain)
		return t ? t->plain : NULL;
	for (unsigned n = 0; p && (is_qualifier(p->sym->kind)
				   || p->sym->kind == SYM_TYPE_TYPEDEF); n++) {
		if (n == TYPE_DEPTH_MAX)
			return NULL;
		p = type_target(p);
	}
	if (p && p->sym->flags & SYM_TYPE_DECLARED)
		p = completed(p);
	((struct type *)t)->plain = p;
	return p;
}

static bool
is_constant(const struct sym_bound *b)
{
	return b->kind == SYM_BOUND_CONSTANT;
}

static uint64_t
dimension_count(const struct sym_dimension *d)
{
	int64_t lower = is_constant(&d->lower) ? d->lower.constant : 0;

	if (!is_constant(&d->upper))
		return 0;
	if (d->is_count)
		return d->upper.constant < 0 ? 0
		       : (uint64_t)d->upper.constant;
	return d->upper.constant < lower ? 0
	       : (uint64_t)d->upper.constant - (uint64_t)lower + 1;
}

uint64_t
type_count(const struct type *t)
{
	const struct sym_type *s = t->sym;

	if (s->kind != SYM_TYPE_ARRAY || t->first >= s->n_dimensions)
		return 0;
	return dimension_count(&s->dimensions[t->lang == LANG_IS_FORTRAN ?
					      s->n_dimensions - 1 - t->first :
					      t->first]);
}

/* An array of itself, in a damaged index, has no end. */
static uint64_t
size_within(const struct type *t, unsigned depth)
{
	const struct type *p = type_plain(t);
	uint64_t size;

	if (!p || depth > TYPE_DEPTH_MAX)
		return 0;
	if (p->sym->kind == SYM_TYPE_POINTER
	    || type_is_reference(p))
		return p->size ? p->size : 8;
	if (p->sym->kind != SYM_TYPE_ARRAY || p->size)
		return p->size;
	size = size_within(type_target(p), depth + 1);
	for (size_t n = p->first; n < p->sym->n_dimensions; n++)
		if (__builtin_mul_overflow(
			size, dimension_count(&p->sym->dimensions[
				p->lang == LANG_IS_FORTRAN ?
				p->sym->n_dimensions - 1 - n : n]), &size))
			return UINT64_MAX;
	return size;
}

uint64_t
type_size(const struct type *t)
{
	return size_within(t, 0);
}

/* ---- questions ------------------------------------------------------------ */
bool
type_is_class(const struct type *p)
{
	uint8_t kind = type_kind(p);

	return kind == SYM_TYPE_STRUCT || kind == SYM_TYPE_CLASS
	       || kind == SYM_TYPE_UNION;
}

/* Rust's (): it has one value, which no place can lose. Not so the never type. */
bool
type_is_unit(const struct type *p)
{
	const char *name = p && p->lang == LANG_IS_RUST
			   && type_kind(p) == SYM_TYPE_BASE && p->size == 0 ?
				   type_qualified(p) : NULL;

	return name && strcmp(name, "()") == 0;
}

bool
type_is_float(const struct type *p)
{
	return type_kind(p) == SYM_TYPE_BASE
	       && p->sym->encoding == ATE_FLOAT;
}

bool
type_is_integral(const struct type *p)
{
	return type_kind(p) == SYM_TYPE_ENUM
	       || (type_kind(p) == SYM_TYPE_BASE
		   && p->sym->encoding != ATE_FLOAT
		   && p->sym->encoding != ATE_COMPLEX_FLOAT
		   && p->sym->encoding != ATE_DECIMAL_FLOAT);
}

static bool
has_negative(const struct sym_type *s)
{
	for (size_t n = 0; n < s->n_enumerators; n++)
		if ((int64_t)s->enumerators[n].value < 0)
			return true;
	return false;
}

bool
type_is_signed(const struct type *p)
{
	if (type_kind(p) == SYM_TYPE_ENUM)
		return has_negative(p->sym);
	return type_kind(p) == SYM_TYPE_BASE
	       && (p->sym->encoding == ATE_SIGNED
		   || p->sym->encoding == ATE_SIGNED_CHAR
		   || p->sym->encoding == ATE_SIGNED_FIXED);
}

bool
type_is_pointer(const struct type *p)
{
	return type_kind(p) == SYM_TYPE_POINTER;
}

bool
type_is_reference(const struct type *p)
{
	return type_kind(p) == SYM_TYPE_REFERENCE
	       || type_kind(p) == SYM_TYPE_RVALUE_REFERENCE;
}

/* The wide characters of C are known by their names alone. */
static bool
names_text(const struct type *t)
{
	static const char *const names[] = { "wchar_t", "char16_t",
					     "char32_t" };
	const char *name = type_plain_name(t);

	for (size_t n = 0; name && n < countof(names); n++)
		if (strcmp(name, names[n]) == 0)
			return true;
	return false;
}

static bool
is_byte(const struct type *p)
{
	return p->size == 1 && p->sym->encoding != ATE_BOOLEAN
	       && type_is_integral(p) && p->sym->kind == SYM_TYPE_BASE;
}

bool
type_is_text(const struct type *t)
{
	const struct type *p = type_plain(t);

	if (type_kind(p) != SYM_TYPE_BASE)
		return false;
	if (p->lang == LANG_IS_RUST || p->lang == LANG_IS_FORTRAN
	    || p->sym->encoding == ATE_UTF)
		return p->sym->encoding == ATE_UTF;
	t = type_unaliased(t);
	for (unsigned n = 0; t && n < TYPE_DEPTH_MAX; n++) {
		if (names_text(t))
			return true;
		if (t->sym->kind != SYM_TYPE_TYPEDEF)
			break;
		t = type_unaliased(type_target(t));
	}
	return is_byte(p);
}

/* ---- names ---------------------------------------------------------------- */
const char *
type_plain_name(const struct type *t)
{
	if (!t)
		return "void";
	if (t->module == INSP_NONE)
		return t->sym->kind == SYM_TYPE_BASE ?
		       type_basic_name(t) : NULL;
	return type_string(t, t->sym->name);
}

const char *
type_qualified(const struct type *t)
{
	const char *name = type_plain_name(t);

	if (!t || t->module == INSP_NONE)
		return name;
	return values_qualified(t->vs, type_string(t, t->sym->prefix), name);
}

struct named {
	struct values *vs;
	size_t module;
	const char *name;
	const struct type *found;
};

static struct err *
named_one(void *arg, enum sym_what what, uint32_t reference)
{
	struct named *want = arg;
	const struct type *t = NULL;

	if (what != SYM_A_TYPE || want->found)
		return NULL;
	struct err *err = type_by_ref(want->vs, want->module, reference, &t);
	if (err)
		return err;
	const char *name = t ? type_qualified(t) : NULL;
	if (name && !(t->sym->flags & SYM_TYPE_DECLARED)
	    && strcmp(name, want->name) == 0)
		want->found = t;
	return NULL;
}

static const struct type *
named_in(struct values *vs, size_t module, const char *name)
{
	struct named want = { .vs = vs, .module = module, .name = name };
	struct symidx *ix = values_index(vs, module);
	_err_ struct err *err = ix ? symidx_named(ix, name, SYM_A_TYPE,
						  named_one, &want) : NULL;

	return want.found;
}

const struct type *
type_named(struct values *vs, size_t near, const char *name)
{
	const struct type *t = named_in(vs, near, name);

	for (size_t n = 0; !t && n < vs->n_modules; n++)
		if (n != near)
			t = named_in(vs, n, name);
	return t;
}

/* ---- types by how they are written ---------------------------------------- */
static const struct type *
basic_by_text(struct values *vs, const char *text, size_t n)
{
	static const struct {
		const char *name;
		uint8_t encoding, size;
	} rows[] = {
		{ "bool", ATE_BOOLEAN, 1 }, { "char", ATE_SIGNED_CHAR, 1 },
		{ "signed char", ATE_SIGNED_CHAR, 1 },
		{ "unsigned char", ATE_UNSIGNED_CHAR, 1 },
		{ "short", ATE_SIGNED, 2 }, { "short int", ATE_SIGNED, 2 },
		{ "unsigned short", ATE_UNSIGNED, 2 },
		{ "short unsigned int", ATE_UNSIGNED, 2 },
		{ "int", ATE_SIGNED, 4 }, { "unsigned int", ATE_UNSIGNED, 4 },
		{ "unsigned", ATE_UNSIGNED, 4 }, { "long", ATE_SIGNED, 8 },
		{ "long int", ATE_SIGNED, 8 },
		{ "unsigned long", ATE_UNSIGNED, 8 },
		{ "long unsigned int", ATE_UNSIGNED, 8 },
		{ "long long", ATE_SIGNED, 8 },
		{ "long long int", ATE_SIGNED, 8 },
		{ "unsigned long long", ATE_UNSIGNED, 8 },
		{ "float", ATE_FLOAT, 4 }, { "double", ATE_FLOAT, 8 },
	};

	for (size_t k = 0; k < countof(rows); k++)
		if (strlen(rows[k].name) == n
		    && memcmp(rows[k].name, text, n) == 0)
			return type_basic(vs, rows[k].name, rows[k].encoding,
					  rows[k].size);
	return NULL;
}

const struct type *
type_by_text(struct values *vs, size_t near, const char *text)
{
	size_t n = strlen(text), stars = 0;

	while (n && (text[n - 1] == '*' || text[n - 1] == ' '))
		stars += text[--n] == '*';
	while (n > 6 && memcmp(text + n - 6, " const", 6) == 0)
		n -= 6;
	const struct type *t = basic_by_text(vs, text, n);
	if (!t) {
		_free_ char *name = strndup(text, n);

		t = name ? type_named(vs, near, name) : NULL;
	}
	for (; t && stars; stars--)
		t = type_pointer_to(vs, t);
	return t;
}

/** Argument @n of "name<a, b<c, d> >": where it begins and how long it is. */
static const char *
argument_text(const char *name, size_t n, size_t *length)
{
	const char *at = name ? strchr(name, '<') : NULL;
	unsigned depth = 0;
	const char *start = at ? at + 1 : NULL;

	for (at = start; at && *at; at++) {
		if (depth == 0 && (*at == ',' || *at == '>')) {
			*length = (size_t)(at - start);
			if (n-- == 0)
				return start;
			start = at + 1 + strspn(at + 1, " ");
		}
		depth += *at == '<' || *at == '(';
		depth -= depth && (*at == '>' || *at == ')');
	}
	return NULL;
}

const struct type *
type_argument(const struct type *t, size_t n)
{
	const struct type *p = type_plain(t);
	size_t length;

	if (p && n < p->sym->n_arguments)
		return p->sym->arguments[n].is_value ? NULL
		       : type_beside(p, p->sym->arguments[n].type);
	/* Compilers leave the arguments out where they emit half a class. */
	const char *text = p && p->module != INSP_NONE ?
			   argument_text(type_plain_name(p), n, &length) : NULL;
	_free_ char *name = text ? strndup(text, length) : NULL;

	return name ? type_by_text(p->vs, p->module, name) : NULL;
}
