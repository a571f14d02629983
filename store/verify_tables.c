/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verification of the tables: each object is known by its hash, its recipe
 * covers it, its pieces and its sidecars' are there; and nothing is there that
 * belongs to no object.
 */
#include <string.h>

#include "store/verify.h"

struct tables {
	struct scan scan;
	uint64_t objects, blocks, sidecars;     /* that belong together */
};

static struct tables *
tables_of(struct scan *s)
{
	return (struct tables *)s;
}

/* ---- pieces ---- */
struct sum {
	struct txn *txn;
	uint64_t size, missing;
};

static struct err *
sum_piece(void *arg, const struct piece *p)
{
	struct sum *sum = arg;
	struct chunk c;
	bool found;
	struct err *err = chunk_find(sum->txn, p->hash, &c, &found);

	sum->size += p->length;
	/* A damaged record is said when the chunks are counted. */
	if (err_kind(err) == ERR_DAMAGED) {
		err_free(err);
		return NULL;
	}
	sum->missing += !found || c.length != p->length;
	return err;
}

static struct err *
sum_check(const struct sum *sum, uint64_t size)
{
	if (sum->missing)
		return err_new(ERR_DAMAGED, "%llu of its pieces are missing",
			       (unsigned long long)sum->missing);
	return sum->size == size ? NULL :
	       err_new(ERR_DAMAGED, "its pieces have %llu bytes, not %llu",
		       (unsigned long long)sum->size,
		       (unsigned long long)size);
}

/* ---- an object and its sidecars ---- */
static struct err *
check_hash_row(struct scan *s, const struct store_object *o)
{
	struct span value;
	struct err *err = txn_get(s->txn, TABLE_HASHES,
				  (struct span){ o->hash, SHA256_SIZE },
				  &value);

	if (err || (value.data && key_get_number(value) == o->ref.number))
		return err;
	return err_new(ERR_DAMAGED, "it is not known by its content hash");
}

static struct err *
check_recipe(struct scan *s, const struct record *r)
{
	struct sum sum = { .txn = s->txn };
	struct err *err = recipe_each(s->txn, r->object.ref.number,
				      r->n_pieces, sum_piece, &sum);

	tables_of(s)->blocks += (r->n_pieces + BLOCK_PIECES - 1) /
				BLOCK_PIECES;
	return err ? err : sum_check(&sum, r->object.size);
}

static struct err *
check_sidecar(void *arg, const struct sidecar *c)
{
	struct scan *s = arg;
	struct sum sum = { .txn = s->txn };
	struct err *err = NULL;

	tables_of(s)->sidecars++;
	for (uint32_t i = 0; i < c->block.n && !err; i++)
		err = sum_piece(&sum, &c->block.piece[i]);
	if (!err)
		err = sum_check(&sum, c->size);
	return err_wrap(err, "sidecar %s of %s, version %u", c->is.kind,
			c->is.producer, c->is.version);
}

static struct err *
check_object(struct scan *s, uint64_t number)
{
	_arena_ struct arena *a = arena_new(0);
	struct store_ref ref = ref_of(s->project->name, number);
	struct record r = { .n_pieces = 0 };

	if (!a)
		return err_nomem();
	tables_of(s)->objects++;
	struct err *err = object_load(s->txn, &ref, a, &r);
	if (err)
		return err;
	err = scan_said(s, store_wrap(check_hash_row(s, &r.object),
				      &r.object));
	if (!err)
		err = scan_said(s, store_wrap(symbols_check(s->txn, &r.object),
					      &r.object));
	if (!err)
		err = scan_said(s, store_wrap(check_recipe(s, &r),
					      &r.object));
	return err ? err : store_wrap(sidecar_each(s->txn, number,
						   check_sidecar, s),
				      &r.object);
}

/* ---- rows that nobody asks for ---- */
struct tally {
	struct scan scan;
	uint64_t n;
};

static struct err *
tally_row(void *arg, struct span key, struct span value)
{
	struct scan *s = arg;

	(void)key, (void)value;
	((struct tally *)s)->n++;
	return NULL;
}

/** @known of them were met from objects: are there others? */
static struct err *
check_number(const struct scan *s, enum table table, const char *what,
	     uint64_t known)
{
	struct tally tally = { .scan = *s };
	struct err *err = scan_each(&tally.scan, table, true, tally_row);

	if (!err && tally.n > known)
		scan_say(&tally.scan,
			 err_new(ERR_DAMAGED, "%s/meta.mdb: %llu %s belong to "
				 "no object", scan_path(s),
				 (unsigned long long)(tally.n - known), what));
	return err;
}

struct err *
verify_tables(struct scan *s)
{
	struct tables t = { .scan = *s };
	struct err *err = scan_objects(&t.scan, check_object);

	if (!err)
		err = check_number(s, TABLE_HASHES, "content hashes",
				   t.objects);
	if (!err)
		err = check_number(s, TABLE_RECIPES, "blocks of recipes",
				   t.blocks);
	return err ? err : check_number(s, TABLE_SIDECARS, "sidecars",
					t.sidecars);
}
