/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a source to its sections: header, trailer, directory, and payloads that
 * are verified and unpacked. FORMAT.md, "File", "Directory".
 */
#include <string.h>

#include "snapfmt/layout.h"

/* RFC 8878, 3.1.1.2: a block of 4 bytes or more holds at most 128 KiB. */
#define PACK_RATIO_MAX 32768u

/* ---- messages ---- */
struct err *
directory_wrap(struct err *err, const struct section *s)
{
	const char *name = schema_section_name(s->type);

	if (name)
		return err_wrap(err, "section %s at offset %llu", name,
				(unsigned long long)s->offset);
	return err_wrap(err, "section of type %u at offset %llu", s->type,
			(unsigned long long)s->offset);
}

struct err *
directory_spent(const struct arena *a, size_t n)
{
	size_t used = arena_used(a);

	if (n > READER_MAX || used > READER_MAX - n)
		return err_new(ERR_LIMIT,
			       "needs more than %u MiB of memory",
			       READER_MAX >> 20);
	return err_nomem();
}

/* ---- header and trailer ---- */
static bool
is_sealed(const uint8_t *block, size_t digest_at)
{
	uint8_t xxh[XXH128_SIZE];

	hash_xxh128(block, digest_at, xxh);
	return digest_equal(xxh, block + digest_at, sizeof(xxh));
}

bool
snap_is(struct source *src)
{
	uint8_t magic[MAGIC_SIZE];
	_err_ struct err *err = NULL;

	if (source_size(src) < sizeof(magic))
		return false;
	err = source_read(src, 0, sizeof(magic), magic);
	return !err && memcmp(magic, HEADER_MAGIC, sizeof(magic)) == 0;
}

static struct err *
unfinished(const struct source *src)
{
	return err_new(ERR_DAMAGED, "unfinished: it ends at offset %llu "
		       "without a trailer, so its writer never closed it, or "
		       "it was cut", (unsigned long long)source_size(src));
}

static struct err *
header_read(struct directory *d)
{
	uint8_t block[HEADER_SIZE];

	if (!snap_is(d->src))
		return err_new(ERR_FORMAT, "not a snapshot");
	if (source_size(d->src) < HEADER_SIZE + TRAILER_SIZE)
		return unfinished(d->src);
	struct err *err = source_read(d->src, 0, sizeof(block), block);
	if (err)
		return err;
	if (!is_sealed(block, HEADER_DIGEST))
		return err_new(ERR_DAMAGED,
			       "header at offset 0: checksum does not match");
	struct rd r = rd_of(block, sizeof(block));
	rd_skip(&r, MAGIC_SIZE);
	d->major = rd_u16(&r);
	d->minor = rd_u16(&r);
	d->begin = rd_u32(&r);
	if (d->major != FORMAT_MAJOR)
		return err_new(ERR_UNSUPPORTED, "is of format version %u.%u, "
			       "this program reads version %u",
			       d->major, d->minor, FORMAT_MAJOR);
	if (d->begin < HEADER_SIZE ||
	    d->begin > source_size(d->src) - TRAILER_SIZE)
		return err_new(ERR_DAMAGED, "header at offset 0: %llu bytes",
			       (unsigned long long)d->begin);
	return NULL;
}

struct trailer {
	uint64_t at;            /* where it lies itself */
	uint64_t offset, length;        /* of the directory */
	uint8_t xxh[XXH128_SIZE];       /* of the directory */
};

