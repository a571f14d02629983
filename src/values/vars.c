/* SPDX-License-Identifier: Apache-2.0 */
/* From a record of a variable to its value. */
#include "inspect/bounds.h"
#include "values/impl.h"

#include <string.h>

static struct err *
constant_value(const struct var_ref *r, const struct type *t, struct arena *a,
	       const struct value **out)
{
	const struct sym_variable *v = r->sym;

	if (v->bytes.n)
		return value_of_bytes(r->vs, t, v->bytes.data, v->bytes.n, a,
				      out);
	return value_of_u64(r->vs, t, v->value, a, out);
}

static const struct sym_location *
location_at_entry(const struct var_ref *r)
{
	const struct sym_variable *v = r->sym;

	for (size_t n = 0; n < v->n_locations; n++)
		if (r->c->entry_pc >= v->locations[n].start
		    && r->c->entry_pc < v->locations[n].end)
			return &v->locations[n];
	return NULL;
}

static struct err *
entry_value(const struct var_ref *r, const struct type *t, struct arena *a,
	    const struct value **out)
{
	const struct sym_location *l = location_at_entry(r);
	struct cell c = cell_generic(0);
	uint8_t bytes[16];
	struct err *err = l ? frame_entry_value(r->c, l->expr, &c)
			  : err_new(ERR_NOTFOUND, "not known");

	if (err)
		return value_nowhere(r->vs, t, err, a, out);
	uint64_t size = type_size(t);
	cell_store(&c, bytes);
	return value_of_bytes(r->vs, t, bytes, size <= 16 ? size : 16, a, out);
}

/* Takes @why. */
static struct err *
without_place(const struct var_ref *r, const struct type *t, struct err *why,
	      struct arena *a, const struct value **out)
{
	const struct var_ref *ref = arena_dup(a, r, sizeof(*r));
	struct err *err = value_nowhere(r->vs, t, why, a, out);

	if (!err && !ref)
		err = err_nomem();
	if (!err)
		((struct value *)*out)->ref = ref;
	return err;
}

static struct err *
placed_value(const struct var_ref *r, const struct type *t, struct arena *a,
	     const struct value **out)
{
	struct frame_eval f = { .vs = r->vs, .c = r->c, .module = r->module,
				.thread = r->thread,
				.is_thread = r->is_thread };
	struct loc loc = { 0 };
	struct err *err = frame_locate(&f, r->sym->locations,
				       r->sym->n_locations, a, &loc);

	if (!err)
		return value_of_loc(r->vs, t, &loc, r->c, a, out);
	return err_kind(err) == ERR_NOMEM ? err
	       : without_place(r, t, err, a, out);
}

/* "extern int x": another file of the program has the place. */
static struct err *
declared_value(const struct var_ref *r, const struct type *t, struct arena *a,
	       const struct value **out)
{
	struct symidx *ix = values_index(r->vs, r->module);
	const char *name = values_qualified(
		r->vs, symidx_string(ix, r->sym->prefix),
		symidx_string(ix, r->sym->name));
	struct err *err = value_global(r->vs, r->module, name, r->c, a, out);

	if (err && err_kind(err) == ERR_NOTFOUND)
		return value_nowhere(r->vs, t, err, a, out);
	return err;
}

struct err *
var_ref_value(const struct var_ref *r, struct arena *a,
	      const struct value **out)
{
	const struct type *t;
	struct err *err = type_by_ref(r->vs, r->module, r->sym->type, &t);

	if (err)
		return err_kind(err) == ERR_NOMEM ? err
		       : value_nowhere(r->vs, NULL, err, a, out);
	if (r->at_entry)
		return entry_value(r, t, a, out);
	if (r->sym->flags & SYM_CONSTANT)
		return constant_value(r, t, a, out);
	if (r->sym->flags & SYM_DECLARATION && !r->sym->n_locations)
		return declared_value(r, t, a, out);
	return placed_value(r, t, a, out);
}

