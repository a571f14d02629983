/* SPDX-License-Identifier: Apache-2.0 */
/*
 * speak.c: a jailed worker behind a pipe or a socket, and a server elsewhere
 * behind a pipe.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cmd/offers.h"
#include "cmd/pick.h"
#include "cmd/report.h"
#include "cmd/session.h"
#include "cmd/speak.h"
#include "net/net.h"
#include "serve/record.h"

/* What takes longer was not meant, or never ends. */
#define REQUEST_SECONDS 60u
#define REQUEST_SECONDS_MAX 86400u

/** One run of a verb. */
struct speech {
	const struct speak_ways *ways;
	struct speak_options options;
	struct session_options session;
	struct worker_options job;
	struct offers offers;
	struct worker_tallies *tallies;
	struct net_listener door;       /* fd -1: there is a client already */
	struct net_listener side;       /* where debuggers come in; or fd -1 */
	int guests[WORKER_TALLIES];     /* of whom tallies are told; or -1 */
	unsigned n_guests;              /* that there ever were */
};

/* ---- the jailed side ---- */

static struct err *
speak_work(struct subject *s, void *options)
{
	struct worker_options *o = options;

	if (o->n_attached || o->protocol == WORKER_DAP) {
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
speak_is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static struct err *
speak_open_record(const char *path, int *out)
{
	*out = -1;
	if (!path)
		return NULL;
	*out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC
		    | O_NOCTTY, 0600);
	/* It holds memory of a process; one that was there may be open to
	 * others. */
	if (*out < 0 || (speak_is_file(*out) && fchmod(*out, 0600) < 0))
		return err_errno("cannot write %s", path);
	return NULL;
}

/* ---- both ways ---- */

/* Start the worker; *@ours is our end of its control socket. */
static struct err *
speak_start(struct session_options *session, struct worker_options *job,
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
speak_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/* ---- waiting ---- */

/* The descriptors that the parent waits for. */
struct waits {
	int signals, control, tick, all;
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

/* On a pipe signals are its client's. */
static struct err *
waits_open(struct waits *w, int control, const struct speech *x)
{
	sigset_t ends;

	waits_signals(&ends);
	w->control = control;
	if (x->door.fd >= 0)
		w->signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	w->tick = waits_timer(w->seconds);
	w->all = epoll_create1(EPOLL_CLOEXEC);
	const struct {
		int fd;
		bool wanted;
	} rows[] = {
		{ w->tick, true }, { control, true },
		{ x->door.fd, x->door.fd >= 0 },
		{ w->signals, x->door.fd >= 0 },
		{ x->side.fd, x->side.fd >= 0 },
	};
	for (size_t k = 0; k < countof(rows); k++) {
		struct epoll_event e = { .events = EPOLLIN };
		if (rows[k].wanted && epoll_ctl(w->all, EPOLL_CTL_ADD,
						rows[k].fd, &e) < 0)
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

/* ---- who comes in ---- */

/* They are kept for their last words alone. */
static void
speak_reap_guests(struct speech *x)
{
	for (size_t k = 0; k < WORKER_TALLIES; k++) {
		if (x->guests[k] < 0 || !x->tallies->of[k].ended)
			continue;
		base_close(&x->guests[k]);
		x->guests[k] = -1;
	}
}

/* Takes @fd, but for a protocol without last words on sockets. */
static void
speak_keep_guest(struct speech *x, int *fd)
{
	int *slot = &x->guests[++x->n_guests % WORKER_TALLIES];

	base_close(slot);
	*slot = -1;
	x->tallies->of[x->n_guests % WORKER_TALLIES]
		= (struct worker_tally){ 0 };
	if (!x->ways->messages)
		return;
	*slot = *fd;
	*fd = -1;
}

static void
speak_part(struct speech *x, const struct err *why)
{
	for (size_t k = 0; k < WORKER_TALLIES; k++) {
		const struct worker_tally *t = &x->tallies->of[k];
		_buf_ struct buf b = { 0 };

		if (x->guests[k] < 0)
			continue;
		if (why && !t->ended && !t->cut && t->messages) {
			x->ways->last_words(why, true, (int64_t)t->messages,
					    &b);
			/* Who does not read has no need of it. */
			if (!b.failed && send(x->guests[k], b.data, b.len,
					      MSG_NOSIGNAL) < 0)
				say("a client is not told: it has gone");
		}
		base_close(&x->guests[k]);
		x->guests[k] = -1;
	}
	x->n_guests = 0;
}

static struct err *
speak_hand_over(struct speech *x, const struct net_listener *l,
		enum worker_protocol protocol, int control)
{
	const struct worker_guest guest = {
		.protocol = protocol,
		/* A unix socket is its owner's alone; a port is anybody's. */
		.local = l->unlink,
	};
	_close_ int fd = net_accept(l);

	/* A client that gave up meanwhile is no trouble of ours. */
	if (fd < 0)
		return NULL;
	struct err *err = worker_pass(control, fd, &guest);
	speak_reap_guests(x);
	speak_keep_guest(x, &fd);
	return err;
}

static bool
speak_at_side(const struct speech *x)
{
	return x->side.fd >= 0 && speak_readable(x->side.fd);
}

/* ---- on a pipe ---- */

/*
 * gdb looks at the stderr of its pipe's other end before every single byte it
 * takes (ser-base.c, generic_readchar()): one system call a byte, until there
 * is nobody left who could write to it. So once the target is open, and
 * nothing more is to be said, a stderr of that kind is given up.
 */
static struct err *
speak_find_quiet(int *out)
{
	struct stat st;

	*out = -1;
	if (fstat(STDERR_FILENO, &st) < 0 || !S_ISSOCK(st.st_mode))
		return NULL;
	*out = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return *out >= 0 ? NULL : err_errno("cannot open /dev/null");
}

/*
 * The client waits for an answer, and sees no stderr of ours. In the middle of
 * a message there is nothing that could be said.
 */
static void
speak_last_words(const struct speech *x, const struct err *err, bool asked)
{
	const struct worker_tally *t = &x->tallies->of[1];
	_buf_ struct buf b = { 0 };

	if (t->cut)
		return;
	x->ways->last_words(err, asked, (int64_t)t->messages, &b);
	if (!b.failed && write(STDOUT_FILENO, b.data, b.len) < 0)
		return;         /* it has gone */
}

static bool
speak_is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode)
				       || S_ISSOCK(st.st_mode));
}

static struct err *
speak_pipe(struct speech *x, int *status)
{
	struct worker_desk *desk = &x->offers.desk;
	struct worker_options *job = &x->job;
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
	if (speak_is_pipe(STDOUT_FILENO))
		fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
	struct err *err = x->ways->quiet ? speak_find_quiet(&quiet) : NULL;
	job->quiet = quiet;
	if (!err)
		err = speak_start(&x->session, job, &control, &s);
	if (err)
		return err;
	_cleanup_(waits_close) struct waits waits = {
		.signals = -1, .tick = -1, .all = -1,
		.seconds = job->seconds,
	};
	err = waits_open(&waits, control, x);
	while (!err && !desk->over && !session_ended(s)) {
		bool was = desk->ready;
		err = session_serve(s, waits.all);
		if (!err && speak_readable(control))
			err = worker_answer(control, desk);
		else if (!err && speak_at_side(x))
			err = speak_hand_over(x, &x->side, WORKER_RSP, control);
		else if (!err)
			err = waits_look(&waits, desk);
		if (desk->ready && !was && quiet >= 0)
			dup2(quiet, STDERR_FILENO);
	}
	if (err)
		session_kill(s);
	err_free(session_serve(s, -1));
	_err_ struct err *end = session_end(s, status);
	/* A client of the other protocol sees the end of its pipe. */
	if (err || (end && x->ways->messages))
		speak_last_words(x, err ? err : end, desk->ready);
	return err ? err : take(end);
}

/* ---- through a server ---- */

/* What is written down here: the other end knows nothing of it. */
struct taped {
	struct recorder recorder;
	struct record_mask mask;
	bool opened;            /* a client speaks, and has our stderr */
	bool quiet;
};

static struct err *
speak_tap(void *arg, bool out, struct span bytes)
{
	struct taped *t = arg;

	return out ? record_sent(&t->recorder, 1, bytes)
		   : record_said(&t->recorder, &t->mask, 1, bytes);
}

/* See speak_find_quiet(). */
static void
speak_opened(void *arg)
{
	struct taped *t = arg;
	_close_ int quiet = -1;

	t->opened = true;
	if (t->quiet)
		err_free(speak_find_quiet(&quiet));
	if (quiet >= 0)
		dup2(quiet, STDERR_FILENO);
}

static struct err *
speak_url(struct speech *x, const char *typed)
{
	const struct speak_options *o = &x->options;
	const char *name = x->ways->name;
	_free_ char *url = NULL, *token = NULL, *address = NULL;
	struct taped taped = { .quiet = x->ways->quiet };

	if (o->exe || o->listen || o->rsp)
		return err_new(ERR_USAGE, "--exe, --listen and --rsp are for "
			       "files; a URL is served elsewhere");
	struct err *err = pick_token(typed, &url, &token);
	if (err)
		return err;
	size_t n = strlen(url), e = strlen(name);
	bool whole = n > e && url[n - e - 1] == '/'
		     && strcmp(url + n - e, name) == 0;
	if (asprintf(&address, whole ? "%s" : "%s/%s", url, name) < 0)
		return err_nomem();
	if (!isatty(STDIN_FILENO))
		signal(SIGINT, SIG_IGN);
	err = record_begin(&taped.recorder, x->job.record, o->record_limit,
			   name);
	if (err)
		return err;
	const struct net_pipe pipe = {
		.url = address, .token = token, .subprotocol = name,
		.messages = x->ways->messages,
		.in = STDIN_FILENO, .out = STDOUT_FILENO,
		.opened = speak_opened, .tap = speak_tap, .arg = &taped,
		.passed = &x->tallies->of[1].messages,
	};
	err = net_pipe(&pipe);
	if (err && taped.opened)
		speak_last_words(x, err, true);
	_err_ struct err *end_of_it = record_end(&taped.recorder, &taped.mask,
						 1);
	return err ? err : take(end_of_it);
}

/* ---- on a socket ---- */

static struct err *
speak_announce(const struct speech *x)
{
	const struct net_listener *l = &x->door;
	_buf_ struct buf b = { 0 };

	buf_printf(&b, "listening on %s\n", l->where);
	struct err *err = say_result(&b);
	if (err)
		return err;
	say("serving %s until interrupted; %s %s", x->session.snap,
	    x->ways->hint, l->unlink ? l->unlink : l->where);
	return NULL;
}

static struct err *
speak_hear(struct speech *x, const struct waits *w)
{
	struct worker_desk *desk = &x->offers.desk;
	bool was = desk->ready;

	struct err *err = worker_answer(w->control, desk);
	return !err && desk->ready && !was && !w->again
	       ? speak_announce(x) : err;
}

/* Serve until a signal (*@asked) or the worker's end. */
static struct err *
speak_wait(struct speech *x, struct session *s, const struct waits *w,
	   bool *asked)
{
	struct worker_desk *desk = &x->offers.desk;

	*asked = false;
	for (;;) {
		struct err *err = session_serve(s, w->all);
		if (err)
			return err;
		*asked = speak_readable(w->signals);
		if (*asked || session_ended(s))
			return NULL;
		if (speak_readable(w->control)) {
			err = speak_hear(x, w);
		} else if (speak_readable(w->tick)) {
			err = waits_look(w, desk);
		} else if (speak_readable(x->door.fd)) {
			err = speak_hand_over(x, &x->door, x->ways->protocol,
					      w->control);
		} else if (speak_at_side(x)) {
			err = speak_hand_over(x, &x->side, WORKER_RSP,
					      w->control);
		} else {
			/* The supply socket was closed: the end is near. */
			return NULL;
		}
		if (err || desk->over)
			return err;
	}
}

static struct err *
speak_socket_session(struct speech *x, int *status)
{
	struct worker_desk *desk = &x->offers.desk;
	_cleanup_(waits_close) struct waits waits = {
		.signals = -1, .tick = -1, .all = -1,
		.seconds = x->job.seconds, .again = desk->ready,
	};
	_close_ int control = -1;
	struct session *s = NULL;
	bool asked = false;

	desk->ready = desk->over = false;
	desk->unanswered = 0;
	/* Before the worker is started: a signal must not end us alone. */
	struct err *err = waits_block();
	if (!err)
		err = speak_start(&x->session, &x->job, &control, &s);
	if (err)
		return err;
	err = waits_open(&waits, control, x);
	if (!err)
		err = speak_wait(x, s, &waits, &asked);
	if (asked || err)
		session_kill(s);
	_err_ struct err *end = session_end(s, status);
	speak_part(x, asked ? NULL : err ? err : end);
	if (asked)
		*status = 0;
	return err ? err : asked ? NULL : take(end);
}

static struct err *
speak_socket(struct speech *x, int *status)
{
	struct err *err = net_listen(x->options.listen, &x->door);
	if (!err)
		err = speak_socket_session(x, status);
	/* Who comes next is served: by another worker, without a recording. */
	while (x->offers.desk.ready && err_kind(err) == ERR_LIMIT) {
		say("%s: %s; others are served", x->session.verb,
		    err_text(err));
		err_free(err);
		x->job.record = -1;
		err = speak_socket_session(x, status);
	}
	return err;
}

/* ---- the verb ---- */

static struct err *
speak_tallies(struct worker_tallies **out)
{
	void *page = mmap(NULL, sizeof(**out), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return err_errno("cannot share memory with a worker");
	*out = page;
	return NULL;
}

/* A debugger's door to what an editor sees. */
static struct err *
speak_open_side(struct speech *x)
{
	struct err *err = net_listen(x->options.rsp, &x->side);

	if (err)
		return err;
	x->job.shared = true;
	say("gdb sees this session, too: target remote %s",
	    x->side.unlink ? x->side.unlink : x->side.where);
	return NULL;
}

static struct err *
speak_snaps(struct speech *x, int *status)
{
	const struct speak_options *o = &x->options;

	x->session.exe = o->exe;
	x->session.opened = &x->offers.first;
	x->session.unlimited = true;
	x->session.debuginfod_ms = session_debuginfod(o->wait);
	/* Who speaks over a pipe sits at this machine. */
	x->session.texts = !o->listen && x->ways->indexes;
	x->session.work = speak_work;
	x->session.indexes = x->ways->indexes ? INDEXES_MAKE : INDEXES_NONE;
	x->job.record_limit = o->record_limit;
	x->job.protocol = x->ways->protocol;
	x->job.make_indexes = x->ways->indexes;
	x->job.tallies = x->tallies;
	x->job.consoles = o->console;
	x->job.report = report_export;
	x->job.seconds = o->seconds ? (unsigned)o->seconds : REQUEST_SECONDS;
	if (!offers_alone(&x->offers) || x->ways->protocol == WORKER_DAP) {
		x->job.attached = x->offers.typed;
		x->job.n_attached = x->offers.n_typed > 0;
	}
	struct err *err = x->ways->consoles
			  ? consoles_new(&x->offers.desk.consoles) : NULL;
	if (!err && o->rsp)
		err = speak_open_side(x);
	if (err)
		return err;
	return o->listen ? speak_socket(x, status) : speak_pipe(x, status);
}

static void
speech_fini(struct speech *x)
{
	net_listener_close(&x->door);
	net_listener_close(&x->side);
	consoles_free(x->offers.desk.consoles);
	offers_fini(&x->offers);
	if (x->tallies)
		munmap(x->tallies, sizeof(*x->tallies));
}

struct err *
speak_run(const struct verb *v, const struct speak_ways *ways, int argc,
	  char **argv, int *status)
{
	_cleanup_(speech_fini) struct speech x = {
		.ways = ways, .offers.first = PICK_NONE,
		.job = {
			.in = -1, .out = -1, .control = -1, .record = -1,
			.quiet = -1, .peer = -1,
		},
		.session.verb = v->name, .door.fd = -1, .side.fd = -1,
	};
	memset(x.guests, 0xff, sizeof(x.guests));
	struct operands operands;
	_close_ int record = -1;

	struct err *err = verb_parse(v, argc, argv, &x.options, &operands);
	bool url = !err && operands.n == 1 && pick_is_url(operands.item[0]);
	if (!err && !url)
		err = offers_make(operands.item, operands.n, &x.offers);
	if (!err)
		err = speak_open_record(x.options.record, &record);
	if (!err)
		err = speak_tallies(&x.tallies);
	if (err)
		return err;
	if (x.options.seconds > REQUEST_SECONDS_MAX)
		return err_new(ERR_USAGE, "--request-seconds is %u at most",
			       REQUEST_SECONDS_MAX);
	x.job.record = record;
	x.session.snap = operands.n ? operands.item[0] : "-";
	if (!operands.n && (x.options.listen || x.options.rsp))
		return err_new(ERR_USAGE, "--listen and --rsp need a SNAP");
	return url ? speak_url(&x, operands.item[0]) : speak_snaps(&x, status);
}
