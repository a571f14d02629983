/* SPDX-License-Identifier: Apache-2.0 */
/*
 * save.c: writes an inspected target as a snapshot.
 *
 * Frames come first, because the text around them is kept with the memory;
 * then is chosen which memory that is; it is written next, in one pass; the
 * records follow.
 */
#include <string.h>

#include "base/pool.h"
#include "capture/globals.h"
#include "capture/reach.h"
#include "capture/redact.h"

struct err *
save_trouble(struct saver *s, const char *fmt, ...)
{
	_buf_ struct buf b = { 0 };
	const char *const *said = s->troubles.data;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	struct err *err = buf_err(&b);
	if (err)
		return err;
	for (size_t k = 0; k < s->troubles.n; k++) {
		if (strcmp(said[k], b.data) == 0)
			return NULL;
	}
	const char **slot = vec_add(&s->troubles, s->arena, sizeof(*slot));
	if (!slot)
		return err_nomem();
	*slot = arena_strdup(s->arena, b.data);
	return *slot ? NULL : err_nomem();
}

static struct err *
save_all(struct saver *s)
{
	static struct err *(*const parts[])(struct saver *) = {
		save_collect_frames, globals_find, save_choose_memory,
		redact_prepare, save_memory, save_records, globals_note,
	};
	struct err *err = NULL;

	for (size_t k = 0; k < countof(parts) && !err; k++)
		err = parts[k](s);
	return err ? err : snap_writer_close(s->writer);
}

struct err *
capture_save(struct insp *i, const struct capture_options *options,
	     snap_sink_fn *sink, void *arg, struct capture_counts *out)
{
	_arena_ struct arena *a = arena_new(0);
	_snap_writer_ struct snap_writer *w = NULL;
	struct saver s = {
		.insp = i, .target = insp_target(i), .options = options,
		.arena = a,
	};
	struct err *err;

	if (!a)
		return err_nomem();
	s.bytes = arena_alloc(a, SNAP_CHUNK);
	s.file_bytes = arena_alloc(a, SNAP_CHUNK);
	if (!s.bytes || !s.file_bytes)
		return err_nomem();
	err = snap_writer_new(sink, arg, pool_processors() - 1, &w);
	s.writer = w;
	if (!err)
		err = save_all(&s);
	_err_ struct err *late = save_frames_wait(&s);
	redact_fini(&s);
	reach_free(s.reach);
	if (err)
		return err;
	*out = s.counts;
	return NULL;
}
