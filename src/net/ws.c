/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ws.c: libwebsockets, and nothing of it outside of this file.
 *
 * It parses HTTP and frames. What it accepts is bounded here, for by itself it
 * takes any Origin, upgrades to HTTP/2 in clear text, and any length of
 * message.
 */
#include <libwebsockets.h>
#include <string.h>
#include <stdlib.h>

#include "net/impl.h"

#define HEADER_MAX 8192u        /* all headers of a request */
#define HEADER_SECONDS 10u
#define PING_SECONDS 20u        /* without a byte, one is asked for life */
#define HANGUP_SECONDS 60u
#define SUBPROTOCOLS_MAX 4u

struct ws {
	struct net *net;
	struct lws_context *context;
	struct lws_vhost *vhost;
	int fd;                         /* the descriptor of net_watch() */
	net_watch_fn *ready;
	struct lws_protocols protocols[SUBPROTOCOLS_MAX + 2];
	struct lws_retry_bo validity;
	struct ws_target target;
};

static struct ws *
ws_of(struct lws *wsi)
{
	return lws_context_user(lws_get_context(wsi));
}

/* ---- requests ---- */

/* Room for the headers that matter; longer ones are refused. */
struct headers {
	char path[512], query[1024], host[256], origin[512], cookie[1024],
	     authorization[256], protocols[128], upgrade[32];
};

static const struct {
	enum lws_token_indexes token;
	size_t at, size;
} header_rows[] = {
#define ROW(token, field) { token, offsetof(struct headers, field), \
			    sizeof(((struct headers *)0)->field) }
	ROW(WSI_TOKEN_HOST, host),
	ROW(WSI_TOKEN_ORIGIN, origin),
	ROW(WSI_TOKEN_HTTP_COOKIE, cookie),
	ROW(WSI_TOKEN_HTTP_AUTHORIZATION, authorization),
	ROW(WSI_TOKEN_PROTOCOL, protocols),
	ROW(WSI_TOKEN_UPGRADE, upgrade),
#undef ROW
};

/* False if one is too long, or twice there (they are joined by commas). */
static bool
headers_read(struct lws *wsi, struct headers *h)
{
	memset(h, 0, sizeof(*h));
	for (size_t k = 0; k < countof(header_rows); k++) {
		char *to = (char *)h + header_rows[k].at;
		if (lws_hdr_total_length(wsi, header_rows[k].token) > 0
		    && lws_hdr_copy(wsi, to, (int)header_rows[k].size,
				    header_rows[k].token) < 0)
			return false;
	}
	return true;
}

/* libwebsockets takes a query apart, and would join it by commas. */
static bool
headers_query(struct lws *wsi, struct headers *h)
{
	size_t n = 0;

	for (int k = 0; ; k++) {
		size_t left = sizeof(h->query) - n;
		int got = lws_hdr_copy_fragment(wsi, h->query + n, (int)left,
						WSI_TOKEN_HTTP_URI_ARGS, k);
		if (got == -1)
			break;
		if (got < 0 || (size_t)got + 2 > left)
			return false;
		n += (size_t)got;
		h->query[n++] = '&';
	}
	h->query[n ? n - 1 : 0] = '\0';
	return true;
}

static bool
headers_path(struct lws *wsi, struct headers *h, const char **method)
{
	static const struct {
		enum lws_token_indexes token;
		const char *name;
	} methods[] = {
		{ WSI_TOKEN_GET_URI, "GET" },
		{ WSI_TOKEN_HEAD_URI, "HEAD" },
	};
	char *uri;
	int n;

	*method = "";
	if (lws_http_get_uri_and_method(wsi, &uri, &n) < 0 || n < 1
	    || (size_t)n >= sizeof(h->path) || *uri != '/')
		return false;
	memcpy(h->path, uri, (size_t)n);
	h->path[n] = '\0';
	for (size_t k = 0; k < countof(methods); k++) {
		if (lws_hdr_total_length(wsi, methods[k].token) > 0)
			*method = methods[k].name;
	}
	return true;
}

static const char *
header_or_null(struct lws *wsi, enum lws_token_indexes token, const char *text)
{
	return lws_hdr_total_length(wsi, token) > 0 ? text : NULL;
}

