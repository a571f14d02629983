/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packets: one row each. A new packet is a row, a handler and a
 * transcript.
 */
#include "gdbstub/impl.h"

#include <string.h>

enum packet_flags {
	/* gdb 13 shows the text of "E.text" to its user for these. */
	ERROR_TEXT = 1,
	/* Where arguments do not fit, the client is told "not supported". */
	UNKNOWN_IF_ODD = 2,
	/* Answered before a host was told the token: says nothing of what
	 * there is. gdb never asks again for what it was refused here. */
	OPENLY = 4,
	/* Of the chosen process, so there has to be one. */
	OF_PROCESS = 8,
	/* lldb writes behind it whose it is. */
	OF_THREAD = 16,
};
struct packet {
	const char *name;
	const char *args;       /* schema (args.h); NULL = the name is all */
	packet_fn *run;
	unsigned flags;
};

static const struct packet PACKETS[] = {
	/* Asked for each thread and each frame. */
	{ "m", "L,L", memory_read, OF_PROCESS },
	{ "H", "CT", threads_select, 0 },
	{ "T", "T", threads_alive, 0 },
	{ "g", "", regs_read_all, OF_THREAD },
	{ "p", "L", regs_read, OF_THREAD },
	{ "vFile:", "S", vfile_run, 0 },
	{ "qXfer:", "S:S:S:L,L", xfer_read, UNKNOWN_IF_ODD },
	/* Asked while connecting. */
	{ "qSupported", "?:S", connect_supported, OPENLY },
	{ "QStartNoAckMode", NULL, connect_no_ack, OPENLY },
	{ "!", NULL, connect_extended, OPENLY },
	{ "?", NULL, resume_why, OPENLY },
	{ "qAttached", "?:L", connect_attached, OF_PROCESS },
	{ "qSymbol:", "S", connect_symbol, 0 },
	{ "qC", NULL, threads_current, 0 },
	{ "qfThreadInfo", NULL, threads_first, 0 },
	{ "qsThreadInfo", NULL, threads_more, 0 },
	{ "qThreadExtraInfo,", "T", threads_extra, 0 },
	{ "qGetTLSAddr:", "T,L,L", threads_tls, 0 },
	/* Memory and registers. */
	{ "x", "L,L", memory_read_binary, OF_PROCESS },
	{ "M", "L,L:H", memory_write, OF_PROCESS },
	{ "X", "L,L:B", memory_write_binary, OF_PROCESS },
	{ "P", "L=H", regs_write, ERROR_TEXT | OF_THREAD },
	{ "G", "H", regs_write_all, ERROR_TEXT | OF_THREAD },
	{ "Z", "C,L,L?;S", memory_breakpoint, OF_PROCESS },
	{ "z", "C,L,L?;S", memory_no_breakpoint, OF_PROCESS },
	/* Going on, or away. */
	{ "vCont?", NULL, resume_query, OPENLY },
	{ "vCont;", "S", resume_actions, 0 },
	{ "c", "?L", resume_forward, 0 },
	{ "s", "?L", resume_step, 0 },
	{ "C", "L?;L", resume_forward, 0 },
	{ "S", "L?;L", resume_step, 0 },
	{ "bc", NULL, resume_back, 0 },
	{ "bs", NULL, resume_step_back, 0 },
	{ "D", "?;L", resume_detach, OF_PROCESS },
	{ "k", NULL, resume_kill, OF_PROCESS },
	{ "vKill;", "L", resume_kill, 0 },
	{ "vAttach;", "L", resume_attach, ERROR_TEXT },
	{ "vRun;", "S", resume_run, ERROR_TEXT },
	{ "qRcmd,", "H", monitor_command, OPENLY },
	/* lldb's own. */
	{ "QThreadSuffixSupported", NULL, lldb_thread_suffix, OPENLY },
	{ "QListThreadsInStopReply", NULL, lldb_list_threads, OPENLY },
	{ "QEnableErrorStrings", NULL, lldb_error_strings, OPENLY },
	{ "qHostInfo", NULL, lldb_host, OPENLY },
	{ "qProcessInfo", NULL, lldb_process, OF_PROCESS },
	{ "qProcessInfoPID:", "S", platform_process, OF_PROCESS },
	{ "qfProcessInfo", "?:S", platform_first, OF_PROCESS },
	{ "qsProcessInfo", NULL, platform_next, OF_PROCESS },
	{ "qGetWorkingDir", NULL, platform_directory, OF_PROCESS },
	{ "jThreadsInfo", NULL, jthreads_all, OF_PROCESS },
	{ "qThreadStopInfo", "T", jthreads_stop, 0 },
	{ "qMemoryRegionInfo:", "L", lldb_region, OF_PROCESS },
	{ "qFileLoadAddress:", "H", jmodules_load_address, OF_PROCESS },
	{ "qModuleInfo:", "H;H", jmodules_info, OF_PROCESS },
	{ "jModulesInfo:", "S", jmodules_list, OF_PROCESS },
};

