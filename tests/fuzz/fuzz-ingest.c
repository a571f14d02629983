/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes as a symbol file, or as what a jailed reader tells of a file. What is accepted are
 * pieces without a gap and attributes that a store can take.
 */
#include <stdlib.h>
#include <string.h>

#include "serve/serve.h"
#include "tests/fuzz/fuzz.h"

static void
check_pieces(const struct store_put *put)
{
	uint64_t at = 0;

	for (size_t k = 0; k < put->n_pieces; k++) {
		const struct snap_piece *p = &put->pieces[k];

		if (p->offset != at || !p->length || p->kind > 2)
			abort();
		at += p->length;
	}
}

static void
check_attrs(const struct store_put *put)
{
	for (size_t k = 0; k < put->n_attrs; k++) {
		const struct snap_attr *a = &put->attrs[k];

		if (!*a->key || a->type < 1 || a->type > 5
		    || (a->type == SNAP_ATTR_STRING) != (a->string != NULL))
			abort();
	}
}

/* A file that is put: what the jailed side tells of it can be believed. */
static void
check_file(const uint8_t *data, size_t n, struct arena *a)
{
	_source_ struct source *file = NULL;
	_buf_ struct buf record = { 0 };
	struct store_put put = { 0 };

	_err_ struct err *bad = source_mem(data, n, "file", &file);
	if (!bad)
		bad = ingest_describe(file, &record);
	if (bad)
		return;
	_err_ struct err *err = ingest_read(
		(struct span){ record.data, record.len }, a, &put);
	if (err)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_arena_ struct arena *a = arena_new(0);
	struct store_put put = { 0 };

	if (!a)
		return 0;
	if (n > 4 && memcmp(data, "\177ELF", 4) == 0) {
		check_file(data, n, a);
		return 0;
	}
	_err_ struct err *err = ingest_read((struct span){ data, n }, a, &put);
	if (err && (put.n_pieces || put.n_attrs))
		abort();
	if (!err) {
		check_pieces(&put);
		check_attrs(&put);
	}
	return 0;
}
