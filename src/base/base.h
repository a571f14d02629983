/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base: what every room stands on - error values, ownership helpers, output
 * buffers, bounds-checked reading, arenas, byte sources, hashes and option
 * tables; JSON is in base/json.h.
 *
 * Nothing here prints, exits, reads the environment or keeps a mutable global.
 * Words in contracts: a function that *takes* an argument frees it even on
 * failure; one that *borrows* keeps no reference, or says until when.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define _must_check_ __attribute__((warn_unused_result))
#define _printf_(f, a) __attribute__((format(printf, f, a)))
#define _returns_nonnull_ __attribute__((returns_nonnull))
#define _cleanup_(fn) __attribute__((cleanup(fn)))
#define countof(a) (sizeof(a) / sizeof((a)[0]))
/** Hand a cleanup variable's value over: yields it and leaves NULL. */
#define take(p) ({ __typeof__(p) take_ = (p); (p) = NULL; take_; })

void base_free(void *pp);               /* free(*(void **)pp) */
void base_close(int *fd);               /* close if >= 0 */
#define _free_ _cleanup_(base_free)
#define _close_ _cleanup_(base_close)

/** True and @sum set, unless a + b overflows. */
bool u64_add(uint64_t a, uint64_t b, uint64_t *sum) _must_check_;

/* ---- errors ---------------------------------------------------------- */
/** Decides the exit status and how a surface shows the failure. */
enum err_kind {
	ERR_FAILED = 1,         /* plain failure, nothing matched    exit 1 */
	ERR_FORMAT,             /* not such a file at all            exit 1 */
	ERR_UNSUPPORTED,        /* such a file, but not handled      exit 1 */
	ERR_USAGE,              /* the caller's words are off        exit 2 */
	ERR_NOTFOUND,           /* no such file, object, thread      exit 3 */
	ERR_DENIED,             /* not permitted                     exit 4 */
	ERR_NETWORK,            /*                                   exit 5 */
	ERR_DAMAGED,            /* damaged or truncated input        exit 6 */
	ERR_LIMIT,              /* input asks for more than allowed  exit 6 */
	ERR_UNMAPPED,           /* no mapping covers the address     exit 1 */
	ERR_ABSENT,             /* mapped, but not captured          exit 1 */
	ERR_NOMEM,              /*                                   exit 1 */
	ERR_IO,                 /* the system refused to read/write  exit 1 */
	ERR_KINDS
};

/**
 * An error value: NULL is success. Owned by whoever received it, until it goes
 * to err_wrap() or err_free(). One sentence; control bytes are shown escaped.
 */
struct err;
struct err *err_new(enum err_kind kind, const char *fmt, ...)
	_printf_(2, 3) _must_check_ _returns_nonnull_;
/** From errno: the text ends in ": " and the system's word for it. */
struct err *err_errno(const char *fmt, ...)
	_printf_(1, 2) _must_check_ _returns_nonnull_;
/** "context: text"; takes @err, keeps its kind. err_wrap(NULL, …) is NULL. */
struct err *err_wrap(struct err *err, const char *fmt, ...)
	_printf_(2, 3) _must_check_;
/** The out-of-memory error; a static value, freeing it is harmless. */
struct err *err_nomem(void) _must_check_ _returns_nonnull_;
enum err_kind err_kind(const struct err *err);
const char *err_text(const struct err *err);
/** What a program ends with for it: 0 for NULL. */
int err_exit_status(const struct err *err);
void err_free(struct err *err), err_freep(struct err **err);
#define _err_ _cleanup_(err_freep)

/* ---- output buffer --------------------------------------------------- */
/**
 * Growing bytes. Failure (no memory, or more than @max when @max != 0) is
 * sticky: later puts do nothing, and buf_err() tells once at the end. Zeroed
 * is empty: @data is NULL until the first put, NUL-terminated from then on.
 */
struct buf {
	char *data;
	size_t len, cap, max;
	bool failed, limited;   /* limited: it was @max that failed it */
};
void buf_fini(struct buf *b), buf_reset(struct buf *b); /* empty, not failed */
#define _buf_ _cleanup_(buf_fini)
void buf_put(struct buf *b, const void *data, size_t n);
void buf_puts(struct buf *b, const char *s), buf_putc(struct buf *b, char c);
void buf_zero(struct buf *b, size_t n); /* n NUL bytes */
char *buf_extend(struct buf *b, size_t n);      /* to fill in; or NULL */
void buf_printf(struct buf *b, const char *fmt, ...) _printf_(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) _printf_(2, 0);
void buf_u16(struct buf *b, uint16_t v);        /* little-endian */
void buf_u32(struct buf *b, uint32_t v), buf_u64(struct buf *b, uint64_t v);
void buf_hex(struct buf *b, const void *data, size_t n);        /* lower case */
void buf_base64(struct buf *b, const void *data, size_t n);     /* with "=" */
void buf_size(struct buf *b, uint64_t bytes);   /* for a person: "312 KiB" */
/**
 * @n bytes of a foreign string for a person: controls, those that turn text
 * around too, and invalid UTF-8 become \xNN, backslash becomes \\.
 */
