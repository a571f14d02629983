/* SPDX-License-Identifier: Apache-2.0 */
/*
 * later.c: what is said of the thread that died once symbol indexes are there:
 * its frames and variables, as a snapshot of their own.
 */
#include <string.h>

#include "capture/impl.h"

#define FRAMES_MAX 4096u

static struct err *
later_thread(struct saver *s, size_t thread)
{
	struct view v;
	struct err *err = insp_view(s->insp, thread, FRAMES_MAX, s->arena, &v);

	if (!err)
		err = snap_put_process(s->writer, &s->target->process);
	if (!err)
		err = snap_put_thread(s->writer, &s->target->threads[thread]);
	for (size_t k = 0; k < v.n && k < FRAMES_MAX && !err; k++) {
		struct snap_frame *f = vec_add(&s->frames, s->arena,
					       sizeof(*f));

		if (!f)
			return err_nomem();
		*f = v.frames[k];
		err = snap_put_frame(s->writer, f);
	}
	return err;
}

/* Frames say in which of them they are. */
static struct err *
later_modules(struct saver *s)
{
	size_t n;
	const struct snap_module *modules = insp_modules(s->insp, &n);
	struct err *err = NULL;

	for (size_t k = 0; k < n && !err; k++) {
		struct snap_module m = modules[k];

		m.skeleton = SNAP_NO_SKELETON;
		err = snap_put_module(s->writer, &m);
	}
	return err;
}

struct err *
capture_variables(struct insp *i, snap_sink_fn *sink, void *arg)
{
	static const struct capture_options options = { .budget = 0 };
	_arena_ struct arena *a = arena_new(0);
	_snap_writer_ struct snap_writer *w = NULL;
	const struct target *t = insp_target(i);
	struct saver s = {
		.insp = i, .target = t, .options = &options, .arena = a,
	};
	size_t thread = 0;

	while (thread < t->n_threads && !t->threads[thread].faulting)
		thread++;
	if (thread == t->n_threads)
		return err_new(ERR_NOTFOUND, "no thread died");
	struct err *err = a ? snap_writer_new(sink, arg, 0, &w) : err_nomem();
	s.writer = w;
	if (!err)
		err = later_modules(&s);
	if (!err)
		err = later_thread(&s, thread);
	if (!err)
		err = save_variables(&s);
	if (!err && !s.n_variables)
		return err_new(ERR_NOTFOUND, "no variable of the thread that "
			       "died is known");
	return err ? err : snap_writer_close(w);
}
