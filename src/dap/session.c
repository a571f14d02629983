/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session from "initialize" to "disconnect": what the client can do, what is
 * shown to it, and that it does not run.
 */
#include "dap/impl.h"
#include "inspect/overlay.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BREAKPOINTS_MAX 10000u
#define MAPS_MAX 64u
#define MAP_LENGTH_MAX 4096u
#define FRAME_IDS_MAX (1u << 25)
#define STOP_BYTES_MAX (256u << 20)     /* of all that ids stand for */

/* ---- initialize -------------------------------------------------------------- */
/* dape shows people the "message" of an error and nothing else; nvim-dap too,
 * where "showUser" does not ask for a notice. */
static bool
shows_words(const char *client)
{
	static const char *const those[] = { "dape", "neovim" };

	for (size_t k = 0; client && k < countof(those); k++)
		if (strcmp(client, those[k]) == 0)
			return true;
	return false;
}

struct err *
session_initialize(struct dap *d, const struct json *arguments,
		   struct json **body)
{
	const char *format;

	if (d->initialised)
		return err_new(ERR_FAILED, "\"initialize\" comes once");
	struct err *err = arg_string(arguments, "pathFormat", false, &format);
	if (!err && format && strcmp(format, "path") != 0
	    && strcmp(format, "uri") != 0)
		err = err_new(ERR_USAGE, "\"pathFormat\" is \"path\" or "
			      "\"uri\"");
	if (err)
		return err;
	const struct { const char *name; bool *is, otherwise; } rows[] = {
		{ "supportsProgressReporting", &d->hears_progress, false },
		{ "supportsInvalidatedEvent", &d->hears_invalidated, false },
		{ "supportsMemoryEvent", &d->hears_memory, false },
		{ "supportsInquestSelectedEvent", &d->hears_selected, false },
		{ "linesStartAt1", &d->lines_from_0, true },
		{ "columnsStartAt1", &d->columns_from_0, true },
	};
	for (size_t k = 0; k < countof(rows); k++)
		*rows[k].is = json_is_true(json_get(arguments, rows[k].name),
					   rows[k].otherwise)
			      != rows[k].otherwise;
	/* nvim-dap 0.6 writes it otherwise. */
	const struct json *client = json_get(arguments, "clientID");
	d->shows_words = shows_words(json_str(client ? client : json_get(
						arguments, "clientId")));
	d->paths_are_uris = format && strcmp(format, "uri") == 0;
	*body = json_object();
	requests_put_capabilities(*body);
	return NULL;
}

/* ---- what is shown -------------------------------------------------------------- */
void
session_end_stop(struct dap *d)
{
	refs_free(d->refs);
	arena_free(d->stop);
	d->refs = NULL;
	d->cause = NULL;
	d->cause_explained = false;
	alike_forget(d);
	d->stop = NULL;
	d->stacks = NULL;
	d->ids = NULL;
	/* What a client kept of before is refused, and not another frame. */
	d->frames_before += d->frames.n;
	if (d->frames_before > FRAME_IDS_MAX)
		d->frames_before = 0;
	d->frames = (struct vec){ 0 };
}

struct err *
session_begin_stop(struct dap *d)
{
	session_end_stop(d);
	d->thread = insp_target(d->shown.insp)->n_threads ? 0 : INSP_NONE;
	d->stop = arena_new(STOP_BYTES_MAX);
	return d->stop ? stack_begin(d) : err_nomem();
}

struct arena *
session_lasting(struct dap *d)
{
	if (!d->lasting)
		d->lasting = arena_new(0);
	return d->lasting;
}

/* One of a host's goes back to it. */
void
session_close(struct dap *d)
{
	if (d->shown.insp)
		insp_lay_over(d->shown.insp, NULL);
	if (d->shown.insp && d->shown.number && d->options.host)
		d->options.host->close(d->options.host->arg, d->shown.number);
	d->shown.insp = NULL;
	sources_forget(d);
	locations_forget(d);
	modules_forget(d);
	arena_free(take(d->lasting));
}

