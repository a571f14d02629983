/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to run, to go away and to come back. A snapshot does not run: to
 * gdb it is the one moment of a recorded history, whose end (or beginning) a
 * client is told it has reached, so that it keeps threads, stacks and
 * registers. lldb knows no histories and gets the original stop again.
 */
#include "gdbstub/impl.h"

#include <inttypes.h>
#include <string.h>

struct err *
resume_why(struct stub *s, const struct args *a)
{
	(void)a;
	s->thread = 0;
	return stop_reply(s, STOP_FIRST);
}

struct err *
resume_query(struct stub *s, const struct args *a)
{
	(void)a;
	buf_puts(&s->reply, "vCont;c;C;s;S;t");
	return NULL;
}

static struct err *
stand_still(struct stub *s, enum stop end)
{
	return stop_reply(s, s->dialect == DIALECT_LLDB ? STOP_FIRST : end);
}

/*
 * action[:thread-id][;…]: the event is reported for the thread that the first
 * action names, else for the chosen one.
 */
static struct err *
choose_thread(struct stub *s, char *action, size_t n)
{
	static const char *const schemas[] = {
		"C?:T", "CL?:T" /* C and S carry a signal */,
		"CL,L?:T" /* r: a range */,
	};
	const char kind = n ? action[0] : '\0';
	size_t form = kind == 'C' || kind == 'S' ? 1 : kind == 'r' ? 2 : 0;
	size_t at = form == 0 ? 1 : form == 1 ? 2 : 3;
	struct args args;
	size_t inferior, thread;

	if (!kind || !strchr("cCsStr", kind)
	    || !args_parse(schemas[form], action, n, &args))
		return err_new(ERR_USAGE, "no such action");
	if (args.n <= at)
		return NULL;
	struct err *err = stub_find(s, args.v[at].thread, &inferior, &thread);
	if (err)
		return err;
	s->inferior = inferior;
	s->thread = thread;
	return NULL;
}

struct err *
resume_actions(struct stub *s, const struct args *a)
{
	char *p = (char *)a->v[0].bytes.data;
	size_t left = a->v[0].bytes.n;
	const char *stop = memchr(p, ';', left);

	struct err *err = choose_thread(s, p, stop ? (size_t)(stop - p) : left);
	return err ? err : stand_still(s, STOP_END);
}

struct err *
resume_forward(struct stub *s, const struct args *a)
{
	(void)a;
	return stand_still(s, STOP_END);
}

struct err *
resume_back(struct stub *s, const struct args *a)
{
	(void)a;
	return stand_still(s, STOP_BEGIN);
}

/* ---- away and back ----------------------------------------------------- */
static struct inferior *
find_pid(const struct stub *s, uint64_t pid)
{
	for (size_t k = 0; k < s->n_inferiors; k++)
		if (s->inferiors[k].pid == pid)
			return &s->inferiors[k];
	return NULL;
}

/* An extended session may attach again; any other one is over. */
static struct err *
let_go(struct stub *s, struct inferior *f)
{
	f->attached = false;
	s->threads.rendered = false;
	s->done = !s->extended;
	stub_ok(s);
	return NULL;
}

struct err *
resume_detach(struct stub *s, const struct args *a)
{
	struct inferior *f = a->n ? find_pid(s, a->v[0].number)
				  : stub_inferior(s);

	if (!f)
		return err_new(ERR_NOTFOUND, "there is no such process");
	return let_go(s, f);
}

struct err *
resume_kill(struct stub *s, const struct args *a)
{
	return resume_detach(s, a);
}

struct err *
resume_attach(struct stub *s, const struct args *a)
{
	struct inferior *f = find_pid(s, a->v[0].number);

	if (!f)
		return err_new(ERR_NOTFOUND, "no snapshot has process %" PRIu64
			       " here", a->v[0].number);
	f->attached = true;
	s->threads.rendered = false;
	s->inferior = (size_t)(f - s->inferiors);
	s->thread = 0;
	return stop_reply(s, STOP_FIRST);
}

struct err *
resume_run(struct stub *s, const struct args *a)
{
	(void)s;
	(void)a;
	return err_new(ERR_DENIED, "a snapshot is shown here: nothing can be "
		       "run");
}
