/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routes.c: what is answered under which path.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serve/server.h"

/* The one that there is: all projects of a server's store are in it. */
#define UNIVERSE "default"

/* What a path was matched to; the parts are in @text. */
struct match {
	char text[512];
	const char *universe, *project, *id, *number;
	char session[SESSION_NAME_MAX + 1];     /* a shared one's name; or "" */
};

/* What net_client_set() holds: a client whose request is not done with. */
struct guest {
	struct server *sv;
	struct net_client *client;
	struct store_ref ref;
	struct shelf_wait wait;         /* for a file to send */
	struct session *session;        /* of a websocket, */
	bool dap;               /* which speaks that, not rsp */
	char name[SESSION_NAME_MAX + 1];        /* of one that is shared */
	struct visitor visitor;
};

struct route;
typedef void route_fn(struct server *sv, struct net_client *c,
		      const struct visitor *v, const struct match *m);
/*
 * A capital stands for a part: U the universe, P a project, I digits of a hash
 * or "@latest", N the number of the wire.
 */
struct route {
	const char *path;
	enum door door;
	const char *subprotocol;        /* of a websocket; or NULL */
	route_fn *run;
};

/* ---- answers ---- */

static void
route_say(struct net_client *c, unsigned status, const char *text)
{
	_buf_ struct buf line = { 0 };

	buf_printf(&line, "%s\n", text);
	net_answer(c, status, "text/plain; charset=utf-8",
		   line.data ? line.data : "");
}

/*
 * One answer for what there is not, what another project has, and what has no
 * such name: who asks learns nothing from it.
 */
static void
route_not_found(struct server *sv, struct net_client *c)
{
	sv->refused[REFUSED_NOT_FOUND]++;
	route_say(c, 404, "there is no such object");
}

/* ---- guests ---- */

static struct guest *
guest_new(struct server *sv, struct net_client *c, const struct store_ref *ref)
{
	struct guest *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->sv = sv;
	g->client = c;
	g->ref = *ref;
	net_client_set(c, g);
	return g;
}

static void
routes_gone(void *arg, struct net_client *c)
{
	struct guest *g = net_client_get(c);

	(void)arg;
	shelf_cancel(&g->wait);
	if (g->session)
		session_abandon(g->session, c);
	free(g);
}

/* ---- the plain ones ---- */

static void
route_health(struct server *sv, struct net_client *c, const struct visitor *v,
	     const struct match *m)
{
	(void)sv;
	(void)v;
	(void)m;
	route_say(c, 200, "ok");
}

static void
route_metrics(struct server *sv, struct net_client *c, const struct visitor *v,
	      const struct match *m)
{
	_buf_ struct buf b = { 0 };

	(void)v;
	(void)m;
	metrics_write(sv, &b);
	net_answer(c, 200, "application/openmetrics-text; version=1.0.0; "
			   "charset=utf-8", b.data ? b.data : "");
}

/* ---- objects ---- */

static bool
object_find(struct server *sv, struct net_client *c, const struct visitor *v,
	    const struct match *m, struct store_ref *out)
{
	char text[STORE_NAME_MAX + 20];
	const char *id = m->id;

	/* Before the store is asked: its answer could depend on what is there,
	 * and the time it takes too. */
	if (!doors_sees(v, m->project)
	    || (m->universe && strcmp(m->universe, UNIVERSE) != 0)) {
		route_not_found(sv, c);
		return false;
	}
	if (m->number) {
		snprintf(text, sizeof(text), "%s/%s", m->project, m->number);
		id = text;
	}
	_err_ struct err *err = store_find(sv->store, id, m->project, out);
	if (!err)
		return true;
	if (err_kind(err) == ERR_NOTFOUND || err_kind(err) == ERR_USAGE)
		route_not_found(sv, c);
	else
		route_say(c, 500, err_text(err));
	return false;
}

static void
object_send(struct guest *g, int fd)
{
	int mine = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	struct stat st;

	if (mine < 0 || fstat(mine, &st) < 0) {
		base_close(&mine);
		route_say(g->client, 503, "no descriptor is left; try again");
		return;
	}
	net_send(g->client, mine, (uint64_t)st.st_size,
		 "application/octet-stream");
}

static void
object_ready(void *arg, struct err *failed, int fd, const char *title)
{
	struct guest *g = arg;
	_err_ struct err *err = failed;

	(void)title;
	if (err)
		route_say(g->client, 500, err_text(err));
	else
		object_send(g, fd);
}

