/* SPDX-License-Identifier: Apache-2.0 */
/*
 * url.c: the parts of a URL.
 */
#include <stdlib.h>
#include <string.h>

#include "net/net.h"

#define URL_MAX 2048u

static const struct scheme {
	const char *prefix;
	bool tls;
	uint16_t port;
} schemes[] = {
	{ "http://", false, 80 },
	{ "https://", true, 443 },
};

static const struct scheme *
url_scheme(const char *text)
{
	for (size_t k = 0; k < countof(schemes); k++) {
		if (strncmp(text, schemes[k].prefix, strlen(schemes[k].prefix))
		    == 0)
			return &schemes[k];
	}
	return NULL;
}

/* HOST, HOST:PORT, [V6] or [V6]:PORT, all of [text, text+n). */
static bool
url_authority(const char *text, size_t n, struct net_url *u)
{
	const char *end = text + n, *host_end, *port;
	bool bracket = n && *text == '[';

	host_end = memchr(text, bracket ? ']' : ':', n);
	if (bracket && !host_end)
		return false;
	port = host_end ? host_end + bracket : end;
	u->host = strndup(text + bracket, (size_t)((host_end ? host_end : end)
						   - text - bracket));
	if (port < end) {
		_free_ char *digits = strndup(port + 1, (size_t)(end - port) - 1);
		unsigned long number = digits ? strtoul(digits, NULL, 10) : 0;
		if (*port != ':' || !digits || strlen(digits) > 5 || !number
		    || number > UINT16_MAX
		    || strspn(digits, "0123456789") != strlen(digits))
			return false;
		u->port = (uint16_t)number;
	}
	return u->host && *u->host;
}

/* Nothing that could end a header's line, or that a shell would not pass. */
static bool
url_is_plain(const char *text)
{
	for (; *text; text++) {
		if (*text <= 0x20 || *text >= 0x7f)
			return false;
	}
	return true;
}

struct err *
net_url_parse(const char *text, struct net_url *out)
{
	const struct scheme *s = url_scheme(text);
	_url_ struct net_url u = { 0 };

	if (!s || strlen(text) > URL_MAX || !url_is_plain(text))
		return err_new(ERR_USAGE, "\"%.*s\" is no http: or https: URL",
			       (int)URL_MAX, text);
	const char *host = text + strlen(s->prefix);
	size_t n = strcspn(host, "/?#");
	const char *rest = host + n, *query = strchr(rest, '?');
	u.tls = s->tls;
	u.port = s->port;
	if (memchr(host, '@', n) || strchr(rest, '#')
	    || !url_authority(host, n, &u))
		return err_new(ERR_USAGE, "\"%s\" names no server", text);
	u.path = *rest == '/' ? strndup(rest, query ? (size_t)(query - rest)
						    : strlen(rest))
			      : strdup("/");
	u.query = query ? strdup(query + 1) : NULL;
	if (!u.path || (query && !u.query))
		return err_nomem();
	*out = u;
	memset(&u, 0, sizeof(u));
	return NULL;
}

void
net_url_fini(struct net_url *u)
{
	free(u->host);
	free(u->path);
	free(u->query);
	memset(u, 0, sizeof(*u));
}
