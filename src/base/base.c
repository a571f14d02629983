/* SPDX-License-Identifier: Apache-2.0 */
/* The free helpers: cleanup functions and checked addition. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"

void
base_free(void *pp)
{
	free(*(void **)pp);
}

void
base_close(int *fd)
{
	int saved = errno;

	/* Runs on the way out of a function whose errno may still be told. */
	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

bool
u64_add(uint64_t a, uint64_t b, uint64_t *sum)
{
	uint64_t s = a + b;

	if (s < a)
		return false;
	*sum = s;
	return true;
}
