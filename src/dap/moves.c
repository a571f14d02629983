/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: the snapshots of a series are one process. "next" and "continue" go to
 * the next one, "stepBack" and "reverseContinue" to the one before; nothing of
 * what the client was given an id for is there any more after that.
 */
#include "base/cut.h"
#include "dap/impl.h"
#include "inspect/overlay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES_MAX (64u << 20)
#define SKIPPED_MAX 64u
#define WHY_MAX 500u
#define NEWS_MAX 500u           /* threads, and modules, that came or went */
#define SECOND UINT64_C(1000000000)

/** A module as the client knows it. */
struct known {
	const char *id;         /* JSON */
	const char *name;
	uint64_t start;
	size_t module;
};
/** The snapshots of a series, and what went with the last move. */
struct moments {
	struct arena *arena;
	const struct dap_offer *list;
	size_t n, at;           /* @n 0: there is no series */
	struct arena *before;   /* what was shown before the move; or NULL */
	struct thread_id *threads;
	size_t n_threads;
	struct known *modules;
	size_t n_modules;
	uint64_t captured_ns;
};

/* ---- the line ----------------------------------------------------------- */
static const char *
series_of(struct insp *i)
{
	const struct target *t = insp_target(i);

	for (size_t k = 0; k < t->n_attrs; k++)
		if (strcmp(t->attrs[k].key, "series.id") == 0
		    && t->attrs[k].type == SNAP_ATTR_STRING)
			return t->attrs[k].string;
	return NULL;
}

static bool
same_series(struct insp *a, struct insp *b)
{
	const char *x = series_of(a), *y = series_of(b);

	return x && y && strcmp(x, y) == 0;
}

void
moves_free(struct moments *m)
{
	if (!m)
		return;
	arena_free(m->arena);
	arena_free(m->before);
	free(m);
}

static struct err *
ask_host(struct dap *d, struct arena *a, struct moments *m)
{
	const struct dap_host *host = d->options.host;
	const char *id = series_of(d->shown.insp);
	const struct dap_offer *list = NULL;
	size_t n = 0, at = 0;

	if (!host || !host->series || !id)
		return NULL;
	struct err *err = host->series(host->arg, d->shown.number, id, a,
				       &list, &n);
	if (err)
		return err;
	while (list && at < n && list[at].number != d->shown.number)
		at++;
	if (!list || at == n || n < 2)
		return NULL;
	m->list = list;
	m->n = n;
	m->at = at;
	return NULL;
}

/* Asks anew, because a series may still be growing. */
static struct err *
moves_load(struct dap *d)
{
	_arena_ struct arena *a = arena_new(LINE_BYTES_MAX);
	struct moments *m = d->moments, fresh = { .n = 0 };

	if (!m)
		m = d->moments = calloc(1, sizeof(*m));
	if (!m || !a)
		return err_nomem();
	struct err *err = ask_host(d, a, &fresh);
	if (err)
		return err;
	arena_free(m->arena);
	m->arena = take(a);
	m->list = fresh.list;
	m->n = fresh.n;
	m->at = fresh.at;
	return NULL;
}

/* ---- for a person ------------------------------------------------------- */
static uint64_t
number_of(const struct moments *m, size_t k)
{
	return m->list && m->list[k].index ? m->list[k].index : k + 1;
}

static uint64_t
captured_ns(const struct dap *d)
{
	return insp_target(d->shown.insp)->process.captured_ns;
}

/* "snapshot 2 of 3, 2026-01-31 23:59:59 UTC (+0.500 s)" */
static void
put_moment(const struct dap *d, struct buf *out)
{
	const struct moments *m = d->moments;
	uint64_t from = m->captured_ns, to = captured_ns(d);
	uint64_t ns = to > from ? to - from : from - to;
	char when[32];

	buf_printf(out, "snapshot %" PRIu64, number_of(m, m->at));
	/* Some of a series may have been removed. */
	if (!m->n || number_of(m, m->n - 1) == m->n)
		buf_printf(out, " of %zu", m->n);
	else
		buf_printf(out, ", number %zu of the %zu that are there",
			   m->at + 1, m->n);
	if (to)
		buf_printf(out, ", %s", session_when(d, when));
	if (from && to)
		buf_printf(out, " (%c%" PRIu64 ".%03u s)",
			   to < from ? '-' : '+', ns / SECOND,
			   (unsigned)(ns % SECOND / 1000000));
}

static void
tell_skipped(struct dap *d, size_t k, const struct err *err)
{
	_buf_ struct buf text = { 0 };

	buf_printf(&text, "snapshot %" PRIu64 " is passed over: ",
		   number_of(d->moments, k));
	cut_put(&text, err_text(err), WHY_MAX);
	buf_putc(&text, '\n');
	if (!text.failed)
		session_output(d, "console", text.data);
}

/* ---- what was shown, for comparison ------------------------------------- */
static int
known_compare(const void *a, const void *b)
{
	const struct known *x = a, *y = b;
	int order = strcmp(x->id, y->id);

	return order ? order : (x->start > y->start) - (x->start < y->start);
}

