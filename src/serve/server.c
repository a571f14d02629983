/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.c: a server's start, its listeners, and its end.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "serve/server.h"

static const struct serve_limits defaults = {
	.sessions = 512, .connections = 8192, .idle_seconds = 3600,
	.header_seconds = 10,
};
/* Descriptors beyond it cost libwebsockets memory for each. */
#define DESCRIPTORS_MAX 20000u
/* Ends of sessions are waited for so long, once asked to stop. */
#define STOP_TICK_MS 20u
#define STOP_TICKS 100u

/* ---- listeners ---- */

/*
 * With no descriptor left the listener stays readable: it is asked again in a
 * second, so that the loop serves who is there instead of spinning.
 */
static int
server_accept(struct server *sv, const struct net_listener *l,
	      struct net_watch *w)
{
	int fd = net_accept(l);

	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS
		       || errno == ENOMEM)) {
		sv->full = true;
		sv->refused[REFUSED_CONNECTIONS]++;
		net_rewatch(w, 0);
	}
	return fd;
}

static void
server_http(void *arg, unsigned events)
{
	struct server *sv = arg;
	int fd = server_accept(sv, &sv->http, &sv->http_watch);

	(void)events;
	if (fd >= 0 && !net_adopt(sv->net, fd))
		sv->refused[REFUSED_CONNECTIONS]++;
}

static void
server_rsp(void *arg, unsigned events)
{
	struct server *sv = arg;
	int fd = server_accept(sv, &sv->rsp, &sv->rsp_watch);

	(void)events;
	if (fd < 0)
		return;
	sv->accepted++;
	silent_accept(sv, fd);
}

/* ---- time and signals ---- */

static void
server_tick(void *arg, unsigned events)
{
	struct server *sv = arg;

	(void)events;
	sessions_tick(sv);
	silents_tick(sv);
	if (!sv->full)
		return;
	sv->full = false;
	net_rewatch(&sv->http_watch, NET_READ);
	net_rewatch(&sv->rsp_watch, NET_READ);
}

static void
server_stop_tick(void *arg, unsigned events)
{
	struct server *sv = arg;
	struct net_counts n;

	(void)events;
	net_counts(sv->net, &n);
	if ((!sv->n_sessions && !n.websockets)
	    || ++sv->stopping > STOP_TICKS)
		net_stop(sv->net);
}

static void
server_signal(void *arg, unsigned events)
{
	struct server *sv = arg;
	struct signalfd_siginfo info;

	(void)events;
	if (read(sv->signals.fd, &info, sizeof(info)) < 0 || sv->stopping++)
		return;
	net_unwatch(&sv->http_watch);
	net_unwatch(&sv->rsp_watch);
	net_listener_close(&sv->http);
	net_listener_close(&sv->rsp);
	silents_free(sv);
	net_close_all(sv->net, NET_AWAY, "the server is stopping");
	for (struct session *s = sv->sessions; s; s = s->next)
		session_stop(s, NULL);
	sv->failed = net_tick(sv->net, &sv->stop_tick, STOP_TICK_MS);
	if (sv->failed)
		net_stop(sv->net);
}

static void
server_report(void *arg, unsigned events)
{
	struct server *sv = arg;
	struct zygote_message m;
	bool over = false;

	(void)events;
	struct err *err = zygote_report(&sv->zygote, &m, &over);
	if (!err && !over) {
		sessions_report(sv, &m);
		return;
	}
	sv->failed = err ? err : err_new(ERR_FAILED, "the process that starts "
					 "workers has ended");
	net_stop(sv->net);
}

/* ---- the start ---- */

static void
server_limits(struct server *sv)
{
	const struct serve_limits *o = &sv->o->limits;
	struct serve_limits *l = &sv->limits;

	*l = defaults;
	if (o->sessions)
		l->sessions = o->sessions;
	if (o->connections)
		l->connections = o->connections;
	if (o->idle_seconds)
		l->idle_seconds = o->idle_seconds;
	if (o->header_seconds)
		l->header_seconds = o->header_seconds;
}

/* Many clients, some descriptors each. */
static void
server_descriptors(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max < DESCRIPTORS_MAX ? files.rlim_max
							  : DESCRIPTORS_MAX;
	setrlimit(RLIMIT_NOFILE, &files);
}

static struct err *
server_dir(struct server *sv)
{
	static const char lmdb[] = "lmdb:";
	const char *url = sv->o->store;

	if (strncmp(url, "mem:", 4) == 0)
		return err_new(ERR_USAGE, "a store in memory has no directory "
			       "for tokens; serve one on disk");
	if (strncmp(url, lmdb, sizeof(lmdb) - 1) == 0)
		url += sizeof(lmdb) - 1;
	sv->dir = strdup(url);
	return sv->dir ? NULL : err_nomem();
}

