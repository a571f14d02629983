/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verification of bytes: each piece where it lies, once; then each file as a
 * whole against its content hash, which names the objects that are hurt. No
 * transaction is held meanwhile, so others may move and remove.
 */
#include <stdlib.h>
#include <string.h>

#include "store/verify.h"

#define BATCH 512u              /* pieces listed at a time */

/* ---- pieces ---- */
struct place {
	const uint8_t *hash;
	struct chunk chunk;
	bool found;
};

static struct err *
place_run(struct txn *t, void *arg)
{
	struct place *p = arg;

	return chunk_find(t, p->hash, &p->chunk, &p->found);
}

/** Header and bytes; the header lets the collector find the piece. */
static struct err *
check_place(struct scan *s, const struct place *at, uint8_t *bytes)
{
	struct db *db = s->project->db;
	struct piece is = { .length = at->chunk.length }, header;
	const struct chunk *c = &at->chunk;

	memcpy(is.hash, at->hash, SHA256_SIZE);
	struct err *err = db->parts->ops->read(db->parts, c->partition,
					       c->offset, HEADER_SIZE, bytes);
	if (!err && (!header_get(bytes, &header) ||
		     header.length != is.length ||
		     memcmp(header.hash, is.hash, SHA256_SIZE) != 0))
		err = err_new(ERR_DAMAGED, "%s/blob/%04u.part: the header at "
			      "offset %u is not that of its piece",
			      scan_path(s), c->partition, c->offset);
	return err ? err : piece_fetch(db, c, &is, bytes);
}

/** One that has gone or moved meanwhile is not damaged. */
static struct err *
check_piece(struct scan *s, const uint8_t hash[SHA256_SIZE], uint8_t *bytes)
{
	struct place at = { .hash = hash }, again = at;
	struct err *err = db_read(s->project->db, place_run, &at);

	if (err || !at.found || at.chunk.length > PIECE_MAX)
		return err;
	err = check_place(s, &at, bytes);
	if (!err)
		return NULL;
	_err_ struct err *bad = db_read(s->project->db, place_run, &again);
	if (!bad && (!again.found ||
		     again.chunk.partition != at.chunk.partition)) {
		err_free(err);
		return again.found ? check_place(s, &again, bytes) : NULL;
	}
	if (err_kind(err) != ERR_NOTFOUND)
		return err;
	_err_ struct err *missing = err;
	return err_new(ERR_DAMAGED, "%s", err_text(missing));
}

/** The next hashes of the table of chunks, after @key. */
struct batch {
	struct key key;
	uint8_t hash[BATCH][SHA256_SIZE];
	size_t n;
	bool over;
};

static struct err *
batch_run(struct txn *t, void *arg)
{
	struct batch *b = arg;
	struct err *err = NULL;

	for (b->n = 0; b->n < BATCH && !err; key_step(&b->key)) {
		struct entry e;

		err = txn_seek(t, TABLE_CHUNKS, key_span(&b->key),
			       SEEK_AT_LEAST, &e);
		b->over = !e.key.data;
		if (b->over)
			break;
		/* That the record is damaged was said of the tables. */
		bool sound = !err && e.key.n == SHA256_SIZE;
		err_free(err);
		err = key_copy(e.key, &b->key);
		if (sound && !err)
			memcpy(b->hash[b->n++], b->key.bytes, SHA256_SIZE);
	}
	return err;
}

static struct err *
check_pieces(struct scan *s)
{
	_free_ struct batch *b = calloc(1, sizeof(*b));
	_free_ uint8_t *bytes = malloc(PIECE_MAX);
	struct err *err = b && bytes ? NULL : err_nomem();

	if (!err)
		b->key.n = 1;
	while (!err && !b->over) {
		err = db_read(s->project->db, batch_run, b);
		for (size_t i = 0; i < b->n && !err; i++)
			err = scan_said(s, check_piece(s, b->hash[i], bytes));
	}
	return scan_said(s, err);
}

/* ---- whole files ---- */
struct whole {
	struct scan *scan;
	struct hash_sha *hash;
};

static struct err *
whole_add(void *arg, const void *data, size_t n)
{
	struct whole *w = arg;

	w->scan->verify->sum.bytes += n;
	return hash_sha_add(w->hash, data, n);
}

static struct err *
check_whole(struct scan *s, const struct record *r)
{
	_hash_sha_ struct hash_sha *hash = hash_sha_new();
	struct whole w = { s, hash };
	uint8_t is[SHA256_SIZE];
	struct err *err = hash ? object_send(s->project, r, whole_add, &w) :
			  err_nomem();

	if (!err)
		err = hash_sha_end(hash, is);
	if (!err && memcmp(is, r->object.hash, SHA256_SIZE) != 0)
		err = err_new(ERR_DAMAGED, "the file does not fit its content "
			      "hash");
	return object_blame(s->project, &r->object, err);
}

static struct err *
check_objects(struct scan *s)
{
	uint64_t below = UINT64_MAX;
	struct err *err = NULL;
	bool found = true;

	while (!err) {
		_arena_ struct arena *a = arena_new(0);
		struct store_object o;
		struct record r;

		if (!a)
			return err_nomem();
		err = object_newest(s->project, below, a, &o, &found);
		if (!found)
			return scan_said(s, err);
		below = o.ref.number;
		s->verify->sum.objects++;
		/* That a record is damaged was said of the tables. */
		if (err_kind(err) == ERR_DAMAGED) {
			err_free(take(err));
			continue;
		}
		if (!err)
			err = object_read(s->project, &o.ref, a, &r);
		if (!err)
			err = check_whole(s, &r);
		err = scan_said(s, err);
	}
	return err;
}

struct err *
verify_bytes(struct scan *s)
{
	scan_reads(s, "blob");
	struct err *err = check_pieces(s);

	return err ? err : check_objects(s);
}
