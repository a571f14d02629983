/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of the Debug Adapter Protocol: what comes in is dispatched, what
 * goes out is numbered.
 */
#include "dap/impl.h"
#include "inspect/overlay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what goes out --------------------------------------------------------- */
/* Takes @message. What goes wrong here ends the session. */
static void
dap_send(struct dap *d, struct json *message)
{
	_buf_ struct buf text = { 0 };

	struct err *err = d->err ? NULL : json_write(message, false, &text);
	json_free(message);
	/* The newline at its end is for files. */
	if (!err && !d->err)
		err = d->sink->message(d->sink->arg, (struct span){
				text.data, text.len - 1 });
	if (!d->err)
		d->err = err;
}

static struct json *
dap_begin(struct dap *d, const char *type)
{
	struct json *message = json_object();

	json_set(message, "seq", json_i64(++d->seq));
	json_set(message, "type", json_string(type));
	return message;
}

void
dap_event(struct dap *d, const char *event, struct json *body)
{
	struct json *message = dap_begin(d, "event");

	json_set(message, "event", json_string(event));
	if (body)
		json_set(message, "body", body);
	dap_send(d, message);
}

/* What an error is called where a program looks at it. */
static const char *const error_names[ERR_KINDS] = {
	[ERR_FAILED] = "failed",
	[ERR_FORMAT] = "malformed",
	[ERR_UNSUPPORTED] = "notSupported",
	[ERR_USAGE] = "badArgument",
	[ERR_NOTFOUND] = "notFound",
	[ERR_DENIED] = "denied",
	[ERR_NETWORK] = "network",
	[ERR_DAMAGED] = "damaged",
	[ERR_LIMIT] = "limit",
	[ERR_UNMAPPED] = "notMapped",
	[ERR_ABSENT] = "notCaptured",
	[ERR_NOMEM] = "memory",
	[ERR_IO] = "io",
};

/* Our ids of errors: this, and the kind. */
#define ERROR_FIRST 1000

/*
 * A Message's format is a template: text that may hold braces is a variable of
 * it (specification, type Message).
 */
static struct json *
dap_error_body(const struct err *err, bool show)
{
	struct json *body = json_object(), *error = json_object();
	struct json *variables = json_object();

	json_set(variables, "text", json_string(err_text(err)));
	json_set(error, "id", json_i64(ERROR_FIRST + (int)err_kind(err)));
	json_set(error, "format", json_string("{text}"));
	json_set(error, "variables", variables);
	json_set(error, "showUser", json_bool(show));
	json_set(body, "error", error);
	return body;
}

/* A word for programs, or the sentence to who shows people this. */
static const char *
message_of(const struct dap *d, const struct err *err)
{
	const char *word = d->wrong ? d->wrong : error_names[err_kind(err)];

	return d->shows_words && strcmp(word, "cancelled") != 0 ? err_text(err)
								: word;
}

void
dap_respond(struct dap *d, int64_t request_seq, const char *command,
	    struct err *err, struct json *body)
{
	struct json *message = dap_begin(d, "response");

	json_set(message, "request_seq", json_i64(request_seq));
	json_set(message, "success", json_bool(!err));
	json_set(message, "command", json_string(command));
	if (err) {
		json_set(message, "message", json_string(message_of(d, err)));
		json_free(body);
		body = dap_error_body(err, d->wrong);
	}
	if (body)
		json_set(message, "body", body);
	dap_send(d, message);
	err_free(err);
}

struct err *
dap_refuse(struct dap *d, const char *message, const char *fmt, ...)
{
	_buf_ struct buf text = { 0 };
	va_list ap;

	d->wrong = message;
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	if (text.failed)
		return err_nomem();
	return err_new(ERR_UNSUPPORTED, "%s", text.data);
}

/* Of an answer to what has no number of its own: one of 1 or more is wanted
 * (specification, type Response), and JavaScript knows none above. Of clients
 * some count from 0, and want that back. */
#define REQUEST_NONE ((INT64_C(1) << 53) - 1)

