/* SPDX-License-Identifier: Apache-2.0 */
/* Sidecars: what was learned of an object after it was stored. */
#include <stdlib.h>
#include <string.h>

#include "store/impl.h"

/* ---- walking those of an object ---- */
static bool
is_of(struct span key, uint64_t number)
{
	return key.data && key_get_number(key) == number;
}

/**
 * From key to key: what @each deletes does not stop the walk. The key is
 * copied, for a change of the table ends what was borrowed.
 */
struct err *
sidecar_each(struct txn *t, uint64_t number, sidecar_fn *each, void *arg)
{
	_free_ struct piece *piece = calloc(BLOCK_PIECES, sizeof(*piece));
	struct sidecar c = { .block = { .piece = piece } };
	struct key key = key_number(number);
	struct entry e;
	struct err *err = piece ? NULL : err_nomem();

	while (!err) {

		err = txn_seek(t, TABLE_SIDECARS, key_span(&key),
			       SEEK_AT_LEAST, &e);
		if (err || !is_of(e.key, number))
			return err;
		err = key_copy(e.key, &key);
		if (!err)
			err = sidecar_get(key_span(&key), e.value, &c);
		if (!err)
			err = each(arg, &c);
		key_step(&key);
	}
	return err;
}

/* ---- removal ---- */
struct drop {
	struct ledger *ledger;
	uint64_t number;
};

static struct err *
drop_one(void *arg, const struct sidecar *c)
{
	struct drop *d = arg;
	struct key key = key_sidecar(d->number, &c->is);
	struct err *err = NULL;

	for (uint32_t i = 0; i < c->block.n && !err; i++)
		err = ledger_release(d->ledger, &c->block.piece[i]);
	return err ? err : txn_del(d->ledger->txn, TABLE_SIDECARS,
				   key_span(&key));
}

struct err *
sidecar_drop_all(struct ledger *l, uint64_t number)
{
	struct drop d = { l, number };

	return sidecar_each(l->txn, number, drop_one, &d);
}

/* ---- putting ---- */
struct attach {
	struct project *project;
	struct store_ref ref;
	const struct store_sidecar *is;
	struct arena *arena;
	struct sidecar sidecar;
	uint64_t partition_size;
};

/** The one that it replaces, if there is one. */
static struct err *
attach_replace(struct attach *t, struct ledger *l)
{
	_free_ struct piece *piece = calloc(BLOCK_PIECES, sizeof(*piece));
	struct sidecar old = { .block = { .piece = piece } };
	struct key key = key_sidecar(t->ref.number, t->is);
	struct drop d = { l, t->ref.number };
	struct span value;

	if (!piece)
		return err_nomem();
	struct err *err = txn_get(l->txn, TABLE_SIDECARS, key_span(&key),
				  &value);
	if (err || !value.data)
		return err;
	err = sidecar_get(key_span(&key), value, &old);
	return err ? err : drop_one(&d, &old);
}

static struct err *
attach_pieces(struct attach *t, struct ledger *l)
{
	const uint8_t *at = t->is->bytes.data;
	struct block *b = &t->sidecar.block;
	struct err *err = NULL;

	for (uint32_t i = 0; i < b->n && !err; i++) {
		bool known;

		err = ledger_claim(l, &b->piece[i], &known);
		if (!err && !known)
			err = ledger_add(l, &b->piece[i], at, 1);
		at += b->piece[i].length;
	}
	return err;
}

static struct err *
attach_record(struct attach *t, struct txn *txn)
{
	struct key key = key_sidecar(t->ref.number, t->is);
	_buf_ struct buf value = { 0 };

	sidecar_put(&t->sidecar, &value);
	return value.failed ? err_nomem() :
	       txn_put(txn, TABLE_SIDECARS, key_span(&key),
		       (struct span){ value.data, value.len });
}

static struct err *
attach_run(struct txn *txn, void *arg)
{
	struct attach *t = arg;
	_ledger_ struct ledger l = { 0 };
	struct record r = { .n_pieces = 0 };
	struct err *err = object_load(txn, &t->ref, t->arena, &r);

	if (!err)
		err = txn->ops->reserve(txn);
	if (!err)
		err = ledger_begin(&l, txn, t->project->db->parts,
				   t->partition_size);
	/* First the new ones: what both have stays where it is. */
	if (!err)
		err = attach_pieces(t, &l);
	if (!err)
		err = attach_replace(t, &l);
	if (!err)
		err = attach_record(t, txn);
	return err ? err : ledger_end(&l);
}

