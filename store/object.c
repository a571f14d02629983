/* SPDX-License-Identifier: Apache-2.0 */
/* Objects: their records read, listed, tagged and removed. */
#include <stdlib.h>
#include <string.h>

#include "store/impl.h"

/* ---- what may be kept ---- */
struct err *
attrs_check(const struct snap_attr *attrs, size_t n)
{
	if (n > STORE_ATTRS_MAX)
		return err_new(ERR_LIMIT, "%zu attributes are more than %d", n,
			       STORE_ATTRS_MAX);
	for (size_t i = 0; i < n; i++)
		if (!attrs[i].key || (attrs[i].type == SNAP_ATTR_STRING &&
				      !attrs[i].string))
			return err_new(ERR_USAGE, "attribute %zu has no %s", i,
				       attrs[i].key ? "value" : "key");
	return NULL;
}

static int
tag_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct err *
tag_check(const char *tag)
{
	return store_name_ok(tag) ? NULL :
	       err_new(ERR_USAGE, "\"%.*s\" is no tag: at most %d letters, "
		       "digits, '.', '_' and '-', not beginning with '.' or "
		       "'-'", 2 * STORE_NAME_MAX, tag, STORE_NAME_MAX);
}

struct err *
tags_sort(const char *const *tags, size_t n, struct arena *a,
	  const char *const **out, size_t *n_out)
{
	const char **sorted = arena_array(a, n, sizeof(*sorted));
	size_t kept = 0;

	if (!sorted)
		return err_nomem();
	for (size_t i = 0; i < n; i++) {
		struct err *err = tag_check(tags[i]);

		if (err)
			return err;
		sorted[i] = tags[i];
	}
	if (n)
		qsort(sorted, n, sizeof(*sorted), tag_order);
	for (size_t i = 0; i < n; i++)
		if (!kept || strcmp(sorted[kept - 1], sorted[i]) != 0)
			sorted[kept++] = sorted[i];
	if (kept > STORE_TAGS_MAX)
		return err_new(ERR_LIMIT, "%zu tags are more than %d", kept,
			       STORE_TAGS_MAX);
	*out = sorted;
	*n_out = kept;
	return NULL;
}

/* ---- records ---- */
struct err *
object_near(struct txn *t, uint64_t number, enum seek how, uint64_t *out)
{
	struct key key = key_number(number);
	struct entry e;
	struct err *err = txn_seek(t, TABLE_OBJECTS, key_span(&key), how, &e);

	*out = e.key.data ? key_get_number(e.key) : 0;
	/* Whoever loads the object will hear of it. */
	if (*out && err_kind(err) == ERR_DAMAGED) {
		err_free(err);
		return NULL;
	}
	return err;
}

static struct err *
object_missing(struct txn *t, const struct store_ref *ref)
{
	uint64_t near[2] = { 0 };
	_buf_ struct buf text = { 0 };
	struct err *err = object_near(t, ref->number, SEEK_BELOW, &near[0]);

	if (!err)
		err = object_near(t, ref->number, SEEK_AT_LEAST, &near[1]);
	if (err)
		return err;
	for (size_t i = 0; i < countof(near); i++)
		if (near[i])
			buf_printf(&text, "%s%s/%llx", text.len ? ", " : "",
				   ref->project,
				   (unsigned long long)near[i]);
	return err_new(ERR_NOTFOUND, "there is no object %s/%llx; nearest: %s",
		       ref->project, (unsigned long long)ref->number,
		       text.data ? text.data : "none");
}

struct err *
object_load(struct txn *t, const struct store_ref *ref, struct arena *a,
	    struct record *out)
{
	struct key key = key_number(ref->number);
	struct span value;
	struct err *err = txn_get(t, TABLE_OBJECTS, key_span(&key), &value);

	if (!err && !value.data)
		return object_missing(t, ref);
	if (!err)
		err = record_get(value, a, out);
	if (err)
		return err_wrap(err, "object %s/%llx", ref->project,
				(unsigned long long)ref->number);
	out->object.ref = *ref;
	return NULL;
}

struct err *
object_save(struct txn *t, const struct record *r)
{
	struct key key = key_number(r->object.ref.number);
	_buf_ struct buf value = { .max = 1 << 20 };

	record_put(r, &value);
	struct err *err = buf_err(&value);
	return err ? err : txn_put(t, TABLE_OBJECTS, key_span(&key),
				   (struct span){ value.data, value.len });
}