/* ---- attach ------------------------------------------------------------------- */
struct err *
session_launch(struct dap *d, const struct json *arguments, struct json **body)
{
	(void)arguments, (void)body;
	return dap_refuse(d, "postMortem", "nothing is launched: open a "
			  "snapshot with request \"attach\"");
}

/* A path or a URL is the client's own only on its own machine. */
struct err *
session_check_name(const struct dap *d, const char *snapshot)
{
	if (d->options.local || !snapshot || !strpbrk(snapshot, "/\\:"))
		return NULL;
	return err_new(ERR_DENIED, "\"snapshot\" is an id here: paths and URLs "
		       "are for clients on the same machine");
}

static struct err *
attach_open(struct dap *d, const char *snapshot)
{
	const struct dap_host *host = d->options.host;
	struct dap_shown next = { 0 };
	uint64_t number;

	struct err *err = session_check_name(d, snapshot);
	if (err || (d->shown.insp && !snapshot))
		return err;
	if (d->shown.insp && d->shown.id && strcmp(snapshot, d->shown.id) == 0)
		return NULL;
	if (!host)
		return err_new(ERR_NOTFOUND, "\"%.128s\" is not open here; "
			       "\"%s\" is", snapshot,
			       d->shown.id ? d->shown.id : "another one");
	err = host->find(host->arg, snapshot, &number);
	if (!err && d->shown.insp && number == d->shown.number)
		return NULL;
	if (!err)
		err = host->open(host->arg, number, &next);
	if (err)
		return err;
	session_close(d);
	d->shown = next;
	return NULL;
}

static int
map_compare(const void *a, const void *b)
{
	const struct source_map *x = a, *y = b;
	size_t n = strlen(x->from), m = strlen(y->from);

	return n < m ? 1 : n > m ? -1 : 0;
}

/* "sourceMap": a list of pairs. */
static struct err *
attach_check_maps(const struct json *list)
{
	size_t n = json_length(list);

	if (list && (json_kind(list) != JSON_ARRAY || n > MAPS_MAX))
		return err_new(ERR_USAGE, "\"sourceMap\" is a list of up to %u "
			       "pairs", MAPS_MAX);
	for (size_t k = 0; k < n; k++) {
		const struct json *pair = json_at(list, k);
		const char *from = json_str(json_at(pair, 0));
		const char *to = json_str(json_at(pair, 1));

		if (!from || !to || !*from || json_length(pair) != 2
		    || strlen(from) + strlen(to) > MAP_LENGTH_MAX)
			return err_new(ERR_USAGE, "pair %zu of \"sourceMap\" is "
				       "no [from, to]", k);
	}
	return NULL;
}

/* They are kept, so that is done for what is attached, once. */
static struct err *
attach_maps(struct dap *d, const struct json *list)
{
	size_t n = json_length(list);

	d->maps = arena_array(d->arena, n + 1, sizeof(*d->maps));
	if (!d->maps)
		return err_nomem();
	for (size_t k = 0; k < n; k++) {
		const struct json *pair = json_at(list, k);
		struct source_map *m = &d->maps[k];

		m->from = arena_strdup(d->arena, json_str(json_at(pair, 0)));
		m->to = arena_strdup(d->arena, json_str(json_at(pair, 1)));
		if (!m->from || !m->to)
			return err_nomem();
	}
	d->n_maps = n;
	qsort(d->maps, n, sizeof(*d->maps), map_compare);
	return NULL;
}

static struct err *
attach_thread(struct dap *d, const struct json *arguments)
{
	static const struct arg_bounds any = { 0, INT32_MAX, 0 };
	int64_t tid;

	struct err *err = arg_number(arguments, "thread", &any, &tid);
	if (err || !tid)
		return err;
	size_t thread = insp_find_thread(d->shown.insp, (uint64_t)tid);
	if (thread == INSP_NONE)
		return err_new(ERR_NOTFOUND, "no thread has the id %lld",
			       (long long)tid);
	d->thread = thread;
	return NULL;
}

