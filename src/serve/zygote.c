/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zygote.c: the process that starts workers, and the server's end of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disasm/disasm.h"
#include "jail/jail.h"
#include "serve/console.h"
#include "serve/consoles.h"
#include "serve/impl.h"
#include "serve/zygote.h"
#include "supply/supply.h"

/* How often ends are looked for where the kernel has no pidfd. */
#define LOOK_MS 200

/* A worker's ends of two sockets; or what a gdb is connected by. */
struct ends {
	int control, supply;
};
/* What a worker begins with. */
struct hatchling {
	struct ends ends;
	worker_report_fn *report;
};
union passing {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct ends))];
};

/* ---- in a worker ---- */

static void
worker_tell(int control, const struct err *err)
{
	_buf_ struct buf text = { .max = CONTROL_ASK_MAX / 2 };
	struct control_message m = { .type = CONTROL_FAILED, .fd = -1 };

	buf_puts(&text, err_text(err));
	m.text = text.data ? text.data : "";
	m.n = strlen(m.text);
	/* A server that does not listen any more knows already. */
	err_free(control_send(control, &m));
}

static int
worker_main(void *arg)
{
	const struct hatchling *is = arg;
	const struct ends *e = &is->ends;
	const struct worker_options o = {
		.in = -1, .out = -1, .record = -1, .quiet = -1, .peer = -1,
		.control = e->control, .single = true,
		/* The server says who may. */
		.consoles = true, .report = is->report,
	};
	struct supply supply;

	/* The filter was put together in memory that nobody needs now. */
	malloc_trim(0);
	supply_client(e->supply, &supply);
	_err_ struct err *err = worker_run_with(&o, &supply);
	if (err)
		worker_tell(e->control, err);
	return err_exit_status(err);
}

/* ---- in the zygote ---- */

struct nest {
	int fd;
	unsigned n, max;
	uint64_t file_size;
	worker_report_fn *report;
	struct pollfd *polls;           /* 0: requests; then one a child */
	struct jail_child **children;   /* of polls[k + 1] */
	uint32_t *numbers;
	struct consoles *consoles;
	/* of gdbs that did not start, as their workers may be writing still */
	int refused[CONSOLES_MAX];
	unsigned n_refused;
};

static void
nest_report(struct nest *n, uint32_t number, const struct err *err)
{
	struct zygote_message m = { .what = ZYGOTE_ENDED, .number = number };

	if (err)
		snprintf(m.text, sizeof(m.text), "%s", err_text(err));
	/* A server that has gone is seen at the next request. */
	while (send(n->fd, &m, sizeof(m), MSG_NOSIGNAL) < 0 && errno == EINTR)
		continue;
}

static struct err *
nest_hatch(struct nest *n, uint32_t number, struct ends *e)
{
	const struct jail_limits limits = {
		.cpu_seconds = JAIL_NO_LIMIT, .wall_seconds = JAIL_NO_LIMIT,
		.file_size = n->file_size,
	};
	const int keep[] = { e->control, e->supply };
	struct hatchling is = { *e, n->report };

	if (n->n == n->max)
		return err_new(ERR_LIMIT, "there are %u workers", n->max);
	struct err *err = jail_spawn(&limits, keep, countof(keep), worker_main,
				     &is, &n->children[n->n]);
	if (err)
		return err;
	n->numbers[n->n++] = number;
	n->polls[n->n] = (struct pollfd){
		.fd = jail_pidfd(n->children[n->n - 1]), .events = POLLIN,
	};
	return NULL;
}

static void
nest_kill(struct nest *n, uint32_t number)
{
	for (unsigned k = 0; k < n->n; k++) {
		if (n->numbers[k] == number)
			kill(jail_pid(n->children[k]), SIGKILL);
	}
}

static void
nest_spawn(struct nest *n, const struct zygote_message *m, struct ends *e)
{
	_err_ struct err *err = nest_hatch(n, m->number, e);

	if (err)
		nest_report(n, m->number, err);
}

static void
nest_do_kill(struct nest *n, const struct zygote_message *m, struct ends *e)
{
	(void)e;
	nest_kill(n, m->number);
}

