/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of code that an entry of DWARF tells: DWARF 5, 2.17.3. */
#include "symbols/dw.h"

#define RANGES_MAX (1u << 22)

struct ranges {
	struct dw_unit *unit;           /* whose addresses they are */
	struct cur c;
	uint64_t base, all_ones;
	dw_range_fn *fn;
	void *arg;
};

static struct dw_unit *
home_of(struct dw_unit *u)
{
	return u->skeleton ? u->skeleton : u;
}

static bool
tell(struct ranges *r, uint64_t start, uint64_t end, bool *go_on)
{
	*go_on = start >= end || r->fn(r->arg, start, end);
	return true;
}

/* DWARF 4, 2.17.3. */
static bool
old_entry(struct ranges *r, bool *go_on)
{
	unsigned size = r->unit->address_size;
	uint64_t start = cur_uint(&r->c, size), end = cur_uint(&r->c, size);

	*go_on = !r->c.failed && (start || end);
	if (!*go_on)
		return !r->c.failed;
	if (start == r->all_ones) {
		r->base = end;
		return true;
	}
	return tell(r, r->base + start, r->base + end, go_on);
}

static bool
indexed(struct ranges *r, uint64_t *out)
{
	return dw_indexed_address(r->unit, cur_uleb(&r->c), out);
}

static bool
new_entry(struct ranges *r, bool *go_on)
{
	unsigned size = r->unit->address_size;
	uint64_t start = 0, end = 0;
	bool fine = true;

	*go_on = true;
	switch (cur_u8(&r->c)) {
	case DW_RLE_end_of_list:
		*go_on = false;
		return !r->c.failed;
	case DW_RLE_base_addressx:
		return indexed(r, &r->base) && !r->c.failed;
	case DW_RLE_base_address:
		r->base = cur_uint(&r->c, size);
		return !r->c.failed;
	case DW_RLE_startx_endx:
		fine = indexed(r, &start) && indexed(r, &end);
		break;
	case DW_RLE_startx_length:
		fine = indexed(r, &start);
		end = start + cur_uleb(&r->c);
		break;
	case DW_RLE_offset_pair:
		start = r->base + cur_uleb(&r->c);
		end = r->base + cur_uleb(&r->c);
		break;
	case DW_RLE_start_end:
		start = cur_uint(&r->c, size);
		end = cur_uint(&r->c, size);
		break;
	case DW_RLE_start_length:
		start = cur_uint(&r->c, size);
		end = start + cur_uleb(&r->c);
		break;
	default:
		fine = false;
	}
	return fine && !r->c.failed && tell(r, start, end, go_on);
}

static bool
read_list(struct ranges *r, struct span all, uint64_t at, bool is_new)
{
	bool go_on = true;

	if (at > all.n)
		return false;
	r->c = cur_of((const uint8_t *)all.data + at, all.n - at);
	r->c.big = r->unit->file->big;
	for (uint32_t n = 0; go_on; n++)
		if (n == RANGES_MAX
		    || !(is_new ? new_entry : old_entry)(r, &go_on))
			return false;
	return true;
}

/* An index into the offsets behind the base (7.28). */
static bool
list_offset(struct dw_unit *u, struct span all, uint64_t index, uint64_t *out)
{
	unsigned size = u->offset_size;

	if (u->rnglists_base > all.n
	    || index >= (all.n - u->rnglists_base) / size)
		return false;
	struct cur c = cur_of((const uint8_t *)all.data + u->rnglists_base
			      + index * size, size);
	c.big = u->file->big;
	*out = u->rnglists_base + cur_uint(&c, size);
	return true;
}

static bool
listed(const struct dw_value *v, struct ranges *r)
{
	struct dw_unit *u = v->unit, *home = home_of(u);
	uint64_t at = v->u;

	if (u->version < 5) {
		r->unit = home;
		if (u->skeleton)
			at += home->ranges_base;
		return read_list(r, home->file->section[DW_RANGES], at,
				 false);
	}
	struct span all = dw_section(u, DW_RNGLISTS);
	if (v->form == DW_FORM_rnglistx && !list_offset(u, all, v->u, &at))
		return false;
	return read_list(r, all, at, true);
}

bool
dw_ranges(const struct dw_die *die, dw_range_fn *fn, void *arg)
{
	struct dw_unit *u = die->unit;
	struct ranges r = {
		.unit = u, .base = home_of(u)->low, .fn = fn, .arg = arg,
		.all_ones = u->address_size == 4 ? UINT32_MAX : UINT64_MAX,
	};
	uint64_t low, high;
	int64_t size;

	if (dw_has(die, AT_RANGES))
		return listed(&die->at[AT_RANGES], &r);
	if (!dw_has(die, AT_LOW) || !dw_address(&die->at[AT_LOW], &low))
		return true;
	if (!dw_has(die, AT_HIGH))
		return true;
	if (dw_constant(&die->at[AT_HIGH], &size))
		high = low + (uint64_t)size;
	else if (!dw_address(&die->at[AT_HIGH], &high))
		return false;
	if (low < high)
		fn(arg, low, high);
	return true;
}
