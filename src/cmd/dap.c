/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dap.c: inquest dap - the Debug Adapter Protocol, on a pipe or a socket.
 */
#include <stddef.h>

#include "cmd/offers.h"
#include "cmd/speak.h"
#include "dap/dap.h"

static void
dap_say_why(const struct err *why, bool asked, int64_t seq, struct buf *out)
{
	const struct dap_sink sink = dap_stream_sink(out);

	(void)asked;
	err_free(dap_last_words((uint64_t)seq, err_text(why), &sink));
}

static struct err *
dap_run(const struct verb *v, int argc, char **argv, int *status)
{
	static const struct speak_ways ways = {
		.protocol = WORKER_DAP, .name = "dap", .messages = true,
		.indexes = true, .consoles = true, .hint = "an editor attaches to",
		.last_words = dap_say_why,
	};

	return speak_run(v, &ways, argc, argv, status);
}

static const struct opt dap_opts[] = {
	{ "exe", 0, "EXE", "the program, where it is not found by itself",
	  OPT_STRING, offsetof(struct speak_options, exe) },
	{ "listen", 'l', "ADDRESS", "HOST:PORT on loopback, or unix:PATH",
	  OPT_STRING, offsetof(struct speak_options, listen) },
	{ "rsp", 0, "ADDRESS", "where gdb reaches the same session",
	  OPT_STRING, offsetof(struct speak_options, rsp) },
	{ "console", 0, NULL, "even who comes by HOST:PORT may use the jailed gdb",
	  OPT_FLAG, offsetof(struct speak_options, console) },
	{ "record", 0, "FILE", "write down both directions",
	  OPT_STRING, offsetof(struct speak_options, record) },
	{ "record-limit", 0, "BYTES", "of the recording; default 1G",
	  OPT_U64 | OPT_RARE, offsetof(struct speak_options, record_limit) },
	{ "wait", 0, "SECONDS", "for debuginfod; default less than one",
	  OPT_U64 | OPT_RARE, offsetof(struct speak_options, wait) },
	{ "request-seconds", 0, "N", "end when one request takes longer; "
	  "default 60", OPT_U64 | OPT_RARE,
	  offsetof(struct speak_options, seconds) },
	{ .name = NULL }
};

static const struct example dap_examples[] = {
	{ PROGRAM " dap x.snap", "as an editor starts it" },
	{ PROGRAM " dap", "of what its \"attach\" names" },
	{ PROGRAM " dap --listen 127.0.0.1:0 x.snap", "on a free port" },
	{ PROGRAM " dap --listen unix:/tmp/x x.snap", "on a unix socket" },
	{ PROGRAM " dap --listen 127.0.0.1:0 --rsp unix:/tmp/x x.snap",
	  "and gdb beside it" },
	{ PROGRAM " dap http://HOST/p/PROJECT/ID", "through a server" },
	{ NULL, NULL }
};

static const struct exit_row dap_exits[] = {
	{ 0, "the client ended the session, or a signal the listening" },
	{ 1, "the file cannot be handled" },
	{ 2, "usage" },
	{ 3, "no such file" },
	{ 4, "not allowed to read it, or to listen there; no token" },
	{ 5, "the server of a URL cannot be reached, or ended it" },
	{ 6, "the file is too damaged to be opened" },
	{ 0, NULL }
};

const struct verb verb_dap = {
	.name = "dap",
	.operands = "[SNAP...]",
	.min = 0,
	.max = OFFERS_TYPED_MAX,
	.summary = "Speak the Debug Adapter Protocol on a pipe or a socket",
	.seldom = true,
	.text = "Shows the snapshot or core to an editor, or to any other "
		"client of the Debug Adapter Protocol: on standard input and "
		"output, or with --listen to any number of clients, at once or "
		"one after the other, until SIGINT or SIGTERM. A client opens "
		"it by the request attach, and sees a program that has "
		"stopped for good: threads, stacks, variables, memory, "
		"modules. Requests to run on are refused in words. What one "
		"writes no other sees, and the file never changes.\n\n"
		"attach takes \"snapshot\": one of the SNAPs, instead of the "
		"first; without a SNAP any, once, so that an editor's "
		"configuration may name it; \"thread\": a thread id, instead of the one that the "
		"signal was for; \"sourceMap\": a list of pairs [from, to], of "
		"beginnings of paths that are told otherwise than they were "
		"when the program was built.\n\n"
		"A snapshot of a series stands for all of it, as for inquest "
		"rsp: continue and next go to the next one, reverse-continue "
		"and step back to the one before.\n\n"
		"What is typed into the client's console (evaluate in the "
		"context repl) and is no expression that inquest knows, is "
		"asked of gdb: its commands, calls, templates, printers. It is "
		"started when it is needed first, sees what was written in the "
		"session, and runs in a jail in which it can start nothing, "
		"reach nobody and write no file; it reads what is below /usr, "
		"but may learn which other files there are. Over a HOST:PORT, where "
		"anybody on this machine may come in, that is so with "
		"--console only.\n\n"
		"With --rsp a debugger reaches the same session by the GDB "
		"remote protocol, beside the editor: what one of them writes "
		"the other sees, and so do all clients of --listen among "
		"themselves.\n\n"
		"Only loopback addresses and unix sockets are listened on, "
		"because the protocol has no password. With port 0 a free one "
		"is chosen. The address is printed once the file is open: "
		"\"listening on 127.0.0.1:41332\". A unix socket may be "
		"connected to by its owner only, and is removed at the end. "
		"What speaks something else than the protocol, a web browser "
		"for instance, is hung up on.\n\n"
		"Variables need a symbol index of each file; one that is not "
		"there yet is made, which takes seconds where files are "
		"large.\n\n"
		"A request that takes longer than --request-seconds ends the "
		"session: the client is told why by an output event, and then "
		"terminated. With --listen who comes next is served.\n\n"
		"The URL of an object that a server has is opened there. The "
		"token for it is the one after ?token=, else $INQUEST_TOKEN, "
		"else one's own where the server is on this machine.\n\n"
		"--record writes what was said, as inquest rsp does; the first "
		"line is \"inquest-dap 2\".",
	.options = dap_opts,
	.examples = dap_examples,
	.exits = dap_exits,
	.run = dap_run,
};
