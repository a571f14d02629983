/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspect: the one engine that understands a target.
 *
 * A target (ELF core, snapshot) is a set of records and a way to read memory;
 * a struct insp puts address space, modules, registers, unwinding, symbols
 * and thread-local storage over it. Inspect opens no path and no socket: it
 * asks struct supply. It has no globals; two engines live in one process.
 * Everything handed out is borrowed and lives as long as the engine, unless
 * said otherwise. Not thread-safe: one engine, one thread. */
#ifndef INSPECT_INSPECT_H
#define INSPECT_INSPECT_H

#include "base/base.h"
#include "snapfmt/resolved.h"

/* ---- supply: what inspect asks of the world outside -------------------- */
enum supply_kind {
	SUPPLY_EXE = 1,         /* the ELF file that was mapped */
	SUPPLY_DEBUG = 2,       /* its separate debug file */
	SUPPLY_ALT = 3,         /* dwz alternate of a debug file */
	SUPPLY_SOURCE = 4, SUPPLY_TEXT = 9,     /* source @path; to read only */
	SUPPLY_INDEX = 5, SUPPLY_SPOILT = 8,    /* symbol index; it is bad */
	SUPPLY_SPLIT = 6, SUPPLY_PACKAGE = 7,   /* .dwo file @path; .dwp */
};
struct supply_ask {
	uint8_t kind;
	struct module_id id;    /* ID_NONE: by path alone */
	const char *path;       /* recorded path of the module, or NULL */
	const char *link;       /* .gnu_debuglink or altlink name, or NULL */
	uint32_t nth;           /* which candidate, from 0 */
};
struct supply {
	/**
	 * Candidate @ask->nth as a read-only descriptor which the caller
	 * owns; ERR_NOTFOUND after the last. Not vouched for: inspect checks.
	 */
	struct err *(*module)(void *arg, const struct supply_ask *ask, int *fd);
	void *arg;
};

/* ---- target ------------------------------------------------------------ */
/**
 * What a file tells, filled when it is opened. The first thread is the
 * faulting one where there is one. @memory is sorted and disjoint and covers
 * all that is known to be mapped. @modules may be empty: inspect finds them.
 * @gaps are sentences on what is missing in the input, for a person to read.
 */
struct target {
	const struct target_ops *ops;
	struct arena *arena;            /* owns all below */
	struct snap_process process;
	const struct snap_thread *threads;
	const struct snap_map *maps;
	const struct snap_memory *memory;
	const struct snap_module *modules;
	const struct snap_blob *texts;  /* "maps", "status", … as in /proc/PID */
	const struct snap_frame *frames;        /* resolved earlier: hints */
	const struct snap_variable *variables;  /* likewise */
	const struct snap_attr *attrs;
	const struct snap_note *notes;
	const struct snap_blob *files;  /* attached: @bytes.n, see ops->file */
	const char *const *gaps;
	size_t n_threads, n_maps, n_memory, n_modules, n_texts, n_frames,
	       n_variables, n_attrs, n_notes, n_files, n_gaps;
	struct span auxv;
};
struct target_ops {
	const char *kind;               /* "elf-core", "snapshot" */
	/** [off, off+n) of memory[range], which is DATA or ZERO. */
	struct err *(*read)(struct target *t, size_t range, uint64_t off,
			    size_t n, void *out);
	/** As snap_key(), of memory[range]; NULL operation = no keys. */
	bool (*key)(struct target *t, size_t range, uint64_t off,
		    uint8_t key[SHA256_SIZE], uint64_t *left);
	/** Extents of a stored skeleton; NULL operation = there are none. */
	struct err *(*skeleton)(struct target *t, uint32_t index,
				const struct snap_extent **out, size_t *n);
	/** The bytes of an attached file, until close. */
	struct err *(*file)(const struct target *t, size_t nth,
			    struct span *out);
	/** Give back what only makes reading fast; NULL operation = nothing. */
	void (*rest)(struct target *t);
	void (*close)(struct target *t);
};
/**
 * Open whatever kind of target @src is. Borrows @src until target_free().
 * ERR_FORMAT if it is none of the known kinds.
 */
struct err *target_open(struct source *src, struct target **out) _must_check_;
void target_free(struct target *t);
void target_freep(struct target **t);
#define _target_ _cleanup_(target_freep)

/* ---- address space ------------------------------------------------------ */
/**
 * A read has three answers: bytes; ERR_UNMAPPED; ERR_ABSENT - mapped but not
 * captured, and the text says why. Order of truth: the session's overlay,
 * captured bytes, bytes of a module's file whose id matched (read-only
 * mappings only).
 */
