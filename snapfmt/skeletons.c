/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Skeletons on their way into the file, and such as were packed before: for a
 * cache, which hands them to many files.
 */
#include <stdlib.h>
#include <string.h>

#include "snapfmt/soon.h"
#include "snapfmt/writer.h"

/* A packed one: a header of little-endian numbers, and the stored bytes. */
#define RECORD_MAGIC 0x316c656b736b6e69ull
#define RECORD_PACKED 1u
#define RECORD_HEAD 80u         /* bytes, which a checksum follows */
struct record {
	uint64_t raw;           /* bytes, unpacked */
	uint64_t flags;         /* RECORD_PACKED: one zstd frame */
	uint64_t hash;          /* as of lookup_hash(), of the payload */
	const uint8_t *key;     /* SHA-256 of the payload */
	const uint8_t *xxh;     /* of the stored bytes */
	struct span stored;
};

static struct err *
skeleton_check(const struct snap_extent *extents, size_t n)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < n; i++) {
		const char *fault = schema_extent.fault(
			&extents[i], i ? &extents[i - 1] : NULL);

		if (fault)
			return err_new(ERR_FAILED, "extent %zu %s", i, fault);
		/* Below SECTION_MAX each, so the sum cannot overflow. */
		if (extents[i].bytes.n > SECTION_MAX)
			return err_new(ERR_LIMIT, "extent %zu is too large",
				       i);
		bytes += extents[i].bytes.n;
	}
	if (n > SECTION_MAX / schema_extent.disk || bytes > SECTION_MAX)
		return err_new(ERR_LIMIT, "skeleton of %zu extents and %llu "
			       "bytes is too large", n,
			       (unsigned long long)bytes);
	return NULL;
}

/** Header, extents, bytes; a function of the extents alone. */
static struct err *
skeleton_payload(const struct snap_extent *extents, size_t n, struct buf *out)
{
	_buf_ struct buf bytes = { .max = SECTION_MAX };
	struct table table = { .bytes = { .max = SECTION_MAX } };
	size_t head = TABLE_HEADER_SIZE + n * schema_extent.disk;
	size_t pad = -head % ALIGNMENT;
	struct encoder e = { .blobs = &bytes, .blobs_at = head + pad };

	for (size_t i = 0; i < n; i++)
		codec_encode(&schema_extent, &extents[i], &e, &table);
	codec_table_header(out, schema_extent.disk, (uint32_t)n, 0);
	buf_put(out, table.bytes.data, table.bytes.len);
	buf_zero(out, pad);
	buf_put(out, bytes.data, bytes.len);
	struct err *err = buf_err(&table.bytes);
	buf_fini(&table.bytes);
	if (!err)
		err = buf_err(&bytes);
	return err ? err : buf_err(out);
}

struct skeleton_probe {
	const struct snap_writer *w;
	const uint8_t *key;
};

static bool
skeleton_same(const void *arg, uint32_t id)
{
	const struct skeleton_probe *p = arg;

	return memcmp(p->w->skeleton_key[id], p->key, SHA256_SIZE) == 0;
}

static struct err *
skeleton_remember(struct snap_writer *w, uint64_t hash, const uint8_t *key)
{
	size_t n = w->n_skeletons;
	void *keys = reallocarray(w->skeleton_key, n + 1, SHA256_SIZE);

	if (!keys)
		return err_nomem();
	w->skeleton_key = keys;
	memcpy(w->skeleton_key[n], key, SHA256_SIZE);
	if (!lookup_add(&w->skeleton_lookup, hash, (uint32_t)n))
		return err_nomem();
	w->n_skeletons++;
	return NULL;
}

/* Packed beside us: many are large. Takes what is in @payload. */
static struct err *
skeleton_send(struct snap_writer *w, struct buf *payload)
{
	const struct section s = {
		.type = SECTION_SKELETON, .instance = w->n_skeletons,
		.raw = payload->len,
	};
	struct err *err = writer_admit(w, SECTION_SKELETON, payload->len);

	if (err)
		return err;
	w->demanded += payload->len;
	return batches_section(w->batches, w, &s, payload);
}

/* Is it there already? */
static bool
skeleton_find(const struct snap_writer *w, const uint8_t *key, uint64_t hash,
	      uint32_t *index)
{
	return lookup_find(&w->skeleton_lookup, hash, skeleton_same,
			   &(struct skeleton_probe){ w, key }, index);
}

