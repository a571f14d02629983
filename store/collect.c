/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving disk space back: partitions that hold nothing any more are unlinked,
 * those that lost enough are copied forward first, a few megabytes in each
 * transaction. Whatever moment it ends at, the next run goes on.
 *
 * Who reads a piece that moves has the old file open, or looks up again.
 */
#include <stdlib.h>
#include <string.h>

#include "store/impl.h"

/*
 * A partition is rewritten when more than 1/64 of it is dead: so at least
 * 95 % of what was removed comes back as soon as 30 % are removed.
 */
#define DEAD_SHIFT 6u
#define DEAD_LEAST (64u << 10)  /* padding comes back each time */
#define BATCH_MOVED (4u << 20)  /* bytes copied in one transaction */
#define BATCH_WALKED (32u << 20)        /* bytes looked at in one */

struct victim {
	uint32_t number;
	struct partition is;
};
struct collect {
	struct project *project;
	uint64_t partition_size;
	store_progress_fn *progress;
	void *progress_arg;
	uint64_t done, total;   /* bytes of partitions to be rewritten */
	struct arena *arena;
	struct vec empty;       /* of uint32_t: to be unlinked */
	struct vec victims;     /* of struct victim */
	uint64_t used, given;   /* bytes of partitions that stay, that go */
	uint64_t moved;
	bool seal;              /* the open partition, if it lost enough */
	uint32_t open;          /* partition that is written */
	/* The one that is rewritten: from where, and where a batch ended. */
	uint32_t number;
	uint64_t at, next, added;
	bool over;
};

static bool
is_worth_it(const struct partition *p)
{
	return p->dead == p->end ||
	       (p->dead >= DEAD_LEAST && p->dead >= p->end >> DEAD_SHIFT);
}

/* ---- what there is to do ---- */
static struct err *
plan_one(void *arg, struct span key, struct span value)
{
	struct collect *c = arg;
	struct partition p;
	struct rd r = { .base = key.data, .len = key.n, .big = true };
	uint32_t number = rd_u32(&r), *empty;
	struct victim *v;
	struct err *err = partition_get(value, &p);

	if (err)
		return err;
	if (number != c->open && p.dead == p.end) {
		empty = vec_add(&c->empty, c->arena, sizeof(*empty));
		if (empty)
			*empty = number;
		c->given += p.end;
		return empty ? NULL : err_nomem();
	}
	c->used += p.end;
	if (number == c->open || !is_worth_it(&p))
		return NULL;
	v = vec_add(&c->victims, c->arena, sizeof(*v));
	if (v)
		*v = (struct victim){ number, p };
	c->total += p.end;
	return v ? NULL : err_nomem();
}

static struct err *
empty_forget(struct collect *c, struct txn *t)
{
	const uint32_t *number = c->empty.data;
	struct err *err = NULL;

	for (size_t i = 0; i < c->empty.n && !err; i++) {
		struct key key = key_partition(number[i]);

		err = txn_del(t, TABLE_PARTITIONS, key_span(&key));
	}
	return err;
}

/** Runs anew if the map grew: what it gathers begins empty. */
static struct err *
plan_run(struct txn *t, void *arg)
{
	struct collect *c = arg;
	_ledger_ struct ledger l = { 0 };
	struct parts *parts = c->project->db->parts;
	struct err *err = ledger_sweep(t, parts);

	c->empty = c->victims = (struct vec){ 0 };
	c->used = c->given = c->total = 0;
	if (!err)
		err = ledger_begin(&l, t, parts, c->partition_size);
	if (!err && c->seal && is_worth_it(&l.open))
		err = ledger_seal(&l);
	if (!err)
		err = ledger_end(&l);
	c->open = l.counters.open_partition;
	if (!err)
		err = table_each(t, TABLE_PARTITIONS, plan_one, c);
	return err ? err : empty_forget(c, t);
}

/** The tables know them no more: now they can go. */
static struct err *
empty_drop(struct collect *c)
{
	struct parts *parts = c->project->db->parts;
	const uint32_t *number = c->empty.data;
	struct err *err = NULL;

	for (size_t i = 0; i < c->empty.n && !err; i++)
		err = parts->ops->drop(parts, number[i]);
	return err;
}

static struct err *
plan(struct collect *c, bool seal)
{
	c->seal = seal;
	struct err *err = ledger_change(c->project->db, plan_run, c);
	return err ? err : empty_drop(c);
}

/* ---- rewriting one ---- */
/** Does the piece with this header lie here for somebody? */
static struct err *
find_living(struct collect *c, struct txn *t, const struct piece *p,
	    struct chunk *chunk, bool *living)
{
	struct err *err = chunk_find(t, p->hash, chunk, living);

	*living = *living && chunk->partition == c->number &&
		  chunk->offset == c->next && chunk->length == p->length;
	return err;
}

