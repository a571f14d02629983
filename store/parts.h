/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to store: partitions, the append-only files that pieces lie in. They
 * count from 1.
 *
 * They know no transaction: whoever writes them is inside of a write of the
 * project's tables, and what counts is what the tables say of them.
 */
#ifndef STORE_PARTS_H
#define STORE_PARTS_H

#include "base/base.h"

typedef struct err *part_fn(void *arg, uint32_t number, uint64_t size);

struct parts {
	const struct parts_ops *ops;
};
struct parts_ops {
	void (*close)(struct parts *p);
	/* Make it @size bytes long at most; made if it is not there. */
	struct err *(*cut)(struct parts *p, uint32_t number, uint64_t size);
	struct err *(*append)(struct parts *p, uint32_t number, uint64_t at,
			      struct span bytes);
	struct err *(*sync)(struct parts *p, uint32_t number);
	/* ERR_NOTFOUND if it is gone, ERR_DAMAGED if it is too short. */
	struct err *(*read)(struct parts *p, uint32_t number, uint64_t at,
			    size_t n, void *out);
	/* No error if it is not there. */
	struct err *(*drop)(struct parts *p, uint32_t number);
	/* In no order. */
	struct err *(*list)(struct parts *p, part_fn *each, void *arg);
};

/**
 * Files DIR/blob/NNNN.part of a project's directory, read by pread(): one
 * that was cut is an error and no signal.
 */
struct err *parts_open(const char *dir, struct parts **out) _must_check_;

#endif
