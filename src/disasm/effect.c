/* SPDX-License-Identifier: Apache-2.0 */
/*
 * effect.c: text, targets and addresses in memory, by the registers of a frame.
 */
#include <string.h>

#include "disasm/impl.h"

/** What is known at one instruction. */
struct known {
	struct walk *w;
	struct insp *i;
	struct arena *arena;
	const struct frame_regs *regs;  /* NULL: nothing of registers */
	size_t thread;
};

static void
place_set(uint64_t address, const struct symbol *s, struct disasm_place *out)
{
	out->name = s->name;
	out->offset = address - s->address;
}

static void
place_fill(struct insp *i, uint64_t address, struct disasm_place *out)
{
	struct symbol s;
	_err_ struct err *none = insp_symbol(i, address, &s);

	*out = (struct disasm_place){ .address = address };
	if (!none)
		place_set(address, &s, out);
}

/* Line after line is in one function, and to look for it takes long. */
static void
place_own(struct walk *w, uint64_t address, struct disasm_place *out)
{
	*out = (struct disasm_place){ .address = address };
	if (address - w->near.address >= w->near.size) {
		_err_ struct err *none = insp_symbol(w->i, address, &w->near);
		if (none) {
			w->near.size = 0;
			return;
		}
	}
	place_set(address, &w->near, out);
}

/* ---- registers ---------------------------------------------------------- */
static const struct reg *
reg_of(struct insp *i, const struct term *t, size_t *at)
{
	size_t n;
	const struct reg *regs = insp_regs(i, &n);

	for (*at = 0; *at < n; (*at)++) {
		const struct reg *r = &regs[*at];
		if (t->kind == BASE_NAMED ? strcmp(r->name, t->name) == 0
					  : r->dwarf == (int16_t)t->reg)
			return r;
	}
	return NULL;
}

/* A register that is not a frame's: the same for all frames of a thread. */
static void
named_value(const struct known *k, const struct reg *r, size_t at,
	    struct disasm_reg *out)
{
	uint8_t bytes[REG_BYTES_MAX];

	if (k->thread == INSP_NONE || r->bits != 64)
		return;
	_err_ struct err *none = insp_reg_read(k->i, k->thread, at, bytes,
					       &out->known);
	if (none)
		out->known = false;
	struct rd rd = rd_of(bytes, 8);
	out->value = out->known ? rd_u64(&rd) : 0;
}

static void
term_value(const struct known *k, const struct term *t, struct disasm_reg *out)
{
	size_t at;
	const struct reg *r = reg_of(k->i, t, &at);

	*out = (struct disasm_reg){ .name = r ? r->name : "?" };
	if (r && t->kind == BASE_NAMED)
		named_value(k, r, at, out);
	if (!k->regs || t->kind != BASE_FRAME || t->reg >= FRAME_REGS)
		return;
	out->known = k->regs->known >> t->reg & 1;
	out->value = out->known ? k->regs->value[t->reg] : 0;
}

static uint64_t
term_scaled(const struct term *t, uint64_t value)
{
	if (t->bits == 32)
		value = t->is_signed ? (uint64_t)(int32_t)(uint32_t)value
				     : (uint32_t)value;
	return value * t->scale;
}

/* ---- memory ------------------------------------------------------------- */
/* The sum, if each of its terms is known. */
static void
memory_address(const struct known *k, const struct operand *o,
	       struct disasm_memory *m)
{
	uint64_t sum = o->disp;

	m->known = !o->vague;
	for (size_t n = 0; n < o->n_terms; n++) {
		struct disasm_reg *r = &m->regs[m->n_regs++];
		term_value(k, &o->terms[n], r);
		m->known &= r->known;
		sum += term_scaled(&o->terms[n], r->value);
	}
	if (o->bits == 32)
		sum = (uint32_t)sum;
	if (o->bits == 56)
		sum = (uint64_t)((int64_t)(sum << 8) >> 8);
	if (o->segment && m->n_regs < DISASM_REGS_MAX) {
		struct disasm_reg *r = &m->regs[m->n_regs++];
		term_value(k, o->segment, r);
		m->known &= r->known;
		sum += r->value;
	}
	m->place.address = m->known ? sum : 0;
}

