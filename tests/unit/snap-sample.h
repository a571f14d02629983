/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots that hold every kind of record, for the tests of snapfmt.
 */
#ifndef UNIT_SNAP_SAMPLE_H
#define UNIT_SNAP_SAMPLE_H

#include "snapfmt/snapfmt.h"

enum sample_size {
	SAMPLE_SMALL,           /* nothing in it is packed but chunks */
	SAMPLE_LARGE,           /* packed sections, equal chunks too */
	SAMPLE_MOVED,           /* small, and memory that was packed moved */
};

/* Memory that both sizes have. */
#define SAMPLE_DATA 0x10f80u    /* 0x100 bytes over no window's edge */
#define SAMPLE_ZERO 0x20000u    /* one window */
#define SAMPLE_FILE 0x400000u   /* one page of module 0's file */
#define SAMPLE_ABSENT 0x500000u /* one page over the budget */

/* And what the large one has more: part of a window, four, part of one. */
#define SAMPLE_LARGE_DATA 0x7f0000003000u
#define SAMPLE_LARGE_SIZE 0x11400u

/* And that with moved words: two windows, loaded at SAMPLE_BASE. */
#define SAMPLE_BASE 0x7f0000123000u
#define SAMPLE_MOVED_FIRST 0x8000u
#define SAMPLE_MOVED_SIZE 0x8000u

/** The word of it that is in memory at SAMPLE_BASE + SAMPLE_MOVED_FIRST + @off,
 * were the module loaded at @base. */
uint64_t sample_word(uint64_t base, size_t off);

/** A snap_sink_fn over a struct buf. */
struct err *sample_sink(void *buf, const void *data, size_t n) _must_check_;
/** The byte of captured memory at @addr in the sample. */
uint8_t sample_byte(uint64_t addr);
struct err *sample_make(enum sample_size size, struct buf *out) _must_check_;

#endif
