/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_gather.c: stacks of all threads, groups of them, what is missing.
 */
#include <string.h>
#include <time.h>

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
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (!path)
		return "?";
	return slash && slash[1] ? slash + 1 : path;
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

/* FNV-1a over the pcs: what was inlined is a function of these. */
static uint64_t
gather_hash(const struct view *v)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t k = 0; k < v->n; k++)
		hash = (hash ^ v->frames[k].pc) * 0x100000001b3u;
	return hash;
}

static bool
gather_same(const struct report_thread *a, const struct report_thread *b)
{
	if (a->hash != b->hash || a->view.n != b->view.n
	    || a->view.end != b->view.end)
		return false;
	for (size_t k = 0; k < a->view.n; k++) {
		if (a->view.frames[k].pc != b->view.frames[k].pc)
			return false;
	}
	return true;
}

static void
gather_group(struct report *r, size_t thread)
{
	struct report_thread *t = &r->threads[thread];

	for (size_t g = 0; g < r->n_groups; g++) {
		if (gather_same(t, &r->threads[r->groups[g].first])) {
			t->group = g;
			r->groups[g].n++;
			return;
		}
	}
	t->group = r->n_groups;
	r->groups[r->n_groups++] = (struct report_group){
		.first = thread, .n = 1
	};
}

static void
gather_names(struct report *r, const struct view *v)
{
	for (size_t k = 0; k < v->n; k++) {
		const struct snap_frame *f = &v->frames[k];
		if (f->module >= r->n_modules)
			continue;
		struct report_module *m = &r->modules[f->module];
		m->frames++;
		m->nameless += !f->function;
		m->lineless += f->function && !f->file;
	}
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

	r->modules = arena_array(r->arena, r->n_modules, sizeof(*r->modules));
	r->threads = arena_array(r->arena, t->n_threads, sizeof(*r->threads));
	r->groups = arena_array(r->arena, t->n_threads, sizeof(*r->groups));
	if ((r->n_modules && !r->modules)
	    || (t->n_threads && (!r->threads || !r->groups)))
		return err_nomem();
	r->n_threads = t->n_threads;
	return NULL;
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
		thread->hash = gather_hash(&thread->view);
		gather_group(r, k);
		gather_names(r, &thread->view);
	}
	if (!err)
		err = report_vars(r, from, to);
	return err;
}

static void
gather_absent_range(struct report *r, const struct snap_memory *m)
{
	struct report_absent *a = &r->absent[m->reason];
	uint64_t at = m->start, end = m->start + m->length;
	struct region region;

	a->bytes += m->length;
	while (at < end) {
		space_region(insp_space(r->insp), at, &region);
		if (region.end > end || region.end <= at)
			region.end = end;
		if (region.from_file)
			a->from_file += region.end - at;
		at = region.end;
	}
}

static void
gather_absent(struct report *r)
{
	const struct target *t = r->target;

	for (size_t k = 0; k < t->n_memory; k++) {
		const struct snap_memory *m = &t->memory[k];
		if (m->kind == SNAP_MEM_ABSENT && m->reason < SNAP_REASONS)
			gather_absent_range(r, m);
	}
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
	r->n_modules = n;
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
		err = reason_find(r->insp, r->arena, &r->reason);
	if (!err)
		err = code_faulting(r->insp, r->arena, &r->code);
	if (!err)
		err = values_new(r->insp, NULL, &r->values);
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
	gather_absent(r);
	/* Last: what is missing turns up while looking. */
	r->gaps = insp_gaps(r->insp, &r->n_gaps);
	return NULL;
}

void
report_fini(struct report *r)
{
	values_free(r->values);
}
