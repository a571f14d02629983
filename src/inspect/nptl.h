/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a GNU C library describes of itself for libthread_db
 * (nptl_db/structs.def): shared by tls.c and nptl.c.
 */
#ifndef INSPECT_NPTL_H
#define INSPECT_NPTL_H

#include "inspect/impl.h"

/** Offset of a field of @bits bits, by its describing symbol in @module. */
struct err *nptl_field(struct insp *i, size_t module, const char *symbol,
		       uint32_t bits, uint32_t *at) _must_check_;
/** Can @m hold the descriptions? */
bool nptl_is_library(const struct snap_module *m);
/**
 * The thread pointer of thread @tid by the C library's lists of threads, for
 * a core whose registers do not tell it. ERR_ABSENT if it is not there.
 */
struct err *nptl_thread_pointer(struct insp *i, uint64_t tid, uint64_t *out)
	_must_check_;

#endif
