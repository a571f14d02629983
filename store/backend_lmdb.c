/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend on disk: tables in DIR/projects/NAME/meta.mdb, one LMDB
 * environment a project; partitions as files (parts.c).
 *
 * Every commit is synced. LMDB checks no bytes, so each value ends in a
 * checksum of table, key and value; a file that was cut would be a SIGBUS, so
 * its size is held against the tree before anything is read. After a write
 * that failed the environment is opened anew before it is used again.
 */
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/backend.h"
#include "store/place.h"
#include "store/seal.h"

#define MAP_FIRST (1ull << 30)
#define RESIZED_MAX 100u        /* times that we follow another process */
#define MAP_GROWTHS 20u         /* doublings in one transaction */
#define READERS_MAX 2048u
/* Room that puts leave for what removes: a full disk can be emptied. */
#define RESERVE_LEAST (256u << 10)
#define RESERVE_PART 8u         /* of the file's size */

struct lmdb {
	struct backend backend;
	struct place place;
	uint64_t map_size;
};

struct lmdb_db {
	struct db db;
	char *dir, *path;       /* of the project, of its meta.mdb */
	uint64_t map_size;
	MDB_env *env;           /* NULL = to be opened before the next use */
	MDB_dbi dbi[TABLES];
	char kind[64];
};

struct lmdb_txn {
	struct txn txn;
	struct lmdb_db *db;
	MDB_txn *mdb;
	bool full;              /* it was the map that ended */
};

static const char *const table_names[TABLES] = {
	[TABLE_STATE] = "state", [TABLE_OBJECTS] = "objects",
	[TABLE_HASHES] = "hashes", [TABLE_RECIPES] = "recipes",
	[TABLE_CHUNKS] = "chunks", [TABLE_SIDECARS] = "sidecars",
	[TABLE_PARTITIONS] = "partitions",
};

static struct lmdb_db *
db_of(struct db *db)
{
	return (struct lmdb_db *)db;
}

static struct lmdb_txn *
txn_of(struct txn *t)
{
	return (struct lmdb_txn *)t;
}

/* ---- errors ---- */
static const struct {
	int code;
	enum err_kind kind;
	const char *text;
} mdb_errors[] = {
	{ MDB_INVALID, ERR_DAMAGED, "is no LMDB file, or its beginning is "
	  "damaged; run `inquest store verify`" },
	{ MDB_TXN_FULL, ERR_LIMIT, "cannot change so much at once" },
	{ MDB_READERS_FULL, ERR_LIMIT, "has as many readers at once as it "
	  "can have; try again" },
	{ MDB_MAP_FULL, ERR_LIMIT, "cannot be mapped any larger" },
};

static struct err *
mdb_err(const struct lmdb_db *d, int rc)
{
	if (rc == ENOMEM)
		return err_nomem();
	if (rc > 0)
		return place_err(rc, d->path);
	if (rc == MDB_VERSION_MISMATCH)
		return err_new(ERR_UNSUPPORTED, "%s was made by an LMDB of "
			       "another file format than this program's %s",
			       d->path, mdb_version(NULL, NULL, NULL));
	for (size_t i = 0; i < countof(mdb_errors); i++)
		if (mdb_errors[i].code == rc)
			return err_new(mdb_errors[i].kind, "%s %s", d->path,
				       mdb_errors[i].text);
	return err_new(ERR_DAMAGED, "%s is damaged (%s); run `inquest store "
		       "verify`", d->path, mdb_strerror(rc));
}

/* ---- values ---- */
static struct err *
value_open(const struct lmdb_db *d, enum table table, struct span key,
	   const MDB_val *stored, struct span *out)
{
	struct span sealed = { stored->mv_data, stored->mv_size };

	return seal_open(table, key, sealed, out) ? NULL :
	       err_new(ERR_DAMAGED, "%s: a record of the table %s does not "
		       "fit its checksum", d->path, table_names[table]);
}

static MDB_val
val_of(struct span s)
{
	return (MDB_val){ s.n, (void *)s.data };
}

