/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frames.c: resolved frames of all threads, and the text pages around them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "capture/impl.h"

/*
 * Frames kept are hints: memory and skeletons are there to unwind again. The
 * limits keep a stack overflow (its 8 MiB hold some 10^5 frames) in bounds,
 * and hostile cores with many threads.
 */
#define FAULTING_FRAMES_MAX (1u << 18)
#define OTHER_FRAMES_MAX 4096u
#define KEPT_FRAMES_MAX 4096u
/* Lines of a live process: out of debug information up to this size. */
#define LINES_MAX (4u << 20)

/* Text kept on both sides of a pc: what a disassembler shows around it. */
#define TEXT_AROUND 1024u
/* Of the faulting thread whole functions are kept, up to this size. */
#define FUNCTION_MAX (64u << 10)

/* The pages of [start, end); none of a range that reaches the last page. */
static struct err *
text_add(struct saver *s, uint64_t start, uint64_t end)
{
	if (end > UINT64_MAX - PAGE)
		return NULL;
	for (uint64_t page = start & ~(uint64_t)(PAGE - 1); page < end;
	     page += PAGE) {
		const uint64_t *last = s->text.data;
		/* Recursion asks for one page again and again. */
		if (s->text.n && last[s->text.n - 1] == page)
			continue;
		uint64_t *slot = vec_add(&s->text, s->arena, sizeof(*slot));
		if (!slot)
			return err_nomem();
		*slot = page;
	}
	return NULL;
}

static struct err *
text_around(struct saver *s, uint64_t pc)
{
	uint64_t start = pc > TEXT_AROUND ? pc - TEXT_AROUND : 0, end;

	return u64_add(pc, TEXT_AROUND, &end) ? text_add(s, start, end) : NULL;
}

static struct err *
text_function(struct saver *s, uint64_t pc)
{
	struct symbol symbol;

	_err_ struct err *none = insp_symbol(s->insp, pc, &symbol);
	if (none || symbol.size == 0 || symbol.size > FUNCTION_MAX
	    || pc < symbol.address || pc - symbol.address >= symbol.size)
		return NULL;
	return text_add(s, symbol.address, symbol.address + symbol.size);
}

static struct err *
frames_keep(struct saver *s, const struct view *v, bool faulting)
{
	struct err *err = NULL;

	for (size_t k = 0; k < v->n && !err; k++) {
		const struct snap_frame *f = &v->frames[k];
		if (!snap_frame_has_stack(f))
			continue;
		if (k && f->pc == f[-1].pc)
			continue;
		err = text_around(s, f->pc);
		if (!err && faulting)
			err = text_function(s, f->pc);
	}
	for (size_t k = 0; k < v->n && k < KEPT_FRAMES_MAX && !err; k++) {
		struct snap_frame *slot = vec_add(&s->frames, s->arena,
						  sizeof(*slot));
		if (!slot)
			return err_nomem();
		*slot = v->frames[k];
	}
	s->counts.frames += v->n;
	return err;
}

static int
page_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void
text_sort(struct vec *text)
{
	uint64_t *page = text->data;
	size_t n = 0;

	if (!text->n)
		return;
	qsort(page, text->n, sizeof(*page), page_compare);
	for (size_t k = 1; k < text->n; k++) {
		if (page[k] != page[n])
			page[++n] = page[k];
	}
	text->n = n + 1;
}

/*
 * Nobody waits for the gigabytes of a debug file while a process is captured;
 * but what one died of is told in full.
 */
static uint64_t
lines_limit(const struct saver *s, bool faulting)
{
	bool live = strcmp(s->target->ops->kind, "live") == 0;

	return live && !faulting ? LINES_MAX : UINT64_MAX;
}

static struct err *
frames_of_thread(struct saver *s, size_t thread)
{
	bool faulting = s->target->threads[thread].faulting;
	_arena_ struct arena *a = arena_new(0);
	struct view v;

	if (!a)
		return err_nomem();
	insp_limit_lines(s->insp, lines_limit(s, faulting));
	struct err *err = insp_view(s->insp, thread,
				    faulting ? FAULTING_FRAMES_MAX
					     : OTHER_FRAMES_MAX, a, &v);
	return err ? err : frames_keep(s, &v, faulting);
}

static struct err *
frames_of_all(struct saver *s)
{
	for (size_t k = 0; k < s->target->n_threads; k++) {
		struct err *err = frames_of_thread(s, k);
		if (err)
			return err;
	}
	text_sort(&s->text);
	return NULL;
}

/* ---- beside -------------------------------------------------------------- */
static void *
frames_run(void *arg)
{
	struct saver *s = arg;

	s->unwound = frames_of_all(s);
	return NULL;
}

/* Does nothing that is chosen or written first depend on frames? */
static bool
frames_can_wait(const struct saver *s)
{
	const struct capture_options *o = s->options;
	uint64_t budget = o->budget ? o->budget : CAPTURE_BUDGET;

	return strcmp(s->target->ops->kind, "live") == 0 && !o->n_globals
	       && !o->n_redact && pool_processors() > 1
	       && capture_memory_size(s->target) <= budget;
}

struct err *
save_collect_frames(struct saver *s)
{
	s->unwinding = frames_can_wait(s)
		       && pthread_create(&s->unwinder, NULL, frames_run,
					 s) == 0;
	return s->unwinding ? NULL : frames_of_all(s);
}

struct err *
save_frames_wait(struct saver *s)
{
	if (!s->unwinding)
		return NULL;
	pthread_join(s->unwinder, NULL);
	s->unwinding = false;
	return take(s->unwound);
}
