/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an entry takes over from those it refers to: a concrete instance from
 * its abstract origin, a definition from its declaration (DWARF 5, 2.13.2 and
 * 3.3.8).
 */
#include "symbols/make.h"

#define TAKEN (1ull << AT_NAME | 1ull << AT_LINKAGE | 1ull << AT_TYPE \
	       | 1ull << AT_DECL_FILE | 1ull << AT_DECL_LINE \
	       | 1ull << AT_ARTIFICIAL | 1ull << AT_EXTERNAL \
	       | 1ull << AT_CONST | 1ull << AT_BYTE_SIZE)

static bool
next_origin(const struct dw_die *die, struct dw_die *out)
{
	return dw_follow(die, dw_has(die, AT_ORIGIN) ? AT_ORIGIN
			 : AT_SPECIFICATION, out);
}

static void
take_over(struct dw_die *die, const struct dw_die *from)
{
	uint64_t new = from->has & TAKEN & ~die->has;

	die->has |= new;
	while (new) {
		unsigned slot = (unsigned)__builtin_ctzll(new);

		die->at[slot] = from->at[slot];
		new &= new - 1;
	}
}

void
origin_add(struct dw_die *die, struct origin *home)
{
	struct dw_die one, two, *next = &one, *other = &two;
	const struct dw_die *at = die;

	for (unsigned hops = 0; hops < DW_HOPS_MAX; hops++) {
		if (!next_origin(at, next))
			return;
		take_over(die, next);
		home->unit = next->unit;
		home->offset = next->offset;
		at = next;
		struct dw_die *swap = next;
		next = other;
		other = swap;
	}
}