struct err *
snap_put_skeleton(struct snap_writer *w, const struct snap_extent *extents,
		  size_t n, uint32_t *index)
{
	uint8_t xxh[XXH128_SIZE], key[SHA256_SIZE];
	_buf_ struct buf payload = { .max = SECTION_MAX };
	struct err *err = ranges_finish(w);

	if (!err)
		err = skeleton_check(extents, n);
	if (!err)
		err = skeleton_payload(extents, n, &payload);
	if (!err)
		err = hash_sha256(payload.data, payload.len, key);
	if (err)
		return err;
	hash_xxh128(payload.data, payload.len, xxh);
	if (skeleton_find(w, key, lookup_hash(xxh), index))
		return NULL;
	err = skeleton_send(w, &payload);
	if (!err)
		err = skeleton_remember(w, lookup_hash(xxh), key);
	if (err)
		return err;
	*index = w->n_skeletons - 1;
	return NULL;
}

/* ---- packed before ---- */
static struct err *
record_make(const struct buf *payload, struct buf *out)
{
	const struct span raw = { payload->data, payload->len };
	uint8_t xxh[XXH128_SIZE], key[SHA256_SIZE];
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	struct packed p;

	if (!zstd)
		return err_nomem();
	struct err *err = packed_make(zstd, raw, &p);
	ZSTD_freeCCtx(zstd);
	if (!err)
		err = hash_sha256(raw.data, raw.n, key);
	if (err)
		return err;
	hash_xxh128(raw.data, raw.n, xxh);
	buf_u64(out, RECORD_MAGIC);
	buf_u64(out, raw.n);
	buf_u64(out, p.packed ? RECORD_PACKED : 0);
	buf_u64(out, lookup_hash(xxh));
	buf_put(out, key, sizeof(key));
	buf_put(out, p.xxh, sizeof(p.xxh));
	if (!out->failed)
		hash_xxh128(out->data + out->len - RECORD_HEAD, RECORD_HEAD,
			    xxh);
	buf_put(out, xxh, sizeof(xxh));
	buf_put(out, p.stored.data, p.stored.n);
	free(p.frame);
	return buf_err(out);
}

struct err *
snap_pack_skeleton(const struct snap_extent *extents, size_t n,
		   struct buf *out)
{
	_buf_ struct buf payload = { .max = SECTION_MAX };
	struct err *err = skeleton_check(extents, n);

	if (!err)
		err = skeleton_payload(extents, n, &payload);
	return err ? err : record_make(&payload, out);
}

static struct err *
record_read(struct span bytes, struct record *out)
{
	struct rd r = rd_of(bytes.data, bytes.n);
	uint8_t xxh[XXH128_SIZE];

	uint64_t magic = rd_u64(&r);
	*out = (struct record){ .raw = rd_u64(&r) };
	out->flags = rd_u64(&r);
	out->hash = rd_u64(&r);
	out->key = rd_bytes(&r, SHA256_SIZE);
	out->xxh = rd_bytes(&r, XXH128_SIZE);
	const uint8_t *head = rd_bytes(&r, XXH128_SIZE);
	out->stored.n = rd_left(&r);
	out->stored.data = rd_bytes(&r, out->stored.n);
	if (!rd_failed(&r))
		hash_xxh128(bytes.data, RECORD_HEAD, xxh);
	if (rd_failed(&r) || !digest_equal(xxh, head, sizeof(xxh))
	    || magic != RECORD_MAGIC || out->flags > RECORD_PACKED
	    || out->raw > SECTION_MAX)
		return err_new(ERR_DAMAGED, "is no packed skeleton");
	hash_xxh128(out->stored.data, out->stored.n, xxh);
	if (!digest_equal(xxh, out->xxh, sizeof(xxh)))
		return err_new(ERR_DAMAGED, "checksum does not match");
	if (out->flags & RECORD_PACKED)
		return pack_declares(out->stored, out->raw);
	return out->stored.n == out->raw ? NULL
	       : err_new(ERR_DAMAGED, "is not as long as it says");
}

struct err *
snap_put_packed(struct snap_writer *w, struct span packed, uint32_t *index)
{
	struct section s = { .type = SECTION_SKELETON };
	struct packed p = { 0 };
	struct record r;
	struct err *err = ranges_finish(w);

	if (!err)
		err = record_read(packed, &r);
	if (err)
		return err;
	if (skeleton_find(w, r.key, r.hash, index))
		return NULL;
	err = writer_admit(w, SECTION_SKELETON, r.raw);
	if (err)
		return err;
	s.instance = w->n_skeletons;
	s.raw = r.raw;
	p.packed = r.flags & RECORD_PACKED;
	p.stored = r.stored;
	memcpy(p.xxh, r.xxh, sizeof(p.xxh));
	w->demanded += r.raw;
	err = batches_packed(w->batches, w, &s, &p);
	if (!err)
		err = skeleton_remember(w, r.hash, r.key);
	if (err)
		return err;
	*index = w->n_skeletons - 1;
	return NULL;
}
