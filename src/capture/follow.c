/* SPDX-License-Identifier: Apache-2.0 */
/*
 * follow.c: the buffer is the queue: what was copied first is looked through
 * first, and what it points to is copied behind all else.
 */
#include "capture/follow.h"

#include <string.h>

#include "capture/follow_heap.h"
#include "capture/impl.h"

/* Of each stack in turn. */
#define TURN 512u
/* Of a block at first; what is left when all that is smaller was found. */
#define BLOCK_PART (256u << 10)
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
	if (c->heap)
		follow_heap_begin(c->heap);
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
follow_page(struct follow *f, uint64_t addr)
{
	const struct piece *x = piece_at(f, addr);

	if (x && is_followed(x))
		copier_page(f->c, x, addr);
}

static void
follow_range(struct follow *f, uint64_t start, uint64_t end)
{
	start &= ~(uint64_t)(PAGE - 1);
	for (; start < end && !f->c->ended; start += PAGE)
		follow_page(f, start);
}

/* Pages of a large one are not gone through each time it is met. */
static void
follow_large(struct follow *f, uint64_t start, uint64_t end)
{
	uint64_t *met = &f->large[start / PAGE % FOLLOW_LARGE];

	if (*met == start)
		return;
	*met = start;
	if (end - start > BLOCK_PART && f->n_rests < FOLLOW_LARGE) {
		f->rests[f->n_rests++] = (struct range){ start + BLOCK_PART,
							 end };
		end = start + BLOCK_PART;
	}
	follow_range(f, start, end);
}

/* The block that @addr points into; false: none is known. */
static bool
follow_block(struct follow *f, uint64_t addr)
{
	uint64_t start, end;

	if (!f->c->heap || follow_heap_object(f->c->heap, addr, &start, &end)
			   != JEMALLOC_OBJECT)
		return false;
	follow_page(f, addr);
	if (end - start > 4 * PAGE)
		follow_large(f, start, end);
	else
		follow_range(f, start, end);
	return true;
}

static void
follow_word(struct follow *f, uint64_t addr)
{
	if (addr < f->low || addr >= f->high)
		return;
	const struct piece *x = piece_at(f, addr);

	if (x && is_followed(x) && !follow_block(f, addr))
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

/* jemalloc's own books lead to all that is allocated. */
static bool
is_books(struct follow *f, uint64_t addr)
{
	uint64_t start, end;

	return f->c->heap && follow_heap_object(f->c->heap, addr, &start, &end)
			     == JEMALLOC_BOOKS;
}

static void
follow_taken(struct follow *f, const struct taken *t)
{
	uint64_t n;

	if (t->at == TAKEN_UNREADABLE || t->at == TAKEN_UNKNOWN)
		return;
	for (uint64_t at = t->start; at < t->end && !f->c->ended; at += n) {
		n = PAGE - at % PAGE;
		n = n < t->end - at ? n : t->end - at;
		if (!is_books(f, at))
			follow_bytes(f, f->c->buffer + t->at + (at - t->start),
				     n);
	}
}

/* More of each block that is not whole; false: they all are. */
static bool
follow_rests(struct follow *f)
{
	size_t n = f->n_rests;

	f->n_rests = 0;
	for (size_t k = 0; k < n; k++) {
		struct range *r = &f->rests[k];
		uint64_t start = r->start, end = r->end;

		if (end - start > BLOCK_PART) {
			end = start + BLOCK_PART;
			f->rests[f->n_rests++] = (struct range){ end, r->end };
		}
		follow_range(f, start, end);
	}
	copier_flush(f->c);
	return n > 0;
}

void
follow_all(struct follow *f, size_t from)
{
	struct copier *c = f->c;

	while (!c->ended) {
		if (from == c->n)
			copier_flush(c);
		if (from < c->n)
			follow_taken(f, &c->taken[from++]);
		else if (!follow_rests(f))
			return;
	}
}
