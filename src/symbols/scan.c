/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first walk over a unit: where its types, scopes, functions and variables
 * are, and each name that has no place in a .debug_str.
 */
#include <stdio.h>
#include <stdlib.h>

#include "symbols/make.h"

struct level {
	uint32_t scope;                 /* that is open, or UINT32_MAX */
	uint16_t tag;
	bool opened;                    /* the scope is this level's */
	bool in_function;
};
struct scan {
	struct maker *m;
	struct dw_unit *u;
	struct level levels[DW_DEPTH_MAX];
	unsigned depth;
};

/* ---- what tags mean ----------------------------------------------------------- */
static const uint8_t kinds[] = {
	[DW_TAG_base_type] = SYM_TYPE_BASE,
	[DW_TAG_pointer_type] = SYM_TYPE_POINTER,
	[DW_TAG_reference_type] = SYM_TYPE_REFERENCE,
	[DW_TAG_rvalue_reference_type] = SYM_TYPE_RVALUE_REFERENCE,
	[DW_TAG_ptr_to_member_type] = SYM_TYPE_MEMBER_POINTER,
	[DW_TAG_structure_type] = SYM_TYPE_STRUCT,
	[DW_TAG_class_type] = SYM_TYPE_CLASS,
	[DW_TAG_interface_type] = SYM_TYPE_CLASS,
	[DW_TAG_union_type] = SYM_TYPE_UNION,
	[DW_TAG_enumeration_type] = SYM_TYPE_ENUM,
	[DW_TAG_array_type] = SYM_TYPE_ARRAY,
	[DW_TAG_typedef] = SYM_TYPE_TYPEDEF,
	[DW_TAG_template_alias] = SYM_TYPE_TYPEDEF,
	[DW_TAG_subrange_type] = SYM_TYPE_TYPEDEF,
	[DW_TAG_packed_type] = SYM_TYPE_TYPEDEF,
	[DW_TAG_shared_type] = SYM_TYPE_TYPEDEF,
	[DW_TAG_immutable_type] = SYM_TYPE_CONST,
	[DW_TAG_const_type] = SYM_TYPE_CONST,
	[DW_TAG_volatile_type] = SYM_TYPE_VOLATILE,
	[DW_TAG_restrict_type] = SYM_TYPE_RESTRICT,
	[DW_TAG_atomic_type] = SYM_TYPE_ATOMIC,
	[DW_TAG_subroutine_type] = SYM_TYPE_FUNCTION,
	[DW_TAG_string_type] = SYM_TYPE_STRING,
	[DW_TAG_unspecified_type] = SYM_TYPE_UNSPECIFIED,
};

enum sym_type_kind
scan_type_kind(uint16_t tag)
{
	return tag < countof(kinds) ? kinds[tag] : 0;
}

static bool
is_scope(uint16_t tag)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_interface_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
		return true;
	default:
		return false;
	}
}

/* ---- strings -------------------------------------------------------------------- */
uint64_t
maker_string(struct maker *m, const struct dw_value *v)
{
	struct dw_file *file;
	uint64_t place, handle;
	const char *text = dw_text(v, &file, &place);

	if (!text)
		return STR_NONE;
	if (file)
		return file->str_base + place;
	handle = strings_add(m->strings, text, strlen(text));
	if (handle == STR_NONE)
		__atomic_store_n(&m->failed, true, __ATOMIC_RELAXED);
	return handle;
}

uint64_t
maker_attr_string(struct maker *m, const struct dw_die *die, enum dw_slot slot)
{
	return dw_has(die, slot) ? maker_string(m, &die->at[slot]) : STR_NONE;
}

uint64_t
maker_file(const struct dw_value *v)
{
	const struct dw_unit *u = v->unit;
	int64_t n;

	/* The table of a split unit is its skeleton's. */
	if (u->skeleton && !u->n_files && !u->lines)
		u = u->skeleton;
	if (u->lines)
		u = u->lines;
	return dw_constant(v, &n) && (uint64_t)n < u->n_files ? u->files[n]
	       : STR_NONE;
}

void
put_string(struct maker *m, struct buf *out, uint64_t handle)
{
	put_uleb(out, (uint32_t)(strings_use(m->strings, handle) + 1));
}

/* "dir/name", below the unit's directory where that is relative. */
static uint64_t
name_file(void *arg, struct dw_unit *u, const char *dir, const char *name)
{
	struct maker *m = arg;
	struct dw_file *file;
	uint64_t place;
	_buf_ struct buf path = { 0 };
	const char *base = u->root.comp_dir.form
			   ? dw_text(&u->root.comp_dir, &file, &place) : NULL;

	if (!name)
		return STR_NONE;
	if (name[0] != '/' && base && (!dir || dir[0] != '/')
	    && (!dir || strcmp(dir, base) != 0))
		buf_printf(&path, "%s/", base);
	if (name[0] != '/' && dir && dir[0])
		buf_printf(&path, "%s/", dir);
	buf_puts(&path, name);
	uint64_t handle = path.failed ? STR_NONE
			  : strings_add(m->strings, path.data, path.len);
	if (handle == STR_NONE)
		__atomic_store_n(&m->failed, true, __ATOMIC_RELAXED);
	return handle;
}

