/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pick.c: files, objects of the store and objects behind a URL.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/home.h"
#include "cmd/late.h"
#include "cmd/outfile.h"
#include "cmd/pick.h"
#include "cmd/progress.h"
#include "net/net.h"
#include "serve/serve.h"

/* Larger objects are no load for memory, but for a disk. */
#define IN_MEMORY_MAX (64u << 20)
#define FETCH_MAX (64ull << 30)
#define LATEST "@latest"
/* "PROJECT/" and 64 digits, behind "@latest:" or not. */
#define OBJECT_WORD_MAX \
	(STORE_NAME_MAX + 1 + sizeof(LATEST) + 2 * SHA256_SIZE)

void
pick_fini(struct pick *p)
{
	base_close(&p->fd);
	base_close(&p->late);
	free(p->title);
	free(p->project);
	*p = (struct pick)PICK_NONE;
}

/* ---- files ---- */

struct err *
pick_open_file(const char *path, int *fd)
{
	struct stat st;

	_close_ int f = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (f < 0 || fstat(f, &st) < 0)
		return err_errno("cannot open %s", path);
	if (S_ISDIR(st.st_mode))
		return err_new(ERR_FORMAT, "%s is a directory, no snapshot or "
			       "core", path);
	if (!S_ISREG(st.st_mode))
		return err_new(ERR_FORMAT, "%s is no regular file; copy what "
			       "it gives into one first", path);
	*fd = f;
	f = -1;
	return NULL;
}

/* ---- objects of the store ---- */

/* Could it name an object? Digits, @latest, or one of these in a project. */
static bool
pick_is_object(const char *typed)
{
	const char *slash = strchr(typed, '/');
	const char *word = slash ? slash + 1 : typed;
	size_t least = slash ? 1 : STORE_PREFIX_MIN, n = strlen(word);

	if (strlen(typed) > OBJECT_WORD_MAX)
		return false;
	if (strncmp(word, LATEST, sizeof(LATEST) - 1) == 0)
		return true;
	return n >= least && strspn(word, "0123456789abcdefABCDEF") == n;
}

/* A place for a copy that nobody else sees. */
static struct err *
pick_scratch(uint64_t size, int *out)
{
	if (size > IN_MEMORY_MAX)
		return outfile_scratch(out);
	*out = memfd_create("object", MFD_CLOEXEC);
	return *out >= 0 ? NULL : err_errno("cannot keep an object in memory");
}

struct pick_copy {
	int fd;
	uint64_t done, total;
	struct progress progress;
};

static struct err *
pick_sink(void *arg, const void *data, size_t n)
{
	struct pick_copy *c = arg;

	c->done += n;
	progress_show(&c->progress, c->done, c->total);
	return io_write(c->fd, data, n);
}

struct err *
pick_copy(struct store *s, const struct store_ref *ref, struct pick *out)
{
	_arena_ struct arena *a = arena_new(0);
	struct pick_copy copy = { .fd = -1 };
	struct store_object object;

	if (!a)
		return err_nomem();
	struct err *err = store_object(s, ref, a, &object);
	if (!err)
		err = pick_scratch(object.size, &out->fd);
	if (err)
		return err;
	copy.fd = out->fd;
	copy.total = object.size;
	progress_init(&copy.progress);
	err = store_get(s, ref, pick_sink, &copy);
	progress_end(&copy.progress);
	if (err)
		return err;
	_buf_ struct buf digits = { 0 };
	buf_hex(&digits, object.hash, STORE_DIGITS / 2);
	out->title = digits.data ? strdup(digits.data) : NULL;
	out->project = strdup(ref->project);
	out->late = late_find(s, ref);
	return out->title && out->project ? NULL : err_nomem();
}

static struct err *
pick_object(const char *typed, struct pick *out)
{
	_store_ struct store *s = NULL;
	struct store_ref ref;

	struct err *err = home_open(NULL, false, &s);
	if (!err)
		err = store_find(s, typed, NULL, &ref);
	if (err && err_kind(err) == ERR_NOTFOUND)
		return err_wrap(err, "no file %s, and no such object (see "
				PROGRAM " list)", typed);
	return err ? err : pick_copy(s, &ref, out);
}

/* ---- objects behind a URL ---- */

