/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assertions on error values. Include after cmocka.h.
 */
#ifndef UNIT_ASSERT_ERR_H
#define UNIT_ASSERT_ERR_H

#include <string.h>

#include "base/base.h"

/** Success; otherwise the text is shown. Takes @err. */
static inline void
check_ok(struct err *err, const char *file, int line)
{
	if (err)
		print_error("error: %s\n", err_text(err));
	_assert_true(!err, "success", file, line);
}

/** An error of @kind whose text holds @words. Takes @err. */
static inline void
check_err(struct err *err, enum err_kind kind, const char *words,
	  const char *file, int line)
{
	_assert_int_equal(err_kind(err), kind, file, line);
	if (!strstr(err_text(err), words))
		_assert_string_equal(err_text(err), words, file, line);
	err_free(err);
}

#define assert_ok(err) check_ok(err, __FILE__, __LINE__)
#define assert_err(err, kind, words) \
	check_err(err, kind, words, __FILE__, __LINE__)

#endif
