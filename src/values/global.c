/* SPDX-License-Identifier: Apache-2.0 */
/*
 * global.c: a variable outside of functions by its name and its place: what a
 * symbol table tells of it finds its type.
 */
#include <string.h>

#include "values/impl.h"

struct global_search {
	struct values *vs;
	const struct global_place *place;
	struct arena *arena;
	struct var *found;
};

static bool
is_there(const struct global_search *s, const struct value *v)
{
	uint64_t address;

	return value_address(v, &address) && address == s->place->address;
}

static struct err *
global_take(struct global_search *s, struct var_ref *ref,
	    const struct sym_variable *sym)
{
	struct symidx *ix = values_index(s->vs, s->place->module);

	s->found = arena_alloc(s->arena, sizeof(*s->found));
	if (!s->found)
		return err_nomem();
	*s->found = (struct var){
		.name = symidx_string(ix, sym->name),
		.prefix = symidx_string(ix, sym->prefix),
		.file = symidx_string(ix, sym->file), .line = sym->line,
		.kind = sym->flags & SYM_EXTERNAL ? VAR_GLOBAL : VAR_FILE,
		.flags = sym->flags & SYM_THREAD_LOCAL ? VAR_THREAD_LOCAL : 0,
		.ref = ref,
	};
	return NULL;
}

static struct err *
global_one(void *arg, enum sym_what what, uint32_t reference)
{
	struct global_search *s = arg;
	const struct global_place *p = s->place;
	struct var_ref *ref = arena_alloc(s->arena, sizeof(*ref));
	const struct sym_variable *sym;
	const struct value *value;

	if (what != SYM_A_VARIABLE || s->found)
		return NULL;
	if (!ref)
		return err_nomem();
	struct err *err = symidx_variable(values_index(s->vs, p->module),
					  reference, s->arena, &sym);
	if (err || (sym->flags & SYM_DECLARATION))
		return err;
	*ref = (struct var_ref){
		.vs = s->vs, .module = p->module, .sym = sym,
		.thread = p->is_thread ? p->thread : 0,
		.is_thread = p->is_thread,
	};
	err = var_ref_value(ref, s->arena, &value);
	return err || !is_there(s, value) ? err : global_take(s, ref, sym);
}

struct err *
values_global(struct values *vs, const struct global_place *place,
	      struct arena *a, const struct var **out)
{
	struct global_search s = { .vs = vs, .place = place, .arena = a };
	struct symidx *ix = values_index(vs, place->module);
	struct err *err = ix ? symidx_named(ix, place->name, SYM_A_VARIABLE,
					    global_one, &s) : NULL;

	if (!err && !s.found)
		err = err_new(ERR_NOTFOUND, "no variable of that name is "
			      "known there");
	if (!err)
		*out = s.found;
	return err;
}