/* False: close. Answers itself where a header is too long. */
static bool
ws_request(struct lws *wsi, struct net_client *c, bool websocket)
{
	struct headers h;
	struct net_request r = {
		.path = h.path, .websocket = websocket,
		.fd = lws_get_socket_fd(wsi),
	};

	c->wsi = wsi;
	if (!headers_read(wsi, &h) || !headers_query(wsi, &h)
	    || !headers_path(wsi, &h, &r.method)) {
		net_answer(c, 431, "text/plain", "too long\n");
		return false;
	}
	r.query = header_or_null(wsi, WSI_TOKEN_HTTP_URI_ARGS, h.query);
	r.host = header_or_null(wsi, WSI_TOKEN_HOST, h.host);
	r.origin = header_or_null(wsi, WSI_TOKEN_ORIGIN, h.origin);
	r.cookie = header_or_null(wsi, WSI_TOKEN_HTTP_COOKIE, h.cookie);
	r.authorization = header_or_null(wsi, WSI_TOKEN_HTTP_AUTHORIZATION,
					 h.authorization);
	r.protocols = header_or_null(wsi, WSI_TOKEN_PROTOCOL, h.protocols);
	return client_request(c, &r);
}

/*
 * libwebsockets 4.1 goes on with a request whose upgrade it has refused and
 * whose headers it has freed: then there is no such header any more.
 */
static int
ws_upgrade(struct lws *wsi, struct net_client *c)
{
	char to[16];

	if (lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) <= 0
	    || lws_hdr_copy(wsi, to, sizeof(to), WSI_TOKEN_UPGRADE) < 0
	    || strcasecmp(to, "websocket") != 0)
		return -1;
	return ws_request(wsi, c, true) && c->state == CLIENT_UPGRADE ? 0 : -1;
}

/* ---- frames ---- */

static bool
ws_received(struct lws *wsi, struct net_client *c, const void *data, size_t n)
{
	const struct piece p = {
		.data = data, .n = n,
		.fragment_ends = lws_remaining_packet_payload(wsi) == 0,
		.message_ends = lws_remaining_packet_payload(wsi) == 0
				&& lws_is_final_fragment(wsi),
	};

	if (!lws_frame_is_binary(wsi) == c->messages)
		return client_received(c, &p);
	ws_close_reason(wsi, NET_UNACCEPTABLE, c->messages
			? "text messages only" : "binary messages only");
	return false;
}

/* ---- the client side ---- */

static int
ws_authorize(struct lws *wsi, unsigned char **p, size_t room)
{
	const struct ws_target *t = &ws_of(wsi)->target;
	char value[160];
	int n;

	if (!t->token)
		return 0;
	n = snprintf(value, sizeof(value), "Bearer %s", t->token);
	if (n < 0 || (size_t)n >= sizeof(value))
		return -1;
	return lws_add_http_header_by_token(
		wsi, WSI_TOKEN_HTTP_AUTHORIZATION,
		(const unsigned char *)value, n, p, *p + room);
}

static const struct {
	unsigned status;
	enum err_kind kind;
	const char *text;
} refusals[] = {
	{ 401, ERR_DENIED, "it wants a token: ?token=..., or "
			   "$INQUEST_TOKEN" },
	{ 403, ERR_DENIED, "it does not take this token or this name of it" },
	{ 404, ERR_NOTFOUND, "it has no such object" },
};

static void
ws_refused(struct lws *wsi, struct net_client *c, const char *why, size_t n)
{
	const struct net_url *u = ws_of(wsi)->target.url;
	unsigned status = lws_http_client_http_response(wsi);
	_buf_ struct buf text = { 0 };

	for (size_t k = 0; k < countof(refusals); k++) {
		if (refusals[k].status != status)
			continue;
		client_failed(c, err_new(refusals[k].kind, "%s:%u: %s",
					 u->host, u->port, refusals[k].text));
		return;
	}
	buf_escape(&text, why, n);
	client_failed(c, err_new(ERR_NETWORK, "%s:%u: %s", u->host, u->port,
				 text.data ? text.data : "no answer"));
}

/* A close of the server's: its code, and why (RFC 6455, 5.5.1). */
static void
ws_peer_closes(struct net_client *c, const uint8_t *data, size_t n)
{
	_buf_ struct buf text = { 0 };

	if (c->net->o.http || n < 2
	    || (unsigned)(data[0] << 8 | data[1]) == NET_NORMAL)
		return;
	buf_escape(&text, (const char *)data + 2, n - 2);
	client_failed(c, err_new(ERR_NETWORK, "the server ended the session: "
				 "%s", text.data ? text.data : ""));
}

/* ---- what libwebsockets calls ---- */

