/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request "inquest/diff": in what the snapshot that is shown differs from
 * another one. It takes long where there are many threads, and goes on thread
 * by thread.
 */
#include "dap/impl.h"
#include "inspect/differ.h"
#include "inspect/overlay.h"

#include <string.h>

#define ROWS 200                /* of a list, to who does not say */
#define ROWS_MAX 2000
#define TEXT_MAX 500u
#define NAMES_MAX 12u           /* of a stack, before what both have */
#define PIECE_THREADS 8u
#define ARENA_MAX ((size_t)256 << 20)

/** Rows of one list, and how many there was no room for. */
struct rows {
	struct json *list;
	size_t n, max;
};
struct diff {
	struct dap_shown other; /* what was before; open until the end */
	struct differing pair;
	size_t thread;          /* of what is shown: the next one */
	struct json *body;      /* as far as it is known */
	struct rows stacks, variables;
	bool listed;
};

/* ---- rows --------------------------------------------------------------- */
/* NULL: there are enough. */
static struct json *
row_begin(struct rows *r)
{
	struct json *row;

	if (r->n++ >= r->max)
		return NULL;
	row = json_object();
	json_add(r->list, row);
	return row;
}

static void
row_set(struct json *row, const char *key, const char *text)
{
	if (text)
		json_set(row, key, json_short(text, TEXT_MAX));
}

static struct json *
rows_json(const struct rows *r)
{
	struct json *j = json_object();

	json_set(j, "rows", r->list);
	json_set(j, "more", json_u64(r->n > r->max ? r->n - r->max : 0));
	return j;
}

/* ---- threads, modules, attributes --------------------------------------- */
static struct err *
put_row(void *arg, const struct differ_row *d)
{
	struct json *row = row_begin(arg);

	if (!row)
		return NULL;
	json_set(row, "mark", json_string(d->mark));
	row_set(row, "what", d->what);
	row_set(row, "before", d->before);
	row_set(row, "after", d->after);
	return NULL;
}

static struct err *
put_list(struct diff *f, enum differ_list list, const char *name)
{
	struct rows rows = { .list = json_array(), .max = f->stacks.max };
	struct json *counts = json_array(), *j;
	size_t n[2];

	insp_diff_count(f->pair.insp[0], f->pair.insp[1], list, n);
	struct err *err = insp_diff(f->pair.insp[0], f->pair.insp[1], list,
				    put_row, &rows);
	j = rows_json(&rows);
	json_add(counts, json_u64(n[0]));
	json_add(counts, json_u64(n[1]));
	json_set(j, "n", counts);
	json_set(f->body, name, j);
	return err;
}

static struct err *
put_lists(struct diff *f)
{
	static const char *const names[DIFFER_LISTS] = {
		[DIFFER_THREADS] = "threads", [DIFFER_MODULES] = "modules",
		[DIFFER_ATTRIBUTES] = "attributes",
	};
	struct err *err = NULL;

	for (unsigned k = 0; k < DIFFER_LISTS && !err; k++)
		err = put_list(f, k, names[k]);
	f->listed = true;
	return err;
}

/* ---- stacks, variables -------------------------------------------------- */
static struct json *
names_json(struct diff *f, unsigned side, const struct stack_difference *s)
{
	const struct view *v = &s->view[side];
	struct json *names = json_array();

	for (size_t k = 0; k + s->common < v->n && k < NAMES_MAX; k++)
		json_add(names, stack_frame_name(f->pair.insp[side],
						 &v->frames[k]));
	return names;
}

static struct err *
put_stack(struct dap *d, struct diff *f)
{
	_arena_ struct arena *a = arena_new(ARENA_MAX);
	struct stack_difference s = { .differs = false };
	struct json *row;

	struct err *err = a ? differ_stacks(&f->pair, f->thread, a, &s)
			  : err_nomem();
	if (err || !s.differs)
		return err;
	row = row_begin(&f->stacks);
	if (!row)
		return NULL;
	json_set(row, "threadId", json_i64(stack_thread_id(d, f->thread)));
	json_set(row, "before", names_json(f, 0, &s));
	json_set(row, "after", names_json(f, 1, &s));
	json_set(row, "common", json_u64(s.common));
	return NULL;
}

/** Whom variables of a thread are told. */
struct telling {
	struct rows *rows;
	int64_t id;
};

static struct err *
put_variable(void *arg, const struct difference *v)
{
	const struct telling *t = arg;
	struct json *row = row_begin(t->rows);

	if (!row)
		return NULL;
	json_set(row, "threadId", json_i64(t->id));
	json_set(row, "frame", json_u64(v->depth));
	row_set(row, "function", v->function);
	row_set(row, "name", v->name);
	row_set(row, "before", v->before);
	row_set(row, "after", v->after);
	return NULL;
}

