/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protocols.c: the protocols that a worker speaks.
 */
#include <stdlib.h>
#include <string.h>

#include "dap/dap.h"
#include "serve/worker.h"

/* ---- the GDB remote protocol ---- */

struct debugger {
	struct stub *stub;
	struct overlays *written;       /* held; or NULL */
	uint64_t heard;                 /* when it last said something */
};

static struct err *
written_over(void *arg, uint64_t number, struct overlay **out)
{
	return overlays_of(arg, number, out);
}

static void
debugger_end(void *client)
{
	struct debugger *g = client;

	stub_free(g->stub);
	overlays_release(g->written);
	free(g);
}

static struct err *
debugger_begin(const struct sight *see, void **out)
{
	struct debugger *g = calloc(1, sizeof(*g));

	if (!g)
		return err_nomem();
	if (see->written)
		g->written = overlays_hold(see->written);
	const struct stub_options options = {
		.title = see->title, .host = see->insp ? NULL
						       : &see->host->stub,
		.attached = see->attached, .n_attached = see->n_attached,
		.overlay = see->written ? written_over : NULL,
		.overlay_arg = see->written, .aside = see->aside,
	};
	struct err *err = stub_new(see->insp, &options, &g->stub);
	if (err)
		debugger_end(g);
	else
		*out = g;
	return err;
}

/* Milliseconds for which a client is quiet that waits for a person. */
#define QUIET_MS 100

static int
debugger_patience(const void *client)
{
	const struct debugger *g = client;
	uint64_t ms = (connection_now() - g->heard) / 1000000u;

	if (!g->written || !stub_chooses(g->stub))
		return -1;
	return ms < QUIET_MS ? (int)(QUIET_MS - ms) : 0;
}

static struct err *
debugger_feed(void *client, const void *data, size_t n, struct buf *out)
{
	struct debugger *g = client;

	if (debugger_patience(g) == 0)
		stub_chosen(g->stub);
	g->heard = connection_now();
	return stub_feed(g->stub, data, n, out);
}


static bool
debugger_busy(const void *client)
{
	return debugger_patience(client) == 0;
}

static struct err *
debugger_work(void *client, struct buf *out)
{
	(void)out;
	stub_chosen(((struct debugger *)client)->stub);
	return NULL;
}

static bool
debugger_done(const void *client)
{
	return stub_done(((const struct debugger *)client)->stub);
}

static bool
debugger_foresees(const void *client)
{
	return stub_reads_on(((const struct debugger *)client)->stub);
}

static void
debugger_prepare(void *client)
{
	stub_ahead(((struct debugger *)client)->stub);
}

static void
debugger_rest(void *client)
{
	stub_rest(((struct debugger *)client)->stub);
}

/* ---- the Debug Adapter Protocol ---- */

/** A client of it, and what it may open. */
struct adapter {
	struct dap *dap;
	struct dap_stream stream;
	struct dap_host host;
	struct host *from;
	struct worker *worker;
	worker_report_fn *report;       /* or NULL */
	uint64_t given;         /* what "attach" opens by itself; 0 = nothing */
	struct overlays *written;       /* held */
	struct overlay *seen;           /* of what is shown; NULL: nothing is */
	uint64_t changes, looks;        /* of @seen that the client knows of */
	struct console *console;        /* held; NULL: none was asked for */
	uint64_t console_number;        /* what it is called by who started it */
	uint64_t console_shows;         /* the number of a snapshot */
};

static struct err *
dap_host_find(void *arg, const char *snapshot, uint64_t *number)
{
	struct adapter *a = arg;

	if (snapshot)
		return a->from->stub.find(a->from, snapshot, number);
	if (!a->given)
		return err_new(ERR_USAGE, "\"snapshot\" says what to open");
	*number = a->given;
	return NULL;
}

static struct err *
dap_host_open(void *arg, uint64_t number, struct dap_shown *out)
{
	struct adapter *a = arg;
	struct dap_shown shown = { .number = number };

	struct err *err = a->from->stub.open(a->from, number, &shown.insp,
					     &shown.id);
	if (err)
		return err;
	err = host_values(a->from, number, &shown.values);
	if (!err)
		err = overlays_look(a->written, number, &shown.overlay);
	if (err) {
		a->from->stub.close(a->from, number);
		return err;
	}
	*out = shown;
	return NULL;
}

static void
dap_host_close(void *arg, uint64_t number)
{
	struct adapter *a = arg;

	overlays_leave(a->written, number);
	a->from->stub.close(a->from, number);
}

