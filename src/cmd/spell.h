/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spell: the words by which libraries that call a tracer of their own speak
 * to it, so that they can call this one.
 */
#ifndef CMD_SPELL_H
#define CMD_SPELL_H

#include "capture/capture.h"
#include "cmd/save.h"

/** Values of the options that SPELL_OPTS describes. */
struct spell {
	struct opt_list classifier, resource;
	const char *application, *core, *ignored;
	uint64_t thread, fault_thread;
	bool unneeded;
};
/** They stand in the manual only. T has members "spell", and "to" for
 * SAVE_OPTS. */
#define SPELL_OPTS(T) \
	{ "thread", 0, "TID", "the thread that matters: marked as the " \
	  "faulting one where no other is", \
	  OPT_U64, offsetof(T, spell.thread) }, \
	{ "fault-thread", 0, "TID", "the same, and goes before --thread", \
	  OPT_U64, offsetof(T, spell.fault_thread) }, \
	{ "application", 0, "NAME", "the attribute \"application\"", \
	  OPT_STRING, offsetof(T, spell.application) }, \
	{ "classifier", 0, "NAME", "the attribute \"classifiers\" (may be " \
	  "repeated)", OPT_LIST, offsetof(T, spell.classifier) }, \
	{ "resource", 0, "PATH", "keep this file, or all files below this " \
	  "directory (may be repeated)", \
	  OPT_LIST, offsetof(T, spell.resource) }, \
	{ "core", 0, "CORE", "no process: what `" PROGRAM " import` does; " \
	  "the operand is the program", OPT_STRING, offsetof(T, spell.core) }, \
	{ "prefix", 'O', "PREFIX", "write PREFIX.PID.snap, which replaces " \
	  "no file", OPT_STRING, offsetof(T, to.prefix) }, \
	{ "faulted", 0, NULL, "ignored: all threads are kept", \
	  OPT_FLAG, offsetof(T, spell.unneeded) }, \
	{ "load", 0, "PATTERN", "ignored: names come from wherever they are " \
	  "found", OPT_STRING, offsetof(T, spell.ignored) }, \
	{ "module", 0, "NAME:SETTINGS", "ignored", \
	  OPT_STRING, offsetof(T, spell.ignored) }, \
	{ "module-load", 0, "FILE", "ignored", \
	  OPT_STRING, offsetof(T, spell.ignored) }, \
	{ "pretty-print", 0, NULL, "ignored", \
	  OPT_FLAG, offsetof(T, spell.unneeded) }, \
	{ "stale-pointer", 0, NULL, "ignored", \
	  OPT_FLAG, offsetof(T, spell.unneeded) }, \
	{ "security", 0, NULL, "ignored", \
	  OPT_FLAG, offsetof(T, spell.unneeded) }

/** What they add to what keep_read() made of the others; in @a. */
struct err *spell_keep(const struct spell *s, struct arena *a,
		       struct capture_options *options) _must_check_;
/** Mark the thread that was named, and put it first; if it is there. */
struct err *spell_thread(const struct spell *s, struct target *picture)
	_must_check_;

#endif
