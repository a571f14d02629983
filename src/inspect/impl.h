/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of inspect share among themselves and nobody else sees.
 */
#ifndef INSPECT_IMPL_H
#define INSPECT_IMPL_H

#include <elfutils/libdwfl.h>

#include "inspect/inspect.h"

struct regs;            /* regs.c: register layout of this target */
struct second;          /* second.c: libunwind's address space, lazily made */
struct quick;           /* quick.c: what is known of return addresses */
struct cfi;             /* cfi.c: unwind tables of one module */
struct tls;             /* tls.c: offsets in struct link_map, once found */
struct nptl;            /* nptl.c: the C library's threads, once asked for */
struct lines;           /* lines.c: which unit covers what */
struct indexes;         /* indexed.c */
struct tails;           /* tail.c: ways by jumps, once asked for */
struct tail_sites;      /* tailsites.c */
struct symbols;         /* symbols.c: libdwfl's view, caches */
struct debug;           /* debug.c: separate debug files */
struct module_state;    /* files.c: descriptors and images of one module */

struct insp {
	struct arena *arena;
	struct target *target;          /* owned */
	struct space *space;
	const struct supply *supply;    /* may be NULL */
	struct source *exe;             /* may be NULL */
	const struct arch *arch;
	struct snap_module *modules;    /* in the dynamic linker's order */
	uint32_t *by_start;             /* their indices in address order */
	struct module_state *states;    /* one per module */
	size_t n_modules, n_states;
	bool main_headers_absent;       /* modules.c: not in the target */
	struct vec gaps;                /* of const char * */
	struct vec debug_files;         /* files.c */
	struct vec source_files;        /* sources.c */
	struct vec attached;            /* attached.c */
	bool attached_known;
	struct regs *regs;
	struct second *second;
	struct quick *quick;            /* once needed */
	struct cfi *cfi;                /* one per module, once needed */
	struct debug *debug;            /* one per module, once needed */
	struct tls *tls;
	struct nptl *nptl;
	struct symbols *symbols;        /* symbols.c */
	struct lines *lines;            /* lines.c */
	struct indexes *indexes;        /* indexed.c */
	struct tails *tails;            /* tail.c */
	struct tail_sites *tail_sites;  /* tailsites.c */
	uint64_t lines_max;             /* insp_limit_lines() */
};

/** Add a sentence on what is missing; once per text. */
void insp_add_gap(struct insp *i, const char *fmt, ...) _printf_(2, 3);

/* targets: each recognises its input by the first bytes */
struct err *core_open(struct source *src, struct target **out) _must_check_;
struct err *snap_target_open(struct source *src, struct target **out)
	_must_check_;

/* arch.c: the row for an ELF machine, or NULL */
const struct arch *arch_find(uint16_t machine);

/* space.c */
struct err *space_new(struct target *t, struct space **out) _must_check_;
void space_free(struct space *sp);
struct overlay;
/** NULL: the space's own. */
void space_lay_over(struct space *sp, struct overlay *o);
struct overlay *space_overlay(const struct space *sp);
/** As space_read(), without what sessions wrote: for what is kept for all. */
struct err *space_read_below(struct space *sp, uint64_t addr, size_t n,
			     void *out) _must_check_;
/** Bytes of a mapped file's [off, off+n), or an error. Set by files.c. */
typedef struct err *space_file_fn(void *arg, const struct snap_map *map,
				  uint32_t module, uint64_t off, size_t n,
				  void *out);
void space_set_files(struct space *sp, space_file_fn *fn, void *arg);
/** The mapping that covers @addr, or NULL. */
const struct snap_map *space_map(const struct space *sp, uint64_t addr);

/* regs.c */
struct err *regs_init(struct insp *i) _must_check_;
/** A code address without its signature, if the target's machine has such. */
uint64_t regs_plain_code(const struct insp *i, uint64_t addr);

/* modules.c: fill i->modules from the target or the link map. A bias of
 * MODULE_BIAS_UNKNOWN is for files.c to fill from the file. */
