/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that holds addresses of the module it is of: constants, as the
 * dynamic linker leaves them. Each word that points into the 4 GiB from the
 * module's load bias on trades places with one from MOVED_TO on, so that what
 * is packed is the same wherever the module was loaded, and the bytes come
 * back whatever they were. Windows of a module that were packed once, for a
 * cache, are put into many files.
 */
#include <endian.h>
#include <string.h>

#include "snapfmt/soon.h"
#include "snapfmt/writer.h"

#define MOVED_TO SNAP_MOVED_TO
#define MOVED_SPAN (1ull << 32)
/* Above, no module is loaded; and it stays apart from MOVED_TO. */
#define MOVED_BASE_MAX (1ull << 56)

/* What was packed: a header, a row for each window with a checksum behind all
   of them, then the windows' bytes, then the frames. */
#define RECORD_MAGIC 0x316465766f6d6e69ull
#define RECORD_HEAD 24u         /* bytes */
#define RECORD_ROW 56u          /* u32 where its frame is, u32 its length; 0 =
				   there is none; XXH3-128, SHA-256 */

/* ---- words ---- */
static uint64_t
word_at(const uint8_t *at)
{
	uint64_t w;

	memcpy(&w, at, sizeof(w));
	return le64toh(w);
}

static uint64_t
word_moved(uint64_t w, uint64_t base)
{
	if (w - base < MOVED_SPAN)
		return w - base + MOVED_TO;
	return w - MOVED_TO < MOVED_SPAN ? w - MOVED_TO + base : w;
}

void
moved_words(uint8_t *bytes, size_t n, uint64_t base)
{
	for (size_t at = 0; at < n; at += 8) {
		uint64_t w = htole64(word_moved(word_at(bytes + at), base));

		memcpy(bytes + at, &w, sizeof(w));
	}
}

const char *
moved_fault(const struct snap_memory *m)
{
	if (!m->offset || m->offset > m->start || m->offset > MOVED_BASE_MAX)
		return "is moved by what is no load bias";
	if (m->start % 8 || m->length % 8 || m->offset % 8)
		return "is moved, and not of whole words";
	return NULL;
}

/* ---- packed before ---- */
struct packing {
	ZSTD_CCtx *zstd;
	struct buf rows, frames;
};

/* A row, and the frame. What is all zero needs none. */
static struct err *
packing_window(struct packing *p, struct span raw)
{
	uint8_t frame[CHUNK_STORED_MAX], xxh[XXH128_SIZE], key[SHA256_SIZE];
	const uint8_t *bytes = raw.data;
	size_t n = 0;
	struct err *err = NULL;

	if (bytes[0] || memcmp(bytes, bytes + 1, raw.n - 1) != 0)
		err = pack_frame(p->zstd, PACK_LEVEL_CALM, raw, frame,
				 sizeof(frame), &n);
	if (!err)
		err = hash_sha256(frame, n, key);
	if (err)
		return err;
	hash_xxh128(frame, n, xxh);
	buf_u32(&p->rows, (uint32_t)p->frames.len);
	buf_u32(&p->rows, (uint32_t)n);
	buf_put(&p->rows, xxh, sizeof(xxh));
	buf_put(&p->rows, key, sizeof(key));
	buf_put(&p->frames, frame, n);
	return buf_err(&p->frames);
}

static struct err *
packing_all(struct packing *p, struct span bytes)
{
	struct err *err = NULL;

	for (size_t at = 0; at + SNAP_CHUNK <= bytes.n && !err;
	     at += SNAP_CHUNK)
		err = packing_window(p, (struct span){
			(const uint8_t *)bytes.data + at, SNAP_CHUNK });
	return err ? err : buf_err(&p->rows);
}

static struct err *
packing_join(const struct packing *p, uint64_t first, struct span bytes,
	     struct buf *out)
{
	_buf_ struct buf head = { 0 };
	uint8_t xxh[XXH128_SIZE];
	size_t n = bytes.n / SNAP_CHUNK;

	buf_u64(&head, RECORD_MAGIC);
	buf_u64(&head, first);
	buf_u64(&head, n);
	buf_put(&head, p->rows.data, p->rows.len);
	struct err *err = buf_err(&head);
	if (err)
		return err;
	hash_xxh128(head.data, head.len, xxh);
	buf_put(out, head.data, head.len);
	buf_put(out, xxh, sizeof(xxh));
	buf_put(out, bytes.data, n * SNAP_CHUNK);
	buf_put(out, p->frames.data, p->frames.len);
	return buf_err(out);
}

