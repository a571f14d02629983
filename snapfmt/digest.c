/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place where checksums are compared. It is a file of its own so that
 * the fuzz target can link one that always agrees: otherwise no mutated input
 * would ever get past the first checksum.
 */
#include <string.h>

#include "snapfmt/layout.h"

bool
digest_equal(const void *computed, const void *stored, size_t n)
{
	return memcmp(computed, stored, n) == 0;
}
