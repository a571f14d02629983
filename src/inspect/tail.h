/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tail: calls that left no frame. A function that ends by calling another may
 * jump there instead: what it had on the stack is gone, and the callee returns
 * to the caller of the function that jumped. Debug information lists these
 * jumps (DWARF 5, 3.4); where they make one way only from what was called to
 * what runs, the functions in between are known.
 */
#ifndef INSPECT_TAIL_H
#define INSPECT_TAIL_H

#include "inspect/inspect.h"

#define TAIL_CALLS_MAX 32u
struct tail_calls {
	uint64_t pc[TAIL_CALLS_MAX];    /* pc - 1 is in a jump; innermost first */
	size_t n;
};
/**
 * The jumps between the call that returns to @ret and the function that has
 * @pc, as far as they are certain: where there are several ways, those at the
 * ends that are common to all. None where it was called itself, and where any
 * of the jumps leads nobody knows where.
 */
void insp_tail_calls(struct insp *i, uint64_t ret, uint64_t pc,
		     struct tail_calls *out);
/** Does the call, or the jump, that @ret is behind lead to @entry? Certainly. */
bool insp_calls(struct insp *i, uint64_t ret, uint64_t entry);
/**
 * Can the function that has @pc come to itself by jumps alone, or to nobody
 * knows where? Then it was maybe entered otherwise than its caller tells.
 */
bool insp_reenters(struct insp *i, uint64_t pc);

#endif
