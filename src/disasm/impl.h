/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of disasm share: the two machines as one table of operations.
 */
#ifndef DISASM_IMPL_H
#define DISASM_IMPL_H

#include "disasm/disasm.h"

#define NO_REG 0xff

/** Where a register of an address comes from. */
enum base_kind { BASE_FRAME /* by DWARF number */, BASE_NAMED /* fs_base */ };

/** One term of an address: register << shift, narrowed first. */
struct term {
	uint8_t kind;           /* enum base_kind */
	uint8_t reg;            /* DWARF number */
	const char *name;       /* for a person, and for BASE_NAMED */
	uint8_t scale;          /* 1, 2, 4, 8 … */
	uint8_t bits;           /* 64, or 32: the lower half */
	bool is_signed;         /* of the lower half */
};
/** An operand in memory, before registers are looked at. */
struct operand {
	struct term terms[DISASM_REGS_MAX];
	size_t n_terms;
	uint64_t disp;          /* the pc is in it already */
	uint8_t bits;           /* the sum is cut to 32 bits, or to 56 (the byte
				   above is a tag), or not (64) … */
	const struct term *segment;     /* … before this one is added */
	uint16_t size;
	bool reads, writes;
	bool vague;             /* many addresses, or one that is not told */
};
struct decoded {
	uint8_t length, flow;
	bool has_target;        /* at a known address */
	uint64_t target;
	struct operand memory[DISASM_MEMORY_MAX];
	size_t n_memory;
	uint8_t target_memory;  /* the operand that holds the target, or NO_REG */
	struct term target_reg; /* or the register that does */
	bool has_target_reg;
	struct term reads[DISASM_READS_MAX];
	size_t n_reads;
	char text[DISASM_TEXT_MAX];
};

/** A register that an instruction reads by itself, if there is room. */
void decoded_read(struct decoded *d, const struct term *t);

struct machine {
	uint16_t elf;           /* EM_* */
	uint8_t step, longest;
	const char *bad;        /* what bytes are that are no instruction */
	struct err *(*begin)(struct disasm *d);
	void (*end)(struct disasm *d);
	/** 0 = no instruction; *@cut as disasm_bytes() says. */
	size_t (*length)(struct disasm *d, uint64_t at, struct span bytes,
			 bool *cut);
	/** All of it, of bytes that length() took; false = not so. */
	bool (*decode)(struct disasm *d, uint64_t at, struct span bytes,
		       struct decoded *out);
};
/* arm64_atomics.c: what capstone does not know; all of it, text and memory */
bool arm64_is_atomic(uint32_t word);
void arm64_atomic(uint32_t word, struct decoded *out);

extern const struct machine machine_x86_64, machine_aarch64;

struct disasm {
	const struct machine *machine;
	enum disasm_syntax syntax;
	void *state;            /* the machine's own */
};

/* code.c: bytes of code, and why there are none */
struct code {
	struct space *space;
	uint64_t start;
	size_t n;
	uint8_t window[1024];
};
/** At most @n bytes from @addr on, borrowed until the next call; n 0 = none. */
struct span code_at(struct code *c, uint64_t addr, size_t n);
/** Why there is no byte at @addr: kind, end of the hole, and a clause. */
void code_hole(struct code *c, uint64_t addr, struct disasm_entry *out);

/* starts.c: where functions begin */
struct bounds {
	uint64_t start, end;
};
/** The function that covers @addr. */
bool starts_at(struct insp *i, uint64_t addr, struct bounds *out);
/** The same, or else the one that ends less than a cache line below. */
bool starts_near(struct insp *i, uint64_t addr, struct bounds *out);

/* walk.c: entries without their text, one by one */
struct walk {
	struct disasm *d;
	struct insp *i;
	struct code code;
	uint64_t at;
	bool lost;              /* a hole ended at @at */
	bool ended;             /* the address space did */
	struct symbol near;     /* of the last entry */
};
/** The entry at @at: address, length, kind and why. Goes on behind it. */
void walk_next(struct walk *w, struct disasm_entry *out);
/** @out[0…n) becomes what ends at @addr or below, in order. */
struct err *walk_back(struct walk *w, uint64_t addr, size_t n,
		      struct disasm_entry *out) _must_check_;

/* plt.c: what the stub at @at is called, in @a; NULL if it is none, or where
 * it goes to is not known (yet) */
const char *plt_name(struct walk *w, uint64_t at, struct arena *a);

/* effect.c: text, targets, and addresses by the registers of a frame */
struct err *effect_fill(struct walk *w, const struct disasm_ask *ask,
			struct arena *a, struct disasm_entry *e) _must_check_;

#endif
