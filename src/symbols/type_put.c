/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a type: with keys, to tell it from others, or as written. */
#include <stdlib.h>

#include "symbols/make.h"

#define METHODS_MAX 1024u       /* virtual ones of a class and its bases */

/* ---- parts ------------------------------------------------------------------- */
static void
text_put(struct type_out *to, uint64_t handle)
{
	if (to->keys)
		buf_u64(to->out, strings_hash(handle));
	else
		put_string(to->m, to->out, handle);
}

static void
ref_put(struct type_out *to, const struct dw_die *die, enum dw_slot slot)
{
	struct dw_unit *unit;
	uint32_t offset;

	if (!to->keys)
		put_uleb(to->out, (uint32_t)(types_ref(to->m, die, slot) + 1));
	else if (dw_has(die, slot)
		 && dw_target(&die->at[slot], &unit, &offset))
		buf_u64(to->out, types_key(to->m, unit, offset, to->depth));
	else
		buf_u64(to->out, 0);
}

static void
attr_text_put(struct type_out *to, const struct dw_die *die)
{
	text_put(to, maker_attr_string(to->m, die, AT_NAME));
}

static void
expr_put_in(struct type_out *to, const struct dw_value *v)
{
	const struct expr_place place = { .m = to->m };
	struct span expr = { v->at, (size_t)v->u };

	/* References in it are offsets: nobody else's are the same. */
	if (to->keys)
		buf_u64(to->out, v->unit->number);
	if (to->keys)
		buf_put(to->out, expr.data, expr.n);
	else
		expr_put(&place, v->unit, expr, to->out);
}

static void
dynamic_put(struct type_out *to, const struct dw_die *die, enum dw_slot slot,
	    enum format_part part)
{
	if (!dw_has(die, slot) || !dw_is_block(&die->at[slot]))
		return;
	buf_putc(to->out, (char)part);
	expr_put_in(to, &die->at[slot]);
}

/* ---- members ------------------------------------------------------------------- */
/* The bytes of what a member is, behind its names and qualifiers. */
static uint64_t
size_of_type(const struct dw_die *die)
{
	struct dw_die one, two, *next = &one;

	for (unsigned hops = 0; hops < DW_HOPS_MAX; hops++) {
		if (dw_has(die, AT_BYTE_SIZE))
			return dw_number(die, AT_BYTE_SIZE, 0);
		if (!dw_follow(die, AT_TYPE, next))
			return 0;
		die = next;
		next = next == &one ? &two : &one;
	}
	return 0;
}

/* DWARF 2, 5.5.4: counted from the high end of the storage. */
static uint64_t
old_bit_offset(const struct dw_die *die, uint64_t bits)
{
	uint64_t from = dw_number(die, AT_BIT_OFFSET, 0);

	return die->unit->file->big ? from
	       : size_of_type(die) * 8 - from - bits;
}

/* DW_OP_plus_uconst N, as DWARF 2 tells offsets. */
static bool
is_plain_offset(const struct dw_value *v, uint64_t *out)
{
	struct cur c = cur_of(v->at, (size_t)v->u);

	if (cur_u8(&c) != DW_OP_plus_uconst)
		return false;
	*out = cur_uleb(&c);
	return !c.failed && !cur_left(&c);
}

static bool
is_static(const struct dw_die *die)
{
	return die->tag == DW_TAG_variable
	       || (die->tag == DW_TAG_member && dw_flag(die, AT_EXTERNAL));
}

static unsigned
member_flags(const struct dw_die *die)
{
	unsigned flags = 0;

	if (die->tag == DW_TAG_inheritance)
		flags |= SYM_MEMBER_BASE;
	if (dw_number(die, AT_VIRTUALITY, 0))
		flags |= SYM_MEMBER_VIRTUAL;
	if (is_static(die))
		flags |= SYM_MEMBER_STATIC;
	if (dw_flag(die, AT_ARTIFICIAL))
		flags |= SYM_MEMBER_ARTIFICIAL;
	return flags;
}

/** Which member, and of which variant (plus one). */
struct member_of {
	uint32_t variant;
	bool discriminant;
};