/* ---- scopes --------------------------------------------------------------------- */
static struct dw_scope *
scopes_of(const struct dw_unit *u, size_t *n)
{
	*n = u->scopes.len / sizeof(struct dw_scope);
	return (struct dw_scope *)(void *)u->scopes.data;
}

/* clang leaves the name of what a type unit has to that. */
static const char *
scope_name(const struct dw_die *die)
{
	struct dw_file *file;
	uint64_t place;
	struct dw_die whole;

	if (!dw_has(die, AT_NAME) && dw_follow(die, AT_SIGNATURE, &whole))
		die = &whole;
	const char *name = dw_has(die, AT_NAME)
			   ? dw_text(&die->at[AT_NAME], &file, &place) : NULL;

	if (name && name[0])
		return name;
	return die->tag == DW_TAG_namespace ? "(anonymous namespace)" : NULL;
}

/* The whole prefix of what is in @die, whose own scope is @parent. */
static uint64_t
prefix_of(struct scan *s, const struct dw_die *die,
	  const struct dw_scope *parent)
{
	struct dw_die named = *die;
	struct origin home = { die->unit, die->offset };
	_buf_ struct buf text = { 0 };

	if (dw_has(die, AT_SPECIFICATION)) {
		origin_add(&named, &home);
		if (home.unit == s->u)
			parent = scan_scope(home.unit, home.offset);
	}
	const char *name = scope_name(&named);
	if (!name)
		return STR_NONE;
	if (parent && parent->prefix != STR_NONE)
		buf_printf(&text, "%s::", strings_peek(parent->prefix));
	buf_puts(&text, name);
	return text.failed ? STR_NONE
	       : strings_add(s->m->strings, text.data, text.len);
}

static bool
open_scope(struct scan *s, const struct dw_die *die, struct level *level)
{
	size_t n;
	const struct dw_scope *all = scopes_of(s->u, &n);
	const struct dw_scope *parent = level->scope != UINT32_MAX
					? &all[level->scope] : NULL;
	struct dw_scope scope = {
		.start = die->offset, .end = UINT32_MAX,
		.parent = level->scope,
		.prefix = prefix_of(s, die, parent),
	};

	buf_put(&s->u->scopes, &scope, sizeof(scope));
	level->scope = (uint32_t)n;
	level->opened = true;
	return !s->u->scopes.failed;
}

const struct dw_scope *
scan_scope(const struct dw_unit *u, uint32_t offset)
{
	size_t n, low = 0;
	const struct dw_scope *all = scopes_of(u, &n);

	for (size_t high = n; low < high;) {
		size_t mid = low + (high - low) / 2;

		if (all[mid].start < offset)
			low = mid + 1;
		else
			high = mid;
	}
	uint32_t k = low ? (uint32_t)low - 1 : UINT32_MAX;
	while (k != UINT32_MAX && all[k].end <= offset)
		k = all[k].parent;
	return k != UINT32_MAX ? &all[k] : NULL;
}

/* ---- types ------------------------------------------------------------------------ */
static void
mark_type(struct dw_unit *u, uint32_t offset)
{
	u->bits[offset / 64] |= 1ull << offset % 64;
	u->n_types++;
}

bool
scan_type(const struct dw_unit *u, uint32_t offset, uint32_t *out)
{
	uint64_t word, below = (1ull << offset % 64) - 1;

	if (!u->bits_rank || offset >= u->size)
		return false;
	word = u->bits[offset / 64];
	if (!(word >> offset % 64 & 1))
		return false;
	*out = u->bits_rank[offset / 64]
	       + (uint32_t)__builtin_popcountll(word & below);
	return true;
}

static bool
rank_types(struct dw_unit *u)
{
	size_t n = u->size / 64 + 1;
	uint32_t sum = 0;

	u->bits_rank = malloc(n * sizeof(*u->bits_rank));
	u->keys = calloc(u->n_types + 1, sizeof(*u->keys));
	u->slots = malloc((u->n_types + 1) * sizeof(*u->slots));
	if (!u->bits_rank || !u->keys || !u->slots)
		return false;
	for (size_t k = 0; k < n; k++) {
		u->bits_rank[k] = sum;
		sum += (uint32_t)__builtin_popcountll(u->bits[k]);
	}
	memset(u->slots, 0xff, (u->n_types + 1) * sizeof(*u->slots));
	return true;
}

/* ---- the walk ------------------------------------------------------------------------ */
static bool
is_code(const struct scan *s, const struct dw_die *die)
{
	uint64_t low;

	if (dw_flag(die, AT_DECLARATION))
		return false;
	if (dw_has(die, AT_RANGES))
		return true;
	return dw_has(die, AT_LOW) && dw_has(die, AT_HIGH)
	       && dw_address(&die->at[AT_LOW], &low)
	       && maker_is_text(s->m, low);
}

