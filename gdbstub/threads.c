/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads: choosing and listing them, what is known of each, and their
 * thread-local storage.
 */
#include "gdbstub/impl.h"
#include "inspect/overlay.h"

#include <inttypes.h>
#include <string.h>

#define NOTES_MAX 4096u         /* that are looked at for one thread */
#define NOTE_SIZE 200u          /* bytes of one that are shown */

/* Hg and Hc: the second only ever precedes a request to run. */
struct err *
threads_select(struct stub *s, const struct args *a)
{
	size_t inferior, thread;

	if (a->v[0].number != 'g' && a->v[0].number != 'c')
		return err_new(ERR_USAGE, "no such operation");
	struct err *err = stub_find(s, a->v[1].thread, &inferior, &thread);
	if (err)
		return err;
	if (a->v[0].number == 'g') {
		s->inferior = inferior;
		s->thread = thread;
	} else {
		s->resumed = inferior;
	}
	stub_ok(s);
	return NULL;
}

struct err *
threads_alive(struct stub *s, const struct args *a)
{
	size_t inferior, thread;
	struct err *err = stub_find(s, a->v[0].thread, &inferior, &thread);

	if (err)
		return err;
	if (!s->choice.asked || s->choice.inferior != inferior
	    || s->choice.thread != thread)
		s->choice.asked++;
	s->choice.inferior = inferior;
	s->choice.thread = thread;
	stub_ok(s);
	return NULL;
}

/*
 * gdb's own word for which one is selected behind a command: one that went
 * through a single other thread (thread apply 2 bt) has not chosen it.
 */
struct err *
threads_verb_look(struct stub *s, const char *argument, struct buf *out)
{
	_buf_ struct buf text = { 0 };
	size_t inferior, thread;
	struct args a;

	(void)out;
	buf_puts(&text, argument);
	if (text.failed)
		return err_nomem();
	if (!args_parse("T", text.data, text.len, &a))
		return err_new(ERR_USAGE, "monitor look takes pPID.TID");
	struct err *err = stub_find(s, a.v[0].thread, &inferior, &thread);
	if (err)
		return err;
	if (inferior != s->choice.inferior || thread != s->choice.thread)
		s->choice.asked = 0;
	s->choice.told = true;
	stub_chosen(s);
	return NULL;
}

bool
stub_chooses(const struct stub *s)
{
	return s->choice.asked && !s->choice.told && !s->options.aside;
}

void
stub_chosen(struct stub *s)
{
	const size_t n = s->choice.inferior, asked = s->choice.asked;

	s->choice.asked = 0;
	if (asked != 1 || n >= s->n_inferiors || !s->inferiors[n].shown
	    || s->choice.thread >= s->inferiors[n].n_threads)
		return;
	overlay_look_at(s->inferiors[n].shown->overlay, s->choice.thread,
			LOOKER_DEBUGGER);
}

struct err *
threads_current(struct stub *s, const struct args *a)
{
	struct inferior *f;
	size_t thread;

	(void)a;
	struct err *err = stub_thread(s, &f, &thread);
	if (err)
		return err;
	buf_puts(&s->reply, "QC");
	stub_put_thread(s, f, thread, &s->reply);
	return NULL;
}

/* ---- lists ------------------------------------------------------------- */
/* As many as fit, from number @n on; the next packet goes on behind them. */
static void
put_list(struct stub *s, size_t n)
{
	const size_t longest = sizeof("p7fffffff.7fffffffffffffff,");
	const struct inferior *f;
	size_t thread;

	for (; s->reply.len + longest <= s->options.packet_size
	       && stub_nth_thread(s, n, &f, &thread); n++) {
		if (s->dialect == DIALECT_LLDB)
			thread = jthreads_nth(f, thread);
		buf_putc(&s->reply, s->reply.len ? ',' : 'm');
		stub_put_thread(s, f, thread, &s->reply);
	}
	s->listed = n;
	if (s->reply.len == 0)
		buf_putc(&s->reply, 'l');
}

struct err *
threads_first(struct stub *s, const struct args *a)
{
	(void)a;
	put_list(s, 0);
	return NULL;
}

struct err *
threads_more(struct stub *s, const struct args *a)
{
	(void)a;
	put_list(s, s->listed);
	return NULL;
}

/* ---- what is known of one ---------------------------------------------- */
static void
put_signal(struct buf *out, const struct snap_process *p, int signal)
{
	const char *name = signals_name(p->os, signal);

	if (name)
		buf_puts(out, name);
	else
		buf_printf(out, "signal %d", signal);
}

