/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a variablesReference means: a table of bounded size. Two generations of
 * it stand in an arena each. What is asked for moves into the younger one; once
 * that is full, the older one goes as a whole, and with it what nobody asked
 * for since. Ids are counted and never given twice, so that a stale one is
 * refused and never another object. Those of scopes are computed from the
 * frame's: they are in no table and never stale.
 */
#include "dap/refs.h"

#include <stdlib.h>
#include <string.h>

#define IDS_MAX (INT32_C(1) << 30)      /* above are those of scopes */
#define SCOPE_STEP 8
#define KEPT_MAX 16384u         /* of a generation, and what one request adds */
#define KEPT_BYTES_MAX ((size_t)8 << 20)
#define SLOTS_FIRST 1024u

struct generation {
	struct arena *arena;
	struct ref *refs;
	uint32_t *by_id, *by_key;       /* hashed: index + 1; 0 = free */
	size_t n, n_slots;              /* @refs has half of @n_slots */
};
struct refs {
	struct generation young, old;
};

/* ---- one generation ---------------------------------------------------------- */
static size_t
hash_of(uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ b * 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;

	return (size_t)(h ^ h >> 29);
}

static size_t
key_hash(const struct ref *r)
{
	return hash_of(r->nth + r->kind, (uint64_t)(int64_t)r->parent);
}

static void
generation_insert(struct generation *g, size_t k)
{
	size_t mask = g->n_slots - 1, at;

	for (at = hash_of((uint64_t)g->refs[k].id, 0) & mask; g->by_id[at];)
		at = (at + 1) & mask;
	g->by_id[at] = (uint32_t)k + 1;
	for (at = key_hash(&g->refs[k]) & mask; g->by_key[at];)
		at = (at + 1) & mask;
	g->by_key[at] = (uint32_t)k + 1;
}