/* Outside of functions: one that is somewhere, or would be had it been kept. */
static bool
is_variable(const struct dw_die *die, const struct level *level)
{
	if (level->in_function || die->tag != DW_TAG_variable)
		return false;
	if (dw_has(die, AT_LOCATION))
		return true;
	return !dw_flag(die, AT_DECLARATION) && dw_has(die, AT_CONST);
}

/* Bounds of arrays may name a variable that has no name. */
uint64_t
scan_nameless(struct maker *m, const struct dw_unit *u, uint32_t offset)
{
	char text[32];
	int n = snprintf(text, sizeof(text), ".%x.%x", u->number, offset);

	return strings_add(m->strings, text, (size_t)n);
}

static void
see_strings(struct scan *s, const struct dw_die *die)
{
	if (die->tag == DW_TAG_variable && dw_flag(die, AT_ARTIFICIAL)
	    && !dw_has(die, AT_NAME) && !dw_has(die, AT_ORIGIN))
		scan_nameless(s->m, s->u, die->offset);
	if (dw_has(die, AT_NAME))
		maker_string(s->m, &die->at[AT_NAME]);
	if (dw_has(die, AT_LINKAGE))
		maker_string(s->m, &die->at[AT_LINKAGE]);
}

static void
see(struct scan *s, const struct dw_die *die, const struct level *level)
{
	see_strings(s, die);
	if (scan_type_kind(die->tag)
	    && (die->tag != DW_TAG_subrange_type
		|| level->tag != DW_TAG_array_type))
		mark_type(s->u, die->offset);
	if (die->tag == DW_TAG_subprogram && is_code(s, die))
		buf_put(&s->u->functions, &die->offset, sizeof(die->offset));
	if (is_variable(die, level))
		buf_put(&s->u->variables, &die->offset, sizeof(die->offset));
}

static bool
descend(struct scan *s, const struct dw_die *die)
{
	struct level *from = &s->levels[s->depth];

	if (++s->depth == DW_DEPTH_MAX)
		return false;
	struct level *to = &s->levels[s->depth];
	*to = *from;
	to->opened = false;
	to->tag = die->tag;
	if (die->tag == DW_TAG_subprogram)
		to->in_function = true;
	return !is_scope(die->tag) || open_scope(s, die, to);
}

static void
ascend(struct scan *s, uint32_t end)
{
	struct level *level = &s->levels[s->depth--];
	size_t n;

	if (level->opened)
		scopes_of(s->u, &n)[level->scope].end = end;
}

static bool
walk(struct scan *s, const struct dw_die *root)
{
	struct dw_die die = { .after = root->after };

	s->levels[0].scope = UINT32_MAX;
	while (die.after < s->u->size) {
		if (!dw_read(s->u, die.after, &die))
			return false;
		if (!die.tag) {
			if (!s->depth)
				return true;
			ascend(s, die.after);
			continue;
		}
		see(s, &die, &s->levels[s->depth]);
		if (die.children && !descend(s, &die))
			return false;
	}
	while (s->depth)
		ascend(s, s->u->size);
	return true;
}

static void
see_root(struct maker *m, struct dw_unit *u, const struct dw_die *root)
{
	u->name = maker_attr_string(m, root, AT_NAME);
	u->dir = u->root.comp_dir.form ? maker_string(m, &u->root.comp_dir)
		 : STR_NONE;
	u->producer = u->root.producer.form
		      ? maker_string(m, &u->root.producer) : STR_NONE;
}

static bool
scan(struct maker *m, struct dw_unit *u, struct arena *scratch)
{
	struct scan *s = arena_alloc(scratch, sizeof(*s));
	struct dw_die root;

	u->bits = calloc(u->size / 64 + 1, sizeof(*u->bits));
	if (!s || !u->bits)
		return false;
	s->m = m;
	s->u = u;
	if (!dw_read(u, u->header, &root) || !root.tag)
		return false;
	see_root(m, u, &root);
	/* Of types alone there are no rows, nor of what another tells. */
	bool fine = u->lines
		    || dw_rows(u, u->type != DW_UT_type
			       && u->type != DW_UT_split_type, name_file, m);
	/* The split unit tells the same, and more. */
	if (root.children && !u->split)
		fine = walk(s, &root) && fine;
	return fine;
}

void
scan_unit(struct maker *m, uint32_t unit, struct arena *scratch)
{
	struct dw_unit *u = m->units[unit];

	u->name = u->dir = u->producer = STR_NONE;
	if (!u->lost && !scan(m, u, scratch))
		u->lost = true;
	if (u->bits && !rank_types(u))
		__atomic_store_n(&m->failed, true, __ATOMIC_RELAXED);
}
