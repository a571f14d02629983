/* SPDX-License-Identifier: Apache-2.0 */
/* The records of functions and of variables outside of functions. */
#include <stdlib.h>

#include "symbols/body.h"

/* ---- trees ---------------------------------------------------------------------- */
static void
range_put(struct buf *out, const struct sym_range *r, uint64_t *last)
{
	put_sleb(out, (int64_t)(r->start - *last));
	put_uleb(out, r->end - r->start);
	*last = r->end;
}

static void
block_put(const struct body *b, size_t k, struct buf *out, uint64_t *last)
{
	size_t n;
	const struct body_block *block = &body_blocks(b, &n)[k];
	const struct sym_range *ranges = (const void *)b->ranges.data;
	unsigned bits = block->kind;

	if (block->kind != SYM_BLOCK_LEXICAL)
		bits |= BLOCK_NAMED;
	if (block->kind == SYM_BLOCK_INLINED)
		bits |= BLOCK_CALLED;
	buf_putc(out, (char)bits);
	put_uleb(out, k ? k - block->parent : 0);
	if (bits & BLOCK_NAMED) {
		put_string(b->m, out, block->name);
		put_string(b->m, out, block->prefix);
		put_string(b->m, out, block->linkage);
		put_uleb(out, (uint32_t)(block->type + 1));
		put_string(b->m, out, block->file);
		put_uleb(out, block->line);
	}
	if (bits & BLOCK_CALLED) {
		put_string(b->m, out, block->call_file);
		put_uleb(out, block->call_line);
		put_uleb(out, block->call_column);
	}
	put_uleb(out, block->n_ranges);
	for (uint32_t r = 0; r < block->n_ranges; r++)
		range_put(out, &ranges[block->first_range + r], last);
}

static void
tree_put(const struct body *b, struct blocks *to)
{
	struct buf *out = blocks_record(to);
	uint64_t last = b->low;
	size_t n;

	body_blocks(b, &n);
	put_uleb(out, b->unit->number);
	put_uleb(out, b->low);
	put_uleb(out, n);
	for (size_t k = 0; k < n; k++)
		block_put(b, k, out, &last);
	blocks_end_record(to);
}

/* ---- locations -------------------------------------------------------------------- */
struct locations {
	const struct expr_place *at;
	struct dw_unit *unit;
	struct buf one;                 /* all but their number */
	uint32_t n;
	uint64_t last;
};

static bool
location_put(void *arg, uint64_t start, uint64_t end, struct span expr)
{
	struct locations *l = arg;

	put_sleb(&l->one, (int64_t)(start - l->last));
	put_uleb(&l->one, end - start);
	expr_put(l->at, l->unit, expr, &l->one);
	l->last = end;
	l->n++;
	return !l->one.failed;
}

static void
where_put(const struct expr_place *at, const struct dw_value *v, uint64_t low,
	  struct buf *out)
{
	struct locations l = { .at = at, .unit = v->unit, .last = low };

	if (!v->form) {
		buf_putc(out, WHERE_NOWHERE);
		return;
	}
	if (dw_is_block(v)) {
		buf_putc(out, WHERE_EVERYWHERE);
		expr_put(at, v->unit, (struct span){ v->at, (size_t)v->u },
			 out);
		return;
	}
	dw_locations(v, location_put, &l);
	buf_putc(out, WHERE_LIST);
	put_uleb(out, l.n);
	buf_put(out, l.one.data, l.one.len);
	/* Fewer than their number would be damage. */
	out->failed |= l.one.failed;
	buf_fini(&l.one);
}

/* ---- variables ------------------------------------------------------------------------ */
static void
constant_put(const struct dw_value *v, struct buf *out)
{
	struct dw_file *file;
	uint64_t place;
	int64_t number;
	const char *text = dw_text(v, &file, &place);

	if (dw_constant(v, &number)) {
		buf_putc(out, WHERE_VALUE);
		put_uleb(out, (uint64_t)number);
		return;
	}
	struct span bytes = { v->at, (size_t)v->u };
	if (text)
		bytes = (struct span){ text, strlen(text) + 1 };
	else if (!dw_is_block(v))
		bytes.n = 0;
	buf_putc(out, WHERE_BYTES);
	put_uleb(out, bytes.n);
	if (bytes.n)
		buf_put(out, bytes.data, bytes.n);
}

static void
variable_put(const struct expr_place *at, const struct body_variable *v,
	     uint64_t low, struct buf *out)
{
	put_uleb(out, v->flags);
	put_string(at->m, out, v->name);
	put_string(at->m, out, v->prefix);
	put_string(at->m, out, v->linkage);
	put_uleb(out, (uint32_t)(v->type + 1));
	put_string(at->m, out, v->file);
	put_uleb(out, v->line);
	if (v->flags & SYM_CONSTANT)
		constant_put(&v->constant, out);
	else
		where_put(at, &v->location, low, out);
}

/* The variables of a block stand together, blocks in their order. */
static bool
sort_variables(struct body *b)
{
	size_t n, n_blocks;
	struct body_variable *all = body_variables(b, &n);
	struct body_block *blocks = body_blocks(b, &n_blocks);
	_free_ uint32_t *next = calloc(n_blocks + 1, sizeof(*next));
	_free_ struct body_variable *copy = malloc((n + 1) * sizeof(*copy));

	if (!next || !copy)
		return false;
	if (!n)
		return true;
	for (size_t k = 0; k < n_blocks; k++)
		next[k + 1] = next[k] + blocks[k].n_variables;
	memcpy(copy, all, n * sizeof(*copy));
	for (size_t k = 0; k < n; k++)
		all[next[copy[k].block]++] = copy[k];
	return true;
}