struct err *
snap_pack_moved(uint64_t first, struct span bytes, struct buf *out)
{
	struct packing p = { .zstd = ZSTD_createCCtx() };
	struct err *err = p.zstd ? NULL : err_nomem();

	if (!err && bytes.n > SECTION_MAX)
		err = err_new(ERR_LIMIT, "too much to be packed");
	if (!err)
		err = packing_all(&p, bytes);
	if (!err)
		err = packing_join(&p, first, bytes, out);
	ZSTD_freeCCtx(p.zstd);
	buf_fini(&p.rows);
	buf_fini(&p.frames);
	return err;
}

bool
snap_moved_open(struct span packed, struct snap_moved *out)
{
	struct rd r = rd_of(packed.data, packed.n);
	uint8_t xxh[XXH128_SIZE];

	if (rd_u64(&r) != RECORD_MAGIC)
		return false;
	struct snap_moved m = { .first = rd_u64(&r) };
	uint64_t n = rd_u64(&r);
	if (n > SECTION_MAX / SNAP_CHUNK || m.first % SNAP_CHUNK
	    || m.first > MOVED_SPAN)
		return false;
	m.n = (size_t)n;
	m.rows = rd_bytes(&r, m.n * RECORD_ROW);
	const void *seal = rd_bytes(&r, sizeof(xxh));
	m.bytes = rd_bytes(&r, m.n * SNAP_CHUNK);
	m.frames.n = rd_left(&r);
	m.frames.data = rd_bytes(&r, m.frames.n);
	if (rd_failed(&r))
		return false;
	hash_xxh128(packed.data, RECORD_HEAD + m.n * RECORD_ROW, xxh);
	if (!digest_equal(xxh, seal, sizeof(xxh)))
		return false;
	*out = m;
	return true;
}

bool
snap_moved_same(const struct snap_moved *m, size_t k, const void *bytes,
		uint64_t base)
{
	const uint8_t *theirs = m->bytes + k * SNAP_CHUNK, *ours = bytes;
	uint64_t differs = 0;

	/* In pieces, so that what differs is left soon. */
	for (size_t at = 0; at < SNAP_CHUNK && !differs; at += 512)
		for (size_t i = at; i < at + 512; i += 8)
			differs |= word_moved(word_at(theirs + i), base)
				   ^ word_at(ours + i);
	return !differs;
}

/* Its row; false if there is no frame, or not the one that was packed. */
static bool
moved_chunk(const struct snap_moved *m, size_t k, struct chunk *c,
	    const uint8_t **frame)
{
	struct rd r = rd_of(m->rows + k * RECORD_ROW, RECORD_ROW);
	uint8_t xxh[XXH128_SIZE];

	uint32_t at = rd_u32(&r);
	*c = (struct chunk){ .raw = SNAP_CHUNK, .stored = rd_u32(&r) };
	if (!c->stored || c->stored > CHUNK_STORED_MAX || at > m->frames.n
	    || c->stored > m->frames.n - at)
		return false;
	memcpy(c->xxh, rd_bytes(&r, XXH128_SIZE), XXH128_SIZE);
	memcpy(c->key, rd_bytes(&r, SHA256_SIZE), SHA256_SIZE);
	*frame = (const uint8_t *)m->frames.data + at;
	hash_xxh128(*frame, c->stored, xxh);
	_err_ struct err *other = pack_declares(
		(struct span){ *frame, c->stored }, c->raw);
	return digest_equal(xxh, c->xxh, sizeof(xxh)) && !other;
}

struct err *
snap_put_moved(struct snap_writer *w, const struct snap_moved *m, size_t k,
	       uint64_t base, bool *done)
{
	const struct snap_memory range = {
		.start = base + m->first + k * SNAP_CHUNK, .offset = base,
		.length = SNAP_CHUNK, .kind = SNAP_MEM_MOVED,
	};
	const uint8_t *frame;
	struct chunk c;

	*done = !schema_of(SECTION_MEMORY)->fault(&range, NULL)
		&& moved_chunk(m, k, &c, &frame);
	return *done ? writer_moved(w, &range, &c, frame) : NULL;
}
