/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An architecture to the rest of inspect: one table of registers with the
 * place of their bytes, and the few things that unwinding cannot learn from
 * tables (return addresses, prologues, signal trampolines).
 */
#ifndef INSPECT_ARCH_H
#define INSPECT_ARCH_H

#include "inspect/inspect.h"

#define ARCH_SETS 6             /* kinds of regsets one architecture uses */
#define ARCH_COMPONENTS 32

/** Where the bytes of a register are in what the kernel recorded. */
struct reg_place {
	uint8_t set;            /* index into arch_table.sets */
	uint8_t component;      /* state component, where the set has such */
	uint8_t size;           /* bytes kept; the rest of the register is 0 */
	uint8_t decode;         /* 0 = as it is; else the table file's own */
	uint16_t offset;        /* in the set or in its component */
	uint32_t active;        /* components of which one must be active */
	uint32_t initial;       /* value (low bytes) when none is */
};
struct arch_reg {
	struct reg reg;
	struct reg_place place;
};

/** What the target's machine has, as far as the records tell. */
struct arch_layout {
	uint64_t features;      /* bit n: component or set n exists */
	uint64_t signing;       /* bits of a code address that sign it */
	struct {
		uint32_t offset, size;  /* size 0 = place unknown */
	} component[ARCH_COMPONENTS];
};
/** One thread's regsets, by index of arch_table.sets; n = 0 if it has none. */
struct reg_sets {
	struct span set[ARCH_SETS];
};

struct arch_table {
	struct arch arch;
	uint32_t sets[ARCH_SETS];       /* NT_* kinds; 0 = no more */
	uint16_t general_size;          /* of the first, in NT_PRSTATUS */
	const struct arch_reg *regs;
	size_t n_regs;
	/** Learn the layout from the regsets of all threads. */
	void (*layout)(const struct reg_sets *threads, size_t n,
		       struct arch_layout *out);
	bool (*has)(const struct arch_layout *l, const struct arch_reg *r);
	/** bits/8 bytes, or false: not captured. */
	bool (*read)(const struct arch_layout *l, const struct reg_sets *s,
		     const struct arch_reg *r, void *out);

	/*
	 * Thread-local storage as glibc lays it out: does it lie above the
	 * thread pointer (ELF TLS, variant I), behind how many bytes, and
	 * where from there is the pointer to the thread's table.
	 */
	bool tls_above;
	uint8_t tls_skip, dtv_at;
	/** Which register tables mean by "the return address" (DWARF). */
	uint16_t ra;
	/** Bits of a return address that can hold a signature. */
	uint64_t signing;
	/** Registers a callee must preserve: bit n = DWARF number n. */
	uint64_t preserved;
	/**
	 * Do @n bytes that end at return address @ra end in a call? *@target
	 * is what it calls, 0 if its bytes do not tell.
	 */
	bool (*is_call)(const uint8_t *code, size_t n, uint64_t ra,
			uint64_t *target);
	/*
	 * Without tables: where the caller of the innermost frame is. The
	 * first two are for machines whose calls put the return address on
	 * the stack, the third for those that have a register for it (@ra is
	 * not the pc).
	 */
	/** Does a function that begins with these 8 bytes set up a frame? */
	bool (*makes_frame)(const uint8_t *start);
	/**
	 * Where the return address is, from the stack pointer, at an
	 * instruction of a prologue or epilogue: @before are the 4 bytes
	 * before it, @at the 4 from it on. -1 = cannot tell.
	 */
	int (*return_slot)(const uint8_t *before, const uint8_t *at);
	/**
	 * A function's @n bytes, from its start; where its end is not known,
	 * some more. Does @ra still hold the return address at
	 * offset @at, and the frame pointer its caller's? Then the number of
	 * bytes from the stack pointer to the caller's; else -1.
	 */
	int (*link_slot)(const uint8_t *code, size_t n, size_t at);
	/** Does one of these instructions set the frame pointer? */
	bool (*sets_frame)(const uint8_t *code, size_t n);
	/** The instructions of a signal trampoline. */
	struct span trampoline;
	bool trampoline_first;  /* its own table leads elsewhere */
	/**
	 * Registers saved in the signal frame at @sp, where its trampoline
	 * runs.
	 */
	struct err *(*signal_regs)(struct space *sp, uint64_t at,
				   struct frame_regs *out);
};

extern const struct arch_table arch_x86_64, arch_aarch64;

/** The table behind a struct arch that arch_find() gave. */
const struct arch_table *arch_table_of(const struct arch *a);

/* xsave.c: where components are in an XSAVE area as Linux records it */
#define XSAVE_HEADER_END 576u
/** From the layout note if there is one, else from @area's own bytes. */
void xsave_layout(struct span area, struct span note, struct arch_layout *out);
/** Features of the machine (XCR0), or 0 if @area does not tell. */
uint64_t xsave_features(struct span area);
/** XSTATE_BV: components that are not in their initial state. */
uint64_t xsave_active(struct span area);

#endif
