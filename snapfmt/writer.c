/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer: a stream of sections, then the directory, then the trailer.
 * Nothing that went to the sink is ever touched again; a file whose writer
 * died has no trailer.
 */
#include <stdlib.h>
#include <string.h>

#include "snapfmt/soon.h"
#include "snapfmt/writer.h"

/* Pieces for the sink, so that a chunk is not a system call each. */
#define PENDING_SIZE (128u << 10)
/* Below this a section stays readable in a hex dump at hardly any cost. */
#define PACK_FROM 4096u

/* ---- bytes to the sink ---- */
static struct err *
writer_sink(struct snap_writer *w, const void *data, size_t n)
{
	struct err *err = n ? w->sink(w->arg, data, n) : NULL;

	if (err)
		w->failed = true;
	return err;
}

static struct err *
writer_flush(struct snap_writer *w)
{
	size_t n = w->n_pending;

	w->n_pending = 0;
	return writer_sink(w, w->pending, n);
}

struct err *
writer_emit(struct snap_writer *w, const void *data, size_t n)
{
	struct err *err = NULL;

	if (!n)
		return NULL;
	if (n > PENDING_SIZE - w->n_pending)
		err = writer_flush(w);
	if (!err && n > PENDING_SIZE) {
		err = writer_sink(w, data, n);
	} else if (!err) {
		memcpy(w->pending + w->n_pending, data, n);
		w->n_pending += n;
	}
	if (!err)
		w->at += n;
	return err;
}

struct err *
writer_align(struct snap_writer *w)
{
	static const uint8_t zero[ALIGNMENT];

	return writer_emit(w, zero, -w->at % ALIGNMENT);
}

void
writer_entry(struct snap_writer *w, const struct section *s)
{
	codec_encode(&schema_section, s, &w->encoder, &w->directory);
}

struct err *
packed_make(ZSTD_CCtx *zstd, struct span payload, struct packed *out)
{
	size_t n, cap = ZSTD_compressBound(payload.n);
	_free_ void *frame = NULL;

	*out = (struct packed){ .stored = payload };
	if (payload.n >= PACK_FROM) {
		frame = malloc(cap);
		if (!frame)
			return err_nomem();
		struct err *err = pack_frame(zstd, PACK_LEVEL, payload,
					     frame, cap, &n);
		if (err)
			return err;
		/* Else it is stored as it is. */
		if (n < payload.n) {
			out->stored = (struct span){ frame, n };
			out->frame = take(frame);
			out->packed = true;
		}
	}
	hash_xxh128(out->stored.data, out->stored.n, out->xxh);
	return NULL;
}

struct err *
writer_packed(struct snap_writer *w, const struct section *like,
	      const struct packed *p)
{
	struct section s = *like;
	struct err *err = writer_align(w);

	if (err)
		return err;
	s.version = SECTION_VERSION;
	s.flags = p->packed ? SECTION_PACKED : 0;
	s.offset = w->at;
	s.stored = p->stored.n;
	memcpy(s.xxh, p->xxh, sizeof(s.xxh));
	writer_entry(w, &s);
	return writer_emit(w, p->stored.data, p->stored.n);
}

struct err *
writer_section(struct snap_writer *w, uint32_t type, uint32_t instance,
	       struct span payload)
{
	const struct section s = {
		.type = type, .instance = instance, .raw = payload.n,
	};
	struct packed packed;
	struct err *err = batches_drain(w->batches, w);

	if (!err)
		err = packed_make(w->zstd, payload, &packed);
	if (err)
		return err;
	err = writer_packed(w, &s, &packed);
	free(packed.frame);
	return err;
}

struct err *
writer_ready(const struct snap_writer *w)
{
	if (w->closed)
		return err_new(ERR_FAILED, "the snapshot is closed");
	if (w->failed)
		return err_new(ERR_FAILED,
			       "writing the snapshot failed before");
	return NULL;
}

/** Bytes that a reader needs once it has opened what there is so far. */
static size_t
writer_resident(const struct snap_writer *w)
{
	size_t n = w->strings.len + w->blobs.len +
		   w->directory.count * (sizeof(struct section) +
					 sizeof(struct demand));

	for (uint32_t type = 0; type < SECTION_TYPES; type++)
		if (schema_of(type))
			n += w->table[type].count *
			     (size_t)schema_of(type)->size;
	return n;
}

