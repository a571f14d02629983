/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes as records of the store: the first byte chooses which, for a
 * sidecar two more the length of its key. What is accepted is what is written
 * for it.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "store/impl.h"
#include "store/seal.h"

static void
check_same(const struct buf *again, struct span value)
{
	if (again->failed || again->len != value.n ||
	    (value.n && memcmp(again->data, value.data, value.n) != 0))
		abort();
}

static void
feed_format(struct span value)
{
	_buf_ struct buf again = { 0 };
	struct format f;
	_err_ struct err *bad = format_get(value, &f);

	if (bad)
		return;
	format_put(&f, &again);
	check_same(&again, value);
}

static void
feed_counters(struct span value)
{
	_buf_ struct buf again = { 0 };
	struct counters c;
	_err_ struct err *bad = counters_get(value, &c);

	if (bad)
		return;
	counters_put(&c, &again);
	check_same(&again, value);
}

static void
feed_chunk(struct span value)
{
	_buf_ struct buf again = { 0 };
	struct chunk c;
	_err_ struct err *bad = chunk_get(value, &c);

	if (bad)
		return;
	chunk_put(&c, &again);
	check_same(&again, value);
}

static void
feed_partition(struct span value)
{
	_buf_ struct buf again = { 0 };
	struct partition p;
	_err_ struct err *bad = partition_get(value, &p);

	if (bad)
		return;
	partition_put(&p, &again);
	check_same(&again, value);
}

static void
feed_block(struct span value)
{
	_free_ struct piece *piece = calloc(BLOCK_PIECES, sizeof(*piece));
	struct block b = { .piece = piece };
	_buf_ struct buf again = { 0 };
	_err_ struct err *bad = piece ? block_get(value, &b) : err_nomem();

	if (bad)
		return;
	block_put(&b, &again);
	check_same(&again, value);
}

static void
feed_record(struct span value)
{
	_arena_ struct arena *a = arena_new(0);
	_buf_ struct buf again = { 0 };
	struct record r;
	_err_ struct err *bad = a ? record_get(value, a, &r) : err_nomem();

	if (bad)
		return;
	record_put(&r, &again);
	check_same(&again, value);
}

static void
feed_sidecar(struct span both)
{
	_free_ struct piece *piece = calloc(BLOCK_PIECES, sizeof(*piece));
	struct sidecar c = { .block = { .piece = piece } };
	struct rd r = rd_of(both.data, both.n);
	struct span key = { NULL, rd_u16(&r) }, value;
	_buf_ struct buf again = { 0 };

	key.data = rd_bytes(&r, key.n);
	if (!piece || !key.data)
		return;
	value = (struct span){ r.base + r.pos, rd_left(&r) };
	_err_ struct err *bad = sidecar_get(key, value, &c);
	if (bad)
		return;
	sidecar_put(&c, &again);
	check_same(&again, value);
}

static void
feed_header(struct span value)
{
	_buf_ struct buf again = { 0 };
	struct piece p;

	if (value.n != HEADER_SIZE || !header_get(value.data, &p))
		return;
	header_put(&p, &again);
	check_same(&again, value);
}

static void
feed_sealed(struct span value)
{
	struct span key = { "key", 3 }, out;

	if (seal_open(TABLE_OBJECTS, key, value, &out))
		feed_record(out);
}

static void (*const feeds[])(struct span) = {
	feed_format, feed_counters, feed_chunk, feed_partition, feed_block,
	feed_record, feed_sidecar, feed_header, feed_sealed,
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n)
		feeds[data[0] % countof(feeds)](
			(struct span){ data + 1, n - 1 });
	return 0;
}
