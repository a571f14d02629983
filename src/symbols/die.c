/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of DWARF: abbreviations, forms, and what attributes mean. */
#include <stdlib.h>

#include "symbols/dw.h"

#define ABBREVS_MAX (1u << 20)
#define ATTRS_MAX 4096u

struct dw_attr {
	uint16_t form;
	uint8_t slot;
	uint16_t at;
	int64_t implicit;
};
struct dw_abbrev {
	uint16_t tag;
	bool children;
	uint32_t first, n;              /* of the attributes of all */
};
struct dw_abbrevs {
	struct buf attrs;               /* struct dw_attr */
	struct buf table;               /* struct dw_abbrev, by code */
};

/* ---- abbreviations --------------------------------------------------------- */
/* What is not there is 0: AT_NAME, which has a row of its own in slot_of(). */
static const uint8_t standard[] = {
	[DW_AT_linkage_name] = AT_LINKAGE, [DW_AT_type] = AT_TYPE,
	[DW_AT_abstract_origin] = AT_ORIGIN,
	[DW_AT_specification] = AT_SPECIFICATION, [DW_AT_low_pc] = AT_LOW,
	[DW_AT_high_pc] = AT_HIGH, [DW_AT_ranges] = AT_RANGES,
	[DW_AT_location] = AT_LOCATION, [DW_AT_const_value] = AT_CONST,
	[DW_AT_decl_file] = AT_DECL_FILE, [DW_AT_decl_line] = AT_DECL_LINE,
	[DW_AT_call_file] = AT_CALL_FILE, [DW_AT_call_line] = AT_CALL_LINE,
	[DW_AT_call_column] = AT_CALL_COLUMN,
	[DW_AT_byte_size] = AT_BYTE_SIZE, [DW_AT_bit_size] = AT_BIT_SIZE,
	[DW_AT_data_bit_offset] = AT_DATA_BIT_OFFSET,
	[DW_AT_bit_offset] = AT_BIT_OFFSET,
	[DW_AT_data_member_location] = AT_MEMBER_LOCATION,
	[DW_AT_encoding] = AT_ENCODING, [DW_AT_upper_bound] = AT_UPPER,
	[DW_AT_lower_bound] = AT_LOWER, [DW_AT_count] = AT_COUNT,
	[DW_AT_byte_stride] = AT_STRIDE, [DW_AT_bit_stride] = AT_BIT_STRIDE,
	[DW_AT_declaration] = AT_DECLARATION, [DW_AT_external] = AT_EXTERNAL,
	[DW_AT_artificial] = AT_ARTIFICIAL, [DW_AT_inline] = AT_INLINE,
	[DW_AT_sibling] = AT_SIBLING, [DW_AT_signature] = AT_SIGNATURE,
	[DW_AT_frame_base] = AT_FRAME_BASE,
	[DW_AT_static_link] = AT_STATIC_LINK,
	[DW_AT_virtuality] = AT_VIRTUALITY, [DW_AT_discr] = AT_DISCRIMINANT,
	[DW_AT_discr_value] = AT_DISCR_VALUE,
	[DW_AT_discr_list] = AT_DISCR_LIST,
	[DW_AT_containing_type] = AT_CONTAINING,
	[DW_AT_enum_class] = AT_ENUM_CLASS,
	[DW_AT_prototyped] = AT_PROTOTYPED, [DW_AT_endianity] = AT_ENDIANITY,
	[DW_AT_data_location] = AT_DATA_LOCATION,
	[DW_AT_allocated] = AT_ALLOCATED, [DW_AT_associated] = AT_ASSOCIATED,
	[DW_AT_string_length] = AT_STRING_LENGTH,
	[DW_AT_call_return_pc] = AT_CALL_RETURN, [DW_AT_call_pc] = AT_CALL_PC,
	[DW_AT_call_tail_call] = AT_CALL_TAIL,
	[DW_AT_call_target] = AT_CALL_TARGET,
	[DW_AT_call_value] = AT_CALL_VALUE,
	[DW_AT_call_data_value] = AT_CALL_DATA_VALUE,
	[DW_AT_call_parameter] = AT_CALL_PARAMETER,
	[DW_AT_call_origin] = AT_CALL_ORIGIN,
	[DW_AT_default_value] = AT_DEFAULT,
	[DW_AT_vtable_elem_location] = AT_VTABLE_ELEM,
	[DW_AT_stmt_list] = AT_UNIT,
	[DW_AT_str_offsets_base] = AT_UNIT, [DW_AT_addr_base] = AT_UNIT,
	[DW_AT_rnglists_base] = AT_UNIT, [DW_AT_loclists_base] = AT_UNIT,
	[DW_AT_dwo_name] = AT_UNIT, [DW_AT_comp_dir] = AT_UNIT,
	[DW_AT_producer] = AT_UNIT, [DW_AT_language] = AT_UNIT,
};
#define GNU_FIRST 0x2100u
static const uint8_t gnu[] = {
	[DW_AT_GNU_vector - GNU_FIRST] = AT_VECTOR,
	[DW_AT_GNU_tail_call - GNU_FIRST] = AT_CALL_TAIL,
	[DW_AT_GNU_call_site_target - GNU_FIRST] = AT_CALL_TARGET,
	[DW_AT_GNU_call_site_value - GNU_FIRST] = AT_CALL_VALUE,
	[DW_AT_GNU_call_site_data_value - GNU_FIRST] = AT_CALL_DATA_VALUE,
	[DW_AT_GNU_addr_base - GNU_FIRST] = AT_UNIT,
	[DW_AT_GNU_ranges_base - GNU_FIRST] = AT_UNIT,
	[DW_AT_GNU_dwo_name - GNU_FIRST] = AT_UNIT,
	[DW_AT_GNU_dwo_id - GNU_FIRST] = AT_UNIT,
};

