/* SPDX-License-Identifier: Apache-2.0 */
/*
 * indexed: the symbol indexes of a target's modules. Their addresses are
 * those of the file: run-time address = bias + address.
 */
#ifndef INSPECT_INDEXED_H
#define INSPECT_INDEXED_H

#include "inspect/inspect.h"
#include "symbols/symbols.h"

/**
 * Debug files that were attached to the target are to have indexes, too, which
 * takes seconds where they are large. Before any index is asked for.
 */
void insp_make_indexes(struct insp *i);
/** Borrowed; NULL where supply has none. Asked for when first needed. */
struct symidx *insp_index(struct insp *i, size_t module);
/** The same where it was asked for; else NULL, and *@asked is false. */
struct symidx *insp_index_known(const struct insp *i, size_t module,
				bool *asked);
/** The same, and how many bytes it has. */
struct symidx *insp_index_sized(struct insp *i, size_t module, uint64_t *size);
/** As insp_module_file_kind(), but without looking for one: false where nobody
 * has yet. files.c */
bool insp_module_file_known(const struct insp *i, size_t module,
			    enum module_file *out);
/** insp_index() by run-time address, and the address in the file. */
struct symidx *insp_index_at(struct insp *i, uint64_t addr, uint64_t *in_file);
/** What @s has for @ask, SUPPLY_INDEX; one that is damaged is asked for anew.
 * Both are the caller's, who frees @ix first. */
struct err *indexed_ask(const struct supply *s, const struct supply_ask *ask,
			struct source **file, struct symidx **ix) _must_check_;
/**
 * A function's name as debuggers show it in a frame: demangled, with its
 * namespaces and classes, without parameters; what a declaration in C calls it
 * for the linker. Owned by the engine; NULL = it has none.
 */
const char *insp_function_name(struct insp *i, struct symidx *ix,
			       const struct sym_frame *f);
/** Appends what a name for the linker is to people, with its parameters;
 * false: it is not mangled, or too long. symbols.c */
bool insp_demangle(const char *linkage, struct buf *out);

/** As insp_file_by_id(), of a source that is looked into and never handed on:
 * of one that is on this machine, too, where supply thinks fit. sources.c */
struct err *insp_text(struct insp *i, const struct module_id *id,
		      const char *path, struct source **out) _must_check_;

#endif
