/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store and its projects: opened by URL, names checked, a project's
 * database opened when it is asked for and closed when others are.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/impl.h"

/* ---- names ---- */
static bool
is_name_char(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' ||
	       (!first && (c == '.' || c == '-'));
}

bool
store_name_ok(const char *name)
{
	size_t n = 0;

	for (; name[n]; n++)
		if (n >= STORE_NAME_MAX || !is_name_char(name[n], n == 0))
			return false;
	return n > 0;
}

struct err *
project_name_check(const char *name)
{
	return store_name_ok(name) ? NULL :
	       err_new(ERR_USAGE, "\"%.*s\" is no name of a project: at most "
		       "%d letters, digits, '.', '_' and '-', not beginning "
		       "with '.' or '-'", 2 * STORE_NAME_MAX, name,
		       STORE_NAME_MAX);
}

/* ---- the store ---- */
static struct err *
backend_of(const char *url, const struct store_options *o,
	   struct backend **out)
{
	if (strcmp(url, "mem:") == 0)
		return backend_mem_open(out);
	if (strncmp(url, "lmdb:", 5) == 0)
		url += 5;
	if (!*url)
		return err_new(ERR_USAGE, "a store needs a directory");
	return backend_lmdb_open(url, o, out);
}

static uint64_t
partition_size(const struct store_options *o)
{
	uint64_t size = o->partition_size;

	if (!size)
		return PARTITION_DEFAULT;
	return size < PARTITION_LEAST ? PARTITION_LEAST :
	       size > PARTITION_MOST ? PARTITION_MOST : size;
}

struct err *
store_open(const char *url, const struct store_options *options,
	   struct store **out)
{
	_store_ struct store *s = calloc(1, sizeof(*s));

	if (!s)
		return err_nomem();
	s->options = options ? *options : (struct store_options){ 0 };
	s->pid = getpid();
	s->partition_size = partition_size(&s->options);
	s->url = strdup(url);
	if (!s->url)
		return err_nomem();
	struct err *err = backend_of(url, &s->options, &s->backend);
	if (err)
		return err;
	*out = take(s);
	return NULL;
}

static void
project_close(struct project *p)
{
	if (p->db)
		p->db->ops->close(p->db);
	*p = (struct project){ 0 };
}

void
store_free(struct store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < PROJECTS_OPEN; i++)
		project_close(&s->project[i]);
	if (s->backend)
		s->backend->ops->free(s->backend);
	free(s->url);
	free(s);
}

void
store_freep(struct store **s)
{
	store_free(*s);
}

/* An environment of LMDB is not carried over fork(). */
static struct err *
check_process(const struct store *s)
{
	return s->pid == getpid() ? NULL :
	       err_new(ERR_USAGE, "the store %s was opened by another "
		       "process; open it anew", s->url);
}

/* ---- a project's first and following openings ---- */
struct err *
counters_load(struct txn *t, struct counters *out)
{
	struct span value;
	struct err *err = txn_get(t, TABLE_STATE,
				  (struct span){ "counters", 8 }, &value);

	if (!err && !value.data)
		err = err_new(ERR_DAMAGED, "its counters are missing");
	return err ? err : counters_get(value, out);
}

/** The first transaction of a project. */
static struct err *
project_init(struct txn *t, void *arg)
{
	const struct db *db = arg;
	const struct format format = { STORE_VERSION, db->ops->kind(db) };
	const struct counters counters = { 1, 1, 0 };
	_buf_ struct buf text = { 0 }, numbers = { 0 };

	format_put(&format, &text);
	counters_put(&counters, &numbers);
	if (text.failed || numbers.failed)
		return err_nomem();
	struct err *err = txn_put(t, TABLE_STATE,
				  (struct span){ "format", 6 },
				  (struct span){ text.data, text.len });
	return err ? err : txn_put(t, TABLE_STATE,
				   (struct span){ "counters", 8 },
				   (struct span){ numbers.data, numbers.len });
}