struct err *
session_attach(struct dap *d, const struct json *arguments, struct json **body)
{
	const struct json *maps = json_get(arguments, "sourceMap");
	const char *snapshot, *project;

	(void)body;
	if (d->attached)
		return err_new(ERR_FAILED, "\"attach\" comes once");
	struct err *err = arg_string(arguments, "snapshot", false, &snapshot);
	if (!err)
		err = arg_string(arguments, "project", false, &project);
	if (!err)
		err = attach_check_maps(maps);
	if (!err)
		err = attach_open(d, snapshot);
	if (!err && !d->shown.insp)
		err = err_new(ERR_USAGE, "\"snapshot\" says what to open");
	if (err)
		return err;
	insp_lay_over(d->shown.insp, d->shown.overlay);
	err = session_begin_stop(d);
	if (!err)
		err = attach_thread(d, arguments);
	if (!err)
		err = attach_maps(d, maps);
	d->attached = !err;
	return err;
}

/* ---- the stop ------------------------------------------------------------------ */
const char *
session_time(uint64_t ns, char out[32])
{
	time_t seconds = (time_t)(ns / 1000000000u);
	struct tm t;

	if (!ns || !gmtime_r(&seconds, &t)
	    || !strftime(out, 32, "%Y-%m-%d %H:%M:%S UTC", &t))
		return "the past";
	return out;
}

const char *
session_when(const struct dap *d, char out[32])
{
	return session_time(insp_target(d->shown.insp)->process.captured_ns,
			    out);
}

void
session_output(struct dap *d, const char *category, const char *text)
{
	struct json *body = json_object();

	json_set(body, "category", json_string(category));
	json_set(body, "output", json_lines(text));
	dap_event(d, "output", body);
}

/* What a thread was stopped by, for people. */
static struct json *
stop_description(const struct snap_process *p)
{
	const char *name = p->os == SNAP_OS_LINUX && p->signal > 0
			   ? sigabbrev_np(p->signal) : NULL;
	_buf_ struct buf text = { 0 };

	if (name)
		buf_printf(&text, "SIG%s", name);
	else if (p->signal)
		buf_printf(&text, "signal %d", p->signal);
	else
		buf_puts(&text, "captured");
	return json_string(text.failed ? NULL : text.data);
}

void
session_tell_stopped(struct dap *d, const char *reason,
		     struct json *description)
{
	struct json *body = json_object();
	_buf_ struct buf text = { 0 };

	json_set(body, "reason", json_string(reason));
	json_set(body, "description", description);
	exception_put_text(d, &text);
	if (text.len)
		json_set(body, "text", json_string(text.failed ? NULL
						   : text.data));
	if (d->thread != INSP_NONE)
		json_set(body, "threadId",
			 json_i64(stack_thread_id(d, d->thread)));
	json_set(body, "allThreadsStopped", json_bool(true));
	dap_event(d, "stopped", body);
}

/* It comes once, behind the answers to both of them, in whichever order. */
void
session_after_attach(struct dap *d)
{
	const struct snap_process *p;

	if (!d->attached || !d->configured || d->stopped_told)
		return;
	d->stopped_told = true;
	moves_begin(d);
	news_tell(d);
	/* The signal hit the first thread, and perhaps another was chosen. */
	p = &insp_target(d->shown.insp)->process;
	session_tell_stopped(d, p->signal && d->thread == 0 ? "exception"
			     : "pause", stop_description(p));
}

struct err *
session_configured(struct dap *d, const struct json *arguments,
		   struct json **body)
{
	(void)arguments, (void)body;
	d->configured = true;
	return NULL;
}

struct err *
session_disconnect(struct dap *d, const struct json *arguments,
		   struct json **body)
{
	(void)arguments, (void)body;
	dap_cancel_work(d, "the session ends");
	return NULL;
}

