/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to store: what the store stands on. A backend is a place of
 * projects; a project's database is transactional ordered tables, and
 * partitions: append-only files that go as a whole.
 *
 * The logic above is written once. A backend gives back what it was given or
 * says ERR_DAMAGED: checksums of records are its matter.
 */
#ifndef STORE_BACKEND_H
#define STORE_BACKEND_H

#include "store/parts.h"
#include "store/store.h"

enum table {
	TABLE_STATE,            /* "format", "counters", symbol files */
	TABLE_OBJECTS,          /* number -> object */
	TABLE_HASHES,           /* content hash -> number */
	TABLE_RECIPES,          /* number, block -> pieces of the file */
	TABLE_CHUNKS,           /* SHA-256 of a piece -> where it lies */
	TABLE_SIDECARS,         /* number, kind, producer, version -> pieces */
	TABLE_PARTITIONS,       /* number -> bytes used and dead */
	TABLES
};
#define BACKEND_KEY_MAX 511u            /* mdb_env_get_maxkeysize() */
/* 16 pages of 4 KiB but for LMDB's header and our checksum. */
#define BACKEND_BLOCK_MAX (65536u - 16u - 8u)

struct backend {
	const struct backend_ops *ops;
};
struct db {
	const struct backend_ops *ops;
	struct parts *parts;
};
struct txn {
	const struct backend_ops *ops;
	bool writes;
};

/** Runs inside of a transaction; again from the start if the map grew. */
typedef struct err *txn_fn(struct txn *t, void *arg);

enum seek {
	SEEK_AT_LEAST,          /* the first key that is not below */
	SEEK_BELOW,             /* the last key that is below */
};
/**
 * Borrowed as get()'s value. No such entry: key.data is NULL. With the error
 * that the value is damaged, the key is there.
 */
struct entry {
	struct span key, value;
};

struct backend_ops {
	/* A child after fork() has it as it was, and opens nothing. */
	bool in_memory;
	void (*free)(struct backend *b);
	struct err *(*projects)(struct backend *b, store_project_fn *each,
				void *arg);
	/*
	 * @init NULL: ERR_NOTFOUND if the project is not there. Else it is
	 * made, and @init is its first transaction: nobody sees the project
	 * before that is committed.
	 */
	struct err *(*open)(struct backend *b, const char *project,
			    txn_fn *init, struct db **out);
	void (*close)(struct db *db);
	/* What the bytes on disk depend on: "lmdb 0.9, pages of 4096 bytes". */
	const char *(*kind)(const struct db *db);
	/* For messages: where the project's files are. */
	const char *(*path)(const struct db *db);

	/* @fn's error ends the transaction without a trace. */
	struct err *(*read)(struct db *db, txn_fn *fn, void *arg);
	/* One writer at a time, of all processes. On return it is on disk. */
	struct err *(*write)(struct db *db, txn_fn *fn, void *arg);
	/*
	 * The value is borrowed until the transaction ends, or the next put
	 * or del of it. No such key: data is NULL.
	 */
	struct err *(*get)(struct txn *t, enum table table, struct span key,
			   struct span *value);
	struct err *(*seek)(struct txn *t, enum table table, struct span key,
			    enum seek how, struct entry *out);
	struct err *(*put)(struct txn *t, enum table table, struct span key,
			   struct span value);
	/* No error if it is not there. */
	struct err *(*del)(struct txn *t, enum table table, struct span key);
	/*
	 * Asked by a write that adds: leave room for those that remove. Fails
	 * as the write would if there is none.
	 */
	struct err *(*reserve)(struct txn *t);
};

/** @dir is made if @o says so. */
struct err *backend_lmdb_open(const char *dir, const struct store_options *o,
			      struct backend **out) _must_check_;
struct err *backend_mem_open(struct backend **out) _must_check_;

static inline struct err *
db_read(struct db *db, txn_fn *fn, void *arg)
{
	return db->ops->read(db, fn, arg);
}

static inline struct err *
db_write(struct db *db, txn_fn *fn, void *arg)
{
	return db->ops->write(db, fn, arg);
}

static inline struct err *
txn_get(struct txn *t, enum table table, struct span key, struct span *value)
{
	return t->ops->get(t, table, key, value);
}

static inline struct err *
txn_seek(struct txn *t, enum table table, struct span key, enum seek how,
	 struct entry *out)
{
	return t->ops->seek(t, table, key, how, out);
}

static inline struct err *
txn_put(struct txn *t, enum table table, struct span key, struct span value)
{
	return t->ops->put(t, table, key, value);
}

static inline struct err *
txn_del(struct txn *t, enum table table, struct span key)
{
	return t->ops->del(t, table, key);
}

#endif
