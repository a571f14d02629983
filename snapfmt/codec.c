/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records to bytes and back, driven by the descriptions of schema.c.
 */
#include <string.h>

#include "snapfmt/layout.h"

/* ---- encoding ---- */
uint64_t
codec_number(const void *at, size_t width)
{
	uint64_t v = 0;

	switch (width) {
	case 1:
		return *(const uint8_t *)at;
	case 2: {
		uint16_t v16;
		memcpy(&v16, at, sizeof(v16));
		return v16;
	}
	case 4: {
		uint32_t v32;
		memcpy(&v32, at, sizeof(v32));
		return v32;
	}
	default:
		memcpy(&v, at, sizeof(v));
		return v;
	}
}

static void
little_put(uint8_t *out, uint64_t v, size_t width)
{
	for (size_t i = 0; i < width; i++)
		out[i] = (uint8_t)(v >> (8 * i));
}

static void
encode_number(const struct field *f, const void *at, const struct encoder *e,
	      uint8_t *out)
{
	(void)e;
	little_put(out, codec_number(at, f->width), f->width);
}

static void
encode_bool(const struct field *f, const void *at, const struct encoder *e,
	    uint8_t *out)
{
	(void)f, (void)e;
	out[0] = *(const bool *)at;
}

static void
encode_bytes(const struct field *f, const void *at, const struct encoder *e,
	     uint8_t *out)
{
	(void)e;
	memcpy(out, at, f->width);
}

static void
encode_string(const struct field *f, const void *at, const struct encoder *e,
	      uint8_t *out)
{
	const char *s = *(const char *const *)at;

	if (!s && f->kind == FIELD_TEXT)
		s = "";
	if (s)
		little_put(out, e->intern(e->arg, s), 4);
}

static void
encode_blob(const struct field *f, const void *at, const struct encoder *e,
	    uint8_t *out)
{
	const struct span *bytes = at;

	(void)f;
	if (!bytes->n)
		return;
	buf_zero(e->blobs, -e->blobs->len % ALIGNMENT);
	little_put(out, e->blobs_at + e->blobs->len, 8);
	little_put(out + 8, bytes->n, 8);
	buf_put(e->blobs, bytes->data, bytes->n);
}

static void
encode_id(const struct field *f, const void *at, const struct encoder *e,
	  uint8_t *out)
{
	const struct module_id *id = at;

	(void)f, (void)e;
	out[0] = id->kind;
	out[1] = id->len;
	memcpy(out + 2, id->bytes, id->len);
}

static void
encode_list(const struct field *f, const void *at, const struct encoder *e,
	    uint8_t *out)
{
	const struct schema *child = schema_of(f->child);
	struct table *table = &e->table[f->child];
	const char *rows = *(const char *const *)at;
	size_t n;

	memcpy(&n, (const char *)at - f->at + f->count_at, sizeof(n));
	little_put(out, n ? table->count : 0, 4);
	little_put(out + 4, n, 4);
	for (size_t i = 0; i < n; i++)
		codec_encode(child, rows + i * child->size, e, table);
}

typedef void encode_fn(const struct field *f, const void *at,
		       const struct encoder *e, uint8_t *out);
static encode_fn *const encoders[FIELD_KINDS] = {
	[FIELD_NUMBER] = encode_number, [FIELD_BOOL] = encode_bool,
	[FIELD_BYTES] = encode_bytes,
	[FIELD_STRING] = encode_string, [FIELD_TEXT] = encode_string,
	[FIELD_BLOB] = encode_blob, [FIELD_ID] = encode_id,
	[FIELD_LIST] = encode_list,
};

void
codec_encode(const struct schema *sc, const void *record,
	     const struct encoder *e, struct table *out)
{
	uint8_t disk[RECORD_MAX] = { 0 };

	for (size_t i = 0; i < sc->n_fields; i++) {
		const struct field *f = &sc->field[i];

		encoders[f->kind](f, (const char *)record + f->at, e,
				  disk + f->disk);
	}
	buf_put(&out->bytes, disk, sc->disk);
	out->count++;
}

void
codec_table_header(struct buf *out, uint32_t disk, uint32_t count,
		   uint32_t parameter)
{
	buf_u32(out, disk);
	buf_u32(out, count);
	buf_u32(out, parameter);
	buf_u32(out, 0);
}

/* ---- decoding ---- */
static const char *
decode_number(const struct field *f, struct rd *r, const struct decoder *d,
	      void *at)
{
	(void)d;
	switch (f->width) {
	case 1:
		*(uint8_t *)at = rd_u8(r);
		break;
	case 2:
		*(uint16_t *)at = rd_u16(r);
		break;
	case 4:
		*(uint32_t *)at = rd_u32(r);
		break;
	default:
		*(uint64_t *)at = rd_u64(r);
		break;
	}
	return NULL;
}

static const char *
decode_bool(const struct field *f, struct rd *r, const struct decoder *d,
	    void *at)
{
	(void)f, (void)d;
	*(bool *)at = rd_u8(r) != 0;
	return NULL;
}

static const char *
decode_bytes(const struct field *f, struct rd *r, const struct decoder *d,
	     void *at)
{
	const void *bytes = rd_bytes(r, f->width);

	(void)d;
	if (bytes)
		memcpy(at, bytes, f->width);
	return NULL;
}

