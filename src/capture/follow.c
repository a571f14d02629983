/* SPDX-License-Identifier: Apache-2.0 */
/*
 * follow.c: the buffer is the queue: what was copied first is looked through
 * first, and what it points to is copied behind all else.
 */
#include "capture/follow.h"

#include <string.h>

#include "capture/impl.h"

/* Of each stack in turn. */
#define TURN 512u
/* Looked through between two looks at how far copying is. */
#define STRIDE (16u << 10)
/* Addresses so near each other are looked up in one place. */
#define SLOT_SHIFT 21

static bool
is_followed(const struct piece *x)
{
	return x->kind == SNAP_MEM_DATA && x->class == CLASS_DATA;
}

void
follow_begin(struct follow *f, struct copier *c)
{
	const struct piece *all = c->plan->pieces.data;

	*f = (struct follow){ .c = c, .low = UINT64_MAX };
	for (size_t k = 0; k < c->plan->pieces.n; k++) {
		if (!is_followed(&all[k]))
			continue;
		if (all[k].start < f->low)
			f->low = all[k].start;
		f->high = all[k].end;
	}
}

static const struct piece *
piece_at(struct follow *f, uint64_t addr)
{
	const struct piece **slot = &f->slots[(addr >> SLOT_SHIFT)
					      % FOLLOW_SLOTS];

	if (!*slot || addr < (*slot)->start || addr >= (*slot)->end) {
		const struct piece *x = plan_find(f->c->plan, addr);

		if (!x)
			return NULL;
		*slot = x;
	}
	return *slot;
}

static void
follow_word(struct follow *f, uint64_t addr)
{
	if (addr < f->low || addr >= f->high)
		return;
	const struct piece *x = piece_at(f, addr);

	if (x && is_followed(x))
		copier_page(f->c, x, addr);
}

/* Words at addresses that are multiples of their size, as compilers do. */
static void
follow_bytes(struct follow *f, const uint8_t *bytes, size_t n)
{
	uint64_t word;

	for (size_t k = 0; k + sizeof(word) <= n && !f->c->ended;
	     k += sizeof(word)) {
		memcpy(&word, bytes + k, sizeof(word));
		follow_word(f, word);
	}
}

/* The next TURN of @t; false: there is no more. */
static bool
follow_turn(struct follow *f, const struct taken *t, uint64_t off)
{
	if (t->at == TAKEN_UNREADABLE || off >= t->end - t->start)
		return false;
	uint64_t left = t->end - t->start - off;

	follow_bytes(f, f->c->buffer + t->at + off, left < TURN ? left : TURN);
	return true;
}

void
follow_registers(struct follow *f, const struct tracee *t)
{
	if (t->has_regs)
		follow_bytes(f, (const uint8_t *)&t->regs, sizeof(t->regs));
}

void
follow_stacks(struct follow *f, size_t from, size_t to)
{
	const struct taken *t = f->c->taken;
	bool more = true;

	for (uint64_t off = 0; more && !f->c->ended; off += TURN) {
		more = false;
		for (size_t k = from; k < to && !f->c->ended; k++)
			more |= follow_turn(f, &t[k], off);
	}
	copier_flush(f->c);
}

void
follow_all(struct follow *f, uint64_t at)
{
	struct copier *c = f->c;

	while (!c->ended) {
		if (at == c->used)
			copier_flush(c);
		if (at == c->used)
			return;
		size_t n = c->used - at < STRIDE ? c->used - at : STRIDE;
		follow_bytes(f, c->buffer + at, n);
		at += n;
	}
}
