/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One type for all units that say the same of it. Two are the same when their
 * records are, with keys in place of references: the key of a type that has a
 * name is its identity (kind, name, prefix, size, where it is declared, what a
 * typedef leads to), that of another its whole record.
 */
#include <pthread.h>
#include <stdlib.h>

#include "symbols/make.h"

#define SHARDS 64u
#define SHARD_SHIFT 26
#define SHARD_MAX (1u << SHARD_SHIFT)
#define KEY_DEPTH_MAX 32u

struct entry {
	uint64_t hash;                  /* 0 = free */
	uint64_t where;                 /* unit << 32 | offset, the first */
	uint32_t number, pad;
};
struct shard {
	pthread_mutex_t lock;
	struct entry *entries;          /* in order of arrival */
	uint32_t *table;                /* number + 1, by hash */
	uint32_t n, size;               /* of the table, a power of two */
};
struct type_table {
	struct shard shards[SHARDS];
};

struct type_table *
types_new(void)
{
	struct type_table *t = calloc(1, sizeof(*t));

	for (size_t k = 0; t && k < SHARDS; k++)
		pthread_mutex_init(&t->shards[k].lock, NULL);
	return t;
}

void
types_free(struct type_table *t)
{
	for (size_t k = 0; t && k < SHARDS; k++) {
		free(t->shards[k].entries);
		free(t->shards[k].table);
		pthread_mutex_destroy(&t->shards[k].lock);
	}
	free(t);
}

/* ---- the table -------------------------------------------------------------- */
static uint32_t *
place_of(const struct shard *d, uint32_t *table, uint32_t size, uint64_t hash)
{
	uint32_t at = (uint32_t)hash & (size - 1);

	while (table[at] && d->entries[table[at] - 1].hash != hash)
		at = (at + 1) & (size - 1);
	return &table[at];
}

static bool
grow(struct shard *d)
{
	uint32_t size = d->size ? 2 * d->size : 1024;
	struct entry *entries = realloc(d->entries,
					size / 2 * sizeof(*entries));
	uint32_t *table = calloc(size, sizeof(*table));

	if (entries)
		d->entries = entries;
	if (!entries || !table || size / 2 > SHARD_MAX) {
		free(table);
		return false;
	}
	for (uint32_t k = 0; k < d->n; k++)
		*place_of(d, table, size, entries[k].hash) = k + 1;
	free(d->table);
	d->table = table;
	d->size = size;
	return true;
}

/** The slot of a type, UINT32_MAX without memory. */
static uint32_t
add(struct type_table *t, uint64_t hash, uint64_t where)
{
	uint32_t shard = (uint32_t)(hash >> 58), slot = UINT32_MAX;
	struct shard *d = &t->shards[shard];

	pthread_mutex_lock(&d->lock);
	if (d->n < d->size / 2 || grow(d)) {
		uint32_t *at = place_of(d, d->table, d->size, hash);

		if (!*at) {
			d->entries[d->n] = (struct entry){ hash, where, 0, 0 };
			*at = ++d->n;
		}
		if (where < d->entries[*at - 1].where)
			d->entries[*at - 1].where = where;
		slot = shard << SHARD_SHIFT | (*at - 1);
	}
	pthread_mutex_unlock(&d->lock);
	return slot;
}

static struct entry *
entry_at(const struct type_table *t, uint32_t slot)
{
	return &t->shards[slot >> SHARD_SHIFT].entries[slot
						       & (SHARD_MAX - 1)];
}

/* ---- keys ---------------------------------------------------------------------- */
/* A name without which nothing else would know it. */
static bool
has_identity(const struct dw_die *die)
{
	return dw_has(die, AT_NAME) || dw_has(die, AT_SPECIFICATION);
}

/* An entry that says only where the type is, in a unit of its own. */
static bool
elsewhere(const struct dw_die *die, struct dw_unit **u, uint32_t *offset)
{
	return dw_has(die, AT_SIGNATURE)
	       && dw_target(&die->at[AT_SIGNATURE], u, offset);
}

static uint64_t
record_hash(struct maker *m, const struct dw_die *die, unsigned depth)
{
	_buf_ struct buf record = { 0 };
	struct type_out to = {
		.m = m, .out = &record, .keys = true, .depth = depth + 1,
	};

	type_put(&to, die);
	if (record.failed)
		__atomic_store_n(&m->failed, true, __ATOMIC_RELAXED);
	return format_hash(record.data, record.len) | 1;
}