void buf_escape(struct buf *b, const char *s, size_t n);
/** The same for text between XML tags or quotes; also & < > " '. */
void buf_xml(struct buf *b, const char *s, size_t n);
struct err *buf_err(const struct buf *b) _must_check_;

/* ---- bounds-checked reading ------------------------------------------ */
/**
 * A cursor over borrowed bytes; integers are little-endian unless @big. A read
 * past the end yields 0 or NULL and is sticky: rd_failed(), with nothing left.
 */
struct rd {
	const uint8_t *base;
	size_t len, pos;
	bool failed, big;
};
struct rd rd_of(const void *data, size_t n);
uint8_t rd_u8(struct rd *r);
uint16_t rd_u16(struct rd *r);
uint32_t rd_u32(struct rd *r);
uint64_t rd_u64(struct rd *r);
/** @n bytes, borrowed from the reader's data; NULL (and failed) if short. */
const void *rd_bytes(struct rd *r, size_t n);
/** A NUL-terminated string, borrowed; NULL (and failed) without a NUL. */
const char *rd_str(struct rd *r);
void rd_skip(struct rd *r, size_t n), rd_seek(struct rd *r, size_t pos);
/** Move to a multiple of @align, counted from the reader's start. */
void rd_align(struct rd *r, size_t align);
size_t rd_left(const struct rd *r);
bool rd_failed(const struct rd *r);

/* ---- arena ----------------------------------------------------------- */
/**
 * Memory that dies together. Allocations are zeroed and aligned to 16 bytes;
 * NULL when @limit (bytes in all; 0 = none) or the system's memory is spent.
 */
struct arena;
struct arena *arena_new(size_t limit);
void arena_free(struct arena *a), arena_freep(struct arena **a);
#define _arena_ _cleanup_(arena_freep)
void *arena_alloc(struct arena *a, size_t n);
/** @n elements of @size bytes; NULL on overflow too. */
void *arena_array(struct arena *a, size_t n, size_t size);
void *arena_dup(struct arena *a, const void *data, size_t n);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) _printf_(2, 3);
size_t arena_used(const struct arena *a);
/** All that was allocated since arena_mark() goes, as of what failed half-way;
 * the rest stays where it is. */
struct arena_mark {
	void *block, *at;
	size_t left, next, used;
};
struct arena_mark arena_mark(const struct arena *a);
void arena_rewind(struct arena *a, const struct arena_mark *to);

/**
 * A growing array of plain elements in an arena (old copies stay there). Zeroed
 * is empty. vec_add() yields the new zeroed element, or NULL when memory is
 * spent or @n has reached @max (0 = none).
 */
struct vec {
	void *data;
	size_t n, cap, max;
};
void *vec_add(struct vec *v, struct arena *a, size_t size);

/** Bytes borrowed from somewhere; @data may be NULL when @n is 0. */
struct span {
	const void *data;
	size_t n;
};

/* ---- byte sources ---------------------------------------------------- */
/** Random access to immutable bytes: a file (by pread: one that shrinks is an
 * error, no signal), memory, or a fetcher. As thread-safe as that is. */
struct source;
/** Takes @fd. @name is for messages; copied. */
struct err *source_fd(int fd, const char *name, struct source **out)
	_must_check_;
/** Borrows @data until source_free(). */
struct err *source_mem(const void *data, size_t n, const char *name,
		       struct source **out) _must_check_;
typedef struct err *source_fetch_fn(void *arg, uint64_t off, size_t n,
				    void *out);
/** @size bytes behind @fetch; @done (or NULL) runs when freed or on failure. */
struct err *source_fetch(source_fetch_fn *fetch, void (*done)(void *),
			 void *arg, uint64_t size, const char *name,
			 struct source **out) _must_check_;
uint64_t source_size(const struct source *s);
const char *source_name(const struct source *s);
/** The descriptor behind a file source, borrowed; -1 for the others. */
int source_descriptor(const struct source *s);
/** All of [off, off+n) or ERR_DAMAGED "…: truncated: …" and nothing. */
struct err *source_read(struct source *s, uint64_t off, size_t n, void *out)
	_must_check_;
