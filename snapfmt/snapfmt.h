/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snapfmt: the snapshot file - records, writer, reader, check, canonical dump.
 *
 * A snapshot is self-contained, little-endian, versioned and never rewritten
 * after its writer closed it; FORMAT.md describes every byte. The records
 * below are plain data with borrowed pointers, and those of the targets of
 * inspect too. The writer copies what it is given before it returns; records
 * from a reader are borrowed from the struct snap and live as long as it.
 */
#ifndef SNAPFMT_SNAPFMT_H
#define SNAPFMT_SNAPFMT_H

#include "base/base.h"

#define SNAP_CHUNK 16384u       /* bytes of address space behind one chunk */

/* ---- records; all numbers of enums are on disk ------------------------ */
enum snap_os { SNAP_OS_LINUX = 1, SNAP_OS_FREEBSD = 2 };

struct snap_process {
	uint16_t machine;       /* EM_* of the ELF specification */
	uint8_t os;             /* enum snap_os */
	uint8_t bits;           /* 32 or 64 */
	uint64_t pid, ppid, uid, gid;
	uint64_t faulting_tid;  /* 0 = none */
	int32_t signal;         /* number on that OS; 0 = not of a signal */
	int32_t signal_code;    /* si_code */
	bool has_fault_address;
	uint64_t fault_address; /* si_addr, where the signal has one */
	uint64_t captured_ns;   /* since the epoch; 0 = unknown */
	const char *name;       /* short command name */
	const char *arguments;  /* as one line, as far as the source had it */
	const char *exe, *cwd;  /* paths, of the executable too; or NULL */
};

enum snap_thread_state {
	SNAP_STATE_UNKNOWN = 0, SNAP_STATE_RUNNING = 1, SNAP_STATE_SLEEPING = 2,
	SNAP_STATE_BLOCKED = 3 /* uninterruptible */, SNAP_STATE_STOPPED = 4,
	SNAP_STATE_ZOMBIE = 5, SNAP_STATE_IDLE = 6,
};
/** Raw registers as the OS lays them out; kind = Linux NT_* note type. */
struct snap_regset {
	uint32_t kind;
	struct span bytes;
};
#define SNAP_REGSETS_MAX 16
struct snap_thread {
	uint64_t tid;
	uint8_t state;          /* enum snap_thread_state */
	bool faulting;
	int32_t signal;         /* stopped by; 0 = none of its own */
	const char *name;       /* NULL = unknown */
	const char *kernel_stack;       /* text, or NULL */
	struct span siginfo;    /* raw, n = 0 if none was captured */
	const struct snap_regset *regsets;      /* at most SNAP_REGSETS_MAX */
	size_t n_regsets;
};

enum { SNAP_PERM_R = 4, SNAP_PERM_W = 2, SNAP_PERM_X = 1, SNAP_PERM_SHARED = 8 };
struct snap_map {
	uint64_t start, end;    /* [start, end) */
	uint8_t perm;
	uint64_t offset, device, inode;
	const char *path;       /* NULL = anonymous */
};

enum { SNAP_MODULE_MAIN = 1, SNAP_MODULE_VDSO = 2, SNAP_MODULE_INTERP = 4 };
#define SNAP_NO_SKELETON UINT32_MAX
struct snap_module {
	struct module_id id;
	uint32_t flags;
	uint64_t start, end;    /* span of its mappings */
	uint64_t bias;          /* run-time address - ELF p_vaddr */
	uint64_t dynamic;       /* run-time address of its PT_DYNAMIC, or 0 */
	uint64_t link_map;      /* of its struct link_map, or 0 */
	uint64_t file_size;     /* of the ELF file its skeleton is from, or 0 */
	const char *path;       /* real path of the file */
	const char *const *names;       /* names it was opened by (l_name, …) */
	size_t n_names;
	uint32_t skeleton;      /* index, or SNAP_NO_SKELETON */
};
/** Those extents of a module's ELF file that unwinding and naming need, a
 * function of the file alone; sorted and disjoint. */
struct snap_extent {
	uint64_t offset;        /* in the ELF file */
	struct span bytes;
};

/** What is known of a range of the address space. */
enum snap_memory_kind {
	SNAP_MEM_DATA = 1,      /* bytes in chunks */
	SNAP_MEM_ZERO = 2,      /* captured, all zero */
	SNAP_MEM_FILE = 3,      /* same as module @ref's file at @offset */
	SNAP_MEM_ABSENT = 4,    /* mapped, not captured, because of @reason */
	SNAP_MEM_DELTA = 5,     /* reserved: chunks against another snapshot */
	SNAP_MEM_MOVED = 6,     /* in files: DATA with words moved by a bias */
};
enum snap_reason {
	SNAP_ABSENT_UNKNOWN = 0, SNAP_ABSENT_BUDGET = 1, SNAP_ABSENT_TIME = 2,
	SNAP_ABSENT_DEPTH = 3, SNAP_ABSENT_UNREADABLE = 4,
	SNAP_ABSENT_DONTDUMP = 5, SNAP_ABSENT_DEVICE = 6,
	SNAP_ABSENT_REDACTED = 7, SNAP_ABSENT_CUT = 8 /* input ends before */,
	SNAP_ABSENT_FILTER = 9  /* left out by whoever wrote the core */,
	SNAP_REASONS
};
enum { SNAP_MEM_FROM_FILE = 1   /* bytes are the file's, not the process's */ };
struct snap_memory {
	uint64_t start, length; /* bytes; sorted, disjoint over the file */
	uint8_t kind, reason;   /* enums above */
	uint16_t flags;
	uint32_t ref;           /* first chunk, or module index */
	uint64_t offset;        /* FILE: in the module's file; MOVED: the bias */
};

