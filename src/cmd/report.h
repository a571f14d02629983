/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report: what a report says, gathered once, then written as text or JSON.
 */
#ifndef CMD_REPORT_H
#define CMD_REPORT_H

#include "analysis/analysis.h"
#include "cmd/code.h"
#include "inspect/inspect.h"
#include "values/shown.h"

/**
 * Arguments and locals of a frame: those that an index knows, else those that
 * the snapshot has, as text; none where neither does.
 */
struct report_frame {
	const struct snap_variable *stored;
	size_t n_stored;
	const struct scope *scope;
	const struct var *vars;
	const struct value **values;            /* one each */
	size_t n;
};
struct report_thread {
	const struct snap_thread *record;
	struct view view;
	struct report_frame *frames;    /* one for each of the view, or NULL */
};
struct report {
	struct insp *insp;
	const struct target *target;
	struct arena *arena;
	const char *path;       /* SNAP as it was typed */
	const char *program;    /* path of the executable, or NULL */
	bool all_threads, all_variables, colour;
	struct values *values;  /* by report_begin(), owned */
	struct cause cause;
	struct report_thread *threads;
	struct groups groups;
	struct missing missing;
	const struct values_asked *globals;     /* that were asked for */
	size_t n_threads, n_globals;
	struct span source;     /* text that frame @source_frame of the first
				   thread is in; n = 0: it is not at hand */
	size_t source_frame;
};

/**
 * Fills what follows @path and @colour from @r->insp: first what happened,
 * with the stack of the first thread, for which somebody waits; then the rest.
 */
struct err *report_begin(struct report *r) _must_check_;
struct err *report_finish(struct report *r) _must_check_;
/** Arguments and locals of threads [@from, @to): of the first one, or of all
 * where all are asked for. */
struct err *report_vars(struct report *r, size_t from, size_t to) _must_check_;
/** The source of the innermost frame that has a line and whose file is found;
 * of one of the compiler's own files last. */
void report_source(struct report *r);
void report_fini(struct report *r);
/** What report_begin() found out, and behind it the rest. */
void report_text_begin(const struct report *r, struct buf *out);
void report_text_rest(const struct report *r, struct buf *out);
/** @r->colour is to be off. */
void report_markdown(const struct report *r, struct buf *out);
struct err *report_json(const struct report *r, struct buf *out) _must_check_;

/** What report says, in @format "text", "json" or "markdown": a
 * worker_report_fn. */
struct err *report_export(struct insp *i, const char *title,
			  const char *format, struct buf *out) _must_check_;

/** A value as an object of name, type, value, state, why, address. */
struct json *report_json_value(const char *name, const struct value *value,
			       const struct value_style *style);

/* report_stack.c */
void report_stack(const struct report *r, struct buf *b,
		  const struct report_thread *t);
/** Text of a value, and why there is none. */
void report_value(const struct report *r, struct buf *b,
		  const struct value *value);
/** What it would be, if the calls of its frame had changed nothing; false:
 * that is no question. */
bool report_perhaps(struct buf *b, const struct value *value,
		    const struct value_style *style);
void report_stored(const struct report *r, struct buf *b,
		   const struct snap_variable *v);
/** On one line, innermost first. */
void report_chain(const struct report *r, struct buf *b, const struct view *v);
/** Foreign text: escaped; "?" for NULL. */
void report_put(struct buf *b, const char *s);
/** With @r->colour in the colour of that escape sequence. */
void report_paint(const struct report *r, struct buf *b, const char *paint,
		  const char *text);

/** The part of a path after its last slash; "?" for NULL. */
const char *report_base(const char *path);
/** UTC, "2026-01-31 23:59:59"; with @iso as ISO 8601 has it. */
void report_time(struct buf *b, uint64_t ns, bool iso);

#endif
