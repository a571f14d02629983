/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to run, to go away and to come back. A snapshot does not run: to
 * gdb it is the one moment of a recorded history, whose end (or beginning) a
 * client is told it has reached, so that it keeps threads, stacks and
 * registers. lldb knows no histories and gets the original stop again, or the
 * one of the next snapshot.
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

void
resume_tell(struct stub *s, const char *text)
{
	if (text && s->dialect == DIALECT_GDB)
		buf_puts(&s->console, text);
}

/*
 * gdb 13 goes past a breakpoint by a step. Where that is told to have come to
 * an end of history, gdb still waits for the step, and hangs at the next
 * request to run: a step has plainly stopped.
 */
struct err *
resume_stay(struct stub *s, bool back)
{
	if (s->dialect == DIALECT_LLDB)
		return stop_reply(s, STOP_FIRST);
	if (s->stepping && stop_is_there(s))
		return stop_reply_with(s, "");
	return stop_reply(s, back ? STOP_BEGIN : STOP_END);
}

/* A snapshot that is of no series. */
static struct err *
stay_alone(struct stub *s, bool back)
{
	if (stop_is_there(s))
		resume_tell(s, "a snapshot does not run: nothing goes on, "
			    "steps or returns from here\n");
	return resume_stay(s, back);
}

/*
 * A client that means to come to some place of the program, and not to the
 * next moment: gdb's finish, until and advance, and its jump, which moves the
 * pc just before.
 */
static bool
wants_a_place(struct stub *s, size_t looked_at)
{
	bool returns = points_return(s, looked_at);
	bool jumps = s->pc_written && s->n_inferiors
		     && s->dialect == DIALECT_GDB
		     && timeline_displaced(stub_inferior(s));

	s->pc_written = false;
	return (returns || jumps) && !timeline_jumps(s);
}

/* To go on, along a time line where there is one (timeline.c). @looked_at: the
 * thread that a client looked at last. */
static struct err *
go(struct stub *s, bool back, size_t looked_at)
{
	bool place = wants_a_place(s, looked_at) && !back;
	struct err *err = NULL;

	if (place && timeline_stay(s, "a snapshot does not run, so that "
				   "finish, until, advance and jump have "
				   "nowhere to go: continue goes to the next "
				   "snapshot\n", &err))
		return err;
	if (place && s->dialect == DIALECT_LLDB)
		return resume_stay(s, back);
	if (timeline_continue(s, back, &err))
		return err;
	return stay_alone(s, back);
}

static struct err *
step(struct stub *s, bool back)
{
	struct err *err = NULL;

	s->stepping = true;
	if (timeline_stay(s, "a snapshot does not run, so that a step moves "
			  "nothing: continue and reverse-continue go to the "
			  "next snapshot and back\n", &err))
		return err;
	return stay_alone(s, back);
}

static bool
is_any(struct thread_id id)
{
	return id.tid == ID_ANY || id.tid == ID_ALL;
}

/*
 * Which thread a person has chosen gdb does not say when it lets all of them
 * run; the one that Hg chose is whichever it looked at last.
 */
static void
choose_stopped(struct stub *s)
{
	if (s->n_inferiors && s->dialect == DIALECT_GDB
	    && stub_inferior(s)->stopped < stub_inferior(s)->n_threads)
		s->thread = stub_inferior(s)->stopped;
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
	s->resumed_all = s->resumed_all || (args.n <= at && strchr("cC", kind));
	if (args.n <= at)
		return NULL;
	struct err *err = stub_find(s, args.v[at].thread, &inferior, &thread);
	if (err)
		return err;
	s->inferior = inferior;
	s->thread = thread;
	if (is_any(args.v[at].thread))
		choose_stopped(s);
	return NULL;
}

/*
 * gdb goes on from a breakpoint by a step of that thread alone, and only then
 * continues; the step of a person lets the other threads run.
 */
static bool
is_step(const struct stub *s, char kind, bool alone)
{
	return strchr("sSr", kind) && (!alone || s->dialect == DIALECT_LLDB);
}

