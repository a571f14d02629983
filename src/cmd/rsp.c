/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rsp.c: inquest rsp - the GDB remote protocol, on a pipe or a socket.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/offers.h"
#include "cmd/pick.h"
#include "cmd/session.h"
#include "net/net.h"
#include "serve/record.h"
#include "serve/serve.h"

/* What takes longer was not meant, or never ends. */
#define REQUEST_SECONDS 60u
#define REQUEST_SECONDS_MAX 86400u

struct rsp_options {
	const char *exe, *listen, *record;
	uint64_t record_limit, seconds, wait;
};

/* ---- the jailed side ---- */

static struct err *
rsp_work(struct subject *s, void *options)
{
	struct worker_options *o = options;

	if (o->n_attached) {
		o->supply = &s->supply;
		o->exe = s->options.exe;
		return worker_run(o);
	}
	struct err *err = subject_open(s);
	if (err)
		return err;
	o->insp = s->insp;
	o->title = s->path;
	return worker_run(o);
}

static bool
rsp_is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static struct err *
rsp_open_record(const char *path, int *out)
{
	*out = -1;
	if (!path)
		return NULL;
	*out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC
		    | O_NOCTTY, 0600);
	/* It holds memory of a process; one that was there may be open to
	 * others. */
	if (*out < 0 || (rsp_is_file(*out) && fchmod(*out, 0600) < 0))
		return err_errno("cannot write %s", path);
	return NULL;
}

/* ---- both ways ---- */

/* Start the worker; *@ours is our end of its control socket. */
static struct err *
rsp_start(struct session_options *session, struct worker_options *job,
	  int *ours, struct session **out)
{
	int pair[2], keep[4];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_errno("cannot make a socket");
	_close_ int theirs = pair[1];
	*ours = pair[0];
	job->control = theirs;
	session->keep = keep;
	session->n_keep = 0;
	keep[session->n_keep++] = theirs;
	if (job->record >= 0)
		keep[session->n_keep++] = job->record;
	if (job->quiet >= 0)
		keep[session->n_keep++] = job->quiet;
	if (job->peer >= 0)
		keep[session->n_keep++] = job->peer;
	session->arg = job;
	struct err *err = session_start(session, out);
	session->keep = NULL;
	return err;
}

static bool
rsp_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/* ---- waiting ---- */

/* The descriptors that the parent waits for. */
struct waits {
	int signals, control, tick, all;
	const char *snap;       /* what is served */
	unsigned seconds;       /* that one request may take */
	bool again;             /* it is not the first worker */
};

static void
waits_close(struct waits *w)
{
	base_close(&w->signals);
	base_close(&w->tick);
	base_close(&w->all);
}

static void
waits_signals(sigset_t *out)
{
	sigemptyset(out);
	sigaddset(out, SIGINT);
	sigaddset(out, SIGTERM);
	sigaddset(out, SIGHUP);
}

static struct err *
waits_block(void)
{
	sigset_t ends;

	waits_signals(&ends);
	if (sigprocmask(SIG_BLOCK, &ends, NULL) < 0)
		return err_errno("cannot hold signals back");
	return NULL;
}

/* How often the worker is asked whether it is there. */
#define ASKED_TIMES 6u
#define SECOND 1000000000

static int
waits_timer(unsigned seconds)
{
	const struct timespec every = {
		.tv_sec = seconds / ASKED_TIMES,
		.tv_nsec = seconds % ASKED_TIMES * (SECOND / ASKED_TIMES),
	};
	const struct itimerspec when = { every, every };

	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd >= 0)
		timerfd_settime(fd, 0, &when, NULL);
	return fd;
}

/* @listener: -1 on a pipe, whose signals are its client's. */
static struct err *
waits_open(struct waits *w, int control, int listener)
{
	sigset_t ends;

	waits_signals(&ends);
	w->control = control;
	if (listener >= 0)
		w->signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	w->tick = waits_timer(w->seconds);
	w->all = epoll_create1(EPOLL_CLOEXEC);
	const int fds[] = { w->tick, control, listener, w->signals };
	for (size_t k = 0; k < (listener >= 0 ? countof(fds) : 2u); k++) {
		struct epoll_event e = { .events = EPOLLIN };
		if (epoll_ctl(w->all, EPOLL_CTL_ADD, fds[k], &e) < 0)
			return err_errno("cannot wait for a client");
	}
	return NULL;
}