static struct err *
attach_hash(struct attach *t)
{
	const uint8_t *at = t->is->bytes.data;
	size_t left = t->is->bytes.n;
	struct block *b = &t->sidecar.block;
	struct err *err = NULL;

	b->piece = arena_array(t->arena, left / PIECE_MAX + 1,
			       sizeof(*b->piece));
	if (!b->piece)
		return err_nomem();
	for (; left && !err; b->n++) {
		struct piece *p = &b->piece[b->n];

		p->length = left < PIECE_MAX ? left : PIECE_MAX;
		err = hash_sha256(at, p->length, p->hash);
		at += p->length;
		left -= p->length;
	}
	return err;
}

static struct err *
sidecar_check(const struct store_sidecar *c)
{
	if (!store_name_ok(c->kind) || !store_name_ok(c->producer))
		return err_new(ERR_USAGE, "kind and producer of a sidecar are "
			       "names as those of projects");
	if (c->bytes.n > STORE_SIDECAR_MAX)
		return err_new(ERR_LIMIT, "a sidecar of %zu bytes is larger "
			       "than %u", c->bytes.n, STORE_SIDECAR_MAX);
	return NULL;
}

struct err *
store_put_sidecar(struct store *s, const struct store_ref *ref,
		  const struct store_sidecar *c)
{
	_arena_ struct arena *a = arena_new(0);
	struct attach t = { .ref = *ref, .is = c, .arena = a,
			    .partition_size = s->partition_size };
	struct err *err = a ? sidecar_check(c) : err_nomem();

	if (!err)
		err = store_project(s, ref->project, false, &t.project);
	if (!err)
		err = attach_hash(&t);
	return err ? err : ledger_change(t.project->db, attach_run, &t);
}

/* ---- reading ---- */
struct found {
	struct arena *arena;
	struct vec vec;         /* of struct sidecar */
};
struct find {
	struct store_ref ref;
	struct found *found;
};

/** What the walk lends, copied. */
static struct err *
find_one(void *arg, const struct sidecar *c)
{
	struct found *f = arg;
	struct sidecar *copy = vec_add(&f->vec, f->arena, sizeof(*copy));

	if (!copy)
		return err_nomem();
	*copy = *c;
	copy->is.kind = arena_strdup(f->arena, c->is.kind);
	copy->is.producer = arena_strdup(f->arena, c->is.producer);
	copy->block.piece = arena_dup(f->arena, c->block.piece,
				      c->block.n * sizeof(*c->block.piece));
	return copy->is.kind && copy->is.producer && copy->block.piece ?
	       NULL : err_nomem();
}

static struct err *
find_run(struct txn *t, void *arg)
{
	struct find *f = arg;
	struct record r = { .n_pieces = 0 };
	struct err *err = object_load(t, &f->ref, f->found->arena, &r);

	return err ? err : sidecar_each(t, f->ref.number, find_one, f->found);
}

struct err *
sidecar_load(struct db *db, const struct sidecar *c, uint8_t *out)
{
	struct err *err = NULL;

	for (uint32_t i = 0; i < c->block.n && !err; i++) {
		err = piece_read(db, &c->block.piece[i], out);
		out += c->block.piece[i].length;
	}
	return err_wrap(err, "sidecar %s of %s, version %u", c->is.kind,
			c->is.producer, c->is.version);
}

static struct err *
sidecar_give(struct db *db, struct sidecar *c, store_sidecar_fn *each,
	     void *arg, bool *more)
{
	_free_ uint8_t *bytes = malloc(c->size + 1);
	struct err *err = bytes ? sidecar_load(db, c, bytes) : err_nomem();

	if (err)
		return err;
	c->is.bytes = (struct span){ bytes, c->size };
	*more = each(arg, &c->is);
	return NULL;
}

struct err *
store_sidecars(struct store *s, const struct store_ref *ref,
	       store_sidecar_fn *each, void *arg)
{
	_arena_ struct arena *a = arena_new(0);
	struct found found = { .arena = a };
	struct find find = { *ref, &found };
	struct project *p = NULL;
	bool more = true;
	struct err *err = a ? store_project(s, ref->project, false, &p) :
			  err_nomem();

	if (!err)
		err = db_read(p->db, find_run, &find);
	struct sidecar *c = found.vec.data;
	for (size_t i = 0; i < found.vec.n && more && !err; i++)
		err = sidecar_give(p->db, &c[i], each, arg, &more);
	return err;
}
