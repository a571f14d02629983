/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disasm.c: decoders, and lists of exactly as many entries as asked for.
 */
#include <stdlib.h>
#include <string.h>

#include "disasm/impl.h"

static const struct machine *const MACHINES[] = {
	&machine_x86_64, &machine_aarch64,
};

struct err *
disasm_new(uint16_t machine, enum disasm_syntax syntax, struct disasm **out)
{
	_disasm_ struct disasm *d = calloc(1, sizeof(*d));

	if (!d)
		return err_nomem();
	d->syntax = syntax;
	for (size_t k = 0; k < countof(MACHINES); k++)
		if (MACHINES[k]->elf == machine)
			d->machine = MACHINES[k];
	if (!d->machine)
		return err_new(ERR_UNSUPPORTED, "code of machine %u cannot be "
			       "shown: x86-64 and AArch64 can", machine);
	struct err *err = d->machine->begin(d);
	if (err)
		return err;
	*out = take(d);
	return NULL;
}

void
disasm_free(struct disasm *d)
{
	if (d && d->machine)
		d->machine->end(d);
	free(d);
}

void
disasm_freep(struct disasm **d)
{
	disasm_free(*d);
}

void
decoded_read(struct decoded *d, const struct term *t)
{
	for (size_t k = 0; k < d->n_reads; k++)
		if (d->reads[k].reg == t->reg)
			return;
	if (d->n_reads < DISASM_READS_MAX)
		d->reads[d->n_reads++] = *t;
}

size_t
disasm_step(const struct disasm *d)
{
	return d->machine->step;
}

size_t
disasm_bytes(struct disasm *d, uint64_t address, struct span bytes,
	     char text[DISASM_TEXT_MAX], bool *cut)
{
	struct decoded decoded;
	bool ends = false;
	size_t n = bytes.n ? d->machine->length(d, address, bytes, &ends) : 0;

	if (cut)
		*cut = !bytes.n || ends;
	if (!n || !text)
		return n;
	if (!d->machine->decode(d, address, bytes, &decoded))
		return 0;
	memcpy(text, decoded.text, DISASM_TEXT_MAX);
	return n;
}

struct err *
disasm_list(struct disasm *d, struct insp *i, const struct disasm_ask *ask,
	    struct arena *a, struct disasm_list *out)
{
	struct walk w = { .d = d, .i = i,
			  .code = { .space = insp_space(i) } };
	size_t n = ask->before + ask->count;
	struct err *err;

	if (ask->before > DISASM_ENTRIES_MAX || n > DISASM_ENTRIES_MAX
	    || ask->count > DISASM_ENTRIES_MAX)
		return err_new(ERR_LIMIT, "at most %u instructions at once",
			       DISASM_ENTRIES_MAX);
	struct disasm_entry *e = arena_array(a, n, sizeof(*e));
	if (n && !e)
		return err_nomem();
	err = walk_back(&w, ask->address, ask->before, e);
	w.at = ask->address;
	w.lost = w.ended = false;
	for (size_t k = 0; !err && k < ask->count; k++)
		walk_next(&w, &e[ask->before + k]);
	for (size_t k = 0; !err && k < n; k++)
		err = effect_fill(&w, ask, a, &e[k]);
	if (err)
		return err;
	*out = (struct disasm_list){ e, n };
	return NULL;
}
