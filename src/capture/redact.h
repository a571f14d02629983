/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must not be written: bytes that rules match, wherever they are. In
 * memory they become absent ranges, in texts "[redacted by RULE]".
 *
 * "env:NAME" (a glob) is the value in every string "NAME=value" of memory and
 * of /proc/PID/environ, and every copy of such a value of 4 bytes or more.
 * "regex:EXPRESSION" is what it matches, up to 256 KiB at a time. "symbol:NAME"
 * (a glob) are the bytes of variables. Copies in other encodings, and parts of
 * a value by themselves, are not found.
 */
#ifndef CAPTURE_REDACT_H
#define CAPTURE_REDACT_H

#include "capture/impl.h"

#define HITS_MAX (1u << 20)

enum rule_kind { RULE_ENV, RULE_REGEX, RULE_SYMBOL };
struct rule {
	enum rule_kind kind;
	const char *text;               /* as it was typed */
	const char *name;               /* to call it by in the file */
	const char *pattern;            /* behind the colon */
	struct regex *regex;
	uint64_t memory, places;        /* bytes and ranges taken away */
	uint64_t texts;                 /* and matches in texts */
	bool gave_up;
};
/** A value of the environment. */
struct secret {
	const char *value;
	size_t n;
	uint32_t rule;
};
struct hit {
	uint64_t from, to;
	uint32_t rule;
};
struct redactions {
	struct arena *arena;            /* borrowed */
	struct rule *rules;
	size_t n_rules;
	struct vec secrets;             /* struct secret */
	struct vec ranges;              /* struct hit by address: sorted, and
					   disjoint once prepared */
};

/* ---- redact_rules.c: matching ------------------------------------------ */
/** ERR_USAGE names the word that is no rule. */
struct err *rules_parse(struct redactions *r, const char *const *words,
			size_t n) _must_check_;
/** Values of "NAME=value" in @in become secrets. */
struct err *rules_learn(struct redactions *r, struct span in) _must_check_;
/** Append what is matched in @in to @hits, with @base added, unsorted. */
struct err *rules_find(struct redactions *r, struct span in, uint64_t base,
		       struct vec *hits) _must_check_;
/** Sort and join, so that they are disjoint. */
void hits_merge(struct vec *hits);

/* ---- redact.c: memory --------------------------------------------------- */
/** Of s->options into s->redactions, which stays NULL without rules. */
struct err *redact_prepare(struct saver *s) _must_check_;
void redact_fini(struct saver *s);
/**
 * How the @n bytes at @addr begin: true if the first *@part of them must not
 * be written, false if these may be. @r may be NULL.
 */
bool redact_part(const struct redactions *r, uint64_t addr, size_t n,
		 size_t *part) _must_check_;
/** Bytes to be written that are not of the target's memory. */
struct err *redact_more(struct saver *s, uint64_t addr, const void *bytes,
			size_t n) _must_check_;

/** redact_symbols.c: the rules that name variables. */
struct err *redact_symbols(struct saver *s) _must_check_;

/* ---- redact_texts.c: records --------------------------------------------- */
/** In place of what is matched stands by which rule; copies are in the arena. */
struct err *redact_span(struct saver *s, struct span *text) _must_check_;
/** The same for strings; NULL stays NULL. */
struct err *redact_string(struct saver *s, const char **text) _must_check_;
struct err *redact_process(struct saver *s, struct snap_process *p)
	_must_check_;
/** Register sets that hold what is matched are left out. */
struct err *redact_thread(struct saver *s, struct snap_thread *t) _must_check_;
struct err *redact_module(struct saver *s, struct snap_module *m) _must_check_;
/** What was redacted, a note for each rule. */
struct err *redact_tell(struct saver *s) _must_check_;

#endif
