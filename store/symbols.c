/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Symbol files: objects that their attributes say to be the ELF file, or the
 * debug file, of a build-id. Each has a row by which it is found.
 */
#include <string.h>

#include "store/impl.h"

#define ROW "symbols"           /* begins the key, with its NUL */
#define ID_LEAST 2u
#define ID_MOST 64u             /* bytes */

static const struct snap_attr *
attr_of(const struct store_object *o, const char *key, uint8_t type)
{
	for (size_t k = 0; k < o->n_attrs; k++)
		if (o->attrs[k].type == type
		    && strcmp(o->attrs[k].key, key) == 0)
			return &o->attrs[k];
	return NULL;
}

static bool
key_begin(struct key *key, const uint8_t *id, size_t n)
{
	if (n < ID_LEAST || n > ID_MOST)
		return false;
	memcpy(key->bytes, ROW, sizeof(ROW));
	key->n = sizeof(ROW);
	/* Else rows of a longer id could lie between those of this one. */
	key->bytes[key->n++] = (uint8_t)n;
	memcpy(key->bytes + key->n, id, n);
	key->n += n;
	return true;
}

static void
key_end(struct key *key, uint64_t number)
{
	struct key last = key_number(number);

	memcpy(key->bytes + key->n, last.bytes, last.n);
	key->n += last.n;
}

/** The key of its row; false: it is no symbol file. */
static bool
row_of(const struct store_object *o, struct key *key, uint8_t *kinds)
{
	const struct snap_attr *id = attr_of(o, STORE_SYMBOLS_ID,
					     SNAP_ATTR_STRING);
	const struct snap_attr *of = attr_of(o, STORE_SYMBOLS_KINDS,
					     SNAP_ATTR_U64);
	size_t n = id && of ? strlen(id->string) : 0;
	uint8_t bytes[ID_MOST];

	if (!n || n % 2 || n / 2 > ID_MOST || !hex_bytes(id->string, n / 2,
							 bytes)
	    || !key_begin(key, bytes, n / 2))
		return false;
	key_end(key, o->ref.number);
	*kinds = (uint8_t)of->number;
	return true;
}

bool
store_is_symbols(const struct store_object *o)
{
	uint8_t kinds;
	struct key key;

	return row_of(o, &key, &kinds);
}

struct err *
symbols_save(struct txn *t, const struct store_object *o)
{
	uint8_t kinds;
	struct key key;

	return !row_of(o, &key, &kinds) ? NULL
	       : txn_put(t, TABLE_STATE, key_span(&key),
			 (struct span){ &kinds, sizeof(kinds) });
}

struct err *
symbols_drop(struct txn *t, const struct store_object *o)
{
	uint8_t kinds;
	struct key key;

	return row_of(o, &key, &kinds) ? txn_del(t, TABLE_STATE, key_span(&key))
				       : NULL;
}

struct err *
symbols_check(struct txn *t, const struct store_object *o)
{
	struct span value;
	uint8_t kinds;
	struct key key;

	if (!row_of(o, &key, &kinds))
		return NULL;
	struct err *err = txn_get(t, TABLE_STATE, key_span(&key), &value);
	if (err || (value.n == 1 && *(const uint8_t *)value.data == kinds))
		return err;
	return err_new(ERR_DAMAGED, "it is not known by its build-id");
}

/* ---- looking one up ---- */
struct symbols {
	struct key key;         /* its last 8 bytes are the number's */
	size_t n;               /* of them, what all rows of the id begin with */
	uint8_t kinds;          /* exactly these */
	uint32_t skip;
	uint64_t number;        /* found */
};

/* One row further; false in *@more: there is none. */
static struct err *
symbols_step(struct txn *t, struct symbols *s, bool *more)
{
	struct entry e;
	struct err *err = txn_seek(t, TABLE_STATE, key_span(&s->key),
				   SEEK_AT_LEAST, &e);

	*more = false;
	if (err || e.key.n != s->n + 8
	    || memcmp(e.key.data, s->key.bytes, s->n) != 0)
		return err;
	bool fits = e.value.n == 1
		    && *(const uint8_t *)e.value.data == s->kinds;
	err = key_copy(e.key, &s->key);
	if (err)
		return err;
	if (fits && s->skip-- == 0)
		s->number = key_get_number((struct span){ s->key.bytes + s->n,
							  8 });
	key_step(&s->key);
	*more = !s->number;
	return NULL;
}

static struct err *
symbols_run(struct txn *t, void *arg)
{
	struct symbols *s = arg;
	struct err *err = NULL;
	bool more = true;

	while (!err && more)
		err = symbols_step(t, s, &more);
	s->key.n = s->n;
	return err;
}

struct err *
store_symbols(struct store *s, const char *project,
	      const struct store_symbols *asked, struct store_ref *out)
{
	const uint8_t orders[] = { STORE_SYMBOLS_CODE | STORE_SYMBOLS_DEBUG,
				   asked->kind };
	struct symbols look = { .skip = asked->nth };
	struct project *p;
	struct err *err = store_project(s, project, false, &p);
	bool is_id = key_begin(&look.key, asked->id.data, asked->id.n);

	look.n = look.key.n;
	for (size_t k = 0; k < countof(orders) && is_id && !err
	     && !look.number; k++) {
		look.kinds = orders[k];
		err = db_read(p->db, symbols_run, &look);
	}
	if (!err && !look.number)
		err = err_new(ERR_NOTFOUND, "the project %s has no %sfile of "
			      "this build-id", project,
			      asked->nth ? "further " : "");
	if (!err)
		*out = ref_of(project, look.number);
	return err;
}
