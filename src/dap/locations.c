/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a locationReference means: a place in a source. The same place has the
 * same reference, so that a client that asks again and again gets no more of
 * them than there are places.
 */
#include "dap/impl.h"

#include <string.h>

#define PLACES_MAX 65536u       /* behind them none is handed out */
#define IDS_MAX (INT32_C(1) << 30)
#define SLOTS (2 * PLACES_MAX)  /* a power of two */

/** All in the arena of what is shown. A reference is the number of a place + 1,
 * behind those of snapshots before. */
struct locations {
	struct vec places;      /* of struct source_place */
	uint32_t *slots;        /* hashed: number + 1; 0 = free */
};

static struct locations *
locations_of(struct dap *d)
{
	struct locations *l = d->locations;
	struct arena *a = l ? NULL : session_lasting(d);

	if (l || !a)
		return l;
	l = arena_alloc(a, sizeof(*l));
	if (!l)
		return NULL;
	l->places.max = PLACES_MAX;
	l->slots = arena_array(a, SLOTS, sizeof(*l->slots));
	d->locations = l->slots ? l : NULL;
	return d->locations;
}

void
locations_forget(struct dap *d)
{
	if (d->locations)
		d->locations_before += (int64_t)d->locations->places.n;
	if (d->locations_before > IDS_MAX)
		d->locations_before = 0;
	d->locations = NULL;
}

static size_t
hash_place(const struct source_place *p)
{
	uint64_t h = (uint64_t)p->line << 32 | p->column;

	h ^= p->module * 0x9e3779b97f4a7c15;
	for (const char *c = p->file; *c; c++)
		h = (h ^ (uint8_t)*c) * 0x100000001b3;
	return (size_t)(h ^ h >> 32);
}

static bool
same_place(const struct source_place *a, const struct source_place *b)
{
	return a->module == b->module && a->line == b->line
	       && a->column == b->column && strcmp(a->file, b->file) == 0;
}

/* Its slot, or the free one where it would be. */
static uint32_t *
find_slot(const struct locations *l, const struct source_place *p)
{
	const struct source_place *all = l->places.data;
	size_t at = hash_place(p) % SLOTS;

	while (l->slots[at] && !same_place(&all[l->slots[at] - 1], p))
		at = (at + 1) % SLOTS;
	return &l->slots[at];
}

int32_t
locations_add(struct dap *d, const struct source_place *place)
{
	struct locations *l = place->file && *place->file && place->line
			      ? locations_of(d) : NULL;
	uint32_t *slot = l ? find_slot(l, place) : NULL;

	if (!slot || *slot)
		return slot ? (int32_t)(d->locations_before + *slot) : 0;
	const char *copy = l->places.n < PLACES_MAX
			   ? arena_strdup(d->lasting, place->file) : NULL;
	struct source_place *p = copy ? vec_add(&l->places, d->lasting,
						sizeof(*p)) : NULL;
	if (!p)
		return 0;
	*p = *place;
	p->file = copy;
	*slot = (uint32_t)l->places.n;
	return (int32_t)(d->locations_before + *slot);
}

struct err *
locations_answer(struct dap *d, const struct json *arguments,
		 struct json **body)
{
	static const struct arg_bounds ids = { 0, INT64_MAX, 0 };
	int64_t id;

	struct err *err = arg_number(arguments, "locationReference", &ids, &id);
	if (err)
		return err;
	int64_t nth = id - d->locations_before - 1;
	if (!d->locations || nth < 0
	    || (uint64_t)nth >= d->locations->places.n)
		return err_new(ERR_NOTFOUND, "no location has the reference "
			       "%lld, or not any more", (long long)id);
	const struct source_place *p =
		&((const struct source_place *)d->locations->places.data)[nth];
	*body = json_object();
	json_set(*body, "source", sources_source(d, p->module, p->file));
	json_set(*body, "line", json_i64(sources_line(d, p->line)));
	if (p->column)
		json_set(*body, "column",
			 json_i64(sources_column(d, p)));
	return NULL;
}
