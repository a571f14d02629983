/* SPDX-License-Identifier: Apache-2.0 */
/* The records of functions and variables, decoded whole. */
#include <stdlib.h>

#include "symbols/index.h"
#include "symbols/tree.h"

/** A body that is being read. */
struct reading {
	struct symidx *ix;
	struct arena *a;
	struct cur c;
	uint64_t low;
	struct sym_body *body;
	struct sym_block *blocks;
};

/* ---- blocks ------------------------------------------------------------------- */
/* Elements of at least @least bytes each: what claims more is damaged. */
static void *
room(struct reading *r, uint64_t n, size_t size, size_t least)
{
	if (n > cur_left(&r->c) / least) {
		cur_fail(&r->c);
		return NULL;
	}
	return arena_array(r->a, (size_t)n + 1, size);
}

static bool
read_ranges(struct reading *r, struct sym_block *b, uint64_t *last)
{
	uint64_t n = cur_uleb(&r->c);
	struct sym_range *all = room(r, n, sizeof(*all), 2);

	if (!all)
		return false;
	for (uint64_t k = 0; k < n; k++)
		tree_read_range(&r->c, last, &all[k].start, &all[k].end);
	b->ranges = all;
	b->n_ranges = (size_t)n;
	return true;
}

static bool
read_block(struct reading *r, uint32_t k, uint64_t *last)
{
	struct sym_block *b = &r->blocks[k];
	unsigned bits = cur_u8(&r->c);
	uint64_t up = cur_uleb(&r->c);
	struct tree_names names = {
		SYM_NONE, SYM_NONE, SYM_NONE, SYM_NONE, SYM_NONE, 0,
	};

	if (r->c.failed || (k ? !up || up > k : up) || !(bits & BLOCK_KIND))
		return false;
	if (bits & BLOCK_NAMED)
		tree_read_names(r->ix, &r->c, &names);
	*b = (struct sym_block){
		.kind = bits & BLOCK_KIND, .parent = k ? k - (uint32_t)up
							: SYM_NONE,
		.name = names.name, .prefix = names.prefix,
		.linkage = names.linkage, .type = names.type,
		.file = names.file, .line = names.line,
		.call_file = SYM_NONE,
	};
	if (bits & BLOCK_CALLED) {
		b->call_file = read_string(r->ix, &r->c);
		b->call_line = (uint32_t)cur_uleb(&r->c);
		b->call_column = (uint32_t)cur_uleb(&r->c);
	}
	return read_ranges(r, b, last);
}

/* A block ends where one begins that is not inside: pre-order tells. */
static void
link_blocks(struct sym_block *b, uint32_t n)
{
	for (uint32_t k = n; k-- > 0;) {
		if (!b[k].next)
			b[k].next = k + 1;
		if (b[k].parent != SYM_NONE && !b[b[k].parent].next)
			b[b[k].parent].next = b[k].next;
	}
}

static bool
read_blocks(struct reading *r)
{
	struct tree_head head;

	if (!tree_read_head(r->ix, &r->c, &head))
		return false;
	uint64_t last = r->low = head.low;
	r->blocks = room(r, head.n_blocks, sizeof(*r->blocks), 3);
	for (uint32_t k = 0; r->blocks && k < head.n_blocks; k++)
		if (!read_block(r, k, &last))
			return false;
	if (!r->blocks)
		return false;
	link_blocks(r->blocks, head.n_blocks);
	r->body->unit = head.unit;
	r->body->blocks = r->blocks;
	r->body->n_blocks = head.n_blocks;
	return !r->c.failed;
}

/* ---- locations ------------------------------------------------------------------ */
static bool
read_list(struct reading *r, const struct sym_location **out, size_t *n_out)
{
	uint64_t n = cur_uleb(&r->c), last = r->low;
	struct sym_location *all = room(r, n, sizeof(*all), 3);

	if (!all)
		return false;
	for (uint64_t k = 0; k < n; k++) {
		tree_read_range(&r->c, &last, &all[k].start, &all[k].end);
		all[k].expr = read_span(&r->c);
	}
	*out = all;
	*n_out = (size_t)n;
	return !r->c.failed;
}