static struct err *
server_open(struct server *sv)
{
	const struct store_options store = { .create = true };
	const struct net_options net = {
		.http = sv->o->http ? &routes_http : NULL, .arg = sv,
		.subprotocols = routes_subprotocols, .connections = sv->limits.connections,
		.header_seconds = sv->limits.header_seconds,
	};
	char own[TOKEN_DIGITS + 1];

	struct err *err = server_dir(sv);
	/* Before anything is opened that a worker must not inherit. */
	if (!err)
		err = zygote_start(sv->limits.sessions,
				   recordings_file_size(sv), sv->o->report,
				   &sv->zygote);
	if (!err)
		err = indexer_start(sv->o->indexes, sv->o->store,
				    &sv->indexer);
	if (!err)
		err = recordings_open(sv);
	if (!err)
		err = store_open(sv->o->store, &store, &sv->store);
	if (!err)
		err = token_own(sv->dir, own);
	explicit_bzero(own, sizeof(own));
	if (!err)
		err = net_new(&net, &sv->net);
	return err ? err : shelf_init(&sv->shelf, sv->net, sv->store, sv->dir);
}

static struct err *
server_listen(struct server *sv)
{
	struct err *err = NULL;

	if (sv->o->http)
		err = net_listen(sv->o->http, &sv->http);
	if (!err && sv->o->rsp)
		err = net_listen(sv->o->rsp, &sv->rsp);
	return err;
}

static struct err *
server_watch(struct server *sv)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	const struct {
		struct net_watch *w;
		int fd;
		net_watch_fn *fn;
	} rows[] = {
		{ &sv->http_watch, sv->http.fd, server_http },
		{ &sv->rsp_watch, sv->rsp.fd, server_rsp },
		{ &sv->zygote_watch, sv->zygote.fd, server_report },
		{ &sv->signals, signalfd(-1, &ends, SFD_CLOEXEC
						    | SFD_NONBLOCK),
		  server_signal },
	};
	struct err *err = NULL;

	for (size_t k = 0; k < countof(rows); k++) {
		*rows[k].w = (struct net_watch){
			.fd = rows[k].fd, .fn = rows[k].fn, .arg = sv,
		};
		if (!err && rows[k].fd >= 0)
			err = net_watch(sv->net, rows[k].w, NET_READ);
	}
	sv->tick = (struct net_watch){
		.fd = -1, .fn = server_tick, .arg = sv,
	};
	sv->stop_tick = (struct net_watch){
		.fd = -1, .fn = server_stop_tick, .arg = sv,
	};
	if (!err && sv->signals.fd < 0)
		err = err_errno("cannot wait for signals");
	return err ? err : net_tick(sv->net, &sv->tick, 1000);
}

static struct err *
server_run(struct server *sv)
{
	struct err *err = server_open(sv);
	if (!err)
		err = server_listen(sv);
	if (!err)
		err = server_watch(sv);
	if (err)
		return err;
	if (sv->o->ready)
		sv->o->ready(sv->o->arg, sv->http.where, sv->rsp.where);
	err = net_run(sv->net);
	return err ? err : take(sv->failed);
}

/* ---- the end ---- */

static void
server_close(struct server *sv)
{
	net_listener_close(&sv->http);
	net_listener_close(&sv->rsp);
	silents_free(sv);
	if (sv->net) {
		/* Theirs are the listeners' and the zygote's descriptors. */
		net_unwatch(&sv->http_watch);
		net_unwatch(&sv->rsp_watch);
		net_unwatch(&sv->zygote_watch);
		net_watch_close(&sv->signals);
		net_watch_close(&sv->tick);
		net_watch_close(&sv->stop_tick);
	}
	indexer_end(&sv->indexer);
	zygote_end(&sv->zygote);
	sessions_free(sv);
	shelf_fini(&sv->shelf);
	net_free(sv->net);
	base_close(&sv->recordings);
	store_free(sv->store);
	free(sv->dir);
	err_free(sv->failed);
}

struct err *
serve_run(const struct serve_options *o)
{
	struct server sv = {
		.o = o, .http.fd = -1, .rsp.fd = -1, .zygote.fd = -1,
		.indexer.fd = -1,
		.signals.fd = -1, .tick.fd = -1, .stop_tick.fd = -1,
		.recordings = -1,
	};
	sigset_t ends, before;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	if (sigprocmask(SIG_BLOCK, &ends, &before) < 0)
		return err_errno("cannot hold signals back");
	server_limits(&sv);
	server_descriptors();
	struct err *err = server_run(&sv);
	server_close(&sv);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return err;
}