/*
 * gdb is told of the thread of the first action. lldb waits for ever where
 * another thread stops than those that it let run: it is told of the one that
 * was stopped from the beginning, if that is among them.
 */
struct err *
resume_actions(struct stub *s, const struct args *a)
{
	char *p = (char *)a->v[0].bytes.data, *end = p + a->v[0].bytes.n;
	size_t first = 0, looked_at = s->thread;
	bool stepping = false;

	s->resumed = INSP_NONE;
	s->resumed_all = false;
	s->stepping = false;
	if (s->dialect == DIALECT_LLDB)
		s->thread = 0;
	for (size_t k = 0; p <= end; k++) {
		const char *stop = memchr(p, ';', (size_t)(end - p));
		size_t n = stop ? (size_t)(stop - p) : (size_t)(end - p);

		struct err *err = choose_thread(s, p, n);
		if (err)
			return err;
		stepping = stepping || is_step(s, *p, !stop);
		s->stepping = s->stepping || strchr("sSr", *p);
		p += n + 1;
		if (k == 0)
			first = s->thread;
		if (s->dialect == DIALECT_GDB || s->thread == 0)
			break;
		s->thread = first;
	}
	return stepping ? step(s, false) : go(s, false, looked_at);
}

struct err *
resume_forward(struct stub *s, const struct args *a)
{
	size_t looked_at = s->thread;

	(void)a;
	s->resumed_all = true;
	if (s->dialect == DIALECT_LLDB)
		s->thread = 0;
	s->stepping = false;
	choose_stopped(s);
	return go(s, false, looked_at);
}

struct err *
resume_back(struct stub *s, const struct args *a)
{
	size_t looked_at = s->thread;

	(void)a;
	s->stepping = false;
	choose_stopped(s);
	return go(s, true, looked_at);
}

struct err *
resume_step(struct stub *s, const struct args *a)
{
	(void)a;
	choose_stopped(s);
	return step(s, false);
}

struct err *
resume_step_back(struct stub *s, const struct args *a)
{
	(void)a;
	choose_stopped(s);
	return step(s, true);
}

/* ---- away and back ----------------------------------------------------- */
static void
choose_process(struct stub *s, size_t inferior)
{
	s->inferior = inferior;
	s->thread = 0;
}

/* Of several, one that is still there becomes the chosen one. */
static void
choose_remaining(struct stub *s)
{
	for (size_t k = 0; k < s->n_inferiors; k++)
		if (!stub_inferior(s)->attached && s->inferiors[k].attached)
			choose_process(s, k);
}

static bool
any_attached(const struct stub *s)
{
	for (size_t k = 0; k < s->n_inferiors; k++)
		if (s->inferiors[k].attached)
			return true;
	return false;
}

/* An extended session may attach again; any other one is over. */
struct err *
resume_detach(struct stub *s, const struct args *a)
{
	size_t k = a->n ? stub_find_pid(s, a->v[0].number) : s->inferior;

	if (k == INSP_NONE)
		return err_new(ERR_NOTFOUND, "there is no such process");
	s->inferiors[k].attached = false;
	choose_remaining(s);
	s->threads.rendered = false;
	s->done = !s->extended && !any_attached(s);
	stub_ok(s);
	return NULL;
}

struct err *
resume_kill(struct stub *s, const struct args *a)
{
	return resume_detach(s, a);
}

struct err *
resume_attach(struct stub *s, const struct args *a)
{
	size_t k;
	struct err *err = host_open(s, a->v[0].number, &k);

	if (err)
		return err;
	if (s->inferiors[k].attached)
		return err_new(ERR_FAILED, "process %" PRIu64 " is attached "
			       "already", a->v[0].number);
	s->inferiors[k].attached = true;
	if (s->inferiors[k].pid != a->v[0].number)
		s->inferiors[k].pid = a->v[0].number;
	s->threads.rendered = false;
	choose_process(s, k);
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