bool
pick_is_url(const char *typed)
{
	return strncmp(typed, "http://", 7) == 0
	       || strncmp(typed, "https://", 8) == 0;
}

/* Is it a server on this machine, by an address that never leaves it? */
static bool
pick_is_here(const char *url)
{
	static const char *const hosts[] = { "127.0.0.1", "::1", "localhost" };
	_url_ struct net_url parts = { 0 };
	_err_ struct err *err = net_url_parse(url, &parts);

	for (size_t k = 0; k < countof(hosts) && !err; k++) {
		if (strcasecmp(parts.host, hosts[k]) == 0)
			return true;
	}
	return false;
}

/* The token of the default store, if there is such a store at all. */
static struct err *
pick_own_token(char **token)
{
	char text[TOKEN_DIGITS + 1];
	_free_ char *dir = NULL;
	struct stat st;

	struct err *err = home_dir(NULL, &dir);
	if (err || stat(dir, &st) < 0)
		return err;
	err = token_own(dir, text);
	if (err)
		return err;
	*token = strdup(text);
	return *token ? NULL : err_nomem();
}

/* Cut "?token=…" off; whatever else a query says is not for us. */
static struct err *
pick_cut_token(char *url, char **token)
{
	char *query = strchr(url, '?');

	if (!query)
		return NULL;
	*query++ = '\0';
	if (strncmp(query, "token=", 6) != 0)
		return NULL;
	*token = strndup(query + 6, strcspn(query + 6, "&#"));
	return *token ? NULL : err_nomem();
}

struct err *
pick_token(const char *url, char **bare, char **token)
{
	_free_ char *address = strdup(url), *found = NULL;
	const char *given = getenv("INQUEST_TOKEN");

	if (!address)
		return err_nomem();
	struct err *err = pick_cut_token(address, &found);
	if (err)
		return err;
	if (!found && given && *given) {
		found = strdup(given);
		if (!found)
			return err_nomem();
	}
	if (!found && pick_is_here(address))
		err = pick_own_token(&found);
	if (err)
		return err;
	*bare = take(address);
	*token = take(found);
	return NULL;
}

struct err *
pick_fetch(const char *url, int fd)
{
	_free_ char *bare = NULL, *token = NULL;
	struct progress progress;

	struct err *err = pick_token(url, &bare, &token);
	if (err)
		return err;
	progress_init(&progress);
	const struct net_fetch fetch = {
		.url = bare, .token = token, .limit = FETCH_MAX, .out = fd,
		.progress = progress_show, .progress_arg = &progress,
	};
	err = net_fetch(&fetch);
	progress_end(&progress);
	return err;
}

static struct err *
pick_url(const char *url, struct pick *out)
{
	/* A token is no part of what is shown. */
	out->title = strndup(url, strcspn(url, "?"));
	if (!out->title)
		return err_nomem();
	struct err *err = outfile_scratch(&out->fd);
	if (!err)
		err = pick_fetch(url, out->fd);
	if (err_kind(err) != ERR_DENIED)
		return err;
	_err_ struct err *denied = err;
	return err_new(ERR_DENIED, "%s; " PROGRAM " token create, where it "
		       "runs, makes a token: give it behind ?token=, or in "
		       "$INQUEST_TOKEN", err_text(denied));
}

/* ---- all of them ---- */

struct err *
pick_open(const char *typed, struct pick *out)
{
	_pick_ struct pick p = PICK_NONE;
	struct stat st;
	struct err *err;

	if (pick_is_url(typed)) {
		err = pick_url(typed, &p);
	} else if (stat(typed, &st) < 0 && pick_is_object(typed)) {
		err = pick_object(typed, &p);
	} else if (strstr(typed, "://") && stat(typed, &st) < 0) {
		err = err_new(ERR_USAGE, "%s: only URLs of http and https are "
			      "fetched", typed);
	} else {
		err = pick_open_file(typed, &p.fd);
		p.title = strdup(typed);
	}
	if (err)
		return err;
	if (!p.title)
		return err_nomem();
	*out = p;
	p = (struct pick)PICK_NONE;
	return NULL;
}

struct err *
pick_again(const char *typed, char **out)
{
	_free_ char *path = pick_is_url(typed) ? NULL : realpath(typed, NULL);

	*out = path ? take(path) : strdup(typed);
	return *out ? NULL : err_nomem();
}
