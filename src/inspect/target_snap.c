/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The target "snapshot": a stored snapshot file, whose records are already in
 * inspect's vocabulary.
 */
#include "inspect/impl.h"

#include <string.h>

#define SNAP_TARGET_ARENA_MAX (256u << 20)

struct snap_target {
	struct target target;   /* first: what callers hold */
	struct snap *snap;
};

static struct err *
snap_target_read(struct target *t, size_t range, uint64_t off, size_t n,
		 void *out)
{
	struct snap_target *s = (struct snap_target *)t;

	return snap_read(s->snap, &t->memory[range], off, n, out);
}

static bool
snap_target_key(struct target *t, size_t range, uint64_t off,
		uint8_t key[SHA256_SIZE], uint64_t *left)
{
	const struct snap_target *s = (const struct snap_target *)t;

	return snap_key(s->snap, &t->memory[range], off, key, left);
}

static struct err *
snap_target_skeleton(struct target *t, uint32_t index,
		     const struct snap_extent **out, size_t *n)
{
	return snap_skeleton(((struct snap_target *)t)->snap, index, out, n);
}

static struct err *
snap_target_file(const struct target *t, size_t nth, struct span *out)
{
	return snap_file(((const struct snap_target *)t)->snap, nth, out);
}

static void
snap_target_rest(struct target *t)
{
	snap_rest(((struct snap_target *)t)->snap);
}

static void
snap_target_close(struct target *t)
{
	snap_free(((struct snap_target *)t)->snap);
	arena_free(t->arena);   /* the target itself lives in it */
}

static const struct target_ops snap_target_ops = {
	.kind = "snapshot",
	.read = snap_target_read,
	.key = snap_target_key,
	.skeleton = snap_target_skeleton,
	.file = snap_target_file,
	.rest = snap_target_rest,
	.close = snap_target_close,
};

/* What the writer found missing travels as notes with the key "missing". */
static struct err *
gaps_of_notes(struct target *t)
{
	const char **gaps = arena_array(t->arena, t->n_notes, sizeof(*gaps));

	if (t->n_notes && !gaps)
		return err_nomem();
	for (size_t k = 0; k < t->n_notes; k++)
		if (t->notes[k].key && strcmp(t->notes[k].key, "missing") == 0)
			gaps[t->n_gaps++] = t->notes[k].text;
	t->gaps = gaps;
	return NULL;
}

static struct err *
snap_target_fill(struct target *t, const struct snap *s)
{
	t->process = *snap_process(s);
	t->threads = snap_threads(s, &t->n_threads);
	t->maps = snap_maps(s, &t->n_maps);
	t->memory = snap_memory(s, &t->n_memory);
	t->modules = snap_modules(s, &t->n_modules);
	t->texts = snap_texts(s, &t->n_texts);
	t->frames = snap_frames(s, &t->n_frames);
	t->variables = snap_variables(s, &t->n_variables);
	t->attrs = snap_attrs(s, &t->n_attrs);
	t->notes = snap_notes(s, &t->n_notes);
	t->files = snap_files(s, &t->n_files);
	t->auxv = snap_auxv(s);
	return gaps_of_notes(t);
}

struct err *
snap_target_open(struct source *src, struct target **out)
{
	_arena_ struct arena *a = arena_new(SNAP_TARGET_ARENA_MAX);
	struct snap_target *s = a ? arena_alloc(a, sizeof(*s)) : NULL;
	_snap_ struct snap *snap = NULL;

	if (!s)
		return err_nomem();
	struct err *err = snap_open(src, &snap);
	if (err)
		return err;
	s->target.ops = &snap_target_ops;
	s->target.arena = a;
	err = snap_target_fill(&s->target, snap);
	if (err)
		return err;
	s->snap = take(snap);
	take(a);
	*out = &s->target;
	return NULL;
}