/* A worker that is in one request for long is in nobody else's meanwhile. */
static struct err *
waits_look(const struct waits *w, struct worker_desk *desk)
{
	unsigned unanswered = 0;
	uint64_t ticks;

	if (read(w->tick, &ticks, sizeof(ticks)) != sizeof(ticks)
	    || !desk->ready)
		return NULL;
	struct err *err = worker_ask(w->control, desk, &unanswered);
	if (err || unanswered < ASKED_TIMES)
		return err;
	return err_new(ERR_LIMIT, "a request took longer than %u seconds, and "
		       "was given up with its session", w->seconds);
}

/* ---- on a pipe ---- */

/*
 * gdb looks at the stderr of its pipe's other end before every single byte it
 * takes (ser-base.c, generic_readchar()): one system call a byte, until there
 * is nobody left who could write to it. So once the target is open, and
 * nothing more is to be said, a stderr of that kind is given up.
 */
static struct err *
rsp_find_quiet(int *out)
{
	struct stat st;

	*out = -1;
	if (fstat(STDERR_FILENO, &st) < 0 || !S_ISSOCK(st.st_mode))
		return NULL;
	*out = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return *out >= 0 ? NULL : err_errno("cannot open /dev/null");
}

/* The client waits for an answer, and sees no stderr of ours. */
static void
rsp_last_words(const struct err *err, bool asked)
{
	_buf_ struct buf b = { 0 };

	worker_refusal(err, asked, &b);
	if (!b.failed && write(STDOUT_FILENO, b.data, b.len) < 0)
		return;         /* it has gone */
}

static bool
rsp_is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode)
				       || S_ISSOCK(st.st_mode));
}

static struct err *
rsp_pipe(struct session_options *session, struct worker_options *job,
	 struct worker_desk *desk, int *status)
{
	_close_ int quiet = -1, control = -1, peer = worker_peer(STDIN_FILENO);
	struct session *s = NULL;

	/*
	 * A Ctrl-C goes to all processes of a terminal, and means the client:
	 * the session ends with its pipe. By hand it ends us.
	 */
	if (!isatty(STDIN_FILENO))
		signal(SIGINT, SIG_IGN);
	job->in = STDIN_FILENO;
	job->out = STDOUT_FILENO;
	job->peer = peer;
	/* Else one that does not read would look like a long request. */
	if (rsp_is_pipe(STDOUT_FILENO))
		fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
	struct err *err = rsp_find_quiet(&quiet);
	job->quiet = quiet;
	if (!err)
		err = rsp_start(session, job, &control, &s);
	if (err)
		return err;
	_cleanup_(waits_close) struct waits waits = {
		.signals = -1, .tick = -1, .all = -1,
		.seconds = job->seconds,
	};
	err = waits_open(&waits, control, -1);
	while (!err && !desk->over && !session_ended(s)) {
		bool was = desk->ready;
		err = session_serve(s, waits.all);
		if (!err && rsp_readable(control))
			err = worker_answer(control, desk);
		else if (!err)
			err = waits_look(&waits, desk);
		if (desk->ready && !was && quiet >= 0)
			dup2(quiet, STDERR_FILENO);
	}
	if (err)
		session_kill(s);
	err_free(session_serve(s, -1));
	_err_ struct err *end = session_end(s, status);
	if (err)
		rsp_last_words(err, desk->ready);
	return err ? err : take(end);
}

/* ---- through a server ---- */

/* What is written down here: the other end knows nothing of it. */
struct taped {
	struct recorder recorder;
	struct record_mask mask;
	bool opened;            /* a client speaks, and has our stderr */
};

