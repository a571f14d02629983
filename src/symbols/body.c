/* SPDX-License-Identifier: Apache-2.0 */
/* A function's blocks, variables and calls, gathered from its entries. */
#include <stdlib.h>

#include "symbols/body.h"

#define BLOCKS_MAX (1u << 20)

void
body_fini(struct body *b)
{
	buf_fini(&b->blocks);
	buf_fini(&b->variables);
	buf_fini(&b->ranges);
	buf_fini(&b->calls);
	buf_fini(&b->values);
}

/* ---- blocks ------------------------------------------------------------------ */
static bool
add_range(void *arg, uint64_t start, uint64_t end)
{
	struct body *b = arg;
	struct sym_range range = { start, end };

	if (maker_is_text(b->m, start))
		buf_put(&b->ranges, &range, sizeof(range));
	return !b->ranges.failed;
}

static uint32_t
n_ranges(const struct body *b)
{
	return (uint32_t)(b->ranges.len / sizeof(struct sym_range));
}

static void
name_block(struct body *b, const struct dw_die *die, struct body_block *to)
{
	struct dw_die all = *die;
	struct origin home = { die->unit, die->offset };

	origin_add(&all, &home);
	const struct dw_scope *scope = scan_scope(home.unit, home.offset);
	to->name = maker_attr_string(b->m, &all, AT_NAME);
	to->linkage = maker_attr_string(b->m, &all, AT_LINKAGE);
	to->prefix = scope ? scope->prefix : STR_NONE;
	to->type = types_ref(b->m, &all, AT_TYPE);
	to->file = dw_has(&all, AT_DECL_FILE)
		   ? maker_file(&all.at[AT_DECL_FILE]) : STR_NONE;
	to->line = (uint32_t)dw_number(&all, AT_DECL_LINE, 0);
}

static bool
add_block(struct body *b, const struct dw_die *die, uint8_t kind,
	  uint32_t parent)
{
	struct body_block block = {
		.kind = kind, .parent = parent, .first_range = n_ranges(b),
		.call_file = STR_NONE, .type = SYM_NONE,
	};

	if (!dw_ranges(die, add_range, b))
		return false;
	block.n_ranges = n_ranges(b) - block.first_range;
	if (kind != SYM_BLOCK_LEXICAL)
		name_block(b, die, &block);
	if (kind == SYM_BLOCK_INLINED) {
		if (dw_has(die, AT_CALL_FILE))
			block.call_file = maker_file(&die->at[AT_CALL_FILE]);
		block.call_line = (uint32_t)dw_number(die, AT_CALL_LINE, 0);
		block.call_column = (uint32_t)dw_number(die, AT_CALL_COLUMN,
							0);
	}
	buf_put(&b->blocks, &block, sizeof(block));
	return !b->blocks.failed
	       && b->blocks.len < BLOCKS_MAX * sizeof(block);
}

/* ---- variables ------------------------------------------------------------------- */
static unsigned
variable_flags(const struct dw_die *die)
{
	unsigned flags = 0;

	if (die->tag == DW_TAG_formal_parameter)
		flags |= SYM_PARAMETER;
	if (dw_flag(die, AT_ARTIFICIAL))
		flags |= SYM_ARTIFICIAL;
	if (dw_flag(die, AT_EXTERNAL))
		flags |= SYM_EXTERNAL;
	if (dw_flag(die, AT_DECLARATION))
		flags |= SYM_DECLARATION;
	return flags;
}

static void
place_variable(const struct dw_die *die, struct body_variable *v)
{
	const struct dw_value *at = &die->at[AT_LOCATION];

	if (dw_has(die, AT_LOCATION)) {
		v->location = *at;
		if (dw_is_block(at) && expr_is_thread_local((struct span){
				at->at, (size_t)at->u }))
			v->flags |= SYM_THREAD_LOCAL;
	} else if (dw_has(die, AT_CONST)) {
		v->constant = die->at[AT_CONST];
		v->flags |= SYM_CONSTANT;
	}
}

bool
body_variable(struct body *b, const struct dw_die *die, uint32_t block)
{
	struct dw_die all = *die;
	struct origin home = { die->unit, die->offset };
	struct body_variable v = {
		.unit = die->unit, .offset = die->offset, .block = block,
		.prefix = STR_NONE,
	};
	size_t n;

	if (dw_has(die, AT_ORIGIN))
		dw_target(&die->at[AT_ORIGIN], &v.home.unit, &v.home.offset);
	origin_add(&all, &home);
	v.flags = variable_flags(&all);
	v.name = maker_attr_string(b->m, &all, AT_NAME);
	if (!dw_has(&all, AT_NAME) && (v.flags & SYM_ARTIFICIAL))
		v.name = scan_nameless(b->m, home.unit, home.offset);
	v.linkage = maker_attr_string(b->m, &all, AT_LINKAGE);
	v.type = types_ref(b->m, &all, AT_TYPE);
	v.file = dw_has(&all, AT_DECL_FILE)
		 ? maker_file(&all.at[AT_DECL_FILE]) : STR_NONE;
	v.line = (uint32_t)dw_number(&all, AT_DECL_LINE, 0);
	if (block == SYM_NONE) {
		const struct dw_scope *s = scan_scope(home.unit, home.offset);
		v.prefix = s ? s->prefix : STR_NONE;
	} else {
		body_blocks(b, &n)[block].n_variables++;
	}
	place_variable(&all, &v);
	buf_put(&b->variables, &v, sizeof(v));
	return !b->variables.failed;
}

