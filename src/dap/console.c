/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A console's words that our language does not have: somebody else is asked,
 * who answers later.
 */
#include "dap/refs.h"

#include <string.h>

#define TEXT_MAX 4096u

static struct err *
console_begin(struct dap *d, const struct dap_question *q)
{
	const struct dap_host *host = d->options.host;
	struct work w = { .command = "evaluate", .waits = true,
			  .arena = arena_new(0) };

	struct err *err = w.arena ? dap_begin_work(d, &w) : err_nomem();
	if (err) {
		arena_free(w.arena);
		return err;
	}
	err = host->ask(host->arg, q);
	if (err) {
		d->work = NULL;
		arena_free(w.arena);
	}
	return err;
}

/* Two debuggers may count the frames of calls by jumps otherwise. */
static struct err *
console_frame(struct dap *d, struct place at, struct dap_question *q)
{
	struct stack_shown *s;

	struct err *err = stack_of(d, at.thread, &s);
	if (err || at.frame >= s->view.n)
		return err;
	q->has_frame = true;
	q->thread = at.thread;
	q->frame = at.frame;
	q->pc = s->view.frames[at.frame].pc;
	for (size_t k = 0; k < at.frame; k++)
		q->same += s->view.frames[k].pc == q->pc;
	return NULL;
}

struct err *
console_ask(struct dap *d, const char *text, const struct evaluation *at,
	    struct err *why)
{
	_err_ struct err *ours = why;
	struct dap_question q = {
		.number = d->shown.number, .text = text,
	};

	if (!d->options.host || !d->options.host->ask)
		return take(ours);
	/* A second line would be a second command. */
	if (strpbrk(text, "\r\n") || strlen(text) > TEXT_MAX)
		return take(ours);
	_err_ struct err *err = at->has_place
				? console_frame(d, at->at, &q) : NULL;
	if (!err)
		err = console_begin(d, &q);
	if (!err)
		return NULL;
	/* That nobody is there is told with what we know ourselves. */
	return err_kind(err) == ERR_LIMIT ? take(err)
	       : err_new(err_kind(ours), "%s; %s", err_text(ours),
			 err_text(err));
}

void
console_forget(struct dap *d)
{
	const struct dap_host *host = d->options.host;

	if (host && host->forget)
		host->forget(host->arg);
}
