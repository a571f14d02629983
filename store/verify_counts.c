/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verification of counts: how often each piece is meant, and how much of each
 * partition is in use. Memory is bounded: pieces are counted a range of hashes
 * at a time, with a walk over all recipes for each range.
 */
#include <stdlib.h>
#include <string.h>

#include "store/verify.h"

#define RANGE_MAX (256u << 10)  /* 64 bytes each */

struct counted {
	uint8_t hash[SHA256_SIZE];
	struct chunk chunk;
	uint64_t refs;          /* that were met */
};
struct counts {
	struct scan scan;
	struct counted *range;  /* sorted by hash */
	size_t n;
	uint64_t *living;       /* bytes by partition */
	uint32_t n_partitions;
};


/* ---- a range ---- */
/** The chunks from @key on, as many as are counted at a time. */
static struct err *
range_load(struct counts *c, struct key *key)
{
	struct err *err = NULL;

	c->n = 0;
	while (c->n < RANGE_MAX && !err) {
		struct counted *it = &c->range[c->n];
		struct entry e;
		struct err *bad = txn_seek(c->scan.txn, TABLE_CHUNKS,
					   key_span(key), SEEK_AT_LEAST, &e);

		if (!e.key.data)
			return scan_said(&c->scan, bad);
		err = scan_said(&c->scan, key_copy(e.key, key));
		*it = (struct counted){ .refs = 0 };
		memcpy(it->hash, key->bytes, SHA256_SIZE);
		key_step(key);
		if (!bad)
			bad = chunk_get(e.value, &it->chunk);
		c->n += !bad;
		scan_say(&c->scan, bad);
	}
	return err;
}

static int
counted_order(const void *hash, const void *element)
{
	return memcmp(hash, ((const struct counted *)element)->hash,
		      SHA256_SIZE);
}

static struct err *
count_piece(void *arg, const struct piece *p)
{
	struct counts *c = arg;
	struct counted *it = bsearch(p->hash, c->range, c->n, sizeof(*it),
				     counted_order);

	if (it)
		it->refs++;
	return NULL;
}

static struct err *
count_sidecar(void *arg, const struct sidecar *s)
{
	for (uint32_t i = 0; i < s->block.n; i++)
		err_free(count_piece(arg, &s->block.piece[i]));
	return NULL;
}

/** What is damaged here was said by verify_tables(). */
static struct err *
quiet(struct err *err)
{
	if (err_kind(err) != ERR_DAMAGED)
		return err;
	err_free(err);
	return NULL;
}

static struct err *
count_object(struct scan *s, uint64_t number)
{
	_arena_ struct arena *a = arena_new(0);
	struct store_ref ref = ref_of(s->project->name, number);
	struct record r = { .n_pieces = 0 };
	struct err *err = a ? object_load(s->txn, &ref, a, &r) : err_nomem();

	if (err)
		return quiet(err);
	err = quiet(recipe_each(s->txn, number, r.n_pieces, count_piece, s));
	return err ? err : quiet(sidecar_each(s->txn, number, count_sidecar,
					      s));
}

/* ---- what the tables say of it ---- */
static void
check_counted(struct counts *c, const struct counted *it)
{
	uint32_t part = it->chunk.partition;

	if (part < c->n_partitions)
		c->living[part] += HEADER_SIZE + it->chunk.length;
	if (it->refs == it->chunk.refs)
		return;
	scan_say(&c->scan, err_new(ERR_DAMAGED, "%s/blob/%04u.part: the piece "
				   "at offset %u is meant %llu times, but "
				   "counted %llu times", scan_path(&c->scan),
				   part, it->chunk.offset,
				   (unsigned long long)it->refs,
				   (unsigned long long)it->chunk.refs));
}

static struct err *
check_partition(void *arg, struct span key, struct span value)
{
	struct counts *c = arg;
	struct rd r = { .base = key.data, .len = key.n, .big = true };
	uint32_t number = rd_u32(&r);
	struct partition p;
	struct err *err = partition_get(value, &p);

	if (!err && number >= c->n_partitions)
		err = err_new(ERR_DAMAGED, "%s/meta.mdb: partition %u was "
			      "never begun", scan_path(&c->scan), number);
	if (!err && p.end - p.dead != c->living[number])
		err = err_new(ERR_DAMAGED, "%s/blob/%04u.part: %llu bytes are "
			      "in use, but %llu are counted",
			      scan_path(&c->scan), number,
			      (unsigned long long)c->living[number],
			      (unsigned long long)(p.end - p.dead));
	return err;
}

static struct err *
counts_prepare(struct counts *c)
{
	struct counters counters;
	struct err *err = counters_load(c->scan.txn, &counters);

	if (err)
		return err_wrap(err, "%s/meta.mdb", scan_path(&c->scan));
	c->n_partitions = counters.next_partition;
	c->living = arena_array(c->scan.arena, c->n_partitions,
				sizeof(*c->living));
	return c->living ? NULL : err_nomem();
}

struct err *
verify_counts(struct scan *s)
{
	_free_ struct counted *range = calloc(RANGE_MAX, sizeof(*range));
	struct counts c = { .scan = *s, .range = range };
	struct key key = { .n = 1 };
	struct err *err = range ? counts_prepare(&c) : err_nomem();

	if (err)
		return err;
	do {
		err = range_load(&c, &key);
		if (!err && c.n)
			err = scan_objects(&c.scan, count_object);
		for (size_t i = 0; i < c.n && !err; i++)
			check_counted(&c, &c.range[i]);
	} while (!err && c.n == RANGE_MAX);
	if (err)
		return err;
	return scan_each(&c.scan, TABLE_PARTITIONS, true, check_partition);
}
