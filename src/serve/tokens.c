/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokens.c: who may see which project. Two files beside the store, for its
 * owner only (0600):
 *
 *	token   the owner's own, for all projects, in clear
 *	tokens  of the others; a line each, of its SHA-256 only:
 *		DIGEST PROJECT CREATED LABEL
 *
 * PROJECT is "*" for all of them, CREATED nanoseconds since the epoch, LABEL
 * the rest of the line, with control bytes escaped. "tokens" is replaced as a
 * whole, by one process at a time (flock on "tokens.lock").
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "serve/tokens.h"

#define FILE_MAX (4u << 20)
#define LABEL_MAX 200u
#define TOKENS_MAX 4096u

struct row {
	uint8_t digest[SHA256_SIZE];
	struct token token;
};
/* All of "tokens", in an arena. */
struct table {
	struct arena *arena;
	struct vec rows;        /* of struct row */
};

static void
table_fini(struct table *t)
{
	arena_free(t->arena);
}
#define _table_ _cleanup_(table_fini)

/* ---- files ---- */

/* What is not there is empty; what others can read is not believed. */
static struct err *
token_read(const char *dir, const char *name, struct buf *out)
{
	_free_ char *path = NULL;
	struct stat st;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return err_nomem();
	if (stat(path, &st) < 0)
		return errno == ENOENT ? NULL
				       : err_errno("cannot read %s", path);
	if (st.st_mode & 077)
		return err_new(ERR_DENIED, "%s can be read or written by "
			       "others; make new tokens and `chmod 600` it",
			       path);
	return io_read_file(path, FILE_MAX, out);
}

static struct err *
token_sync_dir(const char *dir)
{
	_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_errno("cannot make sure of %s", dir);
	return NULL;
}

/* The caller has the lock. */
static struct err *
token_replace(const char *dir, const char *name, const struct buf *b)
{
	_free_ char *path = NULL, *fresh = NULL;

	if (asprintf(&path, "%s/%s", dir, name) < 0
	    || asprintf(&fresh, "%s/%s.new", dir, name) < 0)
		return err_nomem();
	unlink(fresh);
	_close_ int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			      0600);
	if (fd < 0)
		return err_errno("cannot write %s", fresh);
	struct err *err = io_write(fd, b->data, b->len);
	if (!err && (fsync(fd) < 0 || rename(fresh, path) < 0))
		err = err_errno("cannot write %s", path);
	if (err) {
		unlink(fresh);
		return err;
	}
	return token_sync_dir(dir);
}

static struct err *
token_lock(const char *dir, int *out)
{
	_free_ char *path = NULL;

	if (asprintf(&path, "%s/tokens.lock", dir) < 0)
		return err_nomem();
	_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno("cannot open %s", path);
	while (flock(fd, LOCK_EX) < 0) {
		if (errno != EINTR)
			return err_errno("cannot lock %s", path);
	}
	*out = fd;
	fd = -1;
	return NULL;
}

/* ---- one token ---- */

static struct err *
token_random(char out[TOKEN_DIGITS + 1])
{
	uint8_t bytes[TOKEN_DIGITS / 2];
	_buf_ struct buf text = { 0 };

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return err_errno("cannot make a token");
	buf_hex(&text, bytes, sizeof(bytes));
	struct err *err = buf_err(&text);
	if (err)
		return err;
	memcpy(out, text.data, TOKEN_DIGITS + 1);
	return NULL;
}

/* In the same time wherever they differ. */
static bool
token_same(const uint8_t a[SHA256_SIZE], const uint8_t b[SHA256_SIZE])
{
	uint8_t differ = 0;

	for (size_t k = 0; k < SHA256_SIZE; k++)
		differ |= a[k] ^ b[k];
	return differ == 0;
}

static void
token_name(struct row *r)
{
	for (size_t k = 0; k < TOKEN_ID_DIGITS / 2; k++)
		snprintf(r->token.id + 2 * k, 3, "%02x", r->digest[k]);
}

/* ---- the table ---- */

/* A word of @line up to a blank, which is cut off; NULL if there is none. */
static char *
row_word(char **line)
{
	char *word = *line, *blank = strchr(word, ' ');

	if (!blank || blank == word)
		return NULL;
	*blank = '\0';
	*line = blank + 1;
	return word;
}

