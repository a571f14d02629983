/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plt.c: stubs that jump to another module, which no symbol table names.
 */
#include <elf.h>

#include "disasm/impl.h"
#include "inspect/bounds.h"

#define STUB_MAX 4u             /* instructions */
#define NAME_LONGEST 1000       /* of hostile ones there are as many as lines */
#define IP0 16u                 /* the register of AArch64's stubs */

/* On x86-64 the jump itself has the slot's address. */
static bool
slot_of_jump(const struct decoded *d, uint64_t *slot)
{
	const struct operand *o = &d->memory[0];

	if (d->flow != DISASM_JUMP || d->target_memory != 0 || o->n_terms
	    || o->vague || o->segment)
		return false;
	*slot = o->disp;
	return true;
}

/* On AArch64 it is a page, by adrp, and an offset, by ldr. */
static bool
slot_of_load(const struct decoded *d, uint64_t *page, uint64_t *slot)
{
	const struct operand *o = &d->memory[0];

	if (!d->n_memory || o->vague)
		return false;
	if (!o->n_terms && !o->reads)
		*page = o->disp;
	*slot = *page + o->disp;
	return *page && o->reads && o->n_terms == 1 && o->terms[0].reg == IP0;
}

static bool
stub_slot(struct walk *w, uint64_t at, uint64_t *slot)
{
	const struct machine *m = w->d->machine;
	uint64_t page = 0;
	struct decoded d;

	for (unsigned k = 0; k < STUB_MAX; k++) {
		struct span bytes = code_at(&w->code, at, m->longest);
		if (!bytes.n || !m->decode(w->d, at, bytes, &d))
			return false;
		if (m->elf == EM_AARCH64 ? slot_of_load(&d, &page, slot)
					 : slot_of_jump(&d, slot))
			return true;
		if (d.flow != DISASM_NEXT)
			return false;
		at += d.length;
	}
	return false;
}

/* What the slot holds: a name only where it is a function's entry. */
static const char *
name_of_value(struct walk *w, uint64_t slot)
{
	struct symbol s = { .name = NULL };
	uint64_t to;

	_err_ struct err *err = space_u64(w->code.space, slot, &to);
	if (!err)
		err = insp_symbol(w->i, to, &s);
	return !err && s.address == to ? s.name : NULL;
}

const char *
plt_name(struct walk *w, uint64_t at, struct arena *a)
{
	const char *name;
	uint64_t slot;

	if (!stub_slot(w, at, &slot))
		return NULL;
	_err_ struct err *err = insp_slot_symbol(w->i, slot, &name);
	if (err)
		name = name_of_value(w, slot);
	return name ? arena_printf(a, "%.*s@plt", NAME_LONGEST, name) : NULL;
}
