/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stop replies ("Stop Reply Packets" in the GDB manual): why the process
 * stands where it stands.
 */
#include "gdbstub/impl.h"

#include <string.h>

/* gdb's numbers; -1 is that of the thread itself. */
enum { STOPPED_BY_OWN = -1, STOPPED_BY_NOTHING = 0, STOPPED_BY_TRAP = 5 };

int
stop_signal(const struct inferior *f, size_t thread)
{
	const struct target *t = insp_target(f->insp);
	const struct snap_thread *th = &t->threads[thread];

	if (th->faulting && t->process.signal)
		return t->process.signal;
	return th->signal;
}

/* gdb counts signals its own way; lldb takes the host's numbers. */
static int
wire_signal(const struct stub *s, const struct inferior *f, size_t thread)
{
	int signal = stop_signal(f, thread);

	if (s->dialect == DIALECT_LLDB)
		return signal & 0xff;
	return signals_gdb(insp_target(f->insp)->process.os, signal);
}

/* These let a client find frame 0 without another packet. gdb refuses a whole
 * stop reply in which one of them is not known. */
static struct err *
put_expedited(struct stub *s, const struct inferior *f, size_t thread)
{
	static const char *const names[] = { "fp", "sp", "pc" };

	for (size_t k = 0; k < countof(names); k++) {
		size_t reg = inferior_generic_reg(f, names[k]);

		if (reg == INSP_NONE || !regs_known(f, thread, reg))
			continue;
		buf_printf(&s->reply, "%02zx:", reg);
		struct err *err = regs_put(&s->reply, f, thread, reg);
		if (err)
			return err;
		buf_putc(&s->reply, ';');
	}
	return NULL;
}

struct err *
stop_of(struct stub *s, const struct inferior *f, size_t thread)
{
	buf_printf(&s->reply, "T%02x", thread ? 0 : wire_signal(s, f, thread));
	buf_puts(&s->reply, "thread:");
	stub_put_thread(s, f, thread, &s->reply);
	buf_putc(&s->reply, ';');
	return jthreads_put_stop(s, f, thread);
}

bool
stop_is_there(const struct stub *s)
{
	return s->n_inferiors && stub_inferior(s)->attached
	       && stub_inferior(s)->n_threads;
}

/* The thread that stopped, and @why besides. */
static struct err *
stop_put(struct stub *s, int signal, const char *why)
{
	struct inferior *f;
	size_t thread;

	struct err *err = stub_thread(s, &f, &thread);
	if (err)
		return err;
	f->stopped = thread;
	if (s->dialect == DIALECT_LLDB)
		return stop_of(s, f, thread);
	buf_printf(&s->reply, "T%02x",
		   signal == STOPPED_BY_OWN ? wire_signal(s, f, thread)
					    : signal);
	err = put_expedited(s, f, thread);
	if (err)
		return err;
	buf_puts(&s->reply, "thread:");
	stub_put_thread(s, f, thread, &s->reply);
	buf_printf(&s->reply, ";%s", why);
	return NULL;
}

struct err *
stop_reply(struct stub *s, enum stop kind)
{
	static const struct {
		int signal;
		const char *why;
	} kinds[] = {
		[STOP_FIRST] = { STOPPED_BY_OWN, "" },
		[STOP_BEGIN] = { STOPPED_BY_TRAP, "replaylog:begin;" },
		[STOP_END] = { STOPPED_BY_TRAP, "replaylog:end;" },
	};

	if (stop_is_there(s))
		return stop_put(s, kinds[kind].signal, kinds[kind].why);
	buf_puts(&s->reply, "W00");
	return NULL;
}

/* gdb says of signal 0 that the thread stopped, and of a trap that it received
 * one; but it looks at what it watches after a trap only. */
struct err *
stop_reply_with(struct stub *s, const char *why)
{
	return stop_put(s, strstr(why, "watch:") ? STOPPED_BY_TRAP
						 : STOPPED_BY_NOTHING, why);
}