static const char *
decode_string(const struct field *f, struct rd *r, const struct decoder *d,
	      void *at)
{
	uint32_t off = rd_u32(r);
	const char **s = at;

	if (!off) {
		*s = f->kind == FIELD_TEXT ? "" : NULL;
		return NULL;
	}
	/* The section ends in a NUL, so any offset inside begins a string. */
	if (off >= d->strings.n)
		return "lies outside STRINGS";
	*s = (const char *)d->strings.data + off;
	return NULL;
}

static const char *
decode_blob(const struct field *f, struct rd *r, const struct decoder *d,
	    void *at)
{
	uint64_t off = rd_u64(r), n = rd_u64(r);
	struct span *bytes = at;

	(void)f;
	if (!n)
		return NULL;
	if (off > d->blobs.n || n > d->blobs.n - off)
		return "lies outside the section's bytes";
	*bytes = (struct span){ (const char *)d->blobs.data + off, n };
	return NULL;
}

static const char *
decode_id(const struct field *f, struct rd *r, const struct decoder *d,
	  void *at)
{
	struct module_id *id = at;

	(void)f, (void)d;
	id->kind = rd_u8(r);
	id->len = rd_u8(r);
	const void *bytes = rd_bytes(r, ID_MAX);
	if (id->len > ID_MAX)
		return "is too long";
	if (bytes)
		memcpy(id->bytes, bytes, id->len);
	return NULL;
}

static const char *
decode_list(const struct field *f, struct rd *r, const struct decoder *d,
	    void *at)
{
	uint32_t first = rd_u32(r);
	size_t n = rd_u32(r);
	const struct rows *child = &d->rows[f->child];

	if (!n)
		return NULL;
	if (first > child->n || n > child->n - first)
		return "lies outside its table";
	*(const void **)at = (const char *)child->data +
			     first * (size_t)schema_of(f->child)->size;
	memcpy((char *)at - f->at + f->count_at, &n, sizeof(n));
	return NULL;
}

typedef const char *decode_fn(const struct field *f, struct rd *r,
			      const struct decoder *d, void *at);
static decode_fn *const decoders[FIELD_KINDS] = {
	[FIELD_NUMBER] = decode_number, [FIELD_BOOL] = decode_bool,
	[FIELD_BYTES] = decode_bytes,
	[FIELD_STRING] = decode_string, [FIELD_TEXT] = decode_string,
	[FIELD_BLOB] = decode_blob, [FIELD_ID] = decode_id,
	[FIELD_LIST] = decode_list,
};

struct err *
codec_view(const struct schema *sc, struct span payload,
	   struct table_view *out)
{
	struct rd r = rd_of(payload.data, payload.n);
	struct table_view tv = { .payload = payload };

	tv.disk = rd_u32(&r);
	tv.count = rd_u32(&r);
	tv.parameter = rd_u32(&r);
	rd_u32(&r);
	if (rd_failed(&r))
		return err_new(ERR_DAMAGED, "too short for a table");
	if (tv.disk < sc->disk || tv.disk > RECORD_MAX)
		return err_new(ERR_DAMAGED, "records of %u bytes", tv.disk);
	if (rd_left(&r) / tv.disk < tv.count)
		return err_new(ERR_DAMAGED,
			       "%u records of %u bytes do not fit in %zu",
			       tv.count, tv.disk, payload.n);
	*out = tv;
	return NULL;
}

struct err *
codec_record(const struct schema *sc, const struct table_view *tv, size_t i,
	     const struct decoder *d, void *row)
{
	size_t at = TABLE_HEADER_SIZE + i * tv->disk;
	struct rd r = rd_of((const char *)tv->payload.data + at, tv->disk);

	for (size_t k = 0; k < sc->n_fields; k++) {
		const struct field *f = &sc->field[k];

		rd_seek(&r, f->disk);
		const char *fault = decoders[f->kind](f, &r, d,
						      (char *)row + f->at);
		if (fault)
			return err_new(ERR_DAMAGED, "%s %zu: %s %s", sc->word,
				       i, f->name, fault);
	}
	return NULL;
}

struct err *
codec_decode(const struct schema *sc, struct span payload,
	     const struct decoder *d, struct rows *out)
{
	struct table_view tv = { 0 };
	struct err *err = codec_view(sc, payload, &tv);

	if (err)
		return err;
	if (sc->single && tv.count > 1)
		return err_new(ERR_DAMAGED, "more than one %s", sc->word);
	char *rows = arena_array(d->arena, tv.count, sc->size);
	if (!rows && tv.count)
		return directory_spent(d->arena,
				       (size_t)tv.count * sc->size);
	for (size_t i = 0; i < tv.count; i++) {
		char *row = rows + i * sc->size;

		err = codec_record(sc, &tv, i, d, row);
		if (err)
			return err;
		const char *fault = !sc->fault ? NULL :
				    sc->fault(row, i ? row - sc->size : NULL);
		if (fault)
			return err_new(ERR_DAMAGED, "%s %zu %s", sc->word, i,
				       fault);
	}
	*out = (struct rows){ rows, tv.count };
	return NULL;
}
