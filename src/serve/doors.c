/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doors.c: who may come in - by which name they call, from which page, with
 * which token. All of it is decided before anything is opened or started.
 *
 * A page of anywhere can make a browser connect to this machine: under a name
 * of its own that it lets point here (DNS rebinding), which Host tells, or
 * straight, which Origin tells (RFC 6455, 10.2; RFC 6454, 7).
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "serve/server.h"

static const struct verdict come_in = { 0, NULL };

/* ---- names ---- */

/* "localhost" is this machine in every browser, whatever a name service says
 * (RFC 6761, 6.3). */
static bool
host_is_own(const struct server *sv, const char *host)
{
	const char *where = sv->http.where, *port = strrchr(where, ':');

	if (strncmp(where, "unix:", 5) == 0 || strcasecmp(host, where) == 0)
		return true;
	return strncasecmp(host, "localhost", 9) == 0
	       && strcmp(host + 9, port) == 0;
}

/* A name without a port is right with any. */
static bool
host_matches(const char *host, const char *name)
{
	size_t n = strlen(name);

	if (strncasecmp(host, name, n) != 0)
		return false;
	return host[n] == '\0' || (host[n] == ':' && !strchr(name, ':'));
}

static bool
host_ok(const struct server *sv, const char *host)
{
	const char *const *names = sv->o->hosts;

	if (!host)
		return false;
	if (host_is_own(sv, host))
		return true;
	for (; names && *names; names++) {
		if (host_matches(host, *names))
			return true;
	}
	return false;
}

/* A page of this server itself; of a unix socket there are none. */
static bool
origin_ok(const struct server *sv, const char *origin, const char *host)
{
	static const char http[] = "http://";
	const char *const *pages = sv->o->origins;

	for (; pages && *pages; pages++) {
		if (strcmp(origin, *pages) == 0)
			return true;
	}
	return strncmp(sv->http.where, "unix:", 5) != 0
	       && strncmp(origin, http, sizeof(http) - 1) == 0
	       && strcasecmp(origin + sizeof(http) - 1, host) == 0;
}

/* ---- tokens ---- */

_Static_assert(TOKEN_DIGITS == DOORS_VALUE_MAX, "a token is a value");

bool
doors_pair(const char *text, const char *key, char between,
	   char out[DOORS_VALUE_MAX + 1])
{
	size_t n = strlen(key);

	while (text && *text) {
		const char *end = strchrnul(text, between);
		text += strspn(text, " ");
		if (strncmp(text, key, n) == 0 && text[n] == '=') {
			size_t length = (size_t)(end - text) - n - 1;
			/* A longer one is none: no part of it may pass. */
			if (length > DOORS_VALUE_MAX)
				length = 0;
			memcpy(out, text + n + 1, length);
			out[length] = '\0';
			return true;
		}
		text = *end ? end + 1 : NULL;
	}
	return false;
}

static bool
token_of(const struct net_request *r, char out[TOKEN_DIGITS + 1])
{
	static const char bearer[] = "Bearer ";

	if (r->authorization && strncasecmp(r->authorization, bearer,
					    sizeof(bearer) - 1) == 0) {
		const char *text = r->authorization + sizeof(bearer) - 1;
		size_t n = strnlen(text, TOKEN_DIGITS + 1);
		if (n > TOKEN_DIGITS)
			n = 0;
		memcpy(out, text, n);
		out[n] = '\0';
		return true;
	}
	return doors_pair(r->query, "token", '&', out)
	       || doors_pair(r->cookie, "inquest", ';', out);
}

bool
doors_is_owner(int fd)
{
	uid_t uid;

	return net_peer_uid(fd, &uid) && uid == geteuid();
}

static struct verdict
token_verdict(struct server *sv, const struct net_request *r,
	      struct visitor *v)
{
	char text[TOKEN_DIGITS + 1];

	if (doors_is_owner(r->fd))
		return come_in;
	if (!token_of(r, text)) {
		sv->refused[REFUSED_NO_TOKEN]++;
		return (struct verdict){ 401, "a token is needed" };
	}
	_err_ struct err *err = token_scope(sv->dir, text, v->scope,
					   v->token);
	if (!err)
		return come_in;
	sv->refused[REFUSED_TOKEN]++;
	return (struct verdict){ 403, "this token opens nothing here" };
}

/* ---- all of it ---- */

bool
doors_sees(const struct visitor *v, const char *project)
{
	return !*v->scope || strcmp(v->scope, project) == 0;
}

struct verdict
doors_check(struct server *sv, const struct net_request *r, enum door door,
	    struct visitor *out)
{
	*out = (struct visitor){ .scope = "" };
	if (!host_ok(sv, r->host)) {
		sv->refused[REFUSED_HOST]++;
		return (struct verdict){
			403, "this server is not called so; see --host"
		};
	}
	if (r->origin && !origin_ok(sv, r->origin, r->host)) {
		sv->refused[REFUSED_ORIGIN]++;
		return (struct verdict){
			403, "pages of that origin may not connect; see "
			     "--origin"
		};
	}
	if (door == DOOR_PUBLIC)
		return come_in;
	struct verdict v = token_verdict(sv, r, out);
	if (!v.status && door == DOOR_ALL && *out->scope) {
		sv->refused[REFUSED_TOKEN]++;
		v = (struct verdict){
			403, "this needs a token for all projects"
		};
	}
	return v;
}
