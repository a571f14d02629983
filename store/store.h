/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store: snapshots by number and by content hash, kept so that what two of
 * them share is there once.
 *
 * A store is a directory of projects. An object is a file, given back bit for
 * bit: a list of pieces, each kept once per project under its SHA-256, which
 * is computed here and never believed. Nothing is shared between projects, so
 * that nobody learns what others have. The store parses no object: where the
 * pieces lie, and the attributes, are told by whoever puts it.
 *
 * Durable: what store_put() acknowledged survives the end of the process and
 * of the machine. Any number of processes may use a store at once; in one
 * process a directory is opened once only. A reader never blocks a writer for
 * longer than one call. Not thread-safe: one handle, one thread.
 *
 * Errors: ERR_NOTFOUND (project, object, no such store), ERR_DAMAGED (what is
 * kept does not fit its checksum; names object and file), ERR_IO (the disk is
 * full or fails: nothing was acknowledged, reading goes on, and it works again
 * when there is room), ERR_UNSUPPORTED (made by another version; or a file
 * system that LMDB cannot be trusted on), ERR_LIMIT.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/base.h"
#include "snapfmt/snapfmt.h"

/* Of projects and tags: [A-Za-z0-9_][A-Za-z0-9._-]* */
#define STORE_NAME_MAX 64
#define STORE_DIGITS 12         /* of the content hash, as shown to people */
#define STORE_PREFIX_MIN 4      /* fewest digits that name an object */
#define STORE_TAGS_MAX 64
#define STORE_ATTRS_MAX 4096
#define STORE_OBJECT_MAX (1ull << 40)

/* ---- the store ---------------------------------------------------------- */
struct store;
struct store_options {
	bool create;            /* make it if it is not there (0700) */
	uint64_t map_size;      /* first size of a database's map; 0 = 1 GiB.
				   It grows by itself */
	uint64_t partition_size;        /* 0 = 64 MiB */
};
/** @url: "mem:", "lmdb:DIR" or a directory. */
struct err *store_open(const char *url, const struct store_options *options,
		       struct store **out) _must_check_;
void store_free(struct store *s);
void store_freep(struct store **s);
#define _store_ _cleanup_(store_freep)

/** Is it fit to be the name of a project or a tag? */
bool store_name_ok(const char *name);

typedef struct err *store_project_fn(void *arg, const char *project);
/** In the order of their names. */
struct err *store_projects(struct store *s, store_project_fn *each, void *arg)
	_must_check_;

/* ---- objects ------------------------------------------------------------ */
struct store_ref {
	char project[STORE_NAME_MAX + 1];
	uint64_t number;        /* ascends in a project; never used again */
};
struct store_object {
	struct store_ref ref;
	uint8_t hash[SHA256_SIZE];      /* of the whole file */
	uint64_t size;          /* of the file */
	uint64_t stored_ns;     /* since the epoch */
	const struct snap_attr *attrs;
	size_t n_attrs;
	const char *const *tags;        /* sorted */
	size_t n_tags;
};

/** Called as pieces are written or read; may be NULL. */
typedef void store_progress_fn(void *arg, uint64_t done, uint64_t total);

struct store_put {
	const char *project;            /* made when it is not there */
	struct source *file;
	/** Cover the file in order and without a gap: checked. NULL: one. */
	const struct snap_piece *pieces;
	size_t n_pieces;
	const struct snap_attr *attrs;
	size_t n_attrs;
	const char *const *tags;
	size_t n_tags;
	store_progress_fn *progress;
	void *progress_arg;
};
struct store_added {
	struct store_ref ref;
	uint8_t hash[SHA256_SIZE];
	bool known;             /* the project had it: nothing was added, nor
				   its tags and attributes changed */
	uint64_t added;         /* bytes that were new to the project */
};
/** Keep a file. All or nothing; on return it is on disk. */
struct err *store_put(struct store *s, const struct store_put *p,
		      struct store_added *out) _must_check_;

/**
 * What a person means by @text: digits of a content hash (any unique prefix
 * of STORE_PREFIX_MIN or more), PROJECT/NUMBER in hex, @latest (the newest
 * that is no symbol file) and @latest:DIGITS (the newest whose attribute
 * "fingerprint" begins so), these also behind PROJECT/. Without a project,
 * @project is meant; NULL = all are searched.
 * ERR_NOTFOUND tells the nearest ones; ERR_USAGE if several begin so (named)
 * or @text is none of these.
 */
