/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve.c: inquest serve - opens stored snapshots to debuggers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/home.h"
#include "cmd/indexes.h"
#include "cmd/report.h"
#include "cmd/session.h"
#include "jail/jail.h"
#include "serve/serve.h"

/* As letters of a telephone: INQU. */
#define HTTP_ADDRESS "127.0.0.1:14678"
#define RSP_ADDRESS "127.0.0.1:14679"
#define NOWHERE "none"
/* The first descriptor of sd_listen_fds(3). */
#define FIRST_GIVEN 3

struct serve_words {
	const char *store, *http, *rsp;
	struct opt_list hosts, origins;
	uint64_t sessions, connections, idle, record_limit, wait;
	const char *record;
	bool console;
};

/* ---- where to listen ---- */

/* Sockets that were made by whoever started us (sd_listen_fds(3)). */
struct given {
	unsigned long n;
	const char *names;
	char http[16], rsp[16];
};

static unsigned long
given_number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	unsigned long n = text ? strtoul(text, &end, 10) : 0;

	return text && *text && !*end ? n : 0;
}

/* Is the @k-th of the names, which colons separate, @name? */
static bool
given_is(const char *names, unsigned long k, const char *name)
{
	size_t n = strlen(name);

	while (names && k--) {
		names = strchr(names, ':');
		names = names ? names + 1 : NULL;
	}
	return names && strncmp(names, name, n) == 0
	       && (names[n] == '\0' || names[n] == ':');
}

/* By their names; without such names the first is HTTP, the second RSP. */
static void
given_sockets(struct given *g)
{
	bool named = false;

	memset(g, 0, sizeof(*g));
	if (given_number("LISTEN_PID") == (unsigned long)getpid())
		g->n = given_number("LISTEN_FDS");
	g->names = getenv("LISTEN_FDNAMES");
	for (unsigned long k = 0; k < g->n && k < OPT_LIST_MAX; k++) {
		bool http = given_is(g->names, k, "http");
		bool rsp = given_is(g->names, k, "rsp");
		named = named || http || rsp;
		if (http || rsp)
			snprintf(http ? g->http : g->rsp, sizeof(g->http),
				 "fd:%lu", FIRST_GIVEN + k);
	}
	if (!named && g->n > 0)
		snprintf(g->http, sizeof(g->http), "fd:%d", FIRST_GIVEN);
	if (!named && g->n > 1)
		snprintf(g->rsp, sizeof(g->rsp), "fd:%d", FIRST_GIVEN + 1);
}

/* What was typed, else what was given, else where it is without either. */
static const char *
serve_address(const char *typed, const char *given, bool any_given,
	      const char *usual)
{
	if (typed)
		return strcmp(typed, NOWHERE) == 0 ? NULL : typed;
	if (any_given)
		return *given ? given : NULL;
	return usual;
}

/* ---- telling ---- */

struct telling {
	const char *dir;
	struct err *err;
};

/*
 * The token is for a person at a terminal. Where stderr is a log, it would be
 * kept there, and read by others.
 */
static void
telling_token(const struct telling *t, struct buf *out)
{
	char token[TOKEN_DIGITS + 1];
	_err_ struct err *err = isatty(STDERR_FILENO)
				? token_own(t->dir, token) : NULL;

	if (!err && isatty(STDERR_FILENO))
		buf_puts(out, token);
	else
		buf_printf(out, "$(cat %s/token)", t->dir);
	explicit_bzero(token, sizeof(token));
}

static void
telling_http(const struct telling *t, const char *where)
{
	_buf_ struct buf token = { 0 };

	telling_token(t, &token);
	if (strncmp(where, "unix:", 5) == 0)
		say("objects of %s are under /p/PROJECT/ID of %s", t->dir,
		    where);
	else
		say("objects of %s are at http://%s/p/PROJECT/ID?token=%s",
		    t->dir, where, token.data ? token.data : "");
}

static void
telling_rsp(const struct telling *t, const char *where)
{
	_buf_ struct buf token = { 0 };
	bool local = strncmp(where, "unix:", 5) == 0;

	telling_token(t, &token);
	if (local)
		say("next: gdb -ex 'target extended-remote %s' -ex 'info os "
		    "snapshots'", where + 5);
	else
		say("next: gdb -ex 'target extended-remote %s' -ex \"monitor "
		    "auth %s\" -ex 'info os snapshots'", where,
		    token.data ? token.data : "");
}

