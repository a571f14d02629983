/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes as an ELF file with constants, and as a cache's entry of them.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#include "inspect/skeleton.h"
#include "snapfmt/layout.h"
#include "snapfmt/soon.h"

/* No mutated entry would pass a checksum. */
bool
digest_equal(const void *computed, const void *stored, size_t n)
{
	(void)computed, (void)stored, (void)n;
	return true;
}

static struct err *
sink(void *arg, const void *data, size_t n)
{
	(void)arg, (void)data, (void)n;
	return NULL;
}

/* What is taken for windows lies within the bytes. */
static void
use_windows(struct span packed)
{
	static const uint8_t live[SNAP_CHUNK];
	_snap_writer_ struct snap_writer *w = NULL;
	struct snap_moved m;
	bool done;

	if (!snap_moved_open(packed, &m))
		return;
	_err_ struct err *none = snap_writer_new(sink, NULL, 0, &w);
	for (size_t k = 0; k < m.n && !none; k++) {
		if (snap_moved_same(&m, k, live, 0x7f0000001000))
			continue;
		none = snap_put_moved(w, &m, k, 0x7f0000001000, &done);
	}
}

static void
use_file(const uint8_t *data, size_t n)
{
	_arena_ struct arena *a = arena_new(64u << 20);
	_source_ struct source *src = NULL;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct constants c;

	if (fd < 0 || !a)
		abort();
	_err_ struct err *err = io_write(fd, data, n);
	if (err)
		abort();
	err = source_fd(fd, "fuzz", &src);
	if (!err)
		err = constants_read(src, SNAP_MOVED_TO, SNAP_CHUNK, a, &c);
	if (!err && c.bytes.n % SNAP_CHUNK)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	use_windows((struct span){ data, n });
	use_file(data, n);
	return 0;
}
