/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the reader, check and dump of snapshots. No mutated file would pass
 * a checksum, so this program brings a digest_equal() that always agrees, and
 * mends the lengths in the trailer.
 */
#include <stdlib.h>
#include <string.h>

#include "snapfmt/layout.h"
#include "tests/fuzz/fuzz.h"

#define TEXT_MAX (1u << 20)

bool
digest_equal(const void *computed, const void *stored, size_t n)
{
	(void)computed, (void)stored, (void)n;
	return true;
}

static void
put_u64(uint8_t *at, uint64_t v)
{
	for (size_t i = 0; i < 8; i++)
		at[i] = (uint8_t)(v >> 8 * i);
}

/** An input that grew or shrank still ends where its trailer says. */
static void
mend(uint8_t *file, size_t n)
{
	if (n < HEADER_SIZE + TRAILER_SIZE)
		return;
	uint8_t *trailer = file + n - TRAILER_SIZE;
	struct rd r = rd_of(trailer + MAGIC_SIZE, 8);
	uint64_t directory = rd_u64(&r);
	if (directory <= n - TRAILER_SIZE)
		put_u64(trailer + 16, n - TRAILER_SIZE - directory);
	put_u64(trailer + 24, n);
}

static void
read_memory(struct snap *s)
{
	uint8_t bytes[3 * SNAP_CHUNK];
	const struct snap_memory *m;
	size_t n;

	m = snap_memory(s, &n);
	for (size_t i = 0; i < n; i++) {
		size_t part = m[i].length < sizeof(bytes) ? m[i].length :
			      sizeof(bytes);
		err_free(snap_read(s, &m[i], 0, part, bytes));
		err_free(snap_read(s, &m[i], m[i].length - part, part,
				   bytes));
	}
}

static void
use(struct source *src)
{
	_buf_ struct buf text = { .max = TEXT_MAX };
	_snap_ struct snap *s = NULL;
	size_t faults;

	err_free(snap_check(src, NULL, NULL, &faults));
	_err_ struct err *err = snap_open(src, &s);
	if (err)
		return;
	read_memory(s);
	err_free(snap_dump(s, &text));
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
