/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file as pieces that a store can keep: chunks and skeletons by
 * themselves, since other snapshots have the same ones, and what lies between.
 */
#include <stdlib.h>

#include "snapfmt/layout.h"

static int
piece_order(const void *a, const void *b)
{
	const struct snap_piece *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return (x->length > y->length) - (x->length < y->length);
}

/** What is worth a piece of its own, in no order; the room is there. */
static struct err *
pieces_gather(const struct snap *s, struct snap_piece *out, size_t *n)
{
	for (uint32_t k = 0; k < s->chunks.count; k++) {
		struct chunk c = { 0 };
		struct err *err = chunk_entry(s, k, &c);

		if (err)
			return err;
		out[(*n)++] = (struct snap_piece){ c.offset, c.stored,
						   SNAP_PIECE_CHUNK };
	}
	for (size_t i = 0; i < s->n_skeletons; i++) {
		const struct section *sec = s->skeleton[i].section;

		out[(*n)++] = (struct snap_piece){ sec->offset, sec->stored,
						   SNAP_PIECE_SKELETON };
	}
	return NULL;
}

static void
piece_add(struct snap_piece *out, size_t *n, struct snap_piece piece)
{
	if (piece.length)
		out[(*n)++] = piece;
}

/**
 * The sorted @marked ones with what lies between them. Equal chunks share
 * their bytes, and a hostile file's may overlap: of those the first counts.
 */
static size_t
pieces_cover(const struct snap_piece *marked, size_t n_marked, uint64_t size,
	     struct snap_piece *out)
{
	uint64_t at = 0;
	size_t n = 0;

	for (size_t i = 0; i < n_marked; i++) {
		const struct snap_piece *m = &marked[i];

		if (m->offset < at)
			continue;
		piece_add(out, &n, (struct snap_piece){
			at, m->offset - at, SNAP_PIECE_PLAIN });
		piece_add(out, &n, *m);
		at = m->offset + m->length;
	}
	piece_add(out, &n, (struct snap_piece){ at, size - at,
						SNAP_PIECE_PLAIN });
	return n;
}

struct err *
snap_pieces(const struct snap *s, struct arena *a,
	    const struct snap_piece **out, size_t *n)
{
	size_t most = s->chunks.count + s->n_skeletons, n_marked = 0;
	_free_ struct snap_piece *marked = calloc(most + 1, sizeof(*marked));
	struct snap_piece *cover = arena_array(a, 2 * most + 1,
					       sizeof(*cover));

	if (!marked || !cover)
		return err_nomem();
	struct err *err = pieces_gather(s, marked, &n_marked);
	if (err)
		return err_wrap(err, "snapshot %s", source_name(s->dir.src));
	qsort(marked, n_marked, sizeof(*marked), piece_order);
	*n = pieces_cover(marked, n_marked, source_size(s->dir.src), cover);
	*out = cover;
	return NULL;
}
