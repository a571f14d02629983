/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.c: fetches files from a server, by libcurl.
 */
#include <curl/curl.h>
#include <string.h>

#include "net/net.h"

#define CONNECT_SECONDS 20L
/* Slower than a byte a second for so long is no answer. */
#define STALL_SECONDS 60L
#define SAID_MAX 200u

struct fetch {
	const struct net_fetch *f;
	CURL *curl;
	uint64_t done;
	struct err *err;        /* why it was broken off */
	struct buf said;        /* the begin of an answer that is no file */
};

static void
fetch_fini(struct fetch *x)
{
	curl_easy_cleanup(x->curl);
	buf_fini(&x->said);
	err_free(x->err);
}

static bool
fetch_is_file(struct fetch *x)
{
	long status = 0;

	curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
	return status == 200;
}

/* A short return breaks it off. */
static size_t
fetch_write(char *data, size_t one, size_t n, void *arg)
{
	struct fetch *x = arg;

	(void)one;
	if (!fetch_is_file(x)) {
		size_t room = SAID_MAX - x->said.len;
		buf_put(&x->said, data, n < room ? n : room);
		return n;
	}
	if (n > x->f->limit - x->done) {
		x->err = err_new(ERR_LIMIT, "%s: more than %llu bytes",
				 x->f->url, (unsigned long long)x->f->limit);
		return 0;
	}
	x->err = io_write(x->f->out, data, n);
	x->done += n;
	return x->err ? 0 : n;
}

static int
fetch_progress(void *arg, curl_off_t total, curl_off_t done, curl_off_t up,
	       curl_off_t sent)
{
	struct fetch *x = arg;

	(void)up;
	(void)sent;
	if (fetch_is_file(x))
		x->f->progress(x->f->progress_arg, (uint64_t)done,
			       (uint64_t)total);
	return 0;
}

static void
fetch_set(struct fetch *x, struct curl_slist *headers)
{
	curl_easy_setopt(x->curl, CURLOPT_URL, x->f->url);
	curl_easy_setopt(x->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(x->curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(x->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(x->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	curl_easy_setopt(x->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(x->curl, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
	curl_easy_setopt(x->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(x->curl, CURLOPT_WRITEFUNCTION, fetch_write);
	curl_easy_setopt(x->curl, CURLOPT_WRITEDATA, x);
	if (!x->f->progress)
		return;
	curl_easy_setopt(x->curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(x->curl, CURLOPT_XFERINFOFUNCTION, fetch_progress);
	curl_easy_setopt(x->curl, CURLOPT_XFERINFODATA, x);
}

static enum err_kind
fetch_kind(long status)
{
	static const struct {
		long status;
		enum err_kind kind;
	} kinds[] = {
		{ 401, ERR_DENIED }, { 403, ERR_DENIED }, { 404, ERR_NOTFOUND },
	};

	for (size_t k = 0; k < countof(kinds); k++) {
		if (kinds[k].status == status)
			return kinds[k].kind;
	}
	return ERR_NETWORK;
}

static struct err *
fetch_result(struct fetch *x, CURLcode code)
{
	_buf_ struct buf line = { 0 };
	long status = 0;

	if (x->err)
		return take(x->err);
	if (code != CURLE_OK)
		return err_new(ERR_NETWORK, "%s: %s", x->f->url,
			       curl_easy_strerror(code));
	curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200)
		return NULL;
	const char *said = x->said.data ? x->said.data : "";
	buf_escape(&line, said, strcspn(said, "\r\n"));
	return err_new(fetch_kind(status), "%s: the server said %ld%s%s",
		       x->f->url, status, line.len ? ": " : "",
		       line.len ? line.data : "");
}

struct err *
net_fetch(const struct net_fetch *f)
{
	_cleanup_(fetch_fini) struct fetch x = { .f = f };
	_buf_ struct buf header = { 0 };
	struct curl_slist *headers = NULL;
	_url_ struct net_url u = { 0 };

	struct err *err = net_url_parse(f->url, &u);
	if (err)
		return err;
	x.curl = curl_easy_init();
	if (f->token) {
		buf_printf(&header, "Authorization: Bearer %s", f->token);
		headers = curl_slist_append(NULL, header.data ? header.data
							      : "");
	}
	if (!x.curl || (f->token && (!headers || header.failed)))
		err = err_nomem();
	if (!err) {
		fetch_set(&x, headers);
		err = fetch_result(&x, curl_easy_perform(x.curl));
	}
	curl_slist_free_all(headers);
	return err;
}