static void
memory_value(const struct known *k, struct disasm_memory *m)
{
	size_t n = m->size && m->size <= sizeof(m->value) ? m->size : 1;
	uint8_t value[DISASM_VALUE_MAX];

	_err_ struct err *err = space_read(insp_space(k->i), m->place.address,
					   n, value);
	if (err) {
		m->answer = err_kind(err) == ERR_UNMAPPED ? DISASM_NOT_MAPPED
							  : DISASM_NOT_CAPTURED;
		return;
	}
	m->answer = DISASM_VALUE;
	if (n != m->size)
		return;
	memcpy(m->value, value, n);
	m->n_value = (uint8_t)n;
}

static void
memory_fill(const struct known *k, const struct operand *o,
	    struct disasm_memory *m)
{
	*m = (struct disasm_memory){
		.reads = o->reads, .writes = o->writes, .size = o->size,
	};
	memory_address(k, o, m);
	if (!m->known)
		return;
	place_fill(k->i, m->place.address, &m->place);
	if (m->reads || m->writes)
		memory_value(k, m);
}

/* ---- targets ------------------------------------------------------------ */
static void
target_fill(const struct known *k, const struct decoded *d,
	    struct disasm_entry *e)
{
	const struct disasm_memory *m = d->target_memory < e->n_memory
					? &e->memory[d->target_memory] : NULL;
	struct disasm_reg r = { .known = false };
	uint64_t target = d->target;

	e->has_target = d->has_target;
	if (d->has_target_reg) {
		term_value(k, &d->target_reg, &r);
		e->has_target = e->indirect = r.known;
		target = r.value;
	}
	if (m && m->answer == DISASM_VALUE && m->n_value == 8) {
		struct rd rd = rd_of(m->value, 8);
		e->has_target = e->indirect = true;
		target = rd_u64(&rd);
	}
	if (e->has_target)
		place_fill(k->i, target, &e->target);
	if (e->has_target && !e->indirect && !e->target.name)
		e->target.name = plt_name(k->w, target, k->arena);
}

static struct err *
code_fill(const struct known *k, const struct decoded *d,
	  struct disasm_entry *e)
{
	e->text = arena_strdup(k->arena, d->text);
	if (!e->text)
		return err_nomem();
	e->flow = d->flow;
	for (size_t n = 0; n < d->n_memory; n++)
		memory_fill(k, &d->memory[n], &e->memory[e->n_memory++]);
	for (size_t n = 0; k->regs && n < d->n_reads; n++)
		term_value(k, &d->reads[n], &e->regs[e->n_regs++]);
	target_fill(k, d, e);
	return NULL;
}

struct err *
effect_fill(struct walk *w, const struct disasm_ask *ask, struct arena *a,
	    struct disasm_entry *e)
{
	const struct known known = {
		.w = w, .i = w->i, .arena = a, .thread = ask->thread,
		.regs = e->address == ask->pc ? ask->regs : NULL,
	};
	struct decoded d;

	if (e->kind > DISASM_BAD)
		return NULL;
	place_own(w, e->address, &e->place);
	struct span bytes = code_at(&w->code, e->address, (size_t)e->length);
	e->n_bytes = (uint8_t)bytes.n;
	memcpy(e->bytes, bytes.data, bytes.n);
	if (e->kind == DISASM_BAD)
		return NULL;
	if (!w->d->machine->decode(w->d, e->address, bytes, &d)) {
		e->kind = DISASM_BAD;
		e->why = "an instruction that cannot be shown";
		return NULL;
	}
	return code_fill(&known, &d, e);
}
