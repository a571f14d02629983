/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "inquest/link": a URL that stays: of a thread, one of its frames, and what a
 * variable is called there.
 */
#include "dap/impl.h"

#include <string.h>

#define EXPRESSION_MAX 4096u

struct linked {
	bool has_thread, has_frame;
	struct place at;
	const char *expression;         /* or NULL */
};

/* A thread, and a number of a frame of it. */
static struct err *
link_thread(struct dap *d, const struct json *arguments, struct linked *out)
{
	static const struct arg_bounds numbers = { 0, INT32_MAX, -1 };
	struct stack_shown *s = NULL;
	int64_t number = -1;

	struct err *err = stack_thread(d, arguments, &out->at.thread);
	if (!err)
		err = arg_number(arguments, "frame", &numbers, &number);
	if (!err && number >= 0)
		err = stack_of(d, out->at.thread, &s);
	if (!err && s && (uint64_t)number >= s->view.n)
		err = err_new(ERR_NOTFOUND, "that stack has no frame %lld",
			      (long long)number);
	out->has_thread = true;
	out->has_frame = number >= 0;
	out->at.frame = out->has_frame ? (size_t)number : 0;
	return err;
}

static struct err *
link_what(struct dap *d, const struct json *arguments, struct linked *out)
{
	static const struct arg_bounds ids = { 0, INT64_MAX, 0 };
	int64_t frame;

	struct err *err = arg_number(arguments, "frameId", &ids, &frame);
	if (!err)
		err = arg_string(arguments, "expression", false,
				 &out->expression);
	if (!err && frame) {
		err = stack_place(d, frame, &out->at);
		out->has_thread = out->has_frame = true;
	} else if (!err && json_get(arguments, "threadId")) {
		err = link_thread(d, arguments, out);
	}
	if (!err && out->expression && (!out->has_frame
		 || strlen(out->expression) > EXPRESSION_MAX))
		err = err_new(ERR_USAGE, "an \"expression\" is that of a "
			      "frame, and has %u bytes at most",
			      EXPRESSION_MAX);
	return err;
}

struct err *
link_answer(struct dap *d, const struct json *arguments, struct json **body)
{
	const struct dap_host *host = d->options.host;
	struct linked what = { 0 };
	_buf_ struct buf url = { 0 };

	struct err *err = link_what(d, arguments, &what);
	if (err)
		return err;
	if (!host || !host->link)
		return err_new(ERR_NOTFOUND, "there is no URL: this snapshot "
			      "is not in a store that a server serves");
	err = host->link(host->arg, d->shown.number, &url);
	if (err)
		return err;
	if (what.has_thread)
		buf_printf(&url, "/t/%lld", (long long)stack_thread_id(
				   d, what.at.thread));
	if (what.has_frame)
		buf_printf(&url, "/f/%zu", what.at.frame);
	if (what.expression) {
		buf_puts(&url, "/v/");
		text_put_uri(&url, what.expression, "-._~");
	}
	*body = json_object();
	json_set(*body, "url", json_string(url.failed ? NULL : url.data));
	return NULL;
}
