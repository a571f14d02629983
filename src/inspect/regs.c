/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers of a target: which there are, their values per thread, and a
 * session's writes laid over them.
 */
#include <stdlib.h>
#include <string.h>

#include "inspect/arch.h"
#include "inspect/impl.h"

#define OVERLAY_BYTES_MAX (64u << 20)

/** What a session wrote into one thread's registers. */
struct overlay {
	uint8_t *written;       /* one byte a register */
	uint8_t *bytes;         /* at regs.packed[] */
};

struct regs {
	const struct arch_table *table;
	struct arch_layout layout;
	struct reg *regs;                       /* what insp_regs() yields */
	const struct arch_reg **rows;           /* of the same index */
	uint32_t *packed;                       /* offset in an overlay */
	size_t n;
	uint32_t overlay_size;
	size_t by_dwarf[FRAME_REGS];            /* index, or INSP_NONE */
	struct reg_sets *sets;                  /* one per thread */
	struct overlay *overlays;               /* the same */
	size_t n_threads, overlay_bytes;
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
	r->packed[n] = r->overlay_size;
	r->overlay_size += row->reg.bits / 8;
	if (row->reg.dwarf >= 0 && row->reg.dwarf < FRAME_REGS)
		r->by_dwarf[row->reg.dwarf] = n;
}

static struct err *
select_rows(struct regs *r, struct arena *a)
{
	const struct arch_table *table = r->table;

	r->regs = arena_array(a, table->n_regs, sizeof(*r->regs));
	r->rows = arena_array(a, table->n_regs, sizeof(*r->rows));
	r->packed = arena_array(a, table->n_regs, sizeof(*r->packed));
	if (!r->regs || !r->rows || !r->packed)
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
	r->overlays = arena_array(i->arena, t->n_threads,
				  sizeof(*r->overlays));
	if (t->n_threads && (!r->sets || !r->overlays))
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

void
regs_fini(struct insp *i)
{
	struct regs *r = take(i->regs);

	for (size_t n = 0; r && n < r->n_threads; n++) {
		free(r->overlays[n].written);
		free(r->overlays[n].bytes);
	}
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
read_reg(const struct regs *r, size_t thread, size_t reg, void *out)
{
	const struct overlay *o = &r->overlays[thread];

	if (o->written && o->written[reg]) {
		memcpy(out, o->bytes + r->packed[reg], r->regs[reg].bits / 8);
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
	*known = read_reg(i->regs, thread, reg, out);
	return NULL;
}

static struct err *
make_overlay(struct regs *r, struct overlay *o)
{
	size_t cost = r->n + r->overlay_size;

	if (cost > OVERLAY_BYTES_MAX - r->overlay_bytes)
		return err_new(ERR_LIMIT, "registers of too many threads were "
			       "written: the limit is %u MiB",
			       OVERLAY_BYTES_MAX >> 20);
	_free_ uint8_t *written = calloc(1, r->n);
	_free_ uint8_t *bytes = calloc(1, r->overlay_size);
	if (!written || !bytes)
		return err_nomem();
	o->written = take(written);
	o->bytes = take(bytes);
	r->overlay_bytes += cost;
	return NULL;
}

struct err *
insp_reg_write(struct insp *i, size_t thread, size_t reg, const void *value)
{
	struct regs *r = i->regs;
	struct err *err = check_index(r, thread, reg);

	if (err)
		return err;
	struct overlay *o = &r->overlays[thread];
	if (!o->written)
		err = make_overlay(r, o);
	if (err)
		return err;
	o->written[reg] = 1;
	memcpy(o->bytes + r->packed[reg], value, r->regs[reg].bits / 8);
	return NULL;
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
		    || !read_reg(r, thread, r->by_dwarf[n], bytes))
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