uint32_t
body_find(void *body, struct dw_unit *u, uint32_t offset)
{
	size_t n;
	const struct body_variable *all = body_variables(body, &n);

	if (!dw_spend(u, n / 4))
		return (uint32_t)n;
	for (size_t k = 0; k < n; k++)
		if (all[k].unit == u && all[k].offset == offset)
			return (uint32_t)k;
	for (size_t k = 0; k < n; k++)
		if (all[k].home.unit == u && all[k].home.offset == offset)
			return (uint32_t)k;
	return (uint32_t)n;
}

/* ---- what the origin has and nobody else told -------------------------------------- */
static bool
is_told(const struct body *b, size_t first, const struct dw_die *die)
{
	size_t n;
	const struct body_variable *all = body_variables(b, &n);

	if (!dw_spend(b->unit, (n - first) / 4))
		return true;
	for (size_t k = first; k < n; k++)
		if (all[k].home.offset == die->offset
		    && all[k].home.unit == die->unit)
			return true;
	return false;
}

static bool
is_variable(uint16_t tag)
{
	return tag == DW_TAG_variable || tag == DW_TAG_formal_parameter
	       || tag == DW_TAG_constant;
}

/* Blocks of an abstract instance have no code: theirs are the function's. */
static bool
add_untold(struct body *b, const struct dw_die *origin, size_t first,
	   uint32_t block, unsigned depth)
{
	uint32_t after = origin->after;
	struct dw_die die;

	if (!origin->children || depth > 8)
		return true;
	while (dw_read(origin->unit, after, &die) && die.tag) {
		if (is_variable(die.tag) && !is_told(b, first, &die)
		    && !body_variable(b, &die, block))
			return false;
		if (die.tag == DW_TAG_lexical_block
		    && !add_untold(b, &die, first, block, depth + 1))
			return false;
		if (!dw_skip(&die, &after))
			return false;
	}
	return true;
}

static bool
add_of_origin(struct body *b, struct dw_unit *u, uint32_t offset,
	      size_t first, uint32_t block)
{
	struct dw_die die, origin;

	if (!dw_read(u, offset, &die))
		return false;
	return !dw_follow(&die, AT_ORIGIN, &origin)
	       || add_untold(b, &origin, first, block, 0);
}

/* ---- calls ------------------------------------------------------------------------------ */
static uint64_t
target_name(struct body *b, const struct dw_die *die)
{
	struct dw_die to;
	struct origin home;

	if (!dw_follow(die, dw_has(die, AT_CALL_ORIGIN) ? AT_CALL_ORIGIN
		       : AT_ORIGIN, &to))
		return STR_NONE;
	origin_add(&to, &home);
	return maker_attr_string(b->m, &to, dw_has(&to, AT_LINKAGE)
				 ? AT_LINKAGE : AT_NAME);
}

static struct dw_value
block_of(const struct dw_die *die, enum dw_slot slot)
{
	return dw_has(die, slot) && dw_is_block(&die->at[slot])
	       ? die->at[slot] : (struct dw_value){ 0 };
}

static void
add_value(struct body *b, const struct dw_die *die)
{
	struct body_value v = {
		.location = block_of(die, AT_LOCATION),
		.value = block_of(die, AT_CALL_VALUE),
		.data_value = block_of(die, AT_CALL_DATA_VALUE),
		.name = STR_NONE,
	};
	struct dw_die named;
	struct origin home;

	if (dw_has(die, AT_NAME)) {
		v.name = maker_attr_string(b->m, die, AT_NAME);
	} else if (dw_follow(die, dw_has(die, AT_CALL_PARAMETER)
			     ? AT_CALL_PARAMETER : AT_ORIGIN, &named)) {
		origin_add(&named, &home);
		v.name = maker_attr_string(b->m, &named, AT_NAME);
	}
	buf_put(&b->values, &v, sizeof(v));
}

