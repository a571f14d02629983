/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading pieces: where one lies is looked up in a transaction, its bytes come
 * outside of it and are held against the hash.
 */
#include <string.h>

#include "store/impl.h"

#define LOOKUPS 3u              /* a collector may have moved it */

struct err *
chunk_find(struct txn *t, const uint8_t hash[SHA256_SIZE], struct chunk *out,
	   bool *found)
{
	struct span value;
	struct err *err = txn_get(t, TABLE_CHUNKS,
				  (struct span){ hash, SHA256_SIZE }, &value);

	*found = !err && value.data;
	return *found ? chunk_get(value, out) : err;
}

struct find {
	const struct piece *piece;
	struct chunk chunk;
};

static struct err *
find_run(struct txn *t, void *arg)
{
	struct find *f = arg;
	bool found = false;
	struct err *err = chunk_find(t, f->piece->hash, &f->chunk, &found);

	if (!err && !found)
		err = err_new(ERR_DAMAGED, "a piece of it is not in the table "
			      "of chunks");
	if (!err && f->chunk.length != f->piece->length)
		err = err_new(ERR_DAMAGED, "a piece has %u bytes, not %u",
			      f->chunk.length, f->piece->length);
	return err;
}

struct err *
piece_fetch(struct db *db, const struct chunk *c, const struct piece *p,
	    void *out)
{
	uint8_t hash[SHA256_SIZE];
	struct err *err = db->parts->ops->read(db->parts, c->partition,
					       c->offset + HEADER_SIZE,
					       p->length, out);

	if (!err)
		err = hash_sha256(out, p->length, hash);
	if (!err && memcmp(hash, p->hash, sizeof(hash)) != 0)
		err = err_new(ERR_DAMAGED, "%s/blob/%04u.part: the %u bytes at "
			      "offset %u do not fit their hash",
			      db->ops->path(db), c->partition, p->length,
			      c->offset + HEADER_SIZE);
	return err;
}

struct err *
piece_read(struct db *db, const struct piece *p, void *out)
{
	struct find f = { .piece = p };
	struct err *err = db_read(db, find_run, &f);

	if (err)
		return err;
	err = piece_fetch(db, &f.chunk, p, out);
	for (unsigned i = 1; i < LOOKUPS && err_kind(err) == ERR_NOTFOUND;
	     i++) {
		err_free(err);
		err = db_read(db, find_run, &f);
		if (!err)
			err = piece_fetch(db, &f.chunk, p, out);
	}
	if (err_kind(err) != ERR_NOTFOUND)
		return err;
	_err_ struct err *missing = err;
	return err_new(ERR_DAMAGED, "%s", err_text(missing));
}
