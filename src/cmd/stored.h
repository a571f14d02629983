/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stored: symbol files that were put beside a snapshot, found by build-id.
 */
#ifndef CMD_STORED_H
#define CMD_STORED_H

#include "inspect/inspect.h"

/** As struct supply_places wants it; @arg is the project's name. */
struct err *stored_more(void *arg, const struct supply_ask *ask, uint32_t nth,
			uint32_t *seen, int *out) _must_check_;

#endif
