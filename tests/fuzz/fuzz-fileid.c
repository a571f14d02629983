/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes as a file of which is asked whether it has a build-id: the id
 * that it was found by is in it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#include "supply/fileid.h"

static const struct module_id wanted = {
	.kind = ID_GNU_BUILD_ID, .len = 3, .bytes = { 0xab, 0xcd, 0xef },
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_close_ int fd = memfd_create("file", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, n) != (ssize_t)n)
		return 0;
	if (fileid_is(fd, &wanted)
	    && !memmem(data, n, wanted.bytes, wanted.len))
		abort();
	return 0;
}
