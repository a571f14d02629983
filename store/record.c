/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and values of the tables, to bytes and back. README.md describes each
 * byte. What is read may be damaged or made up: bounds are checked, nothing is
 * allocated before.
 */
#include <string.h>

#include "store/impl.h"

#define TEXT_MAX (1u << 20)     /* bytes of an object's record */

static struct err *
misfit(const char *what)
{
	return err_new(ERR_DAMAGED, "a record of %s cannot be read", what);
}

/** All of @r was read, and there was enough. */
static struct err *
finish(const struct rd *r, const char *what)
{
	return rd_failed(r) || rd_left(r) ? misfit(what) : NULL;
}

static struct rd
rd_span(struct span s)
{
	return rd_of(s.data, s.n);
}

/* ---- keys ---- */
static void
key_add(struct key *k, const void *data, size_t n)
{
	memcpy(k->bytes + k->n, data, n);
	k->n += n;
}

static void
key_big(struct key *k, uint64_t v, size_t width)
{
	for (size_t i = 0; i < width; i++)
		k->bytes[k->n++] = v >> 8 * (width - 1 - i);
}

struct key
key_number(uint64_t number)
{
	struct key k = { .n = 0 };

	key_big(&k, number, 8);
	return k;
}

struct key
key_partition(uint32_t number)
{
	struct key k = { .n = 0 };

	key_big(&k, number, 4);
	return k;
}

struct key
key_block(uint64_t number, uint32_t block)
{
	struct key k = key_number(number);

	key_big(&k, block, 4);
	return k;
}

struct key
key_sidecar(uint64_t number, const struct store_sidecar *c)
{
	struct key k = key_number(number);

	key_add(&k, c->kind, strlen(c->kind) + 1);
	key_add(&k, c->producer, strlen(c->producer) + 1);
	key_big(&k, c->version, 4);
	return k;
}

struct span
key_span(const struct key *k)
{
	return (struct span){ k->bytes, k->n };
}

uint64_t
key_get_number(struct span key)
{
	struct rd r = rd_span(key);

	r.big = true;
	return rd_u64(&r);
}

/* ---- small records ---- */
void
format_put(const struct format *f, struct buf *out)
{
	buf_u32(out, f->version);
	buf_put(out, f->kind, strlen(f->kind) + 1);
}

struct err *
format_get(struct span value, struct format *out)
{
	struct rd r = rd_span(value);

	out->version = rd_u32(&r);
	out->kind = rd_str(&r);
	return finish(&r, "the format");
}

void
counters_put(const struct counters *c, struct buf *out)
{
	buf_u64(out, c->next_object);
	buf_u32(out, c->next_partition);
	buf_u32(out, c->open_partition);
}

struct err *
counters_get(struct span value, struct counters *out)
{
	struct rd r = rd_span(value);

	out->next_object = rd_u64(&r);
	out->next_partition = rd_u32(&r);
	out->open_partition = rd_u32(&r);
	return finish(&r, "the counters");
}

void
chunk_put(const struct chunk *c, struct buf *out)
{
	buf_u32(out, c->partition);
	buf_u32(out, c->offset);
	buf_u32(out, c->length);
	buf_u64(out, c->refs);
}

struct err *
chunk_get(struct span value, struct chunk *out)
{
	struct rd r = rd_span(value);

	out->partition = rd_u32(&r);
	out->offset = rd_u32(&r);
	out->length = rd_u32(&r);
	out->refs = rd_u64(&r);
	return finish(&r, "a chunk");
}

void
partition_put(const struct partition *p, struct buf *out)
{
	buf_u64(out, p->end);
	buf_u64(out, p->dead);
}

struct err *
partition_get(struct span value, struct partition *out)
{
	struct rd r = rd_span(value);

	out->end = rd_u64(&r);
	out->dead = rd_u64(&r);
	return out->dead > out->end ? misfit("a partition") :
	       finish(&r, "a partition");
}

/* ---- pieces ---- */
void
block_put(const struct block *b, struct buf *out)
{
	buf_u64(out, b->start);
	for (uint32_t i = 0; i < b->n; i++) {
		buf_put(out, b->piece[i].hash, SHA256_SIZE);
		buf_u32(out, b->piece[i].length);
	}
}

static struct err *
pieces_get(struct rd *r, struct block *out)
{
	size_t n = rd_left(r) / PIECE_DISK;

	if (n > BLOCK_PIECES)
		return misfit("pieces");
	for (size_t i = 0; i < n; i++) {
		struct piece *p = &out->piece[i];

		memcpy(p->hash, rd_bytes(r, SHA256_SIZE), SHA256_SIZE);
		p->length = rd_u32(r);
		if (!p->length || p->length > PIECE_MAX)
			return misfit("pieces");
	}
	out->n = n;
	return finish(r, "pieces");
}

struct err *
block_get(struct span value, struct block *out)
{
	struct rd r = rd_span(value);

	out->start = rd_u64(&r);
	return pieces_get(&r, out);
}

/* ---- sidecars ---- */
void
sidecar_put(const struct sidecar *c, struct buf *out)
{
	block_put(&c->block, out);
}

