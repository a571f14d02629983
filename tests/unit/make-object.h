/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files for the tests of the store, computed from a number: so nobody has to
 * keep a copy to know what is right.
 */
#ifndef UNIT_MAKE_OBJECT_H
#define UNIT_MAKE_OBJECT_H

#include "store/store.h"

struct made {
	struct buf bytes;
	struct snap_piece *piece;
	size_t n;
};

/**
 * File @number of about @size bytes, in pieces of 2,000 to 14,000. Every other
 * piece is the same in four files in a row.
 */
struct err *make_object(uint64_t number, size_t size, struct made *out)
	_must_check_;
void made_fini(struct made *m);
#define _made_ _cleanup_(made_fini)

/** Put it, with the tag "made" and its number as an attribute. */
struct err *make_and_put(struct store *s, const char *project,
			 uint64_t number, size_t size,
			 struct store_added *out) _must_check_;
/** Does the store give back file @number? ERR_FAILED if another one. */
struct err *make_and_check(struct store *s, const struct store_ref *ref,
			   uint64_t number, size_t size) _must_check_;

#endif