/** Was it made by this version, on such a machine? */
static struct err *
project_check(struct txn *t, void *arg)
{
	const struct db *db = arg;
	const char *kind = db->ops->kind(db);
	struct format f = { 0 };
	struct span value;
	struct err *err = txn_get(t, TABLE_STATE,
				  (struct span){ "format", 6 }, &value);

	if (!err && !value.data)
		err = err_new(ERR_DAMAGED, "its format is not told");
	if (!err)
		err = format_get(value, &f);
	if (err)
		return err_wrap(err, "%s", db->ops->path(db));
	if (f.version == STORE_VERSION && strcmp(f.kind, kind) == 0)
		return NULL;
	return err_new(ERR_UNSUPPORTED, "%s is a store of version %u (%s); "
		       "this program reads version %u (%s)",
		       db->ops->path(db), f.version, f.kind, STORE_VERSION,
		       kind);
}

static struct err *
project_open(struct store *s, const char *name, bool create, struct project *p)
{
	struct db *db = NULL;
	struct err *err = s->backend->ops->open(s->backend, name,
						create ? project_init : NULL,
						&db);

	if (err)
		return err;
	err = db_read(db, project_check, db);
	if (err) {
		db->ops->close(db);
		return err;
	}
	project_close(p);
	name_copy(name, p->name);
	p->db = db;
	return NULL;
}

static struct err *
name_gather(void *arg, const char *name)
{
	struct buf *b = arg;

	buf_printf(b, "%s%s", b->len ? ", " : "", name);
	return NULL;
}

/** Takes @err, which says that there is no such project. */
static struct err *
with_names(struct store *s, struct err *err)
{
	_buf_ struct buf names = { .max = 400 };
	_err_ struct err *bad = s->backend->ops->projects(s->backend,
							  name_gather,
							  &names);

	if (bad || names.failed)
		return err;
	_err_ struct err *plain = err;
	return err_new(ERR_NOTFOUND, "%s; those there are: %s",
		       err_text(plain), names.len ? names.data : "none");
}

static struct project *
project_slot(struct store *s, const char *name)
{
	struct project *oldest = &s->project[0];

	for (size_t i = 0; i < PROJECTS_OPEN; i++) {
		struct project *p = &s->project[i];

		if (p->db && strcmp(p->name, name) == 0)
			return p;
		if (p->used < oldest->used)
			oldest = p;
	}
	return oldest;
}

struct err *
store_project(struct store *s, const char *name, bool create,
	      struct project **out)
{
	struct project *p = project_slot(s, name);
	struct err *err = check_process(s);

	if (!err)
		err = project_name_check(name);
	if (!err && (!p->db || strcmp(p->name, name) != 0))
		err = project_open(s, name, create, p);
	if (err)
		return err_kind(err) == ERR_NOTFOUND ? with_names(s, err) :
		       err;
	p->used = ++s->calls;
	*out = p;
	return NULL;
}

struct err *
store_projects(struct store *s, store_project_fn *each, void *arg)
{
	struct err *err = check_process(s);

	return err ? err : s->backend->ops->projects(s->backend, each, arg);
}

struct err *
store_each_project(struct store *s, const char *name, store_project_fn *each,
		   void *arg)
{
	return name ? each(arg, name) : store_projects(s, each, arg);
}

/* ---- references and messages ---- */
void
name_copy(const char *name, char out[STORE_NAME_MAX + 1])
{
	size_t n = strnlen(name, STORE_NAME_MAX);

	memcpy(out, name, n);
	out[n] = '\0';
}

struct store_ref
ref_of(const char *project, uint64_t number)
{
	struct store_ref ref = { .number = number };

	name_copy(project, ref.project);
	return ref;
}

void
digits_of(const uint8_t hash[SHA256_SIZE], char out[STORE_DIGITS + 1])
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < STORE_DIGITS; i++)
		out[i] = hex[hash[i / 2] >> (i % 2 ? 0 : 4) & 15];
	out[STORE_DIGITS] = '\0';
}

struct err *
store_wrap(struct err *err, const struct store_object *o)
{
	char digits[STORE_DIGITS + 1];

	digits_of(o->hash, digits);
	return err_wrap(err, "object %s/%llx %s", o->ref.project,
			(unsigned long long)o->ref.number, digits);
}