/* ---- one object ---- */
struct look {
	struct store_ref ref;
	struct arena *arena;
	struct record record;
};

static struct err *
look_run(struct txn *t, void *arg)
{
	struct look *l = arg;

	return object_load(t, &l->ref, l->arena, &l->record);
}

struct err *
object_read(struct project *p, const struct store_ref *ref, struct arena *a,
	    struct record *out)
{
	struct look l = { .ref = *ref, .arena = a };
	struct err *err = db_read(p->db, look_run, &l);

	if (!err)
		*out = l.record;
	return err;
}

struct err *
store_object(struct store *s, const struct store_ref *ref, struct arena *a,
	     struct store_object *out)
{
	struct record record = { .n_pieces = 0 };
	struct project *p;
	struct err *err = store_project(s, ref->project, false, &p);

	if (!err)
		err = object_read(p, ref, a, &record);
	if (!err)
		*out = record.object;
	return err;
}

struct err *
object_blame(struct project *p, const struct store_object *o, struct err *err)
{
	_arena_ struct arena *a = arena_new(0);
	_err_ struct err *gone = NULL;
	struct record record = { .n_pieces = 0 };

	if (!err)
		return NULL;
	if (a && err_kind(err) == ERR_DAMAGED)
		gone = object_read(p, &o->ref, a, &record);
	if (err_kind(gone) != ERR_NOTFOUND)
		return store_wrap(err, o);
	err_free(err);
	return store_wrap(err_new(ERR_NOTFOUND, "it was removed meanwhile"),
			  o);
}

/* ---- listing ---- */
struct newest {
	struct project *project;
	uint64_t below;
	struct arena *arena;
	struct store_ref ref;
	struct record record;
	bool found;
};

static struct err *
newest_run(struct txn *t, void *arg)
{
	struct newest *n = arg;
	uint64_t number = 0;
	struct err *err = object_near(t, n->below, SEEK_BELOW, &number);

	if (err || !number)
		return err;
	n->ref = ref_of(n->project->name, number);
	n->found = true;
	return object_load(t, &n->ref, n->arena, &n->record);
}

struct err *
object_newest(struct project *p, uint64_t below, struct arena *a,
	      struct store_object *out, bool *found)
{
	struct newest n = { .project = p, .below = below, .arena = a };
	struct err *err = db_read(p->db, newest_run, &n);

	*found = n.found;
	*out = n.record.object;
	out->ref = n.ref;
	return err;
}

/** A project that is being listed, and the object whose turn comes. */
struct head {
	char project[STORE_NAME_MAX + 1];
	struct arena *arena;
	struct store_object object;
	bool found;
};
struct list {
	struct store *store;
	struct arena *arena;
	struct vec heads;
	struct err *bad;        /* of the first record that cannot be read */
};

/** Go to the newest object below; one that is damaged is passed over. */
static struct err *
head_move(struct list *l, struct head *h, uint64_t below)
{
	struct project *p;
	struct err *err;

	do {
		arena_free(h->arena);
		h->arena = arena_new(0);
		if (!h->arena)
			return err_nomem();
		err = store_project(l->store, h->project, false, &p);
		if (err)
			return err;
		err = object_newest(p, below, h->arena, &h->object,
				    &h->found);
		below = h->object.ref.number;
		if (!err || !h->found || err_kind(err) != ERR_DAMAGED)
			return err;
		if (l->bad)
			err_free(err);
		else
			l->bad = err;
	} while (below);
	return NULL;
}

static struct err *
head_add(void *arg, const char *project)
{
	struct list *l = arg;
	struct head *h = vec_add(&l->heads, l->arena, sizeof(*h));
	struct err *err = h ? project_name_check(project) : err_nomem();

	if (err)
		return err;
	name_copy(project, h->project);
	return head_move(l, h, UINT64_MAX);
}

static struct head *
head_pick(const struct list *l)
{
	struct head *h = l->heads.data, *best = NULL;

	for (size_t i = 0; i < l->heads.n; i++)
		if (h[i].found && (!best || h[i].object.stored_ns >
						    best->object.stored_ns))
			best = &h[i];
	return best;
}

static struct err *
list_run(struct list *l, const char *project, store_each_fn *each, void *arg)
{
	struct err *err = store_each_project(l->store, project, head_add, l);
	struct head *h;

	while (!err && (h = head_pick(l))) {
		if (!each(arg, &h->object))
			break;
		err = head_move(l, h, h->object.ref.number);
	}
	return err;
}

