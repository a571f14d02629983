/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code.c: the instruction at which a process died.
 */
#include "cmd/code.h"

struct err *
code_faulting(struct insp *i, struct arena *a, const struct disasm_entry **out)
{
	const struct target *t = insp_target(i);
	_disasm_ struct disasm *d = NULL;
	struct frame_regs regs;
	struct disasm_list list;

	*out = NULL;
	/* Codes up to 0 are those that processes send: sigaction(2). */
	if (!t->n_threads || !t->process.signal || t->process.signal_code <= 0)
		return NULL;
	struct err *err = insp_frame_regs(i, 0, &regs);
	if (err || !(regs.known >> insp_arch(i)->pc & 1)) {
		err_free(err);
		return NULL;
	}
	const uint64_t pc = regs.value[insp_arch(i)->pc];
	const struct disasm_ask ask = {
		.address = pc, .count = 1, .regs = &regs, .pc = pc,
	};
	err = disasm_new(t->process.machine, DISASM_ATT, &d);
	if (!err)
		err = disasm_list(d, i, &ask, a, &list);
	if (!err && list.entries[0].kind == DISASM_CODE)
		*out = list.entries;
	return err;
}