static bool
add_call(struct body *b, const struct dw_die *die)
{
	struct body_call call = {
		.tail = dw_flag(die, AT_CALL_TAIL),
		.first_value = (uint32_t)(b->values.len
					  / sizeof(struct body_value)),
	};
	enum dw_slot slot = dw_has(die, AT_CALL_RETURN) ? AT_CALL_RETURN
			    : dw_has(die, AT_LOW) ? AT_LOW : AT_CALL_PC;
	uint32_t after = die->after;
	struct dw_die child;

	if (!dw_has(die, slot) || !dw_address(&die->at[slot], &call.pc))
		return true;
	/* Of a jump clang tells where it begins: one byte on is behind that. */
	if (slot == AT_CALL_PC)
		call.pc++;
	call.target = target_name(b, die);
	call.target_expr = block_of(die, AT_CALL_TARGET);
	while (die->children && dw_read(die->unit, after, &child)
	       && child.tag) {
		if (child.tag == DW_TAG_call_site_parameter
		    || child.tag == DW_TAG_GNU_call_site_parameter)
			add_value(b, &child);
		if (!dw_skip(&child, &after))
			return false;
	}
	call.n_values = (uint32_t)(b->values.len / sizeof(struct body_value))
			- call.first_value;
	buf_put(&b->calls, &call, sizeof(call));
	return !b->calls.failed && !b->values.failed;
}

/* ---- the walk ---------------------------------------------------------------------------- */
struct level {
	uint32_t block;
	uint32_t opened;                /* offset of the entry that did, or 0 */
	size_t first;                   /* variable */
};
struct walk {
	struct body *b;
	struct level levels[DW_DEPTH_MAX];
	unsigned depth;
	struct dw_die die;
};

static uint32_t
last_block(const struct body *b)
{
	size_t n;

	body_blocks(b, &n);
	return (uint32_t)n - 1;
}

static bool
has_code(const struct dw_die *die)
{
	return dw_has(die, AT_RANGES) || dw_has(die, AT_HIGH);
}

static bool
go_in(struct walk *w, uint32_t block, bool opened)
{
	size_t n;

	if (++w->depth == DW_DEPTH_MAX)
		return false;
	body_variables(w->b, &n);
	w->levels[w->depth] = (struct level){
		block, opened ? w->die.offset : 0, n,
	};
	return true;
}

static bool
go_out(struct walk *w)
{
	const struct level *l = &w->levels[w->depth--];

	return !l->opened || add_of_origin(w->b, w->b->unit, l->opened,
					   l->first, l->block);
}

static bool
open_block(struct walk *w, uint8_t kind)
{
	if (!add_block(w->b, &w->die, kind, w->levels[w->depth].block))
		return false;
	uint32_t block = last_block(w->b);
	if (w->die.children)
		return go_in(w, block, kind != SYM_BLOCK_LEXICAL);
	return kind == SYM_BLOCK_LEXICAL
	       || add_of_origin(w->b, w->die.unit, w->die.offset,
				w->b->variables.len
				/ sizeof(struct body_variable), block);
}

/* One entry in a function; *after is where the walk goes on. */
static bool
see(struct walk *w, uint32_t *after)
{
	uint32_t block = w->levels[w->depth].block;

	*after = w->die.after;
	switch (w->die.tag) {
	case DW_TAG_formal_parameter:
	case DW_TAG_variable:
	case DW_TAG_constant:
		return body_variable(w->b, &w->die, block)
		       && dw_skip(&w->die, after);
	case DW_TAG_inlined_subroutine:
		return open_block(w, SYM_BLOCK_INLINED);
	case DW_TAG_lexical_block:
	case DW_TAG_try_block:
	case DW_TAG_catch_block:
	case DW_TAG_with_stmt:
		if (has_code(&w->die))
			return open_block(w, SYM_BLOCK_LEXICAL);
		return !w->die.children || go_in(w, block, false);
	case DW_TAG_GNU_formal_parameter_pack:
	case DW_TAG_common_block:
		return !w->die.children || go_in(w, block, false);
	case DW_TAG_call_site:
	case DW_TAG_GNU_call_site:
		return add_call(w->b, &w->die) && dw_skip(&w->die, after);
	default:
		return dw_skip(&w->die, after);
	}
}

static bool
walk(struct walk *w, uint32_t after)
{
	while (w->depth) {
		if (!dw_read(w->b->unit, after, &w->die))
			return false;
		after = w->die.after;
		if (!w->die.tag ? !go_out(w) : !see(w, &after))
			return false;
	}
	return true;
}

static void
forget(struct body *b)
{
	buf_reset(&b->blocks);
	buf_reset(&b->variables);
	buf_reset(&b->ranges);
	buf_reset(&b->calls);
	buf_reset(&b->values);
	b->frame_base = b->static_link = (struct dw_value){ 0 };
	b->low = 0;
}

bool
body_gather(struct body *b, struct dw_unit *u, uint32_t offset)
{
	struct walk w = { .b = b };

	forget(b);
	b->unit = u;
	if (!dw_read(u, offset, &w.die))
		return false;
	if (dw_has(&w.die, AT_FRAME_BASE))
		b->frame_base = w.die.at[AT_FRAME_BASE];
	if (dw_has(&w.die, AT_STATIC_LINK))
		b->static_link = w.die.at[AT_STATIC_LINK];
	w.levels[0].block = SYM_NONE;
	uint32_t after = w.die.after;
	if (!open_block(&w, SYM_BLOCK_FUNCTION))
		return false;
	if (n_ranges(b))
		b->low = ((struct sym_range *)(void *)b->ranges.data)->start;
	return walk(&w, after);
}