struct err *
sidecar_get(struct span key, struct span value, struct sidecar *out)
{
	struct rd k = rd_span(key);
	struct err *err;

	k.big = true;
	rd_skip(&k, 8);
	out->is = (struct store_sidecar){ .kind = rd_str(&k) };
	out->is.producer = rd_str(&k);
	out->is.version = rd_u32(&k);
	err = finish(&k, "a sidecar");
	if (!err)
		err = block_get(value, &out->block);
	out->size = 0;
	for (uint32_t i = 0; i < out->block.n && !err; i++)
		out->size += out->block.piece[i].length;
	return err || out->size <= STORE_SIDECAR_MAX ? err : misfit("a sidecar");
}

/* ---- objects ---- */
static void
attr_put(const struct snap_attr *a, struct buf *out)
{
	buf_put(out, a->key, strlen(a->key) + 1);
	buf_put(out, &a->type, 1);
	if (a->type == SNAP_ATTR_STRING)
		buf_put(out, a->string, strlen(a->string) + 1);
	else
		buf_u64(out, a->number);
}

void
record_put(const struct record *r, struct buf *out)
{
	const struct store_object *o = &r->object;

	buf_put(out, o->hash, SHA256_SIZE);
	buf_u64(out, o->size);
	buf_u64(out, o->stored_ns);
	buf_u64(out, r->n_pieces);
	buf_u32(out, o->n_tags);
	buf_u32(out, o->n_attrs);
	for (size_t i = 0; i < o->n_tags; i++)
		buf_put(out, o->tags[i], strlen(o->tags[i]) + 1);
	for (size_t i = 0; i < o->n_attrs; i++)
		attr_put(&o->attrs[i], out);
}

/** A string of the record, copied; NULL: @r has failed or memory is spent. */
static const char *
text_get(struct rd *r, struct arena *a)
{
	const char *s = rd_str(r);

	return s ? arena_strdup(a, s) : NULL;
}

static struct err *
tags_get(struct rd *r, struct arena *a, struct store_object *o)
{
	const char **tag = arena_array(a, o->n_tags, sizeof(*tag));

	for (size_t i = 0; tag && i < o->n_tags; i++) {
		tag[i] = text_get(r, a);
		if (!tag[i])
			return rd_failed(r) ? misfit("an object") :
			       err_nomem();
	}
	o->tags = tag;
	return tag ? NULL : err_nomem();
}

static struct err *
attrs_get(struct rd *r, struct arena *a, struct store_object *o)
{
	struct snap_attr *attr = arena_array(a, o->n_attrs, sizeof(*attr));

	for (size_t i = 0; attr && i < o->n_attrs; i++) {
		attr[i].key = text_get(r, a);
		attr[i].type = rd_u8(r);
		if (attr[i].type == SNAP_ATTR_STRING)
			attr[i].string = text_get(r, a);
		else
			attr[i].number = rd_u64(r);
		if (rd_failed(r))
			return misfit("an object");
		if (!attr[i].key ||
		    (attr[i].type == SNAP_ATTR_STRING && !attr[i].string))
			return err_nomem();
	}
	o->attrs = attr;
	return attr ? NULL : err_nomem();
}

struct err *
record_get(struct span value, struct arena *a, struct record *out)
{
	struct rd r = rd_span(value);
	struct store_object *o = &out->object;
	const void *hash = rd_bytes(&r, SHA256_SIZE);

	*o = (struct store_object){ .size = rd_u64(&r) };
	o->stored_ns = rd_u64(&r);
	out->n_pieces = rd_u64(&r);
	o->n_tags = rd_u32(&r);
	o->n_attrs = rd_u32(&r);
	if (!hash || rd_failed(&r) || o->n_tags > STORE_TAGS_MAX ||
	    o->n_attrs > STORE_ATTRS_MAX || o->size > STORE_OBJECT_MAX ||
	    out->n_pieces > o->size || value.n > TEXT_MAX)
		return misfit("an object");
	memcpy(o->hash, hash, SHA256_SIZE);
	struct err *err = tags_get(&r, a, o);
	if (!err)
		err = attrs_get(&r, a, o);
	return err ? err : finish(&r, "an object");
}

/* ---- in partitions ---- */
#define HEADER_MAGIC 0x43454950u        /* "PIEC" */
#define HEADER_CHECK 40u                /* where its checksum lies */

static void
header_check(const void *at, uint8_t out[XXH128_SIZE])
{
	hash_xxh128(at, HEADER_CHECK, out);
}

void
header_put(const struct piece *p, struct buf *out)
{
	uint8_t check[XXH128_SIZE];

	buf_u32(out, HEADER_MAGIC);
	buf_u32(out, p->length);
	buf_put(out, p->hash, SHA256_SIZE);
	if (out->failed)
		return;
	header_check(out->data + out->len - HEADER_CHECK, check);
	buf_put(out, check, HEADER_SIZE - HEADER_CHECK);
}

bool
header_get(const uint8_t at[HEADER_SIZE], struct piece *out)
{
	struct rd r = rd_of(at, HEADER_SIZE);
	uint8_t check[XXH128_SIZE];
	uint32_t magic = rd_u32(&r);

	out->length = rd_u32(&r);
	memcpy(out->hash, at + 8, SHA256_SIZE);
	header_check(at, check);
	return magic == HEADER_MAGIC && out->length &&
	       out->length <= PIECE_MAX &&
	       memcmp(check, at + HEADER_CHECK,
		      HEADER_SIZE - HEADER_CHECK) == 0;
}