/* ---- calls ----------------------------------------------------------------------------- */
static void
span_put(const struct expr_place *at, const struct dw_value *v,
	 struct buf *out)
{
	if (v->form)
		expr_put(at, v->unit, (struct span){ v->at, (size_t)v->u },
			 out);
	else
		put_uleb(out, 0);
}

static void
calls_put(const struct expr_place *at, const struct body *b, struct buf *out)
{
	const struct body_call *calls = (const void *)b->calls.data;
	const struct body_value *values = (const void *)b->values.data;
	size_t n = b->calls.len / sizeof(*calls);
	uint64_t last = b->low;

	put_uleb(out, n);
	for (size_t k = 0; k < n; k++) {
		put_sleb(out, (int64_t)(calls[k].pc - last));
		last = calls[k].pc;
		put_uleb(out, (uint64_t)calls[k].n_values << 1
			 | calls[k].tail);
		put_string(b->m, out, calls[k].target);
		span_put(at, &calls[k].target_expr, out);
		for (uint32_t v = 0; v < calls[k].n_values; v++) {
			const struct body_value *value =
				&values[calls[k].first_value + v];

			put_string(b->m, out, value->name);
			span_put(at, &value->location, out);
			span_put(at, &value->value, out);
			span_put(at, &value->data_value, out);
		}
	}
}

static void
body_put(struct body *b, struct blocks *to)
{
	const struct expr_place at = {
		.m = b->m, .variable = body_find, .arg = b,
	};
	struct buf *out = blocks_record(to);
	size_t n_blocks, n;
	const struct body_block *blocks = body_blocks(b, &n_blocks);
	const struct body_variable *all = body_variables(b, &n);

	where_put(&at, &b->frame_base, b->low, out);
	where_put(&at, &b->static_link, b->low, out);
	for (size_t k = 0; k < n_blocks; k++)
		put_uleb(out, blocks[k].n_variables);
	for (size_t k = 0; k < n; k++)
		variable_put(&at, &all[k], b->low, out);
	calls_put(&at, b, out);
	blocks_end_record(to);
}

/* ---- a run of units ---------------------------------------------------------------------- */
static void
spans_put(const struct body *b, uint32_t number, struct buf *out)
{
	size_t n;
	const struct body_block *root = body_blocks(b, &n);
	const struct sym_range *r = (const void *)b->ranges.data;

	for (uint32_t k = 0; n && k < root->n_ranges; k++) {
		uint64_t size = r[k].end - r[k].start;
		struct format_span span = {
			.start = r[k].start, .function = number,
			.size = size < UINT32_MAX ? (uint32_t)size
				: UINT32_MAX,
		};
		buf_put(out, &span, sizeof(span));
	}
}

static void
function_name_put(struct maker *m, struct dw_unit *u, uint32_t offset,
		  uint32_t number, struct buf *names)
{
	struct dw_die die;
	struct origin home = { u, offset };

	if (!dw_read(u, offset, &die))
		return;
	origin_add(&die, &home);
	put_name(m, &die, SYM_A_FUNCTION, number, names);
}

/* What stands for a function of which nothing could be read. */
static const struct body_block nobody = {
	.kind = SYM_BLOCK_FUNCTION, .parent = SYM_NONE, .name = STR_NONE,
	.prefix = STR_NONE, .linkage = STR_NONE, .file = STR_NONE,
	.call_file = STR_NONE, .type = SYM_NONE,
};

static void
functions_put(struct body *b, struct dw_unit *u, struct job *job)
{
	const uint32_t *offsets = (const void *)u->functions.data;
	size_t n = u->functions.len / sizeof(*offsets);

	for (size_t k = 0; k < n; k++) {
		uint32_t number = u->first_function + (uint32_t)k;

		/* What was gathered before the damage is as good. */
		if (!body_gather(b, u, offsets[k]))
			__atomic_store_n(&u->lost, true, __ATOMIC_RELAXED);
		if (!b->blocks.len)
			buf_put(&b->blocks, &nobody, sizeof(nobody));
		if (!sort_variables(b))
			__atomic_store_n(&b->m->failed, true,
					 __ATOMIC_RELAXED);
		tree_put(b, &job->trees);
		body_put(b, &job->bodies);
		spans_put(b, number, &job->spans);
		function_name_put(b->m, u, offsets[k], number, &job->names);
	}
}

static void
variables_put(struct body *b, struct dw_unit *u, struct job *job)
{
	const uint32_t *offsets = (const void *)u->variables.data;
	size_t n = u->variables.len / sizeof(*offsets), got;
	const struct expr_place at = { .m = b->m };

	for (size_t k = 0; k < n; k++) {
		struct buf *out = blocks_record(&job->variables);
		struct dw_die die = { .unit = u, .offset = offsets[k] };
		struct origin home = { u, offsets[k] };
		bool read = dw_read(u, offsets[k], &die);

		buf_reset(&b->variables);
		put_uleb(out, u->number);
		if (body_variable(b, &die, SYM_NONE))
			variable_put(&at, body_variables(b, &got), 0, out);
		if (read) {
			origin_add(&die, &home);
			put_name(b->m, &die, SYM_A_VARIABLE,
				 u->first_variable + (uint32_t)k,
				 &job->names);
		}
		blocks_end_record(&job->variables);
	}
}

void
bodies_put(struct maker *m, struct job *job, struct arena *scratch)
{
	struct body b = { .m = m };

	(void)scratch;
	for (uint32_t k = job->first; k < job->first + job->n; k++) {
		functions_put(&b, m->units[k], job);
		variables_put(&b, m->units[k], job);
	}
	body_fini(&b);
}
