/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving a file back: as a stream, or as a source. Each piece is read and
 * checked by itself, and no transaction is held between two of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/impl.h"

/* ---- a stream ---- */
static struct err *
pieces_send(struct db *db, const struct block *b, store_sink_fn *sink,
	    void *arg)
{
	_free_ uint8_t *bytes = malloc(PIECE_MAX);
	struct err *err = bytes ? NULL : err_nomem();

	for (uint32_t i = 0; i < b->n && !err; i++) {
		err = piece_read(db, &b->piece[i], bytes);
		if (!err)
			err = sink(arg, bytes, b->piece[i].length);
	}
	return err;
}

struct err *
object_send(struct project *p, const struct record *o, store_sink_fn *sink,
	    void *arg)
{
	_recipe_ struct recipe r = { 0 };
	struct err *err = recipe_init(&r, p->db, o);

	for (uint32_t i = 0; !err && i < recipe_blocks(&r); i++) {
		err = recipe_hold(&r, i);
		if (!err)
			err = pieces_send(p->db, &r.block, sink, arg);
	}
	return err;
}

struct err *
store_get(struct store *s, const struct store_ref *ref, store_sink_fn *sink,
	  void *arg)
{
	_arena_ struct arena *a = arena_new(0);
	struct record o = { .n_pieces = 0 };
	struct project *p;
	struct err *err = a ? store_project(s, ref->project, false, &p) :
			  err_nomem();

	if (!err)
		err = object_read(p, ref, a, &o);
	if (err)
		return err;
	return object_blame(p, &o.object, object_send(p, &o, sink, arg));
}

/* ---- a source ---- */
struct fetch {
	struct store *store;
	struct arena *arena;
	struct record record;
	struct recipe recipe;
	uint8_t hash[SHA256_SIZE];      /* of the piece in @bytes */
	bool held;
	uint8_t bytes[PIECE_MAX];
};

static void
fetch_done(void *arg)
{
	struct fetch *f = arg;

	recipe_fini(&f->recipe);
	arena_free(f->arena);
	free(f);
}

/** The piece that has @off, and where in the file it begins. */
static const struct piece *
piece_at(const struct block *b, uint64_t off, uint64_t *start)
{
	uint32_t i = 0;

	for (*start = b->start; off - *start >= b->piece[i].length; i++)
		*start += b->piece[i].length;
	return &b->piece[i];
}

/** Small reads in a row stay in one piece: it is kept. */
static struct err *
piece_hold(struct fetch *f, const struct piece *p)
{
	if (f->held && memcmp(f->hash, p->hash, SHA256_SIZE) == 0)
		return NULL;
	f->held = false;
	struct err *err = piece_read(f->recipe.db, p, f->bytes);
	if (err)
		return err;
	memcpy(f->hash, p->hash, SHA256_SIZE);
	f->held = true;
	return NULL;
}

static struct err *
fetch_some(struct fetch *f, uint64_t off, size_t n, void *out, size_t *got)
{
	uint64_t start = 0;
	struct err *err = recipe_seek(&f->recipe, off);

	if (err)
		return err;
	const struct piece *p = piece_at(&f->recipe.block, off, &start);
	size_t left = p->length - (off - start);
	*got = left < n ? left : n;
	if (*got == p->length)
		return piece_read(f->recipe.db, p, out);
	err = piece_hold(f, p);
	if (!err)
		memcpy(out, f->bytes + (off - start), *got);
	return err;
}

static struct err *
fetch_run(void *arg, uint64_t off, size_t n, void *out)
{
	struct fetch *f = arg;
	const struct store_object *o = &f->record.object;
	struct project *p;
	struct err *err = store_project(f->store, o->ref.project, false, &p);
	size_t got;

	if (err)
		return err;
	/* It may have been closed and opened between two reads. */
	f->recipe.db = p->db;
	for (size_t done = 0; done < n && !err; done += got) {
		got = 0;
		err = fetch_some(f, off + done, n - done,
				 (uint8_t *)out + done, &got);
	}
	return object_blame(p, o, err);
}

static struct err *
fetch_open(struct fetch *f, const struct store_ref *ref)
{
	struct project *p;
	struct err *err;

	f->arena = arena_new(0);
	err = f->arena ? store_project(f->store, ref->project, false, &p) :
	      err_nomem();
	if (!err)
		err = object_read(p, ref, f->arena, &f->record);
	return err ? err : recipe_init(&f->recipe, p->db, &f->record);
}

struct err *
store_source(struct store *s, const struct store_ref *ref,
	     struct source **out)
{
	struct fetch *f = calloc(1, sizeof(*f));
	char name[STORE_NAME_MAX + 32], digits[STORE_DIGITS + 1];

	if (!f)
		return err_nomem();
	f->store = s;
	struct err *err = fetch_open(f, ref);
	if (err) {
		fetch_done(f);
		return err;
	}
	digits_of(f->record.object.hash, digits);
	snprintf(name, sizeof(name), "%s/%llx %s", ref->project,
		 (unsigned long long)ref->number, digits);
	return source_fetch(fetch_run, fetch_done, f, f->record.object.size,
			    name, out);
}