struct space;
struct region {
	uint64_t start, end;    /* an unmapped gap has bounds too */
	bool mapped, captured;
	bool from_file;         /* bytes come from the module's file */
	uint8_t reason;         /* enum snap_reason, when mapped, !captured */
	const struct snap_map *map;     /* NULL = unknown */
};
/** All @n bytes or an error; @out is untouched on failure. */
struct err *space_read(struct space *sp, uint64_t addr, size_t n, void *out)
	_must_check_;
/** As many as there are from @addr on: *got in 1…n, or an error. */
struct err *space_read_some(struct space *sp, uint64_t addr, size_t n,
			    void *out, size_t *got) _must_check_;
struct err *space_u64(struct space *sp, uint64_t addr, uint64_t *out)
	_must_check_;
/** A NUL-terminated string of at most @limit bytes, into @a. */
struct err *space_string(struct space *sp, uint64_t addr, size_t limit,
			 struct arena *a, const char **out) _must_check_;
void space_region(struct space *sp, uint64_t addr, struct region *out);

/* ---- architecture and registers ------------------------------------------ */
struct reg {
	const char *name;       /* gdb's name */
	const char *feature;    /* org.gnu.gdb.… */
	const char *type;       /* gdb's type: "int64", "vec128", … */
	const char *group;      /* "general", "float", "vector", … or NULL */
	const char *generic;    /* lldb: "pc", "sp", "arg1", … or NULL */
	const char *encoding;   /* lldb: "uint", "ieee754", "vector" */
	const char *format;     /* lldb: "hex", "float", "vector-uint8", … */
	uint16_t bits;
	int16_t dwarf;          /* DWARF and eh_frame number, or -1 */
};
#define REG_BYTES_MAX 64
struct arch {
	const char *name;       /* "x86_64" */
	const char *gdb_name;   /* "i386:x86-64" */
	uint16_t machine;       /* EM_* */
	uint16_t pc, sp, fp, tp;        /* DWARF numbers */
	uint16_t frame_regs;    /* those below are frame registers */
};
/** Frame registers by DWARF number: arch.frame_regs of them. */
#define FRAME_REGS 33
struct frame_regs {
	uint64_t value[FRAME_REGS];
	uint64_t known;         /* bit n: value[n] is certain */
};

/* ---- the engine ----------------------------------------------------------- */
struct insp;
struct insp_options {
	const struct supply *supply;    /* NULL: only what the target holds */
	struct source *exe;             /* the main program, by the user's
					   word; NULL = find it. Borrowed */
};
/**
 * Takes @t. Finds modules and registers. ERR_UNSUPPORTED for an architecture
 * without a table row (named); ERR_FAILED if options->exe is another program.
 */
struct err *insp_open(struct target *t, const struct insp_options *options,
		      struct insp **out) _must_check_;
void insp_free(struct insp *i);
void insp_freep(struct insp **i);
#define _insp_ _cleanup_(insp_freep)
/** Nobody asks for a while: memory that comes back by itself is given back. */
void insp_rest(struct insp *i);
const struct target *insp_target(const struct insp *i);
struct space *insp_space(struct insp *i);
const struct arch *insp_arch(const struct insp *i);
/** What is missing, one sentence each: the target's gaps and inspect's own. */
const char *const *insp_gaps(struct insp *i, size_t *n);
/** Value of an auxv entry; false if there is none. */
bool insp_auxv(const struct insp *i, uint64_t type, uint64_t *value);

/** The registers this target has, in gdb's order. */
const struct reg *insp_regs(const struct insp *i, size_t *n);
/** bits/8 bytes, little-endian; *known false = not captured, untouched. */
struct err *insp_reg_read(struct insp *i, size_t thread, size_t reg,
			  void *out, bool *known) _must_check_;
/** Into the session's overlay. */
struct err *insp_reg_write(struct insp *i, size_t thread, size_t reg,
			   const void *value) _must_check_;
/** The innermost frame's registers. */
struct err *insp_frame_regs(struct insp *i, size_t thread,
			    struct frame_regs *out) _must_check_;
#define INSP_NONE SIZE_MAX
size_t insp_find_thread(const struct insp *i, uint64_t tid);

