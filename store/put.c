/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping a file. It is hashed first, piece by piece and as a whole, with no
 * lock held; then one transaction adds the pieces that are new, the recipe
 * and the object. When it is committed, all of it is on disk.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/impl.h"

struct put {
	const struct store_put *asked;
	struct arena *arena;
	struct record record;
	struct piece *piece;
	size_t cap;             /* of piece; record.n_pieces are there */
	struct project *project;
	uint64_t partition_size;
	uint64_t done;          /* bytes, of this pass and the one before */
	uint8_t bytes[PIECE_MAX];
	struct store_added added;
};

static void
put_free(struct put *p)
{
	if (p) {
		arena_free(p->arena);
		free(p->piece);
	}
	free(p);
}

static void
put_freep(struct put **p)
{
	put_free(*p);
}

/** Both passes over the file count. */
static void
put_progress(struct put *p, uint32_t n)
{
	p->done += n;
	if (p->asked->progress)
		p->asked->progress(p->asked->progress_arg, p->done,
				   2 * p->record.object.size);
}

/* ---- what was asked ---- */
static struct err *
pieces_check(const struct store_put *p)
{
	uint64_t at = 0, size = source_size(p->file);

	for (size_t i = 0; p->pieces && i < p->n_pieces; i++) {
		const struct snap_piece *piece = &p->pieces[i];

		if (piece->offset != at || !piece->length ||
		    piece->length > size - at)
			return err_new(ERR_USAGE, "%s: piece %zu does not lie "
				       "behind the one before it",
				       source_name(p->file), i);
		at += piece->length;
	}
	return !p->pieces || at == size ? NULL :
	       err_new(ERR_USAGE, "%s: its pieces end at %llu of %llu",
		       source_name(p->file), (unsigned long long)at,
		       (unsigned long long)size);
}

/** The object as it will be, but for hash and number. */
static struct err *
put_prepare(struct put *p)
{
	const struct store_put *asked = p->asked;
	struct store_object *o = &p->record.object;
	struct timespec now;
	_buf_ struct buf trial = { .max = 1 << 20 };

	o->size = source_size(asked->file);
	if (o->size > STORE_OBJECT_MAX)
		return err_new(ERR_LIMIT, "%s: larger than %llu bytes",
			       source_name(asked->file), STORE_OBJECT_MAX);
	struct err *err = project_name_check(asked->project);
	if (!err)
		err = pieces_check(asked);
	if (!err)
		err = attrs_check(asked->attrs, asked->n_attrs);
	if (!err)
		err = tags_sort(asked->tags, asked->n_tags, p->arena,
				&o->tags, &o->n_tags);
	if (err)
		return err;
	o->attrs = asked->attrs;
	o->n_attrs = asked->n_attrs;
	clock_gettime(CLOCK_REALTIME, &now);
	o->stored_ns = now.tv_sec * 1000000000ull + now.tv_nsec;
	record_put(&p->record, &trial);
	return err_wrap(buf_err(&trial), "attributes");
}

/* ---- first pass: hashes ---- */
static struct piece *
piece_new(struct put *p)
{
	if (p->record.n_pieces == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 64;
		struct piece *more = reallocarray(p->piece, cap,
						  sizeof(*more));
		if (!more)
			return NULL;
		p->piece = more;
		p->cap = cap;
	}
	return &p->piece[p->record.n_pieces++];
}

/** One piece of the caller's, in as many as it takes. */
static struct err *
piece_hash(struct put *p, struct hash_sha *whole, uint64_t at, uint64_t n)
{
	struct err *err = NULL;

	while (n && !err) {
		struct piece *piece = piece_new(p);

		if (!piece)
			return err_nomem();
		piece->length = n < PIECE_MAX ? n : PIECE_MAX;
		err = source_read(p->asked->file, at, piece->length, p->bytes);
		if (!err)
			err = hash_sha256(p->bytes, piece->length,
					  piece->hash);
		if (!err)
			err = hash_sha_add(whole, p->bytes, piece->length);
		at += piece->length;
		n -= piece->length;
		put_progress(p, piece->length);
	}
	return err;
}

static struct err *
put_hash(struct put *p)
{
	const struct store_put *asked = p->asked;
	_hash_sha_ struct hash_sha *whole = hash_sha_new();
	struct err *err = whole ? NULL : err_nomem();

	if (!err && !asked->pieces)
		err = piece_hash(p, whole, 0, p->record.object.size);
	for (size_t i = 0; asked->pieces && i < asked->n_pieces && !err; i++)
		err = piece_hash(p, whole, asked->pieces[i].offset,
				 asked->pieces[i].length);
	return err ? err : hash_sha_end(whole, p->record.object.hash);
}

