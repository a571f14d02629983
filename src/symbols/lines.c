/* SPDX-License-Identifier: Apache-2.0 */
/* Which line an address is of. */
#include <stdlib.h>

#include "symbols/index.h"
#include "symbols/lines.h"

struct index_row {
	uint32_t line;
	uint16_t file;                  /* 0: none known; else in files */
	uint16_t column;
};
struct index_rows {
	uint32_t n, n_files;
	uint64_t start, end;
	struct index_row *rows;
	uint32_t *files;
	uint32_t addresses[];           /* from the start */
};
#define ROWS_MAX (2 * FORMAT_ROWS)
#define GAP UINT16_MAX

static struct index_rows *
rows_new(uint32_t n, uint32_t n_files)
{
	struct index_rows *r = malloc(sizeof(*r) + n * sizeof(uint32_t)
				      + n * sizeof(struct index_row)
				      + (n_files + 1) * sizeof(uint32_t));

	if (!r)
		return NULL;
	*r = (struct index_rows){ .n = n, .n_files = n_files };
	r->rows = (struct index_row *)(void *)(r->addresses + n);
	r->files = (uint32_t *)(void *)(r->rows + n);
	return r;
}

static void
decode_rows(struct index_rows *r, struct cur *c)
{
	uint64_t address = 0;
	uint32_t line = 0;

	for (uint32_t k = 0; k < r->n; k++) {
		struct index_row *row = &r->rows[k];

		address += cur_uleb(c);
		if (address > UINT32_MAX)
			cur_fail(c);
		r->addresses[k] = (uint32_t)address;
		uint64_t file = cur_uleb(c);
		*row = (struct index_row){ .file = GAP };
		if (!file)
			continue;
		line += (uint32_t)cur_sleb(c);
		row->file = file <= r->n_files ? (uint16_t)(file - 1) : GAP;
		row->line = line;
		row->column = (uint16_t)cur_uleb(c);
	}
}

static struct index_rows *
decode(struct symidx *ix, const uint8_t *raw, const struct format_block *b)
{
	struct cur c = cur_of(raw, b->raw);
	uint64_t n = cur_uleb(&c), size = cur_uleb(&c), files = cur_uleb(&c);

	if (c.failed || n > ROWS_MAX || !n || files > cur_left(&c)
	    || files >= GAP)
		return NULL;
	struct index_rows *r = rows_new((uint32_t)n, (uint32_t)files);
	if (!r)
		return NULL;
	r->start = b->first;
	r->end = b->first + size;
	for (uint32_t k = 0; k < files; k++)
		r->files[k] = read_string(ix, &c);
	decode_rows(r, &c);
	if (c.failed) {
		free(r);
		return NULL;
	}
	ix->kept += n * (sizeof(uint32_t) + sizeof(struct index_row));
	return r;
}

static const struct index_rows *
rows_at(struct symidx *ix, uint64_t addr)
{
	uint32_t block = index_block(ix, STREAM_LINES, addr);
	const uint8_t *raw;

	if (block == UINT32_MAX)
		return NULL;
	if (ix->rows[block])
		return ix->rows[block];
	_err_ struct err *err = index_unpack(ix, STREAM_LINES, block, &raw);
	if (err)
		return NULL;
	ix->rows[block] = decode(ix, raw, &ix->blocks[STREAM_LINES][block]);
	/* The rows are kept, and nobody needs the bytes any more. */
	ix->raw -= ix->blocks[STREAM_LINES][block].raw;
	base_free(&ix->unpacked[STREAM_LINES][block]);
	ix->unpacked[STREAM_LINES][block] = NULL;
	return ix->rows[block];
}

void
rows_forget(struct symidx *ix)
{
	for (uint32_t k = 0; ix->rows && k < ix->n_blocks[STREAM_LINES]; k++) {
		free(ix->rows[k]);
		ix->rows[k] = NULL;
	}
}

bool
lines_find(struct symidx *ix, uint64_t addr, struct sym_line *out)
{
	const struct index_rows *r = rows_at(ix, addr);

	if (!r || addr >= r->end)
		return false;
	uint32_t k = index_search(r->addresses, r->n, addr - r->start);
	if (!k)
		return false;
	const struct index_row *row = &r->rows[k - 1];
	if (row->file == GAP)
		return false;
	*out = (struct sym_line){
		.start = r->start + r->addresses[k - 1],
		.end = k < r->n ? r->start + r->addresses[k] : r->end,
		.file = r->files[row->file], .line = row->line,
		.column = row->column,
	};
	return true;
}

bool
symidx_line(struct symidx *ix, uint64_t addr, struct sym_line *out)
{
	index_trim(ix);
	return lines_find(ix, addr, out);
}