#define MODULE_BIAS_UNKNOWN UINT64_MAX
struct err *modules_find(struct insp *i) _must_check_;
/** Put one more module into the tables (before files_init only). */
struct err *modules_add(struct insp *i, const struct snap_module *m)
	_must_check_;
/* files.c: the ELF file of each module, looked for when first asked for */
struct err *files_init(struct insp *i) _must_check_;
/** Forget what was found, after modules_find() made another list. */
struct err *files_again(struct insp *i) _must_check_;
void files_fini(struct insp *i);
/** libelf's view of what stands for the module's file; NULL = nothing does. */
Elf *files_elf(struct insp *i, size_t module);
/** Which candidate of its path it is; false if it is not one of them. */
bool files_candidate(struct insp *i, size_t module, uint32_t *nth);
/** GNU build-id of any ELF file. */
void files_id(Elf *elf, struct module_id *out);
/**
 * A separate debug file with that id (or, with an altlink name, its dwz
 * alternate) as a descriptor the caller owns; -1 if supply has none.
 */
int files_debug(struct insp *i, const struct supply_ask *ask);
/** One by its id alone, kept and borrowed; ERR_NOTFOUND. */
struct err *files_debug_source(struct insp *i, const struct module_id *id,
			       struct source **out) _must_check_;

/* symfile.c: what @elf has, added to @out */
struct symfile;
void symfile_look(Elf *elf, struct symfile *out);

/* attached.c: an ELF file that came with the target, with text or @debug
 * information */
bool attached_find(struct insp *i, const struct module_id *id, bool debug,
		   struct span *out);

/* sources.c */
void sources_fini(struct insp *i);

/*
 * debug.c: the separate debug file of a module without libdw, which inflates
 * all of its DWARF.
 */
void debug_fini(struct insp *i);
/** Its descriptor, borrowed, or -1. */
int debug_descriptor(struct insp *i, size_t module);
/** What has a .debug_frame that files_elf() cannot show; NULL = nothing. */
Elf *debug_frames(struct insp *i, size_t module, uint64_t *bias);
/** Bytes of DWARF that there are for the module, inflated. */
uint64_t debug_size(struct insp *i, size_t module);

/* skeleton.c: which extents of an ELF file make its skeleton */
struct err *skeleton_of(Elf *elf, struct source *file, struct arena *a,
			const struct snap_extent **out, size_t *n)
	_must_check_;
/* compose.c: an ELF image of @size bytes out of extents; the caller frees.
 * Sections without their bytes become SHT_NOBITS: nothing is made up. */
struct err *compose(const struct snap_extent *extents, size_t n, uint64_t size,
		    uint8_t **out) _must_check_;

/* symbols.c: libdw's view of a module, opened on first use; NULL if there is
 * no ELF file and no skeleton for it. Borrowed from i->dwfl. */
struct err *symbols_init(struct insp *i) _must_check_;
void symbols_fini(struct insp *i);
/* indexed.c */
struct err *indexed_init(struct insp *i) _must_check_;
void indexed_fini(struct insp *i);
struct err *lines_init(struct insp *i) _must_check_;
void lines_fini(struct insp *i);
Dwfl_Module *symbols_module(struct insp *i, size_t module);
/** @linkage for a person, in the engine's arena. */
const char *symbols_demangled(struct insp *i, const char *linkage);
/** The same without parameters; NULL if it is not mangled. */
const char *symbols_demangled_bare(struct insp *i, const char *linkage);

/* symtable.c: symbols by address, as libdwfl chooses them */
struct symtable;
/** Of @mod, in @a; NULL if there are none, or no memory. */
struct symtable *symtable_new(Dwfl_Module *mod, struct arena *a);
enum symtable_answer {
	SYMTABLE_FOUND, SYMTABLE_NONE,
	SYMTABLE_ASK,           /* dwfl_module_addrinfo() has to tell */
};
/** *@index: for dwfl_module_getsym_info(). */
enum symtable_answer symtable_find(const struct symtable *t, uint64_t addr,
				   uint32_t *index);

/* second.c */
void second_free(struct second *s);

#endif