static void
serve_ready(void *arg, const char *http, const char *rsp)
{
	struct telling *t = arg;
	_buf_ struct buf b = { 0 };

	if (http)
		buf_printf(&b, "listening on http %s\n", http);
	if (rsp)
		buf_printf(&b, "listening on rsp %s\n", rsp);
	t->err = say_result(&b);
	if (http)
		telling_http(t, http);
	if (rsp)
		telling_rsp(t, rsp);
}

/* ---- the verb ---- */

/* Where the store is; it is made if it is not there, and closed again. */
static struct err *
serve_prepare(const char *given, char **dir)
{
	_store_ struct store *s = NULL;

	struct err *err = home_dir(given, dir);
	return err ? err : home_open(given, true, &s);
}

static struct err *
serve_check(const struct serve_options *o, const struct serve_words *w)
{
	if (!o->http && !o->rsp)
		return err_new(ERR_USAGE, "there is nowhere to listen: give "
			       "--http or --rsp an address");
	if (w->sessions > 65536 || w->connections > 1000000
	    || w->idle > 1000000000)
		return err_new(ERR_USAGE, "a limit is too large");
	return NULL;
}

/* The items of @l, with the NULL that ends them. */
static const char *const *
serve_list(const struct opt_list *l, const char *out[OPT_LIST_MAX + 1])
{
	memcpy(out, l->item, l->n * sizeof(*out));
	out[l->n] = NULL;
	return out;
}

static struct err *
serve_verb(const struct verb *v, int argc, char **argv, int *status)
{
	const char *hosts[OPT_LIST_MAX + 1], *origins[OPT_LIST_MAX + 1];
	struct serve_words w = { 0 };
	struct telling telling = { 0 };
	struct operands none;
	struct given given;
	struct indexes indexes;
	_free_ char *dir = NULL;

	(void)status;
	struct err *err = verb_parse(v, argc, argv, &w, &none);
	if (!err)
		err = serve_prepare(w.store, &dir);
	if (err)
		return err;
	indexes_open(&indexes, INDEXES_USE);
	telling.dir = dir;
	given_sockets(&given);
	const struct serve_options o = {
		.store = dir, .ready = serve_ready, .arg = &telling,
		.http = serve_address(w.http, given.http, given.n,
				      HTTP_ADDRESS),
		.rsp = serve_address(w.rsp, given.rsp, given.n, RSP_ADDRESS),
		.hosts = serve_list(&w.hosts, hosts),
		.origins = serve_list(&w.origins, origins),
		.debuginfod_ms = session_debuginfod(w.wait),
		.indexes = indexes.supply.dir >= 0 ? &indexes.supply : NULL,
		.console = w.console, .report = report_export,
		.record = w.record, .record_limit = w.record_limit,
		.limits = {
			.sessions = (unsigned)w.sessions,
			.connections = (unsigned)w.connections,
			.idle_seconds = (unsigned)w.idle,
		},
	};
	err = serve_check(&o, &w);
	if (!err && jail_lacks())
		say("%s", jail_lacks());
	if (!err)
		err = serve_run(&o);
	indexes_fini(&indexes, &supply_default_places);
	if (err)
		err_free(telling.err);
	return err ? err : telling.err;
}

static const struct opt serve_opts[] = {
	{ "store", 0, "DIR", "the store; default $INQUEST_STORE",
	  OPT_STRING, offsetof(struct serve_words, store) },
	{ "http", 0, "ADDRESS", "for HTTP and websockets; default "
	  HTTP_ADDRESS, OPT_STRING, offsetof(struct serve_words, http) },
	{ "rsp", 0, "ADDRESS", "for debuggers; default " RSP_ADDRESS,
	  OPT_STRING, offsetof(struct serve_words, rsp) },
	{ "host", 0, "NAME", "a further name it is called by (repeat)",
	  OPT_LIST, offsetof(struct serve_words, hosts) },
	{ "origin", 0, "ORIGIN", "a page that may connect (repeat)",
	  OPT_LIST, offsetof(struct serve_words, origins) },
	{ "sessions", 0, "N", "debugger sessions at once; default 512",
	  OPT_U64, offsetof(struct serve_words, sessions) },
	{ "connections", 0, "N", "sockets at once; default 8192",
	  OPT_U64, offsetof(struct serve_words, connections) },
	{ "idle", 0, "SECONDS", "end sessions that ask nothing; default 3600",
	  OPT_U64, offsetof(struct serve_words, idle) },
	{ "console", 0, NULL, "let editors' consoles use a jailed gdb",
	  OPT_FLAG, offsetof(struct serve_words, console) },
	{ "record", 0, "DIR", "write down what debuggers and it say",
	  OPT_STRING, offsetof(struct serve_words, record) },
	{ "record-limit", 0, "BYTES", "of each recording; default 64M",
	  OPT_U64 | OPT_RARE, offsetof(struct serve_words, record_limit) },
	{ "wait", 0, "SECONDS", "for debuginfod; default less than one, as a "
	  "debugger waits for 2", OPT_U64 | OPT_RARE,
	  offsetof(struct serve_words, wait) },
	{ .name = NULL }
};

