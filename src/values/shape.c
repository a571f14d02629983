/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrays that say at run time how large they are and where: variable-length
 * ones of C, descriptors of Fortran (DWARF 5, 5.13 and 5.18).
 */
#include "values/impl.h"

#include <string.h>

static struct frame_eval
eval_of(const struct value *v, const struct type *p)
{
	return (struct frame_eval){ .vs = v->vs, .c = v->c,
				    .module = p->module };
}

/** Where the object stands: what DW_OP_push_object_address pushes. */
static const uint64_t *
object_of(const struct value *v)
{
	return v->place == PLACE_MEMORY ? &v->address : NULL;
}

/* A bound that an artificial variable of the same body has. */
static struct err *
variable_bound(const struct value *v, const struct type *p, uint32_t name,
	       int64_t *out)
{
	const char *want = type_string(p, name);
	const struct value *bound;
	uint64_t number;

	if (!v->c || !v->c->body || !want)
		return err_new(ERR_NOTFOUND, "the bound is in a frame");
	/* It may be an array of that bound itself. */
	if (v->c->depth > ENTRY_DEPTH_MAX)
		return err_new(ERR_DAMAGED, "the bound leads to itself");
	struct context inner = *v->c;
	inner.depth++;
	for (size_t n = 0; n < v->c->body->n_variables; n++) {
		const char *has = symidx_string(
			v->c->ix, v->c->body->variables[n].name);

		if (!has || strcmp(has, want) != 0)
			continue;
		struct err *err = context_variable(&inner, n, v->arena,
						   &bound);
		if (!err)
			err = value_u64(bound, &number);
		if (!err)
			*out = (int64_t)number;
		return err;
	}
	return err_new(ERR_NOTFOUND, "the bound is not known");
}

static struct err *
bound_value(const struct value *v, const struct type *p,
	    const struct sym_bound *b, int64_t *out)
{
	struct frame_eval f = eval_of(v, p);
	struct cell c;

	if (b->kind == SYM_BOUND_CONSTANT) {
		*out = b->constant;
		return NULL;
	}
	if (b->kind == SYM_BOUND_VARIABLE)
		return variable_bound(v, p, b->variable, out);
	struct err *err = frame_number(&f, b->expr, object_of(v), &c);
	if (!err)
		*out = (int64_t)cell_u64(&c);
	return err;
}

static struct err *
settle_dimension(const struct value *v, const struct type *p,
		 const struct sym_dimension *d, struct dim *out)
{
	int64_t upper = 0;
	struct err *err = NULL;

	out->lower = p->lang == LANG_IS_FORTRAN;
	if (d->lower.kind != SYM_BOUND_OPEN)
		err = bound_value(v, p, &d->lower, &out->lower);
	if (!err && d->stride.kind != SYM_BOUND_OPEN)
		err = bound_value(v, p, &d->stride, &out->stride);
	if (err)
		return err;
	if (d->upper.kind == SYM_BOUND_OPEN) {
		out->open = true;
		return NULL;
	}
	err = bound_value(v, p, &d->upper, &upper);
	if (err)
		return err;
	if (d->is_count)
		out->count = upper < 0 ? 0 : (uint64_t)upper;
	else
		out->count = upper < out->lower ? 0 :
			     (uint64_t)upper - (uint64_t)out->lower + 1;
	return NULL;
}

/*
 * Where an array of C begins is known without its length, which is another
 * variable: it is as one of which no length was ever told. Not so in part: how
 * far apart its rows are is not known either.
 */
static struct err *
without_length(struct shape *s, const struct type *p, struct err *err)
{
	if (p->lang == LANG_IS_FORTRAN || err_kind(err) != ERR_NOTFOUND)
		return err;
	err_free(err);
	for (uint32_t n = 0; n < s->n; n++)
		s->dim[n] = (struct dim){ .open = true };
	return NULL;
}

static struct err *
settle_bounds(struct value *v, const struct type *p)
{
	struct err *err = NULL;
	size_t n = p->sym->n_dimensions;
	struct shape *s = arena_alloc(v->arena, sizeof(*s));

	if (!s)
		return err_nomem();
	if (n > DIMENSIONS_MAX)
		return err_new(ERR_LIMIT, "an array of %zu dimensions", n);
	s->n = (uint32_t)n;
	v->shape = s;
	for (size_t k = 0; k < n && !err; k++) {
		size_t nth = p->lang == LANG_IS_FORTRAN ? n - 1 - k : k;

		err = settle_dimension(v, p, &p->sym->dimensions[nth],
				       &s->dim[k]);
	}
	return err ? without_length(s, p, err) : NULL;
}

