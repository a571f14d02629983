/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks: records gathered and packed, and unpacked again.
 */
#ifndef SYMBOLS_BLOCKS_H
#define SYMBOLS_BLOCKS_H

#include "symbols/format.h"

/** A packed block that waits to be written. */
struct block {
	uint64_t first;
	uint32_t packed, raw;
	uint8_t *data;                  /* owned */
};
/** A series of blocks, as one job makes them, in order. */
struct blocks {
	struct buf list;                /* struct block */
	struct buf records, offsets;    /* of the block that is open */
	uint64_t first;                 /* number of its first record */
	uint64_t next;                  /* of the record that comes */
	struct err *err;                /* the first that happened */
};
void blocks_fini(struct blocks *b);
/** Where the next record is to be put; blocks_end_record() ends it. */
struct buf *blocks_record(struct blocks *b);
void blocks_end_record(struct blocks *b);
/** Pack @n bytes as one block of their own. */
void blocks_pack(struct blocks *b, uint64_t first, const void *data, size_t n);
/** Close the block that is open. Tells what went wrong since the start. */
struct err *blocks_finish(struct blocks *b) _must_check_;

/** What unpacking needs, for one thread at a time. Made when first needed. */
struct unpacker {
	void *zstd;
};
void unpacker_fini(struct unpacker *u);
/** @raw bytes of a block into fresh memory; *out is the caller's to free. */
struct err *block_unpack(struct unpacker *u, struct span packed, size_t raw,
			 uint8_t **out) _must_check_;

#endif
