/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests/lint tells clang's analyzer about cmocka, as analyzer.h does about
 * base: after an assertion that failed, a test does not go on.
 */
#ifndef LIB_ANALYZER_TESTS_H
#define LIB_ANALYZER_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/analyzer.h"

#define analyzer_holds(c) do { if (!(c)) __builtin_unreachable(); } while (0)

#undef assert_true
#define assert_true(c) analyzer_holds(c)
#undef assert_false
#define assert_false(c) analyzer_holds(!(c))
#undef assert_non_null
#define assert_non_null(p) analyzer_holds(p)
#undef assert_null
#define assert_null(p) analyzer_holds(!(p))
#undef assert_int_equal
#define assert_int_equal(a, b) analyzer_holds((a) == (b))
#undef fail
#define fail() analyzer_holds(0)
#undef fail_msg
#define fail_msg(...) do { print_error(__VA_ARGS__); fail(); } while (0)

#endif
