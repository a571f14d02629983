/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of analysis share among themselves and nobody else sees.
 */
#ifndef ANALYSIS_IMPL_H
#define ANALYSIS_IMPL_H

#include "analysis/analysis.h"

/* Addresses below are those of a null pointer and a small offset. */
#define CAUSE_FIRST_PAGE 4096u

/* What is said of such an address, until the pointer is known. */
#define CAUSE_NULL ": a null pointer, or one with a small offset"

/* cause.c */
/** Of the first thread; false where it is not known. */
bool cause_register(struct insp *i, unsigned number, uint64_t *out);
/** Is @address, as that of a stack which grew out of its mapping, below it, and
 * by how many bytes? */
bool cause_below_stack(struct insp *i, uint64_t address, uint64_t *below);
/* classify.c */
/** @c->kind and @c->access, of what else is known of @c. */
void cause_classify(struct insp *i, struct cause *c);
/** Say in @c->text which expression it was; @jump: what was called. */
struct err *cause_add_expression(struct cause *c, bool jump, struct arena *a)
	_must_check_;

#endif