static bool
read_everywhere(struct reading *r, const struct sym_location **out, size_t *n)
{
	struct sym_location *one = arena_alloc(r->a, sizeof(*one));

	if (!one)
		return false;
	one->end = UINT64_MAX;
	one->expr = read_span(&r->c);
	*out = one;
	*n = 1;
	return !r->c.failed;
}

static bool
read_where(struct reading *r, unsigned how, const struct sym_location **out,
	   size_t *n)
{
	switch (how) {
	case WHERE_NOWHERE:
		return !r->c.failed;
	case WHERE_EVERYWHERE:
		return read_everywhere(r, out, n);
	case WHERE_LIST:
		return read_list(r, out, n);
	default:
		return false;
	}
}

/* ---- variables --------------------------------------------------------------------- */
static bool
read_variable(struct reading *r, struct sym_variable *v)
{
	v->flags = (uint16_t)cur_uleb(&r->c);
	v->name = read_string(r->ix, &r->c);
	v->prefix = read_string(r->ix, &r->c);
	v->linkage = read_string(r->ix, &r->c);
	v->type = read_type(r->ix, &r->c);
	v->file = read_string(r->ix, &r->c);
	v->line = (uint32_t)cur_uleb(&r->c);
	v->unit = r->body->unit;
	unsigned how = cur_u8(&r->c);
	if (how == WHERE_VALUE)
		v->value = cur_uleb(&r->c);
	else if (how == WHERE_BYTES)
		v->bytes = read_span(&r->c);
	else
		return read_where(r, how, &v->locations, &v->n_locations);
	return !r->c.failed;
}

static bool
read_variables(struct reading *r)
{
	size_t n_blocks = r->body->n_blocks;
	uint64_t n = 0;

	for (size_t k = 0; k < n_blocks; k++) {
		uint64_t own = cur_uleb(&r->c);

		if (own > cur_left(&r->c))
			return false;
		r->blocks[k].first_variable = (uint32_t)n;
		r->blocks[k].n_variables = (uint32_t)own;
		n += own;
	}
	struct sym_variable *all = room(r, n, sizeof(*all), 8);
	for (uint64_t k = 0; all && k < n; k++)
		if (!read_variable(r, &all[k]))
			return false;
	r->body->variables = all;
	r->body->n_variables = (size_t)n;
	return all != NULL;
}

/* ---- calls ------------------------------------------------------------------------------ */
static bool
read_call(struct reading *r, struct sym_call *call, uint64_t *last)
{
	*last += (uint64_t)cur_sleb(&r->c);
	uint64_t bits = cur_uleb(&r->c), n = bits >> 1;
	call->pc = *last;
	call->tail = bits & 1;
	call->target = read_string(r->ix, &r->c);
	call->target_expr = read_span(&r->c);
	struct sym_call_value *all = room(r, n, sizeof(*all), 4);
	for (uint64_t k = 0; all && k < n; k++) {
		all[k].name = read_string(r->ix, &r->c);
		all[k].location = read_span(&r->c);
		all[k].value = read_span(&r->c);
		all[k].data_value = read_span(&r->c);
	}
	call->values = all;
	call->n_values = (size_t)n;
	return all && !r->c.failed;
}

static bool
read_calls(struct reading *r)
{
	uint64_t n = cur_uleb(&r->c), last = r->low;
	struct sym_call *all = room(r, n, sizeof(*all), 3);

	for (uint64_t k = 0; all && k < n; k++)
		if (!read_call(r, &all[k], &last))
			return false;
	r->body->calls = all;
	r->body->n_calls = (size_t)n;
	return all && !r->c.failed;
}

