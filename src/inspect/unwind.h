/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of unwinding among themselves: DWARF expressions, tables and rows
 * of call frame information, the second opinion.
 */
#ifndef INSPECT_UNWIND_H
#define INSPECT_UNWIND_H

#include <elfutils/libdw.h>

#include "inspect/inspect.h"

/* ---- expr.c: the DWARF stack machine (DWARF 5, 2.5) --------------------- */
#define EXPR_STACK_MAX 64
#define EXPR_STEPS_MAX 10000u
#define EXPR_OPS_MAX 256

/** What is known where an expression is evaluated. */
struct expr_env {
	struct err *(*read)(void *arg, uint64_t addr, size_t n, void *out);
	/** ERR_ABSENT where the register's value is not known. */
	struct err *(*reg)(void *arg, uint64_t number, uint64_t *out);
	void *arg;
	uint64_t bias;          /* added to DW_OP_addr */
	uint64_t cfa;
	bool has_cfa;
};
enum expr_kind {
	EXPR_MEMORY,            /* value is an address */
	EXPR_VALUE,             /* value is the value itself */
	EXPR_REGISTER,          /* value is a register's DWARF number */
};
struct expr_result {
	enum expr_kind kind;
	uint64_t value;
};
/**
 * Evaluate @n operations as libdw decodes them. ERR_DAMAGED for what no
 * compiler writes, ERR_UNSUPPORTED for an operator that call frame
 * information cannot use, ERR_LIMIT for one that does not end; the errors of
 * the callbacks as they are.
 */
struct err *expr_eval(const struct expr_env *env, const Dwarf_Op *ops,
		      size_t n, struct expr_result *out) _must_check_;
/** At most @max operations out of their bytes; offsets count from 0. */
struct err *expr_decode(struct span bytes, Dwarf_Op *ops, size_t max,
			size_t *n) _must_check_;
/** LEB128 numbers (DWARF 5, 7.6); bits above 64 are lost. */
uint64_t expr_uleb(struct rd *r);
int64_t expr_sleb(struct rd *r);

/* ---- cfi_table.c: finding the entry of a function ----------------------- */
/** .eh_frame or .debug_frame; the bytes are borrowed from an open Elf. */
struct cfi_section {
	struct span bytes;
	uint64_t address;       /* its own, as linked */
	bool eh_frame;
	bool ends;              /* where the bytes do, not at a length of 0 */
	/* The search table of .eh_frame_hdr: pairs of 32-bit offsets from
	 * @sorted_from, of a function and of its entry. Maybe none. */
	struct span sorted;
	uint64_t sorted_from;
};
/** A frame description entry (FDE) and what its CIE tells for it. */
struct cfi_entry {
	uint64_t start, end;    /* of the code, as linked */
	struct span initial, program;           /* instructions */
	uint64_t code_align;
	int64_t data_align;
	uint64_t ra;            /* register that holds the return address */
	uint8_t encoding;       /* of addresses, DW_EH_PE_* */
	bool signal;            /* a signal handler's trampoline */
	bool eh_frame;
};
struct cfi_place {
	uint64_t start;
	uint32_t at;            /* of the entry in the section */
};
struct cfi_table {
	struct cfi_section section;
	uint64_t bias;          /* run-time address - link-time address */
	struct cfi_place *places;               /* by start */
	size_t n;
	bool indexed;           /* @places are all there are */
	struct arena *arena;    /* for them */
};
/** @a has to live as long as @out does. */
void cfi_table_begin(const struct cfi_section *section, uint64_t bias,
		     struct arena *a, struct cfi_table *out);
/**
 * The entry that covers run-time address @pc, or ERR_NOTFOUND. All entries are
 * indexed once the search table does not lead to one; damage ends them early.
 */
struct err *cfi_table_find(struct cfi_table *t, uint64_t pc,
			   struct cfi_entry *out) _must_check_;
/** The section of @elf that holds tables: ".eh_frame" or ".debug_frame". */
bool cfi_table_section(Elf *elf, bool eh_frame, struct cfi_section *out);

