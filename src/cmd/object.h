/* SPDX-License-Identifier: Apache-2.0 */
/*
 * object: how objects of the store are named and shown.
 */
#ifndef CMD_OBJECT_H
#define CMD_OBJECT_H

#include "cmd/cmd.h"
#include "store/store.h"

/** The digits of a content hash by which people know an object. */
void object_digits(const uint8_t hash[SHA256_SIZE],
		   char out[STORE_DIGITS + 1]);
/** PROJECT/NUMBER as it is typed. */
void object_ref(struct buf *b, const struct store_ref *ref);
/** The members of a JSON result that name it: id, hash, project, number. */
void object_json(struct json *j, const struct store_ref *ref,
		 const uint8_t hash[SHA256_SIZE]);
/** "2026-01-02 03:04:05", of the machine's time zone. */
void object_time(struct buf *b, uint64_t ns);
/** ISO 8601, UTC; null for 0. */
struct json *object_utc(uint64_t ns);
/** What attribute @key says, as text; NULL where there is none. In @a. */
const char *object_attr(const struct store_object *o, const char *key,
			struct arena *a);
/** Its tags in a word: "a,b"; escaped. */
void object_tags(struct buf *b, const struct store_object *o);

#endif