static struct err *
trailer_read(struct source *src, struct trailer *out)
{
	uint8_t block[TRAILER_SIZE];
	struct trailer t = { .at = source_size(src) - TRAILER_SIZE };
	struct err *err = source_read(src, t.at, sizeof(block), block);

	if (err)
		return err;
	if (memcmp(block, TRAILER_MAGIC, MAGIC_SIZE) != 0)
		return unfinished(src);
	struct rd r = rd_of(block, sizeof(block));
	rd_skip(&r, MAGIC_SIZE);
	t.offset = rd_u64(&r);
	t.length = rd_u64(&r);
	uint64_t file = rd_u64(&r);
	memcpy(t.xxh, block + 32, sizeof(t.xxh));
	if (!is_sealed(block, TRAILER_DIGEST))
		return err_new(ERR_DAMAGED, "trailer at offset %llu: checksum "
			       "does not match", (unsigned long long)t.at);
	if (file != source_size(src) || t.offset > t.at ||
	    t.length != t.at - t.offset)
		return err_new(ERR_DAMAGED, "trailer at offset %llu: does not "
			       "fit the file", (unsigned long long)t.at);
	*out = t;
	return NULL;
}

/* ---- sections ---- */
/** What is off with entry @s, given where the one before ended. */
static const char *
section_fault(const struct section *s, uint64_t floor, uint64_t end)
{
	if (s->offset < floor)
		return "overlaps what is before it";
	if (s->offset > end || s->stored > end - s->offset)
		return "runs over the end";
	if (s->offset % ALIGNMENT)
		return "is not aligned";
	if (!(s->flags & SECTION_PACKED) && s->raw != s->stored)
		return "has two lengths";
	return NULL;
}

/** Sections that this version knows must be of a kind that it knows. */
static struct err *
section_support(const struct section *s)
{
	if (!schema_section_name(s->type))
		return NULL;
	if (s->version != SECTION_VERSION)
		return err_new(ERR_UNSUPPORTED, "version %u", s->version);
	if (s->flags & ~SECTION_PACKED)
		return err_new(ERR_UNSUPPORTED, "flags 0x%x", s->flags);
	if (s->type == SECTION_CHUNK_DATA)
		return s->flags ? err_new(ERR_DAMAGED, "is packed") : NULL;
	if (s->raw > SECTION_MAX || s->stored > SECTION_MAX)
		return err_new(ERR_LIMIT, "%llu bytes, more than %u MiB",
			       (unsigned long long)s->raw, SECTION_MAX >> 20);
	return NULL;
}

/** Instances of a type count from 0 in the order of the file. */
static struct err *
section_number(const struct section *s, uint32_t *seen)
{
	if (s->type >= SECTION_TYPES)
		return NULL;
	if (s->instance != seen[s->type] ||
	    (s->instance && !schema_is_many(s->type)))
		return err_new(ERR_DAMAGED, "is instance %u, not %u",
			       s->instance, seen[s->type]);
	seen[s->type]++;
	return NULL;
}

static struct err *
sections_check(const struct directory *d)
{
	uint64_t floor = d->begin;
	uint32_t seen[SECTION_TYPES] = { 0 };
	uint64_t total = 0;
	struct err *err = NULL;

	for (size_t i = 0; i < d->n && !err; i++) {
		const struct section *s = &d->section[i];
		const char *fault = section_fault(s, floor, d->end);

		if (fault)
			err = err_new(ERR_DAMAGED, "%s", fault);
		if (!err)
			err = section_support(s);
		if (!err)
			err = section_number(s, seen);
		if (!err && s->type < SECTION_TYPES &&
		    s->type != SECTION_CHUNK_DATA)
			total += s->raw;
		if (!err && total > PAYLOAD_MAX)
			err = err_new(ERR_LIMIT, "sections of more than %llu "
				      "MiB in all", PAYLOAD_MAX >> 20);
		err = directory_wrap(err, s);
		floor = s->offset + s->stored;
	}
	return err;
}

static struct err *
sections_read(struct directory *d, const struct trailer *t, struct arena *a)
{
	_arena_ struct arena *raw = arena_new(0);
	struct decoder decoder = { .arena = a };
	struct rows rows = { 0 };
	uint8_t xxh[XXH128_SIZE];
	struct span bytes = { 0 };

	if (!raw)
		return err_nomem();
	struct err *err = source_load(d->src, t->offset, t->length,
				      SECTION_MAX, raw, &bytes);
	if (err)
		return err;
	hash_xxh128(bytes.data, bytes.n, xxh);
	if (!digest_equal(xxh, t->xxh, sizeof(xxh)))
		return err_new(ERR_DAMAGED, "checksum does not match");
	err = codec_decode(&schema_section, bytes, &decoder, &rows);
	d->section = rows.data;
	d->n = rows.n;
	d->end = t->offset;
	return err;
}