static uint64_t
make_key(struct maker *m, struct dw_unit *u, uint32_t offset, unsigned depth)
{
	struct dw_die die;
	struct dw_unit *other;

	if (depth > KEY_DEPTH_MAX || !dw_read(u, offset, &die))
		return format_hash(&(uint64_t){ (uint64_t)u->number << 32
						| offset }, 8) | 1;
	if (elsewhere(&die, &other, &offset))
		return types_key(m, other, offset, depth + 1);
	return has_identity(&die) ? type_identity(m, &die)
	       : record_hash(m, &die, depth);
}

uint64_t
types_key(struct maker *m, struct dw_unit *u, uint32_t offset, unsigned depth)
{
	uint32_t n;
	uint64_t key;

	if (!scan_type(u, offset, &n))
		return 0;
	key = __atomic_load_n(&u->keys[n], __ATOMIC_RELAXED);
	if (key)
		return key;
	key = make_key(m, u, offset, depth);
	__atomic_store_n(&u->keys[n], key, __ATOMIC_RELAXED);
	return key;
}

/* ---- all of a unit ---------------------------------------------------------------- */
static uint32_t
slot_of(struct maker *m, struct dw_unit *u, uint32_t offset)
{
	struct dw_unit *other;
	struct dw_die die;
	uint32_t to;

	if (!dw_read(u, offset, &die))
		return UINT32_MAX;
	uint64_t hash = has_identity(&die) ? record_hash(m, &die, 0)
			: types_key(m, u, offset, 0);
	if (elsewhere(&die, &other, &to) && other != u
	    && dw_read(other, to, &die)) {
		u = other;
		offset = to;
		hash = record_hash(m, &die, 0);
	}
	return add(m->types, hash, (uint64_t)u->number << 32 | offset);
}

void
types_unit(struct maker *m, uint32_t unit, struct arena *scratch)
{
	struct dw_unit *u = m->units[unit];
	uint32_t n = 0;

	(void)scratch;
	for (size_t k = 0; u->bits && k <= u->size / 64; k++)
		for (uint64_t word = u->bits[k]; word; word &= word - 1) {
			uint32_t bit = (uint32_t)__builtin_ctzll(word);

			u->slots[n++] = slot_of(m, u, (uint32_t)k * 64 + bit);
		}
}

static int
where_order(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;

	return ((*x)->where > (*y)->where) - ((*x)->where < (*y)->where);
}

struct err *
types_number(struct maker *m)
{
	size_t n = 0, at = 0;

	for (size_t k = 0; k < SHARDS; k++)
		n += m->types->shards[k].n;
	if (n > FORMAT_REFERENCE_MAX)
		return err_new(ERR_LIMIT, "more than %u types",
			       FORMAT_REFERENCE_MAX);
	_free_ struct entry **all = calloc(n + 1, sizeof(struct entry *));
	m->unique = calloc(n + 1, sizeof(*m->unique));
	if (!all || !m->unique)
		return err_nomem();
	for (size_t k = 0; k < SHARDS; k++)
		for (uint32_t e = 0; e < m->types->shards[k].n; e++)
			all[at++] = &m->types->shards[k].entries[e];
	qsort(all, n, sizeof(struct entry *), where_order);
	for (size_t k = 0; k < n; k++) {
		all[k]->number = (uint32_t)k;
		m->unique[k] = all[k]->where;
	}
	m->n_types = (uint32_t)n;
	return NULL;
}

uint32_t
types_at(const struct maker *m, const struct dw_unit *u, uint32_t offset)
{
	uint32_t n;

	if (!scan_type(u, offset, &n) || u->slots[n] == UINT32_MAX)
		return SYM_NONE;
	return entry_at(m->types, u->slots[n])->number;
}

uint32_t
types_ref(const struct maker *m, const struct dw_die *die, enum dw_slot slot)
{
	struct dw_unit *unit;
	uint32_t offset;

	return dw_has(die, slot)
	       && dw_target(&die->at[slot], &unit, &offset)
	       ? types_at(m, unit, offset) : SYM_NONE;
}
