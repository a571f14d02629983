/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types and names that are put together here, each once: who asks the same ten
 * million times gets the same one, and memory does not grow.
 */
#include "values/impl.h"

#include <string.h>

#define SLOTS_FIRST 256u
#define TYPES_MAX 65536u        /* a person asks for some hundred */

/* ---- the table -------------------------------------------------------------- */
enum made_what { MADE_POINTER = 1, MADE_ARRAY, MADE_ELEMENT, MADE_FUNCTION,
		 MADE_FUNCTION_OF };
/** A type that was made @of something, and a number. */
struct made {
	uint8_t what;           /* 0: a free slot */
	const void *of;
	uint64_t n;
	const struct type *made;
};

static size_t
made_hash(uint8_t what, const void *of, uint64_t n)
{
	uint64_t h = ((uint64_t)(uintptr_t)of >> 4) * 0x9e3779b97f4a7c15;

	h = (h ^ n ^ (uint64_t)what << 56) * 0xbf58476d1ce4e5b9;
	return (size_t)(h ^ h >> 31);
}

static bool
made_grow(struct values *vs)
{
	size_t n = vs->n_made_slots ? 2 * vs->n_made_slots : SLOTS_FIRST;
	struct made *slots = arena_array(vs->arena, n, sizeof(*slots));

	if (!slots)
		return false;
	for (size_t k = 0; k < vs->n_made_slots; k++) {
		const struct made *m = &vs->made[k];
		size_t at = made_hash(m->what, m->of, m->n) & (n - 1);

		if (!m->what)
			continue;
		while (slots[at].what)
			at = (at + 1) & (n - 1);
		slots[at] = *m;
	}
	vs->made = slots;
	vs->n_made_slots = n;
	return true;
}

/** The one there is, or a free slot for it; NULL without memory, and where
 * there are too many. */
static struct made *
made_slot(struct values *vs, uint8_t what, const void *of, uint64_t n)
{
	size_t at;

	if (2 * (vs->n_made + 1) > vs->n_made_slots && !made_grow(vs))
		return NULL;
	at = made_hash(what, of, n) & (vs->n_made_slots - 1);
	for (; vs->made[at].what; at = (at + 1) & (vs->n_made_slots - 1))
		if (vs->made[at].what == what && vs->made[at].of == of
		    && vs->made[at].n == n)
			return &vs->made[at];
	return vs->n_made < TYPES_MAX ? &vs->made[at] : NULL;
}

static const struct type *
made_put(struct values *vs, struct made *slot, struct made m)
{
	if (!m.made)
		return NULL;
	*slot = m;
	vs->n_made++;
	return m.made;
}

struct err *
types_spent(const struct values *vs)
{
	if (vs->n_made < TYPES_MAX)
		return err_nomem();
	return err_new(ERR_LIMIT, "expressions made more than %u types: no "
		       "more are made here", TYPES_MAX);
}

/* ---- types ------------------------------------------------------------------- */
struct made_type {
	struct type type;
	struct sym_type sym;
	struct sym_dimension dimension;
	const char *name;
};

static struct made_type *
make(struct values *vs, uint8_t kind, uint64_t size)
{
	struct made_type *m = arena_alloc(vs->arena, sizeof(*m));

	if (!m)
		return NULL;
	m->sym = (struct sym_type){ .kind = kind, .size = size,
				    .name = SYM_NONE, .prefix = SYM_NONE,
				    .target = SYM_NONE, .holder = SYM_NONE };
	m->type = (struct type){ .vs = vs, .module = INSP_NONE,
				 .ref = SYM_NONE, .sym = &m->sym,
				 .size = size, .target_known = true };
	return m;
}

static const struct type *
make_pointer(struct values *vs, const struct type *t)
{
	struct made_type *m = make(vs, SYM_TYPE_POINTER, 8);

	if (!m)
		return NULL;
	m->type.target = t;
	m->type.lang = t ? t->lang : LANG_IS_C;
	return &m->type;
}

const struct type *
type_pointer_to(struct values *vs, const struct type *t)
{
	struct made *s = made_slot(vs, MADE_POINTER, t, 0);

	if (!s || s->what)
		return s ? s->made : NULL;
	return made_put(vs, s, (struct made){ MADE_POINTER, t, 0,
					      make_pointer(vs, t) });
}

const struct type *
type_function(struct values *vs)
{
	struct made *s = made_slot(vs, MADE_FUNCTION, NULL, 0);
	struct made_type *m;

	if (!s || s->what)
		return s ? s->made : NULL;
	m = make(vs, SYM_TYPE_FUNCTION, 1);
	return made_put(vs, s, (struct made){ MADE_FUNCTION, NULL, 0,
					      m ? &m->type : NULL });
}

static const struct type *
make_array(struct values *vs, const struct type *t, uint64_t n)
{
	uint64_t size;

	if (__builtin_mul_overflow(type_size(t), n, &size))
		size = UINT64_MAX;
	struct made_type *m = make(vs, SYM_TYPE_ARRAY, size);
	if (!m)
		return NULL;
	m->dimension = (struct sym_dimension){
		.lower = { .kind = SYM_BOUND_CONSTANT },
		.upper = { .kind = SYM_BOUND_CONSTANT,
			   .constant = (int64_t)n },
		.is_count = true,
	};
	m->sym.dimensions = &m->dimension;
	m->sym.n_dimensions = 1;
	m->type.target = t;
	m->type.lang = t ? t->lang : LANG_IS_C;
	return &m->type;
}

const struct type *
type_array_of(struct values *vs, const struct type *t, uint64_t n)
{
	struct made *s = made_slot(vs, MADE_ARRAY, t, n);

	if (!s || s->what)
		return s ? s->made : NULL;
	return made_put(vs, s, (struct made){ MADE_ARRAY, t, n,
					      make_array(vs, t, n) });
}

