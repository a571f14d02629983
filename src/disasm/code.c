/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code.c: bytes of code out of an address space, and why there are none.
 */
#include <string.h>

#include "disasm/impl.h"

#define PAGE 4096u
#define PROBES 256u             /* pages without a byte, in one entry */

struct span
code_at(struct code *c, uint64_t addr, size_t n)
{
	uint64_t skip = addr - c->start;

	if (skip >= c->n || c->n - skip < n) {
		c->start = addr;
		skip = 0;
		_err_ struct err *none = space_read_some(
			c->space, addr, sizeof(c->window), c->window, &c->n);
		if (none)
			c->n = 0;
	}
	size_t left = c->n - (size_t)skip;
	return (struct span){ c->window + skip, left < n ? left : n };
}

static const char *
hole_why(const struct region *r)
{
	return r->mapped ? snap_reason_why(r->reason) : "no memory is there";
}

/* What a module's file has of a mapping may begin at any page. */
static uint64_t
hole_end(struct code *c, const struct region *r, uint64_t addr)
{
	uint64_t end = r->end > addr ? r->end : UINT64_MAX;
	uint64_t at = addr;

	if (!r->mapped)
		return end;
	for (unsigned k = 0; k < PROBES; k++) {
		at = (at | (PAGE - 1)) + 1;
		if (at >= end || at <= addr)
			return end;
		if (code_at(c, at, 1).n)
			break;
	}
	return at;
}

void
code_hole(struct code *c, uint64_t addr, struct disasm_entry *out)
{
	struct region r;

	space_region(c->space, addr, &r);
	*out = (struct disasm_entry){
		.address = addr, .length = hole_end(c, &r, addr) - addr,
		.kind = r.mapped ? DISASM_ABSENT : DISASM_UNMAPPED,
		.why = hole_why(&r),
	};
	if (!out->length)
		out->length = 1;
}
