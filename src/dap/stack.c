/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads, their stacks, and the ids that a client knows them by.
 */
#include "base/cut.h"
#include "dap/impl.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 1000u          /* of a request without "levels" */
#define FRAMES_MAX 65536u       /* of one stack */
#define FRAMES_ALL_MAX (1u << 22)
/* Ids of threads whose own are taken, or are none, begin here. */
#define MADE_UP (INT64_C(1) << 30)
#define MADE_UP_MAX (1u << 29)  /* of snapshots before: then from the start */

/* ---- threads ------------------------------------------------------------------ */
static int
id_compare(const void *a, const void *b)
{
	const struct thread_id *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->thread < y->thread ? -1 : x->thread > y->thread;
}

/* A damaged core may name a thread twice, or not at all. */
static void
stack_make_ids(struct dap *d, const struct target *t)
{
	const int64_t made_up = MADE_UP + (int64_t)d->made_up_before;

	for (size_t k = 0; k < t->n_threads; k++) {
		uint64_t tid = t->threads[k].tid;

		d->ids[k].thread = k;
		d->ids[k].id = tid && tid < MADE_UP ? (int64_t)tid
						    : made_up + (int64_t)k;
	}
	qsort(d->ids, t->n_threads, sizeof(*d->ids), id_compare);
	int64_t last = 0;
	for (size_t k = 0; k < t->n_threads; k++) {
		int64_t id = d->ids[k].id;

		if (id == last)
			d->ids[k].id = made_up + (int64_t)d->ids[k].thread;
		last = id;
	}
	qsort(d->ids, t->n_threads, sizeof(*d->ids), id_compare);
	for (size_t k = 0; k < t->n_threads; k++)
		d->stacks[d->ids[k].thread].id = d->ids[k].id;
}

void
stack_forget_ids(struct dap *d)
{
	size_t n = insp_target(d->shown.insp)->n_threads;

	if (!d->ids || !n || d->ids[n - 1].id < MADE_UP)
		return;
	d->made_up_before += n;
	if (d->made_up_before > MADE_UP_MAX)
		d->made_up_before = 0;
}

struct err *
stack_begin(struct dap *d)
{
	const struct target *t = insp_target(d->shown.insp);

	d->frames.max = FRAMES_ALL_MAX;
	d->ids = arena_array(d->stop, t->n_threads + 1, sizeof(*d->ids));
	d->stacks = arena_array(d->stop, t->n_threads + 1,
				sizeof(*d->stacks));
	if (!d->ids || !d->stacks)
		return err_nomem();
	stack_make_ids(d, t);
	return NULL;
}

int64_t
stack_thread_id(const struct dap *d, size_t thread)
{
	return d->stacks[thread].id;
}

