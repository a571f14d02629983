/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_gather.c: stacks of all threads, groups of them, what is missing.
 */
#include <string.h>
#include <time.h>

#include "base/cut.h"
#include "cmd/report.h"

/* A stack overflow of 8 MiB has some 10^5 frames, all of one kind. */
#define FAULTING_FRAMES_MAX (1u << 18)
#define OTHER_FRAMES_MAX 4096u
#define OTHER_FRAMES_MIN 64u
#define ALL_FRAMES_MAX (1u << 20)

#define SOURCE_MAX (16u << 20)
#define SOURCE_FRAMES 64u       /* in which a source is looked for */

const char *
report_base(const char *path)
{
	return path ? cut_base(path) : "?";
}

void
report_time(struct buf *b, uint64_t ns, bool iso)
{
	time_t seconds = (time_t)(ns / 1000000000u);
	char text[64];
	struct tm tm;

	/* Reads no file: main() called tzset(). */
	if (!gmtime_r(&seconds, &tm)
	    || !strftime(text, sizeof(text),
			 iso ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M:%S UTC",
			 &tm)) {
		buf_putc(b, '?');
		return;
	}
	buf_puts(b, text);
}

static size_t
gather_limit(const struct target *t, size_t thread)
{
	size_t share = ALL_FRAMES_MAX / t->n_threads;

	if (t->threads[thread].faulting)
		return FAULTING_FRAMES_MAX;
	if (share < OTHER_FRAMES_MIN)
		return OTHER_FRAMES_MIN;
	return share < OTHER_FRAMES_MAX ? share : OTHER_FRAMES_MAX;
}

static struct err *
gather_room(struct report *r)
{
	const struct target *t = r->target;

	r->threads = arena_array(r->arena, t->n_threads, sizeof(*r->threads));
	if (t->n_threads && !r->threads)
		return err_nomem();
	r->n_threads = t->n_threads;
	struct err *err = groups_init(&r->groups, t->n_threads, r->arena);
	return err ? err : missing_init(&r->missing, r->insp, r->arena);
}

/* Threads [@from, @to). */
static struct err *
gather_threads(struct report *r, size_t from, size_t to)
{
	const struct target *t = r->target;
	struct err *err = NULL;

	for (size_t k = from; k < to && !err; k++) {
		struct report_thread *thread = &r->threads[k];

		thread->record = &t->threads[k];
		err = insp_view(r->insp, k, gather_limit(t, k), r->arena,
				&thread->view);
		if (err)
			return err;
		err = groups_add_view(&r->groups, &thread->view);
		missing_add(&r->missing, &thread->view);
	}
	if (!err)
		err = report_vars(r, from, to);
	return err;
}

/* A core tells the program's path only through what was mapped. */
static void
gather_program(struct report *r)
{
	const struct snap_module *modules;
	size_t n;

	modules = insp_modules(r->insp, &n);
	r->program = r->target->process.exe;
	for (size_t k = 0; k < n && !r->program; k++) {
		if (modules[k].flags & SNAP_MODULE_MAIN)
			r->program = modules[k].path;
	}
}

/* ---- source ---- */

static bool
gather_source_of(struct report *r, const struct snap_frame *f)
{
	struct source *file;
	const struct snap_module *modules;
	size_t n;

	modules = insp_modules(r->insp, &n);
	if (!f->file || !f->line || f->module >= n)
		return false;
	_err_ struct err *err = insp_file_by_id(
		r->insp, &modules[f->module].id, f->file, &file);
	if (!err)
		err = source_load(file, 0, source_size(file), SOURCE_MAX,
				  r->arena, &r->source);
	return !err && r->source.n;
}

/* Of a library that everybody has: nobody's fault is there. */
static bool
gather_is_common(const struct snap_frame *f)
{
	return f->file && strncmp(f->file, "/usr/include/", 13) == 0;
}

static bool
gather_source_within(struct report *r, bool common)
{
	const struct view *v = &r->threads[0].view;

	for (size_t k = 0; k < v->n && k < SOURCE_FRAMES; k++) {
		if (gather_is_common(&v->frames[k]) != common
		    || !gather_source_of(r, &v->frames[k]))
			continue;
		r->source_frame = k;
		return true;
	}
	return false;
}

void
report_source(struct report *r)
{
	if (r->n_threads && !gather_source_within(r, false))
		(void)gather_source_within(r, true);
}

struct err *
report_begin(struct report *r)
{
	r->target = insp_target(r->insp);
	gather_program(r);
	struct err *err = gather_room(r);
	if (!err)
		err = cause_find(r->insp, r->arena, &r->cause);
	if (!err)
		err = values_new(r->insp, NULL, &r->values);
	if (!err)
		err = cause_explain(&r->cause, r->insp, r->values, r->arena);
	if (!err && r->n_threads)
		err = gather_threads(r, 0, 1);
	if (!err)
		report_source(r);
	return err;
}

struct err *
report_finish(struct report *r)
{
	struct err *err = gather_threads(r, 1, r->n_threads);

	if (!err)
		err = values_asked(r->values, r->arena, &r->globals,
				   &r->n_globals);
	if (err)
		return err;
	missing_finish(&r->missing, r->insp);
	return NULL;
}

void
report_fini(struct report *r)
{
	values_free(r->values);
}