/* ---- second pass: the transaction ---- */
/** Does the project have the file? */
static struct err *
put_known(struct txn *t, void *arg)
{
	struct put *p = arg;
	struct span value;
	struct err *err = txn_get(t, TABLE_HASHES,
				  (struct span){ p->record.object.hash,
						 SHA256_SIZE }, &value);

	if (err || !value.data)
		return err;
	p->added.known = true;
	p->added.ref.number = key_get_number(value);
	return NULL;
}

/** The bytes of a new piece; they were not yet kept when they were hashed. */
static struct err *
piece_add(struct put *p, struct ledger *l, const struct piece *piece,
	  uint64_t at)
{
	uint8_t hash[SHA256_SIZE];
	struct err *err = source_read(p->asked->file, at, piece->length,
				      p->bytes);

	if (!err)
		err = hash_sha256(p->bytes, piece->length, hash);
	if (!err && memcmp(hash, piece->hash, sizeof(hash)) != 0)
		err = err_new(ERR_FAILED, "%s changed while it was being "
			      "stored; nothing was stored",
			      source_name(p->asked->file));
	return err ? err : ledger_add(l, piece, p->bytes, 1);
}

static struct err *
put_pieces(struct put *p, struct ledger *l)
{
	struct err *err = NULL;
	uint64_t at = 0;

	p->done = p->record.object.size;
	for (size_t i = 0; i < p->record.n_pieces && !err; i++) {
		const struct piece *piece = &p->piece[i];
		bool known;

		err = ledger_claim(l, piece, &known);
		if (!err && !known)
			err = piece_add(p, l, piece, at);
		at += piece->length;
		put_progress(p, piece->length);
	}
	return err;
}

static struct err *
put_recipe(struct put *p, struct txn *t, uint64_t number)
{
	struct block b = { .piece = p->piece };
	size_t left = p->record.n_pieces;
	struct err *err = NULL;

	for (uint32_t at = 0; left && !err; at++) {
		struct key key = key_block(number, at);
		_buf_ struct buf value = { 0 };

		b.n = left < BLOCK_PIECES ? left : BLOCK_PIECES;
		block_put(&b, &value);
		err = value.failed ? err_nomem() :
		      txn_put(t, TABLE_RECIPES, key_span(&key),
			      (struct span){ value.data, value.len });
		for (uint32_t i = 0; i < b.n; i++)
			b.start += b.piece[i].length;
		b.piece += b.n;
		left -= b.n;
	}
	return err;
}

static struct err *
put_object(struct put *p, struct txn *t, uint64_t number)
{
	struct key key = key_number(number);

	p->record.object.ref.number = number;
	struct err *err = put_recipe(p, t, number);
	if (!err)
		err = object_save(t, &p->record);
	if (!err)
		err = symbols_save(t, &p->record.object);
	return err ? err :
	       txn_put(t, TABLE_HASHES,
		       (struct span){ p->record.object.hash, SHA256_SIZE },
		       key_span(&key));
}

static struct err *
put_run(struct txn *t, void *arg)
{
	struct put *p = arg;
	_ledger_ struct ledger l = { 0 };
	struct err *err = put_known(t, p);

	/* Somebody else may have put it since it was asked for. */
	if (err || p->added.known)
		return err;
	err = t->ops->reserve(t);
	if (!err)
		err = ledger_begin(&l, t, p->project->db->parts,
				   p->partition_size);
	if (!err)
		err = put_pieces(p, &l);
	if (!err)
		err = put_object(p, t, l.counters.next_object);
	if (err)
		return err;
	p->added.ref.number = l.counters.next_object++;
	p->added.added = l.added;
	return ledger_end(&l);
}

static struct err *
put_commit(struct put *p)
{
	struct err *err = db_read(p->project->db, put_known, p);

	if (err || p->added.known)
		return err;
	return ledger_change(p->project->db, put_run, p);
}

struct err *
store_put(struct store *s, const struct store_put *p,
	  struct store_added *out)
{
	_cleanup_(put_freep) struct put *put = calloc(1, sizeof(*put));

	if (!put)
		return err_nomem();
	put->asked = p;
	put->partition_size = s->partition_size;
	put->arena = arena_new(0);
	struct err *err = put->arena ? put_prepare(put) : err_nomem();
	if (!err)
		err = put_hash(put);
	if (!err)
		err = store_project(s, p->project, true, &put->project);
	if (!err)
		err = put_commit(put);
	if (err)
		return err;
	name_copy(p->project, put->added.ref.project);
	memcpy(put->added.hash, put->record.object.hash, SHA256_SIZE);
	*out = put->added;
	return NULL;
}
