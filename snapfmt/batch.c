/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is on its way into the file: chunks, gathered in batches, and sections.
 * They are packed and hashed by the threads of a pool, and taken back in the
 * order in which they came, so that the file is the same however many threads
 * there are.
 */
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "snapfmt/writer.h"

#define BATCH 4u                /* chunks a job: some 100 us of work */
#define RING (2 * (POOL_THREADS_MAX + 1))
#define LATE 4u                 /* sections at a time */

struct batch {
	struct pool_job job;
	uint32_t n, ready;      /* chunks, and those that came packed */
	bool given;             /* to the pool: something is to be packed */
	struct err *err;
	struct chunk chunk[BATCH];
	uint8_t raw[BATCH][SNAP_CHUNK];
	uint8_t frame[BATCH][CHUNK_STORED_MAX];
};
struct late {
	struct pool_job job;
	struct section section;
	struct buf payload;
	struct err *err;
	struct packed packed;
};
struct batches {
	struct pool *pool;
	int level;              /* of chunks */
	ZSTD_CCtx *zstd[POOL_THREADS_MAX + 1];
	struct batch *ring[RING];
	size_t size;            /* slots of @ring in use */
	size_t filled, taken;   /* batches given to the pool, and had back */
	struct late late[LATE];
	size_t late_given, late_taken;
};

static struct err *
batch_chunk(struct batch *b, uint32_t k, ZSTD_CCtx *zstd, int level)
{
	struct chunk *c = &b->chunk[k];
	size_t stored;

	struct err *err = pack_frame(zstd, level,
				     (struct span){ b->raw[k], c->raw },
				     b->frame[k], sizeof(b->frame[k]), &stored);
	if (!err)
		err = hash_sha256(b->frame[k], stored, c->key);
	if (err)
		return err;
	c->stored = (uint32_t)stored;
	hash_xxh128(b->frame[k], stored, c->xxh);
	return NULL;
}

static void
batch_run(void *arg, struct pool_job *job, unsigned who)
{
	struct batches *all = arg;
	struct batch *b = (struct batch *)job;

	for (uint32_t k = 0; k < b->n && !b->err; k++)
		if (!b->chunk[k].stored)
			b->err = batch_chunk(b, k, all->zstd[who], all->level);
}

static void
late_fini(struct late *l)
{
	err_free(l->err);
	free(l->packed.frame);
	buf_fini(&l->payload);
	memset(l, 0, sizeof(*l));
}

struct err *
batches_new(unsigned threads, struct batches **out)
{
	struct batches *all = calloc(1, sizeof(*all));

	if (!all)
		return err_nomem();
	all->level = PACK_LEVEL;
	struct err *err = pool_new(threads, all, &all->pool);
	if (!err)
		all->size = 2 * pool_workers(all->pool);
	for (size_t k = 0; !err && k < pool_workers(all->pool); k++) {
		all->zstd[k] = ZSTD_createCCtx();
		err = all->zstd[k] ? NULL : err_nomem();
	}
	if (err)
		batches_free(all);
	else
		*out = all;
	return err;
}

void
batches_free(struct batches *all)
{
	if (!all)
		return;
	pool_free(all->pool);
	for (size_t k = 0; k < countof(all->zstd); k++)
		ZSTD_freeCCtx(all->zstd[k]);
	for (size_t k = 0; k < RING; k++) {
		if (all->ring[k])
			err_free(all->ring[k]->err);
		free(all->ring[k]);
	}
	for (size_t k = 0; k < LATE; k++)
		late_fini(&all->late[k]);
	free(all);
}

void
batches_soon(struct batches *all)
{
	all->level = PACK_LEVEL_SOON;
}

/* The oldest one, into the file. */
static struct err *
batch_take(struct batches *all, struct snap_writer *w)
{
	struct batch *b = all->ring[all->taken++ % all->size];

	if (b->given)
		pool_take(all->pool, &b->job);
	struct err *err = take(b->err);
	for (uint32_t k = 0; k < b->n && !err; k++)
		err = writer_chunk(w, &b->chunk[k], b->frame[k]);
	b->n = b->ready = 0;
	return err;
}

static struct err *
batch_give(struct batches *all, struct batch *b, struct snap_writer *w)
{
	b->given = b->ready < b->n;
	if (b->given)
		pool_give(all->pool, batch_run, &b->job);
	all->filled++;
	/* The slot that comes next must be free. */
	return all->filled - all->taken == all->size ? batch_take(all, w)
						     : NULL;
}

/* The one that is being filled; NULL: no memory. */
static struct batch *
batch_open(struct batches *all)
{
	struct batch **slot = &all->ring[all->filled % all->size];

	if (!*slot)
		*slot = calloc(1, sizeof(**slot));
	return *slot;
}

struct err *
batches_ready(struct batches *all, struct snap_writer *w,
	      const struct chunk *c, const void *frame)
{
	struct batch *b = batch_open(all);

	if (!b)
		return err_nomem();
	memcpy(b->frame[b->n], frame, c->stored);
	b->chunk[b->n++] = *c;
	b->ready++;
	return b->n == BATCH ? batch_give(all, b, w) : NULL;
}

struct err *
batches_add(struct batches *all, struct snap_writer *w, const void *data,
	    uint32_t n)
{
	struct batch *b = batch_open(all);

	if (!b)
		return err_nomem();
	memcpy(b->raw[b->n], data, n);
	b->chunk[b->n++] = (struct chunk){ .raw = n };
	return b->n == BATCH ? batch_give(all, b, w) : NULL;
}

struct err *
batches_finish(struct batches *all, struct snap_writer *w)
{
	struct batch *b = all->ring[all->filled % all->size];
	struct err *err = b && b->n ? batch_give(all, b, w) : NULL;

	while (!err && all->taken < all->filled)
		err = batch_take(all, w);
	return err;
}

/* ---- sections ---- */
static void
late_run(void *arg, struct pool_job *job, unsigned who)
{
	const struct batches *all = arg;
	struct late *l = (struct late *)job;

	l->err = packed_make(all->zstd[who],
			     (struct span){ l->payload.data, l->payload.len },
			     &l->packed);
}

static struct err *
late_take(struct batches *all, struct snap_writer *w)
{
	struct late *l = &all->late[all->late_taken++ % LATE];

	pool_take(all->pool, &l->job);
	struct err *err = take(l->err);
	if (!err)
		err = writer_packed(w, &l->section, &l->packed);
	late_fini(l);
	return err;
}

static struct err *
late_next(struct batches *all, struct snap_writer *w, const struct section *s,
	  struct late **out)
{
	struct err *err = NULL;

	if (all->late_given - all->late_taken == LATE)
		err = late_take(all, w);
	if (err)
		return err;
	*out = &all->late[all->late_given++ % LATE];
	(*out)->section = *s;
	return NULL;
}

struct err *
batches_section(struct batches *all, struct snap_writer *w,
		const struct section *s, struct buf *payload)
{
	struct late *l;
	struct err *err = late_next(all, w, s, &l);

	if (err)
		return err;
	l->payload = *payload;
	memset(payload, 0, sizeof(*payload));
	pool_give(all->pool, late_run, &l->job);
	return NULL;
}

struct err *
batches_packed(struct batches *all, struct snap_writer *w,
	       const struct section *s, const struct packed *p)
{
	struct late *l;
	struct err *err = late_next(all, w, s, &l);

	if (!err)
		l->packed = *p;
	return err;
}

struct err *
batches_drain(struct batches *all, struct snap_writer *w)
{
	struct err *err = NULL;

	while (!err && all->late_taken < all->late_given)
		err = late_take(all, w);
	return err;
}
