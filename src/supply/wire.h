/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire: what a request for a module and its answer look like as bytes.
 *
 * Both are one datagram of at most WIRE_MAX bytes, integers little-endian.
 *
 *	request                         answer
 *	0   u16  WIRE_VERSION           0   u16  WIRE_VERSION
 *	2   u8   enum supply_kind       2   u16  enum err_kind; 0 = here it is
 *	3   u8   enum id_kind           4   u32  length of the text
 *	4   u32  nth candidate          8        text
 *	8   u16  length of the id
 *	10  u16  length of the path
 *	12  u16  length of the link
 *	14  u16  0
 *	16       id, path, link; no NULs; length 0 = there is none
 *
 * An answer of kind 0 carries one descriptor (SCM_RIGHTS), others none.
 */
#ifndef SUPPLY_WIRE_H
#define SUPPLY_WIRE_H

#include "supply/supply.h"

#define WIRE_VERSION 1
#define WIRE_MAX (16 * 1024)
#define WIRE_NAME_MAX 4096      /* a path or link with its NUL */

/** A decoded request; @ask points into it, so it must stay where it is. */
struct wire_ask {
	struct supply_ask ask;
	char path[WIRE_NAME_MAX], link[WIRE_NAME_MAX];
};

/** ERR_NOTFOUND if a name is too long to be one of a file. */
struct err *wire_put_ask(const struct supply_ask *ask, struct buf *out)
	_must_check_;
/**
 * ERR_DAMAGED for bytes that wire_put_ask() does not make; ERR_NOTFOUND for
 * names with a NUL in them, which no file has.
 */
struct err *wire_get_ask(struct span bytes, struct wire_ask *out) _must_check_;

/** The answer that says @err, or with NULL: here it is. */
struct err *wire_put_answer(const struct err *err, struct buf *out)
	_must_check_;
/** The error that was put; NULL = a descriptor came along. */
struct err *wire_get_answer(struct span bytes) _must_check_;

#endif