static bool
ws_serve(struct lws *wsi, enum lws_callback_reasons reason,
	 struct net_client *c, struct span in)
{
	/* NOLINTNEXTLINE: most reasons are none of ours */
	switch (reason) {
	case LWS_CALLBACK_HTTP:
		return ws_request(wsi, c, false);
	case LWS_CALLBACK_ESTABLISHED:
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		c->wsi = wsi;
		return client_opened(c);
	case LWS_CALLBACK_RECEIVE:
	case LWS_CALLBACK_CLIENT_RECEIVE:
		return ws_received(wsi, c, in.data, in.n);
	case LWS_CALLBACK_HTTP_WRITEABLE:
	case LWS_CALLBACK_SERVER_WRITEABLE:
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		return client_writable(c);
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		ws_peer_closes(c, in.data, in.n);
		return true;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		ws_refused(wsi, c, in.data, in.data ? in.n : 0);
		return true;
	default:
		return true;
	}
}

static int
ws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
	    void *in, size_t n)
{
	void *of = wsi ? lws_get_opaque_user_data(wsi) : NULL;

	(void)user;
	if (!of)
		return 0;
	if (reason == LWS_CALLBACK_RAW_RX_FILE) {
		struct ws *w = of;
		w->ready(w->net, NET_READ);
		return 0;
	}
	if (of == ws_of(wsi))
		return 0;
	if (reason == LWS_CALLBACK_HTTP_CONFIRM_UPGRADE)
		return ws_upgrade(wsi, of);
	if (reason == LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER)
		return ws_authorize(wsi, in, n);
	if (reason == LWS_CALLBACK_WSI_DESTROY) {
		lws_set_opaque_user_data(wsi, NULL);
		client_gone(of);
		return 0;
	}
	return ws_serve(wsi, reason, of, (struct span){ in, n }) ? 0 : -1;
}

/* ---- what the rest of net calls ---- */

static void
ws_fill(struct ws *w, struct lws_context_creation_info *info)
{
	const struct net_options *o = &w->net->o;

	w->protocols[0] = (struct lws_protocols){
		.name = "http", .callback = ws_callback,
		.rx_buffer_size = NET_PIECE,
	};
	for (size_t k = 0; k < SUBPROTOCOLS_MAX && o->subprotocols
			   && o->subprotocols[k]; k++) {
		w->protocols[k + 1] = w->protocols[0];
		w->protocols[k + 1].name = o->subprotocols[k];
	}
	w->validity.secs_since_valid_ping = PING_SECONDS;
	w->validity.secs_since_valid_hangup = HANGUP_SECONDS;
	info->port = o->http ? CONTEXT_PORT_NO_LISTEN_SERVER
			     : CONTEXT_PORT_NO_LISTEN;
	info->protocols = w->protocols;
	info->gid = info->uid = (uid_t)-1;
	info->user = w;
	info->pt_serv_buf_size = NET_PIECE;
	info->max_http_header_data = HEADER_MAX;
	info->timeout_secs = o->header_seconds ? o->header_seconds
					       : HEADER_SECONDS;
	info->timeout_secs_ah_idle = info->timeout_secs;
	info->retry_and_idle_policy = &w->validity;
	if (!o->http)
		info->options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
	info->options |= LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
}

static struct err *
ws_init(struct ws *w)
{
	struct lws_context_creation_info info = { 0 };
	lws_sock_file_fd_type fd;

	/* It would speak on stderr of whatever clients do wrong. */
	lws_set_log_level(0, NULL);
	ws_fill(w, &info);
	w->context = lws_create_context(&info);
	if (!w->context)
		return err_new(ERR_FAILED, "cannot set up libwebsockets");
	w->vhost = lws_create_vhost(w->context, &info);
	if (!w->vhost)
		return err_new(ERR_FAILED, "cannot set up libwebsockets");
	fd.filefd = dup(w->fd);
	if (fd.filefd < 0)
		return err_errno("cannot set up libwebsockets");
	const lws_adopt_desc_t adopt = {
		.vh = w->vhost, .type = LWS_ADOPT_RAW_FILE_DESC, .fd = fd,
		.opaque = w,
	};
	if (!lws_adopt_descriptor_vhost_via_info(&adopt))
		return err_nomem();
	return NULL;
}

struct err *
ws_new(struct net *n, int fd, net_watch_fn *ready, struct ws **out)
{
	struct ws *w = calloc(1, sizeof(*w));

	if (!w)
		return err_nomem();
	w->net = n;
	w->fd = fd;
	w->ready = ready;
	struct err *err = ws_init(w);
	if (err) {
		ws_free(w);
		return err;
	}
	*out = w;
	return NULL;
}