static uint8_t
slot_of(uint64_t at)
{
	uint8_t slot = at < countof(standard) ? standard[at]
		       : at - GNU_FIRST < countof(gnu) ? gnu[at - GNU_FIRST]
		       : at == DW_AT_MIPS_linkage_name ? AT_LINKAGE : 0;

	return at == DW_AT_name ? AT_NAME : slot ? slot : AT_NONE;
}

static bool
parse_attrs(struct cur *c, struct dw_abbrevs *to, struct dw_abbrev *abbrev)
{
	abbrev->first = (uint32_t)(to->attrs.len / sizeof(struct dw_attr));
	for (; abbrev->n < ATTRS_MAX; abbrev->n++) {
		uint64_t at = cur_uleb(c), form = cur_uleb(c);
		struct dw_attr attr = {
			.form = (uint16_t)form, .at = (uint16_t)at,
			.slot = slot_of(at),
		};

		if (form == DW_FORM_implicit_const)
			attr.implicit = cur_sleb(c);
		if (c->failed || form > UINT16_MAX)
			return false;
		if (!at && !form)
			return true;
		buf_put(&to->attrs, &attr, sizeof(attr));
	}
	return false;
}

static bool
put_abbrev(struct dw_abbrevs *to, uint64_t code, const struct dw_abbrev *abbrev)
{
	size_t n = to->table.len / sizeof(*abbrev);

	if (code >= ABBREVS_MAX)
		return false;
	if (code >= n)
		buf_zero(&to->table, (code + 1 - n) * sizeof(*abbrev));
	if (to->table.failed || to->attrs.failed)
		return false;
	((struct dw_abbrev *)(void *)to->table.data)[code] = *abbrev;
	return true;
}

static bool
parse_all(struct cur *c, struct dw_abbrevs *to)
{
	for (;;) {
		uint64_t code = cur_uleb(c);
		struct dw_abbrev abbrev = { 0 };

		if (c->failed || !code)
			return !c->failed || to->table.len;
		abbrev.tag = (uint16_t)cur_uleb(c);
		abbrev.children = cur_u8(c);
		if (!parse_attrs(c, to, &abbrev)
		    || !put_abbrev(to, code, &abbrev))
			return false;
	}
}

struct err *
dw_abbrevs_parse(const struct dw_file *f, uint64_t offset,
		 struct dw_abbrevs **out)
{
	const struct span *all = &f->section[DW_ABBREV];
	struct dw_abbrevs *a = calloc(1, sizeof(*a));

