/* SPDX-License-Identifier: Apache-2.0 */
/*
 * overlay: what a session did over a target: what it wrote over memory and
 * registers, and which thread it looks at.
 *
 * The target never changes. Sessions that share an engine have an overlay each,
 * and lay theirs over it before they ask; what an engine keeps for all of them
 * (modules' files, offsets in the C library) is read from below.
 */
#ifndef INSPECT_OVERLAY_H
#define INSPECT_OVERLAY_H

#include "inspect/inspect.h"

#define OVERLAY_BYTES_MAX (64u << 20)

struct overlay;
/** Overlays of one session share @used, which counts bytes against the quota of
 * OVERLAY_BYTES_MAX; borrowed. NULL: a quota of its own. */
struct err *overlay_new(uint64_t *used, struct overlay **out) _must_check_;
void overlay_free(struct overlay *o);
/** Forget all that was written. */
void overlay_discard(struct overlay *o);

/** Reads and writes of @i go through @o until the next call; NULL: through the
 * engine's own. Borrows @o. */
void insp_lay_over(struct insp *i, struct overlay *o);
/** What lies over it now. */
const struct overlay *insp_overlay(const struct insp *i);

/**
 * Write into what lies over the space; the target never changes. ERR_UNMAPPED
 * outside mappings, ERR_LIMIT over the quota.
 */
struct err *space_write(struct space *sp, uint64_t addr, size_t n,
			const void *data) _must_check_;

/** A piece of memory; pieces are sorted and disjoint. */
struct overlay_piece {
	uint64_t start;
	size_t n;
	uint8_t *bytes;         /* owned by the overlay */
};
const struct overlay_piece *overlay_pieces(const struct overlay *o, size_t *n);
/** The first piece that ends above @addr, or NULL. */
const struct overlay_piece *overlay_above(const struct overlay *o,
					  uint64_t addr);
/** ERR_LIMIT over the quota. */
struct err *overlay_write(struct overlay *o, uint64_t addr, size_t n,
			  const void *data) _must_check_;

/** What is in [addr, addr + n) is as captured again. */
struct err *overlay_forget(struct overlay *o, uint64_t addr, size_t n)
	_must_check_;

/** How often it was changed; and what of memory the last change was to, of no
 * bytes where it was to a register. */
uint64_t overlay_changes(const struct overlay *o, uint64_t *addr, uint64_t *n);

/** The thread that was chosen last, of those who share the overlay. */
struct overlay_look {
	uint64_t changes;       /* how often one was chosen; 0 = never */
	size_t thread;
	enum overlay_looker { LOOKER_DEBUGGER = 1, LOOKER_EDITOR } by;
};
void overlay_look_at(struct overlay *o, size_t thread, enum overlay_looker by);
const struct overlay_look *overlay_look(const struct overlay *o);

/** A register that was written; sorted by thread, then register. */
struct overlay_reg {
	size_t thread, reg;
	uint8_t bytes[REG_BYTES_MAX];
};
const struct overlay_reg *overlay_regs(const struct overlay *o, size_t *n);
/** Its bytes, or NULL. */
const uint8_t *overlay_reg(const struct overlay *o, size_t thread, size_t reg);
void overlay_forget_reg(struct overlay *o, size_t thread, size_t reg);
struct err *overlay_write_reg(struct overlay *o, size_t thread, size_t reg,
			      size_t n, const void *value) _must_check_;

#endif
