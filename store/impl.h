/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to store: records, and what the operations share.
 */
#ifndef STORE_IMPL_H
#define STORE_IMPL_H

#include "store/backend.h"

#define STORE_VERSION 1u        /* of what is described in README.md */
#define PIECE_MAX (60u << 10)   /* longer ones are cut */
#define PARTITION_DEFAULT (64u << 20)
#define PARTITION_LEAST (128u << 10)
#define PARTITION_MOST (1u << 30)

/* ---- record.c: keys and values ---- */
struct key {
	uint8_t bytes[BACKEND_KEY_MAX];
	size_t n;
};
/** Numbers in keys are big-endian: their order is the order of the bytes. */
struct key key_number(uint64_t number);
struct key key_partition(uint32_t number);
struct key key_block(uint64_t number, uint32_t block);
struct key key_sidecar(uint64_t number, const struct store_sidecar *c);
struct span key_span(const struct key *k);
/** The number that begins a key; 0 if there is none. */
uint64_t key_get_number(struct span key);

/** How the store was made; never changes. */
struct format {
	uint32_t version;
	const char *kind;       /* of the backend; borrowed */
};
void format_put(const struct format *f, struct buf *out);
struct err *format_get(struct span value, struct format *out) _must_check_;

struct counters {
	uint64_t next_object;
	uint32_t next_partition;
	uint32_t open_partition;        /* 0 = none */
};
void counters_put(const struct counters *c, struct buf *out);
struct err *counters_get(struct span value, struct counters *out)
	_must_check_;

/** Where a piece lies, and how many entries of recipes mean it. */
struct chunk {
	uint32_t partition, offset, length;
	uint64_t refs;
};
void chunk_put(const struct chunk *c, struct buf *out);
struct err *chunk_get(struct span value, struct chunk *out) _must_check_;

/** Bytes of a partition: in use up to @end, @dead of them for nobody. */
struct partition {
	uint64_t end, dead;
};
void partition_put(const struct partition *p, struct buf *out);
struct err *partition_get(struct span value, struct partition *out)
	_must_check_;

/** A part of a file, known by its content. */
struct piece {
	uint8_t hash[SHA256_SIZE];
	uint32_t length;
};
#define PIECE_DISK (SHA256_SIZE + 4u)
/** Pieces of one record, the first one beginning at @start of the file. */
struct block {
	uint64_t start;
	struct piece *piece;
	uint32_t n;
};
#define BLOCK_PIECES ((BACKEND_BLOCK_MAX - 8u) / PIECE_DISK)
void block_put(const struct block *b, struct buf *out);
/** Room for BLOCK_PIECES is at @out->piece. */
struct err *block_get(struct span value, struct block *out) _must_check_;

/** An object and what only the store knows of it. */
struct record {
	struct store_object object;     /* without its project */
	uint64_t n_pieces;
};
void record_put(const struct record *r, struct buf *out);
/** Strings and arrays are copied into @a. */
struct err *record_get(struct span value, struct arena *a, struct record *out)
	_must_check_;

struct sidecar {
	struct store_sidecar is;        /* names borrowed from the key */
	uint64_t size;
	struct block block;
};
void sidecar_put(const struct sidecar *c, struct buf *out);
/** Room as for block_get(). */
struct err *sidecar_get(struct span key, struct span value,
			struct sidecar *out) _must_check_;

/* In a partition, each piece has a header in front: README.md. */
#define HEADER_SIZE 48u
#define PART_ALIGN 4096u        /* where the pieces of a transaction begin */
void header_put(const struct piece *p, struct buf *out);
/** False if there is none: padding, or damaged. */
bool header_get(const uint8_t at[HEADER_SIZE], struct piece *out)
	_must_check_;

/* ---- walk.c: tables from their first entry to the last ---- */
typedef struct err *row_fn(void *arg, struct span key, struct span value);
/** @each may change the table. */
struct err *table_each(struct txn *t, enum table table, row_fn *each,
		       void *arg) _must_check_;
/** The key behind @k: the least that is above it. */
void key_step(struct key *k);
/** As @key; ERR_DAMAGED if it is too long for one. */
struct err *key_copy(struct span key, struct key *out) _must_check_;

/* ---- store.c: the store and its projects ---- */
#define PROJECTS_OPEN 32u
struct project {
	char name[STORE_NAME_MAX + 1];
	struct db *db;          /* NULL = free */
	uint64_t used;          /* when, in calls */
};
struct store {
	struct backend *backend;
	pid_t pid;
	uint64_t partition_size;
	uint64_t calls;
	struct project project[PROJECTS_OPEN];
	char *url;
	struct store_options options;
};
struct err *project_name_check(const char *name) _must_check_;
/** @project is the name of one. */
struct store_ref ref_of(const char *project, uint64_t number);
void name_copy(const char *name, char out[STORE_NAME_MAX + 1]);
/** ERR_NOTFOUND, naming those there are, unless @create. Good for one call. */
struct err *store_project(struct store *s, const char *name, bool create,
			  struct project **out) _must_check_;
/** "object default/1f 3f2a0c…: text"; takes @err. */
struct err *store_wrap(struct err *err, const struct store_object *o)
	_must_check_;
struct err *counters_load(struct txn *t, struct counters *out) _must_check_;
/** One project or, NULL, all of them. */
struct err *store_each_project(struct store *s, const char *name,
			       store_project_fn *each, void *arg)
	_must_check_;

/* ---- object.c ---- */
/** ERR_NOTFOUND if it is not there, naming its neighbours. */
struct err *object_load(struct txn *t, const struct store_ref *ref,
			struct arena *a, struct record *out) _must_check_;
/** As object_load(), in a transaction of its own. */
struct err *object_read(struct project *p, const struct store_ref *ref,
			struct arena *a, struct record *out) _must_check_;
