/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers of a target: which there are, their values per thread, and a
 * session's writes laid over them.
 */
#include <stdlib.h>
#include <string.h>

#include "inspect/arch.h"
#include "inspect/impl.h"
#include "inspect/overlay.h"

struct regs {
	const struct arch_table *table;
	struct arch_layout layout;
	struct reg *regs;                       /* what insp_regs() yields */
	const struct arch_reg **rows;           /* of the same index */
	size_t n;
	size_t by_dwarf[FRAME_REGS];            /* index, or INSP_NONE */
	struct reg_sets *sets;                  /* one per thread */
	size_t n_threads;
};

static void
collect_sets(const struct arch_table *table, const struct snap_thread *t,
	     struct reg_sets *out)
{
	for (size_t n = 0; n < t->n_regsets; n++)
		for (size_t k = 0; k < ARCH_SETS; k++)
			if (table->sets[k] && !out->set[k].n
			    && t->regsets[n].kind == table->sets[k])
				out->set[k] = t->regsets[n].bytes;
}

static void
add_row(struct regs *r, const struct arch_reg *row)
{
	size_t n = r->n++;

	r->regs[n] = row->reg;
	r->rows[n] = row;
	if (row->reg.dwarf >= 0 && row->reg.dwarf < FRAME_REGS)
		r->by_dwarf[row->reg.dwarf] = n;
}

static struct err *
select_rows(struct regs *r, struct arena *a)
{
	const struct arch_table *table = r->table;

	r->regs = arena_array(a, table->n_regs, sizeof(*r->regs));
	r->rows = arena_array(a, table->n_regs, sizeof(*r->rows));
	if (!r->regs || !r->rows)
		return err_nomem();
	for (size_t n = 0; n < FRAME_REGS; n++)
		r->by_dwarf[n] = INSP_NONE;
	for (size_t n = 0; n < table->n_regs; n++)
		if (table->has(&r->layout, &table->regs[n]))
			add_row(r, &table->regs[n]);
	return NULL;
}

/*
 * The bits that addresses of mapped memory have. A signature is in bits above
 * those of the address space, so that one of a return address ends here too.
 */
static uint64_t
mapped_bits(const struct target *t)
{
	const struct snap_memory *m = t->memory;
	size_t n = t->n_memory;
	uint64_t top = n ? m[n - 1].start + (m[n - 1].length - 1) : 0;

	return top ? UINT64_MAX >> __builtin_clzll(top) : UINT64_MAX;
}

struct err *
regs_init(struct insp *i)
{
	const struct target *t = i->target;
	struct regs *r = arena_alloc(i->arena, sizeof(*r));

	if (!r)
		return err_nomem();
	r->table = arch_table_of(i->arch);
	r->n_threads = t->n_threads;
	r->sets = arena_array(i->arena, t->n_threads, sizeof(*r->sets));
	if (t->n_threads && !r->sets)
		return err_nomem();
	for (size_t n = 0; n < t->n_threads; n++)
		collect_sets(r->table, &t->threads[n], &r->sets[n]);
	r->table->layout(r->sets, r->n_threads, &r->layout);
	if (!r->layout.signing)
		r->layout.signing = r->table->signing & ~mapped_bits(t);
	struct err *err = select_rows(r, i->arena);
	if (err)
		return err;
	i->regs = r;
	return NULL;
}

const struct reg *
insp_regs(const struct insp *i, size_t *n)
{
	*n = i->regs->n;
	return i->regs->regs;
}

static struct err *
check_index(const struct regs *r, size_t thread, size_t reg)
{
	if (thread >= r->n_threads)
		return err_new(ERR_NOTFOUND, "there is no thread %zu", thread);
	if (reg >= r->n)
		return err_new(ERR_NOTFOUND, "there is no register %zu", reg);
	return NULL;
}

static bool
read_reg(const struct insp *i, size_t thread, size_t reg, void *out)
{
	const struct regs *r = i->regs;
	const uint8_t *written = overlay_reg(space_overlay(i->space), thread,
					     reg);

	if (written) {
		memcpy(out, written, r->regs[reg].bits / 8);
		return true;
	}
	return r->table->read(&r->layout, &r->sets[thread], r->rows[reg], out);
}

struct err *
insp_reg_read(struct insp *i, size_t thread, size_t reg, void *out,
	      bool *known)
{
	struct err *err = check_index(i->regs, thread, reg);

	if (err)
		return err;
	*known = read_reg(i, thread, reg, out);
	return NULL;
}

/* Does @value only put back what was captured? */
static bool
is_captured(const struct insp *i, size_t thread, size_t reg, const void *value)
{
	const struct regs *r = i->regs;
	uint8_t below[REG_BYTES_MAX] = { 0 };

	return r->table->read(&r->layout, &r->sets[thread], r->rows[reg], below)
	       && memcmp(below, value, r->regs[reg].bits / 8) == 0;
}

struct err *
insp_reg_write(struct insp *i, size_t thread, size_t reg, const void *value)
{
	struct err *err = check_index(i->regs, thread, reg);

	if (err)
		return err;
	if (is_captured(i, thread, reg, value)) {
		overlay_forget_reg(space_overlay(i->space), thread, reg);
		return NULL;
	}
	return overlay_write_reg(space_overlay(i->space), thread, reg,
				 i->regs->regs[reg].bits / 8, value);
}

struct err *
insp_frame_regs(struct insp *i, size_t thread, struct frame_regs *out)
{
	const struct regs *r = i->regs;
	struct frame_regs regs = { 0 };
	struct err *err = check_index(r, thread, 0);

	if (err)
		return err;
	for (unsigned n = 0; n < i->arch->frame_regs; n++) {
		uint8_t bytes[REG_BYTES_MAX];

		if (r->by_dwarf[n] == INSP_NONE
		    || !read_reg(i, thread, r->by_dwarf[n], bytes))
			continue;
		struct rd rd = rd_of(bytes, 8);
		regs.value[n] = rd_u64(&rd);
		regs.known |= 1ull << n;
	}
	*out = regs;
	return NULL;
}

uint64_t
regs_plain_code(const struct insp *i, uint64_t addr)
{
	return addr & ~i->regs->layout.signing;
}