static const struct packet *
packets_find(const char *text, size_t n)
{
	for (size_t k = 0; k < countof(PACKETS); k++) {
		const struct packet *p = &PACKETS[k];
		size_t length;

		if (n == 0 || p->name[0] != text[0])
			continue;
		length = strlen(p->name);
		if (n >= length && memcmp(text, p->name, length) == 0
		    && (p->args || n == length))
			return p;
	}
	return NULL;
}

/* ---- errors, at the protocol's edge ------------------------------------ */
/* This text is not escaped, so it must not hold what has a meaning. */
static void
put_plain(struct buf *b, const char *text)
{
	for (; *text; text++)
		buf_putc(b, strchr("#$}*", *text) ? '?' : *text);
}

static bool
takes_text(const struct stub *s, const struct packet *p)
{
	return s->error_text
	       || ((p->flags & ERROR_TEXT) && s->dialect == DIALECT_GDB);
}

/* Memory that exists but was not captured has a number of its own (14, as
 * EFAULT), for clients that do not read texts. */
static void
packets_refuse(struct stub *s, const struct packet *p, struct err *err)
{
	bool absent = err_kind(err) == ERR_ABSENT;

	buf_reset(&s->reply);
	if (err_kind(err) != ERR_USAGE && takes_text(s, p)) {
		buf_puts(&s->reply, "E.");
		put_plain(&s->reply, err_text(err));
	} else {
		buf_puts(&s->reply, absent ? "E14" : "E01");
		if (s->error_strings) {
			buf_putc(&s->reply, ';');
			buf_hex(&s->reply, err_text(err),
				strlen(err_text(err)));
		}
	}
	err_free(err);
}

/* ---- whose it is --------------------------------------------------------- */
/*
 * ";thread:TID;" behind a request holds for this request alone: a later one
 * without it means the thread that the process stopped in.
 */
static bool
take_suffix(const struct stub *s, char *packet, size_t *n,
	    struct thread_id *out)
{
	static const char mark[] = ";thread:";
	char *at = memmem(packet, *n, mark, sizeof(mark) - 1);
	struct args id;

	*out = (struct thread_id){ ID_ANY, ID_ANY };
	if (!at || !s->suffixes)
		return true;
	size_t length = *n - (size_t)(at - packet) - (sizeof(mark) - 1);
	if (!args_parse("T;", at + sizeof(mark) - 1, length, &id))
		return false;
	*out = id.v[0].thread;
	*n = (size_t)(at - packet);
	*at = '\0';
	return true;
}

static struct err *
run_for(struct stub *s, const struct packet *p, const struct args *a,
	struct thread_id id)
{
	size_t inferior = s->inferior, thread = s->thread;
	struct err *err;

	if (id.tid == ID_ANY)
		return p->run(s, a);
	err = stub_find(s, id, &s->inferior, &s->thread);
	if (!err)
		err = p->run(s, a);
	s->inferior = inferior;
	s->thread = thread;
	return err;
}

static struct err *
packets_admit(const struct stub *s, const struct packet *p)
{
	struct err *err = p->flags & OPENLY ? NULL : host_admit(s);

	if (!err && (p->flags & OF_PROCESS) && s->n_inferiors == 0)
		err = err_new(ERR_NOTFOUND, "nothing is attached");
	return err;
}

void
packets_run(struct stub *s, char *packet, size_t n)
{
	const struct packet *p = packets_find(packet, n);
	struct thread_id id = { ID_ANY, ID_ANY };
	struct args args = { .n = 0 };

	s->packets++;
	if (!p)
		return;
	if ((p->flags & OF_THREAD) && !take_suffix(s, packet, &n, &id)) {
		buf_puts(&s->reply, "E01");
		return;
	}
	if (p->args) {
		size_t name = strlen(p->name);

		if (!args_parse(p->args, packet + name, n - name, &args)) {
			if (!(p->flags & UNKNOWN_IF_ODD))
				buf_puts(&s->reply, "E01");
			return;
		}
	}
	struct err *err = packets_admit(s, p);
	if (!err)
		err = run_for(s, p, &args, id);
	if (err)
		packets_refuse(s, p, err);
}