struct err *object_save(struct txn *t, const struct record *r) _must_check_;
/** Sorted, without repetition, fit to be kept; in @a. */
struct err *tags_sort(const char *const *tags, size_t n, struct arena *a,
		      const char *const **out, size_t *n_out) _must_check_;
struct err *attrs_check(const struct snap_attr *attrs, size_t n)
	_must_check_;
/** The nearest number in that direction, or 0. */
struct err *object_near(struct txn *t, uint64_t number, enum seek how,
			uint64_t *out) _must_check_;
/**
 * The newest object below, if @found: its reference, and the rest unless it is
 * damaged.
 */
struct err *object_newest(struct project *p, uint64_t below, struct arena *a,
			  struct store_object *out, bool *found) _must_check_;
/** Takes @err: if the object is gone, it says that. */
struct err *object_blame(struct project *p, const struct store_object *o,
			 struct err *err) _must_check_;
void digits_of(const uint8_t hash[SHA256_SIZE], char out[STORE_DIGITS + 1]);

/* ---- symbols.c: the row of a symbol file, if @o is one ---- */
struct err *symbols_save(struct txn *t, const struct store_object *o)
	_must_check_;
struct err *symbols_drop(struct txn *t, const struct store_object *o)
	_must_check_;
/** ERR_DAMAGED: it should have one, and has not. */
struct err *symbols_check(struct txn *t, const struct store_object *o)
	_must_check_;

/* ---- get.c ---- */
/** The file, without the object's name in front of an error. */
struct err *object_send(struct project *p, const struct record *o,
			store_sink_fn *sink, void *arg) _must_check_;

/* ---- ledger.c: pieces and partitions within a write transaction ---- */
struct ledger {
	struct txn *txn;
	struct parts *parts;
	uint64_t partition_size;
	struct counters counters;
	bool appends;           /* the open partition is cut and aligned */
	struct partition open;  /* counters.open_partition */
	uint32_t number;        /* of the one that loses bytes; 0 = none */
	struct partition loses;
	struct buf pending;     /* bytes for the end of the open partition */
	uint64_t added;         /* bytes of pieces that were new */
};
struct err *ledger_begin(struct ledger *l, struct txn *t, struct parts *parts,
			 uint64_t partition_size) _must_check_;
void ledger_fini(struct ledger *l);
#define _ledger_ _cleanup_(ledger_fini)
/** One more entry means the piece. @known false: it has to be added. */
struct err *ledger_claim(struct ledger *l, const struct piece *p, bool *known)
	_must_check_;
/** @p with its bytes, at the end of the open partition, meant by @refs. */
struct err *ledger_add(struct ledger *l, const struct piece *p,
		       const void *bytes, uint64_t refs) _must_check_;
/** One entry less means the piece. */
struct err *ledger_release(struct ledger *l, const struct piece *p)
	_must_check_;
/** @n bytes of partition @number are nobody's from now on. */
struct err *ledger_lose(struct ledger *l, uint32_t number, uint64_t n)
	_must_check_;
/** What comes next begins a new partition. */
struct err *ledger_seal(struct ledger *l) _must_check_;
/** Partitions are on disk, their records in the transaction. */
struct err *ledger_end(struct ledger *l) _must_check_;
/** A write of the database; if it fails, partitions are as they were. */
struct err *ledger_change(struct db *db, txn_fn *fn, void *arg) _must_check_;
/** Partitions are as the tables say: within a write, after one that failed. */
struct err *ledger_sweep(struct txn *t, struct parts *parts) _must_check_;

/* ---- piece.c: reading pieces ---- */
struct err *chunk_find(struct txn *t, const uint8_t hash[SHA256_SIZE],
		       struct chunk *out, bool *found) _must_check_;
/** The bytes of a piece, held against its hash. @out has room for them. */
struct err *piece_read(struct db *db, const struct piece *p, void *out)
	_must_check_;
/** The same of a place that is known; @db for the file's name. */
struct err *piece_fetch(struct db *db, const struct chunk *c,
			const struct piece *p, void *out) _must_check_;

/* ---- recipe.c: the pieces of an object ---- */
struct recipe {
	struct db *db;
	uint64_t number, size, n_pieces;
	uint32_t at;            /* which block is held */
	bool held;
	struct block block;
	uint64_t *start;        /* of each block, once asked for; else 0 */
};
/** The pieces lie in memory that recipe_fini() frees. */
struct err *recipe_init(struct recipe *r, struct db *db,
			const struct record *o) _must_check_;
void recipe_fini(struct recipe *r);
#define _recipe_ _cleanup_(recipe_fini)
uint32_t recipe_blocks(const struct recipe *r);
struct err *recipe_hold(struct recipe *r, uint32_t block) _must_check_;
/** Hold the block that has byte @off of the file. */
struct err *recipe_seek(struct recipe *r, uint64_t off) _must_check_;
typedef struct err *piece_fn(void *arg, const struct piece *p);
/** Each piece of the recipe, within a transaction. */
struct err *recipe_each(struct txn *t, uint64_t number, uint64_t n_pieces,
			piece_fn *each, void *arg) _must_check_;

/* ---- sidecar.c ---- */
typedef struct err *sidecar_fn(void *arg, const struct sidecar *c);
/** The bytes, @c->size of them. */
struct err *sidecar_load(struct db *db, const struct sidecar *c, uint8_t *out)
	_must_check_;
/** Each of an object, within a transaction; it may delete the one it has. */
struct err *sidecar_each(struct txn *t, uint64_t number, sidecar_fn *each,
			 void *arg) _must_check_;
struct err *sidecar_drop_all(struct ledger *l, uint64_t number) _must_check_;

#endif
