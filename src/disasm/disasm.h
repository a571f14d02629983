/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disasm: machine code of a target as text, with what its operands point to.
 *
 * A list has exactly as many entries as were asked for, in both directions.
 * Where an instruction begins is never guessed: towards lower addresses code is
 * read forward from the start of a function that symbols or unwind tables
 * know, and where none is known there are entries that say so. Bytes that
 * were not captured, bytes where nothing is mapped, and bytes that are no
 * instruction are entries of three different kinds.
 *
 * What an operand points to is told where it is certain: relative to the pc
 * always, by registers for the instruction at which these registers were read.
 */
#ifndef DISASM_DISASM_H
#define DISASM_DISASM_H

#include "inspect/inspect.h"

#define DISASM_ENTRIES_MAX 4096u        /* of one list */
#define DISASM_TEXT_MAX 128u            /* of one instruction, with the NUL */
#define DISASM_BYTES_MAX 16u
#define DISASM_MEMORY_MAX 2u            /* operands in memory */
#define DISASM_REGS_MAX 3u              /* that make up one address */
#define DISASM_READS_MAX 4u
#define DISASM_VALUE_MAX 64u

enum disasm_kind {
	DISASM_CODE,            /* an instruction */
	DISASM_BAD,             /* bytes that are no instruction */
	DISASM_ABSENT,          /* mapped, but not captured */
	DISASM_UNMAPPED,
	DISASM_UNKNOWN,         /* where instructions begin is not known */
	DISASM_OUTSIDE,         /* no address: the address space ends there */
};
enum disasm_flow {
	DISASM_NEXT,            /* goes on behind itself */
	DISASM_JUMP, DISASM_BRANCH /* perhaps */, DISASM_CALL, DISASM_RETURN,
};
enum disasm_syntax { DISASM_ATT, DISASM_INTEL };

/** An address and what is there. */
struct disasm_place {
	uint64_t address;
	const char *name;       /* of the symbol that covers it; NULL = none */
	uint64_t offset;        /* into it */
};
struct disasm_reg {
	const char *name;
	uint64_t value;
	bool known;             /* else @value says nothing */
};
enum disasm_answer {
	DISASM_NOT_ASKED,       /* the address is not known, or only computed */
	DISASM_VALUE, DISASM_NOT_CAPTURED, DISASM_NOT_MAPPED,
};
/** An operand in memory. */
struct disasm_memory {
	bool known;             /* is @place */
	bool reads, writes;     /* neither: an address is computed (lea) */
	uint16_t size;          /* bytes; 0 = not known */
	struct disasm_place place;
	struct disasm_reg regs[DISASM_REGS_MAX];        /* of the address */
	size_t n_regs;
	uint8_t answer;         /* enum disasm_answer */
	uint8_t value[DISASM_VALUE_MAX];        /* as of the snapshot */
	uint8_t n_value;
};
struct disasm_entry {
	uint64_t address;
	uint64_t length;        /* 0 = none: padding of the list */
	uint8_t kind;           /* enum disasm_kind */
	uint8_t flow;           /* enum disasm_flow */
	uint8_t n_bytes, bytes[DISASM_BYTES_MAX];
	const char *text;       /* without symbols; NULL unless DISASM_CODE */
	const char *why;        /* one clause; NULL if DISASM_CODE */
	struct disasm_place place;      /* of the entry itself */
	bool has_target, indirect;      /* @indirect: read from somewhere */
	struct disasm_place target;
	struct disasm_memory memory[DISASM_MEMORY_MAX];
	size_t n_memory;
	struct disasm_reg regs[DISASM_READS_MAX];       /* general ones that it
					   reads, beside those of addresses */
	size_t n_regs;          /* 0 where no registers are known */
};

/* ---- bytes -------------------------------------------------------------- */
/** A decoder: of one machine, for one thread at a time. */
struct disasm;
/** ERR_UNSUPPORTED for a machine (EM_*) other than x86-64 and AArch64. */
struct err *disasm_new(uint16_t machine, enum disasm_syntax syntax,
		       struct disasm **out) _must_check_;
/** Load what AArch64 needs, before a process is jailed that may be asked for
 * it; what went wrong disasm_new() says. */
void disasm_prepare(void);
/** Was that done, or is it nothing that @machine (EM_*) needs? */
bool disasm_prepared(uint16_t machine);
void disasm_free(struct disasm *d), disasm_freep(struct disasm **d);
#define _disasm_ _cleanup_(disasm_freep)
/**
 * Length of the instruction at the start of @bytes, with its text if @text is
 * not NULL; 0 if there is none. *@cut (or NULL): more than @n bytes would be
 * needed to tell.
 */
size_t disasm_bytes(struct disasm *d, uint64_t address, struct span bytes,
		    char text[DISASM_TEXT_MAX], bool *cut);
/** How far to go on behind bytes that are no instruction: 1, or 4. */
size_t disasm_step(const struct disasm *d);

/* ---- code of a target --------------------------------------------------- */
struct disasm_ask {
	uint64_t address;
	size_t before;          /* entries that end at @address or below */
	size_t count;           /* entries from @address on */
	/** The registers of a frame whose pc is @pc, or NULL; of @thread are
	 * the bases of segments, unless it is INSP_NONE. */
	const struct frame_regs *regs;
	uint64_t pc;
	size_t thread;
};
struct disasm_list {
	const struct disasm_entry *entries;     /* owned by the arena given */
	size_t n;               /* before + count */
};
/**
 * The list. ERR_LIMIT for more than DISASM_ENTRIES_MAX. What is not there is
 * an entry, not an error.
 */
struct err *disasm_list(struct disasm *d, struct insp *i,
			const struct disasm_ask *ask, struct arena *a,
			struct disasm_list *out) _must_check_;

/* ---- for a person ------------------------------------------------------- */
/** Text with symbols: "call 0x401136 <main+4>"; escaped, of bounded length. */
void disasm_put(const struct disasm_entry *e, struct buf *out);
/** What its operands in memory are: "0x404010 <count> = 0x7, rax = 0x…". */
void disasm_put_memory(const struct disasm_memory *m, struct buf *out);
void disasm_put_place(const struct disasm_place *p, struct buf *out);

#endif
