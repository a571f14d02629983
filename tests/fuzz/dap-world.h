/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two snapshots of one process that has variables, for a session of the Debug
 * Adapter Protocol: what make-served.h has, and a module whose index of symbols
 * is one of the seeds of fuzz-values.
 */
#ifndef FUZZ_DAP_WORLD_H
#define FUZZ_DAP_WORLD_H

#include "dap/dap.h"
#include "symbols/symbols.h"
#include "tests/unit/make-served.h"

#define WORLD_INDEXES 4u
#define WORLD_SNAPSHOTS 2u
#define WORLD_PATCHES 64u       /* of one index */

/** A byte of an index that is another one. */
struct world_patch {
	uint32_t at;                    /* modulo its size */
	uint8_t byte;
};
/** A snapshot, opened when it is asked for. */
struct world_snapshot {
	struct served served;
	struct snap_module modules[4];
	struct snap_memory memory[8];
	struct snap_map maps[8];
	struct insp *insp;
	struct values *values;
	struct overlay *overlay;
	unsigned users;
};
struct world {
	struct world_snapshot snapshots[WORLD_SNAPSHOTS];
	struct source *source;
	struct symidx *index;           /* NULL: too damaged */
	void *bytes;                    /* of the index */
	size_t n_bytes;
	struct supply supply;
	struct dap_host host;
	unsigned opened;
	bool asked;                     /* a console's question is open */
};

/** With index @which % WORLD_INDEXES, and @n bytes of it changed. */
struct err *world_init(struct world *w, unsigned which,
		       const struct world_patch *patches, size_t n)
	_must_check_;
/** The first snapshot, without a host. */
struct err *world_show(struct world *w, struct dap_shown *out) _must_check_;
void world_fini(struct world *w);

#endif