static bool
row_parse(char *line, struct row *r)
{
	char *digest = row_word(&line);
	char *project = digest ? row_word(&line) : NULL;
	char *created = project ? row_word(&line) : NULL;
	char *end;

	if (!created || strlen(digest) != 2 * (size_t)SHA256_SIZE
	    || !hex_bytes(digest, SHA256_SIZE, r->digest))
		return false;
	if (strcmp(project, "*") != 0) {
		if (!store_name_ok(project))
			return false;
		memcpy(r->token.project, project, strlen(project) + 1);
	}
	r->token.created_ns = strtoull(created, &end, 10);
	r->token.label = line;
	token_name(r);
	return *end == '\0';
}

static struct err *
table_read(const char *dir, struct table *t)
{
	_buf_ struct buf text = { 0 };
	char *rest, *line;

	t->arena = arena_new(0);
	t->rows.max = TOKENS_MAX;
	struct err *err = t->arena ? token_read(dir, "tokens", &text)
				   : err_nomem();
	if (err)
		return err;
	rest = arena_strndup(t->arena, text.data ? text.data : "", text.len);
	if (!rest)
		return err_nomem();
	while ((line = strsep(&rest, "\n"))) {
		if (!*line)
			continue;
		struct row *r = vec_add(&t->rows, t->arena, sizeof(*r));
		if (!r)
			return err_new(ERR_LIMIT, "%s/tokens: over %u tokens",
				       dir, TOKENS_MAX);
		if (!row_parse(line, r))
			return err_new(ERR_DAMAGED, "%s/tokens: line %zu is "
				       "none of a token", dir, t->rows.n);
	}
	return NULL;
}

static void
row_put(struct buf *b, const struct row *r)
{
	buf_hex(b, r->digest, sizeof(r->digest));
	buf_printf(b, " %s %" PRIu64 " %s\n",
		   *r->token.project ? r->token.project : "*",
		   r->token.created_ns, r->token.label);
}

/* Without the row @but, if not NULL; the caller has the lock. */
static struct err *
table_write(const char *dir, const struct table *t, const struct row *but)
{
	const struct row *rows = t->rows.data;
	_buf_ struct buf b = { 0 };

	for (size_t k = 0; k < t->rows.n; k++) {
		if (&rows[k] != but)
			row_put(&b, &rows[k]);
	}
	struct err *err = buf_err(&b);
	return err ? err : token_replace(dir, "tokens", &b);
}

/* ---- the verbs ---- */

static struct err *
token_add(struct table *t, const char *text, const char *project,
	  const char *label)
{
	struct row *r = vec_add(&t->rows, t->arena, sizeof(*r));
	_buf_ struct buf shown = { 0 };
	struct timespec now;

	if (!r)
		return err_new(ERR_LIMIT, "there are %u tokens already; "
			       "revoke some", TOKENS_MAX);
	buf_escape(&shown, label, strnlen(label, LABEL_MAX));
	clock_gettime(CLOCK_REALTIME, &now);
	r->token.created_ns = (uint64_t)now.tv_sec * 1000000000u
			      + (uint64_t)now.tv_nsec;
	r->token.label = arena_strdup(t->arena, shown.data ? shown.data : "");
	memcpy(r->token.project, project, strlen(project) + 1);
	if (!r->token.label)
		return err_nomem();
	return hash_sha256(text, TOKEN_DIGITS, r->digest);
}

struct err *
token_create(const char *dir, const char *project, const char *label,
	     char out[TOKEN_DIGITS + 1])
{
	_table_ struct table t = { 0 };
	char text[TOKEN_DIGITS + 1];
	_close_ int lock = -1;

	project = project ? project : "";
	if (*project && !store_name_ok(project))
		return err_new(ERR_USAGE, "\"%s\" is no name of a project",
			       project);
	struct err *err = token_lock(dir, &lock);
	if (!err)
		err = table_read(dir, &t);
	if (!err)
		err = token_random(text);
	if (!err)
		err = token_add(&t, text, project, label ? label : "");
	if (!err)
		err = table_write(dir, &t, NULL);
	if (err)
		return err;
	memcpy(out, text, sizeof(text));
	return NULL;
}

struct err *
token_list(const char *dir, token_each_fn *each, void *arg)
{
	_table_ struct table t = { 0 };

	struct err *err = table_read(dir, &t);
	if (err)
		return err;
	const struct row *rows = t.rows.data;
	for (size_t k = 0; k < t.rows.n; k++)
		each(arg, &rows[k].token);
	return NULL;
}

