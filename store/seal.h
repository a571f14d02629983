/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to store: the checksum behind each value on disk, of table, key and
 * value, so that a record that came to another place is noticed, too.
 */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include "store/backend.h"

#define SEAL_SIZE 8u

/** @value with its checksum behind it; @out has room for both. */
void seal_put(enum table table, struct span key, struct span value, void *out);
/** False if the checksum is another one. */
bool seal_open(enum table table, struct span key, struct span sealed,
	       struct span *out) _must_check_;

#endif
