/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend in memory: for tests, and the model that the one on disk is
 * held against. A table is a sorted array; a write keeps what it changed, to
 * take it back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/backend.h"

/* ---- blobs of bytes ---- */
struct blob {
	size_t n;
	uint8_t bytes[];
};

static struct blob *
blob_new(struct span s)
{
	struct blob *b = malloc(sizeof(*b) + s.n);

	if (!b)
		return NULL;
	b->n = s.n;
	if (s.n)
		memcpy(b->bytes, s.data, s.n);
	return b;
}

static struct span
blob_span(const struct blob *b)
{
	return (struct span){ b->bytes, b->n };
}

static int
span_order(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.data, b.data, n) : 0;

	return order ? order : (a.n > b.n) - (a.n < b.n);
}

/* ---- tables ---- */
struct row {
	struct blob *key, *value;
};
struct mem_table {
	struct row *row;
	size_t n, cap;
};
/** What a row was before: @value NULL = it was not there. */
struct undo {
	enum table table;
	struct blob *key, *value;
	struct undo *next;
};

struct mem_db {
	struct db db;
	struct mem_db *next;
	char name[STORE_NAME_MAX + 1];
	struct mem_table table[TABLES];
};
struct mem_txn {
	struct txn txn;
	struct mem_db *db;
	struct undo *undo;
};
struct mem {
	struct backend backend;
	struct mem_db *first;   /* sorted by name */
};