	if (!a)
		return err_nomem();
	if (offset < all->n) {
		struct cur c = cur_of((const uint8_t *)all->data + offset,
				      all->n - offset);
		if (!parse_all(&c, a))
			buf_reset(&a->table);
	}
	*out = a;
	return NULL;
}

void
dw_abbrevs_free(struct dw_abbrevs *a)
{
	if (!a)
		return;
	buf_fini(&a->attrs);
	buf_fini(&a->table);
	free(a);
}

/* ---- forms ------------------------------------------------------------------- */
static void
read_block(struct cur *c, uint64_t n, struct dw_value *v)
{
	v->u = n;
	v->at = cur_bytes(c, n);
	if (!v->at)
		v->u = 0;
}

static void
read_string(struct cur *c, struct dw_value *v)
{
	v->at = c->p;
	if (!cur_str(c))
		v->at = NULL;
}

/* Sizes of forms that are a number; 0xfe: a LEB128, 0xff: of an offset. */
#define LEB 0xfe
#define OFFSET 0xff
static const uint8_t number_forms[] = {
	[DW_FORM_data1] = 1, [DW_FORM_data2] = 2, [DW_FORM_data4] = 4,
	[DW_FORM_data8] = 8, [DW_FORM_flag] = 1, [DW_FORM_ref1] = 1,
	[DW_FORM_ref2] = 2, [DW_FORM_ref4] = 4, [DW_FORM_ref8] = 8,
	[DW_FORM_ref_sig8] = 8, [DW_FORM_ref_sup4] = 4, [DW_FORM_ref_sup8] = 8,
	[DW_FORM_strx1] = 1, [DW_FORM_strx2] = 2, [DW_FORM_strx3] = 3,
	[DW_FORM_strx4] = 4, [DW_FORM_addrx1] = 1, [DW_FORM_addrx2] = 2,
	[DW_FORM_addrx3] = 3, [DW_FORM_addrx4] = 4, [DW_FORM_udata] = LEB,
	[DW_FORM_ref_udata] = LEB, [DW_FORM_strx] = LEB,
	[DW_FORM_addrx] = LEB, [DW_FORM_loclistx] = LEB,
	[DW_FORM_rnglistx] = LEB, [DW_FORM_strp] = OFFSET,
	[DW_FORM_line_strp] = OFFSET, [DW_FORM_strp_sup] = OFFSET,
	[DW_FORM_sec_offset] = OFFSET,
};

static void
read_odd_form(struct cur *c, const struct dw_unit *u, struct dw_value *v)
{
	switch (v->form) {
	case DW_FORM_addr:
		v->u = cur_uint(c, u->address_size);
		break;
	case DW_FORM_ref_addr:
		v->u = cur_uint(c, u->version <= 2 ? u->address_size
				: u->offset_size);
		break;
	case DW_FORM_GNU_addr_index:
	case DW_FORM_GNU_str_index:
		v->u = cur_uleb(c);
		break;
	case DW_FORM_GNU_ref_alt:
	case DW_FORM_GNU_strp_alt:
		v->u = cur_uint(c, u->offset_size);
		break;
	case DW_FORM_sdata:
		v->u = (uint64_t)cur_sleb(c);
		break;
	case DW_FORM_string:
		read_string(c, v);
		break;
	case DW_FORM_flag_present:
		v->u = 1;
		break;
	case DW_FORM_block1:
		read_block(c, cur_u8(c), v);
		break;
	case DW_FORM_block2:
		read_block(c, cur_u16(c), v);
		break;
	case DW_FORM_block4:
		read_block(c, cur_u32(c), v);
		break;
	case DW_FORM_block:
	case DW_FORM_exprloc:
		read_block(c, cur_uleb(c), v);
		break;
	case DW_FORM_data16:
		read_block(c, 16, v);
		break;
	default:
		cur_fail(c);
	}
}

static inline void
read_form(struct cur *c, const struct dw_unit *u, const struct dw_attr *attr,
	  struct dw_value *v)
{
	uint8_t size;

