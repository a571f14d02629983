/* SPDX-License-Identifier: Apache-2.0 */
/*
 * maps: the address space as a list: what is mapped, what it is called, and
 * how much of it is there. As captured: what a session wrote is not in it.
 */
#ifndef INSPECT_MAPS_H
#define INSPECT_MAPS_H

#include "inspect/inspect.h"

enum map_state {
	MAP_CAPTURED = 1,
	MAP_ZERO,               /* captured, all zero */
	MAP_FROM_FILE,          /* the bytes of the module's file stand for it */
	MAP_ABSENT,             /* mapped, and not captured */
};
/** A part of the address space that is of one mapping and of one state. */
struct map_piece {
	uint64_t start, end;
	uint8_t state;          /* enum map_state */
	uint8_t reason;         /* enum snap_reason, of MAP_ABSENT */
	const struct snap_map *map;     /* NULL = unknown */
};
/** What of the first piece that ends above @addr is from @addr on; false: there
 * is none. The last byte of the space is in none. */
bool insp_piece_above(struct insp *i, uint64_t addr, struct map_piece *out);

/** Addresses that give a mapping without a file its name. */
struct map_names {
	uint64_t stack, vdso;   /* 0 = not known */
};
void insp_map_names(struct insp *i, struct map_names *out);
/** Its path, "[stack]", "[vdso]", "[vsyscall]", or "". */
const char *map_name(const struct map_names *names, const struct snap_map *m);

#endif