struct err *
writer_buffers(const struct snap_writer *w)
{
	struct err *err = buf_err(&w->directory.bytes);

	if (!err && writer_resident(w) > READER_MAX - READER_SPARE)
		err = err_new(ERR_LIMIT, "records of more than %u MiB",
			      (READER_MAX - READER_SPARE) >> 20);

	for (size_t i = 0; i < SECTION_TYPES && !err; i++)
		err = buf_err(&w->table[i].bytes);
	if (!err)
		err = buf_err(&w->strings);
	if (!err)
		err = buf_err(&w->blobs);
	return !err && w->failed ? err_nomem() : err;
}

/* ---- strings ---- */
struct intern_key {
	const struct buf *strings;
	const char *s;
};

static bool
intern_same(const void *arg, uint32_t off)
{
	const struct intern_key *key = arg;

	return strcmp(key->strings->data + off, key->s) == 0;
}

/** Offset of @s in STRINGS. No memory is sticky in w->failed. */
static uint32_t
intern(void *arg, const char *s)
{
	struct snap_writer *w = arg;
	struct intern_key key = { &w->strings, s };
	uint8_t xxh[XXH128_SIZE];
	uint32_t off = (uint32_t)w->strings.len;
	size_t n = strlen(s);

	hash_xxh128(s, n, xxh);
	uint64_t hash = lookup_hash(xxh);
	if (lookup_find(&w->interned, hash, intern_same, &key, &off))
		return off;
	buf_put(&w->strings, s, n + 1);
	if (w->strings.failed || !lookup_add(&w->interned, hash, off))
		w->failed = true;
	return off;
}

/* ---- life ---- */
static struct err *
writer_header(struct snap_writer *w)
{
	uint8_t digest[XXH128_SIZE];
	_buf_ struct buf header = { 0 };

	buf_put(&header, HEADER_MAGIC, MAGIC_SIZE);
	buf_u16(&header, FORMAT_MAJOR);
	buf_u16(&header, FORMAT_MINOR);
	buf_u32(&header, HEADER_SIZE);
	buf_zero(&header, HEADER_DIGEST - header.len);
	struct err *err = buf_err(&header);
	if (err)
		return err;
	hash_xxh128(header.data, HEADER_DIGEST, digest);
	buf_put(&header, digest, sizeof(digest));
	err = buf_err(&header);
	return err ? err : writer_emit(w, header.data, header.len);
}

static void
writer_init(struct snap_writer *w, snap_sink_fn *sink, void *arg)
{
	w->sink = sink;
	w->arg = arg;
	w->highest_module = -1;
	w->encoder = (struct encoder){
		.table = w->table, .intern = intern, .arg = w,
		.blobs = &w->blobs,
	};
	for (size_t i = 0; i < SECTION_TYPES; i++)
		w->table[i].bytes.max = SECTION_MAX - TABLE_HEADER_SIZE;
	w->directory.bytes.max = SECTION_MAX;
	w->strings.max = SECTION_MAX;
	w->blobs.max = SECTION_MAX;
	/* Offset 0 is what a record without string has. */
	buf_putc(&w->strings, '\0');
}

struct err *
snap_writer_new(snap_sink_fn *sink, void *arg, unsigned threads,
		struct snap_writer **out)
{
	_snap_writer_ struct snap_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return err_nomem();
	writer_init(w, sink, arg);
	w->zstd = ZSTD_createCCtx();
	w->chunk_hash = hash_xxh_new();
	w->pending = malloc(PENDING_SIZE);
	if (!w->zstd || !w->chunk_hash || !w->pending)
		return err_nomem();
	struct err *err = batches_new(threads, &w->batches);
	if (!err)
		err = writer_header(w);
	if (err)
		return err;
	w->chunk_data = w->at;
	*out = take(w);
	return NULL;
}

void
snap_writer_soon(struct snap_writer *w)
{
	batches_soon(w->batches);
}

void
snap_writer_free(struct snap_writer *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < SECTION_TYPES; i++)
		buf_fini(&w->table[i].bytes);
	buf_fini(&w->directory.bytes);
	buf_fini(&w->strings);
	buf_fini(&w->blobs);
	lookup_fini(&w->interned);
	lookup_fini(&w->chunk_lookup);
	lookup_fini(&w->skeleton_lookup);
	batches_free(w->batches);
	free(w->pending);
	free(w->chunk);
	free(w->skeleton_key);
	hash_xxh_free(w->chunk_hash);
	ZSTD_freeCCtx(w->zstd);
	free(w);
}

