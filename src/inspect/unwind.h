/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of unwinding among themselves: DWARF expressions, rows of call
 * frame information, the second opinion.
 */
#ifndef INSPECT_UNWIND_H
#define INSPECT_UNWIND_H

#include <elfutils/libdw.h>

#include "inspect/inspect.h"

/* ---- expr.c: the DWARF stack machine (DWARF 5, 2.5) ------------------------ */
#define EXPR_STACK_MAX 64
#define EXPR_STEPS_MAX 10000u

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

/* ---- cfi.c: one step by call frame information ------------------------------ */
struct cfi_step {
	uint64_t cfa;           /* of the frame itself */
	bool signal;            /* the frame is a signal handler's trampoline */
	bool outermost;         /* its return address is undefined */
	struct frame_regs caller;
};
/**
 * The caller's registers, by the row for @lookup. ERR_NOTFOUND where no table
 * covers it; other errors say why the row could not be evaluated.
 */
struct err *cfi_unwind(struct insp *i, uint64_t lookup,
		       const struct frame_regs *regs, struct cfi_step *out)
	_must_check_;

/* ---- second.c: what libunwind says -------------------------------------------- */
/**
 * How many of @n frames, innermost first, libunwind agrees with. What it
 * cannot judge (no table, memory not captured) it agrees with.
 */
struct err *second_agrees(struct insp *i, const struct frame *frames, size_t n,
			  size_t *out) _must_check_;

#endif