static struct err *
rsp_tap(void *arg, bool out, struct span bytes)
{
	struct taped *t = arg;

	return out ? record_sent(&t->recorder, 1, bytes)
		   : record_said(&t->recorder, &t->mask, 1, bytes);
}

/* See rsp_find_quiet(). */
static void
rsp_opened(void *arg)
{
	_close_ int quiet = -1;

	((struct taped *)arg)->opened = true;
	err_free(rsp_find_quiet(&quiet));
	if (quiet >= 0)
		dup2(quiet, STDERR_FILENO);
}

static struct err *
rsp_url(const char *typed, const struct rsp_options *o, int record)
{
	static const char end[] = "/rsp";
	_free_ char *url = NULL, *token = NULL, *address = NULL;
	struct taped taped = { 0 };

	if (o->exe || o->listen)
		return err_new(ERR_USAGE, "--exe and --listen are for files; a "
			       "URL is served elsewhere");
	struct err *err = pick_token(typed, &url, &token);
	if (err)
		return err;
	size_t n = strlen(url), e = sizeof(end) - 1;
	if (asprintf(&address, "%s%s", url,
		     n > e && strcmp(url + n - e, end) == 0 ? "" : end) < 0)
		return err_nomem();
	if (!isatty(STDIN_FILENO))
		signal(SIGINT, SIG_IGN);
	err = record_begin(&taped.recorder, record, o->record_limit);
	if (err)
		return err;
	const struct net_pipe pipe = {
		.url = address, .token = token, .subprotocol = "rsp",
		.in = STDIN_FILENO, .out = STDOUT_FILENO,
		.opened = rsp_opened, .tap = rsp_tap, .arg = &taped,
	};
	err = net_pipe(&pipe);
	if (err && taped.opened)
		rsp_last_words(err, true);
	_err_ struct err *end_of_it = record_end(&taped.recorder, &taped.mask,
						 1);
	return err ? err : take(end_of_it);
}

/* ---- on a socket ---- */

static struct err *
rsp_announce(const struct net_listener *l, const char *snap)
{
	_buf_ struct buf b = { 0 };

	buf_printf(&b, "listening on %s\n", l->where);
	struct err *err = say_result(&b);
	if (err)
		return err;
	say("serving %s until interrupted; in gdb: target remote %s", snap,
	    l->unlink ? l->unlink : l->where);
	return NULL;
}

static struct err *
rsp_hand_over(const struct net_listener *l, int control)
{
	_close_ int fd = net_accept(l);

	/* A client that gave up meanwhile is no trouble of ours. */
	return fd < 0 ? NULL : worker_pass(control, fd);
}

static struct err *
rsp_hear(const struct waits *w, const struct net_listener *l,
	 struct worker_desk *desk)
{
	bool was = desk->ready;

	struct err *err = worker_answer(w->control, desk);
	return !err && desk->ready && !was && !w->again
	       ? rsp_announce(l, w->snap) : err;
}

/* Serve until a signal (*@asked) or the worker's end. */
static struct err *
rsp_wait(struct session *s, const struct waits *w, const struct net_listener *l,
	 struct worker_desk *desk, bool *asked)
{
	*asked = false;
	for (;;) {
		struct err *err = session_serve(s, w->all);
		if (err)
			return err;
		*asked = rsp_readable(w->signals);
		if (*asked || session_ended(s))
			return NULL;
		if (rsp_readable(w->control)) {
			err = rsp_hear(w, l, desk);
		} else if (rsp_readable(w->tick)) {
			err = waits_look(w, desk);
		} else if (rsp_readable(l->fd)) {
			err = rsp_hand_over(l, w->control);
		} else {
			/* The supply socket was closed: the end is near. */
			return NULL;
		}
		if (err || desk->over)
			return err;
	}
}

