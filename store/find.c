/* SPDX-License-Identifier: Apache-2.0 */
/* What a person means by a few digits, a number, @latest or @latest:DIGITS. */
#include <ctype.h>
#include <string.h>

#include "store/impl.h"

#define HITS_MAX 6u             /* named when several fit */
#define NEAREST_MAX 4u

struct hit {
	struct store_ref ref;
	uint8_t hash[SHA256_SIZE];
};
struct find {
	struct store *store;
	const char *text;       /* as it was typed */
	char prefix[2 * SHA256_SIZE + 1];       /* digits, lower case */
	size_t n_digits;
	struct hit hit[HITS_MAX];
	size_t n_hits;
	struct hit near[NEAREST_MAX];   /* begin with most of the digits */
	size_t near_common[NEAREST_MAX];
	size_t n_near;
	/* For one project at a time. */
	const char *project;
	/* For @latest: of the fingerprint, "" = whatever it is. */
	const char *fingerprint;
	uint64_t newest_ns;
	struct store_ref newest;
};

/* ---- digits of the content hash ---- */
static size_t
common_digits(const struct find *f, const uint8_t hash[SHA256_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	while (n < f->n_digits &&
	       f->prefix[n] == hex[hash[n / 2] >> (n % 2 ? 0 : 4) & 15])
		n++;
	return n;
}

/** The least hash that begins so. */
static void
least_hash(const struct find *f, uint8_t out[SHA256_SIZE])
{
	char digits[2 * SHA256_SIZE + 1];

	memset(digits, '0', sizeof(digits));
	memcpy(digits, f->prefix, f->n_digits);
	if (!hex_bytes(digits, SHA256_SIZE, out))
		memset(out, 0, SHA256_SIZE);
}

static struct hit
hit_of(const struct find *f, const struct entry *e)
{
	struct hit h = { ref_of(f->project, key_get_number(e->value)),
			 { 0 } };

	memcpy(h.hash, e->key.data, SHA256_SIZE);
	return h;
}

/** Sorted by what they have in common, most first. */
static void
near_add(struct find *f, const struct entry *e)
{
	struct hit h = hit_of(f, e);
	size_t common = common_digits(f, h.hash), at = f->n_near;

	while (at && f->near_common[at - 1] < common)
		at--;
	if (at == NEAREST_MAX)
		return;
	if (f->n_near < NEAREST_MAX)
		f->n_near++;
	for (size_t i = f->n_near - 1; i > at; i--) {
		f->near[i] = f->near[i - 1];
		f->near_common[i] = f->near_common[i - 1];
	}
	f->near[at] = h;
	f->near_common[at] = common;
}

static struct err *
digits_seek(struct txn *t, const uint8_t *hash, enum seek how,
	    struct entry *out)
{
	struct err *err = txn_seek(t, TABLE_HASHES,
				   (struct span){ hash, SHA256_SIZE }, how,
				   out);

	if (!err && out->key.data && out->key.n != SHA256_SIZE)
		err = err_new(ERR_DAMAGED, "a content hash has %zu bytes",
			      out->key.n);
	return err;
}

static struct err *
digits_run(struct txn *t, void *arg)
{
	struct find *f = arg;
	uint8_t hash[SHA256_SIZE];
	struct entry e;

	least_hash(f, hash);
	struct err *err = digits_seek(t, hash, SEEK_BELOW, &e);
	if (!err && e.key.data)
		near_add(f, &e);
	while (!err && f->n_hits < HITS_MAX) {
		err = digits_seek(t, hash, SEEK_AT_LEAST, &e);
		if (err || !e.key.data)
			break;
		memcpy(hash, e.key.data, SHA256_SIZE);
		if (common_digits(f, hash) < f->n_digits) {
			near_add(f, &e);
			break;
		}
		f->hit[f->n_hits++] = hit_of(f, &e);
		for (size_t i = SHA256_SIZE; i-- && !++hash[i];)
			;
	}
	return err;
}

static struct err *
digits_in(void *arg, const char *project)
{
	struct find *f = arg;
	struct project *p;
	struct err *err = store_project(f->store, project, false, &p);

	f->project = project;
	return err ? err : db_read(p->db, digits_run, f);
}

static void
hits_name(const struct hit *hit, size_t n, struct buf *out)
{
	char digits[STORE_DIGITS + 1];

	for (size_t i = 0; i < n; i++) {
		digits_of(hit[i].hash, digits);
		buf_printf(out, "%s%s/%llx %s", i ? ", " : "",
			   hit[i].ref.project,
			   (unsigned long long)hit[i].ref.number, digits);
	}
	if (!n)
		buf_puts(out, "none");
}

static struct err *
digits_find(struct find *f, const char *project, struct store_ref *out)
{
	_buf_ struct buf names = { 0 };
	struct err *err = store_each_project(f->store, project, digits_in, f);

	if (err)
		return err;
	if (f->n_hits == 1) {
		*out = f->hit[0].ref;
		return NULL;
	}
	if (f->n_hits) {
		hits_name(f->hit, f->n_hits, &names);
		return err_new(ERR_USAGE, "several objects begin with %s: "
			       "%s%s; give more digits, or PROJECT/NUMBER",
			       f->prefix, names.data ? names.data : "",
			       f->n_hits == HITS_MAX ? ", …" : "");
	}
	hits_name(f->near, f->n_near, &names);
	return err_new(ERR_NOTFOUND, "no object begins with %s; nearest: %s",
		       f->prefix, names.data ? names.data : "");
}

/** Digits, as many as a hash can have; false for anything else. */
static bool
digits_parse(struct find *f)
{
	const char *s = f->text;

	f->n_digits = strlen(s);
	if (!f->n_digits || f->n_digits > 2 * SHA256_SIZE)
		return false;
	for (size_t i = 0; i < f->n_digits; i++) {
		if (!isxdigit((unsigned char)s[i]))
			return false;
		f->prefix[i] = tolower((unsigned char)s[i]);
	}
	return true;
}

/* ---- the newest ---- */
#define LATEST "@latest"
#define FINGERPRINT "fingerprint"       /* the attribute */

/* "@latest", or "@latest:" and digits; false for anything else. */
static bool
latest_parse(struct find *f, const char *text)
{
	size_t n = sizeof(LATEST) - 1, digits;

	if (strncmp(text, LATEST, n) != 0)
		return false;
	f->fingerprint = text + n + (text[n] == ':');
	digits = strspn(f->fingerprint, "0123456789abcdef");
	return !text[n] || (text[n] == ':' && digits >= STORE_PREFIX_MIN
			    && !f->fingerprint[digits]);
}

static bool
latest_fits(const struct find *f, const struct store_object *o)
{
	size_t n = strlen(f->fingerprint);

	if (store_is_symbols(o))
		return false;
	for (size_t k = 0; n && k < o->n_attrs; k++) {
		const struct snap_attr *a = &o->attrs[k];
		if (strcmp(a->key, FINGERPRINT) == 0)
			return a->type == SNAP_ATTR_STRING
			       && strncmp(a->string, f->fingerprint, n) == 0;
	}
	return !n;
}

/* The newest below number @from that fits; *@found tells if there is one. */
static struct err *
latest_below(struct find *f, struct project *p, uint64_t *from, bool *found)
{
	_arena_ struct arena *a = arena_new(0);
	struct store_object o;

	struct err *err = a ? object_newest(p, *from, a, &o, found)
			    : err_nomem();
	if (err || !*found)
		return err;
	*from = o.ref.number;
	if (latest_fits(f, &o)) {
		*found = false;
		if (o.stored_ns >= f->newest_ns) {
			f->newest_ns = o.stored_ns;
			f->newest = o.ref;
		}
	}
	return NULL;
}

static struct err *
latest_in(void *arg, const char *project)
{
	struct find *f = arg;
	uint64_t from = UINT64_MAX;
	struct project *p;
	bool more = true;

	struct err *err = store_project(f->store, project, false, &p);
	while (!err && more)
		err = latest_below(f, p, &from, &more);
	return err;
}

static struct err *
latest_none(const struct find *f, const char *project)
{
	if (*f->fingerprint)
		return err_new(ERR_NOTFOUND, "no object has a fingerprint that "
			       "begins with %s", f->fingerprint);
	return err_new(ERR_NOTFOUND, project ? "the project %s has no snapshot"
					     : "the store has no snapshot",
		       project);
}

static struct err *
latest_find(struct find *f, const char *project, struct store_ref *out)
{
	struct err *err = store_each_project(f->store, project, latest_in, f);

	if (!err && !f->newest.number)
		err = latest_none(f, project);
	if (!err)
		*out = f->newest;
	return err;
}

/* ---- within a project ---- */
static struct err *
not_understood(const char *text)
{
	return err_new(ERR_USAGE, "\"%s\" names no object: give %d or more "
		       "digits of its content hash, PROJECT/NUMBER, "
		       "@latest or @latest:FINGERPRINT", text,
		       STORE_PREFIX_MIN);
}

static struct err *
number_find(struct find *f, const char *project, const char *digits,
	    struct store_ref *out)
{
	_arena_ struct arena *a = arena_new(0);
	struct store_ref ref = ref_of(project, 0);
	struct project *p = NULL;
	struct record r = { .n_pieces = 0 };
	struct err *err = a ? store_project(f->store, project, false, &p) :
			  err_nomem();

	if (err)
		return err;
	if (!hex_u64(digits, strlen(digits), &ref.number))
		return not_understood(f->text);
	err = object_read(p, &ref, a, &r);
	/* A damaged one is found, too. */
	if (err_kind(err) == ERR_DAMAGED) {
		err_free(err);
		err = NULL;
	}
	if (!err)
		*out = ref;
	return err;
}

static struct err *
qualified_find(struct find *f, const char *slash, struct store_ref *out)
{
	char project[STORE_NAME_MAX + 1];
	size_t n = slash - f->text;

	if (n > STORE_NAME_MAX)
		return not_understood(f->text);
	memcpy(project, f->text, n);
	project[n] = '\0';
	if (!store_name_ok(project))
		return not_understood(f->text);
	return latest_parse(f, slash + 1) ?
	       latest_find(f, project, out) :
	       number_find(f, project, slash + 1, out);
}

struct err *
store_find(struct store *s, const char *text, const char *project,
	   struct store_ref *out)
{
	struct find f = { .store = s, .text = text };
	const char *slash = strchr(text, '/');

	if (slash)
		return qualified_find(&f, slash, out);
	if (latest_parse(&f, text))
		return latest_find(&f, project, out);
	if (!digits_parse(&f) || f.n_digits < STORE_PREFIX_MIN)
		return not_understood(text);
	return digits_find(&f, project, out);
}
