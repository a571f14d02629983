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

/**
 * Write everything that @i knows as a snapshot: memory (pages equal to their
 * module's file as references), text around the frames, module skeletons,
 * threads, maps, modules, resolved frames of all threads, texts, attributes,
 * notes, and as notes what is missing.
 */
struct err *capture_save(struct insp *i, const struct capture_options *options,
			 snap_sink_fn *sink, void *arg) _must_check_;

#endif
