/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk up a stack, between unwind.c, which knows every way to a caller, and
 * quick.c, which takes the two common ones in a hurry.
 */
#ifndef INSPECT_WALK_H
#define INSPECT_WALK_H

#include "inspect/arch.h"
#include "inspect/impl.h"

struct walk {
	struct insp *insp;
	const struct arch_table *arch;
	struct arena *arena;
	bool brief;             /* pc, sp and fp are followed, and no others */
	bool done;              /* the outermost frame was taken; @end is told */
	bool again;             /* brief, where another one was needed */
	struct vec frames;      /* struct frame; brief: struct trace_frame */
	struct frame now;       /* brief: the frame at hand */
	uint64_t cfa;           /* of the frame before; 0 = none known */
	uint64_t lost_cfa;      /* of one whose caller cannot be told; 0 = none */
	unsigned switches;
	enum stack_end end;
	const char *why;
};

/** From a frame to its caller. */
struct step {
	struct frame_regs caller;
	uint64_t cfa;           /* of the frame itself */
	bool signal;            /* the frame is a signal trampoline */
	bool low;               /* @cfa is but a lower bound */
	uint8_t how, flags;     /* of the caller */
};

/* ---- unwind.c: what is plausible ---------------------------------------- */
bool walk_is_executable(const struct walk *w, uint64_t addr);
bool walk_is_trampoline(const struct walk *w, uint64_t pc);
/** Is @pc in the program's entry, which has no caller? */
bool walk_is_entry(const struct walk *w, uint64_t pc);
/** False: no call has put @ra on a stack. */
bool walk_may_return(const struct walk *w, uint64_t ra);

/** False: the function around @pc, by its name, has not set the fp. */
bool walk_owns_fp(const struct walk *w, uint64_t pc);

/* ---- quick.c ------------------------------------------------------------- */
/** Before each brief walk. */
struct err *quick_begin(struct insp *i) _must_check_;
/**
 * Go on from @s, which holds a caller that is not yet among the frames, for as
 * long as a compact row or a frame pointer leads on beyond doubt; then @s
 * holds the caller that the other ways are to be tried on. *@exact: its pc is
 * where it was interrupted, and no return address.
 */
struct err *quick_walk(struct walk *w, struct step *s, size_t max_frames,
		       bool *exact) _must_check_;

#endif
