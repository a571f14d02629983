/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import: a core becomes a snapshot, whichever verb is told to do it.
 */
#ifndef CMD_IMPORT_H
#define CMD_IMPORT_H

#include "cmd/keep.h"
#include "cmd/save.h"
#include "cmd/spell.h"

struct import_options {
	bool wait_symbols;
	const char *exe;
	bool json;
	struct save_words to;
	struct keep keep;
	struct spell spell;     /* all zero but for those who speak so */
};

/** Write the core @snap as a snapshot and say so; @a outlives the options. */
struct err *import_core(const struct import_options *o, const char *snap,
			struct arena *a, int *status) _must_check_;

#endif
