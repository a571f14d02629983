/* SPDX-License-Identifier: Apache-2.0 */
/* The recipe of an object: its pieces in order, block by block. */
#include <stdlib.h>
#include <string.h>

#include "store/impl.h"

struct err *
recipe_init(struct recipe *r, struct db *db, const struct record *o)
{
	*r = (struct recipe){
		.db = db, .number = o->object.ref.number,
		.size = o->object.size, .n_pieces = o->n_pieces,
	};
	r->block.piece = calloc(BLOCK_PIECES, sizeof(*r->block.piece));
	r->start = calloc((size_t)recipe_blocks(r) + 1, sizeof(*r->start));
	return r->block.piece && r->start ? NULL : err_nomem();
}

void
recipe_fini(struct recipe *r)
{
	free(r->block.piece);
	free(r->start);
	r->block.piece = NULL;
	r->start = NULL;
}

static uint32_t
blocks_of(uint64_t n_pieces)
{
	return (n_pieces + BLOCK_PIECES - 1) / BLOCK_PIECES;
}

uint32_t
recipe_blocks(const struct recipe *r)
{
	return blocks_of(r->n_pieces);
}

static struct err *
block_value(struct txn *t, uint64_t number, uint32_t at, struct span *value)
{
	struct key key = key_block(number, at);
	struct err *err = txn_get(t, TABLE_RECIPES, key_span(&key), value);

	return err || value->data ? err :
	       err_new(ERR_DAMAGED, "block %u of its recipe is missing", at);
}

/** A block but the last is full. */
static struct err *
block_load(struct txn *t, uint64_t number, uint64_t n_pieces, uint32_t at,
	   struct block *out)
{
	uint64_t left = n_pieces - (uint64_t)at * BLOCK_PIECES;
	struct span value;
	struct err *err = block_value(t, number, at, &value);

	if (!err)
		err = block_get(value, out);
	if (!err && out->n != (left < BLOCK_PIECES ? left : BLOCK_PIECES))
		err = err_new(ERR_DAMAGED, "block %u of its recipe has %u "
			      "pieces", at, out->n);
	return err;
}

/* ---- one block at a time ---- */
struct hold {
	struct recipe *recipe;
	uint64_t off;
	uint32_t block;
};

static struct err *
hold_run(struct txn *t, void *arg)
{
	struct hold *h = arg;
	struct recipe *r = h->recipe;

	r->held = false;
	struct err *err = block_load(t, r->number, r->n_pieces, h->block,
				     &r->block);
	if (err)
		return err;
	r->at = h->block;
	r->held = true;
	return NULL;
}

struct err *
recipe_hold(struct recipe *r, uint32_t block)
{
	struct hold h = { r, 0, block };

	return r->held && r->at == block ? NULL : db_read(r->db, hold_run, &h);
}

/* ---- the block of an offset ---- */
/* To read a block is to check all of it, so what is known is not asked again:
 * pieces come and go elsewhere in the store, but not in an object. */
static struct err *
block_start(struct txn *t, struct recipe *r, uint32_t at, uint64_t *out)
{
	struct span value = { 0 };
	struct err *err = NULL;

	if (!r->start[at]) {
		err = block_value(t, r->number, at, &value);
		struct rd bytes = rd_of(value.data, value.n);
		r->start[at] = err ? 0 : rd_u64(&bytes);
	}
	*out = r->start[at];
	return err;
}

static struct err *
seek_run(struct txn *t, void *arg)
{
	struct hold *h = arg;
	uint32_t low = 0, high = recipe_blocks(h->recipe);
	struct err *err = NULL;

	/* Block low begins at or below the offset, block high above it. */
	while (high - low > 1 && !err) {
		uint32_t middle = low + (high - low) / 2;
		uint64_t start = 0;

		err = block_start(t, h->recipe, middle, &start);
		if (start <= h->off)
			low = middle;
		else
			high = middle;
	}
	h->block = low;
	return err ? err : hold_run(t, h);
}

static bool
holds(const struct recipe *r, uint64_t off)
{
	uint64_t at = r->block.start;

	if (!r->held || off < at)
		return false;
	for (uint32_t i = 0; i < r->block.n; i++)
		at += r->block.piece[i].length;
	return off < at;
}

struct err *
recipe_seek(struct recipe *r, uint64_t off)
{
	struct hold h = { r, off, 0 };

	if (holds(r, off))
		return NULL;
	struct err *err = db_read(r->db, seek_run, &h);
	if (!err && !holds(r, off))
		err = err_new(ERR_DAMAGED, "its recipe does not cover offset "
			      "%llu", (unsigned long long)off);
	return err;
}

/* ---- all pieces within a transaction ---- */
struct err *
recipe_each(struct txn *t, uint64_t number, uint64_t n_pieces, piece_fn *each,
	    void *arg)
{
	_free_ struct piece *piece = calloc(BLOCK_PIECES, sizeof(*piece));
	struct block block = { .piece = piece };
	struct err *err = piece ? NULL : err_nomem();

	for (uint32_t at = 0; at < blocks_of(n_pieces) && !err; at++) {
		err = block_load(t, number, n_pieces, at, &block);
		for (uint32_t i = 0; i < block.n && !err; i++)
			err = each(arg, &block.piece[i]);
	}
	return err;
}
