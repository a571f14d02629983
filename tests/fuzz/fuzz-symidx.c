/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes as an index of symbols. No changed file would pass a checksum,
 * so this program brings a format_intact() that agrees with all; its seeds
 * have blocks that are stored as they are.
 */
#include <stdlib.h>
#include <string.h>

#include "symbols/format.h"
#include "tests/fuzz/fuzz.h"
#include "tests/symbols/walk.h"

#define COUNT_MAX 64u           /* of records: more are the same, only slower */

bool
format_intact(const void *data, size_t n, uint64_t hash)
{
	(void)data, (void)n, (void)hash;
	return true;
}

/** An input that grew or shrank still says how large it is. */
static void
mend(uint8_t *file, size_t n)
{
	struct format_header h;

	if (n < sizeof(h))
		return;
	memcpy(&h, file, sizeof(h));
	memcpy(h.magic, FORMAT_MAGIC, sizeof(h.magic));
	h.version = SYMIDX_VERSION;
	h.size = sizeof(h);
	h.file_size = n;
	h.n_functions %= COUNT_MAX;
	h.n_variables %= COUNT_MAX;
	h.n_types %= COUNT_MAX;
	memcpy(file, &h, sizeof(h));
}

static struct err *
nothing(void *arg, enum sym_what what, uint32_t reference)
{
	(void)arg, (void)what, (void)reference;
	return NULL;
}

static void
use(struct source *src)
{
	_symidx_ struct symidx *ix = NULL;
	struct walked w = { 0 };
	_err_ struct err *err = symidx_open(src, &ix);

	if (err)
		return;
	err_free(walk_index(ix, &w));
	err_free(symidx_named(ix, "node", 15, nothing, NULL));
	err_free(symidx_named(ix, "a::b", 15, nothing, NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_source_ struct source *src = NULL;
	_free_ uint8_t *file = malloc(n ? n : 1);

	if (!file)
		abort();
	if (n)
		memcpy(file, data, n);
	mend(file, n);
	_err_ struct err *err = source_mem(file, n, "fuzz", &src);
	if (!err)
		use(src);
	return 0;
}