enum snap_frame_how {
	SNAP_FRAME_TOP = 1,     /* the thread's registers */
	SNAP_FRAME_CFI = 2, SNAP_FRAME_FP = 3, SNAP_FRAME_SCAN = 4,
	SNAP_FRAME_INLINE = 5,
	SNAP_FRAME_TAIL = 6,    /* called on by a jump: left no frame */
};
enum { SNAP_FRAME_SIGNAL = 1    /* a signal handler's trampoline */,
       SNAP_FRAME_SUSPECT = 2 };
/** A resolved frame: a hint with provenance, a better view wins. */
struct snap_frame {
	uint64_t tid;
	uint32_t depth;         /* 0 = innermost */
	uint8_t how;
	uint8_t flags;
	uint32_t module;        /* index, or UINT32_MAX */
	uint64_t pc, cfa;
	uint64_t function_offset;
	const char *function, *file;    /* NULL = unknown */
	uint32_t line;          /* 0 = unknown */
};

enum snap_attr_type { SNAP_ATTR_STRING = 1, SNAP_ATTR_U64 = 2,
		      SNAP_ATTR_I64 = 3, SNAP_ATTR_F64 = 4, SNAP_ATTR_BOOL = 5 };
struct snap_attr {
	const char *key;
	uint8_t type;
	const char *string;     /* SNAP_ATTR_STRING */
	uint64_t number;        /* the others: bits of the value */
};

enum snap_severity { SNAP_INFO = 1, SNAP_WARNING = 2, SNAP_CRITICAL = 3 };
struct snap_note {
	const char *key, *text;
	uint8_t severity;
	uint64_t tid;           /* 0 = the process */
	uint32_t depth;         /* frame, or UINT32_MAX */
	uint64_t address;       /* 0 = none */
};

/** A named blob: a raw /proc text, or an attached file. */
struct snap_blob {
	const char *name;
	struct span bytes;
};

struct snap_provenance {
	const char *producer;   /* "inquest 0.1.0" */
	const char *source;     /* "elf-core", "live", "minidump" */
	const char *source_name;
	uint64_t created_ns, pause_ns;
	uint64_t series, series_index;          /* 0 = none */
};

/* ---- writer ------------------------------------------------------------ */
/**
 * Streams: memory first (ascending), then records in any order, then close.
 * Until snap_writer_close() succeeded the bytes are recognisably unfinished.
 * @threads pack beside the caller; the file is the same however many (0 too).
 */
struct snap_writer;
typedef struct err *snap_sink_fn(void *arg, const void *data, size_t n);
struct err *snap_writer_new(snap_sink_fn *sink, void *arg, unsigned threads,
			    struct snap_writer **out) _must_check_;
void snap_writer_free(struct snap_writer *w);
void snap_writer_freep(struct snap_writer **w);
#define _snap_writer_ _cleanup_(snap_writer_freep)

/** Captured bytes at @addr, which is not below what came before. */
struct err *snap_put_memory(struct snap_writer *w, uint64_t addr,
			    const void *data, size_t n, uint16_t flags)
	_must_check_;
/** A range without data: kind ZERO, FILE or ABSENT; same order rule. */
struct err *snap_put_range(struct snap_writer *w, const struct snap_memory *m)
	_must_check_;
/** Yields the index for struct snap_module; equal skeletons share one. */
struct err *snap_put_skeleton(struct snap_writer *w,
			      const struct snap_extent *extents, size_t n,
			      uint32_t *index) _must_check_;
struct err *snap_put_process(struct snap_writer *w,
			     const struct snap_process *p) _must_check_;
struct err *snap_put_thread(struct snap_writer *w, const struct snap_thread *t)
	_must_check_;
struct err *snap_put_map(struct snap_writer *w, const struct snap_map *m)
	_must_check_;
struct err *snap_put_module(struct snap_writer *w, const struct snap_module *m)
	_must_check_;
struct err *snap_put_frame(struct snap_writer *w, const struct snap_frame *f)
	_must_check_;
struct err *snap_put_attr(struct snap_writer *w, const struct snap_attr *a)
	_must_check_;
