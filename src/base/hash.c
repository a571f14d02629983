/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes: SHA-256 for keys that others trust, XXH3 against accidents. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <xxhash.h>

#include "base/base.h"

/*
 * Otherwise the first digest opens openssl.cnf, which ends a jailed process.
 * Only the first call in a process does anything.
 */
static bool
crypto_start(void)
{
	return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

static struct err *
sha_refused(void)
{
	return err_new(ERR_FAILED, "libcrypto refuses SHA-256");
}

struct err *
hash_sha256(const void *data, size_t n, uint8_t out[SHA256_SIZE])
{
	if (!crypto_start())
		return err_new(ERR_FAILED, "libcrypto does not start");
	if (!EVP_Digest(n ? data : "", n, out, NULL, EVP_sha256(), NULL))
		return sha_refused();
	return NULL;
}

/* struct hash_sha is the library's context under a name of ours. */
static EVP_MD_CTX *
context_of(struct hash_sha *h)
{
	return (EVP_MD_CTX *)h;
}

struct hash_sha *
hash_sha_new(void)
{
	EVP_MD_CTX *context = crypto_start() ? EVP_MD_CTX_new() : NULL;

	if (context && !EVP_DigestInit_ex(context, EVP_sha256(), NULL)) {
		EVP_MD_CTX_free(context);
		context = NULL;
	}
	return (struct hash_sha *)context;
}

struct err *
hash_sha_add(struct hash_sha *h, const void *data, size_t n)
{
	return EVP_DigestUpdate(context_of(h), n ? data : "", n) ? NULL :
	       sha_refused();
}

struct err *
hash_sha_end(struct hash_sha *h, uint8_t out[SHA256_SIZE])
{
	return EVP_DigestFinal_ex(context_of(h), out, NULL) ? NULL :
	       sha_refused();
}

static void
hash_sha_free(struct hash_sha *h)
{
	EVP_MD_CTX_free(context_of(h));
}

void
hash_sha_freep(struct hash_sha **h)
{
	hash_sha_free(*h);
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
