/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A project from one end to the other. The tables are read in one transaction,
 * so that the work of others is not taken for damage; bytes outside of it.
 */
#include <string.h>

#include "store/verify.h"

/* ---- saying ---- */
void
scan_say(struct scan *s, struct err *err)
{
	if (err)
		s->verify->fault(s->verify, err_text(err));
	err_free(err);
}

struct err *
scan_said(struct scan *s, struct err *err)
{
	if (err_kind(err) != ERR_DAMAGED && err_kind(err) != ERR_NOTFOUND)
		return err;
	if (err_kind(err) == ERR_DAMAGED)
		scan_say(s, err);
	else
		err_free(err);
	return NULL;
}

const char *
scan_path(const struct scan *s)
{
	return s->project->db->ops->path(s->project->db);
}

void
scan_reads(struct scan *s, const char *file)
{
	_buf_ struct buf path = { 0 };

	buf_printf(&path, "%s/%s", scan_path(s), file);
	if (!path.failed)
		s->verify->reads(s->verify, path.data);
}

/* ---- walking ---- */
struct err *
scan_each(struct scan *s, enum table table, bool say, row_fn *each)
{
	struct key key = { .n = 1 };
	struct err *err = NULL;

	while (!err) {
		struct entry e;
		struct err *bad = txn_seek(s->txn, table, key_span(&key),
					   SEEK_AT_LEAST, &e);

		if (!e.key.data)
			return scan_said(s, bad);
		err = key_copy(e.key, &key);
		if (!err && !bad)
			err = each(s, key_span(&key), e.value);
		if (say)
			scan_say(s, bad);
		else
			err_free(bad);
		err = scan_said(s, err);
		key_step(&key);
	}
	return err;
}

struct err *
scan_objects(struct scan *s, number_fn *each)
{
	uint64_t number = UINT64_MAX;
	struct err *err = NULL;

	while (!err) {
		err = object_near(s->txn, number, SEEK_BELOW, &number);
		if (err || !number)
			return scan_said(s, err);
		err = scan_said(s, each(s, number));
	}
	return err;
}

/* ---- the whole ---- */
static struct err *
tables_run(struct txn *t, void *arg)
{
	struct scan *s = arg;

	s->txn = t;
	struct err *err = verify_tables(s);
	return err ? err : verify_counts(s);
}

struct err *
verify_project(struct verify *v, struct store *store, const char *name)
{
	_arena_ struct arena *a = arena_new(0);
	struct scan s = { .verify = v, .arena = a };
	_buf_ struct buf meta = { 0 };
	struct err *err = a ? NULL : err_nomem();

	/* Before it is opened: that may be the end already. */
	buf_printf(&meta, "project %s: meta.mdb", name);
	if (!meta.failed)
		v->reads(v, meta.data);
	if (!err)
		err = store_project(store, name, false, &s.project);
	if (err)
		return err;
	scan_reads(&s, "meta.mdb");
	err = db_read(s.project->db, tables_run, &s);
	s.txn = NULL;
	return err ? err : verify_bytes(&s);
}
