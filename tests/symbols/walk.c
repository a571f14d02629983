/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that is in an index. What a record says is held against what the
 * contract promises of it: references lead somewhere, arrays hold what
 * numbers name. A broken promise ends the program.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/symbols/walk.h"

#define WALK_MEMORY (256u << 20)
#define FRAMES 8

static void
promise(bool kept)
{
	if (!kept)
		abort();
}

static void
touch_string(struct symidx *ix, uint32_t string)
{
	const char *s = symidx_string(ix, string);

	promise((s == NULL) == (string == SYM_NONE));
	promise(!s || strlen(s) < SIZE_MAX / 2);
}

static void
touch_span(struct span s)
{
	unsigned sum = 0;

	for (size_t k = 0; k < s.n; k++)
		sum += ((const uint8_t *)s.data)[k];
	promise(sum < UINT32_MAX);
}

static void
touch_type_ref(struct symidx *ix, uint32_t type)
{
	promise(type == SYM_NONE || type < symidx_about(ix)->n_types);
}

/* ---- functions ------------------------------------------------------------------ */
static void
touch_variable(struct symidx *ix, const struct sym_variable *v,
	       struct walked *w)
{
	touch_string(ix, v->name);
	touch_string(ix, v->prefix);
	touch_string(ix, v->linkage);
	touch_string(ix, v->file);
	touch_type_ref(ix, v->type);
	touch_span(v->bytes);
	w->variables++;
	w->untyped += v->type == SYM_NONE;
	w->located += v->n_locations || (v->flags & SYM_CONSTANT);
	w->locations += v->n_locations;
	for (size_t k = 0; k < v->n_locations; k++) {
		struct span e = v->locations[k].expr;

		touch_span(e);
		w->unknown += e.n == 1 && *(const uint8_t *)e.data == 0xff;
	}
}

static void
touch_block(struct symidx *ix, const struct sym_body *b, size_t k)
{
	const struct sym_block *block = &b->blocks[k];

	touch_string(ix, block->name);
	touch_string(ix, block->prefix);
	touch_string(ix, block->linkage);
	touch_string(ix, block->file);
	touch_string(ix, block->call_file);
	touch_type_ref(ix, block->type);
	promise(k ? block->parent < k : block->parent == SYM_NONE);
	promise(block->next > k && block->next <= b->n_blocks);
	promise(block->first_variable <= b->n_variables
		&& block->n_variables
		   <= b->n_variables - block->first_variable);
}

static void
touch_calls(struct symidx *ix, const struct sym_body *b, struct walked *w)
{
	for (size_t k = 0; k < b->n_calls; k++) {
		const struct sym_call *c = &b->calls[k];

		touch_string(ix, c->target);
		touch_span(c->target_expr);
		w->values += c->n_values;
		for (size_t v = 0; v < c->n_values; v++) {
			touch_string(ix, c->values[v].name);
			touch_span(c->values[v].location);
			touch_span(c->values[v].value);
			touch_span(c->values[v].data_value);
		}
	}
	w->calls += b->n_calls;
}

static void
touch_frames(struct symidx *ix, const struct sym_block *b, struct walked *w)
{
	struct sym_frame f[FRAMES];
	struct sym_line line;

	for (size_t k = 0; k < b->n_ranges; k++) {
		size_t n = symidx_frames(ix, b->ranges[k].start, f, FRAMES);

		w->frames += n;
		for (size_t i = 0; i < n && i < FRAMES; i++) {
			touch_string(ix, f[i].name);
			touch_string(ix, f[i].file);
		}
		if (symidx_line(ix, b->ranges[k].end - 1, &line))
			touch_string(ix, line.file);
	}
}

static struct err *
walk_body(struct symidx *ix, uint32_t function, struct walked *w)
{
	_arena_ struct arena *a = arena_new(WALK_MEMORY);
	const struct sym_body *b;

	if (!a)
		return err_nomem();
	struct err *err = symidx_body(ix, function, a, &b);
	if (err)
		return err;
	for (size_t k = 0; k < b->n_blocks; k++)
		touch_block(ix, b, k);
	for (size_t k = 0; k < b->n_variables; k++)
		touch_variable(ix, &b->variables[k], w);
	touch_calls(ix, b, w);
	for (size_t k = 0; k < b->n_frame_base; k++)
		touch_span(b->frame_base[k].expr);
	if (b->n_blocks)
		touch_frames(ix, &b->blocks[0], w);
	w->blocks += b->n_blocks;
	return NULL;
}

