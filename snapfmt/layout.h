/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to snapfmt: how a snapshot lies on disk (FORMAT.md has every byte),
 * and the pieces that writer, reader, check and dump share.
 *
 * Records are described once, in schema.c: where a field lies in its struct,
 * where it lies on disk, and how a person reads it. Encoding, decoding and the
 * canonical dump all walk that one description.
 */
#ifndef SNAPFMT_LAYOUT_H
#define SNAPFMT_LAYOUT_H

#include <zstd.h>

#include "snapfmt/snapfmt.h"

#define HEADER_MAGIC "INQUEST\n"
#define TRAILER_MAGIC "INQ-END\n"
#define MAGIC_SIZE 8u

#define FORMAT_MAJOR 1u
#define FORMAT_MINOR 1u
#define SECTION_VERSION 1u

#define HEADER_SIZE 64u
#define HEADER_DIGEST 48u       /* where the header's own checksum lies */
#define TRAILER_SIZE 64u
#define TRAILER_DIGEST 48u
#define ENTRY_SIZE 64u
#define TABLE_HEADER_SIZE 16u
#define ALIGNMENT 16u           /* of sections, and of blobs in BLOBS */

#define SECTION_PACKED 1u       /* flag: the payload is one zstd frame */

/* How CHUNKS says what its entries are; FORMAT.md, "CHUNKS". */
#define CHUNK_CODEC_ZSTD 1u
#define CHUNK_KEY_SHA256 1u
#define CHUNK_SHIFT 14u         /* log2(SNAP_CHUNK) */
#define CHUNK_PARAMETER \
	(CHUNK_CODEC_ZSTD | CHUNK_KEY_SHA256 << 8 | CHUNK_SHIFT << 16)

/* The least a reader must accept, and the most this one does. */
#define SECTION_MAX (256u << 20)        /* bytes of one payload, unpacked */
#define PAYLOAD_MAX (1ull << 30)        /* of all payloads but CHUNK_DATA */
#define DEMAND_MAX (768ull << 20)       /* of those, SKELETON and FILE_DATA */
#define READER_MAX (320u << 20)         /* memory of one struct snap */
#define READER_SPARE (16u << 20)        /* of it, for what is no record */
#define RECORD_MAX 4096u                /* bytes of one record */

/* ---- digest.c: the one place where checksums are compared ---- */
/** The fuzz target brings a version of its own that always says yes. */
bool digest_equal(const void *computed, const void *stored, size_t n);

/* ---- schema.c: sections and records ---- */
enum section_type {
	SECTION_PROCESS = 1, SECTION_THREADS = 2, SECTION_REGSETS = 3,
	SECTION_MAPS = 4, SECTION_MODULES = 5, SECTION_MODULE_NAMES = 6,
	SECTION_SKELETON = 7, SECTION_MEMORY = 8, SECTION_CHUNKS = 9,
	SECTION_CHUNK_DATA = 10, SECTION_FRAMES = 11,
	SECTION_VARIABLES = 12, SECTION_ATTRIBUTES = 13,
	SECTION_NOTES = 14, SECTION_TEXTS = 15, SECTION_FILES = 16,
	SECTION_FILE_DATA = 17, SECTION_PROVENANCE = 18, SECTION_AUXV = 19,
	SECTION_STRINGS = 20, SECTION_BLOBS = 21,
	SECTION_TYPES
};

/** A directory entry. */
struct section {
	uint32_t type, instance;
	uint16_t version, flags;
	uint64_t offset, stored, raw;
	uint8_t xxh[XXH128_SIZE];
};

/** An entry of CHUNKS: @stored bytes at @offset unpack to @raw bytes. */
struct chunk {
	uint64_t offset;
	uint32_t stored, raw;
	uint8_t xxh[XXH128_SIZE];       /* of the stored bytes */
	uint8_t key[SHA256_SIZE];       /* of the stored bytes */
};

enum field_kind {
	FIELD_NUMBER,   /* as wide as in the struct, little-endian */
	FIELD_BOOL,     /* u8; not 0 = true */
	FIELD_BYTES,    /* as they are */
	FIELD_STRING,   /* u32 offset in STRINGS; 0 = NULL */
	FIELD_TEXT,     /* the same, never NULL: 0 = "" */
	FIELD_BLOB,     /* u64 offset in BLOBS, u64 length */
	FIELD_ID,       /* struct module_id: kind, length, 64 bytes */
	FIELD_LIST,     /* u32 first record, u32 count, in section @child */
	FIELD_KINDS
};
enum field_show { SHOW_DECIMAL, SHOW_SIGNED, SHOW_HEX };