static const struct type *
make_element(const struct type *array)
{
	struct type *rest = arena_dup(array->vs->arena, array, sizeof(*rest));

	if (!rest)
		return NULL;
	rest->first++;
	rest->size = 0;
	rest->plain = NULL;
	return rest;
}

const struct type *
type_element(const struct type *t)
{
	const struct type *p = type_plain(t);
	struct made *s;

	if (!p || p->first + 1 >= p->sym->n_dimensions)
		return p ? type_target(p) : NULL;
	s = made_slot(p->vs, MADE_ELEMENT, p, 0);
	if (!s || s->what)
		return s ? s->made : NULL;
	return made_put(p->vs, s, (struct made){ MADE_ELEMENT, p, 0,
						 make_element(p) });
}

const struct type *
type_basic(struct values *vs, const char *name, uint8_t encoding,
	   uint64_t size)
{
	struct made_type **known = vs->basics.data;

	for (size_t n = 0; n < vs->basics.n; n++)
		if (strcmp(known[n]->name, name) == 0)
			return &known[n]->type;
	struct made_type *m = make(vs, SYM_TYPE_BASE, size);
	struct made_type **slot = m ? vec_add(&vs->basics, vs->arena,
					      sizeof(*slot)) : NULL;
	if (!slot)
		return NULL;
	m->sym.encoding = encoding;
	m->name = name;
	return &(*slot = m)->type;
}

const char *
type_basic_name(const struct type *t)
{
	return ((const struct made_type *)t)->name;
}

/* ---- types of functions --------------------------------------------------------- */
struct function_type {
	struct type type;
	struct sym_type sym;
};

static struct err *
make_function(struct values *vs, size_t module, const struct sym_body *b,
	      const struct type **out)
{
	struct function_type *f = arena_alloc(vs->arena, sizeof(*f));
	uint32_t *parameters = arena_array(vs->arena, b->n_variables + 1,
					   sizeof(*parameters));

	if (!f || !parameters)
		return err_nomem();
	f->sym = (struct sym_type){ .kind = SYM_TYPE_FUNCTION, .size = 1,
				    .name = SYM_NONE, .prefix = SYM_NONE,
				    .target = b->blocks[0].type };
	for (uint32_t n = 0; n < b->blocks[0].n_variables; n++) {
		uint64_t nth = (uint64_t)b->blocks[0].first_variable + n;

		if (nth < b->n_variables
		    && b->variables[nth].flags & SYM_PARAMETER)
			parameters[f->sym.n_parameters++] =
				b->variables[nth].type;
	}
	f->sym.parameters = parameters;
	f->type = (struct type){ .vs = vs, .module = module,
				 .ref = SYM_NONE - 1, .sym = &f->sym,
				 .size = 1, .target_known = true };
	struct err *err = type_by_ref(vs, module, b->blocks[0].type,
				      &f->type.target);
	f->type.lang = f->type.target ? f->type.target->lang : LANG_IS_C;
	*out = &f->type;
	return err;
}

struct err *
type_of_body(struct values *vs, size_t module, uint32_t reference,
	     const struct sym_body *b, const struct type **out)
{
	const void *of = &vs->modules[module];
	struct made *s = made_slot(vs, MADE_FUNCTION_OF, of, reference);

	if (!s)
		return err_nomem();
	if (s->what) {
		*out = s->made;
		return NULL;
	}
	struct err *err = make_function(vs, module, b, out);
	if (err)
		return err;
	/* What it returns may have been made meanwhile. */
	s = made_slot(vs, MADE_FUNCTION_OF, of, reference);
	if (s)
		made_put(vs, s, (struct made){ MADE_FUNCTION_OF, of, reference,
					       *out });
	return NULL;
}

/* ---- names ---------------------------------------------------------------------- */
static uint64_t
text_hash(uint64_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 0x100000001b3;
	return h;
}

/** Is @whole "prefix::name"? */
static bool
is_qualified(const char *whole, const char *prefix, const char *name)
{
	size_t n = strlen(prefix);

	return strncmp(whole, prefix, n) == 0
	       && strncmp(whole + n, "::", 2) == 0
	       && strcmp(whole + n + 2, name) == 0;
}

static bool
names_grow(struct values *vs)
{
	struct names *t = &vs->names;
	size_t n = t->n_slots ? 2 * t->n_slots : SLOTS_FIRST;
	const char **slots = arena_array(vs->arena, n, sizeof(*slots));

	if (!slots)
		return false;
	for (size_t k = 0; k < t->n_slots; k++) {
		if (!t->slots[k])
			continue;
		size_t at = text_hash(0, t->slots[k]) & (n - 1);

		while (slots[at])
			at = (at + 1) & (n - 1);
		slots[at] = t->slots[k];
	}
	t->slots = slots;
	t->n_slots = n;
	return true;
}

const char *
values_qualified(struct values *vs, const char *prefix, const char *name)
{
	struct names *t = &vs->names;
	uint64_t hash;
	size_t at;

	if (!prefix || !prefix[0] || !name)
		return name;
	if (2 * (t->n + 1) > t->n_slots && !names_grow(vs))
		return name;
	hash = text_hash(text_hash(text_hash(0, prefix), "::"), name);
	for (at = hash & (t->n_slots - 1); t->slots[at];
	     at = (at + 1) & (t->n_slots - 1))
		if (is_qualified(t->slots[at], prefix, name))
			return t->slots[at];
	const char *whole = arena_printf(vs->arena, "%s::%s", prefix, name);
	if (!whole)
		return name;
	t->n++;
	return t->slots[at] = whole;
}