/* ---- types ---------------------------------------------------------------------- */
static void
touch_bound(struct symidx *ix, const struct sym_bound *b)
{
	touch_span(b->expr);
	touch_string(ix, b->variable);
}

static void
touch_members(struct symidx *ix, const struct sym_type *t)
{
	for (size_t k = 0; k < t->n_members; k++) {
		const struct sym_member *m = &t->members[k];

		touch_string(ix, m->name);
		touch_string(ix, m->linkage);
		touch_type_ref(ix, m->type);
		touch_span(m->expr);
		promise(m->variant == SYM_NONE || m->variant < t->n_variants);
	}
	for (size_t k = 0; k < t->n_variants; k++)
		promise(!t->variants[k].n_values || t->variants[k].values);
}

static void
touch_rest(struct symidx *ix, const struct sym_type *t)
{
	for (size_t k = 0; k < t->n_enumerators; k++)
		touch_string(ix, t->enumerators[k].name);
	for (size_t k = 0; k < t->n_dimensions; k++) {
		touch_bound(ix, &t->dimensions[k].lower);
		touch_bound(ix, &t->dimensions[k].upper);
		touch_bound(ix, &t->dimensions[k].stride);
	}
	for (size_t k = 0; k < t->n_arguments; k++) {
		touch_string(ix, t->arguments[k].name);
		touch_type_ref(ix, t->arguments[k].type);
	}
	for (size_t k = 0; k < t->n_parameters; k++)
		touch_type_ref(ix, t->parameters[k]);
	touch_span(t->data_location);
	touch_span(t->allocated);
	touch_span(t->associated);
}

static struct err *
walk_type(struct symidx *ix, uint32_t type, struct walked *w)
{
	_arena_ struct arena *a = arena_new(WALK_MEMORY);
	const struct sym_type *t;

	if (!a)
		return err_nomem();
	struct err *err = symidx_type(ix, type, a, &t);
	if (err)
		return err;
	touch_string(ix, t->name);
	touch_string(ix, t->prefix);
	touch_type_ref(ix, t->target);
	touch_type_ref(ix, t->holder);
	touch_members(ix, t);
	touch_rest(ix, t);
	w->members += t->n_members;
	return NULL;
}

/* ---- all ------------------------------------------------------------------------- */
static struct err *
walk_variable(struct symidx *ix, uint32_t variable)
{
	_arena_ struct arena *a = arena_new(WALK_MEMORY);
	struct walked w = { 0 };
	const struct sym_variable *v;

	if (!a)
		return err_nomem();
	struct err *err = symidx_variable(ix, variable, a, &v);
	if (!err)
		touch_variable(ix, v, &w);
	return err;
}

static void
walk_arrays(struct symidx *ix)
{
	const struct symidx_about *about = symidx_about(ix);
	struct sym_symbol s, at;
	struct sym_unit u;

	for (uint32_t k = 0; symidx_symbol(ix, k, &s); k++) {
		promise(s.linkage != NULL);
		symidx_symbol_at(ix, s.address, &at);
	}
	for (uint32_t k = 0; k < about->n_units; k++) {
		err_free(symidx_unit(ix, k, &u));
		touch_string(ix, u.name);
		touch_string(ix, u.dir);
	}
	for (uint32_t k = 0; k < about->n_sources; k++)
		touch_string(ix, symidx_source(ix, k));
}

static void
keep_first(struct err **first, struct err *err)
{
	if (*first)
		err_free(err);
	else
		*first = err;
}

struct err *
walk_index(struct symidx *ix, struct walked *w)
{
	const struct symidx_about *about = symidx_about(ix);
	struct err *err = NULL;

	for (uint32_t k = 0; k < about->n_functions; k++)
		keep_first(&err, walk_body(ix, k, w));
	for (uint32_t k = 0; k < about->n_types; k++)
		keep_first(&err, walk_type(ix, k, w));
	for (uint32_t k = 0; k < about->n_variables; k++)
		keep_first(&err, walk_variable(ix, k));
	walk_arrays(ix);
	return err;
}
