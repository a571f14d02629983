/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of records: the one file that knows zstd. */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "symbols/blocks.h"

#define LEVEL 3

uint64_t
format_hash(const void *data, size_t n)
{
	uint8_t hash[XXH128_SIZE];
	uint64_t v;

	hash_xxh128(data, n, hash);
	memcpy(&v, hash, sizeof(v));
	return v;
}

uint64_t
format_hash_header(const struct format_header *h)
{
	struct format_header plain = *h;

	plain.hash = 0;
	return format_hash(&plain, sizeof(plain));
}

uint16_t
format_symbol_hash(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name && *name != '@'; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return (uint16_t)(hash ^ hash >> 16);
}

uint32_t
format_name_hash(const char *name, size_t n)
{
	return (uint32_t)format_hash(name, n);
}

void
blocks_fini(struct blocks *b)
{
	struct block *all = (struct block *)b->list.data;

	for (size_t k = 0; k < b->list.len / sizeof(*all); k++)
		free(all[k].data);
	buf_fini(&b->list);
	buf_fini(&b->records);
	buf_fini(&b->offsets);
	err_free(take(b->err));
}

/* ---- packing ------------------------------------------------------------- */
static struct err *
pack(struct block *to, const void *data, size_t n)
{
	size_t bound = ZSTD_compressBound(n);
	uint8_t *room = n <= FORMAT_BLOCK_MAX ? malloc(bound) : NULL;

	if (!room)
		return n > FORMAT_BLOCK_MAX
		       ? err_new(ERR_LIMIT, "a record of the symbol index "
				 "would have %zu bytes", n)
		       : err_nomem();
	size_t packed = ZSTD_compress(room, bound, data, n, LEVEL);
	if (ZSTD_isError(packed)) {
		free(room);
		return err_new(ERR_FAILED, "zstd: %s",
			       ZSTD_getErrorName(packed));
	}
	/* What does not get smaller stays as it is. */
	if (packed >= n) {
		memcpy(room, data, n);
		packed = n;
	}
	uint8_t *fit = realloc(room, packed);
	to->data = fit ? fit : room;
	to->packed = (uint32_t)packed;
	to->raw = (uint32_t)n;
	return NULL;
}

void
blocks_pack(struct blocks *b, uint64_t first, const void *data, size_t n)
{
	struct block block = { .first = first };

	if (b->err)
		return;
	b->err = pack(&block, data, n);
	if (b->err)
		return;
	buf_put(&b->list, &block, sizeof(block));
	if (b->list.failed)
		free(block.data);
}

static void
close_block(struct blocks *b)
{
	uint32_t count = (uint32_t)(b->offsets.len / sizeof(uint32_t));
	uint32_t *offsets = (uint32_t *)(void *)b->offsets.data;
	size_t head = sizeof(count) + b->offsets.len;
	_buf_ struct buf raw = { 0 };

	if (!count)
		return;
	for (uint32_t k = 0; k < count; k++)
		offsets[k] += (uint32_t)head;
	buf_u32(&raw, count);
	buf_put(&raw, offsets, b->offsets.len);
	buf_put(&raw, b->records.data, b->records.len);
	if (!b->err)
		b->err = buf_err(&raw);
	blocks_pack(b, b->first, raw.data, raw.len);
	buf_reset(&b->records);
	buf_reset(&b->offsets);
	b->first = b->next;
}

struct buf *
blocks_record(struct blocks *b)
{
	if (b->records.len >= FORMAT_BLOCK)
		close_block(b);
	buf_u32(&b->offsets, (uint32_t)b->records.len);
	return &b->records;
}

void
blocks_end_record(struct blocks *b)
{
	b->next++;
}

struct err *
blocks_finish(struct blocks *b)
{
	if (!b->err && (b->records.failed || b->offsets.failed))
		b->err = err_nomem();
	close_block(b);
	if (!b->err)
		b->err = buf_err(&b->list);
	return take(b->err);
}

/* ---- unpacking ------------------------------------------------------------ */
static struct err *
damaged(void)
{
	return err_new(ERR_DAMAGED, "symbol index: a block of it is "
		       "damaged; make it anew");
}

void
unpacker_fini(struct unpacker *u)
{
	ZSTD_freeDCtx(u->zstd);
	u->zstd = NULL;
}

/* A context is larger than what malloc() keeps: one for many blocks. */
static struct err *
expand(struct unpacker *u, struct span packed, size_t raw, void *out)
{
	if (!u->zstd)
		u->zstd = ZSTD_createDCtx();
	if (!u->zstd)
		return err_nomem();
	size_t got = ZSTD_decompressDCtx(u->zstd, out, raw, packed.data,
					 packed.n);
	return !ZSTD_isError(got) && got == raw ? NULL : damaged();
}

struct err *
block_unpack(struct unpacker *u, struct span packed, size_t raw, uint8_t **out)
{
	/* A frame of another size is not given room for. */
	bool fits = raw <= FORMAT_BLOCK_MAX
		    && (packed.n == raw
			|| ZSTD_getFrameContentSize(packed.data, packed.n)
			   == raw);
	_free_ uint8_t *room = fits ? malloc(raw + 1) : NULL;
	struct err *err = NULL;

	if (!fits)
		return damaged();
	if (!room)
		return err_nomem();
	if (packed.n == raw)
		memcpy(room, packed.data, raw);
	else
		err = expand(u, packed, raw, room);
	if (err)
		return err;
	room[raw] = 0;
	*out = take(room);
	return NULL;
}