static struct err *
rsp_socket_session(struct session_options *session, struct worker_options *job,
		   const struct net_listener *l, struct worker_desk *desk,
		   int *status)
{
	_cleanup_(waits_close) struct waits waits = {
		.signals = -1, .tick = -1, .all = -1, .snap = session->snap,
		.seconds = job->seconds, .again = desk->ready,
	};
	_close_ int control = -1;
	struct session *s = NULL;
	bool asked = false;

	desk->ready = desk->over = false;
	desk->unanswered = 0;
	/* Before the worker is started: a signal must not end us alone. */
	struct err *err = waits_block();
	if (!err)
		err = rsp_start(session, job, &control, &s);
	if (err)
		return err;
	err = waits_open(&waits, control, l->fd);
	if (!err)
		err = rsp_wait(s, &waits, l, desk, &asked);
	if (asked || err)
		session_kill(s);
	_err_ struct err *end = session_end(s, status);
	if (asked)
		*status = 0;
	return err ? err : asked ? NULL : take(end);
}

static struct err *
rsp_socket(struct session_options *session, struct worker_options *job,
	   const char *address, struct worker_desk *desk, int *status)
{
	_cleanup_(net_listener_close) struct net_listener l = { .fd = -1 };

	struct err *err = net_listen(address, &l);
	if (!err)
		err = rsp_socket_session(session, job, &l, desk, status);
	/* Who comes next is served: by another worker, without a recording. */
	while (desk->ready && err_kind(err) == ERR_LIMIT) {
		say("rsp: %s; others are served", err_text(err));
		err_free(err);
		job->record = -1;
		err = rsp_socket_session(session, job, &l, desk, status);
	}
	return err;
}

/* ---- the verb ---- */

static struct err *
rsp_run(const struct verb *v, int argc, char **argv, int *status)
{
	struct worker_options job = {
		.in = -1, .out = -1, .control = -1, .record = -1, .quiet = -1,
		.peer = -1,
	};
	_offers_ struct offers offers = { .first = PICK_NONE };
	struct rsp_options o = { 0 };
	struct operands operands;
	_close_ int record = -1;

	struct err *err = verb_parse(v, argc, argv, &o, &operands);
	bool url = !err && operands.n == 1 && pick_is_url(operands.item[0]);
	if (!err && !url)
		err = offers_make(operands.item, operands.n, &offers);
	if (!err)
		err = rsp_open_record(o.record, &record);
	if (err)
		return err;
	if (o.seconds > REQUEST_SECONDS_MAX)
		return err_new(ERR_USAGE, "--request-seconds is %u at most",
			       REQUEST_SECONDS_MAX);
	if (url)
		return rsp_url(operands.item[0], &o, record);
	struct session_options session = {
		.verb = v->name, .snap = operands.item[0], .exe = o.exe,
		.opened = &offers.first, .unlimited = true,
		.debuginfod_ms = session_debuginfod(o.wait), .work = rsp_work,
	};
	job.record = record;
	job.record_limit = o.record_limit;
	job.seconds = o.seconds ? (unsigned)o.seconds : REQUEST_SECONDS;
	if (!offers_alone(&offers)) {
		job.attached = offers.typed;
		job.n_attached = 1;
	}
	return o.listen ? rsp_socket(&session, &job, o.listen, &offers.desk,
				     status)
			: rsp_pipe(&session, &job, &offers.desk, status);
}

static const struct opt rsp_opts[] = {
	{ "exe", 0, "EXE", "the program, where it is not found by itself",
	  OPT_STRING, offsetof(struct rsp_options, exe) },
	{ "listen", 'l', "ADDRESS", "HOST:PORT on loopback, or unix:PATH",
	  OPT_STRING, offsetof(struct rsp_options, listen) },
	{ "record", 0, "FILE", "write down both directions",
	  OPT_STRING, offsetof(struct rsp_options, record) },
	{ "record-limit", 0, "BYTES", "of the recording; default 1G",
	  OPT_U64 | OPT_RARE, offsetof(struct rsp_options, record_limit) },
	{ "wait", 0, "SECONDS", "for debuginfod; default less than one, as a "
	  "debugger waits for 2", OPT_U64 | OPT_RARE,
	  offsetof(struct rsp_options, wait) },
	{ "request-seconds", 0, "N", "end when one request takes longer; "
	  "default 60", OPT_U64 | OPT_RARE,
	  offsetof(struct rsp_options, seconds) },
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