	v->form = attr->form;
	v->at = NULL;
	if (v->form == DW_FORM_implicit_const) {
		v->u = (uint64_t)attr->implicit;
		v->form = DW_FORM_sdata;
		return;
	}
	if (v->form == DW_FORM_indirect)
		v->form = (uint16_t)cur_uleb(c);
	size = v->form < countof(number_forms) ? number_forms[v->form] : 0;
	if (size && size <= 8)
		v->u = cur_uint(c, size);
	else if (size == LEB)
		v->u = cur_uleb(c);
	else if (size == OFFSET)
		v->u = cur_uint(c, u->offset_size);
	else
		read_odd_form(c, u, v);
}

/* ---- entries -------------------------------------------------------------------- */
static struct cur
cursor_at(const struct dw_unit *u, uint32_t offset)
{
	struct cur c = cur_of(u->data + offset, u->size - offset);

	c.big = u->file->big;
	return c;
}

static const struct dw_abbrev *
read_code(struct dw_unit *u, struct cur *c, struct dw_die *out)
{
	const struct buf *table = &u->abbrevs->table;
	uint64_t code = cur_uleb(c);
	const struct dw_abbrev *a = (const void *)table->data;

	out->unit = u;
	out->has = 0;
	out->tag = 0;
	out->children = false;
	if (c->failed)
		return NULL;
	out->after = (uint32_t)(c->p - u->data);
	if (!code)
		return NULL;
	if (code >= table->len / sizeof(*a) || !a[code].tag) {
		cur_fail(c);
		return NULL;
	}
	out->tag = a[code].tag;
	out->children = a[code].children;
	return &a[code];
}

static const struct dw_attr *
attrs_of(const struct dw_unit *u, const struct dw_abbrev *a)
{
	const struct dw_attr *all = (const void *)u->abbrevs->attrs.data;

	return a->n ? all + a->first : NULL;
}

/* Other threads follow references into the unit: their counts may get lost,
 * which does not matter for a bound. */
bool
dw_spend(struct dw_unit *u, uint64_t n)
{
	uint64_t work = __atomic_load_n(&u->work, __ATOMIC_RELAXED);

	if (work < n) {
		__atomic_store_n(&u->lost, true, __ATOMIC_RELAXED);
		return false;
	}
	__atomic_store_n(&u->work, work - n, __ATOMIC_RELAXED);
	return true;
}

bool
dw_read(struct dw_unit *u, uint32_t offset, struct dw_die *out)
{
	if (offset < u->header || offset >= u->size || !dw_spend(u, 1))
		return false;
	struct cur c = cursor_at(u, offset);
	const struct dw_abbrev *a = read_code(u, &c, out);
	const struct dw_attr *attrs;
	struct dw_value skipped = { 0 };

	out->offset = offset;
	if (!a)
		return !c.failed;
	attrs = attrs_of(u, a);
	for (uint32_t k = 0; k < a->n; k++) {
		struct dw_value *v = attrs[k].slot < AT_UNIT
				     ? &out->at[attrs[k].slot] : &skipped;

		read_form(&c, u, &attrs[k], v);
		v->unit = u;
		if (attrs[k].slot < AT_UNIT)
			out->has |= 1ull << attrs[k].slot;
	}
	out->after = (uint32_t)(c.p - u->data);
	return !c.failed;
}

static struct dw_value *
root_value(struct dw_root *r, uint16_t at)
{
	switch (at) {
	case DW_AT_stmt_list:
		return &r->stmt_list;
	case DW_AT_str_offsets_base:
		return &r->str_base;
	case DW_AT_addr_base:
	case DW_AT_GNU_addr_base:
		return &r->addr_base;
	case DW_AT_rnglists_base:
		return &r->rnglists_base;
	case DW_AT_GNU_ranges_base:
		return &r->ranges_base;
	case DW_AT_loclists_base:
		return &r->loclists_base;
	case DW_AT_dwo_name:
	case DW_AT_GNU_dwo_name:
		return &r->dwo_name;
	case DW_AT_GNU_dwo_id:
		return &r->dwo_id;
	case DW_AT_comp_dir:
		return &r->comp_dir;
	case DW_AT_producer:
		return &r->producer;
	case DW_AT_language:
		return &r->language;
	default:
		return NULL;
	}
}