struct err *store_find(struct store *s, const char *text, const char *project,
		       struct store_ref *out) _must_check_;
/** Strings and arrays are in @a. */
struct err *store_object(struct store *s, const struct store_ref *ref,
			 struct arena *a, struct store_object *out)
	_must_check_;
/** @o lives until the function returns; false ends the listing. */
typedef bool store_each_fn(void *arg, const struct store_object *o);
/** Newest first; NULL = of all projects. */
struct err *store_list(struct store *s, const char *project,
		       store_each_fn *each, void *arg) _must_check_;

typedef struct err *store_sink_fn(void *arg, const void *data, size_t n);
/** The whole file, each piece checked before it is given out. */
struct err *store_get(struct store *s, const struct store_ref *ref,
		      store_sink_fn *sink, void *arg) _must_check_;
/**
 * The file for random access, pieces fetched and checked as they are asked
 * for. Borrows @s; no transaction is held between two reads.
 */
struct err *store_source(struct store *s, const struct store_ref *ref,
			 struct source **out) _must_check_;

/** Add and remove tags; both lists may be empty. */
struct err *store_tag(struct store *s, const struct store_ref *ref,
		      const char *const *add, size_t n_add,
		      const char *const *remove, size_t n_remove) _must_check_;
/** Forget an object. Its bytes are given back by store_collect(). */
struct err *store_rm(struct store *s, const struct store_ref *ref)
	_must_check_;

/* ---- sidecars: what was learned later ----------------------------------- */
#define STORE_SIDECAR_MAX (64u << 20)
/** Known by object, kind, producer and version; put again, it is replaced. */
struct store_sidecar {
	const char *kind, *producer;    /* names as of projects */
	uint32_t version;
	struct span bytes;              /* at most STORE_SIDECAR_MAX */
};
struct err *store_put_sidecar(struct store *s, const struct store_ref *ref,
			      const struct store_sidecar *c) _must_check_;
typedef bool store_sidecar_fn(void *arg, const struct store_sidecar *c);
struct err *store_sidecars(struct store *s, const struct store_ref *ref,
			   store_sidecar_fn *each, void *arg) _must_check_;

/* ---- symbol files: ELF files by build-id -------------------------------- */
/* Attributes that make an object one: the id in hex, and what is in it. */
#define STORE_SYMBOLS_ID "symbols.build-id"
#define STORE_SYMBOLS_KINDS "symbols.kinds"     /* u64 */
enum { STORE_SYMBOLS_CODE = 1, STORE_SYMBOLS_DEBUG = 2 };
bool store_is_symbols(const struct store_object *o);
struct store_symbols {
	struct span id;         /* its bytes */
	uint8_t kind;           /* one of the kinds */
	uint32_t nth;           /* of those that there are, from 0 */
};
/**
 * Which object of @project is such a file: those that have both first, else in
 * the order of their numbers. That it is one was told by whoever put it.
 * ERR_NOTFOUND after the last.
 */
struct err *store_symbols(struct store *s, const char *project,
			  const struct store_symbols *asked,
			  struct store_ref *out) _must_check_;

/* ---- care --------------------------------------------------------------- */
struct store_gc {
	uint64_t freed;         /* bytes that the disk has back */
	uint64_t moved;         /* bytes that were copied for it */
};
/** Give back what no object needs. NULL = all projects. Resumable. */
struct err *store_collect(struct store *s, const char *project,
			  store_progress_fn *progress, void *progress_arg,
			  struct store_gc *out) _must_check_;

/** A sentence that names object or file, and what is wrong there. */
typedef void store_fault_fn(void *arg, const char *sentence);
struct store_verified {
	uint64_t objects, bytes, faults;
};
/**
 * Read everything that is kept and hold it against checksums and counts. A
 * file that would end the process that reads it (cut, or its tree damaged) is
 * a fault like others: it is read by a process of its own. An error only where
 * nothing could be said.
 */
struct err *store_verify(struct store *s, const char *project,
			 store_fault_fn *fault, void *arg,
			 struct store_verified *out) _must_check_;

#endif