static const struct example serve_examples[] = {
	{ PROGRAM " serve", "the default store, on loopback" },
	{ PROGRAM " serve --rsp unix:/tmp/x", "gdb by a unix socket" },
	{ "(gdb) target ext " RSP_ADDRESS, "then: monitor auth TOKEN" },
	{ NULL, NULL }
};

static const struct exit_row serve_exits[] = {
	{ 0, "SIGTERM or SIGINT ended it" },
	{ 1, "it cannot listen, or the store cannot be opened" },
	{ 2, "usage" },
	{ 4, "not allowed to, or an address that is not on loopback" },
	{ 6, "the store is damaged" },
	{ 0, NULL }
};

const struct verb verb_serve = {
	.name = "serve",
	.operands = "",
	.summary = "Open stored snapshots to debuggers, over TCP and websocket",
	.text = "Serves the objects of a store until SIGTERM or SIGINT. "
		"ADDRESS is HOST:PORT on loopback, with port 0 for a free "
		"one, unix:PATH, fd:N for a socket that is open already, or "
		"none. Sockets that systemd passes are used as they are named, "
		"http and rsp, or in that order. What it listens on is "
		"printed, a line each: \"listening on rsp 127.0.0.1:14679\".\n\n"
		"A debugger connects by `target extended-remote ADDRESS`, and "
		"goes on with `monitor auth TOKEN`, `info os snapshots`, "
		"`monitor open ID` and `attach N`. In HTTP, /p/PROJECT/ID is "
		"the snapshot itself, and so a SNAP for other verbs; "
		"/p/PROJECT/ID/rsp is a websocket of the subprotocol rsp, "
		"which `inquest rsp URL` speaks to; /p/PROJECT/ID/dap is one "
		"of the subprotocol dap, for the Debug Adapter Protocol: a "
		"message of JSON is a text message, without a header. `inquest "
		"dap URL` speaks to it for an editor. ?session=NAME behind "
		"either lets clients of both share a session of that name: "
		"each sees what the others write. A name of less than 16 "
		"characters is the token's own; with a longer one whoever may "
		"read the snapshot joins who knows it: take one that nobody "
		"guesses. With --console what is "
		"typed into an editor's console and is no expression that "
		"inquest knows is asked of a gdb on this machine, in a jail: "
		"it can reach nobody, start nothing and write no file, and "
		"reads what is below /usr, but may learn which other files "
		"there are, how large, and since when; 16 of them run at "
		"once, 8 for one token. ID is the first digits of "
		"the content hash; /p/PROJECT/n/NUMBER stands for the "
		"number.\n\n"
		"A token is needed for all but /healthz: in the header "
		"Authorization, in ?token= or in the cookie inquest. One for "
		"all projects is made at the first start, and kept in the "
		"file token of the store; `inquest token` makes others. "
		"Whoever connects to a unix socket of one's own needs none. "
		"/metrics needs a token for all projects. What another "
		"project has is answered as what does not exist.\n\n"
		"Debuggers get debug files and sources by build-id: from under "
		"/usr/lib/debug, from what was put into the snapshot's project, "
		"and from the debuginfod servers that "
		"$DEBUGINFOD_URLS names. What takes longer than a debugger "
		"waits is there the next time; or give --wait 45, where all "
		"debuggers are told to wait (set remotetimeout 60).\n\n"
		"Names and lines come from symbol indexes, where there are "
		"any (see `inquest help index`); those that a session lacked "
		"are made in the background, one at a time, and are there the "
		"next time.\n\n"
		"Requests must call the server by its address, or by a --host; "
		"those that a web page makes must come from the server itself "
		"or from an --origin.\n\n"
		"--record writes every session of a debugger, over TCP or a "
		"websocket, into a file of its own in DIR, as `inquest rsp "
		"--record` does: for looking into one's trouble with a "
		"debugger, not for always, because memory that a debugger "
		"reads is in it. Tokens are not.",
	.options = serve_opts,
	.examples = serve_examples,
	.exits = serve_exits,
	.run = serve_verb,
};
