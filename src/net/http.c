/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.c: fetches files from a server, by libcurl.
 *
 * It is loaded when it is needed: it brings thirty libraries with it, which
 * would be most of what the program needs to start.
 */
#include <curl/curl.h>
#include <dlfcn.h>
#include <string.h>

#include "net/net.h"

#define CONNECT_SECONDS 20L
/* Slower than a byte a second for so long is no answer. */
#define STALL_SECONDS 60L
#define SAID_MAX 200u

#define CURL_NAME "libcurl.so.4"

static struct {
	void *library;
	CURL *(*init)(void);
	void (*cleanup)(CURL *);
	CURLcode (*setopt)(CURL *, CURLoption, ...);
	CURLcode (*getinfo)(CURL *, CURLINFO, ...);
	CURLcode (*perform)(CURL *);
	const char *(*strerror)(CURLcode);
	struct curl_slist *(*append)(struct curl_slist *, const char *);
	void (*free_all)(struct curl_slist *);
} curl;

static struct err *
curl_load(void)
{
	const struct {
		void *to;
		const char *name;
	} functions[] = {
		{ &curl.init, "curl_easy_init" },
		{ &curl.cleanup, "curl_easy_cleanup" },
		{ &curl.setopt, "curl_easy_setopt" },
		{ &curl.getinfo, "curl_easy_getinfo" },
		{ &curl.perform, "curl_easy_perform" },
		{ &curl.strerror, "curl_easy_strerror" },
		{ &curl.append, "curl_slist_append" },
		{ &curl.free_all, "curl_slist_free_all" },
	};
	void *library = curl.library ? curl.library
				     : dlopen(CURL_NAME, RTLD_NOW);

	for (size_t k = 0; library && k < countof(functions); k++) {
		void *f = dlsym(library, functions[k].name);
		if (!f)
			return err_new(ERR_UNSUPPORTED, CURL_NAME " has no %s",
				       functions[k].name);
		memcpy(functions[k].to, &f, sizeof(f));
	}
	curl.library = library;
	return library ? NULL
		       : err_new(ERR_UNSUPPORTED, "cannot load " CURL_NAME
				 ": %s", dlerror());
}

struct fetch {
	const struct net_fetch *f;
	CURL *handle;
	uint64_t done;
	struct err *err;        /* why it was broken off */
	struct buf said;        /* the begin of an answer that is no file */
};

static void
fetch_fini(struct fetch *x)
{
	if (x->handle)
		curl.cleanup(x->handle);
	buf_fini(&x->said);
	err_free(x->err);
}

static bool
fetch_is_file(struct fetch *x)
{
	long status = 0;

	curl.getinfo(x->handle, CURLINFO_RESPONSE_CODE, &status);
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
	curl.setopt(x->handle, CURLOPT_URL, x->f->url);
	curl.setopt(x->handle, CURLOPT_PROTOCOLS_STR, "http,https");
	curl.setopt(x->handle, CURLOPT_FOLLOWLOCATION, 0L);
	curl.setopt(x->handle, CURLOPT_NOSIGNAL, 1L);
	curl.setopt(x->handle, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	curl.setopt(x->handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl.setopt(x->handle, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
	curl.setopt(x->handle, CURLOPT_HTTPHEADER, headers);
	curl.setopt(x->handle, CURLOPT_WRITEFUNCTION, fetch_write);
	curl.setopt(x->handle, CURLOPT_WRITEDATA, x);
	if (!x->f->progress)
		return;
	curl.setopt(x->handle, CURLOPT_NOPROGRESS, 0L);
	curl.setopt(x->handle, CURLOPT_XFERINFOFUNCTION, fetch_progress);
	curl.setopt(x->handle, CURLOPT_XFERINFODATA, x);
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
			       curl.strerror(code));
	curl.getinfo(x->handle, CURLINFO_RESPONSE_CODE, &status);
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
	if (!err)
		err = curl_load();
	if (err)
		return err;
	x.handle = curl.init();
	if (f->token) {
		buf_printf(&header, "Authorization: Bearer %s", f->token);
		headers = curl.append(NULL, header.data ? header.data : "");
	}
	if (!x.handle || (f->token && (!headers || header.failed)))
		err = err_nomem();
	if (!err) {
		fetch_set(&x, headers);
		err = fetch_result(&x, curl.perform(x.handle));
	}
	curl.free_all(headers);
	return err;
}
