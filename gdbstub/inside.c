/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What makes gdb at home on a snapshot, told from inside of it: a Python
 * script, facts as variables, and why the last read of memory was refused,
 * for which gdb's own words have no room.
 */
#include "gdbstub/impl.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

/* Made of inside.py. */
extern const char inside_script[];

const char *
stub_script(void)
{
	return inside_script;
}

struct err *
inside_verb_init(struct stub *s, const char *argument, struct buf *out)
{
	(void)s;
	(void)argument;
	buf_puts(out, inside_script);
	return NULL;
}

/* ---- facts ------------------------------------------------------------- */
/* "NAME s TEXT" and "NAME n NUMBER"; what is not known has no line. */
static void
put_text(struct buf *out, const char *name, const char *text)
{
	if (!text || !text[0])
		return;
	buf_printf(out, "%s s ", name);
	buf_escape(out, text, strlen(text));
	buf_putc(out, '\n');
}

static void
put_number(struct buf *out, const char *name, uint64_t number)
{
	buf_printf(out, "%s n %" PRIu64 "\n", name, number);
}

static void
put_attribute(struct buf *out, const char *name, const struct target *t,
	      const char *key)
{
	for (size_t k = 0; k < t->n_attrs; k++)
		if (t->attrs[k].type == SNAP_ATTR_STRING
		    && strcmp(t->attrs[k].key, key) == 0)
			put_text(out, name, t->attrs[k].string);
}

static void
put_cause(struct buf *out, const struct snap_process *p)
{
	const char *name = signals_name(p->os, p->signal);
	_buf_ struct buf cause = { 0 };

	if (p->signal == 0)
		return;
	put_number(out, "signal_number", (uint64_t)p->signal);
	put_text(out, "signal", name);
	buf_puts(&cause, name ? name : "a signal");
	if (p->has_fault_address)
		buf_printf(&cause, " at 0x%" PRIx64, p->fault_address);
	if (p->faulting_tid)
		buf_printf(&cause, " in thread %" PRIu64, p->faulting_tid);
	put_text(out, "cause", cause.data);
	out->failed |= cause.failed;
	if (p->has_fault_address)
		put_number(out, "fault_address", p->fault_address);
	if (p->faulting_tid)
		put_number(out, "thread", p->faulting_tid);
}

static void
put_captured(struct buf *out, uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000u);
	char text[32];
	struct tm tm;

	if (!ns || !gmtime_r(&seconds, &tm)
	    || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return;
	put_text(out, "captured", text);
	put_number(out, "captured_unix", ns / 1000000000u);
}

struct err *
inside_verb_variables(struct stub *s, const char *argument, struct buf *out)
{
	const struct inferior *f = stub_inferior(s);
	const struct target *t = insp_target(f->insp);

	(void)argument;
	put_text(out, "id", f->title);
	put_text(out, "kind", t->ops->kind);
	put_text(out, "program", f->exe.len ? f->exe.data : t->process.name);
	put_text(out, "arguments", t->process.arguments);
	put_number(out, "pid", f->own_pid);
	put_number(out, "threads", t->n_threads);
	if (overlay_shared(s))
		put_number(out, "shared", 1);
	put_cause(out, &t->process);
	put_captured(out, t->process.captured_ns);
	put_attribute(out, "host", t, "hostname");
	put_attribute(out, "kernel", t, "uname.release");
	put_attribute(out, "fingerprint", t, "fingerprint");
	return NULL;
}

/* ---- why memory was refused -------------------------------------------- */
void
inside_refused(struct stub *s, uint64_t addr)
{
	s->refused = addr;
	s->refused_by = s->packets;
	s->refused_inferior = s->inferior;
}

/*
 * "why": of the last read that failed. "why now": only if nothing was asked
 * after it, because then a command ended with it, and only what gdb cannot
 * know: that something is mapped there.
 */
struct err *
inside_verb_why(struct stub *s, const char *argument, struct buf *out)
{
	bool now = strcmp(argument, "now") == 0;
	struct region r;

	if (now && (!s->refused_by || s->packets != s->refused_by + 1))
		return NULL;
	if (!s->refused_by) {
		buf_puts(out, "no read of memory was refused\n");
		return NULL;
	}
	struct inferior *f = &s->inferiors[s->refused_inferior];
	space_region(insp_space(f->insp), s->refused, &r);
	if (!now || (r.mapped && !r.captured))
		monitor_put_region(out, s->refused, &r);
	return NULL;
}