static struct err *
diff_thread(struct dap *d, struct diff *f)
{
	const struct telling t = {
		&f->variables, stack_thread_id(d, f->thread)
	};
	struct err *err = put_stack(d, f);

	/* Beyond what is told they are counted. */
	if (!err)
		err = differ_variables(&f->pair, f->thread, put_variable,
				       (void *)&t);
	return err;
}

/* ---- the work ----------------------------------------------------------- */
static struct json *
side_json(const struct dap_shown *s)
{
	const struct snap_process *p = &insp_target(s->insp)->process;
	struct json *j = json_object();
	char when[32];

	row_set(j, "id", s->id);
	if (p->pid)
		json_set(j, "pid", json_u64(p->pid));
	if (p->captured_ns)
		json_set(j, "captured", json_string(session_time(
						p->captured_ns, when)));
	return j;
}

static struct err *
diff_go_on(struct dap *d, struct diff *f)
{
	size_t n = insp_target(d->shown.insp)->n_threads;
	struct err *err = f->listed ? NULL : put_lists(f);

	for (unsigned k = 0; k < PIECE_THREADS && f->thread < n && !err; k++) {
		err = diff_thread(d, f);
		f->thread++;
	}
	return err;
}

/* As captured: what this session wrote is no difference. */
static struct err *
diff_piece(struct dap *d, struct work *w, struct json **body)
{
	struct diff *f = w->state;

	insp_lay_over(f->other.insp, NULL);
	insp_lay_over(d->shown.insp, NULL);
	struct err *err = diff_go_on(d, f);
	insp_lay_over(d->shown.insp, d->shown.overlay);
	w->done = f->thread;
	if (err || f->thread < insp_target(d->shown.insp)->n_threads)
		return err;
	json_set(f->body, "stacks", rows_json(&f->stacks));
	json_set(f->body, "variables", rows_json(&f->variables));
	f->stacks.list = f->variables.list = NULL;
	*body = take(f->body);
	return NULL;
}

static void
diff_end(struct dap *d, struct work *w)
{
	struct diff *f = w->state;
	const struct dap_host *host = d->options.host;

	json_free(f->body);
	json_free(f->stacks.list);
	json_free(f->variables.list);
	if (f->other.insp)
		host->close(host->arg, f->other.number);
	f->other.insp = NULL;
}

/* ---- the request -------------------------------------------------------- */
static struct err *
open_other(struct dap *d, const char *snapshot, struct dap_shown *out)
{
	const struct dap_host *host = d->options.host;
	uint64_t number;

	struct err *err = session_check_name(d, snapshot);
	if (err)
		return err;
	if (!host)
		return err_new(ERR_NOTFOUND, "\"%.128s\" is not open here, and "
			       "no other snapshot is to be had", snapshot);
	err = host->find(host->arg, snapshot, &number);
	if (!err && number == d->shown.number)
		err = err_new(ERR_USAGE, "that is the snapshot that is shown: "
			      "name another one");
	return err ? err : host->open(host->arg, number, out);
}

static void
diff_fill(struct dap *d, struct diff *f, size_t max)
{
	f->pair = (struct differing){
		.insp = { f->other.insp, d->shown.insp },
		.values = { f->other.values, d->shown.values },
	};
	f->stacks = (struct rows){ .list = json_array(), .max = max };
	f->variables = (struct rows){ .list = json_array(), .max = max };
	f->body = json_object();
	json_set(f->body, "before", side_json(&f->other));
	json_set(f->body, "after", side_json(&d->shown));
}

static struct err *
diff_begin(struct dap *d, const struct json *arguments, struct work *w)
{
	static const struct arg_bounds counts = { 1, ROWS_MAX, ROWS };
	struct diff *f = arena_alloc(w->arena, sizeof(*f));
	const char *snapshot;
	int64_t max;

	w->state = f;
	if (!f)
		return err_nomem();
	struct err *err = arg_string(arguments, "snapshot", true, &snapshot);
	if (!err)
		err = arg_number(arguments, "count", &counts, &max);
	if (!err)
		err = open_other(d, snapshot, &f->other);
	if (err)
		return err;
	diff_fill(d, f, (size_t)max);
	w->all = insp_target(d->shown.insp)->n_threads;
	return dap_begin_work(d, w);
}

struct err *
diff_answer(struct dap *d, const struct json *arguments, struct json **body)
{
	struct work w = {
		.command = "inquest/diff", .title = "Comparing snapshots",
		.piece = diff_piece, .end = diff_end, .arena = arena_new(0),
	};

	(void)body;
	if (!w.arena)
		return err_nomem();
	struct err *err = diff_begin(d, arguments, &w);
	if (!err)
		return NULL;
	if (w.state)
		diff_end(d, &w);
	arena_free(w.arena);
	return err;
}