/* What was found out about a mutex that it waits for. */
static void
put_lock(const struct target *t, const struct snap_thread *th,
	 const char *before, struct buf *out)
{
	for (size_t k = 0; k < t->n_notes && k < NOTES_MAX; k++) {
		const struct snap_note *n = &t->notes[k];

		if (n->tid != th->tid || !n->key
		    || strcmp(n->key, "lock") != 0)
			continue;
		buf_puts(out, before);
		buf_escape(out, n->text, strnlen(n->text, NOTE_SIZE));
		return;
	}
}

void
threads_text(const struct inferior *f, size_t thread, struct buf *out)
{
	const struct target *t = insp_target(f->insp);
	const struct snap_thread *th = &t->threads[thread];
	int signal = stop_signal(f, thread);
	const size_t began = out->len;

	if (th->faulting) {
		buf_puts(out, "faulting");
		if (signal) {
			buf_puts(out, ": ");
			put_signal(out, &t->process, signal);
		}
		if (t->process.has_fault_address)
			buf_printf(out, " at 0x%" PRIx64,
				   t->process.fault_address);
	} else if (signal) {
		put_signal(out, &t->process, signal);
	} else if (th->state != SNAP_STATE_UNKNOWN) {
		buf_puts(out, snap_state_text(th->state));
	}
	put_lock(t, th, out->len > began ? ", " : "", out);
}

struct err *
threads_extra(struct stub *s, const struct args *a)
{
	_buf_ struct buf text = { 0 };
	size_t inferior, thread;

	struct err *err = stub_find(s, a->v[0].thread, &inferior, &thread);
	if (err)
		return err;
	const struct inferior *f = &s->inferiors[inferior];
	const char *name = insp_target(f->insp)->threads[thread].name;
	if (name)
		buf_escape(&text, name, strlen(name));
	if (name && name[0])
		buf_putc(&text, ' ');
	threads_text(f, thread, &text);
	err = buf_err(&text);
	if (!err)
		buf_hex(&s->reply, text.data, text.len);
	return err;
}

/* ---- qXfer:threads ----------------------------------------------------- */
/* The handle is the thread's pthread_t, which on Linux is its thread pointer;
 * gdb's Python finds threads by it. */
static void
put_handle(const struct inferior *f, size_t thread, struct buf *out)
{
	uint64_t tp;
	uint8_t bytes[8];

	if (!inferior_reg(f, thread, "tp", &tp) || tp == 0)
		return;
	for (size_t k = 0; k < sizeof(bytes); k++)
		bytes[k] = (uint8_t)(tp >> 8 * k);
	buf_puts(out, " handle=\"");
	buf_hex(out, bytes, sizeof(bytes));
	buf_putc(out, '"');
}

static struct err *
put_thread(const struct stub *s, const struct inferior *f, size_t thread,
	   struct buf *out)
{
	const char *name = insp_target(f->insp)->threads[thread].name;
	_buf_ struct buf text = { 0 };

	buf_puts(out, "<thread id=\"");
	stub_put_thread(s, f, thread, out);
	buf_putc(out, '"');
	if (name && name[0]) {
		buf_puts(out, " name=\"");
		buf_xml(out, name, strlen(name));
		buf_putc(out, '"');
	}
	put_handle(f, thread, out);
	threads_text(f, thread, &text);
	if (text.len)
		buf_printf(out, ">%s</thread>\n", text.data);
	else
		buf_puts(out, "/>\n");
	return buf_err(&text);
}

struct err *
threads_render(struct stub *s, struct buf *out)
{
	const struct inferior *f;
	struct err *err = NULL;
	size_t thread;

	buf_puts(out, "<?xml version=\"1.0\"?>\n<threads>\n");
	for (size_t n = 0; !err && stub_nth_thread(s, n, &f, &thread); n++)
		err = put_thread(s, f, thread, out);
	buf_puts(out, "</threads>\n");
	return err;
}

/* ---- thread-local storage ---------------------------------------------- */
struct err *
threads_tls(struct stub *s, const struct args *a)
{
	size_t inferior, thread;
	uint64_t addr;

	struct err *err = stub_find(s, a->v[0].thread, &inferior, &thread);
	if (err)
		return err;
	err = insp_tls(s->inferiors[inferior].insp, thread, a->v[2].number,
		       a->v[1].number, &addr);
	if (!err)
		buf_printf(&s->reply, "%" PRIx64, addr);
	return err;
}