/** Words for the numbers 0, 1, …; NULL where a number has none. */
struct words {
	const char *const *word;
	size_t n;
};

struct field {
	const char *name;
	enum field_kind kind;
	enum field_show show;
	uint16_t at;            /* in the struct */
	uint16_t count_at;      /* FIELD_LIST: of its size_t count */
	uint16_t width;         /* in the struct; of FIELD_NUMBER, on disk too */
	uint16_t disk;          /* in the record */
	uint16_t child;         /* FIELD_LIST: section of the elements */
	const struct words *words;
};

/**
 * What makes a record unacceptable, as the end of a sentence, or NULL. @before
 * is the record in front of it, NULL for the first. The writer asks too, so
 * that no file is written which a reader would refuse.
 */
typedef const char *schema_fault_fn(const void *record, const void *before);

/** Does @record, being of its kind, have no use for the field? */
typedef bool schema_idle_fn(const struct field *f, const void *record);

struct schema {
	const char *word;       /* begins a line of the dump */
	uint16_t size;          /* of the struct */
	uint16_t disk;          /* of the record */
	bool single;            /* one record at most */
	const struct field *field;
	size_t n_fields;
	schema_fault_fn *fault;
	schema_idle_fn *idle;   /* such fields are left out of the dump */
};

extern const struct schema schema_section, schema_extent;
/** NULL for the sections that are no table, and for unknown types. */
const struct schema *schema_of(uint32_t type);
/** "THREADS"; NULL for an unknown type. */
const char *schema_section_name(uint32_t type);
/** Bytes on disk of a field. */
size_t schema_width(const struct field *f);
bool schema_is_many(uint32_t type);     /* may have instances 1, 2, … */

/* ---- codec.c: records to bytes and back ---- */
struct rows {
	void *data;             /* of the schema's structs */
	size_t n;
};

struct table {
	struct buf bytes;
	uint32_t count;
};
/** Where encoding puts what does not fit into a record. */
struct encoder {
	struct table *table;    /* by section type, for lists */
	uint32_t (*intern)(void *arg, const char *s);
	void *arg;
	struct buf *blobs;
	uint64_t blobs_at;      /* offset that the first blob byte has */
};
/** Append one record. What goes wrong is sticky in the buffers. */
void codec_encode(const struct schema *sc, const void *record,
		  const struct encoder *e, struct table *out);
/** A number of a struct, whatever its width. */
uint64_t codec_number(const void *at, size_t width);
/** The header of a table; @parameter is 0 where the section has none. */
void codec_table_header(struct buf *out, uint32_t disk, uint32_t count,
			uint32_t parameter);

/** What decoding refers to; borrowed. */
struct decoder {
	struct arena *arena;    /* of the rows */
	struct span strings, blobs;
	const struct rows *rows;        /* by section type, for lists */
};
/** A table's header, checked against the payload that it begins. */
struct table_view {
	struct span payload;
	uint32_t disk, count, parameter;
};
struct err *codec_view(const struct schema *sc, struct span payload,
		       struct table_view *out) _must_check_;
/** Record @i < @count of a table; @row must be zeroed. */
struct err *codec_record(const struct schema *sc, const struct table_view *tv,
			 size_t i, const struct decoder *d, void *row)
	_must_check_;
/** All records of a table. */
struct err *codec_decode(const struct schema *sc, struct span payload,
			 const struct decoder *d, struct rows *out)
	_must_check_;

/* ---- lookup.c: from a hash to the numbers that have it ---- */
struct lookup_slot {
	uint64_t hash;
	uint32_t id_plus_1;     /* 0 = free */
};
struct lookup {
	struct lookup_slot *slot;
	size_t cap, n;
};
typedef bool lookup_same_fn(const void *arg, uint32_t id);
bool lookup_find(const struct lookup *l, uint64_t hash, lookup_same_fn *same,
		 const void *arg, uint32_t *id);
bool lookup_add(struct lookup *l, uint64_t hash, uint32_t id) _must_check_;
void lookup_fini(struct lookup *l);
/** The first eight bytes of an XXH3-128. */
uint64_t lookup_hash(const uint8_t xxh[XXH128_SIZE]);

/* ---- pack.c: zstd ---- */
#define PACK_LEVEL 1
/** Of memory of which there is much and little time: bytes that nothing before
 * them is like are stored as they are; a fifth less time, 8 % larger. */
#define PACK_LEVEL_SOON (-1)
/** Of what is packed once for many files, and nobody waits for. */
#define PACK_LEVEL_CALM 9
/** One frame that declares its content's size. */
struct err *pack_frame(ZSTD_CCtx *zstd, int level, struct span raw, void *out,
		       size_t cap, size_t *n) _must_check_;