static struct err *
table_find(const struct table *t, const char *id, const struct row **out)
{
	const struct row *rows = t->rows.data, *found = NULL;

	for (size_t k = 0; k < t->rows.n; k++) {
		if (!*id || strncmp(rows[k].token.id, id, strlen(id)) != 0)
			continue;
		if (found)
			return err_new(ERR_USAGE, "several tokens begin with "
				       "\"%s\": %s, %s", id, found->token.id,
				       rows[k].token.id);
		found = &rows[k];
	}
	if (!found)
		return err_new(ERR_NOTFOUND, "no token is called \"%s\"", id);
	*out = found;
	return NULL;
}

struct err *
token_revoke(const char *dir, const char *id)
{
	_table_ struct table t = { 0 };
	const struct row *r = NULL;
	_close_ int lock = -1;

	struct err *err = token_lock(dir, &lock);
	if (!err)
		err = table_read(dir, &t);
	if (!err)
		err = table_find(&t, id, &r);
	return err ? err : table_write(dir, &t, r);
}

/* ---- one's own ---- */

static struct err *
own_read(const char *dir, char out[TOKEN_DIGITS + 1], bool *there)
{
	uint8_t bytes[TOKEN_DIGITS / 2];
	_buf_ struct buf text = { 0 };

	struct err *err = token_read(dir, "token", &text);
	if (err)
		return err;
	*there = text.len > 0;
	if (!*there)
		return NULL;
	if (text.len < TOKEN_DIGITS || !hex_bytes(text.data, sizeof(bytes),
						  bytes))
		return err_new(ERR_DAMAGED, "%s/token holds no token; remove "
			       "it, and a new one is made", dir);
	memcpy(out, text.data, TOKEN_DIGITS);
	out[TOKEN_DIGITS] = '\0';
	return NULL;
}

static struct err *
own_make(const char *dir, char out[TOKEN_DIGITS + 1])
{
	char text[TOKEN_DIGITS + 1];
	_buf_ struct buf line = { 0 };
	_close_ int lock = -1;
	bool there = false;

	struct err *err = token_lock(dir, &lock);
	/* Another process may have made it meanwhile. */
	if (!err)
		err = own_read(dir, out, &there);
	if (err || there)
		return err;
	err = token_random(text);
	if (err)
		return err;
	buf_printf(&line, "%s\n", text);
	err = buf_err(&line);
	if (!err)
		err = token_replace(dir, "token", &line);
	if (!err)
		memcpy(out, text, sizeof(text));
	return err;
}

struct err *
token_own(const char *dir, char out[TOKEN_DIGITS + 1])
{
	bool there = false;

	struct err *err = own_read(dir, out, &there);
	return err || there ? err : own_make(dir, out);
}

/* ---- the check ---- */

struct err *
token_scope(const char *dir, const char *text,
	    char project[STORE_NAME_MAX + 1], char id[TOKEN_ID_DIGITS + 1])
{
	uint8_t digest[SHA256_SIZE], own[SHA256_SIZE];
	char mine[TOKEN_DIGITS + 1] = "";
	_table_ struct table t = { 0 };
	bool there = false, known;

	struct err *err = own_read(dir, mine, &there);
	if (!err)
		err = table_read(dir, &t);
	if (!err)
		err = hash_sha256(text, strnlen(text, TOKEN_DIGITS + 1), digest);
	if (!err)
		err = hash_sha256(mine, sizeof(mine) - 1, own);
	if (err)
		return err;
	const struct row *rows = t.rows.data;
	const char *scope = "", *name = "";
	known = token_same(digest, own) && there;
	for (size_t k = 0; k < t.rows.n; k++) {
		if (!token_same(digest, rows[k].digest))
			continue;
		known = true;
		scope = rows[k].token.project;
		name = rows[k].token.id;
	}
	if (!known)
		return err_new(ERR_DENIED, "this is no token of this store");
	memcpy(project, scope, strlen(scope) + 1);
	memcpy(id, name, strlen(name) + 1);
	return NULL;
}

struct err *
token_check(const char *dir, const char *text, const char *project)
{
	char scope[STORE_NAME_MAX + 1], id[TOKEN_ID_DIGITS + 1];

	struct err *err = token_scope(dir, text, scope, id);
	if (err)
		return err;
	if (project && *scope && strcmp(scope, project) != 0)
		return err_new(ERR_DENIED, "this token is for another project");
	return NULL;
}
