/* SPDX-License-Identifier: Apache-2.0 */
/* tailsites: functions and the jumps that they end in. */
#ifndef INSPECT_TAILSITES_H
#define INSPECT_TAILSITES_H

#include "inspect/inspect.h"

struct tail_site {
	uint64_t pc;            /* behind the jump */
	uint64_t target;        /* entry of a function; 0 = unknown */
};
struct tail_function {
	uint64_t entry;
	const struct tail_site *sites;
	size_t n;
};
/** Where the function that has @pc is entered; 0 = unknown. */
uint64_t tail_entry(struct insp *i, uint64_t pc);
/** Kept; NULL: no debug information tells what the function at @entry does. */
const struct tail_function *tail_function(struct insp *i, uint64_t entry);
/** What the call or jump before @ret leads to: @entry if by its name; 0. */
uint64_t tail_called(struct insp *i, uint64_t ret, uint64_t entry);

/* tailnames.c */
/** "name" or "name@@VERSION", not an old one with a single "@". */
bool tail_is_named(const char *symbol, const char *name);
/**
 * The address, in its file, of the symbol @name of a module: of a global one,
 * or of any. 0 = there is none, or there are several.
 */
uint64_t tail_symbol(struct insp *i, size_t module, const char *name,
		     bool local);

#endif