static void
route_object(struct server *sv, struct net_client *c, const struct visitor *v,
	     const struct match *m)
{
	struct store_ref ref;
	struct guest *g;

	if (!object_find(sv, c, v, m, &ref))
		return;
	g = guest_new(sv, c, &ref);
	if (!g) {
		route_say(c, 503, "no memory is left; try again");
		return;
	}
	net_hold(c);
	g->wait = (struct shelf_wait){ .fn = object_ready, .arg = g };
	shelf_get(&sv->shelf, &ref, &g->wait);
}

/* ---- websockets ---- */

static struct guest *
route_upgrade(struct server *sv, struct net_client *c, const struct visitor *v,
	      const struct match *m)
{
	struct store_ref ref;
	struct guest *g = NULL;

	if (!object_find(sv, c, v, m, &ref))
		return NULL;
	g = guest_new(sv, c, &ref);
	if (!g) {
		route_say(c, 503, "no memory is left; try again");
		return NULL;
	}
	memcpy(g->name, m->session, sizeof(g->name));
	g->visitor = *v;
	return g;
}

static void
route_rsp(struct server *sv, struct net_client *c, const struct visitor *v,
	  const struct match *m)
{
	if (route_upgrade(sv, c, v, m))
		net_upgrade(c, NET_BYTES);
}

static void
route_dap(struct server *sv, struct net_client *c, const struct visitor *v,
	  const struct match *m)
{
	struct guest *g = route_upgrade(sv, c, v, m);

	if (!g)
		return;
	g->dap = true;
	net_upgrade(c, NET_MESSAGES);
}

static int
routes_begin(void *arg, struct net_client *c)
{
	struct guest *g = net_client_get(c);
	int pair[2];

	(void)arg;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		       pair) < 0) {
		net_close(c, NET_LATER, "no descriptor is left");
		return -1;
	}
	const struct session_begin b = {
		.connection = pair[1], .ref = &g->ref, .authorised = true,
		.dap = g->dap, .client = c, .owner = &g->session,
		.name = *g->name ? g->name : NULL, .visitor = &g->visitor,
	};
	_err_ struct err *err = session_begin(g->sv, &b);
	if (!err)
		return pair[0];
	close(pair[0]);
	net_close(c, NET_LATER, err_text(err));
	return -1;
}

/* The worker has hung up: why, the zygote will tell. */
static void
routes_ended(void *arg, struct net_client *c)
{
	struct guest *g = net_client_get(c);

	(void)arg;
	if (g->session)
		session_hang_up(g->session, c);
	else
		net_close(c, NET_NORMAL, "");
}

/* ---- paths ---- */

static const struct route routes[] = {
	{ "healthz", DOOR_PUBLIC, NULL, route_health },
	{ "metrics", DOOR_ALL, NULL, route_metrics },
	{ "p/P/I", DOOR_ANY, NULL, route_object },
	{ "p/P/n/N", DOOR_ANY, NULL, route_object },
	{ "p/P/I/rsp", DOOR_ANY, "rsp", route_rsp },
	{ "p/P/n/N/rsp", DOOR_ANY, "rsp", route_rsp },
	{ "p/P/I/dap", DOOR_ANY, "dap", route_dap },
	{ "p/P/n/N/dap", DOOR_ANY, "dap", route_dap },
	{ "p/U/P/I", DOOR_ANY, NULL, route_object },
	{ "p/U/P/n/N", DOOR_ANY, NULL, route_object },
	{ "p/U/P/I/rsp", DOOR_ANY, "rsp", route_rsp },
	{ "p/U/P/n/N/rsp", DOOR_ANY, "rsp", route_rsp },
	{ "p/U/P/I/dap", DOOR_ANY, "dap", route_dap },
	{ "p/U/P/n/N/dap", DOOR_ANY, "dap", route_dap },
};

static bool
part_is_hex(const char *part, size_t min, size_t max)
{
	size_t n = strlen(part);

	return n >= min && n <= max && strspn(part, "0123456789abcdef") == n;
}