void
session_tell_written(struct dap *d, uint64_t addr, uint64_t n)
{
	_buf_ struct buf where = { 0 };

	if (d->hears_memory) {
		struct json *body = json_object();

		buf_printf(&where, "0x%llx", (unsigned long long)addr);
		json_set(body, "memoryReference",
			 json_string(where.failed ? NULL : where.data));
		json_set(body, "offset", json_i64(0));
		json_set(body, "count", json_u64(n));
		dap_event(d, "memory", body);
	}
	if (d->hears_invalidated) {
		struct json *body = json_object(), *areas = json_array();

		json_add(areas, json_string("variables"));
		json_set(body, "areas", areas);
		dap_event(d, "invalidated", body);
	}
}

/* ---- the thread that is looked at -------------------------------------------------- */
void
session_look_at(struct dap *d, size_t thread)
{
	if (d->shown.overlay)
		overlay_look_at(d->shown.overlay, thread, LOOKER_EDITOR);
}

struct json *
session_selected(struct dap *d)
{
	const struct overlay_look *l = d->shown.overlay
				       ? overlay_look(d->shown.overlay) : NULL;

	if (!l || !l->changes
	    || l->thread >= insp_target(d->shown.insp)->n_threads)
		return NULL;
	struct json *j = json_object();
	json_set(j, "threadId", json_i64(stack_thread_id(d, l->thread)));
	json_set(j, "by", json_string(l->by == LOOKER_EDITOR ? "editor"
				      : "debugger"));
	return j;
}

void
session_tell_looked(struct dap *d)
{
	struct json *body = d->hears_selected ? session_selected(d) : NULL;

	if (body)
		dap_event(d, "inquest/selected", body);
}

/* ---- cancel ---------------------------------------------------------------------- */
/* What is over, or was never begun, is cancelled as well. */
struct err *
session_cancel(struct dap *d, const struct json *arguments, struct json **body)
{
	static const struct arg_bounds any = { 0, INT64_MAX, -1 };
	const char *progress;
	int64_t request;

	(void)body;
	struct err *err = arg_number(arguments, "requestId", &any, &request);
	if (!err)
		err = arg_string(arguments, "progressId", false, &progress);
	if (err || !d->work)
		return err;
	if (request == d->work->request_seq
	    || (progress && d->work->progress
		&& strcmp(progress, d->work->progress) == 0))
		d->work->cancelled = true;
	return NULL;
}

/* ---- what does not happen ---------------------------------------------------------- */
static struct err *
answer_breakpoints(size_t n, struct json **body)
{
	struct json *list = json_array();

	if (n > BREAKPOINTS_MAX) {
		json_free(list);
		return err_new(ERR_LIMIT, "%u breakpoints at most",
			       BREAKPOINTS_MAX);
	}
	for (size_t k = 0; k < n; k++) {
		struct json *b = json_object();

		json_set(b, "verified", json_bool(false));
		json_set(b, "message", json_string("a snapshot does not run: "
						   "nothing stops here"));
		json_add(list, b);
	}
	*body = json_object();
	json_set(*body, "breakpoints", list);
	return NULL;
}

struct err *
session_breakpoints(struct dap *d, const struct json *arguments,
		    struct json **body)
{
	(void)d;
	return answer_breakpoints(json_length(json_get(arguments,
						       "breakpoints")), body);
}

struct err *
session_exception_breakpoints(struct dap *d, const struct json *arguments,
			      struct json **body)
{
	static const char *const lists[] = {
		"filters", "filterOptions", "exceptionOptions",
	};
	size_t n = 0;

	(void)d;
	for (size_t k = 0; k < countof(lists); k++)
		n += json_length(json_get(arguments, lists[k]));
	return answer_breakpoints(n, body);
}

struct err *
session_refuse_to_run(struct dap *d, const struct json *arguments,
		      struct json **body)
{
	char when[32];

	(void)arguments, (void)body;
	return dap_refuse(d, "postMortem", "this is a snapshot of %s: it cannot "
			  "run on; stack, variables and memory stay usable",
			  session_when(d, when));
}
