/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spell.c: what the words of other tracers mean here.
 */
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/keep.h"
#include "cmd/spell.h"

/* ---- attributes and files ---- */

static struct err *
spell_attribute(struct vec *all, struct arena *a, const char *key,
		const char *value)
{
	const char **slot = vec_add(all, a, sizeof(*slot));

	if (!slot)
		return err_nomem();
	*slot = arena_printf(a, "%s=%s", key, value);
	return *slot ? NULL : err_nomem();
}

/* One attribute, its values divided by spaces. */
static struct err *
spell_classifiers(const struct spell *s, struct vec *all, struct arena *a)
{
	_buf_ struct buf joined = { 0 };

	for (size_t k = 0; k < s->classifier.n; k++)
		buf_printf(&joined, "%s%s", k ? " " : "",
			   s->classifier.item[k]);
	struct err *err = buf_err(&joined);
	return err || !joined.len ? err
	       : spell_attribute(all, a, "classifiers", joined.data);
}

static struct err *
spell_attributes(const struct spell *s, struct arena *a,
		 struct capture_options *options)
{
	struct vec all = { 0 };
	struct err *err = NULL;

	for (size_t k = 0; k < options->n_attributes; k++) {
		const char **slot = vec_add(&all, a, sizeof(*slot));
		if (!slot)
			return err_nomem();
		*slot = options->attributes[k];
	}
	if (s->application)
		err = spell_attribute(&all, a, "application", s->application);
	if (!err)
		err = spell_classifiers(s, &all, a);
	options->attributes = all.data;
	options->n_attributes = all.n;
	return err;
}

struct err *
spell_keep(const struct spell *s, struct arena *a,
	   struct capture_options *options)
{
	struct err *err = spell_attributes(s, a, options);

	return err ? err : keep_trees(&s->resource, a, options);
}

/* ---- the thread that matters ---- */

static size_t
spell_find(const struct target *t, uint64_t tid)
{
	size_t k = 0;

	while (k < t->n_threads && t->threads[k].tid != tid)
		k++;
	return k;
}

static struct err *
spell_mark(struct target *t, size_t found)
{
	struct snap_thread *all = arena_array(t->arena, t->n_threads,
					      sizeof(*all));

	if (!all)
		return err_nomem();
	all[0] = t->threads[found];
	all[0].faulting = true;
	memcpy(all + 1, t->threads, found * sizeof(*all));
	memcpy(all + 1 + found, t->threads + found + 1,
	       (t->n_threads - found - 1) * sizeof(*all));
	t->threads = all;
	t->process.faulting_tid = all[0].tid;
	return NULL;
}

struct err *
spell_thread(const struct spell *s, struct target *picture)
{
	uint64_t tid = s->fault_thread ? s->fault_thread : s->thread;

	if (!tid || picture->process.faulting_tid)
		return NULL;
	size_t found = spell_find(picture, tid);
	if (found < picture->n_threads)
		return spell_mark(picture, found);
	say("process %llu has no thread %llu; none is marked as the faulting "
	    "one", (unsigned long long)picture->process.pid,
	    (unsigned long long)tid);
	return NULL;
}
