/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compact rows: what leads from one frame to the next, without the registers
 * that only variables need. quick.c keeps them by return address. What does
 * not fit is a row that sends to the complete evaluator.
 */
#include <string.h>

#include "inspect/arch.h"
#include "inspect/unwind.h"

/*
 * What linkers write for .plt: CFA = sp + 8 + ((pc & 15) >= N) * 8. An entry of
 * it pushes a word before it jumps.
 */
static bool
is_plt(struct span e, int16_t *pushed)
{
	static const uint8_t head[] = { 0x77, 8, 0x80, 0, 0x3f, 0x1a };
	static const uint8_t tail[] = { 0x2a, 0x33, 0x24, 0x22 };
	const uint8_t *bytes = e.data;

	if (e.n != sizeof(head) + 1 + sizeof(tail)
	    || memcmp(bytes, head, sizeof(head)) != 0
	    || memcmp(bytes + sizeof(head) + 1, tail, sizeof(tail)) != 0
	    || bytes[sizeof(head)] < 0x30 || bytes[sizeof(head)] > 0x3f)
		return false;
	*pushed = bytes[sizeof(head)] - 0x30;
	return true;
}

static bool
brief_cfa(const struct cfi_row *row, const struct arch *arch,
	  struct cfi_brief *out)
{
	int64_t offset = (int64_t)row->cfa.value;

	if (row->cfa.kind == CFI_VAL_EXPRESSION) {
		out->kind = BRIEF_PLT;
		return is_plt(row->cfa.expression, &out->cfa);
	}
	if (row->cfa.kind != CFI_VAL_OFFSET || offset < INT16_MIN
	    || offset > INT16_MAX)
		return false;
	out->cfa = (int16_t)offset;
	out->kind = row->cfa_reg == arch->sp ? BRIEF_SP : BRIEF_FP;
	return row->cfa_reg == arch->sp || row->cfa_reg == arch->fp;
}

static bool
brief_fp(const struct cfi_rule *rule, struct cfi_brief *out)
{
	int64_t offset = (int64_t)rule->value;

	out->fp = BRIEF_FP_SAME;
	if (rule->kind == CFI_NONE || rule->kind == CFI_SAME)
		return true;
	if (rule->kind != CFI_OFFSET || offset % 8 || offset / 8 <= INT8_MIN
	    || offset / 8 >= BRIEF_LAST)
		return false;
	out->fp = (int8_t)(offset / 8);
	return true;
}

/* False where it does not fit. */
static bool
brief_of(const struct cfi_row *row, const struct arch *arch,
	 struct cfi_brief *out)
{
	const struct cfi_rule *ra = &row->reg[arch->pc];
	const struct cfi_rule *sp = &row->reg[arch->sp];

	if (!brief_cfa(row, arch, out)
	    || (sp->kind != CFI_NONE
		&& (sp->kind != CFI_VAL_OFFSET || sp->value != 0)))
		return false;
	if (ra->kind == CFI_UNDEFINED) {
		out->fp = BRIEF_LAST;
		return out->kind != BRIEF_PLT;
	}
	return ra->kind == CFI_OFFSET && ra->value == (uint64_t)-8
	       && brief_fp(&row->reg[arch->fp], out);
}

struct err *
cfi_brief_at(struct cfi_table *t, const struct arch *arch, uint64_t pc,
	     struct cfi_brief *out)
{
	const struct cfi_brief rest = { .kind = BRIEF_EXPRESSION };
	struct cfi_entry entry;
	struct cfi_row row;
	struct err *err = cfi_table_find(t, pc, &entry);

	*out = (struct cfi_brief){ .kind = BRIEF_NONE };
	if (err_kind(err) == ERR_NOTFOUND) {
		err_free(err);
		return NULL;
	}
	if (err || entry.signal || entry.ra != arch->pc) {
		*out = rest;
		return err;
	}
	/* Where its program cannot be run, the evaluator says why. */
	_err_ struct err *bad = cfi_row_at(&entry, pc - t->bias, &row);
	if (bad || !brief_of(&row, arch, out))
		*out = rest;
	return NULL;
}
