/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading captured memory: one chunk per window of the address space, decoded
 * on demand and kept in a few slots.
 */
#include <stdlib.h>
#include <string.h>

#include "snapfmt/layout.h"

/* ---- which window, which chunk ---- */
/* Of a range whose words were moved windows count from there. */
static uint64_t
chunk_index(const struct snap_memory *m, uint64_t addr)
{
	return (addr - m->offset) / SNAP_CHUNK
	       - (m->start - m->offset) / SNAP_CHUNK;
}

uint64_t
chunk_windows(const struct snap_memory *m)
{
	return chunk_index(m, m->start + (m->length - 1)) + 1;
}

void
chunk_window(const struct snap_memory *m, uint64_t k, uint64_t *start,
	     uint32_t *n)
{
	uint64_t window = (m->start - m->offset) / SNAP_CHUNK + k;
	uint64_t from = m->offset + window * SNAP_CHUNK;
	uint64_t last = from + (SNAP_CHUNK - 1);
	uint64_t m_last = m->start + (m->length - 1);

	if (from < m->start)
		from = m->start;
	if (last > m_last)
		last = m_last;
	*start = from;
	*n = (uint32_t)(last - from + 1);
}

/* ---- one chunk ---- */
struct err *
chunk_entry(const struct snap *s, uint64_t k, struct chunk *out)
{
	const struct section *data = s->chunk_data;
	struct chunk c = { 0 };
	struct err *err;

	if (k >= s->chunks.count)
		return err_new(ERR_DAMAGED, "chunk %llu of %u",
			       (unsigned long long)k, s->chunks.count);
	err = codec_record(schema_of(SECTION_CHUNKS), &s->chunks, k,
			   &s->decoder, &c);
	if (err)
		return err;
	if (!c.raw || c.raw > SNAP_CHUNK || c.stored > CHUNK_STORED_MAX)
		return err_new(ERR_DAMAGED, "chunk %llu has impossible "
			       "lengths %u and %u", (unsigned long long)k,
			       c.stored, c.raw);
	if (!data || c.offset < data->offset ||
	    c.offset - data->offset > data->stored ||
	    c.stored > data->stored - (c.offset - data->offset))
		return err_new(ERR_DAMAGED,
			       "chunk %llu lies outside CHUNK_DATA",
			       (unsigned long long)k);
	*out = c;
	return NULL;
}

struct err *
chunk_stored(const struct snap *s, const struct chunk *c,
	     uint8_t out[CHUNK_STORED_MAX])
{
	uint8_t xxh[XXH128_SIZE];
	struct err *err = source_read(s->dir.src, c->offset, c->stored, out);

	if (err)
		return err;
	hash_xxh128(out, c->stored, xxh);
	return digest_equal(xxh, c->xxh, sizeof(xxh)) ? NULL :
	       err_new(ERR_DAMAGED, "checksum does not match");
}

/** Fill an empty slot with chunk @k, whose words @base moves. */
static struct err *
slot_fill(struct snap *s, struct chunk_slot *slot, uint64_t k, uint64_t base)
{
	uint8_t frame[CHUNK_STORED_MAX];
	struct chunk c;
	struct err *err = chunk_entry(s, k, &c);

	if (err)
		return err;
	if (!slot->bytes)
		slot->bytes = malloc(SNAP_CHUNK);
	err = slot->bytes ? snap_unpacker(s) : err_nomem();
	if (!err)
		err = chunk_stored(s, &c, frame);
	if (!err)
		err = pack_expand(s->zstd, (struct span){ frame, c.stored },
				  slot->bytes, c.raw);
	if (err)
		return err_wrap(err, "chunk %llu at offset %llu",
				(unsigned long long)k,
				(unsigned long long)c.offset);
	if (base)
		moved_words(slot->bytes, c.raw / 8 * 8, base);
	slot->chunk_plus_1 = k + 1;
	slot->base = base;
	slot->n = c.raw;
	return NULL;
}