/* ---- questions -------------------------------------------------------------------------- */
static bool
read_rest(struct reading *r)
{
	struct sym_body *b = r->body;

	return read_where(r, cur_u8(&r->c), &b->frame_base, &b->n_frame_base)
	       && read_where(r, cur_u8(&r->c), &b->static_link,
			     &b->n_static_link)
	       && read_variables(r) && read_calls(r);
}

static struct err *
body_read(struct symidx *ix, uint32_t function, struct arena *a,
	  const struct sym_body **out)
{
	struct reading r = { .ix = ix, .a = a };
	struct err *err;

	r.body = arena_alloc(a, sizeof(*r.body));
	if (!r.body)
		return err_nomem();
	err = index_record(ix, STREAM_TREES, function, &r.c);
	if (err)
		return err;
	if (!read_blocks(&r))
		return index_damaged();
	err = index_copy(ix, STREAM_BODIES, function, a, &r.c);
	if (err)
		return err;
	if (!read_rest(&r))
		return index_damaged();
	*out = r.body;
	return NULL;
}

/*
 * One look at a stack asks for the same few functions many times, and some of
 * them are large. Those that are kept are never forgotten, because they are
 * lent: there is room for so many, and the others are the caller's.
 */
#define KEPT_SLOTS 256u         /* a power of two */
#define KEPT_BYTES (4u << 20)

struct index_bodies {
	struct arena *arena;
	bool full;
	struct kept {
		uint32_t function;
		const struct sym_body *body;    /* NULL: none */
	} slots[KEPT_SLOTS];
};

static struct index_bodies *
bodies_of(struct symidx *ix)
{
	if (!ix->bodies)
		ix->bodies = calloc(1, sizeof(*ix->bodies));
	if (ix->bodies && !ix->bodies->arena)
		ix->bodies->arena = arena_new(KEPT_BYTES);
	return ix->bodies && ix->bodies->arena ? ix->bodies : NULL;
}

void
bodies_forget(struct symidx *ix)
{
	if (ix->bodies)
		arena_free(ix->bodies->arena);
	free(take(ix->bodies));
}

/* False: there is no room for it, or it is damaged. */
static bool
body_keep(struct symidx *ix, struct index_bodies *b, uint32_t function)
{
	const struct sym_body *body = NULL;
	_err_ struct err *err = body_read(ix, function, b->arena, &body);

	if (err || !body)
		return false;
	b->slots[function % KEPT_SLOTS] = (struct kept){ function, body };
	return true;
}

struct err *
symidx_body(struct symidx *ix, uint32_t function, struct arena *a,
	    const struct sym_body **out)
{
	struct index_bodies *b = bodies_of(ix);

	if (function >= ix->head.n_functions)
		return err_new(ERR_NOTFOUND, "no function %u", function);
	const struct kept *kept = b ? &b->slots[function % KEPT_SLOTS] : NULL;
	bool known = kept && kept->body && kept->function == function;
	if (!known)
		index_trim(ix);
	if (known || (b && !b->full && body_keep(ix, b, function))) {
		*out = kept->body;
		return NULL;
	}
	struct err *err = body_read(ix, function, a, out);
	if (b && !err)
		b->full = true;
	return err;
}

struct err *
symidx_variable(struct symidx *ix, uint32_t variable, struct arena *a,
		const struct sym_variable **out)
{
	struct sym_body body = { 0 };
	struct reading r = { .ix = ix, .a = a, .body = &body };

	if (variable >= ix->head.n_variables)
		return err_new(ERR_NOTFOUND, "no variable %u", variable);
	index_trim(ix);
	struct sym_variable *v = arena_alloc(a, sizeof(*v));
	if (!v)
		return err_nomem();
	struct err *err = index_copy(ix, STREAM_VARIABLES, variable, a, &r.c);
	if (err)
		return err;
	body.unit = read_unit(ix, &r.c);
	if (!read_variable(&r, v))
		return index_damaged();
	*out = v;
	return NULL;
}