/** The first row that is not below @key. */
static size_t
table_search(const struct mem_table *t, struct span key)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (span_order(blob_span(t->row[middle].key), key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
table_has(const struct mem_table *t, size_t i, struct span key)
{
	return i < t->n && span_order(blob_span(t->row[i].key), key) == 0;
}

/** Room for one row more at @i. */
static bool
table_open(struct mem_table *t, size_t i)
{
	if (t->n == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : 16;
		struct row *row = reallocarray(t->row, cap, sizeof(*row));

		if (!row)
			return false;
		t->row = row;
		t->cap = cap;
	}
	memmove(&t->row[i + 1], &t->row[i], (t->n - i) * sizeof(*t->row));
	t->n++;
	return true;
}

/** Takes @key and @value; NULL removes. The old value, or NULL. */
static struct blob *
table_swap(struct mem_table *t, struct blob *key, struct blob *value,
	   bool *done)
{
	size_t i = table_search(t, blob_span(key));
	bool there = table_has(t, i, blob_span(key));
	struct blob *old = there ? t->row[i].value : NULL;

	*done = true;
	if (there && value) {
		t->row[i].value = value;
	} else if (there) {
		free(t->row[i].key);
		memmove(&t->row[i], &t->row[i + 1],
			(--t->n - i) * sizeof(*t->row));
	} else if (value) {
		*done = table_open(t, i);
		if (*done)
			t->row[i] = (struct row){ take(key), value };
		else
			free(value);
	}
	free(key);
	return old;
}

/* ---- transactions ---- */
static struct mem_txn *
txn_of(struct txn *t)
{
	return (struct mem_txn *)t;
}

static struct err *
mem_get(struct txn *t, enum table table, struct span key, struct span *value)
{
	const struct mem_table *m = &txn_of(t)->db->table[table];
	size_t i = table_search(m, key);

	*value = table_has(m, i, key) ? blob_span(m->row[i].value) :
	       (struct span){ 0 };
	return NULL;
}

static struct err *
mem_seek(struct txn *t, enum table table, struct span key, enum seek how,
	 struct entry *out)
{
	const struct mem_table *m = &txn_of(t)->db->table[table];
	size_t i = table_search(m, key);

	*out = (struct entry){ 0 };
	if (how == SEEK_BELOW && i-- == 0)
		return NULL;
	if (i < m->n)
		*out = (struct entry){ blob_span(m->row[i].key),
				       blob_span(m->row[i].value) };
	return NULL;
}

/** @value NULL removes. */
static struct err *
mem_change(struct txn *t, enum table table, struct span key,
	   struct blob *value)
{
	struct mem_txn *mt = txn_of(t);
	struct undo *u = calloc(1, sizeof(*u));
	struct blob *copy = blob_new(key);
	bool done = false;

	if (u)
		u->key = blob_new(key);
	if (!u || !copy || !u->key) {
		free(u ? u->key : NULL);
		free(u);
		free(copy);
		free(value);
		return err_nomem();
	}
	u->table = table;
	u->value = table_swap(&mt->db->table[table], copy, value, &done);
	u->next = mt->undo;
	mt->undo = u;
	return done ? NULL : err_nomem();
}

static struct err *
mem_put(struct txn *t, enum table table, struct span key, struct span value)
{
	struct blob *b = blob_new(value);

	return b ? mem_change(t, table, key, b) : err_nomem();
}

static struct err *
mem_del(struct txn *t, enum table table, struct span key)
{
	return mem_change(t, table, key, NULL);
}

static struct err *
mem_reserve(struct txn *t)
{
	(void)t;
	return NULL;
}

/** Forget how it was, or with @back let it be so again. */
static void
undo_end(struct mem_txn *mt, bool back)
{
	struct undo *next;
	bool done;

	for (struct undo *u = mt->undo; u; u = next) {
		next = u->next;
		/* Room for a row that was there is there. */
		if (back)
			free(table_swap(&mt->db->table[u->table], u->key,
					u->value, &done));
		else {
			free(u->key);
			free(u->value);
		}
		free(u);
	}
	mt->undo = NULL;
}

static struct err *
mem_read(struct db *db, txn_fn *fn, void *arg)
{
	struct mem_txn mt = { { db->ops, false }, (struct mem_db *)db, NULL };

	return fn(&mt.txn, arg);
}

static struct err *
mem_write(struct db *db, txn_fn *fn, void *arg)
{
	struct mem_txn mt = { { db->ops, true }, (struct mem_db *)db, NULL };
	struct err *err = fn(&mt.txn, arg);

	undo_end(&mt, err != NULL);
	return err;
}

/* ---- partitions ---- */
struct mem_part {
	struct mem_part *next;
	uint32_t number;
	struct buf bytes;
};
struct mem_parts {
	struct parts parts;
	struct mem_part *first;
};

static struct mem_part **
part_of(struct parts *p, uint32_t number)
{
	struct mem_part **at = &((struct mem_parts *)p)->first;

	while (*at && (*at)->number != number)
		at = &(*at)->next;
	return at;
}

static struct err *
part_missing(uint32_t number)
{
	return err_new(ERR_NOTFOUND, "mem:/%04u.part: there is none", number);
}

static struct err *
mem_cut(struct parts *p, uint32_t number, uint64_t size)
{
	struct mem_part **at = part_of(p, number);

	if (!*at)
		*at = calloc(1, sizeof(**at));
	if (!*at)
		return err_nomem();
	(*at)->number = number;
	if ((*at)->bytes.len > size)
		(*at)->bytes.len = size;
	return NULL;
}

static struct err *
mem_append(struct parts *p, uint32_t number, uint64_t at, struct span bytes)
{
	struct mem_part *part = *part_of(p, number);

	if (!part || part->bytes.len != at)
		return part_missing(number);
	buf_put(&part->bytes, bytes.data, bytes.n);
	return buf_err(&part->bytes);
}

static struct err *
mem_sync(struct parts *p, uint32_t number)
{
	(void)p, (void)number;
	return NULL;
}

static struct err *
mem_fetch(struct parts *p, uint32_t number, uint64_t at, size_t n, void *out)
{
	const struct mem_part *part = *part_of(p, number);

	if (!part)
		return part_missing(number);
	if (at > part->bytes.len || n > part->bytes.len - at)
		return err_new(ERR_DAMAGED, "mem:/%04u.part is cut", number);
	memcpy(out, part->bytes.data + at, n);
	return NULL;
}

static struct err *
mem_drop(struct parts *p, uint32_t number)
{
	struct mem_part **at = part_of(p, number), *part = *at;

	if (part) {
		*at = part->next;
		buf_fini(&part->bytes);
		free(part);
	}
	return NULL;
}

static struct err *
mem_list(struct parts *p, part_fn *each, void *arg)
{
	struct mem_part *next;
	struct err *err = NULL;

	for (struct mem_part *m = ((struct mem_parts *)p)->first; m && !err;
	     m = next) {
		next = m->next;
		err = each(arg, m->number, m->bytes.len);
	}
	return err;
}

static void
mem_parts_close(struct parts *p)
{
	struct mem_parts *m = (struct mem_parts *)p;

	while (m->first)
		err_free(mem_drop(p, m->first->number));
	free(m);
}

static const struct parts_ops mem_parts_ops = {
	.close = mem_parts_close, .cut = mem_cut, .append = mem_append,
	.sync = mem_sync, .read = mem_fetch, .drop = mem_drop,
	.list = mem_list,
};

/* ---- projects ---- */
static const char *
mem_kind(const struct db *db)
{
	(void)db;
	return "memory";
}

static const char *
mem_path(const struct db *db)
{
	(void)db;
	return "mem:";
}

/** A handle of the store comes and goes; the project stays. */
static void
mem_close(struct db *db)
{
	(void)db;
}

static void
db_free(struct mem_db *d)
{
	for (enum table i = 0; i < TABLES; i++) {
		struct mem_table *t = &d->table[i];

		for (size_t k = 0; k < t->n; k++) {
			free(t->row[k].key);
			free(t->row[k].value);
		}
		free(t->row);
	}
	if (d->db.parts)
		d->db.parts->ops->close(d->db.parts);
	free(d);
}

static const struct backend_ops mem_ops;

static struct err *
db_make(const char *name, txn_fn *init, struct mem_db **out)
{
	struct mem_db *d = calloc(1, sizeof(*d));
	struct mem_parts *parts = calloc(1, sizeof(*parts));
	struct err *err = NULL;

	if (!d || !parts) {
		free(d);
		free(parts);
		return err_nomem();
	}
	parts->parts.ops = &mem_parts_ops;
	d->db = (struct db){ &mem_ops, &parts->parts };
	snprintf(d->name, sizeof(d->name), "%s", name);
	err = mem_write(&d->db, init, &d->db);
	if (err) {
		db_free(d);
		return err;
	}
	*out = d;
	return NULL;
}

static struct err *
mem_project(struct backend *b, const char *name, txn_fn *init,
	    struct db **out)
{
	struct mem_db **at = &((struct mem *)b)->first, *made;

	while (*at && strcmp((*at)->name, name) < 0)
		at = &(*at)->next;
	if (!*at || strcmp((*at)->name, name) != 0) {
		struct err *err = init ? db_make(name, init, &made) :
				  err_new(ERR_NOTFOUND, "there is no project "
					  "%s", name);
		if (err)
			return err;
		made->next = *at;
		*at = made;
	}
	*out = &(*at)->db;
	return NULL;
}

static struct err *
mem_projects(struct backend *b, store_project_fn *each, void *arg)
{
	struct err *err = NULL;

	for (struct mem_db *d = ((struct mem *)b)->first; d && !err;
	     d = d->next)
		err = each(arg, d->name);
	return err;
}

static void
mem_free(struct backend *b)
{
	struct mem *m = (struct mem *)b;
	struct mem_db *next;

	for (struct mem_db *d = m->first; d; d = next) {
		next = d->next;
		db_free(d);
	}
	free(m);
}

static const struct backend_ops mem_ops = {
	.in_memory = true, .free = mem_free,
	.projects = mem_projects, .open = mem_project, .close = mem_close,
	.kind = mem_kind, .path = mem_path,
	.read = mem_read, .write = mem_write,
	.get = mem_get, .seek = mem_seek, .put = mem_put, .del = mem_del,
	.reserve = mem_reserve,
};

struct err *
backend_mem_open(struct backend **out)
{
	struct mem *m = calloc(1, sizeof(*m));

	if (!m)
		return err_nomem();
	m->backend.ops = &mem_ops;
	*out = &m->backend;
	return NULL;
}
