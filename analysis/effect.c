/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an instruction does, in words.
 */
#include "analysis/analysis.h"

static void
put_access(const struct disasm_memory *m, struct buf *out)
{
	static const char *const answers[] = {
		[DISASM_NOT_ASKED] = "", [DISASM_VALUE] = "",
		[DISASM_NOT_CAPTURED] = ", which was not captured",
		[DISASM_NOT_MAPPED] = ", where nothing is mapped",
	};

	if (!m->reads && !m->writes)
		buf_puts(out, "computes");
	else
		buf_puts(out, !m->writes ? "reads" : m->reads
				? "reads and writes" : "writes");
	if (m->size && (m->reads || m->writes))
		buf_printf(out, " %u byte%s", m->size, m->size == 1 ? "" : "s");
	buf_puts(out, m->reads || m->writes ? " at " : " ");
	if (m->known)
		disasm_put_place(&m->place, out);
	else
		buf_puts(out, "an address that is not known");
	buf_puts(out, answers[m->answer]);
}

static void
put_reg(const struct disasm_reg *r, const char *before, struct buf *out)
{
	buf_printf(out, "%s%s", before, r->name);
	if (r->known)
		buf_printf(out, " = 0x%llx", (unsigned long long)r->value);
	else
		buf_puts(out, " is not known");
}

void
effect_put(const struct disasm_entry *e, struct buf *out)
{
	const char *before = ": ";

	for (size_t k = 0; k < e->n_memory; k++) {
		buf_puts(out, k ? ", and " : "");
		put_access(&e->memory[k], out);
	}
	for (size_t k = 0; k < e->n_memory; k++)
		for (size_t n = 0; n < e->memory[k].n_regs; n++) {
			put_reg(&e->memory[k].regs[n], before, out);
			before = ", ";
		}
	before = e->n_memory ? "; with " : "reads ";
	for (size_t k = 0; k < e->n_regs; k++) {
		put_reg(&e->regs[k], before, out);
		before = ", ";
	}
}
