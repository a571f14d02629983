/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variables that somebody asked for by name.
 */
#ifndef CAPTURE_GLOBALS_H
#define CAPTURE_GLOBALS_H

#include "capture/impl.h"

/** One variable, or one thread's copy of it. */
struct global {
	const char *name;               /* demangled */
	uint64_t address, size;
	uint64_t tid;                   /* 0 = there is one for all threads */
	size_t module;
};
/**
 * Fill @s->globals by the names and globs of @s->options. What matches
 * nothing, or was not captured, is said in a sentence.
 */
struct err *globals_find(struct saver *s) _must_check_;
/** A note for each, when memory has been written: its key is "global.NAME". */
struct err *globals_note(struct saver *s) _must_check_;

#endif