/* Below the address of the server, which is known to who came by it. */
static struct err *
dap_host_link(void *arg, uint64_t number, struct buf *out)
{
	const struct adapter *a = arg;

	const char *title = host_title(a->from, number);

	if (!title)
		return err_new(ERR_NOTFOUND, "nothing is shown");
	buf_printf(out, "/p/%s", title);
	return buf_err(out);
}

static struct err *
dap_host_report(void *arg, const struct dap_shown *shown, const char *format,
		struct buf *out)
{
	const struct adapter *a = arg;

	return a->report(shown->insp, shown->id, format, out);
}

static struct err *
dap_host_series(void *arg, uint64_t number, const char *id, struct arena *arena,
		const struct dap_offer **out, size_t *n)
{
	struct adapter *a = arg;
	const struct stub_offer *from;
	size_t count;

	struct err *err = a->from->stub.series(a->from, number, id, arena,
					       &from, &count);
	if (err)
		return err;
	struct dap_offer *to = arena_array(arena, count, sizeof(*to));
	if (!to && count)
		return err_nomem();
	for (size_t k = 0; k < count; k++)
		to[k] = (struct dap_offer){
			.number = from[k].number, .id = from[k].id,
			.program = from[k].program, .signal = from[k].signal,
			.captured = from[k].captured, .index = from[k].index,
		};
	*out = to;
	*n = count;
	return NULL;
}

/* ---- its console ---- */

static void
adapter_end_console(struct adapter *a)
{
	if (!a->console)
		return;
	console_end(a->console);
	console_release(take(a->console));
	/* Who does not hear it any more ends all of us. */
	err_free(host_console_end(a->from, a->console_number));
}

/* What it says goes one way, what it looks at the other. */
static struct err *
adapter_connect(struct adapter *a, const struct host_console *c)
{
	const struct sight talk = { .console = a->console };
	const struct sight link = {
		.host = a->from, .attached = &a->console_shows,
		.n_attached = 1, .written = a->written, .aside = true,
	};

	struct err *err = worker_add(a->worker, c->talk, WORKER_CONSOLE,
				     &talk);
	if (!err)
		return worker_add(a->worker, c->link, WORKER_RSP, &link);
	/* The hold that its connection would have. */
	console_release(a->console);
	int link_fd = c->link;
	base_close(&link_fd);
	return err;
}

static struct err *
adapter_start_console(struct adapter *a, uint64_t number)
{
	struct host_console c;

	struct err *err = host_console(a->from, &c);
	if (err)
		return err;
	a->console_number = c.number;
	a->console_shows = number;
	err = console_new(c.terminal, &a->console);
	if (err) {
		base_close(&c.talk);
		base_close(&c.link);
		err_free(host_console_end(a->from, c.number));
		return err;
	}
	err = adapter_connect(a, &c);
	if (err)
		adapter_end_console(a);
	return err;
}

static struct err *
dap_host_ask(void *arg, const struct dap_question *q)
{
	const struct console_question question = {
		.text = q->text, .has_frame = q->has_frame,
		.thread = q->thread, .frame = q->frame, .pc = q->pc,
		.same = q->same, .written = true,
	};
	struct adapter *a = arg;
	struct err *err = NULL;

	if (a->console && (console_is_over(a->console)
			   || a->console_shows != q->number))
		adapter_end_console(a);
	if (!a->console)
		err = adapter_start_console(a, q->number);
	return err ? err : console_question(a->console, &question);
}

/* A gdb that is in the middle of something hears nothing else. */
static void
dap_host_forget(void *arg)
{
	adapter_end_console(arg);
}

/* ---- its connection ---- */

static void
adapter_end(void *client)
{
	struct adapter *a = client;

	dap_free(a->dap);
	dap_stream_fini(&a->stream);
	adapter_end_console(a);
	overlays_release(a->written);
	free(a);
}

static struct err *
adapter_begin(const struct sight *see, void **out)
{
	struct adapter *a = calloc(1, sizeof(*a));

	if (!a)
		return err_nomem();
	a->from = see->host;
	a->worker = see->worker;
	a->report = see->report;
	a->given = see->n_attached ? see->attached[0] : 0;
	a->host = (struct dap_host){
		.find = dap_host_find, .open = dap_host_open,
		.close = dap_host_close, .series = dap_host_series,
		.link = see->stored ? dap_host_link : NULL,
		.ask = see->console_allowed ? dap_host_ask : NULL,
		.report = see->report ? dap_host_report : NULL,
		.forget = dap_host_forget, .arg = a,
	};
	const struct dap_options options = {
		.host = &a->host, .local = see->local,
	};
	struct err *err = NULL;
	if (see->written)
		a->written = overlays_hold(see->written);
	else
		err = overlays_new(&a->written);
	if (!err)
		err = dap_new(&options, &a->dap);
	if (err)
		adapter_end(a);
	else
		*out = a;
	return err;
}