/* What is there stays in the arena, which goes as a whole. */
static bool
generation_grow(struct generation *g)
{
	size_t n = g->n_slots ? 2 * g->n_slots : SLOTS_FIRST;
	struct ref *refs;

	if (!g->arena)
		g->arena = arena_new(0);
	if (!g->arena)
		return false;
	refs = arena_array(g->arena, n / 2, sizeof(*refs));
	g->by_id = arena_array(g->arena, n, sizeof(*g->by_id));
	g->by_key = arena_array(g->arena, n, sizeof(*g->by_key));
	if (!refs || !g->by_id || !g->by_key) {
		g->n_slots = g->n = 0;
		return false;
	}
	if (g->n)
		memcpy(refs, g->refs, g->n * sizeof(*refs));
	g->refs = refs;
	g->n_slots = n;
	for (size_t k = 0; k < g->n; k++)
		generation_insert(g, k);
	return true;
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* A made-up parent's children are known by what was typed. */
static bool
same_key(const struct ref *a, const struct ref *b)
{
	return a->nth == b->nth && a->parent == b->parent && a->kind == b->kind
	       && (a->parent > 0 || same_text(a->expr, b->expr));
}

static bool
same_object(const struct ref *a, const struct ref *b)
{
	if (a->raw != b->raw || a->format != b->format
	    || a->is_outer != b->is_outer || a->is_base != b->is_base
	    || !same_text(a->expr, b->expr))
		return false;
	return a->value == b->value
	       || (a->value && b->value && value_is_same(a->value, b->value));
}

static const struct ref *
generation_by_id(const struct generation *g, int32_t id)
{
	size_t mask = g->n_slots - 1;

	if (!g->n)
		return NULL;
	for (size_t at = hash_of((uint64_t)id, 0) & mask; g->by_id[at];
	     at = (at + 1) & mask)
		if (g->refs[g->by_id[at] - 1].id == id)
			return &g->refs[g->by_id[at] - 1];
	return NULL;
}

static const struct ref *
generation_same(const struct generation *g, const struct ref *like)
{
	size_t mask = g->n_slots - 1;

	if (!g->n)
		return NULL;
	for (size_t at = key_hash(like) & mask; g->by_key[at];
	     at = (at + 1) & mask) {
		const struct ref *r = &g->refs[g->by_key[at] - 1];

		if (same_key(r, like) && same_object(r, like))
			return r;
	}
	return NULL;
}

/* Copies what @like points to. */
static struct err *
generation_add(struct generation *g, const struct ref *like)
{
	struct ref copy = *like;
	struct err *err = NULL;

	if (g->n == g->n_slots / 2 && !generation_grow(g))
		return err_nomem();
	if (like->value)
		err = value_keep(like->value, g->arena, &copy.value);
	if (like->expr && !err) {
		copy.expr = arena_strdup(g->arena, like->expr);
		err = copy.expr ? NULL : err_nomem();
	}
	if (err)
		return err;
	g->refs[g->n] = copy;
	generation_insert(g, g->n++);
	return NULL;
}

/* ---- both of them ------------------------------------------------------------- */
static struct refs *
refs_of(struct dap *d)
{
	if (!d->refs)
		d->refs = calloc(1, sizeof(*d->refs));
	return d->refs;
}

void
refs_free(struct refs *r)
{
	if (!r)
		return;
	arena_free(r->young.arena);
	arena_free(r->old.arena);
	free(r);
}

void
refs_turn(struct dap *d)
{
	struct refs *r = d->refs;

	if (!r || !r->young.arena
	    || (r->young.n < KEPT_MAX
		&& arena_used(r->young.arena) < KEPT_BYTES_MAX))
		return;
	arena_free(r->old.arena);
	r->old = r->young;
	r->young = (struct generation){ 0 };
}

struct err *
refs_add(struct dap *d, const struct ref *like, int32_t *id)
{
	struct refs *r = refs_of(d);
	struct ref copy = *like;

	*id = 0;
	if (!r)
		return err_nomem();
	const struct ref *same = generation_same(&r->young, like);
	if (same) {
		*id = same->id;
		return NULL;
	}
	same = generation_same(&r->old, like);
	if (!same && d->last_ref == IDS_MAX - 1)
		return NULL;
	copy.id = same ? same->id : d->last_ref + 1;
	struct err *err = generation_add(&r->young, &copy);
	if (err)
		return err;
	if (!same)
		d->last_ref++;
	*id = copy.id;
	return NULL;
}

/* ---- scopes ----------------------------------------------------------------------- */
int32_t
refs_scope_id(const struct dap *d, struct place at, enum scope_kind kind)
{
	int32_t frame = (int32_t)stack_frame_id(d, at);

	return IDS_MAX + frame * SCOPE_STEP + (int32_t)kind;
}

static struct err *
refs_find_scope(struct dap *d, int64_t id, struct ref *out)
{
	int64_t n = id - IDS_MAX;
	struct ref r = { .id = (int32_t)id, .kind = REF_SCOPE,
			 .nth = (uint64_t)(n % SCOPE_STEP),
			 .has_place = true };

	if (r.nth >= SCOPES)
		return err_new(ERR_NOTFOUND, "no reference to variables has "
			       "the number %lld", (long long)id);
	struct err *err = stack_place(d, n / SCOPE_STEP, &r.at);
	if (!err)
		*out = r;
	return err;
}

/* What is in use becomes young again. */
struct err *
refs_find(struct dap *d, int64_t id, struct ref *out)
{
	struct refs *r = refs_of(d);

	if (!r)
		return err_nomem();
	if (id >= IDS_MAX && id <= INT32_MAX)
		return refs_find_scope(d, id, out);
	if (id < 1 || id > d->last_ref)
		return err_new(ERR_NOTFOUND, "no reference to variables has "
			       "the number %lld; they end with each stop",
			       (long long)id);
	const struct ref *found = generation_by_id(&r->young, (int32_t)id);
	if (found) {
		*out = *found;
		return NULL;
	}
	found = generation_by_id(&r->old, (int32_t)id);
	if (!found)
		return err_new(ERR_NOTFOUND, "what the reference %lld meant "
			       "was let go of; open it from its frame again",
			       (long long)id);
	struct err *err = generation_add(&r->young, found);
	if (err)
		return err;
	*out = *found;
	return NULL;
}
