/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session that is not bound to one snapshot: the token that opens it, the
 * list of what there is, and opening one of them by its number or id.
 */
#include "gdbstub/impl.h"

#include <inttypes.h>
#include <string.h>

#define OFFERS_LIMIT (64u << 20)        /* bytes of records */

struct err *
host_admit(const struct stub *s)
{
	if (s->authorised)
		return NULL;
	return err_new(ERR_DENIED, "this server wants its token first: say "
		       "monitor auth TOKEN");
}

struct err *
host_verb_auth(struct stub *s, const char *argument, struct buf *out)
{
	const struct stub_host *host = s->options.host;
	struct err *err = s->authorised ? NULL : host->auth(host->arg,
							    argument);

	if (err) {
		s->refusals++;
		s->done = s->refusals == REFUSALS_MAX;
		return err_wrap(err, "failure %u of %u", s->refusals,
				REFUSALS_MAX);
	}
	s->authorised = true;
	buf_puts(out, "welcome; next: info os snapshots, then attach PID or "
		 "monitor open ID\n");
	return NULL;
}

/* ---- opening ----------------------------------------------------------- */
static struct err *
open_offer(struct stub *s, uint64_t number)
{
	struct shown *shown;

	if (number == 0 || number > INT32_MAX)
		return err_new(ERR_NOTFOUND, "no snapshot has the number %"
			       PRIu64, number);
	if (s->n_inferiors == INFERIORS_MAX)
		return err_new(ERR_LIMIT, "%u snapshots are open in this "
			       "session, which is the limit: connect anew",
			       INFERIORS_MAX);
	struct err *err = shown_open(s, number, &shown);
	return err ? err : stub_add(s, shown, number);
}

/* A pid on the wire, or a number: one that was there from the start has the
 * pid of its process, until it is asked for by its number. */
static size_t
find_open(const struct stub *s, uint64_t number)
{
	size_t k = stub_find_pid(s, number);

	for (size_t i = 0; k == INSP_NONE && i < s->n_inferiors; i++)
		if (s->options.host && s->inferiors[i].number == number)
			k = i;
	return k;
}

struct err *
host_open(struct stub *s, uint64_t number, size_t *inferior)
{
	size_t k = find_open(s, number);

	if (k == INSP_NONE && !s->options.host)
		return err_new(ERR_NOTFOUND, "no snapshot has process %" PRIu64
			       " here", number);
	if (k == INSP_NONE) {
		struct err *err = open_offer(s, number);
		if (err)
			return err;
		k = s->n_inferiors - 1;
	}
	*inferior = k;
	return NULL;
}

static void
put_opened(const struct inferior *f, struct buf *out)
{
	const struct target *t = insp_target(f->insp);
	const char *name = t->process.name;
	const char *signal = signals_name(t->process.os, t->process.signal);

	buf_escape(out, f->title, strlen(f->title));
	buf_puts(out, ": ");
	if (name)
		buf_escape(out, name, strlen(name));
	if (signal)
		buf_printf(out, ", %s", signal);
	buf_printf(out, ", %zu threads; next: attach %" PRIu64 "\n",
		   t->n_threads, f->pid);
}

struct err *
host_verb_open(struct stub *s, const char *argument, struct buf *out)
{
	const struct stub_host *host = s->options.host;
	uint64_t number;
	size_t k;

	if (!argument[0])
		return err_new(ERR_USAGE, "monitor open takes an id: see info "
			       "os snapshots");
	struct err *err = host->find(host->arg, argument, &number);
	if (!err)
		err = host_open(s, number, &k);
	if (!err)
		put_opened(&s->inferiors[k], out);
	return err;
}

/* ---- the list ---------------------------------------------------------- */
/* Of a series, which of its snapshots is shown under that number. */
static void
put_state(const struct stub *s, uint64_t number, struct buf *out)
{
	size_t k = find_open(s, number);

	if (k == INSP_NONE)
		return;
	const struct inferior *f = &s->inferiors[k];
	buf_puts(out, f->attached ? "attached" : "open");
	if (f->attached && f->line.n) {
		buf_puts(out, ", ");
		timeline_put_place(&f->line, out);
	}
}

static void
put_offer(const struct stub *s, const struct stub_offer *o, struct buf *out)
{
	_buf_ struct buf state = { 0 };

	put_state(s, o->number, &state);
	buf_puts(out, "<item>");
	osdata_put_number(out, "pid", o->number);
	osdata_put_text(out, "id", o->id);
	osdata_put_text(out, "program", o->program);
	osdata_put_text(out, "signal", o->signal);
	osdata_put_text(out, "captured", o->captured);
	osdata_put_text(out, "state", state.data ? state.data : "");
	buf_puts(out, "</item>\n");
}

struct err *
host_put_offers(struct stub *s, struct buf *out)
{
	const struct stub_host *host = s->options.host;
	_arena_ struct arena *a = arena_new(OFFERS_LIMIT);
	const struct stub_offer *offers;
	size_t n;

	if (!a)
		return err_nomem();
	struct err *err = host->list(host->arg, a, &offers, &n);
	if (err)
		return err;
	for (size_t k = 0; k < n && !out->failed; k++)
		put_offer(s, &offers[k], out);
	return NULL;
}
