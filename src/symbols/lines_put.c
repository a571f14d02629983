/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of all units as one table of lines, in blocks by address. */
#include <stdlib.h>

#include "symbols/make.h"

#define FILES_MAX 65536u

/** A block of rows in the making. */
struct rows {
	struct strings *strings;
	struct blocks *to;
	struct buf body, files;         /* files: uint32_t references */
	uint64_t first, last;           /* addresses */
	uint32_t n, last_line;
	struct { uint64_t handle; uint32_t index; } recent[16];
};
/** A row that waits: another may be told for its address. */
struct waiting {
	bool is;
	uint64_t address, file;         /* a string, or GAP */
	uint32_t line, column;
	bool statement;
};
#define GAP (UINT64_MAX - 1)

static int
sequence_order(const void *a, const void *b)
{
	const struct dw_sequence *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->end != y->end)
		return x->end > y->end ? -1 : 1;
	if (x->unit != y->unit)
		return x->unit->number < y->unit->number ? -1 : 1;
	return (x->first > y->first) - (x->first < y->first);
}

/* What an earlier one covers is left out of a later one. */
static void
cut(struct buf *sorted)
{
	struct dw_sequence *all = (struct dw_sequence *)(void *)sorted->data;
	size_t n = sorted->len / sizeof(*all), kept = 0;
	uint64_t covered = 0;

	for (size_t k = 0; k < n; k++) {
		if (all[k].end <= covered)
			continue;
		if (all[k].start < covered)
			all[k].start = covered;
		covered = all[k].end;
		all[kept++] = all[k];
	}
	sorted->len = kept * sizeof(*all);
}

struct err *
lines_sort(struct maker *m)
{
	for (uint32_t k = 0; k < m->n_units; k++) {
		const struct buf *from = &m->units[k]->sequences;
		const struct dw_sequence *all = (const void *)from->data;

		for (size_t s = 0; s < from->len / sizeof(*all); s++)
			if (all[s].start < all[s].end
			    && maker_is_text(m, all[s].start))
				buf_put(&m->sequences, &all[s], sizeof(*all));
	}
	if (m->sequences.len)
		qsort(m->sequences.data,
		      m->sequences.len / sizeof(struct dw_sequence),
		      sizeof(struct dw_sequence), sequence_order);
	cut(&m->sequences);
	return buf_err(&m->sequences);
}

/* ---- blocks -------------------------------------------------------------------- */
static void
flush(struct rows *r, uint64_t end)
{
	const uint32_t *files = (const void *)r->files.data;
	size_t n_files = r->files.len / sizeof(*files);
	_buf_ struct buf raw = { 0 };

	if (!r->n)
		return;
	put_uleb(&raw, r->n);
	put_uleb(&raw, end - r->first);
	put_uleb(&raw, n_files);
	for (size_t k = 0; k < n_files; k++)
		put_uleb(&raw, (uint32_t)(files[k] + 1));
	buf_put(&raw, r->body.data, r->body.len);
	if (!r->to->err && (r->body.failed || r->files.failed))
		r->to->err = err_nomem();
	if (!r->to->err)
		r->to->err = buf_err(&raw);
	blocks_pack(r->to, r->first, raw.data, raw.len);
	buf_reset(&r->body);
	buf_reset(&r->files);
	memset(r->recent, 0xff, sizeof(r->recent));
	r->n = r->last_line = 0;
}

/* Its place in the block's files, plus one. */
static uint32_t
file_index(struct rows *r, uint64_t handle)
{
	uint32_t ref = strings_use(r->strings, handle);
	size_t slot = (ref * 0x9e3779b1u) >> 28;
	const uint32_t *files = (const void *)r->files.data;
	uint32_t n = (uint32_t)(r->files.len / sizeof(ref)), k = 0;

	if (r->recent[slot].handle == handle)
		return r->recent[slot].index;
	while (k < n && files[k] != ref)
		k++;
	if (k == n)
		buf_put(&r->files, &ref, sizeof(ref));
	r->recent[slot].handle = handle;
	r->recent[slot].index = k + 1;
	return k + 1;
}

static void
row_put(struct rows *r, const struct waiting *w)
{
	if (r->n == FORMAT_ROWS)
		flush(r, w->address);
	if (!r->n)
		r->first = r->last = w->address;
	put_uleb(&r->body, w->address - r->last);
	put_uleb(&r->body, w->file == GAP ? 0 : file_index(r, w->file));
	if (w->file != GAP) {
		put_sleb(&r->body, (int64_t)w->line - r->last_line);
		put_uleb(&r->body, w->column);
		r->last_line = w->line;
	}
	r->last = w->address;
	r->n++;
}

/* Of rows for one address the last counts, but a statement before others. */
static void
next_row(struct rows *r, struct waiting *w, const struct waiting *next)
{
	bool same = w->is && w->address == next->address;

	if (same && w->statement && !next->statement && w->file != GAP)
		return;
	if (w->is && !same)
		row_put(r, w);
	*w = *next;
	w->is = true;
}

static void
sequence_put(struct rows *r, const struct dw_sequence *s, struct waiting *w)
{
	const struct dw_unit *u = s->unit;
	const struct dw_row *rows = (const struct dw_row *)(const void *)
				    u->rows.data + s->first;

	for (uint32_t k = 0; k < s->n; k++) {
		bool gap = rows[k].end || k + 1 == s->n;
		struct waiting next = {
			.address = rows[k].address, .line = rows[k].line,
			.column = rows[k].column,
			.statement = rows[k].statement || gap,
			.file = gap ? GAP : rows[k].file < u->n_files
				? u->files[rows[k].file] : STR_NONE,
		};

		if (next.address < s->start) {
			if (k + 1 < s->n && rows[k + 1].address <= s->start)
				continue;
			next.address = s->start;
		}
		next_row(r, w, &next);
	}
}

void
lines_put(struct maker *m, struct job *job)
{
	const struct dw_sequence *all = (const void *)m->sequences.data;
	struct rows r = { .strings = m->strings, .to = &job->lines };
	struct waiting w = { 0 };

	memset(r.recent, 0xff, sizeof(r.recent));
	for (uint32_t k = job->first; k < job->first + job->n; k++)
		sequence_put(&r, &all[k], &w);
	if (w.is)
		row_put(&r, &w);
	flush(&r, w.address + 1);
	buf_fini(&r.body);
	buf_fini(&r.files);
}
