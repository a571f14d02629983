/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a type, decoded. */
#include <stdlib.h>

#include "symbols/index.h"

struct reading {
	struct symidx *ix;
	struct arena *a;
	struct cur c;
	struct sym_type *type;
	struct vec members, variants, enumerators, dimensions, arguments,
		   parameters;
	bool no_memory;
};

static void *
more(struct reading *r, struct vec *v, size_t size)
{
	void *at = vec_add(v, r->a, size);

	r->no_memory |= !at;
	return at;
}

/* ---- parts ------------------------------------------------------------------- */
static void
part_member(struct reading *r)
{
	struct sym_member *m = more(r, &r->members, sizeof(*m));

	if (!m)
		return;
	uint64_t has = cur_uleb(&r->c);
	m->flags = (uint16_t)cur_uleb(&r->c);
	m->name = read_string(r->ix, &r->c);
	m->type = read_type(r->ix, &r->c);
	m->offset = cur_uleb(&r->c);
	m->variant = m->linkage = SYM_NONE;
	if (has & MEMBER_BITS)
		m->bits = (uint32_t)cur_uleb(&r->c);
	if (has & MEMBER_IN_VARIANT) {
		uint64_t n = cur_uleb(&r->c);

		m->variant = n < r->variants.n ? (uint32_t)n : SYM_NONE;
	}
	if (has & MEMBER_EXPR)
		m->expr = read_span(&r->c);
	m->has_value = has & MEMBER_VALUE;
	if (m->has_value)
		m->value = (uint64_t)cur_sleb(&r->c);
	if (has & MEMBER_LINKAGE)
		m->linkage = read_string(r->ix, &r->c);
}

static void
part_variant(struct reading *r)
{
	struct sym_variant *v = more(r, &r->variants, sizeof(*v));
	uint64_t n = cur_uleb(&r->c);

	if (!v || n > cur_left(&r->c) / 2) {
		cur_fail(&r->c);
		return;
	}
	struct sym_range *values = arena_array(r->a, (size_t)n + 1,
					       sizeof(*values));
	r->no_memory |= !values;
	for (uint64_t k = 0; values && k < n; k++) {
		values[k].start = cur_uleb(&r->c);
		values[k].end = cur_uleb(&r->c);
	}
	v->values = values;
	v->n_values = values ? (size_t)n : 0;
}

static void
part_enumerator(struct reading *r)
{
	struct sym_enumerator *e = more(r, &r->enumerators, sizeof(*e));

	if (!e)
		return;
	e->name = read_string(r->ix, &r->c);
	e->value = (uint64_t)cur_sleb(&r->c);
}

static void
read_bound(struct reading *r, struct sym_bound *b)
{
	b->kind = cur_u8(&r->c);
	b->variable = SYM_NONE;
	switch (b->kind) {
	case SYM_BOUND_OPEN:
		break;
	case SYM_BOUND_CONSTANT:
		b->constant = cur_sleb(&r->c);
		break;
	case SYM_BOUND_EXPR:
		b->expr = read_span(&r->c);
		break;
	case SYM_BOUND_VARIABLE:
		b->variable = read_string(r->ix, &r->c);
		break;
	default:
		cur_fail(&r->c);
	}
}

static void
part_dimension(struct reading *r)
{
	struct sym_dimension *d = more(r, &r->dimensions, sizeof(*d));

	if (!d)
		return;
	d->is_count = cur_u8(&r->c);
	read_bound(r, &d->lower);
	read_bound(r, &d->upper);
	read_bound(r, &d->stride);
}

static void
part_argument(struct reading *r)
{
	struct sym_argument *g = more(r, &r->arguments, sizeof(*g));

	if (!g)
		return;
	g->name = read_string(r->ix, &r->c);
	g->type = read_type(r->ix, &r->c);
	g->is_value = cur_u8(&r->c);
	if (g->is_value)
		g->value = (uint64_t)cur_sleb(&r->c);
}

static void
part_parameter(struct reading *r)
{
	uint32_t *p = more(r, &r->parameters, sizeof(*p));

	if (p)
		*p = read_type(r->ix, &r->c);
}

static void
part_data_location(struct reading *r)
{
	r->type->data_location = read_span(&r->c);
}

static void
part_allocated(struct reading *r)
{
	r->type->allocated = read_span(&r->c);
}

static void
part_associated(struct reading *r)
{
	r->type->associated = read_span(&r->c);
}

static void
part_variadic(struct reading *r)
{
	r->type->flags |= SYM_TYPE_VARIADIC;
}

static void (*const parts[])(struct reading *r) = {
	[PART_MEMBER] = part_member,
	[PART_VARIANT] = part_variant,
	[PART_ENUMERATOR] = part_enumerator,
	[PART_DIMENSION] = part_dimension,
	[PART_ARGUMENT] = part_argument,
	[PART_PARAMETER] = part_parameter,
	[PART_DATA_LOCATION] = part_data_location,
	[PART_ALLOCATED] = part_allocated,
	[PART_ASSOCIATED] = part_associated,
	[PART_VARIADIC] = part_variadic,
};

/* ---- the record --------------------------------------------------------------------- */
static void
read_head(struct reading *r)
{
	struct sym_type *t = r->type;

	t->kind = cur_u8(&r->c);
	t->flags = (uint16_t)cur_uleb(&r->c);
	t->encoding = cur_u8(&r->c);
	t->name = read_string(r->ix, &r->c);
	t->prefix = read_string(r->ix, &r->c);
	t->unit = read_unit(r->ix, &r->c);
	t->size = cur_uleb(&r->c);
	t->bits = (uint32_t)cur_uleb(&r->c);
	t->target = read_type(r->ix, &r->c);
	t->holder = read_type(r->ix, &r->c);
}

static bool
read_parts(struct reading *r)
{
	while (!r->c.failed && !r->no_memory) {
		uint8_t part = cur_u8(&r->c);

		if (part == PART_END)
			return !r->c.failed;
		if (part >= countof(parts) || !parts[part])
			return false;
		parts[part](r);
	}
	return false;
}

static void
hand_over(struct reading *r)
{
	struct sym_type *t = r->type;

	t->members = r->members.data;
	t->n_members = r->members.n;
	t->variants = r->variants.data;
	t->n_variants = r->variants.n;
	t->enumerators = r->enumerators.data;
	t->n_enumerators = r->enumerators.n;
	t->dimensions = r->dimensions.data;
	t->n_dimensions = r->dimensions.n;
	t->arguments = r->arguments.data;
	t->n_arguments = r->arguments.n;
	t->parameters = r->parameters.data;
	t->n_parameters = r->parameters.n;
}

struct err *
symidx_type(struct symidx *ix, uint32_t type, struct arena *a,
	    const struct sym_type **out)
{
	struct reading r = { .ix = ix, .a = a };

	if (type >= ix->head.n_types)
		return err_new(ERR_NOTFOUND, "no type %u", type);
	index_trim(ix);
	r.type = arena_alloc(a, sizeof(*r.type));
	if (!r.type)
		return err_nomem();
	struct err *err = index_copy(ix, STREAM_TYPES, type, a, &r.c);
	if (err)
		return err;
	read_head(&r);
	if (!read_parts(&r))
		return r.no_memory ? err_nomem() : index_damaged();
	hand_over(&r);
	*out = r.type;
	return NULL;
}
