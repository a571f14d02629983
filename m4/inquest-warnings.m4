# SPDX-License-Identifier: Apache-2.0
# inquest-warnings.m4: the dialect and the warnings, as far as the compiler
# knows them, and --enable-werror.

# INQ_TRY_CFLAG(FLAG): adds FLAG to INQ_CFLAGS if the compiler takes it.
AC_DEFUN([INQ_TRY_CFLAG], [
	inq_saved_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS -Werror $1"
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
		[INQ_CFLAGS="$INQ_CFLAGS $1"])
	CFLAGS=$inq_saved_CFLAGS
])

AC_DEFUN([INQ_WARNINGS], [
	AC_ARG_ENABLE([werror],
		[AS_HELP_STRING([--enable-werror], [warnings are errors])],
		[], [enable_werror=no])
	AC_MSG_CHECKING([which warnings $CC knows])
	INQ_CFLAGS="-std=gnu11"
	m4_foreach_w([inq_flag], [
		-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
		-Wold-style-definition -Wpointer-arith -Wvla -Wformat=2 -Wundef
		-Wwrite-strings -Wimplicit-fallthrough -Wduplicated-cond
		-Wlogical-op
	], [INQ_TRY_CFLAG(inq_flag)])
	AC_MSG_RESULT([$INQ_CFLAGS])
	inq_warnings_said="`AS_ECHO(["$INQ_CFLAGS"]) | tr ' ' '\n' |
		grep -c '^-W'`"
	AS_IF([test "$enable_werror" = yes], [
		INQ_CFLAGS="$INQ_CFLAGS -Werror"
		inq_warnings_said="$inq_warnings_said, as errors"
	])
	AC_SUBST([INQ_CFLAGS])
])