void
ws_free(struct ws *w)
{
	if (!w)
		return;
	if (w->context)
		lws_context_destroy(w->context);
	free(w);
}

struct err *
ws_turn(struct ws *w)
{
	if (lws_service(w->context, 0) < 0)
		return err_errno("cannot wait for clients");
	return NULL;
}

bool
ws_adopt(struct ws *w, int fd, struct net_client *c)
{
	const lws_adopt_desc_t adopt = {
		.vh = w->vhost, .type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP,
		.fd = { .sockfd = fd }, .opaque = c,
	};

	c->wsi = lws_adopt_descriptor_vhost_via_info(&adopt);
	return c->wsi != NULL;
}

struct err *
ws_connect(struct ws *w, const struct ws_target *t, struct net_client *c)
{
	const struct net_url *u = t->url;
	_buf_ struct buf path = { 0 }, host = { 0 };
	struct lws_client_connect_info info = {
		.context = w->context, .vhost = w->vhost, .address = u->host,
		.port = u->port, .protocol = t->subprotocol,
		.ssl_connection = u->tls ? LCCSCF_USE_SSL : 0,
		.opaque_user_data = c, .pwsi = &c->wsi,
		.ietf_version_or_minus_one = -1,
	};

	w->target = *t;
	buf_printf(&path, "%s%s%s", u->path, u->query ? "?" : "",
		   u->query ? u->query : "");
	buf_printf(&host, strchr(u->host, ':') ? "[%s]:%u" : "%s:%u", u->host,
		   u->port);
	struct err *err = buf_err(&path);
	if (!err)
		err = buf_err(&host);
	if (err)
		return err;
	info.path = path.data;
	info.host = host.data;
	/* A failure has been told to the client, which is gone. */
	lws_client_connect_via_info(&info);
	return NULL;
}

void
ws_want_write(struct lws *wsi)
{
	lws_callback_on_writable(wsi);
}

static bool
ws_write(struct lws *wsi, const void *data, size_t n, int how)
{
	unsigned char *room = malloc(LWS_PRE + n);
	int sent;

	if (!room)
		return false;
	memcpy(room + LWS_PRE, data, n);
	sent = lws_write(wsi, room + LWS_PRE, n,
			 (enum lws_write_protocol)how);
	free(room);
	return sent >= 0;
}

bool
ws_send(struct lws *wsi, const void *data, size_t n, bool body)
{
	return ws_write(wsi, data, n, body ? LWS_WRITE_HTTP
					   : LWS_WRITE_BINARY);
}

bool
ws_send_text(struct lws *wsi, const struct fragment *f)
{
	return ws_write(wsi, f->data, f->n,
			(f->first ? LWS_WRITE_TEXT : LWS_WRITE_CONTINUATION)
			| (f->last ? 0 : LWS_WRITE_NO_FIN));
}

bool
ws_send_head(struct lws *wsi, const struct ws_head *h)
{
	unsigned char bytes[LWS_PRE + 1024], *p = bytes + LWS_PRE;
	unsigned char *const end = bytes + sizeof(bytes);
	const struct {
		const char *name, *value;
	} lines[] = {
		{ "connection:", "close" },
		{ "cache-control:", "no-store" },
		{ "x-content-type-options:", "nosniff" },
		{ h->header, h->value },
	};

	if (lws_add_http_common_headers(wsi, h->status, h->type,
					(lws_filepos_t)h->length, &p, end))
		return false;
	for (size_t k = 0; k < countof(lines); k++) {
		if (lines[k].name && lws_add_http_header_by_name(
				wsi, (const unsigned char *)lines[k].name,
				(const unsigned char *)lines[k].value,
				(int)strlen(lines[k].value), &p, end))
			return false;
	}
	return !lws_finalize_write_http_header(wsi, bytes + LWS_PRE, &p, end);
}

void
ws_pause(struct lws *wsi, bool paused)
{
	lws_rx_flow_control(wsi, !paused);
}

void
ws_deadline(struct lws *wsi, unsigned seconds)
{
	lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, (int)seconds);
}

void
ws_end(struct lws *wsi)
{
	lws_set_timeout(wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_SYNC);
}

void
ws_close_reason(struct lws *wsi, unsigned code, const char *why)
{
	char text[124];
	size_t n;

	snprintf(text, sizeof(text), "%s", why);
	n = strlen(text);
	lws_close_reason(wsi, (enum lws_close_status)code,
			 (unsigned char *)text, n);
}

int
ws_fd(struct lws *wsi)
{
	return lws_get_socket_fd(wsi);
}