static void
member_put(struct type_out *to, const struct dw_die *die,
	   struct member_of of)
{
	const struct dw_value *place = &die->at[AT_MEMBER_LOCATION];
	uint64_t bits = dw_number(die, AT_BIT_SIZE, 0);
	uint64_t offset = 8 * dw_number(die, AT_MEMBER_LOCATION, 0), plain;
	uint64_t linkage = is_static(die)
			   ? maker_attr_string(to->m, die, AT_LINKAGE)
			   : STR_NONE;
	int64_t value = 0;
	unsigned has = 0;

	if (dw_has(die, AT_MEMBER_LOCATION) && dw_is_block(place)) {
		if (is_plain_offset(place, &plain))
			offset = 8 * plain;
		else
			has |= MEMBER_EXPR;
	}
	if (dw_has(die, AT_DATA_BIT_OFFSET))
		offset = dw_number(die, AT_DATA_BIT_OFFSET, 0);
	else if (dw_has(die, AT_BIT_OFFSET))
		offset += old_bit_offset(die, bits);
	if (dw_has(die, AT_CONST) && dw_constant(&die->at[AT_CONST], &value))
		has |= MEMBER_VALUE;
	has |= bits ? MEMBER_BITS : 0;
	has |= of.variant ? MEMBER_IN_VARIANT : 0;
	has |= linkage != STR_NONE ? MEMBER_LINKAGE : 0;
	buf_putc(to->out, PART_MEMBER);
	put_uleb(to->out, has);
	put_uleb(to->out, member_flags(die)
		 | (of.discriminant ? SYM_MEMBER_DISCRIMINANT : 0));
	attr_text_put(to, die);
	ref_put(to, die, AT_TYPE);
	put_uleb(to->out, offset);
	if (has & MEMBER_BITS)
		put_uleb(to->out, bits);
	if (has & MEMBER_IN_VARIANT)
		put_uleb(to->out, of.variant - 1);
	if (has & MEMBER_EXPR)
		expr_put_in(to, place);
	if (has & MEMBER_VALUE)
		put_sleb(to->out, value);
	if (has & MEMBER_LINKAGE)
		text_put(to, linkage);
}

/* ---- children -------------------------------------------------------------------- */
/** What a walk over the children of a type knows. */
struct children {
	struct type_out *to;
	uint32_t variants;              /* so many were told */
	uint32_t discriminant;          /* where it is, or 0 */
	unsigned depth;
};
typedef void child_fn(struct children *c, const struct dw_die *die);
static void children_put(struct children *c, const struct dw_die *die);

static void
child_member(struct children *c, const struct dw_die *die)
{
	member_put(c->to, die, (struct member_of){
		.discriminant = c->discriminant == die->offset,
	});
}

static void
child_enumerator(struct children *c, const struct dw_die *die)
{
	buf_putc(c->to->out, PART_ENUMERATOR);
	attr_text_put(c->to, die);
	put_sleb(c->to->out, (int64_t)dw_number(die, AT_CONST, 0));
}

static void
child_argument(struct children *c, const struct dw_die *die)
{
	int64_t value = 0;
	bool is_value = dw_has(die, AT_CONST)
			&& dw_constant(&die->at[AT_CONST], &value);

	buf_putc(c->to->out, PART_ARGUMENT);
	attr_text_put(c->to, die);
	ref_put(c->to, die, AT_TYPE);
	buf_putc(c->to->out, is_value);
	if (is_value)
		put_sleb(c->to->out, value);
}

static void
child_parameter(struct children *c, const struct dw_die *die)
{
	buf_putc(c->to->out, PART_PARAMETER);
	ref_put(c->to, die, AT_TYPE);
}

static void
child_variadic(struct children *c, const struct dw_die *die)
{
	(void)die;
	buf_putc(c->to->out, PART_VARIADIC);
}