/* ---- cfi_row.c: the rules that hold at an address ----------------------- */
enum cfi_rule_kind {
	CFI_NONE,               /* the table says nothing */
	CFI_UNDEFINED, CFI_SAME,
	CFI_OFFSET,             /* at CFA + value */
	CFI_VAL_OFFSET,         /* is CFA + value */
	CFI_REGISTER,           /* is in register @value */
	CFI_EXPRESSION,         /* at what the expression yields */
	CFI_VAL_EXPRESSION,     /* is what the expression yields */
};
struct cfi_rule {
	uint8_t kind;
	uint64_t value;
	struct span expression;
};
/** CFA: CFI_VAL_OFFSET of register @cfa_reg, or CFI_VAL_EXPRESSION. */
struct cfi_row {
	struct cfi_rule cfa, reg[FRAME_REGS];
	uint64_t cfa_reg;
	bool ra_signed;         /* AArch64: the return address carries one */
};
/** @pc: as linked, within @e. ERR_DAMAGED for a program that makes no sense. */
struct err *cfi_row_at(const struct cfi_entry *e, uint64_t pc,
		       struct cfi_row *out) _must_check_;

/**
 * Does every instruction of @e make sense to libunwind 1.6 too? That reads
 * beyond an array where a rule names a register that it does not have, and
 * divides the lowest number by -1. ERR_UNSUPPORTED if not.
 */
struct err *cfi_row_check(const struct cfi_entry *e) _must_check_;

/* ---- cfi_brief.c: compact rows ------------------------------------------- */
enum cfi_brief_kind {
	BRIEF_NONE,             /* no row: the end of an entry */
	BRIEF_SP, BRIEF_FP,     /* CFA = that register + cfa */
	BRIEF_PLT,              /* CFA = sp + 8, or 16 once @cfa bytes in */
	BRIEF_EXPRESSION,       /* does not fit: cfi_unwind() is to tell */
};
#define BRIEF_FP_SAME INT8_MIN
#define BRIEF_LAST INT8_MAX     /* the frame has no caller */
/** The return address is at CFA - 8, the caller's sp is the CFA. */
struct cfi_brief {
	int16_t cfa;
	uint8_t kind;
	int8_t fp;              /* at CFA + 8 * fp, or BRIEF_* */
};
/** The compact row for run-time address @pc: NONE where no entry covers it. */
struct err *cfi_brief_at(struct cfi_table *t, const struct arch *arch,
			 uint64_t pc, struct cfi_brief *out) _must_check_;

/* ---- cfi.c: one step by call frame information -------------------------- */
/** The entry for @lookup and the bias of its module, or ERR_NOTFOUND. */
struct err *cfi_find(struct insp *i, uint64_t lookup, struct cfi_entry *out,
		     uint64_t *bias) _must_check_;
/** The compact row for @lookup, out of the table that cfi_find() finds. */
struct err *cfi_find_brief(struct insp *i, uint64_t lookup,
			   struct cfi_brief *out) _must_check_;
struct cfi_step {
	uint64_t cfa;           /* of the frame itself */
	bool signal;            /* the frame is a signal handler's trampoline */
	bool outermost;         /* its return address is undefined */
	struct frame_regs caller;
};
/**
 * The caller's registers, by the row for @lookup. ERR_NOTFOUND where no table
 * covers it; other errors say why the row could not be evaluated. Where only
 * the caller's registers could not, @out->cfa is set all the same.
 */
struct err *cfi_unwind(struct insp *i, uint64_t lookup,
		       const struct frame_regs *regs, struct cfi_step *out)
	_must_check_;

/* ---- second.c: what libunwind says -------------------------------------- */
/**
 * How many of @n frames, innermost first, libunwind agrees with. What it
 * cannot judge (no table, memory not captured) it agrees with.
 */
struct err *second_agrees(struct insp *i, const struct frame *frames, size_t n,
			  size_t *out) _must_check_;

/* ---- unwind.c: stacks without registers ---------------------------------- */
/** A frame without its registers. */
struct trace_frame {
	uint64_t pc, cfa;
	uint32_t module;        /* or UINT32_MAX */
	uint8_t how, flags;
};
struct trace {
	const struct trace_frame *frames;
	size_t n;
	enum stack_end end;
	const char *why;
};
/**
 * The frames of insp_stack(), without registers; without a second opinion some
 * ten times as quick.
 */
struct err *insp_trace(struct insp *i, size_t thread, size_t max_frames,
		       bool second_opinion, struct arena *a,
		       struct trace *out) _must_check_;
uint64_t trace_lookup_pc(const struct trace *t, size_t n);

#endif
