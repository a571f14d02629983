/* SPDX-License-Identifier: Apache-2.0 */
/* The checksum behind each value on disk. */
#include <string.h>

#include "store/seal.h"

/** The first bytes of XXH3-128 of the three ones of table, key and value. */
static void
seal_of(enum table table, struct span key, struct span value,
	uint8_t out[SEAL_SIZE])
{
	uint8_t number = table, digest[3 * XXH128_SIZE], all[XXH128_SIZE];

	hash_xxh128(&number, 1, digest);
	hash_xxh128(key.data, key.n, digest + XXH128_SIZE);
	hash_xxh128(value.data, value.n, digest + 2 * XXH128_SIZE);
	hash_xxh128(digest, sizeof(digest), all);
	memcpy(out, all, SEAL_SIZE);
}

void
seal_put(enum table table, struct span key, struct span value, void *out)
{
	if (value.n)
		memcpy(out, value.data, value.n);
	seal_of(table, key, value, (uint8_t *)out + value.n);
}

bool
seal_open(enum table table, struct span key, struct span sealed,
	  struct span *out)
{
	uint8_t seal[SEAL_SIZE];

	if (sealed.n < SEAL_SIZE)
		return false;
	struct span value = { sealed.data, sealed.n - SEAL_SIZE };
	seal_of(table, key, value, seal);
	if (memcmp(seal, (const uint8_t *)value.data + value.n, SEAL_SIZE))
		return false;
	*out = value;
	return true;
}
