/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger of a write transaction: which pieces are meant by how many, what
 * is appended to the open partition, what partitions lose.
 *
 * Bytes go behind what the tables say is in use, on pages of their own, and
 * are synced before the transaction is committed. So a failure leaves nothing
 * behind but bytes that nobody means, which the next writer overwrites, and a
 * write that fails touches no page that holds something acknowledged.
 */
#include <string.h>

#include "store/impl.h"

#define PENDING_MAX (1u << 20)

/* ---- records ---- */
static struct err *
record_save(struct txn *t, enum table table, struct span key,
	    const struct buf *value)
{
	return value->failed ? err_nomem() :
	       txn_put(t, table, key, (struct span){ value->data, value->len });
}

static struct err *
partition_load(struct txn *t, uint32_t number, struct partition *out)
{
	struct key key = key_partition(number);
	struct span value;
	struct err *err = txn_get(t, TABLE_PARTITIONS, key_span(&key), &value);

	if (!err && !value.data)
		err = err_new(ERR_DAMAGED, "partition %u is not in the table "
			      "of partitions", number);
	return err ? err : partition_get(value, out);
}

static struct err *
partition_save(struct txn *t, uint32_t number, const struct partition *p)
{
	struct key key = key_partition(number);
	_buf_ struct buf value = { 0 };

	partition_put(p, &value);
	return record_save(t, TABLE_PARTITIONS, key_span(&key), &value);
}

static struct err *
chunk_save(struct txn *t, const struct piece *p, const struct chunk *c)
{
	_buf_ struct buf value = { 0 };

	chunk_put(c, &value);
	return record_save(t, TABLE_CHUNKS,
			   (struct span){ p->hash, SHA256_SIZE }, &value);
}

static struct err *
counters_save(struct txn *t, const struct counters *c)
{
	_buf_ struct buf value = { 0 };

	counters_put(c, &value);
	return record_save(t, TABLE_STATE, (struct span){ "counters", 8 },
			   &value);
}

/* ---- life ---- */
struct err *
ledger_begin(struct ledger *l, struct txn *t, struct parts *parts,
	     uint64_t size)
{
	*l = (struct ledger){ .txn = t, .parts = parts,
			      .partition_size = size };
	struct err *err = counters_load(t, &l->counters);

	if (!err && l->counters.open_partition)
		err = partition_load(t, l->counters.open_partition, &l->open);
	return err;
}

void
ledger_fini(struct ledger *l)
{
	buf_fini(&l->pending);
}

/* ---- the open partition ---- */
static struct err *
pending_flush(struct ledger *l)
{
	struct span bytes = { l->pending.data, l->pending.len };

	if (l->pending.failed)
		return err_nomem();
	struct err *err = l->parts->ops->append(l->parts,
						l->counters.open_partition,
						l->open.end, bytes);
	if (err)
		return err;
	l->open.end += bytes.n;
	buf_reset(&l->pending);
	return NULL;
}

/** What was appended is on disk; the rest of its last page is lost. */
static struct err *
appends_end(struct ledger *l)
{
	if (!l->appends)
		return NULL;
	size_t rest = (l->open.end + l->pending.len) % PART_ALIGN;
	size_t padding = rest ? PART_ALIGN - rest : 0;
	buf_zero(&l->pending, padding);
	struct err *err = pending_flush(l);
	if (err)
		return err;
	l->open.dead += padding;
	l->appends = false;
	return l->parts->ops->sync(l->parts, l->counters.open_partition);
}

struct err *
ledger_seal(struct ledger *l)
{
	struct err *err = appends_end(l);

	if (!err && l->counters.open_partition)
		err = partition_save(l->txn, l->counters.open_partition,
				     &l->open);
	if (err)
		return err;
	l->counters.open_partition = 0;
	l->open = (struct partition){ 0 };
	return NULL;
}

static struct err *
open_new(struct ledger *l)
{
	if (l->counters.next_partition == UINT32_MAX)
		return err_new(ERR_LIMIT, "no partition is left");
	l->counters.open_partition = l->counters.next_partition++;
	return NULL;
}

static struct err *
room_for(struct ledger *l, size_t n)
{
	uint64_t end = l->open.end + l->pending.len;
	struct err *err = NULL;

	if (l->counters.open_partition && end + n > l->partition_size)
		err = ledger_seal(l);
	if (!err && !l->counters.open_partition)
		err = open_new(l);
	if (!err && !l->appends)
		err = l->parts->ops->cut(l->parts, l->counters.open_partition,
					 l->open.end);
	l->appends = !err;
	return err;
}