static const char *
text_of(struct json *j, struct arena *a)
{
	_buf_ struct buf text = { 0 };
	_err_ struct err *err = json_write(j, false, &text);

	json_free(j);
	return err || !text.len ? NULL
	       : arena_strndup(a, text.data, text.len - 1);
}

/* Of those that have one id, as of a file that was loaded twice, all. */
static struct err *
list_modules(struct dap *d, struct arena *a, struct known **out, size_t *n)
{
	const struct snap_module *m = insp_modules(d->shown.insp, n);
	struct known *list = arena_array(a, *n + 1, sizeof(*list));

	if (!list)
		return err_nomem();
	for (size_t k = 0; k < *n; k++) {
		const char *path = m[k].path ? m[k].path : "";

		list[k].module = k;
		list[k].start = m[k].start;
		list[k].id = text_of(modules_id(d, k), a);
		list[k].name = arena_strdup(a, cut_base(path));
		if (!list[k].id || !list[k].name)
			return err_nomem();
	}
	qsort(list, *n, sizeof(*list), known_compare);
	*out = list;
	return NULL;
}

static struct err *
keep_before(struct dap *d)
{
	struct moments *m = d->moments;
	size_t n = insp_target(d->shown.insp)->n_threads;

	arena_free(m->before);
	m->before = arena_new(0);
	if (!m->before)
		return err_nomem();
	m->n_threads = n;
	m->threads = arena_dup(m->before, d->ids, (n + 1) * sizeof(*d->ids));
	m->captured_ns = captured_ns(d);
	return m->threads ? list_modules(d, m->before, &m->modules,
					 &m->n_modules)
			  : err_nomem();
}

/* ---- moving ------------------------------------------------------------- */
/* The same thread as before, where it is still there. */
static void
choose_thread(struct dap *d, int64_t id)
{
	size_t thread;

	if (id && stack_find_id(d, id, &thread))
		d->thread = thread;
}

/* It is shown from here on, and all ids are over. */
static void
show(struct dap *d, const struct dap_shown *shown)
{
	int64_t id = d->thread != INSP_NONE ? stack_thread_id(d, d->thread)
		     : 0;

	dap_cancel_work(d, "another snapshot is shown now");
	stack_forget_ids(d);
	session_end_stop(d);
	session_close(d);
	d->shown = *shown;
	insp_lay_over(d->shown.insp, d->shown.overlay);
	/* Without room for it there is nothing to be shown any more. */
	struct err *err = session_begin_stop(d);
	if (err && !d->err)
		d->err = take(err);
	err_free(err);
	if (!d->err)
		choose_thread(d, id);
}

/* ERR_NOTFOUND: it is of another series. */
static struct err *
move_to(struct dap *d, size_t to)
{
	const struct dap_host *host = d->options.host;
	uint64_t number = d->moments->list[to].number;
	struct dap_shown shown = { .number = 0 };

	struct err *err = host->open(host->arg, number, &shown);
	if (err)
		return err;
	err = same_series(d->shown.insp, shown.insp) ? keep_before(d)
	      : err_new(ERR_NOTFOUND, "it is of another series");
	if (err) {
		host->close(host->arg, number);
		return err;
	}
	show(d, &shown);
	d->moments->at = to;
	return NULL;
}

/* The first one that can be shown, from @to on. */
static struct err *
move_on(struct dap *d, size_t to, bool back)
{
	const struct moments *m = d->moments;
	const size_t began = to;

	for (unsigned n = 0; to < m->n && n < SKIPPED_MAX; n++) {
		_err_ struct err *err = move_to(d, to);

		if (!err)
			return NULL;
		tell_skipped(d, to, err);
		to = back ? to - 1 : to + 1;
	}
	if (began < m->n)
		return dap_refuse(d, "endOfSeries", "no snapshot %s this one "
				  "can be shown", back ? "before" : "behind");
	return dap_refuse(d, "endOfSeries", "this is the %s of %zu snapshots",
			  back ? "first" : "last", m->n);
}

static struct err *
move(struct dap *d, bool back)
{
	struct moments *m = d->moments;

	if (!d->stopped_told)
		return err_new(ERR_FAILED, "\"configurationDone\" comes first");
	if (!back && m && m->at + 1 == m->n) {
		struct err *err = moves_load(d);
		if (err)
			return err;
	}
	if (!m || !m->n)
		return session_refuse_to_run(d, NULL, NULL);
	return move_on(d, back ? m->at - 1 : m->at + 1, back);
}

struct err *
moves_next(struct dap *d, const struct json *arguments, struct json **body)
{
	(void)arguments, (void)body;
	return move(d, false);
}

struct err *
moves_back(struct dap *d, const struct json *arguments, struct json **body)
{
	(void)arguments, (void)body;
	return move(d, true);
}

struct err *
moves_continue(struct dap *d, const struct json *arguments, struct json **body)
{
	struct err *err = move(d, false);

	(void)arguments;
	if (err)
		return err;
	*body = json_object();
	json_set(*body, "allThreadsContinued", json_bool(true));
	return NULL;
}