/* ---- dimensions ---- */
static void
bound_variable(struct type_out *to, struct dw_unit *u, uint32_t offset)
{
	struct dw_die die;
	uint64_t name = STR_NONE;

	if (dw_read(u, offset, &die) && die.tag) {
		struct origin home = { u, offset };

		origin_add(&die, &home);
		name = dw_has(&die, AT_NAME)
		       ? maker_attr_string(to->m, &die, AT_NAME)
		       : scan_nameless(to->m, home.unit, home.offset);
	}
	buf_putc(to->out, SYM_BOUND_VARIABLE);
	text_put(to, name);
}

static void
bound_put(struct type_out *to, const struct dw_value *v)
{
	struct span expr = { v->at, (size_t)v->u };
	struct dw_unit *unit;
	uint32_t offset;
	int64_t constant;

	if (dw_constant(v, &constant)) {
		buf_putc(to->out, SYM_BOUND_CONSTANT);
		put_sleb(to->out, constant);
	} else if (dw_is_block(v)
		   ? expr_is_variable(v->unit, expr, &unit, &offset)
		   : dw_target(v, &unit, &offset)) {
		bound_variable(to, unit, offset);
	} else if (dw_is_block(v)) {
		buf_putc(to->out, SYM_BOUND_EXPR);
		expr_put_in(to, v);
	} else {
		buf_putc(to->out, SYM_BOUND_OPEN);
	}
}

/* DWARF 5, 5.13 and table 7.17. */
static bool
counts_from_one(uint16_t language)
{
	switch (language) {
	case DW_LANG_Ada83:
	case DW_LANG_Ada95:
	case DW_LANG_Cobol74:
	case DW_LANG_Cobol85:
	case DW_LANG_Fortran77:
	case DW_LANG_Fortran90:
	case DW_LANG_Fortran95:
	case DW_LANG_Fortran03:
	case DW_LANG_Fortran08:
	case DW_LANG_Pascal83:
	case DW_LANG_Modula2:
	case DW_LANG_PLI:
		return true;
	default:
		return false;
	}
}

static void
child_dimension(struct children *c, const struct dw_die *die)
{
	struct type_out *to = c->to;
	bool is_count = dw_has(die, AT_COUNT);
	enum dw_slot upper = is_count ? AT_COUNT : AT_UPPER;

	buf_putc(to->out, PART_DIMENSION);
	buf_putc(to->out, is_count);
	if (dw_has(die, AT_LOWER)) {
		bound_put(to, &die->at[AT_LOWER]);
	} else {
		buf_putc(to->out, SYM_BOUND_CONSTANT);
		put_sleb(to->out, counts_from_one(die->unit->language));
	}
	if (dw_has(die, upper))
		bound_put(to, &die->at[upper]);
	else
		buf_putc(to->out, SYM_BOUND_OPEN);
	if (dw_has(die, AT_STRIDE))
		bound_put(to, &die->at[AT_STRIDE]);
	else
		buf_putc(to->out, SYM_BOUND_OPEN);
}

/* ---- variants ---- */
/* DWARF 5, 5.7.10: a value, or a list of labels and ranges. */
static uint32_t
discriminants_put(struct buf *out, const struct dw_die *die)
{
	const struct dw_value *list = &die->at[AT_DISCR_LIST];
	uint32_t n = 0;

	if (dw_has(die, AT_DISCR_VALUE)) {
		uint64_t v = dw_number(die, AT_DISCR_VALUE, 0);

		put_uleb(out, v);
		put_uleb(out, v);
		return 1;
	}
	if (!dw_has(die, AT_DISCR_LIST) || !dw_is_block(list))
		return 0;
	struct cur c = cur_of(list->at, (size_t)list->u);
	for (; cur_left(&c); n++) {
		bool range = cur_u8(&c) == DW_DSC_range;
		uint64_t low = cur_uleb(&c), high = range ? cur_uleb(&c) : low;

		put_uleb(out, low);
		put_uleb(out, high);
	}
	return n;
}

static void
child_variant(struct children *c, const struct dw_die *die)
{
	_buf_ struct buf values = { 0 };
	uint32_t n = discriminants_put(&values, die), after = die->after;
	struct dw_die member;

	buf_putc(c->to->out, PART_VARIANT);
	put_uleb(c->to->out, n);
	buf_put(c->to->out, values.data, values.len);
	c->variants++;
	if (!die->children)
		return;
	while (dw_read(die->unit, after, &member) && member.tag) {
		if (member.tag == DW_TAG_member)
			member_put(c->to, &member, (struct member_of){
				.variant = c->variants,
			});
		if (!dw_skip(&member, &after))
			return;
	}
}

