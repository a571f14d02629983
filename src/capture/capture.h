/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture: writes down what was seen.
 */
#ifndef CAPTURE_CAPTURE_H
#define CAPTURE_CAPTURE_H

#include "base/base.h"
#include "inspect/inspect.h"
#include "snapfmt/snapfmt.h"

/** Called as memory is written, for a progress bar; may be NULL. */
typedef void capture_progress_fn(void *arg, uint64_t done, uint64_t total);

struct capture_options {
	const char *source;             /* "elf-core", … for the provenance */
	const char *source_name;
	const char *const *attributes;  /* "key=value", borrowed; n_attributes */
	size_t n_attributes;
	capture_progress_fn *progress;
	void *progress_arg;
};

/** What was written. */
struct capture_counts {
	uint64_t threads, frames, modules;
	uint64_t memory;                /* bytes captured */
	uint64_t absent;                /* bytes mapped, but not kept */
};

/**
 * Write everything that @i knows as a snapshot: memory (pages of code equal to
 * their module's file as references), text around the frames, skeletons of the
 * modules, threads, maps, modules, resolved frames of all threads, texts,
 * attributes, notes, and as notes what is missing. Memory that cannot be read
 * becomes an absent range and a note. An attribute of @options replaces one
 * that the target has under the same key. What a client wrote into the
 * session's overlay is not written down.
 */
struct err *capture_save(struct insp *i, const struct capture_options *options,
			 snap_sink_fn *sink, void *arg,
			 struct capture_counts *out) _must_check_;

#endif