bool
dw_read_root(struct dw_unit *u, struct dw_die *out)
{
	if (!dw_read(u, u->header, out) || !out->tag)
		return false;
	struct cur c = cursor_at(u, u->header);
	const struct dw_abbrev *a = read_code(u, &c, &(struct dw_die){ 0 });

	for (uint32_t k = 0; a && k < a->n; k++) {
		const struct dw_attr *attr = &attrs_of(u, a)[k];
		struct dw_value v, *to = root_value(&u->root, attr->at);

		read_form(&c, u, attr, &v);
		v.unit = u;
		if (to && !c.failed)
			*to = v;
	}
	return !c.failed;
}

/* Where it says that its sibling is; only forward, so that walks end. */
static bool
told_sibling(const struct dw_die *die, uint32_t *after)
{
	struct dw_unit *unit;
	uint32_t to;

	if (!dw_has(die, AT_SIBLING)
	    || !dw_target(&die->at[AT_SIBLING], &unit, &to)
	    || unit != die->unit || to < die->after)
		return false;
	*after = to;
	return true;
}

bool
dw_skip(const struct dw_die *die, uint32_t *after)
{
	struct dw_die inside;
	unsigned depth = 1;

	*after = die->after;
	if (!die->children || told_sibling(die, after))
		return true;
	while (depth) {
		if (!dw_read(die->unit, *after, &inside))
			return false;
		*after = inside.after;
		depth -= !inside.tag;
		if (inside.children && !told_sibling(&inside, after))
			depth++;
	}
	return true;
}

/* ---- what they mean ---------------------------------------------------------------- */
bool
dw_is_block(const struct dw_value *v)
{
	switch (v->form) {
	case DW_FORM_block:
	case DW_FORM_block1:
	case DW_FORM_block2:
	case DW_FORM_block4:
	case DW_FORM_exprloc:
	case DW_FORM_data16:
		return true;
	default:
		return false;
	}
}

bool
dw_is_signed(const struct dw_value *v)
{
	return v->form == DW_FORM_sdata;
}

bool
dw_constant(const struct dw_value *v, int64_t *out)
{
	switch (v->form) {
	case DW_FORM_data1:
	case DW_FORM_data2:
	case DW_FORM_data4:
	case DW_FORM_data8:
	case DW_FORM_udata:
	case DW_FORM_sdata:
	case DW_FORM_flag:
	case DW_FORM_flag_present:
		*out = (int64_t)v->u;
		return true;
	default:
		return false;
	}
}

uint64_t
dw_number(const struct dw_die *die, enum dw_slot slot, uint64_t otherwise)
{
	int64_t v;

	return dw_has(die, slot) && dw_constant(&die->at[slot], &v)
	       ? (uint64_t)v : otherwise;
}

bool
dw_flag(const struct dw_die *die, enum dw_slot slot)
{
	return dw_has(die, slot) && die->at[slot].u;
}

bool
dw_indexed_address(struct dw_unit *u, uint64_t index, uint64_t *out)
{
	struct dw_unit *home = u->skeleton ? u->skeleton : u;
	const struct span *all = &home->file->section[DW_ADDR];
	uint64_t size = home->address_size;

	if (home->addr_base > all->n
	    || index >= (all->n - home->addr_base) / size)
		return false;
	struct cur c = cur_of((const uint8_t *)all->data + home->addr_base
			      + index * size, size);
	c.big = home->file->big;
	*out = cur_uint(&c, (unsigned)size);
	return true;
}

bool
dw_address(const struct dw_value *v, uint64_t *out)
{
	switch (v->form) {
	case DW_FORM_addr:
		*out = v->u;
		return true;
	case DW_FORM_addrx:
	case DW_FORM_addrx1:
	case DW_FORM_addrx2:
	case DW_FORM_addrx3:
	case DW_FORM_addrx4:
	case DW_FORM_GNU_addr_index:
		return dw_indexed_address(v->unit, v->u, out);
	default:
		return false;
	}
}