static void
child_variant_part(struct children *c, const struct dw_die *die)
{
	struct dw_unit *unit;
	uint32_t offset;

	if (dw_has(die, AT_DISCRIMINANT)
	    && dw_target(&die->at[AT_DISCRIMINANT], &unit, &offset))
		c->discriminant = offset;
	children_put(c, die);
}

static const struct {
	uint16_t tag;
	child_fn *put;
} child_table[] = {
	{ DW_TAG_member, child_member },
	{ DW_TAG_inheritance, child_member },
	{ DW_TAG_variable, child_member },
	{ DW_TAG_enumerator, child_enumerator },
	{ DW_TAG_template_type_parameter, child_argument },
	{ DW_TAG_template_value_parameter, child_argument },
	{ DW_TAG_GNU_template_parameter_pack, children_put },
	{ DW_TAG_formal_parameter, child_parameter },
	{ DW_TAG_unspecified_parameters, child_variadic },
	{ DW_TAG_subrange_type, child_dimension },
	{ DW_TAG_generic_subrange, child_dimension },
	{ DW_TAG_variant_part, child_variant_part },
	{ DW_TAG_variant, child_variant },
};

static void
children_put(struct children *c, const struct dw_die *die)
{
	uint32_t after = die->after;
	struct dw_die child;

	if (!die->children || c->depth == 4)
		return;
	c->depth++;
	while (dw_read(die->unit, after, &child) && child.tag) {
		for (size_t k = 0; k < countof(child_table); k++)
			if (child_table[k].tag == child.tag)
				child_table[k].put(c, &child);
		if (!dw_skip(&child, &after))
			break;
	}
	c->depth--;
}

/* ---- virtual functions ---- */
/** Of a class and of the bases that always stand in the same place of it. */
struct methods {
	struct type_out *to;
	unsigned left;                  /* so many may be told yet */
	unsigned depth;                 /* of bases of bases */
};

/* DW_OP_constu N (DWARF 5, 5.7.8); no compiler has used another. */
static bool
is_slot(const struct dw_die *die, uint64_t *out)
{
	const struct dw_value *v = &die->at[AT_VTABLE_ELEM];

	if (!dw_has(die, AT_VTABLE_ELEM) || !dw_is_block(v))
		return false;
	struct cur c = cur_of(v->at, (size_t)v->u);
	if (cur_u8(&c) != DW_OP_constu)
		return false;
	*out = cur_uleb(&c);
	return !c.failed && !cur_left(&c) && *out <= UINT32_MAX;
}

static void
method_put(struct methods *m, const struct dw_die *die, uint64_t at)
{
	uint64_t slot, name;

	if (!m->left || at > INT32_MAX || !is_slot(die, &slot))
		return;
	name = maker_attr_string(m->to->m, die, AT_LINKAGE);
	if (name == STR_NONE)
		return;
	m->left--;
	buf_putc(m->to->out, PART_ENUMERATOR);
	text_put(m->to, name);
	put_sleb(m->to->out, (int64_t)(at << 32 | slot));
}

/** A class that the attribute names, in a unit of its own perhaps. */
static bool
class_of(const struct dw_die *die, enum dw_slot slot, struct dw_die *out)
{
	struct dw_die other;

	if (!dw_follow(die, slot, out))
		return false;
	if (dw_follow(out, AT_SIGNATURE, &other))
		*out = other;
	return out->tag == DW_TAG_class_type
	       || out->tag == DW_TAG_structure_type;
}

static bool
is_fixed_base(const struct dw_die *die)
{
	return die->tag == DW_TAG_inheritance
	       && !dw_number(die, AT_VIRTUALITY, 0);
}

