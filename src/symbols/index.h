/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index: an index that was opened. Blocks, trees and rows that were unpacked
 * are kept up to a bound, and then all forgotten: only when somebody asks
 * anew, so that within one question nothing goes away. Strings stay.
 */
#ifndef SYMBOLS_INDEX_H
#define SYMBOLS_INDEX_H

#include "symbols/blocks.h"
#include "symbols/cursor.h"
#include "symbols/symbols.h"

#define INDEX_KEEP_MAX (96u << 20)      /* bytes of trees and rows… */
#define INDEX_RAW_MAX (12u << 20)       /* …and of blocks, but strings */
#define INDEX_TEXT_MAX (1ull << 30)     /* strings: they stay, once unpacked */

struct index_tree;
struct index_rows;
struct index_texts;
struct index_bodies;
struct symidx {
	struct span file;
	void *mapped;                   /* owned, or NULL */
	struct arena *arena;            /* what is not mapped */
	struct format_header head;
	struct symidx_about about;
	const struct format_block *blocks[N_STREAMS];
	uint32_t n_blocks[N_STREAMS];
	uint8_t **unpacked[N_STREAMS];  /* by block */
	const struct format_span *spans;
	const struct format_symbol *symbols;
	const struct format_unit *units;
	const struct format_name *names;
	const uint32_t *sources;
	uint32_t n_spans, n_symbols, n_units, n_names, n_sources;
	struct index_tree ***trees;     /* pages of them, by function */
	struct index_rows **rows;       /* by block */
	struct index_texts **texts;     /* by block of strings */
	struct index_bodies *bodies;    /* NULL until one is asked for */
	size_t kept, raw;               /* bytes */
	bool spoilt;                    /* a checksum was wrong */
	struct unpacker unpacker;
};

/** At the start of a question: forget what is too much. */
void index_trim(struct symidx *ix);
/** The number of the block of @stream that has @first, or UINT32_MAX. */
uint32_t index_block(const struct symidx *ix, enum format_stream stream,
		     uint64_t first);
/** Its bytes; kept by @ix. */
struct err *index_unpack(struct symidx *ix, enum format_stream stream,
			 uint32_t block, const uint8_t **out) _must_check_;
/** Record @number of @stream. */
struct err *index_record(struct symidx *ix, enum format_stream stream,
			 uint64_t number, struct cur *out) _must_check_;
/** The same in memory of @a, for what is borrowed from it. */
struct err *index_copy(struct symidx *ix, enum format_stream stream,
		       uint64_t number, struct arena *a, struct cur *out)
	_must_check_;
struct err *index_damaged(void) _must_check_;

/** Of @n sorted numbers, how many are at most @value. */
static inline uint32_t
index_search(const uint32_t *all, uint32_t n, uint64_t value)
{
	uint32_t low = 0, high = n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (all[mid] <= value)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/** References, none where they lead nowhere. */
uint32_t read_string(struct symidx *ix, struct cur *c);
uint32_t read_type(struct symidx *ix, struct cur *c);
uint32_t read_unit(struct symidx *ix, struct cur *c);
struct span read_span(struct cur *c);

/* ---- strings (string.c) ---- */
void texts_forget(struct symidx *ix);
/* ---- functions, decoded whole (bodies.c) ---- */
void bodies_forget(struct symidx *ix);
/* ---- trees (frames.c) ---- */
void trees_forget(struct symidx *ix);
/* ---- lines (lines.c) ---- */
void rows_forget(struct symidx *ix);

#endif