bool
stack_find_id(const struct dap *d, int64_t id, size_t *out)
{
	size_t low = 0, high = insp_target(d->shown.insp)->n_threads;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (d->ids[mid].id == id) {
			*out = d->ids[mid].thread;
			return true;
		}
		if (d->ids[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

struct err *
stack_thread(struct dap *d, const struct json *arguments, size_t *out)
{
	static const struct arg_bounds any = { 0, INT64_MAX, 0 };
	int64_t id;

	struct err *err = arg_number(arguments, "threadId", &any, &id);
	if (!err && !stack_find_id(d, id, out))
		err = err_new(ERR_NOTFOUND, "no thread has the id %lld",
			      (long long)id);
	return err;
}

struct json *
stack_thread_name(const struct dap *d, size_t thread)
{
	const struct target *t = insp_target(d->shown.insp);
	const struct snap_thread *s = &t->threads[thread];
	int number = s->faulting && !s->signal ? t->process.signal : s->signal;
	const char *signal = t->process.os == SNAP_OS_LINUX && number > 0
			     ? sigabbrev_np(number) : NULL;
	_buf_ struct buf text = { 0 };

	const char *name = s->name ? s->name : t->process.name;
	buf_printf(&text, "%s [%lld]", name ? name : "thread",
		   (long long)stack_thread_id(d, thread));
	if (signal)
		buf_printf(&text, " SIG%s", signal);
	return json_string(text.failed ? NULL : text.data);
}

struct err *
stack_threads(struct dap *d, const struct json *arguments, struct json **body)
{
	size_t n = insp_target(d->shown.insp)->n_threads;
	struct json *list = json_array();

	(void)arguments;
	for (size_t k = 0; k < n; k++) {
		struct json *thread = json_object();

		json_set(thread, "id", json_i64(stack_thread_id(d, k)));
		json_set(thread, "name", stack_thread_name(d, k));
		json_add(list, thread);
	}
	*body = json_object();
	json_set(*body, "threads", list);
	return NULL;
}

/* ---- stacks ------------------------------------------------------------------- */
static struct err *
stack_number(struct dap *d, size_t thread, struct stack_shown *s)
{
	s->first = d->frames.n;
	for (size_t k = 0; k < s->view.n; k++) {
		struct place *at = vec_add(&d->frames, d->stop, sizeof(*at));

		if (!at)
			return err_new(ERR_LIMIT, "too many frames were asked "
				       "for");
		*at = (struct place){ thread, k };
	}
	return NULL;
}

static struct err *
stack_make(struct dap *d, size_t thread, struct stack_shown *s)
{
	struct err *err = insp_view(d->shown.insp, thread, FRAMES_MAX, d->stop,
				    &s->view);
	if (!err)
		err = values_along(d->shown.values, thread, &s->view,
				   FRAMES_MAX, d->stop, &s->scopes);
	if (!err)
		err = stack_number(d, thread, s);
	s->made = !err;
	return err;
}

/* One that fails leaves nothing: no ids, and no memory, however often it is
 * asked for. */
struct err *
stack_of(struct dap *d, size_t thread, struct stack_shown **out)
{
	struct stack_shown *s = *out = &d->stacks[thread];
	const struct arena_mark before = arena_mark(d->stop);
	const struct stack_shown empty = { .id = s->id };
	const struct vec frames = d->frames;
	struct err *err = s->made ? NULL : stack_make(d, thread, s);

	if (!err)
		return NULL;
	*s = empty;
	d->frames = frames;
	arena_rewind(d->stop, &before);
	return err;
}

int64_t
stack_frame_id(const struct dap *d, struct place at)
{
	return (int64_t)(d->frames_before + d->stacks[at.thread].first
			 + at.frame) + 1;
}

struct err *
stack_place(struct dap *d, int64_t frame_id, struct place *out)
{
	int64_t k = frame_id - (int64_t)d->frames_before - 1;

	if (k < 0 || (uint64_t)k >= d->frames.n)
		return err_new(ERR_NOTFOUND, "no frame has the id %lld, or not "
			       "any more", (long long)frame_id);
	*out = ((const struct place *)d->frames.data)[k];
	return NULL;
}

const struct scope *
stack_scope(struct dap *d, struct place at)
{
	const struct stack_shown *s = &d->stacks[at.thread];

	return s->made && at.frame < s->view.n ? s->scopes[at.frame] : NULL;
}

static struct err *
stack_unwind(struct dap *d, size_t thread, struct stack_shown *s)
{
	const struct arena_mark before = arena_mark(d->stop);
	struct stack *regs = arena_alloc(d->stop, sizeof(*regs));
	struct err *err = regs ? insp_stack(d->shown.insp, thread, FRAMES_MAX,
					    false, d->stop, regs)
			  : err_nomem();

	if (err)
		arena_rewind(d->stop, &before);
	else
		s->regs = regs;
	return err;
}

/* A frame that is inlined has the registers of the one it is in. */
struct err *
stack_regs(struct dap *d, struct place at, struct frame_regs *out)
{
	struct stack_shown *s = &d->stacks[at.thread];
	const struct snap_frame *f = &s->view.frames[at.frame];
	const struct scope *scope = stack_scope(d, at);

	struct err *err = s->regs ? NULL : stack_unwind(d, at.thread, s);
	if (err)
		return err;
	for (size_t k = scope ? scope->frame : 0; k < s->regs->n; k++) {
		const struct frame *r = &s->regs->frames[k];
		if (scope || (r->pc == f->pc && r->cfa == f->cfa)) {
			*out = r->regs;
			return NULL;
		}
	}
	return err_new(ERR_NOTFOUND, "the registers of that frame are not "
		       "known");
}

/* ---- frames -------------------------------------------------------------------- */
/* What cannot be named is told by where it is. */
struct json *
stack_frame_name(struct insp *i, const struct snap_frame *f)
{
	size_t n;
	const struct snap_module *m = insp_modules(i, &n);
	_buf_ struct buf text = { 0 };

	if (f->function)
		buf_puts(&text, f->function);
	else if (f->module < n && m[f->module].path)
		buf_printf(&text, "0x%llx in %s", (unsigned long long)f->pc,
			   cut_base(m[f->module].path));
	else
		buf_printf(&text, "0x%llx", (unsigned long long)f->pc);
	if (f->flags & SNAP_FRAME_SIGNAL)
		buf_puts(&text, " [signal frame]");
	if (f->flags & SNAP_FRAME_SUSPECT)
		buf_puts(&text, " [suspect]");
	return json_string(text.failed ? NULL : text.data);
}

struct err *
stack_frame(struct dap *d, struct place at, struct json **out)
{
	const struct stack_shown *s = &d->stacks[at.thread];
	const struct snap_frame *f = &s->view.frames[at.frame];
	const struct scope *scope = stack_scope(d, at);
	struct json *j = json_object();

	json_set(j, "id", json_i64(stack_frame_id(d, at)));
	json_set(j, "name", stack_frame_name(d->shown.insp, f));
	if (f->file)
		json_set(j, "source", sources_source(d, f->module, f->file));
	json_set(j, "line", json_i64(sources_line(d, f->line)));
	const struct source_place place = {
		.module = f->module, .file = f->file, .line = f->line,
		.column = f->line && scope ? scope->column : 0,
	};
	json_set(j, "column", json_i64(sources_column(d, &place)));
	json_set(j, "instructionPointerReference", json_addr(f->pc));
	if (f->module != UINT32_MAX)
		json_set(j, "moduleId", modules_id(d, f->module));
	/* Where there is no source, an editor shows it in grey. "normal" is
	 * not said: to VS Code it would hide the source's own hint. */
	if (!f->file)
		json_set(j, "presentationHint", json_string("subtle"));
	*out = j;
	return NULL;
}

static struct err *
stack_rows(struct dap *d, size_t thread, const struct rows_asked *q,
	   struct json *body)
{
	const struct view *v = &d->stacks[thread].view;
	struct json *list = json_array();
	struct err *err = NULL;

	for (uint64_t k = 0; k < q->count && q->first + k < v->n && !err; k++) {
		struct json *frame = NULL;

		err = stack_frame(d, (struct place){ thread, q->first + k },
				  &frame);
		if (!err)
			json_add(list, frame);
	}
	json_set(body, "stackFrames", list);
	json_set(body, "totalFrames", json_u64(v->n));
	return err;
}

struct err *
stack_trace(struct dap *d, const struct json *arguments, struct json **body)
{
	static const struct arg_bounds counts = { 0, INT32_MAX, 0 };
	struct stack_shown *s;
	int64_t first, levels;
	size_t thread;

	struct err *err = stack_thread(d, arguments, &thread);
	if (!err)
		err = arg_number(arguments, "startFrame", &counts, &first);
	if (!err)
		err = arg_number(arguments, "levels", &counts, &levels);
	if (!err)
		err = stack_of(d, thread, &s);
	if (err)
		return err;
	if (!levels || levels > (int64_t)ROWS_MAX)
		levels = ROWS_MAX;
	*body = json_object();
	const struct rows_asked asked = { (uint64_t)first, (uint64_t)levels };
	return folded_is_asked(arguments)
	       ? folded_rows(d, thread, &asked, *body)
	       : stack_rows(d, thread, &asked, *body);
}

struct err *
stack_scopes(struct dap *d, const struct json *arguments, struct json **body)
{
	static const struct arg_bounds ids = { 0, INT64_MAX, 0 };
	struct json *list = NULL;
	struct place at = { 0, 0 };
	int64_t id;

	struct err *err = arg_number(arguments, "frameId", &ids, &id);
	if (!err && folded_is_label(d, id))
		list = json_array();
	else if (!err)
		err = stack_place(d, id, &at);
	if (!err && !list)
		err = refs_scopes(d, at, &list);
	if (err)
		return err;
	/* Of the frame that a person looks at, and of no other one. */
	if (!folded_is_label(d, id))
		session_look_at(d, at.thread);
	*body = json_object();
	json_set(*body, "scopes", list);
	return NULL;
}

/* ---- after a register was written ------------------------------------------------- */
/** A stack as it was: where its ids begin, and its frames' pcs. */
struct stack_before {
	size_t thread, first, n;
	uint64_t *pcs;
};

static int
by_first(const void *a, const void *b)
{
	const struct stack_before *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

static struct err *
remember_stacks(const struct dap *d, struct arena *a, struct vec *out)
{
	size_t n = insp_target(d->shown.insp)->n_threads;

	for (size_t k = 0; k < n; k++) {
		const struct stack_shown *s = &d->stacks[k];
		struct stack_before *b;

		if (!s->made)
			continue;
		b = vec_add(out, a, sizeof(*b));
		if (!b)
			return err_nomem();
		*b = (struct stack_before){ k, s->first, s->view.n, NULL };
		b->pcs = arena_array(a, b->n + 1, sizeof(*b->pcs));
		if (!b->pcs)
			return err_nomem();
		for (size_t f = 0; f < b->n; f++)
			b->pcs[f] = s->view.frames[f].pc;
	}
	if (out->n)
		qsort(out->data, out->n, sizeof(struct stack_before), by_first);
	return NULL;
}

static struct err *
is_as_before(struct dap *d, const struct stack_before *b, bool *same)
{
	struct stack_shown *s;
	struct err *err = stack_of(d, b->thread, &s);

	*same = !err && s->first == b->first && s->view.n == b->n;
	for (size_t f = 0; *same && f < b->n; f++)
		*same = s->view.frames[f].pc == b->pcs[f];
	return err;
}

struct err *
stack_make_again(struct dap *d, bool *same)
{
	_arena_ struct arena *a = arena_new(0);
	size_t thread = d->thread, frames_before = d->frames_before;
	struct vec before = { 0 };

	*same = true;
	if (!a)
		return err_nomem();
	struct err *err = remember_stacks(d, a, &before);
	if (!err)
		err = session_begin_stop(d);
	if (err)
		return err;
	size_t fresh = d->frames_before;
	d->frames_before = frames_before;
	d->thread = thread;
	for (size_t k = 0; k < before.n && *same && !err; k++)
		err = is_as_before(d, (struct stack_before *)before.data + k,
				   same);
	if (err || *same)
		return err;
	/* Other frames have other ids. */
	err = session_begin_stop(d);
	d->frames_before = fresh;
	d->thread = thread;
	return err;
}