/* Its own first: a base's function in the same place is another's name. */
static void
methods_of(struct methods *m, const struct dw_die *class, uint64_t at)
{
	uint32_t after = class->after;
	struct dw_die child, base;

	for (unsigned bases = 0; bases < 2; bases++, after = class->after)
		while (class->children && dw_read(class->unit, after, &child)
		       && child.tag) {
			if (!bases && child.tag == DW_TAG_subprogram)
				method_put(m, &child, at);
			if (bases && is_fixed_base(&child)
			    && m->depth < DW_HOPS_MAX
			    && class_of(&child, AT_TYPE, &base)) {
				m->depth++;
				methods_of(m, &base, at + dw_number(
					&child, AT_MEMBER_LOCATION, 0));
				m->depth--;
			}
			if (!dw_skip(&child, &after))
				break;
		}
}

/* A class has no functions in an index: who points to one knows which. */
static void
methods_put(struct type_out *to, const struct dw_die *die)
{
	struct methods m = { .to = to, .left = METHODS_MAX };
	struct dw_die function, class;

	if (dw_follow(die, AT_TYPE, &function)
	    && function.tag == DW_TAG_subroutine_type
	    && class_of(die, AT_CONTAINING, &class))
		methods_of(&m, &class, 0);
}

/* ---- the record --------------------------------------------------------------------- */
static unsigned
type_flags(const struct dw_die *die)
{
	uint64_t endianity = dw_number(die, AT_ENDIANITY, DW_END_default);
	unsigned flags = 0;

	if (dw_flag(die, AT_DECLARATION))
		flags |= SYM_TYPE_DECLARED;
	if (endianity == DW_END_big
	    || (endianity == DW_END_default && die->unit->file->big
		&& die->tag == DW_TAG_base_type))
		flags |= SYM_TYPE_BIG_ENDIAN;
	if (dw_flag(die, AT_ENUM_CLASS))
		flags |= SYM_TYPE_ENUM_CLASS;
	if (dw_flag(die, AT_VECTOR))
		flags |= SYM_TYPE_VECTOR;
	if (dw_flag(die, AT_PROTOTYPED))
		flags |= SYM_TYPE_PROTOTYPED;
	return flags;
}

static uint64_t
prefix_at(const struct origin *home)
{
	const struct dw_scope *scope = scan_scope(home->unit, home->offset);

	return scope ? scope->prefix : STR_NONE;
}

static bool
is_address(enum sym_type_kind kind)
{
	return kind == SYM_TYPE_POINTER || kind == SYM_TYPE_REFERENCE
	       || kind == SYM_TYPE_RVALUE_REFERENCE;
}

static uint64_t
size_told(const struct dw_die *die, enum sym_type_kind kind)
{
	uint64_t bits = dw_number(die, AT_BIT_SIZE, 0);

	if (is_address(kind))
		return dw_number(die, AT_BYTE_SIZE, die->unit->address_size);
	return dw_number(die, AT_BYTE_SIZE, (bits + 7) / 8);
}

/*
 * What a typedef stands for, by names alone: those that a template makes of
 * one line (an alias's, a member's) have one name and may be of two types.
 */
static uint64_t
behind_typedef(struct maker *m, const struct dw_die *die)
{
	struct dw_die one = { 0 }, two = { 0 }, *next = &one;
	uint64_t sum = 0;

	for (unsigned hops = 0; hops < DW_HOPS_MAX; hops++) {
		if (!dw_follow(die, AT_TYPE, next))
			break;
		die = next;
		next = next == &one ? &two : &one;
		const uint64_t words[] = {
			sum, scan_type_kind(die->tag),
			strings_hash(maker_attr_string(m, die, AT_NAME)),
		};
		sum = format_hash(words, sizeof(words)) | 1;
	}
	return sum;
}