/* ---- references ---------------------------------------------------------------------- */
static bool
target_in(const struct dw_file *f, uint64_t place, struct dw_unit **unit,
	  uint32_t *offset)
{
	*unit = f ? dw_unit_at(f, place) : NULL;
	if (!*unit)
		return false;
	*offset = (uint32_t)(place - (*unit)->start);
	return true;
}

static bool
target_signed(const struct dw_unit *from, uint64_t signature,
	      struct dw_unit **unit, uint32_t *offset)
{
	*unit = dw_unit_signed(from->file, signature);
	if (!*unit && from->skeleton)
		*unit = dw_unit_signed(from->skeleton->file, signature);
	if (*unit)
		*offset = (*unit)->type_offset;
	return *unit != NULL;
}

bool
dw_target(const struct dw_value *v, struct dw_unit **unit, uint32_t *offset)
{
	switch (v->form) {
	case DW_FORM_ref1:
	case DW_FORM_ref2:
	case DW_FORM_ref4:
	case DW_FORM_ref8:
	case DW_FORM_ref_udata:
		*unit = v->unit;
		*offset = (uint32_t)v->u;
		return v->u < v->unit->size;
	case DW_FORM_ref_addr:
		return target_in(v->unit->file, v->u, unit, offset);
	case DW_FORM_GNU_ref_alt:
	case DW_FORM_ref_sup4:
	case DW_FORM_ref_sup8:
		return target_in(v->unit->file->alt, v->u, unit, offset);
	case DW_FORM_ref_sig8:
		return target_signed(v->unit, v->u, unit, offset);
	default:
		return false;
	}
}

bool
dw_follow(const struct dw_die *die, enum dw_slot slot, struct dw_die *out)
{
	struct dw_unit *unit;
	uint32_t offset;

	return dw_has(die, slot) && dw_target(&die->at[slot], &unit, &offset)
	       && dw_read(unit, offset, out) && out->tag;
}

/* ---- strings ------------------------------------------------------------------------- */
static const char *
text_in(const struct span *section, uint64_t place)
{
	const char *all = section->data;

	/* Mostly the last byte is a NUL, and ends what begins anywhere. */
	return place < section->n
	       && (!all[section->n - 1]
		   || memchr(all + place, 0, section->n - place))
	       ? all + place : NULL;
}

static bool
indexed_string(struct dw_unit *u, uint64_t index, uint64_t *place)
{
	struct span all = dw_section(u, DW_STR_OFFSETS);
	unsigned size = u->offset_size;

	if (u->str_base > all.n || index >= (all.n - u->str_base) / size)
		return false;
	struct cur c = cur_of((const uint8_t *)all.data + u->str_base
			      + index * size, size);
	c.big = u->file->big;
	*place = cur_uint(&c, size);
	return true;
}

static const char *
text_of(struct dw_file *f, uint64_t place, struct dw_file **file,
	uint64_t *out)
{
	const char *text = f ? text_in(&f->section[DW_STR], place) : NULL;

	if (text && f->borrows_strings) {
		*file = f;
		*out = place;
	}
	return text;
}

const char *
dw_text(const struct dw_value *v, struct dw_file **file, uint64_t *place)
{
	struct dw_file *f = v->unit->file;
	uint64_t at;

	*file = NULL;
	switch (v->form) {
	case DW_FORM_string:
		return (const char *)v->at;
	case DW_FORM_strp:
		return text_of(f, v->u, file, place);
	case DW_FORM_line_strp:
		return text_in(&f->section[DW_LINE_STR], v->u);
	case DW_FORM_GNU_strp_alt:
	case DW_FORM_strp_sup:
		return text_of(f->alt, v->u, file, place);
	case DW_FORM_strx:
	case DW_FORM_strx1:
	case DW_FORM_strx2:
	case DW_FORM_strx3:
	case DW_FORM_strx4:
	case DW_FORM_GNU_str_index:
		return indexed_string(v->unit, v->u, &at)
		       ? text_of(f, at, file, place) : NULL;
	default:
		return NULL;
	}
}
