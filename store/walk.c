/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables from their first entry to the last, by one search for each: so that
 * nothing is held that a change would end.
 */
#include <string.h>

#include "store/impl.h"

struct err *
key_copy(struct span key, struct key *out)
{
	if (key.n >= sizeof(out->bytes))
		return err_new(ERR_DAMAGED, "a key of %zu bytes", key.n);
	memcpy(out->bytes, key.data, key.n);
	out->n = key.n;
	return NULL;
}

void
key_step(struct key *k)
{
	if (k->n < sizeof(k->bytes))
		k->bytes[k->n++] = 0;
}

struct err *
table_each(struct txn *t, enum table table, row_fn *each, void *arg)
{
	struct key key = { .n = 1 };
	struct entry e;
	struct err *err = NULL;

	while (!err) {
		err = txn_seek(t, table, key_span(&key), SEEK_AT_LEAST, &e);
		if (err || !e.key.data)
			break;
		err = key_copy(e.key, &key);
		if (!err)
			err = each(arg, key_span(&key), e.value);
		key_step(&key);
	}
	return err;
}