/* ---- what comes in ---------------------------------------------------------- */
static struct err *
dap_admit(const struct dap *d, const struct request *r)
{
	if (!d->initialised && !(r->flags & REQUEST_FIRST))
		return err_new(ERR_FAILED, "\"initialize\" comes first");
	if (!d->attached && !(r->flags & (REQUEST_FIRST | REQUEST_EARLY)))
		return err_new(ERR_FAILED, "nothing is open: \"attach\" comes "
			       "first");
	return NULL;
}

/* A request that goes on answers by itself, later. */
static void
dap_run(struct dap *d, const struct request *r, const struct json *arguments)
{
	struct json *body = NULL;
	const struct work *before = d->work;

	struct err *err = dap_admit(d, r);
	if (!err)
		err = r->answer(d, arguments, &body);
	if (!err && d->work != before && d->work)
		return;
	bool well = !err;
	dap_respond(d, d->request_seq, r->command, err, body);
	if (well && r->after)
		r->after(d);
	/* A write may have landed, and its answer not have been made. */
	write_tell(d);
	if (d->modules_expected)
		modules_tell(d);
}

static void
dap_request(struct dap *d, const struct json *message)
{
	const struct json *arguments = json_get(message, "arguments");
	const char *command = json_str(json_get(message, "command"));
	const struct request *r = command ? requests_find(command) : NULL;
	struct err *err = NULL;

	if (!command)
		err = err_new(ERR_USAGE, "a request has a \"command\"");
	else if (!r)
		err = err_new(ERR_UNSUPPORTED, "there is no request \"%.64s\" "
			      "here", command);
	else if (arguments && json_kind(arguments) != JSON_OBJECT
		 && json_kind(arguments) != JSON_NULL)
		err = err_new(ERR_USAGE, "\"arguments\" of \"%s\" are no "
			      "object", r->command);
	if (err)
		dap_respond(d, d->request_seq, command ? command : "", err,
			    NULL);
	else
		dap_run(d, r, arguments);
}

/* What the client answers, or tells, is to nothing that we asked. */
static void
dap_dispatch(struct dap *d, const struct json *message)
{
	const char *type = json_str(json_get(message, "type"));
	static const char *const ours[] = { "response", "event" };

	if (!json_to_i64(json_get(message, "seq"), &d->request_seq)
	    || d->request_seq < 0 || d->request_seq > REQUEST_NONE)
		d->request_seq = REQUEST_NONE;
	for (size_t k = 0; type && k < countof(ours); k++)
		if (strcmp(type, ours[k]) == 0)
			return;
	if (type && strcmp(type, "request") == 0
	    && d->request_seq != REQUEST_NONE)
		dap_request(d, message);
	else
		dap_respond(d, d->request_seq, "", err_new(
				ERR_FORMAT, "a request has a \"type\" and a "
				"\"seq\""), NULL);
}

static struct err *
dap_take_err(struct dap *d)
{
	d->sink = NULL;
	d->done = d->done || d->err;
	return take(d->err);
}

/* Requests see what this session wrote. */
static void
dap_enter(struct dap *d, const struct dap_sink *sink)
{
	d->sink = sink;
	d->wrong = NULL;
	if (d->shown.insp)
		insp_lay_over(d->shown.insp, d->shown.overlay);
}

struct err *
dap_message(struct dap *d, struct span json, const struct dap_sink *sink)
{
	struct json *message = NULL;

	if (d->done)
		return NULL;
	dap_enter(d, sink);
	d->request_seq = REQUEST_NONE;
	struct err *err = json.n > DAP_MESSAGE_MAX
		? err_new(ERR_LIMIT, "a message has %u bytes at most",
			  DAP_MESSAGE_MAX)
		: json_read(json, &message);
	if (err)
		dap_respond(d, REQUEST_NONE, "", err, NULL);
	else
		dap_dispatch(d, message);
	json_free(message);
	return dap_take_err(d);
}

/* ---- requests that take long -------------------------------------------------- */
struct err *
dap_begin_work(struct dap *d, const struct work *like)
{
	if (d->work)
		return err_new(ERR_LIMIT, "\"%s\" is under way; cancel it, or "
			       "wait for its end", d->work->command);
	struct work *w = arena_dup(like->arena, like, sizeof(*like));
	if (!w)
		return err_nomem();
	w->request_seq = d->request_seq;
	d->work = w;
	return NULL;
}