static bool
is_off(struct value *v, const struct type *p, struct span expr)
{
	struct frame_eval f = eval_of(v, p);
	struct cell c;

	if (!expr.n)
		return false;
	_err_ struct err *err = frame_number(&f, expr, object_of(v), &c);
	return !err && cell_u64(&c) == 0;
}

static bool
is_constant(const struct sym_dimension *d)
{
	return d->upper.kind == SYM_BOUND_CONSTANT
	       && !d->lower.constant && d->lower.kind <= SYM_BOUND_CONSTANT
	       && d->stride.kind == SYM_BOUND_OPEN;
}

/* The plain case: bounds from 0 that the type alone tells. */
static bool
is_simple(const struct type *p)
{
	const struct sym_type *s = p->sym;

	for (size_t n = 0; n < s->n_dimensions; n++)
		if (!is_constant(&s->dimensions[n]))
			return false;
	return !s->data_location.n && s->n_dimensions
	       && p->lang != LANG_IS_FORTRAN;
}

static struct err *
settle_place(struct value *v, const struct type *p)
{
	struct frame_eval f = eval_of(v, p);
	struct cell c;

	if (!p->sym->data_location.n)
		return NULL;
	struct err *err = frame_number(&f, p->sym->data_location, object_of(v),
				       &c);
	if (!err)
		v->address = cell_u64(&c);
	return err;
}

static struct err *
gone(struct value *v, struct err *err)
{
	_err_ struct err *why = err;

	if (err_kind(why) == ERR_NOMEM)
		return err_nomem();
	v->place = PLACE_NOWHERE;
	v->state = (uint8_t)state_of(why);
	v->why = arena_strdup(v->arena, err_text(why));
	return v->why ? NULL : err_nomem();
}

/** That it is nowhere is all there is to know of it. */
static struct err *
unset(struct value *v, const char *how)
{
	v->place = PLACE_NOWHERE;
	v->state = VALUE_KNOWN;
	v->why = how;
	return NULL;
}

/* The length of a string stands where @data_location says (5.12). */
static struct err *
settle_length(struct value *v, const struct type *p)
{
	struct frame_eval f = eval_of(v, p);
	struct shape *s = arena_alloc(v->arena, sizeof(*s));
	const struct type *number = type_basic(v->vs, "unsigned long",
					       ATE_UNSIGNED, 8);
	const struct sym_location all = { 0, UINT64_MAX,
					  p->sym->data_location };
	const struct value *length;
	struct loc loc = { 0 };

	if (!s || !number)
		return err_nomem();
	s->n = 1;
	v->shape = s;
	if (p->sym->n_dimensions)
		return settle_dimension(v, p, p->sym->dimensions, s->dim);
	struct err *err = frame_locate(&f, &all, 1, v->arena, &loc);
	if (!err)
		err = value_of_loc(v->vs, number, &loc, v->c, v->arena,
				   &length);
	if (!err)
		err = value_u64(length, &s->dim[0].count);
	return err;
}

struct err *
value_settle(struct value *v)
{
	const struct type *p = type_plain(v->type);
	struct err *err;

	if (type_kind(p) == SYM_TYPE_STRING && !p->size
	    && (p->sym->data_location.n || p->sym->n_dimensions)
	    && v->place != PLACE_NOWHERE && !v->shape) {
		err = settle_length(v, p);
		return err ? gone(v, err) : NULL;
	}
	if (type_kind(p) != SYM_TYPE_ARRAY || v->place == PLACE_NOWHERE
	    || v->shape || is_simple(p) || p->first)
		return NULL;
	if (is_off(v, p, p->sym->allocated))
		return unset(v, "not allocated");
	if (is_off(v, p, p->sym->associated))
		return unset(v, "not associated");
	err = settle_bounds(v, p);
	if (!err)
		err = settle_place(v, p);
	return err ? gone(v, err) : NULL;
}
