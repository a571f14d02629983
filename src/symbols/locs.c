/* SPDX-License-Identifier: Apache-2.0 */
/* Where something is, by address: lists of locations (DWARF 5, 2.6.2). */
#include "symbols/dw.h"

#define LOCATIONS_MAX (1u << 20)

struct locs {
	struct dw_unit *unit;
	struct cur c;
	uint64_t base, all_ones;
	dw_location_fn *fn;
	void *arg;
};

static bool
tell(struct locs *l, uint64_t start, uint64_t end, uint64_t n, bool *go_on)
{
	const uint8_t *at = cur_bytes(&l->c, n);

	if (l->c.failed)
		return false;
	*go_on = start >= end || l->fn(l->arg, start, end,
				       (struct span){ at, (size_t)n });
	return true;
}

/* DWARF 4, 2.6.2. */
static bool
old_entry(struct locs *l, bool *go_on)
{
	unsigned size = l->unit->address_size;
	uint64_t start = cur_uint(&l->c, size), end = cur_uint(&l->c, size);

	*go_on = !l->c.failed && (start || end);
	if (!*go_on)
		return !l->c.failed;
	if (start == l->all_ones) {
		l->base = end;
		return true;
	}
	return tell(l, l->base + start, l->base + end, cur_u16(&l->c), go_on);
}

static bool
indexed(struct locs *l, uint64_t *out)
{
	return dw_indexed_address(l->unit, cur_uleb(&l->c), out);
}

/* GNU's of split units before DWARF 5: kinds are those of DWARF 5, 7.7.3,
 * but lengths have four bytes, and those of expressions two. */
static bool
split_entry(struct locs *l, bool *go_on)
{
	uint64_t start = 0, end = 0;
	bool fine = true;

	*go_on = true;
	switch (cur_u8(&l->c)) {
	case 0:
		*go_on = false;
		return !l->c.failed;
	case 1:
		return indexed(l, &l->base) && !l->c.failed;
	case 2:
		fine = indexed(l, &start) && indexed(l, &end);
		break;
	case 3:
		fine = indexed(l, &start);
		end = start + cur_u32(&l->c);
		break;
	case 4:
		start = l->base + cur_u32(&l->c);
		end = l->base + cur_u32(&l->c);
		break;
	default:
		fine = false;
	}
	return fine && tell(l, start, end, cur_u16(&l->c), go_on);
}

/* Those that are not a location: *done, or go on with one. */
static bool
new_other(struct locs *l, uint8_t kind, bool *go_on)
{
	*go_on = kind != DW_LLE_end_of_list;
	switch (kind) {
	case DW_LLE_end_of_list:
		return !l->c.failed;
	case DW_LLE_base_addressx:
		return indexed(l, &l->base) && !l->c.failed;
	case DW_LLE_base_address:
		l->base = cur_uint(&l->c, l->unit->address_size);
		return !l->c.failed;
	case DW_LLE_GNU_view_pair:
		cur_uleb(&l->c);
		cur_uleb(&l->c);
		return !l->c.failed;
	default:
		return false;
	}
}

static bool
new_entry(struct locs *l, bool *go_on)
{
	unsigned size = l->unit->address_size;
	uint64_t start = 0, end = UINT64_MAX;
	uint8_t kind = cur_u8(&l->c);
	bool fine = true;

	*go_on = true;
	switch (kind) {
	case DW_LLE_startx_endx:
		fine = indexed(l, &start) && indexed(l, &end);
		break;
	case DW_LLE_startx_length:
		fine = indexed(l, &start);
		end = start + cur_uleb(&l->c);
		break;
	case DW_LLE_offset_pair:
		start = l->base + cur_uleb(&l->c);
		end = l->base + cur_uleb(&l->c);
		break;
	case DW_LLE_default_location:
		break;
	case DW_LLE_start_end:
		start = cur_uint(&l->c, size);
		end = cur_uint(&l->c, size);
		break;
	case DW_LLE_start_length:
		start = cur_uint(&l->c, size);
		end = start + cur_uleb(&l->c);
		break;
	default:
		return new_other(l, kind, go_on);
	}
	return fine && tell(l, start, end, cur_uleb(&l->c), go_on);
}

static bool
list_offset(struct dw_unit *u, struct span all, uint64_t index, uint64_t *out)
{
	unsigned size = u->offset_size;

	if (u->loclists_base > all.n
	    || index >= (all.n - u->loclists_base) / size)
		return false;
	struct cur c = cur_of((const uint8_t *)all.data + u->loclists_base
			      + index * size, size);
	c.big = u->file->big;
	*out = u->loclists_base + cur_uint(&c, size);
	return true;
}

bool
dw_locations(const struct dw_value *v, dw_location_fn *fn, void *arg)
{
	struct dw_unit *u = v->unit;
	struct dw_unit *home = u->skeleton ? u->skeleton : u;
	struct locs l = {
		.unit = u, .base = home->low, .fn = fn, .arg = arg,
		.all_ones = u->address_size == 4 ? UINT32_MAX : UINT64_MAX,
	};
	bool (*entry)(struct locs *, bool *) = u->version >= 5 ? new_entry
		: u->skeleton ? split_entry : old_entry;
	uint64_t at = v->u;
	bool go_on = true;

	if (dw_is_block(v)) {
		fn(arg, 0, UINT64_MAX, (struct span){ v->at, (size_t)v->u });
		return true;
	}
	struct span all = dw_section(u, u->version >= 5 ? DW_LOCLISTS
				     : DW_LOC);
	if (v->form == DW_FORM_loclistx && !list_offset(u, all, v->u, &at))
		return false;
	if (at > all.n)
		return false;
	l.c = cur_of((const uint8_t *)all.data + at, all.n - at);
	l.c.big = u->file->big;
	for (uint32_t n = 0; go_on; n++)
		if (n == LOCATIONS_MAX || !entry(&l, &go_on))
			return false;
	return true;
}
