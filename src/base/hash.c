/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes: SHA-256 for keys that others trust, XXH3 against accidents. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <xxhash.h>

#include "base/base.h"

struct err *
hash_sha256(const void *data, size_t n, uint8_t out[SHA256_SIZE])
{
	/*
	 * Otherwise the first digest opens openssl.cnf, which ends a jailed
	 * process. Only the first call in a process does anything.
	 */
	if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
		return err_new(ERR_FAILED, "libcrypto does not start");
	if (!EVP_Digest(n ? data : "", n, out, NULL, EVP_sha256(), NULL))
		return err_new(ERR_FAILED, "libcrypto refuses SHA-256");
	return NULL;
}

static void
put_canonical(XXH128_hash_t hash, uint8_t out[XXH128_SIZE])
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, hash);
	memcpy(out, canonical.digest, XXH128_SIZE);
}

void
hash_xxh128(const void *data, size_t n, uint8_t out[XXH128_SIZE])
{
	put_canonical(XXH3_128bits(data, n), out);
}

/* struct hash_xxh is the library's state under a name of ours. */
static XXH3_state_t *
state_of(struct hash_xxh *h)
{
	return (XXH3_state_t *)h;
}

struct hash_xxh *
hash_xxh_new(void)
{
	XXH3_state_t *state = XXH3_createState();

	if (state)
		XXH3_128bits_reset(state);
	return (struct hash_xxh *)state;
}

void
hash_xxh_add(struct hash_xxh *h, const void *data, size_t n)
{
	if (n)
		XXH3_128bits_update(state_of(h), data, n);
}

void
hash_xxh_end(struct hash_xxh *h, uint8_t out[XXH128_SIZE])
{
	put_canonical(XXH3_128bits_digest(state_of(h)), out);
}

void
hash_xxh_free(struct hash_xxh *h)
{
	XXH3_freeState(state_of(h));
}
