/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rsp.c: inquest rsp - the GDB remote protocol, on a pipe or a socket.
 */
#include <stddef.h>

#include "cmd/offers.h"
#include "cmd/speak.h"

static void
rsp_last_words(const struct err *why, bool asked, int64_t seq,
	       struct buf *out)
{
	(void)seq;
	worker_refusal(why, asked, out);
}

static struct err *
rsp_run(const struct verb *v, int argc, char **argv, int *status)
{
	static const struct speak_ways ways = {
		.protocol = WORKER_RSP, .name = "rsp", .quiet = true,
		.hint = "in gdb: target remote", .last_words = rsp_last_words,
	};

	return speak_run(v, &ways, argc, argv, status);
}

static const struct opt rsp_opts[] = {
	{ "exe", 0, "EXE", "the program, where it is not found by itself",
	  OPT_STRING, offsetof(struct speak_options, exe) },
	{ "listen", 'l', "ADDRESS", "HOST:PORT on loopback, or unix:PATH",
	  OPT_STRING, offsetof(struct speak_options, listen) },
	{ "record", 0, "FILE", "write down both directions",
	  OPT_STRING, offsetof(struct speak_options, record) },
	{ "record-limit", 0, "BYTES", "of the recording; default 1G",
	  OPT_U64 | OPT_RARE, offsetof(struct speak_options, record_limit) },
	{ "wait", 0, "SECONDS", "for debuginfod; default less than one, as a "
	  "debugger waits for 2", OPT_U64 | OPT_RARE,
	  offsetof(struct speak_options, wait) },
	{ "request-seconds", 0, "N", "end when one request takes longer; "
	  "default 60", OPT_U64 | OPT_RARE,
	  offsetof(struct speak_options, seconds) },
	{ .name = NULL }
};

static const struct example rsp_examples[] = {
	{ "(gdb) target remote | " PROGRAM " rsp x.snap", "on a pipe" },
	{ PROGRAM " rsp --listen 127.0.0.1:0 x.snap", "on a free port" },
	{ PROGRAM " rsp --listen unix:/tmp/x x.snap", "on a unix socket" },
	{ "(gdb) target ext | " PROGRAM " rsp a.snap b.snap", "side by side" },
	{ "(gdb) target remote | " PROGRAM " rsp http://HOST/p/PROJECT/ID",
	  "through a server" },
	{ NULL, NULL }
};

static const struct exit_row rsp_exits[] = {
	{ 0, "the client ended the session, or a signal the listening" },
	{ 1, "the file is no snapshot or core, or cannot be handled" },
	{ 2, "usage" },
	{ 3, "no such file" },
	{ 4, "not allowed to read it, or to listen there; no token" },
	{ 5, "the server of a URL cannot be reached, or ended it" },
	{ 6, "the file is too damaged to be opened" },
	{ 0, NULL }
};

const struct verb verb_rsp = {
	.name = "rsp",
	.operands = "SNAP...",
	.min = 1,
	.max = OFFERS_TYPED_MAX,
	.summary = "Speak the GDB remote protocol on a pipe or a socket",
	.text = "Serves the snapshot or core to a client of the GDB remote "
		"serial protocol: on standard input and output, or with "
		"--listen to any number of clients, at once or one after the "
		"other, until SIGINT or SIGTERM. Each has its own view: what one "
		"writes to memory or registers no other sees (monitor overlay "
		"lists it), and the file never changes.\n\n"
		"A snapshot of a series stands for all of it (files that "
		"differ in their number only, x.0001.snap and so on, or "
		"objects of a store): gdb's continue goes to the next one, "
		"reverse-continue back, monitor snapshot lists them. Steps "
		"move nothing. x.snap, where only x.0001.snap and so on are "
		"there, and the id of a series whose snapshots are in the "
		"store, stand for the first one.\n\n"
		"Of several SNAPs the first is shown; the others are for "
		"target extended-remote, where info os snapshots lists their "
		"numbers, add-inferior and attach NUMBER open them side by "
		"side.\n\n"
		"Only loopback addresses and unix sockets are listened on, "
		"because the protocol has no password. With port 0 a free one "
		"is chosen. The address is printed once the file is open: "
		"\"listening on 127.0.0.1:41332\". A unix socket may be "
		"connected to by its owner only, and is removed at the "
		"end.\n\n"
		"Started by gdb on a pipe, it speaks on standard error only "
		"until the file is open: gdb would look there before every "
		"byte it takes, which makes it five times slower.\n\n"
		"Debug files and sources that a client asks for are found by "
		"build-id: attached to the snapshot, under /usr/lib/debug, put "
		"into the project of the store that the snapshot is in, or at "
		"the debuginfod servers that $DEBUGINFOD_URLS names. What "
		"takes longer than a debugger waits is there the next time; "
		"or give --wait 45, and gdb a set remotetimeout 60.\n\n"
		"gdb asks no remote machine for sources by itself; it does "
		"after this:\n\n"
		"\tpython exec(gdb.execute(\"monitor init\", "
		"to_string=True))\n\n"
		"That lets the server run a script in gdb, so do it with "
		"servers that you trust.\n\n"
		"A request that takes longer than --request-seconds ends the "
		"session, and says so; with --listen those of all clients, and "
		"who comes next is served, without a recording. 32 clients are "
		"served at once; one that came and said nothing makes room for the next. "
		"Who does not read answers is not listened to meanwhile, and "
		"costs the others nothing.\n\n"
		"The URL of an object that a server has is opened there, and "
		"its bytes come by a websocket. The token for it is the one "
		"after ?token=, else $INQUEST_TOKEN, else one's own where the "
		"server is on this machine.\n\n"
		"--record writes what was said, as text: a first line "
		"\"inquest-rsp 2\", then a line for every piece with its "
		"direction (> from the client, < to it), the number of the "
		"connection, the microseconds since the beginning and the "
		"bytes; those that are no printable ASCII stand as \\xNN, a "
		"backslash as \\\\. At its limit the recording ends with a "
		"line that begins with !, and the session goes on. Only its "
		"owner may read it: memory that a debugger reads is in it. "
		"What stands behind `monitor auth` is not.",
	.options = rsp_opts,
	.examples = rsp_examples,
	.exits = rsp_exits,
	.run = rsp_run,
};