/* ---- modules --------------------------------------------------------------- */
const struct snap_module *insp_modules(const struct insp *i, size_t *n);
/** DT_DEBUG of a dynamic section at @dynamic: struct r_debug; 0 = none. */
uint64_t insp_r_debug(struct insp *i, uint64_t dynamic);
/** Index of the module that covers @addr, or INSP_NONE. */
size_t insp_module_at(const struct insp *i, uint64_t addr);
/** Index by any of its names or its real path, or INSP_NONE. */
size_t insp_module_named(const struct insp *i, const char *name);
enum module_file {
	MODULE_FILE_NONE,       /* nothing at all */
	MODULE_FILE_EXACT,      /* the file itself, id verified */
	MODULE_FILE_UNVERIFIED, /* has no id; its headers match memory */
	MODULE_FILE_COMPOSED,   /* from skeleton and captured pages */
};
enum module_file insp_module_file_kind(struct insp *i, size_t module);
/** The ELF file to show to a debugger; borrowed. ERR_NOTFOUND if none. */
struct err *insp_module_file(struct insp *i, size_t module,
			     struct source **out) _must_check_;
/** By build-id: a debug file, verified; or the source @src. Borrowed. */
struct err *insp_file_by_id(struct insp *i, const struct module_id *id,
			    const char *src, struct source **out) _must_check_;
/** Skeleton extents of a module's file; ERR_NOTFOUND without a file. */
struct err *insp_module_skeleton(struct insp *i, size_t module,
				 const struct snap_extent **out, size_t *n,
				 uint64_t *file_size) _must_check_;

/* ---- symbols and lines ------------------------------------------------------ */
struct symbol {
	const char *name;       /* demangled */
	const char *linkage;    /* as in the symbol table */
	uint64_t address, size;
	size_t module;
};
struct err *insp_symbol(struct insp *i, uint64_t addr, struct symbol *out)
	_must_check_;
struct line {
	const char *file;
	uint32_t line, column;
};
struct err *insp_line(struct insp *i, uint64_t addr, struct line *out)
	_must_check_;
void insp_limit_lines(struct insp *i, uint64_t bytes);  /* insp_line() reads */
/** Of a dynamic or static symbol in one module, in its default version. */
struct err *insp_symbol_address(struct insp *i, size_t module,
				const char *linkage, uint64_t *out)
	_must_check_;
/** A variable of a symbol table; strings are borrowed for the call. */
struct variable {
	const char *name;       /* demangled */
	const char *linkage;
	uint64_t address;       /* of a thread-local one: for insp_tls() */
	uint64_t size;          /* 0 = the table does not say */
	bool thread_local_;
};
typedef struct err *insp_variable_fn(void *arg, const struct variable *v);
/** Each variable of one module, in the table's order, until one errs. */
struct err *insp_variables(struct insp *i, size_t module, insp_variable_fn *fn,
			   void *arg) _must_check_;

/* ---- unwinding --------------------------------------------------------------- */
struct frame {
	struct frame_regs regs;
	uint64_t pc, cfa;       /* cfa 0 = unknown */
	uint8_t how;            /* enum snap_frame_how */
	uint8_t flags;          /* SNAP_FRAME_SIGNAL, SNAP_FRAME_SUSPECT */
	size_t module;          /* or INSP_NONE */
};
enum stack_end {
	STACK_COMPLETE,         /* reached the outermost frame */
	STACK_TRUNCATED,        /* could not go on: @why */
	STACK_LIMIT,            /* more frames than asked for */
};
struct stack {
	const struct frame *frames;     /* owned by @arena given */
	size_t n;
	enum stack_end end;
	const char *why;        /* when not complete; one clause */
};
/**
 * Unwind a thread: CFI, else frame pointer if plausible, else an honest end.
 * Looks up pc - 1 except in frame 0 and below a signal frame. With
 * @second_opinion libunwind is asked too; where it disagrees, the frame and
 * all outer ones are marked suspect.
 */
struct err *insp_stack(struct insp *i, size_t thread, size_t max_frames,
		       bool second_opinion, struct arena *a,
		       struct stack *out) _must_check_;
/** The pc to look up names and lines with for frame @n of @s. */
uint64_t stack_lookup_pc(const struct stack *s, size_t n);
/** A stack with names; @frames[k].depth is k, index of @module as here. */
struct view {
	const struct snap_frame *frames;        /* owned by @arena, or stored */
	size_t n;
	enum stack_end end;
	const char *why;
	bool stored;            /* as the snapshot has it, not unwound now */
};
/**
 * The best view of a thread's stack: unwound and named now, with a second
 * opinion for the faulting thread; names from the snapshot where there are
 * none any more; and its stored frames where unwinding got less far.
 */
struct err *insp_view(struct insp *i, size_t thread, size_t max_frames,
		      struct arena *a, struct view *out) _must_check_;

/* ---- thread-local storage ------------------------------------------------------ */
/** Address of @offset in the TLS block of the module with that link map. */
struct err *insp_tls(struct insp *i, size_t thread, uint64_t link_map,
		     uint64_t offset, uint64_t *out) _must_check_;

#endif
