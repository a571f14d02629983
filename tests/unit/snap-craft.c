/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds snapshots byte by byte.
 */
#include "tests/unit/snap-craft.h"

static void
put_digest(struct buf *b, const void *data, size_t n)
{
	uint8_t xxh[XXH128_SIZE];

	hash_xxh128(data, n, xxh);
	buf_put(b, xxh, sizeof(xxh));
}

static void
put_padding(struct buf *b)
{
	buf_zero(b, -b->len % 16);
}

void
craft_begin(struct craft *c, uint16_t major, uint16_t minor)
{
	*c = (struct craft){ 0 };
	buf_puts(&c->file, "INQUEST\n");
	buf_u16(&c->file, major);
	buf_u16(&c->file, minor);
	buf_u32(&c->file, 64);
	buf_zero(&c->file, 32);
	put_digest(&c->file, c->file.data, 48);
}

void
craft_section(struct craft *c, const struct craft_entry *e,
	      const void *payload, size_t n)
{
	put_padding(&c->file);
	buf_u32(&c->entries, e->type);
	buf_u32(&c->entries, e->instance);
	buf_u16(&c->entries, e->version ? e->version : 1);
	buf_u16(&c->entries, e->flags);
	buf_u32(&c->entries, 0);
	buf_u64(&c->entries, e->offset ? e->offset : c->file.len);
	buf_u64(&c->entries, e->stored ? e->stored : n);
	buf_u64(&c->entries, e->raw ? e->raw : n);
	put_digest(&c->entries, payload, n);
	buf_u64(&c->entries, 0);
	buf_put(&c->file, payload, n);
	c->n++;
}

static void
put_table(struct buf *b, uint32_t parameter, const void *records,
	  uint32_t size, uint32_t count)
{
	buf_u32(b, size);
	buf_u32(b, count);
	buf_u32(b, parameter);
	buf_u32(b, 0);
	buf_put(b, records, (size_t)size * count);
}

void
craft_table(struct craft *c, uint32_t type, uint32_t parameter,
	    const void *records, uint32_t size, uint32_t count)
{
	_buf_ struct buf payload = { 0 };

	put_table(&payload, parameter, records, size, count);
	craft_section(c, &(struct craft_entry){ .type = type }, payload.data,
		      payload.len);
}

void
craft_end(struct craft *c)
{
	_buf_ struct buf dir = { 0 }, trailer = { 0 };

	put_padding(&c->file);
	put_table(&dir, 0, c->entries.data, 64, c->n);
	buf_puts(&trailer, "INQ-END\n");
	buf_u64(&trailer, c->file.len);
	buf_u64(&trailer, dir.len);
	buf_u64(&trailer, c->file.len + dir.len + 64);
	put_digest(&trailer, dir.data, dir.len);
	put_digest(&trailer, trailer.data, trailer.len);
	buf_put(&c->file, dir.data, dir.len);
	buf_put(&c->file, trailer.data, trailer.len);
}

void
craft_fini(struct craft *c)
{
	buf_fini(&c->file);
	buf_fini(&c->entries);
}