struct err *
ledger_add(struct ledger *l, const struct piece *p, const void *bytes,
	   uint64_t refs)
{
	struct err *err = room_for(l, HEADER_SIZE + p->length);

	if (err)
		return err;
	struct chunk c = {
		.partition = l->counters.open_partition,
		.offset = l->open.end + l->pending.len,
		.length = p->length, .refs = refs,
	};
	header_put(p, &l->pending);
	buf_put(&l->pending, bytes, p->length);
	err = chunk_save(l->txn, p, &c);
	if (err)
		return err;
	l->added += p->length;
	return l->pending.len < PENDING_MAX ? NULL : pending_flush(l);
}

struct err *
ledger_claim(struct ledger *l, const struct piece *p, bool *known)
{
	struct chunk c;
	struct err *err = chunk_find(l->txn, p->hash, &c, known);

	if (err || !*known)
		return err;
	c.refs++;
	return chunk_save(l->txn, p, &c);
}

/* ---- losses ---- */
static struct err *
loses_save(struct ledger *l)
{
	return l->number ? partition_save(l->txn, l->number, &l->loses) : NULL;
}

static void
lose(struct partition *p, uint64_t n)
{
	p->dead = n < p->end - p->dead ? p->dead + n : p->end;
}

struct err *
ledger_lose(struct ledger *l, uint32_t number, uint64_t n)
{
	struct err *err = NULL;

	if (number == l->counters.open_partition) {
		lose(&l->open, n);
		return NULL;
	}
	if (l->number != number) {
		err = loses_save(l);
		l->number = 0;
		if (!err)
			err = partition_load(l->txn, number, &l->loses);
		if (err)
			return err;
		l->number = number;
	}
	lose(&l->loses, n);
	return NULL;
}

/** What is missing already cannot be lost: a damaged object can go, too. */
struct err *
ledger_release(struct ledger *l, const struct piece *p)
{
	struct chunk c;
	bool found;
	struct err *err = chunk_find(l->txn, p->hash, &c, &found);

	if (err || !found)
		return err;
	if (c.refs > 1) {
		c.refs--;
		return chunk_save(l->txn, p, &c);
	}
	err = txn_del(l->txn, TABLE_CHUNKS,
		      (struct span){ p->hash, SHA256_SIZE });
	return err ? err : ledger_lose(l, c.partition,
				       HEADER_SIZE + c.length);
}

/* ---- the end ---- */
struct err *
ledger_end(struct ledger *l)
{
	struct err *err = appends_end(l);

	if (!err)
		err = loses_save(l);
	if (!err && l->counters.open_partition)
		err = partition_save(l->txn, l->counters.open_partition,
				     &l->open);
	return err ? err : counters_save(l->txn, &l->counters);
}

/* ---- after a failure ---- */
struct sweep {
	struct txn *txn;
	struct parts *parts;
	uint32_t open;
};

static struct err *
sweep_one(void *arg, uint32_t number, uint64_t size)
{
	struct sweep *s = arg;
	struct key key = key_partition(number);
	struct partition p = { 0 };
	struct span value;
	struct err *err = txn_get(s->txn, TABLE_PARTITIONS, key_span(&key),
				  &value);

	if (err)
		return err;
	if (!value.data)
		return s->parts->ops->drop(s->parts, number);
	err = partition_get(value, &p);
	if (err || number != s->open || size <= p.end)
		return err;
	return s->parts->ops->cut(s->parts, number, p.end);
}

struct err *
ledger_sweep(struct txn *t, struct parts *parts)
{
	struct sweep s = { t, parts, 0 };
	struct counters counters;
	struct err *err = counters_load(t, &counters);

	if (err)
		return err;
	s.open = counters.open_partition;
	return parts->ops->list(parts, sweep_one, &s);
}

static struct err *
sweep_run(struct txn *t, void *arg)
{
	return ledger_sweep(t, arg);
}

struct err *
ledger_change(struct db *db, txn_fn *fn, void *arg)
{
	struct err *err = db_write(db, fn, arg);

	if (err)
		err_free(db_write(db, sweep_run, db->parts));
	return err;
}
