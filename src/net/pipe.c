/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipe.c: a websocket to a server elsewhere, as a pipe.
 */
#include "net/impl.h"

/* Names and headers that a server elsewhere makes us wait for. */
#define ANSWER_SECONDS 20u

struct err *
net_pipe(const struct net_pipe *p)
{
	const char *const names[] = { p->subprotocol, NULL };
	const struct net_options options = {
		.subprotocols = names,
		.header_seconds = ANSWER_SECONDS,
	};
	_url_ struct net_url u = { 0 };
	_net_ struct net *n = NULL;
	_err_ struct err *ended = NULL;

	struct err *err = net_url_parse(p->url, &u);
	if (!err)
		err = net_new(&options, &n);
	if (err)
		return err;
	struct net_client *c = client_new(n);
	if (!c)
		return err_nomem();
	c->in.fd = p->in;
	c->out = p->out;
	c->messages = p->messages;
	c->told = &ended;
	c->pipe = p;
	const struct ws_target t = {
		.url = &u, .token = p->token, .subprotocol = p->subprotocol,
	};
	err = ws_connect(n->ws, &t, c);
	if (!err)
		err = net_run(n);
	return err ? err : take(ended);
}