void
snap_writer_freep(struct snap_writer **w)
{
	snap_writer_free(*w);
}

/* ---- close ---- */
/* Packed by whoever is free; takes what is in @payload. */
static struct err *
writer_late(struct snap_writer *w, uint32_t type, struct buf *payload)
{
	const struct section s = { .type = type, .raw = payload->len };

	return batches_section(w->batches, w, &s, payload);
}

static struct err *
writer_table(struct snap_writer *w, uint32_t type)
{
	const struct schema *sc = schema_of(type);
	struct table *t = &w->table[type];
	uint32_t parameter = type == SECTION_CHUNKS ? CHUNK_PARAMETER : 0;
	_buf_ struct buf payload = { .max = SECTION_MAX };

	if (!sc || !t->count)
		return NULL;
	codec_table_header(&payload, sc->disk, t->count, parameter);
	buf_put(&payload, t->bytes.data, t->bytes.len);
	buf_fini(&t->bytes);
	struct err *err = buf_err(&payload);
	if (err)
		return err_wrap(err, "section %s", schema_section_name(type));
	return writer_late(w, type, &payload);
}

static struct err *
writer_bytes(struct snap_writer *w, uint32_t type, struct buf *b)
{
	return b->len ? writer_late(w, type, b) : NULL;
}

static struct err *
writer_sections(struct snap_writer *w)
{
	struct err *err = NULL;

	for (uint32_t type = 1; type < SECTION_TYPES && !err; type++)
		err = writer_table(w, type);
	if (!err)
		err = writer_bytes(w, SECTION_STRINGS, &w->strings);
	if (!err)
		err = writer_bytes(w, SECTION_BLOBS, &w->blobs);
	return err ? err : batches_drain(w->batches, w);
}

static struct err *
writer_trailer(struct snap_writer *w, uint64_t at, const struct buf *dir)
{
	uint8_t digest[XXH128_SIZE];
	_buf_ struct buf trailer = { 0 };

	hash_xxh128(dir->data, dir->len, digest);
	buf_put(&trailer, TRAILER_MAGIC, MAGIC_SIZE);
	buf_u64(&trailer, at);
	buf_u64(&trailer, dir->len);
	buf_u64(&trailer, w->at + TRAILER_SIZE);
	buf_put(&trailer, digest, sizeof(digest));
	struct err *err = buf_err(&trailer);
	if (err)
		return err;
	hash_xxh128(trailer.data, TRAILER_DIGEST, digest);
	buf_put(&trailer, digest, sizeof(digest));
	err = buf_err(&trailer);
	return err ? err : writer_emit(w, trailer.data, trailer.len);
}

static struct err *
writer_directory(struct snap_writer *w)
{
	_buf_ struct buf dir = { .max = SECTION_MAX };
	struct err *err = writer_align(w);
	uint64_t at = w->at;

	if (err)
		return err;
	codec_table_header(&dir, schema_section.disk, w->directory.count, 0);
	buf_put(&dir, w->directory.bytes.data, w->directory.bytes.len);
	err = buf_err(&dir);
	if (!err)
		err = writer_emit(w, dir.data, dir.len);
	return err ? err : writer_trailer(w, at, &dir);
}

/** What cannot be told before the last record is there. */
static struct err *
writer_references(const struct snap_writer *w)
{
	uint32_t modules = w->table[SECTION_MODULES].count;

	if (w->highest_module >= (int64_t)modules)
		return err_new(ERR_FAILED, "module %lld is referred to, but "
			       "there are only %u",
			       (long long)w->highest_module, modules);
	return NULL;
}

struct err *
snap_writer_close(struct snap_writer *w)
{
	struct err *err = writer_ready(w);

	if (!err)
		err = ranges_finish(w);
	if (!err)
		err = batches_drain(w->batches, w);
	if (!err)
		err = writer_references(w);
	if (!err)
		err = writer_buffers(w);
	if (!err)
		err = writer_sections(w);
	if (!err)
		err = writer_directory(w);
	if (!err)
		err = writer_flush(w);
	if (err)
		w->failed = true;
	else
		w->closed = true;
	return err;
}
