/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that do the same: "inquest/threadGroups", and what is missing for
 * the names of their stacks. Threads are unwound once in a stop, and one stack
 * of each group is named.
 */
#include "dap/impl.h"

#include <stdlib.h>
#include <string.h>

#define NAMED_FRAMES 32u        /* of a group's stack */
#define NAMED_GROUPS 1000u
#define TEXT "threads"          /* the kernel's account, as capture keeps it */

/* ---- processor time ----------------------------------------------------- */
/* A field of a line, up to a tab or its end; false: it is no number. */
static bool
line_field(const char **at, const char *end, uint64_t *out)
{
	const char *tab = memchr(*at, '\t', (size_t)(end - *at));
	const char *from = *at;
	uint64_t v = 0;

	if (!tab)
		tab = end;
	*at = tab < end ? tab + 1 : end;
	for (const char *c = from; c < tab; c++) {
		if (*c < '0' || *c > '9' || v > (UINT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (uint64_t)(*c - '0');
	}
	*out = v;
	return tab > from;
}

/* "TID STATE USER SYSTEM …", in milliseconds. */
static void
cpu_of_line(struct dap *d, struct alike *a, const char *at, const char *end)
{
	uint64_t tid, none, user, system;
	size_t thread;

	if (!line_field(&at, end, &tid) || tid > INT64_MAX)
		return;
	(void)line_field(&at, end, &none);
	if (!line_field(&at, end, &user) || !line_field(&at, end, &system)
	    || !stack_find_id(d, (int64_t)tid, &thread)
	    || !u64_add(user, system, &user))
		return;
	a->cpu[thread] = (struct cpu_time){ .ms = user, .known = true };
}

/* A text that does not end in a newline has no line there. */
static void
cpu_of_text(struct dap *d, struct alike *a, struct span text)
{
	const char *at = text.data, *end = at + text.n, *newline;

	for (; at < end; at = newline + 1) {
		newline = memchr(at, '\n', (size_t)(end - at));
		if (!newline)
			return;
		cpu_of_line(d, a, at, newline);
	}
}

static void
find_cpu(struct dap *d, struct alike *a)
{
	const struct target *t = insp_target(d->shown.insp);

	for (size_t k = 0; k < t->n_texts; k++)
		if (t->texts[k].name && strcmp(t->texts[k].name, TEXT) == 0)
			cpu_of_text(d, a, t->texts[k].bytes);
}

/* ---- groups ------------------------------------------------------------- */
static struct err *
name_stacks(struct dap *d, struct alike *a)
{
	struct err *err = missing_init(&a->missing, d->shown.insp, d->stop);

	for (size_t g = 0; g < a->groups.n && g < NAMED_GROUPS && !err; g++) {
		err = insp_view(d->shown.insp, a->groups.list[g].first,
				NAMED_FRAMES, d->stop, &a->views[g]);
		if (!err)
			missing_add(&a->missing, &a->views[g]);
	}
	if (!err)
		missing_finish(&a->missing, d->shown.insp);
	return err;
}

struct err *
alike_of(struct dap *d, const struct alike **out)
{
	size_t n = insp_target(d->shown.insp)->n_threads;
	struct alike *a;

	*out = d->alike;
	if (d->alike)
		return NULL;
	a = arena_alloc(d->stop, sizeof(*a));
	if (!a)
		return err_nomem();
	struct err *err = groups_find(&a->groups, d->shown.insp, d->stop);
	if (err)
		return err;
	a->views = arena_array(d->stop, a->groups.n + 1, sizeof(*a->views));
	a->cpu = arena_array(d->stop, n + 1, sizeof(*a->cpu));
	if (!a->views || !a->cpu)
		return err_nomem();
	find_cpu(d, a);
	err = name_stacks(d, a);
	if (!err)
		*out = d->alike = a;
	return err;
}

struct json *
alike_top(struct dap *d, const struct alike *a, size_t group, size_t max)
{
	const struct view *v = &a->views[group];
	struct json *names = json_array();
	struct fold f;

	for (size_t k = 0; k < v->n && max; max--) {
		json_add(names, stack_frame_name(d->shown.insp,
						 &v->frames[k]));
		/* Of what comes again, the first is told. */
		k += fold_at(v, k, &f) && f.period == 1 ? f.n : 1;
	}
	return names;
}

/* ---- inquest/threadGroups ----------------------------------------------- */
#define TOP_FRAMES 16u

/* {"sleeping": 3} */
static struct json *
states_json(const size_t *counts)
{
	struct json *j = json_object();

	for (unsigned k = 0; k <= SNAP_STATE_IDLE; k++)
		if (counts[k])
			json_set(j, snap_state_text((uint8_t)k),
				 json_u64(counts[k]));
	return j;
}

/** What the threads of a group sum up to. */
struct sum {
	struct json *ids;
	size_t states[SNAP_STATE_IDLE + 1];
	uint64_t cpu_ms;
	bool lacks_cpu;         /* of one of them it is not known */
};

static void
sum_thread(struct dap *d, const struct alike *a, size_t thread, struct sum *s)
{
	const struct target *t = insp_target(d->shown.insp);
	uint8_t state = t->threads[thread].state;

	json_add(s->ids, json_i64(stack_thread_id(d, thread)));
	s->states[state <= SNAP_STATE_IDLE ? state : 0]++;
	if (!a->cpu[thread].known || !u64_add(s->cpu_ms, a->cpu[thread].ms,
					      &s->cpu_ms))
		s->lacks_cpu = true;
}

static struct json *
group_json(struct dap *d, const struct alike *a, size_t g, struct sum *s)
{
	struct json *j = json_object();

	json_set(j, "id", json_u64(g));
	json_set(j, "count", json_u64(a->groups.list[g].n));
	json_set(j, "threads", take(s->ids));
	json_set(j, "states", states_json(s->states));
	if (!s->lacks_cpu)
		json_set(j, "cpuMs", json_u64(s->cpu_ms));
	json_set(j, "top", alike_top(d, a, g, TOP_FRAMES));
	return j;
}

struct err *
alike_answer(struct dap *d, const struct json *arguments, struct json **body)
{
	const struct alike *a;
	struct json *list;
	struct sum *sums;

	(void)arguments;
	struct err *err = alike_of(d, &a);
	if (err)
		return err;
	sums = calloc(a->groups.n + 1, sizeof(*sums));
	if (!sums)
		return err_nomem();
	for (size_t g = 0; g < a->groups.n; g++)
		sums[g].ids = json_array();
	for (size_t k = 0; k < a->groups.threads; k++)
		sum_thread(d, a, k, &sums[a->groups.of[k]]);
	list = json_array();
	for (size_t g = 0; g < a->groups.n; g++)
		json_add(list, group_json(d, a, g, &sums[g]));
	free(sums);
	*body = json_object();
	json_set(*body, "groups", list);
	return NULL;
}