/** One that is damaged stays: its partition is the place to look at. */
static struct err *
piece_move(struct collect *c, struct ledger *l, const struct piece *p)
{
	_free_ uint8_t *bytes = malloc(PIECE_MAX);
	struct chunk chunk;
	bool living = false;
	struct err *err = find_living(c, l->txn, p, &chunk, &living);

	if (err || !living)
		return err;
	if (!bytes)
		return err_nomem();
	err = piece_fetch(c->project->db, &chunk, p, bytes);
	if (err_kind(err) == ERR_DAMAGED) {
		err_free(err);
		return NULL;
	}
	if (!err)
		err = ledger_add(l, p, bytes, chunk.refs);
	return err ? err : ledger_lose(l, c->number, HEADER_SIZE + p->length);
}

/** What is no header is padding up to the next transaction's pieces. */
static struct err *
step(struct collect *c, struct ledger *l)
{
	struct parts *parts = l->parts;
	uint8_t header[HEADER_SIZE];
	struct piece p;
	struct err *err = parts->ops->read(parts, c->number, c->next,
					   sizeof(header), header);

	if (err)
		return err;
	if (!header_get(header, &p)) {
		c->next = (c->next / PART_ALIGN + 1) * PART_ALIGN;
		return NULL;
	}
	err = piece_move(c, l, &p);
	c->next += HEADER_SIZE + p.length;
	return err;
}

static struct err *
move_run(struct txn *t, void *arg)
{
	struct collect *c = arg;
	_ledger_ struct ledger l = { 0 };
	struct key key = key_partition(c->number);
	struct partition p = { 0 };
	struct span value;
	struct err *err = txn_get(t, TABLE_PARTITIONS, key_span(&key), &value);

	c->next = c->at;
	/* Another collector may have been faster. */
	c->over = !err && !value.data;
	if (err || c->over)
		return err;
	err = partition_get(value, &p);
	if (!err)
		err = ledger_begin(&l, t, c->project->db->parts,
				   c->partition_size);
	while (!err && c->next + HEADER_SIZE <= p.end &&
	       l.added < BATCH_MOVED && c->next - c->at < BATCH_WALKED)
		err = step(c, &l);
	c->over = c->next + HEADER_SIZE > p.end;
	c->added = l.added;
	return err ? err : ledger_end(&l);
}

static struct err *
rewrite(struct collect *c, const struct victim *v)
{
	struct err *err = NULL;

	c->number = v->number;
	c->at = 0;
	for (c->over = false; !c->over && !err; c->at = c->next) {
		err = ledger_change(c->project->db, move_run, c);
		if (err)
			break;
		c->moved += c->added;
		c->done += c->next - c->at;
		if (c->progress)
			c->progress(c->progress_arg, c->done < c->total ?
				    c->done : c->total, c->total);
	}
	return err;
}

/* ---- a project ---- */
/** Of what was rewritten nothing may be left. */
static struct err *
check_left(const struct collect *c, const struct vec *rewritten)
{
	const struct victim *was = rewritten->data, *is = c->victims.data;

	for (size_t i = 0; i < c->victims.n; i++)
		for (size_t k = 0; k < rewritten->n; k++)
			if (is[i].number == was[k].number)
				return err_new(ERR_DAMAGED, "%s/blob/%04u.part"
					       " is kept: %llu bytes of it are"
					       " in use but damaged; run "
					       "`inquest store verify`",
					       c->project->db->ops->path(
						       c->project->db),
					       is[i].number,
					       (unsigned long long)(
						       is[i].is.end -
						       is[i].is.dead));
	return NULL;
}

static struct err *
collect_run(struct collect *c, struct store_gc *out)
{
	struct err *err = plan(c, true);
	struct vec rewritten = c->victims;
	const struct victim *v = rewritten.data;
	uint64_t before = c->used + c->given;

	for (size_t i = 0; i < rewritten.n && !err; i++)
		err = rewrite(c, &v[i]);
	if (!err)
		err = plan(c, false);
	if (!err)
		err = check_left(c, &rewritten);
	if (err)
		return err;
	out->freed += before > c->used ? before - c->used : 0;
	out->moved += c->moved;
	return NULL;
}

struct request {
	struct store *store;
	store_progress_fn *progress;
	void *progress_arg;
	struct store_gc gc;
};

static struct err *
collect_project(void *arg, const char *name)
{
	struct request *r = arg;
	_arena_ struct arena *a = arena_new(0);
	struct collect c = {
		.partition_size = r->store->partition_size,
		.progress = r->progress, .progress_arg = r->progress_arg,
		.arena = a,
	};
	struct err *err = a ? store_project(r->store, name, false,
					    &c.project) : err_nomem();

	return err ? err : collect_run(&c, &r->gc);
}

struct err *
store_collect(struct store *s, const char *project,
	      store_progress_fn *progress, void *progress_arg,
	      struct store_gc *out)
{
	struct request r = { .store = s, .progress = progress,
			     .progress_arg = progress_arg };
	struct err *err = store_each_project(s, project, collect_project, &r);

	if (!err)
		*out = r.gc;
	return err;
}
