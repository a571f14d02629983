/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums: apart, so that a fuzzer can agree with all of them. */
#include "symbols/format.h"

bool
format_intact(const void *data, size_t n, uint64_t hash)
{
	return format_hash(data, n) == hash;
}