static struct err *
lmdb_get(struct txn *t, enum table table, struct span key, struct span *value)
{
	struct lmdb_txn *lt = txn_of(t);
	MDB_val k = val_of(key), v;
	int rc = mdb_get(lt->mdb, lt->db->dbi[table], &k, &v);

	*value = (struct span){ 0 };
	if (rc == MDB_NOTFOUND)
		return NULL;
	return rc ? mdb_err(lt->db, rc) :
	       value_open(lt->db, table, key, &v, value);
}

static struct err *
lmdb_seek(struct txn *t, enum table table, struct span key, enum seek how,
	  struct entry *out)
{
	struct lmdb_txn *lt = txn_of(t);
	MDB_val k = val_of(key), v;
	MDB_cursor *c;
	int rc = mdb_cursor_open(lt->mdb, lt->db->dbi[table], &c);

	*out = (struct entry){ 0 };
	if (rc)
		return mdb_err(lt->db, rc);
	rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
	if (how == SEEK_BELOW)
		rc = mdb_cursor_get(c, &k, &v, rc == MDB_NOTFOUND ? MDB_LAST :
				    MDB_PREV);
	mdb_cursor_close(c);
	if (rc == MDB_NOTFOUND)
		return NULL;
	if (rc)
		return mdb_err(lt->db, rc);
	out->key = (struct span){ k.mv_data, k.mv_size };
	return value_open(lt->db, table, out->key, &v, &out->value);
}

/** What a failed change means for the transaction. */
static struct err *
change_err(struct lmdb_txn *lt, int rc)
{
	lt->full = rc == MDB_MAP_FULL;
	return rc ? mdb_err(lt->db, rc) : NULL;
}

static struct err *
lmdb_put(struct txn *t, enum table table, struct span key, struct span value)
{
	struct lmdb_txn *lt = txn_of(t);
	MDB_val k = val_of(key), v = { value.n + SEAL_SIZE, NULL };
	int rc = mdb_put(lt->mdb, lt->db->dbi[table], &k, &v, MDB_RESERVE);
	if (rc)
		return change_err(lt, rc);
	seal_put(table, key, value, v.mv_data);
	return NULL;
}

static struct err *
lmdb_del(struct txn *t, enum table table, struct span key)
{
	struct lmdb_txn *lt = txn_of(t);
	MDB_val k = val_of(key);
	int rc = mdb_del(lt->mdb, lt->db->dbi[table], &k, NULL);

	return rc == MDB_NOTFOUND ? NULL : change_err(lt, rc);
}

/* ---- size of the file ---- */
/** How long the file is, and how long its tree says it is. */
static struct err *
file_sizes(const struct lmdb_db *d, uint64_t *is, uint64_t *should)
{
	MDB_envinfo info;
	MDB_stat stat;
	struct stat st;
	mdb_filehandle_t fd;

	mdb_env_info(d->env, &info);
	mdb_env_stat(d->env, &stat);
	if (mdb_env_get_fd(d->env, &fd) || fstat(fd, &st) < 0)
		return err_errno("%s", d->path);
	*is = st.st_size;
	*should = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
	return NULL;
}

static struct err *
file_is_cut(const struct lmdb_db *d, uint64_t is, uint64_t should)
{
	return err_new(ERR_DAMAGED, "%s is cut: it has %llu bytes of %llu; "
		       "bring it back from a copy", d->path,
		       (unsigned long long)is, (unsigned long long)should);
}

static struct err *
table_walk(struct lmdb_txn *lt, MDB_cursor *c, enum table table)
{
	MDB_val k, v;
	struct span value;
	struct err *err = NULL;
	int rc;

	while (!err && !(rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)))
		err = value_open(lt->db, table,
				 (struct span){ k.mv_data, k.mv_size }, &v,
				 &value);
	return err || rc == MDB_NOTFOUND ? err : mdb_err(lt->db, rc);
}

/** LMDB's own list of free pages; it shows that to readers only. */
static struct err *
free_walk(struct lmdb_txn *lt)
{
	MDB_cursor *c;
	MDB_val k, v;
	int rc = mdb_cursor_open(lt->mdb, 0, &c);

	if (rc)
		return mdb_err(lt->db, rc);
	while (!(rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)))
		;
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND ? NULL : mdb_err(lt->db, rc);
}