/* What one of a worker's gdbs is called here. */
static uint64_t
console_name(uint32_t number, uint32_t console)
{
	return (uint64_t)number << 32 | console;
}

/* Takes the end of a gdb that is not there. */
static void
nest_refuse_console(struct nest *n, int *io, const struct err *why)
{
	int *place = &n->refused[n->n_refused++ % CONSOLES_MAX];
	_buf_ struct buf said = { 0 };

	console_put_refusal(&said, err_text(why));
	/* It is the first that is said, so there is room for it. */
	if (!buf_err(&said))
		err_free(io_write(*io, said.data, said.len));
	base_close(place);
	*place = *io;
	*io = -1;
}

static void
nest_console(struct nest *n, const struct zygote_message *m, struct ends *e)
{
	struct gdb_ends of = { .talk = -1, .link = -1, .io = e->control,
			       .line = e->supply };

	snprintf(of.terminal, sizeof(of.terminal), "%.*s",
		 (int)sizeof(of.terminal) - 1, m->text);
	_err_ struct err *err = consoles_start(
		n->consoles, console_name(m->number, m->console), &of);
	if (err && of.io >= 0)
		nest_refuse_console(n, &of.io, err);
	e->control = of.io;
	e->supply = of.line;
}

static void
nest_console_end(struct nest *n, const struct zygote_message *m,
		 struct ends *e)
{
	(void)e;
	consoles_end(n->consoles, console_name(m->number, m->console));
}

/* False: the server has gone. */
static bool
nest_request(struct nest *n)
{
	static void (*const handlers[])(struct nest *,
					const struct zygote_message *,
					struct ends *) = {
		[ZYGOTE_SPAWN] = nest_spawn,
		[ZYGOTE_KILL] = nest_do_kill,
		[ZYGOTE_CONSOLE] = nest_console,
		[ZYGOTE_CONSOLE_END] = nest_console_end,
	};
	struct ends e = { -1, -1 };
	union passing room;
	struct zygote_message m;
	struct iovec part = { .iov_base = &m, .iov_len = sizeof(m) };
	struct msghdr msg = {
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = room.bytes, .msg_controllen = sizeof(room),
	};
	ssize_t got = recvmsg(n->fd, &msg, MSG_CMSG_CLOEXEC);

	if (got < 0 && errno == EINTR)
		return true;
	if (got != sizeof(m))
		return false;
	const struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_len == CMSG_LEN(sizeof(e)))
		memcpy(&e, CMSG_DATA(c), sizeof(e));
	m.text[sizeof(m.text) - 1] = '\0';
	if (m.what < countof(handlers) && handlers[m.what])
		handlers[m.what](n, &m, &e);
	base_close(&e.control);
	base_close(&e.supply);
	return true;
}

