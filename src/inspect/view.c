/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The best view of a stack: unwound and named now, or as it was stored.
 */
#include "inspect/impl.h"
#include "inspect/unwind.h"

#include <string.h>

static void
view_name(struct insp *i, uint64_t lookup, struct snap_frame *f)
{
	struct symbol symbol;
	struct line line;

	/* A frame without a name is a frame all the same. */
	_err_ struct err *no_symbol = insp_symbol(i, lookup, &symbol);
	if (!no_symbol) {
		f->function = symbol.name;
		f->function_offset = f->pc - symbol.address;
	}
	_err_ struct err *no_line = insp_line(i, lookup, &line);
	if (!no_line) {
		f->file = line.file;
		f->line = line.line;
	}
}

static struct err *
view_named(struct insp *i, size_t thread, const struct trace *t,
	   struct arena *a, struct snap_frame **out)
{
	struct snap_frame *frames = arena_array(a, t->n, sizeof(*frames));

	if (t->n && !frames)
		return err_nomem();
	for (size_t k = 0; k < t->n; k++) {
		const struct trace_frame *f = &t->frames[k];
		frames[k].tid = i->target->threads[thread].tid;
		frames[k].depth = (uint32_t)k;
		frames[k].how = f->how;
		frames[k].flags = f->flags;
		frames[k].module = f->module;
		frames[k].pc = f->pc;
		frames[k].cfa = f->cfa;
		view_name(i, trace_lookup_pc(t, k), &frames[k]);
	}
	*out = frames;
	return NULL;
}

/* The run of stored frames of thread @tid, from its innermost outwards. */
static const struct snap_frame *
view_stored(const struct target *t, uint64_t tid, size_t *n)
{
	size_t first = 0;

	while (first < t->n_frames && (t->frames[first].tid != tid
				       || t->frames[first].depth != 0))
		first++;
	*n = 0;
	while (first + *n < t->n_frames && t->frames[first + *n].tid == tid
	       && t->frames[first + *n].depth == *n)
		++*n;
	return t->frames + first;
}

/* Names that were known when the frames were stored, and are not now. */
static void
view_adopt_names(struct snap_frame *mine, size_t n,
		 const struct snap_frame *stored, size_t n_stored)
{
	for (size_t k = 0; k < n && k < n_stored; k++) {
		if (mine[k].pc != stored[k].pc)
			return;
		if (!mine[k].function && stored[k].function) {
			mine[k].function = stored[k].function;
			mine[k].function_offset = stored[k].function_offset;
		}
		if (!mine[k].file && stored[k].file) {
			mine[k].file = stored[k].file;
			mine[k].line = stored[k].line;
		}
	}
}

/* Unwind; a stack that cannot even begin is an empty one, with the reason. */
static struct err *
view_unwind(struct insp *i, size_t thread, size_t max_frames, struct arena *a,
	    struct trace *out)
{
	bool faulting = i->target->threads[thread].faulting;

	_err_ struct err *err = insp_trace(i, thread, max_frames, faulting, a,
					   out);
	if (!err)
		return NULL;
	if (err_kind(err) == ERR_NOMEM)
		return take(err);
	memset(out, 0, sizeof(*out));
	out->end = STACK_TRUNCATED;
	out->why = arena_strdup(a, err_text(err));
	return NULL;
}

struct err *
insp_view(struct insp *i, size_t thread, size_t max_frames, struct arena *a,
	  struct view *out)
{
	const struct snap_frame *stored;
	struct snap_frame *mine;
	struct trace trace;
	size_t n_stored;

	struct err *err = view_unwind(i, thread, max_frames, a, &trace);
	if (!err)
		err = view_named(i, thread, &trace, a, &mine);
	if (err)
		return err;
	stored = view_stored(i->target, i->target->threads[thread].tid,
			     &n_stored);
	view_adopt_names(mine, trace.n, stored, n_stored);
	out->stored = trace.end == STACK_TRUNCATED && n_stored > trace.n;
	out->frames = out->stored ? stored : mine;
	out->n = out->stored ? n_stored : trace.n;
	out->end = trace.end;
	out->why = trace.why;
	return NULL;
}
