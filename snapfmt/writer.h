/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to snapfmt: what the writer keeps until it closes. Chunks,
 * skeletons and attached files go to the sink as they come; only tables,
 * strings and small blobs stay.
 */
#ifndef SNAPFMT_WRITER_H
#define SNAPFMT_WRITER_H

#include "snapfmt/layout.h"

/** The part of one window of the address space that is being filled. */
struct window {
	uint64_t start;
	uint32_t n;             /* bytes; 0 = nothing is pending */
	uint16_t flags;
	uint8_t bytes[SNAP_CHUNK];
};

struct snap_writer {
	snap_sink_fn *sink;
	void *arg;
	uint64_t at;            /* bytes of the file so far; the last of them
				   are in @pending yet */
	uint8_t *pending;
	size_t n_pending;
	bool closed, failed;
	ZSTD_CCtx *zstd;

	struct table directory;
	struct table table[SECTION_TYPES];
	struct buf strings, blobs;
	struct lookup interned;
	struct encoder encoder;
	uint64_t demanded;      /* bytes of payloads, as DEMAND_MAX */

	/* ranges.c */
	bool memory_done;
	struct window window;
	uint64_t next;          /* the lowest address still allowed */
	struct snap_memory last;        /* not in the table yet */
	struct chunk *chunk;
	size_t n_chunks;        /* that there are; @n_stored of them are out */
	size_t n_stored, cap_chunks;
	struct batches *batches;
	struct lookup chunk_lookup;
	uint64_t chunk_data;    /* where CHUNK_DATA begins */
	struct hash_xxh *chunk_hash;    /* of CHUNK_DATA so far */

	uint32_t n_skeletons, n_files;
	uint8_t (*skeleton_key)[SHA256_SIZE];
	struct lookup skeleton_lookup;
	int64_t highest_module; /* that anything refers to; -1 = none */
};

/** A payload as it is stored; @frame is owned, NULL = the bytes are another's. */
struct packed {
	void *frame;
	bool packed;            /* one zstd frame */
	struct span stored;
	uint8_t xxh[XXH128_SIZE];
};
/** Borrows @payload. */
struct err *packed_make(ZSTD_CCtx *zstd, struct span payload,
			struct packed *out) _must_check_;

/** Hand bytes to the sink. A failure ends the file. */
struct err *writer_emit(struct snap_writer *w, const void *data, size_t n)
	_must_check_;
/** Zero bytes up to where a section may begin. */
struct err *writer_align(struct snap_writer *w) _must_check_;
/** A whole section; packed when that pays. */
struct err *writer_section(struct snap_writer *w, uint32_t type,
			   uint32_t instance, struct span payload)
	_must_check_;
/** The same of what is packed already. */
struct err *writer_packed(struct snap_writer *w, const struct section *like,
			  const struct packed *p) _must_check_;
/** Its directory entry, for bytes that are already out. */
void writer_entry(struct snap_writer *w, const struct section *s);
/** Is the writer still of use? */
struct err *writer_ready(const struct snap_writer *w) _must_check_;
/** May @n bytes more come in a payload of this @type? */
struct err *writer_admit(const struct snap_writer *w, uint32_t type, size_t n)
	_must_check_;
/** Did any of the tables run full, or all of them together? */
struct err *writer_buffers(const struct snap_writer *w) _must_check_;

/** batch.c: the next chunk, whose turn comes: writer_chunk(). */
struct err *batches_new(unsigned threads, struct batches **out) _must_check_;
void batches_free(struct batches *all);
void batches_soon(struct batches *all);
struct err *batches_add(struct batches *all, struct snap_writer *w,
			const void *data, uint32_t n) _must_check_;
/** One that is packed already. */
struct err *batches_ready(struct batches *all, struct snap_writer *w,
			  const struct chunk *c, const void *frame)
	_must_check_;
struct err *batches_finish(struct batches *all, struct snap_writer *w)
	_must_check_;
/** A section to come in its turn; takes what is in @payload. */
struct err *batches_section(struct batches *all, struct snap_writer *w,
			    const struct section *s, struct buf *payload)
	_must_check_;
/** The same of one that is packed; borrows its bytes until they are out. */
struct err *batches_packed(struct batches *all, struct snap_writer *w,
			   const struct section *s, const struct packed *p)
	_must_check_;
/** All of these: before anything else goes out. */
struct err *batches_drain(struct batches *all, struct snap_writer *w)
	_must_check_;
/** ranges.c: a chunk, packed, in the order of their numbers. */
struct err *writer_chunk(struct snap_writer *w, struct chunk *c,
			 const void *frame) _must_check_;

/** The same of one window @m, of kind MOVED, that @c is packed of. */
struct err *writer_moved(struct snap_writer *w, const struct snap_memory *m,
			 const struct chunk *c, const void *frame)
	_must_check_;

/** No more memory: CHUNK_DATA ends, MEMORY and CHUNKS are complete. */
struct err *ranges_finish(struct snap_writer *w) _must_check_;

#endif
