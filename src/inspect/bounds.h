/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bounds: what unwind tables know of functions, for those who read code.
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

#endif