/** As source_read(), into fresh memory of @a. ERR_LIMIT over @limit bytes. */
struct err *source_load(struct source *s, uint64_t off, uint64_t n,
			uint64_t limit, struct arena *a, struct span *out)
	_must_check_;
void source_free(struct source *s), source_freep(struct source **s);
#define _source_ _cleanup_(source_freep)

/* ---- io -------------------------------------------------------------- */
/** Write all of it, through EINTR and short writes. */
struct err *io_write(int fd, const void *data, size_t n) _must_check_;
/** Append a small regular file to @out; ERR_LIMIT over @limit (0 = none). */
struct err *io_read_file(const char *path, size_t limit, struct buf *out)
	_must_check_;

/* ---- ids and hashes -------------------------------------------------- */
/** How a module is known; numbers are on disk (FORMAT.md). */
enum id_kind {
	ID_NONE = 0,            /* no id at all; @len is 0 */
	ID_GNU_BUILD_ID = 1,
	ID_PDB = 2,             /* GUID + age */
	ID_MACHO_UUID = 3,
	ID_CONTENT = 4,         /* SHA-256 of the file */
};
#define ID_MAX 64
struct module_id {
	uint8_t kind, len, bytes[ID_MAX];
};
/** The same kind and bytes; two ID_NONE are equal: they say nothing. */
bool id_equal(const struct module_id *a, const struct module_id *b);
/** Hex digits of the id into @out; "" for ID_NONE. */
void id_text(const struct module_id *id, char out[2 * ID_MAX + 1]);

enum { SHA256_SIZE = 32, XXH128_SIZE = 16 };
struct err *hash_sha256(const void *data, size_t n, uint8_t out[SHA256_SIZE])
	_must_check_;
/** Running forms, for data that is streamed. NULL without memory. */
struct hash_sha *hash_sha_new(void);
struct err *hash_sha_add(struct hash_sha *h, const void *data, size_t n)
	_must_check_;
struct err *hash_sha_end(struct hash_sha *h, uint8_t out[SHA256_SIZE])
	_must_check_;
void hash_sha_freep(struct hash_sha **h);
#define _hash_sha_ _cleanup_(hash_sha_freep)
/** XXH3-128, seed 0, in its canonical (big-endian) byte order. */
void hash_xxh128(const void *data, size_t n, uint8_t out[XXH128_SIZE]);
struct hash_xxh *hash_xxh_new(void);
void hash_xxh_add(struct hash_xxh *h, const void *data, size_t n);
void hash_xxh_end(struct hash_xxh *h, uint8_t out[XXH128_SIZE]);
void hash_xxh_free(struct hash_xxh *h);

/** Parse up to 16 hex digits that fill all of [s, s+n); false otherwise. */
bool hex_u64(const char *s, size_t n, uint64_t *out) _must_check_;
/** 2n hex digits to n bytes; false on any other character. */
bool hex_bytes(const char *s, size_t n_bytes, void *out) _must_check_;
/** Appends what base64 stands for; false, and part of it, on what is none. */
bool base64_bytes(const char *s, size_t n, struct buf *out) _must_check_;

/* ---- regular expressions (Perl's), over bytes ------------------------ */
struct regex;
struct err *regex_new(const char *text, struct regex **out) _must_check_;
void regex_free(struct regex *r);
/** The first match from @from on: [at[0], at[1]), which may be empty. */
enum regex_answer { REGEX_NONE, REGEX_HIT, REGEX_GAVE_UP /* limits */ };
enum regex_answer regex_next(struct regex *r, struct span in, size_t from,
			     size_t at[static 2]) _must_check_;

/* ---- option tables --------------------------------------------------- */
/**
 * A row of a verb's options. @offset: where in the caller's options struct the
 * value goes, by @type: OPT_FLAG bool, OPT_STRING const char * (borrowed from
 * argv), OPT_U64 uint64_t (k, M, G, or 0x…), OPT_LIST struct opt_list (repeats).
 */
enum opt_type { OPT_FLAG, OPT_STRING, OPT_U64, OPT_LIST,
		OPT_RARE = 8 /* with one of these: in the manual only */ };
struct opt {
	const char *name;       /* long name, without dashes; NULL ends */
	char letter;            /* short form, or 0 */
	const char *arg;        /* metavariable for help, or NULL */
	const char *help;       /* one line */
	enum opt_type type;
	size_t offset;
};
#define OPT_LIST_MAX 64
struct opt_list {
	const char *item[OPT_LIST_MAX];
	size_t n;
};
/** Parse argv[1…] (options may follow operands, "--" ends them): the operands
 * are then argv[*first…]. ERR_USAGE names what is off. */
struct err *opt_parse(const struct opt *table, int argc, char **argv,
		      void *options, int *first) _must_check_;

#endif
