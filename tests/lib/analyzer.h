/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests/lint tells clang's analyzer, which sees one file at a time, about
 * functions of base: an error that was made is never NULL. Without it, every
 * caller looks as if it went on after a failure.
 */
#ifndef LIB_ANALYZER_H
#define LIB_ANALYZER_H

#include "base/base.h"

_must_check_ static inline struct err *
analyzer_some(struct err *err)
{
	if (!err)
		__builtin_unreachable();
	return err;
}

#define err_new(...) analyzer_some(err_new(__VA_ARGS__))
#define err_errno(...) analyzer_some(err_errno(__VA_ARGS__))
#define err_nomem() analyzer_some(err_nomem())

#endif
