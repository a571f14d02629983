/* SPDX-License-Identifier: Apache-2.0 */
/*
 * att: corrections of what Zydis writes in AT&T syntax.
 */
#ifndef DISASM_ATT_H
#define DISASM_ATT_H

#include <Zydis/Zydis.h>

#include "disasm/disasm.h"

/** Zydis' own functions, below ours: user data of each call. */
struct att {
	ZydisFormatterFunc memory, reg;
	ZydisFormatterRegisterFunc name;
};
bool att_begin(ZydisFormatter *f, struct att *att) _must_check_;

#endif
