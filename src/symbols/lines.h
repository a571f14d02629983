/* SPDX-License-Identifier: Apache-2.0 */
/* lines: rows of the line table, for who is in the middle of a question. */
#ifndef SYMBOLS_LINES_H
#define SYMBOLS_LINES_H

#include "symbols/symbols.h"

/** As symidx_line(), but forgets nothing. */
bool lines_find(struct symidx *ix, uint64_t addr, struct sym_line *out);

#endif