struct err *
store_list(struct store *s, const char *project, store_each_fn *each,
	   void *arg)
{
	_arena_ struct arena *a = arena_new(0);
	struct list l = { .store = s, .arena = a };
	struct err *err = a ? list_run(&l, project, each, arg) : err_nomem();
	struct head *h = l.heads.data;

	for (size_t i = 0; i < l.heads.n; i++)
		arena_free(h[i].arena);
	if (!err)
		return l.bad;
	err_free(l.bad);
	return err;
}

/* ---- tags ---- */
struct tagging {
	struct store_ref ref;
	struct arena *arena;
	const char *const *add, *const *remove;
	size_t n_add, n_remove;
};

static bool
is_among(const char *tag, const char *const *tags, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(tags[i], tag) == 0)
			return true;
	return false;
}

static struct err *
tag_run(struct txn *t, void *arg)
{
	struct tagging *g = arg;
	struct record r = { .n_pieces = 0 };
	struct err *err = object_load(t, &g->ref, g->arena, &r);
	struct store_object *o = &r.object;
	const char **all;
	size_t n = 0;

	if (err)
		return err;
	all = arena_array(g->arena, o->n_tags + g->n_add, sizeof(*all));
	if (!all)
		return err_nomem();
	for (size_t i = 0; i < o->n_tags; i++)
		if (!is_among(o->tags[i], g->remove, g->n_remove))
			all[n++] = o->tags[i];
	for (size_t i = 0; i < g->n_add; i++)
		all[n++] = g->add[i];
	err = tags_sort(all, n, g->arena, &o->tags, &o->n_tags);
	return err ? err : object_save(t, &r);
}

struct err *
store_tag(struct store *s, const struct store_ref *ref,
	  const char *const *add, size_t n_add, const char *const *remove,
	  size_t n_remove)
{
	_arena_ struct arena *a = arena_new(0);
	struct tagging g = { *ref, a, add, remove, n_add, n_remove };
	struct project *p;
	struct err *err = a ? store_project(s, ref->project, false, &p) :
			  err_nomem();

	return err ? err : db_write(p->db, tag_run, &g);
}

/* ---- removal ---- */
struct removal {
	struct project *project;
	struct store_ref ref;
	struct arena *arena;
	uint64_t partition_size;
};

static struct err *
piece_release(void *arg, const struct piece *p)
{
	return ledger_release(arg, p);
}

static struct err *
recipe_drop(struct txn *t, const struct record *r)
{
	struct err *err = NULL;
	uint64_t blocks = (r->n_pieces + BLOCK_PIECES - 1) / BLOCK_PIECES;

	for (uint32_t at = 0; at < blocks && !err; at++) {
		struct key key = key_block(r->object.ref.number, at);

		err = txn_del(t, TABLE_RECIPES, key_span(&key));
	}
	return err;
}

static struct err *
object_drop(struct txn *t, const struct record *r)
{
	struct key key = key_number(r->object.ref.number);
	struct err *err = recipe_drop(t, r);

	if (!err)
		err = symbols_drop(t, &r->object);
	if (!err)
		err = txn_del(t, TABLE_HASHES,
			      (struct span){ r->object.hash, SHA256_SIZE });
	return err ? err : txn_del(t, TABLE_OBJECTS, key_span(&key));
}

static struct err *
rm_run(struct txn *t, void *arg)
{
	struct removal *m = arg;
	_ledger_ struct ledger l = { 0 };
	struct record r = { .n_pieces = 0 };
	struct err *err = object_load(t, &m->ref, m->arena, &r);

	if (!err)
		err = ledger_begin(&l, t, m->project->db->parts,
				   m->partition_size);
	if (!err)
		err = recipe_each(t, m->ref.number, r.n_pieces, piece_release,
				  &l);
	if (!err)
		err = sidecar_drop_all(&l, m->ref.number);
	if (!err)
		err = object_drop(t, &r);
	return err ? err : ledger_end(&l);
}

struct err *
store_rm(struct store *s, const struct store_ref *ref)
{
	_arena_ struct arena *a = arena_new(0);
	struct removal m = { .ref = *ref, .arena = a,
			     .partition_size = s->partition_size };
	struct err *err = a ? store_project(s, ref->project, false,
					    &m.project) : err_nomem();

	return err ? err : ledger_change(m.project->db, rm_run, &m);
}