/* ---- by name -------------------------------------------------------------- */
struct global_search {
	struct values *vs;
	size_t module;
	const char *name;
	const struct context *c;
	struct arena *arena;
	const struct sym_variable *best;
	bool same_unit;         /* @best is of the scope's own file */
};

static bool
has_place(const struct sym_variable *v)
{
	return v->n_locations || v->flags & SYM_CONSTANT;
}

static struct err *
global_one(void *arg, enum sym_what what, uint32_t reference)
{
	struct global_search *s = arg;
	struct symidx *ix = values_index(s->vs, s->module);
	const struct sym_variable *v;

	if (what != SYM_A_VARIABLE || s->same_unit)
		return NULL;
	struct err *err = symidx_variable(ix, reference, s->arena, &v);
	if (err)
		return err;
	const char *name = values_qualified(s->vs,
					    symidx_string(ix, v->prefix),
					    symidx_string(ix, v->name));
	if (!name || strcmp(name, s->name) != 0 || !has_place(v))
		return NULL;
	bool same = s->c && s->c->body && s->c->scope.module == s->module
		    && s->c->body->unit == v->unit;
	if (same || !s->best || v->flags & SYM_EXTERNAL)
		s->best = v;
	s->same_unit = same;
	return NULL;
}

static struct err *
global_in(struct global_search *s, size_t module)
{
	struct symidx *ix = values_index(s->vs, module);

	s->module = module;
	return ix ? symidx_named(ix, s->name, SYM_A_VARIABLE, global_one, s)
	       : NULL;
}

static struct err *
global_value(const struct global_search *s, size_t module,
	     const struct value **out)
{
	if (!s->best)
		return err_new(ERR_NOTFOUND, "no module has a variable %s",
			       s->name);
	struct var_ref *r = arena_alloc(s->arena, sizeof(*r));
	if (!r)
		return err_nomem();
	*r = (struct var_ref){ .vs = s->vs, .module = module, .sym = s->best,
			       .thread = s->c ? s->c->thread : 0,
			       .is_thread = s->c };
	return var_ref_value(r, s->arena, out);
}

struct err *
value_global(struct values *vs, size_t near, const char *name,
	     const struct context *c, struct arena *a,
	     const struct value **out)
{
	struct global_search s = { .vs = vs, .name = name, .c = c,
				   .arena = a };
	struct err *err = NULL;
	size_t found = near;

	if (!name)
		return err_new(ERR_NOTFOUND, "it has no name");
	if (near != INSP_NONE)
		err = global_in(&s, near);
	for (size_t n = 0; n < vs->n_modules && !s.best && !err; n++)
		if (n != near) {
			err = global_in(&s, n);
			found = n;
		}
	return err ? err : global_value(&s, found, out);
}

/*
 * What another module has of it a linker finds there, or nobody does: so only
 * the index of a module that says so is asked for.
 */
static struct err *
exported_in(struct global_search *s, size_t module, const char *linkage,
	    uint64_t *addr)
{
	enum exported how = insp_exported(s->vs->insp, module, linkage, addr);

	return how == EXPORTED_NOT ? NULL : global_in(s, module);
}

struct err *
value_exported(struct values *vs, const struct global_name *g,
	       const struct type *t, const struct context *c, struct arena *a,
	       const struct value **out)
{
	struct global_search s = { .vs = vs, .name = g->name, .c = c,
				   .arena = a };
	uint64_t addr = 0;
	size_t n = 0;

	if (!g->name || !g->linkage)
		return value_global(vs, g->near, g->name, c, a, out);
	struct err *err = global_in(&s, g->near);
	if (err || s.best)
		return err ? err : global_value(&s, g->near, out);
	for (; n < vs->n_modules && !s.best && !addr && !err; n++)
		err = exported_in(&s, n, g->linkage, &addr);
	if (err || s.best || !addr)
		return err ? err : global_value(&s, n - 1, out);
	return value_in_memory(vs, t, addr, c, a, out);
}
