/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The best view of a stack: unwound and named now, or as it was stored.
 */
#include "inspect/indexed.h"
#include "inspect/impl.h"
#include "inspect/tail.h"
#include "inspect/unwind.h"

#include <string.h>

#define INLINES_MAX 64u         /* functions at one address */

/* ---- names ------------------------------------------------------------------- */
static void
view_name_symbol(struct insp *i, uint64_t lookup, struct snap_frame *f)
{
	struct symbol symbol;

	/* A frame without a name is a frame all the same. */
	_err_ struct err *no_symbol = insp_symbol(i, lookup, &symbol);
	if (no_symbol)
		return;
	f->function = symbol.name;
	f->function_offset = f->pc - symbol.address;
}

static void
view_name_line(struct insp *i, uint64_t lookup, struct snap_frame *f)
{
	struct line line;

	_err_ struct err *no_line = insp_line(i, lookup, &line);
	if (!no_line) {
		f->file = line.file;
		f->line = line.line;
	}
}

/* What the index says of the function, where it says something. */
static void
view_name_indexed(struct insp *i, struct symidx *ix, const struct sym_frame *sf,
		  struct snap_frame *f)
{
	const char *name = insp_function_name(i, ix, sf);

	if (name)
		f->function = name;
	f->file = sf->file == SYM_NONE ? NULL : symidx_string(ix, sf->file);
	f->line = f->file ? sf->line : 0;
}

/** Frames with names, while they are made. */
struct naming {
	struct insp *i;
	struct arena *arena;
	struct vec frames;      /* of struct snap_frame */
};

static struct snap_frame *
view_add(struct naming *n, const struct snap_frame *like)
{
	struct snap_frame *f = vec_add(&n->frames, n->arena, sizeof(*f));

	if (!f)
		return NULL;
	*f = *like;
	f->depth = (uint32_t)n->frames.n - 1;
	return f;
}

/* The functions that were inlined at @lookup come first, innermost first. */
static struct err *
view_name(struct naming *n, const struct snap_frame *plain, uint64_t lookup)
{
	struct sym_frame at[INLINES_MAX];
	uint64_t in_file;
	struct symidx *ix = insp_index_at(n->i, lookup, &in_file);
	size_t known = ix ? symidx_frames(ix, in_file, at, INLINES_MAX) : 0;
	struct snap_frame *f;

	if (known > INLINES_MAX)
		known = INLINES_MAX;
	for (size_t k = 0; k + 1 < known; k++) {
		f = view_add(n, plain);
		if (!f)
			return err_nomem();
		f->how = SNAP_FRAME_INLINE;
		view_name_indexed(n->i, ix, &at[k], f);
	}
	f = view_add(n, plain);
	if (!f)
		return err_nomem();
	view_name_symbol(n->i, lookup, f);
	if (known)
		view_name_indexed(n->i, ix, &at[known - 1], f);
	else
		view_name_line(n->i, lookup, f);
	return NULL;
}

/* The functions that jumped from the call of frame @k + 1 to what frame @k is
 * in. */
static struct err *
view_tail(struct naming *n, const struct trace *t, size_t k,
	  const struct snap_frame *callee)
{
	struct snap_frame plain = *callee;
	struct tail_calls calls = { .n = 0 };
	struct err *err = NULL;

	if (k + 1 < t->n && !((t->frames[k].flags | t->frames[k + 1].flags)
			      & SNAP_FRAME_SIGNAL))
		insp_tail_calls(n->i, t->frames[k + 1].pc,
				trace_lookup_pc(t, k), &calls);
	plain.how = SNAP_FRAME_TAIL;
	for (size_t c = 0; c < calls.n && !err; c++) {
		size_t module = insp_module_at(n->i, calls.pc[c] - 1);

		plain.pc = calls.pc[c];
		plain.module = module == INSP_NONE ? UINT32_MAX
						   : (uint32_t)module;
		err = view_name(n, &plain, plain.pc - 1);
	}
	return err;
}

static struct err *
view_named(struct insp *i, size_t thread, const struct trace *t,
	   struct arena *a, struct vec *out)
{
	struct naming n = { .i = i, .arena = a };
	struct err *err = NULL;

	for (size_t k = 0; k < t->n && !err; k++) {
		const struct trace_frame *f = &t->frames[k];
		const struct snap_frame plain = {
			.tid = i->target->threads[thread].tid, .how = f->how,
			.flags = f->flags, .module = f->module, .pc = f->pc,
			.cfa = f->cfa,
		};
		err = view_name(&n, &plain, trace_lookup_pc(t, k));
		if (!err)
			err = view_tail(&n, t, k, &plain);
	}
	*out = n.frames;
	return err;
}

/* ---- what was stored --------------------------------------------------------- */
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
	return *n ? t->frames + first : NULL;
}

/* The next frame from @k on that has a caller of its own. */
static size_t
view_physical(const struct snap_frame *f, size_t n, size_t k)
{
	while (k < n && !snap_frame_has_stack(&f[k]))
		k++;
	return k;
}

/*
 * Names that were known when the frames were stored, and are not now. Inlined
 * functions are known of both or of one only.
 */
static void
view_adopt_names(struct snap_frame *mine, size_t n,
		 const struct snap_frame *stored, size_t n_stored)
{
	size_t k = 0, s = 0;

	for (;; k++, s++) {
		k = view_physical(mine, n, k);
		s = view_physical(stored, n_stored, s);
		if (k >= n || s >= n_stored || mine[k].pc != stored[s].pc)
			return;
		if (!mine[k].function && stored[s].function) {
			mine[k].function = stored[s].function;
			mine[k].function_offset = stored[s].function_offset;
		}
		if (!mine[k].file && stored[s].file) {
			mine[k].file = stored[s].file;
			mine[k].line = stored[s].line;
		}
	}
}

/* The same calls, and functions that were inlined besides? */
static bool
view_has_more(const struct snap_frame *stored, size_t n_stored,
	      const struct snap_frame *mine, size_t n)
{
	size_t k = 0, s = 0;

	if (n_stored <= n)
		return false;
	for (;; k++, s++) {
		k = view_physical(mine, n, k);
		s = view_physical(stored, n_stored, s);
		if (k >= n || s >= n_stored)
			return k >= n && s >= n_stored;
		if (mine[k].pc != stored[s].pc || mine[k].cfa != stored[s].cfa)
			return false;
	}
}

static size_t
view_count(const struct snap_frame *f, size_t n)
{
	size_t physical = 0;

	for (size_t k = 0; k < n; k++)
		physical += snap_frame_has_stack(&f[k]);
	return physical;
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
	struct vec mine;
	struct trace trace;
	size_t n_stored;

	struct err *err = view_unwind(i, thread, max_frames, a, &trace);
	if (!err)
		err = view_named(i, thread, &trace, a, &mine);
	if (err)
		return err;
	stored = view_stored(i->target, i->target->threads[thread].tid,
			     &n_stored);
	view_adopt_names(mine.data, mine.n, stored, n_stored);
	out->stored = trace.end == STACK_TRUNCATED
		      && view_count(stored, n_stored) > trace.n;
	bool theirs = out->stored
		      || view_has_more(stored, n_stored, mine.data, mine.n);
	out->frames = theirs ? stored : mine.data;
	out->n = theirs ? n_stored : mine.n;
	out->end = trace.end;
	out->why = trace.why;
	return NULL;
}