uint64_t
type_identity(struct maker *m, const struct dw_die *die)
{
	struct dw_die named = *die;
	struct origin home = { die->unit, die->offset };
	enum sym_type_kind kind = scan_type_kind(die->tag);

	if (!dw_has(die, AT_NAME) || dw_has(die, AT_SPECIFICATION))
		origin_add(&named, &home);
	const uint64_t words[] = {
		(uint64_t)kind << 32 | type_flags(die),
		strings_hash(maker_attr_string(m, &named, AT_NAME)),
		strings_hash(prefix_at(&home)), size_told(die, kind),
		dw_has(die, AT_DECL_FILE)
		? strings_hash(maker_file(&die->at[AT_DECL_FILE])) : 0,
		dw_number(die, AT_DECL_LINE, 0),
		dw_number(die, AT_ENCODING, 0),
		kind == SYM_TYPE_TYPEDEF ? behind_typedef(m, die) : 0,
	};

	return format_hash(words, sizeof(words)) | 1;
}

void
type_put(struct type_out *to, const struct dw_die *die)
{
	enum sym_type_kind kind = scan_type_kind(die->tag);
	struct dw_die named = *die;
	struct origin home = { die->unit, die->offset };
	struct children c = { .to = to };
	uint64_t size = size_told(die, kind);
	uint64_t bits = dw_number(die, AT_BIT_SIZE, 0);

	/* In a type unit the declaration alone is in its namespace. */
	if (dw_has(die, AT_SPECIFICATION))
		origin_add(&named, &home);
	buf_putc(to->out, (char)kind);
	put_uleb(to->out, type_flags(die));
	buf_putc(to->out, (char)dw_number(die, AT_ENCODING, 0));
	attr_text_put(to, &named);
	text_put(to, prefix_at(&home));
	if (!to->keys)
		put_uleb(to->out, die->unit->number);
	put_uleb(to->out, size);
	put_uleb(to->out, bits != 8 * size ? bits : 0);
	ref_put(to, die, AT_TYPE);
	ref_put(to, die, AT_CONTAINING);
	dynamic_put(to, die, AT_DATA_LOCATION, PART_DATA_LOCATION);
	dynamic_put(to, die, AT_ALLOCATED, PART_ALLOCATED);
	dynamic_put(to, die, AT_ASSOCIATED, PART_ASSOCIATED);
	if (die->tag == DW_TAG_subrange_type)
		child_dimension(&c, die);
	else if (die->tag == DW_TAG_string_type
		 && dw_has(die, AT_STRING_LENGTH))
		dynamic_put(to, die, AT_STRING_LENGTH, PART_DATA_LOCATION);
	children_put(&c, die);
	if (die->tag == DW_TAG_ptr_to_member_type)
		methods_put(to, die);
	buf_putc(to->out, PART_END);
}

/* ---- its name -------------------------------------------------------------------------- */
/* The n of n<int>: gdb and people leave the arguments out. */
void
put_name(struct maker *m, const struct dw_die *die, enum sym_what what,
	 uint32_t number, struct buf *names)
{
	struct dw_file *file;
	uint64_t place;
	const char *text = dw_has(die, AT_NAME)
			   ? dw_text(&die->at[AT_NAME], &file, &place) : NULL;

	(void)m;
	if (!text || !text[0])
		return;
	struct format_name name = {
		.hash = format_name_hash(text, strlen(text)),
		.what = (uint32_t)what << FORMAT_WHAT_SHIFT | number,
	};
	buf_put(names, &name, sizeof(name));
}

static void
enumerator_names(struct maker *m, const struct dw_die *die, uint32_t number,
		 struct buf *names)
{
	uint32_t after = die->after;
	struct dw_die child;

	while (die->children && dw_read(die->unit, after, &child)
	       && child.tag) {
		if (child.tag == DW_TAG_enumerator)
			put_name(m, &child, SYM_AN_ENUMERATOR, number, names);
		if (!dw_skip(&child, &after))
			return;
	}
}

void
type_put_name(struct maker *m, const struct dw_die *die, uint32_t number,
	      struct buf *names)
{
	struct dw_die named = *die;
	struct origin home = { die->unit, die->offset };

	if (dw_flag(die, AT_DECLARATION))
		return;
	if (!dw_has(die, AT_NAME) && dw_has(die, AT_SPECIFICATION))
		origin_add(&named, &home);
	put_name(m, &named, SYM_A_TYPE, number, names);
	if (die->tag == DW_TAG_enumeration_type)
		enumerator_names(m, die, number, names);
}