/* Has somebody else written? */
static bool
adapter_has_news(const struct adapter *a)
{
	uint64_t addr, n;

	return a->seen && (overlay_changes(a->seen, &addr, &n) != a->changes
			   || overlay_look(a->seen)->changes != a->looks);
}

static struct err *
adapter_tell_news(struct adapter *a, const struct dap_sink *sink)
{
	const uint64_t changes = a->changes, looks = a->looks;
	struct err *err = NULL;
	uint64_t addr, n;

	a->changes = overlay_changes(a->seen, &addr, &n);
	a->looks = overlay_look(a->seen)->changes;
	if (a->changes != changes)
		err = dap_written(a->dap, addr, n, sink);
	return err || a->looks == looks ? err : dap_looked(a->dap, sink);
}

/* What is shown from now on, as it is now: a snapshot that is open beside it
 * is none of that. What the client wrote itself it knows. */
static void
adapter_look(struct adapter *a)
{
	uint64_t addr, n, number = dap_shows(a->dap);

	a->seen = number ? overlays_find(a->written, number) : NULL;
	if (!a->seen)
		return;
	a->changes = overlay_changes(a->seen, &addr, &n);
	a->looks = overlay_look(a->seen)->changes;
}

static struct err *
adapter_feed(void *client, const void *data, size_t n, struct buf *out)
{
	const struct dap_sink sink = dap_stream_sink(out);
	struct adapter *a = client;

	struct err *err = adapter_has_news(a) ? adapter_tell_news(a, &sink)
					      : NULL;
	if (!err)
		err = dap_stream_feed(&a->stream, a->dap, data, n, out);
	adapter_look(a);
	return err;
}

static bool
adapter_done(const void *client)
{
	const struct adapter *a = client;

	return a->stream.over || dap_done(a->dap);
}

static bool
adapter_busy(const void *client)
{
	const struct adapter *a = client;

	return dap_busy(a->dap) || adapter_has_news(a)
	       || (a->console && console_answered(a->console));
}

static struct err *
adapter_answer(struct adapter *a, const struct dap_sink *sink)
{
	_buf_ struct buf text = { 0 };

	struct err *said = console_take(a->console, &text);
	if (console_is_over(a->console))
		adapter_end_console(a);
	return dap_answer(a->dap, said, text.data, sink);
}

static struct err *
adapter_work(void *client, struct buf *out)
{
	const struct dap_sink sink = dap_stream_sink(out);
	struct adapter *a = client;

	struct err *err = adapter_has_news(a) ? adapter_tell_news(a, &sink)
					      : NULL;
	if (err)
		return err;
	if (a->console && console_answered(a->console))
		return adapter_answer(a, &sink);
	return dap_work(a->dap, &sink);
}

static uint64_t
adapter_told(const void *client)
{
	return dap_told(((const struct adapter *)client)->dap);
}

static void
adapter_rest(void *client)
{
	dap_rest(((struct adapter *)client)->dap);
}

/* ---- gdb/MI ---- */

static struct err *
talk_begin(const struct sight *see, void **out)
{
	*out = see->console;
	return NULL;
}

static void
talk_end(void *client)
{
	console_end(client);
	console_release(client);
}

static struct err *
talk_feed(void *client, const void *data, size_t n, struct buf *out)
{
	(void)out;
	return console_hear(client, data, n);
}

static bool
talk_done(const void *client)
{
	return console_is_over(client);
}

static bool
talk_busy(const void *client)
{
	return console_speaks(client);
}

static struct err *
talk_work(void *client, struct buf *out)
{
	return console_speak(client, out);
}

static int
talk_patience(const void *client)
{
	return console_patience(client);
}

/* ---- the table ---- */

const struct protocol protocols[WORKER_PROTOCOLS] = {
	[WORKER_RSP] = {
		.name = "rsp", .begin = debugger_begin, .end = debugger_end,
		.feed = debugger_feed, .done = debugger_done,
		.busy = debugger_busy, .work = debugger_work,
		.patience = debugger_patience,
		.foresees = debugger_foresees, .prepare = debugger_prepare,
		.rest = debugger_rest,
	},
	[WORKER_DAP] = {
		.name = "dap", .begin = adapter_begin, .end = adapter_end,
		.feed = adapter_feed, .done = adapter_done,
		.busy = adapter_busy, .work = adapter_work,
		.told = adapter_told, .rest = adapter_rest,
	},
	[WORKER_CONSOLE] = {
		.name = "mi", .begin = talk_begin, .end = talk_end,
		.feed = talk_feed, .done = talk_done, .busy = talk_busy,
		.work = talk_work, .patience = talk_patience,
	},
};
