/* SPDX-License-Identifier: Apache-2.0 */
/*
 * starts.c: where functions begin, by symbols and by unwind tables.
 */
#include "disasm/impl.h"
#include "inspect/bounds.h"

#define CACHE_LINE 64u          /* functions are aligned to no more */

static bool
by_symbol(struct insp *i, uint64_t addr, struct bounds *out)
{
	struct symbol s;
	_err_ struct err *none = insp_symbol(i, addr, &s);

	if (none || s.address > addr)
		return false;
	out->start = s.address;
	/* One without a size ends where somebody else begins. */
	out->end = s.size && s.size > addr - s.address ? s.address + s.size
						       : addr + 1;
	return out->end > addr;
}

static bool
by_table(struct insp *i, uint64_t addr, struct bounds *out)
{
	_err_ struct err *none = insp_code_bounds(i, addr, &out->start,
						  &out->end);

	return !none && out->start <= addr && out->end > addr;
}

/* Of two the nearer start: what is between may be data. */
static void
nearer(struct insp *i, uint64_t addr, struct bounds *inout)
{
	struct bounds s;

	if (by_symbol(i, addr, &s) && s.start > inout->start)
		*inout = s;
}

bool
starts_at(struct insp *i, uint64_t addr, struct bounds *out)
{
	if (!by_table(i, addr, out))
		return by_symbol(i, addr, out);
	nearer(i, addr, out);
	return true;
}

/* In padding tables first: symbols are looked for one by one, among maybe a
 * million. */
bool
starts_near(struct insp *i, uint64_t addr, struct bounds *out)
{
	if (starts_at(i, addr, out))
		return true;
	for (unsigned k = 1; k < CACHE_LINE && k <= addr; k++) {
		if (!by_table(i, addr - k, out))
			continue;
		nearer(i, addr - k, out);
		return true;
	}
	for (unsigned k = 1; k < CACHE_LINE && k <= addr; k++)
		if (by_symbol(i, addr - k, out))
			return true;
	return false;
}