static void
work_free(struct dap *d, struct work *w)
{
	if (w && w->end)
		w->end(d, w);
	if (w)
		arena_free(w->arena);
}

void
dap_end_work(struct dap *d, struct err *err, struct json *body)
{
	struct work *w = take(d->work);

	work_tell_end(d, w);
	dap_respond(d, w->request_seq, w->command, err, body);
	work_free(d, w);
}

void
dap_cancel_work(struct dap *d, const char *why)
{
	if (!d->work)
		return;
	if (d->work->waits)
		console_forget(d);
	dap_end_work(d, dap_refuse(d, "cancelled", "%s", why), NULL);
	d->wrong = NULL;
}

bool
dap_busy(const struct dap *d)
{
	return d->work && !d->done
	       && (!d->work->waits || d->work->cancelled);
}

struct err *
dap_work(struct dap *d, const struct dap_sink *sink)
{
	struct json *body = NULL;

	if (!dap_busy(d))
		return NULL;
	dap_enter(d, sink);
	if (d->work->waits)
		console_forget(d);
	struct err *err = d->work->cancelled
		? dap_refuse(d, "cancelled", "\"%s\" was cancelled",
			     d->work->command)
		: d->work->piece(d, d->work, &body);
	bool ends = err || body;
	if (ends)
		dap_end_work(d, err, body);
	else
		work_tell(d, d->work);
	if (ends && d->modules_expected)
		modules_tell(d);
	return dap_take_err(d);
}

struct err *
dap_answer(struct dap *d, struct err *said, const char *text,
	   const struct dap_sink *sink)
{
	struct json *body = NULL;

	if (!d->work || !d->work->waits || d->done) {
		err_free(said);
		return NULL;
	}
	dap_enter(d, sink);
	if (!said) {
		body = json_object();
		json_set(body, "result", json_lines(text));
		json_set(body, "variablesReference", json_i64(0));
	}
	dap_end_work(d, said, body);
	return dap_take_err(d);
}

/* ---- news of the session's other clients --------------------------------------- */
struct err *
dap_written(struct dap *d, uint64_t addr, uint64_t n,
	    const struct dap_sink *sink)
{
	if (d->done || !d->attached)
		return NULL;
	dap_enter(d, sink);
	if (n)
		session_tell_written(d, addr, n);
	else
		write_tell_registers(d);
	return dap_take_err(d);
}

struct err *
dap_looked(struct dap *d, const struct dap_sink *sink)
{
	if (d->done || !d->stopped_told)
		return NULL;
	dap_enter(d, sink);
	session_tell_looked(d);
	return dap_take_err(d);
}

/* ---- begin and end --------------------------------------------------------------- */
struct err *
dap_new(const struct dap_options *options, struct dap **out)
{
	struct dap *d = calloc(1, sizeof(*d));

	*out = NULL;
	if (!d)
		return err_nomem();
	d->options = *options;
	d->shown = options->shown;
	d->arena = arena_new(0);
	if (!d->arena) {
		dap_free(d);
		return err_nomem();
	}
	*out = d;
	return NULL;
}

void
dap_free(struct dap *d)
{
	if (!d)
		return;
	work_free(d, d->work);
	session_end_stop(d);
	session_close(d);
	moves_free(d->moments);
	arena_free(d->arena);
	err_free(d->err);
	free(d);
}

void
dap_freep(struct dap **d)
{
	dap_free(*d);
}

void
dap_rest(struct dap *d)
{
	if (d->shown.insp)
		insp_rest(d->shown.insp);
}

uint64_t
dap_shows(const struct dap *d)
{
	return d->shown.insp ? d->shown.number : 0;
}

uint64_t
dap_told(const struct dap *d)
{
	return (uint64_t)d->seq;
}

struct err *
dap_last_words(uint64_t told, const char *why, const struct dap_sink *sink)
{
	struct dap d = { .seq = (int64_t)told, .sink = sink };
	_buf_ struct buf text = { 0 };

	buf_printf(&text, "%s\n", why);
	session_output(&d, "important", text.failed ? "" : text.data);
	dap_event(&d, "terminated", NULL);
	return d.err;
}

bool
dap_done(const struct dap *d)
{
	return d->done;
}