/** Everything that the tree leads to. */
static struct err *
tree_walk(struct lmdb_db *d)
{
	struct lmdb_txn lt = { .db = d };
	MDB_cursor *c;
	int rc = mdb_txn_begin(d->env, NULL, MDB_RDONLY, &lt.mdb);
	struct err *err = rc ? mdb_err(d, rc) : free_walk(&lt);

	for (enum table i = 0; i < TABLES && !err; i++) {
		rc = mdb_dbi_open(lt.mdb, table_names[i], 0, &d->dbi[i]);
		rc = rc ? rc : mdb_cursor_open(lt.mdb, d->dbi[i], &c);
		err = rc ? mdb_err(d, rc) : table_walk(&lt, c, i);
		if (!rc)
			mdb_cursor_close(c);
	}
	mdb_txn_abort(lt.mdb);
	return err;
}

/**
 * LMDB does not write pages that one transaction took and freed again, so a
 * sound file may be short by these. Made longer, the file reads as zeros
 * there: if the tree then is whole, nothing was missing.
 */
static struct err *
file_settle(struct lmdb_db *d, bool walk)
{
	uint64_t is = 0, should = 0;
	mdb_filehandle_t fd;
	MDB_txn *lock;
	int rc = mdb_txn_begin(d->env, NULL, 0, &lock);

	if (rc)
		return mdb_err(d, rc);
	struct err *err = file_sizes(d, &is, &should);
	mdb_env_get_fd(d->env, &fd);
	if (!err && is < should && ftruncate(fd, should) < 0)
		err = place_err(errno, d->path);
	_err_ struct err *bad = !err && is < should && walk ? tree_walk(d) :
				NULL;
	if (bad)
		err = ftruncate(fd, is) < 0 ? err_errno("%s", d->path) :
		      file_is_cut(d, is, should);
	mdb_txn_abort(lock);
	return err;
}

static struct err *
file_check(struct lmdb_db *d, bool walk)
{
	uint64_t is = 0, should = 0;
	struct err *err = file_sizes(d, &is, &should);

	return err || is >= should ? err : file_settle(d, walk);
}

/**
 * Blocks behind the end of the file that are its own already: what a removal
 * writes is there even when the file system is full.
 */
static struct err *
lmdb_reserve(struct txn *t)
{
	const struct lmdb_db *d = txn_of(t)->db;
	mdb_filehandle_t fd;
	struct stat st;

	if (mdb_env_get_fd(d->env, &fd) || fstat(fd, &st) < 0)
		return err_errno("%s", d->path);
	off_t want = RESERVE_LEAST + st.st_size / RESERVE_PART;
	if (st.st_blocks * 512 >= st.st_size + want / 2)
		return NULL;
	/* Where a file system cannot, removals take their chance. */
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, st.st_size, want) < 0 &&
	    errno != EOPNOTSUPP)
		return place_err(errno, d->path);
	return NULL;
}

/* ---- environments ---- */
static void
env_close(struct lmdb_db *d)
{
	if (d->env)
		mdb_env_close(d->env);
	d->env = NULL;
}

