/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compact rows: what leads from one frame to the next, without the registers
 * that only variables need. They are made of a whole entry at once, by the
 * program of cfi_row.c, and kept. Equal neighbours are one row; what does not
 * fit is a row that sends to the complete evaluator.
 */
#include <string.h>

#include "inspect/arch.h"
#include "inspect/unwind.h"

#define ROWS_MAX 2048u          /* of one entry; what follows is evaluated */

/** Rows in the making. */
struct maker {
	const struct cfi_entry *entry;
	const struct arch *arch;
	struct cfi_brief rows[ROWS_MAX + 2];
	size_t n;
};

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

static bool
same_rule(const struct cfi_brief *a, const struct cfi_brief *b)
{
	return a->kind == b->kind && a->cfa == b->cfa && a->fp == b->fp;
}

static void
put_row(struct maker *m, const struct cfi_brief *row)
{
	if (m->n == 0 || !same_rule(&m->rows[m->n - 1], row))
		m->rows[m->n++] = *row;
}

static struct err *
make_row(void *arg, uint64_t start, const struct cfi_row *row)
{
	struct maker *m = arg;
	struct cfi_brief brief = { 0 };

	if (m->n == ROWS_MAX)
		return err_new(ERR_LIMIT, "more than %u rows", ROWS_MAX);
	if (!brief_of(row, m->arch, &brief))
		brief = (struct cfi_brief){ .kind = BRIEF_EXPRESSION };
	brief.at = (uint32_t)(start - m->entry->start);
	put_row(m, &brief);
	return NULL;
}

/* Where its program cannot be run to its end, the evaluator says why. */
static void
make_rows(struct maker *m)
{
	const struct cfi_entry *e = m->entry;
	struct cfi_brief rest = { .kind = BRIEF_EXPRESSION };
	uint64_t size = e->end - e->start;

	if (size > UINT32_MAX || e->signal || e->ra != m->arch->pc) {
		put_row(m, &rest);
		return;
	}
	_err_ struct err *err = cfi_rows(e, make_row, m);
	if (err) {
		/* From the last row on: some of it may be beyond the trouble,
		 * and an evaluation too many is never wrong. */
		rest.at = m->n ? m->rows[m->n - 1].at : 0;
		m->n -= m->n ? 1 : 0;
		put_row(m, &rest);
	}
	put_row(m, &(struct cfi_brief){ .at = (uint32_t)size });
}

static struct err *
rows_of(struct cfi_table *t, size_t place, const struct arch *arch,
	struct arena *a)
{
	struct cfi_entry entry;
	struct maker m;         /* its rows are written before they are read */

	m.entry = &entry;
	m.arch = arch;
	m.n = 0;
	if (!t->briefs)
		t->briefs = arena_array(a, t->n, sizeof(*t->briefs));
	if (!t->briefs)
		return err_nomem();
	_err_ struct err *bad = cfi_table_entry(t, place, &entry);
	if (bad)
		put_row(&m, &(struct cfi_brief){ .kind = BRIEF_EXPRESSION });
	else
		make_rows(&m);
	/* One more, so that a search needs no count. */
	m.rows[m.n++] = (struct cfi_brief){ .at = UINT32_MAX };
	t->briefs[place] = arena_dup(a, m.rows, m.n * sizeof(*m.rows));
	return t->briefs[place] ? NULL : err_nomem();
}

struct err *
cfi_brief_at(struct cfi_table *t, const struct arch *arch, uint64_t pc,
	     struct arena *a, struct cfi_brief *out)
{
	size_t place = cfi_table_place(t, pc);

	out->kind = BRIEF_NONE;
	if (place == SIZE_MAX)
		return NULL;
	if (!t->briefs || !t->briefs[place]) {
		struct err *err = rows_of(t, place, arch, a);
		if (err)
			return err;
	}
	uint64_t at = pc - t->bias - t->places[place].start;
	const struct cfi_brief *row = t->briefs[place];
	while (row[1].at <= at && row[1].at != UINT32_MAX)
		row++;
	*out = *row;
	return NULL;
}