struct err *snap_put_note(struct snap_writer *w, const struct snap_note *n)
	_must_check_;
struct err *snap_put_text(struct snap_writer *w, const struct snap_blob *b)
	_must_check_;
struct err *snap_put_file(struct snap_writer *w, const struct snap_blob *b)
	_must_check_;
struct err *snap_put_auxv(struct snap_writer *w, struct span raw) _must_check_;
struct err *snap_put_provenance(struct snap_writer *w,
				const struct snap_provenance *p) _must_check_;
struct err *snap_writer_close(struct snap_writer *w) _must_check_;

/* ---- reader ------------------------------------------------------------ */
struct snap;
/** Does @src begin like a snapshot? False also when it cannot be read. */
bool snap_is(struct source *src);
/**
 * Borrows @src until snap_free(). Reads and verifies directory and tables;
 * chunks, skeletons and attached files are verified as they are read. Holds
 * at most 320 MiB, ERR_LIMIT if it wants more. ERR_FORMAT if it
 * is no snapshot, ERR_DAMAGED (naming section and offset) if it is a damaged
 * or unfinished one, ERR_UNSUPPORTED for a newer major version.
 */
struct err *snap_open(struct source *src, struct snap **out) _must_check_;
void snap_free(struct snap *s);
void snap_freep(struct snap **s);
#define _snap_ _cleanup_(snap_freep)

/** Never NULL: what is not in the file reads as zeros and empty strings. */
const struct snap_process *snap_process(const struct snap *s);
const struct snap_provenance *snap_provenance(const struct snap *s);
const struct snap_thread *snap_threads(const struct snap *s, size_t *n);
const struct snap_map *snap_maps(const struct snap *s, size_t *n);
const struct snap_module *snap_modules(const struct snap *s, size_t *n);
/** A kind that this version cannot read (DELTA) is ABSENT, unknown. */
const struct snap_memory *snap_memory(const struct snap *s, size_t *n);
const struct snap_frame *snap_frames(const struct snap *s, size_t *n);
const struct snap_attr *snap_attrs(const struct snap *s, size_t *n);
const struct snap_note *snap_notes(const struct snap *s, size_t *n);
const struct snap_blob *snap_texts(const struct snap *s, size_t *n);
/** Names and sizes (@bytes.n); @bytes.data is NULL, see snap_file(). */
const struct snap_blob *snap_files(const struct snap *s, size_t *n);
struct span snap_auxv(const struct snap *s);

/**
 * @n bytes at @off into range @m, which is DATA or ZERO of this snapshot;
 * ERR_ABSENT for others. @out is untouched on failure; up to 64 KiB at a
 * time decode each chunk once only.
 */
struct err *snap_read(struct snap *s, const struct snap_memory *m,
		      uint64_t off, size_t n, void *out) _must_check_;
/** The key of the chunk that holds @off of DATA range @m: of equal keys the bytes
 * are equal; and the bytes it goes on for. False where there is none. */
bool snap_key(const struct snap *s, const struct snap_memory *m, uint64_t off,
	      uint8_t key[SHA256_SIZE], uint64_t *left);
/** Give back what snap_read() keeps in order to be fast. */
void snap_rest(struct snap *s);
/** Borrowed until snap_free(), as the bytes of all records. */
struct err *snap_file(struct snap *s, size_t index, struct span *out)
	_must_check_;
struct err *snap_skeleton(struct snap *s, uint32_t index,
			  const struct snap_extent **extents, size_t *n)
	_must_check_;

/**
 * The file as consecutive pieces that cover it without a gap: each chunk and
 * each skeleton by itself, and what lies between. For a store that keeps what
 * several files share once. In @a.
 */
enum snap_piece_kind { SNAP_PIECE_PLAIN, SNAP_PIECE_CHUNK,
		       SNAP_PIECE_SKELETON };
struct snap_piece {
	uint64_t offset, length;        /* bytes of the file; length > 0 */
	uint8_t kind;
};
struct err *snap_pieces(const struct snap *s, struct arena *a,
			const struct snap_piece **out, size_t *n) _must_check_;

/** Words for an enum's value; "?" when out of range. */
const char *snap_reason_text(uint8_t reason), *snap_reason_why(uint8_t reason);
const char *snap_state_text(uint8_t state);

/* ---- check and dump ---------------------------------------------------- */
/** Called for each fault: "section THREADS at offset 4096: …". */
typedef void snap_fault_fn(void *arg, const char *sentence);
/**
 * Verify every checksum, bound and reference. Yields the number of faults;
 * an error only where @src could not be read, is no snapshot (ERR_FORMAT), or
 * is one that this version cannot judge (ERR_UNSUPPORTED).
 */
struct err *snap_check(struct source *src, snap_fault_fn *fault, void *arg,
		       size_t *faults) _must_check_;
/** Canonical text of everything, one record a line; memory as hash and size. */
struct err *snap_dump(struct snap *s, struct buf *out) _must_check_;

#endif