static struct err *
env_map(struct lmdb_db *d)
{
	int dead, rc = mdb_env_create(&d->env);
	mdb_filehandle_t fd;

	if (rc)
		return mdb_err(d, rc);
	rc = mdb_env_set_maxdbs(d->env, TABLES);
	rc = rc ? rc : mdb_env_set_maxreaders(d->env, READERS_MAX);
	rc = rc ? rc : mdb_env_set_mapsize(d->env, d->map_size);
	rc = rc ? rc : mdb_env_open(d->env, d->path,
				    MDB_NOSUBDIR | MDB_NOTLS, 0600);
	rc = rc ? rc : mdb_reader_check(d->env, &dead);
	if (rc)
		return mdb_err(d, rc);
	/* LMDB leaves this one open for programs that are started later. */
	if (mdb_env_get_fd(d->env, &fd) || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return err_errno("%s", d->path);
	return NULL;
}

static struct err *
env_tables(struct lmdb_db *d, unsigned flags)
{
	MDB_txn *mdb;
	int rc = mdb_txn_begin(d->env, NULL, flags ? 0 : MDB_RDONLY, &mdb);

	if (rc)
		return mdb_err(d, rc);
	for (enum table i = 0; i < TABLES && !rc; i++)
		rc = mdb_dbi_open(mdb, table_names[i], flags, &d->dbi[i]);
	if (rc)
		mdb_txn_abort(mdb);
	else
		rc = mdb_txn_commit(mdb);
	if (rc == MDB_NOTFOUND)
		return err_new(ERR_DAMAGED, "%s has not the tables of a store",
			       d->path);
	return rc ? mdb_err(d, rc) : NULL;
}

/** LMDB would make a new environment of an empty file. */
static struct err *
env_exists(const struct lmdb_db *d)
{
	struct stat st;

	if (stat(d->path, &st) < 0)
		return errno == ENOENT ?
		       err_new(ERR_DAMAGED, "%s is missing; bring it back from "
			       "a copy", d->path) : err_errno("%s", d->path);
	return st.st_size ? NULL : file_is_cut(d, 0, 1);
}

static struct err *
env_open(struct lmdb_db *d)
{
	MDB_stat stat;
	int major, minor;
	struct err *err = d->env ? NULL : env_exists(d);

	if (d->env || err)
		return err;
	err = env_map(d);
	if (!err)
		err = file_check(d, true);
	if (!err)
		err = env_tables(d, 0);
	if (err) {
		env_close(d);
		return err;
	}
	mdb_env_stat(d->env, &stat);
	mdb_version(&major, &minor, NULL);
	snprintf(d->kind, sizeof(d->kind), "LMDB %d.%d with pages of %u bytes",
		 major, minor, stat.ms_psize);
	return NULL;
}

/* ---- transactions ---- */
/** Another process grew the map, or readers that died hold all slots. */
static int
txn_begin(struct lmdb_db *d, unsigned flags, MDB_txn **out)
{
	int dead, rc = mdb_txn_begin(d->env, NULL, flags, out);

	/* They may grow it again before we have looked. */
	for (unsigned k = 0; rc == MDB_MAP_RESIZED && k < RESIZED_MAX; k++) {
		rc = mdb_env_set_mapsize(d->env, 0);
		rc = rc ? rc : mdb_txn_begin(d->env, NULL, flags, out);
	}
	if (rc == MDB_READERS_FULL) {
		rc = mdb_reader_check(d->env, &dead);
		rc = rc ? rc : mdb_txn_begin(d->env, NULL, flags, out);
	}
	return rc;
}

static struct err *
lmdb_read(struct db *db, txn_fn *fn, void *arg)
{
	struct lmdb_db *d = db_of(db);
	struct lmdb_txn lt = { { db->ops, false }, .db = d };
	struct err *err = env_open(d);

	if (err)
		return err;
	int rc = txn_begin(d, MDB_RDONLY, &lt.mdb);
	if (rc)
		return mdb_err(d, rc);
	err = fn(&lt.txn, arg);
	mdb_txn_abort(lt.mdb);
	return err;
}

/** What was written may be half there: nothing goes on from here. */
static struct err *
write_failed(struct lmdb_db *d, int rc)
{
	struct err *err = mdb_err(d, rc);

	env_close(d);
	return err;
}

static struct err *
write_once(struct lmdb_db *d, txn_fn *fn, void *arg, bool *full)
{
	struct lmdb_txn lt = { { d->db.ops, true }, .db = d };
	int dead, rc = mdb_reader_check(d->env, &dead);

	rc = rc ? rc : txn_begin(d, 0, &lt.mdb);
	if (rc)
		return write_failed(d, rc);
	struct err *err = fn(&lt.txn, arg);
	*full = err && lt.full;
	if (err) {
		mdb_txn_abort(lt.mdb);
		return err;
	}
	rc = mdb_txn_commit(lt.mdb);
	*full = rc == MDB_MAP_FULL;
	if (rc)
		return *full ? mdb_err(d, rc) : write_failed(d, rc);
	/* It is committed, whatever becomes of the file's end. */
	err_free(file_check(d, false));
	return NULL;
}

static struct err *
map_grow(struct lmdb_db *d)
{
	MDB_envinfo info;
	int rc;

	mdb_env_info(d->env, &info);
	rc = mdb_env_set_mapsize(d->env, info.me_mapsize * 2);
	return rc ? mdb_err(d, rc) : NULL;
}

static struct err *
lmdb_write(struct db *db, txn_fn *fn, void *arg)
{
	struct lmdb_db *d = db_of(db);
	bool full = true;
	struct err *err = NULL;

	for (unsigned i = 0; full && i < MAP_GROWTHS; i++) {
		err_free(err);
		full = false;
		err = env_open(d);
		if (!err && i)
			err = map_grow(d);
		if (!err)
			err = write_once(d, fn, arg, &full);
	}
	return err;
}

/* ---- projects ---- */
static const char *
lmdb_kind(const struct db *db)
{
	return ((const struct lmdb_db *)db)->kind;
}

static const char *
lmdb_path(const struct db *db)
{
	return ((const struct lmdb_db *)db)->dir;
}

static void
lmdb_close(struct db *db)
{
	struct lmdb_db *d = db_of(db);

	env_close(d);
	if (d->db.parts)
		d->db.parts->ops->close(d->db.parts);
	free(d->path);
	free(d->dir);
	free(d);
}

static const struct backend_ops lmdb_ops;

/** Takes @dir. */
static struct lmdb_db *
db_new(const struct lmdb *b, char *dir)
{
	struct lmdb_db *d = calloc(1, sizeof(*d));

	if (!d || !dir || asprintf(&d->path, "%s/meta.mdb", dir) < 0) {
		free(d);
		free(dir);
		return NULL;
	}
	d->db.ops = &lmdb_ops;
	d->dir = dir;
	d->map_size = b->map_size;
	return d;
}

/** A draft becomes the project when its first transaction is on disk. */
static struct err *
project_make(const struct lmdb *b, const char *name, txn_fn *init)
{
	char *dir = NULL;
	struct err *err = place_draft(&b->place, &dir);

	if (err)
		return err;
	struct lmdb_db *d = db_new(b, dir);
	if (!d)
		return err_nomem();
	err = env_map(d);
	if (!err)
		err = env_tables(d, MDB_CREATE);
	env_close(d);
	if (!err)
		err = lmdb_write(&d->db, init, &d->db);
	env_close(d);
	if (!err)
		err = place_publish(&b->place, dir, name);
	else
		place_discard(dir);
	lmdb_close(&d->db);
	return err;
}

static struct err *
lmdb_project(struct backend *backend, const char *name, txn_fn *init,
	     struct db **out)
{
	const struct lmdb *b = (const struct lmdb *)backend;
	struct lmdb_db *d = db_new(b, place_project(&b->place, name));
	struct err *err = NULL;
	struct stat st;

	if (!d)
		return err_nomem();
	if (stat(d->dir, &st) < 0)
		err = init ? project_make(b, name, init) :
		      err_new(ERR_NOTFOUND, "there is no project %s", name);
	if (!err)
		err = parts_open(d->dir, &d->db.parts);
	if (!err)
		err = env_open(d);
	if (err) {
		lmdb_close(&d->db);
		return err;
	}
	*out = &d->db;
	return NULL;
}

static struct err *
lmdb_projects(struct backend *b, store_project_fn *each, void *arg)
{
	return place_projects(&((struct lmdb *)b)->place, each, arg);
}

static void
lmdb_free(struct backend *backend)
{
	struct lmdb *b = (struct lmdb *)backend;

	place_close(&b->place);
	free(b);
}

static const struct backend_ops lmdb_ops = {
	.free = lmdb_free, .projects = lmdb_projects, .open = lmdb_project,
	.close = lmdb_close, .kind = lmdb_kind, .path = lmdb_path,
	.read = lmdb_read, .write = lmdb_write,
	.get = lmdb_get, .seek = lmdb_seek, .put = lmdb_put, .del = lmdb_del,
	.reserve = lmdb_reserve,
};

struct err *
backend_lmdb_open(const char *dir, const struct store_options *o,
		  struct backend **out)
{
	struct lmdb *b = calloc(1, sizeof(*b));

	if (!b)
		return err_nomem();
	b->backend.ops = &lmdb_ops;
	b->map_size = o->map_size ? o->map_size : MAP_FIRST;
	struct err *err = place_open(dir, o->create, &b->place);
	if (err) {
		free(b);
		return err;
	}
	*out = &b->backend;
	return NULL;
}
