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
#define PIECE 256u              /* threads that are unwound in one piece */
#define NAMING 32u              /* of them take as long as a named stack */
#define ARENA_MAX ((size_t)256 << 20)
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
void
alike_forget(struct dap *d)
{
	if (d->alike)
		arena_free(d->alike->arena);
	d->alike = NULL;
}

static struct err *
alike_begin(struct dap *d)
{
	size_t n = insp_target(d->shown.insp)->n_threads;
	struct arena *a = arena_new(ARENA_MAX);
	struct alike *x = a ? arena_alloc(a, sizeof(*x)) : NULL;

	if (!x) {
		arena_free(a);
		return err_nomem();
	}
	x->arena = a;
	d->alike = x;
	struct err *err = groups_init(&x->groups, n, a);
	if (!err)
		err = missing_init(&x->missing, d->shown.insp, a);
	x->cpu = arena_array(a, n + 1, sizeof(*x->cpu));
	if (!err && !x->cpu)
		err = err_nomem();
	if (!err)
		find_cpu(d, x);
	return err;
}

static struct err *
name_next(struct dap *d, struct alike *x)
{
	if (!x->views)
		x->views = arena_array(x->arena, x->groups.n + 1,
				       sizeof(*x->views));
	if (!x->views)
		return err_nomem();
	struct view *v = &x->views[x->named];
	struct err *err = insp_view(d->shown.insp,
				    x->groups.list[x->named].first,
				    NAMED_FRAMES, x->arena, v);
	if (!err)
		missing_add(&x->missing, v);
	x->named++;
	return err;
}

/* What it costs, about: one thread that is unwound is the measure. */
static struct err *
alike_step(struct dap *d, unsigned *cost)
{
	struct alike *x = d->alike;

	*cost = 1;
	if (!x)
		return alike_begin(d);
	if (x->groups.threads < insp_target(d->shown.insp)->n_threads)
		return groups_add_next(&x->groups, d->shown.insp);
	if (x->named < x->groups.n && x->named < NAMED_GROUPS) {
		*cost = NAMING;
		return name_next(d, x);
	}
	missing_finish(&x->missing, d->shown.insp);
	x->made = true;
	return NULL;
}

/* A piece of it. What fails leaves nothing. */
static struct err *
alike_go_on(struct dap *d)
{
	struct err *err = NULL;
	unsigned cost;

	for (unsigned left = PIECE; left && !err
	     && !(d->alike && d->alike->made);
	     left -= cost < left ? cost : left)
		err = alike_step(d, &cost);
	if (err)
		alike_forget(d);
	return err;
}

/** Who asked, and is told once all of it is known. */
struct waiting {
	alike_tell_fn *tell;
};

static struct err *
alike_piece(struct dap *d, struct work *w, struct json **body)
{
	const struct waiting *who = w->state;
	struct err *err = alike_go_on(d);

	if (err)
		return err;
	w->done = d->alike->groups.threads;
	return d->alike->made ? who->tell(d, d->alike, body) : NULL;
}

static struct err *
alike_wait(struct dap *d, const char *command, alike_tell_fn *tell)
{
	struct work w = {
		.command = command, .title = "Comparing stacks",
		.piece = alike_piece, .arena = arena_new(0),
		.all = insp_target(d->shown.insp)->n_threads,
	};
	const struct waiting who = { tell };

	if (!w.arena)
		return err_nomem();
	w.state = arena_dup(w.arena, &who, sizeof(who));
	struct err *err = w.state ? dap_begin_work(d, &w) : err_nomem();
	if (err)
		arena_free(w.arena);
	return err;
}

struct err *
alike_ask(struct dap *d, const char *command, alike_tell_fn *tell,
	  struct json **body)
{
	struct err *err = alike_go_on(d);

	/* Where something else is under way, all in one piece. */
	while (!err && !d->alike->made && d->work)
		err = alike_go_on(d);
	if (err)
		return err;
	return d->alike->made ? tell(d, d->alike, body)
	       : alike_wait(d, command, tell);
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

static struct err *
tell_groups(struct dap *d, const struct alike *a, struct json **body)
{
	struct sum *sums = calloc(a->groups.n + 1, sizeof(*sums));
	struct json *list;

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

struct err *
alike_answer(struct dap *d, const struct json *arguments, struct json **body)
{
	(void)arguments;
	return alike_ask(d, "inquest/threadGroups", tell_groups, body);
}