static bool
nest_has_ended(const struct nest *n, unsigned k)
{
	siginfo_t info = { 0 };

	if (n->polls[k + 1].fd >= 0)
		return n->polls[k + 1].revents != 0;
	return waitid(P_PID, (id_t)jail_pid(n->children[k]), &info,
		      WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid;
}

/* @status has told its reason itself; an error is an end by a signal. */
static void
nest_reap(struct nest *n)
{
	for (unsigned k = n->n; k-- > 0;) {
		int status;
		if (!nest_has_ended(n, k))
			continue;
		consoles_end_from(n->consoles, console_name(n->numbers[k], 0),
				  console_name(n->numbers[k], ~0u));
		_err_ struct err *err = jail_wait(n->children[k], &status);
		nest_report(n, n->numbers[k], err);
		n->n--;
		n->children[k] = n->children[n->n];
		n->numbers[k] = n->numbers[n->n];
		n->polls[k + 1] = n->polls[n->n + 1];
	}
}

static void
nest_run(struct nest *n)
{
	bool blind = false;

	for (;;) {
		for (unsigned k = 0; k < n->n; k++)
			blind = blind || n->polls[k + 1].fd < 0;
		if (poll(n->polls, n->n + 1, blind ? LOOK_MS : -1) < 0
		    && errno != EINTR)
			return;
		/* Before new ones, whose places are not filled in yet. */
		short asked = n->polls[0].revents;
		nest_reap(n);
		if (asked && !nest_request(n))
			return;
	}
}

static _Noreturn void
zygote_main(int fd, unsigned max, uint64_t file_size, worker_report_fn *report)
{
	struct nest n = { .fd = fd, .max = max, .file_size = file_size,
			  .report = report };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* A terminal's Ctrl-C means the server, which ends us in good order. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	/* What a worker was made to say must not reach a terminal. */
	for (int k = STDIN_FILENO; k <= STDERR_FILENO; k++)
		dup2(null, k);
	dup2(fd, STDERR_FILENO + 1);
	close_range(STDERR_FILENO + 2, ~0u, 0);
	n.fd = STDERR_FILENO + 1;
	memset(n.refused, -1, sizeof(n.refused));
	n.polls = calloc(max + 1, sizeof(*n.polls));
	n.children = calloc(max, sizeof(struct jail_child *));
	n.numbers = calloc(max, sizeof(*n.numbers));
	err_free(consoles_new(&n.consoles));
	/* A worker can load nothing any more. */
	disasm_prepare();
	if (n.polls && n.children && n.numbers && n.consoles) {
		n.polls[0] = (struct pollfd){ .fd = n.fd, .events = POLLIN };
		nest_run(&n);
	}
	_exit(0);
}

/* ---- in the server ---- */

struct err *
zygote_start(unsigned max, uint64_t file_size, worker_report_fn *report,
	     struct zygote *out)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_errno("cannot make a socket");
	_close_ int ours = pair[0];
	_close_ int theirs = pair[1];
	fflush(NULL);
	pid_t pid = fork();
	if (pid < 0)
		return err_errno("cannot start a process");
	if (pid == 0)
		zygote_main(theirs, max, file_size, report);
	*out = (struct zygote){ .fd = ours, .pid = pid };
	ours = -1;
	return NULL;
}

/* @m with two descriptors. */
static struct err *
zygote_send(struct zygote *z, struct zygote_message m, struct ends e)
{
	union passing room = { .bytes = { 0 } };
	struct iovec part = { .iov_base = &m, .iov_len = sizeof(m) };
	struct msghdr msg = {
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = room.bytes, .msg_controllen = sizeof(room),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(e));
	memcpy(CMSG_DATA(c), &e, sizeof(e));
	if (sendmsg(z->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return err_errno("cannot start a process");
	return NULL;
}

struct err *
zygote_spawn(struct zygote *z, uint32_t number, int control, int supply)
{
	return zygote_send(z, (struct zygote_message){
			.what = ZYGOTE_SPAWN, .number = number },
			(struct ends){ control, supply });
}

struct err *
zygote_console(struct zygote *z, uint32_t number, uint32_t console,
	       const struct gdb_ends *e)
{
	struct zygote_message m = {
		.what = ZYGOTE_CONSOLE, .number = number, .console = console,
	};

	snprintf(m.text, sizeof(m.text), "%s", e->terminal);
	return zygote_send(z, m, (struct ends){ e->io, e->line });
}

void
zygote_console_end(struct zygote *z, uint32_t number, uint32_t console)
{
	const struct zygote_message m = {
		.what = ZYGOTE_CONSOLE_END, .number = number,
		.console = console,
	};

	/* One that is lost ends with its worker. */
	send(z->fd, &m, sizeof(m), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void
zygote_kill(struct zygote *z, uint32_t number)
{
	const struct zygote_message m = {
		.what = ZYGOTE_KILL, .number = number,
	};

	/* Both sides could wait for the other to read: asked again if lost. */
	send(z->fd, &m, sizeof(m), MSG_NOSIGNAL | MSG_DONTWAIT);
}

struct err *
zygote_report(struct zygote *z, struct zygote_message *out, bool *over)
{
	ssize_t n = recv(z->fd, out, sizeof(*out), MSG_DONTWAIT);

	*over = n == 0;
	if (n < 0)
		return err_errno("cannot hear of workers");
	out->text[sizeof(out->text) - 1] = '\0';
	return NULL;
}

void
zygote_end(struct zygote *z)
{
	if (z->fd < 0)
		return;
	base_close(&z->fd);
	z->fd = -1;
	while (waitpid(z->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}
