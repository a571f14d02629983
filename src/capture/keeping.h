/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variables that are written as text, up to a limit for all of them.
 */
#ifndef CAPTURE_KEEPING_H
#define CAPTURE_KEEPING_H

#include "capture/impl.h"
#include "values/values.h"

struct keeping {
	struct saver *saver;
	struct values *values;
	struct arena *arena;
	size_t n, bytes;
};
bool keep_is_full(const struct keeping *k);
/** @v says whose it is; what it is, and its value, are filled in. */
struct err *keep_value(struct keeping *k, struct snap_variable v,
		       const struct var *var, const struct value *value)
	_must_check_;
/** The variables that somebody asked for, of which an index knows the type. */
struct err *globals_keep(struct keeping *k) _must_check_;

#endif