/** Chunk @k of @m, which must be of @n bytes, is in @slot afterwards. */
static struct err *
slot_hold(struct snap *s, const struct snap_memory *m, struct chunk_slot *slot,
	  uint64_t k, uint32_t n)
{
	if (slot->chunk_plus_1 != k + 1 || slot->base != m->offset) {
		slot->chunk_plus_1 = 0;
		struct err *err = slot_fill(s, slot, k, m->offset);
		if (err)
			return err;
	}
	if (slot->n != n)
		return err_new(ERR_DAMAGED, "chunk %llu has %u bytes, not %u",
			       (unsigned long long)k, slot->n, n);
	return NULL;
}

struct err *
snap_unpacker(struct snap *s)
{
	if (!s->zstd)
		s->zstd = ZSTD_createDCtx();
	return s->zstd ? NULL : err_nomem();
}

void
snap_rest(struct snap *s)
{
	for (size_t i = 0; i < CHUNK_SLOTS; i++) {
		free(s->slot[i].bytes);
		s->slot[i] = (struct chunk_slot){ 0 };
	}
	ZSTD_freeDCtx(s->zstd);
	s->zstd = NULL;
}

bool
snap_key(const struct snap *s, const struct snap_memory *m, uint64_t off,
	 uint8_t key[SHA256_SIZE], uint64_t *left)
{
	uint64_t addr = m->start + off, start;
	uint64_t k = chunk_index(m, addr);
	struct chunk c;
	uint32_t n;

	if (m->kind != SNAP_MEM_DATA || off >= m->length)
		return false;
	chunk_window(m, k, &start, &n);
	_err_ struct err *err = chunk_entry(s, m->ref + k, &c);
	if (err)
		return false;
	memcpy(key, c.key, SHA256_SIZE);
	/* What was moved elsewhere has other bytes. */
	for (unsigned i = 0; i < 8; i++)
		key[i] ^= (uint8_t)(m->offset >> 8 * i);
	*left = start + n - addr;
	return true;
}

/* ---- a range of memory ---- */
/**
 * Go over the chunks of [addr, addr + n); @out NULL only decodes them. Chunks
 * with successive numbers have different slots, so what fits into the cache
 * is decoded once.
 */
static struct err *
chunks_walk(struct snap *s, const struct snap_memory *m, uint64_t addr,
	    size_t n, uint8_t *out)
{
	while (n) {
		uint64_t k = chunk_index(m, addr);
		struct chunk_slot *slot = &s->slot[(m->ref + k) % CHUNK_SLOTS];
		uint64_t start = 0;
		uint32_t len = 0;

		chunk_window(m, k, &start, &len);
		struct err *err = slot_hold(s, m, slot, m->ref + k,
					    len);
		if (err)
			return err_wrap(err, "memory at 0x%llx",
					(unsigned long long)start);
		size_t skip = addr - start;
		size_t part = n < len - skip ? n : len - skip;
		if (out)
			memcpy(out, slot->bytes + skip, part);
		out = out ? out + part : NULL;
		addr += part;
		n -= part;
	}
	return NULL;
}

static struct err *
data_read(struct snap *s, const struct snap_memory *m, uint64_t addr, size_t n,
	  uint8_t *out)
{
	/* First whether all of it can be had: @out is all or nothing. */
	struct err *err = chunks_walk(s, m, addr, n, NULL);

	if (!err)
		err = chunks_walk(s, m, addr, n, out);
	return err_wrap(err, "snapshot %s", source_name(s->dir.src));
}

struct err *
snap_read(struct snap *s, const struct snap_memory *m, uint64_t off, size_t n,
	  void *out)
{
	if (off > m->length || n > m->length - off)
		return err_new(ERR_FAILED, "snapshot %s: read beyond the "
			       "memory range at 0x%llx",
			       source_name(s->dir.src),
			       (unsigned long long)m->start);
	switch (m->kind) {
	case SNAP_MEM_DATA:
		return data_read(s, m, m->start + off, n, out);
	case SNAP_MEM_ZERO:
		memset(out, 0, n);
		return NULL;
	default:
		return err_new(ERR_ABSENT, "memory at 0x%llx is not in the "
			       "snapshot (%s)",
			       (unsigned long long)m->start + off,
			       snap_reason_text(m->reason));
	}
}
