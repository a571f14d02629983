/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to store: the parts of a verification.
 */
#ifndef STORE_VERIFY_H
#define STORE_VERIFY_H

#include "store/impl.h"

/** Who hears of it. */
struct verify {
	void (*fault)(struct verify *v, const char *sentence);
	/* Before it is read: if it ends the process, it is known which. */
	void (*reads)(struct verify *v, const char *path);
	struct store_verified sum;      /* but for the faults */
};

/** A project that is looked at. */
struct scan {
	struct verify *verify;
	struct project *project;
	struct txn *txn;        /* of verify_tables() and verify_counts() */
	struct arena *arena;
};

/* ---- verify_scan.c ---- */
/** Takes @err, and says it if there is one. */
void scan_say(struct scan *s, struct err *err);
/**
 * Takes @err: damage is said, and no error any more. What was removed
 * meanwhile is none at all.
 */
struct err *scan_said(struct scan *s, struct err *err) _must_check_;
/** Where the project's files are. */
const char *scan_path(const struct scan *s);
/** @file of the project is read from now on. */
void scan_reads(struct scan *s, const char *file);
/** As table_each(), but a damaged record is said, if @say, and passed over. */
struct err *scan_each(struct scan *s, enum table table, bool say,
		      row_fn *each) _must_check_;
typedef struct err *number_fn(struct scan *s, uint64_t number);
/** Each number of an object, in the transaction. */
struct err *scan_objects(struct scan *s, number_fn *each) _must_check_;

/* ---- what there is to verify ---- */
/** Does what the tables say fit together? */
struct err *verify_tables(struct scan *s) _must_check_;
/** Is each piece counted as often as it is meant? */
struct err *verify_counts(struct scan *s) _must_check_;
/** Is each piece, and each file as a whole, what its hash says? */
struct err *verify_bytes(struct scan *s) _must_check_;
/** All of these; errors only where nothing could be said. */
struct err *verify_project(struct verify *v, struct store *s,
			   const char *name) _must_check_;

#endif