/* ---- what came and went ------------------------------------------------- */
static void
tell_thread(struct dap *d, const char *reason, int64_t id)
{
	struct json *body = json_object();

	json_set(body, "reason", json_string(reason));
	json_set(body, "threadId", json_i64(id));
	dap_event(d, "thread", body);
}

/* Both lists are sorted by id. */
static void
tell_threads(struct dap *d)
{
	const struct moments *m = d->moments;
	size_t n = insp_target(d->shown.insp)->n_threads;

	for (size_t x = 0, y = 0, told = 0;
	     (x < m->n_threads || y < n) && told < NEWS_MAX;) {
		if (y == n || (x < m->n_threads
			       && m->threads[x].id < d->ids[y].id)) {
			tell_thread(d, "exited", m->threads[x++].id);
			told++;
		} else if (x == m->n_threads
			   || d->ids[y].id < m->threads[x].id) {
			tell_thread(d, "started", d->ids[y++].id);
			told++;
		} else {
			x++, y++;
		}
	}
}

static void
tell_module(struct dap *d, const char *reason, struct json *module)
{
	struct json *body = json_object();

	json_set(body, "reason", json_string(reason));
	json_set(body, "module", module);
	dap_event(d, "module", body);
}

/* Of what is gone, what makes it known. */
static struct json *
gone_json(const struct known *k)
{
	struct json *j = json_object();
	struct buf id = { 0 };

	buf_puts(&id, k->id);
	json_set(j, "id", json_raw(&id));
	json_set(j, "name", json_string(*k->name ? k->name : "(no name)"));
	return j;
}

static void
tell_modules(struct dap *d, const struct known *list, size_t n)
{
	const struct moments *m = d->moments;

	for (size_t x = 0, y = 0, told = 0;
	     (x < m->n_modules || y < n) && told < NEWS_MAX;) {
		int order = x == m->n_modules ? 1 : y == n ? -1
			    : strcmp(m->modules[x].id, list[y].id);

		if (order < 0)
			tell_module(d, "removed", gone_json(&m->modules[x]));
		else if (order > 0)
			tell_module(d, "new", modules_json(
					    d, list[y].module));
		else if (m->modules[x].start != list[y].start)
			tell_module(d, "changed", modules_json(
					    d, list[y].module));
		told += order || m->modules[x].start != list[y].start;
		x += order <= 0;
		y += order >= 0;
	}
}

static void
tell_stopped(struct dap *d)
{
	_buf_ struct buf place = { 0 };

	put_moment(d, &place);
	session_tell_stopped(d, "step", json_string(place.failed ? NULL
						    : place.data));
}

void
moves_arrive(struct dap *d)
{
	_arena_ struct arena *a = arena_new(0);
	struct known *list = NULL;
	size_t n = 0;

	if (d->err)
		return;
	tell_threads(d);
	_err_ struct err *err = a ? list_modules(d, a, &list, &n)
				: err_nomem();
	if (!err)
		tell_modules(d, list, n);
	news_begin(d);
	tell_stopped(d);
}

/* ---- the beginning ------------------------------------------------------ */
void
moves_begin(struct dap *d)
{
	_err_ struct err *none = moves_load(d);
	struct json *body, *capabilities;
	_buf_ struct buf text = { 0 };

	if (none || !d->moments->n)
		return;
	capabilities = json_object();
	json_set(capabilities, "supportsStepBack", json_bool(true));
	body = json_object();
	json_set(body, "capabilities", capabilities);
	dap_event(d, "capabilities", body);
	put_moment(d, &text);
	buf_puts(&text, ": step back, and on, to see the others\n");
	if (!text.failed)
		session_output(d, "console", text.data);
}

/* ---- inquest/series ----------------------------------------------------- */
static void
set_text(struct json *j, struct page *p, const char *key, const char *text)
{
	if (text)
		json_set(j, key, page_text(p, text));
}

static struct json *
moment_json(const struct moments *m, size_t k, struct page *p)
{
	const struct dap_offer *o = &m->list[k];
	struct json *j = json_object();

	json_set(j, "number", json_u64(number_of(m, k)));
	set_text(j, p, "id", o->id);
	set_text(j, p, "program", o->program);
	set_text(j, p, "signal", o->signal);
	set_text(j, p, "captured", o->captured);
	json_set(j, "shown", json_bool(k == m->at));
	return j;
}

/* The other snapshots in time; none where there is no series. */
struct err *
moves_answer(struct dap *d, const struct json *arguments, struct json **body)
{
	const struct moments *m;
	struct json *list;
	struct page p;

	struct err *err = moves_load(d);
	if (err)
		return err;
	m = d->moments;
	err = page_of(arguments, m->n, &p);
	if (err)
		return err;
	list = json_array();
	for (size_t k = p.start; m->list && k < p.end
	     && p.bytes < PAGE_BYTES_MAX; k++)
		json_add(list, moment_json(m, k, &p));
	*body = page_body("snapshots", list, &p);
	if (m->n) {
		json_set(*body, "at", json_u64(m->at));
		set_text(*body, &p, "id", series_of(d->shown.insp));
	}
	return NULL;
}