/* Digits of a hash, "@latest", or "@latest:" and digits of a fingerprint. */
static bool
part_is_id(const char *part)
{
	static const char latest[] = "@latest";
	size_t n = sizeof(latest) - 1;

	if (strncmp(part, latest, n) == 0) {
		part += n;
		if (!*part)
			return true;
		if (*part++ != ':')
			return false;
	}
	return part_is_hex(part, STORE_PREFIX_MIN, 2 * SHA256_SIZE);
}

/* @part against one letter, or the word up to a slash, of @pattern. */
static bool
part_matches(const char *part, const char *pattern, struct match *m)
{
	size_t n = strcspn(pattern, "/");

	if (n == 1 && *pattern == 'U') {
		m->universe = part;
		return store_name_ok(part);
	}
	if (n == 1 && *pattern == 'P') {
		m->project = part;
		return store_name_ok(part);
	}
	if (n == 1 && *pattern == 'I') {
		m->id = part;
		return part_is_id(part);
	}
	if (n == 1 && *pattern == 'N') {
		m->number = part;
		return part_is_hex(part, 1, 16);
	}
	return strlen(part) == n && strncmp(part, pattern, n) == 0;
}

static bool
route_matches(const struct route *route, const char *path, struct match *m)
{
	const char *pattern = route->path;
	char *rest = m->text, *part;

	memset(m, 0, sizeof(*m));
	/* The path begins with a slash, and its length was held against this. */
	snprintf(m->text, sizeof(m->text), "%s", path + 1);
	while ((part = strsep(&rest, "/"))) {
		if (!part_matches(part, pattern, m))
			return false;
		pattern += strcspn(pattern, "/");
		if (!rest || !*pattern)
			break;
		pattern++;
	}
	return !rest && !*pattern;
}

static const struct route *
route_find(const struct net_request *r, struct match *m)
{
	for (size_t k = 0; k < countof(routes); k++) {
		if (!routes[k].subprotocol == !r->websocket
		    && route_matches(&routes[k], r->path, m))
			return &routes[k];
	}
	return NULL;
}

const char *const routes_subprotocols[] = { "rsp", "dap", NULL };

static bool
subprotocol_is(const char *asked, size_t n, const char *name)
{
	return strlen(name) == n && strncmp(asked, name, n) == 0;
}

/* Is @name the first of those that are asked for and known? That one is what
 * the client will be answered. */
static bool
routes_speaks(const char *asked, const char *name)
{
	while (asked && *asked) {
		asked += strspn(asked, ", \t");
		size_t n = strcspn(asked, ", \t");

		for (const char *const *p = routes_subprotocols; *p; p++)
			if (subprotocol_is(asked, n, *p))
				return strcmp(*p, name) == 0;
		asked += n;
	}
	return false;
}

/* ?session=NAME; false: what is there is no name. */
static bool
routes_session(const struct net_request *r, struct match *m)
{
	return !doors_pair(r->query, "session", '&', m->session)
	       || store_name_ok(m->session);
}

/* A websocket of the wrong one. */
static void
route_other_protocol(struct server *sv, struct net_client *c,
		     const struct route *route)
{
	_buf_ struct buf text = { 0 };

	sv->refused[REFUSED_METHOD]++;
	buf_printf(&text, "the subprotocol is %s", route->subprotocol);
	route_say(c, 400, text.data ? text.data : "");
}

static void
routes_request(void *arg, struct net_client *c, const struct net_request *r)
{
	struct server *sv = arg;
	struct match m = { .text = "" };
	struct visitor v;
	const struct route *route = route_find(r, &m);
	struct verdict verdict = doors_check(
		sv, r, route ? route->door : DOOR_PUBLIC, &v);

	if (verdict.status) {
		route_say(c, verdict.status, verdict.text);
	} else if (!*r->method) {
		sv->refused[REFUSED_METHOD]++;
		route_say(c, 405, "GET only");
	} else if (!route) {
		sv->refused[REFUSED_NOT_FOUND]++;
		route_say(c, 404, "there is nothing here");
	} else if (r->websocket
		   && !routes_speaks(r->protocols, route->subprotocol)) {
		route_other_protocol(sv, c, route);
	} else if (r->websocket && !routes_session(r, &m)) {
		sv->refused[REFUSED_METHOD]++;
		route_say(c, 400, "a session's name is of letters, digits, - "
			  "and _");
	} else {
		route->run(sv, c, &v, &m);
	}
}

const struct net_http routes_http = {
	.request = routes_request,
	.begin = routes_begin,
	.ended = routes_ended,
	.gone = routes_gone,
};