/** Is @frame one frame, and says that it is of @raw bytes? */
struct err *pack_declares(struct span frame, size_t raw) _must_check_;
/** @frame must be one frame, and unpack to exactly @raw bytes. */
struct err *pack_expand(ZSTD_DCtx *zstd, struct span frame, void *out,
			size_t raw) _must_check_;

/* ---- directory.c: from a source to its sections ---- */
struct directory {
	struct source *src;     /* borrowed */
	uint16_t major, minor;
	uint64_t begin, end;    /* of what holds the sections */
	struct section *section;        /* ascending, disjoint */
	size_t n;
};
struct err *directory_read(struct source *src, struct arena *a,
			   struct directory *out) _must_check_;
/** Instance @instance of @type, or NULL. */
const struct section *directory_find(const struct directory *d, uint32_t type,
				     uint32_t instance);
/** The payload, verified and unpacked, in memory of @a. */
struct err *directory_load(const struct directory *d, const struct section *s,
			   ZSTD_DCtx *zstd, struct arena *a, struct span *out)
	_must_check_;
/** Only the checksum; @step is DIRECTORY_STEP bytes of the caller's. */
#define DIRECTORY_STEP (1u << 16)
struct err *directory_verify(const struct directory *d,
			     const struct section *s, void *step)
	_must_check_;
/** "section THREADS at offset 4096: …". Takes @err. */
struct err *directory_wrap(struct err *err, const struct section *s)
	_must_check_;
/** The error for @n bytes that @a did not give. */
struct err *directory_spent(const struct arena *a, size_t n) _must_check_;

/* ---- reader.c and chunks.c ---- */
/** As snap_open(), without the snapshot's name in front of an error. */
struct err *reader_open(struct source *src, struct snap **out) _must_check_;
#define CHUNK_SLOTS 4u
/* A longer frame unpacks to more than a window. */
#define CHUNK_STORED_MAX ZSTD_COMPRESSBOUND(SNAP_CHUNK)
struct chunk_slot {
	uint64_t chunk_plus_1;  /* 0 = empty */
	uint64_t base;          /* that its words were moved by */
	uint32_t n;
	uint8_t *bytes;         /* SNAP_CHUNK, owned; NULL before first use */
};
/** A section whose payload comes when it is asked for. */
struct demand {
	const struct section *section;
	struct arena *arena;    /* of what follows; NULL = not loaded yet */
	union {
		struct rows extents;    /* of a SKELETON */
		struct span bytes;      /* of a FILE_DATA */
	};
};
struct snap {
	struct directory dir;
	struct arena *arena;
	ZSTD_DCtx *zstd;        /* see snap_unpacker() */
	struct decoder decoder;
	struct rows rows[SECTION_TYPES];
	struct table_view chunks;
	const struct section *chunk_table, *chunk_data; /* NULL = none */
	struct demand *skeleton, *file;
	size_t n_skeletons, n_files;
	size_t demanded;        /* bytes in the arenas of these */
	size_t n_foreign;       /* memory ranges of kinds not known here */
	struct chunk_slot slot[CHUNK_SLOTS];
};
/** Makes @s->zstd if it is not there. */
struct err *snap_unpacker(struct snap *s) _must_check_;
/** Windows of SNAP_CHUNK bytes that @m, which has chunks, touches. */
uint64_t chunk_windows(const struct snap_memory *m);
/** Entry @k, whose bytes are known to lie inside CHUNK_DATA. */
struct err *chunk_entry(const struct snap *s, uint64_t k, struct chunk *out)
	_must_check_;
/** The stored bytes of an entry, verified by XXH3-128. */
struct err *chunk_stored(const struct snap *s, const struct chunk *c,
			 uint8_t out[CHUNK_STORED_MAX]) _must_check_;
/** What chunk @k of range @m must unpack to: [*start, *start + *n). */
void chunk_window(const struct snap_memory *m, uint64_t k, uint64_t *start,
		  uint32_t *n);
/** moved.c: why @m, of kind MOVED, cannot be; or NULL. */
const char *moved_fault(const struct snap_memory *m);
/** There and back: @n bytes, a multiple of 8, of words that @base moves. */
void moved_words(uint8_t *bytes, size_t n, uint64_t base);
/** Extents of a skeleton's payload. */
struct err *reader_extents(struct span payload, struct arena *a,
			   struct rows *out) _must_check_;

/* ---- text.c ---- */
extern const struct words text_os, text_state, text_memory, text_reason,
	text_how, text_attr, text_severity, text_id, text_variable, text_value;
/** NULL when out of range or without a word. */
const char *text_word(const struct words *w, uint64_t value);

#endif