struct err *
directory_read(struct source *src, struct arena *a, struct directory *out)
{
	struct directory d = { .src = src };
	struct trailer t = { 0 };
	struct err *err = header_read(&d);

	if (!err)
		err = trailer_read(src, &t);
	if (err)
		return err;
	err = sections_read(&d, &t, a);
	if (!err)
		err = sections_check(&d);
	if (err)
		return err_wrap(err, "directory at offset %llu",
				(unsigned long long)t.offset);
	*out = d;
	return NULL;
}

const struct section *
directory_find(const struct directory *d, uint32_t type, uint32_t instance)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->section[i].type == type &&
		    d->section[i].instance == instance)
			return &d->section[i];
	return NULL;
}

/* ---- payloads ---- */
static struct err *
payload_stored(const struct directory *d, const struct section *s,
	       struct arena *a, struct span *out)
{
	uint8_t xxh[XXH128_SIZE];

	if (s->stored > READER_MAX - arena_used(a))
		return directory_spent(a, s->stored);
	struct err *err = source_load(d->src, s->offset, s->stored,
				      SECTION_MAX, a, out);
	if (err)
		return err;
	hash_xxh128(out->data, out->n, xxh);
	return digest_equal(xxh, s->xxh, sizeof(xxh)) ? NULL :
	       err_new(ERR_DAMAGED, "checksum does not match");
}

static struct err *
payload_packed(const struct directory *d, const struct section *s,
	       ZSTD_DCtx *zstd, struct arena *a, struct span *out)
{
	_arena_ struct arena *frame = arena_new(0);
	struct span stored = { 0 };

	if (!frame)
		return err_nomem();
	struct err *err = payload_stored(d, s, frame, &stored);
	if (err)
		return err;
	if (s->raw / PACK_RATIO_MAX > s->stored)
		return err_new(ERR_DAMAGED, "cannot unpack to %llu bytes",
			       (unsigned long long)s->raw);
	void *raw = arena_alloc(a, s->raw);
	if (!raw)
		return directory_spent(a, s->raw);
	err = pack_expand(zstd, stored, raw, s->raw);
	if (err)
		return err;
	*out = (struct span){ raw, s->raw };
	return NULL;
}

struct err *
directory_load(const struct directory *d, const struct section *s,
	       ZSTD_DCtx *zstd, struct arena *a, struct span *out)
{
	struct err *err = s->flags & SECTION_PACKED ?
			  payload_packed(d, s, zstd, a, out) :
			  payload_stored(d, s, a, out);

	return directory_wrap(err, s);
}

/* ---- verification without keeping the bytes ---- */
struct err *
directory_verify(const struct directory *d, const struct section *s,
		 void *step)
{
	uint8_t xxh[XXH128_SIZE];
	struct hash_xxh *hash = hash_xxh_new();
	struct err *err = hash ? NULL : err_nomem();

	for (uint64_t at = 0; at < s->stored && !err; ) {
		uint64_t n = s->stored - at;

		if (n > DIRECTORY_STEP)
			n = DIRECTORY_STEP;
		err = source_read(d->src, s->offset + at, n, step);
		if (!err)
			hash_xxh_add(hash, step, n);
		at += n;
	}
	if (hash)
		hash_xxh_end(hash, xxh);
	hash_xxh_free(hash);
	if (!err && !digest_equal(xxh, s->xxh, sizeof(xxh)))
		err = err_new(ERR_DAMAGED, "checksum does not match");
	return directory_wrap(err, s);
}
