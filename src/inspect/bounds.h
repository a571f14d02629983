/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bounds: what tables of modules know of code, for those who read it: where
 * functions begin and end, how they are called, and what the slots are for that
 * stubs jump through.
 */
#ifndef INSPECT_BOUNDS_H
#define INSPECT_BOUNDS_H

#include "inspect/inspect.h"

/**
 * The code that one entry of the unwind tables describes: [*start, *end) has
 * @addr in it. Mostly a function, or the part of one that is rarely run.
 * ERR_NOTFOUND where no entry covers @addr.
 */
struct err *insp_code_bounds(struct insp *i, uint64_t addr, uint64_t *start,
			     uint64_t *end) _must_check_;

/**
 * Demangled name of the symbol that the dynamic linker puts, or will put, the
 * address of into the word at @slot; by the relocations of stubs (.rela.plt).
 * ERR_NOTFOUND for any other word.
 */
struct err *insp_slot_symbol(struct insp *i, uint64_t slot, const char **out)
	_must_check_;

/**
 * The first function of a module that is called @name to people: demangled,
 * with its arguments or without. ERR_NOTFOUND if none is.
 */
struct err *insp_function_named(struct insp *i, size_t module,
				const char *name, uint64_t *out) _must_check_;

/**
 * The same over all modules, in their order: as a symbol is called for the
 * linker, else as a function is to people. ERR_NOTFOUND.
 */
struct err *insp_address_named(struct insp *i, const char *name,
			       uint64_t *out) _must_check_;

/**
 * Does a module define @linkage for others, in its default version? Its run-time
 * address is at *@out then, as a symbol table has it. Nothing is known where the
 * file is not here or has no .gnu.hash, or of a thread's own variable.
 */
enum exported { EXPORTED_NOT, EXPORTED, EXPORTED_UNKNOWN };
enum exported insp_exported(struct insp *i, size_t module, const char *linkage,
			    uint64_t *out) _must_check_;

#endif
